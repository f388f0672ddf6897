"""The trail of a file as a PDF: who did what, by what right and when, each line in Vietnamese and in English."""

from collections.abc import Sequence
from datetime import date, datetime

from documents.administrative import table
from documents.typeset import typeset
from domain.bilingual import Bilingual
from domain.text import Line
from domain.values import Digest, Value
from locales import mark, translator

LINES = 500
"""Events in one PDF: the typesetter keeps what it made of the last few, some 40 MB each of this length."""

TITLE = mark("Trail of a delegation’s file")
SUBTITLE = mark("Everything that was sealed, in order; the events themselves stand in events.jsonl")
COLUMNS = (
    (mark("No."), "ordinal"),
    (mark("When"), "time"),
    (mark("Who, and by what right"), "name"),
    (mark("What"), "text"),
)


class TrailLine(Value):
    """One event: its number, its time on the file's clock, who did it and what. Accounts stand by their ids."""

    seq: int
    at: Bilingual
    who: Bilingual
    right: Bilingual | None = None
    what: Bilingual


class TrailRecord(Value):
    """What the record says. `clock` names whose time `at` is told in; `head` is the hash of the last event."""

    delegation: Line
    title: Line
    partner: Line
    starts: date
    ends: date
    clock: Bilingual
    lines: tuple[TrailLine, ...]
    head: Digest
    checkpoint: int


def render(record: TrailRecord, at: datetime) -> list[bytes]:
    """The record as one PDF, a longer one as several (see :func:`documents.typeset.typeset` for `at` and refusals)."""
    return [
        typeset("trail", laid_out(record, first), language="vi", at=at)
        for first in range(0, len(record.lines), LINES) or (0,)
    ]


def laid_out(record: TrailRecord, first: int = 0) -> dict[str, object]:
    """The record's words in their places, as the template wants them, from line `first` (from 0) of LINES."""
    lines = record.lines[first : first + LINES]
    count = str(len(record.lines))
    if len(lines) < len(record.lines):
        count = f"{lines[0].seq}–{lines[-1].seq} / {count}"
    dates = Bilingual(
        vi=translator("vi").date_range(record.starts, record.ends),
        en=translator("en").date_range(record.starts, record.ends),
    )
    pairs: Sequence[tuple[str, object]] = (
        (_both(mark("File reference")), record.delegation),
        (_both(mark("Delegation")), record.title),
        (_both(mark("Partner")), record.partner),
        (_both(mark("Dates")), f"{dates.vi} / {dates.en}"),
        (_both(mark("Clock of the times")), f"{record.clock.vi} / {record.clock.en}"),
        (_both(mark("Events")), count),
    )
    rows = [
        [
            str(one.seq),
            {"text": one.at.vi, "note": one.at.en},
            {"text": one.who.vi, "note": _note(one.right)},
            {"text": one.what.vi, "note": one.what.en},
        ]
        for one in lines
    ]
    closing = mark("Hash of the last event: %(head)s. Checkpoint %(checkpoint)s has it. verify.py checks both.")
    return {
        "title": f"{_said(TITLE).vi} · {_said(TITLE).en}",
        "author": record.delegation,
        "subtitle": f"{_said(SUBTITLE).vi} · {_said(SUBTITLE).en}",
        "foot": record.delegation,
        "facts": pairs,
        "table": table([(_both(label), kind) for label, kind in COLUMNS], rows),
        "closing": [
            translator(language).tr(closing, head=record.head, checkpoint=record.checkpoint)
            for language in ("vi", "en")
        ],
    }


def _note(right: Bilingual | None) -> str | None:
    if right is None:
        return None
    return right.vi if right.vi == right.en else f"{right.vi} / {right.en}"


def _said(message: str) -> Bilingual:
    return Bilingual(vi=translator("vi").tr(message), en=translator("en").tr(message))


def _both(message: str) -> str:
    said = _said(message)
    return f"{said.vi} / {said.en}"
