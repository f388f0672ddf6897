"""What sealing costs: an event against the bare hash of its bytes, and checkpoints of 1,000 entries to a million.

Each size is measured on a store of its own in a process of its own, so that its memory is its own.
"""

import asyncio
import json
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterable
from contextlib import closing
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import psutil

from activities.checkpoint_log import CheckpointLog
from activities.checkpoints import Sealing
from audit.merkle import includes
from audit.signing_key import SigningKeys
from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from domain.canonical import canonical_json
from domain.seal import SEALED, Head, genesis, seal
from storage.engine import Database
from storage.migrate import migrate_now

NAME = "checkpoints"
SIZES = (1_000, 10_000, 100_000, 1_000_000)
OF_A_FILE = 200
"""Events of each delegation."""

LATER = 100
"""Events that came since: what a checkpoint every quarter of an hour has to add."""

PROOFS = 50
AT = datetime(2026, 5, 4, 12, 0, tzinfo=UTC)
DATA = {
    "item_id": "opening-session",
    "starts": {"local": "2026-04-11T09:00", "zone": "Asia/Ho_Chi_Minh", "instant": "2026-04-11T02:00:00Z"},
    "ends": {"local": "2026-04-11T10:30", "zone": "Asia/Ho_Chi_Minh", "instant": "2026-04-11T03:30:00Z"},
    "place": "Hội trường A, trụ sở Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam",
}
"""Of an `ItemMoved`, which is what is sealed most often."""


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Time sealing in this process, and checkpoints in children; the stack has nothing to do meanwhile."""
    _of_an_event(findings, 3 if quick else 15)
    found = {size: await asyncio.to_thread(_in_a_child, size) for size in (SIZES[:-1] if quick else SIZES)}
    figures = []
    for size, one in found.items():
        note = f"{size:,} entries, SQLite"
        figures += [
            Figure(f"{size:,} in one checkpoint", one["seconds"], "s", f"{size / one['seconds']:,.0f} entries/s"),
            Figure(f"{size:,}: memory beyond the start", one["memory"] / 2**20, "MiB", note),
            Figure(f"{size:,}: the next checkpoint", one["next"] * 1000, "ms", f"{LATER} new entries"),
            Figure(f"{size:,}: proof of inclusion", one["proof"] * 1000, "ms", f"{one['hashes'] * 32:,} bytes"),
            Figure(f"{size:,}: tiles kept", one["tiles"] / 2**20, "MiB", note),
        ]
    first, last = min(found), max(found)
    growth = found[last]["seconds"] / found[first]["seconds"] / (last / first)
    findings.add(
        NAME,
        figures,
        [
            Ratio("checkpoint_growth_to_linear", growth, aim=1.5),
            Ratio("proof_of_the_largest_to_the_smallest", found[last]["proof"] / found[first]["proof"], aim=3.0),
        ],
    )


def _of_an_event(findings: Findings, rounds: int) -> None:
    head = genesis("measured")
    moved: dict[str, Any] = {"type": "ItemMoved", "version": 1, "at": AT, "actor": "lan", "command_id": "c" * 40}
    one = seal(head, **moved, data=DATA)
    content = canonical_json({name: getattr(one, name) for name in SEALED})

    def sealing() -> None:
        seal(head, **moved, data=DATA)

    def hashing() -> None:
        sha256(content).hexdigest()

    taken: dict[str, list[float]] = {"seal": [], "hash": []}
    for _ in range(rounds):
        for name, call in (("seal", sealing), ("hash", hashing)):
            taken[name].append(_microseconds(call, 2_000))
    sealed, hashed = median(taken["seal"]), median(taken["hash"])
    findings.add(
        NAME,
        [
            Figure("seal, an event", sealed, "µs", f"{len(content)} bytes of canonical JSON, {1e6 / sealed:,.0f}/s"),
            Figure("bare SHA-256 of the same bytes", hashed, "µs"),
        ],
        [Ratio("seal_to_sha256", sealed / hashed)],
    )


def _microseconds(call: Callable[[], None], times: int) -> float:
    begun = perf_counter()
    for _ in range(times):
        call()
    return (perf_counter() - begun) / times * 1e6


def _in_a_child(size: int) -> dict[str, float]:
    with TemporaryDirectory(prefix="legation-checkpoints-") as folder:
        path = Path(folder) / "store.db"
        migrate_now(f"sqlite:///{path}")
        _fill(path, range(size), size)
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.checkpoints", str(path), str(size)], stdout=subprocess.PIPE, check=True
        )
        found: dict[str, float] = json.loads(done.stdout)
        return found


def _fill(path: Path, numbers: Iterable[int], size: int) -> None:
    """Write events of `size // 200` delegations into the journal; of what they say nothing is measured here."""
    heads: dict[int, Head] = {}

    def rows() -> Iterable[tuple[Any, ...]]:
        for number in numbers:
            file, seq = number // OF_A_FILE, number % OF_A_FILE + 1
            name = f"d-{file:06}"
            before = heads[file].hash if seq > 1 else genesis(name).hash
            heads[file] = Head.model_construct(seq=seq, hash=sha256(f"{size} {number}".encode()).hexdigest())
            yield name, seq, "ItemMoved", 1, "", "lan", "c", "{}", before, heads[file].hash

    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("INSERT INTO journal VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows())


async def _measured(path: Path, size: int) -> dict[str, float]:
    database = Database(f"sqlite:///{path}")
    sealing, log, process = (
        Sealing(database, lambda: SigningKeys.of([bytes(32)])),
        CheckpointLog(database),
        psutil.Process(),
    )
    await log.latest()
    before, highest = process.memory_info().rss, [0]
    watching = asyncio.create_task(_watch(process, highest))
    begun = perf_counter()
    made = await sealing.make()
    seconds = perf_counter() - begun
    watching.cancel()
    if made is None or made.added != size or made.left:
        raise RuntimeError("the checkpoint does not hold everything")
    files = (size + OF_A_FILE - 1) // OF_A_FILE
    _fill(path, range(files * OF_A_FILE, files * OF_A_FILE + LATER), size)
    begun = perf_counter()
    later = await sealing.make()
    next_one = perf_counter() - begun
    proofs, hashes = [], 0
    for number in range(0, size, max(1, size // PROOFS)):
        begun = perf_counter()
        found = await log.inclusion(f"d-{number // OF_A_FILE:06}", number % OF_A_FILE + 1)
        proofs.append(perf_counter() - begun)
        hashes = max(hashes, len(found.proof))
        head = found.checkpoint
        if not includes(found.leaf, found.position, head.size, found.proof, bytes.fromhex(head.root)):
            raise RuntimeError("a proof does not hold")
    await database.close()
    if later is None or later.added != LATER:
        raise RuntimeError("the next checkpoint does not hold what is new")
    with closing(sqlite3.connect(path)) as connection:
        tiles = connection.execute("SELECT sum(length(hashes)) FROM merkle_tiles").fetchone()[0]
    memory = max(0, highest[0] - before)
    return {
        "seconds": seconds,
        "memory": memory,
        "next": next_one,
        "proof": median(proofs),
        "hashes": hashes,
        "tiles": tiles,
    }


async def _watch(process: psutil.Process, highest: list[int]) -> None:
    while True:
        highest[0] = max(highest[0], process.memory_info().rss)
        await asyncio.sleep(0.01)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measured(Path(sys.argv[1]), int(sys.argv[2])))))
