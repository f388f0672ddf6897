"""Who may use which address: every route and every role, against a table written by hand."""

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import compile_path

from api.cookies import csrf_token
from tests.api.conftest import Api, code, member
from tests.api.front import front

pytestmark = pytest.mark.asyncio(loop_scope="session")

EVERYBODY = {"coordinator", "approver", "auditor", "administrator"}
PERSONAL = {"coordinator", "approver", "administrator"}
STAFF = {"coordinator", "administrator"}
ADMINISTRATOR = {"administrator"}
NOBODY_ASKED = {"anybody"}
SIGNED_IN = {"session"}
"""Every role, in a session; no token, whatever its role and scopes."""

TABLE: dict[str, set[str]] = {
    "POST /api/v1/delegations": {"coordinator"},
    "GET /api/v1/delegations": EVERYBODY,
    "GET /api/v1/delegations/{delegation}": EVERYBODY,
    "POST /api/v1/delegations/{delegation}/commands": EVERYBODY,
    "POST /api/v1/delegations/{delegation}/signing": {"approver"},
    "GET /api/v1/delegations/{delegation}/dossier": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/events": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/stream": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/runs": EVERYBODY,
    "GET /api/v1/archive": {"auditor", "administrator"},
    "GET /api/v1/archive/{run}": {"auditor", "administrator"},
    "GET /metrics": {"auditor", "administrator"},
    "GET /api/v1/delegations/{delegation}/trail": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/changes": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/sign-offs": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/evidence": {"auditor", "administrator"},
    "GET /api/v1/delegations/{delegation}/evidence-with-documents": PERSONAL,
    "GET /api/v1/delegations/{delegation}/messages": EVERYBODY,
    "GET /api/v1/dead-letters": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/items/{item}/told": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/deadlines": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/ceilings": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/documents": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/documents/{digest}": PERSONAL,
    "GET /api/v1/deadlines": EVERYBODY,
    "GET /api/v1/desks": EVERYBODY,
    "GET /api/v1/desks/totals": EVERYBODY,
    "GET /api/v1/inbox": EVERYBODY,
    "POST /api/v1/persons": {"coordinator"},
    "GET /api/v1/persons/{ref}": PERSONAL,
    "PUT /api/v1/persons/{ref}": {"coordinator"},
    "GET /api/v1/persons/{ref}/export": ADMINISTRATOR,
    "POST /api/v1/person-requests": STAFF,
    "GET /api/v1/person-requests": {"auditor", "administrator"},
    "GET /api/v1/person-requests/{request_id}": {"auditor", "administrator"},
    "POST /api/v1/person-requests/{request_id}/identify": ADMINISTRATOR,
    "POST /api/v1/person-requests/{request_id}/answer": ADMINISTRATOR,
    "POST /api/v1/person-requests/{request_id}/extend": ADMINISTRATOR,
    "POST /api/v1/person-requests/{request_id}/carry-out": ADMINISTRATOR,
    "POST /api/v1/person-requests/{request_id}/refuse": ADMINISTRATOR,
    "POST /api/v1/person-requests/{request_id}/take-back": ADMINISTRATOR,
    "GET /api/v1/retention": {"auditor", "administrator"},
    "GET /api/v1/retention/plans": {"auditor", "administrator"},
    "POST /api/v1/retention/plans": ADMINISTRATOR,
    "GET /api/v1/retention/plans/{plan}": {"auditor", "administrator"},
    "GET /api/v1/retention/plans/{plan}/entries/{kind}": {"auditor", "administrator"},
    "POST /api/v1/retention/plans/{plan}/apply": ADMINISTRATOR,
    "POST /api/v1/retention/plans/{plan}/stop": ADMINISTRATOR,
    "POST /api/v1/calendar-collections/search": {"coordinator", "administrator"},
    "GET /api/v1/calendar-collections": {"auditor", "administrator"},
    "GET /api/v1/persons/{ref}/calendar-collection": PERSONAL,
    "PUT /api/v1/persons/{ref}/calendar-collection": {"coordinator"},
    "POST /api/v1/persons/{ref}/calendar-collection/verify": {"coordinator"},
    "DELETE /api/v1/persons/{ref}/calendar-collection": {"coordinator"},
    "GET /api/v1/institution/organisations/{organisation}/calendar-collection": ADMINISTRATOR,
    "PUT /api/v1/institution/organisations/{organisation}/calendar-collection": ADMINISTRATOR,
    "POST /api/v1/institution/organisations/{organisation}/calendar-collection/verify": ADMINISTRATOR,
    "DELETE /api/v1/institution/organisations/{organisation}/calendar-collection": ADMINISTRATOR,
    "GET /api/v1/directory": EVERYBODY,
    "POST /api/v1/directory": {"coordinator"},
    "GET /api/v1/directory/{entry}": EVERYBODY,
    "PUT /api/v1/directory/{entry}": {"coordinator"},
    "GET /api/v1/directory/{entry}/versions": EVERYBODY,
    "GET /api/v1/directory/{entry}/duplicates": PERSONAL,
    "GET /api/v1/directory-duplicates": PERSONAL,
    "POST /api/v1/directory/{entry}/merge": {"coordinator"},
    "POST /api/v1/directory/{entry}/split": {"coordinator"},
    "POST /api/v1/directory-imports": {"coordinator"},
    "POST /api/v1/directory-imports/{digest}": {"coordinator"},
    "POST /api/v1/delegations/{delegation}/texts": {"coordinator", "approver"},
    "GET /api/v1/texts/{ref}": PERSONAL,
    "GET /api/v1/checklist-templates": EVERYBODY,
    "GET /api/v1/me/tasks": PERSONAL,
    "GET /api/v1/delegations/{delegation}/checklist": PERSONAL,
    "POST /api/v1/delegations/{delegation}/checklist": STAFF,
    "PUT /api/v1/delegations/{delegation}/checklist": STAFF,
    "PUT /api/v1/delegations/{delegation}/checklist/{entry}": STAFF,
    "POST /api/v1/delegations/{delegation}/checklist/{entry}/done": PERSONAL,
    "DELETE /api/v1/delegations/{delegation}/checklist/{entry}": STAFF,
    "GET /api/v1/delegations/{delegation}/notes": PERSONAL,
    "POST /api/v1/delegations/{delegation}/notes": PERSONAL,
    "PUT /api/v1/delegations/{delegation}/notes/{note}": PERSONAL,
    "GET /api/v1/delegations/{delegation}/notes/{note}/versions": PERSONAL,
    "POST /api/v1/attachments": {"coordinator"},
    "POST /api/v1/delegations/{delegation}/feeds": STAFF,
    "GET /api/v1/delegations/{delegation}/feeds": STAFF,
    "POST /api/v1/feeds": PERSONAL,
    "GET /api/v1/feeds": PERSONAL,
    "POST /api/v1/feeds/{feed}/rotate": PERSONAL,
    "POST /api/v1/feeds/{feed}/revoke": PERSONAL,
    "GET /calendars/{token}.ics": NOBODY_ASKED,
    "POST /api/v1/policies/explain": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/policy": EVERYBODY,
    "GET /api/v1/me": EVERYBODY,
    "GET /api/v1/accounts": ADMINISTRATOR,
    "POST /api/v1/accounts": ADMINISTRATOR,
    "PUT /api/v1/accounts/{account}": ADMINISTRATOR,
    "DELETE /api/v1/accounts/{account}": ADMINISTRATOR,
    "POST /api/v1/accounts/{account}/enable": ADMINISTRATOR,
    "GET /api/v1/accounts/{account}/passkeys": ADMINISTRATOR,
    "DELETE /api/v1/accounts/{account}/passkeys/{passkey}": ADMINISTRATOR,
    "GET /api/v1/accounts/{account}/tokens": ADMINISTRATOR,
    "POST /api/v1/accounts/{account}/tokens": ADMINISTRATOR,
    "DELETE /api/v1/tokens/{token}": ADMINISTRATOR,
    "GET /api/v1/me/tokens": SIGNED_IN,
    "POST /api/v1/me/tokens": SIGNED_IN,
    "DELETE /api/v1/me/tokens/{token}": SIGNED_IN,
    "POST /api/v1/session": NOBODY_ASKED,
    "POST /api/v1/session/passkey/options": NOBODY_ASKED,
    "POST /api/v1/session/passkey": NOBODY_ASKED,
    "GET /api/v1/session/oidc": NOBODY_ASKED,
    "GET /api/v1/session/oidc/{provider}": NOBODY_ASKED,
    "GET /api/v1/session/oidc/callback": NOBODY_ASKED,
    "POST /api/v1/password/link": NOBODY_ASKED,
    "GET /api/v1/session": SIGNED_IN,
    "DELETE /api/v1/session": SIGNED_IN,
    "GET /api/v1/sessions": SIGNED_IN,
    "DELETE /api/v1/sessions": SIGNED_IN,
    "DELETE /api/v1/sessions/{session}": SIGNED_IN,
    "PUT /api/v1/password": SIGNED_IN,
    "GET /api/v1/passkeys": SIGNED_IN,
    "POST /api/v1/passkeys": SIGNED_IN,
    "POST /api/v1/passkey/options": SIGNED_IN,
    "DELETE /api/v1/passkeys/{passkey}": SIGNED_IN,
    "POST /api/v1/accounts/{account}/password-link": ADMINISTRATOR,
    "DELETE /api/v1/accounts/{account}/sessions": ADMINISTRATOR,
    "GET /api/v1/accounts/{account}/identities": ADMINISTRATOR,
    "POST /api/v1/accounts/{account}/identities": ADMINISTRATOR,
    "DELETE /api/v1/identities/{identity}": ADMINISTRATOR,
    "GET /api/v1/institution/organisations": EVERYBODY,
    "POST /api/v1/institution/organisations": ADMINISTRATOR,
    "PUT /api/v1/institution/organisations/{organisation}": ADMINISTRATOR,
    "POST /api/v1/institution/organisations/{organisation}/end": ADMINISTRATOR,
    "GET /api/v1/institution/positions": EVERYBODY,
    "POST /api/v1/institution/positions": ADMINISTRATOR,
    "PUT /api/v1/institution/positions/{position}": ADMINISTRATOR,
    "POST /api/v1/institution/positions/{position}/end": ADMINISTRATOR,
    "POST /api/v1/institution/positions/{position}/closed-desks": ADMINISTRATOR,
    "GET /api/v1/institution/tenures": EVERYBODY,
    "POST /api/v1/institution/tenures": ADMINISTRATOR,
    "POST /api/v1/institution/tenures/{tenure}/end": ADMINISTRATOR,
    "GET /api/v1/institution/leaves": EVERYBODY,
    "GET /api/v1/replies": {"coordinator", "administrator"},
    "POST /api/v1/replies/{mail}/settle": {"coordinator"},
    "POST /api/v1/replies/{mail}/dismiss": {"coordinator", "administrator"},
    "POST /api/v1/institution/leaves": EVERYBODY,
    "POST /api/v1/institution/leaves/{leave}/end": EVERYBODY,
    "POST /api/v1/institution/leaves/{leave}/substitute": EVERYBODY,
    "POST /api/v1/institution/leaves/{leave}/revoke": EVERYBODY,
    "GET /api/v1/institution/log/{register}": {"auditor", "administrator"},
    "GET /api/v1/checkpoints": EVERYBODY,
    "POST /api/v1/checkpoints": ADMINISTRATOR,
    "GET /api/v1/checkpoints/keys": EVERYBODY,
    "GET /api/v1/checkpoints/{number}": EVERYBODY,
    "GET /api/v1/checkpoints/{number}/consistency": EVERYBODY,
    "GET /api/v1/delegations/{delegation}/events/{seq}/inclusion": EVERYBODY,
    "POST /api/v1/erasures": ADMINISTRATOR,
    "GET /api/v1/erasures": ADMINISTRATOR,
    "GET /api/v1/erasures/{erasure}": ADMINISTRATOR,
    "POST /api/v1/erasures/{erasure}/agreement": ADMINISTRATOR,
    "POST /api/v1/erasures/{erasure}/withdrawal": ADMINISTRATOR,
    "POST /api/v1/editions": ADMINISTRATOR,
    "GET /api/v1/editions": EVERYBODY,
    "GET /api/v1/editions/{digest}": EVERYBODY,
    "POST /api/v1/demo/clock": ADMINISTRATOR,
    "GET /api/v1/health": NOBODY_ASKED,
    "GET /api/v1/openapi.json": NOBODY_ASKED,
    "GET /docs": NOBODY_ASKED,
}

