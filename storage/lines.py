"""The line of a delegation in lists: a pure function of its state, whatever event brought it there."""

from datetime import date
from operator import attrgetter, is_
from typing import Any

from sqlalchemy import Boolean, Column, Date, Integer

from domain.desk import COORDINATING, IDLE_PHASES, lies_on
from domain.folding import folded
from domain.state import Delegation
from storage.metadata import Instant, Name, Words
from storage.search_text import sort_key

DEPENDS_ON = (
    "phase",
    "direction",
    "title",
    "partner",
    "organisation",
    "places",
    "coordinator",
    "countries",
    "starts",
    "ends",
    "people",
    "proposal",
    "amendment",
    "report",
    "deadlines",
    "opened_at",
)
"""The fields of a state that its line is made of: where the fold left them alone, the line is what it was."""

PARTS_OF = attrgetter(*DEPENDS_ON)


def line_columns() -> list[Column[Any]]:
    """Return the columns of a line, new for each table that has them."""
    return [
        Column("direction", Name, nullable=False),
        Column("phase", Name, nullable=False),
        Column("title", Words, nullable=False),
        Column("title_folded", Name, nullable=False),
        Column("search_text", Words, nullable=False),
        Column("organisation", Name, nullable=False),
        Column("partner", Words, nullable=False),
        Column("coordinator", Name, nullable=False),
        Column("countries", Name, nullable=False),  # " CZ DE ": each code stands between blanks
        Column("year", Integer, nullable=False),
        Column("starts", Date, nullable=False),
        Column("ends", Date, nullable=False),
        Column("head_count", Integer, nullable=False),
        Column("waits_for", Name),
        Column("next_due_on", Date),
        Column("next_due_what", Name),
        Column("overdue", Boolean, nullable=False),
        Column("opened_at", Instant, nullable=False),
    ]


def waits_for(state: Delegation) -> str | None:
    """Return on whose desk the file is: a position, `coordinator`, or nobody's once nothing is to be done.

    Of several desks it is the first.
    """
    what, whose = next(iter(lies_on(state)), (None, None))
    return COORDINATING if what == COORDINATING else whose


def next_due(state: Delegation) -> tuple[date, str] | None:
    """Return the earliest due date that is still open, and what is due."""
    if state.phase in IDLE_PHASES:
        return None
    return min(
        ((deadline.due_on, what) for what, deadline in state.deadlines.items() if deadline.status == "open"),
        default=None,
    )


def line_of(state: Delegation) -> dict[str, Any]:
    """Return what a list says of a file; days are in the file's zone."""
    due = next_due(state)
    return {
        "direction": state.direction,
        "phase": str(state.phase),
        "title": state.title,
        "title_folded": sort_key(state.title),
        "search_text": folded(" ".join((state.title, state.partner, state.organisation, *state.places))),
        "organisation": state.organisation,
        "partner": state.partner,
        "coordinator": state.coordinator,
        "countries": f" {' '.join(state.countries)} ",
        "year": state.starts.year,
        "starts": state.starts,
        "ends": state.ends,
        "head_count": state.head_count,
        "waits_for": waits_for(state),
        "next_due_on": due[0] if due else None,
        "next_due_what": due[1] if due else None,
        "overdue": state.phase not in IDLE_PHASES
        and any(deadline.status == "missed" for deadline in state.deadlines.values()),
        "opened_at": state.opened_at,
    }


def same_line(before: Delegation, after: Delegation) -> bool:
    """Whether nothing was touched that a line is made of. What was touched may still read the same."""
    return all(map(is_, PARTS_OF(before), PARTS_OF(after)))
