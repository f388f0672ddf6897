"""The message catalogues: one ``legation.po`` a language, read by Babel when first asked for."""

import gettext
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import Final, Literal

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

Language = Literal["vi", "en"]

LANGUAGES: Final[tuple[Language, ...]] = ("vi", "en")
FOLDER: Final = Path(__file__).parent


def mark(message: str) -> str:
    """Return `message` unchanged, and let extraction see it: for texts that are translated where they are shown."""
    return message


def catalogue_path(language: Language) -> Path:
    """Where the catalogue of `language` stands."""
    return FOLDER / language / "LC_MESSAGES" / "legation.po"


def read_catalogue(language: Language) -> Catalog:
    """The catalogue of `language` as Babel reads it, with its header, comments and fuzzy marks."""
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language, domain="legation", abort_invalid=True)


@cache
def translations(language: Language) -> gettext.GNUTranslations:
    """The messages of `language`, read once. A fuzzy message is not used. Refuses an unknown language by ValueError."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}: expected one of {', '.join(LANGUAGES)}")
    compiled = BytesIO()
    write_mo(compiled, read_catalogue(language))
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
