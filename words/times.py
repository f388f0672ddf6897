"""Times as people read them: on the clock of the place, with its zone where that is not the file's own."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from locales import Translator


def at_place(moment: Mapping[str, Any]) -> datetime:
    """The aware time that a moment (`local`, `zone`, `instant`) stands for, on the clock of its zone."""
    return datetime.fromisoformat(moment["instant"]).astimezone(ZoneInfo(moment["zone"]))


def business_time(instant: str, zone: str, translator: Translator) -> str:
    """An instant on the clock of the business zone: `09:00, 6 Apr 2026`."""
    return translator.date_and_time(datetime.fromisoformat(instant).astimezone(ZoneInfo(zone)))


def business_day(instant: datetime, zone: str) -> date:
    """The day of an aware instant in the business zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


def span(item: Mapping[str, Any], zone: str, translator: Translator) -> str:
    """From when to when an item lasts: `09:00–11:00`, and whose clock that is where it is not the file's zone."""
    starts, ends = at_place(item["starts"]), at_place(item["ends"])
    first, last = translator.clock_time(starts), translator.clock_time(ends)
    foreign = [item[end]["zone"] != zone for end in ("starts", "ends")]
    if item["starts"]["zone"] == item["ends"]["zone"]:
        later = "" if starts.date() == ends.date() else f", {translator.short_date(ends)}"
        whose = f" {translator.zone_label(starts)}" if foreign[0] else ""
        return f"{first}–{last}{later}{whose}"
    if starts.date() != ends.date():
        last += f", {translator.short_date(ends)}"
    return f"{first} {translator.zone_label(starts)} – {last} {translator.zone_label(ends)}"
