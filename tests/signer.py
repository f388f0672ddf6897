"""Signing with a passkey's device in software, as a browser and a person do it together."""

from typing import Any

from api.installation import Installation
from domain.signing import REPORT
from tests.api.conftest import Api
from tests.authenticator import Authenticator


def installation(api: Api) -> Installation:
    """What the API works with."""
    found: Installation = api.application.state.installation
    return found


async def device_of(at: Installation, account: str, label: str = "Điện thoại", **more: Any) -> Authenticator:
    """A device whose key is registered for an account."""
    device = Authenticator(at.passkeys.party.origin, **more)
    await at.passkeys.register(account, device.create(await at.passkeys.registration(account)), label)
    return device


def signature_of(answer: dict[str, Any]) -> dict[str, str]:
    """A device's answer (AuthenticationResponseJSON) as a command carries it."""
    said = answer["response"]
    return {
        "credential": answer["id"],
        "client_data": said["clientDataJSON"],
        "authenticator_data": said["authenticatorData"],
        "signature": said["signature"],
    }


async def asked(api: Api, by: str, act: str, digest: str, step: str = REPORT) -> dict[str, Any]:
    """What the device is asked for."""
    body = {"act": act, "step_id": step, "digest": digest}
    answer = await api.ask("POST", f"/delegations/{api.id}/signing", body, by=by)
    assert answer.status_code == 200, answer.text
    options: dict[str, Any] = answer.json()["options"]
    return options


async def signed(
    api: Api, device: Authenticator, by: str, step: str, digest: str, act: str = "sign_off", **more: Any
) -> dict[str, Any]:
    """A command on a step, with the device's signature over the digest."""
    answer = device.get(await asked(api, by, act, digest, step))
    return {"type": act, "step_id": step, "dossier_digest": digest, "signature": signature_of(answer), **more}
