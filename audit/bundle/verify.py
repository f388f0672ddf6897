"""Check an evidence bundle of one delegation, offline: `python verify.py BUNDLE.zip [--checkpoint FILE] [--key KEY]`.

BUNDLE is the zip or the folder it was unpacked to (left out: where this file is). Needs Python 3.11, `cryptography`.
FILE is a checkpoint (JSON) that was kept apart from the installation, KEY its public key in base64url; both may be
repeated. Without any, the key is the bundle's own word: it is whole then, but nobody knows who made it. One line a
check; exit 0 = all hold, 1 = one does not, 2 = nothing could be checked. Digest = SHA-256; JSON is canonical (RFC 8785):
  manifest.json      digests of all other members, and the head; signed (Ed25519) with the key of the last checkpoint
  events.jsonl       `hash` = digest of an event without it; `prev_hash` = `hash` of the event before, for event 1 the
                     digest of {"delegation": its id, "legation": 1}; so are the entries in registers.jsonl
  histories/         what the workflow engine recorded: payloads readable, with digests of their octets as archived
                     (ciphertext where `sealed`). Its decisions bring forth the events. archive.json has the runs
  dossiers/          what was submitted for signing: its digest is over [[part, commitment], ...]
  documents.json     files that events name by digest; where asked for, they stand in documents/DIGEST, and texts in
                     openings.json with the salts that open their commitments: digest of salt and text
  sign-offs.json     who signed which dossier; keys/ has the public keys (COSE) of the passkeys (WebAuthn Level 2)
  checkpoints.jsonl  signed roots of the Merkle tree (RFC 9162, 2.1) over all events of all delegations; `prev` =
                     digest of the one before, whose key endorses a new one
  proofs/inclusion.jsonl  what each checkpoint added, in order: events of this bundle by number, all else as hashes of
                     complete subtrees. So every root can be computed, and the tree is seen to grow only
"""

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

ACTS = {"StepSigned": "sign_off", "StepReturned": "return_step", "StepRejected": "reject_step"}
ACTS |= {"ReportAccepted": "accept_report", "ReportReturned": "return_report"}
MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
ZERO = "0" * 64
Json = Any


def require(holds: object, place: str, reason: str) -> None:
    if not holds:
        raise ValueError(f"{place}: {reason}")


def require_signature(place: str, key: Any, signature: str, content: bytes, *how: Any) -> None:
    try:
        key = ed25519.Ed25519PublicKey.from_public_bytes(octets(key)) if isinstance(key, str) else key
        key.verify(octets(signature), content, *how)
    except (*MALFORMED, InvalidSignature):
        require(False, place, "its signature does not hold")


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def octets(text: str) -> bytes:
    content = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    require(base64.urlsafe_b64encode(content).decode().rstrip("=") == text, text, "is not as base64url is written")
    return content


def canonical(value: Json, *, without: str = "") -> bytes:
    value = {name: part for name, part in value.items() if name != without} if without else value
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()


def passkey(cose: bytes) -> Any:
    """A passkey's public key (RFC 9053, as CTAP2 writes it), and how signatures are made with it."""
    if cose.startswith(b"\xa5\x01\x02\x03\x26"):
        x, y = (int.from_bytes(part, "big") for part in (cose[10:42], cose[45:77]))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key(), (ec.ECDSA(SHA256()),)
    if cose.startswith(b"\xa4\x01\x03\x03\x39\x01\x00"):
        modulus, exponent = (int.from_bytes(part, "big") for part in (cose[11:-5], cose[-3:]))
        return rsa.RSAPublicNumbers(exponent, modulus).public_key(), (padding.PKCS1v15(), SHA256())
    return ed25519.Ed25519PublicKey.from_public_bytes(cose[10:42]), ()


def commitment(content: Json) -> str:
    """A file enters a dossier by its digest, people and texts by their own commitments."""
    if isinstance(content, dict):
        if "attachment" in content:
            return str(content["attachment"]["digest"])
        content = {name: part["commitment"] if "ref" in (part or "") else part for name, part in content.items()}
    return digest(canonical(content))


def hash_of(event: Json, place: str) -> str:
    require(event["hash"] == digest(canonical(event, without="hash")), place, "its content is not what was sealed")
    return str(event["hash"])


