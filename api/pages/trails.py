"""The trail of a file: what happened, the file as it was, and what proves both."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import StreamingResponse

from activities.checkpoint_log import CheckpointLog
from api.access import ALLOWED, Actor
from api.checkpoints import (
    CheckpointsQuery,
    CheckpointView,
    DutyView,
    InclusionQuery,
    list_checkpoints,
    prove_inclusion,
)
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.frame import show_part
from api.pages.past import Past, Then, past_of
from api.pages.reader import reader_of
from api.pages.rendering import HEADERS, show
from api.pages.route import PageRoute
from api.pages.timeline import Told, by_day, in_words, names_on, with_texts
from api.pages.typed import Typed, day_of, instant_of
from api.problems import Problem
from api.reading import (
    Reading,
    ToldTrailQuery,
    TrailEntry,
    reader_in,
)
from audit.merkle import includes
from domain.decision import PARTICIPANT, SYSTEM
from domain.seal import ChainBroken, SealedEvent, genesis, verify_chain
from domain.sign_in import Acting
from domain.state import Delegation
from locales import mark, translator
from storage.checkpoints import Checkpoints
from storage.queries import File, Wanted
from words.codes import word
from words.events import Names
from words.events import Reader as Teller
from words.health import FAILURES

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = 30
"""Events on one page of the timeline."""

LONGEST_WORDS = 80

LOOKED_THROUGH = 600
"""Events that one request looks through for words: each has to be told for it, which takes a millisecond."""

AT_A_TIME = 100
"""Events told before it is asked whether a page is full."""

Seq = Annotated[int, Path(ge=1, le=2**31 - 1)]
Order = Literal["newest", "story"]

KINDS: dict[str, tuple[str, str]] = {
    "request": (
        mark("The request"),
        (
            "DelegationOpened RequestRevised DocumentAttached LimitJustified RequestSubmitted RequestWithdrawn"
            " ChangeSubmitted ChangeSuperseded FactObserved RulesAdopted"
        ),
    ),
    "approval": (
        mark("Approval and decision"),
        (
            "StepSigned StepReturned StepRejected ExternalDecisionRecorded StepEscalated SignaturesVoided StandInsNoted"
            " DeskMoved DeskReturned SignOffRefused DecisionIssued DelegationRejected"
        ),
    ),
    "people": (
        mark("People on the file"),
        "MemberAdded MemberReplaced MemberWithdrawn ParticipantAppointed ParticipantReleased CoordinatorChanged",
    ),
    "programme": (
        mark("The programme"),
        "ItemScheduled ItemMoved ItemRevised ItemCancelled ItemRestored ProgrammePublished",
    ),
    "invitations": (
        mark("Invitations and answers"),
        (
            "DelegationInvited QuietWindowOpened QuietWindowClosed InvitationsIssued InvitationsDelivered ChannelChosen"
            " ReplyRecorded"
        ),
    ),
    "letters": (
        mark("Letters, notices and formalities"),
        "DocumentRendered NoticeSent MailResent MailBounced EffectFailed FormalityRecorded",
    ),
    "deadlines": (
        mark("Due dates"),
        "DeadlineSet DeadlineLifted DeadlineMet DeadlineReminded DeadlineMissed DeadlineEscalated",
    ),
    "money": (mark("Money"), "CeilingSet"),
    "report": (mark("The report"), "ReportFiled ReportReturned ReportAccepted"),
    "journey": (
        mark("The journey and the file itself"),
        (
            "DelegationDeparted DelegationConcluded DelegationPostponed DelegationResumed DelegationCancelled"
            " DelegationClosed DelegationReopened"
        ),
    ),
}
"""What the types of events are about, as people look for them; each has one kind."""

NO_DAY = mark("Write a day as 26/3/2026.")
NO_INSTANT = mark("Write a day and a time, as 26/3/2026 12:00.")


@dataclass(frozen=True)
class Asked:
    """What the address asks for: which entries, in which order, from where on; and the instant the file is shown at.

    `typed` is what stands in the form. Days and `as_of` are read in the file's zone; `until` is a day that counts
    whole. `errors` are (field, sentence).
    """

    typed: Typed
    order: Order
    kind: str
    actor: str
    about: str
    words: str
    since: datetime | None
    until: datetime | None
    cursor: int
    then: Then
    errors: tuple[tuple[str, str], ...]

    @classmethod
    def read(cls, request: Request, zone: str) -> "Asked":
        """Return what was asked for; what no form of ours sends is as if it was not said."""
        typed, here = Typed(list(request.query_params.multi_items())), ZoneInfo(zone)
        tr = translator(reader_of(request).language).tr
        errors: list[tuple[str, str]] = []

        def day(name: str, *, after: int = 0) -> datetime | None:
            text = typed.get(name, "").strip()
            if not text:
                return None
            # The day after has to be within the calendar too.
            if (found := day_of(text)) is None or not 1990 <= found.year <= 2198:
                errors.append((name, tr(NO_DAY)))
                return None
            return datetime.combine(found + timedelta(days=after), time(), here)

        since, until = day("since"), day("until", after=1)
        as_of = instant_of(typed.get("as_of", ""), here)
        if typed.get("as_of", "").strip() and as_of is None:
            errors.append(("as_of", tr(NO_INSTANT)))
        return cls(
            typed=typed,
            order="story" if typed.get("order") == "story" else "newest",
            kind=typed.get("kind", "") if typed.get("kind") in KINDS else "",
            actor=typed.get("actor", "")[:64].strip(),
            about=typed.get("about", "")[:80].strip(),
            words=typed.get("words", "").strip()[:LONGEST_WORDS],
            since=since,
            until=until,
            cursor=_number(typed.get("cursor", "")),
            then=Then(_number(typed.get("seq", "")), as_of, _number(typed.get("to", ""))),
            errors=tuple(errors),
        )

    @property
    def narrowed(self) -> bool:
        """Whether some entries are left out."""
        return any((self.kind, self.actor, self.about, self.words, self.since, self.until))

    @property
    def types(self) -> tuple[str, ...]:
        """The types of events that are asked for; none where all are."""
        return tuple(KINDS[self.kind][1].split()) if self.kind else ()

    @property
    def wanted(self) -> Wanted:
        """Which events are asked for, but for the words that they are told in."""
        return Wanted(self.types, self.actor, self.about, self.since, self.until)

    @property
    def query(self) -> ToldTrailQuery:
        """The same as the API asks for it."""
        said: dict[str, Any] = {"actor": self.actor, "about": self.about, "words": self.words}
        said |= {"since": self.since, "until": self.until, "type": list(self.types)}
        return ToldTrailQuery.model_validate({name: value for name, value in said.items() if value})


@dataclass(frozen=True)
class Found:
    """A page of entries in the order that is asked for. `more` is the cursor of the next one, None at the end.

    `looked` are the number of the entry as far as which words were looked for, and how many entries that were, where
    the page is not full and they were not looked for in all.
    """

    told: tuple[Told, ...]
    more: int | None
    looked: tuple[int, int] | None = None


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


@router.get("/delegations/{delegation}/trail")
async def show_trail_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show what happened to a file, page by page, and the file as it was after an event or at an instant."""
    asked = Asked.read(request, file.state.zone)
    state = file.state
    names = await names_on(request, at, state)
    past, wrong = await past_of(request, at, file, asked.then, names)
    if asked.typed.get("part") == "then":
        # The script that follows the thumb asks for nothing else.
        return show(request, "then.html", state=state, seq=file.head.seq, **_ends(file, past))
    teller = await reader_in(translator(reader_of(request).language), state, at, names)
    things = _things(request, state, teller)
    found = await _page(at, file, asked, teller)
    return await show_part(
        request,
        at,
        file,
        actor,
        "trail.html",
        "/trail",
        asked=asked,
        days=by_day(await with_texts(request, at, state.id, found.told)),
        more=found.more,
        looked=found.looked,
        link_of=lambda **changed: _link(asked, **changed),
        export=_link(asked, cursor="", seq="", to="", as_of="", order=""),
        actors=await _actors(request, at, state, names),
        kinds=[(name, title) for name, (title, _) in KINDS.items()],
        things=things,
        sealed=await _sealed(at, file),
        errors=[*asked.errors, *wrong],
        **_ends(file, past),
    )


