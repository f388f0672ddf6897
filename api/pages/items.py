"""Items of the programme by form: add, revise, move, cancel, take back what was drafted. Each says what its sender saw.

Where somebody else changed the item meanwhile nothing is written over: what they made of it stands beside what was
typed, fields that only one of the two touched are joined, and the form is sent again on what stands now.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, get_args

from babel.core import get_global
from fastapi import APIRouter, Path, Request, Response
from pydantic import ValidationError

from api.access import Actor
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.forms import Form, FormRefused, done, key_of, read, send
from api.pages.frame import head_of, show_part
from api.pages.plan import DRAFTS, audience_of, guest_zones, local, names_of, rows_of
from api.pages.possible import why_not
from api.pages.reader import reader_of
from api.pages.route import PageRoute, own_path
from api.pages.typed import Typed, day_of, number_of, time_of
from api.problems import Problem
from api.violations import CUSTOM
from domain.commands import (
    LARGEST_NOTES,
    AudienceGroup,
    CancelItem,
    ItemKind,
    MoveItem,
    PublicCommand,
    RestoreItem,
    ReviseItem,
    ScheduleItem,
)
from domain.lanes import By, audience_in_lane
from domain.meanwhile import item_seen
from domain.sign_in import Acting
from domain.state import Delegation, Item
from domain.values import LocalTime, Moment, Slug, clock_of, resolve
from locales import Translator, mark, translator
from storage.as_of import BeyondHead
from storage.queries import File
from words.codes import AUDIENCE_GROUPS, ITEM_KINDS, PERSON_ROLES, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

TAB = "/programme"
SHORTEST = 5
"""Minutes that an item lasts at least."""

QUERY = re.compile(r"^\?[A-Za-z0-9=&._-]{0,200}$")

ItemName = Annotated[Slug, Path()]

BACKWARDS = CUSTOM["ends_before_starts"]
TYPE_DAY = mark("Type a day that exists, such as 11/4/2026.")
TYPE_TIME = mark("Type a time of day, such as 9, 09:30 or 9h30.")
TOO_SHORT = mark("An item lasts at least %(minutes)s minutes.")
TWICE = mark("This time occurs twice on that day, since the clock is put back. Say which one is meant.")
PLACE_STAYS = mark("A place that was given can be changed, but not left out.")
WITH_THE_GROUP = mark("Who attends with a whole group, or is not on the file, cannot be moved to another lane.")
KIND_OF_LANE = mark("Give the item another place instead: without one it cannot stand here.")

LABELS = {
    "title": mark("Name of the item"),
    "kind": mark("Kind"),
    "place": mark("Place"),
    "groups": mark("Groups"),
    "people": mark("People by name"),
    "published": mark("For calendars"),
    "notes": mark("Notes"),
    "day": mark("Day"),
    "starts": mark("Begins"),
    "ends": mark("Ends"),
    "ends_day": mark("Ends on another day"),
    "zone": mark("Time zone"),
    "ends_zone": mark("Time zone of the end"),
}

WORDS = ("title", "kind", "place", "groups", "people", "published", "notes")
TIMES = ("day", "starts", "ends", "ends_day", "zone", "ends_zone")

Values = Mapping[str, str | tuple[Any, ...]]
"""What stands in the fields of a form; notes are (text, groups, people) each."""


@dataclass(frozen=True)
class Meanwhile:
    """A field that somebody else changed: what it said, what it says now, and what was typed where that differs."""

    label: str
    before: str
    theirs: str
    mine: str | None


@dataclass
class Typing:
    """The forms of an item as they are shown: `refused` is the one that came back."""

    refused: Form | None = None
    status: int = 200
    meanwhile: Sequence[Meanwhile] = ()
    folds: Mapping[str, list[tuple[str, str, str]]] = field(default_factory=dict)

    def form(self, name: str, values: Values) -> Form:
        """Return a form: as it came back, else with what the item says."""
        if self.refused is not None and self.refused.name == name:
            return self.refused
        return Form(name, MODELS[name], {one: value for one, value in values.items() if one != "notes"})


MODELS: dict[str, Any] = {
    "add": ScheduleItem,
    "revise": ReviseItem,
    "move": MoveItem,
    "cancel": CancelItem,
    "restore": RestoreItem,
}


@router.get("/delegations/{delegation}/programme/new")
async def show_new_item_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show the form of a new item; the address may name its day, time and place."""
    asked = request.query_params
    values = {
        "kind": "session",
        "day": (day_of(asked.get("day", "")) or file.state.starts).isoformat(),
        "starts": asked.get("starts", "")[:5],
        "zone": file.state.zone,
        "place": asked.get("place", "")[:300],
        "groups": ("delegates",),
        "published": "yes",
    }
    return await _new_page(request, at, file, actor, Form("add", ScheduleItem, values), ())


