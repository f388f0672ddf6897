"""Parameters of addresses, read as strictly as bodies."""

import re
from datetime import date
from typing import Annotated, Any

from pydantic import BeforeValidator

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def _day(value: Any) -> Any:
    # Pydantic alone would read a bare number as seconds since 1970.
    return value if not isinstance(value, str) or _DAY.fullmatch(value) else "not a day"


Day = Annotated[date, BeforeValidator(_day)]
"""A calendar day as `2026-04-11`."""
