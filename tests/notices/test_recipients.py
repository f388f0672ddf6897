"""Whom mails of work are written to, by the registers as they stand: who can do it, and never nobody."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any, cast

import pytest
from temporalio.testing import ActivityEnvironment

from activities.digest import Digests
from activities.notices import Notices
from activities.outbox import Outbox
from activities.recipients import Recipients
from domain import commands as c
from domain.bilingual import Bilingual
from domain.decision import Effect
from domain.institution import Position
from domain.person_requests import receive
from domain.request_events import RequestReceived
from domain.rules import Edition
from settings import Settings
from storage.accounts import AccountDetails
from storage.mail_ledger import Entry, Mail
from storage.metadata import utc_now
from storage.registers import Registers
from tests.api.front import template
from tests.builders import (
    DELEGATION,
    Said,
    Step,
    dossier,
    drafted,
    person,
    reported,
    submitted,
    text,
)
from tests.domain.given import Given, given
from tests.domain.policed import holding, step, under
from tests.domain.policed import policy as policed
from tests.rulebook import edition
from tests.running import MASTER_KEY
from worker import house_of
from workflows.ports import CarryOutInput, Digested, DigestInput

URL = "https://legation.songlam.example"
HUNG, MAI = holding("department_head", name="hung"), holding("vice_president", name="mai")


@dataclass
class Kept:
    """An outbox that sends nothing."""

    mails: list[Mail] = field(default_factory=list)

    async def enter(self, mails: list[Mail]) -> None:
        """Keep them."""
        self.mails += mails

    async def send(self, errand: str, alive: Callable[[], None]) -> list[Entry]:
        """Send nothing."""
        return []


@dataclass
class Desk:
    """Registers with the accounts of an installation, and what writes its mails."""

    registers: Registers
    settings: Settings

    async def account(self, name: str, **more: Any) -> None:
        """Somebody who signs, with a mailbox."""
        usual = {"name": name.title(), "email": f"{name}@songlam.example", "language": "en", "roles": ("approver",)}
        await self.registers.accounts.create(AccountDetails.model_validate({"id": name} | usual | more))

    async def change(self, account: str, **more: Any) -> None:
        """Change an account."""
        known = await self.registers.accounts.get(account)
        assert known is not None
        await self.registers.accounts.change(known.model_copy(update=more))

    async def keep(self, going: Given) -> None:
        """Let the store have what happened."""
        await self.registers.editions.put(going.play.edition)
        seen = len(await self.registers.journal.events(DELEGATION))
        await self.registers.projection.project(DELEGATION, list(going.play.events[seen:]))

    async def told(self, going: Given, effects: tuple[Effect, ...], notice: str) -> dict[str, str]:
        """What each mailbox is told by one kind of notice: subject and text."""
        await self.keep(going)
        house, registers = house_of(self.settings), self.registers
        notices = Notices(
            registers.journal,
            registers.persons,
            registers.accounts,
            registers.institution,
            registers.editions,
            registers.attachments,
            cast(Outbox, Kept()),
            house,
            Recipients(registers.accounts, registers.institution, registers.standing),
        )
        found: dict[str, str] = {}
        for one in effects:
            if one.args.get("notice") == notice:
                for mail in await notices.notices(CarryOutInput(delegation=DELEGATION, effect=one)):
                    assert mail.mailbox not in found
                    found[mail.mailbox.partition("@")[0]] = words(mail)
        return found

    async def digest(self, now: datetime) -> dict[str, str]:
        """What each mailbox is told in the morning."""
        kept = Kept()
        digests = Digests(self.registers, cast(Outbox, kept), house_of(self.settings), self.settings.zone, 7)
        done = await ActivityEnvironment().run(digests.send, DigestInput(now=now))
        assert done == Digested(sent=0)
        return {mail.mailbox.partition("@")[0]: words(mail) for mail in kept.mails}


def words(mail: Mail) -> str:
    """Subject and text of a mail."""
    parsed = message_from_bytes(mail.content, policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    body = parsed.get_body(("plain",))
    assert body is not None
    return f"{parsed['Subject']}\n{body.get_content()}".replace("\r\n", "\n")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """Hùng heads the department, Mai is vice-president and president, and there is a coordinator."""
    (tmp_path / "legation.db").write_bytes(await template())
    settings = Settings(profile="demo", data_dir=tmp_path, public_url=URL)
    registers = Registers.open(f"sqlite+aiosqlite:///{tmp_path}/legation.db", [MASTER_KEY], tmp_path)
    found = Desk(registers, settings)
    await found.account("coordinator", roles=("coordinator",))
    yield found
    await registers.close()


def effects(going: Given) -> tuple[Effect, ...]:
    """What the last decision asks for."""
    return going.play.log[-1].decision.effects


def opened(*history: Step, rules: Edition | None = None) -> tuple[Given, tuple[Effect, ...]]:
    """A file after a history, and what its last command asks for."""
    going = given(*history, rules=rules)
    return going, effects(going)


async def test_who_may_not_sign_is_not_asked_to_and_the_coordinator_hears_of_a_stuck_desk(desk: Desk) -> None:
    """A second holder who travels; then nobody but a traveller; then nobody at all."""
    await desk.account("sato", person=person("sato").ref, positions=("department_head",))
    going, asked = opened(*submitted())
    told = await desk.told(going, asked, "step_waits")
    assert list(told) == ["hung"]
    assert f"{URL}/delegations/{DELEGATION}/steps/department_head" in told["hung"]

    await desk.registers.accounts.disable("hung")
    told = await desk.told(going, asked, "step_waits")
    assert list(told) == ["coordinator"]
    assert "Nobody can answer: Study visit – Department head" in told["coordinator"]
    assert "who sits there goes on the journey" in told["coordinator"]

    await desk.registers.accounts.disable("sato")
    told = await desk.told(going, asked, "step_waits")
    assert "nobody holds the position now" in told["coordinator"]
    await desk.change("coordinator", email=None)
    await desk.change("root", email="root@songlam.example")
    assert list(await desk.told(going, asked, "step_waits")) == ["root"]


async def test_a_reminder_goes_to_who_can_sign_and_a_stuck_desk_is_said(desk: Desk) -> None:
    """The coordinator each time."""
    going = given(*submitted())
    reminded = going.when(c.Tick(), at="2026-03-02T08:00")
    told = await desk.told(going, reminded.effects, "deadline_reminder")
    assert set(told) == {"coordinator", "hung"}
    assert "Signature: Department head" in told["coordinator"]
    assert "Nobody can answer" not in told["coordinator"]
    await desk.change("hung", person=person("sato").ref)
    told = await desk.told(going, reminded.effects, "deadline_reminder")
    assert list(told) == ["coordinator"]
    assert "Nobody can answer now: who sits there goes on the journey" in told["coordinator"]


LEVELS = ({"after": 1, "to": "vice_president"}, {"after": 2, "to": "chair"})
GOES_UP = under(policed(step("department_head", escalate_to="secretary", escalate=LEVELS)))


async def test_an_escalation_goes_on_until_somebody_hears_of_it(desk: Desk) -> None:
    """Past a vacant position to the next, with the substitute of who is on leave; at last to the coordinator."""
    title = Bilingual(vi="Thư ký", en="Secretary")
    await desk.registers.institution.add_position(Position(slug="secretary", title=title), by="root")
    going = given(*submitted(), rules=GOES_UP)
    late = going.when(c.Tick(), at="2026-03-03T00:00")
    told = await desk.told(going, late.effects, "step_escalated")
    assert list(told) == ["mai"]
    assert "Không báo được cho: Thư ký" in told["mai"]

    await desk.account("thay")
    await desk.registers.leaves.register("mai", "thay", utc_now(), utc_now() + timedelta(days=3), by="root")
    assert set(await desk.told(going, late.effects, "step_escalated")) == {"mai", "thay"}

    later = going.when(c.Tick(), at="2026-03-05T08:00")
    told = await desk.told(going, later.effects, "deadline_escalated")
    assert set(told) == {"mai", "thay", "coordinator"}
    assert "Could not be told: chair" in told["coordinator"]
    assert "Still overdue: Signature: Step department_head" in told["coordinator"]


async def test_who_is_late_is_not_told_that_they_are(desk: Desk) -> None:
    """Mai holds both positions: it goes to the coordinator, who is told at whose desk it ended."""
    rules = under(policed(step("vice_president", escalate_to="president")))
    going = given(*submitted(), rules=rules)
    late = going.when(c.Tick(), at="2026-03-03T00:00")
    told = await desk.told(going, late.effects, "step_escalated")
    assert list(told) == ["coordinator"]
    assert "positions at which nobody could be told" in told["coordinator"]


async def test_a_report_s_mail_says_until_when_and_its_filer_is_not_asked(desk: Desk) -> None:
    """Sealed in the same decision as the filing."""
    going, asked = opened(*reported())
    told = await desk.told(going, asked, "report_waits")
    assert list(told) == ["mai"]
    assert "Hạn xử lý: Thứ Sáu, ngày 17 tháng 4 năm 2026" in told["mai"]
    await desk.change("mai", person=person("sato").ref)
    told = await desk.told(going, asked, "report_waits")
    assert "The final report of “Study visit” waits at a desk where nobody can answer it" in told["coordinator"]


async def test_the_letter_of_an_authority_is_the_coordinator_s_to_see_to(desk: Desk) -> None:
    """Not “read and sign”: send the dossier out, record the letter."""
    rules = under(policed(step("police", external=True)))
    going, asked = opened(*drafted(), c.SubmitRequest(), rules=rules)
    told = await desk.told(going, asked, "letter_awaited")
    assert list(told) == ["coordinator"]
    assert "send the dossier out" in told["coordinator"]
    # As a decision of an earlier release asked for it.
    before = tuple(one.model_copy(update={"args": {"notice": "step_waits", "step": "police"}}) for one in asked)
    assert await desk.told(going, before, "step_waits") == told


async def test_the_coordinator_hears_of_an_answer_by_whom_and_finds_the_reasons_in_the_file(desk: Desk) -> None:
    """In whose place, too; the reasons themselves are in no mail."""
    await desk.account("thay")
    back = lambda state: Said(  # noqa: E731 - a command that needs the digest
        c.ReturnStep(step_id="department_head", dossier_digest=dossier(state), kind="amend", reason=text()), HUNG
    )
    going, asked = opened(*submitted(), back)
    told = await desk.told(going, asked, "answered")
    assert list(told) == ["coordinator"]
    for said in (
        "The proposal was returned: Study visit",
        "By: Lê Văn Hùng",
        "Step: Department head",
        "The reasons stand in the file.",
        f"Open the file: {URL}/delegations/{DELEGATION}\n",
    ):
        assert said in told["coordinator"]
    assert "because" not in told["coordinator"]


async def test_a_file_that_changes_hands_is_told_to_who_has_it_now(desk: Desk) -> None:
    """With a link to the file itself."""
    await desk.account("minh", roles=("coordinator",))
    going, asked = opened(*drafted(), c.HandOver(to="minh"))
    told = await desk.told(going, asked, "handed_over")
    assert list(told) == ["minh"]
    assert "You coordinate “Study visit” from now on. It was handed over by Coordinator." in told["minh"]
    assert f"{URL}/delegations/{DELEGATION}\n" in told["minh"]


async def test_the_digest_has_what_somebody_can_do_and_each_thing_once(desk: Desk) -> None:
    """Of two positions of one step one line; nothing of an own trip; a letter by its name, a request by its page."""
    rules = under(policed(step("leaders", one_of=("vice_president", "president"))))
    await desk.keep(given(*submitted(), rules=rules))
    morning = utc_now().replace(hour=0, minute=10) + timedelta(days=1)
    told = await desk.digest(morning)
    assert list(told) == ["mai"]
    assert "1 hồ sơ đang chờ xử lý" in told["mai"]
    assert told["mai"].count(f"{URL}/delegations/{DELEGATION}/steps/leaders") == 1
    await desk.change("mai", person=person("sato").ref)
    assert await desk.digest(morning) == {}


async def test_the_digest_names_letters_and_counts_requests_apart(desk: Desk) -> None:
    """A coordinator's letter leads to the file, an administrator's request to its own page."""
    await desk.change("root", email="root@songlam.example")
    rules = under(policed(step("police", external=True, stage=1), step("ministry", external=True, stage=1)))
    await desk.keep(given(*drafted(), c.SubmitRequest(), rules=rules))
    await desk.registers.editions.put(edition())
    event = receive("objection", edition(), received_at=utc_now(), now=utc_now(), via="letter", person="per_sato____")
    assert isinstance(event, RequestReceived)
    await desk.registers.person_requests.receive("req_digest00", event, command="k0", digest="d", by="root")
    told = await desk.digest(utc_now().replace(hour=0, minute=10) + timedelta(days=1))
    assert "1 file waits for you" in told["coordinator"]
    assert "Letter awaited: Step police, Step ministry" in told["coordinator"]
    assert f"{URL}/delegations/{DELEGATION}\n" in told["coordinator"]
    assert told["root"].startswith("1 yêu cầu về dữ liệu cá nhân đang chờ xử lý")
    assert f"{URL}/admin/person-requests/req_digest00" in told["root"]