@router.post("/delegations/{delegation}/programme/new")
async def add_item_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Add an item to the draft. Sent again, the same form is the same item."""
    typed: Typed = request.state.form
    try:
        item_id = f"i-{key_of(typed)[:12]}"
        more = _moments(request, typed, file.state) | _audience(typed)
        more |= {"item_id": item_id, "notes": _notes(typed)}
        await send(request, at, file.state.id, [read(request, ScheduleItem, typed, more)], typed, actor)
    except FormRefused as wrong:
        form = _renamed(wrong).form("add", ScheduleItem, typed)
        return await _new_page(request, at, file, actor, form, _notes(typed), wrong.status)
    day = day_of(typed.get("day", "")) or file.state.starts
    return done(f"/delegations/{file.state.id}/programme?from={day}", "added", f"item-{item_id}")


async def _new_page(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    form: Form,
    notes: Sequence[Mapping[str, Any]],
    status: int = 200,
) -> Response:
    head = await head_of(request, at, file, actor)
    return await show_part(
        request,
        at,
        file,
        actor,
        "item_form.html",
        TAB,
        status=status,
        head=head,
        item=None,
        row=None,
        draft=None,
        typing=Typing(refused=form, folds=_folds(request, form.typed, file.state) if form.refused else {}),
        add=form,
        notes=[*notes, {}][:LARGEST_NOTES],
        errors=form.errors,
        barred=why_not(request, head.possible.barred(ScheduleItem)),
        **await _choices(request, at, file.state),
    )


@router.get("/delegations/{delegation}/programme/items/{item}")
async def show_item_page(item: ItemName, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show an item, what was drafted of it, and the forms that change it; the address may fill in another time."""
    if item not in file.state.items:
        raise Problem("not_found")
    return await _item_page(request, at, file, actor, item, Typing())


