"""The read tables, and the rows that a delegation has in them: a pure function of its state and events.

Lists, searches and statistics ask these tables. They hold nothing that the journal does not say, so they can be
dropped and rebuilt at any time.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import BigInteger, Boolean, Column, Date, Index, Integer, Table

from domain.desk import Substitute, desks
from domain.events import CeilingSet
from domain.observations import travels
from domain.seal import SealedEvent
from domain.state import Delegation
from domain.upcast import read_event
from storage.lines import line_columns, line_of, next_due, waits_for
from storage.metadata import Instant, Name, Words, metadata
from storage.versions import Rows, snapshots, versions

__all__ = ["READ_TABLES", "Key", "Rows", "next_due", "waits_for"]

delegations = Table(
    "delegations",
    metadata,
    Column("id", Name, primary_key=True),
    *line_columns(),
    Column("updated_at", Instant, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("head_hash", Name, nullable=False),
    Column("state", Words, nullable=False),
    Index(None, "starts", "id"),
    Index(None, "updated_at", "id"),
    Index(None, "title_folded", "id"),
    Index(None, "next_due_on", "id"),
    Index(None, "phase", "starts"),
    Index(None, "coordinator", "starts"),
)

deadlines = Table(
    "deadlines",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("what", Name, primary_key=True),
    Column("due_on", Date, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("status", Name, nullable=False),
    Column("rule", Name, nullable=False),
    Column("rule_version", Integer, nullable=False),
    Column("reminders", Integer, nullable=False),
    Index(None, "status", "due_at"),
)

programme_items = Table(
    "programme_items",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("item_id", Name, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("title", Words, nullable=False),
    Column("place", Words),
    Column("starts_at", Instant, nullable=False),
    Column("starts_local", Name, nullable=False),
    Column("starts_zone", Name, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("ends_local", Name, nullable=False),
    Column("ends_zone", Name, nullable=False),
    Column("published", Boolean, nullable=False),
    Column("cancelled", Boolean, nullable=False),
    Index(None, "starts_at"),
)

participants = Table(
    "participants",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("participant_id", Name, primary_key=True),
    Column("person", Name, nullable=False, index=True),
    Column("role", Name, nullable=False),
    Column("country", Name),
    Column("active", Boolean, nullable=False),
)

ceilings = Table(
    "ceilings",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("total_vnd", BigInteger, nullable=False),
    Column("head_count", Integer, nullable=False),
    Column("days", Integer, nullable=False),
    Column("nights", Integer, nullable=False),
)

desk_rows = Table(
    "desks",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("what", Name, primary_key=True),
    Column("whose", Name, primary_key=True),
    Column("position", Name, index=True),
    Column("account", Name, index=True),
    Column("title_vi", Words),
    Column("title_en", Words),
    Column("since", Instant, nullable=False),
    Column("due_on", Date),
    Column("due_at", Instant),
    Column("missed", Boolean, nullable=False),
    Column("substitutes", Words),  # JSON: domain.desk.Substitute of the leaves in force and to come
)

trips = Table(
    "trips",
    metadata,
    Column("delegation_id", Name, primary_key=True),
    Column("person", Name, primary_key=True),
    Column("year", Integer, nullable=False),
    Index(None, "person", "year"),
)
"""Who travels abroad, by reference, in the year in which the trip begins."""

READ_TABLES = (delegations, deadlines, programme_items, participants, ceilings, desk_rows, trips, versions, snapshots)

SUBSTITUTES: TypeAdapter[tuple[Substitute, ...]] = TypeAdapter(tuple[Substitute, ...])

Key = tuple[Any, ...]


def _deadlines(state: Delegation) -> dict[Key, dict[str, Any]]:
    return {
        (state.id, what): {
            "due_on": deadline.due_on,
            "due_at": deadline.due_at,
            "status": deadline.status,
            "rule": deadline.rule.rule,
            "rule_version": deadline.rule.version,
            "reminders": deadline.reminders,
        }
        for what, deadline in state.deadlines.items()
    }


def _programme_items(state: Delegation) -> dict[Key, dict[str, Any]]:
    return {
        (state.id, item.id): {
            "kind": item.kind,
            "title": item.title,
            "place": item.place,
            "starts_at": item.starts.instant,
            "starts_local": item.starts.local,
            "starts_zone": item.starts.zone,
            "ends_at": item.ends.instant,
            "ends_local": item.ends.local,
            "ends_zone": item.ends.zone,
            "published": item.published,
            "cancelled": item.cancelled,
        }
        for item in state.items.values()
    }


def _participants(state: Delegation) -> dict[Key, dict[str, Any]]:
    return {
        (state.id, person.id): {
            "person": person.person.ref,
            "role": person.role,
            "country": person.country,
            "active": person.active,
        }
        for person in state.people.values()
    }


def _desks(state: Delegation) -> dict[Key, dict[str, Any]]:
    return {
        (state.id, desk.what, desk.position or desk.account): {
            "position": desk.position,
            "account": desk.account,
            "title_vi": desk.title_vi,
            "title_en": desk.title_en,
            "since": desk.since,
            "due_on": desk.due_on,
            "due_at": desk.due_at,
            "missed": desk.missed,
            "substitutes": SUBSTITUTES.dump_json(desk.substitutes).decode() if desk.substitutes else None,
        }
        for desk in desks(state)
    }


def _trips(state: Delegation) -> dict[Key, dict[str, Any]]:
    return {(state.id, person): {"year": state.starts.year} for person in travels(state)}


FROM_STATE = (
    (deadlines, "deadlines", _deadlines),
    (programme_items, "items", _programme_items),
    (participants, "people", _participants),
    (desk_rows, None, _desks),
    (trips, None, _trips),
)
"""Which table follows from which field of the state, and how; None: from several."""


def rows_of_state(state: Delegation) -> Rows:
    """Return a delegation's rows in every table that follows from its state, but not from its head."""
    return {table.name: rows(state) for table, _, rows in FROM_STATE}


