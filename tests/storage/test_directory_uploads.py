"""Tables that wait: their sender's alone, moved on only from what was seen, and gone in time."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from domain.erasure import Traces
from storage.directory_uploads import LIFETIME, MOST_UPLOADS, TooManyUploads, Uploads, sweep_uploads, uploads
from storage.engine import Database
from storage.keyring import Keyring
from storage.metadata import utc_now
from storage.redaction import SCRUBBED, Redaction

ONE, TWO = f"imp_{'1' * 32}", f"imp_{'2' * 32}"
CONTENT = "kind,name\npartner,Satō Haruka\n".encode()


@pytest.fixture
def register(database: Database, keyring: Keyring) -> Uploads:
    """The tables of a new store."""
    return Uploads(database, keyring)


async def test_a_table_is_its_sender_s_and_kept_once(register: Uploads, database: Database) -> None:
    """Whoever else asks has none of this id; what came first stays; nothing of it is readable in the table."""
    await register.send("lan", ONE, "Đối tác.csv", CONTENT)
    await register.send("lan", ONE, "other.csv", b"other")
    found = await register.get("lan", ONE)
    assert found is not None
    assert (found.state, found.name, found.size, found.said, found.digest) == ("sent", "Đối tác.csv", 31, {}, None)
    assert await register.content("lan", ONE) == CONTENT
    assert (await register.get("mai", ONE), await register.content("mai", ONE), await register.of("mai")) == (
        None,
        None,
        [],
    )
    assert not await register.move("mai", ONE, "sent", "read")
    assert not await register.discard("mai", ONE)
    async with database.reading() as connection:
        row = (await connection.execute(select(uploads))).one()
    assert all("Satō".encode() not in part and b"csv" not in part for part in (row.name, row.content, row.said))


async def test_a_table_goes_from_state_to_state_and_its_content_with_its_end(register: Uploads) -> None:
    """Each step from the one before it; accepted only by the digest that was seen; while it is entered it stays."""
    await register.send("lan", ONE, "a.csv", CONTENT)
    assert not await register.move("lan", ONE, "accepted", "entered")
    assert await register.move("lan", ONE, "sent", "read", said={"rows": []}, digest="d1")
    assert not await register.move("lan", ONE, "sent", "read", digest="d2")
    assert not await register.move("lan", ONE, "read", "accepted", digest="d2")
    assert not await register.move("lan", ONE, "read", "accepted")
    assert await register.move("lan", ONE, "read", "accepted", digest="d1")
    assert not await register.discard("lan", ONE)
    assert await register.content("lan", ONE) == CONTENT
    assert await register.move("lan", ONE, "accepted", "entered", said={})
    found = await register.get("lan", ONE)
    assert found is not None
    assert (found.state, found.digest, found.said) == ("entered", "d1", {})
    assert await register.content("lan", ONE) is None
    assert await register.discard("lan", ONE)
    assert await register.of("lan") == []


async def test_so_many_wait_and_those_that_ended_do_not_count(register: Uploads) -> None:
    """What comes again under its id is not one more."""
    for number in range(MOST_UPLOADS):
        await register.send("lan", f"imp_{number:032}", f"{number}", CONTENT)
    with pytest.raises(TooManyUploads):
        await register.send("lan", ONE, "one more", CONTENT)
    await register.send("lan", f"imp_{0:032}", "again", CONTENT)
    await register.send("mai", TWO, "hers", CONTENT)
    assert await register.move("lan", f"imp_{0:032}", "sent", "refused", said={"code": "x"})
    await register.send("lan", ONE, "one more", CONTENT)
    assert len(await register.of("lan")) == MOST_UPLOADS + 1


async def test_what_waits_too_long_is_swept_and_what_changed_lately_stays(
    register: Uploads, database: Database
) -> None:
    """Thirty days after the last change, nobody sees it any more, and the night removes it."""
    begun = utc_now()
    register.clock = lambda: begun
    await register.send("lan", ONE, "old", CONTENT)
    await register.send("lan", TWO, "read later", CONTENT)
    register.clock = lambda: begun + timedelta(days=20)
    await register.move("lan", TWO, "sent", "read", said={}, digest="d")
    register.clock = lambda: begun + LIFETIME + timedelta(seconds=1)
    assert [one.name for one in await register.of("lan")] == ["read later"]
    async with database.writing() as connection:
        assert await sweep_uploads(connection, register.clock() - LIFETIME) == 1
        assert await sweep_uploads(connection, register.clock() - LIFETIME) == 0


async def test_tables_go_with_whoever_sent_them(register: Uploads, database: Database, keyring: Keyring) -> None:
    """An erasure takes them, and nobody else's."""
    await register.send("lan", ONE, "hers", CONTENT)
    await register.send("mai", TWO, "another's", CONTENT)
    await Redaction(database, keyring).accounts(Traces(accounts=("lan",)))
    assert await register.of("lan") == []
    assert [one.name for one in await register.of("mai")] == ["another's"]
    assert uploads in SCRUBBED
