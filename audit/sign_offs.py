"""Who signed what, proven from the exported trail alone: `python -m audit.sign_offs < trail.jsonl`.

Nothing is asked of the installation: events carry the parts of the dossier, the statement that was signed, the
signature and the public key. What only a register could say (whose key it is) is the system's word, sealed with the
event. What an answer stands on is followed by the same code that every bundle carries (audit/bundle/verify.py).
"""

import hashlib
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, cast
from urllib.parse import urlsplit

from pydantic import ValidationError

from audit.bundle.verify import Approvals
from audit.cose import KeyUnreadable, holds, read_key
from domain.events import Right
from domain.seal import SealedEvent, genesis, verify_chain
from domain.signing import REPORT, PasskeySignature, Proof, SigningAct, Statement, octets
from domain.values import Digest, Fact, Factor, Instant

ACTS: Mapping[str, SigningAct] = {
    "StepSigned": "sign_off",
    "StepReturned": "return_step",
    "StepRejected": "reject_step",
    "ReportAccepted": "accept_report",
    "ReportReturned": "return_report",
}
"""The act of each event that is a sign-off."""

SUBMISSIONS = ("RequestSubmitted", "ChangeSubmitted")

USER_VERIFIED = 0x04
PARTY_OCTETS, FLAGS_AT, COUNT_END = 32, 32, 37
"""Authenticator data begin with the SHA-256 of the relying party's id, one octet of flags and a counter of four."""

Verdict = Literal["signed", "vouched", "broken"]
Reason = Literal[
    "chain_broken",
    "parts_differ",
    "digest_unknown",
    "proof_malformed",
    "statement_differs",
    "party_differs",
    "not_verified",
    "key_unreadable",
    "signature_invalid",
    "superseded",
    "step_not_open",
    "position_differs",
    "carried_from_nothing",
    "carried_void",
    "carried_differs",
    "plan_differs",
    "parts_changed",
]

BEFORE_THE_SIGNATURE = ("digest_unknown", "parts_differ")
"""What is said of a sign-off rather than that its signature does not hold."""


class SignOff(Fact):
    """One sign-off and what is proven of it.

    `signed`: by a passkey over the digest; `key` is the SHA-256 of its public key, `party` for whom it was made.
    `vouched`: the system's word that the signer was known by `factor` (none where it is older than such words).
    `broken`: for this `reason`. `carried_from` is the event of the signature that event `seq` carried over to a later
    proposal; its verdict holds for both.
    """

    seq: int
    act: SigningAct
    step: str
    digest: Digest
    actor: str
    at: str
    verdict: Verdict
    right: Right | None = None
    factor: Factor | None = None
    factor_at: Instant | None = None
    key: Digest | None = None
    party: str | None = None
    reason: Reason | None = None
    carried_from: int | None = None


