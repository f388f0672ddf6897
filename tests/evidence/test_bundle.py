"""A bundle of a real file: whole, the same bytes each time, and without personal data unless they are asked for."""

import asyncio
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit.checkpoint import document_of, public_bytes, written
from audit.closed_run import ArchiveDamaged
from storage.evidence_exports import EvidenceExports
from tests.api.conftest import code
from tests.evidence.bare import Changed, broken, checked, packages, run
from tests.evidence.played import SECOND_KEY, Played, other_file, unzipped
from tests.evidence.tampering import every_case, rechained, resummed, signed_anew, undetected, with_events

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

KEY = written(public_bytes(Ed25519PrivateKey.from_private_bytes(SECOND_KEY)))
FOREIGN = Ed25519PrivateKey.from_private_bytes(bytes(range(96, 128)))


async def test_a_stranger_checks_it_with_nothing_of_ours(file: Played, tmp_path: Path) -> None:
    """As a zip and as an unpacked folder, with a bare Python; what was kept apart says whose it is."""
    bundle, _ = await file.bundle(documents=True)
    path, folder = tmp_path / "bundle.zip", tmp_path / "unpacked"
    path.write_bytes(bundle)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    verifier = folder / "verify.py"
    assert len(verifier.read_text().splitlines()) < 600
    start = f"import runpy, sys; sys.path.insert(0, {str(packages(tmp_path))!r}); sys.argv = sys.argv[1:]; "
    start += "runpy.run_path(sys.argv[0], run_name='__main__')"
    done = await asyncio.to_thread(run, tmp_path, "-c", start, verifier, path, "--key", KEY)
    manifest = json.loads(unzipped(bundle)["manifest.json"])
    seq, members = manifest["head"]["seq"], len(manifest["members"])
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        f"ok  manifest     {members} members, as signed",
        f"ok  chain        {seq} events of {file.api.id}, none missing",
        "ok  histories    2 runs decided exactly these events, 1 of them archived",
        "ok  dossiers     1 dossiers are what their digests say",
        "ok  documents    1 files are named by events, 1 enclosed; 2 texts opened",
        "ok  sign_offs    2 sign-offs, 2 by passkey over the digest of the dossier",
        "ok  rights       2 rights to sign were in force by the registers, 0 name no tenure",
        "ok  decisions    1 decisions stand on every required signature of their dossier",
        "ok  inclusion    every event is in the tree of the last checkpoint, which contains those of all before",
        "ok  checkpoints  3 checkpoints, signed with a key that you know; 0 kept ones are among them",
    ]
    kept = tmp_path / "kept.json"
    kept.write_text(json.dumps(document_of(file.checkpoints[0])))
    unpacked = await asyncio.to_thread(run, tmp_path, "-c", start, verifier, "--checkpoint", kept)
    assert unpacked.returncode == 0
    assert unpacked.stdout.splitlines()[:-1] == done.stdout.splitlines()[:-1]
    assert unpacked.stdout.splitlines()[-1].endswith("signed with a key that you know; 1 kept ones are among them")
    alone = await asyncio.to_thread(run, tmp_path, "-c", start, verifier, path)
    assert alone.returncode == 0
    assert "ONLY THIS BUNDLE says" in alone.stdout
    for wrong in ("nothing.zip", "kept.json"):
        refused = await asyncio.to_thread(run, tmp_path, "-c", start, verifier, tmp_path / wrong)
        assert (refused.returncode, refused.stdout) == (2, "")


async def test_the_same_checkpoint_gives_the_same_bytes(file: Played) -> None:
    """Also after others, and the file itself, have new events; what was handed out is recorded."""
    one, export = await file.bundle()
    await other_file(file, "second")
    again, repeated = await file.bundle()
    assert again == one
    assert export == repeated
    assert export.digest == hashlib.sha256(one).hexdigest()
    assert export.size == len(one)
    entered = await EvidenceExports(file.here.registers.database).of(file.api.id)
    assert [(found.export, found.by) for found in entered[-2:]] == [(export, "an"), (export, "an")]
    [person] = export.persons
    named = await EvidenceExports(file.here.registers.database).naming(person)
    assert export in [found.export for found in named]
    assert await EvidenceExports(file.here.registers.database).naming("per_nobody00") == []


async def test_personal_data_are_in_it_only_where_they_are_asked_for(file: Played) -> None:
    """By default references and commitments; with documents the files' own bytes and the texts. Never a key."""
    plain, with_documents = unzipped((await file.bundle())[0]), unzipped((await file.bundle(documents=True))[0])
    personal = ["Satō Haruka", "tokyo.example", "Đoàn bạn hoãn chuyến đi.", "Biên bản ghi nhớ"]
    whole = b"".join(plain.values())
    assert [one for one in personal if one.encode() in whole] == []
    memo = hashlib.sha256("Biên bản ghi nhớ".encode()).hexdigest()
    assert set(with_documents) - set(plain) == {"openings.json", f"documents/{memo}"}
    assert with_documents[f"documents/{memo}"].decode() == "Biên bản ghi nhớ"
    assert [one["text"] for one in json.loads(with_documents["openings.json"])["items"]] == [
        "Đoàn bạn hoãn chuyến đi.",
        "Sửa lỗi.",
    ]
    secrets = [SECOND_KEY, bytes(range(32)), bytes(range(32, 64))]
    assert not any(secret in content for secret in secrets for content in with_documents.values())


