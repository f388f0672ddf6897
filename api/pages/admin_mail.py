"""Post as pages: answers by mail that a person has to look at, and mail that did not arrive."""

import uuid
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response

from api.access import ALLOWED, Actor
from api.dead_letters import DeadLetterQuery, list_dead_letters
from api.files import require_reach
from api.installation import At, Installation
from api.pages.administration import show_section
from api.pages.answering import answering
from api.pages.forms import Form, FormRefused, done, key_of, read, send
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed
from api.problems import Problem
from api.replies import (
    MailRef,
    RepliesQuery,
    Settlement,
    ShownReply,
    dismiss_reply,
    list_replies,
    settle_reply,
)
from domain.commands import ResendMail
from domain.permission import may_send
from domain.sign_in import Acting
from domain.state import Participant
from locales import mark, translator
from storage.persons import Person
from words.codes import ANSWERS, MAIL_KINDS
from words.replies import why

router = APIRouter(route_class=PageRoute, include_in_schema=False)

REPLIES, UNDELIVERED = "/admin/replies", "/admin/undelivered"

SAID = {
    "settled": mark("The answer was recorded, and the mail taken out of the list."),
    "dismissed": mark("The mail was dismissed; what it said was destroyed."),
    "resent": mark("The mail goes out again."),
}

MAIL_SAYS = {
    "reply": mark("answers an invitation"),
    "counter": mark("proposes another time"),
    "refresh": mark("asks for the invitation again"),
    "bounce": mark("reports that a mail did not arrive"),
    "plain": mark("a mail in words"),
    "unreadable": mark("cannot be read by a program"),
}

UNDELIVERED_WORDS = {
    "refused": mark("refused"),
    "dead": mark("given up after many attempts"),
    "bounced": mark("came back"),
}


@router.get("/admin/replies")
async def show_replies_page(
    request: Request, actor: Actor, at: At, cursor: Annotated[str | None, Query(max_length=2000)] = None
) -> Response:
    """Show received mail that a person has to look at, the oldest first."""
    return await _replies(request, at, actor, cursor=cursor)


@router.post("/admin/replies/{mail}")
async def settle_reply_by_page(mail: MailRef, request: Request, actor: Actor, at: At) -> Response:
    """Record what a mail says as somebody's answer, or dismiss it."""
    typed: Typed = request.state.form
    if typed.get("act") not in ("settle", "dismiss"):
        raise Problem("body_malformed")
    try:
        if typed["act"] == "dismiss":
            with answering(request):
                await dismiss_reply(mail, actor, at)
            return done(REPLIES, "dismissed")
        if not set(actor.roles) & set(ALLOWED["settle_reply"]):
            raise Problem("role_not_allowed")
        body = read(request, Settlement, typed)
        places = {
            "received_mail_without_file": "delegation",
            "item_unknown": "item_id",
            "delegation_unknown": "delegation",
            "participant_id": "participants",
        }
        with answering(request, places, key=typed.get("key", "")):
            await settle_reply(mail, body, key_of(typed), actor, at)
    except FormRefused as wrong:
        form = wrong.form(f"settle-{mail}", Settlement, typed)
        return await _replies(request, at, actor, form=form, status=wrong.status)
    return done(REPLIES, "settled")


@router.get("/admin/undelivered")
async def show_undelivered_page(
    request: Request,
    actor: Actor,
    at: At,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    status: Annotated[Literal["refused", "dead", "bounced", ""], Query()] = "",
) -> Response:
    """Show mail that did not arrive, the newest first."""
    return await _undelivered(request, at, actor, cursor=cursor, only=status)


@router.post("/admin/undelivered")
async def resend_by_page(request: Request, actor: Actor, at: At) -> Response:
    """Send a mail again, by the command that the file records."""
    typed: Typed = request.state.form
    try:
        command = read(request, ResendMail, Typed([("messages", typed.get("message", ""))]))
        delegation = typed.get("delegation", "")
        if await at.queries.get(delegation) is None:
            raise Problem("delegation_unknown")
        await require_reach(actor, at, delegation)
        await send(request, at, delegation, [command], typed, actor)
    except FormRefused as wrong:
        form = wrong.form("resend", None, typed)
        return await _undelivered(request, at, actor, form=form, status_code=wrong.status)
    return done(UNDELIVERED, "resent")


