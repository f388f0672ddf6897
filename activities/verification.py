"""Verifying one stream after the other: journal against histories against archive, folds, read tables, registers.

Every place is read as it stands and judged by itself (audit/verification.py), so that the one that was changed is the
one that is named. Right while commands go on: what is accepted meanwhile is read again from its history.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from temporalio.client import WorkflowHistory
from temporalio.converter import PayloadCodec

from audit.closed_run import ENDS, ArchiveDamaged, ClosedRun, RunOpen, content_digest_of, read_closed, unpacked
from audit.difference import first_differing_table
from audit.history import HistoryUnreadable, Run, in_order, joined, read_run
from audit.registered import TABLES, Registered
from audit.verdicts import Verdict
from audit.verification import (
    Chain,
    Code,
    Finding,
    Place,
    checked,
    compared,
    covered,
    entitled,
    foldable,
    runs_differ,
    signed,
    states_hold,
)
from domain.seal import ChainBroken, SealedEvent, genesis
from storage.archive_files import ArchiveFiles
from storage.archived_runs import ArchivedRun, ArchivedRuns
from storage.as_stored import REGISTER, StoredChains
from storage.dump import dump_of_fold, dump_read_tables, listed_in_read_tables, seq_of, unreadable_table
from storage.engine import Database
from storage.keyring import CiphertextDamaged, UnknownMasterKey
from storage.rights_as_stored import rows_of

PAUSE = 0.1

ENTITLING = ("tenures", "leaves")
"""The registers that a right to sign rests on."""

Replay = Callable[[WorkflowHistory], Awaitable[str | None]]
"""Replays an open run: None when it went well, `hangs`, or what it failed with."""


class Live(Protocol):
    """The histories that Temporal still has."""

    async def runs(self, delegation: str | None = None) -> Mapping[str, Collection[str]]:
        """Return the ids of the known runs of each delegation, or of one."""
        ...

    async def whole(self, delegation: str, runs: Collection[str] = ()) -> list[WorkflowHistory]:
        """Return the histories of these runs and of the current one."""
        ...


@dataclass
class Told:
    """What histories and archive tell of one delegation: runs by id, where each was read, and what was wrong."""

    runs: dict[str, Run] = field(default_factory=dict)
    places: dict[str, Place] = field(default_factory=dict)
    open: list[WorkflowHistory] = field(default_factory=list)
    archived: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, code: Code, place: Place, stream: str, run: str, reason: str | None = None) -> None:
        """Keep a finding about one run."""
        self.findings.append(Finding(code=code, place=place, stream=stream, run=run, reason=reason))


class Verification:
    """Verifies delegations and registers of one store."""

    def __init__(
        self,
        database: Database,
        live: Live,
        archived: ArchivedRuns,
        files: ArchiveFiles,
        codec: PayloadCodec | None,
        replay: Replay,
        *,
        patience: timedelta = timedelta(seconds=5),
        one_clock: bool = True,
    ) -> None:
        """`patience`: how long to wait for what was accepted while this reads.

        `one_clock`: no file's clock is moved forward.
        """
        self._database = database
        self._chains = StoredChains(database)
        self._live = live
        self._archived = archived
        self._files = files
        self._codec = codec
        self._replay = replay
        self._patience = patience.total_seconds()
        self._runs: Mapping[str, Collection[str]] = {}
        self._unrecorded: dict[str, list[Finding]] = {}
        self._listed: Mapping[str, str] = {}
        self._stored: set[str] = set()
        self._one_clock = one_clock
        self._entitling: dict[str, list[dict[str, Any]]] = {}
        self._entitling_upto: dict[str, int] = {}

    async def streams(self) -> list[str]:
        """Return every delegation that any place knows, then every register; call it before the others."""
        stored = await self._chains.streams()
        self._listed = {str(name): table for name, table in (await listed_in_read_tables(self._database)).items()}
        self._runs = await self._live.runs()
        self._unrecorded = await self._differences()
        archived = await self._archived.runs()
        files = {one for one in stored if not one.startswith(REGISTER)}
        names = {*files, *self._listed, *self._runs, *archived, *self._unrecorded}
        self._stored = set(stored)
        # A table may have rows though its log has no entry.
        registers = {one for one in stored if one.startswith(REGISTER)} | {f"{REGISTER}{name}" for name in TABLES}
        return [*sorted(names, key=_octets), *sorted(registers, key=_octets)]

    async def register(self, stream: str) -> Verdict:
        """Verify a register's chain and, where rights come from its tables, that these hold what the chain says."""
        chain = Chain(stream, "register", keep=False)
        name = stream.removeprefix(REGISTER)
        registered = Registered(name) if name in TABLES else None
        rows: list[Finding] = []
        # Nothing may change between the log and the tables.
        async with self._database.snapshot() as connection:
            async for batch in self._chains.entries(stream, within=connection):
                chain.take(batch)
                if registered is not None and chain.finding is None:
                    registered.take(event for _, event in batch if event is not None)
            if registered is not None and chain.finding is None:
                for table in TABLES[name]:
                    async for stored in rows_of(connection, table):
                        rows += [one for key, row in stored if (one := registered.differs(table, key, row))]
                rows += registered.missing()
        head = chain.head.hash if chain.head.seq else None
        verdict = Verdict(stream, "register", entries=chain.count, head=head)
        verdict.findings += self._unnamed(stream, chain)
        verdict.findings += [chain.finding] if chain.finding else []
        verdict.findings += rows
        return verdict

    async def delegation(self, name: str) -> Verdict:
        """Verify a delegation: every place that tells of it, and that they tell the same."""
        verdict = Verdict(name, "delegation")
        verdict.findings += self._unrecorded.get(name, [])
        chain, stored = Chain(name, "journal"), dict[int, SealedEvent | None]()
        await self._read_journal(name, chain, stored)
        dump, table = await self._dump(name)
        reached = max(stored, default=0)
        told = await self._told(name, reaching=reached)
        if not stored and not told.runs and name in self._listed:
            verdict.findings.append(self._table(name, self._listed[name]))
            return verdict
        await self._wait_for_journal(name, told, chain, stored)

        verdict.entries, verdict.runs, verdict.archived = chain.count, len(told.runs), told.archived
        verdict.head = chain.head.hash if chain.head.seq else None
        verdict.findings += self._unnamed(name, chain)
        verdict.findings += [chain.finding] if chain.finding else []
        verdict.findings += told.findings
        against = self._run_by_run(name, told, chain, stored)
        verdict.findings += against
        trail = _trail(told.runs.values(), chain, agree=not (against or chain.finding))
        if trail is not None:
            verdict.findings += _folded(name, trail, told, dump, reached, unreadable=table)
            verdict.findings += await self._not_entitled(name, trail)
        for history in told.open:
            if failure := await self._replay(history):
                code: Code = "replay_hangs" if failure == "hangs" else "replay_failed"
                told.found(code, "history", name, history.run_id, failure)
                verdict.findings.append(told.findings[-1])
            verdict.replayed += 1
        return verdict

    async def _not_entitled(self, name: str, trail: Sequence[SealedEvent]) -> list[Finding]:
        """What rests on a right that the registers did not have, as far as their logs have come by now."""
        if not any(event.data.get("right") for event in trail):
            return []
        for register in ENTITLING:
            async for batch in self._chains.entries(f"{REGISTER}{register}", after=self._entitling_upto.get(register)):
                self._entitling_upto[register] = batch[-1][0]
                for entry in (one for _, one in batch if one is not None):
                    said = {"seq": entry.seq, "type": entry.type, "at": entry.at, "data": entry.data}
                    self._entitling.setdefault(entry.command_id, []).append(said)
        return entitled(name, trail, self._entitling, timed=self._one_clock)

    def _unnamed(self, stream: str, chain: Chain) -> list[Finding]:
        """Entries of a stream whose name is no text: nobody of ours could find them."""
        if stream not in self._stored or chain.count:
            return []
        place: Place = "register" if stream.startswith(REGISTER) else "journal"
        return [Finding(code="entry_unreadable", place=place, stream=stream)]

    @staticmethod
    def _table(name: str, table: str) -> Finding:
        return Finding(code="table_differs", place="read_model", stream=name, table=table)

    async def _read_journal(
        self, name: str, chain: Chain, stored: dict[int, SealedEvent | None], *, last: int | None = None
    ) -> None:
        async for batch in self._chains.entries(name, after=max(stored, default=None)):
            # What was accepted after the histories were read is not theirs to vouch for.
            wanted = batch if last is None else [entry for entry in batch if entry[0] <= last]
            chain.take(wanted)
            stored.update(wanted)

    async def _dump(self, name: str) -> tuple[bytes, str | None]:
        """The dump of the read tables, and the table of which none can be made."""
        try:
            return await dump_read_tables(self._database, name), None
        except (ValueError, TypeError):
            return b"", await unreadable_table(self._database, name) or "delegations"

    async def _wait_for_journal(
        self, name: str, told: Told, chain: Chain, stored: dict[int, SealedEvent | None]
    ) -> None:
        """Read on until the journal has what the histories had; the patience over, what is missing is missing."""
        accepted = max((run.head.seq + len(events) for run, events in in_order([*told.runs.values()])), default=0)
        give_up = asyncio.get_running_loop().time() + self._patience
        while max(stored, default=0) < accepted and asyncio.get_running_loop().time() < give_up:
            await asyncio.sleep(PAUSE)
            await self._read_journal(name, chain, stored, last=accepted)

    # Histories and archive

    async def _told(self, name: str, *, reaching: int) -> Told:
        """Read every run from wherever it is, again while the server's list may not name them all."""
        give_up = asyncio.get_running_loop().time() + self._patience
        runs = self._runs.get(name, ())
        while True:
            told = Told()
            for history in await self._live.whole(name, runs):
                await self._take_live(name, history, told)
            async for row in self._rows(name, told):
                await self._take_archived(name, row, told)
            settled = told.findings or not covered(name, [*told.runs.values()], reaching)
            if settled or asyncio.get_running_loop().time() > give_up:
                return told
            await asyncio.sleep(PAUSE)
            runs = (await self._live.runs(name)).get(name, ())

    async def _take_live(self, name: str, history: WorkflowHistory, told: Told) -> None:
        if run := await self._run_of(name, history, "history", told):
            told.runs[run.run_id], told.places[run.run_id] = run, "history"
            if history.events[-1].event_type not in ENDS:
                told.open.append(history)

    async def _run_of(self, name: str, history: WorkflowHistory, place: Place, told: Told) -> Run | None:
        try:
            return await read_run(history, self._codec)
        except HistoryUnreadable as unreadable:
            told.found("history_unreadable", place, name, history.run_id, unreadable.reason)
        except (CiphertextDamaged, UnknownMasterKey):
            told.found("key_unknown", place, name, history.run_id)
        return None

    async def _rows(self, name: str, told: Told) -> AsyncIterator[ArchivedRun]:
        try:
            rows = await self._archived.of(name)
        except (ValueError, TypeError):
            # One of them nobody of ours wrote: the others are read by themselves.
            rows = []
            for run_id in (await self._archived.runs()).get(name, ()):
                try:
                    row = await self._archived.get(run_id)
                    rows += [row] if row else []
                except (ValueError, TypeError):
                    told.found("archive_unrecorded", "archive", name, run_id, "row_differs")
        for row in rows:
            yield row

    async def _take_archived(self, name: str, row: ArchivedRun, told: Told) -> None:
        told.archived += 1
        try:
            stored = await self._files.read(row.location)
            history = await asyncio.to_thread(unpacked, stored, name, row.run_id, row.digest, row.location)
        except LookupError:
            return told.found("archive_missing", "archive", name, row.run_id)
        except ArchiveDamaged as damaged:
            return told.found("archive_damaged", "archive", name, row.run_id, damaged.reason)
        run = await self._run_of(name, history, "archive", told)
        if run is None:
            return None
        if reason := _misnamed(row, await self._closed(history), stored):
            told.found("archive_misnamed", "archive", name, row.run_id, reason)
        if run.run_id in told.runs:
            difference = runs_differ(name, run, told.runs[run.run_id])
            told.findings += [difference] if difference else []
        else:
            told.runs[run.run_id], told.places[run.run_id] = run, "archive"
        return None

    async def _closed(self, history: WorkflowHistory) -> ClosedRun | None:
        try:
            return await read_closed(history, self._codec)
        except (RunOpen, HistoryUnreadable):
            return None

    async def _differences(self) -> dict[str, list[Finding]]:
        """Which entries of the archive's register are not what was sealed of them, by delegation."""
        found: dict[str, list[Finding]] = {}
        try:
            differences = await self._archived.differences()
        except (ChainBroken, ValueError, TypeError, KeyError):
            # The register's own line, or the rows one by one, say where.
            return found
        for one in differences:
            finding = Finding(
                code="archive_unrecorded", place="archive", stream=one.delegation, run=one.run_id, reason=one.code
            )
            found.setdefault(one.delegation, []).append(finding)
        return found

    # Comparing

    def _run_by_run(
        self, name: str, told: Told, chain: Chain, stored: Mapping[int, SealedEvent | None]
    ) -> list[Finding]:
        found: list[Finding] = []
        upto = max(stored, default=0)
        differing: Finding | None = None
        for run, events in in_order([*told.runs.values()]):
            if _agrees(run, events, chain):
                continue
            place, count = told.places[run.run_id], len(found)
            bad = checked(name, place, events, after=run.head, run=run.run_id)
            if bad is not None and bad.seq is not None:
                found.append(bad)
                events = events[: bad.seq - run.head.seq - 1]
            before = stored.get(run.head.seq)
            differing = differing or compared(name, stored, events, upto=upto)
            if not differing and len(found) == count and before is not None and before.hash != run.head.hash:
                # It goes on after an event that nobody has.
                seq = run.head.seq + 1
                found.append(Finding(code="chain_broken", place=place, stream=name, seq=seq, run=run.run_id))
        found += [differing] if differing else []
        if not told.findings:
            found += covered(name, [*told.runs.values()], upto)
        return found


