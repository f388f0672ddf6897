"""What the decision itself sees of a passkey's signature, and what a sign-off says of how it is proven."""

import json
from typing import Any, get_args

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.decision import Envelope
from domain.permission import SIGNING
from domain.signing import PasskeySignature, Proof, Proven, SigningAct, Statement, challenge_of, nonce_of
from domain.state import Delegation
from domain.values import Factor
from tests.authenticator import b64
from tests.builders import (
    DELEGATION,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    dossier,
    report_digest,
    reported,
    submitted,
    text,
)
from tests.domain.given import given

NONCE = b64(bytes(32))


def claimed(challenge: bytes, /, **more: Any) -> PasskeySignature:
    """A signature whose client data carry a challenge. Nothing here looks whether it holds."""
    said = {"type": "webauthn.get", "challenge": b64(challenge), "origin": "https://legation.example"} | more
    return PasskeySignature(
        credential="AAAA",
        client_data=b64(json.dumps(said).encode()),
        authenticator_data="AAAA",
        signature="AAAA",
        public_key="AAAA",
    )


def statement(state: Delegation, **more: Any) -> Statement:
    """The sign-off of the first step of what stands."""
    said = {"act": "sign_off", "delegation": DELEGATION, "step": "department_head", "digest": dossier(state)}
    return Statement.model_validate(said | more)


def signing(state: Delegation, signature: PasskeySignature | None) -> c.SignOff:
    """The sign-off with a signature."""
    return c.SignOff(step_id="department_head", dossier_digest=dossier(state), signature=signature)


def test_a_signature_is_sealed_with_the_event() -> None:
    """And the step says in a word that the digest itself was signed."""
    file = given(*submitted())
    signature = claimed(statement(file.state).challenge(NONCE))
    then = file.when(signing(file.state, signature), by=DEPARTMENT_HEAD)
    [event] = then.of(e.StepSigned)
    assert event.proof is not None
    assert (event.proof.factor, event.proof.signature) == ("passkey", signature)
    assert then.state.proposal is not None
    assert then.state.proposal.steps[0].factor == "passkey_signature"
    assert then.state.proposal.steps[0].signed_by[0].factor == "passkey_signature"


@pytest.mark.parametrize(
    "other",
    [
        {"act": "return_step"},
        {"delegation": "another-file"},
        {"step": "vice_president"},
        {"digest": "0" * 64},
    ],
    ids=lambda other: next(iter(other)),
)
def test_a_signature_of_something_else_is_refused(other: dict[str, str]) -> None:
    """Another act, file, step or dossier; nothing is sealed."""
    file = given(*submitted())
    signature = claimed(statement(file.state, **other).challenge(NONCE))
    then = file.when(signing(file.state, signature), by=DEPARTMENT_HEAD)
    then.then_refused("signature_not_of_this_dossier", field="signature")
    assert then.events == ()


@pytest.mark.parametrize(
    "malformed",
    [
        claimed(b""),
        claimed(b"[" * 2000),
        claimed(b"{}"),
        claimed(b'{"nonce":1}'),
        claimed(b"{}", type="webauthn.create"),
        claimed(b"{}", challenge="not base64url!"),
        claimed(b"{}", challenge=7),
    ],
)
def test_what_is_no_challenge_is_refused(malformed: PasskeySignature) -> None:
    """However it is malformed."""
    file = given(*submitted())
    file.when(signing(file.state, malformed), by=DEPARTMENT_HEAD).then_refused("signature_not_of_this_dossier")


def test_a_signature_whose_key_nobody_entered_is_refused() -> None:
    """What is sealed can be verified from the event alone."""
    file = given(*submitted())
    signature = claimed(statement(file.state).challenge(NONCE)).model_copy(update={"public_key": None})
    file.when(signing(file.state, signature), by=DEPARTMENT_HEAD).then_refused("signature_not_of_this_dossier")


def test_a_challenge_in_another_spelling_is_another_challenge() -> None:
    """Only the canonical form is a statement: nothing can be added to it or hidden in it."""
    one = Statement(act="sign_off", delegation="d", step="s", digest="0" * 64)
    spelled = json.dumps(one.model_dump() | {"nonce": NONCE}).encode()
    assert one.made(claimed(one.challenge(NONCE)))
    assert not one.made(claimed(spelled))
    assert not one.made(claimed(one.challenge(NONCE)[:-1] + b',"z":1}'))
    assert not one.made(claimed(one.challenge("AAAA")))


def test_the_report_is_signed_under_its_own_name() -> None:
    """`report` stands in the place of a step."""
    file = given(*reported())
    digest = report_digest(file.state)
    right = statement(file.state, act="accept_report", step="report", digest=digest)
    wrong = statement(file.state, act="return_report", step="report", digest=digest)
    refused = c.AcceptReport(report_digest=digest, signature=claimed(wrong.challenge(NONCE)))
    file.when(refused, by=VICE_PRESIDENT).then_refused("signature_not_of_this_dossier")
    accepted = c.AcceptReport(report_digest=digest, signature=claimed(right.challenge(NONCE)))
    then = file.when(accepted, by=VICE_PRESIDENT, at="2026-04-15T09:00").then(e.ReportAccepted)
    assert then.state.report is not None
    assert then.state.report.factor == "passkey_signature"


def test_returns_and_rejections_carry_their_proof_too() -> None:
    """Whoever answers a step is known by something."""
    file = given(*submitted())
    for kind, act in ((c.ReturnStep, "return_step"), (c.RejectStep, "reject_step")):
        signature = claimed(statement(file.state, act=act).challenge(NONCE))
        command = kind(
            step_id="department_head", dossier_digest=dossier(file.state), reason=text(), signature=signature
        )
        then = given(*submitted()).when(command, by=DEPARTMENT_HEAD).accepted()
        [proof] = [event.proof for event in then.events if isinstance(event, (e.StepReturned, e.StepRejected))]
        assert proof is not None
        assert proof.signature == signature


def test_the_words_of_proof_are_the_factors_and_the_signature() -> None:
    """And every command that signs has an act."""
    assert set(get_args(Proven)) == {*get_args(Factor), "passkey_signature"}
    assert set(get_args(SigningAct)) == SIGNING


def test_what_was_stored_before_there_were_proofs_stays_as_it_was() -> None:
    """An envelope and an event without a factor are written without the word."""
    envelope = Envelope(delegation="d", command_id="c", actor="a", commands=(), digest="0" * 64)
    assert set(envelope.model_dump(mode="json")) == {"delegation", "command_id", "actor", "commands", "digest"}
    event = e.StepSigned(step_id="s", digest="0" * 64, right=e.Right(position="p"))
    assert "proof" not in event.model_dump(mode="json")
    assert Proof.model_validate({"factor": "oidc", "factor_at": "2026-04-01T00:00:00Z"}).word == "oidc"


@forall(st.binary(max_size=200))
def test_no_octets_break_the_reading_of_a_challenge(noise: bytes) -> None:
    """They are a challenge, or they are none."""
    assert nonce_of(noise) is None
    signature = PasskeySignature(
        credential="AAAA", client_data=b64(noise) or "A", authenticator_data="A", signature="A", public_key="A"
    )
    assert challenge_of(signature) is None
