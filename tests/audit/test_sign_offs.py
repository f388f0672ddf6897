"""Sign-offs verified from the trail alone: whatever is changed in it is found, also where the chain was sealed anew."""

import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st
from webauthn.helpers import encode_cbor

from audit.cose import KeyUnreadable, holds, read_key
from audit.sign_offs import SignOff, read, sign_offs, unsigned
from domain import commands as c
from domain.canonical import digest_of
from domain.seal import SealedEvent, genesis, head_of, seal
from domain.signing import PasskeySignature, Statement
from tests.authenticator import Authenticator, b64, unb64
from tests.builders import (
    DELEGATION,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    accept_report,
    dossier,
    member,
    pdf,
    report_digest,
    reported,
    sign,
    submitted,
    text,
)
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under
from tests.domain.test_resubmission import ESTIMATE, returned_by_chair
from tests.signer import signature_of

PARTY = "legation.example"
NONCE = b64(bytes(range(32)))


def device(**more: Any) -> Authenticator:
    """A device of somebody at `https://legation.example`."""
    return Authenticator(f"https://{PARTY}", **more)


def public_key(one: Authenticator) -> bytes:
    """Its public key (COSE)."""
    numbers = one.key.public_key().public_numbers()
    made: bytes = encode_cbor({1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)})
    return made


def signature(one: Authenticator, statement: Statement, party: str = PARTY) -> PasskeySignature:
    """The device's signature over a statement, with its key as the register enters it."""
    answer = one.get({"rpId": party, "challenge": b64(statement.challenge(NONCE))})
    return PasskeySignature.model_validate(signature_of(answer) | {"public_key": b64(public_key(one))})


def step_signed(file: Given, one: Authenticator | None = None, party: str = PARTY) -> Given:
    """The department head has signed with a passkey."""
    said = {"act": "sign_off", "delegation": DELEGATION, "step": "department_head", "digest": dossier(file.state)}
    made = signature(one or device(), Statement.model_validate(said), party)
    command = c.SignOff(step_id="department_head", dossier_digest=dossier(file.state), signature=made)
    file.when(command, by=DEPARTMENT_HEAD, at="2026-02-26T09:00").accepted()
    return file


def trail(*, by: Authenticator | None = None, party: str = PARTY) -> list[SealedEvent]:
    """A trail with one sign-off by passkey, and one that nobody vouches for."""
    file = step_signed(given(*submitted()), by, party)
    file.further(sign("vice_president", VICE_PRESIDENT, "2026-02-27T09:00"))
    return list(file.play.events)


def resealed(events: Sequence[SealedEvent]) -> list[SealedEvent]:
    """The same events in a chain of their own, as whoever holds the database could write it."""
    head, found = genesis(DELEGATION), []
    for event in events:
        one = seal(
            head,
            type=event.type,
            version=event.version,
            at=event.instant,
            actor=event.actor,
            command_id=event.command_id,
            data=event.data,
        )
        found.append(one)
        head = head_of(one)
    return found


def changed(events: Sequence[SealedEvent], kind: str, change: Callable[[dict[str, Any]], None]) -> list[SealedEvent]:
    """The trail with the data of the events of one type changed, and nothing else."""
    found = []
    for event in events:
        data = json.loads(json.dumps(event.data))
        if event.type == kind:
            change(data)
        found.append(event.model_copy(update={"data": data}))
    return found


def verdicts(events: Sequence[SealedEvent], party: str | None = None) -> list[tuple[str, str | None]]:
    """Verdict and reason of each sign-off."""
    return [(one.verdict, one.reason) for one in sign_offs(events, party=party)]


def flipped(data: dict[str, Any], part: str, place: int) -> None:
    """One bit of a part of the signature is another one."""
    if "proof" not in data:
        return
    kept = data["proof"]["signature"]
    octets = bytearray(unb64(kept[part]))
    octets[place % len(octets)] ^= 1
    kept[part] = b64(bytes(octets))


