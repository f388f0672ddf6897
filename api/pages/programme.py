"""The personal page that an invitation leads to: one's programme, its calendar, and how one wants to hear of changes.

The address is the right to it, of one participant of one delegation. Whoever has it sees what that participant may see
and may choose their channel: nothing else.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Annotated
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

import segno
from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse, StreamingResponse
from markupsafe import Markup
from pydantic import AfterValidator, Field

from api.bodies import as_json
from api.cookies import csrf_token
from api.documents import DocumentView, documents_of, download_document
from api.engine import CommandRefused, EngineUnavailable, KeyReused
from api.feeds import address_of, webcal_of
from api.installation import At, Installation
from api.pages.forms import KEY, Form, FormRefused, done, key_of, read, said
from api.pages.problems import sentence_of
from api.pages.reader import Reader, reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.problems import Problem, refused
from api.texts import SENTENCES as TEXT_SENTENCES
from domain.canonical import digest_of
from domain.commands import Answer, Channel, ChooseChannel, RecordReply
from domain.companions import accompanied, companions_of
from domain.decision import PARTICIPANT
from domain.state import RESTING, Participant, Phase
from domain.values import Digest, Slug, Value, business_date, business_text
from domain.views import Seen, seen_by
from locales import LANGUAGES, Translator, mark, translator
from storage.collection_rows import Owner
from storage.feeds import Subject
from storage.idempotency import IdempotencyConflict
from storage.metadata import utc_now
from storage.persons import Person, PersonErased
from storage.queries import File
from storage.texts import LARGEST_TEXT, TextRefused, normal_text

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

SAID = {
    "answered": mark("Your answer is recorded. You can change it here until the visit ends."),
    "needs_kept": mark("What you need is noted."),
}

CHANNEL, ANSWER, NEEDS = "channel", "answer", "needs"
"""The forms of the page, by their names."""

ANSWERS: tuple[tuple[Answer, str, str], ...] = (
    ("accepted", mark("I accept"), ""),
    ("tentative", mark("I cannot say for certain yet"), ""),
    ("declined", mark("I cannot come"), ""),
)

LETTER = "invitation_letter"

ANSWERED_IN = (Phase.INVITING, Phase.UNDER_WAY)

Remark = Annotated[str, Field(max_length=500), AfterValidator(business_text)]
Comment = Annotated[str, Field(max_length=1000)]


class OwnAnswer(Value):
    """What somebody answers: to one item, or to the invitation as a whole."""

    answer: Answer
    item_id: Slug | None = None
    comment: Comment | None = None


class OwnNeeds(Value):
    """What has to be seen to for somebody; what is left empty is no more."""

    dietary: Remark | None = None
    needs: Remark | None = None


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
    def actor(self) -> str:
        """Who acts: somebody on the file, and no account."""
        return f"{PARTICIPANT}{self.participant.id}"

    @property
    def may_answer(self) -> bool:
        """Whether an answer is taken now."""
        return self.participant.active and self.file.state.phase in ANSWERED_IN

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
    if request.query_params.get("chosen") == visit.channel:
        return await _page(at, request, token, visit, told=translator(reader_of(request).language).tr(CHOSEN))
    return await _page(at, request, token, visit, told=said(request, SAID) or "")


@router.post("/my/{token}")
async def take_own_form(token: Token, request: Request, at: At) -> Response:
    """Take a form of somebody's own page: how they hear, what they answer, what they need. Sent again it is the same.

    Problems: those of `_visit`, `csrf_token_refused`.
    """
    visit = await _visit(at, request, token)
    form: Typed = request.state.form
    at.cookies.require_csrf_token(request, token, given=form.get("csrf", ""))
    name = form.get("form", CHANNEL)
    try:
        if name in (ANSWER, NEEDS) and not visit.participant.active:
            # Who has left the file is asked nothing any more.
            raise FormRefused([("", sentence_of(request, Problem("not_found"))[1])], 404)
        if name == ANSWER:
            said = await _answer(at, request, visit, form)
        elif name == NEEDS:
            said = await _keep_needs(at, request, visit, form)
        else:
            return await _choose_channel(at, request, token, visit, form)
    except FormRefused as wrong:
        return await _page(at, request, token, visit, wrong=wrong, typed=form, name=name)
    answer = done(f"/my/{token}", said, name)
    answer.headers.update(HEADERS)
    return answer


@router.get("/my/{token}/documents/{digest}")
async def fetch_own_document(
    token: Token, digest: Annotated[Digest, Path()], request: Request, at: At
) -> StreamingResponse:
    """Send somebody a letter or document that their own page lists. Problem: `not_found` for any other."""
    visit = await _visit(at, request, token)
    if digest not in {one.digest for one in await own_documents(at, visit.file, visit.participant)}:
        raise Problem("not_found")
    answer = await download_document(visit.file, digest, at)
    answer.headers.update(HEADERS)
    return answer


async def _choose_channel(at: Installation, request: Request, token: str, visit: Visit, form: Typed) -> Response:
    channel = next((one for one in visit.offered if one == form.get("channel")), None)
    if channel is None:
        sentence = translator(reader_of(request).language).tr(NOTHING_CHOSEN)
        return await _page(at, request, token, visit, wrong=FormRefused([("mail", sentence)]), name=CHANNEL)
    if channel != visit.channel:
        command = ChooseChannel(participant_id=visit.participant.id, channel=channel)
        try:
            await _send(at, request, visit, command, form)
        except FormRefused as wrong:
            told = FormRefused([("mail", sentence) for _, sentence in wrong.errors], wrong.status)
            return await _page(at, request, token, visit, wrong=told, name=CHANNEL)
    return RedirectResponse(f"/my/{token}?chosen={channel}", 303, headers=HEADERS)


async def _answer(at: Installation, request: Request, visit: Visit, form: Typed) -> str:
    """Record what somebody answers to the invitation, or to one item of it; return the code of what is said then."""
    answer = read(request, OwnAnswer, form)
    if await _answered_so(at, visit, answer):
        return "answered"
    comment = None
    if answer.comment is not None:
        try:
            key = digest_of(["text", visit.actor, visit.file.state.id, "comment", key_of(form)])
            comment = await at.texts.write(visit.file.state.id, answer.comment, idempotency_key=key)
        except TextRefused as wrong:
            words = translator(reader_of(request).language)
            raise FormRefused([("comment", words.tr(TEXT_SENTENCES[wrong.code], limit=LARGEST_TEXT))]) from None
        except IdempotencyConflict:
            raise FormRefused([("", sentence_of(request, Problem("idempotency_key_reused"))[1])], 409) from None
    command = RecordReply(
        participant_id=visit.participant.id,
        answer=answer.answer,
        item_id=answer.item_id,
        comment=comment,
        via="page",
    )
    await _send(at, request, visit, command, form)
    return "answered"


async def _answered_so(at: Installation, visit: Visit, answer: OwnAnswer) -> bool:
    """Whether this is what was answered before, in the same words: the trail needs it once."""
    before = visit.file.state.replies.get(f"{visit.participant.id}/{answer.item_id or '*'}")
    if before is None or before.answer != answer.answer:
        return False
    if before.comment is None:
        return answer.comment is None
    known = (await at.texts.read_many([before.comment.ref])).get(before.comment.ref)
    try:
        return answer.comment is not None and known == normal_text(answer.comment)
    except TextRefused:
        return False


async def _keep_needs(at: Installation, request: Request, visit: Visit, form: Typed) -> str:
    """Keep what somebody needs among their personal data, and nowhere else; return the code of what is said then."""
    needs = read(request, OwnNeeds, form)
    # The rest stays as the register has it by now, not as it was when the page was shown.
    person = await at.persons.get(visit.participant.person.ref)
    if not isinstance(person, Person):
        raise Problem("person_erased")
    try:
        await at.persons.correct(person.ref, person.details.model_copy(update=needs.model_dump()))
    except PersonErased:
        raise Problem("person_erased") from None
    return "needs_kept"


async def _send(
    at: Installation, request: Request, visit: Visit, command: ChooseChannel | RecordReply, form: Typed
) -> None:
    """Send a command in the name of somebody on the file. FormRefused with the sentence of what the API would say."""
    key = form.get("key", "")
    if not KEY.fullmatch(key):
        raise Problem("body_malformed")
    try:
        receipt = await at.engine.execute(visit.file.state.id, [as_json(command)], actor=visit.actor, key=key)
    except (CommandRefused, KeyReused, EngineUnavailable) as failed:
        status, sentence = sentence_of(request, _problem_of(failed))
        # What may have been decided already is asked for again under the same key.
        raise FormRefused([("", sentence)], status, key=key if isinstance(failed, EngineUnavailable) else "") from None
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
    told: str = "",
    wrong: FormRefused | None = None,
    typed: Typed | None = None,
    name: str = "",
) -> Response:
    words, state = translator(reader_of(request).language), visit.file.state
    subject = Subject.participant(state.id, visit.participant.id, visit.participant.person.ref)
    feed = (await at.feeds.ensure([subject])).get(subject)
    secret = None if feed is None else at.feeds.token_of(feed)
    link = None if secret is None else address_of(at, "participant", secret)
    seen, now = seen_by(state, visit.participant.id), max(utc_now(), visit.file.updated_at)
    asked = typed.get("item_id", "") if typed is not None else request.query_params.get("item", "")
    item = _asked_about(seen, asked)
    answer = await _answer_form(at, visit, item)
    needs = Form(NEEDS, OwnNeeds, {one: getattr(visit.person.details, one) or "" for one in OwnNeeds.model_fields})
    if wrong and typed is not None:
        answer = wrong.form(ANSWER, OwnAnswer, typed) if name == ANSWER else answer
        needs = wrong.form(NEEDS, OwnNeeds, typed) if name == NEEDS else needs
    errors = [*answer.errors, *needs.errors]
    if wrong and name == CHANNEL:
        errors = [(f"{CHANNEL}-{field}", sentence) for field, sentence in wrong.errors]
    return show(
        request,
        PAGE,
        wrong.status if wrong else 200,
        headers=HEADERS,
        state=state,
        me=visit.participant,
        person=visit.person.details,
        days=_days(seen),
        nearby=_nearby(seen, now),
        now=now,
        may_answer=visit.may_answer,
        item=item,
        answer=answer,
        answers=[(code, words.tr(title), meaning) for code, title, meaning in ANSWERS],
        replies={one: state.replies.get(f"{visit.participant.id}/{one}") for one in ("*", *(s.item_id for s in seen))},
        needs=needs,
        companions=await _companions(at, visit, business_date(now, state.zone)),
        documents=await own_documents(at, visit.file, visit.participant),
        link=link,
        webcal=None if link is None else webcal_of(link),
        elsewhere=() if link is None else _elsewhere(link, state.title),
        code=None if link is None else _code(webcal_of(link), words),
        channels=[(one, *CHANNELS[one]) for one in visit.offered],
        chosen=visit.channel,
        key=uuid.uuid4().hex,
        said=told,
        errors=errors,
        organisation=_organisation(at, words),
    )


def _asked_about(seen: tuple[Seen, ...], item: str) -> Seen | None:
    """Return the item that is answered alone, None for the invitation as a whole."""
    return next((one for one in seen if one.item_id == item and not one.cancelled), None)


async def _answer_form(at: Installation, visit: Visit, item: Seen | None) -> Form:
    """Return the form of an answer with what was answered before."""
    before = visit.file.state.replies.get(f"{visit.participant.id}/{item.item_id if item else '*'}")
    typed: dict[str, str] = {"answer": before.answer} if before else {}
    if before and before.comment:
        typed["comment"] = (await at.texts.read_many([before.comment.ref])).get(before.comment.ref) or ""
    return Form(ANSWER, OwnAnswer, typed)


@dataclass(frozen=True)
class Nearby:
    """What of somebody's programme is now, and what comes next."""

    now: tuple[Seen, ...]
    next: Seen | None


