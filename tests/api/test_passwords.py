"""Passwords by HTTP: changed with the old one, chosen with a link, and never guessed for long."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.tokens import CreateAdmin, carry_out
from tests.api.conftest import code, fields
from tests.api.front import PASSWORD, Front, front

NEW = "một câu khác dài hơn"


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation where ten attempts come from one address, four of them for one account, in fifteen minutes."""
    async with front(tmp_path, sign_in_address_attempts=10, sign_in_account_attempts=4, token_guesses=3) as found:
        yield found


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds that have passed for the counting of attempts; a test adds to it."""
    passed, now = [0.0], time.time
    monkeypatch.setattr(time, "time", lambda: now() + passed[0])
    return passed


async def test_a_password_is_changed_with_the_old_one(at: Front) -> None:
    """The session that changed it stays; every other one ends, and every token."""
    desk, phone = at.browser(), at.browser()
    await desk.sign_in("lan")
    await phone.sign_in("lan")
    assert code(await desk.ask("PUT", "/password", {"old": "wrong", "new": NEW})) == (403, "password_wrong")
    token = await at.token("lan")
    assert (await desk.ask("PUT", "/password", {"old": PASSWORD, "new": NEW})).status_code == 204
    assert code(await phone.ask("GET", "/me", **token)) == (401, "token_refused")
    assert (await desk.ask("GET", "/me")).status_code == 200
    assert code(await phone.ask("GET", "/me")) == (401, "session_refused")
    assert code(await phone.sign_in("lan")) == (403, "sign_in_refused")
    assert (await phone.sign_in("lan", NEW)).status_code == 201


async def test_a_token_changes_no_password(at: Front) -> None:
    """Even with the old one at hand."""
    token = await at.token("lan")
    answer = await at.browser().ask("PUT", "/password", {"old": PASSWORD, "new": NEW}, **token)
    assert code(answer) == (403, "session_needed")


@pytest.mark.parametrize(("new", "rule"), [("ngắn quá", "password_too_short"), ("dài" * 50, "password_too_long")])
async def test_a_new_password_has_twelve_to_128_characters(at: Front, new: str, rule: str) -> None:
    """What was sent is not repeated."""
    lan = at.browser()
    await lan.sign_in("lan")
    answer = await lan.ask("PUT", "/password", {"old": PASSWORD, "new": new})
    assert (code(answer), fields(answer)) == ((422, "validation_failed"), [("new", rule)])
    assert new not in answer.text


async def test_an_administrator_hands_out_a_link_and_sets_no_password(at: Front) -> None:
    """It is good once, for a day; whoever opens it only to look uses nothing up."""
    root, lan = at.browser(), at.browser()
    await root.sign_in("root")
    await lan.sign_in("lan")
    made = (await root.ask("POST", "/accounts/lan/password-link")).json()
    page, _, secret = made["link"].partition("#link=")
    assert page == "https://legation.test/sign-in"
    body = {"link": secret, "password": NEW}
    await at.at.identities.link("lan", "https://login.example.org", "s-lan", by="root")
    token = await at.token("lan")
    chosen = await at.browser().ask("POST", "/password/link", body)
    assert chosen.json() == {"passkeys": [], "identities": ["https://login.example.org"]}
    assert code(await at.browser().ask("GET", "/me", **token)) == (401, "token_refused")
    assert code(await lan.ask("GET", "/me")) == (401, "session_refused")
    assert code(await at.browser().ask("POST", "/password/link", body)) == (403, "link_refused")
    assert code(await lan.sign_in("lan")) == (403, "sign_in_refused")
    assert (await lan.sign_in("lan", NEW)).status_code == 201
    late = (await root.ask("POST", "/accounts/lan/password-link")).json()["link"].partition("#link=")[2]
    at.moment.pass_by(hours=24)
    answer = await at.browser().ask("POST", "/password/link", {"link": late, "password": NEW})
    assert code(answer) == (403, "link_refused")
    await root.sign_in("root")
    assert code(await root.ask("POST", "/accounts/nobody/password-link")) == (404, "account_unknown")


async def test_the_first_administrator_begins_with_a_link_and_hands_out_the_next(at: Front) -> None:
    """From the command line to a signed-in colleague, and nobody ever set another's password."""
    made = await carry_out(CreateAdmin(account="chief", name="Nguyễn Trưởng"), at.at.settings)
    chief, lan = at.browser(), at.browser()
    chosen = {"link": made.value["secret"], "password": NEW}
    assert (await chief.ask("POST", "/password/link", chosen)).status_code == 200
    assert (await chief.sign_in("chief", NEW)).status_code == 201
    assert (await chief.ask("GET", "/me")).json()["account"]["roles"] == ["administrator"]
    link = (await chief.ask("POST", "/accounts/lan/password-link")).json()["link"].partition("#link=")[2]
    assert (await lan.ask("POST", "/password/link", {"link": link, "password": NEW})).status_code == 200
    assert (await lan.sign_in("lan", NEW)).status_code == 201


