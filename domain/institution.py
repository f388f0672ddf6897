"""Organisations, positions, who holds one, leave with a substitute; and what follows from them at an instant.

Periods are half-open in UTC: `since` belongs to them, `until` does not; without `until` they go on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from domain.bilingual import Bilingual
from domain.values import Fact, Instant, Slug

OrganisationKind = Literal[
    "central_union", "provincial_union", "member_organisation", "mission", "ministry", "authority"
]


class Period(Fact):
    """A half-open stretch of time. Refuses (`period_backwards`) one that does not end after it begins."""

    since: Instant
    until: Instant | None = None

    @model_validator(mode="after")
    def _forward(self) -> Self:
        if self.until is not None and self.until <= self.since:
            raise PydanticCustomError("period_backwards", "the period does not end after it begins")
        return self

    def contains(self, now: datetime) -> bool:
        """Whether an instant lies in the period."""
        return self.since <= now and (self.until is None or now < self.until)

    def overlaps(self, other: "Period") -> bool:
        """Whether the two have an instant in common."""
        return (other.until is None or self.since < other.until) and (self.until is None or other.since < self.until)


class Organisation(Period):
    """An organisation as it is from `since` on; a change of name or parent is a further entry of the same slug."""

    slug: Slug
    kind: OrganisationKind
    parent: Slug | None = None
    name: Bilingual


class Position(Fact):
    """An office that signs. Without an organisation it is one that several have, such as `department_head`."""

    slug: Slug
    organisation: Slug | None = None
    title: Bilingual


class Tenure(Period):
    """Somebody holds a position for a period: at an organisation or, without one, for the whole house."""

    id: str
    account: Slug
    position: Slug
    organisation: Slug | None = None


class Leave(Period):
    """Somebody is away for a period, and a substitute signs: for the positions named, or for all where none is.

    From `revoked_at` on a leave gives nobody anything.
    """

    until: Instant
    id: str
    account: Slug
    substitute: Slug
    positions: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    revoked_at: Instant | None = None

    def in_force(self, now: datetime) -> bool:
        """Whether the substitute may stand in at an instant."""
        return self.contains(now) and (self.revoked_at is None or now < self.revoked_at)

    def covers(self, position: str) -> bool:
        """Whether the leave is registered for a position."""
        return not self.positions or position in self.positions


class Held(Fact):
    """A position that somebody holds, with the tenure it rests on; without an organisation for the whole house."""

    position: str
    tenure: str
    since: Instant
    organisation: str | None = None


class Substitution(Fact):
    """A position held by somebody for whom one is registered as substitute; `in_force` says that one may sign now.

    `account` holds the position, by `tenure` since `held_since`, at `organisation`; `person` is that account's person,
    if it has one, and `aliases` are that person's other accounts.
    """

    leave: str
    account: str
    position: str
    tenure: str
    held_since: Instant
    in_force: bool
    organisation: str | None = None
    person: str | None = None
    aliases: tuple[str, ...] = ()


class StandIn(Fact):
    """A leave in force or to come of somebody who holds a position now, and who may sign meanwhile.

    `account` is away, `since` and `until` are the leave's, ended early where it was revoked. The persons are those of
    the two accounts, if they have one.
    """

    position: str
    account: str
    substitute: str
    leave: str
    since: Instant
    until: Instant
    person: str | None = None
    substitute_person: str | None = None


def subtree(organisations: Iterable[Organisation], root: str, now: datetime) -> frozenset[str]:
    """Return an organisation and everything below it at an instant. An unknown one has only itself."""
    below: dict[str, list[str]] = {}
    for one in organisations:
        if one.parent is not None and one.contains(now):
            below.setdefault(one.parent, []).append(one.slug)
    found, waiting = {root}, [root]
    while waiting:
        new = [slug for slug in below.get(waiting.pop(), ()) if slug not in found]
        found.update(new)
        waiting.extend(new)
    return frozenset(found)


def lineage(organisations: Iterable[Organisation], slug: str, now: datetime) -> tuple[str, ...]:
    """Return an organisation and those above it at an instant, upwards. An unknown one has only itself."""
    return _upwards({one.slug: one.parent for one in organisations if one.contains(now)}, slug)


def _upwards(parents: Mapping[str, str | None], slug: str) -> tuple[str, ...]:
    found = [slug]
    while (above := parents.get(found[-1])) is not None and above not in found:
        found.append(above)
    return tuple(found)


def makes_desk(held: Period, now: datetime) -> bool:
    """Whether an organisation has a desk by now because a position is or was held there so long.

    Not if it was for less than a day: what was entered by mistake and taken back leaves no desk behind.
    """
    return held.since <= now and (held.until is None or held.until - held.since >= timedelta(days=1))


def seats(places: Iterable[tuple[str, str]], lineage: Sequence[str]) -> dict[str, str]:
    """Return at which organisation the desk of each position stands, for the files of the first of a lineage.

    `places` are positions with the organisations that have a desk of them (`makes_desk`). A file comes to the nearest
    organisation upwards that has it. One that is vacant stays there: nobody above signs because nobody else is there.
    """
    heights = {slug: height for height, slug in enumerate(lineage)}
    found: dict[str, str] = {}
    for position, organisation in places:
        if organisation in heights and heights[organisation] < heights.get(found.get(position, ""), len(lineage)):
            found[position] = organisation
    return found


def sits(position: str, organisation: str | None, desks: Mapping[str, str]) -> bool:
    """Whether who holds a position at an organisation sits at its desk, where `desks` are as `seats` says them.

    Who holds it for the whole house, at no organisation, sits at each.
    """
    return organisation is None or desks.get(position) == organisation


class Seating:
    """Who sits at which desk, for the files of every organisation, at one instant."""

    def __init__(self, organisations: Iterable[Organisation], tenures: Iterable[Tenure], now: datetime) -> None:
        """Take the registers as they are; what begins only later is left out."""
        self._parents = {one.slug: one.parent for one in organisations if one.contains(now)}
        self._places: set[tuple[str, str]] = set()
        self._held: dict[str, list[Tenure]] = {}
        for one in tenures:
            if one.organisation is not None and makes_desk(one, now):
                self._places.add((one.position, one.organisation))
            if one.contains(now):
                self._held.setdefault(one.position, []).append(one)
        self._desks: dict[str, dict[str, str]] = {}

    def desk(self, position: str, organisation: str) -> str | None:
        """Return at which organisation the desk of a position stands, for the files of an organisation."""
        return self._of(organisation).get(position)

    def lineage(self, organisation: str) -> tuple[str, ...]:
        """Return an organisation and those above it, upwards."""
        return _upwards(self._parents, organisation)

    def holders(self, position: str, organisation: str) -> tuple[str, ...]:
        """Return the accounts that sit at the desk of a position, for the files of an organisation; alphabetical."""
        desks = self._of(organisation)
        held = self._held.get(position, ())
        return tuple(sorted({one.account for one in held if sits(position, one.organisation, desks)}))

    def files_of(self, position: str, organisation: str | None) -> frozenset[str] | None:
        """Return the organisations whose files come to who holds a position at an organisation; None for all."""
        if organisation is None:
            return None
        return frozenset(one for one in {organisation, *self._parents} if self.desk(position, one) == organisation)

    def _of(self, organisation: str) -> dict[str, str]:
        if organisation not in self._desks:
            self._desks[organisation] = seats(self._places, _upwards(self._parents, organisation))
        return self._desks[organisation]


def held_by(account: str, tenures: Iterable[Tenure], now: datetime) -> tuple[Held, ...]:
    """Return the positions that somebody holds at an instant, by position; of two tenures the one held longest."""
    found: dict[str, Held] = {}
    for one in sorted(tenures, key=lambda one: (one.since, one.id)):
        if one.account == account and one.contains(now):
            held = Held(position=one.position, tenure=one.id, since=one.since, organisation=one.organisation)
            found.setdefault(one.position, held)
    return tuple(found[position] for position in sorted(found))


def substitutions_of(
    account: str, tenures: Collection[Tenure], leaves: Iterable[Leave], now: datetime
) -> tuple[Substitution, ...]:
    """Return the positions that others hold at an instant and for whom somebody is, was or will be a substitute.

    Substitution is not transitive: who substitutes for a substitute gets nothing of the first one's.
    """
    return tuple(
        Substitution(
            leave=leave.id,
            account=leave.account,
            position=held.position,
            tenure=held.tenure,
            held_since=held.since,
            in_force=leave.in_force(now) and leave.covers(held.position),
            organisation=held.organisation,
        )
        for leave in sorted(leaves, key=lambda one: (one.since, one.id))
        if leave.substitute == account
        for held in held_by(leave.account, tenures, now)
    )


def organisation_contradiction(known: Collection[Organisation], new: Organisation) -> str | None:
    """Return why an organisation cannot be entered beside the others, or None.

    Codes: `organisation_exists` (its periods would overlap), `parent_unknown` (no such organisation when the new one
    begins), `organisation_cycle`.
    """
    if any(one.slug == new.slug and one.overlaps(new) for one in known):
        return "organisation_exists"
    if new.parent is None:
        return None
    if new.parent == new.slug:
        return "organisation_cycle"
    if not any(one.slug == new.parent and one.contains(new.since) for one in known):
        return "parent_unknown"
    # A later entry of an organisation above may close the circle only then.
    instants = {new.since} | {one.since for one in known if new.contains(one.since)}
    if any(new.slug in lineage(known, new.parent, instant) for instant in instants):
        return "organisation_cycle"
    return None


def tenure_contradiction(known: Iterable[Tenure], new: Tenure) -> str | None:
    """Return why a tenure cannot be entered, or None: `tenure_exists` when the account holds the position then."""
    same = (one for one in known if (one.account, one.position) == (new.account, new.position) and one.id != new.id)
    return "tenure_exists" if any(one.overlaps(new) for one in same) else None


def leave_contradiction(known: Iterable[Leave], new: Leave) -> str | None:
    """Return why a leave cannot be registered beside the others, or None.

    Codes: `substitute_is_oneself`, `leave_overlaps`, `substitute_on_leave`, `leave_while_substituting` (somebody relies
    on the one who would be away: that leave needs another substitute first). Revoked leaves contradict nothing.
    """
    if new.substitute == new.account:
        return "substitute_is_oneself"
    then = [one for one in known if one.id != new.id and one.revoked_at is None and one.overlaps(new)]
    if any(one.account == new.account for one in then):
        return "leave_overlaps"
    if any(one.account == new.substitute for one in then):
        return "substitute_on_leave"
    if any(one.substitute == new.account for one in then):
        return "leave_while_substituting"
    return None
