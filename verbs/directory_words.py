"""How entries of the directory are called on a terminal, and why two look alike."""

from collections.abc import Mapping, Sequence
from typing import Any

from locales import Translator
from words.codes import word
from words.directory import REASONS


def name_of(found: Mapping[str, Any], translator: Translator) -> str:
    """What an entry is called: an organisation by its name, a contact by the person's if that may be seen."""
    if "name" in found["entry"]:
        return str(found["entry"]["name"])
    person = found.get("person")
    if person is None:
        return translator.tr("(name not shown)")
    return " ".join(part for part in (person.get("honorific"), person["full_name"]) if part)


def why(reasons: Sequence[str], translator: Translator) -> str:
    """Why two entries look alike."""
    return ", ".join(word(REASONS, reason, translator) for reason in reasons)
