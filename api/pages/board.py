"""The programme of a file: the board, its list, what is now and next, and the sheet to print."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import Any, Literal, get_args

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.files import KnownFile
from api.installation import At, Installation
from api.pages.forms import Form, FormRefused, done, said, send
from api.pages.frame import head_of, show_part
from api.pages.plan import DRAFTS, Row, audience_of, days_of, lane_name, names_of, rows_of
from api.pages.possible import why_not
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.pages.typed import day_of
from domain.commands import CancelItem, PublicCommand, PublishProgramme, RestoreItem, ScheduleItem
from domain.lanes import By, lanes
from domain.meanwhile import item_seen
from domain.programme import drafted
from domain.sign_in import Acting
from domain.state import Delegation
from locales import Translator, mark, translator
from storage.metadata import utc_now
from storage.queries import File
from words.codes import ITEM_KINDS, word

router = APIRouter(route_class=PageRoute, include_in_schema=False)

TAB = "/programme"

View = Literal["board", "list", "now"]

VIEWS: dict[View, str] = {"board": mark("Board"), "list": mark("List"), "now": mark("Now and next")}

LANES: dict[By, str] = {
    "place": mark("Place"),
    "host": mark("Host"),
    "driver": mark("Driver"),
    "group": mark("Group"),
}

COLUMNS = 8
"""Columns, days times lanes, that can be read beside each other on a laptop."""

SAID = {
    "added": mark("The item is in the draft."),
    "changed": mark("The change is in the draft. Nobody is told before you publish."),
    "cancelled": mark("The item is taken off in the draft. Nobody is told before you publish."),
    "restored": mark("The draft is taken back: the item is as it was last published."),
    "all_restored": mark("The draft is taken back: the programme is as it was last published."),
    "published": mark("The programme is published. Who is told, is told now or when the quiet window ends."),
}


class ProgrammeQuery:
    """Which view of the programme an address asks for; what it does not know is passed over."""

    def __init__(self, request: Request) -> None:
        """Read it from the address."""
        asked = request.query_params
        self.view: View = next((one for one in get_args(View) if one == asked.get("view")), "board")
        self.lanes: By = next((one for one in get_args(By) if one == asked.get("lanes")), "place")
        self.first: date | None = day_of(asked.get("from", ""))

    def address(self, **other: str | date | None) -> str:
        """Return the query of an address that differs in what is named."""
        fields = {"view": self.view, "lanes": self.lanes, "from": self.first} | other
        usual = {"view": "board", "lanes": "place", "from": None}
        said_fields = [f"{name}={value}" for name, value in fields.items() if value != usual[name]]
        return f"?{'&'.join(said_fields)}" if said_fields else ""


@dataclass(frozen=True)
class Board:
    """The part of the programme that the board shows: these days and lanes, beside each other."""

    days: tuple[date, ...]
    lanes: tuple[tuple[str, str], ...]
    by_day: bool


@router.get("/delegations/{delegation}/programme")
async def show_board_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show the programme: as a board with a list for whoever has no script, as a list, or what is now and next."""
    return await board_page(request, at, file, actor)


async def board_page(
    request: Request,
    at: Installation,
    file: File,
    actor: Acting,
    *,
    wrong: FormRefused | None = None,
) -> Response:
    """Return the page of the programme; with what was refused, if something was."""
    query, reader, state = ProgrammeQuery(request), reader_of(request), file.state
    words = translator(reader.language)
    head, names = await head_of(request, at, file, actor), await names_of(at, state, reader)
    rows = rows_of(state, head.edition, words, query.lanes)
    days, possible = days_of(state, rows), head.possible
    drafts = [row for row in rows if row.draft]
    return await show_part(
        request,
        at,
        file,
        actor,
        "now.html" if query.view == "now" else "programme_list.html" if query.view == "list" else "board.html",
        TAB,
        status=wrong.status if wrong else 200,
        head=head,
        query=query,
        views=VIEWS,
        lane_choices=LANES,
        days=days,
        by_day=[(day, list(found)) for day, found in groupby(rows, key=lambda row: row.day)],
        board=_board(state, rows, days, query, names, words),
        drafts=drafts,
        may_edit=possible.may(ScheduleItem),
        why_not=why_not(request, possible.barred(ScheduleItem)) if "coordinator" in actor.roles else None,
        publishing=possible.refusal(PublishProgramme()) if drafts or "coordinator" in actor.roles else None,
        restore=Form("restore"),
        errors=wrong.errors if wrong else (),
        said=said(request, SAID),
        now=_now(state, rows, possible.context.now) if query.view == "now" else None,
        **_words(state, names, words),
    )


