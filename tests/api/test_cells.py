"""Role by command and route, on one's own file, on another organisation's and on a closed one (faults.md, row 12).

The cells are generated from the description of the API; what each is to answer stands in cells.csv, written by hand:
`allowed` (no question of permission stands in the way), `role`, `unentitled` (not entitled to sign), `reach` (another
organisation's), `phase`, `closed`.
"""

import csv
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.decision import SYSTEM
from domain.permission import SIGNING
from tests.api.conftest import Api, member, opening
from tests.api.test_access import EVERYBODY
from tests.domain.every_command import EXAMPLES, PUBLIC

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.slow]

Noting = Callable[[str, object], None]
ROLES = ("coordinator", "approver", "auditor", "administrator")
WHOSE = ("own", "other", "closed")

with (Path(__file__).parent / "cells.csv").open(encoding="utf-8", newline="") as file:
    CELLS = {row.pop("what"): row for row in csv.DictReader(file)}

SAYS = {
    "role_not_allowed": "role",
    "role_may_not": "role",
    "not_entitled_to_sign": "unentitled",
    "organisation_out_of_reach": "reach",
    "wrong_phase": "phase",
    "delegation_closed": "closed",
}

LAST = ("withdraw_request", "postpone", "cancel_delegation", "close_delegation", "reopen_delegation")
"""Commands that end what the others are tried on."""

ELSEWHERE = {"GET /api/v1/texts/{ref}", "GET /api/v1/persons/{ref}", "PUT /api/v1/persons/{ref}"}
"""Addresses that belong to a file without naming it."""


PERSON = {
    "full_name": "Satō Haruka",
    "given_name": "Haruka",
    "email": "haruka@tokyo.example",
    "language": "en",
    "nationality": "JP",
}


@dataclass
class Ground:
    """Three files, and an account of each role that belongs to the organisation of two of them."""

    api: Api
    files: dict[str, str]
    organisations: dict[str, str]
    texts: dict[str, dict[str, Any]]
    attachment: dict[str, Any]
    persons: dict[str, dict[str, Any]]

    def real(self, content: Any, whose: str) -> Any:
        """A command's JSON with references that the registers have."""
        if isinstance(content, list):
            return [self.real(part, whose) for part in content]
        if not isinstance(content, dict):
            return content
        if "commitment" in content:
            return self.persons[whose] if str(content["ref"]).startswith("per_") else self.texts[whose]
        if "media_type" in content:
            return self.attachment
        return {name: self.real(part, whose) for name, part in content.items()}


async def ground(api: Api) -> Ground:
    """Enter organisations, accounts and files; the own file and the other one wait for their department head."""

    async def done(method: str, path: str, body: Any, by: str, status: int = 201) -> Any:
        answer = await api.ask(method, path, body, by=by)
        assert answer.status_code == status, (path, answer.text)
        return answer.json()

    mark = uuid.uuid4().hex[:8]
    near, far = f"near-{mark}", f"far-{mark}"
    for slug in (near, far):
        name = {"vi": f"Liên hiệp {slug}", "en": f"Union {slug}"}
        await done(
            "POST", "/institution/organisations", {"slug": slug, "kind": "provincial_union", "name": name}, "root"
        )
    for role in ROLES:
        account = {"id": f"{role}-{mark}", "name": role, "roles": [role], "organisation": near}
        positions = {"positions": ["department_head", "vice_president"]} if role == "approver" else {}
        await done("POST", "/accounts", account | positions, "root")
        api.tokens[role] = (await done("POST", f"/accounts/{account['id']}/tokens", {}, "root"))["token"]
    attachment = (
        await api.http.post(
            "/attachments",
            content=b"a letter",
            headers={
                "Authorization": f"Bearer {api.tokens['lan']}",
                "Content-Type": "text/plain",
                "Idempotency-Key": uuid.uuid4().hex,
            },
        )
    ).json()
    found = Ground(api, {}, {"own": near, "other": far, "closed": near}, {}, attachment, {})
    for whose in WHOSE:
        file = found.files[whose] = f"{whose}-{mark}"
        await done("POST", "/delegations", opening(id=file, organisation=found.organisations[whose]), "lan")
        text = await done("POST", f"/delegations/{file}/texts", {"text": "Lý do"}, "lan")
        found.texts[whose] = text
        ending = [{"type": "cancel_delegation", "reason": text}, {"type": "close_delegation"}]
        head = await member(api, "ito", role="head")
        found.persons[whose] = head["person"]
        commands = {"commands": [head, *(ending if whose == "closed" else [{"type": "submit_request"}])]}
        await done("POST", f"/delegations/{file}/commands", commands, "lan", 200)
    return found


