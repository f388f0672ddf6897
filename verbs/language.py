"""The language of what the command says."""

import os

from locales import Translator, translator
from settings import Settings


def translator_of(settings: Settings | None = None) -> Translator:
    """Vietnamese or English: as LEGATION_LANGUAGE says, else as the terminal's locale does, else English."""
    if settings is not None and settings.language is not None:
        return translator(settings.language)
    named = next((os.environ[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if os.environ.get(name)), "")
    return translator("vi" if named.lower().startswith("vi") else "en")
