"""Sending what the mail ledger holds: each message once, those to one mailbox in their order, resumed after a crash.

A worker killed between the server's acceptance and our note may send a message again: with the same Message-ID and the
same octets.
"""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from domain.mailbox import Mailbox
from notices.smtp import Postman, Refused, SmtpServer, Unavailable
from storage.mail_ledger import Claimed, Entry, Mail, MailLedger

BATCH = 20
LEASE = timedelta(seconds=60)
PAUSE = timedelta(seconds=1)
LONGEST_PAUSE = timedelta(seconds=8)


class MailServerUnavailable(Exception):
    """The mail server took nothing for a whole attempt; what is unsent stays in the ledger."""


class Outbox:
    """Puts messages into the ledger and hands them to the mail server."""

    def __init__(self, ledger: MailLedger, server: SmtpServer, sender: Mailbox, patience: timedelta) -> None:
        """`patience`: how long one attempt waits for a mail server that does not answer.

        The waiting is done here, within the attempt: a delegation's clock in the demo would skip the pauses between
        attempts, and hundreds of them would be over before the server is back.
        """
        self._ledger = ledger
        self._server = server
        self.sender = sender
        self._patience = patience

    async def enter(self, mails: list[Mail]) -> None:
        """Enter messages; those whose key the ledger knows are passed over."""
        await self._ledger.enqueue(mails)

    async def send(self, issue: str, alive: Callable[[], None]) -> list[Entry]:
        """Send everything of an issue that is not sent yet, and return the issue's lines. Calls `alive` on the way.

        Raises MailServerUnavailable.
        """
        # There is one attempt at a time: what an earlier one held, it will not send any more.
        await self._ledger.release_all(issue)
        async with Postman(self._server) as postman:
            pause, waited = PAUSE, timedelta()
            while await self._ledger.pending(issue):
                alive()
                claimed = await self._ledger.claim(issue, limit=BATCH, lease=LEASE, now=datetime.now(UTC))
                progressed = await self._hand_over(postman, claimed)
                if progressed:
                    pause, waited = PAUSE, timedelta()
                    continue
                # Nothing could be claimed (another sender holds it) or the server is away.
                if waited >= self._patience:
                    raise MailServerUnavailable
                await asyncio.sleep(pause.total_seconds())
                waited, pause = waited + pause, min(pause * 2, LONGEST_PAUSE)
        return await self._ledger.of_issue(issue)

    async def _hand_over(self, postman: Postman, claimed: list[Claimed]) -> bool:
        progressed = False
        for place, one in enumerate(claimed):
            try:
                await postman.send(one.content, self.sender, Mailbox(address=one.mailbox))
            except Refused as refusal:
                await self._ledger.mark_refused(one.message_id, str(refusal.code))
            except Unavailable:
                await self._ledger.release([left.message_id for left in claimed[place:]])
                return progressed
            else:
                await self._ledger.mark_sent([one.message_id], datetime.now(UTC))
            progressed = True
        return progressed
