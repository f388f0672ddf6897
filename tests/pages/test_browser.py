"""The pages in a real browser: sign in, add a passkey, answer a step; and what must not happen."""

import re
import uuid
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import Browser, expect
from sqlalchemy import delete, select

from domain.signing import PasskeySignature, Statement
from domain.values import BUSINESS_ZONE, business_date
from storage.passkeys import passkeys
from storage.passwords import LINK_PAGE
from storage.sessions import sessions as signed_in
from tests.api.front import PASSWORD
from tests.pages.conftest import Site, Visitor, visiting
from tests.storage.samples import PDF_FILE, in_pieces

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]

RECEIPT = re.compile(r"/receipts/\d+$")


async def submitted(site: Site) -> str:
    """A file that waits for the department head, and the path of that step."""
    await site.here.open()
    await site.here.add("m-1", role="head")
    await site.here.schedule("s-1")
    await site.here.send({"type": "submit_request"})
    return f"/delegations/{site.here.id}/steps/department_head"


async def in_english(visitor: Visitor) -> None:
    """Read pages in English, whatever the account says."""
    await visitor.speak("en")


async def events(site: Site, kind: str) -> list[dict[str, object]]:
    """The events of one type in the trail of the file: who, and what is sealed of them."""
    found = await site.here.registers.queries.events(site.here.id)
    return [{"by": one.actor, **one.data} for one in found if one.type == kind]


async def sign_out(visitor: Visitor) -> None:
    """Open the menu under one's name, and end the session."""
    await visitor.page.locator("details.menu summary").click()
    await press(visitor, "Sign out")


async def press(visitor: Visitor, name: str) -> None:
    """Press the button of that name."""
    await visitor.page.get_by_role("button", name=name, exact=True).click()


async def test_the_link_of_a_mail_leads_through_signing_in_to_the_receipt(site: Site, visitor: Visitor) -> None:
    """Without a session there is nothing but the sign-in page; then the step, the answer, and its receipt."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.go(path)
    assert visitor.path.startswith("/sign-in?next=")
    assert "Hội hữu nghị Tokyo" not in await visitor.page.content()
    await visitor.sign_in("hung", visitor.path)
    assert visitor.path == path
    assert "Delegate m-1" in await visitor.page.inner_text("main")
    await press(visitor, "Approve proposal v1")
    await expect(visitor.page).to_have_url(RECEIPT)
    assert await visitor.page.inner_text("h1") == "You approved proposal v1."
    receipt = await visitor.page.inner_text("main")
    [signed] = await events(site, "StepSigned")
    assert signed["by"] == "hung"
    assert str(signed["digest"]) in receipt
    assert "TL. President" in receipt
    assert "Department head: Lê Văn Hùng" in receipt
    await visitor.go(path)
    assert "This step was answered already" in await visitor.page.inner_text("main")
    assert await visitor.page.locator("main form").count() == 0


async def test_somebody_adds_a_passkey_and_signs_in_with_it(site: Site, visitor: Visitor) -> None:
    """Offered on the first page; afterwards no password is needed; removed, it is gone."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.device()
    await visitor.sign_in("mai")
    await visitor.page.get_by_role("link", name="Add a passkey").click()
    await visitor.page.fill("#label", "Điện thoại cơ quan")
    await press(visitor, "Add this device")
    await expect(visitor.page.locator(".section .rows li strong")).to_have_text("Điện thoại cơ quan")
    await sign_out(visitor)
    await expect(visitor.page.locator("h1")).to_have_text("You are signed out")
    await visitor.go(path)
    await press(visitor, "Sign in with a passkey")
    await expect(visitor.page).to_have_url(site.origin + path)
    assert "You do not hold the position that signs here." in await visitor.page.inner_text("main")
    assert await visitor.page.locator("main form").count() == 0
    [session] = await sessions(site, "mai")
    assert session == "passkey"
    await visitor.go("/me/passkeys")
    await press(visitor, "Remove Điện thoại cơ quan")
    await expect(visitor.page.locator(".section .rows li")).to_have_count(0)


async def sessions(site: Site, account: str) -> list[str]:
    """By which factors an account is signed in."""
    wanted = select(signed_in.c.factor).where(signed_in.c.account == account, signed_in.c.ended_at.is_(None))
    async with site.here.registers.database.reading() as connection:
        return list((await connection.execute(wanted)).scalars())


