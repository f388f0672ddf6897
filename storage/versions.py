"""What a delegation was at any instant: its line in lists at each change, and its whole state every so many events.

Both are read tables like the others: what the events give, and nothing else.

Events are in order by `seq`; a clock may go back, so their times need not be. What stands at an instant is what the
longest prefix gives whose last event is at or before it. A row is therefore reached at the earliest time of its own
event and all after it: its `since`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Index, Integer, Table, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.evolve import fold
from domain.seal import SealedEvent
from domain.state import Delegation
from storage.lines import line_columns, line_of, same_line
from storage.metadata import Instant, Name, Words, metadata

SNAPSHOT_EVERY = 250
"""Events between two kept states: at 100, 250 and 500 any instant of 10,000 events takes 4, 6 and 9 ms to read."""

versions = Table(
    "delegation_versions",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("since", Instant, nullable=False),
    *line_columns(),
    Column("next_due_rule", Name),
    Column("updated_at", Instant, nullable=False),
    Index(None, "delegation_id", "since", "seq"),
)
"""A line as it stood from event `seq` on, until the next one."""

snapshots = Table(
    "delegation_snapshots",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("since", Instant, nullable=False),
    Column("head_hash", Name, nullable=False),
    Column("state", Words, nullable=False),
)
"""The state after event `seq`, as the list's own row writes it."""

DATED = (versions, snapshots)
"""Tables whose rows have a `since`."""

Rows = dict[str, dict[tuple[Any, ...], dict[str, Any]]]
"""Rows by table and primary key."""


def walk(
    delegation_id: str, before: Delegation | None, events: Sequence[SealedEvent]
) -> tuple[Delegation | None, Rows]:
    """Return the state after events and the rows they leave in `delegation_versions` and `delegation_snapshots`.

    `before` is the state after the event before them, None at the beginning of the file.
    """
    lines: dict[tuple[Any, ...], dict[str, Any]] = {}
    states: dict[tuple[Any, ...], dict[str, Any]] = {}
    reached = _reached(events)
    state, line = before, _line(before) if before is not None else None
    for event, since in zip(events, reached, strict=True):
        after = fold((event,), state)
        if after is None:
            continue
        if state is None or not same_line(state, after):
            shown = _line(after)
            if shown != line:
                lines[delegation_id, event.seq] = shown | {"since": since, "updated_at": event.instant}
            line = shown
        if event.seq % SNAPSHOT_EVERY == 0:
            states[delegation_id, event.seq] = {
                "since": since,
                "head_hash": event.hash,
                "state": after.model_dump_json(),
            }
        state = after
    return state, {versions.name: lines, snapshots.name: states}


def _line(state: Delegation) -> dict[str, Any]:
    line = line_of(state)
    what = line["next_due_what"]
    return line | {"next_due_rule": state.deadlines[what].rule.rule if what else None}


def _reached(events: Sequence[SealedEvent]) -> list[datetime]:
    """Return for each event the earliest time of it and those after it."""
    reached: list[datetime] = []
    for event in reversed(events):
        reached.append(min(event.instant, reached[-1]) if reached else event.instant)
    return reached[::-1]


async def bring_forward(
    connection: AsyncConnection, delegation_id: str, updated_at: datetime, events: Sequence[SealedEvent]
) -> None:
    """Date rows anew that new events are earlier than; `updated_at` is the time of the last event before them.

    No row has a later `since` than that, so nothing is to be done while the clock goes forward.
    """
    earliest = min(event.instant for event in events)
    if earliest >= updated_at:
        return
    for table in DATED:
        await connection.execute(
            update(table).where(table.c.delegation_id == delegation_id, table.c.since > earliest).values(since=earliest)
        )
