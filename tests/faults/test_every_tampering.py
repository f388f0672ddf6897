"""Row 9 by enumeration: every column, every leaf by every class of byte, every row; 100 % are found, with the place.

What a cell is expected to be found as stands here by hand, for each kind of cell.
"""

import asyncio
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Boolean, Integer, Table

from domain.canonical import canonical_json, digest_of
from storage.read_model import READ_TABLES, delegations
from tests.faults.alterations import classes, of_json
from tests.faults.installation import CLOSED, KEYS, OPEN, RUNS, Small, build
from tests.faults.page import Note
from tests.faults.tampering import (
    OTHER_KEY,
    Change,
    another_actor,
    archived_file,
    checkpoints,
    cut,
    cut_organisations,
    deleted,
    doubled,
    events_of,
    execute,
    flipped,
    grow_anew,
    rechained,
    rewritten,
    rows,
    signed_anew,
    swapped,
    updated,
    write_journal,
)
from tests.faults.test_tampering import ARCHIVE, ORGANISATIONS, Bad, bad, checkpoint_findings

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

SOUND = frozenset({"entry_unreadable"})
"""What every change of form comes to."""

FIELDS = {
    "type": {"content_changed"},
    "version": {"content_changed"},
    "at": {"content_changed"},
    "actor": {"content_changed"},
    "command_id": {"content_changed"},
    "data": {"content_changed"},
    "prev_hash": {"chain_broken"},
    "hash": {"content_changed"},
}
"""What a change of each field of a sealed event is found as, where it still can be read."""

