"""Organisations, positions, tenures and leave over HTTP; what an organisation reaches; the log."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from domain.bilingual import Bilingual
from domain.institution import Organisation, Position
from domain.sign_in import Scope
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from tests.api.conftest import Api, code, member, opening
from tests.api.front import front
from tests.rulebook import edition

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = {"vi": "Liên hiệp hữu nghị", "en": "Union"}
START = datetime(2026, 3, 1, tzinfo=UTC)


def day(number: int) -> str:
    """An instant, so many days after 1 March 2026, as it is sent."""
    return (START + timedelta(days=number)).isoformat().replace("+00:00", "Z")


async def done(api: Api, method: str, path: str, body: Any = None, *, by: str = "root") -> Any:
    """The answer to a request that succeeds."""
    answer = await api.ask(method, f"/institution{path}", body, by=by)
    assert answer.is_success, answer.text
    return answer.json()


async def asked(api: Api, path: str, body: Any = None, *, by: str = "root") -> httpx2.Response:
    """The answer to a POST."""
    return await api.ask("POST", f"/institution{path}", body, by=by)


async def account(api: Api, name: str, **more: Any) -> str:
    """A new account, with a token; its id belongs to this test alone."""
    new = f"{name}-{api.id}"
    body = {"id": new, "name": name, "roles": ["approver"], **more}
    assert (await api.ask("POST", "/accounts", body, by="root")).status_code == 201
    token = await api.ask("POST", f"/accounts/{new}/tokens", {}, by="root")
    api.tokens[new] = token.json()["token"]
    return new


async def organisation(api: Api, name: str, parent: str | None = None) -> str:
    """A new organisation; its id belongs to this test alone."""
    slug = f"{name}-{api.id}"
    body = {"slug": slug, "kind": "provincial_union", "parent": parent, "name": NAME, "since": day(0)}
    await done(api, "POST", "/organisations", body)
    return slug


async def test_an_organisation_is_entered_changed_and_ended(api: Api) -> None:
    """Everybody reads it as it was and as it is."""
    above = await organisation(api, "central")
    below = await organisation(api, "song-lam", above)
    renamed = {"kind": "provincial_union", "name": {"vi": "Tên mới", "en": "New name"}, "since": day(10)}
    await done(api, "PUT", f"/organisations/{below}", renamed)
    assert code(await asked(api, f"/organisations/{above}/end", {"until": day(5)})) == (409, "organisation_in_use")
    await done(api, "POST", f"/organisations/{above}/end", {"until": day(20), "successor": below})
    late = await api.ask("POST", "/delegations", opening(id=api.id, organisation=above))
    assert code(late) == (422, "organisation_ended")
    shown = (await done(api, "GET", "/organisations", by="an"))["items"]
    lines = [(one["slug"], one["since"], one["until"], one["parent"]) for one in shown if one["slug"].endswith(api.id)]
    full = [f"{day(number)[:-1]}.000000Z" for number in (0, 10, 20)]
    assert lines == [
        (above, full[0], full[2], None),
        (below, full[0], full[1], above),
        (below, full[1], None, None),
    ]
    then = (await done(api, "GET", f"/organisations?at={day(9)}", by="lan"))["items"]
    assert [one["parent"] for one in then if one["slug"] == below] == [above]


async def test_what_contradicts_the_registers_is_a_problem_with_its_code(api: Api) -> None:
    """Each by name, and nothing is changed."""
    central = await organisation(api, "central")
    again = {"slug": central, "kind": "ministry", "name": NAME, "since": day(1)}
    assert code(await asked(api, "/organisations", again)) == (409, "organisation_exists")
    new = again | {"slug": f"hue-{api.id}"}
    assert code(await asked(api, "/organisations", new | {"parent": "nowhere"})) == (422, "parent_unknown")
    assert code(await asked(api, "/organisations", new | {"until": day(1)})) == (422, "period_backwards")
    assert code(await asked(api, "/organisations/nowhere/end", {"until": day(1)})) == (404, "organisation_unknown")
    mai = await account(api, "mai")
    held = {"account": mai, "position": "nothing"}
    assert code(await asked(api, "/tenures", held)) == (422, "position_unknown")
    assert code(await asked(api, "/tenures/ten_nothing00/end", {"until": day(1)})) == (404, "tenure_unknown")
    away = {"account": mai, "substitute": mai, "since": day(0), "until": day(1)}
    assert code(await asked(api, "/leaves", away)) == (422, "substitute_is_oneself")
    assert code(await asked(api, "/leaves", away | {"until": day(0)})) == (422, "period_backwards")
    assert code(await asked(api, "/leaves", away | {"substitute": "nobody"})) == (404, "account_unknown")
    assert code(await asked(api, "/leaves/lea_nothing00/revoke")) == (404, "leave_unknown")


async def test_a_position_is_held_and_given_up(api: Api) -> None:
    """As the account shows it."""
    slug = f"treasurer-{api.id}"
    await done(api, "POST", "/positions", {"slug": slug, "title": {"vi": "Thủ quỹ", "en": "Treasurer"}})
    assert slug in [one["slug"] for one in (await done(api, "GET", "/positions", by="an"))["items"]]
    mai = await account(api, "mai")
    tenure = await done(api, "POST", "/tenures", {"account": mai, "position": slug, "since": day(0)})
    assert (await api.ask("GET", "/me", by=mai)).json()["account"]["positions"] == [slug]
    await done(api, "POST", f"/tenures/{tenure['id']}/end", {"until": day(10)})
    assert (await api.ask("GET", "/me", by=mai)).json()["account"]["positions"] == []
    [shown] = (await done(api, "GET", f"/tenures?account={mai}", by="lan"))["items"]
    assert (shown["position"], shown["until"]) == (slug, f"{day(10)[:-1]}.000000Z")
    assert (await done(api, "GET", f"/tenures?position={slug}&at={day(10)}"))["items"] == []


async def test_everybody_registers_leave_of_their_own_and_administrators_anybodys(api: Api) -> None:
    """Nobody changes or revokes another's."""
    mai, hung = await account(api, "mai"), await account(api, "hung")
    away = {"account": mai, "substitute": hung, "since": day(0), "until": day(7), "positions": ["finance"]}
    assert code(await asked(api, "/leaves", away, by=hung)) == (403, "leave_not_yours")
    await done(api, "POST", "/positions", {"slug": f"clerk-{api.id}", "title": NAME})
    await done(api, "POST", "/tenures", {"account": mai, "position": f"clerk-{api.id}", "since": day(0)})
    assert code(await asked(api, "/leaves", away, by=mai)) == (422, "position_not_held")
    away |= {"positions": [f"clerk-{api.id}"]}
    leave = await done(api, "POST", "/leaves", away, by=mai)
    assert code(await asked(api, f"/leaves/{leave['id']}/end", {"until": day(9)}, by=hung)) == (403, "leave_not_yours")
    assert code(await asked(api, f"/leaves/{leave['id']}/revoke", by=hung)) == (403, "leave_not_yours")
    await done(api, "POST", f"/leaves/{leave['id']}/end", {"until": day(9)}, by=mai)
    again = away | {"since": day(8), "until": day(9)}
    assert code(await asked(api, "/leaves", again)) == (409, "leave_overlaps")
    [shown] = (await done(api, "GET", f"/leaves?account={hung}&at={day(8)}", by="an"))["items"]
    assert (shown["id"], shown["substitute"], shown["revoked_at"]) == (leave["id"], hung, None)
    an = await account(api, "an")
    instead = {"substitute": an}
    assert code(await asked(api, f"/leaves/{leave['id']}/substitute", instead, by=an)) == (403, "leave_not_yours")
    other = await done(api, "POST", f"/leaves/{leave['id']}/substitute", instead, by=mai)
    assert (other["substitute"], other["until"]) == (an, f"{day(9)[:-1]}.000000Z")
    await done(api, "POST", f"/leaves/{other['id']}/revoke")
    assert code(await asked(api, f"/leaves/{leave['id']}/revoke")) == (409, "leave_revoked")


