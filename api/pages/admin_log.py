"""The log of changes as a page: who changed which entry of which register, when; and whether it is as it was sealed."""

from datetime import datetime, time, timedelta
from typing import Annotated, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response

from api.installation import At
from api.institution import LogQuery, show_register_log
from api.pages.admin_institution import names_of
from api.pages.administration import show_section
from api.pages.reader import reader_of
from api.pages.route import PageRoute
from api.pages.typed import Typed, day_of
from api.problems import Problem
from api.violations import NOT_DATE
from domain.decision import SYSTEM
from locales import mark, translator
from storage.cursors import BadCursor
from storage.register_log import LogFilters, LogPage, Register
from words.codes import word
from words.registers import CHANGES, REGISTERS

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LOG = "/admin/log"

PAGE = 50

LONGEST = 120

BY_ITSELF = mark("(by itself)")


@router.get("/admin/log")
async def show_log_page(
    request: Request, at: At, cursor: Annotated[str | None, Query(max_length=500)] = None
) -> Response:
    """Show what was changed in the registers, the newest first, as far as the address narrows it.

    With `verify=yes` and a register its whole chain is checked, which reads all of it.
    """
    typed, words = Typed(list(request.query_params.multi_items())), translator(reader_of(request).language)
    here, errors = ZoneInfo(at.settings.zone), list[tuple[str, str]]()

    def day(name: str, *, after: int = 0) -> datetime | None:
        text = typed.get(name, "").strip()
        found = day_of(text)
        if found is None or not 1990 <= found.year <= 2198:
            if text:
                errors.append((name, words.tr(NOT_DATE.sentence)))
            return None
        return datetime.combine(found + timedelta(days=after), time(), here)

    register = next((one for one in get_args(Register) if one == typed.get("register")), None)
    filters = LogFilters(
        register=register,
        actor=typed.get("actor", "").strip()[:LONGEST] or None,
        entry=typed.get("entry", "").strip()[:LONGEST] or None,
        since=day("since"),
        until=day("until", after=1),
    )
    try:
        found = LogPage((), None) if errors else await at.register_log.page(filters, limit=PAGE, cursor=cursor)
    except BadCursor:
        raise Problem("cursor_unknown") from None
    verified = None
    if register is not None and typed.get("verify") == "yes":
        verified = (await show_register_log(register, LogQuery(limit=1), at)).first_bad or 0
    names = {SYSTEM: words.tr(BY_ITSELF)}
    names |= await names_of(request, at, {one.change.actor for one in found.items} - {SYSTEM})
    asked = {name: typed.get(name, "") for name in ("register", "actor", "entry", "since", "until")}
    return show_section(
        request,
        "admin_log.html",
        LOG,
        status=422 if errors else 200,
        errors=errors,
        found=found,
        lines=[(one, word(CHANGES, one.change.type, words)) for one in found.items],
        names=names,
        asked=asked,
        narrowed=any(asked.values()),
        registers=[(code, words.tr(title)) for code, title in REGISTERS.items()],
        register_words={code: words.tr(title) for code, title in REGISTERS.items()},
        register=register,
        verified=verified,
        link_of=lambda **more: f"{LOG}?{urlencode({name: one for name, one in (asked | more).items() if one})}",
    )
