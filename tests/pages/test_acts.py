"""Acts over HTTP: done once, nothing typed lost, nothing for who may not; and a file's whole way by its pages."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import pytest

from api.pages.offers import BY_NAME
from domain.state import Phase
from tests.pages.asking import Forms, Guest, visiting_as
from tests.pages.conftest import Site
from tests.storage.samples import PDF_FILE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


@dataclass
class Hand:
    """Somebody who reads pages of the test's file, whose address is `root`, and sends their forms as they stand."""

    guest: Guest
    root: str

    async def look(self, path: str, status: int = 200) -> str:
        """The page at an address of the file."""
        return await self.guest.look(self.root + path, status)

    async def form(self, path: str, name: str) -> dict[str, str]:
        """The fields of a form of a page, as they stand."""
        return dict(Forms(await self.look(path)).forms[name])

    async def send(
        self, path: str, form: dict[str, Any], files: dict[str, tuple[str, bytes, str]] | None = None
    ) -> httpx2.Response:
        """Send a form from this very site."""
        return await self.guest.post(self.root + path, form, files)

    async def act(self, name: str, files: Any = None, **typed: Any) -> httpx2.Response:
        """Do an act by its page, and by the page that shows what it leads to where there is one."""
        answer = await self.send(f"/acts/{name}", await self.form(f"/acts/{name}", name) | typed, files)
        if BY_NAME[name].checked:
            answer = await self.send(f"/acts/{name}", dict(checked(answer, name)))
        assert answer.status_code == 303, answer.text
        return answer


def checked(answer: httpx2.Response, name: str) -> list[tuple[str, str]]:
    """The form of the page that shows what an act leads to: nothing is done yet."""
    assert (answer.status_code, "Nothing is done yet." in answer.text) == (200, True), answer.text
    return Forms(answer.text).forms[name]


@asynccontextmanager
async def hand(site: Site, account: str) -> AsyncIterator[Hand]:
    """Somebody in a session of their own."""
    async with visiting_as(site, account) as guest:
        yield Hand(guest, f"/delegations/{site.here.id}")


async def types(site: Site) -> list[str]:
    """The types of the file's events."""
    return [one.type for one in await site.here.registers.queries.events(site.here.id)]


async def data_of(site: Site, kind: str) -> dict[str, Any]:
    """What is sealed of the last event of a type."""
    return (await site.here.registers.queries.events(site.here.id, types=(kind,)))[-1].data


def today() -> Any:
    """The day of the business zone."""
    return datetime.now(UTC).astimezone(ZoneInfo("Asia/Ho_Chi_Minh")).date()


async def with_people(site: Site, **more: Any) -> None:
    """A file with a head, an escort and a session, still a draft."""
    here = site.here
    await here.open(**more)
    await here.add("keiko", "head")
    person = await here.person("Bùi Văn Sơn", f"son@{here.id}.example", nationality="VN", language="vi")
    await here.send({"type": "appoint_participant", "participant_id": "son", "person": person, "role": "escort"})
    await here.schedule("forum", day=1, title="Hội đàm tại trụ sở Liên hiệp")


async def signed(site: Site) -> None:
    """Both steps of the proposal are signed."""
    for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
        digest = (await site.here.file()).proposal.digest  # type: ignore[union-attr]
        await site.here.send({"type": "sign_off", "step_id": step, "dossier_digest": digest}, by=signer)


async def test_a_form_that_is_sent_twice_is_done_once(site: Site) -> None:
    """The same receipt, one event; and the page says what was done."""
    await with_people(site)
    async with hand(site, "lan") as lan:
        form = await lan.form("/acts/submit_request", "submit_request")
        answers = [await lan.send("/acts/submit_request", form) for _ in range(2)]
        assert [one.status_code for one in answers] == [303, 303]
        assert {one.headers["location"] for one in answers} == {f"{lan.root}?said=submit_request"}
        assert (await types(site)).count("RequestSubmitted") == 1
        assert "The proposal is submitted." in await lan.look("?said=submit_request")