class Unproven(Exception):
    """A signature or a dossier that does not hold."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason: Reason = reason


def sign_offs(
    events: Sequence[SealedEvent], *, party: str | None = None, verified: bool = False
) -> tuple[SignOff, ...]:
    """Return every sign-off of a delegation's whole trail, from event 1, with what is proven of it.

    `party` is the relying party's id (a host) that keys must have been made for; without one it is read from where the
    signer's browser said it was. From the first event that breaks the chain on, everything is broken; `verified` says
    that somebody has looked and none does.
    """
    if not events:
        return ()
    delegation = str(events[0].data.get("delegation"))
    unbroken = len(events) if verified else _unbroken(delegation, events)
    approvals, found = Approvals(), list[SignOff]()
    for place, event in enumerate(events):
        broken = place >= unbroken
        followed = [] if broken else _followed(approvals, event)
        if event.type in ACTS:
            why = next((why for what, _, why in followed if what == "answer"), "digest_unknown")
            found.append(_judged(event, delegation, why, party, broken=broken))
        elif event.type in SUBMISSIONS:
            reasons = [why for what, _, why in followed if what == "carried"]
            found += _carried(event, found, reasons, broken=broken)
    return tuple(found)


def unsigned(events: Sequence[SealedEvent]) -> tuple[tuple[int, str], ...]:
    """Return the decisions of a whole trail, by event, that do not stand on every required signature; and why not.

    Required is what the steps of the dossier ask that was submitted last, each by its turn; what a signature there is
    worth is not looked at.
    """
    approvals = Approvals()
    followed = ((event, one) for event in events for one in _followed(approvals, event))
    return tuple((event.seq, why) for event, (what, _, why) in followed if what == "decision" and why)


def _followed(approvals: Approvals, event: SealedEvent) -> list[tuple[str, Any, str]]:
    said = {"type": event.type, "data": event.data, "actor": event.actor, "at": event.at}
    try:
        return list(approvals.take(said))
    except (KeyError, TypeError, ValueError, AttributeError):
        # It has not even the form of what it says it is.
        return [("decision", event.data, "it cannot be read")] if event.type == "DecisionIssued" else []


def _unbroken(delegation: str, events: Sequence[SealedEvent]) -> int:
    """Return how many events, from the first on, stand in an unbroken chain."""
    head = genesis(delegation)
    for place, event in enumerate(events):
        try:
            head = verify_chain(head, (event,))
        except ValueError:
            # ChainBroken, or content that has no canonical form.
            return place
    return len(events)


def _carried(event: SealedEvent, earlier: Sequence[SignOff], reasons: Sequence[str], *, broken: bool) -> list[SignOff]:
    """Return the signatures that a submission carries over, each as the sign-off that it was given with."""
    found = []
    carried: Sequence[Any] = event.data.get("carried", ())
    reasons = reasons if len(reasons) == len(carried) else ["carried_from_nothing"] * len(carried)
    for one, why in zip(carried, reasons, strict=True):
        # What an outside authority decided is proven by its letter, not by a sign-off.
        if one.get("external"):
            continue
        said = {"act": "sign_off", "step": one.get("step_id"), "digest": one.get("digest"), "actor": one.get("by")}
        given = next(
            (
                known
                for known in earlier
                if known.carried_from is None
                and known.at == one.get("at")
                and all(getattr(known, name) == value for name, value in said.items())
            ),
            None,
        )
        if given is not None and not broken and (not why or given.verdict == "broken"):
            found.append(given.model_copy(update={"seq": event.seq, "carried_from": given.seq}))
        else:
            reason: Reason = "chain_broken" if broken else cast(Reason, why or "carried_from_nothing")
            found.append(_broken(reason, said | {"seq": event.seq, "at": event.at, "right": one.get("right")}))
    return found


def _judged(event: SealedEvent, delegation: str, why: str, party: str | None, *, broken: bool) -> SignOff:
    data = event.data
    said: dict[str, Any] = {
        "seq": event.seq,
        "act": ACTS[event.type],
        "step": data.get("step_id", REPORT),
        "digest": data.get("digest"),
        "actor": event.actor,
        "at": event.at,
        "right": data.get("right"),
    }
    try:
        if broken:
            raise Unproven("chain_broken")
        if why in BEFORE_THE_SIGNATURE:
            raise Unproven(cast(Reason, why))
        proof = _proof(data)
        if proof is not None:
            said |= {"factor": proof.factor, "factor_at": proof.factor_at}
        signed = proof is not None and proof.signature is not None
        if proof is not None and proof.signature is not None:
            statement = Statement(act=said["act"], delegation=delegation, step=said["step"], digest=said["digest"])
            said |= verify(statement, proof.signature, party=party)
        if why:
            raise Unproven(cast(Reason, why))
        return SignOff(verdict="signed" if signed else "vouched", **said)
    except Unproven as unproven:
        return _broken(unproven.reason, said)
    except (ValidationError, KeyError, TypeError):
        return _broken("proof_malformed", said)


def _broken(reason: Reason, said: Mapping[str, Any]) -> SignOff:
    try:
        return SignOff(verdict="broken", reason=reason, **said)
    except ValidationError:
        # What was tampered with may not even have the form of a sign-off any more.
        kept = {name: said[name] for name in ("seq", "act", "at")}
        return SignOff(
            verdict="broken", reason=reason, step=str(said["step"]), actor=str(said["actor"]), digest="0" * 64, **kept
        )


def _proof(data: Mapping[str, Any]) -> Proof | None:
    return Proof.model_validate(data["proof"]) if "proof" in data else None


def verify(statement: Statement, signature: PasskeySignature, *, party: str | None = None) -> dict[str, str]:
    """Return `key` and `party` of a passkey's signature over a statement (WebAuthn Level 2, section 7.2).

    Raises Unproven. The counter is not looked at: it says nothing afterwards.
    """
    if not statement.made(signature):
        raise Unproven("statement_differs")
    try:
        client_data, authenticator_data = octets(signature.client_data), octets(signature.authenticator_data)
        made, public_key = octets(signature.signature), octets(signature.public_key or "")
    except ValueError:
        raise Unproven("proof_malformed") from None
    if len(authenticator_data) < COUNT_END:
        raise Unproven("proof_malformed")
    known = _party(client_data, authenticator_data[:PARTY_OCTETS], party)
    if not authenticator_data[FLAGS_AT] & USER_VERIFIED:
        raise Unproven("not_verified")
    try:
        key = read_key(public_key)
    except KeyUnreadable:
        raise Unproven("key_unreadable") from None
    if not holds(key, made, authenticator_data + hashlib.sha256(client_data).digest()):
        raise Unproven("signature_invalid")
    return {"key": hashlib.sha256(public_key).hexdigest(), "party": known}


def _party(client_data: bytes, hashed: bytes, party: str | None) -> str:
    """Return for whom the key was made: the host of the origin or one above it, and `party` if that is given."""
    try:
        host = urlsplit(str(json.loads(client_data)["origin"])).hostname or ""
    except (ValueError, TypeError, KeyError):
        raise Unproven("party_differs") from None
    labels = host.split(".")
    for first in range(len(labels)):
        candidate = ".".join(labels[first:])
        if hashlib.sha256(candidate.encode()).digest() == hashed and party in (None, candidate):
            return candidate
    raise Unproven("party_differs")


def read(written: str) -> list[SealedEvent]:
    """Return the events of an export: JSON lines, or one object with `items`. Raises ValueError for what is none."""
    try:
        whole = json.loads(written)
        items: Iterable[Any] = whole.get("items", [whole])
    except ValueError:
        items = [json.loads(line) for line in written.splitlines() if line.strip()]
    return [SealedEvent.model_validate(item) for item in items]


def main() -> int:
    """Verify the trail on standard input; 0 if nothing is broken, 1 if something is, 2 if it is no trail."""
    try:
        events = read(sys.stdin.read())
    except (ValueError, TypeError, AttributeError):
        sys.stderr.write("this is no exported trail: JSON lines, or one object with `items`\n")
        return 2
    found = sign_offs(events)
    items = [one.model_dump(mode="json", exclude_none=True) for one in found]
    decided = [{"seq": seq, "reason": why} for seq, why in unsigned(events)]
    said = {"items": items} | ({"unsigned_decisions": decided} if decided else {})
    sys.stdout.write(json.dumps(said, ensure_ascii=False, indent=2) + "\n")
    return int(bool(decided) or any(one.verdict == "broken" for one in found))


if __name__ == "__main__":
    sys.exit(main())
