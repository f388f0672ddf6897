"""The register of requests of persons: what each asks, by when it is due, and what became of it.

A row is the fold of the request's entries in the log of changes (register `person_requests`), which has every event in
a sealed chain. What was written stands in the register of texts, under a key of the request's own.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, Row, Table, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.decision import Refusal
from domain.person_requests import ENDED, PersonRequest, begin, evolve
from domain.privacy import RequestKind
from domain.request_events import EVENTS, Event, RequestReceived
from domain.seal import SealedEvent
from storage.claims import mark_claimed, references_in
from storage.cursors import BadCursor, beyond, read_cursor, write_cursor
from storage.data_keys import DataKeys, file_key
from storage.engine import Database
from storage.idempotency import IdempotencyConflict
from storage.keyring import Keyring
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.queries import LARGEST_PAGE
from storage.register_log import queue, record
from storage.texts import texts

person_requests = Table(
    "person_requests",
    metadata,
    Column("id", Name, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("person", Name, index=True),
    Column("status", Name, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("answered_at", Instant),
    Column("answer_due_at", Instant, nullable=False),
    Column("carry_out_due_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("commands", Words, nullable=False),  # JSON: what was sent under which key, by digests
    Column("state", Words, nullable=False),
    Index(None, "received_at", "id"),
    Index(None, "status", "carry_out_due_at"),
)


@dataclass(frozen=True)
class RequestFilters:
    """Which requests: everything that is set must hold. `overdue_at` keeps those that are late at an instant."""

    kind: RequestKind | None = None
    person: str | None = None
    open: bool | None = None
    overdue_at: datetime | None = None


@dataclass(frozen=True)
class RequestPage:
    """One page, the newest first, and the cursor of the next one if there may be one."""

    items: tuple[PersonRequest, ...]
    next_cursor: str | None


class UnknownRequest(LookupError):
    """The register has no such request."""


def text_owner(request: str) -> str:
    """Return for whom the texts of a request are written; a colon stands in no delegation's id."""
    return f"request:{request}"