async def add_passkey(visitor: Visitor, account: str) -> None:
    """Sign in, and give the account a passkey in this browser's device."""
    await visitor.device()
    await visitor.sign_in(account, "/sign-in?next=/me/passkeys")
    await press(visitor, "Add this device")
    await expect(visitor.page.locator(".section .rows li strong")).to_have_count(1)


async def test_a_step_is_signed_with_the_passkey_and_the_trail_has_the_proof(site: Site, visitor: Visitor) -> None:
    """From the mail's link: sign in by passkey, sign by passkey; the signature is sealed, over this very digest."""
    path = await submitted(site)
    await in_english(visitor)
    await add_passkey(visitor, "hung")
    await sign_out(visitor)
    await visitor.go(path)
    await press(visitor, "Sign in with a passkey")
    await expect(visitor.page).to_have_url(site.origin + path)
    assert "Your device asks for your passkey" in await visitor.page.inner_text("#answer")
    await press(visitor, "Approve proposal v1")
    await expect(visitor.page).to_have_url(RECEIPT)
    assert "passkey, over this very digest" in await visitor.page.inner_text("main")
    [signed] = await events(site, "StepSigned")
    proof = signed["proof"]
    assert isinstance(proof, dict)
    assert proof["factor"] == "passkey"
    signature = PasskeySignature.model_validate(proof["signature"])
    statement = Statement(act="sign_off", delegation=site.here.id, step="department_head", digest=str(signed["digest"]))
    assert statement.made(signature)
    await remove_passkeys(site, "hung")


async def test_without_the_passkey_at_hand_the_session_signs_and_the_trail_says_so(
    site: Site, visitor: Visitor
) -> None:
    """The weaker way is named on its button, and in the receipt."""
    path = await submitted(site)
    await in_english(visitor)
    await add_passkey(visitor, "hung")
    await visitor.go(path)
    await press(visitor, "Sign by this session, without the passkey")
    await expect(visitor.page).to_have_url(RECEIPT)
    [signed] = await events(site, "StepSigned")
    assert isinstance(signed["proof"], dict)
    assert (signed["proof"]["factor"], "signature" in signed["proof"]) == ("password", False)
    await remove_passkeys(site, "hung")


async def remove_passkeys(site: Site, account: str) -> None:
    """Leave the account as other tests expect it."""
    async with site.here.registers.database.writing() as connection:
        await connection.execute(delete(passkeys).where(passkeys.c.account == account))


async def test_who_answered_before_reads_what_changed_since(site: Site, visitor: Visitor) -> None:
    """Old beside new, by the figure and the person; nothing that stayed the same."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.sign_in("hung", f"/sign-in?next={path}")
    await visitor.page.get_by_text("Return it …").click()
    await visitor.page.fill("#return_step-reason", "Xin sửa mục đích.")
    await press(visitor, "Return proposal v1")
    await expect(visitor.page).to_have_url(RECEIPT)
    receipt = visitor.path
    await site.here.send({"type": "revise_request", "purpose": "Ký thỏa thuận hợp tác"})
    await site.here.add("m-2")
    await site.here.send({"type": "submit_request"})
    await visitor.go(path)
    changed = visitor.page.locator("#differences li")
    await expect(changed.filter(has_text="Purpose").locator("del")).to_contain_text("Trao đổi về hợp tác địa phương")
    await expect(changed.filter(has_text="Purpose").locator("ins")).to_contain_text("Ký thỏa thuận hợp tác")
    await expect(changed.filter(has_text="Member m-2").locator("ins")).to_contain_text("Delegate m-2, delegate, Japan")
    assert await changed.filter(has_text="Partner").count() == 0
    assert "Since you last saw it" in await visitor.page.inner_text("main")
    await visitor.go(receipt)
    assert await visitor.page.inner_text("h1") == "You returned proposal v1."


async def test_a_return_asks_for_its_reason_first_and_loses_nothing(site: Site, visitor: Visitor) -> None:
    """The error stands at the top with focus, and beside its field; what was typed stays; then it is sent."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.sign_in("hung", f"/sign-in?next={path}")
    await visitor.page.get_by_text("Return it …").click()
    await visitor.page.get_by_label("Something is missing").check()
    await visitor.page.fill("#return_step-missing", "Bản sao hộ chiếu đại biểu 9\nXác nhận của Huế")
    await press(visitor, "Return proposal v1")
    await expect(visitor.page.locator("[data-summary]")).to_be_focused()
    assert (await visitor.page.title()).startswith("Error:")
    assert await visitor.page.locator("#return_step-reason-error").count() == 1
    assert await visitor.page.input_value("#return_step-missing") == "Bản sao hộ chiếu đại biểu 9\nXác nhận của Huế"
    assert await visitor.page.get_by_label("Something is missing").is_checked()
    await visitor.page.fill("#return_step-reason", "Thiếu 02 tài liệu.\nXin bổ sung <b>sớm</b> {{7*7}}.")
    await press(visitor, "Return proposal v1")
    await expect(visitor.page).to_have_url(RECEIPT)
    assert await visitor.page.inner_text("h1") == "You returned proposal v1."
    [returned] = await events(site, "StepReturned")
    assert returned["kind"] == "incomplete"
    assert returned["missing"] == ["Bản sao hộ chiếu đại biểu 9", "Xác nhận của Huế"]
    reference = returned["reason"]
    assert isinstance(reference, dict)
    written = await site.here.registers.texts.read(reference["ref"])
    assert written == "Thiếu 02 tài liệu.\nXin bổ sung <b>sớm</b> {{7*7}}."
    visitor.complaints.clear()  # the 422 of the first try


