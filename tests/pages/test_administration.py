"""Administration as pages: each form once as it should be, once refused, and never by somebody without the right."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import httpx2
import pytest
import pytest_asyncio
from sqlalchemy import select, update

from api.health import ALARMS
from locales import Language, translator
from storage.accounts import AccountDetails
from storage.errors import FILE_UNAVAILABLE, POSTGRESQL_UNAVAILABLE, SQLITE_UNAVAILABLE
from storage.metadata import utc_now
from storage.register_log import Register, register_log
from storage.sessions import sessions as session_rows
from storage.tenures import begin_tenure
from tests.api.front import ORIGIN, Browser, Front
from tests.pages.asking import COOKIE, Forms, signed_in
from tests.pages.filled import text_of
from tests.pages.test_guard import with_rules
from tests.signer import device_of
from tests.storage.test_persons import SATO
from words.health import DETAILS, FAILURES
from words.registers import CHANGES, REGISTERS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

PLAN_ENDS = {"plan_applied", "plan_stopped", "plan_superseded"}


@dataclass
class Office:
    """An installation, and those who signed in to it."""

    front: Front
    browsers: dict[str, tuple[Browser, str]]

    async def get(self, path: str, by: str = "root") -> httpx2.Response:
        """Ask for a page in English."""
        browser, _ = await self._browser(by)
        return await browser.http.get(f"{ORIGIN}{path}")

    async def post(self, path: str, /, by: str = "root", **fields: Any) -> httpx2.Response:
        """Send a form; names have `__` for a dot."""
        browser, csrf = await self._browser(by)
        form = {"csrf": csrf, "key": "0" * 32} | {name.replace("__", "."): one for name, one in fields.items()}
        headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
        return await browser.http.post(f"{ORIGIN}{path}", data=form, headers=headers)

    async def csrf(self, by: str) -> str:
        """The token of the forms of an account's session."""
        return (await self._browser(by))[1]

    async def recorded(self) -> list[tuple[str, str, str]]:
        """Every change of the registers: register, what, by whom."""
        log = self.front.at.register_log
        return [(name, one.type, one.actor) for name in get_args(Register) for one in await log.entries(name)]

    async def _browser(self, account: str) -> tuple[Browser, str]:
        if account not in self.browsers:
            browser, csrf = await signed_in(self.front, account)
            assert COOKIE in browser.http.cookies
            browser.http.cookies.set("__Host-legation-language", "en", domain="legation.test")
            browser.http.headers["accept-language"] = "en"
            self.browsers[account] = browser, csrf
        return self.browsers[account]


@pytest_asyncio.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    """An installation with the shipped rules, a union, and a position that somebody holds."""
    async with with_rules(tmp_path) as found:
        # No way to Temporal, as while it is away: what starts a round there says so in the log, and goes on.
        found.at._client = None
        yield Office(found, {})


async def new(office: Office, before: list[tuple[str, str, str]]) -> list[tuple[str, str, str]]:
    """What was recorded since."""
    after = await office.recorded()
    for one in before:
        after.remove(one)
    return after


async def union(office: Office) -> None:
    """Enter a union, as a page does."""
    name = {"name__vi": "Liên hiệp", "name__en": "Union"}
    made = await office.post("/admin/organisations", form="add", slug="central", kind="central_union", **name)
    assert made.headers["location"] == "/admin/organisations/central?said=added"


async def test_organisations_are_entered_changed_and_ended(office: Office) -> None:
    """A tree; the history of one; what contradicts it stands beside its field."""
    before = await office.recorded()
    await union(office)
    below = {"kind": "provincial_union", "parent": "central", "name__vi": "Sông Lam", "name__en": "Song Lam"}
    assert (await office.post("/admin/organisations", form="add", slug="song-lam", **below)).status_code == 303
    page = (await office.get("/admin/organisations")).text
    assert page.index("/admin/organisations/central") < page.index("/admin/organisations/song-lam")
    again = await office.post("/admin/organisations", form="add", slug="song-lam", **below)
    assert (again.status_code, 'id="add-slug-error"' in again.text) == (409, True)
    assert 'value="Song Lam"' in again.text
    wrong = await office.post("/admin/organisations", form="add", slug="Sông", since="31/2/2026", name__vi="x")
    assert wrong.status_code == 422
    assert all(f'id="add-{one}-error"' in wrong.text for one in ("slug", "since", "kind", "name-en"))
    path = "/admin/organisations/song-lam"
    changed = await office.post(path, form="change", **below | {"name__en": "Lam River"})
    assert (changed.status_code, changed.headers["location"]) == (303, f"{path}?said=changed")
    assert "Lam River" in (await office.get(path)).text
    used = await office.post("/admin/organisations/central", form="end", until="1/1/2099")
    assert (used.status_code, 'id="end-until-error"' in used.text) == (409, True)
    assert (await office.post(path, form="end", until="1/1/2099")).headers["location"] == f"{path}?said=ended"
    last = (await office.front.at.institution.organisations())[-1].until
    assert last == datetime(2099, 1, 1, 17, tzinfo=UTC)
    assert await new(office, before) == [
        ("organisations", "organisation_added", "root"),
        ("organisations", "organisation_added", "root"),
        ("organisations", "organisation_changed", "root"),
        ("organisations", "organisation_ended", "root"),
    ]
    assert (await office.get("/admin/organisations/nowhere")).status_code == 404