def said(answer: httpx2.Response) -> str:
    """What an answer says of permission."""
    if answer.headers.get("content-type") != "application/problem+json":
        assert answer.status_code in (200, 201), answer.text
        return "allowed"
    assert answer.status_code < 500, answer.text
    return SAYS.get(answer.json()["code"], "allowed")


async def of_files(api: Api) -> set[str]:
    """Every address of the description that belongs to a file, but the one that takes commands."""
    described = (await api.ask("GET", "/openapi.json", by=None)).json()["paths"]
    return {
        f"{method.upper()} {path}"
        for path, methods in described.items()
        for method in methods
        if "{delegation}" in path and not path.endswith("/commands")
    } | ELSEWHERE


async def test_every_command_and_every_address_of_a_file_has_its_row(api: Api) -> None:
    """A new one joins by failing here."""
    assert {f"command {kind}" for kind in PUBLIC} | await of_files(api) == set(CELLS)
    assert all(set(row) == EVERYBODY for row in CELLS.values())


async def test_every_role_meets_every_command_on_every_file_as_the_table_says(
    api: Api, record_property: Noting
) -> None:
    """Own, other's and closed; what is refused leaves no trace, but for attempts to sign."""
    record_property("row", "12")
    record_property("fault", "each role at each command")
    at, wrong = await ground(api), []
    before = {whose: (await api.ask("GET", f"/delegations/{file}")).json()["seq"] for whose, file in at.files.items()}
    examples = {example.model_dump()["type"]: example.model_dump(mode="json") for example in EXAMPLES}
    first = [kind for kind in PUBLIC if kind in SIGNING]
    for kind in (*first, *(k for k in PUBLIC if k not in (*first, *LAST)), *LAST):
        for role in ROLES:
            cells = CELLS[f"command {kind}"][role].split("/")
            for whose, expected in zip(WHOSE, cells, strict=True):
                body = at.real(examples[kind], whose)
                if kind == "open_delegation":
                    body["organisation"] = at.organisations[whose]
                if kind == "hand_over":
                    body["to"] = "lan"
                answer = await api.ask("POST", f"/delegations/{at.files[whose]}/commands", body, by=role)
                if said(answer) != expected and not (expected == "allowed" and said(answer) == "phase"):
                    wrong.append((kind, role, whose, expected, answer.status_code, answer.text[:200]))
    assert wrong == []
    trail = (await api.ask("GET", f"/delegations/{at.files['other']}/events?after={before['other']}")).json()["items"]
    # The workflow's own record of a notice sent may come at any time.
    assert {event["type"] for event in trail if event["actor"] != SYSTEM} == {"SignOffRefused"}