async def test_a_double_press_signs_once(site: Site, visitor: Visitor) -> None:
    """The same form sent twice, by two presses and from two tabs, has one receipt."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.sign_in("hung", f"/sign-in?next={path}")
    fields = await visitor.page.eval_on_selector(
        "#answer form", "form => Object.fromEntries(new FormData(form).entries())"
    )
    await visitor.page.get_by_role("button", name="Approve proposal v1").dblclick()
    await expect(visitor.page).to_have_url(RECEIPT)
    again = await visitor.page.request.post(site.origin + path, form=fields, headers={"Origin": site.origin})
    assert again.ok
    assert again.url == visitor.page.url
    assert len(await events(site, "StepSigned")) == 1


async def test_a_forwarded_link_gives_nobody_anything(site: Site, visitor: Visitor) -> None:
    """Whoever has no right here reads why, and finds no form; one sent all the same is refused and recorded."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.sign_in("mai", f"/sign-in?next={path}")
    assert visitor.path == path
    text = await visitor.page.inner_text("main")
    assert "Not yours to sign" in text
    assert "Waits for: Department head." in text
    assert await visitor.page.locator("main form").count() == 0
    csrf = await visitor.page.input_value("header.top input[name=csrf]")
    file = await site.here.file()
    assert file.proposal is not None
    form: dict[str, str | float | bool] = {
        "csrf": csrf,
        "act": "sign_off",
        "digest": file.proposal.digest,
        "key": uuid.uuid4().hex,
    }
    answer = await visitor.page.request.post(site.origin + path, form=form, headers={"Origin": site.origin})
    assert answer.status == 403
    assert await events(site, "StepSigned") == []
    assert [one["by"] for one in await events(site, "SignOffRefused")] == ["mai"]


async def test_a_mail_scanner_changes_nothing_and_sees_nothing(site: Site, visitor: Visitor) -> None:
    """GET and HEAD, as often as it likes, without a session and in one."""
    path = await submitted(site)
    await site.here.idle()
    before = len(await site.here.registers.queries.events(site.here.id))
    for _ in range(3):
        for ask in (visitor.page.request.get, visitor.page.request.head):
            answer = await ask(site.origin + path, max_redirects=0)
            assert (answer.status, answer.headers["location"].startswith("/sign-in?next=")) == (303, True)
    await visitor.sign_in("hung")
    for ask in (visitor.page.request.get, visitor.page.request.head):
        assert (await ask(site.origin + path)).status == 200
    assert len(await site.here.registers.queries.events(site.here.id)) == before