PAGES: dict[str, set[str]] = {
    "GET /static/{asked}/{name}": NOBODY_ASKED,
    "POST /language": NOBODY_ASKED,
    "GET /sign-in": NOBODY_ASKED,
    "POST /sign-in": NOBODY_ASKED,
    "GET /choose-password": NOBODY_ASKED,
    "POST /choose-password": NOBODY_ASKED,
    "POST /sign-out": EVERYBODY,
    "GET /my/{token}": NOBODY_ASKED,
    "POST /my/{token}": NOBODY_ASKED,
    "GET /my/{token}/documents/{digest}": NOBODY_ASKED,
    "GET /": EVERYBODY,
    "GET /inbox": EVERYBODY,
    "GET /desks": EVERYBODY,
    "GET /files": EVERYBODY,
    "GET /search": EVERYBODY,
    "GET /live": EVERYBODY,
    "GET /desks/live": EVERYBODY,
    "GET /delegations/{delegation}/live": EVERYBODY,
    "GET /delegations/{delegation}/invitations/live": EVERYBODY,
    "GET /delegations/{delegation}": EVERYBODY,
    "GET /delegations/{delegation}/request": EVERYBODY,
    "GET /delegations/{delegation}/request/{part}": EVERYBODY,
    "POST /delegations/{delegation}/request/limits": {"coordinator"},
    "POST /delegations/{delegation}/request/documents": {"coordinator"},
    "GET /delegations/{delegation}/request/revise": {"coordinator"},
    "POST /delegations/{delegation}/request/revise": {"coordinator"},
    "GET /delegations/{delegation}/people": EVERYBODY,
    "GET /delegations/{delegation}/people/new": {"coordinator"},
    "POST /delegations/{delegation}/people/new": {"coordinator"},
    "GET /delegations/{delegation}/people/{participant}/replace": {"coordinator"},
    "POST /delegations/{delegation}/people/{participant}/replace": {"coordinator"},
    "GET /delegations/{delegation}/people/{participant}/leave": {"coordinator"},
    "POST /delegations/{delegation}/people/{participant}/leave": {"coordinator"},
    "GET /files/new": {"coordinator"},
    "GET /files/new/copy": {"coordinator"},
    "GET /files/new/copy/{delegation}": {"coordinator"},
    "POST /files/new/copy/{delegation}": {"coordinator"},
    "GET /files/new/{draft}": {"coordinator"},
    "POST /files/new/{draft}": {"coordinator"},
    "POST /files/new/{draft}/discard": {"coordinator"},
    "GET /files/new/{draft}/{section}": {"coordinator"},
    "POST /files/new/{draft}/{section}": {"coordinator"},
    "GET /delegations/{delegation}/acts/{act}": STAFF,
    "POST /delegations/{delegation}/acts/{act}": STAFF,
    "GET /delegations/{delegation}/approvals": EVERYBODY,
    "GET /delegations/{delegation}/invitations": EVERYBODY,
    "GET /delegations/{delegation}/report": EVERYBODY,
    "POST /delegations/{delegation}/report": {"coordinator"},
    "GET /delegations/{delegation}/programme": EVERYBODY,
    "GET /delegations/{delegation}/programme/print": EVERYBODY,
    "POST /delegations/{delegation}/programme/restore": {"coordinator"},
    "GET /delegations/{delegation}/programme/new": {"coordinator"},
    "POST /delegations/{delegation}/programme/new": {"coordinator"},
    "GET /delegations/{delegation}/programme/items/{item}": EVERYBODY,
    "POST /delegations/{delegation}/programme/items/{item}": {"coordinator"},
    "GET /delegations/{delegation}/programme/preview": EVERYBODY,
    "POST /delegations/{delegation}/programme/preview": {"coordinator"},
    "GET /delegations/{delegation}/checklist": PERSONAL,
    "POST /delegations/{delegation}/checklist": STAFF,
    "POST /delegations/{delegation}/checklist/{entry}": PERSONAL,
    "GET /delegations/{delegation}/notes": PERSONAL,
    "POST /delegations/{delegation}/notes": PERSONAL,
    "GET /delegations/{delegation}/notes/{note}": PERSONAL,
    "POST /delegations/{delegation}/notes/{note}": PERSONAL,
    "GET /admin": EVERYBODY,
    "GET /admin/organisations": EVERYBODY,
    "POST /admin/organisations": ADMINISTRATOR,
    "GET /admin/organisations/{organisation}": EVERYBODY,
    "POST /admin/organisations/{organisation}": ADMINISTRATOR,
    "GET /admin/positions": EVERYBODY,
    "POST /admin/positions": ADMINISTRATOR,
    "GET /admin/positions/{position}": EVERYBODY,
    "POST /admin/positions/{position}": ADMINISTRATOR,
    "POST /admin/positions/{position}/tenures/{tenure}": ADMINISTRATOR,
    "GET /admin/leave": EVERYBODY,
    "POST /admin/leave": ADMINISTRATOR,
    "POST /admin/leave/{leave}": ADMINISTRATOR,
    "GET /me/leave": EVERYBODY,
    "POST /me/leave": EVERYBODY,
    "POST /me/leave/{leave}": EVERYBODY,
    "GET /admin/accounts": ADMINISTRATOR,
    "POST /admin/accounts": ADMINISTRATOR,
    "GET /admin/accounts/{account}": ADMINISTRATOR,
    "POST /admin/accounts/{account}": ADMINISTRATOR,
    "GET /me/tokens": EVERYBODY,
    "POST /me/tokens": EVERYBODY,
    "POST /me/tokens/{token}/revoke": EVERYBODY,
    "GET /admin/replies": STAFF,
    "POST /admin/replies/{mail}": STAFF,
    "GET /admin/undelivered": EVERYBODY,
    "POST /admin/undelivered": {"coordinator"},
    "GET /admin/rules": EVERYBODY,
    "POST /admin/rules/explain": EVERYBODY,
    "GET /admin/rules/{digest}": EVERYBODY,
    "GET /admin/person-requests": {"coordinator", "auditor", "administrator"},
    "POST /admin/person-requests": STAFF,
    "GET /admin/person-requests/{request_id}": {"auditor", "administrator"},
    "POST /admin/person-requests/{request_id}": ADMINISTRATOR,
    "GET /admin/erasures": ADMINISTRATOR,
    "POST /admin/erasures": ADMINISTRATOR,
    "GET /admin/erasures/{erasure}": ADMINISTRATOR,
    "POST /admin/erasures/{erasure}": ADMINISTRATOR,
    "GET /admin/retention": {"auditor", "administrator"},
    "POST /admin/retention": ADMINISTRATOR,
    "GET /admin/retention/{plan}": {"auditor", "administrator"},
    "POST /admin/retention/{plan}": ADMINISTRATOR,
    "GET /admin/retention/{plan}/{kind}": {"auditor", "administrator"},
    "GET /admin/health": {"auditor", "administrator"},
    "GET /admin/log": {"auditor", "administrator"},
    "GET /admin/checkpoints": {"auditor", "administrator"},
    "POST /admin/checkpoints": ADMINISTRATOR,
    "GET /admin/archive": {"auditor", "administrator"},
    "GET /me": EVERYBODY,
    "POST /me/sessions": EVERYBODY,
    "POST /me/sessions/{session}": EVERYBODY,
    "GET /me/password": EVERYBODY,
    "POST /me/password": EVERYBODY,
    "GET /directory": EVERYBODY,
    "GET /directory/new": {"coordinator"},
    "POST /directory/new": {"coordinator"},
    "GET /directory/imports": {"coordinator"},
    "POST /directory/imports": {"coordinator"},
    "GET /directory/imports/{import}": {"coordinator"},
    "POST /directory/imports/{import}": {"coordinator"},
    "GET /directory/{entry}": EVERYBODY,
    "GET /directory/{entry}/edit": {"coordinator"},
    "POST /directory/{entry}/edit": {"coordinator"},
    "GET /directory/{entry}/contacts/new": {"coordinator"},
    "POST /directory/{entry}/contacts/new": {"coordinator"},
    "GET /directory/{entry}/merge": {"coordinator"},
    "GET /directory/duplicates": {"coordinator"},
    "POST /directory/{entry}/merge": {"coordinator"},
    "POST /directory/{entry}/split": {"coordinator"},
    "GET /me/passkeys": EVERYBODY,
    "POST /me/passkeys/{passkey}/remove": EVERYBODY,
    "GET /inbox/read": EVERYBODY,
    "GET /delegations/{delegation}/steps/{step}": EVERYBODY,
    "POST /delegations/{delegation}/steps/{step}": EVERYBODY,
    "GET /delegations/{delegation}/receipts/{seq}": EVERYBODY,
    "GET /delegations/{delegation}/trail": EVERYBODY,
    "GET /delegations/{delegation}/trail/export": EVERYBODY,
    "GET /delegations/{delegation}/trail/verification": EVERYBODY,
    "GET /delegations/{delegation}/trail/{seq}": EVERYBODY,
}
"""Pages: in a session, never by a token. What holds for them is tried in tests/pages/test_guard.py."""