class PersonRequests:
    """Requests by id; each change is recorded in the log of changes, in the transaction that makes it."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def receive(
        self, request: str, event: RequestReceived, *, command: str, digest: str, by: str
    ) -> PersonRequest:
        """Enter a request under an id that its sender's repetitions have too.

        `command` names what was sent and `digest` stands for its content. The same again returns the request as it
        stands; other content under the same name raises IdempotencyConflict.
        """
        async with self._database.writing() as connection:
            await queue(connection)
            known = await _row(connection, request)
            if known is not None:
                _is_repeated(json.loads(known.commands), command, digest)
                return _state(known)
            state, now = begin(request, event, by), utc_now()
            await connection.execute(insert(person_requests).values(id=request, **_columns(state, {command: digest})))
            await self._record(connection, request, event, by=by, at=now)
        return state

    async def change(
        self,
        request: str,
        decide: Callable[[PersonRequest, datetime], Event | Refusal],
        *,
        command: str,
        digest: str,
        by: str,
    ) -> PersonRequest | Refusal:
        """Let something happen to a request as `decide` says, and return it as it then stands, or the refusal.

        A command that was accepted before changes nothing; `command` and `digest` are those of `receive`. What ends a
        request for erasure destroys what was written about it. Raises UnknownRequest and IdempotencyConflict.
        """
        async with self._database.writing() as connection:
            await queue(connection)
            known = await _row(connection, request)
            if known is None:
                raise UnknownRequest("the register has no such request")
            state, commands = _state(known), json.loads(known.commands)
            if _is_repeated(commands, command, digest):
                return state
            now = utc_now()
            event = decide(state, now)
            if isinstance(event, Refusal):
                return event
            after = evolve(state, event, now, by)
            columns = _columns(after, commands | {command: digest})
            await connection.execute(update(person_requests).where(person_requests.c.id == request).values(columns))
            await self._record(connection, request, event, by=by, at=now)
            if after.status == "carried_out" and after.kind == "erasure":
                await self.forget_texts(connection, [request], now)
        return after

    async def get(self, request: str) -> PersonRequest | None:
        """Return a request as it stands."""
        async with self._database.reading() as connection:
            row = await _row(connection, request)
        return None if row is None else _state(row)

    async def of_person(self, person: str) -> list[PersonRequest]:
        """Return what a person has asked, the oldest first."""
        wanted = select(person_requests).where(person_requests.c.person == person)
        async with self._database.reading() as connection:
            rows = await connection.execute(wanted.order_by(person_requests.c.received_at, person_requests.c.id))
            return [_state(row) for row in rows]

    async def page(
        self, filters: RequestFilters | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> RequestPage:
        """Return a page of at most `limit` (1 to 200) requests, the newest first. Raises BadCursor."""
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} lines")
        order = (person_requests.c.received_at, person_requests.c.id)
        wanted = select(person_requests).where(*_conditions(filters or RequestFilters()))
        if cursor is not None:
            wanted = wanted.where(beyond(order, _place(cursor), descending=True))
        wanted = wanted.order_by(*(column.desc() for column in order)).limit(limit + 1)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        items = tuple(_state(row) for row in rows[:limit])
        more = write_cursor(items[-1].received_at.isoformat(), items[-1].id) if len(rows) > limit else None
        return RequestPage(items, more)

    async def forget_texts(self, connection: AsyncConnection, requests: Iterable[str], at: datetime) -> int:
        """Destroy what was written about requests, in the caller's transaction; return of how many there was any.

        Their events keep reference and commitment.
        """
        forgotten = 0
        for request in requests:
            owner = text_owner(request)
            gone = await connection.execute(delete(texts).where(texts.c.delegation_id == owner))
            forgotten += gone.rowcount > 0
            await self._keys.destroy(connection, file_key(owner), at)
        return forgotten

    async def forget_texts_of(self, connection: AsyncConnection, person: str, at: datetime) -> int:
        """Destroy what was written about a person's requests, in the caller's transaction; for their erasure."""
        wanted = select(person_requests.c.id).where(person_requests.c.person == person)
        return await self.forget_texts(connection, list((await connection.execute(wanted)).scalars()), at)

    async def _record(self, connection: AsyncConnection, request: str, event: Event, *, by: str, at: datetime) -> None:
        said = event.model_dump(mode="json", exclude={"type"})
        await record(connection, "person_requests", event.type, request, by=by, after=said, at=at)
        await mark_claimed(connection, references_in(said))


def fold(request: str, events: Iterable[SealedEvent]) -> PersonRequest | None:
    """Return a request as its sealed events say; None if there are none."""
    state: PersonRequest | None = None
    for sealed in events:
        event = EVENTS.validate_python({"type": sealed.type} | sealed.data["after"])
        if isinstance(event, RequestReceived):
            state = begin(request, event, sealed.actor)
        elif state is not None:
            state = evolve(state, event, sealed.instant, sealed.actor)
    return state


def _is_repeated(commands: Mapping[str, str], command: str, digest: str) -> bool:
    if commands.get(command, digest) != digest:
        raise IdempotencyConflict
    return command in commands


def _columns(state: PersonRequest, commands: Mapping[str, str]) -> dict[str, Any]:
    return {
        "kind": state.kind,
        "person": state.person,
        "status": state.status,
        "received_at": state.received_at,
        "answered_at": state.answered_at,
        "answer_due_at": state.terms.answer.due_at,
        "carry_out_due_at": state.carry_out.due_at,
        "ended_at": state.ended_at,
        "commands": json.dumps(commands),
        "state": state.model_dump_json(),
    }


def _conditions(filters: RequestFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.kind is not None:
        conditions.append(person_requests.c.kind == filters.kind)
    if filters.person is not None:
        conditions.append(person_requests.c.person == filters.person)
    if filters.open is not None:
        ended = person_requests.c.status.in_(sorted(ENDED))
        conditions.append(~ended if filters.open else ended)
    if (now := filters.overdue_at) is not None:
        unanswered = person_requests.c.answered_at.is_(None) & (person_requests.c.answer_due_at < now)
        conditions.append(person_requests.c.ended_at.is_(None))
        conditions.append(or_(unanswered, person_requests.c.carry_out_due_at < now))
    return conditions


def _place(cursor: str) -> tuple[datetime, str]:
    received_at, request = read_cursor(cursor, str, str)
    try:
        return datetime.fromisoformat(received_at).astimezone(UTC), request
    except (ValueError, OverflowError):
        raise BadCursor from None


async def _row(connection: AsyncConnection, request: str) -> Row[Any] | None:
    wanted = select(person_requests).where(person_requests.c.id == request)
    return (await connection.execute(wanted)).one_or_none()


def _state(row: Row[Any]) -> PersonRequest:
    return PersonRequest.model_validate_json(row.state)