async def test_a_check_that_is_sent_twice_is_done_once_and_an_older_one_is_looked_at_again(site: Site) -> None:
    """Once it is done it would lead to something else: its own receipt comes again, another form is shown anew."""
    await with_people(site)
    await site.here.approve()
    async with hand(site, "lan") as lan:
        typed = {"kind": "police_notified", "reference": "118/CV"}
        forms = []
        for _ in range(2):
            form = await lan.form("/acts/record_formality", "record_formality") | typed
            forms.append(dict(checked(await lan.send("/acts/record_formality", form), "record_formality")))
        for _ in range(2):
            assert (await lan.send("/acts/record_formality", forms[0])).status_code == 303
        assert (await types(site)).count("FormalityRecorded") == 1
        assert (await types(site)).count("DeadlineMet") >= 1
        again = await lan.send("/acts/record_formality", forms[1])
        assert "Something changed meanwhile" in again.text
        now = dict(checked(again, "record_formality"))
        assert (await types(site)).count("FormalityRecorded") == 1
        assert (await lan.send("/acts/record_formality", now)).status_code == 303
        assert (await types(site)).count("FormalityRecorded") == 2


async def test_nothing_typed_is_lost_where_something_is_wrong(site: Site) -> None:
    """The sentence beside its field and at the top, the title says it, and other fields stand as they were typed."""
    await with_people(site)
    async with hand(site, "lan") as lan:
        form = await lan.form("/acts/record_formality", "record_formality")
        answer = await lan.send("/acts/record_formality", form | {"kind": "", "reference": "118/UBND-NV"})
        assert answer.status_code == 422
        assert re.search(r"<title>Error: Record a formality", answer.text)
        assert '<a href="#record_formality-kind">' in answer.text
        assert 'value="118/UBND-NV"' in answer.text
        form = await lan.form("/acts/cancel_delegation", "cancel_delegation")
        answer = await lan.send("/acts/cancel_delegation", form | {"reason": "   "})
        assert (answer.status_code, "Write something here" in answer.text) == (422, True)
        assert '<a href="#cancel_delegation-reason">' in answer.text
    assert (await site.here.file()).phase is Phase.DRAFTED


async def test_a_refusal_is_the_decider_s_sentence_and_keeps_what_was_typed(site: Site) -> None:
    """Somebody else was faster: the page says why, and nothing is done."""
    await with_people(site)
    async with hand(site, "lan") as lan:
        form = await lan.form("/acts/postpone", "postpone")
        await site.here.send({"type": "cancel_delegation", "reason": await site.here.text("Bão lớn")})
        answer = await lan.send("/acts/postpone", form | {"reason": "Đối tác đề nghị"})
        assert answer.status_code == 409
        assert "is not possible while the file is in the phase" in answer.text
        assert "Bão lớn" in answer.text
    assert "DelegationPostponed" not in await types(site)


async def test_acts_are_for_those_who_run_files(site: Site) -> None:
    """Not for approvers and auditors; of administrators what is theirs; unknown ones are no pages."""
    await with_people(site)
    for account in ("hung", "an"):
        async with hand(site, account) as somebody:
            for name in ("submit_request", "cancel_delegation", "hand_over"):
                await somebody.look(f"/acts/{name}", 403)
            form = {"csrf": "x", "key": "0" * 32, "reason": "x"}
            assert (await somebody.send("/acts/cancel_delegation", form)).status_code == 403
    async with hand(site, "root") as root:
        page = await root.look("/acts/cancel_delegation")
        assert ("Your role may not do this" in page, 'id="cancel_delegation"' in page) == (True, False)
        assert "no other coordinator" in await root.look("/acts/hand_over")
        await root.look("/acts/sign_off", 404)
        await root.look("/acts/no_such_act", 404)
    assert (await site.here.file()).phase is Phase.DRAFTED