WHO = {"coordinator": "lan", "approver": "hung", "auditor": "an", "administrator": "root"}

PLACES = {
    "{note}": "not_nothing00",
    "{position}": "nobody",
    "{digest}": "0" * 64,
    "{ref}": "per_nobody00",
    "{entry}": "dir_nothing00",
    "{import}": f"imp_{'0' * 32}",
    "{account}": "nobody",
    "{token}": "tok_nothing00",
    "{session}": "ses_nothing00",
    "{draft}": "dra_nothing00",
    "{section}": "matter",
    "{participant}": "m-1",
    "{part}": "documents",
    "{passkey}": "pky_nothing00",
    "{identity}": "idn_nothing00",
    "{provider}": "nobody",
    "{organisation}": "nowhere",
    "{tenure}": "ten_nothing00",
    "{leave}": "lea_nothing00",
    "{mail}": "rcv_nothing00",
    "{register}": "accounts",
    "{feed}": "fee_nothing00",
    "{request_id}": "req_nothing00",
    "{plan}": "ret_nothing00",
    "{kind}": "sessions",
    "{number}": "999999",
    "{seq}": "1",
    "{item}": "s-1",
    "{erasure}": "era_nothing00",
}


def routes(application: FastAPI) -> set[str]:
    """Every method and address that the application answers."""
    found = {f"GET {application.openapi_url}"}
    for context in iter_route_contexts(application.routes):
        if isinstance(context.original_route, APIRoute):
            # HEAD is GET without its body.
            found |= {f"{method} {context.path}" for method in context.methods or () if method != "HEAD"}
    return found


