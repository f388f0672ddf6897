"""The fields of a request as forms have them: which stand where, what they are called, and what the page puts together.

Countries are typed by name, one in each field, and beside each of them, of an outbound delegation, the days there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from fastapi import Request

from api.installation import Installation
from api.pages.countries import country_of
from api.pages.forms import FormRefused
from api.pages.reader import reader_of
from api.pages.typed import Typed, number_of
from domain.commands import Stay
from domain.rules import Edition
from locales import mark, translator
from locales.dossier import FIGURES, OPTIONS
from storage.metadata import utc_now

FOR_INBOUND = ("grade", "conference", "provincial_chair")
FOR_OUTBOUND = ("led_by_city_leaders", "key_leaders")

LABELS = FIGURES
"""What the fields of a request are called where something is wrong with them."""

UNKNOWN_COUNTRY = mark("“%(name)s” is no country that we know: write its name in Vietnamese or English, or its code.")
DAYS_WITHOUT_COUNTRY = mark("Days are given for a country that is not among the countries.")
NO_NUMBER = mark("This must be a whole number.")


def options_of(request: Request) -> dict[str, list[tuple[str, str]]]:
    """Return what the choosing fields offer: codes, and words in the reader's language."""
    words = translator(reader_of(request).language)
    return {name: [(code, words.tr(word)) for code, word in table.items()] for name, table in OPTIONS.items()}


@dataclass(frozen=True)
class Choices:
    """What the choosing fields of a request offer: codes and words. `organisations` are those that somebody reaches."""

    organisations: tuple[tuple[str, str], ...]
    issuers: tuple[tuple[str, str], ...]
    known_kinds: frozenset[str]
    """Organisations of which the register knows what kind of union or association they are."""


async def choices_of(
    request: Request, at: Installation, edition: Edition, within: frozenset[str] | None = None
) -> Choices:
    """Return what there is to choose from now."""
    language, now = reader_of(request).language, utc_now()
    running = [one for one in await at.institution.organisations() if one.contains(now)]
    reached = [one for one in running if within is None or one.slug in within]
    return Choices(
        organisations=tuple(
            sorted(((one.slug, one.name.text(language)) for one in reached), key=lambda one: one[1].casefold())
        ),
        issuers=tuple((one, one) for one in sorted(edition.issuers())),
        known_kinds=frozenset(one.slug for one in running if one.kind in OPTIONS["run_by"]),
    )


def left_out(direction: str) -> tuple[str, ...]:
    """Return the fields that mean nothing for a direction."""
    return FOR_OUTBOUND if direction == "inbound" else (*FOR_INBOUND,) if direction == "outbound" else ()


def countries_said(request: Request, typed: Typed) -> dict[str, Any]:
    """Return `countries` and `stays` as a command says them; FormRefused where a name or number cannot be read.

    An emptied list is said as empty.
    """
    words = translator(reader_of(request).language)
    countries: list[str] = []
    stays: list[dict[str, Any]] = []
    errors: list[tuple[str, str]] = []
    for name, days in rows_of(typed):
        code = country_of(name)
        if name and code is None:
            errors.append(("countries", words.tr(UNKNOWN_COUNTRY, name=name[:60])))
        elif not name and days:
            errors.append(("stays", words.tr(DAYS_WITHOUT_COUNTRY)))
        elif code is not None and code not in countries:
            countries.append(code)
        if days and code is not None:
            number = number_of(days)
            if number is None:
                errors.append(("stays", words.tr(NO_NUMBER)))
            else:
                stays.append({"country": code, "days": number})
    if errors:
        raise FormRefused(list({field: (field, sentence) for field, sentence in reversed(errors)}.values()))
    return {"countries": countries, "stays": stays if typed.get("direction") != "inbound" else []}


def rows_of(typed: Typed) -> list[tuple[str, str]]:
    """Return the countries as they were typed, each with its days, without rows that are empty."""
    pairs = zip_longest(typed.all("countries"), typed.all("stays"), fillvalue="")
    return [(name.strip(), days.strip()) for name, days in pairs if name.strip() or days.strip()]


def typed_countries(request: Request, countries: Iterable[str], stays: Sequence[Stay]) -> list[tuple[str, str]]:
    """Return the fields of countries and stays as a form shows what a file has."""
    words, days = translator(reader_of(request).language), {one.country: one.days for one in stays}
    found: list[tuple[str, str]] = []
    for code in countries:
        found += [("countries", words.country(code)), ("stays", str(days.get(code, "")))]
    return found