def _nearby(seen: tuple[Seen, ...], now: datetime) -> Nearby:
    on = sorted((one for one in seen if not one.cancelled), key=lambda one: (one.view.starts.instant, one.item_id))
    return Nearby(
        tuple(one for one in on if one.view.starts.instant <= now < one.view.ends.instant),
        next((one for one in on if one.view.starts.instant > now), None),
    )


@dataclass(frozen=True)
class Known:
    """Somebody who goes with the reader: what they are called and do, and how they are reached."""

    name: str
    role: str
    function: str | None
    phone: str | None
    email: str | None


async def _companions(at: Installation, visit: Visit, today: date) -> list[Known]:
    """Return who goes with somebody: who runs the file, and who serves where they are themselves."""
    state = visit.file.state
    if not accompanied(state, visit.participant, today):
        return []
    account = await at.accounts.get(state.coordinator)
    found = [Known(account.name, "coordinator", None, None, account.email)] if account else []
    others = companions_of(state, visit.participant.id, today)
    people = await at.persons.get_many([state.people[one.participant_id].person.ref for one in others])
    for one in others:
        person = people.get(state.people[one.participant_id].person.ref)
        if isinstance(person, Person):
            details = person.details
            found.append(
                Known(
                    name=f"{details.honorific} {details.full_name}" if details.honorific else details.full_name,
                    role=one.role,
                    function=details.function,
                    phone=details.phone if "phone" in one.ways else None,
                    email=details.email if "email" in one.ways else None,
                )
            )
    return found