async def test_a_session_that_ends_while_one_types_costs_nothing(site: Site, visitor: Visitor) -> None:
    """Sign in on the way, and the reason stands in the form again; nothing was sent meanwhile."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.sign_in("hung", f"/sign-in?next={path}")
    await visitor.page.get_by_text("Reject it …").click()
    await visitor.page.fill("#reject_step-reason", "Không phù hợp kế hoạch năm.")
    await visitor.context.clear_cookies(name="legation-session")
    await press(visitor, "Reject proposal v1")
    await expect(visitor.page.locator("h1")).to_have_text("Sign in")
    await visitor.page.fill("#account", "hung")
    await visitor.page.fill("#password", PASSWORD)
    await press(visitor, "Sign in")
    await press(visitor, "Back to the form")
    await expect(visitor.page).to_have_url(site.origin + path)
    assert await visitor.page.input_value("#reject_step-reason") == "Không phù hợp kế hoạch năm."
    assert await events(site, "StepRejected") == []
    await press(visitor, "Reject proposal v1")
    await expect(visitor.page).to_have_url(RECEIPT)
    assert len(await events(site, "StepRejected")) == 1
    visitor.complaints.clear()  # the 401 on the way


async def test_a_dossier_that_changed_meanwhile_is_not_signed(site: Site, visitor: Visitor) -> None:
    """The form names what was read; the page comes back with what stands now."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.sign_in("hung", f"/sign-in?next={path}")
    reason = await site.here.text("Đổi ngày.")
    await site.here.send({"type": "withdraw_request", "reason": reason})
    await site.here.add("m-2")
    await site.here.send({"type": "submit_request"})
    await press(visitor, "Approve proposal v1")
    await expect(visitor.page.locator("[data-summary]")).to_contain_text(
        "You signed a dossier that was replaced since."
    )
    assert await visitor.page.get_by_role("button", name="Approve proposal v2").count() == 1
    assert await events(site, "StepSigned") == []
    visitor.complaints.clear()  # the 409


async def test_the_first_page_says_what_waits_in_the_reader_s_language(site: Site, visitor: Visitor) -> None:
    """In Vietnamese by the account; switched to English it stays where it was."""
    path = await submitted(site)
    await visitor.sign_in("hung")
    assert await visitor.page.inner_text("h1") == "Hồ sơ chờ tôi"
    assert await visitor.page.locator(f"a[href='{path}']").inner_text() == "Đoàn Hội hữu nghị Tokyo"
    await press(visitor, "English")
    await expect(visitor.page.locator("h1")).to_have_text("Waits for me")
    assert await visitor.page.locator(f"a[href='{path}']").count() == 1
    await sign_out(visitor)
    await visitor.sign_in("an")
    assert "Nothing waits for you" in await visitor.page.inner_text("main")


async def test_an_auditor_reads_the_dossier_without_names(site: Site, visitor: Visitor) -> None:
    """Commitments are checked without them; nothing to sign stands there either."""
    path = await submitted(site)
    await in_english(visitor)
    await visitor.sign_in("an", f"/sign-in?next={path}")
    text = await visitor.page.inner_text("main")
    assert "Delegate m-1" not in text
    assert "m-1" in text
    assert "Trần Thị Lan" not in text
    assert await visitor.page.locator("main form").count() == 0


async def test_everything_but_passkeys_works_without_a_script(site: Site, chromium: Browser) -> None:
    """Sign in, read, return with a reason, see the receipt."""
    path = await submitted(site)
    async with visiting(chromium, site, java_script_enabled=False) as visitor:
        await in_english(visitor)
        await visitor.sign_in("hung", f"/sign-in?next={path}")
        await visitor.page.get_by_text("Return it …").click()
        await visitor.page.fill("#return_step-reason", "Xin sửa ngày đến.")
        await press(visitor, "Return proposal v1")
        await expect(visitor.page).to_have_url(RECEIPT)
    assert [one["kind"] for one in await events(site, "StepReturned")] == ["amend"]


