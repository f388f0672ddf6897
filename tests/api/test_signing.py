"""Signing a dossier with a passkey: the signature goes with the command, is verified, and stands in the trail."""

import json
from datetime import timedelta
from typing import Any

import pytest

from api.cookies import csrf_token
from domain.signing import Proof, Statement, challenge_of
from domain.values import Factor, write_instant
from tests.api.conftest import Api, code, fields, member
from tests.authenticator import Authenticator, b64, unb64
from tests.signer import asked, device_of, installation, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEP = "department_head"


async def submitted(api: Api) -> str:
    """A proposal that waits for the department head, by its digest."""
    await api.open()
    done = await api.send(await member(api, "sato", role="head"), {"type": "submit_request"})
    assert done.status_code == 200, done.text
    digest: str = (await api.file())["open_step"]["dossier_digest"]
    return digest


async def proofs(api: Api) -> list[tuple[str, dict[str, Any]]]:
    """Every event that carries a proof, with its proof."""
    trail = (await api.ask("GET", f"/delegations/{api.id}/events")).json()["items"]
    return [(event["type"], event["data"]["proof"]) for event in trail if "proof" in event["data"]]


async def test_a_dossier_is_signed_by_passkey_and_the_signature_is_sealed(api: Api) -> None:
    """With the register's public key; the file says in a word how the step is proven."""
    digest = await submitted(api)
    device = await device_of(installation(api), "hung")
    command = await signed(api, device, "hung", STEP, digest)
    answer = await api.send(command, by="hung")
    assert answer.status_code == 200, answer.text
    [(kind, sealed)] = await proofs(api)
    proof = Proof.model_validate(sealed)
    assert (kind, proof.factor, proof.word) == ("StepSigned", "token", "passkey_signature")
    assert proof.signature is not None
    assert proof.signature.model_dump(exclude={"public_key"}) == command["signature"]
    statement = Statement(act="sign_off", delegation=api.id, step=STEP, digest=digest)
    assert statement.made(proof.signature)
    assert json.loads(challenge_of(proof.signature) or b"")["digest"] == digest
    step = (await api.file())["state"]["proposal"]["steps"][0]
    assert (step["by"], step["factor"]) == ("hung", "passkey_signature")


async def test_without_a_passkey_the_sign_off_says_which_weaker_factor_it_was(api: Api) -> None:
    """A token here; a session says how it was signed in to."""
    digest = await submitted(api)
    signing = {"type": "sign_off", "step_id": STEP, "dossier_digest": digest}
    assert (await api.send(signing, by="hung")).status_code == 200
    [(kind, proof)] = await proofs(api)
    assert (kind, proof["factor"], set(proof)) == ("StepSigned", "token", {"factor", "factor_at"})
    assert (await api.file())["state"]["proposal"]["steps"][0]["factor"] == "token"


@pytest.mark.parametrize("factor", ["password", "passkey", "oidc"])
async def test_a_sign_off_in_a_session_says_how_it_was_signed_in_to(api: Api, factor: Factor) -> None:
    """And when; the session itself is not named."""
    digest = await submitted(api)
    at = installation(api)
    session, secret = await at.sessions.open("hung", factor)
    headers = {
        "Cookie": f"{at.cookies.session}={secret}",
        "Origin": at.settings.public_origin,
        "X-CSRF-Token": csrf_token(secret),
    }
    signing = {"type": "sign_off", "step_id": STEP, "dossier_digest": digest}
    answer = await api.ask("POST", f"/delegations/{api.id}/commands", signing, by=None, headers=headers)
    assert answer.status_code == 200, answer.text
    assert await proofs(api) == [("StepSigned", {"factor": factor, "factor_at": write_instant(session.created_at)})]
    assert (await api.file())["state"]["proposal"]["steps"][0]["factor"] == factor


async def test_returns_and_the_report_are_signed_as_well(api: Api) -> None:
    """Each act has a statement of its own."""
    digest = await submitted(api)
    device = await device_of(installation(api), "hung")
    reason = (await api.ask("POST", f"/delegations/{api.id}/texts", {"text": "Thiếu bản sao"}, by="hung")).json()
    command = await signed(api, device, "hung", STEP, digest, "return_step", reason=reason)
    assert (await api.send(command, by="hung")).status_code == 200
    [(kind, proof)] = await proofs(api)
    assert (kind, "signature" in proof) == ("StepReturned", True)


