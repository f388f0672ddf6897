"""The personal page that an invitation leads to: one's programme, its calendar, and how one wants to hear of changes.

The address is the right to it, of one participant of one delegation. Whoever has it sees what that participant may see
and may choose their channel: nothing else.
"""

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse
from markupsafe import Markup

from api.cookies import csrf_token
from api.engine import CommandRefused, EngineUnavailable, KeyReused
from api.feeds import address_of, webcal_of
from api.installation import At, Installation
from api.pages.problems import sentence_of
from api.pages.reader import Reader, reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.problems import Problem, refused
from domain.commands import Channel
from domain.decision import PARTICIPANT
from domain.state import RESTING, Participant, Phase
from domain.values import business_date
from domain.views import Seen, seen_by
from locales import LANGUAGES, Translator, mark, translator
from storage.collection_rows import Owner
from storage.feeds import Subject
from storage.metadata import utc_now
from storage.persons import Person
from storage.queries import File

router = APIRouter(route_class=PageRoute, include_in_schema=False)

PAGE = "programme.html"

HEADERS = {
    # The path is a secret: what this page asks for names the site alone. Forms still say where they come from.
    "Referrer-Policy": "strict-origin",
    "X-Robots-Tag": "noindex, nofollow",
    "Cache-Control": "no-store",
}

CHANNELS: dict[Channel, tuple[str, str]] = {
    "mail": (
        mark("By e-mail"),
        mark("Each item comes as an invitation that you answer in your calendar; every change comes by itself."),
    ),
    "feed": (
        mark("In a calendar that I subscribe to"),
        mark(
            "Your calendar fetches the programme by itself, some once or twice a day only; no more e-mails about items."
        ),
    ),
    "caldav": (
        mark("Written into my calendar"),
        mark("The programme is written into the calendar that is registered for you."),
    ),
}
"""What each channel is called, and what it means for whoever chooses it."""

CHOSEN = mark("Your choice is kept.")
NOTHING_CHOSEN = mark("Choose one of them.")

KEY = re.compile(r"^[0-9a-f]{32}$")

Token = Annotated[str, Path(max_length=200)]


@dataclass(frozen=True)
class Visit:
    """Who looks at which page: the participant of a file, as the register knows the person.

    `has_collection` says that there is a calendar of theirs to write into.
    """

    file: File
    participant: Participant
    person: Person
    has_collection: bool

    @property
    def channel(self) -> Channel:
        """How they hear of the programme now."""
        return self.participant.channel or "mail"

    @property
    def offered(self) -> tuple[Channel, ...]:
        """What they may choose: a calendar to write into only where one is registered for them."""
        if not self.participant.active or (self.file.state.phase in RESTING - {Phase.POSTPONED}):
            return ()
        return ("mail", "feed", "caldav") if self.has_collection else ("mail", "feed")


@router.get("/my/{token}")
async def show_programme_page(token: Token, request: Request, at: At) -> Response:
    """Show somebody their programme. Nothing changes, however often it is opened."""
    visit = await _visit(at, request, token)
    chosen = request.query_params.get("chosen") == visit.channel
    return await _page(at, request, token, visit, said=CHOSEN if chosen else "")


@router.post("/my/{token}")
async def choose_channel_by_page(token: Token, request: Request, at: At) -> Response:
    """Let somebody choose how they hear of the programme, and show the page again; sent again it is the same choice."""
    visit = await _visit(at, request, token)
    form: dict[str, str] = request.state.form
    at.cookies.require_csrf_token(request, token, given=form.get("csrf", ""))
    channel = next((one for one in visit.offered if one == form.get("channel")), None)
    if channel is None:
        return await _page(at, request, token, visit, status=422, wrong=NOTHING_CHOSEN)
    if channel != visit.channel:
        try:
            await _choose(at, visit, channel, form.get("key", ""))
        except (CommandRefused, KeyReused, EngineUnavailable) as failed:
            status, sentence = sentence_of(request, _problem_of(failed))
            return await _page(at, request, token, visit, status=status, wrong=sentence)
    return RedirectResponse(f"/my/{token}?chosen={channel}", 303, headers=HEADERS)


async def _choose(at: Installation, visit: Visit, channel: Channel, key: str) -> None:
    command = {"type": "choose_channel", "participant_id": visit.participant.id, "channel": channel}
    actor = f"{PARTICIPANT}{visit.participant.id}"
    sent = key if KEY.fullmatch(key) else uuid.uuid4().hex
    receipt = await at.engine.execute(visit.file.state.id, [command], actor=actor, key=sent)
    await at.queries.wait_for_seq(visit.file.state.id, receipt.last_seq)