def test_a_signature_is_proven_from_the_trail_alone() -> None:
    """By the key's digest, and for whom it was made; what has no proof is vouched for by nobody."""
    one = device()
    signed, vouched = sign_offs(trail(by=one), party=PARTY)
    assert signed == SignOff(
        seq=signed.seq,
        act="sign_off",
        step="department_head",
        digest=signed.digest,
        actor=DEPARTMENT_HEAD.id,
        at="2026-02-26T02:00:00.000000Z",
        verdict="signed",
        right=signed.right,
        factor="passkey",
        factor_at=signed.factor_at,
        key=hashlib.sha256(public_key(one)).hexdigest(),
        party=PARTY,
    )
    assert (vouched.step, vouched.verdict, vouched.factor) == ("vice_president", "vouched", None)


PARTS = ("client_data", "authenticator_data", "signature", "public_key")


@pytest.mark.parametrize("part", PARTS)
def test_every_flipped_bit_breaks_the_signature_though_the_chain_was_sealed_anew(part: str) -> None:
    """Every octet of every part, one after the other."""
    events = trail()
    [event] = [one for one in events if one.type == "StepSigned" and "proof" in one.data]
    length = len(unb64(event.data["proof"]["signature"][part]))
    survived = []
    for place in range(length):
        forged = resealed(changed(events, "StepSigned", partial(flipped, part=part, place=place)))
        verdict, reason = verdicts(forged, PARTY)[0]
        if verdict != "broken" or reason == "chain_broken":
            survived.append(place)
    assert (length > 30, survived) == (True, [])


def _digest(data: dict[str, Any]) -> None:
    data["digest"] = "0" * 64


def _step(data: dict[str, Any]) -> None:
    data["step_id"] = "president"


def _parts(data: dict[str, Any]) -> None:
    data["parts"][0]["commitment"] = "0" * 64


def _dossier(data: dict[str, Any]) -> None:
    _parts(data)
    data["digest"] = digest_of([[part["part"], part["commitment"]] for part in data["parts"]])


def _gone(data: dict[str, Any]) -> None:
    data.get("proof", {}).pop("signature", None)


def _malformed(data: dict[str, Any]) -> None:
    data["proof"] = {"factor": "word of honour"}


@pytest.mark.parametrize(
    ("kind", "change", "reason"),
    [
        ("StepSigned", _digest, "digest_unknown"),
        ("StepSigned", _step, "statement_differs"),
        ("StepSigned", _malformed, "proof_malformed"),
        ("RequestSubmitted", _parts, "parts_differ"),
        ("RequestSubmitted", _dossier, "digest_unknown"),
    ],
)
def test_what_was_signed_cannot_be_exchanged(kind: str, change: Callable[[dict[str, Any]], None], reason: str) -> None:
    """In the chain as it is, every change breaks the chain; sealed anew, it breaks the signature."""
    events = trail()
    assert verdicts(changed(events, kind, change))[0] == ("broken", "chain_broken")
    assert verdicts(resealed(changed(events, kind, change)))[0] == ("broken", reason)


def test_a_signature_that_was_taken_away_is_missed_by_the_chain() -> None:
    """Sealed anew it is a weaker sign-off, and says so."""
    events = trail()
    assert verdicts(changed(events, "StepSigned", _gone))[0] == ("broken", "chain_broken")
    assert verdicts(resealed(changed(events, "StepSigned", _gone)))[0] == ("vouched", None)


def test_from_the_first_broken_event_on_nothing_is_believed() -> None:
    """Wherever its number was put."""
    events = trail()
    for number in (1, 4, 999):
        moved = [one.model_copy(update={"seq": number}) if place == 2 else one for place, one in enumerate(events)]
        assert verdicts(moved) == [("broken", "chain_broken")] * 2
    no_number = events[0].model_copy(update={"data": events[0].data | {"key_leaders": 0.5}})
    assert verdicts([no_number, *events[1:]])[0] == ("broken", "chain_broken")
    assert verdicts([]) == []


def test_a_key_for_another_site_and_a_device_that_did_not_look_are_found() -> None:
    """The server would have refused both."""
    assert verdicts(trail(party="example")) == [("signed", None), ("vouched", None)]
    assert verdicts(trail(party="example"), PARTY)[0] == ("broken", "party_differs")
    assert verdicts(trail(party="evil.test"))[0] == ("broken", "party_differs")
    assert verdicts(trail(by=device(verifies=False)))[0] == ("broken", "not_verified")


