"""What every administrative document has, whatever it says: the nine parts of Decree 30/2020 (domain.md [22])."""

from collections.abc import Sequence
from datetime import date
from typing import Literal, Self

from pydantic import model_validator

from domain.bilingual import Bilingual
from domain.text import Line, Prose
from domain.values import Value
from locales import Translator, mark

Wording = Line | Bilingual
"""One line of words that stand as they are in every language, or that differ by language."""

Text = Prose | Bilingual
"""Running text: each line is a paragraph."""

SigningPrefix = Literal["TM", "KT", "TL", "TUQ"]
"""By what right one signs: for a collective, deputising, by order, by authorisation (domain.md: Approval practice)."""

NATIONAL_NAME = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM"
NATIONAL_MOTTO = "Độc lập - Tự do - Hạnh phúc"

RIGHTS: dict[SigningPrefix, str] = {
    "TM": mark("On behalf of the %(principal)s"),
    "KT": mark("For the %(principal)s"),
    "TL": mark("By order of the %(principal)s"),
    "TUQ": mark("By authority of the %(principal)s"),
}


class Issuer(Value):
    """Who issues a document: its name, the organisation above it, and how to reach it."""

    name: Wording
    parent: Wording | None = None
    address: Wording | None = None
    telephone: Line | None = None
    email: Line | None = None


class Signatory(Value):
    """Who signs, in which office and by what right: KT. CHỦ TỊCH / PHÓ CHỦ TỊCH / Nguyễn Văn An.

    `principal` is the office or the body signed for; it is there if and only if there is a prefix.
    """

    name: Line
    office: Wording
    prefix: SigningPrefix | None = None
    principal: Wording | None = None

    @model_validator(mode="after")
    def _prefix_names_somebody(self) -> Self:
        if (self.prefix is None) != (self.principal is None):
            raise ValueError("a prefix such as KT. and the office signed for belong together")
        return self


class Heading(Value):
    """The parts that a document carries at its edges. `dated` is the day of issue, `place` where it is issued."""

    issuer: Issuer
    reference: Line
    place: Wording
    dated: date
    signatory: Signatory
    recipients: tuple[Wording, ...] = ()
    archive: Line | None = None


def note(text: str) -> dict[str, object]:
    """A block of one remark in small type, such as whose clock the times of a table are read on."""
    return {"kind": "note", "text": text}


def capitalised(text: str) -> str:
    """`text` with a capital first letter and the rest as it stands."""
    return text[:1].upper() + text[1:]


def words(wording: Wording | Text, translator: Translator) -> str:
    """`wording` in the language of `translator`."""
    return wording if isinstance(wording, str) else wording.text(translator.language)


def right(signatory: Signatory, translator: Translator) -> str | None:
    """By what right somebody signs: ``KT. Chủ tịch``; ``For the President``; nothing for one's own office."""
    if signatory.prefix is None or signatory.principal is None:
        return None
    return translator.tr(RIGHTS[signatory.prefix], principal=words(signatory.principal, translator))


def edges(heading: Heading, translator: Translator, *, addressed: bool) -> dict[str, object]:
    """The parts around the content, as administrative.typ wants them; `addressed` if the document names a reader."""
    issuer, signatory = heading.issuer, heading.signatory
    name = words(issuer.name, translator)
    office = words(signatory.office, translator)
    signs_by = right(signatory, translator)
    vietnamese = translator.language == "vi"
    reach = [
        words(issuer.address, translator) if issuer.address else "",
        translator.tr("Telephone: %(number)s", number=issuer.telephone) if issuer.telephone else "",
        translator.tr("E-mail: %(address)s", address=issuer.email) if issuer.email else "",
    ]
    parent = words(issuer.parent, translator) if issuer.parent else None
    return {
        "national": {"name": NATIONAL_NAME, "motto": NATIONAL_MOTTO} if vietnamese else None,
        "issuer": name.upper() if vietnamese else name,
        "author": name,
        "parent": parent.upper() if parent and vietnamese else parent,
        "reach": [line for line in reach if line],
        "reference": translator.tr("No.: %(reference)s", reference=heading.reference),
        "place_and_date": f"{words(heading.place, translator)}, {translator.official_date(heading.dated)}",
        "signature": {
            "right": signs_by.upper() if signs_by and vietnamese else signs_by,
            "office": office.upper() if vietnamese else office,
            "name": signatory.name,
        },
        "recipients": {
            "label": translator.tr("Copies to:"),
            "lines": _recipients(heading, translator, addressed),
        },
    }


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[object]], **more: object) -> dict[str, object]:
    """A table block: columns of (label, kind), rows of cells; ``foot`` is a row of totals.

    The kinds are ``ordinal``, ``person``, ``name``, ``text``, ``time``, ``date``, ``money``.
    A cell is a text, or ``{"text": …, "note": …, "struck": …}``.
    """
    return grouped_table(columns, [(None, rows)], **more)


def grouped_table(
    columns: Sequence[tuple[str, str]], groups: Sequence[tuple[str | None, Sequence[Sequence[object]]]], **more: object
) -> dict[str, object]:
    """A table block whose rows stand in groups; the label of a group is repeated where a page breaks it."""
    return {
        "kind": "table",
        "columns": [{"label": label, "kind": kind} for label, kind in columns],
        "groups": [{"label": label, "rows": rows} for label, rows in groups],
        **more,
    }


def paragraphs(*texts: str) -> dict[str, object]:
    """A block of running text; a line break within a text begins a new paragraph."""
    return {"kind": "paragraphs", "texts": [line for text in texts for line in text.splitlines() if line.strip()]}


def _recipients(heading: Heading, translator: Translator, addressed: bool) -> list[str]:
    lines = [words(recipient, translator) for recipient in heading.recipients]
    if translator.language == "en":
        return lines
    # The decree's list opens with the addressee, closes with the archive, and each line but the last ends in ";".
    before = ["Như trên"] if addressed else []
    after = [f"Lưu: {heading.archive}"] if heading.archive else []
    everybody = [*before, *lines, *after]
    return [f"- {line}{';' if number < len(everybody) else '.'}" for number, line in enumerate(everybody, 1)]