async def test_positions_are_entered_and_held(office: Office) -> None:
    """Who holds one stands beside it; nobody holds one twice at once."""
    before = await office.recorded()
    title = {"title__vi": "Văn thư", "title__en": "Clerk"}
    assert (await office.post("/admin/positions", form="add", slug="clerk", **title)).status_code == 303
    assert "held by nobody" in (await office.get("/admin/positions")).text
    again = await office.post("/admin/positions", form="add", slug="clerk", **title)
    assert (again.status_code, 'id="add-slug-error"' in again.text) == (409, True)
    path = "/admin/positions/clerk"
    begun = await office.post(path, form="begin", account="lan", since="2026-01-01")
    assert begun.headers["location"] == f"{path}?said=begun"
    twice = await office.post(path, form="begin", account="lan")
    assert (twice.status_code, 'id="begin-account-error"' in twice.text) == (409, True)
    page = (await office.get(path)).text
    assert "Trần Thị Lan" in page
    tenure = re.search(r"/tenures/(ten_[a-z0-9]+)", page)
    assert tenure is not None
    end = f"{path}/tenures/{tenure[1]}"
    early = await office.post(end, until="2025-01-01")
    assert (early.status_code, f'id="end-{tenure[1]}-until-error"' in early.text) == (422, True)
    assert (await office.post(end, until="2098-12-31")).headers["location"] == f"{path}?said=ended"
    held = (await office.front.at.tenures.known(position="clerk"))[0]
    # Midnights of Hà Nội: the last day is the house's.
    assert (held.since, held.until) == (datetime(2025, 12, 31, 17, tzinfo=UTC), datetime(2098, 12, 31, 17, tzinfo=UTC))
    assert "Trần Thị Lan" not in (await office.get("/admin/positions", by="an")).text
    assert [what for _, what, _ in await new(office, before)] == ["position_added", "tenure_begun", "tenure_ended"]
    past = await office.post(end, until="2026-05-31")
    assert (past.status_code, f'id="end-{tenure[1]}-until-error"' in past.text) == (422, True)
    assert (await office.post(path, form="end")).status_code == 409
    assert (await office.post(end)).headers["location"] == f"{path}?said=ended"


async def test_a_position_is_corrected_its_vacant_desks_given_up_and_it_ends(office: Office) -> None:
    """The vacant ones stand on its page, and nowhere once they are closed."""
    await union(office)
    title, path = {"title__vi": "Văn thư", "title__en": "Clerk"}, "/admin/positions/clerk"
    await office.post("/admin/positions", form="add", slug="clerk", **title, organisation="central")
    assert (await office.post(path, form="rename", **title | {"title__en": ""})).status_code == 422
    renamed = await office.post(path, form="rename", **title | {"title__en": "Registrar"})
    assert renamed.headers["location"] == f"{path}?said=changed"
    async with office.front.at.database.writing() as connection:
        since = utc_now() - timedelta(days=9)
        await begin_tenure(connection, "lan", "clerk", since, utc_now(), at="central", by="root")
    page = (await office.get(path)).text
    assert ("Registrar" in page, "Vacant desks" in page) == (True, True)
    assert (await office.post(path, form="close", organisation="central")).headers["location"].endswith("said=closed")
    assert "Vacant desks" not in (await office.get(path)).text
    assert (await office.post(path, form="end")).headers["location"] == f"{path}?said=ended"
    assert "Let somebody hold it" not in (await office.get(path)).text