async def _replies(
    request: Request,
    at: Installation,
    actor: Acting,
    *,
    cursor: str | None = None,
    form: Form | None = None,
    status: int = 200,
) -> Response:
    found = await list_replies(RepliesQuery(cursor=cursor), at, actor)
    words = translator(reader_of(request).language)
    files = {
        one.state.id: one.state
        for one in await at.queries.of(sorted({m.delegation for m in found.items if m.delegation}))
    }
    names = await _people(at, ((one.id, who, each) for one in files.values() for who, each in one.people.items()))
    choices = {
        one.mail: {
            "people": [
                (who, names.get((one.delegation or "", who), who), "")
                for who in (files[one.delegation].people if one.delegation in files else ())
            ],
            "items": [
                (item.id, item.title)
                for item in (files[one.delegation].items.values() if one.delegation in files else ())
            ],
        }
        for one in found.items
    }
    return show_section(
        request,
        "admin_replies.html",
        REPLIES,
        status=status,
        form=form,
        forms=[Form(f"settle-{one.mail}", Settlement, _typed(one)) for one in found.items],
        said_of=SAID,
        found=found,
        titles={id: state.title for id, state in files.items()},
        choices=choices,
        reasons={one.mail: why(one.reason, words) for one in found.items},
        answers=[(code, words.tr(word)) for code, word in ANSWERS.items()],
        answer_words={code: words.tr(word) for code, word in ANSWERS.items()},
        kind_words={code: words.tr(word) for code, word in MAIL_SAYS.items()},
        may_settle=bool(set(actor.roles) & set(ALLOWED["settle_reply"])),
    )


def _typed(one: ShownReply) -> Mapping[str, Any]:
    return {
        "participants": one.participants if len(one.participants) == 1 else (),
        "answer": one.answer or "",
        "item_id": one.item_id or "",
        "delegation": one.delegation or "",
    }


async def _people(at: Installation, people: Iterable[tuple[str, str, Participant]]) -> dict[tuple[str, str], str]:
    """Return what people of files are called now, by file and participant."""
    refs = {(file, who): one.person.ref for file, who, one in people}
    known = await at.persons.get_many(refs.values())
    found = {place: known.get(ref) for place, ref in refs.items()}
    return {place: one.details.full_name for place, one in found.items() if isinstance(one, Person)}


async def _undelivered(
    request: Request,
    at: Installation,
    actor: Acting,
    *,
    cursor: str | None = None,
    only: str = "",
    form: Form | None = None,
    status_code: int = 200,
) -> Response:
    query = DeadLetterQuery.model_validate({"cursor": cursor, "limit": 25, "status": only or None})
    found = await list_dead_letters(query, at, actor)
    words = translator(reader_of(request).language)
    names: dict[tuple[str, str], str] = {}
    if reader_of(request).sees_personal_data:
        files = await at.queries.of(sorted({one.delegation for one in found.items}))
        addressed = {(one.delegation, who) for one in found.items for who in one.participants}
        on_files = ((file.state.id, who, one) for file in files for who, one in file.state.people.items())
        names = await _people(at, (each for each in on_files if each[:2] in addressed))
    return show_section(
        request,
        "admin_undelivered.html",
        UNDELIVERED,
        status=status_code,
        form=form,
        forms=[Form("resend")],
        said_of=SAID,
        found=found,
        only=only,
        # One for each, and made anew with each page: sending again twice from one page is once.
        keys={one.number: uuid.uuid4().hex for one in found.items},
        names=names,
        states=[(code, words.tr(word)) for code, word in UNDELIVERED_WORDS.items()],
        state_words={code: words.tr(word) for code, word in UNDELIVERED_WORDS.items()},
        kind_words={code: words.tr(word) for code, word in MAIL_KINDS.items()},
        may_resend=may_send(actor.roles, "resend_mail"),
    )
