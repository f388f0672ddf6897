"""Days and instants as they are sent, read strictly and kept within the calendar."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: Any) -> Any:
    # Pydantic alone would read a bare number as seconds since 1970.
    return value if not isinstance(value, str) or _DAY.fullmatch(value) else "not a day"


Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day as `2026-04-11`."""


def _within_the_calendar(instant: datetime) -> datetime:
    # The ends of the calendar cannot be brought to UTC.
    if not 1990 <= instant.year <= 2199:
        raise PydanticCustomError("instant_out_of_range", "the year is not between 1990 and 2199")
    return instant.astimezone(UTC)


SentInstant = Annotated[AwareDatetime, AfterValidator(_within_the_calendar)]
"""An instant as a person sends it: RFC 3339 with a zone, of the years 1990 to 2199; in UTC from here on."""
