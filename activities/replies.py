"""What a received mail leads to: an answer recorded in its file, a message sent once more, or a person's look at it.

An answer is taken only where the mail came from the very mailbox that it answers for, that mailbox was told of the
item, and one person alone stands behind it. Everything else is for people.
"""

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from temporalio import activity
from temporalio.client import Client, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from activities.bounces import note_bounce
from activities.outbox import MailServerUnavailable, MailWaits, Outbox
from calendars.received import AutomaticAnswer, DeliveryReport, Received, read_mail
from calendars.replies import Counter, DeclineCounter, Refresh, Reply, Unreadable
from calendars.views import item_of
from domain.canonical import digest_of
from domain.commands import RecordReply
from domain.decision import SYSTEM, Envelope, Receipt
from domain.state import Phase
from notices.bounces import parse_bounce
from storage.answering import Answering, LastTold
from storage.dead_letters import DeadLetters
from storage.queries import Queries
from storage.received_mail import Filed, Outcome, Waiting
from storage.texts import Texts

UPDATE = "execute"
ANSWER_WITHIN = timedelta(seconds=4)
ATTEMPTS = 4
PAUSE = 0.2
ONCE_MORE_AFTER = timedelta(hours=1)


class FileUnreachable(Exception):
    """The file's workflow does not answer for now; `about` is what the mail is about."""

    def __init__(self, about: Filed) -> None:
        super().__init__("the file does not answer")
        self.about = about


@dataclass(frozen=True)
class Trust:
    """What of a mail is believed. `largest`: octets that are parsed; `authserv`: whose results of authentication."""

    largest: int
    authserv: str = ""


@dataclass(frozen=True)
class About:
    """What a mail is about: the item, who may be meant, and why nobody is sure (None where it is certain)."""

    delegation_id: str | None = None
    item_id: str | None = None
    told: LastTold | None = None
    doubt: str | None = None

    def filed(self, outcome: Outcome, kind: str, reason: str | None = None) -> Filed:
        """Return what became of a mail about this."""
        return Filed(
            outcome=outcome,
            kind=kind,
            reason=reason,
            delegation_id=self.delegation_id,
            item_id=self.item_id,
            participants=self.told.participants if self.told else (),
            persons=self.told.persons if self.told else (),
        )


