"""Check an evidence bundle of one delegation, offline: `python verify.py BUNDLE.zip [--checkpoint FILE] [--key KEY]`.

BUNDLE is the zip or the folder it was unpacked to (this one if left out). Needs Python 3.11 and `cryptography`. FILE is
a checkpoint (JSON) kept apart from the installation, KEY its public key in base64url; without any, the key is the
bundle's own word: then it is whole, but who made it is not known. One line a check; exit 0 = all hold, 1 = one does
not, 2 = nothing could be checked. Digest = SHA-256, JSON is canonical (RFC 8785)
  manifest.json     digests of all other members, and the head; signed (Ed25519) with the key of the last checkpoint
  events.jsonl      `hash` = digest of an event without it; `prev_hash` = `hash` of the event before, for event 1 the
                    digest of {"delegation": its id, "legation": 1}; so are the entries in registers.jsonl
  histories/        what the workflow engine recorded: payloads readable, with digests of their octets as archived
                    (ciphertext where `sealed`). Its decisions bring forth the events. archive.json has the runs
  dossiers/         what was submitted for signing: its digest is over [[part, commitment], ...]. sign-offs.json has who
                    signed it, keys/ the public keys (COSE) of the passkeys (WebAuthn Level 2). registers.jsonl has
                    what the registers said of the tenures and leave by which they signed
  documents.json    files that events name by digest; where asked for, they stand in documents/DIGEST, and texts in
                    openings.json with the salts that open their commitments: digest of salt and text
  checkpoints.jsonl signed roots of the Merkle tree (RFC 9162, 2.1) over all events of all delegations; `prev` = digest
                    of the one before, whose key endorses a new one. proofs/inclusion.jsonl: what each added, in order:
                    events of this bundle by number, all else as hashes of complete subtrees. It is seen to grow only
"""

import argparse
import base64
import hashlib
import json
import sys
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

STEP_ACTS = {"StepSigned": "sign_off", "StepReturned": "return_step", "StepRejected": "reject_step"}
ACTS = STEP_ACTS | {"ReportAccepted": "accept_report", "ReportReturned": "return_report"}
CHECKS = "manifest chain histories dossiers documents sign_offs rights decisions inclusion checkpoints"
SAME_DESK = ("id", "position", "positions", "needed", "external", "prefix")
CLOCKS = timedelta(minutes=5)  # how far the clocks of those who seal events and registers may lie apart
MALFORMED = (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError)
Json = Any


def require(holds: object, place: str, reason: str) -> None:
    if not holds:
        raise ValueError(f"{place}: {reason}")


def require_signature(place: str, signature: str, content: bytes, key: Any, *how: Any) -> None:
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


def passkey(cose: bytes) -> tuple[Any, ...]:
    """A passkey's public key (RFC 9053, as CTAP2 writes it), and how signatures are made with it."""
    if cose.startswith(b"\xa5\x01\x02\x03\x26"):
        x, y = (int.from_bytes(part, "big") for part in (cose[10:42], cose[45:77]))
        return ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key(), ec.ECDSA(SHA256())
    if cose.startswith(b"\xa4\x01\x03\x03\x39\x01\x00"):
        modulus, exponent = (int.from_bytes(part, "big") for part in (cose[11:-5], cose[-3:]))
        return rsa.RSAPublicNumbers(exponent, modulus).public_key(), padding.PKCS1v15(), SHA256()
    return (ed25519.Ed25519PublicKey.from_public_bytes(cose[10:42]),)


def commitments(content: Json) -> tuple[str, ...]:
    """What a content may be committed to by: a file of before by its digest, people and texts by their commitments."""
    for name, part in list(content.items()) if isinstance(content, dict) else ():
        if isinstance(part, dict) and "ref" in part:
            content = content | {name: part["commitment"]}
    whole = digest(canonical(content))
    return (whole, content["attachment"]["digest"]) if "attachment" in content else (whole,)


def parts_hold(data: Json) -> bool:
    """Whether a dossier's digest is that of its parts; a report has none."""
    parts = data.get("parts")
    told = [[one["part"], one["commitment"]] for one in parts or ()]
    return parts is None or digest(canonical(told)) == str(data["digest"])


def seen(data: Json, kinds: list[str]) -> set[tuple[str, str]]:
    """The parts of a dossier that a step looks at: those of these kinds, of none all."""
    parts = [(one["part"], one["commitment"]) for one in data["parts"]]
    return {one for one in parts if not kinds or one[0].partition(":")[0] in kinds}