def concrete(path: str, delegation: str) -> str:
    """An address with every place filled in."""
    for place, value in (*PLACES.items(), ("{delegation}", delegation)):
        path = path.replace(place, "txt_nothing00" if path.endswith("/texts/{ref}") and place == "{ref}" else value)
    return f"http://legation.test{path}"


async def test_every_route_has_a_row(api: Api) -> None:
    """A new address is refused to nobody and allowed to nobody until somebody has thought of it."""
    assert routes(api.application) == set(TABLE) | set(PAGES)


async def test_every_role_meets_every_route_as_the_table_says(api: Api) -> None:
    """Role by route: allowed or refused before anything else is looked at; without a token nobody is let in."""
    wrong = []
    for row, allowed in TABLE.items():
        method, path = row.split()
        body: dict[str, object] | None = {} if method in ("POST", "PUT") else None
        for role, account in WHO.items():
            answer = await api.ask(method, concrete(path, api.id), body, by=account)
            refused = answer.status_code == 403 and answer.json()["code"] in ("role_not_allowed", "session_needed")
            if answer.status_code == 401 or refused is (bool(allowed & {role, "anybody"})):
                wrong.append((row, role, answer.status_code, answer.text))
        nobody = await api.ask(method, concrete(path, api.id), body, by=None)
        if (nobody.status_code == 401) is (allowed == NOBODY_ASKED):
            wrong.append((row, "nobody", nobody.status_code, nobody.text))
    assert wrong == []


