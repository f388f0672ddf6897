"""Mails that carry no calendar item: the invitation letter, reminders, and what waits on somebody's desk."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from activities.house import House
from activities.outbox import Outbox
from activities.recipients import AtDesk, Recipients
from activities.trail import Standing, standing_at
from calendars.imip import message_id
from domain.canonical import digest_of
from domain.commands import RecordNotice
from domain.deadlines import standing
from domain.desk import SIGNING_REPORT, lies_on
from domain.events import (
    EXTERNAL_AUTHORITY,
    DeadlineEscalated,
    DocumentRendered,
    ExternalDecisionRecorded,
    ReportAccepted,
    ReportReturned,
    StepEscalated,
    StepRejected,
    StepReturned,
    StepSigned,
)
from domain.mailbox import Mailbox
from domain.rules import Edition
from domain.state import Deadline, Delegation, Proposal, Report, Step, report_key, step_key
from domain.telling import Stuck
from domain.values import Language, business_date
from locales import mark, translator
from notices import contents
from notices.message import Attachment, compose
from notices.render import Rendered, render
from storage.accounts import AccountDetails, Accounts
from storage.attachments import AttachmentErased, Attachments
from storage.editions import Editions
from storage.institution import Institution
from storage.journal import Journal
from storage.mail_ledger import Mail
from storage.mail_rows import HANDED_OVER, NOT_REACHED
from storage.metadata import utc_now
from storage.persons import Person, Persons
from workflows.ports import CarryOutInput, errand_of

ANSWERS = (StepSigned, StepReturned, StepRejected, ExternalDecisionRecorded, ReportReturned, ReportAccepted)

LETTER_FILE: dict[Language, str] = {"vi": "thu-moi.pdf", "en": "invitation-letter.pdf"}


class Notices:
    """Carries out `mail_letter` and `send_notice`."""

    def __init__(
        self,
        journal: Journal,
        persons: Persons,
        accounts: Accounts,
        institution: Institution,
        editions: Editions,
        attachments: Attachments,
        outbox: Outbox,
        house: House,
        recipients: Recipients,
    ) -> None:
        """Take the collaborators of this installation."""
        self._journal = journal
        self._persons = persons
        self._accounts = accounts
        self._institution = institution
        self._editions = editions
        self._attachments = attachments
        self._outbox = outbox
        self._house = house
        self._recipients = recipients

    async def mail_letter(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordNotice:
        """Send the rendered invitation letter, in both languages, to every delegate."""
        return await self._send(asked, await self.letters(asked), alive)

    async def letters(self, asked: CarryOutInput) -> list[Mail]:
        """Return the mails with the letter as they are composed now: to the addresses that the register has today."""
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        assert isinstance(stood.event, DocumentRendered)
        attachments = tuple(
            [
                Attachment(
                    name=LETTER_FILE[version.language],
                    media_type=version.attachment.media_type,
                    content=await self._letter_as_it_stands(version.attachment.digest),
                )
                for version in stood.event.versions
            ]
        )
        file = stood.after
        found = await self._persons.get_many([one.person.ref for one in file.delegates])
        mails = []
        for member in file.delegates:
            person = found.get(member.person.ref)
            if not isinstance(person, Person):
                continue
            language = person.details.language
            letter = contents.InvitationLetter(
                recipient=person.details.full_name,
                organisation=self._house.name.text(language),
                delegation=file.title,
                contact=self._house.contact,
                first_day=file.starts,
                last_day=file.ends,
                host=self._house.name.text(language),
            )
            mails.append(
                self._mail(
                    asked,
                    stood,
                    render("invitation_letter", language, letter),
                    Mailbox(address=person.details.email, name=person.details.full_name),
                    kind="invitation_letter",
                    participants=(member.id,),
                    persons=(person.ref,),
                    attachments=attachments,
                )
            )
        return mails

    async def _letter_as_it_stands(self, digest: str) -> bytes:
        """Return a rendered letter; the one without them, where it was erased with somebody whom it named."""
        try:
            return await self._attachments.read(digest)
        except AttachmentErased as erased:
            if erased.replaced_by is None:
                raise
            return await self._letter_as_it_stands(erased.replaced_by)

    async def send_notice(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordNotice:
        """Tell who has to know: of work that waits, of a deadline, of an answer, of a desk that has changed."""
        return await self._send(asked, await self.notices(asked), alive)

    async def notices(self, asked: CarryOutInput) -> list[Mail]:
        """Return the mails of a notice as they are composed now: to those who sit at the desks today.

        What waits for a signature goes to those who could sign it, by the signature's own rule; where nobody could, the
        coordinator hears that the desk is stuck, and why. A reminder goes to the coordinator, and to those who may sign
        where it is of a step or a report. An escalation goes on until somebody can be told.
        """
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        edition = await self._editions.get(stood.after.edition)
        match asked.effect.args["notice"]:
            case "step_waits":
                return await self._step_waits(asked, stood, edition)
            case "letter_awaited":
                return await self._letter_awaited(asked, stood)
            case "report_waits":
                return await self._report_waits(asked, stood, edition)
            case "step_escalated":
                return await self._step_escalated(asked, stood, edition)
            case "desk_returned":
                return await self._desk_returned(asked, stood)
            case "answered":
                return await self._answered(asked, stood)
            case "handed_over":
                return await self._handed_over(asked, stood)
            case notice:
                return await self._deadline(asked, stood, edition, str(notice))

    async def _step_waits(self, asked: CarryOutInput, stood: Standing, edition: Edition) -> list[Mail]:
        proposal = stood.after.current_proposal
        step = proposal.step(str(asked.effect.args["step"])) if proposal else None
        if proposal is None or step is None:
            return []
        if step.plan.external:
            # As decisions of before this had a notice of its own asked for it.
            return await self._letter_awaited(asked, stood)
        due = stood.after.deadlines.get(step_key(step.id, proposal.number))
        submitter = await self._name(proposal.submitted_by)
        acting_for = await self._acting_for(asked)

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "step_waits",
                account.language,
                contents.StepWaits(
                    **self._greeting(account, stood),
                    step=title(step, account.language),
                    version=proposal.number,
                    submitted_by=submitter,
                    waiting_since=business_date(proposal.turn_came(step), stood.after.zone),
                    due=due.due_on if due else None,
                    acting_for=acting_for,
                    link=self._house.page_of(asked.delegation, step=step.id),
                ),
            )

        return await self._waits(asked, stood, step.id, edition, letter)

    async def _report_waits(self, asked: CarryOutInput, stood: Standing, edition: Edition) -> list[Mail]:
        report = stood.after.report
        if report is None or stood.after.reviewing is None:
            return []
        due = stood.after.deadlines.get(report_key(report))
        filed_by = await self._name(report.filed_by)
        acting_for = await self._acting_for(asked)

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "report_waits",
                account.language,
                contents.ReportWaits(
                    **self._greeting(account, stood),
                    version=report.number,
                    filed_by=filed_by,
                    waiting_since=business_date(report.filed_at, stood.after.zone),
                    due=due.due_on if due else None,
                    acting_for=acting_for,
                    link=self._house.page_of(asked.delegation, step=SIGNING_REPORT),
                ),
            )

        return await self._waits(asked, stood, SIGNING_REPORT, edition, letter)

    async def _waits(
        self,
        asked: CarryOutInput,
        stood: Standing,
        what: str,
        edition: Edition,
        letter: Callable[[AccountDetails], Rendered],
    ) -> list[Mail]:
        """Return the mails to those who can answer a step or a report now; without any, that it is stuck.

        Those who stand in there have a notice of their own, of the desk that moved to them.
        """
        file, now = stood.after, now_for(stood)
        desk = await self._recipients.at_desk(file, what, at_desk(file, what), edition, now)
        if to := asked.effect.args.get("to"):
            return self._to_accounts(asked, stood, [one for one in desk.able if one.id == to], letter)
        if desk.stuck:
            return await self._stuck(asked, stood, what, desk.stuck)
        moved = {one.substitute for one in file.stand_ins if one.what == what and one.in_force}
        return self._to_accounts(asked, stood, [one for one in desk.able if one.id not in moved], letter)

    async def _stuck(self, asked: CarryOutInput, stood: Standing, what: str, stuck: tuple[Stuck, ...]) -> list[Mail]:
        file = stood.after
        step = next((one for one in file.open_steps if one.id == what), None)
        of = file.current_proposal if step else file.report
        if of is None:
            return []
        due = file.deadlines.get(step_key(what, of.number))

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "desk_stuck",
                account.language,
                contents.DeskStuck(
                    **self._greeting(account, stood),
                    step=title(step, account.language) if step else "",
                    version=of.number,
                    stuck=stuck,
                    due=due.due_on if due else None,
                    link=self._house.page_of(asked.delegation, step=what),
                ),
            )

        told = await self._recipients.responsible(file, now_for(stood))
        return self._to_accounts(asked, stood, told, letter, kind="desk_stuck")

    async def _letter_awaited(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        proposal = stood.after.current_proposal
        step = proposal.step(str(asked.effect.args["step"])) if proposal else None
        if proposal is None or step is None:
            return []
        due = stood.after.deadlines.get(step_key(step.id, proposal.number))

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "letter_awaited",
                account.language,
                contents.LetterAwaited(
                    **self._greeting(account, stood),
                    step=title(step, account.language),
                    version=proposal.number,
                    waiting_since=business_date(proposal.turn_came(step), stood.after.zone),
                    due=due.due_on if due else None,
                    link=self._house.page_of(asked.delegation, step=step.id),
                ),
            )

        told = await self._recipients.responsible(stood.after, now_for(stood))
        return self._to_accounts(asked, stood, told, letter, kind="letter_awaited")

    async def _desk_returned(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        what, file = str(asked.effect.args["step"]), stood.after
        step = next((one for one in file.open_steps if one.id == what), None)
        of = file.current_proposal if step else file.report
        due = file.deadlines.get(step_key(what, of.number)) if of else None
        back = str(asked.effect.args["back"])
        name = await self._name(back)
        to = await self._accounts.get(str(asked.effect.args["to"]))

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "desk_returned",
                account.language,
                contents.DeskReturned(
                    **self._greeting(account, stood),
                    step=title(step, account.language) if step else "",
                    back=name,
                    yours=account.id == back,
                    due=due.due_on if due else None,
                    link=self._house.page_of(asked.delegation, step=what),
                ),
            )

        return self._to_accounts(asked, stood, [to] if to else [], letter)

    async def _answered(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        event, file = stood.event, stood.after
        if not isinstance(event, ANSWERS):
            return []
        right = None if isinstance(event, ExternalDecisionRecorded) else event.right
        of: Proposal | Report | None
        step = None
        if isinstance(event, (ReportReturned, ReportAccepted)):
            of = file.report
        else:
            chains = (file.amendment, file.amended, file.proposal)
            of = next((one for one in chains if one and one.digest == event.digest), None)
            step = of.step(event.step_id) if of else None
        if of is None:
            return []
        by = await self._name(stood.sealed.actor)
        in_place_of = await self._name(right.on_behalf_of) if right and right.on_behalf_of else ""
        coordinator = await self._accounts.get(file.coordinator)

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "answered",
                account.language,
                contents.Answered.model_validate(
                    {
                        **self._greeting(account, stood),
                        "outcome": asked.effect.args["outcome"],
                        "by": by,
                        "in_place_of": in_place_of,
                        "authority": event.authority if isinstance(event, ExternalDecisionRecorded) else "",
                        "step": title(step, account.language) if step else "",
                        "version": of.number,
                        "day": business_date(stood.sealed.instant, file.zone),
                        "link": self._house.page_of(asked.delegation),
                    }
                ),
            )

        return self._to_accounts(asked, stood, [coordinator] if coordinator else [], letter)

    async def _handed_over(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        file = stood.after
        to = await self._accounts.get(str(asked.effect.args["to"]))
        coordinator, by = await self._name(file.coordinator), await self._name(stood.sealed.actor)

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "handed_over",
                account.language,
                contents.HandedOver(
                    **self._greeting(account, stood),
                    coordinator=coordinator,
                    by=by,
                    yours=account.id == file.coordinator,
                    day=business_date(stood.sealed.instant, file.zone),
                    link=self._house.page_of(asked.delegation),
                ),
            )

        return self._to_accounts(asked, stood, [to] if to else [], letter)

    def _greeting(self, account: AccountDetails, stood: Standing) -> dict[str, Any]:
        return {
            "recipient": account.name,
            "organisation": self._house.name.text(account.language),
            "delegation": stood.after.title,
        }

    async def _acting_for(self, asked: CarryOutInput) -> str:
        account = asked.effect.args.get("on_behalf_of")
        return await self._name(str(account)) if account else ""

    async def _name(self, account: str) -> str:
        """Return what somebody is called; one whose account is disabled is named by its id."""
        found = await self._accounts.get(account)
        return found.name if found else account

    async def _above(
        self, stood: Standing, positions: Sequence[str], late: frozenset[str]
    ) -> tuple[list[AccountDetails], Callable[[AccountDetails], tuple[str, ...]]]:
        """Return whom an escalation reaches, and, by the reader's language, the positions that were passed over."""
        told, accounts = await self._recipients.above(stood.after, positions, late, now_for(stood))
        titles = {one.slug: one.title for one in await self._institution.positions()} if told.passed_over else {}

        def passed_over(account: AccountDetails) -> tuple[str, ...]:
            return tuple(titles[one].text(account.language) if one in titles else one for one in told.passed_over)

        return accounts, passed_over

    async def _step_escalated(self, asked: CarryOutInput, stood: Standing, edition: Edition) -> list[Mail]:
        event, proposal = stood.event, stood.after.current_proposal
        step = proposal.step(str(asked.effect.args["step"])) if proposal else None
        if not isinstance(event, StepEscalated) or proposal is None or step is None:
            return []
        desk = await self._desk_of(stood, step.id, edition)
        accounts, passed_over = await self._above(
            stood, [event.to, *(one.to for one in step.plan.escalate)], desk.seated if desk else frozenset()
        )

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "step_escalated",
                account.language,
                contents.StepEscalated(
                    **self._greeting(account, stood),
                    step=title(step, account.language),
                    version=proposal.number,
                    due=event.due_on,
                    rule=f"{proposal.chain.rule} v{proposal.chain.version}",
                    stuck=desk.stuck if desk else (),
                    passed_over=passed_over(account),
                    link=self._house.page_of(asked.delegation, step=step.id),
                ),
            )

        return self._to_accounts(asked, stood, accounts, letter)

    async def _desk_of(self, stood: Standing, what: str, edition: Edition) -> AtDesk | None:
        """Return who sits where a step or the report waits now; None where it waits for nobody here."""
        positions = at_desk(stood.after, what)
        if not positions:
            return None
        return await self._recipients.at_desk(stood.after, what, positions, edition, now_for(stood))

    async def _deadline(self, asked: CarryOutInput, stood: Standing, edition: Edition, notice: str) -> list[Mail]:
        file = stood.after
        deadline = next((one for one in standing(file) if one.what == asked.effect.args["what"]), None)
        if deadline is None:
            return []
        event, what = stood.event, waiting_for(deadline, file)
        desk = await self._desk_of(stood, what, edition) if what else None
        passed_over: Callable[[AccountDetails], tuple[str, ...]] | None = None
        if isinstance(event, DeadlineEscalated):
            further = [one.to for one in deadline.escalate[event.level - 1 :]] or [event.to]
            told, passed_over = await self._above(stood, further, desk.seated if desk else frozenset())
        else:
            told = await self._recipients.responsible(file, now_for(stood))
        if desk is not None and notice == "deadline_reminder":
            told += [one for one in desk.able if one not in told]
        today = business_date(stood.sealed.instant, file.zone)
        days = abs((deadline.due_on - today).days)

        def letter(account: AccountDetails) -> Rendered:
            common = {
                **self._greeting(account, stood),
                "what": duty(deadline, file, edition, account.language),
                "due": deadline.due_on,
                "rule": f"{deadline.rule.rule} v{deadline.rule.version}",
                "stuck": desk.stuck if desk else (),
                "link": self._house.page_of(asked.delegation, step=what),
            }
            if isinstance(event, DeadlineEscalated):
                return render(
                    "deadline_escalated",
                    account.language,
                    contents.DeadlineEscalated.model_validate(
                        {
                            **common,
                            "days_over": max(days, 1),
                            "level": event.level,
                            "passed_over": passed_over(account) if passed_over else (),
                        }
                    ),
                )
            if notice == "deadline_missed":
                return render(
                    "deadline_missed",
                    account.language,
                    contents.DeadlineMissed.model_validate({**common, "days_over": max(days, 1)}),
                )
            return render(
                "deadline_reminder",
                account.language,
                contents.DeadlineReminder.model_validate({**common, "days_left": days}),
            )

        return self._to_accounts(asked, stood, told, letter)

    def _to_accounts(
        self,
        asked: CarryOutInput,
        stood: Standing,
        accounts: Iterable[AccountDetails],
        letter: Callable[[AccountDetails], Rendered],
        *,
        kind: str | None = None,
    ) -> list[Mail]:
        return [
            self._mail(
                asked,
                stood,
                letter(account),
                Mailbox(address=account.email, name=account.name),
                kind=kind or str(asked.effect.args["notice"]),
            )
            for account in accounts
            if account.email
        ]

    def _mail(
        self,
        asked: CarryOutInput,
        stood: Standing,
        rendered: Rendered,
        mailbox: Mailbox,
        *,
        kind: str,
        participants: tuple[str, ...] = (),
        persons: tuple[str, ...] = (),
        attachments: tuple[Attachment, ...] = (),
    ) -> Mail:
        uid = f"{asked.effect.key}.{asked.delegation}"
        seen = digest_of([stood.sealed.hash, kind])
        identity = message_id(
            uid=uid, sequence=0, method=kind, mailbox=mailbox, view_hash=seen, domain=self._house.mail_domain
        )
        return Mail(
            uid=uid,
            sequence=0,
            method=kind,
            view_hash=seen,
            message_id=identity,
            delegation_id=asked.delegation,
            issue=errand_of(asked),
            kind=kind,
            participants=participants,
            persons=persons,
            mailbox=mailbox.address,
            content=compose(
                rendered,
                sender=self._house.organizer,
                recipient=mailbox,
                message_id=identity,
                date=stood.sealed.instant,
                attachments=attachments,
            ),
        )

    async def _send(self, asked: CarryOutInput, mails: list[Mail], alive: Callable[[], None]) -> RecordNotice:
        await self._outbox.enter(mails, await self._outbox.entered(errand_of(asked)))
        lines = await self._outbox.send(errand_of(asked), alive) if mails else []
        return RecordNotice(
            effect=asked.effect.key,
            sent=sum(line.status in HANDED_OVER for line in lines),
            refused=sum(line.status in NOT_REACHED for line in lines),
        )


