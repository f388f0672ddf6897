"""Sending again what did not arrive, when a coordinator asks for it."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from activities.invitations import Invitations
from activities.notices import Notices
from activities.outbox import Outbox
from activities.trail import standing_at
from domain.commands import RecordNotice
from domain.decision import Effect
from domain.events import DocumentRendered, InvitationsIssued, MailResent
from domain.seal import SealedEvent
from domain.state import Delegation
from domain.upcast import read_event
from storage.dead_letters import DeadLetters
from storage.journal import Journal
from storage.mail_ledger import Entry, Mail
from storage.mail_rows import HANDED_OVER, NOT_REACHED
from storage.persons import Person, Persons
from workflows.ports import CarryOutInput, errand_of


class Resending:
    """Carries out `resend_mail`.

    Where the register still has the address that a message went to, the same octets go out again under the same
    Message-ID. Where the address was corrected since, they would reach the wrong mailbox once more: the message is
    composed anew for the corrected one, from the same event, and stands in the ledger as a message of its own.
    """

    def __init__(
        self,
        journal: Journal,
        persons: Persons,
        dead_letters: DeadLetters,
        outbox: Outbox,
        invitations: Invitations,
        notices: Notices,
    ) -> None:
        """Take the collaborators of this installation."""
        self._journal = journal
        self._persons = persons
        self._dead_letters = dead_letters
        self._outbox = outbox
        self._invitations = invitations
        self._notices = notices

    async def resend_mail(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordNotice:
        """Send the messages of one resending. Raises MailServerUnavailable, MailWaits."""
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        assert isinstance(stood.event, MailResent)
        errand = errand_of(asked)
        same: list[str] = []
        # Those of an earlier attempt are in hand already, and are not seen here.
        for entry in await self._dead_letters.left_for(errand, asked.delegation, stood.event.messages):
            alive()
            addresses = await self._addresses(stood.after, entry)
            if not entry.participants or await self._dead_letters.is_to(entry, addresses):
                same.append(entry.message_id)
            else:
                await self._to_corrected(asked.delegation, errand, entry)
        await self._dead_letters.take_up(errand, same, datetime.now(UTC))
        lines = await self._outbox.send(errand, alive)
        return RecordNotice(
            effect=asked.effect.key,
            sent=sum(line.status in HANDED_OVER for line in lines),
            refused=sum(line.status in NOT_REACHED for line in lines),
        )

    async def _addresses(self, file: Delegation, entry: Entry) -> list[str]:
        refs = [file.people[who].person.ref for who in entry.participants if who in file.people]
        found = await self._persons.get_many(refs)
        return [person.details.email for person in found.values() if isinstance(person, Person)]

    async def _to_corrected(self, delegation: str, errand: str, entry: Entry) -> None:
        for mail in await self._composed_again(delegation, entry):
            if set(mail.participants) & set(entry.participants) and not await self._dead_letters.is_to(
                entry, [mail.mailbox]
            ):
                await self._outbox.enter([replace(mail, errand=errand)])
                await self._dead_letters.replace(entry.message_id, mail.message_id)

    async def _composed_again(self, delegation: str, entry: Entry) -> list[Mail]:
        """Return the messages of the same item and version, to the addresses that the register has now."""
        key = entry.issue.removeprefix(f"{delegation}:")
        sealed = await self._journal.events(delegation)
        seq = next((one.seq for one in sealed if _asked_for(one) == key), None)
        if seq is None:
            return []
        kind, _, number = key.partition(":")
        if kind == "calendars":
            effect = Effect(key=key, kind="issue_calendars", seq=seq, args={"issue": int(number)})
            mails = await self._invitations.composed(CarryOutInput(delegation=delegation, effect=effect))
        else:
            effect = Effect(key=key, kind="mail_letter", seq=seq, args={"number": int(number)})
            mails = await self._notices.letters(CarryOutInput(delegation=delegation, effect=effect))
        return [mail for mail in mails if (mail.uid, mail.sequence) == (entry.uid, entry.sequence)]


def _asked_for(sealed: SealedEvent) -> str | None:
    """Return the key of the effect by which an event wrote to people on the file."""
    if sealed.type not in ("InvitationsIssued", "DocumentRendered"):
        return None
    match read_event(sealed):
        case InvitationsIssued(issue=issue):
            return f"calendars:{issue}"
        case DocumentRendered(kind="invitation_letter", number=number):
            return f"letter-mail:{number}"
        case _:
            return None
