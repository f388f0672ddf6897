"""Mails that carry no calendar item: the invitation letter, reminders, and what waits on somebody's desk."""

from collections.abc import Callable, Iterable

from activities.house import House
from activities.outbox import Outbox
from activities.trail import Standing, standing_at
from calendars.imip import message_id
from domain.canonical import digest_of
from domain.commands import RecordNotice
from domain.deadlines import standing
from domain.desk import SIGNING_REPORT
from domain.events import DeadlineEscalated, DocumentRendered, StepEscalated
from domain.mailbox import Mailbox
from domain.rules import Edition
from domain.state import Deadline, Delegation, Step
from domain.values import Language, business_date
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
        """Tell who has to know: of a deadline, of a step or a report that waits, of a step that nobody answered.

        A reminder goes to the coordinator, and to those who may sign where it is of a step.
        """
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        match asked.effect.args["notice"]:
            case "step_waits":
                mails = await self._step_waits(asked, stood)
            case "report_waits":
                mails = await self._report_waits(asked, stood)
            case "step_escalated":
                mails = await self._step_escalated(asked, stood)
            case notice:
                edition = await self._editions.get(stood.after.edition)
                mails = await self._deadline(asked, stood, edition, str(notice))
        return await self._send(asked, mails, alive)

    async def _step_waits(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        proposal = stood.after.current_proposal
        step = proposal.step(str(asked.effect.args["step"])) if proposal else None
        if proposal is None or step is None:
            return []
        due = stood.after.deadlines.get(f"step.{step.id}.{proposal.number}")
        submitter = await self._name(proposal.submitted_by)
        acting_for = await self._acting_for(asked)

        def letter(account: AccountDetails) -> Rendered:
            title = step.plan.title_vi if account.language == "vi" else step.plan.title_en
            return render(
                "step_waits",
                account.language,
                contents.StepWaits(
                    recipient=account.name,
                    organisation=self._house.name.text(account.language),
                    delegation=stood.after.title,
                    step=title,
                    version=proposal.number,
                    submitted_by=submitter,
                    waiting_since=business_date(proposal.turn_came(step), stood.after.zone),
                    due=due.due_on if due else None,
                    acting_for=acting_for,
                    link=self._house.page_of(asked.delegation, step=step.id),
                ),
            )

        if step.plan.external:
            # Whom the letter is asked of has no account here: the coordinator sends the dossier out.
            coordinator = await self._accounts.get(stood.after.coordinator)
            return self._to_accounts(asked, stood, [coordinator] if coordinator else [], letter)
        return self._to_accounts(
            asked, stood, await self._told(asked, stood.after, step.plan.signing_positions), letter
        )

    async def _report_waits(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        report, review = stood.after.report, stood.after.reviewing
        if report is None or review is None:
            return []
        filed_by = await self._name(report.filed_by)
        acting_for = await self._acting_for(asked)

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "report_waits",
                account.language,
                contents.ReportWaits(
                    recipient=account.name,
                    organisation=self._house.name.text(account.language),
                    delegation=stood.after.title,
                    version=report.number,
                    filed_by=filed_by,
                    waiting_since=business_date(report.filed_at, stood.after.zone),
                    acting_for=acting_for,
                    link=self._house.page_of(asked.delegation, step=SIGNING_REPORT),
                ),
            )

        return self._to_accounts(asked, stood, await self._told(asked, stood.after, review.signing_positions), letter)

    async def _told(self, asked: CarryOutInput, file: Delegation, positions: Iterable[str]) -> list[AccountDetails]:
        """Return whom a waiting desk is shown to: the substitute it moved to, else who sits there."""
        if to := asked.effect.args.get("to"):
            substitute = await self._accounts.get(str(to))
            return [substitute] if substitute else []
        return await self._at_desks(file, positions)

    async def _acting_for(self, asked: CarryOutInput) -> str:
        account = asked.effect.args.get("on_behalf_of")
        return await self._name(str(account)) if account else ""

    async def _name(self, account: str) -> str:
        """Return what somebody is called; one whose account is disabled is named by its id."""
        found = await self._accounts.get(account)
        return found.name if found else account

    async def _at_desks(self, file: Delegation, positions: Iterable[str]) -> list[AccountDetails]:
        """Return who sits now at the desks of several positions that the file comes to, each once."""
        seating = await self._institution.seating(utc_now())
        wanted = list(positions)
        known = await self._accounts.several(
            {who for position in wanted for who in seating.holders(position, file.organisation)}
        )
        by_id = {one.id: one for one in known}
        seated = (by_id.get(who) for position in wanted for who in seating.holders(position, file.organisation))
        return list({one.id: one for one in seated if one}.values())

    async def _may_sign(self, file: Delegation, step: Step) -> list[AccountDetails]:
        """Return who may still sign a step: those at the desks of its positions, and who stands in for them now."""
        standing_in = [one.substitute for one in file.stand_ins if one.what == step.id and one.in_force]
        substitutes = [await self._accounts.get(account) for account in dict.fromkeys(standing_in)]
        return [*await self._at_desks(file, step.waits_for), *(one for one in substitutes if one)]

    async def _step_escalated(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        event, proposal = stood.event, stood.after.current_proposal
        step = proposal.step(str(asked.effect.args["step"])) if proposal else None
        if not isinstance(event, StepEscalated) or proposal is None or step is None:
            return []

        def letter(account: AccountDetails) -> Rendered:
            return render(
                "step_escalated",
                account.language,
                contents.StepEscalated(
                    recipient=account.name,
                    organisation=self._house.name.text(account.language),
                    delegation=stood.after.title,
                    step=step.plan.title_vi if account.language == "vi" else step.plan.title_en,
                    version=proposal.number,
                    due=event.due_on,
                    rule=f"{proposal.chain.rule} v{proposal.chain.version}",
                    link=self._house.page_of(asked.delegation, step=step.id),
                ),
            )

        return self._to_accounts(asked, stood, await self._at_desks(stood.after, [event.to]), letter)

    async def _deadline(self, asked: CarryOutInput, stood: Standing, edition: Edition, notice: str) -> list[Mail]:
        deadline = next((one for one in standing(stood.after) if one.what == asked.effect.args["what"]), None)
        if deadline is None:
            return []
        event, step = stood.event, step_of(deadline, stood.after)
        if isinstance(event, DeadlineEscalated):
            told = await self._at_desks(stood.after, [event.to])
        else:
            coordinator = await self._accounts.get(stood.after.coordinator)
            told = [coordinator] if coordinator else []
        if step is not None and notice == "deadline_reminder" and not step.plan.external:
            told += [one for one in await self._may_sign(stood.after, step) if one not in told]
        today = business_date(stood.sealed.instant, stood.after.zone)
        days = abs((deadline.due_on - today).days)

        def letter(account: AccountDetails) -> Rendered:
            common = {
                "recipient": account.name,
                "organisation": self._house.name.text(account.language),
                "delegation": stood.after.title,
                "what": duty(deadline, stood.after, edition, account.language),
                "due": deadline.due_on,
                "rule": f"{deadline.rule.rule} v{deadline.rule.version}",
                "link": self._house.page_of(asked.delegation, step=step.id if step else None),
            }
            if isinstance(event, DeadlineEscalated):
                return render(
                    "deadline_escalated",
                    account.language,
                    contents.DeadlineEscalated.model_validate(
                        {**common, "days_over": max(days, 1), "level": event.level}
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
    ) -> list[Mail]:
        return [
            self._mail(
                asked,
                stood,
                letter(account),
                Mailbox(address=account.email, name=account.name),
                kind=str(asked.effect.args["notice"]),
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


def step_of(deadline: Deadline, file: Delegation) -> Step | None:
    """Return the step, of a proposal or of a change after the decision, by which a deadline was set, if one was."""
    steps = ((one, f"step.{one.id}.{proposal.number}") for proposal in file.proposals for one in proposal.steps)
    return next((one for one, what in steps if deadline.what == what), None)


def duty(deadline: Deadline, file: Delegation, edition: Edition, language: Language) -> str:
    """Return what a deadline is about, in words: the title of its rule, or the step that is to be signed."""
    if step := step_of(deadline, file):
        return step.plan.title_vi if language == "vi" else step.plan.title_en
    rule = next(
        (one for one in edition.deadlines if (one.id, one.version) == (deadline.rule.rule, deadline.rule.version)), None
    )
    return rule.title.text(language) if rule else deadline.what