async def test_a_file_goes_its_whole_way_by_its_pages(site: Site) -> None:
    """From the submission to the closed file and back, each act by its own page; signatures are given elsewhere."""
    await with_people(site, starts=today(), ends=today() + timedelta(days=1))
    async with hand(site, "lan") as lan:
        await lan.act("submit_request")
        await lan.act("withdraw_request", reason="Đổi ngày đến")
        page = await lan.look("")
        assert ("The proposal was taken back" in page, "Đổi ngày đến" in page) == (True, True)
        await lan.act("submit_request")
        await signed(site)
        await lan.act("issue_decision", {"document": ("qd.pdf", PDF_FILE, "application/pdf")}, number="12/QĐ-LH")
        assert (await data_of(site, "DecisionIssued"))["document"]["media_type"] == "application/pdf"
        before = await lan.look("/acts/invite")
        assert "2 people hear of it, by 2 calendar messages" in before
        await lan.act("invite")
        assert len((await site.here.file()).told["forum"].holders) == 2
        await lan.act("record_reply", participant_id="keiko", answer="accepted", comment="Qua điện thoại")
        replied = await data_of(site, "ReplyRecorded")
        assert (replied["participant_id"], replied["answer"], replied["via"]) == ("keiko", "accepted", "coordinator")
        await lan.act("choose_channel", participant_id="son", channel="feed")
        await lan.act(
            "record_formality",
            {"document": ("cv.pdf", PDF_FILE, "application/pdf")},
            kind="police_notified",
            reference="118/CV",
        )
        assert (await data_of(site, "FormalityRecorded"))["reference"] == "118/CV"
        page = await lan.look("/invitations")
        assert ("Qua điện thoại" in page, "a feed" in page) == (True, True)
        await lan.act("depart")
        await lan.act("conclude")
        form = await lan.form("/report", "report")
        answer = await lan.send(
            "/report",
            form | {"results": "Đã ký thỏa thuận.", "recommendations": "Mời lại năm sau."},
            {"annexes": ("bb.pdf", PDF_FILE, "application/pdf")},
        )
        assert answer.status_code == 303, answer.text
        filed = await data_of(site, "ReportFiled")
        assert (len(filed["annexes"]), filed["report"]) == (1, 1)
        page = await lan.look("/report")
        assert ("Đã ký thỏa thuận." in page, "Annex 1" in page, 'id="report"' in page) == (True, True, False)
        digest = (await site.here.file()).report.digest  # type: ignore[union-attr]
        await site.here.send({"type": "accept_report", "report_digest": digest}, by="mai")
        # What was still to be recorded of the report is recorded: nothing comes in between.
        await site.here.idle()
        await lan.act("close_delegation")
        await lan.act("reopen_delegation", reason="Đính chính số liệu")
        assert (await site.here.file()).phase is Phase.REPORTING


async def test_a_delegation_is_put_off_taken_up_and_called_off_by_its_pages(site: Site) -> None:
    """Each says before whose calendars are emptied; new dates that go backwards come back."""
    await with_people(site)
    await site.here.approve()
    async with hand(site, "lan") as lan:
        await lan.act("invite")
        assert "2 people hear of it, by 2 calendar messages" in await lan.look("/acts/postpone")
        await lan.act("postpone", reason="Đối tác đề nghị")
        page = await lan.look("")
        assert ("Put off since" in page, "Đối tác đề nghị" in page) == (True, True)
        form = await lan.form("/acts/resume", "resume")
        answer = await lan.send("/acts/resume", form | {"starts": "2100-05-11", "ends": "2100-05-10"})
        assert (answer.status_code, 'value="2100-05-11"' in answer.text) == (422, True)
        await lan.act("resume", starts="2100-05-11", ends="2100-05-12")
        assert (await site.here.file()).phase is Phase.DRAFTED
        await lan.act("cancel_delegation", reason="Bão lớn")
        assert "Called off on" in await lan.look("")


