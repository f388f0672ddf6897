"""How long each kind of data is kept: rules, and what is due to be removed by them on a day.

Nothing here removes anything. A plan says what is due, and somebody looks at it before it is carried out. What belongs
to a file is due only when every file that it belongs to is closed.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.canonical import digest_of
from domain.rule import Rule, RuleId, effective
from domain.values import Digest, Fact, Instant

Kept = Literal[
    "sent_mail",
    "travel_details",
    "person_details",
    "attachments",
    "feeds",
    "request_texts",
    "sessions",
    "sign_in_links",
    "challenges",
    "tokens",
    "repetitions",
    "directory_imports",
    "trail",
    "archive",
    "checkpoints",
    "register_log",
]
"""Kinds of data. Since when an entry is counted:

`sent_mail`: address and content of a mail that is done with, since it was sent and, where it is of a file, that closed.
`travel_details`: passport number and dietary needs, since the last file of the person closed and its visit ended.
`person_details`: everything else of them, since the same; removed by an erasure alone, which two people agree on.
`attachments`: files that the files' trails name, since the last of those closed. `feeds`: secret addresses, since their
file closed, or they were revoked. `request_texts`: what was written about a person's request, since it ended.
`sessions`, `sign_in_links`, `challenges`, `tokens`: since they were over. `repetitions`: what a repeated request is
known by, since it came. `directory_imports`: that a table was accepted, since it was.
"""

KINDS: tuple[Kept, ...] = get_args(Kept)
FOR_EVER: frozenset[Kept] = frozenset({"trail", "archive", "checkpoints", "register_log"})
"""What proves what happened: nothing removes it, and a rule that would is refused."""

PROPOSED: frozenset[Kept] = frozenset({"person_details"})
"""What a plan only proposes: two administrators erase a person, never a clock."""

OF_FILES: frozenset[Kept] = frozenset({"travel_details", "person_details", "attachments"})
"""What is due only if it belongs to some file: without one nobody knows what it was for."""

KEPT_FOR_EVER = "for_ever"


class RetentionRule(Rule):
    """How long one kind of data is kept: `keep` is `30 days`, `6 months`, `1 year` or `for_ever`."""

    what: Kept
    keep: Annotated[str, StringConstraints(pattern=r"^(?:[1-9][0-9]{0,3} (?:days?|months?|years?)|for_ever)$")]

    @model_validator(mode="after")
    def _proof_is_kept(self) -> Self:
        if self.what in FOR_EVER and self.keep != KEPT_FOR_EVER:
            raise PydanticCustomError("proof_is_kept", "keep is for_ever: it proves what happened")
        return self

    def same_subject(self, other: Self) -> bool:
        """Return whether both rules speak of one kind of data."""
        return self.what == other.what

    def kept_until_before(self, on: date) -> date | None:
        """Return the first day from which on data are still kept on a day; None if they are kept for ever.

        Months and years end on the same day of the month, or on its last one.
        """
        if self.keep == KEPT_FOR_EVER:
            return None
        count, unit = self.keep.split()
        if unit.startswith("day"):
            return on - timedelta(days=int(count))
        months = on.year * 12 + on.month - 1 - int(count) * (12 if unit.startswith("year") else 1)
        year, month = max(months // 12, 1), months % 12 + 1
        return date(year, month, min(on.day, _days_of(year, month)))


class Cutoff(Fact):
    """What a rule lets go on a day: entries of a kind that began to count before an instant."""

    what: Kept
    rule: RuleId
    version: int
    before: Instant


class FileStands(Fact):
    """A file that an entry belongs to, and whether it is closed."""

    file: str
    closed: bool


class Holding(Fact):
    """An entry of a register that a rule may speak of, since when it counts, and the files it belongs to."""

    what: Kept
    entry: str
    since: Instant
    files: tuple[FileStands, ...] = ()


class Due(Fact):
    """What is due of one kind: the entries in their order, and the digest of this set."""

    cutoff: Cutoff
    entries: tuple[str, ...]
    digest: Digest


def cutoffs(rules: Sequence[RetentionRule], on: date, zone: str) -> tuple[Cutoff, ...]:
    """Return what the rules in force on a day let go, in the order of the kinds.

    A day of the business zone begins at its midnight. What no rule speaks of is kept.
    """
    found = {rule.what: rule for rule in effective(rules, on)}
    lets_go = ((found[kind], found[kind].kept_until_before(on)) for kind in KINDS if kind in found)
    return tuple(
        Cutoff(
            what=rule.what,
            rule=rule.id,
            version=rule.version,
            before=datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC),
        )
        for rule, day in lets_go
        if day is not None
    )


def is_due(holding: Holding, cutoff: Cutoff) -> bool:
    """Return whether an entry is let go: of this kind, old enough, and of no file that is not closed."""
    return (
        holding.what == cutoff.what
        and holding.since < cutoff.before
        and all(file.closed for file in holding.files)
        and (bool(holding.files) or holding.what not in OF_FILES)
    )


def due(cutoff: Cutoff, holdings: Iterable[Holding]) -> Due:
    """Return what is due of a kind."""
    entries = tuple(sorted({one.entry for one in holdings if is_due(one, cutoff)}))
    return Due(cutoff=cutoff, entries=entries, digest=digest_of([cutoff.what, list(entries)]))


def _days_of(year: int, month: int) -> int:
    return (date(year + month // 12, month % 12 + 1, 1) - timedelta(days=1)).day
