"""Reading the organizer's mailbox: first into the register, then, mail by mail, to the files it is about.

Between the two lies the register: what was fetched is not lost when a file is out of reach, and what cannot be carried
out holds nothing up. The mailbox may be down, the store too: both are waited for.
"""

import asyncio
import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

from temporalio import activity

from activities.beating import beating
from activities.replies import FileUnreachable, Replies
from calendars.received import body_of, message_id_of
from notices.imap import Fetched, MailboxUnavailable, Postbox
from storage.errors import StoreUnavailable
from storage.received_mail import LONGEST_PATIENCE, Arrived, ReceivedMail, Waiting
from workflows import ports
from workflows.ports import MailboxInput, MailRead

AT_ONCE = 10
RETRY = timedelta(seconds=30)


class Mailroom:
    """Reads the mailbox and carries out what came."""

    def __init__(self, postbox: Postbox | None, register: ReceivedMail, replies: Replies, pause: timedelta) -> None:
        """`postbox` is None where the settings name no mailbox; `pause` lies between two looks."""
        self._postbox = postbox
        self._register = register
        self._replies = replies
        self._pause = pause
        self._is_away = False

    @activity.defn(name=ports.READ_MAILBOX)
    async def read(self, asked: MailboxInput) -> MailRead:
        """Look into the mailbox and work off what came, again and again until the time is over."""
        ends, taken, filed = monotonic() + asked.seconds, 0, 0
        async with beating():
            while True:
                taken += await self._collect()
                filed += await self._work_off()
                if monotonic() >= ends or self._postbox is None or await self._is_ending(self._pause):
                    return MailRead(taken=taken, filed=filed)

    async def _is_ending(self, pause: timedelta) -> bool:
        """Wait; return at once, with True, when this worker is to end."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(pause.total_seconds()):
                await activity.wait_for_worker_shutdown()
                return True
        return False

    async def _collect(self) -> int:
        """Bring what is new in the mailbox into the register; return how many mails were new there."""
        taken = 0
        try:
            while self._postbox is not None:
                looked = await asyncio.to_thread(self._postbox.look, await self._register.place(self._postbox.mailbox))
                mails = [_arrived(mail, looked.uidvalidity) for mail in looked.mails]
                new = await self._register.take(self._postbox.mailbox, looked.uidvalidity, looked.up_to, mails)
                if mails:
                    # Not earlier: marked as seen is what the register has.
                    await asyncio.to_thread(self._postbox.mark, [mail.uid for mail in mails])
                taken += len(new)
                self._is_away = False
                if not looked.more:
                    break
        except (MailboxUnavailable, StoreUnavailable) as error:
            if not self._is_away:
                activity.logger.warning("the mailbox is read later: %s", type(error).__name__)
            self._is_away = True
        return taken

    async def _work_off(self) -> int:
        filed = 0
        with contextlib.suppress(StoreUnavailable):
            while mails := await self._register.due(datetime.now(UTC), limit=AT_ONCE):
                for mail in mails:
                    filed += await self._carry_out(mail)
        return filed

    async def _carry_out(self, mail: Waiting) -> bool:
        now = datetime.now(UTC)
        try:
            became = await self._replies.carry_out(mail)
        except FileUnreachable as unreachable:
            if now - mail.received_at < LONGEST_PATIENCE:
                await self._register.later(mail.ref, now, RETRY)
                return False
            became = replace(unreachable.about, outcome="review", reason="file_unreachable")
        except StoreUnavailable:
            raise
        except Exception as error:  # noqa: BLE001 - one mail waits for its next attempt, whatever broke
            # Neither its text nor its trace: they may hold what people wrote.
            activity.logger.error("a mail could not be worked off: %s", type(error).__name__)
            return False
        await self._register.file(mail.ref, became)
        return True


def _arrived(mail: Fetched, uidvalidity: int) -> Arrived:
    nameless = f"{uidvalidity}/{mail.uid}".encode()
    return Arrived(
        uid=mail.uid,
        message_id=message_id_of(mail.octets),
        body=body_of(mail.octets) or mail.octets or nameless,
        octets=mail.octets,
        reason=mail.reason,
    )