async def test_one_asks_only_for_one_s_own_keys_and_needs_one(api: Api) -> None:
    """The options name the caller's keys alone, and demand that the device looks who holds it."""
    digest = await submitted(api)
    body = {"act": "sign_off", "step_id": STEP, "digest": digest}
    at = installation(api)
    for passkey in await at.passkeys.of("mai"):
        await at.passkeys.remove(passkey.id, "mai")
    assert code(await api.ask("POST", f"/delegations/{api.id}/signing", body, by="mai")) == (409, "passkey_missing")
    device = await device_of(at, "hung")
    options = await asked(api, "hung", "sign_off", digest, STEP)
    own = {one["id"] for one in options["allowCredentials"]}
    assert b64(device.id) in own
    assert (options["userVerification"], options["rpId"]) == ("required", at.passkeys.party.id)
    said = json.loads(unb64(options["challenge"]))
    assert said == body_of(api, digest) | {"nonce": said["nonce"]}
    assert len(unb64(said["nonce"])) == 32


def body_of(api: Api, digest: str) -> dict[str, str]:
    """What a challenge for signing the first step says, but for its nonce."""
    return {"act": "sign_off", "delegation": api.id, "digest": digest, "step": STEP}


async def test_a_signature_is_good_for_its_act_step_file_and_dossier_alone(api: Api) -> None:
    """Whatever else it is sent with, nothing is sent on."""
    digest = await submitted(api)
    device = await device_of(installation(api), "hung")
    good = await signed(api, device, "hung", STEP, digest)
    for change in ({"dossier_digest": "0" * 64}, {"step_id": "vice_president"}):
        answer = await api.send(good | change, by="hung")
        assert (code(answer), fields(answer)) == ((403, "signature_refused"), [("signature", "signature_refused")])
    assert await proofs(api) == []
    assert (await api.send(good, by="hung")).status_code == 200


async def test_what_is_no_signature_of_the_caller_is_refused(api: Api) -> None:
    """Another account's, another origin's, one that nobody was verified for, a stranger's key, a changed octet."""
    digest = await submitted(api)
    at = installation(api)
    device, foreign = await device_of(at, "hung"), await device_of(at, "mai")
    liars = [
        await signed(api, foreign, "hung", STEP, digest),
        await signed(api, foreign, "mai", STEP, digest),
        await signed(api, Authenticator(device.origin), "hung", STEP, digest),
    ]
    device.origin = "https://evil.test"
    liars.append(await signed(api, device, "hung", STEP, digest))
    device.origin, device.verifies = at.passkeys.party.origin, False
    liars.append(await signed(api, device, "hung", STEP, digest))
    device.verifies = True
    for part in ("client_data", "authenticator_data", "signature"):
        command = await signed(api, device, "hung", STEP, digest)
        octets = bytearray(unb64(command["signature"][part]))
        octets[-2] ^= 1
        liars.append(command | {"signature": command["signature"] | {part: b64(bytes(octets))}})
    for lie in liars:
        assert code(await api.send(lie, by="hung")) == (403, "signature_refused")
    assert await proofs(api) == []


async def test_a_public_key_that_a_caller_brings_is_not_believed(api: Api) -> None:
    """The register's own takes its place."""
    digest = await submitted(api)
    device = await device_of(installation(api), "hung")
    command = await signed(api, device, "hung", STEP, digest)
    lie = command | {"signature": command["signature"] | {"public_key": "AAAA"}}
    assert (await api.send(lie, by="hung")).status_code == 200
    [(_, proof)] = await proofs(api)
    assert len(unb64(proof["signature"]["public_key"])) == 77


async def test_a_challenge_is_answered_once_but_the_same_request_may_come_again(api: Api) -> None:
    """By its Idempotency-Key: also when the counter has moved on, and when the challenge was forgotten since."""
    digest = await submitted(api)
    at = installation(api)
    device = await device_of(at, "hung")
    command = await signed(api, device, "hung", STEP, digest)
    first = await api.send(command, by="hung", key="once")
    again = await api.send(command, by="hung", key="once")
    assert (first.status_code, again.json()) == (200, first.json())
    assert code(await api.send(command, by="hung", key="twice")) == (403, "signature_refused")
    now = at.passkeys.clock
    at.passkeys.clock = lambda: now() + timedelta(hours=1)
    try:
        late = await api.send(command, by="hung", key="once")
        changed = command | {"signature": command["signature"] | {"signature": "AAAA"}}
        assert code(await api.send(changed, by="hung", key="once")) == (403, "signature_refused")
        for passkey in await at.passkeys.of("hung"):
            await at.passkeys.remove(passkey.id, "hung")
        removed = await api.send(command, by="hung", key="once")
    finally:
        at.passkeys.clock = now
    assert (late.json(), removed.json()) == (first.json(), first.json())
    assert [kind for kind, _ in await proofs(api)] == ["StepSigned"]


async def test_the_commands_of_a_batch_are_signed_each(api: Api) -> None:
    """One signature does not do for two of them."""
    digest = await submitted(api)
    device = await device_of(installation(api), "hung")
    command = await signed(api, device, "hung", STEP, digest)
    answer = await api.send(command, command, by="hung")
    assert code(answer) == (403, "signature_refused")
    assert answer.json()["errors"][0]["index"] == 1