@pytest.mark.slow
async def test_every_role_meets_every_route_in_a_session_as_the_table_says(tmp_path: Path) -> None:
    """Role by route once more, by cookie; and no cookie changes anything without the session's own token."""
    wrong: list[tuple[object, ...]] = []
    async with front(tmp_path) as found:
        for role, account in WHO.items():
            for row, allowed in TABLE.items():
                method, path = row.split()
                if path == "/api/v1/demo/clock":
                    continue
                browser = found.browser()
                _, secret = await found.at.sessions.open(account, "password")
                browser.http.cookies.set("__Host-legation-session", secret, domain="legation.test")
                body: dict[str, object] | None = {} if method in ("POST", "PUT") else None
                address = concrete(path, "d-1").replace("http:", "https:")
                if method != "GET" and allowed != NOBODY_ASKED:
                    bare = await browser.ask(method, address, body)
                    if bare.status_code != 403 or bare.json()["code"] != "csrf_token_refused":
                        wrong.append((row, role, "without its token", bare.status_code, bare.text))
                answer = await browser.ask(method, address, body, x_csrf_token=csrf_token(secret))
                refused = answer.status_code == 403 and answer.json()["code"] == "role_not_allowed"
                if answer.status_code == 401 or refused is bool(allowed & {role, "anybody", "session"}):
                    wrong.append((row, role, answer.status_code, answer.text))
    assert wrong == []


