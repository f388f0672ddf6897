"""Everything that an administrator does is itself recorded: each address that changes anything, by construction."""

from datetime import timedelta
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

import pytest

from storage.accounts import AccountDetails
from storage.metadata import utc_now
from storage.register_log import Register
from storage.tenures import begin_tenure
from tests.api.front import Browser, Front, front
from tests.api.test_access import ADMINISTRATOR, TABLE
from tests.calendars.radicale_server import PASSWORD, Radicale
from tests.rulebook import edition
from tests.signer import device_of
from tests.storage.test_persons import SATO
from tests.storage.test_received_mail import mail

pytestmark = pytest.mark.asyncio(loop_scope="session")

NAME = {"vi": "Đơn vị", "en": "Unit"}
ACCOUNT = {"name": "Đỗ Linh", "roles": ["coordinator"]}
EDITION = edition().model_copy(update={"title": edition().title.model_copy(update={"en": "Another edition"})})
ORGANISATION = {"kind": "provincial_union", "name": NAME}

CALENDAR = {"url": "the server's", "username": "haruka", "password": PASSWORD}

LEAVE = {
    "account": "hung",
    "substitute": "mai",
    "since": "2099-01-01T00:00:00Z",
    "until": "2099-03-01T00:00:00Z",
}

ERASURE = {"person": "somebody's", "reason": "objection"}
GUEST = {"person": "somebody's of the register"}
NEW_REQUEST = {"kind": "objection", "via": "letter", "description": "Ông Satō Ken"}