class Dossier:
    """What was submitted, with who signed which step of it."""

    def __init__(self, data: Json) -> None:
        self.data, self.good = data, parts_hold(data)
        self.plans: dict[str, Json] = {plan["id"]: plan for plan in data["steps"]}
        self.signed: dict[str, list[Json]] = {step: [] for step in self.plans}
        self.void, self.refused, self.over, self.rejected = set[str](), False, False, False

    def full(self, step: str) -> bool:
        return len(self.signed[step]) >= (self.plans[step].get("needed") or 1)

    def pending(self) -> bool:
        return not (self.over or self.refused or all(self.full(step) and step not in self.void for step in self.plans))

    def open(self, step: str) -> bool:
        """Whether it is a step's turn: it is of the first stage that is not signed as a whole."""
        first = next((plan for one, plan in self.plans.items() if not self.full(one)), None)
        if first is None or step not in self.plans or self.refused or self.full(step):
            return False
        return bool(first["id"] == step or first.get("stage") == self.plans[step].get("stage") is not None)

    def missing(self) -> str:
        """The first step without enough signatures that stand."""
        for step, plan in self.plans.items():
            good = [one for one in self.signed[step] if not one["why"]]
            if step in self.void or len(good) < (plan.get("needed") or 1):
                return step
        return ""


def told(value: Json) -> Json:
    """A value without the fields that say nothing."""
    return {name: part for name, part in value.items() if part is not None} if isinstance(value, dict) else value


def positions_of(plan: Json) -> list[str]:
    positions: list[str] = plan.get("positions") or [plan["position"]]
    return [] if plan.get("external") else positions


