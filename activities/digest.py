"""The morning digest: one mail to everybody for whom something waits, once a day by the account's own clock.

The mail ledger keeps it to one: its key is the account and the local day, whatever stood in the mail.
"""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Literal

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.house import House
from activities.outbox import MailServerUnavailable, MailWaits, Outbox
from activities.recipients import context_of
from calendars.imip import message_id
from domain.canonical import digest_of
from domain.desk import COORDINATING, SIGNING_REPORT, seats_of
from domain.digest import digest_due
from domain.mailbox import Mailbox
from domain.person_requests import PersonRequest
from domain.request_events import Term
from domain.state import Delegation, Step
from domain.telling import cannot_answer
from domain.values import business_date
from locales import translator
from notices import contents
from notices.message import compose
from notices.render import render
from storage.accounts import AccountDetails
from storage.desks import DeskFilters, DeskLine
from storage.editions import UnknownEdition
from storage.errors import StoreUnavailable
from storage.mail_ledger import Entry, Mail
from storage.mail_rows import HANDED_OVER, NOT_REACHED
from storage.person_requests import RequestFilters
from storage.queries import LARGEST_PAGE
from storage.registers import Registers
from words.codes import sentence_case, word
from words.requests import KINDS
from workflows import ports
from workflows.ports import Digested, DigestInput

KIND = "digest"
READERS = frozenset({"approver", "coordinator", "administrator"})
FILES_AT_ONCE = 100
LISTED = 30
"""Files that one mail lists; of the rest it says how many there are."""


@dataclass(frozen=True)
class Inbox:
    """What waits for somebody, the most urgent first; `acting_for` are the names of whom they stand in for, by desk.

    `requests` are those of people about their own data, which wait for administrators. `letters` are the steps, by
    file, that an outside authority decides and whose letter the account is to record.
    """

    lines: tuple[DeskLine, ...]
    acting_for: dict[str, str]
    requests: tuple[PersonRequest, ...] = ()
    letters: dict[str, tuple[Step, ...]] = field(default_factory=dict)