@router.get("/delegations/{delegation}/trail/export")
async def export_trail_by_page(file: KnownFile, request: Request, at: At) -> Response:
    """Send the entries that the address asks for, all of them: as a sheet with `format=csv`, else as JSON.

    In the language of the page, which may be another one than the browser's, with the names that its reader may read.
    """
    asked = Asked.read(request, file.state.zone)
    if asked.errors:
        raise Problem("not_found")
    words = translator(reader_of(request).language)
    teller = await reader_in(words, file.state, at, await names_on(request, at, file.state))
    reading = await Reading.of(at, file, asked.query, teller)
    ending: Literal["csv", "json"] = "csv" if asked.typed.get("format") == "csv" else "json"
    headers = HEADERS | {
        "Content-Disposition": f'attachment; filename="{file.state.id}-trail.{ending}"',
        "Content-Language": words.language,
        "Cache-Control": "no-store",
    }
    if ending == "csv":
        return StreamingResponse(reading.sheet(), media_type="text/csv; charset=utf-8", headers=headers)
    return StreamingResponse(_as_json(file, reading), media_type="application/json", headers=headers)


async def _as_json(file: File, reading: Reading) -> AsyncIterator[bytes]:
    yield json.dumps({"delegation": file.state.id, "head": file.head.model_dump()})[:-1].encode() + b', "items": ['
    comma = b"\n"
    async for entry in reading.entries():
        yield comma + entry.model_dump_json().encode()
        comma = b",\n"
    yield b"\n]}\n"