def test_the_report_and_its_return_are_verified_as_well() -> None:
    """Their step is called `report`."""
    file = given(*reported())
    said = {"act": "return_report", "delegation": DELEGATION, "step": "report", "digest": report_digest(file.state)}
    made = signature(device(), Statement.model_validate(said))
    returned = c.ReturnReport(report_digest=report_digest(file.state), reason=text(), signature=made)
    file.when(returned, by=VICE_PRESIDENT, at="2026-04-14T15:00").accepted()
    *_, last = sign_offs(list(file.play.events))
    assert (last.act, last.step, last.verdict) == ("return_report", "report", "signed")
    other = given(*reported(), accept_report())
    *_, last = sign_offs(list(other.play.events))
    assert (last.act, last.verdict) == ("accept_report", "vouched")


def test_a_signature_that_was_carried_over_is_proven_by_the_one_that_was_given() -> None:
    """Its proof stands for the later proposal too; one that nobody gave is found."""
    rules = under(policy(step("department_head", looks_at=("request",)), step("chair"), resubmission="minimal"))
    file = step_signed(given(*submitted(), rules=rules))
    back = c.ReturnStep(step_id="chair", dossier_digest=dossier(file.state), kind="amend", reason=text())
    file.when(back, by=holding("chair"), at="2026-02-27T09:00").accepted()
    done = file.further(member("kato")).when(c.SubmitRequest())
    assert done.state.proposal is not None
    assert done.state.proposal.steps[0].factor == "passkey_signature"
    events = list(file.play.events)
    given_first, returned, carried = sign_offs(events)
    assert (given_first.verdict, returned.verdict) == ("signed", "vouched")
    assert carried == given_first.model_copy(update={"seq": carried.seq, "carried_from": given_first.seq})

    def by_another(data: dict[str, Any]) -> None:
        for one in data.get("carried", ()):
            one["by"] = "another"

    forged = changed(events, "RequestSubmitted", by_another)
    assert verdicts(forged)[-1] == ("broken", "chain_broken")
    assert verdicts(resealed(forged))[-1] == ("broken", "carried_from_nothing")


def decided() -> list[SealedEvent]:
    """A trail to the decision: the head's signature by passkey, then the vice-president's."""
    file = step_signed(given(*submitted()))
    file.further(sign("vice_president", VICE_PRESIDENT, "2026-02-27T09:00"), c.IssueDecision(number="27/QĐ"))
    return list(file.play.events)


def numbered(events: Sequence[SealedEvent]) -> list[SealedEvent]:
    """The same events in their own chain, numbered as they now stand."""
    return resealed([one.model_copy(update={"seq": place}) for place, one in enumerate(events, 1)])


def moved_before(events: Sequence[SealedEvent], kind: str, other: str) -> list[SealedEvent]:
    """The event of one type stands before the first one of another."""
    [moving] = [one for one in events if one.type == kind]
    rest = [one for one in events if one is not moving]
    place = next(number for number, one in enumerate(rest) if one.type == other)
    return numbered([*rest[:place], moving, *rest[place:]])


def test_only_what_was_submitted_says_what_a_digest_is_of() -> None:
    """A decision, or a letter, that names the same digest makes no parts good that do not give it."""
    forged = moved_before(resealed(changed(decided(), "RequestSubmitted", _parts)), "DecisionIssued", "StepSigned")
    assert verdicts(forged) == [("broken", "parts_differ")] * 2
    letter = {"authority": "Ministry", "reference": "1", "dated": "2026-02-26", "letter": pdf("letter")}
    rules = under(policy(step("department_head"), step("ministry", external=True), step("chair")))
    file = step_signed(given(*submitted(), rules=rules))
    recorded = {"step_id": "ministry", "dossier_digest": dossier(file.state), "outcome": "approved"}
    file.further(c.RecordExternalDecision.model_validate(recorded | letter), sign("chair", holding("chair")))
    events = list(file.play.events)
    assert verdicts(events) == [("signed", None), ("vouched", None)]
    assert verdicts(resealed(changed(events, "RequestSubmitted", _parts))) == [("broken", "parts_differ")] * 2


def _position(data: dict[str, Any]) -> None:
    data["right"]["position"] = "president"


