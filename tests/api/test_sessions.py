"""Signing in and out by a browser: cookies, other sites, expiry, and what a session may and may not do."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from storage.metadata import utc_now
from tests.api.conftest import code, fields
from tests.api.front import ORIGIN, PASSWORD, Front, front


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation with sessions of an hour's disuse, twelve hours in all."""
    async with front(tmp_path) as found:
        yield found


async def test_somebody_signs_in_looks_and_signs_out(at: Front) -> None:
    """The request knows who, by which factor and since when."""
    hung = at.browser()
    signed = await hung.sign_in("hung")
    assert signed.status_code == 201, signed.text
    shown = (await hung.ask("GET", "/session")).json()
    assert shown == signed.json()
    assert (shown["account"], shown["factor"]) == ("hung", "password")
    me = (await hung.ask("GET", "/me")).json()
    assert (me["account"]["id"], me["factor"], me["factor_at"]) == ("hung", "password", shown["created_at"])
    assert (await hung.ask("DELETE", "/session")).status_code == 204
    assert hung.cookie is None
    assert code(await hung.ask("GET", "/session")) == (401, "token_missing")


async def test_the_cookie_is_for_this_host_this_channel_and_no_script(at: Front) -> None:
    """And it stays when the browser follows a link in a mail."""
    signed = await at.browser().sign_in("hung")
    [cookie] = signed.headers.get_list("set-cookie")
    name, _, rest = cookie.partition("=")
    value, _, attributes = rest.partition("; ")
    assert name == "__Host-legation-session"
    assert len(value) == 43
    assert sorted(attributes.split("; ")) == ["HttpOnly", "Max-Age=43200", "Path=/", "SameSite=lax", "Secure"]


async def test_on_this_machine_without_tls_the_cookie_has_another_name(tmp_path: Path) -> None:
    """Browsers refuse `__Host-` there; anywhere else it stays secure, even if the address says http."""
    async with front(tmp_path, public_url="http://127.0.0.1:8080") as plain:
        cookies = plain.at.cookies
        assert (cookies.session, cookies.secure, cookies.origin) == ("legation-session", False, "http://127.0.0.1:8080")
    async with front(tmp_path, public_url="http://legation.test") as careless:
        assert (careless.at.cookies.session, careless.at.cookies.secure) == ("__Host-legation-session", True)


async def test_a_wrong_password_and_an_unknown_account_are_answered_alike(at: Front) -> None:
    """To the letter, but for the request's own number."""
    wrong = await at.browser().sign_in("hung", "another password")
    unknown = await at.browser().sign_in("nobody", "another password")
    assert code(wrong) == code(unknown) == (403, "sign_in_refused")
    assert wrong.json() | {"instance": ""} == unknown.json() | {"instance": ""}
    assert wrong.headers.get("set-cookie") is None


async def test_a_sign_in_gives_a_new_secret_and_ends_the_old_one(at: Front) -> None:
    """A cookie that was planted before is worth nothing afterwards (fixation)."""
    attacker, victim = at.browser(), at.browser()
    await attacker.sign_in("lan")
    planted = attacker.cookie
    assert planted is not None
    victim.http.cookies.set("__Host-legation-session", planted, domain="legation.test")
    signed = await victim.sign_in("hung")
    assert planted not in signed.headers["set-cookie"]
    assert code(await attacker.ask("GET", "/session")) == (401, "session_refused")


@pytest.mark.parametrize("made_up", ["A" * 43, "x", "ses_aaaaaaaa"])
async def test_a_made_up_session_is_none(at: Front, made_up: str) -> None:
    """Nobody is let in by a cookie that the server did not make."""
    browser = at.browser()
    browser.http.cookies.set("__Host-legation-session", made_up, domain="legation.test")
    assert code(await browser.ask("GET", "/me")) == (401, "session_refused")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"x_csrf_token": ""}, "csrf_token_refused"),
        ({"x_csrf_token": "A" * 43}, "csrf_token_refused"),
        ({"origin": "https://evil.test"}, "origin_refused"),
        ({"origin": "null"}, "origin_refused"),
        ({"origin": "http://legation.test"}, "origin_refused"),
        ({"origin": "https://legation.test:444"}, "origin_refused"),
        ({"sec_fetch_site": "cross-site"}, "origin_refused"),
        ({"sec_fetch_site": "same-site"}, "origin_refused"),
        ({"origin": "", "sec_fetch_site": ""}, "origin_refused"),
    ],
)
async def test_a_change_from_another_site_or_without_the_session_s_token_is_refused(
    at: Front, headers: dict[str, str], expected: str
) -> None:
    """Each alone is enough; and nothing happened."""
    lan = at.browser()
    await lan.sign_in("lan")
    assert code(await lan.ask("DELETE", "/sessions", **headers)) == (403, expected)
    assert (await lan.ask("GET", "/session", **headers)).status_code == 200


