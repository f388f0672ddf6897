"""The evidence of one delegation in one zip that a stranger can check, offline, with the verifier in it.

What it says is fixed by the delegation, the checkpoint it ends with and whether documents are enclosed; so are its
bytes: members in a fixed order, stored and not compressed (compressors differ), without times and owners. Its format is
told at the head of audit/bundle/verify.py.
"""

import hashlib
import json
import zipfile
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any, BinaryIO

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import Checkpoint, document_of, key_id_of, octets, public_bytes, written
from audit.growth import Added, Known, lines_of
from audit.merkle import Nodes
from audit.sign_offs import sign_offs
from domain.dossiers import read_trail
from domain.seal import SealedEvent
from domain.values import AttachmentRef, TextRef

FORMAT = 1
EARLIEST = (1980, 1, 1, 0, 0, 0)
"""The time that every member of a zip has: the earliest that a zip can say."""

READ_ONLY = 0o100444 << 16
UNIX = 3


@dataclass(frozen=True)
class Entry:
    """A sealed entry of a register."""

    register: str
    sealed: SealedEvent


@dataclass(frozen=True)
class RunRecord:
    """A run: what the archive's register says of it (for an open one: run_id, first_seq, last_seq, digest None), and

    its history as audit/readable.py writes it.
    """

    said: Mapping[str, Any]
    history: Mapping[str, Any]


@dataclass(frozen=True)
class Opening:
    """What opens a commitment of an event: salt, and the text that was written."""

    reference: TextRef
    salt: bytes
    text: str


@dataclass(frozen=True)
class Evidence:
    """What a bundle is made from. Everything here ends with the last of `checkpoints`, and is covered by it."""

    delegation: str
    events: Sequence[SealedEvent]
    runs: Sequence[RunRecord]
    entries: Sequence[Entry]
    checkpoints: Sequence[Checkpoint]
    added: Sequence[Sequence[Added]]
    nodes: Nodes
    trail_pdfs: Sequence[bytes]
    openings: Sequence[Opening] | None = None
    """The texts that could be opened; None where no personal data is asked for."""


@dataclass(frozen=True)
class Enclosed:
    """A file that stands in the bundle, by its digest."""

    reference: AttachmentRef
    pieces: AsyncIterator[bytes]


@dataclass
class BundleFile:
    """A bundle under way, written into a file that can be sought in."""

    file: BinaryIO
    _zip: zipfile.ZipFile = field(init=False)
    _members: list[dict[str, Any]] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        """Begin the zip."""
        self._zip = zipfile.ZipFile(self.file, "w", zipfile.ZIP_STORED)

    def add(self, name: str, content: bytes) -> None:
        """Add a member."""
        self._zip.writestr(_info(name), content)
        self._note(name, len(content), hashlib.sha256(content).hexdigest())

    async def enclose(self, enclosed: Enclosed) -> None:
        """Add a file's own octets, a piece in memory at a time."""
        name, size, digest = f"documents/{enclosed.reference.digest}", 0, hashlib.sha256()
        with self._zip.open(_info(name), "w") as member:
            async for piece in enclosed.pieces:
                member.write(piece)
                digest.update(piece)
                size += len(piece)
        self._note(name, size, digest.hexdigest())

    def finish(self, evidence: Evidence, key: Ed25519PrivateKey) -> dict[str, Any]:
        """Add the manifest, signed with the key of the last checkpoint, end the file and return the manifest."""
        last, head = evidence.checkpoints[-1], evidence.events[-1]
        if octets(last.public_key) != public_bytes(key):
            raise ValueError("the manifest is signed with the key of the last checkpoint")
        manifest: dict[str, Any] = {
            "bundle": FORMAT,
            "delegation": evidence.delegation,
            "head": {"hash": head.hash, "seq": head.seq},
            "checkpoint": last.number,
            "documents": evidence.openings is not None,
            "key_id": key_id_of(public_bytes(key)),
            "members": self._members,
        }
        manifest["signature"] = written(key.sign(said(manifest)))
        self._zip.writestr(_info("manifest.json"), said(manifest) + b"\n")
        self._zip.close()
        return manifest

    def _note(self, name: str, size: int, digest: str) -> None:
        self._members.append({"name": name, "sha256": digest, "size": size})