@pytest.mark.parametrize(
    ("forge", "reason"),
    [
        (lambda events: changed(events, "StepSigned", _position), "position_differs"),
        (lambda events: moved_before(events, "StepSigned", "RequestSubmitted"), "digest_unknown"),
        (lambda events: [one for one in events for _ in range(1 + (one.type == "StepSigned"))], "step_not_open"),
    ],
)
def test_an_answer_has_its_turn_and_its_desk(
    forge: Callable[[list[SealedEvent]], list[SealedEvent]], reason: str
) -> None:
    """By the plan of what was submitted: neither before it, nor twice, nor by another position."""
    file = given(*submitted()).further(sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"))
    forged = numbered(forge(list(file.play.events)))
    assert [one for one in verdicts(forged) if one[0] == "broken"] == [("broken", reason)]


def test_a_decision_stands_on_every_required_signature_of_its_dossier() -> None:
    """In the order of stages; on what was submitted last, and on signatures that count."""
    events = decided()
    assert unsigned(events) == ()
    for place, step_id in enumerate(("department_head", "vice_president")):
        signed = [one for one in events if one.type == "StepSigned"]
        ((_, why),) = unsigned(numbered([one for one in events if one is not signed[place]]))
        # Without the first signature the second one was not due.
        assert why == f"{step_id} has not signed"
    elsewhere = "it is on another dossier than the one that was submitted last"
    for kind, change, expected in (
        ("DecisionIssued", _digest, elsewhere),
        ("RequestSubmitted", _parts, elsewhere),
        ("StepSigned", _position, "department_head has not signed"),
    ):
        ((_, why),) = unsigned(resealed(changed(events, kind, change)))
        assert why == expected
    early = moved_before(events, "DecisionIssued", "StepSigned")
    ((seq, why),) = unsigned(early)
    assert (why, seq < len(events)) == ("department_head has not signed", True)


def _carried(change: Callable[[dict[str, Any], dict[str, Any]], None]) -> Callable[[dict[str, Any]], None]:
    def of_event(data: dict[str, Any]) -> None:
        for one in data.get("carried", ()):
            change(data, one)
            data["digest"] = digest_of([[part["part"], part["commitment"]] for part in data["parts"]])

    return of_event


def _other_parts(data: dict[str, Any], one: dict[str, Any]) -> None:
    [programme] = [part for part in data["parts"] if part["part"] == "programme"]
    programme["commitment"] = "1" * 64


CARRIED: dict[str, Callable[[dict[str, Any], dict[str, Any]], None]] = {
    "parts_changed": _other_parts,
    "carried_differs": lambda data, one: one["right"].update(position="president"),
    "plan_differs": lambda data, one: data["steps"][0].update(position="president"),
    "carried_from_nothing": lambda data, one: data["chain"].update(version=7),
}


@pytest.mark.parametrize("reason", CARRIED)
def test_a_carried_signature_is_held_against_what_its_step_looks_at(reason: str) -> None:
    """Parts, plan, right and chain as they were when it was given; and nothing voided it."""
    file = returned_by_chair().further(ESTIMATE, c.SubmitRequest())
    events = list(file.play.events)
    assert verdicts(events)[-1] == ("vouched", None)
    forged = resealed(changed(events, "RequestSubmitted", _carried(CARRIED[reason])))
    assert verdicts(forged)[-1] == ("broken", reason)


def test_a_letter_that_was_carried_over_counts_for_the_decision() -> None:
    """It is no sign-off, but its step is asked for; another letter in its place is not the one that came."""
    rules = under(policy(step("ministry", external=True, looks_at=("request",)), step("chair"), resubmission="minimal"))
    file = given(*submitted(), rules=rules)
    letter = {"authority": "Ministry", "reference": "1", "dated": "2026-02-25", "letter": pdf("letter")}
    recorded = {"step_id": "ministry", "dossier_digest": dossier(file.state), "outcome": "approved"}
    file.further(c.RecordExternalDecision.model_validate(recorded | letter))
    back = c.ReturnStep(step_id="chair", dossier_digest=dossier(file.state), kind="amend", reason=text())
    file.when(back, by=holding("chair"), at="2026-02-27T09:00").accepted()
    file.further(member("kato"), c.SubmitRequest(), sign("chair", holding("chair"), "2026-03-02T09:00"))
    events = list(file.further(c.IssueDecision(number="27/QĐ")).play.events)
    assert unsigned(events) == ()

    def other_letter(data: dict[str, Any]) -> None:
        for one in data.get("carried", ()):
            one["external"]["reference"] = "2"

    ((_, why),) = unsigned(resealed(changed(events, "RequestSubmitted", other_letter)))
    assert why == "ministry has not signed"


def test_a_void_signature_is_not_carried_over() -> None:
    """Not though the change that voided it was taken back: the event is enough."""
    file = returned_by_chair().further(ESTIMATE, c.SubmitRequest())
    events = list(file.play.events)
    [void] = [one for one in events if one.type == "SignaturesVoided"]
    forged = [one.model_copy(update={"data": one.data | {"steps": ["head"]}}) if one is void else one for one in events]
    assert verdicts(resealed(forged))[-1] == ("broken", "carried_void")


def test_an_export_is_verified_by_a_program_of_its_own() -> None:
    """JSON lines or one object; its exit code says whether something is broken."""
    events = trail()
    lines = "".join(one.model_dump_json() + "\n" for one in events)
    whole = json.dumps({"items": [one.model_dump(mode="json") for one in events]}, indent=2)
    assert read(lines) == read(whole) == events
    for written, code, expected in (
        (lines, 0, ["signed", "vouched"]),
        (whole, 0, ["signed", "vouched"]),
        (lines.replace(events[1].actor, "another"), 1, ["broken", "broken"]),
        ("no trail", 2, None),
        ("[1]", 2, None),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "audit.sign_offs"], input=written.encode(), capture_output=True, check=False
        )
        assert done.returncode == code, done.stderr
        if expected is not None:
            assert [one["verdict"] for one in json.loads(done.stdout)["items"]] == expected


