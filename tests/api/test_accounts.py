"""Accounts by HTTP: what they name there is, who is left to administer, and what disabling ends."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from api import accounts
from domain.bilingual import Bilingual
from domain.institution import Leave, Organisation
from storage.metadata import utc_now
from tests.api.conftest import code, fields
from tests.api.front import Browser, Front, front
from tests.rulebook import edition
from tests.signer import device_of
from tests.storage.test_persons import SATO

HUNG = {"name": "Lê Văn Hùng", "email": "hung@songlam.example", "roles": ["approver"]}


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation with rules in force and an organisation that is, one that is over and one to come."""
    async with front(tmp_path) as found:
        await found.at.editions.put(edition())
        now = utc_now()
        for slug, since, until in (("song-lam", -9, None), ("heir", -9, None), ("gone", -9, -1), ("coming", 9, None)):
            entry = Organisation(
                slug=slug,
                kind="provincial_union",
                name=Bilingual(vi=slug, en=slug),
                since=now + timedelta(days=since),
                until=None if until is None else now + timedelta(days=until),
            )
            await found.at.institution.add_organisation(entry, by="root")
        yield found


async def signed_in(at: Front, account: str = "root") -> Browser:
    """A browser in which somebody signed in."""
    browser = at.browser()
    await browser.sign_in(account)
    return browser


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"organisation": "no-such-union"}, (404, "organisation_unknown")),
        ({"organisation": "gone"}, (404, "organisation_unknown")),
        ({"organisation": "coming"}, (404, "organisation_unknown")),
        ({"positions": ["vice_president", "vice_presidnet"]}, (422, "position_unknown")),
        ({"person": "per_doesnotexist1"}, (404, "person_unknown")),
    ],
)
async def test_an_account_names_nothing_that_there_is_not(
    at: Front, said: dict[str, object], rule: tuple[int, str]
) -> None:
    """Neither a new one nor a changed one; the field and the rule are said, and nothing is entered."""
    root = await signed_in(at)
    for method, path, body in (
        ("POST", "/accounts", {"id": "linh"} | HUNG | said),
        ("PUT", "/accounts/hung", HUNG | said),
    ):
        answer = await root.ask(method, path, body)
        assert (code(answer), fields(answer)) == (rule, [(next(iter(said)), rule[1])])
    assert await at.at.accounts.get("linh") is None


async def test_what_an_account_names_may_stay_when_it_is_over(at: Front) -> None:
    """Only what is new has to be there: an end elsewhere does not keep somebody from changing their address."""
    root = await signed_in(at)
    person = await at.at.persons.register(SATO)
    said = {"organisation": "song-lam", "positions": ["vice_president"], "person": person.ref}
    assert (await root.ask("PUT", "/accounts/hung", HUNG | said)).status_code == 200
    ends = utc_now() + timedelta(microseconds=1)
    await at.at.institution.end_organisation("song-lam", ends, successor="heir", by="root")
    await at.at.persons.erase(person.ref)
    assert (await root.ask("PUT", "/accounts/hung", HUNG | said | {"language": "en"})).status_code == 200


async def test_somebody_is_left_to_administer(at: Front) -> None:
    """Who has the role alone neither gives it away nor is disabled."""
    root = await signed_in(at)
    away = await root.ask("PUT", "/accounts/root", {"name": "Quản trị", "roles": ["auditor"]})
    assert code(away) == (409, "last_administrator")
    assert code(await root.ask("DELETE", "/accounts/root")) == (409, "last_administrator")
    assert (await root.ask("GET", "/accounts")).status_code == 200


async def test_a_disabled_account_is_listed_and_enabled_again(at: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it could act by has ended, open files are told of the leave that went with it, and its owner is told."""
    told: list[Leave] = []

    async def tell_files(client: object, task_queue: str, leave: Leave) -> None:
        told.append(leave)

    monkeypatch.setattr(accounts, "tell_files", tell_files)
    root, hung = await signed_in(at), await signed_in(at, "hung")
    now = utc_now()
    leave = await at.at.leaves.register("mai", "hung", now, now + timedelta(days=3), by="mai")
    assert (await root.ask("DELETE", "/accounts/hung")).status_code == 204
    assert [(one.id, one.revoked_at is not None) for one in told] == [(leave.id, True)]
    listed = (await root.ask("GET", "/accounts")).json()["disabled"]
    assert [(one["id"], one["name"]) for one in listed] == [("hung", "Lê Văn Hùng")]
    assert code(await root.ask("POST", "/accounts/mai/enable")) == (409, "account_not_disabled")
    assert code(await root.ask("POST", "/accounts/nobody/enable")) == (404, "account_unknown")
    enabled = await root.ask("POST", "/accounts/hung/enable")
    assert (enabled.status_code, enabled.json()["roles"], enabled.json()["positions"]) == (200, ["approver"], [])
    assert code(await hung.ask("GET", "/me")) == (401, "session_refused")
    assert code(await hung.sign_in("hung")) == (403, "sign_in_refused")
    held = await at.at.registers.account_notices.claim(utc_now() + timedelta(minutes=1), timedelta(minutes=1))
    assert [(one.account, one.what, one.done_by) for one in held][-1] == ("hung", "account_enabled", "root")


async def test_an_administrator_removes_a_passkey_and_its_owner_is_told(at: Front) -> None:
    """One that was lost or is nobody's they know; the owner's own word for it is shown."""
    root = await signed_in(at)
    await device_of(at.at, "hung", "Điện thoại cũ")
    [one] = (await root.ask("GET", "/accounts/hung/passkeys")).json()["items"]
    assert one["label"] == "Điện thoại cũ"
    assert code(await root.ask("GET", "/accounts/nobody/passkeys")) == (404, "account_unknown")
    assert code(await root.ask("DELETE", f"/accounts/mai/passkeys/{one['id']}")) == (404, "passkey_not_of_account")
    assert (await root.ask("DELETE", f"/accounts/hung/passkeys/{one['id']}")).status_code == 204
    assert await at.at.passkeys.of("hung") == []
    held = await at.at.registers.account_notices.claim(utc_now() + timedelta(minutes=1), timedelta(minutes=1))
    assert [(one.what, one.done_by) for one in held][-2:] == [
        ("passkey_registered", "hung"),
        ("passkey_removed", "root"),
    ]