class Replies:
    """Carries out received mails, one at a time; a second attempt does nothing a second time."""

    def __init__(
        self,
        client: Client,
        answering: Answering,
        dead_letters: DeadLetters,
        texts: Texts,
        queries: Queries,
        outbox: Outbox,
        domain: str,
        trust: Trust,
    ) -> None:
        """`domain` is that of our UIDs."""
        self._client = client
        self._answering = answering
        self._dead_letters = dead_letters
        self._texts = texts
        self._queries = queries
        self._outbox = outbox
        self._domain = domain
        self._trust = trust

    async def carry_out(self, mail: Waiting) -> Filed:
        """Return what became of a mail. Raises FileUnreachable, and what the registers raise."""
        if not mail.octets:
            return Filed("review", "unreadable", "erased")
        received = await asyncio.to_thread(
            read_mail, mail.octets, largest=self._trust.largest, trusted=self._trust.authserv
        )
        match received.says:
            case DeliveryReport():
                return await self._bounced(mail)
            case AutomaticAnswer():
                return Filed("passed_over", "automatic")
            case Unreadable(code=code):
                return Filed("review", "unreadable", code)
            case DeclineCounter(uid=uid):
                return (await self._about(uid, received.sender, received)).filed(
                    "review", "decline_counter", "not_ours"
                )
            case Counter(uid=uid, attendee=attendee):
                about = await self._about(uid, attendee, received)
                return about.filed("review", "counter", about.doubt or "counter_proposed")
            case Refresh(uid=uid, attendee=attendee):
                return await self._once_more(mail, await self._about(uid, attendee, received))
            case Reply() as reply:
                return await self._record(mail, reply, await self._about(reply.uid, reply.attendee, received))

    async def _about(self, uid: str, attendee: str, received: Received) -> About:
        """Find the item and who answers; the names beside addresses decide nothing."""
        ours = uid.endswith(f"@{self._domain}")
        delegation = await self._answering.delegation_of(uid) if ours else None
        item = item_of(uid, delegation=delegation) if delegation else None
        if delegation is None or item is None:
            return About(doubt="uid_unknown")
        by_sender = await self._answering.last_told(uid, received.sender) if received.sender else None
        by_name = by_sender if attendee == received.sender else await self._answering.last_told(uid, attendee)
        about = About(delegation, item, by_sender or by_name)
        return replace(about, doubt=_doubt(received, by_sender, by_name))

    async def _bounced(self, mail: Waiting) -> Filed:
        """Note which message of ours came back, in the ledger and in its file; what is about none leads to nothing."""
        bounce = await asyncio.to_thread(parse_bounce, mail.octets)
        noted = bounce and await note_bounce(self._dead_letters, bounce, datetime.now(UTC))
        if not noted:
            return Filed("passed_over", "bounce")
        commands = (noted.command.model_dump(mode="json"),)
        envelope = Envelope(
            delegation=noted.delegation,
            command_id=noted.command_id,
            actor=SYSTEM,
            commands=commands,
            digest=digest_of(commands),
        )
        about = About(noted.delegation, noted.command.item_id)
        # A file that knows it, or is closed, needs no person: the ledger shows the message as returned.
        refused = await self._told(envelope, mail.attempt, about.filed("waiting", "bounce"))
        return about.filed("passed_over" if refused else "recorded", "bounce", refused)

    async def _once_more(self, mail: Waiting, about: About) -> Filed:
        """Send the last message to a mailbox again, the same octets under the same Message-ID."""
        if about.doubt or about.told is None:
            return about.filed("review", "refresh", about.doubt)
        before = datetime.now(UTC) - ONCE_MORE_AFTER
        errand = f"refresh:{mail.ref}"
        if not await self._answering.once_more(about.told, errand, sent_before=before) and mail.attempt == 1:
            return about.filed("passed_over", "refresh", "sent_lately")
        try:
            sent = await self._outbox.send(errand, activity.heartbeat)
        except (MailServerUnavailable, MailWaits):
            # Nobody comes back to it by itself: it is a dead letter, which a person can send again.
            await self._outbox.bury(errand)
            return about.filed("review", "refresh", "mail_server_unavailable")
        return about.filed("sent_again" if sent else "passed_over", "refresh")

    async def _record(self, mail: Waiting, reply: Reply, about: About) -> Filed:
        doubt = about.doubt or ("recurring" if reply.recurrence_id else None)
        if doubt or about.told is None or about.delegation_id is None:
            return about.filed("review", "reply", doubt)
        file, command_id = about.delegation_id, digest_of([SYSTEM, about.delegation_id, mail.ref])[:40]
        if await self._answering.recorded(file, command_id):
            return about.filed("recorded", "reply")
        comment = reply.comment and await self._texts.write(file, reply.comment, idempotency_key=f"received:{mail.ref}")
        command = RecordReply(
            participant_id=about.told.participants[0],
            answer=reply.answer,
            item_id=about.item_id,
            sequence=reply.sequence,
            dtstamp=reply.dtstamp,
            comment=comment or None,
            via="mail",
        )
        commands = (command.model_dump(mode="json", exclude_none=True),)
        envelope = Envelope(
            delegation=file, command_id=command_id, actor=SYSTEM, commands=commands, digest=digest_of(commands)
        )
        refused = await self._told(envelope, mail.attempt, about.filed("waiting", "reply"))
        return about.filed("review", "reply", refused) if refused else about.filed("recorded", "reply")

    async def _told(self, envelope: Envelope, attempt: int, about: Filed) -> str | None:
        """Send a command to a file; return the code of its refusal, or None once it is taken."""
        handle = self._client.get_workflow_handle(envelope.delegation)
        for turn in range(ATTEMPTS):
            activity.heartbeat()
            try:
                # Another id for each attempt: the server repeats a failure under the same one, the file knows its
                # commands by their own.
                update = f"{envelope.command_id}.{attempt}.{turn}.{datetime.now(UTC).timestamp()}"
                await handle.execute_update(UPDATE, envelope, id=update, result_type=Receipt, rpc_timeout=ANSWER_WITHIN)
            except WorkflowUpdateFailedError as failed:
                if isinstance(failed.cause, ApplicationError) and failed.cause.type == "refused":
                    return str(failed.cause.details[0]["code"])
            except WorkflowUpdateRPCTimeoutOrCancelledError:
                pass
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND and await self._is_closed(envelope.delegation):
                    return "delegation_closed"
            else:
                return None
            await asyncio.sleep(PAUSE)
        raise FileUnreachable(about)

    async def _is_closed(self, delegation: str) -> bool:
        """Whether a file that no run answers for is closed; between two runs there is none for a moment."""
        file = await self._queries.get(delegation)
        return file is not None and file.state.phase is Phase.CLOSED


def _doubt(received: Received, by_sender: LastTold | None, by_name: LastTold | None) -> str | None:
    """Return why it is not certain who answers."""
    if by_sender is None and by_name is None:
        return "nobody_told"
    if by_sender is None:
        return "sender_unknown"
    if by_name is None:
        return "attendee_unknown"
    if by_sender.position != by_name.position:
        return "answers_for_another"
    if received.authentic is False:
        return "sender_not_authentic"
    return "mailbox_shared" if len(by_sender.participants) != 1 else None
