"""Countries by their names, as people type them: in Vietnamese or English, with or without diacritics, or by code."""

from functools import cache

import pycountry

from domain.folding import folded
from locales import LANGUAGES, Language, translator

VIET_NAM = {"viet nam": "VN", "vietnam": "VN"}


@cache
def country_choices(language: Language) -> tuple[tuple[str, str], ...]:
    """Return every country of ISO 3166-1: code and name, by name."""
    words = translator(language)
    named = [(one.alpha_2, words.country(one.alpha_2)) for one in pycountry.countries]
    return tuple(sorted(named, key=lambda one: (folded(one[1]), one[0])))


def country_of(text: str) -> str | None:
    """Return the code of the country that a text names, or None where it names none."""
    plain = folded(text)
    return _by_name().get(plain) if plain else None


@cache
def _by_name() -> dict[str, str]:
    found = dict(VIET_NAM)
    for one in pycountry.countries:
        official = (getattr(one, name, None) for name in ("alpha_2", "alpha_3", "name", "common_name", "official_name"))
        spoken = (translator(language).country(one.alpha_2) for language in LANGUAGES)
        for name in (*official, *spoken):
            if name:
                found.setdefault(folded(name), one.alpha_2)
    return found