def members(evidence: Evidence) -> Iterator[tuple[str, bytes]]:
    """Yield name and content of every member but the manifest and enclosed files, in the order of the zip."""
    bundle = files("audit") / "bundle"
    yield "README.txt", (bundle / "README.txt").read_bytes()
    yield "verify.py", (bundle / "verify.py").read_bytes()
    for number, pdf in enumerate(evidence.trail_pdfs, start=1):
        yield "trail.pdf" if len(evidence.trail_pdfs) == 1 else f"trail-{number:03}.pdf", pdf
    yield "events.jsonl", lines(event.model_dump(mode="json") for event in evidence.events)
    for run in evidence.runs:
        yield f"histories/{run.said['first_seq']:06}-{run.said['run_id']}.json", lines([run.history])
    yield "archive.json", lines([{"runs": [run.said for run in evidence.runs]}])
    for number, dossier in sorted(read_trail(evidence.events)[0].dossiers.items()):
        yield f"dossiers/{number:03}.json", lines([dossier.model_dump(mode="json")])
    yield "documents.json", lines([{"items": list(documents_of(evidence.events))}])
    if evidence.openings is not None:
        yield "openings.json", lines([{"items": [_opening(one) for one in evidence.openings]}])
    given = [one.model_dump(mode="json", exclude_none=True) for one in sign_offs(evidence.events)]
    yield "sign-offs.json", lines([{"items": given}])
    yield from sorted(_keys(evidence.events))
    yield "registers.jsonl", lines({"entry": _sealed(one.sealed), "register": one.register} for one in evidence.entries)
    yield "checkpoints.jsonl", lines(document_of(one) for one in evidence.checkpoints)
    yield "proofs/inclusion.jsonl", lines(lines_of(evidence.added, evidence.nodes))


def known_leaves(delegation: str, head: int, entries: Sequence[Entry]) -> Known:
    """Return the leaves that a bundle names: by stream, the numbers of events."""
    known: dict[str, set[int]] = {delegation: set(range(1, head + 1))}
    for one in entries:
        known.setdefault(f"register:{one.register}", set()).add(one.sealed.seq)
    return known


def documents_of(events: Iterable[SealedEvent]) -> Iterator[dict[str, Any]]:
    """Yield every file that events refer to, once, with the number of the first event that does."""
    seen: set[str] = set()
    for event in events:
        for found in _within(event.data):
            if {"digest", "media_type", "size"} <= found.keys() and found["digest"] not in seen:
                seen.add(found["digest"])
                yield {name: found[name] for name in ("digest", "media_type", "size")} | {"seq": event.seq}


def references_of(events: Iterable[SealedEvent]) -> Iterator[tuple[str, str]]:
    """Yield every reference and commitment that events carry, of people and texts, each commitment once."""
    seen: set[str] = set()
    for event in events:
        for found in _within(event.data):
            if {"ref", "commitment"} <= found.keys() and found["commitment"] not in seen:
                seen.add(found["commitment"])
                yield found["ref"], found["commitment"]


def lines(values: Iterable[Any]) -> bytes:
    """Return values as lines of JSON in canonical form."""
    return b"".join(said(value) + b"\n" for value in values)


def said(value: Any) -> bytes:
    """Return canonical JSON as the verifier reads it.

    Unlike domain/canonical.py it takes the floats that the server writes into histories; names are ASCII, whose order
    is the same in every encoding.
    """
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EARLIEST)
    info.create_system, info.external_attr, info.compress_type = UNIX, READ_ONLY, zipfile.ZIP_STORED
    return info


def _within(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for part in value:
            yield from _within(part)


def _keys(events: Iterable[SealedEvent]) -> set[tuple[str, bytes]]:
    proofs = [found for event in events for found in _within(event.data) if "public_key" in found]
    found = [octets(proof["public_key"]) for proof in proofs]
    return {(f"keys/{hashlib.sha256(key).hexdigest()}.cose", key) for key in found}


def _opening(one: Opening) -> dict[str, str]:
    return one.reference.model_dump() | {"salt": one.salt.hex(), "text": one.text}


def _sealed(event: SealedEvent) -> dict[str, Any]:
    return event.model_dump(mode="json")
