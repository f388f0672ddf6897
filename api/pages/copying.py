"""A delegation copied from an earlier one: its request, its programme on other days, and people who were chosen.

The copy is a draft like any other: it is checked, and opened with its programme and people in one batch.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from api.access import Actor
from api.delegations import ListQuery, list_delegations
from api.files import KnownFile, require_reach
from api.installation import At, Installation
from api.pages.asked import typed_countries
from api.pages.drafts import NEW_DELEGATION, SENTENCES
from api.pages.forms import Form, FormRefused, day_shown
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import Typed, day_of
from api.pages.words import PERSON_ROLES, word
from domain.commands import (
    LARGEST_BATCH,
    AddMember,
    AppointParticipant,
    Audience,
    PublicCommand,
    ScheduleItem,
)
from domain.sign_in import Acting
from domain.state import Delegation, Item, Participant
from domain.values import LocalTime, business_date
from locales import mark, translator
from storage.drafts import DraftRefused
from storage.metadata import utc_now
from storage.persons import Person
from storage.references import new_reference

router = APIRouter(route_class=PageRoute, include_in_schema=False)

COPIED, ITEMS, PEOPLE = "copy", "copy_items", "copy_people"
"""What a draft says of its source: the file, whether its programme comes along, and who of its people."""

NOT_A_DAY = mark("This must be a day that exists, such as 2026-04-11.")
TOO_MANY = mark("This is more than can be opened at once: leave out the programme, or some of the people.")

WEEK = timedelta(days=7)
YEAR = 52 * WEEK
"""Whole weeks, so that the weekday stays."""


@dataclass(frozen=True)
class Copied:
    """What comes along with a new file: `people` with their names, `items` on their new days.

    `left_out` are the titles of items whose hour does not exist on the new day, or exists twice.
    """

    source: Delegation
    people: tuple[tuple[Participant, str], ...]
    items: tuple[ScheduleItem, ...]
    left_out: tuple[str, ...]
    commands: tuple[PublicCommand, ...]


@router.get("/files/new/copy")
async def show_copy_page(
    request: Request, actor: Actor, at: At, q: Annotated[str | None, Query(max_length=200)] = None
) -> Response:
    """Show the files that can be copied, the latest first, or those that have the words."""
    asked = (q or "").strip()
    found = await list_delegations(ListQuery(q=asked or None, sort="starts", order="desc", limit=20), actor, at)
    return show(request, "copy.html", q=asked, files=found.items, found=None)


@router.get("/files/new/copy/{delegation}")
async def show_copy_choices(file: KnownFile, request: Request, at: At) -> Response:
    """Show what of a file may come along: the day it begins, its programme, its people."""
    state = file.state
    servants = [one.id for one in state.people.values() if one.active and not one.delegate]
    typed = {"starts": day_shown(same_weekday(state, at)), ITEMS: "yes", PEOPLE: servants}
    return await _choices(request, at, state, Form("copy", None, typed))


@router.post("/files/new/copy/{delegation}")
async def copy_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Make a draft of a file; nothing is opened yet."""
    form: Typed = request.state.form
    state, starts = file.state, day_of(form.get("starts", ""))
    if "again" in form:
        return await _choices(request, at, state, Form("copy", None, form))
    words = translator(reader_of(request).language)
    if starts is None:
        wrong = FormRefused([("starts", words.tr(NOT_A_DAY))])
        return await _choices(request, at, state, wrong.form("copy", None, form), status=422)
    draft = new_reference("dra")
    pairs = _typed(request, state, starts)
    pairs += [(COPIED, state.id), (ITEMS, "yes" if form.get(ITEMS) == "yes" else "no")]
    pairs += [(PEOPLE, one) for one in form.all(PEOPLE) if one in state.people]
    try:
        await at.drafts.save(actor.id, NEW_DELEGATION, draft, pairs)
    except DraftRefused as no:
        refusal = FormRefused([("", words.tr(SENTENCES[no.code]))], 409)
        return await _choices(request, at, state, refusal.form("copy", None, form), status=409)
    return RedirectResponse(f"/files/new/{draft}", 303)


def same_weekday(state: Delegation, at: Installation) -> date:
    """Return the day a year after the file began, on the same weekday; the first such that is four weeks ahead."""
    soonest, starts = business_date(utc_now(), at.settings.zone) + 4 * WEEK, state.starts + YEAR
    while starts < soonest:
        starts += YEAR
    return starts