@router.get("/delegations/{delegation}/trail/verification")
async def show_verification_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show what vouches for a file: its chain, checkpoints, archived runs; and the evidence to take away."""
    events = await at.queries.events(file.state.id)
    broken = await asyncio.to_thread(_broken, file, events)
    duties, words = await _duties(at, actor), translator(reader_of(request).language)
    return await show_part(
        request,
        at,
        file,
        actor,
        "verification.html",
        "/trail",
        broken=broken,
        head_hash=file.head.hash,
        sealed=await _sealed(at, file),
        duties=duties,
        runs=await at.archived_runs.of(file.state.id),
        failures=lambda code: word(FAILURES, code, words),
        may_fetch_runs=_may("fetch_archived_run", actor),
        may_export=_may("export_evidence", actor),
        may_export_documents=_may("export_evidence_with_documents", actor),
    )


@router.get("/delegations/{delegation}/trail/{seq}")
async def show_proof_page(seq: Seq, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show one entry and what proves it: its seal, its place in a checkpoint, and the event of a history."""
    if seq > file.head.seq:
        raise Problem("not_found")
    words = translator(reader_of(request).language)
    teller = await reader_in(words, file.state, at, await names_on(request, at, file.state))
    query = ToldTrailQuery(after=seq - 1, limit=1)
    try:
        reading = await Reading.of(at, file, query.model_copy(update={"proof": True}), teller)
        away = False
    except Problem:
        # Without Temporal's server histories cannot be read; everything else still proves.
        reading, away = await Reading.of(at, file, query, teller), True
    entry = await anext(reading.entries())
    [told] = await with_texts(request, at, file.state.id, in_words([entry], teller))
    try:
        inclusion = await prove_inclusion(file, seq, InclusionQuery(checkpoint=None), at)
    except Problem:
        inclusion = None
    [sealed] = await at.queries.events(file.state.id, after=seq - 1, limit=1)
    return await show_part(
        request,
        at,
        file,
        actor,
        "proof.html",
        "/trail",
        told=told,
        sealed=sealed,
        away=away,
        inclusion=inclusion,
        holds=inclusion is not None
        and includes(
            bytes.fromhex(inclusion.leaf),
            inclusion.position,
            inclusion.checkpoint.size,
            [bytes.fromhex(one) for one in inclusion.proof],
            bytes.fromhex(inclusion.checkpoint.root),
        ),
    )


