"""What the law asks of an advanced electronic signature (Regulation (EU) 910/2014, article 26): a test for each clause.

Each is shown on a sign-off by passkey; docs/sign-off.md says what the clauses rest on.
"""

import hashlib
import json
from typing import Any

import pytest

from audit.sign_offs import SignOff, sign_offs
from domain.seal import SealedEvent
from storage.passkeys import PasskeyExists
from tests.api.conftest import Api, code, member
from tests.authenticator import Authenticator, b64, unb64
from tests.signer import asked, device_of, installation, signature_of, signed

pytestmark = pytest.mark.asyncio(loop_scope="session")

STEP = "department_head"


async def submitted(api: Api) -> str:
    """A proposal that waits for the department head, by its digest."""
    await api.open()
    done = await api.send(await member(api, "sato", role="head"), {"type": "submit_request"})
    assert done.status_code == 200, done.text
    digest: str = (await api.file())["open_step"]["dossier_digest"]
    return digest


async def trail(api: Api) -> list[SealedEvent]:
    """The exported trail."""
    items = (await api.ask("GET", f"/delegations/{api.id}/events", by="an")).json()["items"]
    return [SealedEvent.model_validate(item) for item in items]


async def one_signed(api: Api) -> tuple[Authenticator, SignOff]:
    """The department head has signed with a device of their own; what the export proves of it."""
    digest = await submitted(api)
    device = await device_of(installation(api), "hung")
    answer = await api.send(await signed(api, device, "hung", STEP, digest), by="hung")
    assert answer.status_code == 200, answer.text
    [found] = sign_offs(await trail(api))
    return device, found


async def test_a_it_is_uniquely_linked_to_the_signatory(api: Api) -> None:
    """Article 26 (a): a key is one account's; it is registered for no other, and signs for no other."""
    device, _ = await one_signed(api)
    at = installation(api)
    with pytest.raises(PasskeyExists):
        await at.passkeys.register("mai", device.create(await at.passkeys.registration("mai")), "Khóa")
    file = await api.file()
    digest, step = file["open_step"]["dossier_digest"], file["open_step"]["id"]
    await device_of(at, "mai")
    options = await asked(api, "mai", "sign_off", digest, step)
    assert b64(device.id) not in {one["id"] for one in options["allowCredentials"]}
    foreign = signature_of(device.get(options))
    command = {"type": "sign_off", "step_id": step, "dossier_digest": digest, "signature": foreign}
    assert code(await api.send(command, by="mai")) == (403, "signature_refused")


async def test_b_it_identifies_the_signatory(api: Api) -> None:
    """Article 26 (b): the event names account and right; the register's sealed log says whose key it is."""
    device, found = await one_signed(api)
    assert (found.verdict, found.actor, found.right and found.right.position) == ("signed", "hung", STEP)
    accounts = (await api.ask("GET", "/accounts", by="root")).json()["items"]
    assert [one["name"] for one in accounts if one["id"] == found.actor] == ["Lê Văn Hùng"]
    numbers = device.key.public_key().public_numbers()
    [event] = [one for one in await trail(api) if one.seq == found.seq]
    sealed = unb64(event.data["proof"]["signature"]["public_key"])
    assert found.key == hashlib.sha256(sealed).hexdigest()
    log = (await api.ask("GET", "/institution/log/accounts", by="an", params={"limit": 1000})).json()["items"]
    made = [one["data"]["after"] for one in log if one["change"] == "passkey_registered"]
    assert {"account": "hung", "key": found.key} in made
    assert numbers.x.to_bytes(32) in sealed
    assert numbers.y.to_bytes(32) in sealed


async def test_c_it_is_made_with_what_the_signatory_alone_controls(api: Api) -> None:
    """Article 26 (c): the private key never leaves the device, which looks each time who holds it.

    Neither the server nor an administrator with a token in somebody's name can make a signature: what they do without
    the device says that it is weaker.
    """
    digest = await submitted(api)
    at = installation(api)
    device = await device_of(at, "hung")
    for one in await at.passkeys.of("hung"):
        assert "key" not in vars(one)
    device.verifies = False
    unseen = await signed(api, device, "hung", STEP, digest)
    assert code(await api.send(unseen, by="hung")) == (403, "signature_refused")
    made = await api.ask("POST", "/accounts/hung/tokens", {}, by="root")
    api.tokens["root as hung"] = made.json()["token"]
    forbidden = await api.ask("POST", "/passkey/options", by="root as hung")
    assert code(forbidden) == (403, "session_needed")
    own = await signed(api, Authenticator(device.origin), "root as hung", STEP, digest)
    assert code(await api.send(own, by="root as hung")) == (403, "signature_refused")
    plain = {"type": "sign_off", "step_id": STEP, "dossier_digest": digest}
    assert (await api.send(plain, by="root as hung")).status_code == 200
    [found] = sign_offs(await trail(api))
    assert (found.verdict, found.factor) == ("vouched", "token")


async def test_d_any_later_change_of_what_was_signed_is_detected(api: Api) -> None:
    """Article 26 (d): of the digest, of a part of the dossier, of the statement or of the signature."""
    _, found = await one_signed(api)
    assert found.verdict == "signed"
    events = await trail(api)
    changed = 0
    for place, event in enumerate(events[: found.seq]):
        for forged in alterations(event):
            [after] = sign_offs([*events[:place], forged, *events[place + 1 :]])
            assert after.verdict == "broken", (event.type, forged)
            changed += 1
    assert changed > 100


def alterations(event: SealedEvent) -> list[SealedEvent]:
    """The event with each text and number of its content changed, one after the other."""
    found = []

    def walk(node: Any, put: Any) -> None:
        match node:
            case dict():
                for name in node:
                    walk(node[name], lambda value, node=node, name=name: put(node | {name: value}))
            case list():
                for number, part in enumerate(node):
                    walk(part, lambda value, n=number, node=node: put([*node[:n], value, *node[n + 1 :]]))
            case bool():
                put(not node)
            case int():
                put(node + 1)
            case str():
                put(("0" if node[:1] != "0" else "1") + node[1:])

    walk(json.loads(json.dumps(event.data)), lambda data: found.append(event.model_copy(update={"data": data})))
    return found