async def test_leave_is_registered_for_oneself_and_by_administrators_for_others(office: Office) -> None:
    """Dates as days of the house; one's own page is about nobody else."""
    before = await office.recorded()
    days = {"since": "18/5/2027", "until": "22/5/2027"}
    mine = await office.post("/me/leave", by="mai", form="add", substitute="hung", account="hung", **days)
    assert mine.headers["location"] == "/me/leave?said=registered"
    (leave,) = await office.front.at.leaves.known()
    assert (leave.account, leave.substitute) == ("mai", "hung")
    assert (leave.since, leave.until) == (datetime(2027, 5, 17, 17, tzinfo=UTC), datetime(2027, 5, 22, 17, tzinfo=UTC))
    own = await office.post("/me/leave", by="mai", form="add", substitute="mai", since="2027-08-01", until="2027-08-02")
    assert (own.status_code, 'id="add-substitute-error"' in own.text) == (422, True)
    assert "Phạm Thị Mai is away; Lê Văn Hùng signs" in (await office.get("/me/leave", by="hung")).text
    assert "is away" not in (await office.get("/me/leave", by="lan")).text
    blind = (await office.get("/me/leave", by="an")).text
    assert ('<option value="mai"' in blind, "Phạm Thị Mai" in blind) == (True, False)
    for path in (f"/me/leave/{leave.id}", f"/admin/leave/{leave.id}"):
        assert (await office.post(path, by="hung", until="2027-05-30")).status_code == 403
    backwards = await office.post(f"/me/leave/{leave.id}", by="mai", until="1/5/2027")
    assert (backwards.status_code, f'id="end-{leave.id}-until-error"' in backwards.text) == (422, True)
    assert (await office.post(f"/me/leave/{leave.id}", by="mai", until="23/5/2027")).status_code == 303
    replace = await office.post(f"/me/leave/{leave.id}", by="mai", form=f"substitute-{leave.id}", substitute="hung")
    assert (replace.status_code, f'id="substitute-{leave.id}-substitute-error"' in replace.text) == (409, True)
    clerk = await office.post("/admin/leave", form="add", account="lan", substitute="root", **days)
    assert (clerk.status_code, 'id="add-substitute-error"' in clerk.text) == (403, True)
    other = await office.post("/admin/leave", form="add", account="lan", substitute="hung", **days)
    assert other.headers["location"] == "/admin/leave?said=registered"
    assert (await office.post(f"/admin/leave/{leave.id}", form="revoke")).headers["location"].endswith("said=revoked")
    assert "Over or revoked" in (await office.get("/admin/leave")).text
    assert await new(office, before) == [
        ("leaves", "leave_registered", "mai"),
        ("leaves", "leave_end_changed", "mai"),
        ("leaves", "leave_registered", "root"),
        ("leaves", "leave_revoked", "root"),
    ]


