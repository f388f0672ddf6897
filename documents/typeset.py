"""Data and a template become a PDF, by Typst and by the vendored fonts alone."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final, get_args

import typst

from documents.coverage import FONTS, legible
from domain.values import Language

TEMPLATES: Final = FONTS.parent

# From the first quotation mark to the last: what is quoted may hold quotation marks itself.
QUOTED: Final = re.compile(r"`.*`|\".*\"|(?<=panicked with: ).*", re.DOTALL)


class TypesettingFailed(Exception):
    """Typst refused a document, or warned. What Typst quotes from the text is left out of the message."""

    def __init__(self, template: str, complaints: list[str]) -> None:
        """Name the template and what is wrong with it."""
        self.template = template
        self.complaints = [QUOTED.sub("…", complaint) for complaint in complaints]
        super().__init__(f"{template}: {'; '.join(self.complaints)}")


def typeset(template: str, data: Mapping[str, object], *, language: Language, at: datetime) -> bytes:
    """Lay out `data` by ``templates/documents/{template}.typ``; returns a tagged PDF, PDF/A-2a and PDF/UA-1.

    `data` is what JSON can say; it reaches the template as one JSON text and is never read as markup. Every text in it
    is made legible (see documents/coverage.py). `at` is an aware instant, written into the file as its time of making:
    the same arguments give the same bytes in any process.

    Busy for 20 to 200 ms and without the interpreter's lock for most of them: call it in a thread. Refuses by
    ValueError a naive `at`, an unknown language and a template that does not exist, by :class:`TypesettingFailed`
    whatever Typst complains of, warnings and unknown fonts included.
    """
    if at.utcoffset() is None:
        raise ValueError("the time of making needs a zone")
    if language not in get_args(Language):
        raise ValueError(f"unknown language {language!r}")
    source = TEMPLATES / f"{template}.typ"
    if not re.fullmatch(r"[a-z_]+", template) or not source.is_file():
        raise ValueError(f"no document template is called {template!r}")
    return _compile(source, template, json.dumps(_legible({**data, "language": language})), int(at.timestamp()))


def _compile(source: Path, template: str, data: str, timestamp: int) -> bytes:
    try:
        pdf, warnings = typst.compile_with_warnings(
            source,
            root=TEMPLATES,
            font_paths=_fonts(),
            ignore_system_fonts=True,
            format="pdf",
            sys_inputs={"data": data},
            # Archivable for decades and readable by a screen reader: ISO 19005-2 (level A) and ISO 14289-1.
            pdf_standards=["a-2a", "ua-1"],
            timestamp=timestamp,
        )
    except typst.TypstError as error:
        # The original may quote what somebody wrote, so it does not travel along.
        raise TypesettingFailed(template, [error.message]) from None
    if warnings:
        raise TypesettingFailed(template, [warning.message for warning in warnings])
    return pdf


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[FONTS])


def _legible(value: object) -> object:
    match value:
        case str():
            return legible(value)
        case Mapping():
            return {name: _legible(entry) for name, entry in value.items()}
        case list() | tuple():
            return [_legible(entry) for entry in value]
    return value
