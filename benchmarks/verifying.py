"""How many events a second are verified, and rebuilt, on one core, and whether that stays so as an installation grows.

A store of its own is filled with closed files of 1,000 events about 40 people and 60 items, each archived and under a
checkpoint, which is what nearly all files of an installation are. Verified is everything: chains, archived histories
event by event, folds, read tables, the tree. The floor is to parse and to hash each event's JSON once.
"""

import base64
import hashlib
import json
import resource
from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from temporalio.client import WorkflowHistory

from activities.anchoring import TreeVerification
from activities.checkpoints import Sealing
from activities.verification import Verification
from audit.closed_run import packed, read_closed, unpacked
from audit.history import events_of
from audit.signing_key import SigningKeys
from benchmarks.as_of import sealed_file
from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from domain.canonical import canonical_json
from domain.decision import Decision
from domain.seal import SealedEvent, genesis, head_of
from rebuild import Rebuild
from storage.archive_files import location_of
from storage.archived_runs import ArchivedRun
from storage.migrate import migrate
from storage.registers import Registers
from verification import Asked, verify
from workflows.carried import Carried

NAME = "verification"
FILE = 1_000
SIZES = (1_000, 10_000, 100_000)
BURST = 500
CLOSED_AT = datetime(2030, 3, 1, tzinfo=UTC)
KEYS = SigningKeys([Ed25519PrivateKey.from_private_bytes(bytes(32))])


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Verify and rebuild stores of 10³ to 10⁵ events; the processor's time of one core."""
    figures: list[Figure] = []
    verified: dict[int, float] = {}
    rebuilt: dict[int, float] = {}
    floor = 0.0
    sizes = SIZES[:2] if quick else SIZES
    for size in sizes:
        with TemporaryDirectory() as folder:
            registers = await _filled(Path(folder), size)
            before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            verified[size] = await _verified(registers, size)
            grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
            grown_anew = await _grown_anew(registers)
            rebuilt[size] = await _rebuilt(registers, size)
            floor = floor or await _floor(registers, size)
            await registers.close()
        figures += [
            Figure(f"{size} events verified", size / verified[size], "/s", f"processor's time; {grown:.0f} MiB more"),
            Figure(f"{size} events, tree alone", size / grown_anew, "/s", "grown anew, with every checkpoint"),
            Figure(f"{size} events rebuilt", size / rebuilt[size], "/s", "processor's time"),
        ]
    figures.append(Figure("parsed and hashed once", 1 / floor, "/s", "the same events"))
    first, last = sizes[0], sizes[-1]
    findings.add(
        NAME,
        figures,
        [
            Ratio("verifying_to_parsing_and_hashing", verified[last] / last / floor),
            Ratio("rebuilding_to_parsing_and_hashing", rebuilt[last] / last / floor),
            Ratio(f"verifying_growth_{first}_to_{last}", verified[last] / last / (verified[first] / first), aim=1.5),
            Ratio(f"rebuilding_growth_{first}_to_{last}", rebuilt[last] / last / (rebuilt[first] / first), aim=1.5),
        ],
    )