@router.post("/delegations/{delegation}/programme/items/{item}")
async def change_item_by_page(item: ItemName, file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Revise, move, cancel or take back an item of the draft, and go back to the programme."""
    state, typed = file.state, request.state.form
    if item not in state.items:
        raise Problem("not_found")
    name = typed.get("form", "")
    if name not in ("revise", "move", "cancel", "restore"):
        raise Problem("body_malformed")
    try:
        commands = _commands(request, name, typed, state, state.items[item])
        await send(request, at, state.id, commands, typed, actor, FIELDS)
    except FormRefused as wrong:
        return await _came_back(request, at, file, actor, item, name, typed, _renamed(wrong))
    back = typed.get("back", "")
    path = f"/delegations/{state.id}/programme"
    day = (day_of(typed.get("day", "")) if name == "move" else None) or local(state.items[item].starts).date()
    said = {"cancel": "cancelled", "restore": "restored"}.get(name, "changed")
    # The board stays where it is; whoever comes from a form is led to the day of the item.
    stays = "back" in typed and (not back or QUERY.fullmatch(back))
    return done(own_path(path + back) if stays else f"{path}?from={day}", said, f"item-{item}")


FIELDS = {"item_id": "", "audience.people": "people", "audience": "groups", "notes.people": "notes"}
"""Where a refusal of the command shows in the form."""


def _commands(request: Request, name: str, typed: Typed, state: Delegation, item: Item) -> list[PublicCommand]:
    match name:
        case "revise":
            if item.place and not typed.get("place", "").strip():
                raise _wrong(request, "place", PLACE_STAYS)
            more = {"item_id": item.id, "notes": _notes(typed), **_audience(typed)}
            return [read(request, ReviseItem, typed, more)]
        case "move":
            return _moves(request, typed, state, item)
        case "cancel":
            return [read(request, CancelItem, typed, {"item_id": item.id})]
    return [read(request, RestoreItem, typed, {"item_id": item.id})]


def _moves(request: Request, typed: Typed, state: Delegation, item: Item) -> list[PublicCommand]:
    """Another time, and on the board another lane: what its lane means for the item changes with it."""
    times = _moments(request, typed, state)
    place, audience = None, None
    by, left, entered = typed.get("by", ""), typed.get("left", ""), typed.get("entered", "")
    if left != entered:
        if by == "place":
            if not entered:
                raise _wrong(request, "place", KIND_OF_LANE)
            place = entered
        elif by in get_args(By):
            audience = audience_in_lane(state, item, by, left, entered)  # type: ignore[arg-type]  # as just asked
            if audience is None:
                raise _wrong(request, "groups", WITH_THE_GROUP)
    move = read(
        request, MoveItem, Typed([("seen", typed.get("seen", ""))]), {"item_id": item.id, **times, "place": place}
    )
    moved = (move.starts.resolve(), move.ends.resolve(), move.place or item.place)
    if audience is None:
        return [move]
    revision = ReviseItem(item_id=item.id, audience=audience)
    if moved == (item.starts, item.ends, item.place):
        return [revision.model_copy(update={"seen": move.seen})]
    # What was seen is asked of the first of them: the second is made on what the first left.
    return [move, revision]


async def _came_back(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    item: str,
    name: str,
    typed: Typed,
    wrong: FormRefused,
) -> Response:
    now = await at.queries.get(file.state.id) or file
    folds = _folds(request, typed, now.state) if name == "move" else {}
    meanwhile: list[Meanwhile] = []
    stands = now.state.items[item]
    if typed.get("seen", "") != item_seen(stands) and (base := await _as_seen(at, now, item, typed)):
        typed, meanwhile = _joined(
            typed, base, stands, WORDS if name == "revise" else TIMES if name == "move" else (), request, now.state
        )
    form = wrong.form(name, MODELS[name], typed)
    return await _item_page(request, at, now, actor, item, Typing(form, wrong.status, meanwhile, folds))


async def _as_seen(at: Installation, file: File, item: str, typed: Typed) -> Item | None:
    """Return the item as the sender of a form saw it: as it was after the event that the form names."""
    seq = number_of(typed.get("seq", ""))
    if seq is None or not 1 <= seq <= file.head.seq:
        return None
    try:
        return (await at.registers.as_of.file_after(file.state.id, seq)).state.items.get(item)
    except BeyondHead:
        return None


def _joined(
    typed: Typed, base: Item, stands: Item, fields: Sequence[str], request: Request, state: Delegation
) -> tuple[Typed, list[Meanwhile]]:
    """Join what was typed with what others changed, and return what they changed beside it.

    A field that only they touched is theirs; one that both touched stays as it was typed.
    """
    words = translator(reader_of(request).language)
    before, theirs, mine = values_of(base), values_of(stands), _typed_values(typed)
    pairs = [pair for pair in typed.pairs if pair[0] != "seen"]
    found = []
    for name in (*WORDS, *TIMES):
        if theirs[name] == before[name]:
            continue
        both = name in fields and mine.get(name, "") not in (before[name], theirs[name])
        if name in fields and not both:
            pairs = [(one, value) for one, value in pairs if one != name and not (name == "notes" and _is_note(one))]
            pairs += _pairs(name, theirs[name])
        said = [_shown(name, one, words, state) for one in (before[name], theirs[name], mine.get(name, ""))]
        found.append(Meanwhile(words.tr(LABELS[name]), said[0], said[1], said[2] if both else None))
    return Typed([*pairs, ("seen", item_seen(stands))]), found


def values_of(item: Item) -> dict[str, Any]:
    """Return what stands in the fields of the forms of an item."""
    starts, ends = local(item.starts), local(item.ends)
    return {
        "title": item.title,
        "kind": item.kind,
        "place": item.place or "",
        "groups": tuple(item.audience.groups),
        "people": tuple(item.audience.people),
        "published": "yes" if item.published else "no",
        "notes": tuple((note.text, tuple(note.groups), tuple(note.people)) for note in item.notes),
        "day": starts.date().isoformat(),
        "starts": f"{starts:%H:%M}",
        "ends": f"{ends:%H:%M}",
        "ends_day": ends.date().isoformat() if ends.date() != starts.date() else "",
        "zone": item.starts.zone,
        "ends_zone": item.ends.zone if item.ends.zone != item.starts.zone else "",
        "starts_fold": _fold(item.starts),
        "ends_fold": _fold(item.ends),
    }


def _fold(moment: Moment) -> str:
    """Which of two times is meant, where the clock shows one twice."""
    try:
        resolve(moment.local, moment.zone)
    except ValueError:
        return "0" if resolve(moment.local, moment.zone, 0).instant == moment.instant else "1"
    return ""


def _typed_values(typed: Typed) -> dict[str, Any]:
    """Return what was typed as `values_of` has it, so that both can be compared."""
    starts, ends = time_of(typed.get("starts", "")), time_of(typed.get("ends", ""))
    days = {name: day_of(typed.get(name, "")) for name in ("day", "ends_day")}
    return {
        **{name: typed.get(name, "").strip() for name in ("title", "kind", "place", "published", "zone", "ends_zone")},
        **{name: tuple(one for one in typed.all(name) if one) for name in ("groups", "people")},
        **{name: day.isoformat() if day else "" for name, day in days.items()},
        "starts": f"{starts:%H:%M}" if starts else "",
        "ends": f"{ends:%H:%M}" if ends else "",
        "notes": tuple((note["text"], tuple(note["groups"]), tuple(note["people"])) for note in _notes(typed)),
    }


def _pairs(name: str, value: Any) -> list[tuple[str, str]]:
    if name == "notes":
        pairs = []
        for number, (text, groups, people) in enumerate(value):
            pairs.append((f"notes.{number}.text", text))
            pairs += [(f"notes.{number}.groups", one) for one in groups]
            pairs += [(f"notes.{number}.people", one) for one in people]
        return pairs
    return [(name, one) for one in value] if isinstance(value, tuple) else [(name, value)]


def _is_note(name: str) -> bool:
    return name.startswith("notes.")


def _shown(name: str, value: Any, words: Translator, state: Delegation) -> str:
    match name:
        case "kind":
            return word(ITEM_KINDS, value, words)
        case "groups":
            return words.listing(words.tr(AUDIENCE_GROUPS[group]) for group in value if group in AUDIENCE_GROUPS)
        case "published":
            return words.tr("yes") if value == "yes" else words.tr("no")
        case "notes":
            return "; ".join(text for text, _, _ in value)
        case "day" | "ends_day":
            day = day_of(value)
            return words.weekday_date(day) if day else ""
        case "people":
            return words.listing(value)
    return str(value)


async def _item_page(
    request: Request, at: Installation, file: File, actor: Acting, item_id: str, typing: Typing
) -> Response:
    state, head = file.state, await head_of(request, at, file, actor)
    item, words = state.items[item_id], translator(reader_of(request).language)
    choices = await _choices(request, at, state)
    values = values_of(item)
    asked = {name: one[:20] for name in TIMES if (one := request.query_params.get(name, ""))}
    forms = {name: typing.form(name, values | (asked if name == "move" else {})) for name in MODELS if name != "add"}
    row = next((row for row in rows_of(state, head.edition, words) if row.item.id == item_id), None)
    published = state.published.get(item_id)
    notes = _notes(typing.refused.typed) if typing.refused and typing.refused.name == "revise" else None
    if notes is None:
        notes = [{"text": note.text, "groups": note.groups, "people": note.people} for note in item.notes]
    possible = head.possible
    may = {
        "revise": not item.cancelled and possible.may(ReviseItem),
        "move": not item.cancelled and possible.may(MoveItem),
        "cancel": not item.cancelled and possible.may(CancelItem),
        "restore": possible.refusal(RestoreItem(item_id=item_id)) is None,
    }
    return await show_part(
        request,
        at,
        file,
        actor,
        "item_form.html",
        TAB,
        status=typing.status,
        head=head,
        item=item,
        row=row,
        draft=words.tr(DRAFTS[row.draft]) if row and row.draft else None,
        before=published.item(item_id) if published and not published.cancelled else None,
        typing=typing,
        forms=forms,
        may=may,
        seen=item_seen(item),
        notes=[*notes, {}][:LARGEST_NOTES],
        errors=typing.refused.errors if typing.refused else (),
        barred=why_not(request, possible.barred(ReviseItem)) if "coordinator" in actor.roles else None,
        kind_of=word(ITEM_KINDS, item.kind, words),
        audience=audience_of(state, item, choices["names"], words),
        **choices,
    )


async def _choices(request: Request, at: Installation, state: Delegation) -> dict[str, Any]:
    """Return what can be chosen in the forms of an item."""
    reader = reader_of(request)
    words, names = translator(reader.language), await names_of(at, state, reader)
    noon = datetime.combine(state.starts, time(12), clock_of(state.zone))
    used = [zone for item in state.items.values() for zone in (item.starts.zone, item.ends.zone)]
    countries = [zone for country in state.countries for zone in get_global("territory_zones").get(country, [])[:12]]
    zones = dict.fromkeys((state.zone, *used, *guest_zones(state).values(), *countries))
    places = dict.fromkeys(
        (*state.places, *(item.place for item in state.items.values() if item.place and not item.cancelled))
    )
    return {
        "names": names,
        "kinds": [(code, word(ITEM_KINDS, code, words)) for code in get_args(ItemKind)],
        "groups": [(code, words.tr(AUDIENCE_GROUPS[code]), "") for code in get_args(AudienceGroup)],
        "people": [
            (who, names[who], word(PERSON_ROLES, person.role, words))
            for who, person in state.people.items()
            if person.active
        ],
        "zones": [(zone, words.zone_label(noon.astimezone(clock_of(zone)))) for zone in zones],
        "known_places": list(places),
    }


# From what was typed to what a command says


def _wrong(request: Request, name: str, sentence: str, **values: object) -> FormRefused:
    words = translator(reader_of(request).language)
    return FormRefused([(name, words.tr(sentence, **values))])


def _renamed(wrong: FormRefused) -> FormRefused:
    """Put what is wrong with a command beside the field of the form that says it."""
    errors = []
    for name, sentence in wrong.errors:
        head, _, tail = name.partition(".")
        if head in ("starts", "ends"):
            name = {"starts": "zone", "ends": "ends_zone"}[head] if tail == "zone" else head
        elif head == "audience":
            name = "people" if tail.startswith("people") else "groups"
        elif head in ("seen", "item_id"):
            name = ""
        errors.append((name, sentence))
    return FormRefused(errors, wrong.status, key=wrong.key)


def _audience(typed: Typed) -> dict[str, Any]:
    chosen = {name: [one for one in typed.all(name) if one] for name in ("groups", "people")}
    return {"audience": chosen} if "groups" in typed else {}


def _notes(typed: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the notes that were typed, without empty ones."""
    if not isinstance(typed, Typed):
        return []
    found = []
    for number in range(LARGEST_NOTES):
        text = typed.get(f"notes.{number}.text", "").strip()
        if text:
            for_whom = {
                name: [one for one in typed.all(f"notes.{number}.{name}") if one] for name in ("groups", "people")
            }
            found.append({"text": text, **for_whom})
    return found


def _moments(request: Request, typed: Typed, state: Delegation) -> dict[str, Any]:
    """Return when an item starts and ends, as its command says it. FormRefused names the fields to be put right.

    `ends` is a time of day, on the same day where no other is typed; or `minutes` say how long it lasts.
    """
    words = translator(reader_of(request).language)
    day, starts = day_of(typed.get("day", "")), time_of(typed.get("starts", ""))
    ends, minutes = time_of(typed.get("ends", "")), number_of(typed.get("minutes", ""))
    errors = []
    if day is None:
        errors.append(("day", words.tr(TYPE_DAY)))
    if starts is None:
        errors.append(("starts", words.tr(TYPE_TIME)))
    if ends is None and minutes is None:
        errors.append(("ends", words.tr(TYPE_TIME)))
    ends_day = day_of(typed.get("ends_day", "")) if typed.get("ends_day", "").strip() else day
    if ends_day is None and day is not None:
        errors.append(("ends_day", words.tr(TYPE_DAY)))
    if errors or day is None or starts is None or ends_day is None:
        raise FormRefused(errors)
    zone = typed.get("zone", "").strip() or state.zone
    ends_zone = typed.get("ends_zone", "").strip() or zone
    begins = _local_time(words, "starts", day, starts, zone, typed.get("starts_fold", ""))
    if ends is not None:
        stops = _local_time(words, "ends", ends_day, ends, ends_zone, typed.get("ends_fold", ""))
    else:
        until = (begins.resolve().instant + timedelta(minutes=minutes or 0)).astimezone(clock_of(ends_zone))
        stops = LocalTime.model_validate({"local": f"{until:%Y-%m-%dT%H:%M}", "zone": ends_zone, "fold": until.fold})
    length = (stops.resolve().instant - begins.resolve().instant).total_seconds()
    if length <= 0:
        raise FormRefused([("ends", words.tr(BACKWARDS))])
    if length < 60 * SHORTEST:
        raise FormRefused([("ends", words.tr(TOO_SHORT, minutes=SHORTEST))])
    return {"starts": begins.model_dump(mode="json"), "ends": stops.model_dump(mode="json")}


def _local_time(words: Translator, name: str, day: date, at: time, zone: str, fold: str) -> LocalTime:
    said = {"local": f"{day}T{at:%H:%M}", "zone": zone, "fold": int(fold) if fold in ("0", "1") else None}
    try:
        return LocalTime.model_validate(said)
    except ValidationError as wrong:
        kind = wrong.errors()[0]["type"]
        place = "zone" if kind == "zone_unknown" else name
        if kind == "zone_unknown" and name == "ends":
            place = "ends_zone"
        sentence = TWICE if kind == "local_time_is_ambiguous" else CUSTOM.get(kind, TYPE_TIME)
        raise FormRefused([(place, words.tr(sentence))]) from None


def _folds(request: Request, typed: Mapping[str, Any], state: Delegation) -> dict[str, list[tuple[str, str, str]]]:
    """Return, for a time that its clock shows twice, which ones there are: by field, for a choice."""
    words = translator(reader_of(request).language)
    day = day_of(str(typed.get("day", "")))
    zone = str(typed.get("zone", "")).strip() or state.zone
    found = {}
    for name, on, where in (
        ("starts", day, zone),
        ("ends", day_of(str(typed.get("ends_day", ""))) or day, str(typed.get("ends_zone", "")).strip() or zone),
    ):
        at = time_of(str(typed.get(name, "")))
        if on is None or at is None:
            continue
        try:
            LocalTime(local=f"{on}T{at:%H:%M}", zone=where)
        except ValidationError as wrong:
            if wrong.errors()[0]["type"] == "local_time_is_ambiguous":
                both = [resolve(f"{on}T{at:%H:%M}", where, fold) for fold in (0, 1)]
                first, second = (words.zone_label(one.instant.astimezone(clock_of(where))) for one in both)
                found[name] = [
                    ("0", words.tr("the first one"), first),
                    ("1", words.tr("the second one"), second),
                ]
    return found
