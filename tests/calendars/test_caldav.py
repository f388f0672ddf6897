"""The CalDAV client against a real server, and against one that misbehaves in front of it."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from calendars.caldav import CalDav, CalDavFailed, Changed, Credentials, Session, UidTaken
from calendars.discovery import FoundCollection, discover
from calendars.guard import Reach
from calendars.keeping import Kept, drop, keep
from calendars.resources import resource, resource_name
from calendars.views import ItemView
from tests.calendars.cases import FLIGHT, SESSION, STAY
from tests.calendars.misbehaving import (
    LAUGHS,
    Misbehaving,
    Trick,
    answering,
    breaking_off,
    cutting,
    dropping_etag,
    hanging,
    losing,
    trickling,
    weakening,
)
from tests.calendars.radicale_server import CREDENTIALS, Radicale

STAMP = datetime(2026, 3, 25, 9, 0, tzinfo=UTC)
HERE = CalDav(Reach(loopback=True), patience=timedelta(seconds=10))
IMPATIENT = CalDav(Reach(loopback=True), patience=timedelta(seconds=0.4))
NAME = resource_name(SESSION.uid)
BODY = resource(SESSION, STAMP)


def moved(view: ItemView = SESSION, summary: str = "Moved") -> bytes:
    """The item with another title."""
    return resource(view.model_copy(update={"summary": summary, "sequence": 9}), STAMP)


@pytest.fixture
async def session(server: Radicale) -> AsyncIterator[Session]:
    """A session with an empty collection."""
    async with HERE.session(server.make("visit"), CREDENTIALS) as session:
        yield session


@pytest.fixture
async def through(server: Radicale, fake: Misbehaving) -> AsyncIterator[Session]:
    """A session with the same collection through the server that misbehaves."""
    path = server.make("visit").removeprefix(server.url)
    async with HERE.session(f"{fake.url}{path}", CREDENTIALS) as session:
        yield session


async def put(session: Session, body: bytes = BODY, *, etag: str | None = None, held: bool = False) -> Kept:
    """Keep the one item."""
    return await keep(session, SESSION.uid, NAME, body, etag=etag, held=held)


# A real server


async def test_an_item_is_created_replaced_and_deleted(session: Session, server: Radicale) -> None:
    """Under the condition of being new, and then of being what was left there."""
    first = await put(session)
    assert server.holds("visit") == [(SESSION.uid, "2026-04-11T07:30:00+00:00", SESSION.summary)]
    second = await put(session, moved(), etag=first.etag, held=True)
    assert server.holds("visit") == [(SESSION.uid, "2026-04-11T07:30:00+00:00", "Moved")]
    assert (first.found, second.found, first.etag != second.etag) == (None, None, True)
    assert await drop(session, NAME, etag=second.etag) is None
    assert await drop(session, NAME, etag=second.etag) is None
    assert server.holds("visit") == []


async def test_preconditions_are_the_server_s_to_judge(session: Session) -> None:
    """New where there is something, and changed where it is another one, are both refused."""
    await put(session)
    with pytest.raises(Changed):
        await session.put(NAME, BODY, etag=None)
    with pytest.raises(Changed):
        await session.put(NAME, BODY, etag='"of yesterday"')
    with pytest.raises(Changed):
        await session.delete(NAME, etag='"of yesterday"')
    with pytest.raises(UidTaken):
        await session.put("another.ics", BODY, etag=None)


async def test_what_somebody_else_changed_is_replaced_and_told(session: Session, server: Radicale) -> None:
    """Also what they deleted."""
    kept = await put(session)
    server.ask("PUT", f"/haruka/visit/{NAME}", moved(summary="By hand").decode())
    kept = await put(session, BODY, etag=kept.etag, held=True)
    assert kept.found == "edited"
    server.ask("DELETE", f"/haruka/visit/{NAME}")
    kept = await put(session, BODY, etag=kept.etag, held=True)
    assert kept.found == "missing"
    server.ask("PUT", f"/haruka/visit/{NAME}", moved(summary="By hand").decode())
    assert await drop(session, NAME, etag=kept.etag) == "edited"
    assert server.holds("visit") == []


async def test_an_item_that_stands_elsewhere_in_the_collection_is_taken_over(
    session: Session, server: Radicale
) -> None:
    """Somebody imported our invitation from a mail: it is there once, under the address it has."""
    server.ask("PUT", "/haruka/visit/imported.ics", moved(summary="From a mail").decode())
    kept = await put(session)
    assert kept.name == "imported.ics"
    assert server.holds("visit") == [(SESSION.uid, "2026-04-11T07:30:00+00:00", SESSION.summary)]
    assert (await session.etags()) == {"imported.ics": kept.etag}


async def test_several_are_read_at_once_and_found_by_a_part_of_their_uid(session: Session) -> None:
    """Items of others in the same collection are not even read."""
    own = STAY.model_copy(update={"uid": "dentist@home.example"})
    for view in (SESSION, FLIGHT, own):
        await keep(session, view.uid, resource_name(view.uid), resource(view, STAMP), etag=None, held=False)
    names = {resource_name(view.uid) for view in (SESSION, FLIGHT)}
    assert set(await session.get_many([*names, "nothing.ics"])) == names
    assert {one.name for one in await session.having_uid("@songlam.example")} == names
    assert len(await session.etags()) == 3


# Discovery


async def test_a_collection_is_found_from_its_server_its_principal_and_its_own_address(server: Radicale) -> None:
    """Those that take tasks alone are none."""
    tasks, own = server.make("tasks", takes="VTODO"), server.make("visit")
    found = (FoundCollection(own, "Lịch visit"),)
    for address in (server.url, f"{server.url}/", f"{server.url}/haruka/", own):
        assert await discover(HERE, address, CREDENTIALS) == found
    with pytest.raises(CalDavFailed, match="no_calendar"):
        await discover(HERE, tasks.replace("haruka", "office"), Credentials("office", CREDENTIALS.password))
    other = server.make("other")
    assert [one.url for one in await discover(HERE, server.url, CREDENTIALS)] == [other, own]


async def test_wrong_credentials_are_refused_and_named_nowhere(server: Radicale) -> None:
    """Neither the error nor what led to it has the password or the address."""
    with pytest.raises(CalDavFailed) as refused:
        await discover(HERE, server.make("visit"), Credentials("haruka", "hunter2"))
    assert refused.value.code == "credentials_refused"
    shown = f"{refused.value!r} {refused.value.__cause__!r} {Credentials('haruka', 'hunter2')!r}"
    assert "hunter2" not in shown
    assert "haruka" not in shown


async def test_a_redirect_to_another_server_is_told_and_not_followed(server: Radicale, fake: Misbehaving) -> None:
    """Credentials given for one server do not reach another because the first says so."""
    server.make("visit")
    elsewhere = f"{server.url}/haruka/"
    fake.always = answering("301 Moved Permanently", Location=elsewhere)
    with pytest.raises(CalDavFailed) as refused:
        await discover(HERE, fake.url, CREDENTIALS)
    assert (refused.value.code, refused.value.elsewhere) == ("redirected_elsewhere", server.url)


# A server that misbehaves

BROKEN: list[tuple[str, Trick, str]] = [
    ("500", answering("500 Internal Server Error"), "server_failed"),
    ("503", answering("503 Service Unavailable", Retry_After="120"), "server_failed"),
    ("429", answering("429 Too Many Requests", Retry_After="120"), "server_busy"),
    ("507", answering("507 Insufficient Storage"), "server_full"),
    ("401", answering("401 Unauthorized", WWW_Authenticate="Basic"), "credentials_refused"),
    ("403", answering("403 Forbidden"), "access_refused"),
    ("404", answering("404 Not Found"), "collection_missing"),
    ("200", answering("200 OK", b"<html>Welcome to the hotel's network</html>"), "answer_malformed"),
    ("307 elsewhere", answering("307 Temporary Redirect", Location="https://169.254.169.254/"), "redirected_elsewhere"),
    ("307 in a circle", answering("307 Temporary Redirect", Location=""), "redirected_too_often"),
    ("hanging", hanging, "too_slow"),
    ("trickling", trickling, "too_slow"),
    ("endless", answering("207 Multi-Status", b" " * (8 * 1024 * 1024 + 1)), "answer_too_large"),
    ("cut XML", cutting, "answer_malformed"),
    ("broken off", breaking_off, "no_connection"),
    ("billion laughs", answering("207 Multi-Status", LAUGHS), "answer_malformed"),
    ("packed", answering("207 Multi-Status", b"\x1f\x8b", Content_Encoding="gzip"), "answer_malformed"),
    ("no HTTP", answering("207 Multi-Status", b"", X="\0"), "no_connection"),
]


@pytest.mark.parametrize(("trick", "code"), [case[1:] for case in BROKEN], ids=[case[0] for case in BROKEN])
async def test_each_way_of_failing_has_its_code(server: Radicale, fake: Misbehaving, trick: Trick, code: str) -> None:
    """Within the patience, and nothing but the code is told."""
    path = server.make("visit").removeprefix(server.url)
    fake.always = trick
    patience = IMPATIENT if code == "too_slow" else HERE
    async with patience.session(f"{fake.url}{path}", CREDENTIALS) as session:
        with pytest.raises(CalDavFailed) as failed:
            await session.etags()
    assert (failed.value.code, str(failed.value)) == (code, code)


async def test_a_server_may_ask_to_be_left_alone(through: Session, fake: Misbehaving) -> None:
    """In seconds or as a date, up to six hours; what cannot be read asks for nothing."""
    said: list[tuple[str, timedelta | None]] = [
        ("120", timedelta(seconds=120)),
        ("99999999999", timedelta(hours=6)),
        ("Wed, 21 Oct 2015 07:28:00 GMT", timedelta(0)),
        ("soon", None),
        ("-5", None),
    ]
    for value, pause in said:
        fake.play("PROPFIND", answering("503 Service Unavailable", Retry_After=value))
        with pytest.raises(CalDavFailed) as failed:
            await through.etags()
        assert failed.value.again == pause


async def test_a_write_whose_answer_was_lost_is_found_to_have_arrived(
    through: Session, server: Radicale, fake: Misbehaving
) -> None:
    """The second attempt meets what the first one left, and takes it as it is: it is not written again."""
    fake.play("PUT", losing)
    with pytest.raises(CalDavFailed, match="no_connection"):
        await put(through)
    kept = await put(through)
    assert kept.found is None
    assert fake.methods() == ["PUT", "PUT", "GET"]
    assert (await put(through, moved(), etag=kept.etag, held=True)).found is None
    assert server.holds("visit") == [(SESSION.uid, "2026-04-11T07:30:00+00:00", "Moved")]


async def test_a_server_without_etags_is_asked_for_one(through: Session, fake: Misbehaving) -> None:
    """A server that wrote an item down in its own way gives none with its answer (RFC 4791 section 5.3.4)."""
    fake.play("PUT", dropping_etag)
    kept = await put(through)
    assert kept.etag is not None
    assert fake.methods() == ["PUT", "PROPFIND"]
    await put(through, moved(), etag=kept.etag, held=True)


async def test_weak_etags_are_never_compared_by(through: Session, server: Radicale, fake: Misbehaving) -> None:
    """If-Match fails on them always (RFC 9110 section 13.1.1): the item is read, compared and written."""
    fake.always = weakening
    kept = await put(through)
    assert kept.etag is not None
    assert kept.etag.startswith("W/")
    await put(through, moved(), etag=kept.etag, held=True)
    assert server.holds("visit") == [(SESSION.uid, "2026-04-11T07:30:00+00:00", "Moved")]
    fake.seen.clear()
    await put(through, moved(), etag=kept.etag, held=True)
    assert fake.methods() == ["GET"]
    await drop(through, NAME, etag=kept.etag)
    assert server.holds("visit") == []


async def test_somebody_who_always_comes_between_is_given_up_on(through: Session, fake: Misbehaving) -> None:
    """Five rounds, then it is tried again another time."""
    fake.always = answering("412 Precondition Failed")
    with pytest.raises(CalDavFailed, match="request_refused"):
        await put(through)

    async def contrary(asked, forward, writer) -> None:  # type: ignore[no-untyped-def]
        answer = answering("412 Precondition Failed") if asked.method == "PUT" else answering("404 Not Found")
        await answer(asked, forward, writer)

    fake.always = contrary
    fake.seen.clear()
    with pytest.raises(CalDavFailed, match="others_keep_changing"):
        await put(through)
    assert fake.methods() == ["PUT", "GET"] * 5


REFUSED: list[tuple[str, bytes, str]] = [
    ("409 Conflict", b"", "collection_missing"),
    ("403 Forbidden", b"", "access_refused"),
    ("403 Forbidden", b'<D:error xmlns:D="DAV:"><D:need-privileges/></D:error>', "access_refused"),
    (
        "403 Forbidden",
        b'<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:valid-calendar-data/></D:error>',
        "resource_refused",
    ),
    ("415 Unsupported Media Type", b"", "request_refused"),
]


@pytest.mark.parametrize(("status", "body", "code"), REFUSED)
async def test_a_refused_write_says_whose_turn_it_is(
    through: Session, fake: Misbehaving, status: str, body: bytes, code: str
) -> None:
    """Rights are the owner's to give; a resource that a server does not take is ours to look at."""
    fake.play("PUT", answering(status, body))
    with pytest.raises(CalDavFailed) as failed:
        await put(through)
    assert failed.value.code == code


async def test_a_conflict_of_uids_may_come_without_an_address(
    through: Session, server: Radicale, fake: Misbehaving
) -> None:
    """The collection is asked who has it."""
    server.ask("PUT", "/haruka/visit/imported.ics", moved().decode())
    conflict = b'<D:error xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:no-uid-conflict/></D:error>'
    fake.play("PUT", answering("409 Conflict", conflict))
    assert (await put(through)).name == "imported.ics"


async def test_no_word_of_it_stands_in_a_log(
    through: Session, fake: Misbehaving, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither addresses nor credentials, at the level that installations run with."""
    caplog.set_level("INFO")
    fake.play("PROPFIND", answering("500 Internal Server Error"))
    with pytest.raises(CalDavFailed):
        await through.etags()
    await put(through)
    assert [record for record in caplog.records if record.name.startswith(("httpx", "httpcore"))] == []
