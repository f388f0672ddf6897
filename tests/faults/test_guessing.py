"""Guessed ids, forms from elsewhere, a planted session, a link of an approval that is passed on (faults.md, row 13).

Everything is refused, and everything is recorded: in the log, or as a sealed event where somebody tried to sign.
"""

import json
import re
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest

from tests.faults.asking import File, a_file, code
from tests.faults.page import Note
from tests.installed import Installed, installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

PASSWORD = "mười hai chữ trở lên"
COOKIE = "legation-session"
STEP = "department_head"


@asynccontextmanager
async def browsing(stack: Installed, account: str | None = None) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser, signed in as somebody or as nobody; redirects are looked at, not followed."""
    site = stack.url.removesuffix("/api/v1")
    async with httpx2.AsyncClient(base_url=site, timeout=60.0, headers={"Origin": site}) as browser:
        if account is not None:
            stack.token(account)
            path = f"/api/v1/accounts/{account}/password-link"
            link = (await browser.post(path, headers=stack.headers("root"))).json()["link"]
            body = {"link": link.partition("#link=")[2], "password": PASSWORD}
            assert (await browser.post("/api/v1/password/link", json=body)).status_code == 200
            stack.forget_token(account)
            answer = await browser.post("/api/v1/session", json={"account": account, "password": PASSWORD})
            assert answer.status_code == 201, answer.text
        yield browser


async def waiting(stack: Installed, http: httpx2.AsyncClient) -> tuple[File, str]:
    """A file that waits for the department head, and the path that the mail about it names."""
    for account in ("hung", "mai"):
        stack.token(account)
    file = a_file(stack, http)
    assert (await file.open()).status_code == 201
    assert (await file.add("sato")).status_code == 200
    assert (await file.send({"type": "submit_request"})).status_code == 200
    return file, f"/delegations/{file.id}/steps/{STEP}"


def noted(stack: Installed, said: str) -> int:
    """How often the API's log says something."""
    lines = (stack.folder / "logs" / "api.log").read_text().splitlines()
    return sum(json.loads(line).get("event") == said for line in lines if line.startswith("{"))


async def form_of(browser: httpx2.AsyncClient, path: str) -> dict[str, str]:
    """The fields of the page's form that approves."""
    page = (await browser.get(path)).text
    first = page[page.index('name="act" value="sign_off"') :].partition("</form>")[0]
    found = dict(re.findall(r'name="(\w+)" value="([^"]*)"', first))
    assert {"act", "csrf", "key", "digest"} <= set(found)
    return found


@pytest.mark.faults
async def test_ids_that_somebody_made_up_lead_nowhere(tmp_path: Path, note: Note) -> None:
    """Whoever is signed in learns of nothing by guessing; whoever is not is slowed down, and it stands in the log."""
    note(row="13", fault="guessed ids, tokens and sessions")
    # An installation of its own: who guesses is slowed down for a quarter of an hour, and so would the others be.
    with installed(tmp_path / "var") as stack:
        await guessed(stack)


async def guessed(stack: Installed) -> None:
    """Guess what there might be."""
    guesses = {
        "/delegations/d-000000000000": "delegation_unknown",
        "/persons/per_aaaaaaaaaaaaaaaaaaaaaaaaaa": "person_unknown",
        "/texts/txt_aaaaaaaaaaaaaaaaaaaaaaaaaa": "text_unknown",
        "/directory/dir_aaaaaaaaaaaaaaaaaaaaaaaaaa": "entry_unknown",
    }
    async with stack.asking() as http:
        for path, expected in guesses.items():
            assert code(await http.get(path, headers=stack.headers("lan"))) == (404, expected)
        tried: list[Any] = []
        while len(tried) < 100 and (not tried or tried[-1].status_code == 401):
            headers = {"Authorization": f"Bearer lgt_{len(tried):043}"}
            tried.append(await http.get("/me", headers=headers))
        assert {code(one) for one in tried[:-1]} == {(401, "token_refused")}
        assert code(tried[-1]) == (429, "too_many_attempts")
        # A good one is not shut out for the bad ones before it.
        assert (await http.get("/me", headers=stack.headers("lan"))).status_code == 200
    lines = [json.loads(one) for one in (stack.folder / "logs" / "api.log").read_text().splitlines() if one[:1] == "{"]
    asked = [one for one in lines if one.get("event") == "request" and one.get("route") == "/me"]
    assert sum(one["status"] == 401 for one in asked) >= len(tried) - 1
    assert "lgt_0" not in (stack.folder / "logs" / "api.log").read_text()


