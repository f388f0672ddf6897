"""Telling owners what happened to their accounts: entered in the register with the change, sent by the worker.

No workflow carries it: a notice is of no delegation, and somebody is to hear of a way in also while Temporal is away.
The row is the outbox; the mail ledger keeps a notice to one mail, whoever sends it and however often.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from activities.house import House
from activities.outbox import MailServerUnavailable, MailWaits, Outbox
from calendars.imip import message_id
from domain.canonical import digest_of
from domain.mailbox import Mailbox
from domain.sign_in import HOST
from domain.text import one_line
from locales import Translator, translator
from notices import contents
from notices.message import compose
from notices.render import render
from storage.account_notices import OwnersNotice
from storage.mail_ledger import Mail
from storage.registers import Registers
from words.account_notices import CONSEQUENCES, HEADLINES

KIND = "account_notice"
LEASE = timedelta(minutes=10)
"""Longer than one attempt of the outbox takes, its shift included."""


class OwnersTold:
    """Sends what owners are to be told of their accounts."""

    def __init__(self, registers: Registers, outbox: Outbox, house: House, zone: str) -> None:
        """`zone` is the business zone, for accounts without one of their own."""
        self._registers = registers
        self._outbox = outbox
        self._house = house
        self._zone = zone

    async def send(self) -> int:
        """Send what waits, and return how many notices are dealt with; the others stay for the next time.

        Dealt with is also what the mail server refuses: the mail ledger shows it with what else did not arrive. Raises
        StoreUnavailable.
        """
        settled = 0
        away = False
        for notice in await self._registers.account_notices.claim(datetime.now(UTC), LEASE):
            mail = await self._mail(notice)
            await self._outbox.enter([mail])
            try:
                if not away:
                    await self._outbox.send(mail.issue, lambda: None)
                    await self._registers.account_notices.done(notice.id)
                    settled += 1
                    continue
            except MailServerUnavailable:
                # The next ones would wait as long for it, and it does not come back for that.
                away = True
            except MailWaits:
                pass
            await self._registers.account_notices.release(notice.id)
        return settled

    async def _whom(self, notice: OwnersNotice, words: Translator) -> str:
        by = notice.done_by
        if by == notice.account:
            return words.tr("your own account")
        if by.startswith(HOST):
            return words.tr(
                "the user %(user)s, on the machine that Legation runs on", user=one_line(by.removeprefix(HOST))
            )
        return (await self._registers.accounts.names([by])).get(by, by)

    async def _mail(self, notice: OwnersNotice) -> Mail:
        mailbox = Mailbox(address=notice.email, name=notice.name)
        uid = f"{KIND}.{notice.id}"
        seen = digest_of([KIND, notice.id])
        identity = message_id(
            uid=uid, sequence=0, method=KIND, mailbox=mailbox, view_hash=seen, domain=self._house.mail_domain
        )
        words = translator(notice.language)
        done = notice.done_at.astimezone(ZoneInfo(notice.zone or self._zone))
        said = contents.AccountNotice(
            recipient=notice.name,
            organisation=self._house.name.text(notice.language),
            contact=self._house.contact,
            account=notice.account,
            headline=words.tr(HEADLINES[notice.what]),
            consequence=words.tr(CONSEQUENCES[notice.what]) if notice.what in CONSEQUENCES else "",
            done=f"{words.date_and_time(done)}, {words.zone_label(done)}",
            by=await self._whom(notice, words),
            link=f"{self._house.first_page}me",
        )
        return Mail(
            uid=uid,
            sequence=0,
            method=KIND,
            view_hash=seen,
            message_id=identity,
            # Of no delegation: a colon stands in no delegation's id.
            delegation_id=f"account:{notice.account}",
            issue=f"{KIND}:{notice.id}",
            kind=KIND,
            participants=(),
            mailbox=notice.email,
            content=compose(
                render("account_notice", notice.language, said),
                sender=self._house.organizer,
                recipient=mailbox,
                message_id=identity,
                date=notice.done_at,
            ),
        )