async def test_leave_takes_the_scope_that_it_hands_on(tmp_path: Path) -> None:
    """Who stands in signs: a token that may not sign, or not administer, gives that to nobody."""
    async with front(tmp_path) as found:
        now = utc_now()
        away = {"since": now.isoformat(), "until": (now + timedelta(days=5)).isoformat(), "substitute": "hung"}

        async def refusal(by: str, *scopes: Scope, path: str = "/institution/leaves", **body: Any) -> tuple[int, str]:
            token = await found.token(by, scopes=scopes)
            return code(await found.browser().ask("POST", path, body, origin="", sec_fetch_site="", **token))

        assert await refusal("root", "read", "write", account="mai", **away) == (403, "scope_missing")
        assert await refusal("mai", "read", "write", account="mai", **away) == (403, "scope_missing")
        leave = await found.at.leaves.register("mai", "hung", now, now + timedelta(days=5), by="mai")
        path = f"/institution/leaves/{leave.id}"
        for by in ("root", "mai"):
            assert await refusal(by, "read", "write", path=f"{path}/revoke") == (403, "scope_missing")
            end = {"until": (now + timedelta(days=6)).isoformat()}
            assert await refusal(by, "read", "write", path=f"{path}/end", **end) == (403, "scope_missing")
            other = {"substitute": "an"}
            assert await refusal(by, "read", "write", path=f"{path}/substitute", **other) == (403, "scope_missing")
        assert await refusal("root", "write", path="/feeds", account="mai") == (403, "scope_missing")
        past = {"until": (now - timedelta(days=1)).isoformat()}
        assert await refusal("mai", "write", "sign", path=f"{path}/end", **past) == (422, "period_backwards")


