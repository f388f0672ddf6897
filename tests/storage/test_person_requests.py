"""The register of requests of persons: every change sealed, repetitions known, texts under a key of their own."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from domain.decision import Refusal
from domain.person_requests import PersonRequest, decide, receive
from domain.privacy import RequestKind
from domain.request_events import Answer, CarryOut, Command, Extend, Identify, Refuse, RequestReceived
from domain.values import TextRef
from storage.attachments import Attachments
from storage.claims import sweep
from storage.cursors import BadCursor
from storage.engine import Database
from storage.idempotency import IdempotencyConflict
from storage.keyring import Keyring
from storage.metadata import utc_now
from storage.person_requests import PersonRequests, RequestFilters, UnknownRequest, fold, person_requests, text_owner
from storage.register_log import RegisterLog, register_log
from storage.texts import Texts
from tests.rulebook import shipped

SATO, ITO = "per_sato000000", "per_ito0000000"
SECRET = "Bà Satō, hộ chiếu TK0000101, muốn xóa mọi thông tin."


@pytest.fixture
def requests(database: Database, keyring: Keyring) -> PersonRequests:
    return PersonRequests(database, keyring)


@pytest.fixture
def texts(database: Database, keyring: Keyring) -> Texts:
    return Texts(database, keyring)


def came(
    kind: RequestKind = "objection",
    *,
    person: str | None = SATO,
    description: TextRef | None = None,
    ago: timedelta = timedelta(hours=1),
) -> RequestReceived:
    now = utc_now()
    event = receive(
        kind, shipped(), received_at=now - ago, now=now, via="letter", person=person, description=description
    )
    assert isinstance(event, RequestReceived)
    return event


async def enter(requests: PersonRequests, request: str, event: RequestReceived, digest: str = "d") -> PersonRequest:
    return await requests.receive(request, event, command=f"key of {request}", digest=digest, by="lan")


async def act(requests: PersonRequests, request: str, command: Command, key: str) -> PersonRequest | Refusal:
    return await requests.change(
        request,
        lambda state, now: decide(state, command, now),
        command=key,
        digest=command.model_dump_json(),
        by="root",
    )


async def test_a_request_is_the_fold_of_its_sealed_entries(
    requests: PersonRequests, texts: Texts, database: Database
) -> None:
    """Every step of its way stands in the log of changes; the row says nothing that the log does not."""
    said = await texts.write(text_owner("req_1"), SECRET)
    await enter(requests, "req_1", came("erasure", person=None, description=said))
    await enter(requests, "req_2", came(person=ITO))
    way: tuple[Command, ...] = (Identify(person=SATO), Answer(), Extend(days=5, reason=said), CarryOut(erasure="era_1"))
    for number, command in enumerate(way):
        assert isinstance(await act(requests, "req_1", command, f"c{number}"), PersonRequest)
    log = RegisterLog(database)
    entries = await log.entries("person_requests", entry="req_1")
    assert [(one.type, one.actor) for one in entries] == [
        ("request_received", "lan"),
        ("person_identified", "root"),
        ("request_answered", "root"),
        ("time_extended", "root"),
        ("request_carried_out", "root"),
    ]
    assert fold("req_1", entries) == await requests.get("req_1")
    assert (await log.verify("person_requests")).seq == 6
    assert await requests.get("req_3") is None
    with pytest.raises(UnknownRequest):
        await act(requests, "req_3", Answer(), "c9")


async def test_what_is_sent_again_happens_once(requests: PersonRequests, database: Database) -> None:
    """However often and at once; another content under a key that was used is refused."""
    event = came()
    states = await asyncio.gather(*(enter(requests, "req_1", event) for _ in range(5)))
    assert len({state.model_dump_json() for state in states}) == 1
    with pytest.raises(IdempotencyConflict):
        await enter(requests, "req_1", came("access"), digest="another")
    answered = await asyncio.gather(*(act(requests, "req_1", Answer(), "c1") for _ in range(5)))
    assert [one for one in answered if isinstance(one, Refusal)] == []
    refused = await act(requests, "req_1", Refuse(reason="repeated"), "c2")
    assert isinstance(refused, PersonRequest)
    # The first command once more, long after another one: its answer was lost, and it is not carried out again.
    assert await act(requests, "req_1", Answer(), "c1") == refused
    with pytest.raises(IdempotencyConflict):
        await act(requests, "req_1", Refuse(reason="nothing_held"), "c2")
    assert await act(requests, "req_1", Answer(), "c3") == Refusal(code="request_ended")
    assert len(await RegisterLog(database).entries("person_requests")) == 3


async def test_a_refused_command_leaves_nothing(requests: PersonRequests, database: Database) -> None:
    """And may be sent again under its key once what was missing is there."""
    await enter(requests, "req_1", came("erasure"))
    refused = await act(requests, "req_1", CarryOut(), "c1")
    assert refused == Refusal(code="erasure_not_named", field="erasure")
    assert len(await RegisterLog(database).entries("person_requests")) == 1
    assert isinstance(await act(requests, "req_1", CarryOut(erasure="era_1"), "c1"), PersonRequest)


async def test_what_was_written_goes_with_an_erasure_and_stays_otherwise(
    requests: PersonRequests, texts: Texts, database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    """It is claimed, so no sweep takes it; the log names it by reference and never says a word of it."""
    kinds: tuple[RequestKind, ...] = ("erasure", "objection")
    said = {kind: await texts.write(text_owner(f"req_{kind}"), SECRET) for kind in kinds}
    for kind in kinds:
        await enter(requests, f"req_{kind}", came(kind, description=said[kind]))
    files = Attachments(database, keyring, tmp_path / "attachments")
    assert (await sweep(database, files, utc_now() + timedelta(days=1))).texts == 0
    assert set((await texts.read_many(one.ref for one in said.values())).values()) == {SECRET}
    await act(requests, "req_erasure", CarryOut(erasure="era_1"), "c1")
    await act(requests, "req_objection", CarryOut(), "c2")
    assert await texts.read(said["erasure"].ref) is None
    assert await texts.read(said["objection"].ref) == SECRET
    async with database.writing() as connection:
        assert await requests.forget_texts_of(connection, SATO, utc_now()) == 1
    assert await texts.read(said["objection"].ref) is None
    async with database.reading() as connection:
        rows = [(await connection.execute(select(table))).all() for table in (person_requests, register_log)]
    assert "TK0000101" not in str(rows)


async def test_lists_are_filtered_and_paged(requests: PersonRequests) -> None:
    """The newest first; what is late at an instant; what is open; of a kind; of a person."""
    for number in range(7):
        person = SATO if number % 2 else ITO
        kind: RequestKind = "access" if number < 3 else "objection"
        await enter(requests, f"req_{number}", came(kind, person=person, ago=timedelta(hours=7 - number)))
    await act(requests, "req_6", Refuse(reason="repeated"), "c1")

    async def ids(filters: RequestFilters | None = None) -> list[str]:
        found: list[str] = []
        cursor = None
        while True:
            page = await requests.page(filters, limit=3, cursor=cursor)
            found += [one.id for one in page.items]
            if (cursor := page.next_cursor) is None:
                return found

    assert await ids() == [f"req_{number}" for number in reversed(range(7))]
    assert await ids(RequestFilters(kind="access")) == ["req_2", "req_1", "req_0"]
    assert await ids(RequestFilters(person=SATO)) == ["req_5", "req_3", "req_1"]
    assert await ids(RequestFilters(open=False)) == ["req_6"]
    assert await ids(RequestFilters(open=True, kind="objection")) == ["req_5", "req_4", "req_3"]
    assert await ids(RequestFilters(overdue_at=utc_now())) == []
    assert len(await ids(RequestFilters(overdue_at=datetime(2100, 1, 1, tzinfo=UTC)))) == 6
    assert [one.id for one in await requests.of_person(ITO)] == ["req_0", "req_2", "req_4", "req_6"]
    for cursor in ("", "x", "WyJhIiwiYiJd"):
        with pytest.raises(BadCursor):
            await requests.page(cursor=cursor)