async def copied_of(request: Request, at: Installation, actor: Acting, typed: Typed, starts: date) -> Copied | None:
    """Return what comes along with a draft that begins on a day, or None where it is a copy of nothing.

    FormRefused where it is more than one batch. A file outside the reader's reach is refused as everywhere.
    """
    source = typed.get(COPIED)
    file = await at.queries.get(source) if source else None
    if file is None:
        return None
    await require_reach(actor, at, file.state.id)
    state, shift = file.state, starts - file.state.starts
    chosen = [state.people[one] for one in typed.all(PEOPLE) if one in state.people and state.people[one].active]
    known = await at.persons.get_many({one.person.ref for one in chosen})
    people = [(one, person) for one in chosen if isinstance(person := known.get(one.person.ref), Person)]
    coming = {one.id for one, _ in people}
    items: list[ScheduleItem] = []
    left_out: list[str] = []
    for item in state.items.values() if typed.get(ITEMS) == "yes" else ():
        if not item.cancelled:
            try:
                items.append(_moved(item, shift, coming))
            except ValidationError:
                left_out.append(item.title)
    commands: tuple[PublicCommand, ...] = (*(_joining(one, person) for one, person in people), *items)
    if len(commands) >= LARGEST_BATCH:
        raise FormRefused([("", translator(reader_of(request).language).tr(TOO_MANY))])
    return Copied(
        source=state,
        people=tuple((one, person.details.full_name) for one, person in people),
        items=tuple(items),
        left_out=tuple(left_out),
        commands=commands,
    )


def _moved(item: Item, shift: timedelta, coming: set[str]) -> ScheduleItem:
    def on(local: str, zone: str) -> LocalTime:
        return LocalTime(local=(datetime.fromisoformat(local) + shift).strftime("%Y-%m-%dT%H:%M"), zone=zone)

    audience = Audience(groups=item.audience.groups, people=tuple(one for one in item.audience.people if one in coming))
    notes = tuple(
        note.model_copy(update={"people": tuple(one for one in note.people if one in coming)}) for note in item.notes
    )
    return ScheduleItem(
        item_id=item.id,
        kind=item.kind,
        title=item.title,
        starts=on(item.starts.local, item.starts.zone),
        ends=on(item.ends.local, item.ends.zone),
        place=item.place,
        audience=audience,
        published=item.published,
        notes=notes,
    )


def _joining(one: Participant, person: Person) -> AddMember | AppointParticipant:
    if one.role != "head" and one.role != "member":
        return AppointParticipant(participant_id=one.id, person=person.reference, role=one.role)
    return AddMember(
        member_id=one.id,
        person=person.reference,
        role=one.role,
        country=one.country or person.details.nationality,
        entry_papers=one.entry_papers,
        key_leader=one.key_leader,
    )


def _typed(request: Request, state: Delegation, starts: date) -> list[tuple[str, str]]:
    """Return the fields of a form that asks for what a file asked for, on other days."""
    plain = ("direction", "title", "purpose", "organisation", "partner", "conference")
    maybe = ("grade", "head_level", "run_by", "issuer")
    pairs = [(name, str(getattr(state, name))) for name in plain]
    pairs += [(name, str(value)) for name in maybe if (value := getattr(state, name)) is not None]
    pairs += [(name, "yes" if getattr(state, name) else "no") for name in ("provincial_chair", "led_by_city_leaders")]
    pairs += [("key_leaders", str(state.key_leaders)), ("places", "\n".join(state.places))]
    pairs += [("starts", day_shown(starts)), ("ends", day_shown(starts + (state.ends - state.starts)))]
    return pairs + typed_countries(request, state.countries, state.stays)


async def _choices(request: Request, at: Installation, state: Delegation, form: Form, *, status: int = 200) -> Response:
    active, words = [one for one in state.people.values() if one.active], translator(reader_of(request).language)
    known = await at.persons.get_many({one.person.ref for one in active})
    names = {
        one.id: found.details.full_name for one in active if isinstance(found := known.get(one.person.ref), Person)
    }
    return show(
        request,
        "copy.html",
        status,
        q="",
        files=(),
        found=state,
        form=form,
        people=[
            (one.id, names[one.id], word(PERSON_ROLES, one.role, words))
            for one in sorted(active, key=lambda one: one.delegate)
            if one.id in names
        ],
        items=sum(not one.cancelled for one in state.items.values()),
        weekday=same_weekday(state, at),
    )
