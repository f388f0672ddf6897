"""Ways to change an installation behind its back; each takes the installation, or makes what does."""

import base64
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import WorkflowHistory

from audit.checkpoint import Checkpoint, document_of, following
from audit.closed_run import packed, unpacked
from audit.tiles import GrowingTree, leaf_hashes
from domain.canonical import canonical_json
from domain.seal import SealedEvent, genesis, head_of, seal
from storage.projection import Projection
from tests.audit.histories import changed, with_sealed
from tests.faults.installation import CLOSED, OPEN, OPEN_RUN, RUNS, Small, beginning, decisions_of, history_of

OTHER_KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))

Change = Callable[[Small], None]


def execute(small: Small, *statements: tuple[str, Sequence[Any]]) -> None:
    """Change the store behind everybody's back; octets are written as text."""
    with closing(sqlite3.connect(small.database_file, isolation_level=None)) as connection:
        for sql, values in statements:
            connection.execute(sql, values)


def rows(small: Small, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """Look into the store."""
    with closing(sqlite3.connect(small.database_file)) as connection:
        return connection.execute(sql, values).fetchall()


def events_of(small: Small, delegation: str) -> list[SealedEvent]:
    """The journal of a delegation."""
    names = ("delegation_id", "seq", "type", "version", "at", "actor", "command_id", "data", "prev_hash", "hash")
    found = rows(small, "SELECT * FROM journal WHERE delegation_id = ? ORDER BY seq", delegation)
    return [
        SealedEvent.model_validate(dict(zip(names, one, strict=True)) | {"data": json.loads(one[7])}) for one in found
    ]


def rechained(events: Sequence[SealedEvent], seq: int, actor: str = "mai") -> list[SealedEvent]:
    """The trail with another actor at one event, and every hash from there on made anew."""
    head, found = genesis(CLOSED), []
    for event in events:
        if event.seq >= seq:
            event = seal(
                head,
                type=event.type,
                version=event.version,
                at=event.instant,
                actor=actor if event.seq == seq else event.actor,
                command_id=event.command_id,
                data=event.data,
            )
        found.append(event)
        head = head_of(event)
    return found


def write_journal(small: Small, delegation: str, events: Sequence[SealedEvent]) -> None:
    """Put events in the place of a delegation's journal."""
    put = "INSERT INTO journal VALUES (?,?,?,?,?,?,?,?,?,?)"
    execute(
        small,
        ("DELETE FROM journal WHERE delegation_id = ?", (delegation,)),
        *(
            (
                put,
                (
                    delegation,
                    one.seq,
                    one.type,
                    one.version,
                    one.at,
                    one.actor,
                    one.command_id,
                    canonical_json(one.data).decode(),
                    one.prev_hash,
                    one.hash,
                ),
            )
            for one in events
        ),
    )


def checkpoints(small: Small) -> list[Checkpoint]:
    """The checkpoints as they are kept."""
    return [
        Checkpoint.model_validate_json(one)
        for (one,) in rows(small, "SELECT document FROM checkpoints ORDER BY number")
    ]


def signed_anew(small: Small, key: Ed25519PrivateKey, *, roots: Sequence[str] | None = None) -> None:
    """Make every checkpoint again with a key, over the same trees or others."""
    before: Checkpoint | None = None
    for number, one in enumerate(checkpoints(small)):
        root = bytes.fromhex(roots[number] if roots else one.root)
        before = following(before, size=one.size, root=root, at=one.at, key=key)
        document = canonical_json(document_of(before)).decode()
        execute(small, ("UPDATE checkpoints SET document = ? WHERE number = ?", (document, before.number)))


HASHES = (
    "SELECT seq, hash FROM journal WHERE delegation_id = ? AND seq BETWEEN ? AND ? ORDER BY seq",
    "SELECT seq, hash FROM register_log WHERE register = ? AND seq BETWEEN ? AND ? ORDER BY seq",
)
"""Number and hash of a delegation's events, and of a register's entries."""


def grow_anew(small: Small) -> list[str]:
    """Make the tiles and the heads of spans those of the entries as they stand, and return each checkpoint's root."""
    tree, roots = GrowingTree(), []
    for number in (1, 2, 3):
        spans = "SELECT stream, first_seq, last_seq FROM checkpoint_spans WHERE checkpoint = ? ORDER BY position"
        for stream, first, last in rows(small, spans, number):
            found = rows(small, HASHES[":" in stream], stream.rpartition(":")[2], first, last)
            for leaf in leaf_hashes(stream, ((seq, digest) for seq, digest in found)):
                tree.append(leaf)
            head = "UPDATE checkpoint_spans SET head = ? WHERE stream = ? AND first_seq = ?"
            execute(small, (head, (found[-1][1], stream, first)))
        roots.append(tree.root().hex())
    for (level, tile), hashes in tree.tiles().items():
        execute(small, ("UPDATE merkle_tiles SET hashes = ? WHERE level = ? AND tile = ?", (hashes, level, tile)))
    return roots


def row_of(table: str, **key: Any) -> tuple[str, tuple[Any, ...]]:
    """The condition that names one row."""
    return " AND ".join(f"{name} = ?" for name in key), tuple(key.values())


def updated(table: str, column: str, value: Any, **key: Any) -> Change:
    """One cell of one row is another."""
    where, values = row_of(table, **key)
    place = "CAST(? AS TEXT)" if isinstance(value, bytes) else "?"
    return lambda small: execute(small, (f"UPDATE {table} SET {column} = {place} WHERE {where}", (value, *values)))  # noqa: S608


def deleted(table: str, **key: Any) -> Change:
    """A row is gone."""
    where, values = row_of(table, **key)
    return lambda small: execute(small, (f"DELETE FROM {table} WHERE {where}", values))  # noqa: S608


def cut(table: str, column: str, name: str, after: int) -> Change:
    """The tail of a stream is gone."""
    return lambda small: execute(small, (f"DELETE FROM {table} WHERE {column} = ? AND seq > ?", (name, after)))  # noqa: S608


def swapped(delegation: str, one: int, other: int) -> Change:
    """Two events stand in each other's place."""
    move = "UPDATE journal SET seq = ? WHERE delegation_id = ? AND seq = ?"
    return lambda small: execute(
        small, (move, (-1, delegation, one)), (move, (one, delegation, other)), (move, (other, delegation, -1))
    )


def doubled(delegation: str, seq: int) -> Change:
    """An event stands once more behind itself, and the others one further on."""

    def double(small: Small) -> None:
        events = events_of(small, delegation)
        later = [one.model_copy(update={"seq": one.seq + 1}) for one in events[seq - 1 :]]
        write_journal(small, delegation, [*events[:seq], *later])

    return double


def archived_file(small: Small, run: int = 0) -> Path:
    """The file of one archived run."""
    return next(small.archive.glob(f"{CLOSED}/*{RUNS[CLOSED][run]}*"))


def flipped(place: int) -> Change:
    """One bit of an archived history is another."""

    def flip(small: Small) -> None:
        path = archived_file(small)
        content = bytearray(path.read_bytes())
        content[place] ^= 1
        path.chmod(0o600)
        path.write_bytes(content)

    return flip


def rewritten(seq: int, change: Callable[[dict[str, Any]], None]) -> Change:
    """An event is another in its archived history, and the register names the new file's digests and size."""
    return archived_anew(0 if seq <= 30 else 1, lambda history: with_sealed(history, seq, change))


def archived_anew(run: int, change: Callable[[WorkflowHistory], WorkflowHistory]) -> Change:
    """An archived history is another, and the register names the new file's digests and size."""

    def rewrite(small: Small) -> None:
        path, run_id = archived_file(small, run), RUNS[CLOSED][run]
        (digest,) = rows(small, "SELECT digest FROM archived_runs WHERE run_id = ?", run_id)[0]
        made = packed(change(unpacked(path.read_bytes(), CLOSED, run_id, digest, "")))
        path.chmod(0o600)
        path.write_bytes(made.stored)
        put = "UPDATE archived_runs SET digest = ?, content_digest = ?, size = ? WHERE run_id = ?"
        execute(small, (put, (made.digest, made.content_digest, len(made.stored), run_id)))

    return rewrite


def handed_on(change: Callable[[dict[str, Any]], None]) -> Change:
    """What the first run of the closed file handed to the second is another."""

    def change_one(document: dict[str, Any]) -> None:
        payload = document["events"][0]["workflowExecutionStartedEventAttributes"]["input"]["payloads"][0]
        carried = json.loads(base64.b64decode(payload["data"]))
        change(carried)
        payload["data"] = base64.b64encode(json.dumps(carried).encode()).decode()

    return archived_anew(1, lambda history: changed(history, change_one))


def another_actor(event: dict[str, Any]) -> None:
    """Somebody else did it."""
    event["actor"] = "mai"


async def read_model_anew(small: Small, delegation: str) -> None:
    """Make a delegation's rows in the read tables those of its journal."""
    database = small.database()
    try:
        await Projection(database).drop_read_model_of(delegation)
        await Projection(database).catch_up()
    finally:
        await database.close()


def cut_organisations(small: Small, after: int) -> None:
    """The register has the first organisations alone."""
    execute(small, ("DELETE FROM organisations WHERE slug > ?", (f"song-lam-{after}",)))


async def cut_everywhere(small: Small) -> None:
    """Take the last checkpoint, and everything after the second one, out of every place."""
    cut("journal", "delegation_id", OPEN, 9)(small)
    cut("register_log", "register", "organisations", 3)(small)
    cut_organisations(small, 3)
    execute(
        small,
        ("DELETE FROM checkpoint_spans WHERE checkpoint = 3", ()),
        ("DELETE FROM checkpoints WHERE number = 3", ()),
        ("UPDATE merkle_tiles SET hashes = substr(hashes, 1, 32 * 52)", ()),
    )
    kept = [one for one in decisions_of(small.server.histories[0]) if one.events[-1].seq <= 9]
    small.server.histories = [history_of(OPEN, OPEN_RUN, beginning(OPEN), kept, following=None, open_=True)]
    await read_model_anew(small, OPEN)
