"""The trail of a file: what happened, the file as it was, and what proves both."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Sequence
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
from api.pages.timeline import Told, by_day, in_words, names_of
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
from domain.reading import is_about
from domain.seal import ChainBroken, SealedEvent, genesis, verify_chain
from domain.sign_in import Acting
from domain.state import Delegation
from locales import mark, translator
from storage.checkpoints import Checkpoints
from storage.queries import File
from words.codes import word
from words.edition import EditionWords
from words.events import Reader as Teller
from words.health import FAILURES

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = 30
"""Events on one page of the timeline."""

LONGEST_WORDS = 80

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
    "programme": (mark("The programme"), "ItemScheduled ItemMoved ItemRevised ItemCancelled ProgrammePublished"),
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
"""What the types of events are about, as people look for them."""

OTHER = "other"
OTHERWISE = mark("Anything else")

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
            kind=typed.get("kind", "") if typed.get("kind") in (*KINDS, OTHER) else "",
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

    def takes(self, event: SealedEvent) -> bool:
        """Whether an event is wanted, but for the words that it is told in."""
        return (
            (not self.kind or kind_of(event.type) == self.kind)
            and (not self.actor or event.actor == self.actor)
            and (not self.about or is_about(event, self.about))
            and (self.since is None or event.instant >= self.since)
            and (self.until is None or event.instant < self.until)
        )

    def query(self, types: Iterable[str], **more: Any) -> ToldTrailQuery:
        """Return the same as the API asks for it; `types` are those of the file's own events."""
        wanted = [one for one in dict.fromkeys(types) if not self.kind or kind_of(one) == self.kind]
        said = {"actor": self.actor, "about": self.about, "words": self.words, "since": self.since, "until": self.until}
        # Where the file has none of a kind, no type is asked for that any event has: not every one.
        said |= {"type": (wanted or [self.kind]) if self.kind else []} | more
        return ToldTrailQuery.model_validate({name: value for name, value in said.items() if value})


def kind_of(type: str) -> str:
    """Return what an event of a type is about, by its code in KINDS."""
    return next((name for name, (_, types) in KINDS.items() if type in types.split()), OTHER)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0


@router.get("/delegations/{delegation}/trail")
async def show_trail_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show what happened to a file, page by page, and the file as it was after an event or at an instant."""
    asked = Asked.read(request, file.state.zone)
    past, wrong = await past_of(request, at, file, asked.then)
    if asked.typed.get("part") == "then":
        # The script that follows the thumb asks for nothing else.
        return show(request, "then.html", state=file.state, seq=file.head.seq, **_ends(file, past))
    events = await at.queries.events(file.state.id)
    state = file.state
    teller = await reader_in(translator(reader_of(request).language), state, at)
    told, more = await _page(request, at, file, asked, events, teller)
    return await show_part(
        request,
        at,
        file,
        actor,
        "trail.html",
        "/trail",
        asked=asked,
        days=by_day(told),
        more=more,
        link_of=lambda **changed: _link(asked, **changed),
        export=_link(asked, cursor="", seq="", to="", as_of="", order=""),
        actors=await _actors(request, at, state, events),
        kinds=[(name, title) for name, (title, _) in KINDS.items()] + [(OTHER, OTHERWISE)],
        things=_things(request, state, teller.rules),
        sealed=await _sealed(at, file),
        errors=[*asked.errors, *wrong],
        **_ends(file, past),
    )


@router.get("/delegations/{delegation}/trail/export")
async def export_trail_by_page(file: KnownFile, request: Request, at: At) -> Response:
    """Send the entries that the address asks for, all of them: as a sheet with `format=csv`, else as JSON.

    In the language of the page, which may be another one than the browser's.
    """
    asked = Asked.read(request, file.state.zone)
    if asked.errors:
        raise Problem("not_found")
    types = [one.type for one in await at.queries.events(file.state.id)] if asked.kind else []
    words = translator(reader_of(request).language)
    reading = await Reading.of(at, file, asked.query(types), await reader_in(words, file.state, at))
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
    teller = await reader_in(words, file.state, at)
    query = ToldTrailQuery(after=seq - 1, limit=1)
    try:
        reading = await Reading.of(at, file, query.model_copy(update={"proof": True}), teller)
        away = False
    except Problem:
        # Without Temporal's server histories cannot be read; everything else still proves.
        reading, away = await Reading.of(at, file, query, teller), True
    entry = await anext(reading.entries())
    [told] = await in_words(request, at, file.state, [entry], teller)
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


async def _page(
    request: Request, at: Installation, file: File, asked: Asked, events: Sequence[SealedEvent], teller: Teller
) -> tuple[list[Told], int | None]:
    """Return a page of entries in the order that is asked for, and the cursor of the next one if there is one."""
    wanted = [one.seq for one in events if asked.takes(one)]
    if asked.order == "newest":
        wanted = [one for one in reversed(wanted) if not asked.cursor or one < asked.cursor]
    else:
        wanted = [one for one in wanted if one > asked.cursor]
    # Words are looked for in what is told, so all that may have them has to be told.
    chosen = wanted if asked.words else wanted[: PAGE + 1]
    if not chosen:
        return [], None
    # Read from a little before the first of them: the state before it is folded from the last snapshot.
    query = asked.query((one.type for one in events), after=min(chosen) - 1)
    reading, last, only = await Reading.of(at, file, query, teller), max(chosen), set(chosen)
    entries: list[TrailEntry] = []
    async for entry in reading.entries():
        if entry.seq in only:
            entries.append(entry)
        if entry.seq >= last or (asked.order == "story" and len(entries) > PAGE):
            break
    if asked.order == "newest":
        entries.reverse()
    more = entries[PAGE - 1].seq if len(entries) > PAGE else None
    return await in_words(request, at, file.state, entries[:PAGE], teller), more


async def _actors(
    request: Request, at: Installation, state: Delegation, events: Iterable[SealedEvent]
) -> list[tuple[str, str]]:
    found = {one.actor for one in events}
    names = await names_of(request, at, state, found)
    if SYSTEM in found:
        names[SYSTEM] = translator(reader_of(request).language).tr(mark("(by itself)"))
    return sorted(names.items(), key=lambda one: (one[0] == SYSTEM, one[0].startswith(PARTICIPANT), one[1].casefold()))


def _things(request: Request, state: Delegation, rules: EditionWords) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return what entries may be about, by its kind: (heading, [(id, what it is called)])."""
    words = translator(reader_of(request).language)
    proposals = [one for one in (state.proposal, state.amendment, state.amended) if one]
    steps = {step.id: rules.step(step.id) for one in proposals for step in one.steps}
    groups = (
        (words.tr(mark("Steps of approval")), list(steps.items())),
        (words.tr("People"), [(one, one) for one in state.people]),
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