def _octets(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _agrees(run: Run, events: Sequence[SealedEvent], chain: Chain) -> bool:
    """Whether a run has exactly what the journal's good part has in its place: then it needs no look of its own."""
    start = run.head.seq
    before = chain.events[start - 1].hash if 0 < start <= len(chain.events) else genesis(chain.stream).hash
    return before == run.head.hash and chain.events[start : start + len(events)] == [*events]


def _trail(runs: Iterable[Run], chain: Chain, *, agree: bool) -> list[SealedEvent] | None:
    """The trail by the histories; by the journal where they do not give one and it holds; else None."""
    try:
        if not agree and (trail := joined([*runs])):
            return trail
    except ChainBroken:
        pass
    return chain.events if chain.finding is None else None


def _folded(
    name: str, trail: list[SealedEvent], told: Told, dump: bytes, reached: int, *, unreadable: str | None
) -> list[Finding]:
    """What of a file is not what its events give: states that were handed on, read tables, sign-offs.

    The tables are read after the journal, which then had `reached` events, so they stand there or further on.
    """
    upto = max(seq_of(dump), reached)
    try:
        derived = dump_of_fold({name: trail[:upto]})
    except Exception:  # noqa: BLE001 - whatever an upcaster or the fold stumbles over is the finding
        upto, derived = 0, b""
    if upto < len(trail) and (stumbled := foldable(name, trail)):
        return [stumbled]
    table = unreadable or first_differing_table(dump, derived)
    differs = [Finding(code="table_differs", place="read_model", stream=name, table=table)] if table else []
    return [*states_hold(name, [*told.runs.values()], trail), *signed(name, trail), *differs]


def _misnamed(row: ArchivedRun, closed: ClosedRun | None, stored: bytes) -> str | None:
    """What of a row is not what the archived history says; None when all of it is."""
    if closed is None:
        return "open"
    said = {
        "delegation": closed.delegation,
        "first_seq": closed.first_seq,
        "last_seq": closed.last_seq,
        "prev_head": closed.prev_head.hash,
        "head": closed.head.hash,
        "following": closed.following,
        "size": len(stored),
        "content_digest": content_digest_of(stored),
    }
    return next((name for name, value in said.items() if getattr(row, name) != value), None)
