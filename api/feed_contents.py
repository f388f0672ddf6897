"""What stands in a feed: made from the files as they stand, and kept for as long as they stand so."""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from api.conditional import Representation
from calendars.feeds import Revision, feed
from calendars.views import item_view
from domain.state import Delegation
from domain.values import business_date
from domain.views import Seen, seen_by, seen_by_office
from storage.feeds import Feed, Subject
from storage.file_heads import FileHead
from storage.metadata import utc_now
from storage.registers import Registers

READERS = frozenset({"coordinator", "approver", "administrator"})
"""Roles whose accounts may have a calendar of what is in their reach: those who may see personal data."""

MOST_KEPT = 1_000
"""Calendars that one process keeps."""

LARGEST_KEPT = 32 * 2**20
"""Octets of them together, packed ones too."""


@dataclass(frozen=True)
class Kept:
    """A calendar, and what it was made from: the files' heads, and the day."""

    made_from: tuple[str, ...]
    representation: Representation

    @property
    def octets(self) -> int:
        """What it takes to keep it."""
        one = self.representation
        return len(one.content) + len(one.packed or b"")


class Shelf:
    """Calendars by feed, the ones used last, within both bounds."""

    def __init__(self, most: int = MOST_KEPT, largest: int = LARGEST_KEPT) -> None:
        self._most, self._largest = most, largest
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self.octets = 0

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, feed: str, made_from: tuple[str, ...]) -> Representation | None:
        """Return what was made of exactly this."""
        found = self._kept.get(feed)
        if found is None or found.made_from != made_from:
            return None
        self._kept.move_to_end(feed)
        return found.representation

    def put(self, feed: str, made_from: tuple[str, ...], representation: Representation) -> None:
        """Keep a calendar in place of the one before; those that were not used for longest make room."""
        self._drop(feed)
        kept = Kept(made_from, representation)
        if kept.octets > self._largest:
            return
        self._kept[feed] = kept
        self.octets += kept.octets
        while len(self._kept) > self._most or self.octets > self._largest:
            self._drop(next(iter(self._kept)))

    def _drop(self, feed: str) -> None:
        if (gone := self._kept.pop(feed, None)) is not None:
            self.octets -= gone.octets


class FeedContents:
    """Makes the calendars of one installation.

    `domain` is the sending domain, by which items are named in every channel; `zone` that of the business; `name` what
    a calendar of several files is called; `lasting` how long a visit stands in calendars after its last day.
    """

    def __init__(self, registers: Registers, *, domain: str, zone: str, name: str, lasting: timedelta) -> None:
        self._registers = registers
        self._domain, self._zone, self._name, self._lasting = domain, zone, name, lasting
        self.shelf = Shelf()

    async def of(self, entry: Feed) -> Representation | None:
        """Return the calendar of a feed; None where it has none any more.

        So for a visit that is long over, and an account that is disabled or has lost its roles.
        """
        heads = await self._heads(entry.subject)
        if heads is None:
            return None
        now = max([utc_now(), *(head.updated_at for head in heads)])
        if entry.subject.delegation is not None and self.over(heads[0].ends, now):
            return None
        day = now.astimezone(UTC).date().isoformat()
        made_from = (day, str(entry.generation), *(f"{head.id} {head.hash}" for head in heads))
        known = self.shelf.get(entry.id, made_from)
        return known or await self._make(entry, heads, now, made_from)

    def over(self, ends: date, now: datetime) -> bool:
        """Whether a visit stands in no calendar any more, so many days after its last one."""
        return business_date(now, self._zone) > ends + self._lasting

    async def _make(
        self, entry: Feed, heads: list[FileHead], now: datetime, made_from: tuple[str, ...]
    ) -> Representation:
        files: list[Delegation] = []
        as_seen = True
        for head in heads:
            file = await self._registers.queries.get(head.id)
            if file is None:
                continue
            files.append(file.state)
            # The file may have moved on since its head was read: then this is newer, and is not kept under the old one.
            as_seen = as_seen and file.head.hash == head.hash
        # A calendar of many files takes a second: other requests are answered meanwhile.
        representation = await asyncio.to_thread(self._rendered, entry.subject, files, now)
        if as_seen:
            self.shelf.put(entry.id, made_from, representation)
        return representation

    def _rendered(self, subject: Subject, files: Sequence[Delegation], now: datetime) -> Representation:
        revisions = (
            Revision(view=item_view(one, delegation=state.id, domain=self._domain), since=one.since)
            for state in files
            for one in seen_by_subject(subject, state)
        )
        name = files[0].title if subject.delegation is not None and files else self._name
        made = feed(name, self._zone, revisions, now)
        representation = Representation(made.content, made.changed)
        # Packed and tagged here, and kept with it.
        _ = representation.packed, representation.tag
        return representation

    async def _heads(self, subject: Subject) -> list[FileHead] | None:
        """Return where the files stand that a feed is made from; there is one for what is about one delegation."""
        heads = self._registers.file_heads
        if subject.delegation is not None:
            found = await heads.of(subject.delegation)
            return None if found is None else [found]
        begins = business_date(utc_now(), self._zone) - self._lasting
        if subject.kind == "person":
            return await heads.of_person(subject.name, ending_from=begins)
        account = await self._registers.accounts.get(subject.name)
        if account is None or READERS.isdisjoint(account.roles):
            return None
        institution = self._registers.institution
        within = None if account.organisation is None else await institution.subtree(account.organisation, utc_now())
        return await heads.within(within, ending_from=begins)


def seen_by_subject(subject: Subject, state: Delegation) -> tuple[Seen, ...]:
    """Return what of a file stands in a feed about somebody or something."""
    if subject.kind in ("delegation", "account"):
        return seen_by_office(state)
    if subject.kind == "person":
        theirs = [one.id for one in state.people.values() if one.person.ref == subject.person]
        return tuple(seen for who in theirs for seen in seen_by(state, who))
    return seen_by(state, subject.name)