class Approvals:
    """Follows a trail, event by event: each answer, signature carried over and decision, and why it does not stand."""

    def __init__(self) -> None:
        self.proposal: Dossier | None = None
        self.change: Dossier | None = None
        self.approved: Dossier | None = None
        self.dossiers, self.reports, self.report = dict[str, bool](), dict[str, bool](), dict[str, Json]()

    def take(self, event: Json) -> Iterator[tuple[str, Json, str]]:
        """Yield `answer`, `carried` or `decision`, what it is about, and why it does not stand: "" where it does."""
        kind, data = event["type"], event["data"]
        if kind in ("RequestSubmitted", "ChangeSubmitted"):
            for one, why in self.submitted(kind, Dossier(data)):
                yield "carried", one, why
        elif kind == "ReportFiled":
            self.report, self.reports[data["digest"]] = data, parts_hold(data)
        elif kind in ("ReportAccepted", "ReportReturned"):
            yield "answer", data, self.reviewed(data)
        elif kind in STEP_ACTS or kind == "ExternalDecisionRecorded":
            yield "answer", data, self.answered(event)
        elif kind == "DecisionIssued":
            yield "decision", data, self.decided(data)
        elif kind == "SignaturesVoided":
            for one in (self.proposal, self.change):
                if one and one.data["proposal"] == data["proposal"]:
                    one.void.update(data["steps"])
        elif kind in ("ChangeSuperseded", "RequestWithdrawn", "DelegationResumed"):
            ended = {"ChangeSuperseded": [self.change], "RequestWithdrawn": [self.proposal]}
            for one in ended.get(kind, [self.proposal, self.change, self.approved]):
                if one:
                    one.over = True

    def submitted(self, kind: str, new: Dossier) -> Iterator[tuple[Json, str]]:
        self.dossiers[new.data["digest"]], request = new.good, kind == "RequestSubmitted"
        if request:
            before, self.proposal, self.change, self.approved = self.proposal, new, None, None
        else:
            before = self.approved if self.change is None or self.change.rejected else self.change
            self.change = new
        stands = before and not before.over if request else before
        for one in new.data.get("carried", ()):
            why = self.carried(one, before, new, request=request) if before and stands else "carried_from_nothing"
            new.signed.setdefault(one["step_id"], []).append(one | {"why": why})
            yield one, why

    def carried(self, one: Json, before: Dossier, now: Dossier, *, request: bool) -> str:
        """Why a signature does not stand for a later dossier: every reason for which it would be asked for again."""
        step = one["step_id"]
        known = [
            given
            for given in before.signed.get(step, [])
            if all(given.get(name) == one.get(name) for name in ("by", "at", "digest", "proposal"))
        ]
        if not known or step not in now.plans or (before.data["chain"] != now.data["chain"] and request):
            return "carried_from_nothing"
        then, plan, looks = before.plans[step], now.plans[step], now.plans[step].get("looks_at", [])
        saw = then.get("looks_at", [])
        saw_all = not saw or (bool(looks) and set(looks) <= set(saw))
        same = then == plan if request else saw_all and all(then.get(name) == plan.get(name) for name in SAME_DESK)
        if known[0]["why"]:
            return str(known[0]["why"])
        if step in before.void:
            return "carried_void"
        if any(told(known[0].get(name)) != told(one.get(name)) for name in ("right", "external", "factor")):
            return "carried_differs"
        if not same:
            return "plan_differs"
        return "" if seen(before.data, looks) == seen(now.data, looks) else "parts_changed"

    def answered(self, event: Json) -> str:
        kind, data, external = event["type"], event["data"], event["type"] == "ExternalDecisionRecorded"
        current = self.change if self.change and self.change.pending() else self.proposal
        step, right = data["step_id"], data.get("right") or {"position": "external_authority"}
        if current is None or data["digest"] not in self.dossiers:
            return "digest_unknown"
        why = "" if self.dossiers[data["digest"]] else "parts_differ"
        if not why and (data["digest"] != current.data["digest"] or current.over):
            why = "superseded"
        plan = current.plans.get(step)
        if plan is None or not current.open(step) or bool(plan.get("external")) != external:
            return why or "step_not_open"
        taken = {one["right"]["position"] for one in current.signed[step]}
        if not why and not external and right["position"] not in set(positions_of(plan)) - taken:
            why = "position_differs"
        if kind != "StepSigned" and data.get("outcome") != "approved":
            current.refused = True
            current.rejected = kind == "StepRejected" or data.get("outcome") == "rejected"
            return why
        proof = data.get("proof") or {}
        given = {"by": event["actor"], "at": event["at"], "digest": data["digest"], "right": right, "why": why}
        given |= {"proposal": current.data["proposal"]}
        factor = "passkey_signature" if proof.get("signature") else proof.get("factor")
        given |= {"factor": factor} if factor else {}
        letter = {name: data[name] for name in ("authority", "reference", "dated", "letter")} if external else None
        current.signed[step].append(given | ({"external": letter} if letter else {}))
        if current is self.change and not current.pending():
            self.change, self.approved = None, current
        return why

    def reviewed(self, data: Json) -> str:
        if data["digest"] not in self.reports or not self.reports[data["digest"]]:
            return "parts_differ" if data["digest"] in self.reports else "digest_unknown"
        plans = reversed(self.proposal.data["steps"]) if self.proposal else ()
        last = next((plan for plan in plans if not plan.get("external")), {"position": ""})
        review: Json = self.report.get("review") or last
        if data["digest"] != self.report["digest"]:
            return "superseded"
        known = not data.get("right") or data["right"]["position"] in positions_of(review)
        return "" if known else "position_differs"

    def decided(self, data: Json) -> str:
        stands = self.proposal if self.proposal and not self.proposal.over else None
        self.approved = self.proposal
        if stands is None or data["digest"] != stands.data["digest"] or not stands.good:
            return "it is on another dossier than the one that was submitted last"
        return f"{stands.missing()} has not signed" if stands.missing() else ""


def then(versions: list[Json], at: str) -> Iterator[Json]:
    """Those entries of a register's row that were its last around an instant. What was found was so before."""
    now = datetime.fromisoformat(at)
    for entry, following in zip_longest(versions, versions[1:]):
        begun = entry["type"].endswith("_found") or datetime.fromisoformat(entry["at"]) <= now + CLOCKS
        if begun and (following is None or datetime.fromisoformat(following["at"]) >= now - CLOCKS):
            yield entry


def lacking(register: str, name: str | None, wanted: Json, log: dict[str, list[Json]], at: str, *, timed: bool) -> str:
    """What a register does not say of a row at an instant, and by which entry."""
    versions, nearest = log.get(name or "", []), (9, f"the register {register} has no {name} then")
    for entry in then(versions, at) if timed else versions:
        said = entry["data"].get("after") or {"since": "9"}
        other = [field for field, value in wanted.items() if field != "positions" and said.get(field) != value]
        named = said.get("positions") or []
        other += ["positions"] if named and wanted.get("positions") not in named else []
        ends = (said.get("until") or "9", said.get("revoked_at") or "9")
        other += [] if said["since"] <= at < min(ends) else ["period"]
        if not other:
            return ""
        nearest = min(nearest, (len(other), f"entry {entry['seq']} of the register {register}: {', '.join(other)}"))
    return nearest[1]