async def test_an_administrator_gives_substitutes_to_those_in_reach_and_never_is_one(tmp_path: Path) -> None:
    """Nor with another account of the same person; an open browser that is found gives nobody anything."""
    async with front(tmp_path) as found:
        now, person = utc_now(), "per_haodmin00"
        await found.at.institution.add_organisation(
            Organisation.model_validate({"slug": "hue", "kind": "authority", "name": NAME, "since": now}), by="root"
        )
        for name, roles, more in (
            ("ha", ("administrator", "approver"), {"organisation": "hue", "person": person}),
            ("ha-too", ("approver",), {"organisation": "hue", "person": person}),
            ("vinh", ("approver",), {"organisation": "hue"}),
            ("thu", ("approver",), {"organisation": "hue"}),
        ):
            details = {"id": name, "name": name, "roles": roles, **more}
            await found.at.accounts.create(AccountDetails.model_validate(details))
        ha = await found.token("ha")

        async def register(account: str, substitute: str) -> httpx2.Response:
            away = {"account": account, "substitute": substitute, "since": now.isoformat()}
            body = away | {"until": (now + timedelta(days=5)).isoformat()}
            return await found.browser().ask("POST", "/institution/leaves", body, origin="", sec_fetch_site="", **ha)

        assert code(await register("mai", "vinh")) == (403, "organisation_out_of_reach")
        assert code(await register("vinh", "ha")) == (403, "substitute_is_registrar")
        assert code(await register("vinh", "ha-too")) == (403, "substitute_is_registrar")
        assert (await register("vinh", "thu")).status_code == 201

        mai = found.browser()
        await mai.sign_in("mai")
        found.moment.pass_by(minutes=20)
        away = {"account": "mai", "substitute": "hung", "since": now.isoformat()}
        stale = await mai.ask("POST", "/institution/leaves", away | {"until": (now + timedelta(days=5)).isoformat()})
        assert code(stale) == (403, "sign_in_again")


