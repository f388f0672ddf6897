"""The morning digest: one mail for each account and local day, of what waits; none where nothing does."""

from datetime import UTC, date, datetime, timedelta
from email.message import EmailMessage
from zoneinfo import ZoneInfo

import pytest
from temporalio.testing import ActivityEnvironment

from activities.digest import Digests
from activities.outbox import Outbox, Patience
from domain.person_requests import decide, receive
from domain.request_events import Answer, CarryOut, RequestReceived
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from tests.rulebook import edition
from tests.running import ACCOUNTS, Running
from worker import house_of, mail_server_of
from workflows.digest import MorningDigest
from workflows.ports import Digested, DigestInput

pytestmark = pytest.mark.slow

HANOI, PRAGUE = "Asia/Ho_Chi_Minh", "Europe/Prague"


def next_morning(zone: str) -> datetime:
    """The coming seven o'clock of a zone, in UTC."""
    now = utc_now().astimezone(ZoneInfo(zone))
    seven = now.replace(hour=7, minute=0, second=0, microsecond=0)
    seven += timedelta(days=seven <= now)
    return seven.astimezone(UTC)


async def send(here: Running, now: datetime) -> Digested:
    """Let the activity run for an hour."""
    registers, house = here.registers, house_of(here.settings)
    outbox = Outbox(
        registers.mail_ledger, mail_server_of(here.settings), house.organizer, Patience(attempt=timedelta(seconds=5))
    )
    digests = Digests(registers, outbox, house, here.settings.zone, here.settings.digest_hour)
    return await ActivityEnvironment().run(digests.send, DigestInput(now=now))


def digests(here: Running) -> list[tuple[str, str]]:
    """(recipient, text) of every digest that was sent."""
    found = []
    for to, content in here.post.taken:
        mail = here.post.parsed(content)
        assert isinstance(mail, EmailMessage)
        text = mail.get_body(("plain",))
        assert text is not None
        if f": {here.settings.public_url}/\r\n" in text.get_content():
            found.append((to, text.get_content()))
    return found


async def waiting(here: Running) -> None:
    """A file that waits for the department head, Hùng."""
    await here.open()
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    await here.idle()


async def test_each_gets_one_digest_in_the_morning_of_their_own_clock(here: Running) -> None:
    """Hùng in Hà Nội, his substitute in Prague; not Mai and Lan, for whom nothing waits. A second run sends nothing."""
    thay = AccountDetails(
        id="thay", name="Đỗ Thị Thay", email="thay@praha.example", language="en", roles=("approver",), zone=PRAGUE
    )
    await here.registers.accounts.create(thay)
    now = utc_now()
    await here.registers.leaves.register("hung", "thay", now, now + timedelta(days=30), by="root")
    await waiting(here)

    hanoi, prague = next_morning(HANOI), next_morning(PRAGUE)
    assert await send(here, hanoi) == Digested(sent=1)
    [(to, text)] = digests(here)
    due = (await here.file()).deadlines["step.department_head.1"].due_on
    assert to == "hung@songlam.example"
    for words in (
        "1 hồ sơ đang chờ xử lý",
        "Ký duyệt: Trưởng ban",
        f"Hạn: {due:%d/%m/%Y}; ",
        f"{here.settings.public_url}/delegations/{here.id}/steps/department_head",
    ):
        assert words in text
    assert await send(here, prague) == Digested(sent=1)
    [_, (to, text)] = digests(here)
    assert to == "thay@praha.example"
    assert "Sign-off: Department head (for Lê Văn Hùng)" in text

    first = min(hanoi, prague)
    for hour in range(24):
        await send(here, first + timedelta(hours=hour, minutes=hour))
    assert len(digests(here)) == 2


async def test_the_next_morning_has_a_digest_of_its_own_and_who_signed_has_none(here: Running) -> None:
    """It follows what waits: the step that was signed is on the next desk."""
    await waiting(here)
    morning = next_morning(HANOI)
    await send(here, morning)
    proposal = (await here.file()).proposal
    assert proposal is not None
    sign = {"type": "sign_off", "step_id": "department_head", "dossier_digest": proposal.digest}
    await here.send(sign, by="hung")
    await here.idle()
    await send(here, morning + timedelta(days=1))
    assert [to for to, _ in digests(here)] == ["hung@songlam.example", "mai@songlam.example"]
    ledger = await here.registers.mail_ledger.of_delegation("account:mai")
    day: date = (morning + timedelta(days=1)).astimezone(ZoneInfo(HANOI)).date()
    assert [(line.uid, line.status) for line in ledger] == [(f"digest.{day.isoformat()}.mai", "sent")]


async def test_a_coordinator_s_own_turn_stands_in_the_digest_and_others_files_do_not(here: Running) -> None:
    """Lan's draft is Lan's move; a coordinator without files gets no mail."""
    minh = ACCOUNTS[0].model_copy(update={"id": "minh", "email": "minh@songlam.example"})
    await here.registers.accounts.create(minh)
    await here.open()
    await here.idle()
    await send(here, next_morning(HANOI))
    [(to, text)] = digests(here)
    assert to == "lan@songlam.example"
    assert "Chờ xử lý bước tiếp theo (cán bộ điều phối)" in text
    assert f"{here.settings.public_url}/\r\n" in text


async def test_the_workflow_sends_for_the_hour_it_is_started_in(here: Running) -> None:
    """As its schedule starts it; whether somebody's morning is just now does not matter here."""
    done = await here.client.execute_workflow(
        MorningDigest.run, id=f"digest:{here.id}", task_queue=here.settings.temporal_task_queue
    )
    assert done == Digested(sent=0)


async def test_what_people_ask_about_their_data_stands_in_an_administrator_s_digest(here: Running) -> None:
    """With the law's date, the answer first and then the rest; once it is done the mornings are quiet again."""
    admin = AccountDetails(id="quan", name="Quản trị", email="quan@songlam.example", roles=("administrator",))
    await here.registers.accounts.create(admin)
    person = await here.person("Satō Keiko", "keiko@tokyo.example")
    event = receive("objection", edition(), received_at=utc_now(), now=utc_now(), via="letter", person=person["ref"])
    assert isinstance(event, RequestReceived)
    requests = here.registers.person_requests
    await requests.receive("req_digest00", event, command="k0", digest="d", by="lan")
    morning = next_morning(HANOI)
    await send(here, morning)
    [(to, text)] = digests(here)
    assert to == "quan@songlam.example"
    for words in (
        "Phản đối xử lý dữ liệu cá nhân",
        "Trả lời người yêu cầu (req_digest00)",
        f"Hạn: {event.terms.answer.due_on:%d/%m/%Y}",
    ):
        assert words in text
    assert "Keiko" not in text
    late = morning + timedelta(days=20)
    await requests.change(
        "req_digest00", lambda state, now: decide(state, Answer(), now), command="k1", digest="d", by="quan"
    )
    await send(here, late)
    assert (
        f"Thực hiện yêu cầu (req_digest00)\r\n   Quá hạn từ: {event.terms.carry_out.due_on:%d/%m/%Y}"
        in digests(here)[1][1]
    )
    await requests.change(
        "req_digest00", lambda state, now: decide(state, CarryOut(), now), command="k2", digest="d", by="quan"
    )
    assert await send(here, late + timedelta(days=1)) == Digested(sent=0)
