"""The trail of a delegation in plain words, and what changed between two points of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, GuardedRoute
from api.as_of import SeqThen, ThenQuery, file_then
from api.files import KnownFile
from api.installation import At, Installation
from api.language import preferred
from api.parameters import SentInstant
from api.problems import Problem
from api.trail import Seq
from audit.history import Place
from domain.changes import Change, changes
from domain.events import AnyEvent, DocumentRendered, Right, RuleRef, RulesAdopted
from domain.evolve import evolve
from domain.folding import folded
from domain.reading import (
    OUTCOMES,
    Cause,
    Effective,
    asked_by,
    asks_for,
    cause_of,
    is_about,
    right_of,
    rules_of,
    took_effect,
)
from domain.seal import SealedEvent
from domain.state import Delegation
from domain.upcast import read_event
from domain.values import Digest, Language
from locales import Translator, translator
from storage.as_of import NotYetOpen
from storage.mail_ledger import Count
from storage.queries import EventLine, File
from words.changes import told
from words.edition import EditionWords
from words.events import Names, Reader, sentence_of, told_apart
from words.sheet import sheet
from words.trail import HEADINGS, PROOF_HEADINGS, cells

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["trail"])

LARGEST_PAGE = 200
BATCH = 500
"""Events read at a time while looking for those that are wanted."""

NEAR = 150
"""Events between two wanted ones that are sooner read through than a kept state is read and brought forward."""

CSV = "text/csv"


class SaidChange(BaseModel):
    """A change in the reader's language; `before` is null for what is new, `after` for what is gone."""

    what: str
    before: str | None
    after: str | None


class ShownChange(Change):
    """A change; `said` is null where it is bookkeeping of the file that tells people nothing."""

    said: SaidChange | None


class TrailDocument(BaseModel):
    """A document that came of an event."""

    kind: str
    number: int
    language: Language
    digest: Digest


class HistoryEvent(BaseModel):
    """Which event of which history holds the sealed event: its decision stands there as the result of a marker."""

    workflow_id: str
    run_id: str
    event_id: int


class TrailEntry(BaseModel):
    """One event, told.

    `at` is when it was decided, `took_effect` when it took effect where the event itself says another time (null: the
    same). `actor` is an account or `system`, and `cause` why the system did it. `right` is as it was sealed. `changes`
    are what the event made of the file; `rules` what it follows from, of the `edition` that the file was under.
    `messages` are what it sent, counted, with what became of them by now; `outcomes` the numbers of the events that
    record what it asked for. `proof` is null where no history that is still there holds it, or was not asked for.
    """

    seq: int
    type: str
    at: datetime
    took_effect: Effective | None
    actor: str
    cause: Cause | None
    right: Right | None
    said: str
    changes: tuple[ShownChange, ...]
    rules: tuple[RuleRef, ...]
    edition: Digest
    messages: tuple[Count, ...]
    documents: tuple[TrailDocument, ...]
    outcomes: tuple[int, ...]
    hash: Digest
    proof: HistoryEvent | None


class ToldTrail(BaseModel):
    """A page of the trail; `next_after` is the `after` of the next one if there may be one."""

    items: tuple[TrailEntry, ...]
    next_after: int | None


class ToldTrailQuery(BaseModel):
    """Which events: all that is set must hold."""

    model_config = ConfigDict(extra="forbid")

    after: Seq = Field(0, description="The number of the last event seen.")
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 100
    actor: Annotated[str, Field(max_length=64)] | None = Field(None, description="The account, or `system`.")
    type: list[Annotated[str, Field(max_length=64)]] = Field([], max_length=60)
    about: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="The id of a step, an item, somebody on the file or a document."
    )
    since: SentInstant | None = Field(None, description="Decided at this instant or later.")
    until: SentInstant | None = Field(None, description="Decided before this instant.")
    words: Annotated[str, Field(min_length=1, max_length=80)] | None = Field(
        None, description="Told with these letters, in any case, with or without diacritics."
    )
    proof: bool = Field(False, description="Name the event of the history that holds each; takes longer.")
    format: Literal["json", "csv"] | None = Field(None, description="`csv`: all pages as one sheet.")

    def takes(self, event: SealedEvent) -> bool:
        """Whether an event is wanted."""
        return (
            (self.actor is None or event.actor == self.actor)
            and (not self.type or event.type in self.type)
            and (self.since is None or event.instant >= self.since)
            and (self.until is None or event.instant < self.until)
            and (self.about is None or is_about(event, self.about))
        )

    def finds(self, entry: TrailEntry, who: str) -> bool:
        """Whether an event, as it is told of whom, has the words that are looked for."""
        if self.words is None:
            return True
        changed = (
            text for one in entry.changes if one.said for text in (one.said.what, one.said.before, one.said.after)
        )
        told = " ".join(text for text in (who, entry.said, *changed) if text)
        return folded(self.words) in folded(told)