async def test_a_form_without_its_token_or_from_elsewhere_signs_nothing(stack: Installed, note: Note) -> None:
    """The approver's own browser is signed in, and another site's page makes it send the form."""
    note(row="13", fault="a form without token, or from another origin")
    async with stack.asking() as http, browsing(stack, "hung") as browser:
        file, path = await waiting(stack, http)
        form = await form_of(browser, path)
        before = noted(stack, "csrf_token_refused"), noted(stack, "origin_refused")
        bare = await browser.post(path, data=form | {"csrf": ""})
        elsewhere = await browser.post(path, data=form, headers={"Origin": "https://elsewhere.example"})
        framed = await browser.post(path, data=form, headers={"Sec-Fetch-Site": "cross-site"})
        assert [bare.status_code, elsewhere.status_code, framed.status_code] == [403, 403, 403]
        assert (noted(stack, "csrf_token_refused"), noted(stack, "origin_refused")) == (before[0] + 1, before[1] + 2)
        assert "StepSigned" not in {event.type for event in await file.events()}
        assert (await browser.post(path, data=form)).status_code == 303
        assert [event.type for event in await file.events()].count("StepSigned") == 1


async def test_a_session_that_was_planted_is_nobody_s_after_the_sign_in(stack: Installed, note: Note) -> None:
    """Whoever put a cookie into somebody's browser before they signed in holds nothing afterwards."""
    note(row="13", fault="session fixation")
    async with browsing(stack, "mai") as attacker, browsing(stack) as victim:
        planted = attacker.cookies[COOKIE]
        victim.cookies.set(COOKIE, planted, domain="127.0.0.1")
        answer = await victim.post("/api/v1/session", json={"account": "mai", "password": PASSWORD})
        assert answer.status_code == 201, answer.text
        fresh = {one.value for one in victim.cookies.jar if one.name == COOKIE} - {planted}
        assert len(fresh) == 1
        refused = await attacker.get("/api/v1/session")
        assert code(refused) == (401, "session_refused")


async def test_a_link_that_is_scanned_forwarded_or_replayed_gives_nobody_anything(stack: Installed, note: Note) -> None:
    """It names the step, never the person: who opens it is asked who they are, and signs only what is theirs."""
    note(row="13", fault="an approval link replayed or forwarded")
    async with stack.asking() as http, browsing(stack, "hung") as hung, browsing(stack, "mai") as mai:
        file, path = await waiting(stack, http)
        async with browsing(stack) as scanner:
            for _ in range(3):
                answer = await scanner.get(path)
                assert (answer.status_code, answer.headers["location"].partition("?")[0]) == (303, "/sign-in")
                assert (await scanner.head(path)).status_code == 303
            sent = await scanner.post(path, data={"act": "sign_off", "key": "k", "digest": "0" * 64, "csrf": ""})
            assert sent.status_code == 401
        form = await form_of(hung, path)
        forwarded = (await mai.get(path)).text
        assert 'value="sign_off"' not in forwarded
        own = re.search(r'name="csrf" value="([^"]+)"', forwarded)
        assert own is not None
        # Even with a form of their own that was made up from the other's.
        tried = await mai.post(path, data=form | {"csrf": own.group(1), "key": uuid.uuid4().hex})
        assert tried.status_code == 403, tried.text
        first, again = await hung.post(path, data=form), await hung.post(path, data=form)
        assert (first.status_code, again.headers["location"]) == (303, first.headers["location"])
        replayed = await hung.post(path, data=form | {"key": uuid.uuid4().hex})
        assert replayed.status_code == 409
        events = await file.events()
        assert [(one.type, one.actor) for one in events if one.type in ("StepSigned", "SignOffRefused")] == [
            ("SignOffRefused", "mai"),
            ("StepSigned", "hung"),
        ]
