"""Before publishing: who will be told what, by which channel and when. Publishing is a form of this very page."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.forms import Form, FormRefused, done, read, send
from api.pages.frame import head_of, show_part
from api.pages.plan import names_of
from api.pages.possible import why_not
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from domain.commands import PublishProgramme
from domain.events import CalendarView
from domain.publication import preview
from domain.sign_in import Acting
from domain.values import Moment, clock_of
from locales import Translator, mark, translator
from storage.queries import File
from words.codes import CHANNELS, ITEM_KINDS, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

TAB = "/programme"

CHANGES = {"new": mark("new"), "changed": mark("changed"), "cancelled": mark("cancelled")}


@router.get("/delegations/{delegation}/programme/preview")
async def show_preview_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show what publishing the programme as it stands would tell whom. Nothing is published by looking."""
    return await _page(request, at, file, actor)


@router.post("/delegations/{delegation}/programme/preview")
async def publish_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Publish exactly what was previewed; where the programme or the people changed since, show the new preview."""
    try:
        command = read(request, PublishProgramme, request.state.form)
        await send(request, at, file.state.id, [command], request.state.form, actor)
    except FormRefused as wrong:
        now = await at.queries.get(file.state.id)
        return await _page(request, at, now or file, actor, wrong)
    return done(f"/delegations/{file.state.id}/programme", "published")


async def _page(
    request: Request, at: Installation, file: File, actor: Acting, wrong: FormRefused | None = None
) -> Response:
    state, reader, head = file.state, reader_of(request), await head_of(request, at, file, actor)
    words, names = translator(reader.language), await names_of(at, state, reader)
    found = preview(state, file.head, head.possible.context)
    return await show_part(
        request,
        at,
        file,
        actor,
        "preview.html",
        TAB,
        status=wrong.status if wrong else 200,
        head=head,
        preview=found,
        why_not=why_not(request, found.refusal),
        called=lambda people: [names.get(who, who) for who in people],
        titled=lambda items: [state.items[item].title for item in items],
        form=wrong.form("publish", PublishProgramme, {}) if wrong else Form("publish", PublishProgramme),
        errors=[("", sentence) for _, sentence in wrong.errors] if wrong else (),
        differing=differing(words),
        channel=lambda code: word(CHANNELS, code, words),
        change_word=lambda code: words.tr(CHANGES[code]),
    )


def differing(words: Translator) -> Callable[[CalendarView | None, CalendarView], list[tuple[str, str, str]]]:
    """Return what tells, field by field, what an item was and what it becomes: (label, before, after)."""

    def fields(view: CalendarView) -> dict[str, str]:
        return {
            words.tr("Name of the item"): view.title,
            words.tr("Kind"): word(ITEM_KINDS, view.kind, words),
            words.tr("Begins"): _when(view.starts, words),
            words.tr("Ends"): _when(view.ends, words),
            words.tr("Place"): view.place or "",
            words.tr("Notes"): "; ".join(view.notes),
        }

    def told(before: CalendarView | None, after: CalendarView) -> list[tuple[str, str, str]]:
        if before is None:
            return []
        old: dict[str, Any] = fields(before)
        return [(label, old[label], now) for label, now in fields(after).items() if old[label] != now]

    return told


def _when(moment: Moment, words: Translator) -> str:
    at: datetime = moment.instant.astimezone(clock_of(moment.zone))
    return f"{words.clock_time(at)}, {words.weekday_date(at)}, {words.zone_label(at)}"