IN_REGISTER = {"type": "change", "command_id": "entry"}
"""Columns of the register log that are named otherwise."""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The installation as nobody has touched it."""
    return asyncio.run(build(tmp_path_factory.mktemp("small")))


class Cells:
    """Tries cell after cell on a fresh copy each, and keeps those that were not found as they must be."""

    def __init__(self, built: Small, folder: Path) -> None:
        self._built = built
        self._folder = folder
        self.tried = 0
        self.wrong: list[Any] = []

    async def verified(self, change: Change, **more: Any) -> tuple[Bad, list[tuple[str, int | None, str | None]]]:
        """What is found once something is changed."""
        folder = self._folder / str(self.tried)
        self.tried += 1
        copy = self._built.copy(folder)
        change(copy)
        account = await copy.verified(**more)
        shutil.rmtree(folder)
        return bad(account), checkpoint_findings(account)

    async def expect(self, what: object, change: Change, allowed: dict[str, tuple[set[str], int | None]]) -> None:
        """Of exactly these streams the first bad entry is this one, found as one of these."""
        found, _ = await self.verified(change)
        holds = found.keys() == allowed.keys() and all(
            found[stream][0] in codes and found[stream][1] == seq for stream, (codes, seq) in allowed.items()
        )
        if not holds:
            self.wrong.append((what, found))


@pytest.fixture
def cells(built: Small, tmp_path: Path) -> Cells:
    """Cells of one test."""
    return Cells(built, tmp_path)


def told(note: Note, fault: str, cells: Cells) -> None:
    """Nothing was missed, and the page says how many were tried."""
    note(row="9", fault=fault, cells=cells.tried, found=cells.tried - len(cells.wrong))
    assert cells.wrong == []
    assert cells.tried


def one_of_each_type(small: Small, delegation: str) -> list[int]:
    """The number of the first event of each type."""
    return [*{one.type: one.seq for one in reversed(events_of(small, delegation))}.values()][::-1]


@pytest.mark.parametrize("delegation", [CLOSED, OPEN])
async def test_the_content_of_every_kind_of_event(delegation: str, built: Small, cells: Cells, note: Note) -> None:
    """Every leaf of its JSON by every class of byte, every key, and every other way to write the same."""
    for seq in one_of_each_type(built, delegation):
        for one in of_json(events_of(built, delegation)[seq - 1].data):
            change = updated("journal", "data", one.written, delegation_id=delegation, seq=seq)
            await cells.expect((seq, one.what), change, {delegation: (FIELDS["data"] | SOUND, seq)})
    told(note, f"the content of an event, by leaf and class of byte ({delegation})", cells)


@pytest.mark.parametrize(
    ("stream", "table", "key", "seqs"),
    [
        (CLOSED, "journal", {"delegation_id": CLOSED}, (1, 7, 30, 31, 36)),
        (OPEN, "journal", {"delegation_id": OPEN}, (1, 9, 10, 20)),
        (ORGANISATIONS, "register_log", {"register": "organisations"}, (1, 3, 4, 6)),
        (ARCHIVE, "register_log", {"register": "archive"}, (1, 2)),
    ],
)
async def test_every_field_of_a_sealed_entry(
    stream: str, table: str, key: dict[str, Any], seqs: tuple[int, ...], built: Small, cells: Cells, note: Note
) -> None:
    """By every class of byte in it; the first entry, the last, and those beside a checkpoint."""
    for seq in seqs:
        for field, codes in FIELDS.items():
            column = IN_REGISTER.get(field, field) if table == "register_log" else field
            where = " AND ".join(f"{name} = ?" for name in key)
            ((kept,),) = rows(built, f"SELECT {column} FROM {table} WHERE {where} AND seq = ?", *key.values(), seq)  # noqa: S608
            written = str(kept).encode()
            others = (
                [(one.what, one.written) for one in of_json(json.loads(kept))]
                if field == "data"
                else [(kind, written[:at] + other + written[at + 1 :]) for kind, at, other in classes(written)]
            )
            for kind, other in others:
                value: Any = int(other) if field == "version" else other
                change = updated(table, column, value, **key, seq=seq)
                await cells.expect((seq, field, kind), change, {stream: (codes | SOUND, seq)})
        change = updated(table, "seq", 1000 + seq, **key, seq=seq)
        await cells.expect((seq, "seq"), change, {stream: ({"entry_missing"}, seq)})
    told(note, f"every field of an entry of {stream}", cells)


async def test_rows_deleted_cut_swapped_doubled(built: Small, cells: Cells, note: Note) -> None:
    """Every event of both files deleted; every tail cut; every two neighbours swapped; every event doubled."""
    for delegation in (CLOSED, OPEN):
        last = len(events_of(built, delegation))
        for seq in range(1, last + 1):
            gone = {"journal_behind"} if seq == last else {"entry_missing"}
            await cells.expect(
                ("deleted", seq), deleted("journal", delegation_id=delegation, seq=seq), {delegation: (gone, seq)}
            )
            await cells.expect(
                ("cut", seq),
                cut("journal", "delegation_id", delegation, seq - 1),
                {delegation: ({"journal_behind"}, seq)},
            )
            if seq < last:
                await cells.expect(
                    ("swapped", seq), swapped(delegation, seq, seq + 1), {delegation: ({"chain_broken"}, seq)}
                )
            await cells.expect(("doubled", seq), doubled(delegation, seq), {delegation: ({"chain_broken"}, seq + 1)})
    for register, last, anchored in (("organisations", 6, 5), ("archive", 2, 2)):
        for seq in range(1, last + 1):
            stream = f"register:{register}"
            gone = {"leaf_missing"} if seq == last else {"entry_missing"}
            if seq <= anchored:
                change = cut("register_log", "register", register, seq - 1)
                await cells.expect((register, "cut", seq), change, _register_cut(stream, seq))
            if seq < last or seq <= anchored:
                change = deleted("register_log", register=register, seq=seq)
                expected = {stream: (gone, seq)} | (_files(seq) if register == "archive" and seq == last else {})
                await cells.expect((register, "deleted", seq), change, expected)
    told(note, "rows deleted, tails cut, neighbours swapped, entries doubled", cells)


def _files(seq: int) -> dict[str, tuple[set[str], int | None]]:
    """What a register of the archive that ends early says of the runs it had."""
    return {CLOSED: ({"archive_unrecorded"}, None)}


def _register_cut(stream: str, seq: int) -> dict[str, tuple[set[str], int | None]]:
    found: dict[str, tuple[set[str], int | None]] = {stream: ({"leaf_missing"}, seq)}
    return found | (_files(seq) if stream == ARCHIVE else {})


async def test_a_journal_chained_anew(built: Small, cells: Cells, note: Note) -> None:
    """From every event on, with all hashes made anew: alone, with checkpoints of another key, and with our own."""
    events = events_of(built, CLOSED)
    for seq in range(1, len(events) + 1):

        def rechain(small: Small, seq: int = seq) -> None:
            write_journal(small, CLOSED, rechained(events, seq))

        await cells.expect(("alone", seq), rechain, {CLOSED: ({"sealed_twice"}, seq)})

        def with_another_key(small: Small, rechain: Change = rechain) -> None:
            rechain(small)
            signed_anew(small, OTHER_KEY, roots=grow_anew(small))

        found, about = await cells.verified(with_another_key)
        if found.get(CLOSED) != ("sealed_twice", seq) or ("checkpoint_broken", 1, "key_unknown") not in about:
            cells.wrong.append(("another key", seq, found))
    told(note, "a journal chained anew, alone and with checkpoints of another key", cells)


async def test_everything_made_anew_with_our_own_key(built: Small, cells: Cells, note: Note) -> None:
    """Journal, archive, its register, read model and checkpoints agree: a checkpoint kept elsewhere shows it."""

    def everything(small: Small) -> None:
        cut("register_log", "register", "organisations", 5)(small)
        cut_organisations(small, 5)
        execute(small, ("UPDATE register_log SET actor = 'mai' WHERE register = 'organisations' AND seq = 5", ()))
        _reseal_last_of_register(small)
        signed_anew(small, KEYS.newest, roots=grow_anew(small))

    found, about = await cells.verified(everything)
    assert (found, about) == ({}, [])
    found, about = await cells.verified(everything, witness=True)
    # The first two checkpoints have nothing of it, so they are signed as they were.
    assert about == [("checkpoint_replaced", 3, None)]
    told(note, "everything made anew with our own key; a checkpoint kept elsewhere", cells)


def _reseal_last_of_register(small: Small) -> None:
    names = ("seq", "type", "version", "at", "actor", "command_id", "data", "prev_hash")
    columns = "seq, change, version, at, actor, entry, data, prev_hash"
    (row,) = rows(small, f"SELECT {columns} FROM register_log WHERE register = 'organisations' AND seq = 5")  # noqa: S608
    body = dict(zip(names, row, strict=True))
    made = digest_of(body | {"data": json.loads(body["data"])})
    execute(small, ("UPDATE register_log SET hash = ? WHERE register = 'organisations' AND seq = 5", (made,)))


DOCUMENT: dict[str, set[str | None]] = {
    "at": {"signature_invalid"},
    "key_id": {"key_id_wrong"},
    "number": {None},
    "origin": {"signature_invalid"},
    "prev": {"signature_invalid"},
    "public_key": {"key_id_wrong"},
    "root": {"signature_invalid"},
    "signature": {"signature_invalid"},
    "size": {None},
}
"""Why a checkpoint does not hold, by the field that was changed; None: it is no checkpoint of that row any more."""


async def test_every_field_of_a_checkpoint(built: Small, cells: Cells, note: Note) -> None:
    """Of each checkpoint, by every class of byte in it, and its last byte too; and its row."""
    for one in checkpoints(built):
        document = one.model_dump(mode="json", exclude_none=True)
        assert document.keys() == DOCUMENT.keys()
        for field, reasons in DOCUMENT.items():
            written = str(document[field]).encode()
            others = [written[:at] + other + written[at + 1 :] for _, at, other in classes(written)]
            others += [written[:-1] + bytes([written[-1] ^ 1])] if field in ("signature", "public_key") else []
            for other in others:
                value: Any = int(other) if isinstance(document[field], int) else other.decode()
                await _broken(cells, one.number, document | {field: value}, reasons)
            await _broken(cells, one.number, {key: kept for key, kept in document.items() if key != field}, {None})
        for extra in ({"endorsement": document["signature"]}, {"note": "x"}):
            await _broken(cells, one.number, document | extra, {"signature_invalid", None})
        found, about = await cells.verified(deleted("checkpoints", number=one.number))
        gone = ("checkpoint_missing", one.number, None)
        if one.number == 3:
            gone = ("span_broken", 3, None)
        if gone not in about and found.get(ORGANISATIONS, ("", 0))[0] != gone[0]:
            cells.wrong.append(("deleted", one.number, found, about))
        found, about = await cells.verified(updated("checkpoints", "size", 7, number=one.number))
        if about != [("checkpoint_unreadable", one.number, None)]:
            cells.wrong.append(("size", one.number, found, about))
        found, about = await cells.verified(updated("checkpoints", "document", "{}", number=one.number))
        if about != [("checkpoint_unreadable", one.number, None)]:
            cells.wrong.append(("document", one.number, found, about))
    told(note, "every field of every checkpoint; its row", cells)


async def _broken(cells: Cells, number: int, document: dict[str, Any], reasons: set[str | None]) -> None:
    change = updated("checkpoints", "document", canonical_json(document).decode(), number=number)
    found, about = await cells.verified(change)
    allowed = {
        ("checkpoint_unreadable", number, None) if reason is None else ("checkpoint_broken", number, reason)
        for reason in (*reasons, None)
    }
    if not (len(about) == 1 and about[0] in allowed and found.keys() == {"checkpoints"}):
        cells.wrong.append((number, document, found, about))


async def test_every_span_and_every_tile(built: Small, cells: Cells, note: Note) -> None:
    """Every column of every span, spans deleted; every hash of a tile, a tile cut, grown, deleted, added."""
    for stream, first, last, position, number in rows(
        built, "SELECT stream, first_seq, last_seq, position, checkpoint FROM checkpoint_spans"
    ):
        key = {"stream": stream, "first_seq": first}
        for column, value in (
            ("stream", "berlin-9"),
            ("first_seq", first + 100),
            ("last_seq", last + 1),
            ("last_seq", last - 1),
            ("head", "0" * 64),
            ("position", position + 1000),
            ("checkpoint", number % 3 + 1),
        ):
            found, _ = await cells.verified(updated("checkpoint_spans", column, value, **key))
            # Renamed, it may still fit between its neighbours: then it speaks of a stream that nobody has.
            codes = {"span_broken"} | ({"leaf_missing"} if column == "stream" else set())
            if not any(code in codes for code, _ in found.values()):
                cells.wrong.append((stream, first, column, found))
        found, _ = await cells.verified(deleted("checkpoint_spans", **key))
        if not any(code == "span_broken" for code, _ in found.values()):
            cells.wrong.append((stream, first, "deleted", found))
    differs = [("tile_differs", "level 0, tile 0")]
    (hashes,) = rows(built, "SELECT hashes FROM merkle_tiles")[0]
    for place in range(0, len(hashes), 32):
        other = hashes[:place] + bytes([hashes[place] ^ 1]) + hashes[place + 1 :]
        await _tile(cells, updated_blob("merkle_tiles", other), differs, place)
    for what, other in (("cut", hashes[:-32]), ("cut in a hash", hashes[:-1]), ("grown", hashes + bytes(32))):
        await _tile(cells, updated_blob("merkle_tiles", other), differs, what)
    await _tile(cells, deleted("merkle_tiles", level=0, tile=0), differs, "deleted")
    await _tile(
        cells,
        lambda small: execute(small, ("INSERT INTO merkle_tiles VALUES (1, 0, ?)", (bytes(32),))),
        [("tile_differs", "number of tiles")],
        "added",
    )
    told(note, "every span, every hash of the tree's tiles", cells)


def updated_blob(table: str, value: bytes) -> Change:
    """The only tile has other hashes."""
    return lambda small: execute(small, (f"UPDATE {table} SET hashes = ?", (value,)))  # noqa: S608


async def _tile(cells: Cells, change: Change, expected: list[tuple[str, str]], what: object) -> None:
    found, about = await cells.verified(change)
    if [(code, reason) for code, _, reason in about] != expected or found.keys() != {"checkpoints"}:
        cells.wrong.append((what, found, about))


async def test_archived_histories(built: Small, cells: Cells, note: Note) -> None:
    """A bit of every 50th octet; every event rewritten, digests that fit; files deleted, exchanged; every column."""
    size = archived_file(built).stat().st_size
    for place in range(0, size, 50):
        await cells.expect(("octet", place), flipped(place), {CLOSED: ({"archive_damaged"}, None)})
    for seq in range(1, len(events_of(built, CLOSED)) + 1):
        for name, change in EVENT_CHANGES.items():
            codes = RENAMED.get(name, {"content_changed"})
            await cells.expect((seq, name), rewritten(seq, change), {CLOSED: (codes, seq)})
    await cells.expect("deleted", lambda small: archived_file(small).unlink(), {CLOSED: ({"archive_missing"}, None)})
    await cells.expect("exchanged", _exchange, {CLOSED: ({"archive_damaged"}, None)})
    for run_id in RUNS[CLOSED]:
        key = {"run_id": run_id}
        for column, value in ARCHIVE_COLUMNS.items():
            found, _ = await cells.verified(updated("archived_runs", column, value, **key))
            if CLOSED not in found:
                cells.wrong.append((run_id, column, found))
        found, _ = await cells.verified(deleted("archived_runs", **key))
        if CLOSED not in found:
            cells.wrong.append((run_id, "deleted", found))
    told(note, "archived histories: octets, events with digests that fit, files, rows", cells)


def _another(name: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda event: event.update({name: value})


EVENT_CHANGES: dict[str, Callable[[dict[str, Any]], None]] = {
    "actor": another_actor,
    "at": _another("at", "2026-02-24T02:00:00.000001Z"),
    "command_id": _another("command_id", "another"),
    "data": lambda event: event["data"].update({"added": "x"}),
    "hash": _another("hash", "0" * 64),
    "prev_hash": _another("prev_hash", "0" * 64),
    "seq": _another("seq", 999),
    "type": _another("type", "RequestRevised"),
    "version": _another("version", 2),
}

RENAMED = {"prev_hash": {"chain_broken"}, "seq": {"entry_missing", "run_missing"}}
"""What other changes are found as; the last decision of a run counts only if the next run goes on after it."""

ARCHIVE_COLUMNS: dict[str, Any] = {
    "archived_at": "2026-01-01T00:00:00.000000Z",
    "closed_at": "not a time",
    "content_digest": "0" * 64,
    "delegation_id": "berlin-9",
    "digest": "0" * 64,
    "first_seq": 2,
    "following": "44444444-4444-4444-8444-444444444444",
    "head": "0" * 64,
    "last_seq": 99,
    "location": "../keys/master.key",
    "prev_head": "0" * 64,
    "run_id": "44444444-4444-4444-8444-444444444444",
    "size": 1,
}


def _exchange(small: Small) -> None:
    one, other = archived_file(small, 0), archived_file(small, 1)
    kept = one.read_bytes(), other.read_bytes()
    for path, content in ((one, kept[1]), (other, kept[0])):
        path.chmod(0o600)
        path.write_bytes(content)


async def test_the_read_model_alone(built: Small, cells: Cells, note: Note) -> None:
    """Every column of a row of every table, every row deleted, and a row put in."""
    for table in READ_TABLES:
        name = "id" if table is delegations else "delegation_id"
        for delegation in (CLOSED, OPEN):
            if not rows(built, f"SELECT 1 FROM {table.name} WHERE {name} = ?", delegation):  # noqa: S608
                continue
            for change, what, also in _edits(table, name, delegation):
                found, _ = await cells.verified(change)
                expected = {delegation: ("table_differs", None)} | dict.fromkeys(also, ("table_differs", None))
                if found != expected:
                    cells.wrong.append((table.name, what, found))
    told(note, "the read model alone: every column of every table, rows deleted and put in", cells)


def _edits(table: Table, name: str, delegation: str) -> Iterator[tuple[Change, str, tuple[str, ...]]]:
    for column in table.columns:
        if column.name == name:
            yield updated(table.name, name, "berlin-9", **{name: delegation}), column.name, ("berlin-9",)
            continue
        value: Any = 4711 if isinstance(column.type, Integer) else 7 if isinstance(column.type, Boolean) else "2026-x"
        # One row at a time: the key of several would be the same.
        first = f"rowid = (SELECT min(rowid) FROM {table.name} WHERE {name} = '{delegation}')"  # noqa: S608
        statement = f"UPDATE {table.name} SET {column.name} = ? WHERE {first}"  # noqa: S608
        yield _run(statement, (value,)), column.name, ()
    yield deleted(table.name, **{name: delegation}), "deleted", ()


def _run(statement: str, values: tuple[Any, ...]) -> Change:
    return lambda small: execute(small, (statement, values))