def takes(row: str, allowed: set[str]) -> set[str]:
    """Which scopes open an address, each alone, for somebody whose role may use it."""
    if allowed == ADMINISTRATOR:
        return {"administer"}
    if row == "POST /api/v1/delegations/{delegation}/commands":
        return {"write", "sign"}
    if row == "POST /api/v1/delegations/{delegation}/signing":
        return {"sign"}
    return {"read"} if row.startswith("GET") else {"write"}


async def test_every_scope_meets_every_route(tmp_path: Path) -> None:
    """A token with one scope alone, in the hands of somebody whose role may use the address."""
    wrong: list[tuple[object, ...]] = []
    async with front(tmp_path) as found:
        for scope in ("read", "write", "sign", "administer"):
            tokens = {role: await found.token(account, scopes=(scope,)) for role, account in WHO.items()}
            for row, allowed in TABLE.items():
                roles = [role for role in WHO if role in allowed]
                method, path = row.split()
                if not roles or path == "/api/v1/demo/clock":
                    continue
                body: dict[str, object] | None = {} if method in ("POST", "PUT") else None
                address = concrete(path, "d-1").replace("http:", "https:")
                answer = await found.browser().ask(method, address, body, **tokens[roles[0]])
                refused = answer.status_code == 403 and answer.json()["code"] == "scope_missing"
                if answer.status_code == 401 or refused is (scope in takes(row, allowed)):
                    wrong.append((row, scope, answer.status_code, answer.text))
    assert wrong == []