ASKED: tuple[tuple[str, str, Any, str, str], ...] = (
    ("POST /api/v1/accounts", "/accounts", {"id": "linh"} | ACCOUNT, "accounts", "account_opened"),
    (
        "PUT /api/v1/accounts/{account}",
        "/accounts/linh",
        ACCOUNT | {"name": "Đỗ Thị Linh"},
        "accounts",
        "account_changed",
    ),
    ("POST /api/v1/accounts/{account}/tokens", "/accounts/linh/tokens", {}, "accounts", "token_created"),
    ("DELETE /api/v1/tokens/{token}", "/tokens/{id}", None, "accounts", "token_revoked"),
    (
        "POST /api/v1/accounts/{account}/password-link",
        "/accounts/linh/password-link",
        {},
        "accounts",
        "password_link_made",
    ),
    ("DELETE /api/v1/accounts/{account}/sessions", "/accounts/linh/sessions", None, "accounts", "sessions_ended"),
    (
        "POST /api/v1/accounts/{account}/identities",
        "/accounts/linh/identities",
        {"issuer": "https://login.example.org", "subject": "1"},
        "accounts",
        "identity_linked",
    ),
    ("DELETE /api/v1/identities/{identity}", "/identities/{id}", None, "accounts", "identity_unlinked"),
    (
        "POST /api/v1/institution/organisations",
        "/institution/organisations",
        {"slug": "x"} | ORGANISATION,
        "organisations",
        "organisation_added",
    ),
    (
        "PUT /api/v1/institution/organisations/{organisation}",
        "/institution/organisations/x",
        ORGANISATION,
        "organisations",
        "organisation_changed",
    ),
    (
        "PUT /api/v1/institution/organisations/{organisation}/calendar-collection",
        "/institution/organisations/x/calendar-collection",
        CALENDAR,
        "calendars",
        "collection_registered",
    ),
    (
        "DELETE /api/v1/institution/organisations/{organisation}/calendar-collection",
        "/institution/organisations/x/calendar-collection",
        None,
        "calendars",
        "collection_removed",
    ),
    (
        "POST /api/v1/institution/organisations/{organisation}/end",
        "/institution/organisations/x/end",
        {"until": "2099-01-01T00:00:00Z"},
        "organisations",
        "organisation_ended",
    ),
    (
        "POST /api/v1/institution/positions",
        "/institution/positions",
        {"slug": "clerk", "title": NAME},
        "positions",
        "position_added",
    ),
    (
        "POST /api/v1/institution/tenures",
        "/institution/tenures",
        {"account": "linh", "position": "clerk"},
        "tenures",
        "tenure_begun",
    ),
    (
        "POST /api/v1/institution/tenures/{tenure}/end",
        "/institution/tenures/{id}/end",
        {},
        "tenures",
        "tenure_ended",
    ),
    (
        "PUT /api/v1/institution/positions/{position}",
        "/institution/positions/clerk",
        {"title": NAME},
        "positions",
        "position_renamed",
    ),
    (
        "POST /api/v1/institution/positions/{position}/closed-desks",
        "/institution/positions/clerk/closed-desks",
        {"organisation": "y"},
        "positions",
        "desk_closed",
    ),
    (
        "POST /api/v1/institution/positions/{position}/end",
        "/institution/positions/clerk/end",
        None,
        "positions",
        "position_ended",
    ),
    ("POST /api/v1/erasures", "/erasures", ERASURE, "erasures", "erasure_asked"),
    (
        "POST /api/v1/erasures/{erasure}/withdrawal",
        "/erasures/{id}/withdrawal",
        None,
        "erasures",
        "erasure_withdrawn",
    ),
    ("POST /api/v1/editions", "/editions", EDITION.said(), "editions", "edition_entered"),
    ("POST /api/v1/person-requests", "/person-requests", NEW_REQUEST, "person_requests", "request_received"),
    (
        "POST /api/v1/person-requests/{request_id}/identify",
        "/person-requests/{id}/identify",
        GUEST,
        "person_requests",
        "person_identified",
    ),
    (
        "POST /api/v1/person-requests/{request_id}/answer",
        "/person-requests/{id}/answer",
        {},
        "person_requests",
        "request_answered",
    ),
    (
        "POST /api/v1/person-requests/{request_id}/extend",
        "/person-requests/{id}/extend",
        {"days": 3, "reason": "Hồ sơ cũ"},
        "person_requests",
        "time_extended",
    ),
    (
        "POST /api/v1/person-requests/{request_id}/carry-out",
        "/person-requests/{id}/carry-out",
        {},
        "person_requests",
        "request_carried_out",
    ),
    ("POST /api/v1/person-requests", "/person-requests", NEW_REQUEST, "person_requests", "request_received"),
    (
        "POST /api/v1/person-requests/{request_id}/refuse",
        "/person-requests/{id}/refuse",
        {"reason": "repeated"},
        "person_requests",
        "request_refused",
    ),
    ("POST /api/v1/person-requests", "/person-requests", NEW_REQUEST, "person_requests", "request_received"),
    (
        "POST /api/v1/person-requests/{request_id}/take-back",
        "/person-requests/{id}/take-back",
        None,
        "person_requests",
        "request_taken_back",
    ),
    ("POST /api/v1/retention/plans", "/retention/plans", None, "retention", "plan_made"),
    (
        "POST /api/v1/retention/plans/{plan}/apply",
        "/retention/plans/{id}/apply",
        None,
        "retention",
        "plan_agreed",
    ),
    ("POST /api/v1/retention/plans/{plan}/stop", "/retention/plans/{id}/stop", None, "retention", "plan_stopped"),
    ("POST /api/v1/checkpoints", "/checkpoints", {}, "checkpoints", "checkpoint_asked"),
    ("POST /api/v1/institution/leaves", "/institution/leaves", LEAVE, "leaves", "leave_registered"),
    (
        "POST /api/v1/institution/leaves/{leave}/end",
        "/institution/leaves/{id}/end",
        {"until": "2099-02-01T00:00:00Z"},
        "leaves",
        "leave_end_changed",
    ),
    (
        "POST /api/v1/institution/leaves/{leave}/substitute",
        "/institution/leaves/{id}/substitute",
        {"substitute": "thay"},
        "leaves",
        "leave_revoked",
    ),
    (
        "POST /api/v1/institution/leaves/{leave}/revoke",
        "/institution/leaves/{id}/revoke",
        None,
        "leaves",
        "leave_revoked",
    ),
    ("POST /api/v1/feeds", "/feeds", {"account": "lan"}, "feeds", "feed_made"),
    ("POST /api/v1/feeds/{feed}/rotate", "/feeds/{id}/rotate", None, "feeds", "feed_rotated"),
    ("POST /api/v1/feeds/{feed}/revoke", "/feeds/{id}/revoke", None, "feeds", "feed_revoked"),
    (
        "DELETE /api/v1/accounts/{account}/passkeys/{passkey}",
        "/accounts/hung/passkeys/{passkey}",
        None,
        "accounts",
        "passkey_removed",
    ),
    (
        "POST /api/v1/replies/{mail}/dismiss",
        "/replies/{mail}/dismiss",
        None,
        "received_mail",
        "mail_dismissed",
    ),
    ("DELETE /api/v1/accounts/{account}", "/accounts/linh", None, "accounts", "account_disabled"),
    ("POST /api/v1/accounts/{account}/enable", "/accounts/linh/enable", None, "accounts", "account_enabled"),
)
"""Row, address, body, and where it is recorded as what; an id of the answer before goes into `{id}`."""

ALSO_RECORDED = {
    "POST /api/v1/institution/leaves/{leave}/substitute": (("leaves", "leave_registered", "root"),),
}
"""What else is recorded: the leave that follows the one before."""

NOT_RECORDED = {
    "POST /api/v1/demo/clock",
    "POST /api/v1/institution/organisations/{organisation}/calendar-collection/verify",
    "POST /api/v1/calendar-collections/search",
    "POST /api/v1/policies/explain",
}
"""In the demo alone; and what looks only, and at most notes when it did."""

IN_THE_FILE = {
    "POST /api/v1/delegations/{delegation}/commands",
    "POST /api/v1/delegations/{delegation}/checklist",
    "PUT /api/v1/delegations/{delegation}/checklist",
    "PUT /api/v1/delegations/{delegation}/checklist/{entry}",
    "POST /api/v1/delegations/{delegation}/checklist/{entry}/done",
    "DELETE /api/v1/delegations/{delegation}/checklist/{entry}",
    "POST /api/v1/delegations/{delegation}/notes",
    "PUT /api/v1/delegations/{delegation}/notes/{note}",
    "POST /api/v1/delegations/{delegation}/feeds",
}
"""What belongs to one file: a command, also a handing over, is sealed into its trail under its actor; its list and its
notes say of each entry who wrote it; its feeds stand in the same log as the others (test_feeds.py).
"""