@router.get(
    "/delegations/{delegation}/trail",
    response_model=ToldTrail,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}}},
)
async def read_trail(
    file: KnownFile, query: Annotated[ToldTrailQuery, Query()], request: Request, response: Response, at: At
) -> ToldTrail | Response:
    """Tell the events of a file in plain words, in the language of `Accept-Language`.

    As a sheet with `format=csv` or `Accept: text/csv`: UTF-8 with a byte order mark, every cell literal text.
    """
    reading = await Reading.of(at, file, query, await reader_of(request, file.state, at))
    about = {"Content-Language": reading.reader.translator.language, "Vary": "Accept-Language, Accept"}
    if query.format == "csv" or (query.format is None and CSV in request.headers.get("accept", "")):
        name = {"Content-Disposition": f'attachment; filename="{file.state.id}-trail.csv"'}
        return StreamingResponse(reading.sheet(), media_type=f"{CSV}; charset=utf-8", headers=about | name)
    response.headers.update(about)
    items: list[TrailEntry] = []
    async for entry in reading.entries():
        if len(items) == query.limit:
            return ToldTrail(items=tuple(items), next_after=items[-1].seq)
        items.append(entry)
    return ToldTrail(items=tuple(items), next_after=None)


@dataclass
class Reading:
    """One reader's way through a trail: the events that are asked for, told in the order in which they were sealed.

    `asked` are the outcomes of each event, `documents` those that an event set in type, both by its number.
    """

    at: Installation
    file: File
    query: ToldTrailQuery
    reader: Reader
    asked: Mapping[int, list[EventLine]]
    documents: Mapping[int, tuple[TrailDocument, ...]]
    sent: Mapping[str, list[Count]]
    places: Mapping[str, Place] = field(default_factory=dict)

    @classmethod
    async def of(cls, at: Installation, file: File, query: ToldTrailQuery, reader: Reader) -> "Reading":
        """Begin to read. Problem: `engine_unavailable`, where proofs are asked for and no history can be read."""
        asked: dict[int, list[EventLine]] = {}
        for line in await at.queries.event_lines(file.state.id, OUTCOMES):
            if by := asked_by(line.command_id):
                asked.setdefault(by[1], []).append(line)
        rendered = await at.queries.events(file.state.id, types=("DocumentRendered",))
        documents = {one.seq: tuple(_documents(one)) for one in rendered}
        sent: dict[str, list[Count]] = {}
        for count in await at.mail.counts(file.state.id):
            sent.setdefault(count.issue.removeprefix(f"{file.state.id}:"), []).append(count)
        places = await at.proofs.of(at.client, file.state.id, file.head) if query.proof else {}
        return cls(at, file, query, reader, asked, documents, sent, places)

    async def entries(self) -> AsyncIterator[TrailEntry]:
        """Yield what is wanted, in order."""
        async for entry in self._tell(self.query.after, None, self.query.takes):
            if self.finds(entry):
                yield entry

    async def told(self, numbers: Collection[int]) -> AsyncIterator[TrailEntry]:
        """Yield the entries of these numbers, in order, whatever the query says."""
        wanted = frozenset(numbers)
        for run in _runs(sorted(wanted)):
            async for entry in self._tell(run[0] - 1, run[-1], lambda sealed: sealed.seq in wanted):
                yield entry

    def finds(self, entry: TrailEntry) -> bool:
        """Whether an entry has the words that are looked for."""
        return self.query.finds(entry, self.reader.account(entry.actor))

    async def _tell(
        self, seen: int, last: int | None, takes: Callable[[SealedEvent], bool]
    ) -> AsyncIterator[TrailEntry]:
        """Yield the events after `seen` that are taken, up to `last` if there is one, told."""
        state = await self._after(seen)
        if state is not None:
            self.reader.due |= {what: one.rule.model_dump() for what, one in state.deadlines.items()}
        while last is None or seen < last:
            limit = BATCH if last is None else min(BATCH, last - seen)
            events = await self.at.queries.events(self.file.state.id, after=seen, limit=limit)
            if not events:
                return
            for sealed in events:
                event = read_event(sealed)
                after = evolve(state, event, sealed)
                self._call(state, after)
                written = {"type": sealed.type, "data": sealed.data}
                if takes(sealed):
                    said = sentence_of(written, self.reader)
                    yield self._entry(sealed, event, state, after, said, await self._effective(event))
                    # Words take a millisecond an event: others come in between.
                    await asyncio.sleep(0)
                else:
                    self.reader.hear(written)
                state = after
            seen = events[-1].seq

    def _call(self, before: Delegation | None, after: Delegation) -> None:
        """Let items be called what they were called then, where they are to have names."""
        if self.reader.items is not None and (before is None or before.items is not after.items):
            self.reader.items = titles_of(after)

    async def _after(self, seq: int) -> Delegation | None:
        if not seq:
            return None
        if seq >= self.file.head.seq:
            return self.file.state
        state = (await self.at.registers.as_of.file_after(self.file.state.id, seq)).state
        if self.reader.items is not None:
            self.reader.items = titles_of(state)
        return state

    async def _effective(self, event: AnyEvent) -> Effective | None:
        if isinstance(event, RulesAdopted):
            return Effective(on=(await self.at.editions.get(event.edition)).effective_from)
        return took_effect(event)

    def _entry(
        self,
        sealed: SealedEvent,
        event: AnyEvent,
        before: Delegation | None,
        after: Delegation,
        said: str,
        effective: Effective | None,
    ) -> TrailEntry:
        outcomes = self.asked.get(sealed.seq, [])
        place = self.places.get(sealed.hash)
        return TrailEntry(
            seq=sealed.seq,
            type=sealed.type,
            at=sealed.instant,
            took_effect=effective,
            actor=sealed.actor,
            cause=cause_of(sealed),
            right=right_of(event),
            said=said,
            changes=shown(changes(before, after), self.reader),
            rules=rules_of(event, before, after),
            edition=after.edition,
            messages=tuple(count for key in _keys(event, outcomes) for count in self.sent.get(key, ())),
            documents=tuple(
                document
                for number in (sealed.seq, *(one.seq for one in outcomes))
                for document in self.documents.get(number, ())
            ),
            outcomes=tuple(one.seq for one in outcomes),
            hash=sealed.hash,
            proof=HistoryEvent(workflow_id=self.file.state.id, run_id=place.run_id, event_id=place.event_id)
            if place
            else None,
        )

    async def sheet(self) -> AsyncIterator[bytes]:
        """Yield a sheet with a line for each event."""
        tr = self.reader.tr
        headings = (*HEADINGS, *(PROOF_HEADINGS if self.query.proof else ()))
        yield sheet([[tr(heading) for heading in headings]], first=True)
        async for entry in self.entries():
            line = list(cells(entry.model_dump(mode="json"), self.reader))
            yield sheet([line + [""] * (len(headings) - len(line))])