async def test_what_is_not_whole_is_not_handed_out(file: Played) -> None:
    """A file of the archive that is another one, or gone, or a delegation without a checkpoint: said, not left out."""
    [run] = await file.here.registers.archived_runs.of(file.api.id)
    place = file.here.settings.data_dir / "archive" / run.location
    content, handed_out = place.read_bytes(), EvidenceExports(file.here.registers.database)
    before = await handed_out.of(file.api.id)
    place.chmod(0o600)
    try:
        place.write_bytes(content[:-1] + b"x")
        with pytest.raises(ArchiveDamaged):
            await file.bundle()
        answer = await file.api.ask("GET", f"/delegations/{file.api.id}/evidence", by="an")
        assert code(answer) == (409, "evidence_incomplete")
        place.unlink()
        with pytest.raises(ArchiveDamaged):
            await file.bundle()
    finally:
        place.write_bytes(content)
    assert await handed_out.of(file.api.id) == before
    await other_file(file, "fresh")
    answer = await file.api.ask("GET", f"/delegations/{file.api.id}-fresh/evidence", by="an")
    assert code(answer) == (409, "evidence_not_checkpointed")


async def test_an_older_bundle_is_told_by_a_checkpoint_kept_apart_alone(file: Played, tmp_path: Path) -> None:
    """A cut tail that is consistent is an older truth: only who kept a later checkpoint sees that it is cut."""
    kept = document_of(file.checkpoints[2])
    cases = [Changed({}), Changed({}, kept=(kept,)), Changed({}, kept=(document_of(file.checkpoints[1]),))]
    alone, later, earlier = await asyncio.to_thread(checked, tmp_path, file.older, cases)
    assert (broken(alone), broken(earlier)) == ({}, {})
    assert broken(later) == {"checkpoints": "kept checkpoint 3: is not among the 2 of the bundle"}


async def test_a_chain_sealed_and_signed_anew_is_told_by_key_or_checkpoint(file: Played, tmp_path: Path) -> None:
    """Whoever rewrites everything with a key of their own is consistent; who kept anything sees it, and where."""
    bundle, _ = await file.bundle()
    members = unzipped(bundle)
    events = rechained(members, 5, lambda said: {**said, "actor": "somebody-else"})
    changed = with_events(members, events)
    forged = signed_anew(members, changed, FOREIGN)
    kept = tuple(document_of(one) for one in file.checkpoints)
    cases = [Changed(resummed(members, changed)), Changed(forged), Changed(forged, keys=(KEY,))]
    cases += [Changed(forged, kept=(one,)) for one in kept]
    cases += [Changed(signed_anew(members, changed, FOREIGN, from_number=3))]
    rechain, alone, by_key, *by_checkpoint, late = await asyncio.to_thread(checked, tmp_path, bundle, cases)
    assert broken(rechain)["inclusion"] == "checkpoint 1: its root is not of these events"
    assert broken(alone) == {}
    assert broken(by_key) == {"checkpoints": "checkpoint 3: its key is not one that you know"}
    assert [broken(one) for one in by_checkpoint] == [
        {"checkpoints": f"kept checkpoint {number}: is not among the 3 of the bundle"} for number in (1, 2, 3)
    ]
    assert broken(late)["checkpoints"] == "checkpoint 3: its new key: its signature does not hold"


async def test_a_consistent_forgery_is_told_by_what_rights_and_decisions_rest_on(file: Played, tmp_path: Path) -> None:
    """Everything sealed and signed anew, by whoever has a key: the register and the chain of approval contradict."""
    bundle, _ = await file.bundle()
    members = unzipped(bundle)
    events = [json.loads(line) for line in members["events.jsonl"].splitlines()]
    first, last = (one["seq"] for one in events if one["type"] == "StepSigned")
    [decision] = [one["seq"] for one in events if one["type"] == "DecisionIssued"]
    tenure_of = events[last - 1]["data"]["right"]["tenure"]
    entries = [json.loads(line)["entry"] for line in members["registers.jsonl"].splitlines()]
    [entry] = [one["seq"] for one in entries if one["command_id"] == tenure_of]

    def forged(seq: int, **other: str) -> Changed:
        def change(said: dict[str, Any]) -> dict[str, Any]:
            return {**said, "data": said["data"] | {"right": said["data"]["right"] | other}}

        return Changed(signed_anew(members, with_events(members, rechained(members, seq, change)), FOREIGN))

    cases = [forged(last, organisation="elsewhere"), forged(first, tenure="ten_nobody")]
    cases.append(forged(last, position="president"))
    place, tenure, position = await asyncio.to_thread(checked, tmp_path, bundle, cases)
    by = f"event {last}: its right is not by the register (entry {entry} of the register tenures: "
    assert broken(place) == {"rights": f"{by}organisation)"}
    none = f"event {first}: its right is not by the register (the register tenures has no ten_nobody then)"
    assert broken(tenure) == {"rights": none}
    assert broken(position) == {
        "rights": f"{by}position)",
        "sign_offs": f"sign-off of event {last}: position_differs",
        "decisions": f"decision of event {decision}: vice_president has not signed",
    }


async def test_ten_changes_are_told_with_their_place(file: Played, tmp_path: Path) -> None:
    """Ten of the cases that `make faults` enumerates: one of each kind."""
    bundle, _ = await file.bundle(documents=True)
    starts = (
        "events.jsonl 5 actor", "events.jsonl 9 data.digest", "delete event 7", "swap events 3 and 4", "cut behind",
        "archive.json 1 runs.0.digest", "dossiers/001.json 1 parts.0.content", "checkpoints.jsonl 2 root",
        "proofs/inclusion.jsonl 2 added", "verify.py flipped, manifest too",
    )  # fmt: skip
    every = list(every_case(unzipped(bundle)))
    cases = [next(case for case in every if case.name.startswith(start)) for start in starts]
    assert await asyncio.to_thread(undetected, bundle, cases, tmp_path) == []