async def test_a_token_that_is_none_is_refused(api: Api) -> None:
    """Whatever stands in its place, the answer says how to sign in (RFC 6750)."""
    for header, expected in (
        ({}, "token_missing"),
        ({"Authorization": "Bearer"}, "token_missing"),
        ({"Authorization": "Basic bGVnYXRpb246"}, "token_missing"),
        ({"Authorization": "Bearer lgt_nobody"}, "token_refused"),
        ({"Authorization": "Bearer " + "x" * 5000}, "token_refused"),
    ):
        answer = await api.http.get("/me", headers=header)
        assert code(answer) == (401, expected)
        assert answer.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_or_expired_token_and_a_disabled_account_are_refused_at_once(api: Api) -> None:
    """Rights end with the next request."""
    linh = {"id": f"linh-{api.id}", "name": "Đỗ Linh", "roles": ["coordinator"]}
    assert (await api.ask("POST", "/accounts", linh, by="root")).status_code == 201
    tokens = f"/accounts/{linh['id']}/tokens"
    token = (await api.ask("POST", tokens, {}, by="root")).json()
    api.tokens["second"] = token["token"]
    assert (await api.ask("GET", "/me", by="second")).json()["account"]["id"] == linh["id"]
    assert (await api.ask("DELETE", f"/tokens/{token['id']}", by="root")).status_code == 204
    assert code(await api.ask("GET", "/me", by="second")) == (401, "token_refused")

    past = {"expires_at": "2020-01-01T00:00:00Z"}
    api.tokens["old"] = (await api.ask("POST", tokens, past, by="root")).json()["token"]
    assert code(await api.ask("GET", "/me", by="old")) == (401, "token_refused")

    api.tokens["third"] = (await api.ask("POST", tokens, {}, by="root")).json()["token"]
    assert (await api.ask("DELETE", f"/accounts/{linh['id']}", by="root")).status_code == 204
    assert code(await api.ask("GET", "/me", by="third")) == (401, "token_refused")


