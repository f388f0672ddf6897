"""Row 9: whatever is changed in what is sealed is found, with the place.

The expected places stand here by hand: which stream, which entry, which code. Cells are enumerated by code: every
column of every table, every leaf of every kind of event by every class of byte in it.
"""

import asyncio
import json
from pathlib import Path

import pytest
from sqlalchemy import delete, update

from activities.checkpoints import Sealing
from audit.checkpoint import document_of, following
from audit.verdicts import Account
from storage.engine import Database
from storage.journal import journal
from storage.migrate import migrate
from storage.projection import Projection
from storage.read_model import desk_rows
from storage.register_log import register_log
from tests.faults.installation import CLOSED, KEYS, OPEN, OPEN_RUN, Small, administer, build, open_file, verified_in
from tests.faults.page import Note
from tests.faults.tampering import (
    OTHER_KEY,
    Change,
    another_actor,
    checkpoints,
    cut,
    cut_everywhere,
    deleted,
    events_of,
    execute,
    flipped,
    handed_on,
    rechained,
    rewritten,
    signed_anew,
    swapped,
    updated,
    write_journal,
)
from tests.postgresql import fresh_database

ORGANISATIONS, ARCHIVE = "register:organisations", "register:archive"

Bad = dict[str, tuple[str, int | None]]
"""The first bad entry of each stream that does not hold: its code and number."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The installation as nobody has touched it."""
    return asyncio.run(build(tmp_path_factory.mktemp("small")))


@pytest.fixture
def small(built: Small, tmp_path: Path) -> Small:
    """A copy of it."""
    return built.copy(tmp_path / "copy")


def bad(account: Account) -> Bad:
    """What does not hold, by stream."""
    return {one.stream: (one.first.code, one.first.seq) for one in account.verdicts if one.first is not None}


def checkpoint_findings(account: Account) -> list[tuple[str, int | None, str | None]]:
    """Code, number and reason of each finding about the checkpoints themselves, by code."""
    found = [(one.code, one.number, one.reason) for one in account.verdicts[-1].findings]
    return sorted(found, key=str)


async def test_what_nobody_touched_holds(built: Small) -> None:
    """Every stream and every checkpoint, against the witness's copies too; entries since then are counted."""
    account = await built.verified(witness=True)
    assert bad(account) == {}
    assert [
        (one.stream, one.entries, one.runs, one.archived, one.checkpoint, one.since) for one in account.verdicts
    ] == [
        (CLOSED, 38, 2, 2, 2, 0),
        (OPEN, 20, 1, 0, 3, 0),
        (ARCHIVE, 2, 0, 0, 2, 0),
        (ORGANISATIONS, 6, 0, 0, 3, 1),
        ("checkpoints", 3, 0, 0, 3, 0),
    ]


FIXED: dict[str, tuple[Change, Bad]] = {
    "a time in the journal": (
        updated("journal", "at", "2026-02-24T02:00:00.000001Z", delegation_id=CLOSED, seq=7),
        {CLOSED: ("content_changed", 7)},
    ),
    "an event deleted": (deleted("journal", delegation_id=CLOSED, seq=9), {CLOSED: ("entry_missing", 9)}),
    "the tail cut": (cut("journal", "delegation_id", OPEN, 15), {OPEN: ("journal_behind", 16)}),
    "two events swapped": (swapped(CLOSED, 10, 11), {CLOSED: ("chain_broken", 10)}),
    "chained anew": (
        lambda small: write_journal(small, CLOSED, rechained(events_of(small, CLOSED), 20)),
        {CLOSED: ("sealed_twice", 20)},
    ),
    "an entry of a register": (
        updated("register_log", "actor", "mai", register="organisations", seq=6),
        {ORGANISATIONS: ("content_changed", 6)},
    ),
    "the tail of a register cut": (
        cut("register_log", "register", "organisations", 3),
        {ORGANISATIONS: ("leaf_missing", 4)},
    ),
    "an archived history": (flipped(100), {CLOSED: ("archive_damaged", None)}),
    "an archived event, and its digest": (rewritten(20, another_actor), {CLOSED: ("content_changed", 20)}),
    "the state that a run was handed": (
        handed_on(lambda carried: carried["state"].update(title="Another visit")),
        {CLOSED: ("state_differs", 30)},
    ),
    "where a run goes on": (
        handed_on(lambda carried: carried["head"].update(hash="0" * 64)),
        {CLOSED: ("chain_broken", 31)},
    ),
    "the read model alone": (updated("desks", "missed", 1, delegation_id=OPEN), {OPEN: ("table_differs", None)}),
    "the signature of a checkpoint": (
        lambda small: signed_anew(small, OTHER_KEY),
        {"checkpoints": ("checkpoint_broken", None)},
    ),
}


