"""The small values that commands, events and state are made of."""

import unicodedata
from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from io import BytesIO
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, available_timezones

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainSerializer, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

BUSINESS_ZONE = "Asia/Ho_Chi_Minh"


class Value(BaseModel):
    """A frozen value that people send: an unknown field is an error they should hear of."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def unsaid(value: object) -> bool:
    """Return whether a field that came later says nothing: it is then left out, so that older forms stay the same."""
    return not value


class Fact(BaseModel):
    """A frozen value that is stored: a field that only newer code knows is passed over."""

    model_config = ConfigDict(frozen=True, extra="ignore")


BIDIRECTIONAL_CONTROLS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def business_text(text: str) -> str:
    """Return text in NFC without outer blanks.

    Refuses control characters (a line break would end a header or a table cell) and marks that turn the direction of
    reading (they make a signed name look like another one).
    """
    for position, character in enumerate(text):
        if unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
            raise PydanticCustomError(
                "text_has_control_character",
                "character {position} is a control character (U+{code}); write one line of plain text",
                {"position": position + 1, "code": f"{ord(character):04X}"},
            )
        if character in BIDIRECTIONAL_CONTROLS:
            raise PydanticCustomError(
                "text_has_direction_mark",
                "character {position} (U+{code}) changes the direction of reading and is not allowed here",
                {"position": position + 1, "code": f"{ord(character):04X}"},
            )
    folded = unicodedata.normalize("NFC", text).strip()
    if not folded:
        raise PydanticCustomError("text_is_empty", "the text is empty")
    return folded


def known_zone(name: str) -> str:
    """Return the name of an IANA time zone, or refuse one that tzdata does not have."""
    if name not in _zones():
        raise PydanticCustomError(
            "zone_unknown", "“{zone}” is not an IANA time zone such as Asia/Ho_Chi_Minh", {"zone": name[:64]}
        )
    return name


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    # These three name whatever the machine is set to, not a place.
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def write_instant(instant: datetime) -> str:
    """Return an aware instant as RFC 3339 in UTC with microseconds: `2026-04-11T07:30:00.000000Z`."""
    # Not strftime: it imports a module at every call, which the workflow sandbox makes 60 times slower.
    return instant.astimezone(UTC).isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"


def _in_utc(instant: datetime) -> datetime:
    if instant.tzinfo is None:
        raise PydanticCustomError("instant_without_zone", "an instant needs a zone, such as a final Z")
    return instant.astimezone(UTC)


def local_minute(text: str) -> str:
    """Return a wall-clock time as `YYYY-MM-DDTHH:MM`, or refuse a date or time that does not exist."""
    malformed = PydanticCustomError(
        "local_time_malformed",
        "“{text}” is not a date and time that exists, such as 2026-04-11T14:30",
        {"text": text[:40]},
    )
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise malformed from error
    if moment.tzinfo is not None:
        raise PydanticCustomError("local_time_has_offset", "a local time carries its zone beside it, not an offset")
    # A date alone would pass for its midnight.
    if moment.strftime("%Y-%m-%dT%H:%M") != text[:16].replace(" ", "T"):
        raise malformed
    if not 1990 <= moment.year <= 2199:
        raise PydanticCustomError("local_time_out_of_range", "the year is not between 1990 and 2199")
    if moment.second or moment.microsecond:
        raise PydanticCustomError("local_time_has_seconds", "a local time ends at the minute")
    return moment.strftime("%Y-%m-%dT%H:%M")


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9_.-]{0,62}[a-z0-9])?$")]
"""A name a client chooses: lower-case ASCII letters, digits, dot, dash and underscore, at most 64 characters."""

Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
BusinessText = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(business_text)]
"""One line that may stand in the trail for ever: no personal data, at most 300 characters."""

Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""

Zone = Annotated[str, Field(max_length=64), AfterValidator(known_zone)]
Language = Literal["vi", "en"]
Direction = Literal["inbound", "outbound"]

RunBy = Literal["central_union", "provincial_union", "member_organisation"]
"""Which kind of union or association runs a delegation."""

HeadLevel = Literal["standard", "high"]
"""`high`: a high-level leader heads the delegation."""

Factor = Literal["password", "passkey", "oidc", "token"]
"""By what somebody showed who they are. `oidc`: by another provider's word."""

