"""Calendars told of a programme: one iMIP message for each item and mailbox, through the mail ledger.

RFC 5546 for what is said, RFC 6047 for how it travels. What is sent is made from the file as it stood at the event
that asked for it, so every attempt makes the same octets.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from types import MappingProxyType

from activities.house import House
from activities.outbox import Outbox
from activities.trail import Standing, standing_at
from calendars.imip import calendar_part, message_id
from calendars.itip import Answer, Attendee, cancel, request
from calendars.views import shown, uid_of, view_hash
from domain.commands import RecordDelivery
from domain.events import CalendarMessage, CalendarView, InvitationsIssued
from domain.mailbox import Mailbox
from domain.state import Delegation
from domain.values import Language
from domain.views import notes_for
from notices.contents import ItemFacts, ItineraryCancelled, ItineraryChanged, ItineraryRequest, NoticeName
from notices.message import compose
from notices.render import render
from storage.feeds import Feeds, Subject
from storage.journal import Journal
from storage.mail_ledger import Mail
from storage.mail_rows import HANDED_OVER, NOT_REACHED
from storage.persons import Person, Persons
from workflows.ports import CarryOutInput, errand_of

PARTSTAT: dict[str, Answer] = {"accepted": "ACCEPTED", "declined": "DECLINED", "tentative": "TENTATIVE"}
AT_ONCE = 50
"""Messages composed between two signs of life."""


class Invitations:
    """Carries out `issue_calendars`."""

    def __init__(self, journal: Journal, persons: Persons, outbox: Outbox, house: House, feeds: Feeds) -> None:
        """Take the collaborators of this installation."""
        self._feeds = feeds
        self._journal = journal
        self._persons = persons
        self._outbox = outbox
        self._house = house

    async def issue_calendars(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordDelivery:
        """Send one issue of calendar messages; `refused` names those it could not reach.

        Raises MailServerUnavailable.
        """
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        assert isinstance(stood.event, InvitationsIssued)
        issue = errand_of(asked)
        people = await self._reachable(stood.after)
        letters = Composing(stood, issue, people, self._house, await self._pages(stood))
        unreached = {who for message in stood.event.messages for who in message.to if who not in people}
        batches = letters.batches()
        known = await self._outbox.entered(issue)
        while batch := await asyncio.to_thread(next, batches, None):
            alive()
            await self._outbox.enter(batch, known)
        lines = await self._outbox.send(issue, alive)
        refused = unreached | {who for line in lines if line.status in NOT_REACHED for who in line.participants}
        return RecordDelivery(
            issue=stood.event.issue,
            sent=sum(line.status in HANDED_OVER for line in lines),
            refused=tuple(sorted(refused)),
        )

    async def composed(self, asked: CarryOutInput) -> list[Mail]:
        """Return the messages of an issue as they are composed now: to the addresses that the register has today."""
        stood = await standing_at(self._journal, asked.delegation, asked.effect.seq)
        people, pages = await self._reachable(stood.after), await self._pages(stood)
        composing = Composing(stood, errand_of(asked), people, self._house, pages)
        return await asyncio.to_thread(lambda: [mail for batch in composing.batches() for mail in batch])

    async def _pages(self, stood: Standing) -> dict[str, str]:
        """Return the addresses of the pages of those who are asked, by participant; none for a page that was revoked.

        They are the same each time, as long as nobody gives a page another address.
        """
        assert isinstance(stood.event, InvitationsIssued)
        asked = {who for message in stood.event.messages if message.method == "REQUEST" for who in message.to}
        file = stood.after
        wanted = {Subject.page(file.id, who, file.people[who].person.ref): who for who in sorted(asked)}
        entries = await self._feeds.ensure(list(wanted))
        tokens = {wanted[subject]: self._feeds.token_of(entry) for subject, entry in entries.items()}
        return {who: self._house.own_page(token) for who, token in tokens.items() if token}

    async def _reachable(self, file: Delegation) -> dict[str, Person]:
        found = await self._persons.get_many([one.person.ref for one in file.people.values()])
        return {
            one.id: person for one in file.people.values() if isinstance(person := found.get(one.person.ref), Person)
        }


class Composing:
    """Makes the messages of one issue: pure, given the file as it stood and the people's details."""

    def __init__(
        self,
        stood: Standing,
        issue: str,
        people: dict[str, Person],
        house: House,
        pages: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """`pages` are the addresses of the people's own pages, by participant."""
        self._pages = pages
        self._stood = stood
        self._issue = issue
        self._house = house
        self._at: datetime = stood.sealed.instant
        self._people = people
        self._mailboxes = {
            who: Mailbox(address=person.details.email, name=person.details.full_name) for who, person in people.items()
        }

    def batches(self) -> Iterator[list[Mail]]:
        """Yield the messages in the order in which they are to go out, some at a time."""
        assert isinstance(self._stood.event, InvitationsIssued)
        batch: list[Mail] = []
        for message in self._stood.event.messages:
            for mail in self._of_item(message):
                batch.append(mail)
                if len(batch) >= AT_ONCE:
                    yield batch
                    batch = []
        if batch:
            yield batch

    def _of_item(self, message: CalendarMessage) -> Iterator[Mail]:
        """Yield one message for each mailbox: two people who share one get it once, with both named."""
        reached = sorted((who for who in message.to if who in self._mailboxes), key=self._key)
        for key, group in groupby(reached, key=self._key):
            named = tuple(group)
            holders = tuple(who for who in self._stood.after.told[message.item_id].holders if self._key(who) == key)
            if message.method == "CANCEL" and holders:
                # Somebody else at this mailbox still attends: a CANCEL would take the item from them too.
                view = self._stood.after.told[message.item_id].view
                yield self._mail(message, view, "REQUEST", holders)
            elif message.method == "CANCEL":
                yield self._mail(message, message.view, "CANCEL", named)
            else:
                yield self._mail(message, message.view, "REQUEST", holders or named)

    def _key(self, who: str) -> str:
        return self._mailboxes[who].key if who in self._mailboxes else ""

    def _mail(self, message: CalendarMessage, now: CalendarView, method: str, named: tuple[str, ...]) -> Mail:
        uid = uid_of(message.item_id, delegation=self._stood.after.id, domain=self._house.mail_domain)
        notes = self._notes(message.item_id, named) if method == "REQUEST" else ()
        view = shown(now, uid, message.sequence, notes=notes)
        attendees = tuple(self._attendee(who, message.item_id, now) for who in named)
        make = request if method == "REQUEST" else cancel
        ics = make(view, self._house.organizer, attendees, self._at)
        mailbox, language = self._mailboxes[named[0]], self._people[named[0]].details.language
        seen = view_hash(view)
        identity = message_id(
            uid=uid,
            sequence=message.sequence,
            method=method,
            mailbox=mailbox,
            view_hash=seen,
            domain=self._house.mail_domain,
        )
        asks = any(one.answer == "NEEDS-ACTION" for one in attendees)
        notice, facts = self._notice(message, now, method, named[0], language, asks)
        return Mail(
            uid=uid,
            sequence=message.sequence,
            method=method,
            view_hash=seen,
            message_id=identity,
            delegation_id=self._stood.after.id,
            issue=self._issue,
            kind=notice,
            participants=named,
            persons=tuple(self._people[who].ref for who in named),
            mailbox=mailbox.address,
            content=compose(
                render(notice, language, facts),
                sender=self._house.organizer,
                recipient=mailbox,
                message_id=identity,
                date=self._at,
                calendar=calendar_part(ics),
            ),
        )

    def _notes(self, item_id: str, named: tuple[str, ...]) -> tuple[str, ...]:
        """Return the notes that everybody at a mailbox may see."""
        after = self._stood.after
        if (published := after.published.get(item_id)) is None:
            return ()
        each = [notes_for(after, published, who) for who in named]
        return tuple(note for note in each[0] if all(note in theirs for theirs in each))

    def _attendee(self, who: str, item_id: str, now: CalendarView) -> Attendee:
        """Ask for an answer anew only when time or place changed."""
        told = self._stood.before.told.get(item_id)
        reply = self._stood.before.replies.get(f"{who}/{item_id}")
        kept = (
            reply is not None
            and told is not None
            and (told.view.starts, told.view.ends, told.view.place) == (now.starts, now.ends, now.place)
        )
        return Attendee(
            mailbox=self._mailboxes[who],
            language=self._people[who].details.language,
            answer=PARTSTAT[reply.answer] if kept and reply else "NEEDS-ACTION",
        )

    def _notice(
        self, message: CalendarMessage, now: CalendarView, method: str, who: str, language: Language, asks: bool
    ) -> tuple[NoticeName, ItineraryRequest | ItineraryChanged | ItineraryCancelled]:
        common = {
            "recipient": self._people[who].details.full_name,
            "organisation": self._house.name.text(language),
            "delegation": self._stood.after.title,
            "contact": self._house.contact,
            "item": _facts(now),
        }
        told = self._stood.before.told.get(message.item_id)
        if method == "CANCEL":
            return "itinerary_cancelled", ItineraryCancelled.model_validate(common)
        if told and who in told.holders and told.view.mailed() != now.mailed():
            return "itinerary_changed", ItineraryChanged.model_validate(
                {**common, "before": _facts(told.view), "asks_answer": asks}
            )
        return "itinerary_request", ItineraryRequest.model_validate(
            {**common, "asks_answer": asks, "page": self._pages.get(who)}
        )


def _facts(view: CalendarView) -> ItemFacts:
    return ItemFacts(
        title=view.title,
        starts=view.starts,
        ends=view.ends,
        place=view.place or "",
        stay=view.kind == "hotel",
    )
