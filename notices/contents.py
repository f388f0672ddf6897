"""What each notice says: one frozen model a notice, checked before any template sees it.

Every text is one printable line (`domain.text.Line`) or printable prose, so a line break in a title cannot begin a
header. The models never repeat a value in their error text: names are personal data.
"""

from datetime import date
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from domain.effects import AnswerKind
from domain.telling import Stuck
from domain.text import Line, Prose
from domain.values import Moment, Value

Named = Annotated[Line, Field(min_length=1)]

NoticeName = Literal[
    "itinerary_request",
    "itinerary_changed",
    "itinerary_cancelled",
    "invitation_letter",
    "deadline_reminder",
    "deadline_missed",
    "deadline_escalated",
    "step_waits",
    "step_escalated",
    "report_waits",
    "letter_awaited",
    "desk_stuck",
    "desk_returned",
    "answered",
    "handed_over",
    "digest",
    "account_notice",
]


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable() or " " in text:
        raise PydanticCustomError("link_malformed", "a link begins with https:// or http:// and names a host")
    return text


Link = Annotated[str, Field(max_length=2000), AfterValidator(_web_address)]


class ItemFacts(Value):
    """One item as the recipient may see it. For a stay, `ends` is the day of departure."""

    title: Named
    starts: Moment
    ends: Moment
    place: Line = ""
    stay: bool = False
    notes: Prose = ""


class Notice(Value):
    """What every notice has: whom it greets, who writes, about which delegation, and whom to ask (may be empty)."""

    model_config = ConfigDict(hide_input_in_errors=True)

    recipient: Named
    organisation: Named
    delegation: Named
    contact: Line = ""


class ItineraryRequest(Notice):
    """An item that is new in the recipient's calendar; `page` leads to their own page, by a secret."""

    item: ItemFacts
    asks_answer: bool = True
    page: Link | None = None


class ItineraryChanged(Notice):
    """An item that the recipient had, and how it is now. Refuses a change in which nothing changed."""

    before: ItemFacts
    item: ItemFacts
    asks_answer: bool = True

    @property
    def time_changed(self) -> bool:
        """Whether the time as it is shown differs."""
        return (self.before.starts, self.before.ends, self.before.stay) != (
            self.item.starts,
            self.item.ends,
            self.item.stay,
        )

    @property
    def place_changed(self) -> bool:
        """Whether the place differs."""
        return self.before.place != self.item.place

    @property
    def title_changed(self) -> bool:
        """Whether the title differs."""
        return self.before.title != self.item.title

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.before == self.item:
            raise PydanticCustomError("nothing_changed", "before and item are the same")
        return self


class ItineraryCancelled(Notice):
    """An item that leaves the recipient's calendar; for others it may go on."""

    item: ItemFacts
    reason: Line = ""


class InvitationLetter(Notice):
    """The mail that carries the invitation letter. `number` is the letter's number and symbol, where it has one."""

    first_day: date
    last_day: date
    host: Named
    number: Line = ""


class Deadline(Notice):
    """A duty with a due date (in the business zone) and the rule it comes from.

    `stuck` says why nobody at the desk can do it, where that is so.
    """

    what: Named
    due: date
    rule: Line = ""
    stuck: tuple[Stuck, ...] = ()
    link: Link | None = None


class DeadlineReminder(Deadline):
    """A duty that is due in `days_left` calendar days; 0 is today."""

    days_left: Annotated[int, Field(ge=0, le=3660)]


class DeadlineMissed(Deadline):
    """A duty that was due `days_over` calendar days ago."""

    days_over: Annotated[int, Field(ge=1, le=3660)]


class DeadlineEscalated(DeadlineMissed):
    """A duty that is still not done, told to the position that the rules name. `level` counts these notices from 1.

    `passed_over` are positions before it at which nobody could be told.
    """

    level: Annotated[int, Field(ge=1, le=100)]
    passed_over: tuple[Line, ...] = ()


class StepWaits(Notice):
    """A step of the approval that waits for the recipient. `acting_for` names the person a substitute stands in for."""

    step: Named
    version: Annotated[int, Field(ge=1)]
    submitted_by: Line = ""
    waiting_since: date
    due: date | None = None
    acting_for: Line = ""
    link: Link | None = None


