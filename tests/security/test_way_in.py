"""Whoever finds an open browser, or sends one here, opens no way in that lasts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from settings import OidcProvider
from tests.api.conftest import code
from tests.api.front import ORIGIN, Front, front

ISSUER = "http://localhost:1"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation with a provider that is away."""
    union = OidcProvider(
        name="union", organisation="Sông Lam", issuer=ISSUER, client_id="legation", client_secret=SecretStr("s&cret")
    )
    async with front(tmp_path, oidc_providers=(union,)) as found:
        yield found


async def test_an_administrator_opens_a_way_in_only_soon_after_signing_in(at: Front) -> None:
    """A link to choose a password, a provider's subject, a token: fifteen minutes, then one signs in again."""
    root = at.browser()
    await root.sign_in("root")
    ways: tuple[tuple[str, str, dict[str, str] | None], ...] = (
        ("root", "password-link", None),
        ("root", "identities", {"issuer": ISSUER, "subject": "s-found"}),
        ("root", "tokens", {}),
        ("lan", "enable", None),
    )
    await at.at.accounts.disable("lan")
    at.moment.pass_by(minutes=15, seconds=1)
    for account, way, body in ways:
        assert code(await root.ask("POST", f"/accounts/{account}/{way}", body)) == (403, "sign_in_again"), way
    assert await at.at.identities.of("root") == []
    assert await at.at.accounts.tokens_of("root") == []
    await root.sign_in("root")
    for account, way, body in ways:
        assert (await root.ask("POST", f"/accounts/{account}/{way}", body)).is_success, way


async def test_the_page_of_an_account_says_so_and_stays(at: Front) -> None:
    """With the way it was asked for: no link is made, no subject linked, and what was typed is there again."""
    root = at.browser()
    await root.sign_in("root")
    at.moment.pass_by(minutes=15, seconds=1)
    origin = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    for form in ({"form": "password_link"}, {"form": "identity", "issuer": ISSUER, "subject": "s-found"}):
        answer = await root.http.post(f"{ORIGIN}/admin/accounts/hung", data={"csrf": root.csrf, **form}, headers=origin)
        assert (answer.status_code, "lgl_" in answer.text) == (403, False)
        assert "data-summary" in answer.text
        assert form.get("subject", "") in answer.text
    assert await at.at.identities.of("hung") == []


async def test_a_token_opens_no_way_in_for_anybody(at: Front) -> None:
    """Whatever its scopes: whoever copies it could become an approver, and sign."""
    await at.at.accounts.disable("lan")
    token = await at.token("root")
    for method, path, body in (
        ("POST", "/accounts/hung/password-link", None),
        ("POST", "/accounts/hung/identities", {"issuer": ISSUER, "subject": "s-found"}),
        ("POST", "/accounts/hung/tokens", {}),
        ("POST", "/accounts/lan/enable", None),
        ("DELETE", "/accounts/hung/passkeys/pky_nothing00", None),
    ):
        assert code(await at.browser().ask(method, path, body, **token)) == (403, "session_needed"), path


@pytest.mark.parametrize("site", ["cross-site", "same-site"])
async def test_another_site_cannot_begin_a_sign_in_with_a_provider(at: Front, site: str) -> None:
    """It leads to the page with the button; the page to come to is kept, and nothing is begun."""
    answer = await at.browser().ask("GET", "/session/oidc/union?next=/me/passkeys", origin="", sec_fetch_site=site)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fme%2Fpasskeys")
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("site", ["same-origin", "none", ""])
async def test_the_button_and_a_typed_address_begin_one(at: Front, site: str) -> None:
    """As far as the provider, which is away here."""
    answer = await at.browser().ask("GET", "/session/oidc/union", origin="", sec_fetch_site=site)
    assert code(answer) == (503, "provider_unavailable")