async def test_every_role_meets_every_address_of_every_file_as_the_table_says(
    api: Api, record_property: Noting
) -> None:
    """Own, other's and closed; a reader of one organisation never sees another one's file, nor its texts."""
    record_property("row", "12")
    record_property("fault", "each role at each address of a file")
    at, wrong = await ground(api), []
    for what in sorted(await of_files(api)):
        method, path = what.split()
        for role in ROLES:
            for whose, expected in zip(WHOSE, CELLS[what][role].split("/"), strict=True):
                ref = (at.persons if "/persons/" in path else at.texts)[whose]["ref"]
                address = path.replace("{delegation}", at.files[whose]).replace("{digest}", "0" * 64)
                address = address.replace("{ref}", ref).removeprefix("/api/v1")
                # A stream goes on for ever: it is asked for badly, which is looked at after who asks.
                address += "?after=never" if path.endswith("/stream") else ""
                body = {"POST": {"text": "Lý do"}, "PUT": PERSON}.get(method)
                answered = said(await api.ask(method, address, body, by=role))
                if answered != expected:
                    wrong.append((what, role, whose, expected, answered))
    assert wrong == []


async def test_the_tree_says_whom_a_file_is_open_to(api: Api, record_property: Noting) -> None:
    """Of the union above and of the whole house like its own; of a union below like a stranger.

    Read by every role; signed by nobody who holds the position elsewhere.
    """
    record_property("row", "12")
    record_property("fault", "an account of the union above, of one below, of the whole house")
    at, wrong, mark = await ground(api), [], uuid.uuid4().hex[:8]
    above, below, near = f"above-{mark}", f"below-{mark}", at.organisations["own"]
    name = {"vi": "Liên hiệp", "en": "Union"}

    async def enter(path: str, body: Any) -> Any:
        answer = await api.ask("POST", path, body, by="root")
        assert answer.status_code == 201, answer.text
        return answer.json()

    await enter("/institution/organisations", {"slug": above, "kind": "central_union", "name": name})
    moved = {"parent": above, "kind": "provincial_union", "name": name}
    assert (await api.ask("PUT", f"/institution/organisations/{near}", moved, by="root")).status_code == 200
    member_of = {"slug": below, "kind": "member_organisation", "parent": near, "name": name}
    await enter("/institution/organisations", member_of)
    digest = (await api.ask("GET", f"/delegations/{at.files['own']}/dossier")).json()["digest"]
    for place, organisation in (("above", above), ("below", below), ("house", None)):
        for role in ROLES:
            account = {"id": f"{place}-{role}-{mark}", "name": role, "roles": [role], "organisation": organisation}
            await enter("/accounts", account | ({"positions": ["department_head"]} if role == "approver" else {}))
            api.tokens[place] = (await enter(f"/accounts/{account['id']}/tokens", {}))["token"]
            for address in ("", "/trail", "/dossier", "/events"):
                expected = CELLS[f"GET /api/v1/delegations/{{delegation}}{address}"][role].split("/")[place == "below"]
                answered = said(await api.ask("GET", f"/delegations/{at.files['own']}{address}", by=place))
                if answered != expected:
                    wrong.append((place, role, address, expected, answered))
        body = {"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}
        api.tokens[place] = (await enter(f"/accounts/{place}-approver-{mark}/tokens", {}))["token"]
        answer = await api.ask("POST", f"/delegations/{at.files['own']}/commands", body, by=place)
        signs = {"above": "desk_of_another_organisation", "below": "organisation_out_of_reach", "house": None}[place]
        if answer.json().get("code") != signs:
            wrong.append((place, "approver", "sign_off", signs, answer.text[:200]))
        # Who holds a position for the whole house would sit at every other test's desks.
        for role in ROLES:
            await api.ask("DELETE", f"/accounts/{place}-{role}-{mark}", by="root")
    assert wrong == []


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("address", ["/delegations?limit=200", "/deadlines", "/desks?limit=200", "/inbox"])
async def test_lists_show_a_reader_of_one_organisation_nothing_of_another(api: Api, role: str, address: str) -> None:
    """Neither its id nor its organisation occurs in any byte."""
    at = await ground(api)
    answer = await api.ask("GET", address, by=role)
    assert answer.status_code == 200, answer.text
    assert at.files["other"] not in answer.text
    assert at.organisations["other"] not in answer.text
    assert (at.files["own"] in answer.text) is (address != "/inbox" or role == "approver")