class StepEscalated(Notice):
    """A step of the approval that nobody answered by `due`, told to the position that the rules name for that.

    `passed_over` as in `DeadlineEscalated`, `stuck` as in `Deadline`.
    """

    step: Named
    version: Annotated[int, Field(ge=1)]
    due: date
    rule: Line = ""
    stuck: tuple[Stuck, ...] = ()
    passed_over: tuple[Line, ...] = ()
    link: Link | None = None


class ReportWaits(Notice):
    """A final report that waits for the recipient's acceptance. `acting_for` as in `StepWaits`."""

    version: Annotated[int, Field(ge=1)]
    filed_by: Line = ""
    waiting_since: date
    due: date | None = None
    acting_for: Line = ""
    link: Link | None = None


class LetterAwaited(Notice):
    """A step that an outside authority decides by letter: the coordinator sends the dossier and records the answer."""

    step: Named
    version: Annotated[int, Field(ge=1)]
    waiting_since: date
    due: date | None = None
    link: Link | None = None


class DeskStuck(Notice):
    """What waits at a desk where nobody can answer it, and why; without a `step` it is the final report."""

    step: Line = ""
    version: Annotated[int, Field(ge=1)]
    stuck: Annotated[tuple[Stuck, ...], Field(min_length=1)]
    due: date | None = None
    link: Link | None = None


class DeskReturned(Notice):
    """A leave is over, and what waits lies with `back` alone again; `yours` says that this is the recipient."""

    step: Line = ""
    back: Named
    yours: bool
    due: date | None = None
    link: Link | None = None


class Answered(Notice):
    """What was decided on a file, by whom, in whose place, told to its coordinator; the reasons stand in the file.

    `authority` is the outside one whose letter was recorded.
    """

    outcome: AnswerKind
    by: Named
    in_place_of: Line = ""
    authority: Line = ""
    step: Line = ""
    version: Annotated[int, Field(ge=1)]
    day: date
    link: Link | None = None


class HandedOver(Notice):
    """A file has another `coordinator`; `yours` says that this is the recipient, else it was theirs before."""

    coordinator: Named
    by: Named
    yours: bool
    day: date
    link: Link | None = None


class DigestLine(Value):
    """What waits: what is to be done, since how many days, by when. `acting_for` as in `StepWaits`.

    Of a `letter` `step` is the step that an outside authority decides. Of a person's request `delegation` says what is
    asked, and `step` is its id.
    """

    model_config = ConfigDict(hide_input_in_errors=True)

    delegation: Named
    what: Literal["step", "report", "coordinator", "letter", "answer_request", "carry_out_request"]
    step: Line = ""
    age_days: Annotated[int, Field(ge=0)]
    due: date | None = None
    missed: bool = False
    acting_for: Line = ""
    link: Link | None = None


class Digest(Notice):
    """What waits for the recipient this morning, the most urgent first; `more` lines are not listed.

    `files` and `requests` of people about their data are counted apart, `late` are the lines past their due date, those
    that are not listed too. It is about no one delegation.
    """

    delegation: Line = ""
    day: date
    lines: Annotated[tuple[DigestLine, ...], Field(min_length=1)]
    files: Annotated[int, Field(ge=0)]
    requests: Annotated[int, Field(ge=0)] = 0
    late: Annotated[int, Field(ge=0)] = 0
    more: Annotated[int, Field(ge=0)] = 0
    link: Link | None = None


class AccountNotice(Notice):
    """What happened to the recipient's account: in words of their language, with the time on their clock and by whom.

    It is about no delegation.
    """

    delegation: Line = ""
    account: Named
    headline: Named
    consequence: Line = ""
    done: Named
    by: Named
    link: Link | None = None


NOTICES: dict[NoticeName, type[Notice]] = {
    "itinerary_request": ItineraryRequest,
    "itinerary_changed": ItineraryChanged,
    "itinerary_cancelled": ItineraryCancelled,
    "invitation_letter": InvitationLetter,
    "deadline_reminder": DeadlineReminder,
    "deadline_missed": DeadlineMissed,
    "deadline_escalated": DeadlineEscalated,
    "step_waits": StepWaits,
    "step_escalated": StepEscalated,
    "report_waits": ReportWaits,
    "letter_awaited": LetterAwaited,
    "desk_stuck": DeskStuck,
    "desk_returned": DeskReturned,
    "answered": Answered,
    "handed_over": HandedOver,
    "digest": Digest,
    "account_notice": AccountNotice,
}