async def test_a_substitute_signs_in_both_names(site: Site, visitor: Visitor, other: Visitor) -> None:
    """While the leave lasts the step stands in the substitute's inbox; the receipt says who, and in whose place."""
    now = datetime.now(UTC)
    away = await site.here.registers.leaves.register(
        "hung", "mai", now - timedelta(hours=1), now + timedelta(hours=1), by="root"
    )
    try:
        path = await submitted(site)
        await in_english(other)
        await other.sign_in("lan", f"/sign-in?next={path}")
        says = "Lê Văn Hùng is on leave; Phạm Thị Mai may sign instead until"
        assert says in await other.page.inner_text(".stateline")
        await in_english(visitor)
        await visitor.sign_in("mai")
        await visitor.page.locator(f"a[href='{path}']").click()
        await press(visitor, "Approve proposal v1")
        await expect(visitor.page).to_have_url(RECEIPT)
        receipt = await visitor.page.inner_text("main")
        assert "KT. Department head" in receipt
        assert "Phạm Thị Mai, in place of Lê Văn Hùng" in receipt
        await visitor.go(path)
        assert "in place of Lê Văn Hùng" in await visitor.page.inner_text("main")
    finally:
        await site.here.registers.leaves.revoke(away.id, by="root")


async def test_what_other_files_say_of_a_leader_is_shown_as_a_warning(site: Site, visitor: Visitor) -> None:
    """Three trips in a year where two are allowed: by name, with the rule, and the approver may sign all the same."""
    leader = await site.here.person("Tạ Văn Lâm", f"lam.{site.here.id}@songlam.example", nationality="VN")
    trips = [replace(site.here, id=f"{site.here.id}-{number}") for number in range(3)]
    for trip in trips:
        await trip.open(direction="outbound", countries=["CZ"], grade=None)
        member = {"type": "add_member", "member_id": "lam", "person": leader, "role": "head", "country": "VN"}
        await trip.send(member | {"key_leader": True}, {"type": "submit_request"})
    await in_english(visitor)
    await visitor.sign_in("hung", f"/sign-in?next=/delegations/{trips[-1].id}/steps/department_head")
    said = await visitor.page.inner_text("main")
    assert "Worth knowing from other files" in said
    assert "Trips abroad of a leader in a year: Tạ Văn Lâm" in said
    assert "3, allowed 2" in said
    assert "key leader" in said
    await press(visitor, "Approve proposal v1")
    await expect(visitor.page).to_have_url(RECEIPT)


async def test_the_report_is_read_and_accepted_on_its_page(site: Site, visitor: Visitor) -> None:
    """Its text stands above the file; returned first, then accepted; a report is not rejected."""
    today = business_date(datetime.now(UTC), BUSINESS_ZONE)
    await site.here.open(starts=today, ends=today)
    await site.here.add("m-1", role="head")
    await site.here.approve()
    await site.here.send({"type": "depart"})
    await site.here.send({"type": "conclude"})
    await site.here.send({"type": "file_report", "results": await site.here.text("Hai bên thống nhất <ba> việc.")})
    await in_english(visitor)
    path = f"/delegations/{site.here.id}/steps/report"
    await visitor.sign_in("mai", f"/sign-in?next={path}")
    assert "Hai bên thống nhất <ba> việc." in await visitor.page.inner_text("main")
    assert await visitor.page.get_by_text("Reject it …").count() == 0
    await visitor.page.get_by_text("Return it …").click()
    await visitor.page.fill("#return_report-reason", "Xin bổ sung kiến nghị.")
    await press(visitor, "Return report no. 1")
    await expect(visitor.page.locator("h1")).to_have_text("You returned report no. 1.")
    await site.here.send({"type": "file_report", "results": await site.here.text("Đã bổ sung.")})
    await visitor.go(path)
    await press(visitor, "Accept report no. 2")
    await expect(visitor.page.locator("h1")).to_have_text("You accepted report no. 2.")
    assert [one["report"] for one in await events(site, "ReportAccepted")] == [2]
    await visitor.go(path)
    assert "Vice-president: Phạm Thị Mai" in await visitor.page.inner_text("main")


async def test_a_device_that_gives_no_answer_signs_nothing_and_says_so(site: Site, visitor: Visitor) -> None:
    """The complaint has the focus, and the button can be pressed again."""
    path = await submitted(site)
    await in_english(visitor)
    await add_passkey(visitor, "hung")
    async with visiting(visitor.context.browser, site) as elsewhere:  # type: ignore[arg-type]
        await in_english(elsewhere)
        await elsewhere.sign_in("hung", f"/sign-in?next={path}")
        await elsewhere.page.evaluate(
            "() => { navigator.credentials.get = () => Promise.reject(new DOMException('', 'NotAllowedError')); }"
        )
        await press(elsewhere, "Approve proposal v1")
        complaint = elsewhere.page.locator("#answer [data-complaint]").first
        await expect(complaint).to_have_text("The device gave no answer. Try again, or sign without the passkey.")
        await expect(complaint).to_be_focused()
        await expect(elsewhere.page.get_by_role("button", name="Approve proposal v1")).to_be_enabled()
        assert await events(site, "StepSigned") == []
        assert elsewhere.complaints == []
    await remove_passkeys(site, "hung")