async def test_either_word_of_the_browser_is_enough(at: Front) -> None:
    """Old browsers send `Origin` alone; some requests carry `Sec-Fetch-Site` alone."""
    for headers in ({"origin": ""}, {"sec_fetch_site": ""}):
        lan = at.browser()
        await lan.sign_in("lan")
        assert (await lan.ask("DELETE", "/session", **headers)).status_code == 204


async def test_another_session_s_token_does_not_serve(at: Front) -> None:
    """It is bound to its own session, not to its account."""
    one, other = at.browser(), at.browser()
    await one.sign_in("lan")
    await other.sign_in("lan")
    assert code(await one.ask("DELETE", "/session", x_csrf_token=other.csrf)) == (403, "csrf_token_refused")


async def test_a_page_of_another_site_signs_nobody_in(at: Front) -> None:
    """Not even as the attacker, in the victim's browser."""
    assert code(await at.browser().ask("POST", "/session", {}, origin="https://evil.test")) == (403, "origin_refused")
    body = {"account": "lan", "password": PASSWORD}
    program = await at.browser().ask("POST", "/session", body, origin="", sec_fetch_site="")
    assert program.status_code == 201


async def test_a_session_is_over_by_disuse_and_by_age(at: Front) -> None:
    """An hour unused, or twelve hours in all."""
    lan = at.browser()
    await lan.sign_in("lan")
    at.moment.pass_by(minutes=59)
    assert (await lan.ask("GET", "/me")).status_code == 200
    at.moment.pass_by(hours=1)
    assert code(await lan.ask("GET", "/me")) == (401, "session_refused")
    assert lan.cookie is None
    await lan.sign_in("lan")
    for _ in range(13):
        at.moment.pass_by(minutes=55)
        assert (await lan.ask("GET", "/me")).status_code == 200
    at.moment.pass_by(minutes=5)
    assert code(await lan.ask("GET", "/me")) == (401, "session_refused")


async def test_sessions_are_listed_to_their_owner_and_ended_one_by_one_or_all(at: Front) -> None:
    """Nobody sees or ends another's."""
    desk, phone, other = at.browser(), at.browser(), at.browser()
    first = (await desk.sign_in("lan")).json()["id"]
    at.moment.pass_by(seconds=1)
    second = (await phone.sign_in("lan")).json()["id"]
    await other.sign_in("hung")
    listed = (await desk.ask("GET", "/sessions")).json()
    assert [one["id"] for one in listed["items"]] == [first, second]
    assert listed["current"] == first
    assert "csrf_token" not in str(listed)
    assert code(await other.ask("DELETE", f"/sessions/{first}")) == (404, "session_unknown")
    assert (await desk.ask("DELETE", f"/sessions/{second}")).status_code == 204
    assert code(await phone.ask("GET", "/me")) == (401, "session_refused")
    assert (await desk.ask("DELETE", "/sessions")).status_code == 204
    assert desk.cookie is None
    assert (await other.ask("GET", "/me")).status_code == 200


async def test_an_administrator_ends_all_sessions_of_an_account(at: Front) -> None:
    """With a token or a session of their own."""
    lan, root = at.browser(), at.browser()
    await lan.sign_in("lan")
    await root.sign_in("root")
    assert code(await lan.ask("DELETE", "/accounts/lan/sessions")) == (403, "role_not_allowed")
    assert (await root.ask("DELETE", "/accounts/lan/sessions")).status_code == 204
    assert code(await lan.ask("GET", "/me")) == (401, "session_refused")
    assert code(await root.ask("DELETE", "/accounts/nobody/sessions")) == (404, "account_unknown")