def _words(state: Delegation, names: dict[str, str], words: Translator) -> dict[str, Any]:
    return {
        "names": names,
        "draft_word": lambda code: words.tr(DRAFTS[code]),
        "kind_name": lambda code: word(ITEM_KINDS, code, words),
        "audience": lambda item: audience_of(state, item, names, words),
    }


def _board(
    state: Delegation,
    rows: Sequence[Row],
    days: Sequence[date],
    query: ProgrammeQuery,
    names: dict[str, str],
    words: Translator,
) -> Board:
    keys = lanes(state, [row.item for row in rows], query.lanes)
    count = max(1, min(len(days), COLUMNS // len(keys)))
    first = query.first if query.first in days else days[0]
    last = max(days[0], days[-1] - timedelta(days=count - 1))
    first = min(first or days[0], last)
    return Board(
        days=tuple(first + timedelta(days=number) for number in range(count)),
        lanes=tuple((key, lane_name(query.lanes, key, names, words)) for key in keys),
        by_day=count > 1,
    )


@dataclass(frozen=True)
class Now:
    """What runs at an instant, and what comes next: everything that begins with the next beginning."""

    running: tuple[Row, ...]
    coming: tuple[Row, ...]
    stays: tuple[Row, ...]


def _now(state: Delegation, rows: Sequence[Row], now: datetime) -> Now:
    standing = [row for row in rows if not row.item.cancelled]
    events = sorted(
        (row for row in standing if row.item.kind != "hotel"), key=lambda row: (row.item.starts.instant, row.item.id)
    )
    ahead = [row for row in events if row.item.starts.instant > now]
    running = [row for row in standing if row.item.starts.instant <= now < row.item.ends.instant]
    return Now(
        running=tuple(row for row in running if row.item.kind != "hotel"),
        coming=tuple(row for row in ahead if row.item.starts.instant == ahead[0].item.starts.instant),
        stays=tuple(row for row in running if row.item.kind == "hotel"),
    )


@router.get("/delegations/{delegation}/programme/print")
async def show_programme_print(file: KnownFile, request: Request, at: At) -> Response:
    """Show the programme as sheets of A4, one for each day in which something stands."""
    reader, state = reader_of(request), file.state
    words = translator(reader.language)
    names = await names_of(at, state, reader)
    edition = await at.editions.get(state.edition)
    rows = [row for row in rows_of(state, edition, words) if not row.item.cancelled]
    return show(
        request,
        "programme_print.html",
        headers={"Cache-Control": "no-store"},
        state=state,
        by_day=[(day, list(found)) for day, found in groupby(rows, key=lambda row: row.day)],
        has_drafts=any(row.draft for row in rows),
        printed=max(utc_now(), file.updated_at),
        **_words(state, names, words),
    )


@router.post("/delegations/{delegation}/programme/restore")
async def restore_programme_by_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Take back everything that was drafted since the programme was last published, as one; new items are cancelled."""
    state = file.state
    commands: list[PublicCommand] = []
    for item_id, item in state.items.items():
        match drafted(state, item_id):
            case "new":
                commands.append(CancelItem(item_id=item_id, seen=item_seen(item)))
            case "changed" | "gone":
                commands.append(RestoreItem(item_id=item_id, seen=item_seen(item)))
    path = f"/delegations/{state.id}/programme"
    if not commands or not state.programme:
        return done(path, "all_restored")
    try:
        await send(request, at, state.id, commands, request.state.form, actor)
    except FormRefused as wrong:
        now = await at.queries.get(state.id)
        return await board_page(request, at, now or file, actor, wrong=wrong)
    return done(path, "all_restored")
