"""OpenID Connect against a provider that runs: the code flow, whose word is taken, and what does not come through."""

import warnings
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from pydantic import SecretStr

from settings import OidcProvider
from tests.api.conftest import code
from tests.api.front import Browser, Front, front

with warnings.catch_warnings(record=True):
    # The mock imports and calls parts of Authlib that Authlib is about to drop.
    from oidc_provider_mock import run_server_in_thread

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """A provider of OpenID Connect that listens."""
    with run_server_in_thread(require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
async def at(tmp_path: Path, issuer: str) -> AsyncIterator[Front]:
    """An installation that takes the provider's word, and that of one that is away."""
    union = OidcProvider(
        name="union", organisation="Sông Lam", issuer=issuer, client_id="legation", client_secret=SecretStr("s&cret")
    )
    away = union.model_copy(update={"name": "away", "issuer": "http://localhost:1"})
    async with front(tmp_path, oidc_providers=(union, away)) as found:
        yield found


async def gone(browser: Browser, provider: str = "union") -> str:
    """Where the browser is sent to sign in."""
    answer = await browser.ask("GET", f"/session/oidc/{provider}")
    assert answer.status_code == 303, answer.text
    return answer.headers["location"]


async def test_a_provider_that_still_knows_somebody_makes_no_fresh_sign_in(at: Front, issuer: str) -> None:
    """It sends them back unasked. Asked to ask again, it has to have done so; then they change how they sign in."""
    await at.at.identities.link("hung", issuer, "s-known")
    hung = at.browser()
    hour = int((at.moment.now - timedelta(hours=1)).timestamp())
    for claims, again, expected in (
        ({"auth_time": hour}, "", (403, "sign_in_again")),
        ({"auth_time": hour}, "?again=yes", (403, "sign_in_refused")),
        ({"auth_time": hour - 12 * 3600}, "", (403, "sign_in_refused")),
        ({}, "?again=yes", None),
    ):
        async with httpx2.AsyncClient() as client:
            assert (await client.put(f"{issuer}/users/s-known", json=claims)).status_code == 204
        location = await gone(hung, f"union{again}")
        assert ("prompt=login&max_age=0" if again else "max_age=43200") in location.replace(
            "max_age=0&prompt=login", "prompt=login&max_age=0"
        )
        back = await came_back(hung, await vouched(location, "s-known"))
        if back.status_code == 303:
            hung.csrf = (await hung.ask("GET", "/session")).json()["csrf_token"]
            back = await hung.ask("POST", "/me/tokens", {"scopes": ["read"]})
        assert (back.status_code == 201) if expected is None else (code(back) == expected), (claims, again)


async def vouched(location: str, subject: str) -> str:
    """Where the provider sends somebody back to, after they signed in there."""
    async with httpx2.AsyncClient() as client:
        answer = await client.post(location, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


async def came_back(browser: Browser, location: str) -> httpx2.Response:
    """What the browser meets when it comes back, from another site."""
    return await browser.ask("GET", location, origin="", sec_fetch_site="cross-site")


async def test_who_is_linked_signs_in_with_the_provider(at: Front, issuer: str) -> None:
    """PKCE, state and nonce go out; a session comes back, and the request knows by which factor."""
    await at.at.identities.link("hung", issuer, "s-hung")
    hung = at.browser()
    location = await gone(hung)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
    assert (asked["response_type"], asked["scope"], asked["code_challenge_method"]) == ("code", "openid", "S256")
    assert asked["redirect_uri"] == "https://legation.test/api/v1/session/oidc/callback"
    assert {len(asked[name]) for name in ("state", "nonce", "code_challenge")} == {43}
    answer = await came_back(hung, await vouched(location, "s-hung"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    me = (await hung.ask("GET", "/me")).json()
    assert (me["account"]["id"], me["factor"]) == ("hung", "oidc")
    assert hung.http.cookies.get("__Host-legation-sign-in") is None


async def test_an_address_alone_signs_nobody_in(at: Front) -> None:
    """The provider says that it is hung@songlam.example; so does the account; they are not linked."""
    hung = at.browser()
    answer = await came_back(hung, await vouched(await gone(hung), "hung@songlam.example"))
    assert code(answer) == (403, "sign_in_refused")
    assert hung.cookie is None


async def test_the_same_answer_comes_through_once(at: Front, issuer: str) -> None:
    """State and code are good for one sign-in."""
    await at.at.identities.link("hung", issuer, "s-once")
    hung = at.browser()
    back = await vouched(await gone(hung), "s-once")
    assert (await came_back(hung, back)).status_code == 303
    assert code(await came_back(hung, back)) == (403, "sign_in_refused")


async def test_another_browser_cannot_finish_what_one_began(at: Front, issuer: str) -> None:
    """Or an attacker could sign a victim in as themselves, with a link."""
    await at.at.identities.link("hung", issuer, "s-other")
    attacker, victim = at.browser(), at.browser()
    back = await vouched(await gone(attacker), "s-other")
    await gone(victim)
    assert code(await came_back(victim, back)) == (403, "sign_in_refused")
    assert victim.cookie is None


async def test_a_sign_in_takes_five_minutes_at_most(at: Front, issuer: str) -> None:
    """Whoever comes back later begins again."""
    await at.at.identities.link("hung", issuer, "s-late")
    hung = at.browser()
    back = await vouched(await gone(hung), "s-late")
    at.moment.pass_by(minutes=5)
    assert code(await came_back(hung, back)) == (403, "sign_in_refused")


@pytest.mark.parametrize(
    "spoil",
    [
        lambda back: back.replace("code=", "code=x"),
        lambda back: back.replace("state=", "state=x"),
        lambda back: back.partition("?")[0],
        lambda back: back + "&iss=https%3A%2F%2Fevil.test",
        lambda back: back + "&error=access_denied",
    ],
)
async def test_what_was_not_said_by_the_provider_signs_nobody_in(at: Front, issuer: str, spoil: object) -> None:
    """A wrong code, a wrong state, nothing at all, another issuer, a refusal."""
    assert callable(spoil)
    if await at.at.identities.account_of(issuer, "s-spoilt") is None:
        await at.at.identities.link("hung", issuer, "s-spoilt")
    hung = at.browser()
    answer = await came_back(hung, spoil(await vouched(await gone(hung), "s-spoilt")))
    assert code(answer) == (403, "sign_in_refused")


async def test_a_code_for_another_sign_in_is_not_taken(at: Front, issuer: str) -> None:
    """The nonce ties a token to the browser that asked for it."""
    await at.at.identities.link("hung", issuer, "s-swapped")
    hung = at.browser()
    first = await vouched(await gone(hung), "s-swapped")
    second = await vouched(await gone(hung), "s-swapped")
    stolen = parse_qs(urlsplit(first).query)["code"][0]
    own = parse_qs(urlsplit(second).query)["code"][0]
    assert code(await came_back(hung, second.replace(own, stolen))) == (403, "sign_in_refused")


async def test_a_provider_that_is_away_or_unknown_is_told_apart(at: Front) -> None:
    """The one may come back."""
    answer = await at.browser().ask("GET", "/session/oidc/away")
    assert (code(answer), answer.headers["retry-after"]) == ((503, "provider_unavailable"), "30")
    assert code(await at.browser().ask("GET", "/session/oidc/nobody")) == (404, "provider_unknown")


async def test_providers_are_listed_to_everybody_without_their_secrets(at: Front, issuer: str) -> None:
    """Whoever signs in chooses by organisation."""
    answer = await at.browser().ask("GET", "/session/oidc")
    assert answer.json()["items"][0] == {"name": "union", "organisation": "Sông Lam", "issuer": issuer}
    assert "s&cret" not in answer.text


async def test_identities_are_the_administrator_s(at: Front, issuer: str) -> None:
    """Linked, listed, removed; issuer and subject belong to one account."""
    root = at.browser()
    await root.sign_in("root")
    body = {"issuer": issuer, "subject": "s-1"}
    token = await at.token("root")
    assert code(await at.browser().ask("POST", "/accounts/hung/identities", body, **token)) == (403, "session_needed")
    made = await root.ask("POST", "/accounts/hung/identities", body)
    assert made.status_code == 201, made.text
    assert (await root.ask("GET", "/accounts/hung/identities")).json()["items"] == [made.json()]
    assert code(await root.ask("POST", "/accounts/mai/identities", body)) == (409, "identity_exists")
    assert code(await root.ask("POST", "/accounts/nobody/identities", body)) == (404, "account_unknown")
    assert code(await root.ask("GET", "/accounts/nobody/identities")) == (404, "account_unknown")
    for factor in ("oidc", "passkey"):
        await at.at.sessions.open("hung", factor)
    assert (await root.ask("DELETE", f"/identities/{made.json()['id']}")).status_code == 204
    assert [one.factor for one in await at.at.sessions.of("hung")] == ["passkey"]
    assert code(await root.ask("DELETE", f"/identities/{made.json()['id']}")) == (404, "identity_unknown")