Instant = Annotated[datetime, AfterValidator(_in_utc), PlainSerializer(write_instant, when_used="json")]


class Moment(Fact):
    """A local time as it was resolved once: wall clock, zone and instant all stay what they were."""

    local: str
    zone: str
    instant: Instant


def resolve(local: str, zone: str, fold: int | None = None) -> Moment:
    """Return the moment a wall clock in a zone shows `local` (`YYYY-MM-DDTHH:MM`).

    The law of the zone is that of the `tzdata` package, whatever the machine has. Refuses a time that the clock skips
    in spring. A time shown twice in autumn needs `fold`: 0 is the first, 1 the second (PEP 495).
    """
    tz, wall = clock_of(zone), datetime.fromisoformat(local)
    first, second = (wall.replace(tzinfo=tz, fold=which).astimezone(UTC) for which in (0, 1))
    if first != second:
        back = first.astimezone(tz).replace(tzinfo=None)
        if back != wall:
            raise PydanticCustomError(
                "local_time_does_not_exist",
                "{local} does not exist in {zone}: the clock is put forward over it",
                {"local": local, "zone": zone},
            )
        if fold is None:
            raise PydanticCustomError(
                "local_time_is_ambiguous",
                "{local} occurs twice in {zone}: say fold 0 for the first or 1 for the second",
                {"local": local, "zone": zone},
            )
    return Moment(local=local, zone=zone, instant=second if fold == 1 else first)


@cache
def clock_of(zone: str) -> ZoneInfo:
    """Return the clock of a zone by the law of the `tzdata` package; by the machine's where the package lacks it.

    Python prefers the machine's own files, which may be years older than what calendars are told.
    """
    packaged = files("tzdata")
    if zone not in (packaged / "zones").read_text(encoding="ascii").split():
        return ZoneInfo(zone)
    return ZoneInfo.from_file(BytesIO((packaged / "zoneinfo").joinpath(*zone.split("/")).read_bytes()), key=zone)


class LocalTime(Value):
    """A wall-clock time with its zone, as a person gives it: `{"local": "2026-04-11T14:30", "zone": "Asia/Tokyo"}`."""

    local: Annotated[str, Field(max_length=32), AfterValidator(local_minute)]
    zone: Zone = BUSINESS_ZONE
    fold: Literal[0, 1] | None = None

    @model_validator(mode="after")
    def _exists(self) -> Self:
        self.resolve()
        return self

    def resolve(self) -> Moment:
        """Return the moment meant."""
        return resolve(self.local, self.zone, self.fold)


class PersonRef(Value):
    """A person in the register, and the commitment to the details as they stood when the command was given."""

    ref: Annotated[str, StringConstraints(pattern=r"^per_[A-Za-z0-9_-]{8,64}$")]
    commitment: Digest


class TextRef(Value):
    """A written text in the register, and the commitment to its content."""

    ref: Annotated[str, StringConstraints(pattern=r"^txt_[A-Za-z0-9_-]{8,64}$")]
    commitment: Digest


class AttachmentRef(Value):
    """A stored file: `digest` is the SHA-256 of its bytes, `size` counts them. File names stay in the register."""

    digest: Digest
    media_type: Annotated[str, StringConstraints(pattern=r"^[a-z]+/[a-z0-9.+-]{1,90}$")]
    size: Annotated[int, Field(ge=1, le=2**40)]


def business_date(instant: datetime, zone: str) -> date:
    """Return the calendar date on which an instant falls in the business zone."""
    return instant.astimezone(ZoneInfo(zone)).date()


def days_between(first: date, last: date) -> int:
    """Return how many calendar days a visit has, both ends counted."""
    return (last - first) // timedelta(days=1) + 1