@pytest.mark.parametrize("name", list(FIXED))
async def test_a_change_is_found_with_its_place(name: str, small: Small) -> None:
    """The stream, its first bad entry and what is wrong with it; nothing else is suspected."""
    change, expected = FIXED[name]
    change(small)
    account = await small.verified()
    assert bad(account) == expected
    assert not account.holds


async def test_what_was_cut_everywhere_is_shown_by_a_checkpoint_kept_elsewhere(small: Small, note: Note) -> None:
    """The newest checkpoint and all that came after the one before are gone from every place here."""
    await cut_everywhere(small)
    assert bad(await small.verified()) == {}
    account = await small.verified(witness=True)
    assert checkpoint_findings(account) == [("checkpoint_lost", 3, None)]
    copy = small.witness / "checkpoint-000003.json"
    assert checkpoint_findings(await small.verified(copies=[copy])) == [("checkpoint_lost", 3, None)]
    note(row="9", fault="everything as in an older backup, in every place; a checkpoint kept elsewhere")


JUNK: dict[str, tuple[str, Bad]] = {
    "a stream that is no text": (
        (
            "INSERT INTO journal SELECT CAST(delegation_id AS BLOB), seq, type, version, at, actor, command_id, data, "
            "prev_hash, hash FROM journal WHERE delegation_id = 'tokyo-2' AND seq = 1"
        ),
        {"b'tokyo-2'": ("entry_unreadable", None)},
    ),
    "a number that is none": (
        (
            "INSERT INTO journal SELECT delegation_id, 'first', type, version, at, actor, command_id, data, prev_hash, "
            "hash FROM journal WHERE delegation_id = 'tokyo-2' AND seq = 1"
        ),
        {OPEN: ("entry_unreadable", 21)},
    ),
    "a number below the first": (
        (
            "INSERT INTO journal SELECT delegation_id, -1, type, version, at, actor, command_id, data, prev_hash, "
            "hash FROM journal WHERE delegation_id = 'tokyo-2' AND seq = 1"
        ),
        {OPEN: ("entry_missing", 1)},
    ),
    "a hash that is no text": (
        "UPDATE journal SET hash = CAST(hash AS BLOB) WHERE delegation_id = 'tokyo-2' AND seq = 20",
        {OPEN: ("entry_unreadable", 20)},
    ),
    "a span that is no number": (
        "UPDATE checkpoint_spans SET last_seq = 'x' WHERE stream = 'tokyo-2' AND first_seq = 10",
        {OPEN: ("span_broken", -1)},
    ),
    "a row in the read model of a file that nobody has": (
        "INSERT INTO trips VALUES (CAST('berlin-9' AS BLOB), 'per_somebody', 2026)",
        {"b'berlin-9'": ("table_differs", None)},
    ),
}


@pytest.mark.parametrize("name", list(JUNK))
async def test_what_could_stop_whoever_reads_it_is_found(name: str, small: Small) -> None:
    """SQLite takes any kind of value into any column: it is named, and the rest is verified all the same."""
    statement, expected = JUNK[name]
    execute(small, (statement, ()))
    assert bad(await small.verified()) == expected