async def test_guessing_for_one_account_is_slowed_down_and_says_until_when(at: Front, later: list[float]) -> None:
    """A right password waits too; once the window has passed it is taken."""
    thief = at.browser()
    for guess in range(4):
        assert code(await thief.sign_in("lan", f"guess number {guess}")) == (403, "sign_in_refused")
    answer = await thief.sign_in("lan")
    assert code(answer) == (429, "too_many_attempts")
    assert 890 <= int(answer.headers["retry-after"]) <= 900
    later[0] += 901
    assert (await thief.sign_in("lan")).status_code == 201


async def test_a_stranger_locks_nobody_out(at: Front) -> None:
    """The owner, at another address, signs in as if nothing had happened."""
    thief = at.browser("198.51.100.7")
    for guess in range(5):
        await thief.sign_in("lan", f"guess number {guess}")
    assert code(await thief.sign_in("lan")) == (429, "too_many_attempts")
    assert (await at.browser("192.0.2.9").sign_in("lan")).status_code == 201


async def test_an_address_that_tries_account_after_account_is_slowed_down(at: Front) -> None:
    """Whichever of its network's IPv6 addresses it takes; another network goes on."""
    answers = []
    for number in range(11):
        thief = at.browser(f"2001:db8:1:1::{number:x}")
        answers.append((await thief.sign_in(f"account-{number}", "one and the same guess")).status_code)
    assert answers == [403] * 10 + [429]
    assert (await at.browser("2001:db8:1:2::1").sign_in("lan")).status_code == 201


async def test_signing_in_clears_what_was_mistyped_before(at: Front) -> None:
    """Three slips and a success, twice, are no attack."""
    lan = at.browser()
    for _ in range(2):
        for slip in range(3):
            assert code(await lan.sign_in("lan", f"slip {slip}")) == (403, "sign_in_refused")
        assert (await lan.sign_in("lan")).status_code == 201


async def test_who_has_an_open_browser_cannot_guess_the_password_behind_it(at: Front) -> None:
    """The old password is counted like a sign-in."""
    lan = at.browser()
    await lan.sign_in("lan")
    for guess in range(4):
        answer = await lan.ask("PUT", "/password", {"old": f"guess {guess}", "new": NEW})
        assert code(answer) == (403, "password_wrong")
    assert code(await lan.ask("PUT", "/password", {"old": PASSWORD, "new": NEW})) == (429, "too_many_attempts")


async def test_guessed_tokens_are_slowed_down_and_good_ones_are_not(at: Front) -> None:
    """Behind one address there may be many people."""
    browser, token = at.browser(), await at.token("lan")
    for _ in range(3):
        assert code(await browser.ask("GET", "/me", authorization="Bearer lgt_guess")) == (401, "token_refused")
    answer = await browser.ask("GET", "/me", authorization="Bearer lgt_guess")
    assert code(answer) == (429, "too_many_attempts")
    assert int(answer.headers["retry-after"]) > 0
    assert (await browser.ask("GET", "/me", **token)).status_code == 200