class Bundle:
    """The members of a bundle by name, and the checks: each returns what it found, or raises with the place."""

    def __init__(self, path: Path, kept: list[Json], keys: list[str]) -> None:
        self.kept, self.keys = kept, keys
        if path.is_dir():
            files = [file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts]
            self.members = {file.relative_to(path).as_posix(): file.read_bytes() for file in files}
        else:
            with zipfile.ZipFile(path) as archive:
                self.members = {name: archive.read(name) for name in archive.namelist()}
                require(len(self.members) == len(archive.namelist()), str(path), "a member stands twice in it")

    def lines(self, name: str) -> list[Json]:
        """The values of a member, a line each, taken only in canonical form."""
        require(name in self.members, f"member {name}", "is missing")
        *lines, rest = self.members[name].split(b"\n")
        require(lines and not rest, f"member {name}", "its last line is cut")
        values = [json.loads(line) for line in lines]
        for number, (line, value) in enumerate(zip(lines, values, strict=True), 1):
            require(canonical(value) == line, f"{name} line {number}", "is not canonical JSON")
        return values

    def json(self, name: str) -> Json:
        return self.lines(name)[0]

    def only(self, folder: str, names: set[str]) -> None:
        other = min(names ^ {name for name in self.members if name.startswith(folder)}, default="")
        require(not other, f"member {other}", "is missing, or nothing names it")

    def manifest(self) -> str:
        manifest, last = self.json("manifest.json"), self.lines("checkpoints.jsonl")[-1]
        self.only("", {"manifest.json"} | {member["name"] for member in manifest["members"]})
        for member in manifest["members"]:
            content = self.members[member["name"]]
            same = (len(content), digest(content)) == (member["size"], member["sha256"])
            require(same, f"member {member['name']}", "is not what the manifest says")
        signed = canonical(manifest, without="signature")
        require_signature("manifest.json", last["public_key"], manifest["signature"], signed)
        return f"{len(manifest['members'])} members, as signed"

    def chain(self) -> str:
        manifest, events = self.json("manifest.json"), self.lines("events.jsonl")
        before = digest(canonical({"delegation": manifest["delegation"], "legation": 1}))
        for number, event in enumerate(events, 1):
            require(event["seq"] == number, f"event {number}", f"event {event['seq']} stands in its place")
            require(event["prev_hash"] == before, f"event {number}", "does not carry the hash of the event before")
            before = hash_of(event, f"event {number}")
        require(manifest["head"] == {"hash": before, "seq": len(events)}, f"event {len(events)}", "is not the head")
        return f"{len(events)} events of {manifest['delegation']}, none missing"

    def histories(self) -> str:
        runs, decided = self.json("archive.json")["runs"], list[Json]()
        names = {f"histories/{run['first_seq']:06}-{run['run_id']}.json": run for run in runs}
        self.only("histories/", set(names))
        for name, run in names.items():
            history = self.json(name)
            good = (history["run_id"], run["first_seq"]) == (run["run_id"], len(decided) + 1)
            require(good, name, "is another run, or one before it is missing")
            for number, event in enumerate(history["events"], 1):
                place = f"{name} history event {number}"
                require(event["eventId"] == str(number), place, "is missing")
                json.loads(canonical(event), object_hook=lambda part, at=place: self.payload(part, at))
                made = self.decision(event)
                # What was not applied was made again under the same numbers, or stands behind its run's last event.
                decided[made[0]["seq"] - 1 if made else len(decided) :] = made
            del decided[run["last_seq"] :]
        events = self.lines("events.jsonl")
        pairs = enumerate(zip_longest(events, decided), 1)
        wrong = min((number for number, (event, recorded) in pairs if event != recorded), default=0)
        require(not wrong, f"event {wrong}", "is not as the history recorded it")
        entries = [line["entry"] for line in self.lines("registers.jsonl") if line["register"] == "archive"]
        said = {entry["data"]["after"]["run_id"]: entry["data"]["after"] for entry in entries}
        wrong = [run["run_id"] for run in runs if run != said.get(run["run_id"], {**run, "digest": None})]
        require(not wrong, f"run {wrong}", "is not as the register of the archive says")
        return f"{len(runs)} runs decided exactly these events, {len(said)} of them archived"

    def payload(self, part: Json, place: str) -> None:
        require(not {"data", "metadata"} <= set(part), place, "a payload has no digest")
        if "archived_sha256" in part:
            plain = part["text"].encode() if "text" in part else base64.b64decode(part["base64"], validate=True)
            good = len(part["archived_sha256"]) == 64 and (part["sealed"] or digest(plain) == part["archived_sha256"])
            require(good, place, "a payload is not what was archived")

    def decision(self, event: Json) -> Json:
        details = event.get("markerRecordedEventAttributes", {}).get("details", {})
        said = [json.loads(details[name]["payloads"][0]["text"]) for name in ("data", "result") if name in details]
        return said[1].get("events", []) if len(said) == 2 and said[0].get("activity_type") == "decide" else []

    def dossiers(self) -> str:
        submitted = [one for one in self.lines("events.jsonl") if one["type"].endswith("Submitted")]
        names = {f"dossiers/{event['data']['proposal']:03}.json": event for event in submitted}
        self.only("dossiers/", set(names))
        for name, event in names.items():
            dossier, data = self.json(name), event["data"]
            parts, told = ([[one["part"], one["commitment"]] for one in of["parts"]] for of in (data, dossier))
            require(parts == told and dossier["seq"] == event["seq"], name, "is not what was submitted")
            require(digest(canonical(parts)) == data["digest"] == dossier["digest"], name, "has another digest")
            for part in dossier["parts"]:
                good = part["content"] is None or commitment(part["content"]) == part["commitment"]
                require(good, f"{name} part {part['part']}", "is not what was committed to")
        return f"{len(submitted)} dossiers are what their digests say"

    def documents(self) -> str:
        written, listed = self.members["events.jsonl"], self.json("documents.json")["items"]
        enclosed = [name for name in sorted(self.members) if name.startswith("documents/")]
        openings = self.json("openings.json")["items"] if "openings.json" in self.members else []
        for one in listed:
            require(one["digest"].encode() in written, f"document {one['digest']}", "is named by no event")
        for name in enclosed:
            good = digest(self.members[name]) == name[10:] and name[10:].encode() in written
            require(good, f"member {name}", "is not what an event names")
        for one in openings:
            opened = digest(bytes.fromhex(one["salt"]) + one["text"].encode())
            good = opened == one["commitment"] and opened.encode() in written
            require(good, f"text {one['ref']}", "opens no commitment of an event")
        return f"{len(listed)} named, {len(enclosed)} enclosed, {len(openings)} texts opened"

    def sign_offs(self) -> str:
        said = list[Json]()
        for event in (one for one in self.lines("events.jsonl") if one["type"] in ACTS):
            proof = event["data"].get("proof", {}).get("signature")
            key = self.signature(event, proof, f"sign-off of event {event['seq']}") if proof else None
            said.append([event["seq"], event["actor"], event["data"]["digest"], "signed" if key else "vouched", key])
        told = [one for one in self.json("sign-offs.json")["items"] if "carried_from" not in one]
        same = said == [[one.get(name) for name in ("seq", "actor", "digest", "verdict", "key")] for one in told]
        require(same, "sign-offs.json", "says something else than the events")
        self.only("keys/", {f"keys/{one[-1]}.cose" for one in said if one[-1]})
        return f"{len(said)} sign-offs, {sum(bool(one[-1]) for one in said)} by passkey over the digest of the dossier"

    def signature(self, event: Json, proof: Json, place: str) -> str:
        """Check a passkey's signature (WebAuthn Level 2, section 7.2); return the digest of its public key."""
        client_data, data, key = (octets(proof[name]) for name in ("client_data", "authenticator_data", "public_key"))
        said = json.loads(client_data)
        statement = json.loads(octets(said["challenge"]))
        asked = {"act": ACTS[event["type"]], "delegation": self.json("manifest.json")["delegation"]}
        asked |= {"digest": event["data"]["digest"], "step": event["data"].get("step_id", "report")}
        same = said["type"] == "webauthn.get" and statement == asked | {"nonce": statement["nonce"]}
        require(same and data[32] & 4, place, "the passkey signed something else, or nobody was verified")
        labels = said["origin"].split("//")[1].partition("/")[0].partition(":")[0].split(".")
        parties = [digest(".".join(labels[first:]).encode()) for first in range(len(labels))]
        require(data[:32].hex() in parties, place, "the passkey was made for another site")
        require(self.members.get(f"keys/{digest(key)}.cose") == key, place, "its public key is not in keys/")
        public_key, how = passkey(key)
        require_signature(place, public_key, proof["signature"], data + bytes.fromhex(digest(client_data)), *how)
        return digest(key)

    def inclusion(self) -> str:
        leaves = {(self.json("manifest.json")["delegation"], one["seq"]): one for one in self.lines("events.jsonl")}
        for line in self.lines("registers.jsonl"):
            stream, seq = f"register:{line['register']}", line["entry"]["seq"]
            hash_of(line["entry"], f"event {seq} of {stream}")
            leaves[stream, seq] = line["entry"]
        peaks, size = list[tuple[int, str]](), 0
        for checkpoint, line in zip(self.lines("checkpoints.jsonl"), self.lines("proofs/inclusion.jsonl"), strict=True):
            place = f"checkpoint {checkpoint['number']}"
            for one in line["added"]:
                if "stream" in one:
                    event = leaves.pop((one["stream"], one["seq"]), {"hash": "missing in the bundle"})
                    one = {"level": 0, "hash": digest(b"\x00" + canonical(one | {"hash": event["hash"]}))}
                level, node = one["level"], one["hash"]
                require(size % 2**level == 0, place, "its proof does not fit the tree")
                size += 2**level
                while peaks and peaks[-1][0] == level:
                    level, node = level + 1, digest(b"\x01" + bytes.fromhex(peaks.pop()[1] + node))
                peaks.append((level, node))
            root = peaks[-1][1]
            for _, peak in reversed(peaks[:-1]):
                root = digest(b"\x01" + bytes.fromhex(peak + root))
            same = (checkpoint["size"], checkpoint["root"]) == (size, root)
            require(same, place, "its root is not that of these events and of what stood before")
        require(not leaves, f"event {min((seq for _, seq in leaves), default=0)}", "is in no checkpoint")
        return "every event is in the tree of the last checkpoint, which contains those of all before"

    def checkpoints(self) -> str:
        chain, before, known = self.lines("checkpoints.jsonl"), None, False
        for one in self.kept:
            same = chain[one["number"] - 1 : one["number"]] == [one]
            require(same, f"kept checkpoint {one['number']}", f"is not among the {len(chain)} of this bundle")
        for number, one in enumerate(chain, 1):
            place, key, prev = f"checkpoint {number}", one["public_key"], digest(canonical(before)) if before else ZERO
            good = (one["number"], one["prev"], one["origin"]) == (number, prev, chain[0]["origin"])
            require(good and one["key_id"] == digest(octets(key))[:16], place, "does not carry on from the one before")
            require_signature(place, key, one["signature"], canonical(one, without="signature"))
            if before and before["public_key"] != key:
                new = b"legation checkpoint key\x00" + octets(key)
                require_signature(f"{place}, key", before["public_key"], one.get("endorsement"), new)
            known, before = known or key in self.keys or one in self.kept, one
        require(known or not self.kept + self.keys, f"checkpoint {len(chain)}", "its key is not one that you know")
        whose = "a key that you know" if known else "a key that ONLY THIS BUNDLE says is the installation's"
        return f"{len(chain)} checkpoints, signed with {whose}; {len(self.kept)} kept ones are among them"

    def verify(self) -> list[tuple[str, bool, str]]:
        """Each check on its own: its name, whether it holds, and what was found."""
        found = []
        checks = (self.manifest, self.chain, self.histories, self.dossiers, self.documents, self.sign_offs)
        for check in (*checks, self.inclusion, self.checkpoints):
            try:
                found.append((check.__name__, True, check()))
            except MALFORMED as error:
                found.append((check.__name__, False, str(error) if type(error) is ValueError else repr(error)))
        return found


def main() -> int:
    parser = argparse.ArgumentParser(description="Check an evidence bundle offline.")
    parser.add_argument("bundle", nargs="?", type=Path, default=Path(__file__).parent)
    parser.add_argument("--checkpoint", action="append", default=[], type=Path, metavar="FILE")
    parser.add_argument("--key", action="append", default=[])
    asked = parser.parse_args()
    try:
        bundle = Bundle(asked.bundle, [json.loads(file.read_bytes()) for file in asked.checkpoint], asked.key)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        parser.error(f"nothing could be checked: {error}")
    found = bundle.verify()
    sys.stdout.writelines(f"{'ok ' if good else 'BAD'} {name:12} {said}\n" for name, good, said in found)
    return int(not all(good for _, good, _ in found))


if __name__ == "__main__":
    sys.exit(main())