async def test_an_account_is_opened_changed_and_disabled(office: Office) -> None:
    """With what it may, and a link that is shown once; nobody else sees the page."""
    before = await office.recorded()
    opened = await office.post("/admin/accounts", id="linh", name="Đỗ Linh", roles=["coordinator"], language="vi")
    assert opened.headers["location"] == "/admin/accounts/linh?said=opened"
    none = await office.post("/admin/accounts", id="system", name="", roles=[""], language="vi")
    assert none.status_code == 422
    assert all(f'id="add-{one}-error"' in none.text for one in ("name", "roles"))
    taken = await office.post("/admin/accounts", id="linh", name="Another", roles=["auditor"], language="vi")
    assert (taken.status_code, 'id="add-id-error"' in taken.text) == (409, True)
    path = "/admin/accounts/linh"
    link = await office.post(path, form="password_link")
    assert f"{ORIGIN}/sign-in#link=" in link.text
    assert "/sign-in#link=" not in (await office.get(path)).text
    changed = await office.post(path, form="change", name="Đỗ Thị Linh", roles=["auditor", "approver"], language="en")
    assert changed.headers["location"] == f"{path}?said=changed"
    # What the rules name and the register does not have is held all the same, and is not lost by a change.
    assert 'value="finance" checked' in (await office.get("/admin/accounts/hung")).text
    await office.front.at.accounts.create_token("linh", scopes=("read",))
    token = re.search(r'name="id" value="(tok_[a-z0-9]+)"', (await office.get(path)).text)
    assert token is not None
    assert (await office.post(path, form="revoke", id=token[1])).headers["location"] == f"{path}?said=revoked"
    assert "revoked " in (await office.get(path)).text
    bad = await office.post(path, form="change", name="Linh", email="no address", roles=["auditor"], language="en")
    assert (bad.status_code, 'id="change-email-error"' in bad.text) == (422, True)
    assert (await office.post(path, form="identity", issuer="https://x.example", subject="1")).status_code == 303
    identity = (await office.front.at.identities.of("linh"))[0].id
    assert (await office.post(path, form="unlink", id="idn_of_others")).status_code == 404
    assert (await office.post(path, form="unlink", id=identity)).headers["location"] == f"{path}?said=unlinked"
    assert (await office.post(path, form="end_sessions")).headers["location"] == f"{path}?said=sessions_ended"
    await device_of(office.front.at, "linh", "Điện thoại cũ")
    passkey = re.search(r'name="id" value="(pky_[a-z0-9]+)"', (await office.get(path)).text)
    assert passkey is not None
    assert (await office.post(path, form="remove_passkey", id="pky_of_others")).status_code == 404
    removed = await office.post(path, form="remove_passkey", id=passkey[1])
    assert removed.headers["location"] == f"{path}?said=passkey_removed"
    assert (await office.post(path, form="disable")).headers["location"] == "/admin/accounts?said=disabled"
    assert (await office.get(path)).status_code == 404
    assert "Đỗ Thị Linh" in (await office.get("/admin/accounts")).text.partition("Disabled accounts")[2]
    assert (await office.post(path, form="enable")).headers["location"] == f"{path}?said=enabled"
    assert (await office.post(path, form="enable")).status_code == 409
    alone = await office.post("/admin/accounts/root", form="disable")
    assert (alone.status_code, "Nobody would be left to administer" in alone.text) == (409, True)
    assert [what for register, what, who in await new(office, before) if (register, who) == ("accounts", "root")] == [
        "account_opened",
        "password_link_made",
        "account_changed",
        "token_revoked",
        "identity_linked",
        "identity_unlinked",
        "sessions_ended",
        "passkey_removed",
        "account_disabled",
        "account_enabled",
    ]
    for by in ("lan", "hung", "an"):
        assert (await office.get("/admin/accounts", by=by)).status_code == 403
        assert (await office.post("/admin/accounts", by=by, id="x")).status_code == 403


async def test_whose_account_it_is_is_chosen_among_the_people_of_its_name(office: Office) -> None:
    """An approver of whom it is not said stands on both pages as a warning, and no longer once it is."""
    people = office.front.at.persons
    hung = await people.register(SATO.model_copy(update={"full_name": "Lê Văn Hưng", "given_name": "Hưng"}))
    await people.register(SATO)
    path, warning = "/admin/accounts/hung", "nothing keeps"
    assert warning in (await office.get("/admin/accounts")).text
    page = (await office.get(path)).text
    assert warning in page
    assert re.findall(r'<option value="(per_[^"]+)"', page) == [hung.ref]
    said: dict[str, Any] = {"name": "Lê Văn Hùng", "roles": ["approver"], "language": "vi"}
    assert (await office.post(path, form="change", person=hung.ref, **said)).status_code == 303
    page = (await office.get(path)).text
    assert warning not in page
    assert f'<option value="{hung.ref}" selected' in page


async def test_accounts_are_found_without_diacritics(office: Office) -> None:
    """By name or id."""
    found = (await office.get("/admin/accounts?q=TRAN thi")).text
    assert "/admin/accounts/lan" in found
    assert "/admin/accounts/hung" not in found
    assert "No account has this" in (await office.get("/admin/accounts?q=nobody-of-all")).text


