"""What every page of a file shares: its head, the sentence that says where it stands, and the ways to its parts."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fastapi import Request, Response

from api.installation import Installation
from api.pages.possible import Possible, possible_of, why_not
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.stateline import Line, Standing, Turned, asked_for, edition_words, lines
from api.pages.words import position_titles
from domain.bilingual import Bilingual
from domain.commands import SubmitRequest
from domain.desk import Desk, desks
from domain.rules import Edition
from domain.sign_in import Acting
from domain.state import Delegation, Phase
from domain.values import business_date
from locales import mark, translator
from storage.queries import File
from storage.read_model import next_due

TABS: tuple[tuple[str, str], ...] = (
    ("", mark("Overview")),
    ("/request", mark("Request")),
    ("/people", mark("Participants")),
    ("/programme", mark("Programme")),
    ("/approvals", mark("Approvals")),
    ("/invitations", mark("Invitations and letters")),
    ("/report", mark("Report")),
    ("/trail", mark("Trail")),
)
"""The parts of a file, in the order in which it comes to them, by what their addresses add to its own."""

SHAPES: dict[Phase, str] = {
    Phase.CLOSED: "ok",
    Phase.REJECTED: "stop",
    Phase.CANCELLED: "stop",
    Phase.RETURNED: "wait",
    Phase.POSTPONED: "wait",
}


@dataclass(frozen=True)
class Head:
    """The head of a file. `desks` are those it lies on, `names` what the accounts behind them are called.

    `shape` is that of its phase; `today` is the day in the file's zone, by the file's own clock; `lines` say where it
    stands.
    """

    possible: Possible
    edition: Edition
    shape: str
    desks: tuple[Desk, ...]
    names: dict[str, str]
    titles: dict[str, Bilingual]
    today: date
    next_due: tuple[date, str] | None
    lines: tuple[Line, ...]


async def head_of(request: Request, at: Installation, file: File, actor: Acting) -> Head:
    """Return the head of a file for its reader."""
    state, reader = file.state, reader_of(request)
    possible = await possible_of(at, file, actor)
    edition, lies = possible.context.edition, desks(state)
    accounts = {state.coordinator} | {
        account for desk in lies for one in desk.substitutes for account in (one.account, one.substitute)
    }
    known = await at.accounts.names(accounts) if reader.sees_personal_data else {}
    names = {account: known.get(account, account) for account in accounts}
    today = business_date(possible.context.now, state.zone)
    titles = await position_titles(at, edition)
    preparing = state.phase in (Phase.DRAFTED, Phase.RETURNED)
    missing = None
    if preparing:
        refusal = possible.coordinating().refusal(SubmitRequest())
        missing = why_not(request, refusal, edition_words(edition, reader.language))
    turned = await _turned(at, state, sees=reader.sees_personal_data)
    words = translator(reader.language)
    return Head(
        possible=possible,
        edition=edition,
        shape=SHAPES.get(state.phase, "info"),
        desks=lies,
        names=names,
        titles=titles,
        today=today,
        next_due=next_due(state),
        lines=lines(Standing(state, edition, words, today, names, titles, missing, turned)),
    )


async def _turned(at: Installation, state: Delegation, *, sees: bool) -> Turned | None:
    """Return the event that brought a file to where it stands, with its reason for whoever may read it."""
    types = asked_for(state)
    found = await at.queries.events(state.id, types=types) if types else []
    if not found:
        return None
    last = found[-1]
    reason = last.data.get("reason") if sees else None
    written = await at.texts.read(reason["ref"]) if reason else None
    return Turned(last.type, datetime.fromisoformat(last.at), last.data, written)


async def show_part(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    template: str,
    tab: str,
    *,
    status: int = 200,
    head: Head | None = None,
    **values: Any,
) -> Response:
    """Return a page of a file: the template of one of its parts, which extends `file.html`."""
    return show(
        request,
        template,
        status,
        state=file.state,
        seq=file.head.seq,
        head=head or await head_of(request, at, file, actor),
        tabs=TABS,
        tab=tab,
        headers={"Cache-Control": "no-store"},
        **values,
    )