async def test_an_outside_authority_s_letter_is_recorded_with_its_file(site: Site) -> None:
    """Asked for in words where it is missing; then it stands in the place of the signature."""
    await with_people(site, run_by="provincial_union")
    await site.here.send({"type": "submit_request"})
    digest = (await site.here.file()).proposal.digest  # type: ignore[union-attr]
    await site.here.send({"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}, by="hung")
    async with hand(site, "lan") as lan:
        name = "record_external_decision"
        typed = {
            "step_id": "police",
            "outcome": "approved",
            "authority": "Công an tỉnh Sông Lam",
            "reference": "77/CA",
            "dated": today().isoformat(),
        }
        form = await lan.form(f"/acts/{name}", name) | typed
        answer = await lan.send(f"/acts/{name}", form)
        assert (answer.status_code, "Choose the signed letter" in answer.text) == (422, True)
        assert 'value="Công an tỉnh Sông Lam"' in answer.text
        await lan.act(name, {"letter": ("cv.pdf", PDF_FILE, "application/pdf")}, **typed)
        recorded = await data_of(site, "ExternalDecisionRecorded")
        assert (recorded["authority"], recorded["reference"]) == ("Công an tỉnh Sông Lam", "77/CA")
        assert "Công an tỉnh Sông Lam · 77/CA" in await lan.look("/approvals")


async def test_what_did_not_arrive_is_sent_again_from_the_page_that_shows_it(site: Site) -> None:
    """Counted, filtered, sent again by one button; an answer that arrived meanwhile is not disturbed."""
    await with_people(site)
    await site.here.approve()
    address = "keiko@tokyo.example"
    site.here.post.answers[address] = "550 5.1.1 no such mailbox"
    try:
        await site.here.send({"type": "invite"})
        await site.here.idle()
    finally:
        del site.here.post.answers[address]
    async with hand(site, "lan") as lan:
        page = await lan.look("/invitations?show=failed")
        assert ("Bùi Văn Sơn" in page, "Send again" in page) == (False, True)
        [form] = [fields for action, fields in Forms(page).forms.items() if action.endswith("/acts/resend_mail")]
        messages = [value for field, value in form if field == "messages"]
        assert len(messages) == 2
        answer = await lan.send("/acts/resend_mail", dict(form) | {"messages": messages})
        assert answer.status_code == 303, answer.text
        await site.here.idle()
        assert len((await data_of(site, "MailResent"))["messages"]) == 2
        assert "Nobody is among them." in await lan.look("/invitations?show=failed")


async def test_an_auditor_reads_every_part_and_no_name(site: Site) -> None:
    """People and accounts stand by their ids, texts not at all, and nothing is offered."""
    await with_people(site)
    await site.here.send({"type": "submit_request"})
    digest = (await site.here.file()).proposal.digest  # type: ignore[union-attr]
    reason = await site.here.text("Thiếu bản sao hộ chiếu của Keiko")
    returned = {"type": "return_step", "step_id": "department_head", "dossier_digest": digest, "reason": reason}
    await site.here.send(returned | {"kind": "amend"}, by="hung")
    await site.here.send({"type": "submit_request"})
    await signed(site)
    await site.here.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    await site.here.send({"type": "invite"})
    async with hand(site, "an") as auditor, hand(site, "lan") as lan:
        assert "Thiếu bản sao hộ chiếu của Keiko" in await lan.look("/approvals")
        for part in ("", "/approvals", "/invitations", "/report"):
            page = await auditor.look(part)
            for hidden in ("Delegate keiko", "Bùi Văn Sơn", "Trần Thị Lan", "Lê Văn Hùng", "Phạm Thị Mai", "Thiếu bản"):
                assert hidden not in page, (part, hidden)
            assert "/acts/" not in page
        assert "keiko" in await auditor.look("/invitations")