def _runs(numbers: Collection[int]) -> Iterator[list[int]]:
    """Yield ascending numbers in runs of which none is far from the one before it."""
    run: list[int] = []
    for number in numbers:
        if run and number - run[-1] > NEAR:
            yield run
            run = []
        run.append(number)
    if run:
        yield run


def titles_of(state: Delegation) -> dict[str, str]:
    """Return what the items of a programme are called."""
    return told_apart({one.id: one.title for one in state.items.values()})


def _keys(event: AnyEvent, outcomes: list[EventLine]) -> list[str]:
    """Return the effects that an event asked for: those that its outcomes name, and the one that it names itself."""
    named = [by[0] for one in outcomes if (by := asked_by(one.command_id))]
    return list(dict.fromkeys([*named, *([own] if (own := asks_for(event)) else [])]))


def _documents(sealed: SealedEvent) -> list[TrailDocument]:
    event = read_event(sealed)
    if not isinstance(event, DocumentRendered):
        return []
    return [
        TrailDocument(kind=event.kind, number=event.number, language=version.language, digest=version.attachment.digest)
        for version in event.versions
    ]


async def reader_of(request: Request, state: Delegation, at: Installation) -> Reader:
    """Return for whom a file is told: in the language that the request prefers, by the file's edition and zone."""
    return await reader_in(
        translator(preferred(request.headers.get("accept-language", ""), at.settings.language or "vi")), state, at
    )


