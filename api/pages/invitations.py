"""Who was told what, how they answered, and what did not arrive; the documents of a file."""

import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response

from api.access import Actor
from api.dead_letters import DeadLetterQuery, ShownDeadLetter, list_dead_letters
from api.documents import list_documents
from api.files import KnownFile
from api.installation import At
from api.pages.acts import DONE
from api.pages.dossier import Traveller, people_of
from api.pages.forms import said
from api.pages.frame import head_of, show_part
from api.pages.live import mark_of_mails
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.stateline import answer_of, answers, invited
from domain.commands import ChooseChannel, RecordReply, ResendMail
from domain.events import CalendarMessage
from domain.invitations import reaches_calendars, untold
from domain.state import Delegation, Reply
from locales import mark
from storage.mail_ledger import Entry

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LETTER = "invitation_letter"
CALENDAR = ("itinerary_request", "itinerary_changed", "itinerary_cancelled")
MOST_FAILURES = 200
FOLDED = 24
"""People of one group beyond which they are folded away until somebody asks for them."""

Show = Literal["all", "unanswered", "failed"]

FILTERS: dict[Show, str] = {
    "all": mark("Everybody"),
    "unanswered": mark("No answer"),
    "failed": mark("Not reached"),
}

GROUPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (mark("The delegation"), ("head", "member")),
    (mark("Hosts and staff"), ("host", "escort", "interpreter", "driver", "coordinator")),
)


@dataclass(frozen=True)
class Invited:
    """Somebody on the file: what they have, what they were last told and how that arrived, and what they answered.

    `items` counts what stands in their calendar, `waiting` what they hear when the quiet window ends. `failed` are the
    messages that did not reach them and may be sent again.
    """

    who: Traveller
    items: int
    letter: Entry | None
    told: Entry | None
    answer: str | None
    reply: Reply | None
    comment: str | None
    failed: tuple[ShownDeadLetter, ...]
    waiting: int
    key: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Of the form that sends again what failed."""


@router.get("/delegations/{delegation}/invitations")
async def show_invitations_page(
    file: KnownFile, request: Request, actor: Actor, at: At, show: Annotated[Show, Query()] = "all"
) -> Response:
    """Show everybody on a file with what they were told and answered; `show` leaves out who is not looked for."""
    state, reader = file.state, reader_of(request)
    head = await head_of(request, at, file, actor)
    people = await people_of(at, state, state.people.values(), reader)
    dead = await list_dead_letters(DeadLetterQuery(limit=MOST_FAILURES, delegation=state.id), at, actor)
    comments = [one.comment.ref for one in state.replies.values() if one.comment]
    texts = await at.texts.read_many(comments) if comments and reader.sees_personal_data else {}
    latest = await at.mail.latest(state.id, (*CALENDAR, LETTER))
    waiting = untold(state, head.edition)
    everybody = tuple(_invited(state, people, latest, dead.items, texts, waiting))
    chosen = [one for one in everybody if _is_shown(one, show)]
    may = head.possible.may
    return await show_part(
        request,
        at,
        file,
        actor,
        "invitations.html",
        "/invitations",
        head=head,
        said=said(request, DONE),
        show=show,
        filters=[(code, title, sum(_is_shown(one, code) for one in everybody)) for code, title in FILTERS.items()],
        groups=[
            (title, some)
            for title, roles in GROUPS
            if (some := [one for one in chosen if one.who.participant.role in roles])
        ],
        begun=reaches_calendars(state) or bool(state.told) or bool(latest),
        answered=answers(state),
        sending=await at.mail.sending(state.id),
        mark=await mark_of_mails(at, state.id),
        waiting=waiting,
        hearers=len({who for message in waiting for who in message.to}),
        folded=FOLDED,
        documents=(await list_documents(file, at)).items,
        unreached=len(dead.items),
        unreached_more=dead.next_cursor is not None,
        may_reply=may(RecordReply),
        may_choose=may(ChooseChannel),
        may_resend=may(ResendMail),
    )


def _is_shown(one: Invited, show: Show) -> bool:
    match show:
        case "unanswered":
            return one.who.participant.active and one.answer is None and one.items > 0
        case "failed":
            return bool(one.failed) or (one.letter is not None and one.letter.status in ("refused", "dead", "bounced"))
    return one.who.participant.active or one.told is not None


def _invited(
    state: Delegation,
    people: Mapping[str, Traveller],
    latest: Sequence[Entry],
    dead: Sequence[ShownDeadLetter],
    texts: Mapping[str, str],
    waiting: Sequence[CalendarMessage],
) -> Iterator[Invited]:
    letters = {who: one for one in latest if one.kind == LETTER for who in one.participants}
    told = {who: one for one in latest if one.kind in CALENDAR for who in one.participants}
    failed: dict[str, list[ShownDeadLetter]] = defaultdict(list)
    for letter in dead:
        for who in letter.participants:
            failed[who].append(letter)
    hears = Counter(who for message in waiting for who in message.to)
    held = invited(state)
    for who in state.people:
        reply = _reply(state, who)
        yield Invited(
            who=people[who],
            items=held[who],
            letter=letters.get(who),
            told=told.get(who),
            answer=answer_of(state, who),
            reply=reply,
            comment=texts.get(reply.comment.ref) if reply and reply.comment else None,
            failed=tuple(failed.get(who, ())),
            waiting=hears[who],
        )


def _reply(state: Delegation, who: str) -> Reply | None:
    whole = state.replies.get(f"{who}/*")
    single = [one for one in state.replies.values() if one.participant_id == who]
    return whole or max(single, key=lambda one: one.at, default=None)
