"""The first page of a file: where it stands, what comes next, and what belongs to it in numbers."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.dead_letters import DeadLetterQuery, list_dead_letters
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.acts import DONE
from api.pages.checklists import work_of
from api.pages.forms import said
from api.pages.frame import Head, head_of, show_part
from api.pages.offers import bar_of
from api.pages.possible import why_not
from api.pages.reader import Reader, reader_of
from api.pages.route import PageRoute
from api.pages.stateline import answers, edition_words, is_late
from api.pages.timeline import accounts_in, names_of
from api.pages.words import left
from api.reading import titles_of
from domain.deadlines import standing
from domain.decision import SYSTEM
from domain.programme import overlaps
from domain.seal import SealedEvent
from domain.state import RESTING, Deadline, Delegation, Phase
from locales import mark, translator
from storage.queries import File
from words.codes import sentence_case
from words.events import Data, sentence_of
from words.events import Reader as Teller

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LATEST = 10
"""Events that the first page tells."""

LOOKED_AT = 120
"""Events that are looked through for them: many are the file's own bookkeeping."""

BOOKKEEPING = frozenset(
    {
        "CeilingSet",
        "DeadlineLifted",
        "DeadlineMet",
        "DeadlineReminded",
        "DeadlineSet",
        "FactObserved",
        "InvitationsDelivered",
        "NoticeSent",
        "QuietWindowClosed",
        "QuietWindowOpened",
        "StandInsNoted",
    }
)
"""Events that follow by themselves, and whose result stands elsewhere on the page; the trail has them all."""

ANCHORS = {
    "opened": mark("the day the file was opened"),
    "submitted": mark("the day the proposal was submitted"),
    "arrival": mark("the first day of the journey"),
    "departure": mark("the last day of the journey"),
    "papers_requested": mark("the day entry papers were asked for"),
    "step_opened": mark("the day it came to this desk"),
}


@dataclass(frozen=True)
class Duty:
    """A due date of the file: what, until when, how that was found, and how it stands."""

    due: Deadline
    title: str
    calculation: str
    late: bool
    left: str
    skipped: int

    @property
    def open(self) -> bool:
        """Whether it is still to be done."""
        return self.due.status in ("open", "missed")


@dataclass(frozen=True)
class Happened:
    """An event of the file as a sentence. `who` is empty where the system did it by itself.

    `more` counts those of its kind that came by the same command before it.
    """

    seq: int
    at: datetime
    who: str
    said: str
    more: int = 0


@dataclass(frozen=True)
class Figures:
    """What belongs to the file, in numbers. `drafts` counts the items that differ from what was published."""

    by_role: tuple[tuple[str, int], ...]
    by_country: tuple[tuple[str, int], ...]
    items: int
    days: int
    drafts: int
    overlapping: int
    answers: Mapping[str, int]