async def test_a_token_of_one_s_own_is_shown_once(office: Office) -> None:
    """With what was chosen and no more; choosing nothing is not everything; not long after signing in."""
    none = await office.post("/me/tokens", by="lan", form="add", scopes="")
    assert (none.status_code, 'id="add-scopes-error"' in none.text) == (422, True)
    endless = await office.post("/me/tokens", by="lan", form="add", scopes=["", "read"], expires_at="31/12/2099")
    assert (endless.status_code, 'id="add-expires_at-error"' in endless.text) == (422, True)
    last = (utc_now() + timedelta(days=30)).astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()
    made = await office.post("/me/tokens", by="lan", form="add", scopes=["", "read"], expires_at=f"{last:%d/%m/%Y}")
    secret = re.search(r"lgt_[A-Za-z0-9_-]+", made.text)
    assert secret is not None
    (token,) = await office.front.at.accounts.tokens_of("lan")
    end = datetime(last.year, last.month, last.day, 17, tzinfo=UTC)
    assert (token.scopes, token.expires_at) == (("read",), end)
    assert secret[0] not in (await office.get("/me/tokens", by="lan")).text
    assert (await office.post(f"/me/tokens/{token.id}/revoke", by="hung")).status_code == 404
    assert (await office.post(f"/me/tokens/{token.id}/revoke", by="lan")).headers["location"].endswith("said=revoked")
    office.front.moment.now += timedelta(hours=1)
    late = await office.post("/me/tokens", by="lan", form="add", scopes="read")
    assert late.status_code in (303, 401, 403)
    assert len(await office.front.at.accounts.tokens_of("lan")) == 1


async def test_rules_are_shown_for_a_day_and_a_case_is_explained(office: Office) -> None:
    """Both to whoever may read files; a case that cannot be is told beside its field."""
    page = (await office.get("/admin/rules", by="an")).text
    digest = re.search(r"/admin/rules/([0-9a-f]{64})", page)
    assert digest is not None
    assert "in force for new files" in page
    shown = (await office.get(f"/admin/rules/{digest[1]}?on=2026-02-17", by="hung")).text
    assert "Inbound proposal" in shown
    assert "10 days before the first day" in shown
    before = (await office.get(f"/admin/rules/{digest[1]}?on=2023-12-31", by="hung")).text
    assert 0 <= shown.count("does not hold then") < before.count("does not hold then")
    assert (await office.get(f"/admin/rules/{'0' * 64}")).status_code == 404
    await union(office)
    case = {"matter": "request", "direction": "inbound", "organisation": "central", "countries": "jp"}
    found = await office.post("/admin/rules/explain", by="an", **case, starts="6/4/2027", ends="12/4/2027")
    assert (found.status_code, "Chosen: " in found.text) == (200, True)
    wrong = await office.post("/admin/rules/explain", by="an", **case | {"countries": ""}, starts="soon", ends="")
    assert wrong.status_code == 422
    assert all(f'id="explain-{one}-error"' in wrong.text for one in ("starts", "ends", "countries"))


async def test_post_that_nobody_has_to_look_at_says_so(office: Office) -> None:
    """Empty pages say what will stand there; what is sent to them is judged all the same."""
    assert "No reply waits for anybody" in (await office.get("/admin/replies", by="lan")).text
    assert "Every mail arrived" in (await office.get("/admin/undelivered", by="an")).text
    assert (await office.post("/admin/replies/rcv_nothing", by="lan", act="dismiss")).status_code == 404
    assert (await office.post("/admin/replies/rcv_nothing", act="settle")).status_code == 403
    unknown = await office.post("/admin/undelivered", by="lan", message="<a@b.example>", delegation="nowhere")
    assert unknown.status_code == 404
    assert (await office.get("/admin/replies", by="hung")).status_code == 403


async def test_an_erasure_takes_two_administrators(office: Office) -> None:
    """Whoever asked may take it back, and not agree; who is not known is told beside the field."""
    before = await office.recorded()
    await office.front.at.accounts.create(AccountDetails(id="ha", name="Hà", roles=("administrator",)))
    person = (await office.front.at.persons.register(SATO)).ref
    unknown = await office.post("/admin/erasures", form="ask", person="per_nobody00", reason="objection")
    assert (unknown.status_code, 'id="ask-person-error"' in unknown.text) == (404, True)
    asked = await office.post("/admin/erasures", form="ask", person=person, reason="objection")
    path = asked.headers["location"].partition("?")[0]
    assert "another administrator has to agree" in (await office.get(path)).text
    alone = await office.post(path, act="agree")
    assert (alone.status_code, "needs two people" in alone.text) == (403, True)
    assert "Agree to the erasure" in (await office.get(path, by="ha")).text
    assert (await office.post(path, by="ha", act="withdraw")).status_code == 403
    assert (await office.post(path, by="ha", act="agree")).headers["location"] == f"{path}?said=agreed"
    assert (await office.post(path, act="withdraw")).status_code == 409
    found = [one for one in await new(office, before) if one[0] == "erasures"]
    assert found == [("erasures", "erasure_asked", "root"), ("erasures", "erasure_agreed", "ha")]
    assert (await office.get("/admin/erasures", by="an")).status_code == 403