async def test_a_disabled_account_is_out_at_once(at: Front) -> None:
    """And does not come in again."""
    lan = at.browser()
    await lan.sign_in("lan")
    await at.at.accounts.disable("lan")
    assert code(await lan.ask("GET", "/me")) == (401, "session_refused")
    assert code(await lan.sign_in("lan")) == (403, "sign_in_refused")


async def test_a_role_holds_for_a_session_as_for_a_token(at: Front) -> None:
    """What the table of routes says, it says of both."""
    hung = at.browser()
    await hung.sign_in("hung")
    assert code(await hung.ask("GET", "/accounts")) == (403, "role_not_allowed")
    root = at.browser()
    await root.sign_in("root")
    assert (await root.ask("GET", "/accounts")).status_code == 200


@pytest.mark.parametrize(
    ("scopes", "method", "path", "missing"),
    [
        (("write",), "GET", "/me", "read"),
        (("read",), "POST", "/persons", "write"),
        (("sign",), "POST", "/persons", "write"),
        (("read", "write", "sign"), "GET", "/accounts", "administer"),
        (("administer",), "GET", "/me", "read"),
        (("read",), "POST", "/delegations/d-1/commands", "write"),
    ],
)
async def test_a_token_does_what_its_scopes_say(
    at: Front, scopes: tuple[str, ...], method: str, path: str, missing: str
) -> None:
    """And no more than its account's roles."""
    account = "root" if path == "/accounts" else "lan"
    token = await at.token(account, scopes=scopes)
    answer = await at.browser().ask(method, path, {} if method == "POST" else None, **token)
    assert code(answer) == (403, "scope_missing")
    assert f"“{missing}”" in answer.json()["detail"]


async def test_a_scope_gives_no_role(at: Front) -> None:
    """A token may never do more than its account."""
    token = await at.token("lan", scopes=("administer",))
    assert code(await at.browser().ask("GET", "/accounts", **token)) == (403, "role_not_allowed")


async def test_writing_and_signing_are_told_apart_within_one_address(at: Front) -> None:
    """A token for drafting signs nothing; one for signing changes nothing else. Refused before anything is sent."""
    hung, lan = await at.token("hung", scopes=("write",)), await at.token("lan", scopes=("sign",))
    signing = {"type": "sign_off", "step_id": "s", "dossier_digest": "0" * 64}
    key = {"idempotency_key": "k"}
    answer = await at.browser().ask("POST", "/delegations/d-1/commands", signing, **hung, **key)
    assert code(answer) == (403, "scope_missing")
    answer = await at.browser().ask("POST", "/delegations/d-1/commands", {"type": "submit_request"}, **lan, **key)
    assert code(answer) == (403, "scope_missing")
    batch = {"commands": [{"type": "submit_request"}, signing]}
    answer = await at.browser().ask("POST", "/delegations/d-1/commands", batch, **hung, **key)
    assert (code(answer), "“sign”" in answer.json()["detail"]) == ((403, "scope_missing"), True)


async def test_a_token_is_made_with_scopes(at: Front) -> None:
    """All that may be given, unless fewer are named; none, or an unknown one, is refused."""
    root = at.browser()
    await root.sign_in("root")
    made = (await root.ask("POST", "/accounts/lan/tokens", {"scopes": ["write", "read"]})).json()
    assert made["scopes"] == ["read", "write"]
    all_of_them = (await root.ask("POST", "/accounts/lan/tokens", {})).json()
    assert all_of_them["scopes"] == ["read", "write", "administer"]
    assert fields(await root.ask("POST", "/accounts/lan/tokens", {"scopes": []})) == [("scopes", "too_few")]
    unknown = await root.ask("POST", "/accounts/lan/tokens", {"scopes": ["read", "all"]})
    assert fields(unknown) == [("scopes.1", "not_one_of")]


async def test_no_token_is_good_for_ever(at: Front) -> None:
    """A year at most, one that signs a month; what is not said is that, and a day more is refused."""
    hung = at.browser()
    await hung.sign_in("hung")
    now = utc_now()
    for scopes, days in ((["read"], 365), (["read", "sign"], 30)):
        made = (await hung.ask("POST", "/me/tokens", {"scopes": scopes})).json()
        assert abs(datetime.fromisoformat(made["expires_at"]) - now - timedelta(days=days)) < timedelta(minutes=1)
        later = {"scopes": scopes, "expires_at": (now + timedelta(days=days + 1)).isoformat()}
        refused = await hung.ask("POST", "/me/tokens", later)
        assert (code(refused), fields(refused)) == (
            (422, "token_lives_too_long"),
            [("expires_at", "token_lives_too_long")],
        )
        assert str(days) in refused.json()["errors"][0]["message"]