async def test_one_file_is_proven_by_itself(built: Small, small: Small) -> None:
    """By paths through the kept tiles to the newest root: its own entries alone, whatever befell others."""
    for stream, checkpoint in ((CLOSED, 2), (OPEN, 3), (ORGANISATIONS, 3)):
        account = await built.verified(stream)
        assert bad(account) == {}
        assert [(one.stream, one.checkpoint) for one in account.verdicts] == [(stream, checkpoint), ("checkpoints", 3)]
    cut("register_log", "register", "organisations", 3)(small)
    assert bad(await small.verified(OPEN)) == {}
    assert bad(await small.verified(ORGANISATIONS)) == {ORGANISATIONS: ("leaf_missing", 4)}
    write_journal(small, CLOSED, rechained(events_of(small, CLOSED), 20))
    account = await small.verified(CLOSED)
    assert [(one.code, one.seq) for one in account.verdicts[0].findings] == [("sealed_twice", 20), ("leaf_differs", 20)]
    updated_tile = ("UPDATE merkle_tiles SET hashes = zeroblob(32) || substr(hashes, 33)", ())
    execute(small, updated_tile)
    assert bad(await small.verified(OPEN)) == {"checkpoints": ("tile_differs", None)}


async def test_a_checkpoint_of_our_own_key_over_another_tree_is_no_better(small: Small) -> None:
    """Signed, chained and trusted, and yet not the root of what stands there: the first such one is named, once."""
    signed_anew(small, KEYS.newest, roots=["1" * 64, "2" * 64, "3" * 64])
    assert checkpoint_findings(await small.verified()) == [("root_differs", 1, None)]


async def test_a_copy_that_is_none_is_told_apart_from_one_that_contradicts(small: Small, tmp_path: Path) -> None:
    """A file that is no checkpoint, one of another key, and one of ours with the same number and other content."""
    no_checkpoint, foreign, other = (tmp_path / name for name in ("a.json", "b.json", "c.json"))
    no_checkpoint.write_text("{}")
    copy = checkpoints(small)[0]
    for path, key in ((foreign, OTHER_KEY), (other, KEYS.newest)):
        made = following(None, size=copy.size, root=bytes(32), at=copy.at, key=key)
        path.write_text(json.dumps(document_of(made)))
    assert checkpoint_findings(await small.verified(copies=[no_checkpoint, foreign, other])) == [
        ("checkpoint_replaced", 1, None),
        ("witness_unreadable", None, "a.json"),
        ("witness_untrusted", 1, "key_unknown"),
    ]


@pytest.mark.parametrize(("says", "code"), [("hangs", "replay_hangs"), ("NondeterminismError", "replay_failed")])
async def test_an_open_run_that_does_not_replay_is_named(says: str, code: str, small: Small) -> None:
    """Its file goes on with this release no further; the closed one is not asked."""
    small.replay_says = says
    account = await small.verified()
    assert bad(account) == {OPEN: (code, None)}
    (finding,) = account.verdicts[1].findings
    assert (finding.run, finding.reason) == (OPEN_RUN, says)


@pytest.mark.slow
async def test_it_is_the_same_on_postgresql(built: Small, tmp_path: Path) -> None:
    """Whole, then with one event changed, a tail cut under a checkpoint and a read table edited."""
    play = open_file()
    with fresh_database() as url:
        await migrate(url)
        database = Database(url)
        try:
            await Projection(database).project(OPEN, play.events)
            await administer(database, 1, 1)
            await Sealing(database, lambda: KEYS).make()
            assert bad(await verified_in(database, built.server, tmp_path)) == {}
            async with database.writing() as connection:
                await connection.execute(update(journal).where(journal.c.seq == 7).values(actor="mai"))
                await connection.execute(delete(register_log))
            expected: Bad = {OPEN: ("content_changed", 7), ORGANISATIONS: ("leaf_missing", 1)}
            assert bad(await verified_in(database, built.server, tmp_path)) == expected
            await Projection(database).replace(OPEN, play.events)
            async with database.writing() as connection:
                await connection.execute(update(desk_rows).values(missed=True))
            expected = {OPEN: ("table_differs", None), ORGANISATIONS: ("leaf_missing", 1)}
            assert bad(await verified_in(database, built.server, tmp_path)) == expected
        finally:
            await database.close()