async def test_what_somebody_asks_about_their_data_is_recorded_to_its_end(office: Office) -> None:
    """Sent twice it is one; auditors see the days and none of the words."""
    before = await office.recorded()
    form = {"form": "add", "kind": "access", "via": "letter", "description": "Mr. Sato asks.", "processor": "no"}
    form |= {"checked": "yes"}
    made = await office.post("/admin/person-requests", **form)
    again = await office.post("/admin/person-requests", **form)
    path = made.headers["location"].partition("?")[0]
    assert again.headers["location"].partition("?")[0] == path
    wrong = await office.post("/admin/person-requests", form="add", via="letter", received_at="soon", key="1" * 32)
    assert wrong.status_code == 422
    assert all(f'id="add-{one}-error"' in wrong.text for one in ("kind", "received_at"))
    assert "Mr. Sato asks." in (await office.get(path)).text
    assert "Mr. Sato asks." not in (await office.get(path, by="an")).text
    person = (await office.front.at.persons.register(SATO)).ref
    assert (await office.post(path, form="identify", person=person, key="2" * 32)).status_code == 303
    assert (await office.post(path, form="answer", text="We will.", key="3" * 32)).status_code == 303
    nothing = await office.post(path, form="carry_out", export="0" * 64, key="4" * 32)
    assert (nothing.status_code, 'id="carry_out-export-error"' in nothing.text) == (422, True)
    assert (await office.post(path, form="refuse", reason="repeated", key="5" * 32)).status_code == 303
    assert (await office.post(path, form="take_back", key="6" * 32)).status_code == 409
    assert [what for register, what, _ in await new(office, before) if register == "person_requests"] == [
        "request_received",
        "person_identified",
        "request_answered",
        "request_refused",
    ]
    assert (await office.post(path, by="an", form="take_back")).status_code == 403


async def test_a_request_is_shown_with_its_days_before_it_is_recorded(office: Office) -> None:
    """By the rule of the day on which it came; a coordinator records it too, and reads no other."""
    before = await office.recorded()
    form = {"form": "add", "kind": "access", "via": "email", "description": "Mr. Sato asks.", "processor": "no"}
    form |= {"received_at": "9/3/2026"}
    shown = await office.post("/admin/person-requests", **form)
    said = text_of(shown.text)
    assert (shown.status_code, "Nothing is recorded yet." in said) == (200, True)
    # Two working days after Monday 9 March, and ten days after it.
    assert "Answer until Wed 11 Mar 2026" in said
    assert "Done until Thu 19 Mar 2026" in said
    assert await new(office, before) == []
    again = await office.post("/admin/person-requests", **form, again="yes")
    assert ("Mr. Sato asks." in again.text, 'value="2026-03-09"' in again.text) == (True, True)
    late = await office.post("/admin/person-requests", **form | {"received_at": "1/1/2099"})
    assert (late.status_code, 'id="add-received_at-error"' in late.text) == (422, True)
    fields = dict(Forms(shown.text).forms["add"])
    for _ in range(2):
        page = await office.post("/admin/person-requests", by="lan", **fields | {"csrf": await office.csrf("lan")})
        said = text_of(page.text)
        assert (page.status_code, "The request is recorded as req_" in said) == (200, True)
        assert "is to be answered until Wed 11 Mar 2026, and what is asked to be done until Thu 19 Mar 2026" in said
        assert "Mr. Sato asks." not in said
    assert await new(office, before) == [("person_requests", "request_received", "lan")]
    assert "Those that wait" not in (await office.get("/admin/person-requests", by="lan")).text
    assert (await office.post("/admin/person-requests", by="an", **form)).status_code == 403
    assert (await office.post("/admin/person-requests", by="hung", **form)).status_code == 403


async def test_what_is_held_of_whoever_asks_is_downloaded_and_named(office: Office) -> None:
    """By administrators alone; what was brought together can be chosen as what was handed out."""
    person = (await office.front.at.persons.register(SATO)).ref
    form = {"form": "add", "kind": "access", "via": "letter", "person": person, "processor": "no", "checked": "yes"}
    path = (await office.post("/admin/person-requests", **form)).headers["location"].partition("?")[0]
    page = (await office.get(path)).text
    link = f"/api/v1/persons/{person}/export?format=text"
    assert f'href="{link}" download' in page
    assert link not in (await office.get(path, by="an")).text
    held = await office.get(link)
    assert (held.status_code, SATO.full_name in held.text) == (200, True)
    (made,) = await office.front.at.register_log.entries("persons", entry=person)
    digest = made.data["after"]["digest"]
    page = (await office.get(path)).text
    assert f'<option value="{digest}">' in page
    done = await office.post(path, form="carry_out", export=digest, key="4" * 32)
    assert done.headers["location"] == f"{path}?said=carried_out"