class Digests:
    """Sends the digests of one hour."""

    def __init__(self, registers: Registers, outbox: Outbox, house: House, zone: str, hour: int) -> None:
        """`zone` is the business zone, for accounts without one of their own; `hour` the wall clock's, 0 to 23."""
        self._registers = registers
        self._outbox = outbox
        self._house = house
        self._zone = zone
        self._hour = hour

    @activity.defn(name=ports.SEND_DIGESTS)
    async def send(self, asked: DigestInput) -> Digested:
        """Send the digests that are due; a second run for the same hour sends nothing more."""
        try:
            return await self.send_due(asked.now)
        except MailWaits as waits:
            raise ApplicationError("MailWaits", type="MailWaits", next_retry_delay=waits.after) from None
        except (MailServerUnavailable, StoreUnavailable) as error:
            raise ApplicationError(type(error).__name__, type=type(error).__name__) from None

    async def send_due(self, now: datetime) -> Digested:
        """Send what is due at an instant, and return what became of it.

        Raises MailWaits once the others have theirs, if the server puts somebody's off.
        """
        lines: list[Entry] = []
        waiting: list[timedelta] = []
        for account in await self._registers.accounts.actors():
            day = digest_due(now, account.zone or self._zone, self._hour)
            if day is None or account.email is None or not READERS & set(account.roles):
                continue
            activity.heartbeat()
            inbox = await self._inbox(account, now)
            if not inbox.lines and not inbox.requests:
                continue
            mail = self._mail(account, day, self._digest(account, day, inbox, now), now)
            await self._outbox.enter([mail])
            try:
                lines += await self._outbox.send(mail.issue, activity.heartbeat)
            except MailWaits as waits:
                waiting.append(waits.after)
        if waiting:
            raise MailWaits(min(waiting))
        return Digested(
            sent=sum(line.status in HANDED_OVER for line in lines),
            refused=sum(line.status in NOT_REACHED for line in lines),
        )

    async def _inbox(self, account: AccountDetails, now: datetime) -> Inbox:
        try:
            stands = await self._registers.standing.look(account.id, now, on=business_date(now, self._zone))
        except UnknownEdition:
            return Inbox((), {}, await self._requests(account))
        standing_in = {one.position: one.account for one in stands.actor.substitutions if one.in_force}
        own = set(stands.actor.positions)
        within = account.organisation and await self._registers.institution.subtree(account.organisation, now)
        seats = seats_of(stands.actor, await self._registers.institution.seating(now))
        filters = DeskFilters(account=account.id, within=within or None, seats=seats)
        found: list[DeskLine] = []
        cursor = None
        while True:
            page = await self._registers.desks.lines(filters, limit=LARGEST_PAGE, cursor=cursor)
            found += page.items
            if (cursor := page.next_cursor) is None:
                break
        names = {}
        for position in set(standing_in) - own:
            away = await self._registers.accounts.get(standing_in[position])
            names[position] = away.name if away else standing_in[position]
        # Who holds two positions of a step has it once, by their own before one they stand in for.
        once: dict[tuple[str, str], DeskLine] = {}
        for line in sorted(found, key=lambda one: one.position in names):
            once.setdefault((line.delegation_id, line.what), line)
        lines = [line for line in found if once[line.delegation_id, line.what] is line]
        letters: dict[str, tuple[Step, ...]] = {}
        kept: list[DeskLine] = []
        for begin in range(0, len(lines), FILES_AT_ONCE):
            chunk = lines[begin : begin + FILES_AT_ONCE]
            states = await self._registers.queries.of([line.delegation_id for line in chunk])
            files = {one.state.id: one.state for one in states}
            for line in chunk:
                if (file := files.get(line.delegation_id)) is None:
                    continue
                if line.position is None:
                    letters[file.id] = tuple(step for step in file.open_steps if step.plan.external)
                elif await self._cannot_answer(account, file, line.what, now):
                    continue
                kept.append(line)
        return Inbox(tuple(kept), names, await self._requests(account), letters)

    async def _cannot_answer(self, account: AccountDetails, file: Delegation, what: str, now: datetime) -> bool:
        """Whether nobody may be asked to sign this, by the signature's own rule: their own trip, say, or request."""
        stands = await self._registers.standing.look(
            account.id, now, on=business_date(now, file.zone), organisation=file.organisation
        )
        edition = await self._registers.editions.get(file.edition)
        return cannot_answer(file, what, context_of(stands, edition, now)) is not None

    async def _requests(self, account: AccountDetails) -> tuple[PersonRequest, ...]:
        """Return what people ask, what is due first before the rest, for who may see all files and settles it."""
        if "administrator" not in account.roles or account.organisation is not None:
            return ()
        page = await self._registers.person_requests.page(RequestFilters(open=True), limit=LARGEST_PAGE)
        return tuple(sorted(page.items, key=lambda one: _next(one)[1].due_at))

    def _digest(self, account: AccountDetails, day: date, inbox: Inbox, now: datetime) -> contents.Digest:
        # What the law has a date for comes first.
        lines = [self._request_line(one, account, now) for one in inbox.requests]
        lines += [self._line(one, account, inbox, now) for one in inbox.lines]
        return contents.Digest(
            recipient=account.name,
            organisation=self._house.name.text(account.language),
            contact=self._house.contact,
            day=day,
            lines=tuple(lines[:LISTED]),
            files=len({one.delegation_id for one in inbox.lines}),
            requests=len(inbox.requests),
            late=sum(line.missed for line in lines),
            more=max(0, len(lines) - LISTED),
            link=self._house.first_page,
        )

    def _line(self, line: DeskLine, account: AccountDetails, inbox: Inbox, now: datetime) -> contents.DigestLine:
        coordinating = line.what == COORDINATING and line.position is None
        letters = inbox.letters.get(line.delegation_id, ()) if coordinating else ()
        titles = [(one.plan.title_vi, one.plan.title_en) for one in letters]
        titles = titles or [(line.title_vi or "", line.title_en or "")]
        age = business_date(now, self._zone) - business_date(line.since, self._zone)
        return contents.DigestLine(
            delegation=line.title,
            what="letter" if letters else "coordinator" if coordinating else _what(line),
            step=", ".join(title[account.language != "vi"] for title in titles),
            # In the demo a file's clock is ahead of the wall's.
            age_days=max(0, age.days),
            due=line.due_on,
            missed=line.missed,
            acting_for=inbox.acting_for.get(line.position, "") if line.position else "",
            link=self._house.page_of(line.delegation_id, step=None if coordinating else line.what),
        )

    def _request_line(self, request: PersonRequest, account: AccountDetails, now: datetime) -> contents.DigestLine:
        what, term = _next(request)
        age = business_date(now, self._zone) - request.terms.received_on
        return contents.DigestLine(
            delegation=sentence_case(word(KINDS, request.kind, translator(account.language))),
            what=what,
            step=request.id,
            age_days=max(0, age.days),
            due=term.due_on,
            missed=now > term.due_at,
            link=self._house.request_page(request.id),
        )

    def _mail(self, account: AccountDetails, day: date, digest: contents.Digest, now: datetime) -> Mail:
        assert account.email is not None
        mailbox = Mailbox(address=account.email, name=account.name)
        uid = f"{KIND}.{day.isoformat()}.{account.id}"
        seen = digest_of([KIND, account.id, day.isoformat()])
        identity = message_id(
            uid=uid, sequence=0, method=KIND, mailbox=mailbox, view_hash=seen, domain=self._house.mail_domain
        )
        return Mail(
            uid=uid,
            sequence=0,
            method=KIND,
            view_hash=seen,
            message_id=identity,
            # Of no delegation: a colon stands in no delegation's id, and the account's digests have a key of their own.
            delegation_id=f"account:{account.id}",
            issue=f"{KIND}:{account.id}:{day.isoformat()}",
            kind=KIND,
            participants=(),
            mailbox=account.email,
            content=compose(
                render("digest", account.language, digest),
                sender=self._house.organizer,
                recipient=mailbox,
                message_id=identity,
                date=now.astimezone(UTC),
            ),
        )


def _what(line: DeskLine) -> Literal["step", "report"]:
    return "report" if line.what == SIGNING_REPORT else "step"


def _next(request: PersonRequest) -> tuple[Literal["answer_request", "carry_out_request"], Term]:
    """Return what is to be done about a request next, and by when."""
    if request.answered_at is None:
        return "answer_request", request.terms.answer
    return "carry_out_request", request.carry_out