async def test_the_longest_page_fits_the_smallest_screen(site: Site, chromium: Browser) -> None:
    """320 px wide, in Vietnamese, with a title of 120 characters and words that do not break by themselves."""
    await site.here.open(title="Đoàn đại biểu " + "Donaudampfschifffahrtsgesellschaft" * 3, purpose="x" * 300)
    for member in range(30):
        await site.here.add(f"m-{member}", role="member" if member else "head")
    await site.here.send({"type": "submit_request"})
    path = f"/delegations/{site.here.id}/steps/department_head"
    async with visiting(chromium, site, viewport={"width": 320, "height": 640}, color_scheme="dark") as visitor:
        await visitor.sign_in("hung", f"/sign-in?next={path}")
        for address in (path, "/", "/me/passkeys", "/nowhere"):
            await visitor.go(address)
            wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert await visitor.page.evaluate(wide) == 0, address


async def test_the_link_of_an_administrator_leads_to_a_password(site: Site, visitor: Visitor) -> None:
    """Its secret stands behind the #: no request carries it before it is sent, and it leaves the address bar."""
    secret, _ = await site.passwords.make_link("root")
    asked: list[str] = []
    visitor.page.on("request", lambda one: asked.append(one.url))
    await in_english(visitor)
    await visitor.go(f"{LINK_PAGE}{secret}")
    await expect(visitor.page).to_have_url(f"{site.origin}/choose-password")
    assert await visitor.page.input_value("#link") == secret
    assert [url for url in asked if secret in url] == []
    await visitor.page.fill("#password", PASSWORD)
    await visitor.page.fill("#repeated", PASSWORD)
    await press(visitor, "Choose this password")
    await expect(visitor.page.locator("h1")).to_have_text("Your password is chosen")
    await visitor.sign_in("root")
    assert visitor.path == "/"


async def decided(site: Site) -> None:
    """Every step answered, by who holds its position or by an outside authority's letter, and the decision issued."""
    here = site.here
    while step := (await here.file()).open_step:
        proposal = (await here.file()).proposal
        assert proposal is not None
        body: dict[str, object] = {"step_id": step.id, "dossier_digest": proposal.digest}
        if step.plan.external:
            letter = (await here.registers.attachments.store(in_pieces(PDF_FILE + step.id.encode()))).model_dump()
            more = {"outcome": "approved", "authority": "Cơ quan", "reference": "7/CV", "letter": letter}
            dated = business_date(datetime.now(UTC), BUSINESS_ZONE).isoformat()
            await here.send(body | more | {"type": "record_external_decision", "dated": dated})
        else:
            by = "hung" if step.plan.position == "department_head" else "mai"
            await here.send(body | {"type": "sign_off"}, by=by)
    await here.send({"type": "issue_decision", "number": "12/QĐ-LH"})


async def test_a_change_after_the_decision_is_read_and_signed_as_such(site: Site, visitor: Visitor) -> None:
    """The page shows the file with the change, and since when; the receipt names the change."""
    await site.here.open(run_by="provincial_union")
    await site.here.add("m-1", role="head")
    await site.here.send({"type": "submit_request"})
    await decided(site)
    await site.here.schedule("s-late")
    await site.here.send({"type": "submit_change"})
    await in_english(visitor)
    await visitor.sign_in("mai")
    await visitor.page.locator(f"a[href='/delegations/{site.here.id}/steps/vice_president']").click()
    text = await visitor.page.inner_text("main")
    assert "Change v2" in text
    assert "goes on with what has changed since" in text
    await expect(visitor.page.locator("#differences ins")).to_contain_text("Session s-late")
    await press(visitor, "Approve change v2")
    await expect(visitor.page.locator("h1")).to_have_text("You approved change v2.")
    file = await site.here.file()
    assert file.amended is not None
    assert file.amended.number == 2
