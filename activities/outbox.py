"""Sending what the mail ledger holds: each message once, those to one mailbox in their order, resumed after a crash.

A worker killed between the server's acceptance and our note may send a message again: with the same Message-ID and the
same octets. It is one message at most: while an acceptance is being noted the next mail is announced to the server, and
handed over only once the note stands.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from domain.mailbox import Mailbox
from notices.smtp import Deferred, NotSent, Postman, Refused, SmtpServer, Unavailable
from storage.mail_ledger import Claimed, Entry, Mail, MailLedger

BATCH = 40
LEASE = timedelta(seconds=60)
PAUSE = timedelta(seconds=1)
BLOCKED = timedelta(seconds=30)
"""How long an effect gives way whose mails wait for their turn, and nobody knows for how long."""

LONGEST_PAUSE = timedelta(seconds=8)


Named = tuple[str, int, str, str]
"""UID, SEQUENCE, method and participant."""


class MailServerUnavailable(Exception):
    """The mail server took nothing for a whole attempt; what is unsent stays in the ledger."""


class MailWaits(Exception):
    """All that could be sent was; the rest was put off, or waits for its turn. To be tried again `after` so long."""

    def __init__(self, after: timedelta) -> None:
        super().__init__("mail waits for its next attempt")
        self.after = max(after, PAUSE)


@dataclass(frozen=True)
class Patience:
    """How long mail is tried. A message that is put off waits `first`, then twice as long each time, up to `longest`.

    It is a dead letter after `deferrals`, and so is what was `lasting` unsent and not sent by one more attempt.
    `per_minute` messages go to one domain (0: any number). One attempt of an effect waits up to `attempt` for a server
    that is away, and gives way after `shift`, well before the workflow takes it for lost. `skipped_pauses` says that
    the pauses between attempts may be skipped, as by the clock of the demo: then an attempt always waits itself.
    """

    attempt: timedelta = timedelta(seconds=20)
    shift: timedelta = timedelta(minutes=4)
    first: timedelta = timedelta(minutes=1)
    longest: timedelta = timedelta(hours=1)
    deferrals: int = 30
    lasting: timedelta = timedelta(hours=48)
    per_minute: int = 0
    skipped_pauses: bool = False

    def pause_after(self, deferrals: int) -> timedelta:
        """Return how long a message waits that was put off so often before."""
        return min(self.first * (1 << min(deferrals, 30)), self.longest)


class Outbox:
    """Puts messages into the ledger and hands them to the mail server."""

    def __init__(self, ledger: MailLedger, server: SmtpServer, sender: Mailbox, patience: Patience) -> None:
        """The waiting for a server that is away is done here, within the attempt.

        A delegation's clock in the demo would skip the pauses between attempts, and hundreds of them would be over
        before the server is back.
        """
        self._ledger = ledger
        self._server = server
        self.sender = sender
        self._patience = patience

    async def entered(self, issue: str) -> frozenset[Named]:
        """Return what earlier attempts entered of an issue, by message and participant."""
        lines = await self._ledger.of_errand(issue)
        return frozenset((line.uid, line.sequence, line.method, who) for line in lines for who in line.participants)

    async def enter(self, mails: list[Mail], known: frozenset[Named] = frozenset()) -> None:
        """Enter messages; those whose key the ledger knows are passed over, and those whose people are all `known`.

        Somebody whose address was corrected between two attempts has the message under the former one already: it goes
        to the new one when a person asks for that, and not by itself.
        """
        await self._ledger.enqueue([mail for mail in mails if not _entered(mail, known)])

    async def send(self, errand: str, alive: Callable[[], None]) -> list[Entry]:
        """Send everything of an errand that is not sent yet, and return its lines. Calls `alive` on the way.

        An errand is the key of an effect: of the issue that entered the messages, or of a resending. Nothing of it is
        unsent when this returns: it is sent, refused, or a dead letter. Raises MailServerUnavailable, MailWaits.
        """
        # There is one attempt at a time: what an earlier one held, it will not send any more.
        await self._ledger.release_all(errand)
        begun = datetime.now(UTC)
        async with Postman(self._server) as postman:
            pause, waited = PAUSE, timedelta()
            while await self._ledger.pending(errand):
                alive()
                now = datetime.now(UTC)
                if now - begun >= self._patience.shift:
                    raise MailWaits(PAUSE)
                claimed = await self._ledger.claim(
                    errand, limit=BATCH, lease=LEASE, now=now, per_minute=self._patience.per_minute
                )
                if await self._hand_over(postman, claimed, alive):
                    pause, waited = PAUSE, timedelta()
                    continue
                # Nothing could be claimed (it was put off, or waits for its turn) or the server is away.
                left = self._patience.attempt - waited
                due = None if claimed else await self._due_in(errand)
                wanted = pause if due is None else due
                if left <= timedelta() or (wanted > left and not claimed and not self._patience.skipped_pauses):
                    # Only now: what lay there while this installation was switched off was to be tried once more.
                    if await self._ledger.bury(errand, entered_before=begun - self._patience.lasting):
                        continue
                    raise MailServerUnavailable if claimed else MailWaits(BLOCKED if due is None else due)
                slept = min(wanted, left) if not claimed else pause
                await asyncio.sleep(slept.total_seconds())
                waited, pause = waited + slept, min(pause * 2, LONGEST_PAUSE)
        return await self._ledger.of_errand(errand)

    async def bury(self, errand: str) -> None:
        """Make dead letters of what is unsent of an errand: no further attempt will be made."""
        await self._ledger.bury(errand)

    async def _due_in(self, errand: str) -> timedelta | None:
        """Return how long until something that was put off is due; None where what waits may go at any instant."""
        first, now = await self._ledger.next_attempt(errand), datetime.now(UTC)
        # Due already and not to be had: an earlier message or the pace of its domain keeps it.
        return first - now if first is not None and first > now else None

    async def _hand_over(self, postman: Postman, claimed: list[Claimed], alive: Callable[[], None]) -> bool:
        """Hand claimed messages over, one after the other, and return whether the server dealt with any.

        One that the server puts off does not hold up those behind it, nor does one at which the connection broke. The
        server is taken to be away when it says so, cannot be reached, or breaks off twice in a row.
        """
        notes = Notes(self._ledger)
        progressed = broke = False
        try:
            for place, one in enumerate(claimed):
                alive()
                try:
                    await postman.send(one.content, self.sender, Mailbox(address=one.mailbox), notes.settled)
                except Refused as refusal:
                    await self._ledger.mark_refused(one.message_id, str(refusal.code), refusal.status)
                except Unavailable as refusal:
                    if not isinstance(refusal, Deferred) and (broke or not refusal.broke):
                        await self._ledger.release([left.message_id for left in claimed[place:]])
                        return progressed
                    broke = refusal.broke
                    await self._put_off(one, refusal)
                    progressed = progressed or not broke
                    continue
                else:
                    notes.accepted(one.message_id)
                progressed, broke = True, False
        finally:
            await notes.settled()
        return progressed

    async def _put_off(self, one: Claimed, refusal: NotSent) -> None:
        code = str(refusal.code) if refusal.code else None
        if one.deferrals + 1 >= self._patience.deferrals:
            await self._ledger.give_up(one.message_id, code, refusal.status)
            return
        until = datetime.now(UTC) + self._patience.pause_after(one.deferrals)
        await self._ledger.defer(one.message_id, until, code, refusal.status)


def _entered(mail: Mail, known: frozenset[Named]) -> bool:
    people = {(mail.uid, mail.sequence, mail.method, who) for who in mail.participants}
    return bool(people) and people <= known


class Notes:
    """Notes an acceptance while the next mail is announced; one at a time."""

    def __init__(self, ledger: MailLedger) -> None:
        self._ledger = ledger
        self._noting: asyncio.Task[None] | None = None

    def accepted(self, message_id: str) -> None:
        """Begin to note a message as sent."""
        assert self._noting is None
        self._noting = asyncio.create_task(self._ledger.mark_sent([message_id], datetime.now(UTC)))

    async def settled(self) -> None:
        """Return when what was accepted is noted; raises what noting it failed with."""
        if self._noting is not None:
            # Whoever waits may be cancelled; what was accepted is noted all the same.
            noting = self._noting
            try:
                await asyncio.shield(noting)
            finally:
                if noting.done():
                    self._noting = None