def now_for(stood: Standing) -> datetime:
    """Return the instant as of which registers are asked: in the demo a file's clock is ahead of the wall's."""
    return max(utc_now(), stood.sealed.instant)


def title(step: Step, language: Language) -> str:
    """Return what a step is called."""
    return step.plan.title_vi if language == "vi" else step.plan.title_en


def at_desk(file: Delegation, what: str) -> tuple[str, ...]:
    """Return the positions at which a step, or `report`, waits now; none for what waits for nobody here."""
    return tuple(position for waits, position in lies_on(file) if waits == what and position != EXTERNAL_AUTHORITY)


def step_of(deadline: Deadline, file: Delegation) -> Step | None:
    """Return the step, of a proposal or of a change after the decision, by which a deadline was set, if one was."""
    steps = ((one, step_key(one.id, proposal.number)) for proposal in file.proposals for one in proposal.steps)
    return next((one for one, what in steps if deadline.what == what), None)


def waiting_for(deadline: Deadline, file: Delegation) -> str | None:
    """Return the step, or `report`, that a deadline is of; None for a duty of the file."""
    if file.report is not None and deadline.what == report_key(file.report):
        return SIGNING_REPORT
    step = step_of(deadline, file)
    return step.id if step else None


def duty(deadline: Deadline, file: Delegation, edition: Edition, language: Language) -> str:
    """Return what a deadline is about, in words: the title of its rule, or what is to be answered."""
    words = translator(language)
    if deadline.what.startswith(step_key(SIGNING_REPORT, 0)[:-1]) and step_of(deadline, file) is None:
        return words.tr(mark("Acceptance of the final report"))
    if step := step_of(deadline, file):
        said = mark("Letter awaited: %(step)s") if step.plan.external else mark("Signature: %(step)s")
        return words.tr(said, step=title(step, language))
    rule = next(
        (one for one in edition.deadlines if (one.id, one.version) == (deadline.rule.rule, deadline.rule.version)), None
    )
    return rule.title.text(language) if rule else deadline.what
