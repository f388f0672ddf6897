"""The programme of a visit as a table: days, and on each day who meets whom, when and where."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import TypeVar

from pydantic import AwareDatetime

from documents.administrative import Wording, words
from domain.values import Value
from locales import Translator


class ProgrammeEntry(Value):
    """One item. `starts` and `ends` are aware, in the zone of the place where they are; a bare date is a whole day."""

    starts: AwareDatetime | date
    ends: AwareDatetime | None = None
    title: Wording
    place: Wording | None = None


Entry = TypeVar("Entry", bound=ProgrammeEntry)


def zone_of_all(entries: Iterable[ProgrammeEntry], translator: Translator) -> str | None:
    """The one clock that all times are read on, such as ``giờ Việt Nam (UTC+7)``; nothing if there are several."""
    labels = {label for entry in entries for label in _zone_labels(entry, translator)}
    return labels.pop() if len(labels) == 1 else None


def by_day(
    entries: Sequence[Entry], row: Callable[[Entry, object], list[object]], translator: Translator
) -> list[tuple[str, list[list[object]]]]:
    """Rows in order of time under the label of their local day; `row` gets an entry and the cell with its time."""
    zone = zone_of_all(entries, translator)
    ordered = sorted(entries, key=_order)
    return [
        (translator.long_date(day), [row(entry, time_cell(entry, translator, zone)) for entry in group])
        for day, group in groupby(ordered, key=lambda entry: _day(entry.starts))
    ]


def time_cell(entry: ProgrammeEntry, translator: Translator, zone: str | None) -> object:
    """``09:00 – 11:30``; with its clock as a note when `zone`, the clock of the whole table, does not say it.

    An end on a later day carries the number of days: ``22:30 – 06:15 (+1)``. A whole day is said in words.
    """
    if not isinstance(entry.starts, datetime):
        return translator.tr("All day")
    text = translator.clock_time(entry.starts)
    if entry.ends is not None:
        later = (entry.ends.date() - entry.starts.date()).days
        text += f" – {translator.clock_time(entry.ends)}" + (f" ({later:+d})" if later else "")
    if zone is not None:
        return text
    return {"text": text, "note": " → ".join(_zone_labels(entry, translator))}


def place_cell(entry: ProgrammeEntry, translator: Translator) -> str:
    """Where the entry is, or nothing."""
    return words(entry.place, translator) if entry.place is not None else ""


def _zone_labels(entry: ProgrammeEntry, translator: Translator) -> list[str]:
    times = [time for time in (entry.starts, entry.ends) if isinstance(time, datetime)]
    return list(dict.fromkeys(translator.zone_label(time) for time in times))


def _day(starts: datetime | date) -> date:
    return starts.date() if isinstance(starts, datetime) else starts


def _order(entry: ProgrammeEntry) -> tuple[date, float]:
    # A whole day stands before the times of that day; those follow each other as they happen, whatever their clock.
    return _day(entry.starts), entry.starts.timestamp() if isinstance(entry.starts, datetime) else 0.0