async def test_a_request_for_erasure_leads_to_the_erasure_and_names_it(office: Office) -> None:
    """The form has the person already; what was carried out can be chosen, and nothing else."""
    person = (await office.front.at.persons.register(SATO)).ref
    form = {"form": "add", "kind": "erasure", "via": "letter", "person": person, "processor": "no", "checked": "yes"}
    path = (await office.post("/admin/person-requests", **form)).headers["location"].partition("?")[0]
    page = (await office.get(path)).text
    assert f'href="/admin/erasures?person={person}#ask"' in page
    assert SATO.full_name in page
    assert SATO.full_name not in (await office.get(path, by="an")).text
    asking = Forms((await office.get(f"/admin/erasures?person={person}")).text)
    assert dict(asking.forms["ask"]) | {"csrf": "", "key": ""} == {
        "csrf": "",
        "key": "",
        "form": "ask",
        "person": person,
        "reason": "asked_by_person",
    }
    assert (await office.get("/admin/erasures?person=somebody")).status_code == 404
    found = (await office.get("/admin/person-requests?find=sato")).text
    assert "Nobody of this name is on an open file." in found
    chosen = (await office.get(f"/admin/person-requests?person={person}", by="lan")).text
    assert f"Chosen: {SATO.full_name}" in text_of(chosen)


async def test_the_log_of_changes_is_narrowed_and_paged(office: Office) -> None:
    """The newest first, by register, account, entry and day; auditors read it, and others do not."""
    for number in range(60):
        title = {"title__vi": f"Văn thư {number}", "title__en": f"Clerk {number}"}
        await office.post("/admin/positions", form="add", slug=f"clerk-{number}", **title)
    page = (await office.get("/admin/log?register=positions", by="an")).text
    assert "entered a position" in page
    assert (">clerk-59<" in page, ">clerk-10<" in page, ">clerk-9<" in page) == (True, True, False)
    cursor = re.search(r'href="(/admin/log\?register=positions&amp;cursor=[^"]+)"', page)
    assert cursor is not None
    rest = (await office.get(cursor[1].replace("&amp;", "&"), by="an")).text
    assert (">clerk-9<" in rest, ">clerk-10<" in rest) == (True, False)
    one = text_of((await office.get("/admin/log?entry=clerk-7")).text)
    assert one.count("entered a position") == 1
    assert "Nothing was changed that fits." in (await office.get("/admin/log?actor=nobody-of-all")).text
    assert "Nothing was changed that fits." in (await office.get("/admin/log?until=1/1/2020")).text
    wrong = await office.get("/admin/log?since=soon")
    assert (wrong.status_code, 'id="since-error"' in wrong.text) == (422, True)
    assert "The chain holds" in (await office.get("/admin/log?register=positions&verify=yes")).text
    assert (await office.get("/admin/log?cursor=x")).status_code == 400
    for by in ("lan", "hung"):
        assert (await office.get("/admin/log", by=by)).status_code == 403


async def test_one_broken_entry_of_the_log_hides_no_other(office: Office) -> None:
    """It is named by its number, and the check says which is the first that is not as it was sealed."""
    title = {"title__vi": "Văn thư", "title__en": "Clerk"}
    for slug in ("one", "two"):
        await office.post("/admin/positions", form="add", slug=slug, **title)
    async with office.front.at.database.writing() as connection:
        broken = update(register_log).where(register_log.c.register == "positions", register_log.c.entry == "one")
        await connection.execute(broken.values(data='{"after": {}}'))
        number = (await connection.execute(select(register_log.c.seq).where(register_log.c.entry == "one"))).scalar()
    page = text_of((await office.get("/admin/log?register=positions&verify=yes")).text)
    assert f"Entry no. {number} of “Positions” cannot be read." in page
    assert "The chain does not hold" in page
    assert "two" in page


