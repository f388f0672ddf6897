"""Passkeys by HTTP: registered by who signed in just now, and good for signing in."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.api.conftest import code
from tests.api.front import ORIGIN, Browser, Front, front
from tests.authenticator import Authenticator


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation at `https://legation.test`."""
    async with front(tmp_path) as found:
        yield found


async def registered(browser: Browser, label: str = "Điện thoại") -> Authenticator:
    """A device whose key is registered for whoever is signed in."""
    device = Authenticator(ORIGIN)
    asked = (await browser.ask("POST", "/passkey/options")).json()["options"]
    made = await browser.ask("POST", "/passkeys", {"credential": device.create(asked), "label": label})
    assert made.status_code == 201, made.text
    return device


async def challenge(browser: Browser) -> dict[str, object]:
    """What a device is to sign."""
    options: dict[str, object] = (await browser.ask("POST", "/session/passkey/options")).json()["options"]
    return options


async def test_a_passkey_signs_in_without_a_name_or_a_password(at: Front) -> None:
    """And the request knows that it was one."""
    hung = at.browser()
    await hung.sign_in("hung")
    device = await registered(hung)
    elsewhere = at.browser()
    at.moment.pass_by(hours=2)
    signed = await elsewhere.ask("POST", "/session/passkey", {"credential": device.get(await challenge(elsewhere))})
    assert signed.status_code == 201, signed.text
    me = (await elsewhere.ask("GET", "/me")).json()
    assert (me["account"]["id"], me["factor"]) == ("hung", "passkey")


async def test_an_answer_signs_in_once(at: Front) -> None:
    """The same answer again is refused like anything else that is wrong."""
    hung = at.browser()
    await hung.sign_in("hung")
    device = await registered(hung)
    answer = {"credential": device.get(await challenge(hung))}
    assert (await at.browser().ask("POST", "/session/passkey", answer)).status_code == 201
    assert code(await at.browser().ask("POST", "/session/passkey", answer)) == (403, "sign_in_refused")
    device.origin = "https://evil.test"
    answer = {"credential": device.get(await challenge(hung))}
    assert code(await at.browser().ask("POST", "/session/passkey", answer)) == (403, "sign_in_refused")
    assert code(await at.browser().ask("POST", "/session/passkey", {"credential": {}})) == (403, "sign_in_refused")


async def test_passkeys_are_listed_and_removed_by_their_owner(at: Front) -> None:
    """Several an account."""
    hung, mai = at.browser(), at.browser()
    await hung.sign_in("hung")
    await mai.sign_in("mai")
    first = await registered(hung, "Điện thoại")
    at.moment.pass_by(seconds=1)
    await registered(hung, "Thẻ")
    keys = (await hung.ask("GET", "/passkeys")).json()["items"]
    assert [key["label"] for key in keys] == ["Điện thoại", "Thẻ"]
    assert (await mai.ask("GET", "/passkeys")).json() == {"items": []}
    assert code(await mai.ask("DELETE", f"/passkeys/{keys[0]['id']}")) == (404, "passkey_unknown")
    assert (await hung.ask("DELETE", f"/passkeys/{keys[0]['id']}")).status_code == 204
    answer = {"credential": first.get(await challenge(mai))}
    assert code(await mai.ask("POST", "/session/passkey", answer)) == (403, "sign_in_refused")


async def test_what_one_signs_in_with_changes_only_soon_after_signing_in(at: Front) -> None:
    """Fifteen minutes; who finds an open browser does not make it theirs."""
    hung = at.browser()
    await hung.sign_in("hung")
    device = await registered(hung)
    [key] = (await hung.ask("GET", "/passkeys")).json()["items"]
    at.moment.pass_by(minutes=15, seconds=1)
    body = {"credential": device.create(await registration(at, "hung")), "label": "x"}
    for method, path, sent in (
        ("POST", "/passkey/options", None),
        ("POST", "/passkeys", body),
        ("DELETE", f"/passkeys/{key['id']}", None),
    ):
        assert code(await hung.ask(method, path, sent)) == (403, "sign_in_again")
    await hung.sign_in("hung")
    assert (await hung.ask("DELETE", f"/passkeys/{key['id']}")).status_code == 204


async def registration(at: Front, account: str) -> dict[str, object]:
    """What a device is asked for when a key is registered."""
    return await at.at.passkeys.registration(account)


async def test_what_is_no_registration_is_refused(at: Front) -> None:
    """A key that is known, another account's challenge, a device that did not look who holds it."""
    hung = at.browser()
    await hung.sign_in("hung")
    device = await registered(hung)
    asked = await registration(at, "hung")
    answer = await hung.ask("POST", "/passkeys", {"credential": device.create(asked), "label": "x"})
    assert code(answer) == (409, "passkey_exists")
    for asked, liar in (
        (await registration(at, "mai"), Authenticator(ORIGIN)),
        (await registration(at, "hung"), Authenticator(ORIGIN, verifies=False)),
        (await registration(at, "hung"), Authenticator("https://evil.test")),
    ):
        answer = await hung.ask("POST", "/passkeys", {"credential": liar.create(asked), "label": "x"})
        assert code(answer) == (422, "passkey_refused")