@router.get("/delegations/{delegation}")
async def show_file_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show a file: where it stands, on whose desk, until when; what may be done now, and what belongs to it."""
    state, reader = file.state, reader_of(request)
    head = await head_of(request, at, file, actor)
    rules = edition_words(head.edition, reader.language)
    bar = bar_of(head.possible)
    failed = await list_dead_letters(DeadLetterQuery(limit=5, delegation=state.id), at, actor)
    return await show_part(
        request,
        at,
        file,
        actor,
        "overview.html",
        "",
        head=head,
        bar=bar,
        refusals={one.path: why_not(request, one.refusal, rules) for one in bar.waiting},
        rules=rules,
        said=said(request, DONE),
        duties=tuple(duties(head, state, reader)),
        figures=figures_of(state),
        failed=failed.items,
        failed_more=failed.next_cursor is not None,
        story=await story_of(request, at, file, head),
        **await work_of(request, at, file, actor),
    )


def duties(head: Head, state: Delegation, reader: Reader) -> Iterator[Duty]:
    """Yield the due dates of a file, the earliest first."""
    words, rules = translator(reader.language), edition_words(head.edition, reader.language)
    for one in standing(state):
        late = is_late(one, head.today) and state.phase not in RESTING
        waits = one.status in ("open", "missed")
        yield Duty(
            due=one,
            title=rules.duty(one.what, one.rule.model_dump()),
            calculation=_calculation(one, reader),
            late=late,
            left=left(head.today, one.due_on, head.edition, words) if waits else "",
            skipped=len(one.calculation.skipped) if one.calculation else 0,
        )


def _calculation(due: Deadline, reader: Reader) -> str:
    """How a due date was found: `4 days before the first day of the journey, 6 April 2026`."""
    found, words = due.calculation, translator(reader.language)
    if found is None:
        return ""
    anchor = words.tr(ANCHORS[found.anchor]) if found.anchor in ANCHORS else found.anchor
    told = {"anchor": anchor, "day": words.plain_date(found.anchor_on)}
    ntr, count = words.ntr, found.offset
    match found.unit, found.side:
        case "days", "before":
            return ntr(
                "%(count)s day before %(anchor)s, %(day)s", "%(count)s days before %(anchor)s, %(day)s", count, **told
            )
        case "days", _:
            return ntr(
                "%(count)s day after %(anchor)s, %(day)s", "%(count)s days after %(anchor)s, %(day)s", count, **told
            )
        case _, "before":
            return ntr(
                "%(count)s working day before %(anchor)s, %(day)s",
                "%(count)s working days before %(anchor)s, %(day)s",
                count,
                **told,
            )
    return ntr(
        "%(count)s working day after %(anchor)s, %(day)s",
        "%(count)s working days after %(anchor)s, %(day)s",
        count,
        **told,
    )


def figures_of(state: Delegation) -> Figures:
    """Return what belongs to a file in numbers."""
    active = [one for one in state.people.values() if one.active]
    items = [one for one in state.items.values() if not one.cancelled]
    drafts = [
        one
        for one in state.items.values()
        if one.published
        and ((known := state.published.get(one.id)) is None or known.view != one.view or known.cancelled)
        and not (one.cancelled and (known is None or known.cancelled))
    ]
    return Figures(
        by_role=tuple(Counter(one.role for one in active).items()),
        by_country=tuple(Counter(one.country for one in active if one.delegate and one.country).most_common()),
        items=len(items),
        days=len({one.starts.local[:10] for one in items}),
        drafts=len(drafts),
        overlapping=len({item for one in overlaps(state) for item in (one.first, one.second)}),
        answers=answers(state) if state.phase in (Phase.INVITING, Phase.UNDER_WAY, Phase.REPORTING) else {},
    )


async def story_of(request: Request, at: Installation, file: File, head: Head) -> tuple[Happened, ...]:
    """Return the latest events of a file as sentences, the newest first, without its own bookkeeping."""
    state = file.state
    sealed = await at.queries.events(state.id, after=max(0, file.head.seq - LOOKED_AT))
    runs = [
        list(same)
        for _, same in groupby(
            (one for one in sealed if one.type not in BOOKKEEPING), key=lambda one: (one.type, one.command_id)
        )
    ][-LATEST:]
    accounts = accounts_in(same[-1].data for same in runs) | {same[-1].actor for same in runs}
    names = await names_of(request, at, state, accounts)
    due: dict[str, Data] = {what: one.rule.model_dump() for what, one in state.deadlines.items()}
    rules, words = edition_words(head.edition, reader_of(request).language), translator(reader_of(request).language)
    teller = Teller(words, rules, state.zone, due, names, titles_of(state))

    def happened(event: SealedEvent, more: int) -> Happened:
        who = "" if event.actor == SYSTEM else names.account(event.actor)
        said = sentence_case(sentence_of({"type": event.type, "data": event.data}, teller))
        return Happened(event.seq, event.instant, who, said, more)

    return tuple(happened(same[-1], len(same) - 1) for same in reversed(runs))
