"""Where a coordinator's day begins: what waits for them, what is due, who answered, what went wrong, their files."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Request, Response

from api.access import ALLOWED, STAFF, Actor
from api.checklists import tasks_of
from api.desks import PageQuery, inbox_of, sitting_of
from api.files import reach
from api.installation import At, Installation
from api.pages.desks import Cursor, inbox, rows_of
from api.pages.frame import SHAPES
from api.pages.live import mark_of, scope_of
from api.pages.reader import Reader, reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.words import duty, edition_on, left, position_titles, urgency
from domain.institution import Seating
from domain.sign_in import Acting
from domain.state import Phase
from domain.values import business_date
from locales import translator
from storage.dead_letters import DeadLetter, DeadLetterFilters
from storage.desks import DeskFilters, DeskLine
from storage.metadata import utc_now
from storage.persons import Person
from storage.queries import LARGEST_PAGE
from storage.today import Answered, OpenFile

router = APIRouter(route_class=PageRoute, include_in_schema=False)

AHEAD = timedelta(days=14)
"""How far ahead due dates are shown."""

EACH = 5
"""Files of a phase that are shown; the others are a click away."""

MOVES, TASKS, DUE, WAITS, LETTERS, ANSWERS = 6, 8, 12, 8, 5, 8
"""Lines of each part that are shown."""


@dataclass(frozen=True)
class Group:
    """The open files of a phase: how many there are, and those that begin first."""

    phase: Phase
    shape: str
    files: int
    lines: tuple[OpenFile, ...]


@dataclass(frozen=True)
class Replied:
    """What one person answered about one file. `counts` are answers by their code, `about` the items not accepted."""

    delegation: str
    title: str
    name: str
    counts: dict[str, int]
    about: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class Undelivered:
    """Messages of a file to the same people that did not arrive: how many, and of the last one what it was and when."""

    delegation: str
    title: str
    names: tuple[str, ...]
    messages: int
    status: str
    kind: str
    at: datetime


@dataclass(frozen=True)
class Who:
    """What accounts are called, by id, and who sits at the desk of a position now for the files of an organisation.

    Nobody sits at one that is vacant.
    """

    names: dict[str, str]
    seating: Seating

    def at_desk(self, line: DeskLine) -> list[str]:
        """Return who sits at the desk of a position that a file lies on."""
        found = self.seating.holders(line.position, line.organisation) if line.position else ()
        return [self.names[one] for one in found if one in self.names]


@router.get("/")
async def show_first_page(request: Request, actor: Actor, at: At, cursor: Cursor = None) -> Response:
    """Show Today to whoever coordinates or administers, to everybody else what waits for them."""
    if not set(actor.roles) & set(STAFF):
        return await inbox(request, actor, at, cursor)
    return await _today(request, actor, at)


async def _today(request: Request, actor: Acting, at: Installation) -> Response:
    # Before anything is read: what changes meanwhile is news to the page.
    seating = await at.institution.seating(utc_now())
    sitting = await sitting_of(at, actor.id, seating)
    mark = await (await mark_of(at, actor, sitting.seats))()
    today, reader = business_date(utc_now(), at.settings.zone), reader_of(request)
    words = translator(reader.language)
    within = await reach(actor, at)
    scope, edition = scope_of(actor, within), await edition_on(at, today)
    mine = DeskFilters(coordinator=scope.coordinator, signing=True, within=within)
    files = await at.today.files(scope, each=EACH)
    waits = (await at.desks.lines(mine, limit=WAITS + 1)).items
    desks = await at.desks.of([file.id for file in files])
    letters = await at.registers.dead_letters.page(
        DeadLetterFilters(within=within, coordinator=scope.coordinator), limit=LARGEST_PAGE
    )
    undelivered = await _undelivered(at, letters.items)
    moves = await inbox_of(at, actor, sitting, PageQuery(limit=MOVES))
    return show(
        request,
        "today.html",
        mark=mark,
        today=today,
        moves=await rows_of(request, at, moves.items, today),
        more_moves=moves.next_cursor is not None,
        tasks=await tasks_of(at, actor),
        most_tasks=TASKS,
        groups=_groups(files),
        desks=desks,
        due=await at.today.due(scope, until=today + AHEAD, limit=DUE + 1),
        most_due=DUE,
        waits=waits,
        most_waits=WAITS,
        who=await who_is_behind(at, [*waits, *(line for lines in desks.values() for line in lines)], reader, seating),
        letters=undelivered[:LETTERS],
        more_letters=letters.next_cursor is not None or len(undelivered) > LETTERS,
        replies=await _replies(at, await at.today.replies(scope, since=_yesterday(today, at.settings.zone))),
        most_replies=ANSWERS,
        queued=await at.today.to_be_looked_at(scope),
        titles=await position_titles(at, edition),
        duty=partial(duty, edition=edition, translator=words),
        left=partial(left, today, edition=edition, translator=words),
        age=partial(age_of, today, at.settings.zone),
        urgency=partial(urgency, today=today),
        own=scope.coordinator,
        opens=not set(actor.roles).isdisjoint(ALLOWED["open_delegation"]),
    )


def _groups(files: Sequence[OpenFile]) -> list[Group]:
    """Return the phases that have files, in the order in which files come to them."""
    return [
        Group(phase, SHAPES.get(phase, "info"), lines[0].files, lines)
        for phase in Phase
        if (lines := tuple(one for one in files if one.phase == phase))
    ]


def _yesterday(today: date, zone: str) -> datetime:
    """Return when yesterday began, in UTC."""
    return datetime.combine(today - timedelta(days=1), time(), ZoneInfo(zone)).astimezone(UTC)


def age_of(today: date, zone: str, since: datetime) -> int:
    """Return for how many days something has been where it is. In the demo a file's clock is ahead of the wall's."""
    return max(0, (today - business_date(since, zone)).days)


async def who_is_behind(at: Installation, desks: Iterable[DeskLine], reader: Reader, seating: Seating) -> Who:
    """Return who is behind desks, in as many statements for many as for one; no names for who may see none."""
    lines = tuple(desks)
    accounts = {one.account for one in lines if one.account}
    accounts |= {who for one in lines if one.position for who in seating.holders(one.position, one.organisation)}
    accounts |= {one.substitute for line in lines for one in line.substitutes if one.in_force}
    names = {account: account for account in accounts}
    if reader.sees_personal_data:
        names |= await at.accounts.names(accounts)
    return Who(names, seating)


async def _undelivered(at: Installation, letters: Sequence[DeadLetter]) -> list[Undelivered]:
    """Return letters by file and recipients, the newest first: one wrong address spoils every message to it."""
    people = await at.today.people_of({one.delegation_id for one in letters})
    groups: dict[tuple[str, tuple[str, ...]], list[DeadLetter]] = {}
    for one in letters:
        groups.setdefault((one.delegation_id, one.entry.participants), []).append(one)
    refs = {people.get((file, who), "") for file, participants in groups for who in participants}
    known = await at.persons.get_many(refs)

    def name(file: str, who: str) -> str:
        person = known.get(people.get((file, who), ""))
        return person.details.full_name if isinstance(person, Person) else who

    return [
        Undelivered(
            file,
            theirs[0].title,
            tuple(name(file, who) for who in participants),
            len(theirs),
            theirs[0].entry.status,
            theirs[0].entry.kind,
            theirs[0].entry.bounced_at or theirs[0].entry.attempted_at or theirs[0].entry.enqueued_at,
        )
        for (file, participants), theirs in groups.items()
    ]


async def _replies(at: Installation, answers: Sequence[Answered]) -> list[Replied]:
    """Return answers by person and file, those with a refusal first, then the newest."""
    people = await at.persons.get_many({one.person for one in answers if one.person})
    by_person: dict[tuple[str, str], list[Answered]] = {}
    for one in answers:
        by_person.setdefault((one.delegation_id, one.participant), []).append(one)
    found = []
    for theirs in by_person.values():
        # The newest comes first: an earlier answer about the same thing no longer counts.
        last = list({one.item: one for one in reversed(theirs)}.values())
        person = people.get(theirs[0].person or "")
        found.append(
            Replied(
                theirs[0].delegation_id,
                theirs[0].title,
                person.details.full_name if isinstance(person, Person) else theirs[0].participant,
                dict(Counter(one.answer for one in last)),
                tuple(one.item for one in last if one.item and one.answer != "accepted"),
                theirs[0].at,
            )
        )
    return sorted(found, key=lambda one: ("declined" not in one.counts, -one.at.timestamp()))
