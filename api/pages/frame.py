"""What every page of a file shares: its head, the sentence that says where it stands, and the ways to its parts."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from fastapi import Request, Response

from api.installation import Installation
from api.pages.possible import Possible, possible_of
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.words import left, position_titles
from domain.bilingual import Bilingual
from domain.desk import COORDINATING, Desk, desks
from domain.rules import Edition
from domain.sign_in import Acting
from domain.state import Phase
from domain.values import business_date
from locales import mark, translator
from storage.queries import File
from storage.read_model import next_due

TABS: tuple[tuple[str, str], ...] = (
    ("", mark("Overview")),
    ("/request", mark("Request")),
    ("/people", mark("People")),
    ("/programme", mark("Programme")),
    ("/approvals", mark("Approvals")),
    ("/invitations", mark("Invitations and letters")),
    ("/report", mark("Report")),
    ("/trail", mark("Trail")),
)
"""The parts of a file, in the order in which it comes to them, by what their addresses add to its own."""

SHAPES: dict[Phase, str] = {
    Phase.CLOSED: "ok",
    Phase.REJECTED: "stop",
    Phase.CANCELLED: "stop",
    Phase.RETURNED: "wait",
    Phase.POSTPONED: "wait",
}


@dataclass(frozen=True)
class Head:
    """The head of a file. `desks` are those it lies on, `names` what the accounts behind them are called.

    `shape` is that of its phase; `today` is the day in the file's zone, by the file's own clock.
    """

    possible: Possible
    edition: Edition
    shape: str
    desks: tuple[Desk, ...]
    names: dict[str, str]
    titles: dict[str, Bilingual]
    today: date
    next_due: tuple[date, str] | None
    left: dict[str, str]
    """How long there is until a desk's due date, by what waits there."""


async def head_of(request: Request, at: Installation, file: File, actor: Acting) -> Head:
    """Return the head of a file for its reader."""
    state, reader = file.state, reader_of(request)
    possible = await possible_of(at, file, actor)
    edition, lies = possible.context.edition, desks(state)
    words = translator(reader.language)
    accounts = {state.coordinator} | {
        account for desk in lies for one in desk.substitutes for account in (one.account, one.substitute)
    }
    known = await at.accounts.names(accounts) if reader.sees_personal_data else {}
    today = business_date(possible.context.now, state.zone)
    return Head(
        possible=possible,
        edition=edition,
        shape=SHAPES.get(state.phase, "info"),
        desks=lies,
        names={account: known.get(account, account) for account in accounts},
        titles=await position_titles(at, edition),
        today=today,
        next_due=next_due(state),
        left={desk.what: left(today, desk.due_on, edition, words) for desk in lies if desk.due_on},
    )


async def show_part(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    template: str,
    tab: str,
    *,
    status: int = 200,
    head: Head | None = None,
    **values: Any,
) -> Response:
    """Return a page of a file: the template of one of its parts, which extends `file.html`."""
    return show(
        request,
        template,
        status,
        state=file.state,
        seq=file.head.seq,
        head=head or await head_of(request, at, file, actor),
        tabs=TABS,
        tab=tab,
        coordinating=COORDINATING,
        headers={"Cache-Control": "no-store"},
        **values,
    )