async def reader_in(words: Translator, state: Delegation, at: Installation, names: Names | None = None) -> Reader:
    """Return for whom a file is told, in a language; with `names` people and items by what they are called."""
    edition = await at.editions.get(state.edition)
    rules = EditionWords(edition.model_dump(mode="json"), words)
    if names is None:
        return Reader(words, rules, state.zone)
    return Reader(words, rules, state.zone, names=names, items=titles_of(state))


def shown(found: tuple[Change, ...], reader: Reader) -> tuple[ShownChange, ...]:
    """Return changes with what they are in words."""
    return tuple(ShownChange(**vars(one), said=_said(one, reader)) for one in found)


def _said(change: Change, reader: Reader) -> SaidChange | None:
    said = told(vars(change), reader)
    return SaidChange(what=said.what, before=said.before, after=said.after) if said else None


class Standing(BaseModel):
    """A point of a trail: after event `seq`, which was decided at `at`."""

    seq: int
    at: datetime
    head: Digest


class ChangesQuery(BaseModel):
    """Between which two points; without a beginning since before the opening, without an end until now."""

    model_config = ConfigDict(extra="forbid")

    since: SentInstant | None = None
    since_seq: SeqThen | None = None
    until: SentInstant | None = None
    until_seq: SeqThen | None = None


class Changes(BaseModel):
    """What changed; `since` is null where the file was not open yet: then all that it says is new."""

    since: Standing | None
    until: Standing
    items: tuple[ShownChange, ...]


@router.get("/delegations/{delegation}/changes")
async def show_changes(
    file: KnownFile, query: Annotated[ChangesQuery, Query()], request: Request, response: Response, at: At
) -> Changes:
    """Show what changed in a file between two instants or events: what the later state says otherwise.

    What was changed and changed back in between is no change; the trail tells it.
    """
    reader = await reader_of(request, file.state, at)
    response.headers.update({"Content-Language": reader.translator.language, "Vary": "Accept-Language"})
    return await changes_between(at, file, query, reader.translator)


async def changes_between(
    at: Installation, file: File, query: ChangesQuery, words: Translator, names: Names | None = None
) -> Changes:
    """Return what changed between two points, in a language; with `names` people and items by what they are called.

    Problems: `period_backwards`, those of `file_then`.
    """
    until = await file_then(at, file, ThenQuery(as_of=query.until, seq=query.until_seq))
    since = await _since(at, file, query)
    if since is not None and since.head.seq > until.head.seq:
        raise Problem("period_backwards")
    reader = await reader_in(words, until.state, at, names)
    for state in (since, until):
        reader.due |= {what: one.rule.model_dump() for what, one in (state.state.deadlines if state else {}).items()}
    found = changes(since.state if since else None, until.state)
    return Changes(since=_standing(since) if since else None, until=_standing(until), items=shown(found, reader))


async def _since(at: Installation, file: File, query: ChangesQuery) -> File | None:
    if query.since is None and query.since_seq is None:
        return None
    if query.since is not None and query.since_seq is None:
        try:
            return await at.registers.as_of.file_at(file.state.id, query.since)
        except NotYetOpen:
            return None
    return await file_then(at, file, ThenQuery(as_of=query.since, seq=query.since_seq))


def _standing(file: File) -> Standing:
    return Standing(seq=file.head.seq, at=file.updated_at, head=file.head.hash)
