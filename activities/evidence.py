"""The evidence of a delegation, collected from the registers, the histories, the archive and the checkpoints.

A bundle ends with the last checkpoint: events that it has are in, later ones are not yet. So the same delegation and
checkpoint give the same bytes at any time.
"""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, BinaryIO

from temporalio.client import Client, WorkflowHistory
from temporalio.converter import PayloadCodec
from temporalio.service import RPCError, RPCStatusCode

from activities.evidence_trail import trail_record
from audit.checkpoint import Checkpoint, octets
from audit.evidence import (
    BundleFile,
    Enclosed,
    Entry,
    Evidence,
    Opening,
    RunRecord,
    documents_of,
    known_leaves,
    members,
    references_of,
)
from audit.growth import Added, Subtree, growth
from audit.histories import Archive, Histories
from audit.merkle import Nodes
from audit.readable import begins_at, cut_behind, readable
from audit.signing_key import SigningKeys
from audit.tiles import nodes_in, tile_of
from documents import trail_record as document
from domain.evolve import fold
from domain.seal import SealedEvent
from domain.values import TextRef
from storage.archived_runs import REGISTER as ARCHIVE
from storage.attachments import UnknownAttachment
from storage.checkpoint_rows import KeptSpan
from storage.checkpoints import Checkpoints
from storage.evidence_exports import EvidenceExport, EvidenceExports
from storage.registers import Registers

PAUSE = 0.1
PIECE = 1 << 20
PERSON, TEXT = "per_", "txt_"
"""What references to the registers of people and of texts begin with."""


class EvidenceMissing(Exception):
    """The evidence cannot be put together now; `code` is stable.

    Codes: not_checkpointed (no checkpoint has an event of it yet), history_missing (nobody has a run that the trail
    needs, `seq` is its first event), tree_missing (the hashes of the tree are not there).
    """

    def __init__(self, code: str, seq: int = 0) -> None:
        super().__init__(code)
        self.code = code
        self.seq = seq


@dataclass(frozen=True)
class _Covered:
    """What the last checkpoint has: events of the delegation up to the head, entries of registers by their spans."""

    checkpoints: Sequence[Checkpoint]
    spans: Sequence[KeptSpan]
    events: Sequence[SealedEvent]