@pytest.mark.parametrize("language", ["vi", "en"])
async def test_every_change_of_the_registers_and_every_state_of_health_has_words(language: Language) -> None:
    """Whatever the code records has a sentence; and in Vietnamese it is Vietnamese."""
    words = translator(language)
    assert set(get_args(Register)) == set(REGISTERS)
    recorded = {
        text
        for folder in ("storage", "storage/migrations/versions", "domain")
        for file in (ROOT / folder).glob("*.py")
        for text in re.findall(r'"([a-z]+(?:_[a-z]+)+)"', file.read_text("utf-8"))
    }
    assert set(CHANGES) - {f"mail_{end}" for end in ("settled", "dismissed")} - PLAN_ENDS <= recorded
    reasons = {*SQLITE_UNAVAILABLE.values(), *POSTGRESQL_UNAVAILABLE.values(), *FILE_UNAVAILABLE.values()}
    assert reasons | {"disconnected"} | set(ALARMS.values()) <= set(DETAILS)
    for table in (REGISTERS, CHANGES, DETAILS, FAILURES):
        for code, said in table.items():
            assert "_" not in said, code
            assert (words.tr(said) == said) is (language == "en"), code


async def test_entries_of_a_plan_are_looked_at_before_it_is_applied(office: Office) -> None:
    """Kind by kind, by names without content; a kind that the plan does not list is no page."""
    for by in ("hung", "mai", "root", "an", "lan"):
        await office.get("/me", by=by)
    long_ago = datetime(2020, 1, 1, tzinfo=UTC)
    over = update(session_rows).where(session_rows.c.account.in_(["hung", "mai"]))
    async with office.front.at.database.writing() as connection:
        await connection.execute(over.values(ended_at=long_ago, expires_at=long_ago))
    made = await office.post("/admin/retention")
    path = made.headers["location"].partition("?")[0]
    page = (await office.get(path)).text
    assert "This is a trial: nothing is removed" in page
    assert f'href="{path}/sessions"' in page
    listed = await office.get(f"{path}/sessions", by="an")
    assert listed.status_code == 200
    assert len(re.findall(r"\bses_[a-z0-9]+", listed.text)) == 2
    assert "Waits" in text_of(listed.text)
    assert (await office.get(f"{path}/attachments")).status_code == 404
    assert (await office.get(f"{path}/sessions", by="lan")).status_code == 403


async def test_a_plan_of_removal_is_made_looked_at_and_stopped(office: Office) -> None:
    """What has ended cannot be applied any more."""
    before = await office.recorded()
    made = await office.post("/admin/retention")
    path = made.headers["location"].partition("?")[0]
    assert "Stop the plan" in (await office.get(path)).text
    assert "Stop the plan" not in (await office.get(path, by="an")).text
    assert (await office.post(path, act="stop")).headers["location"] == f"{path}?said=stopped"
    assert (await office.post(path, act="apply")).status_code == 409
    assert (await office.post(path, act="both")).status_code == 400
    found = [one for one in await new(office, before) if one[0] == "retention"]
    assert found == [("retention", "plan_made", "root"), ("retention", "plan_stopped", "root")]
    assert "The plan was stopped" in (await office.get(f"{path}?said=stopped")).text


async def test_a_checkpoint_is_asked_for_and_health_says_what_is_wrong(office: Office) -> None:
    """Without Temporal it waits, and health says so; auditors look and ask for nothing."""
    before = await office.recorded()
    asked = await office.post("/admin/checkpoints")
    assert asked.headers["location"] == "/admin/checkpoints?said=waiting"
    assert await new(office, before) == [("checkpoints", "checkpoint_asked", "root")]
    assert (await office.post("/admin/checkpoints", by="an")).status_code == 403
    health = await office.get("/admin/health", by="an")
    assert (health.status_code, "Commands cannot be taken at the moment" in health.text) == (200, True)
    assert "No run was archived yet" in (await office.get("/admin/archive", by="an")).text


async def test_everybody_finds_the_sections_they_may_open_and_no_others(office: Office) -> None:
    """And each of them opens."""
    seen = {}
    for by in ("lan", "hung", "an", "root"):
        page = (await office.get("/admin", by=by)).text
        seen[by] = set(re.findall(r'href="(/admin/[a-z-]+)"', page))
        for path in seen[by]:
            assert (await office.get(path, by=by)).status_code == 200, (by, path)
    assert seen["root"] >= seen["an"]
    assert "/admin/accounts" not in seen["an"] | seen["lan"] | seen["hung"]
    assert "/admin/replies" in seen["lan"]
    assert "/admin/replies" not in seen["hung"]