async def _filled(folder: Path, size: int) -> Registers:
    url = f"sqlite+aiosqlite:///{folder / 'store.db'}"
    await migrate(url)
    registers = Registers.open(url, [bytes(32)], folder, synchronous="OFF")
    for number in range(size // FILE):
        delegation = f"verified-{number}"
        events = list(sealed_file(delegation, FILE))
        for begin in range(0, FILE, BURST):
            await registers.projection.project(delegation, events[begin : begin + BURST])
        await _archive(registers, _history(delegation, events))
    await Sealing(registers.database, lambda: KEYS).make()
    return registers


async def _archive(registers: Registers, history: WorkflowHistory) -> None:
    said, content = await read_closed(history), packed(history)
    location = location_of(said.delegation, said.first_seq, said.run_id)
    await registers.archive_files.keep(location, content.stored)
    await registers.archived_runs.enter(
        ArchivedRun(
            delegation=said.delegation,
            run_id=said.run_id,
            first_seq=said.first_seq,
            last_seq=said.last_seq,
            prev_head=said.prev_head.hash,
            head=said.head.hash,
            digest=content.digest,
            content_digest=content.content_digest,
            size=len(content.stored),
            location=location,
            following=said.following,
            closed_at=said.closed_at,
            archived_at=CLOSED_AT,
        )
    )


def _history(delegation: str, events: list[SealedEvent]) -> WorkflowHistory:
    """A history of decisions of one event each, as far as a trail is read from it."""
    run_id = f"00000000-0000-4000-8000-{int(delegation.rpartition('-')[2]):012}"
    begun = Carried(delegation=delegation, head=genesis(delegation)).model_dump(mode="json")
    ended = {"delegation": delegation, "head": head_of(events[-1]).model_dump(mode="json")}
    started = {"workflowId": delegation, "originalExecutionRunId": run_id, "input": _payloads(begun)}
    found: list[dict[str, Any]] = [
        {
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
            "workflowExecutionStartedEventAttributes": started,
        }
    ]
    found += [
        {
            "eventType": "EVENT_TYPE_MARKER_RECORDED",
            "markerRecordedEventAttributes": {
                "markerName": "core_local_activity",
                "details": {
                    "data": _payloads({"activity_type": "decide"}),
                    "result": _payloads(Decision(events=(event,)).model_dump(mode="json")),
                },
            },
        }
        for event in events
    ]
    found.append(
        {
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
            "workflowExecutionCompletedEventAttributes": {"result": _payloads(ended)},
        }
    )
    for number, event in enumerate(found, start=1):
        event["eventId"] = str(number)
        event["eventTime"] = (CLOSED_AT + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    return WorkflowHistory.from_json(delegation, {"events": found})


def _payloads(value: Any) -> dict[str, Any]:
    data = base64.b64encode(json.dumps(value).encode()).decode()
    return {"payloads": [{"metadata": {"encoding": base64.b64encode(b"json/plain").decode()}, "data": data}]}


class Nothing:
    """A server that has no history any more."""

    async def runs(self, delegation: str | None = None) -> Mapping[str, Collection[str]]:
        """None."""
        return {}

    async def whole(self, delegation: str, runs: Collection[str] = ()) -> list[WorkflowHistory]:
        """None."""
        return []


class FromArchive:
    """Trails read from the archive alone."""

    def __init__(self, registers: Registers) -> None:
        self._registers = registers

    async def runs(self) -> dict[str, list[str]]:
        """The archived ones."""
        return await self._registers.archived_runs.runs()

    async def trail(self, delegation: str, runs: Collection[str] = (), *, at_least: int = 0) -> list[SealedEvent]:
        """The events of the archived runs."""
        rows = await self._registers.archived_runs.of(delegation)
        files = [(row, await self._registers.archive_files.read(row.location)) for row in rows]
        return await events_of(
            [unpacked(stored, delegation, row.run_id, row.digest, row.location) for row, stored in files]
        )


async def _verified(registers: Registers, size: int) -> float:
    async def replay(history: WorkflowHistory) -> str | None:
        return None

    archived, files = registers.archived_runs, registers.archive_files
    verification = Verification(registers.database, Nothing(), archived, files, None, replay)
    begun = process_time()
    account = await verify(verification, TreeVerification(registers.database, KEYS.public), Asked())
    taken = process_time() - begun
    if not account.holds or account.entries < size:
        raise RuntimeError("what was filled in does not hold")
    return taken


async def _grown_anew(registers: Registers) -> float:
    begun = process_time()
    await TreeVerification(registers.database, KEYS.public).anchored()
    return process_time() - begun


async def _rebuilt(registers: Registers, size: int) -> float:
    begun = process_time()
    account = await Rebuild(FromArchive(registers), registers).replace()
    taken = process_time() - begun
    if account.findings or account.events != size:
        raise RuntimeError("what was filled in cannot be rebuilt")
    return taken


async def _floor(registers: Registers, size: int) -> float:
    """The processor's time of parsing and hashing one event."""
    lines = [
        canonical_json(event.model_dump(mode="json"))
        for name in (await registers.journal.heads())
        for event in await registers.journal.events(name)
    ]
    begun, rounds = process_time(), 20
    for _ in range(rounds):
        for line in lines:
            json.loads(line)
            hashlib.sha256(line).digest()
    return (process_time() - begun) / rounds / size
