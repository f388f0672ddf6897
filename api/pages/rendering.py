"""Pages from `templates/pages/`, in the reader's language, with the headers that every page has."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from api.documents import ENDINGS
from api.installation import installation_of
from api.pages.navigation import places_of
from api.pages.reader import reader_of
from api.pages.static import address
from api.pages.words import (
    ANSWERS,
    CEILING_LINES,
    DIRECTIONS,
    DOCUMENT_KINDS,
    FACTORS,
    MAIL_KINDS,
    MAIL_STATES,
    PART_KINDS,
    PERSON_ROLES,
    PHASES,
    STEP_STATES,
    word,
)
from domain.values import Moment
from locales import Language, Translator, translator
from words.codes import CHANNELS, DEADLINE_STATES, FORMALITIES, ITEM_KINDS
from words.prefixes import in_one_line

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "pages"

# The base style sheet draws its small marks by `data:` images, which load nothing.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)

HEADERS = {
    "Content-Security-Policy": POLICY,
    # With `no-referrer` browsers would send the Origin of our own forms as `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Vary": "Accept-Language, Cookie",
}


def show(
    request: Request, template: str, status: int = 200, *, headers: Mapping[str, str] | None = None, **values: Any
) -> HTMLResponse:
    """Return a page. Values are never read as templates or HTML."""
    reader = reader_of(request)
    environment = _environment(reader.language, installation_of(request).settings.zone)
    body = environment.get_template(template).render(
        reader=reader,
        path=request.url.path,
        own_address=_own_address(request),
        places=places_of(reader.actor.roles) if reader.actor else (),
        **values,
    )
    return HTMLResponse(body, status, headers={**HEADERS, "Content-Language": reader.language, **(headers or {})})


def _own_address(request: Request) -> str:
    """The address that was asked for, within this site."""
    query = request.url.query.replace("+", "%20")
    return f"{request.url.path}?{query}" if query else request.url.path


@cache
def _environment(language: Language, zone: str) -> Environment:
    """`zone` is where the reader is taken to be: that of the business."""
    words = translator(language)
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"], default=True),
        trim_blocks=True,
        lstrip_blocks=True,
    )

    def clock(at: datetime) -> str:
        """`14:30, 6 Apr 2026` where the reader is."""
        return words.date_and_time(at.astimezone(ZoneInfo(zone)))

    def local(moment: Moment) -> datetime:
        """A moment on the clock of its own place."""
        return moment.instant.astimezone(ZoneInfo(moment.zone))

    def at_home(moment: Moment) -> datetime:
        """A moment on the clock of the business."""
        return moment.instant.astimezone(ZoneInfo(zone))

    environment.globals.update(
        tr=words.tr, ntr=words.ntr, words=words, static=address, clock=clock, local=local, at_home=at_home, zone=zone
    )
    environment.filters.update(
        size=lambda octets: f"{words.number(max(1, octets // 1000))} kB",
        iso=lambda at: at.astimezone(UTC).isoformat(timespec="seconds"),
        capital=lambda text: text[:1].upper() + text[1:],
        country_name=words.country,
        part_name=lambda part: word(PART_KINDS, part.partition(":")[0], words),
        ending=lambda media_type: ENDINGS.get(media_type, "?").upper(),
        position_title=lambda slug, titles, otherwise: titles[slug].text(language) if slug in titles else otherwise,
        signature_block=lambda right, titles: in_one_line(
            right.model_dump(), lambda slug: titles[slug].text(language) if slug in titles else slug, language
        ),
        **{
            name: partial(_named, table, words)
            for name, table in {
                "direction_name": DIRECTIONS,
                "phase_name": PHASES,
                "role_name": PERSON_ROLES,
                "ceiling_line": CEILING_LINES,
                "document_kind": DOCUMENT_KINDS,
                "step_state": STEP_STATES,
                "factor_name": FACTORS,
                "mail_kind": MAIL_KINDS,
                "mail_state": MAIL_STATES,
                "answer_name": ANSWERS,
                "channel_name": CHANNELS,
                "deadline_state": DEADLINE_STATES,
                "formality_name": FORMALITIES,
                "item_kind": ITEM_KINDS,
            }.items()
        },
    )
    return environment


def _named(table: Mapping[str, str], words: Translator, code: str) -> str:
    return word(table, code, words)
