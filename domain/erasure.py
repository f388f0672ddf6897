"""Erasing a person: for which reasons it is asked, by which steps it is done, and what it cannot reach.

Nothing here is personal: references, digests, counts and days, so that all of it may stand in registers and histories.
"""

from typing import Literal

from pydantic import Field

from domain.state import Delegation
from domain.values import Digest, Fact, Instant

Reason = Literal["asked_by_person", "consent_withdrawn", "objection", "purpose_fulfilled", "retention_over", "unlawful"]
"""Why somebody is erased: GDPR art. 17 (1) and Law 91/2025/QH15 name these grounds. Reasons in words would be data."""

State = Literal["asked", "withdrawn", "agreed", "carried_out"]

Step = Literal[
    "look", "person", "accounts", "feeds", "mails", "received", "documents", "render", "scrub", "close", "look_again"
]

STEPS: tuple[Step, ...] = (
    "look",
    "person",
    "accounts",
    "feeds",
    "mails",
    "received",
    "documents",
    "render",
    "scrub",
    "close",
)
"""In this order: what is to be found is found while it can be read, and then the key goes first of all."""

AGAIN: tuple[Step, ...] = ("look_again", "mails", "received", "documents", "render", "scrub")
"""A little later once more: what was being written while the person was erased."""


class Mailed(Fact):
    """Mails of one delegation (`""`: of none) that left the house, and when the first and the last did."""

    delegation: str
    mails: int
    first: Instant
    last: Instant


class Written(Fact):
    """A free text that a person has to read; `names` says that the name or an address was found in it."""

    delegation: str
    ref: str
    names: bool


class Brought(Fact):
    """A file that somebody brought to a delegation: only a person can tell whom it is about."""

    delegation: str
    digest: Digest
    kind: str


class Sealed(Fact):
    """A sealed event, or an entry of the directory, in whose business text the name was found: it stays."""

    stream: str
    seq: int
    what: str


class OutOfReach(Fact):
    """What an erasure cannot undo, or cannot judge.

    `to_person` are mails that left for the person's own mailboxes, `to_others` letters to others that name them.
    `key` is what backups made before the erasure still hold. `remote_items` stand in the person's own calendar, and
    `subscribed` counts calendars that programs fetched. `received` are mails that say the name and nothing that tells
    the person from somebody of the same name. `exports` are evidence bundles given out of the files.
    """

    to_person: tuple[Mailed, ...] = ()
    to_others: tuple[Mailed, ...] = ()
    exports: int = 0
    key: str = ""
    remote_items: int = 0
    subscribed: int = 0
    received: tuple[str, ...] = ()
    texts: tuple[Written, ...] = ()
    files: tuple[Brought, ...] = ()
    sealed: tuple[Sealed, ...] = ()


class Traces(Fact):
    """Where a person was found, while that could be read.

    `places` says as the how manieth person they stand on each file. `documents` are digests of what was rendered and
    names them, or was brought and concerns them alone, each with its delegation; `lines` are positions of the mail
    ledger that are the person's, `naming` those of mails to others that name them; `received` references of mails that
    came, `answers` those of texts that the person wrote beside an answer; `accounts` those of the person.
    """

    places: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    documents: dict[Digest, str] = Field(default_factory=dict)
    lines: tuple[int, ...] = ()
    naming: tuple[int, ...] = ()
    received: tuple[str, ...] = ()
    answers: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()
    beyond: OutOfReach = OutOfReach()


def place_of(file: Delegation, participant: str) -> int:
    """Return as the how manieth person somebody joined a file, from 1: whom names no longer tell apart, this does."""
    return list(file.people).index(participant) + 1


def places_of(file: Delegation, person: str) -> tuple[int, ...]:
    """Return every place that a person, by reference, has on a file; more than one for who left and came back."""
    return tuple(place for place, one in enumerate(file.people.values(), 1) if one.person.ref == person)
