"""The programme as its pages show it: items by day, on the clocks that matter, with their drafts and collisions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from babel.core import get_global

from api.installation import Installation
from api.pages.reader import Reader
from domain.lanes import By, lanes_of
from domain.meanwhile import item_seen
from domain.programme import Draft, clashes, drafted
from domain.rules import Edition
from domain.state import Delegation, Item
from domain.transfers import too_short
from domain.values import Moment, clock_of
from locales import Translator, mark, translator
from storage.persons import Person
from words.codes import AUDIENCE_GROUPS, PERSON_ROLES, word

DRAFTS: dict[Draft, str] = {
    "new": mark("draft: new"),
    "changed": mark("draft: changed"),
    "gone": mark("draft: taken off"),
}

MOST_DAYS = 60
"""Days that are listed one by one, though nothing stands in them."""


@dataclass(frozen=True)
class Clock:
    """A clock beside that of the place: whose it is, and what it shows when an item begins and ends."""

    whose: str
    starts: datetime
    ends: datetime


@dataclass(frozen=True)
class Row:
    """An item as pages show it. `starts` and `ends` are on the clocks of their own places, `beside` on others.

    `draft` is what was drafted since the last publication. `marks` are what it collides with: a word, and a
    sentence. `drawn_until` is where it ends on the clock on which it begins. `over_days` says that it goes on after
    midnight.
    """

    item: Item
    starts: datetime
    ends: datetime
    beside: tuple[Clock, ...]
    draft: Draft | None
    marks: tuple[tuple[str, str], ...]
    lanes: tuple[str, ...]
    seen: str

    @property
    def day(self) -> date:
        """The day of the place in which it begins."""
        return self.starts.date()

    @property
    def drawn_until(self) -> datetime:
        """Its end on the clock of the place where it begins."""
        return self.ends.astimezone(self.starts.tzinfo)

    @property
    def over_days(self) -> bool:
        """Whether it goes on after the midnight of its first day."""
        first = self.day
        until = self.drawn_until
        return until.date() > first and not (
            until.date() == first + timedelta(days=1) and (until.hour, until.minute) == (0, 0)
        )

    @property
    def minutes(self) -> int:
        """How long it lasts."""
        return int((self.item.ends.instant - self.item.starts.instant).total_seconds()) // 60


def rows_of(state: Delegation, edition: Edition, words: Translator, by: By = "place") -> tuple[Row, ...]:
    """Return every item that stands, or that people still have in their calendars, in the order of the day.

    `edition` has the rules of the file, by which a way may be too short.
    """
    collisions = _collisions(state, edition, words)
    guests = guest_zones(state)
    shown = [item for item in state.items.values() if not item.cancelled or drafted(state, item.id)]
    rows = [_row(state, item, words, by, guests, collisions.get(item.id, ())) for item in shown]
    return tuple(sorted(rows, key=lambda row: (row.day, row.item.starts.instant, row.item.id)))


def _row(
    state: Delegation,
    item: Item,
    words: Translator,
    by: By,
    guests: Mapping[str, str],
    marks: tuple[tuple[str, str], ...],
) -> Row:
    starts, ends = local(item.starts), local(item.ends)
    return Row(
        item=item,
        starts=starts,
        ends=ends,
        beside=tuple(_beside(state, item, words, guests)),
        draft=drafted(state, item.id),
        marks=marks,
        lanes=lanes_of(state, item, by),
        seen=item_seen(item),
    )


def local(moment: Moment) -> datetime:
    """Return a moment on the clock of its own place."""
    return moment.instant.astimezone(clock_of(moment.zone))


def _beside(state: Delegation, item: Item, words: Translator, guests: Mapping[str, str]) -> Iterable[Clock]:
    shown = {local(item.starts).utcoffset()}
    for whose, zone in (("", state.zone), *guests.items()):
        starts, ends = (moment.instant.astimezone(clock_of(zone)) for moment in (item.starts, item.ends))
        if starts.utcoffset() not in shown:
            shown.add(starts.utcoffset())
            yield Clock(words.country(whose) if whose else words.tr("Hà Nội"), starts, ends)


def guest_zones(state: Delegation) -> dict[str, str]:
    """Return the zone of each country that delegates come from and that has one clock only, by country.

    Of a country with several clocks nobody can tell by which one its people live.
    """
    found = {}
    for country in dict.fromkeys(one.country for one in state.delegates if one.country):
        zones = get_global("territory_zones").get(country, [])
        noon = datetime(state.starts.year, state.starts.month, state.starts.day, 12, tzinfo=clock_of(state.zone))
        if zones and len({noon.astimezone(clock_of(zone)).utcoffset() for zone in zones}) == 1:
            found[country] = zones[0]
    return found


def _collisions(state: Delegation, edition: Edition, words: Translator) -> dict[str, tuple[tuple[str, str], ...]]:
    """Return in words what each item collides with."""
    found: dict[str, list[tuple[str, str]]] = {}
    overlap, short = words.tr(mark("overlap")), words.tr(mark("too little time"))
    for clash in clashes(state):
        count = len(clash.people)
        for here, other in ((clash.first, clash.second), (clash.second, clash.first)):
            title = state.items[other].title
            if count:
                attend = words.ntr("%(count)s person attends both", "%(count)s people attend both", count)
                said = words.tr("Overlaps “%(title)s”: %(people)s.", title=title, people=attend)
            else:
                said = words.tr("Overlaps “%(title)s” at the same place.", title=title)
            found.setdefault(here, []).append((overlap, said))
    for way in too_short(state, edition):
        first, second = state.items[way.first], state.items[way.second]
        said = words.tr(
            "%(minutes)s minutes from “%(first)s” to “%(second)s”: there have to be %(needed)s, by rule %(rule)s.",
            minutes=words.number(way.minutes),
            first=first.title,
            second=second.title,
            needed=words.number(way.needed),
            rule=way.rule.rule,
        )
        for here in (way.first, way.second):
            found.setdefault(here, []).append((short, said))
    return {item: tuple(sentences) for item, sentences in found.items()}


def days_of(state: Delegation, rows: Iterable[Row]) -> tuple[date, ...]:
    """Return the days of the visit, and those before and after it in which something stands, in order."""
    length = min((state.ends - state.starts).days + 1, MOST_DAYS)
    visit = {state.starts + timedelta(days=number) for number in range(length)}
    return tuple(sorted(visit | {row.day for row in rows}))


async def names_of(at: Installation, state: Delegation, reader: Reader) -> dict[str, str]:
    """Return what everybody on the file is called, by their id on it; by part and id to whoever may see no names."""
    words = translator(reader.language)
    refs = [person.person.ref for person in state.people.values()]
    known = await at.persons.get_many(refs) if reader.sees_personal_data else {}
    found = {}
    for who, person in state.people.items():
        entry = known.get(person.person.ref)
        found[who] = (
            entry.details.full_name
            if isinstance(entry, Person)
            else words.tr("%(role)s %(id)s", role=word(PERSON_ROLES, person.role, words), id=who)
        )
    return found


def audience_of(state: Delegation, item: Item, names: Mapping[str, str], words: Translator) -> str:
    """Return for whom an item is, in words: its groups, and people by name."""
    groups = [words.tr(AUDIENCE_GROUPS[group]) for group in item.audience.groups]
    people = [names.get(who, who) for who in item.audience.people]
    return words.listing([*groups, *people])


def lane_name(by: By, lane: str, names: Mapping[str, str], words: Translator) -> str:
    """Return what stands at the head of a lane."""
    if lane:
        return words.tr(AUDIENCE_GROUPS[lane]) if by == "group" else names.get(lane, lane) if by != "place" else lane
    return words.tr(
        {
            "place": mark("no place yet"),
            "host": mark("without a host"),
            "driver": mark("without a driver"),
            "group": mark("for single people"),
        }[by]
    )