def difference(before: Delegation | None, after: Delegation) -> tuple[Rows, dict[str, list[Key]]]:
    """Return the rows to write and the keys to delete, by table, that lead from one state's rows to another's."""
    write: Rows = {}
    gone: dict[str, list[Key]] = {}
    for table, field, rows in FROM_STATE:
        # The fold copies a state but for what an event changed: a field that is the same object needs no look.
        if before is not None and field is not None and getattr(before, field) is getattr(after, field):
            continue
        old: Mapping[Key, Any] = rows(before) if before is not None else {}
        new = rows(after)
        write[table.name] = {key: row for key, row in new.items() if old.get(key) != row}
        gone[table.name] = [key for key in old if key not in new]
    return write, gone


def rows_of_events(delegation_id: str, events: Iterable[SealedEvent]) -> Rows:
    """Return the rows that single events leave behind, whatever comes after them."""
    history: dict[Key, dict[str, Any]] = {}
    for sealed in events:
        if sealed.type == "CeilingSet":
            event = read_event(sealed)
            if isinstance(event, CeilingSet):
                history[delegation_id, sealed.seq] = {
                    "at": sealed.instant,
                    "total_vnd": event.total_vnd,
                    "head_count": event.head_count,
                    "days": event.days,
                    "nights": event.nights,
                }
    return {ceilings.name: history}


def row_of_delegation(state: Delegation, last: SealedEvent) -> Rows:
    """Return the delegation's own row after its last event."""
    row = line_of(state) | {
        "updated_at": last.instant,
        "seq": last.seq,
        "head_hash": last.hash,
        # Not canonical JSON: the maps of a state keep the order in which things came.
        "state": state.model_dump_json(),
    }
    return {delegations.name: {(state.id,): row}}