class EvidenceBundles:
    """Makes bundles."""

    def __init__(
        self,
        registers: Registers,
        client: Client,
        codec: PayloadCodec | None,
        keys: Callable[[], SigningKeys],
        *,
        patience: timedelta = timedelta(seconds=5),
    ) -> None:
        """`keys` sign the manifest; `patience`: how long to wait for a run that the server's list does not name yet."""
        self._registers = registers
        self._client = client
        self._codec = codec
        self._keys = keys
        self._patience = patience.total_seconds()
        self._checkpoints = Checkpoints(registers.database)
        self._archive = Archive(registers.archived_runs, registers.archive_files)
        self._histories = Histories(client, codec, archive=self._archive)

    async def write(self, delegation: str, file: BinaryIO, *, documents: bool, by: str) -> EvidenceExport:
        """Write a delegation's bundle into a file that can be sought in, record that `by` was given it, and return

        what was recorded. With `documents` letters, files and texts stand in it as they are.

        Raises EvidenceMissing, NoSigningKey, ArchiveDamaged, CiphertextDamaged, UnknownMasterKey, StoreUnavailable.
        """
        evidence = await self._evidence(delegation, documents=documents)
        key = self._keys().holding(octets(evidence.checkpoints[-1].public_key))
        bundle = BundleFile(file)
        for name, content in await asyncio.to_thread(lambda: list(members(evidence))):
            bundle.add(name, content)
        if documents:
            async for enclosed in self._enclosed(evidence.events):
                await bundle.enclose(enclosed)
        bundle.finish(evidence, key)
        digest, size = await asyncio.to_thread(_digest, file)
        export = EvidenceExport(
            delegation=delegation,
            head=len(evidence.events),
            checkpoint=evidence.checkpoints[-1].number,
            digest=digest,
            size=size,
            documents=documents,
            persons=tuple(sorted({ref for ref, _ in references_of(evidence.events) if ref.startswith(PERSON)})),
        )
        await EvidenceExports(self._registers.database).enter(export, by=by)
        return export

    async def _evidence(self, delegation: str, *, documents: bool) -> Evidence:
        covered = await self._covered(delegation)
        events, checkpoints = covered.events, covered.checkpoints
        archived = await self._archived(delegation, covered)
        runs = await self._runs(delegation, events, [one.sealed.data["after"] for one in archived])
        entries = [*archived, *await self._entitling(covered)]
        sizes = [one.size for one in checkpoints]
        added = growth(sizes, covered.spans, known_leaves(delegation, len(events), entries))
        state = fold(events)
        assert state is not None
        edition = await self._registers.editions.get(state.edition)
        record = await asyncio.to_thread(trail_record, events, edition, checkpoints[-1].number)
        return Evidence(
            delegation=delegation,
            events=events,
            runs=runs,
            entries=entries,
            checkpoints=checkpoints,
            added=added,
            nodes=await self._nodes(added),
            trail_pdfs=await asyncio.to_thread(document.render, record, events[-1].instant),
            openings=await self._openings(events) if documents else None,
        )

    async def _covered(self, delegation: str) -> _Covered:
        checkpoints = [Checkpoint.model_validate(one.document) for one in await self._checkpoints.page()]
        if not checkpoints:
            raise EvidenceMissing("not_checkpointed")
        last = checkpoints[-1].number
        streams = [delegation, *(f"register:{name}" for name in (ARCHIVE, "accounts", "tenures", "leaves"))]
        spans = [
            span for stream in streams for span in await self._checkpoints.spans(stream) if span.checkpoint <= last
        ]
        head = max((span.last_seq for span in spans if span.stream == delegation), default=0)
        events = await self._registers.journal.events(delegation, limit=head + 1)
        # A decision is in whole or not at all, as it stands in the history.
        while 0 < head < len(events) and events[head - 1].command_id == events[head].command_id:
            head -= 1
        if not head:
            raise EvidenceMissing("not_checkpointed")
        return _Covered(checkpoints, sorted(spans, key=lambda span: span.position), events[:head])

    async def _archived(self, delegation: str, covered: _Covered) -> list[Entry]:
        """The entries of the archive's register about the delegation's runs, in the order of its trail."""
        found = [
            entry
            for entry in await self._entries(ARCHIVE, covered)
            if entry.sealed.data["after"]["delegation"] == delegation
            and entry.sealed.data["after"]["last_seq"] <= len(covered.events)
        ]
        return sorted(found, key=lambda one: _place(one.sealed.data["after"]))

    async def _entitling(self, covered: _Covered) -> list[Entry]:
        """The entries by which signatures were given: whose key it is, who held the position, who was away."""
        rights = [event.data["right"] for event in covered.events if event.data.get("right")]
        proofs = [(event.data.get("proof") or {}).get("signature") for event in covered.events]
        public = [octets(one["public_key"]) for one in proofs if one and one.get("public_key")]
        keys = {hashlib.sha256(one).hexdigest() for one in public}
        wanted = {"tenures": {one.get("tenure") for one in rights}, "leaves": {one.get("leave") for one in rights}}
        found = [
            entry
            for entry in await self._entries("accounts", covered)
            if entry.sealed.type == "passkey_registered" and entry.sealed.data["after"]["key"] in keys
        ]
        for register, ids in wanted.items():
            found += [entry for entry in await self._entries(register, covered) if entry.sealed.command_id in ids]
        return found

    async def _entries(self, register: Any, covered: _Covered) -> list[Entry]:
        last = max((span.last_seq for span in covered.spans if span.stream == f"register:{register}"), default=0)
        entries = await self._registers.register_log.entries(register, limit=last) if last else []
        return [Entry(register, sealed) for sealed in entries]

    async def _runs(
        self, delegation: str, events: Sequence[SealedEvent], archived: Sequence[Mapping[str, Any]]
    ) -> list[RunRecord]:
        """Every run that decided one of the events: archived ones whole, others up to what they decided of them."""
        found: dict[str, RunRecord] = {}
        for said in archived:
            history = await self._archive.history(delegation, said["run_id"])
            if history is None:
                raise EvidenceMissing("history_missing", said["first_seq"])
            found[said["run_id"]] = RunRecord(said, await self._readable(history))
        hashes = {event.seq: event.hash for event in events}
        give_up = asyncio.get_running_loop().time() + self._patience
        while True:
            for run_id in await self._listed(delegation):
                if run_id not in found and (open_run := await self._open_run(delegation, run_id, hashes)):
                    found[run_id] = open_run
            ordered = sorted(found.values(), key=lambda one: _place(one.said))
            if (missing := _missing(ordered, len(events))) is None:
                return ordered
            if asyncio.get_running_loop().time() > give_up:
                raise EvidenceMissing("history_missing", missing)
            await asyncio.sleep(PAUSE)

    async def _listed(self, delegation: str) -> list[str]:
        runs = (await self._histories.runs(delegation)).get(delegation, [])
        try:
            current = (await self._client.get_workflow_handle(delegation).describe()).run_id
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise
            return runs
        return [*dict.fromkeys([*runs, current])]

    async def _open_run(self, delegation: str, run_id: str, hashes: Mapping[int, str]) -> RunRecord | None:
        history = await self._histories.history(delegation, run_id)
        cut = cut_behind(await self._readable(history), hashes) if history is not None else None
        if cut is None:
            return None
        shown, last = cut
        said = {"run_id": run_id, "first_seq": begins_at(shown), "last_seq": last, "digest": None}
        return RunRecord(said, shown)

    async def _readable(self, history: WorkflowHistory) -> dict[str, Any]:
        # Elsewhere than in the loop that answers others: a long history takes a second, and waits for nothing.
        return await asyncio.to_thread(asyncio.run, readable(history, self._codec))

    async def _nodes(self, added: Sequence[Sequence[Added]]) -> Nodes:
        wanted = {tile_of(one.level, one.index) for items in added for one in items if isinstance(one, Subtree)}
        tiles = await self._checkpoints.tiles(wanted)
        if len(tiles) != len(wanted):
            raise EvidenceMissing("tree_missing")
        return nodes_in(tiles)

    async def _openings(self, events: Sequence[SealedEvent]) -> list[Opening]:
        named = [(ref, commitment) for ref, commitment in references_of(events) if ref.startswith(TEXT)]
        texts = [TextRef(ref=ref, commitment=commitment) for ref, commitment in named]
        found = [(reference, await self._registers.texts.opening(reference)) for reference in texts]
        return [Opening(reference, one[0], one[1].decode()) for reference, one in found if one is not None]

    async def _enclosed(self, events: Sequence[SealedEvent]) -> AsyncIterator[Enclosed]:
        for one in documents_of(events):
            try:
                reference, pieces = await self._registers.attachments.open(one["digest"])
            except UnknownAttachment:
                # Erased, or swept: its digest stands in documents.json.
                continue
            yield Enclosed(reference, pieces)


def _place(said: Mapping[str, Any]) -> tuple[int, int, str]:
    return said["first_seq"], said["last_seq"], said["run_id"]


def _missing(runs: Sequence[RunRecord], last: int) -> int | None:
    """The first event that no run decided; None where none is missing up to the last."""
    reached = 0
    for run in runs:
        if run.said["first_seq"] > reached + 1:
            return reached + 1
        reached = max(reached, run.said["last_seq"])
    return None if reached >= last else reached + 1


def _digest(file: BinaryIO) -> tuple[str, int]:
    file.seek(0)
    digest, size = hashlib.sha256(), 0
    while piece := file.read(PIECE):
        digest.update(piece)
        size += len(piece)
    file.seek(0)
    return digest.hexdigest(), size