async def own_documents(at: Installation, file: File, participant: Participant) -> list[DocumentView]:
    """Return the documents that somebody may have: what concerns them alone, and of a delegate the letter to them.

    Of letters the last one, in every language it was written in. None of somebody who has left the file; nothing that
    was erased.
    """
    if not participant.active:
        return []
    known = list(documents_of(file.state))
    last = max((one.number for one in known if one.kind == LETTER), default=0)
    mine = [
        one
        for one in known
        if one.concerns == participant.id or (participant.delegate and one.kind == LETTER and one.number == last)
    ]
    erased = await at.attachments.erased({one.digest for one in mine})
    return [
        one.model_copy(update={"digest": erased[one.digest]}) if one.digest in erased else one
        for one in mine
        if one.digest not in erased or erased[one.digest] is not None
    ]


def _elsewhere(link: str, title: str) -> tuple[tuple[str, str], ...]:
    """Return where calendars of others take an address to subscribe to: (name, address)."""
    outlook = urlencode({"url": link, "name": title}, quote_via=quote)
    return (
        ("Google", f"https://calendar.google.com/calendar/r?{urlencode({'cid': webcal_of(link)}, quote_via=quote)}"),
        ("Outlook.com", f"https://outlook.live.com/calendar/0/addfromweb?{outlook}"),
        ("Microsoft 365", f"https://outlook.office.com/calendar/0/addfromweb?{outlook}"),
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