def _problem_of(failed: CommandRefused | KeyReused | EngineUnavailable) -> Problem:
    match failed:
        case CommandRefused():
            return refused(failed.refusal)
        case KeyReused():
            return Problem("idempotency_key_reused")
        case EngineUnavailable():
            return Problem("engine_unavailable")


async def _visit(at: Installation, request: Request, token: str) -> Visit:
    """Return who visits; Problem `not_found` for whatever the reason is that the address leads nowhere.

    But `person_erased` where it led to somebody whose data were erased: their own invitation says why it is over.
    """
    feed = await at.feeds.found_by(token, "page")
    if feed is None and await at.feeds.led_to_erased(token):
        raise Problem("person_erased")
    if feed is None or feed.subject.delegation is None:
        await at.attempts.guessed(request)
        raise Problem("not_found")
    file = await at.queries.get(feed.subject.delegation)
    participant = None if file is None else file.state.people.get(feed.subject.name)
    if file is None or participant is None or _over(at, file):
        raise Problem("not_found")
    person = await at.persons.get(participant.person.ref)
    if not isinstance(person, Person):
        raise Problem("not_found")
    _speak_to(at, request, person, token)
    return Visit(file, participant, person, has_collection=await _has_collection(at, participant))


async def _has_collection(at: Installation, participant: Participant) -> bool:
    return await at.registers.collections.of(Owner("person", participant.person.ref)) is not None


def _over(at: Installation, file: File) -> bool:
    today = business_date(max(utc_now(), file.updated_at), at.settings.zone)
    return today > file.state.ends + timedelta(days=at.settings.page_days)


def _speak_to(at: Installation, request: Request, person: Person, token: str) -> None:
    """Let the page speak the person's language, unless this browser was told another; a session counts for nothing."""
    chosen = request.cookies.get(at.cookies.language)
    language = next((one for one in LANGUAGES if one == chosen), person.details.language)
    request.state.reader = Reader(language, csrf=csrf_token(token))


async def _page(
    at: Installation,
    request: Request,
    token: str,
    visit: Visit,
    *,
    status: int = 200,
    said: str = "",
    wrong: str = "",
) -> Response:
    words, state = translator(reader_of(request).language), visit.file.state
    subject = Subject.participant(state.id, visit.participant.id, visit.participant.person.ref)
    feed = (await at.feeds.ensure([subject])).get(subject)
    secret = None if feed is None else at.feeds.token_of(feed)
    link = None if secret is None else address_of(at, "participant", secret)
    return show(
        request,
        PAGE,
        status,
        headers=HEADERS,
        state=state,
        person=visit.person.details,
        days=_days(seen_by(state, visit.participant.id)),
        link=link,
        webcal=None if link is None else webcal_of(link),
        code=None if link is None else _code(webcal_of(link), words),
        channels=[(one, *CHANNELS[one]) for one in visit.offered],
        chosen=visit.channel,
        key=uuid.uuid4().hex,
        said=words.tr(said) if said else "",
        errors=[("channel-mail", words.tr(wrong))] if wrong else [],
        organisation=_organisation(at, words),
    )


def _organisation(at: Installation, words: Translator) -> str:
    return at.settings.union_name if words.language == "vi" else at.settings.union_name_en


def _days(seen: tuple[Seen, ...]) -> list[tuple[date, list[Seen]]]:
    """Return the programme by day, each item on the day of the place where it begins."""
    in_order = sorted(seen, key=lambda one: (one.view.starts.instant, one.item_id))
    by_day = sorted(in_order, key=_day)
    return [(day, list(items)) for day, items in groupby(by_day, key=_day)]


def _day(one: Seen) -> date:
    return _local(one).date()


def _local(one: Seen) -> datetime:
    return one.view.starts.instant.astimezone(ZoneInfo(one.view.starts.zone))


def _code(address: str, words: Translator) -> Markup:
    """Return the address as a picture for cameras: SVG within the page, black on white in any light."""
    drawn = segno.make(address, error="m", micro=False)
    options: Mapping[str, object] = {"scale": 4, "border": 4, "dark": "#000", "light": "#fff", "svgclass": "code"}
    title = words.tr("QR code of the calendar's address")
    # segno escapes the title; everything else it writes itself.
    return Markup(drawn.svg_inline(title=title, omitsize=False, **options))  # noqa: S704 - as said above