BY_ANOTHER = {"POST /api/v1/erasures/{erasure}/agreement": "erasure_agreed"}
"""What a second administrator does; see below."""


async def recorded(at: Front) -> dict[str, list[tuple[str, str]]]:
    """Who did what, register by register."""
    log = at.at.register_log
    return {name: [(one.type, one.actor) for one in await log.entries(name)] for name in get_args(Register)}


async def done(root: Browser, row: str, path: str, body: Any) -> dict[str, Any]:
    """Do it, and return the answer's JSON."""
    answer = await root.ask(row.split()[0], path, body, idempotency_key=uuid4().hex)
    assert answer.status_code in (200, 201, 204), (row, answer.text)
    found: dict[str, Any] = answer.json() if answer.content else {}
    return found


async def vacant_desk(at: Front, position: str, organisation: str) -> None:
    """Somebody held a position at an organisation for a while."""
    long_ago = utc_now() - timedelta(days=9)
    async with at.at.database.writing() as connection:
        await begin_tenure(connection, "an", position, long_ago, utc_now(), at=organisation, by="root")


async def test_everything_an_administrator_does_is_recorded(tmp_path: Path, server: Radicale) -> None:
    """Once each, under the administrator's account, also what others may do for themselves; a new address joins by
    failing here.
    """
    changing = {row for row, who in TABLE.items() if who >= ADMINISTRATOR and not row.startswith("GET")}
    assert {row for row, *_ in ASKED} == changing - NOT_RECORDED - IN_THE_FILE - set(BY_ANOTHER)
    async with front(tmp_path, caldav_loopback=True) as at:
        root, made = at.browser(), ""
        await root.sign_in("root")
        guest = await at.at.persons.register(SATO)
        await vacant_desk(at, "clerk", "y")
        await at.at.accounts.create(AccountDetails(id="thay", name="Thay", roles=("approver",)))
        await device_of(at.at, "hung")
        [passkey] = await at.at.passkeys.of("hung")
        [letter] = await at.at.registers.received_mail.take("INBOX", 1, 1, [mail(1, reason="too_large")])
        places = {"{passkey}": passkey.id, "{mail}": letter}
        before = await recorded(at)
        for row, path, body, register, kind in ASKED:
            said = {**CALENDAR, "url": server.make("office")} if body is CALENDAR else body
            if body is ERASURE:
                said = {**ERASURE, "person": (await at.at.persons.register(SATO)).ref}
            said = {"person": guest.ref} if body is GUEST else said
            for place, value in {**places, "{id}": made}.items():
                path = path.replace(place, value)
            answer = await done(root, row, path, said)
            made = str(answer.get("id", ""))
            after = await recorded(at)
            new = [(name, *one) for name, entries in after.items() for one in entries[len(before[name]) :]]
            assert new == [(register, kind, "root"), *ALSO_RECORDED.get(row, ())], row
            before = after
        for name in get_args(Register):
            await at.at.register_log.verify(name)


async def test_what_a_second_administrator_agrees_to_is_recorded_under_their_account(tmp_path: Path) -> None:
    """Who asked and who agreed are two entries by two people."""
    async with front(tmp_path) as at:
        await at.at.accounts.create(AccountDetails(id="ha", name="Hà", roles=("administrator",)))
        root, ha = await at.token("root"), await at.token("ha")
        body = {**ERASURE, "person": (await at.at.persons.register(SATO)).ref}
        made = (await at.browser().ask("POST", "/erasures", body, **root)).json()["id"]
        assert (await at.browser().ask("POST", f"/erasures/{made}/agreement", None, **ha)).status_code == 200
        assert (await recorded(at))["erasures"] == [("erasure_asked", "root"), ("erasure_agreed", "ha")]


async def test_what_people_change_about_how_they_sign_in_is_recorded_too(tmp_path: Path) -> None:
    """Under their own account: who says a year later “that was not me” can be answered."""
    async with front(tmp_path) as at:
        hung, root = at.browser(), at.browser()
        await hung.sign_in("hung")
        await root.sign_in("root")
        old, new = "mười hai chữ trở lên", "một câu khác dài hơn"
        assert (await hung.ask("PUT", "/password", {"old": old, "new": new})).status_code == 204
        link = (await root.ask("POST", "/accounts/hung/password-link", {})).json()["link"].partition("#link=")[2]
        body = {"link": link, "password": old}
        assert (await at.browser().ask("POST", "/password/link", body)).status_code == 200
        assert (await recorded(at))["accounts"][-3:] == [
            ("password_changed", "hung"),
            ("password_link_made", "root"),
            ("password_chosen", "hung"),
        ]