async def test_nobody_is_given_a_token_that_signs(at: Front) -> None:
    """Not by an administrator, not for the administrator's own account; its owner makes it, and has just signed in."""
    root, hung = at.browser(), at.browser()
    await root.sign_in("root")
    for account in ("hung", "root"):
        answer = await root.ask("POST", f"/accounts/{account}/tokens", {"scopes": ["read", "sign"]})
        assert code(answer) == (403, "signing_not_yours")
    await hung.sign_in("hung")
    made = (await hung.ask("POST", "/me/tokens", {"scopes": ["read", "sign"]})).json()
    assert (made["account"], made["scopes"]) == ("hung", ["read", "sign"])
    token = {"authorization": f"Bearer {made['token']}"}
    assert code(await at.browser().ask("POST", "/me/tokens", {}, **token)) == (403, "session_needed")
    assert [one["id"] for one in (await hung.ask("GET", "/me/tokens")).json()["items"]] == [made["id"]]
    at.moment.pass_by(minutes=16)
    assert code(await hung.ask("POST", "/me/tokens", {})) == (403, "sign_in_again")
    assert code(await root.ask("DELETE", f"/me/tokens/{made['id']}")) == (404, "token_unknown")
    assert (await hung.ask("DELETE", f"/me/tokens/{made['id']}")).status_code == 204
    assert code(await at.browser().ask("GET", "/me", **token)) == (401, "token_refused")


async def test_a_token_goes_before_a_cookie_and_needs_no_token_of_a_form(at: Front) -> None:
    """A program with its own credentials is no browser that can be misled."""
    lan = at.browser()
    await lan.sign_in("lan")
    token = await at.token("hung")
    assert (await lan.ask("GET", "/me", **token)).json()["account"]["id"] == "hung"
    assert code(await lan.ask("GET", "/me", authorization="Bearer lgt_nobody")) == (401, "token_refused")
    assert code(await lan.ask("GET", "/me", authorization="Basic bGVnYXRpb246")) == (401, "token_missing")


@pytest.mark.parametrize("path", ["/session", "/sessions", "/passkeys"])
async def test_a_token_does_not_reach_what_one_signs_in_with(at: Front, path: str) -> None:
    """Or a token for reading could make itself a passkey."""
    token = await at.token("lan")
    assert code(await at.browser().ask("GET", path, **token)) == (403, "session_needed")


async def test_nothing_of_a_session_stands_in_a_log(at: Front, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither its secret, nor its token, nor a password, nor the name that was tried in vain."""
    lan = at.browser()
    await lan.sign_in("lan")
    await lan.ask("GET", "/session")
    await lan.sign_in("mistyped-secret", "another password")
    said = "".join(capsys.readouterr())
    assert "signed_in" in said
    for secret in (lan.cookie, lan.csrf, PASSWORD, "another password", "mistyped-secret"):
        assert secret is not None
        assert secret not in said


async def test_what_another_site_tries_is_noted(at: Front, capsys: pytest.CaptureFixture[str]) -> None:
    """By its request's number; a form without its token too."""
    lan = at.browser()
    await lan.sign_in("lan")
    capsys.readouterr()
    for headers, noted in (({"origin": "https://evil.test"}, "origin_refused"), ({"x_csrf_token": ""}, "csrf_token")):
        answer = await lan.ask("DELETE", "/sessions", **headers)
        said = "".join(capsys.readouterr())
        assert noted in said
        assert answer.headers["x-request-id"] in said


async def test_the_origin_is_the_address_that_people_open(at: Front) -> None:
    """Not the name that a request gives this host."""
    assert at.at.cookies.origin == ORIGIN
    lan = at.browser()
    await lan.sign_in("lan")
    answer = await lan.ask("DELETE", "/sessions", origin="https://evil.test", host="evil.test")
    assert code(answer) == (403, "origin_refused")