def not_by_register(event: Json, log: dict[str, list[Json]], *, timed: bool) -> str:
    """Why the logs of tenures and leave do not bear out the right of an event; "" if they do, or it names none.

    `log` has entries by the row they tell of. `timed`: events and registers go by one clock; else every entry counts.
    """
    right, actor, at = event["data"]["right"], event["actor"], event["at"]
    if not any(right.get(name) for name in ("tenure", "leave", "on_behalf_of")):
        return ""
    holder = right.get("on_behalf_of") or actor
    held = {"account": holder, "position": right["position"], "organisation": right.get("organisation")}
    held |= {"since": right.get("held_since")}
    if right.get("account") != actor:
        return "it is another account's"
    if wrong := lacking("tenures", right.get("tenure"), held, log, at, timed=timed):
        return wrong
    if not right.get("leave") and not right.get("on_behalf_of"):
        return ""
    away = {"account": holder, "substitute": actor, "positions": right["position"]}
    return lacking("leaves", right.get("leave"), away, log, at, timed=timed)


class Bundle:
    """The members of a bundle by name, and the checks: each returns what it found, or raises with the place."""

    def __init__(self, path: Path, kept: list[Json], keys: list[str]) -> None:
        self.kept, self.keys = kept, keys
        if path.is_dir():
            files = (file for file in path.rglob("*") if file.is_file())
            self.members = {file.relative_to(path).as_posix(): file.read_bytes() for file in files}
        else:
            with zipfile.ZipFile(path) as archive:
                self.members = {name: archive.read(name) for name in archive.namelist()}
                require(len(self.members) == len(archive.namelist()), "the zip", "a member stands in it twice")

    def lines(self, name: str) -> list[Json]:
        """The values of a member, a line each, taken only in canonical form."""
        require(name in self.members, f"member {name}", "is missing")
        *lines, rest = self.members[name].split(b"\n")
        values = [json.loads(line) for line in lines]
        require(not rest, f"member {name}", "its last line is cut")
        for number, (line, value) in enumerate(zip(lines, values, strict=True), 1):
            require(canonical(value) == line, f"{name} line {number}", "is not canonical JSON")
        return values

    def json(self, name: str) -> Json:
        return self.lines(name)[0]

    def only(self, folder: str, names: set[str]) -> None:
        other = min(names ^ {name for name in self.members if name.startswith(folder)}, default="")
        require(not other, f"member {other}", "is missing, or nothing names it")

    def manifest(self) -> str:
        manifest, key = self.json("manifest.json"), self.lines("checkpoints.jsonl")[-1]["public_key"]
        self.only("", {"manifest.json"} | {member["name"] for member in manifest["members"]})
        for member in manifest["members"]:
            content = self.members[member["name"]]
            same = (len(content), digest(content)) == (member["size"], member["sha256"])
            require(same, f"member {member['name']}", "is not what the manifest says")
        require_signature("manifest.json", manifest["signature"], canonical(manifest, without="signature"), key)
        return f"{len(manifest['members'])} members, as signed"

    def chain(self) -> str:
        manifest, events = self.json("manifest.json"), self.lines("events.jsonl")
        before = digest(canonical({"delegation": manifest["delegation"], "legation": 1}))
        for number, event in enumerate(events, 1):
            require(event["seq"] == number, f"event {number}", f"event {event['seq']} stands in its place")
            require(event["prev_hash"] == before, f"event {number}", "does not carry the hash of the event before")
            before = digest(canonical(event, without="hash"))
            require(event["hash"] == before, f"event {number}", "its content is not what was sealed")
        require(manifest["head"] == {"hash": before, "seq": len(events)}, f"event {len(events)}", "is not the head")
        return f"{len(events)} events of {manifest['delegation']}, none missing"

    def histories(self) -> str:
        runs, events, decided = self.json("archive.json")["runs"], self.lines("events.jsonl"), list[Json]()
        names = {f"histories/{run['first_seq']:06}-{run['run_id']}.json": run for run in runs}
        self.only("histories/", set(names))
        for name, run in names.items():
            history = self.json(name)
            good = (history["run_id"], run["first_seq"]) == (run["run_id"], len(decided) + 1)
            require(good, name, "is another run, or one before it is missing")
            for number, event in enumerate(history["events"], 1):
                require(event["eventId"] == str(number), f"{name} history event {number}", "is missing")
                self.payloads(event, f"{name} history event {number}")
                made = self.decision(event)
                # What was not applied was made again under the same numbers, or stands behind its run's last event.
                decided[made[0]["seq"] - 1 if made else len(decided) :] = made
            del decided[run["last_seq"] :]
        for number, (event, recorded) in enumerate(zip_longest(events, decided), 1):
            require(event == recorded, f"event {number}", "is not as the history recorded it")
        entries = [one["entry"]["data"] for one in self.lines("registers.jsonl") if one["register"] == "archive"]
        said = [entry["after"] for entry in entries]
        require(said == [run for run in runs if run["digest"]], "archive.json", "is not what the register says")
        return f"{len(runs)} runs decided exactly these events, {len(said)} of them archived"

    def payloads(self, part: Json, place: str) -> None:
        if isinstance(part, dict) and "archived_sha256" in part:
            plain = part["text"].encode() if "text" in part else base64.b64decode(part["base64"], validate=True)
            good = len(part["archived_sha256"]) == 64 and (part["sealed"] or digest(plain) == part["archived_sha256"])
            require(good, place, "a payload is not what was archived")
        for one in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
            self.payloads(one, place)

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
                good = part["content"] is None or part["commitment"] in commitments(part["content"])
                require(good, f"{name} part {part['part']}", "is not what was committed to")
        return f"{len(submitted)} dossiers are what their digests say"

    def documents(self) -> str:
        written, listed = self.members["events.jsonl"], self.json("documents.json")["items"]
        openings = self.json("openings.json")["items"] if "openings.json" in self.members else []
        names = [name for name in self.members if name.startswith("documents/")]
        for name in [f"documents/{one['digest']}" for one in listed] + names:
            good = name[10:].encode() in written and (name not in names or digest(self.members[name]) == name[10:])
            require(good, name, "is not what an event names")
        for one in openings:
            opened = digest(bytes.fromhex(one["salt"]) + one["text"].encode())
            good = opened == one["commitment"] and opened.encode() in written
            require(good, f"text {one['ref']}", "opens no commitment of an event")
        return f"{len(listed)} files are named by events, {len(names)} enclosed; {len(openings)} texts opened"

    def sign_offs(self) -> str:
        said = list[Json]()
        for event in (one for one in self.lines("events.jsonl") if one["type"] in ACTS):
            proof = event["data"].get("proof", {}).get("signature")
            key = self.signature(event, proof, f"sign-off of event {event['seq']}") if proof else None
            said.append([event["seq"], event["actor"], event["data"]["digest"], "signed" if key else "vouched", key])
        for event, what, why in self.followed():
            require(what == "decision" or not why, f"sign-off of event {event['seq']}", why)
        told = [one for one in self.json("sign-offs.json")["items"] if "carried_from" not in one]
        same = said == [[one.get(name) for name in ("seq", "actor", "digest", "verdict", "key")] for one in told]
        require(same, "sign-offs.json", "says something else than the events")
        self.only("keys/", {f"keys/{one[-1]}.cose" for one in said if one[-1]})
        return f"{len(said)} sign-offs, {sum(bool(one[-1]) for one in said)} by passkey over the digest of the dossier"

    def signature(self, event: Json, proof: Json, place: str) -> str:
        """Check a passkey's signature (WebAuthn Level 2, section 7.2); return the digest of its public key."""
        client_data, data, key = (octets(proof[name]) for name in ("client_data", "authenticator_data", "public_key"))
        said, delegation = json.loads(client_data), self.json("manifest.json")["delegation"]
        statement, step = json.loads(octets(said["challenge"])), event["data"].get("step_id", "report")
        asked = {"act": ACTS[event["type"]], "delegation": delegation, "digest": event["data"]["digest"], "step": step}
        same = said["type"] == "webauthn.get" and statement | asked == statement
        require(same and data[32] & 4, place, "the passkey signed something else, or nobody was verified")
        labels = said["origin"].split("//")[1].partition("/")[0].partition(":")[0].split(".")
        parties = [digest(".".join(labels[first:]).encode()) for first in range(len(labels))]
        require(data[:32].hex() in parties, place, "the passkey was made for another site")
        require(self.members.get(f"keys/{digest(key)}.cose") == key, place, "its public key is not in keys/")
        require_signature(place, proof["signature"], data + bytes.fromhex(digest(client_data)), *passkey(key))
        return digest(key)

    def followed(self) -> Iterator[tuple[Json, str, str]]:
        approvals = Approvals()
        for event in self.lines("events.jsonl"):
            yield from ((event, what, why) for what, _, why in approvals.take(event))

    def rights(self) -> str:
        sealed, log, count = dict[int, str](), dict[str, list[Json]](), [0, 0]
        for checkpoint, line in zip(self.lines("checkpoints.jsonl"), self.lines("proofs/inclusion.jsonl"), strict=True):
            own = (one for one in line["added"] if one.get("stream") == self.json("manifest.json")["delegation"])
            sealed |= {one["seq"]: checkpoint["at"] for one in own}
        for line in self.lines("registers.jsonl"):
            if line["register"] in ("tenures", "leaves"):
                log.setdefault(line["entry"]["command_id"], []).append(line["entry"])
        for event in (one for one in self.lines("events.jsonl") if one["data"].get("right")):
            # A file whose clock was moved forward has events that are later than the checkpoint they are in.
            latest = datetime.fromisoformat(sealed[event["seq"]]) + CLOCKS
            timed = datetime.fromisoformat(event["at"]) <= latest
            wrong = not_by_register(event, log, timed=timed)
            require(not wrong, f"event {event['seq']}", f"its right is not by the register ({wrong})")
            count[not event["data"]["right"].get("tenure")] += 1
        return f"{count[0]} rights to sign were in force by the registers, {count[1]} name no tenure"

    def decisions(self) -> str:
        found = [(event, why) for event, what, why in self.followed() if what == "decision"]
        for event, why in found:
            require(not why, f"decision of event {event['seq']}", why)
        return f"{len(found)} decisions stand on every required signature of their dossier"

    def inclusion(self) -> str:
        leaves = {(self.json("manifest.json")["delegation"], one["seq"]): one for one in self.lines("events.jsonl")}
        for line in self.lines("registers.jsonl"):
            entry, place = line["entry"], f"entry {line['entry']['seq']} of the register {line['register']}"
            require(entry["hash"] == digest(canonical(entry, without="hash")), place, "is not what was sealed")
            leaves[f"register:{line['register']}", entry["seq"]] = entry
        peaks, size = list[tuple[int, str]](), 0
        for checkpoint, line in zip(self.lines("checkpoints.jsonl"), self.lines("proofs/inclusion.jsonl"), strict=True):
            place = f"checkpoint {checkpoint['number']}"
            for one in line["added"]:
                if "stream" in one:
                    event = leaves.pop((one["stream"], one["seq"]), None)
                    require(event, f"event {one['seq']} of {one['stream']}", f"is in {place}, not in the bundle")
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
            require([checkpoint["size"], checkpoint["root"]] == [size, root], place, "its root is not of these events")
        require(not leaves, f"event {min((seq for _, seq in leaves), default=0)}", "is in no checkpoint")
        return "every event is in the tree of the last checkpoint, which contains those of all before"

    def checkpoints(self) -> str:
        chain, before, known = self.lines("checkpoints.jsonl"), None, False
        for one in self.kept:
            require(one in chain, f"kept checkpoint {one['number']}", f"is not among the {len(chain)} of the bundle")
        for number, one in enumerate(chain, 1):
            place, key = f"checkpoint {number}", one["public_key"]
            good = one["number"] == number and one["prev"] == (digest(canonical(before)) if before else "0" * 64)
            require(good and one["key_id"] == digest(octets(key))[:16], place, "does not carry on from the one before")
            require_signature(place, one["signature"], canonical(one, without="signature"), key)
            if before and before["public_key"] != key:
                new_key = b"legation checkpoint key\x00" + octets(key)
                require_signature(f"{place}: its new key", one.get("endorsement"), new_key, before["public_key"])
            known, before = known or key in self.keys or one in self.kept, one
        require(known or not self.kept + self.keys, f"checkpoint {len(chain)}", "its key is not one that you know")
        whose = "a key that you know" if known else "a key that ONLY THIS BUNDLE says is the installation's"
        return f"{len(chain)} checkpoints, signed with {whose}; {len(self.kept)} kept ones are among them"

    def verify(self) -> Iterator[tuple[str, bool, str]]:
        """Yield, for each check on its own: its name, whether it holds, and what was found."""
        for name in CHECKS.split():
            try:
                yield name, True, getattr(self, name)()
            except MALFORMED as error:
                yield name, False, str(error) if type(error) is ValueError else repr(error)


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
    found = [(good, f"{'ok ' if good else 'BAD'} {name:12} {said}\n") for name, good, said in bundle.verify()]
    sys.stdout.writelines(line for _, line in found)
    return int(not all(good for good, _ in found))


if __name__ == "__main__":
    sys.exit(main())
