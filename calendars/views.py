"""ItemView: what one viewer may see of one item; all that a calendar message about it is made from."""

from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.canonical import digest_of
from domain.events import CalendarView
from domain.text import Line, Prose
from domain.values import Digest, Moment, Value
from domain.views import Seen

Uid = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,255}$")]
"""The item's id, the same for every recipient and channel: 1 to 255 visible ASCII characters, no blank."""

Status = Literal["confirmed", "tentative", "cancelled"]


class ItemView(Value):
    """One item as one viewer may see it, already narrowed to what the policy shows; other attendees are no part of it.

    `all_day_stay` is a hotel stay: it counts whole days, from the local date of `starts` to the local date of `ends`,
    the day of departure, which is itself no longer a night. Texts are NFC without control or direction marks.
    """

    uid: Uid
    summary: Annotated[Line, Field(min_length=1)]
    description: Prose = ""
    location: Line = ""
    starts: Moment
    ends: Moment
    all_day_stay: bool = False
    sequence: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    status: Status = "confirmed"

    @model_validator(mode="after")
    def _has_length(self) -> Self:
        if self.all_day_stay:
            if self.last_day <= self.first_day:
                raise PydanticCustomError("stay_without_night", "ends: a stay ends on a later date than it starts")
        elif self.ends.instant <= self.starts.instant:
            raise PydanticCustomError("item_ends_before_start", "ends: an item ends after it starts")
        return self

    @property
    def first_day(self) -> date:
        """The local date of the start."""
        return datetime.fromisoformat(self.starts.local).date()

    @property
    def last_day(self) -> date:
        """The local date of the end; for a stay the day of departure, not counted."""
        return datetime.fromisoformat(self.ends.local).date()


def uid_of(item_id: str, *, delegation: str, domain: str) -> Uid:
    """Return the UID of an item (RFC 7986 section 5.3): the same for every recipient and channel, for ever."""
    return f"{item_id}.{delegation}@{domain}"


def item_of(uid: str, *, delegation: str) -> str | None:
    """Return the item of a delegation that a UID of ours names, or None where it names none of it."""
    item, found, _ = uid.rpartition(f".{delegation}@")
    return item if found else None


def shown(
    view: CalendarView, uid: Uid, sequence: int, *, notes: tuple[str, ...] = (), cancelled: bool = False
) -> ItemView:
    """Return what is written into a calendar of an item's view; `notes` are those that the viewer may see.

    A room for some hours of one day has no night to count: it is an item with its times.
    """
    nights = view.ends.local[:10] > view.starts.local[:10]
    return ItemView(
        uid=uid,
        summary=view.title,
        description="\n".join(notes),
        location=view.place or "",
        starts=view.starts,
        ends=view.ends,
        all_day_stay=view.kind == "hotel" and nights,
        sequence=sequence,
        status="cancelled" if cancelled else "confirmed",
    )


def item_view(seen: Seen, *, delegation: str, domain: str) -> ItemView:
    """Return what is written into a calendar of an item as one viewer may see it; `domain` is the sending domain."""
    uid = uid_of(seen.item_id, delegation=delegation, domain=domain)
    return shown(seen.view, uid, seen.sequence, notes=seen.view.notes, cancelled=seen.cancelled)


def view_hash(view: ItemView) -> Digest:
    """Return the SHA-256 of what the viewer sees, over canonical JSON (RFC 8785).

    The sequence is left out: it counts the mailed changes of the item, for anybody, and a viewer whose own view did not
    change is not to be told. Equal hashes mean silence.
    """
    return digest_of(view.model_dump(mode="json", exclude={"sequence"}))