async def test_nobody_becomes_the_system(api: Api) -> None:
    """Neither the role nor the name of the system's own actor can be given away."""
    role = {"id": "sly", "name": "Sly", "roles": ["system"]}
    assert code(await api.ask("POST", "/accounts", role, by="root")) == (422, "validation_failed")
    name = {"id": "system", "name": "Sly", "roles": ["auditor"]}
    answer = await api.ask("POST", "/accounts", name, by="root")
    assert code(answer) == (422, "validation_failed")
    assert answer.json()["errors"][0]["rule"] == "account_id_reserved"


async def test_system_commands_are_no_commands_for_people(api: Api) -> None:
    """A delivery is recorded by the worker alone."""
    await api.open()
    answer = await api.send({"type": "record_delivery", "issue": 1, "sent": 5}, by="root")
    assert code(answer) == (422, "validation_failed")
    assert answer.json()["errors"][0]["rule"] == "command_unknown"


async def test_a_command_of_another_role_is_refused_and_leaves_no_trace(api: Api) -> None:
    """What a role may not send does not reach the file."""
    await api.open()
    before = await api.file()
    answer = await api.send({"type": "submit_request"}, by="hung")
    assert code(answer) == (403, "role_may_not")
    assert (await api.file())["seq"] == before["seq"]


async def test_an_attempt_to_sign_without_right_is_refused_and_recorded(api: Api) -> None:
    """The one refusal that stands in the trail: somebody signed in tried to sign what is not theirs."""
    await api.open()
    await api.send(await member(api, "m-1"))
    await api.send({"type": "submit_request"})
    digest = (await api.file())["open_step"]["dossier_digest"]
    for who in ("an", "root", "mai", "lan"):
        answer = await api.send(
            {"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}, by=who, key=f"sly-{who}"
        )
        assert code(answer) == (403, "not_entitled_to_sign"), who
    trail = (await api.ask("GET", f"/delegations/{api.id}/events", by="an")).json()["items"]
    refused = [event["actor"] for event in trail if event["type"] == "SignOffRefused"]
    assert refused == ["an", "root", "mai", "lan"]


async def test_no_address_could_be_taken_for_another(api: Api) -> None:
    """One that is spelled out where another has a place would answer the other's methods too."""
    paths = {row.split()[1] for row in routes(api.application)}
    spelled = [path for path in paths if "{" not in path]
    taken = [
        (one, other)
        for one in spelled
        for other in paths - {one}
        if compile_path(other)[0].match(one) and {f"{m} {other}" for m in ("PUT", "POST", "DELETE")} & set(TABLE)
    ]
    assert taken == []