async def test_a_position_ends_once_no_rules_name_it(tmp_path: Path) -> None:
    """In force, or to come; a tenure ends at once where nothing is said."""
    async with front(tmp_path) as found:
        root = await found.token("root")
        for slug in ("vice_president", "clerk"):
            position = Position(slug=slug, title=Bilingual.model_validate(NAME))
            await found.at.institution.add_position(position, by="root")
        later = edition().model_copy(update={"effective_from": utc_now().date() + timedelta(days=30)})
        assert "vice_president" in later.positions
        await found.at.editions.put(later)

        async def end(slug: str) -> httpx2.Response:
            path = f"/institution/positions/{slug}/end"
            return await found.browser().ask("POST", path, None, origin="", sec_fetch_site="", **root)

        assert code(await end("vice_president")) == (409, "position_in_rules")
        assert (await end("clerk")).json()["ended_at"]


async def test_an_account_acts_on_and_sees_the_files_of_its_organisation_and_those_below(api: Api) -> None:
    """The quick answer and the decision say the same; lists leave the others out."""
    central = await organisation(api, "central")
    here, elsewhere = await organisation(api, "song-lam", central), await organisation(api, "hue", central)
    roles = {"roles": ["coordinator"]}
    above = await account(api, "above", organisation=central, **roles)
    inside = await account(api, "inside", organisation=here, **roles)
    outside = await account(api, "outside", organisation=elsewhere, **roles)

    body = opening(id=api.id, organisation=here)
    assert code(await api.ask("POST", "/delegations", body, by=outside)) == (403, "organisation_out_of_reach")
    assert (await api.ask("POST", "/delegations", body, by=inside)).status_code == 201
    command = await member(api, "m-1")
    assert code(await api.send(command, by=outside)) == (403, "organisation_out_of_reach")
    assert (await api.send(command, by=above)).status_code == 200
    assert (await api.send({"type": "revise_request", "title": "Đoàn khác"}, by="lan")).status_code == 200

    for path in ("", "/events", "/deadlines", "/documents", "/ceilings", "/messages"):
        answer = await api.ask("GET", f"/delegations/{api.id}{path}", by=outside)
        assert code(answer) == (403, "organisation_out_of_reach")
        assert (await api.ask("GET", f"/delegations/{api.id}{path}", by=above)).status_code == 200
    listed = {
        who: api.id in [one["id"] for one in (await api.ask("GET", "/delegations", by=who)).json()["items"]]
        for who in (above, inside, outside)
    }
    assert listed == {above: True, inside: True, outside: False}
    due = (await api.ask("GET", "/deadlines", by=outside)).json()["items"]
    assert [one for one in due if one["delegation_id"] == api.id] == []

    path = f"/organisations/{here}/end"
    assert code(await asked(api, path, {"until": day(1)})) == (409, "organisation_needs_successor")
    await done(api, "POST", path, {"until": day(1), "successor": elsewhere})
    for who in (inside, outside, above):
        assert (await api.ask("GET", f"/delegations/{api.id}", by=who)).status_code == 200
    # What has come to the successor is its own to hand on.
    assert code(await asked(api, f"/organisations/{elsewhere}/end", {"until": day(2)})) == (
        409,
        "organisation_needs_successor",
    )


async def test_the_decision_refuses_what_the_quick_answer_would(api: Api) -> None:
    """Asked past the API, the workflow's own decision has the registers too."""
    here, elsewhere = await organisation(api, "song-lam"), await organisation(api, "hue")
    outside = await account(api, "outside", organisation=elsewhere, roles=["coordinator"])
    assert (await api.open(organisation=here)).status_code == 201
    command = {"type": "revise_request", "title": "Đoàn khác"}
    with pytest.raises(Exception, match="organisation_out_of_reach"):
        await api.here.engine.execute(api.id, [command], actor=outside, key=api.id)


async def test_the_log_says_who_changed_what(api: Api) -> None:
    """By the account that asked; whole as it was sealed."""
    mai = await account(api, "mai")
    log = await done(api, "GET", "/log/accounts?limit=1000", by="an")
    assert log["first_bad"] is None
    mine = [
        (one["change"], one["actor"])
        for one in log["items"]
        if mai in (one["entry"], one["data"].get("after", {}).get("account"))
    ]
    assert mine == [("account_opened", "root"), ("token_created", "root")]