CONTENT = b"what was signed"


def test_the_three_kinds_of_keys_that_devices_make_are_read() -> None:
    """ES256, EdDSA and RS256: those that registration asks for. Each holds for its content alone."""
    p256, ed, big = ec.generate_private_key(ec.SECP256R1()), ed25519.Ed25519PrivateKey.generate(), _rsa()
    numbers, long = p256.public_key().public_numbers(), big.public_key().public_numbers()
    for cose, made in (
        (
            {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)},
            p256.sign(CONTENT, ec.ECDSA(hashes.SHA256())),
        ),
        ({1: 1, 3: -8, -1: 6, -2: ed.public_key().public_bytes_raw()}, ed.sign(CONTENT)),
        (
            {1: 3, 3: -257, -1: long.n.to_bytes(256), -2: long.e.to_bytes(3)},
            big.sign(CONTENT, padding.PKCS1v15(), hashes.SHA256()),
        ),
    ):
        key = read_key(encode_cbor(cose))
        assert holds(key, made, CONTENT)
        assert not holds(key, made, CONTENT + b".")
        assert not holds(key, b"", CONTENT)


def _rsa() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    "cose",
    [
        b"",
        b"\xa1",
        b"\x80",
        b"\xbf",
        encode_cbor({1: 2, 3: -7}),
        encode_cbor({1: 2, 3: -7, -1: 1, -2: bytes(32), -3: bytes(32)}),
        encode_cbor({1: 2, 3: -7, -1: 2, -2: bytes(32), -3: bytes(32)}),
        encode_cbor({1: 2, 3: -35, -1: 1, -2: bytes(32), -3: bytes(32)}),
        encode_cbor({1: 1, 3: -8, -1: 6, -2: b"short"}),
        encode_cbor({1: 3, 3: -257, -1: b"", -2: b""}),
        encode_cbor({1: 1, 3: -8, -1: 6, -2: "text"}),
        encode_cbor({}) + b"more",
        b"\xa2\x01\x02\x01\x02",
        b"\x5b\xff\xff\xff\xff\xff\xff\xff\xff",
    ],
)
def test_what_is_no_key_is_refused(cose: bytes) -> None:
    """Cut off, of another kind, off its curve, or no map at all."""
    with pytest.raises(KeyUnreadable):
        read_key(cose)


@forall(st.binary(max_size=120))
@settings(max_examples=200)
def test_no_octets_break_the_reading_of_a_key(noise: bytes) -> None:
    """They are a key, or they are refused."""
    for cose in (noise, b"\xa5\x01\x02\x03\x26\x20\x01" + noise):
        with suppress(KeyUnreadable):
            read_key(cose)
