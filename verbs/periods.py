"""Periods as people give and read them: whole days in the business zone, first and last included."""

from datetime import datetime, timedelta
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from locales import Translator
from settings import Settings

DAY = ["%Y-%m-%d"]

From = Annotated[
    datetime | None, typer.Option("--from", formats=DAY, metavar="DAY", help="The first day; else from now on.")
]
Until = Annotated[
    datetime | None, typer.Option("--until", formats=DAY, metavar="DAY", help="The last day; else without an end.")
]


def first_instant(day: datetime, settings: Settings, zone: str | None = None) -> str:
    """Return the beginning of a day in a zone, else in the business zone, as the API takes it."""
    return day.replace(tzinfo=ZoneInfo(zone or settings.zone)).isoformat()


def after_last_instant(day: datetime, settings: Settings, zone: str | None = None) -> str:
    """Return the end of a day in a zone, else in the business zone: the beginning of the next."""
    return first_instant(day + timedelta(days=1), settings, zone)


def period(first: datetime | None, last: datetime | None, settings: Settings) -> dict[str, Any]:
    """Return `since` and `until` of a body; what was not given is left out."""
    said: dict[str, Any] = {}
    if first is not None:
        said["since"] = first_instant(first, settings)
    if last is not None:
        said["until"] = after_last_instant(last, settings)
    return said


def first_day(since: str, settings: Settings, translator: Translator, zone: str | None = None) -> str:
    """Return the day on which a period begins."""
    return translator.short_date(datetime.fromisoformat(since).astimezone(ZoneInfo(zone or settings.zone)).date())


def last_day(until: str | None, settings: Settings, translator: Translator, zone: str | None = None) -> str:
    """Return the last day of a period, nothing for one without an end."""
    if until is None:
        return ""
    last = datetime.fromisoformat(until) - timedelta(microseconds=1)
    return translator.short_date(last.astimezone(ZoneInfo(zone or settings.zone)).date())