async def _page(at: Installation, file: File, asked: Asked, teller: Teller) -> Found:
    """Return a page of entries."""
    newest, most = asked.order == "newest", LOOKED_THROUGH if asked.words else PAGE + 1
    numbers = await at.queries.event_numbers(
        file.state.id, asked.wanted, beyond=asked.cursor, newest=newest, limit=most
    )
    reading, entries, looked = await Reading.of(at, file, asked.query, teller), list[TrailEntry](), 0
    for some in (numbers[first : first + AT_A_TIME] for first in range(0, len(numbers), AT_A_TIME)):
        told = [entry async for entry in reading.told(some) if reading.finds(entry)]
        entries += reversed(told) if newest else told
        looked += len(some)
        if len(entries) > PAGE:
            return Found(tuple(in_words(entries[:PAGE], teller)), entries[PAGE - 1].seq)
    told_of = tuple(in_words(entries, teller))
    if asked.words and looked == most:
        return Found(told_of, numbers[-1], (numbers[-1], looked))
    return Found(told_of, None)


async def _actors(request: Request, at: Installation, state: Delegation, names: Names) -> list[tuple[str, str]]:
    called = {one: names.account(one) for one in await at.queries.actors(state.id)}
    if SYSTEM in called:
        called[SYSTEM] = translator(reader_of(request).language).tr(mark("(by itself)"))
    return sorted(called.items(), key=lambda one: (one[0] == SYSTEM, one[0].startswith(PARTICIPANT), one[1].casefold()))


def _things(request: Request, state: Delegation, teller: Teller) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what entries may be about, by its kind: (heading, [(id, what it is called)])."""
    words = translator(reader_of(request).language)
    proposals = [one for one in (state.proposal, state.amendment, state.amended) if one]
    steps = {step.id: teller.rules.step(step.id) for one in proposals for step in one.steps}
    groups = (
        (words.tr(mark("Steps of approval")), list(steps.items())),
        (words.tr("People"), [(one, teller.person(one)) for one in state.people]),
        (words.tr("Programme"), [(one.id, f"{one.title} ({one.id})"[:90]) for one in state.items.values()]),
        (words.tr("Documents"), [(one, one) for one in state.documents]),
    )
    return [(title, things) for title, things in groups if things]


def _link(asked: Asked, **changed: object) -> str:
    """Return what stands behind the `?` of an address that asks for the same but for what is changed."""
    said = dict(asked.typed) | {"said": ""} | changed
    return urlencode({name: value for name, value in said.items() if value})


def _ends(file: File, past: Past | None) -> dict[str, Any]:
    """Return between which times the file can be shown, on its own clock."""
    zone = ZoneInfo(file.state.zone)
    return {"past": past, "now": file.updated_at.astimezone(zone), "begun": file.state.opened_at.astimezone(zone)}


@dataclass(frozen=True)
class Sealed:
    """How far checkpoints hold a file: entries 1 to `seq`, by `checkpoint`; neither where none has it yet."""

    seq: int
    checkpoint: CheckpointView | None
    at: datetime | None


async def _sealed(at: Installation, file: File) -> Sealed:
    spans = await Checkpoints(at.database).spans(file.state.id)
    if not spans:
        return Sealed(0, None, None)
    checkpoint = await CheckpointLog(at.database).get(spans[-1].checkpoint)
    view = CheckpointView.model_validate(checkpoint.model_dump())
    return Sealed(spans[-1].last_seq, view, datetime.fromisoformat(view.at))


async def _duties(at: Installation, actor: Acting) -> list[DutyView]:
    """Return what keeps checkpoints from being made or shown; where it failed only as far as the reader may know."""
    found = await list_checkpoints(CheckpointsQuery(after=2**31 - 1, limit=1), actor, at)
    return [one for one in found.duties if one.failure]


def _broken(file: File, events: Sequence[SealedEvent]) -> ChainBroken | None:
    """Return where the chain does not hold, from the first event to the one that the read tables stand at."""
    try:
        head = verify_chain(genesis(file.state.id), events)
    except ChainBroken as broken:
        return broken
    # What was sealed since the file was read is in the journal already.
    at_head = events[file.head.seq - 1].hash if len(events) >= file.head.seq else ""
    return None if at_head == file.head.hash else ChainBroken(head.seq, "the read tables stand elsewhere")


def _may(route: str, actor: Acting) -> bool:
    return not set(actor.roles).isdisjoint(ALLOWED[route])
