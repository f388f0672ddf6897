"""Mails that carry no calendar item: the invitation letter, reminders, and what waits on somebody's desk."""

from collections.abc import Callable, Iterable

from activities.house import House
from activities.outbox import Outbox
from activities.trail import Standing, standing_at
from calendars.imip import message_id
from domain.canonical import digest_of
from domain.commands import RecordNotice
from domain.deadlines import standing
from domain.events import DeadlineEscalated, DocumentRendered, StepEscalated
from domain.mailbox import Mailbox
from domain.rules import Edition
from domain.state import Deadline, Delegation
from domain.values import Language, business_date
from notices import contents
from notices.message import Attachment, compose
from notices.render import Rendered, render
from storage.accounts import AccountDetails, Accounts
from storage.attachments import Attachments
from storage.editions import Editions
from storage.journal import Journal
from storage.mail_ledger import Mail
from storage.persons import Person, Persons
from workflows.ports import CarryOutInput

LETTER_FILE: dict[Language, str] = {"vi": "thu-moi.pdf", "en": "invitation-letter.pdf"}


class Notices:
    """Carries out `mail_letter` and `send_notice`."""

    def __init__(
        self,
        journal: Journal,
        persons: Persons,
        accounts: Accounts,
        editions: Editions,
        attachments: Attachments,
        outbox: Outbox,
        house: House,
    ) -> None:
        """Take the collaborators of this installation."""
        self._journal = journal
        self._persons = persons
        self._accounts = accounts
        self._editions = editions
        self._attachments = attachments
        self._outbox = outbox
        self._house = house

    async def mail_letter(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordNotice:
        """Send the rendered invitation letter, in both languages, to every delegate."""
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        assert isinstance(stood.event, DocumentRendered)
        attachments = tuple(
            [
                Attachment(
                    name=LETTER_FILE[version.language],
                    media_type=version.attachment.media_type,
                    content=await self._attachments.read(version.attachment.digest),
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
        return await self._send(asked, mails, alive)

    async def send_notice(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordNotice:
        """Send a reminder to the coordinator, or tell those who hold a position what waits or has escalated."""
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        edition = await self._editions.get(stood.after.edition)
        notice = str(asked.effect.args["notice"])
        if notice == "step_waits":
            mails = await self._step_waits(asked, stood)
        elif notice == "step_escalated":
            mails = await self._step_escalated(asked, stood)
        else:
            mails = await self._deadline(asked, stood, edition, notice)
        return await self._send(asked, mails, alive)

    async def _step_waits(self, asked: CarryOutInput, stood: Standing) -> list[Mail]:
        proposal = stood.after.current_proposal
        step = proposal.step(str(asked.effect.args["step"])) if proposal else None
        if proposal is None or step is None:
            return []
        due = stood.after.deadlines.get(f"step.{step.id}.{proposal.number}")

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
                    waiting_since=business_date(stood.sealed.instant, stood.after.zone),
                    due=due.due_on if due else None,
                ),
            )

        if step.plan.external:
            # Whom the letter is asked of has no account here: the coordinator sends the dossier out.
            coordinator = await self._accounts.get(stood.after.coordinator)
            return self._to_accounts(asked, stood, [coordinator] if coordinator else [], letter)
        return self._to_accounts(asked, stood, await self._holding(step.plan.signing_positions), letter)

    async def _holding(self, positions: Iterable[str]) -> list[AccountDetails]:
        """Return the accounts that hold any of several positions, each once."""
        found = [account for position in positions for account in await self._accounts.holding(position)]
        return [account for place, account in enumerate(found) if account not in found[:place]]

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
                ),
            )

        return self._to_accounts(asked, stood, await self._accounts.holding(event.to), letter)

    async def _deadline(self, asked: CarryOutInput, stood: Standing, edition: Edition, notice: str) -> list[Mail]:
        deadline = next((one for one in standing(stood.after) if one.what == asked.effect.args["what"]), None)
        if deadline is None:
            return []
        event = stood.event
        if isinstance(event, DeadlineEscalated):
            told = await self._accounts.holding(event.to)
        else:
            coordinator = await self._accounts.get(stood.after.coordinator)
            told = [coordinator] if coordinator else []
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
            issue=f"{asked.delegation}:{asked.effect.key}",
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
        await self._outbox.enter(mails)
        lines = await self._outbox.send(f"{asked.delegation}:{asked.effect.key}", alive) if mails else []
        return RecordNotice(
            effect=asked.effect.key,
            sent=sum(line.status == "sent" for line in lines),
            refused=sum(line.status == "refused" for line in lines),
        )


def duty(deadline: Deadline, file: Delegation, edition: Edition, language: Language) -> str:
    """Return what a deadline is about, in words: the title of its rule, or the step that is to be signed."""
    for proposal in file.proposals if deadline.what.startswith("step.") else ():
        step = next((one for one in proposal.steps if deadline.what == f"step.{one.id}.{proposal.number}"), None)
        if step:
            return step.plan.title_vi if language == "vi" else step.plan.title_en
    rule = next(
        (one for one in edition.deadlines if (one.id, one.version) == (deadline.rule.rule, deadline.rule.version)), None
    )
    return rule.title.text(language) if rule else deadline.what
