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


def _absent(value: object) -> bool:
    return value is None


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
    """An organisation as it is from `since` on; a change of name or parent is a further entry of the same slug.

    Its last entry may name a `successor`, to which its files, archive and people go when it has ended.
    """

    slug: Slug
    kind: OrganisationKind
    parent: Slug | None = None
    name: Bilingual
    successor: Annotated[Slug | None, Field(exclude_if=_absent)] = None


class Position(Fact):
    """An office that signs. Without an organisation it is one that several have, such as `department_head`.

    From `ended_at` on nobody can be given it.
    """

    slug: Slug
    organisation: Slug | None = None
    title: Bilingual
    ended_at: Annotated[Instant | None, Field(exclude_if=_absent)] = None


class Tenure(Period):
    """Somebody holds a position for a period: at an organisation or, without one, for the whole house."""

    id: str
    account: Slug
    position: Slug
    organisation: Slug | None = None


class Closing(Fact):
    """The desk of a position at an organisation is given up for good: until it is held there again there is none."""

    position: Slug
    organisation: Slug
    closed_at: Instant


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

    def meets(self, other: "Leave") -> bool:
        """Whether two leaves are for one position at least: either for all, or both for one that they name."""
        return not self.positions or not other.positions or not set(self.positions).isdisjoint(other.positions)

    def in_force(self, now: datetime) -> bool:
        """Whether the substitute may stand in at an instant."""
        return self.contains(now) and (self.revoked_at is None or now < self.revoked_at)

    def covers(self, position: str) -> bool:
        """Whether the leave is registered for a position."""
        return not self.positions or position in self.positions

    @property
    def ends(self) -> datetime:
        """The first instant at which it gives nobody anything any more."""
        return min(self.until, self.revoked_at) if self.revoked_at else self.until


class Held(Fact):
    """A position that somebody holds, with the tenure it rests on; without an organisation for the whole house.

    `granted_by` are the accounts that entered the tenure (`granters`).
    """

    position: str
    tenure: str
    since: Instant
    organisation: str | None = None
    granted_by: tuple[str, ...] = ()


class Substitution(Fact):
    """A position held by somebody for whom one is registered as substitute; `in_force` says that one may sign now.

    `account` holds the position, by `tenure` since `held_since`, at `organisation`; `person` is that account's person,
    if it has one, and `aliases` are that person's other accounts. `leave_since` and `leave_until` are the leave's,
    ended early where it was revoked. `granted_by` entered the leave, `tenure_granted_by` the tenure (`granters`).
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
    leave_since: Instant | None = None
    leave_until: Instant | None = None
    granted_by: tuple[str, ...] = ()
    tenure_granted_by: tuple[str, ...] = ()


class StandIn(Fact):
    """A leave in force or to come of somebody who holds a position now, and who may sign meanwhile.

    `account` is away, `since` and `until` are the leave's, ended early where it was revoked. The persons are those of
    the two accounts, if they have one; `granted_by` entered the leave (`granters`).
    """

    position: str
    account: str
    substitute: str
    leave: str
    since: Instant
    until: Instant
    person: str | None = None
    substitute_person: str | None = None
    granted_by: tuple[str, ...] = ()


def subtree(organisations: Iterable[Organisation], root: str, now: datetime) -> frozenset[str]:
    """Return an organisation and everything below it at an instant. An unknown one has only itself.

    What has ended lies below its successor, else below what it stood below at last.
    """
    below: dict[str, list[str]] = {}
    for slug, above in _parents(organisations, now).items():
        if above is not None:
            below.setdefault(above, []).append(slug)
    found, waiting = {root}, [root]
    while waiting:
        new = [slug for slug in below.get(waiting.pop(), ()) if slug not in found]
        found.update(new)
        waiting.extend(new)
    return frozenset(found)


def lineage(organisations: Iterable[Organisation], slug: str, now: datetime) -> tuple[str, ...]:
    """Return an organisation and those above it at an instant, upwards. An unknown one has only itself.

    From one that has ended it leads on to its successor, else to what it stood below at last: its files, its archive
    and its people are in somebody's reach.
    """
    return _upwards(_parents(organisations, now), slug)


def begun(organisations: Iterable[Organisation], now: datetime) -> dict[str, Organisation]:
    """Return the entry of each organisation that began last by an instant: as it is then, or was when it ended."""
    found: dict[str, Organisation] = {}
    for one in organisations:
        if one.since <= now and (one.slug not in found or found[one.slug].since < one.since):
            found[one.slug] = one
    return found


def _parents(organisations: Iterable[Organisation], now: datetime) -> dict[str, str | None]:
    known = begun(organisations, now)
    above = {slug: one.parent if one.contains(now) else one.successor or one.parent for slug, one in known.items()}
    return {slug: parent if parent in known else None for slug, parent in above.items()}


def _upwards(parents: Mapping[str, str | None], slug: str) -> tuple[str, ...]:
    found = [slug]
    while (above := parents.get(found[-1])) is not None and above not in found:
        found.append(above)
    return tuple(found)


def makes_desk(held: Period, now: datetime, closed_at: datetime | None = None) -> bool:
    """Whether an organisation has a desk by now because a position is or was held there so long.

    Not if it was for less than a day: what was entered by mistake and taken back leaves no desk behind. Nor if it was
    over when the desk was last closed, at `closed_at`: what is held there later makes one anew.
    """
    if held.since > now or (held.until is not None and held.until - held.since < timedelta(days=1)):
        return False
    return closed_at is None or closed_at > now or held.until is None or held.until > closed_at


def last_closed(closings: Iterable[Closing], now: datetime) -> dict[tuple[str, str], datetime]:
    """Return when the desk of a position at an organisation was last closed by an instant, for those that were."""
    found: dict[tuple[str, str], datetime] = {}
    for one in sorted(closings, key=lambda one: one.closed_at):
        if one.closed_at <= now:
            found[one.position, one.organisation] = one.closed_at
    return found


def desks_made(
    tenures: Iterable[Tenure], ended: Collection[str], closings: Iterable[Closing], now: datetime
) -> set[tuple[str, str]]:
    """Return the positions with the organisations that have a desk of them at an instant (`makes_desk`).

    An organisation that has `ended` has none any more: its files go on to whoever comes after it.
    """
    closed = last_closed(closings, now)
    return {
        (one.position, one.organisation)
        for one in tenures
        if one.organisation is not None
        and one.organisation not in ended
        and makes_desk(one, now, closed.get((one.position, one.organisation)))
    }


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

    def __init__(
        self,
        organisations: Iterable[Organisation],
        tenures: Collection[Tenure],
        now: datetime,
        closings: Iterable[Closing] = (),
    ) -> None:
        """Take the registers as they are; what begins only later is left out."""
        known = begun(organisations, now)
        self._parents = _parents(known.values(), now)
        ended = {slug for slug, one in known.items() if not one.contains(now)}
        self._places = desks_made(tenures, ended, closings, now)
        self._held: dict[str, list[Tenure]] = {}
        for one in tenures:
            if one.contains(now):
                self._held.setdefault(one.position, []).append(one)
        self._desks: dict[str, dict[str, str]] = {}

    def places(self, position: str) -> frozenset[str]:
        """Return the organisations that have a desk of a position, vacant ones too."""
        return frozenset(organisation for one, organisation in self._places if one == position)

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


def granters(versions: Iterable[tuple[Tenure | Leave, str]]) -> tuple[str, ...]:
    """Return whom the right that an entry gives comes from, of its versions with who recorded each, in order.

    Who entered it, and who gave it more since. A version that only lets it end, earlier than before, gives nothing.
    """
    found: dict[str, None] = {}
    before: Tenure | Leave | None = None
    for version, recorded_by in versions:
        if before is None or not _only_ends(before, version):
            found[recorded_by] = None
        before = version
    return tuple(found)


def _only_ends(before: Tenure | Leave, after: Tenure | Leave) -> bool:
    ending = {"until": after.until} | ({"revoked_at": after.revoked_at} if isinstance(after, Leave) else {})
    if before.model_copy(update=ending) != after or (isinstance(before, Leave) and before.revoked_at):
        return False
    return before.until is None or (after.until is not None and after.until <= before.until)


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
            leave_since=leave.since,
            leave_until=leave.ends,
        )
        for leave in sorted(leaves, key=lambda one: (one.since, one.id))
        if leave.substitute == account
        for held in held_by(leave.account, tenures, now)
    )


def organisation_contradiction(known: Collection[Organisation], new: Organisation) -> str | None:
    """Return why an organisation cannot be entered beside the others, or None.

    Codes: `organisation_exists` (its periods would overlap), `parent_unknown` (no such organisation when the new one
    begins), `parent_ends_first` (it would stand below nothing), `organisation_cycle`.
    """
    if any(one.slug == new.slug and one.overlaps(new) for one in known):
        return "organisation_exists"
    if new.parent is None:
        return None
    if new.parent == new.slug:
        return "organisation_cycle"
    if not any(one.slug == new.parent and one.contains(new.since) for one in known):
        return "parent_unknown"
    if _leads_back([*known, new], new.slug, new.parent, new.since):
        return "organisation_cycle"
    ends = stays_until(known, new.parent, new.since)
    return "parent_ends_first" if ends is not None and (new.until is None or new.until > ends) else None


def _leads_back(known: Collection[Organisation], slug: str, above: str, since: datetime) -> bool:
    """Whether the way up from `above` comes back to an organisation, at an instant or whenever the tree changes later.

    An entry of another organisation, or its end, may close the circle only then.
    """
    changes = {since} | {at for one in known for at in (one.since, one.until) if at is not None and at > since}
    return any(slug in lineage(known, above, instant) for instant in changes)


def stays_until(known: Iterable[Organisation], slug: str, since: datetime) -> datetime | None:
    """Return until when an organisation that is there at an instant stays without a gap; None for good."""
    until: datetime | None = since
    for one in sorted((one for one in known if one.slug == slug), key=lambda one: one.since):
        if until is not None and one.contains(until):
            until = one.until
    return until


def end_contradiction(known: Collection[Organisation], ending: Organisation, *, files: int, tenures: int) -> str | None:
    """Return why an organisation cannot end as `ending` says (with `until` and perhaps a successor), or None.

    `known` are all other entries, `files` its open files, `tenures` those held at it that go on after the end. Codes:
    `organisation_in_use` (others stand below it after that), `organisation_goes_on` (a later entry of its own would
    bring it back), `successor_is_itself`, `successor_unknown` (it is not there at that instant),
    `organisation_cycle`, `organisation_needs_successor`.
    """
    end = ending.until
    if end is None:
        raise ValueError("an end has an instant")
    if any(one.slug == ending.slug and one.since >= end for one in known):
        return "organisation_goes_on"
    if any(one.parent == ending.slug and (one.until is None or one.until > end) for one in known):
        return "organisation_in_use"
    if ending.successor is None:
        return "organisation_needs_successor" if files or tenures else None
    if ending.successor == ending.slug:
        return "successor_is_itself"
    if not any(one.slug == ending.successor and one.contains(end) for one in known):
        return "successor_unknown"
    circle = _leads_back([*known, ending], ending.slug, ending.successor, end)
    return "organisation_cycle" if circle else None


def tenure_contradiction(known: Iterable[Tenure], new: Tenure) -> str | None:
    """Return why a tenure cannot be entered, or None: `tenure_exists` when the account holds the position then."""
    same = (one for one in known if (one.account, one.position) == (new.account, new.position) and one.id != new.id)
    return "tenure_exists" if any(one.overlaps(new) for one in same) else None


def leave_contradiction(known: Iterable[Leave], new: Leave) -> str | None:
    """Return why a leave cannot be registered beside the others, or None.

    Codes: `substitute_is_oneself`, `leave_overlaps` (for one of its positions; two may have two substitutes),
    `substitute_on_leave`, `leave_while_substituting` (somebody relies on the one who would be away: that leave needs
    another substitute first). Revoked leaves contradict nothing.
    """
    if new.substitute == new.account:
        return "substitute_is_oneself"
    then = [one for one in known if one.id != new.id and one.revoked_at is None and one.overlaps(new)]
    if any(one.account == new.account and one.meets(new) for one in then):
        return "leave_overlaps"
    if any(one.account == new.substitute for one in then):
        return "substitute_on_leave"
    if any(one.substitute == new.account for one in then):
        return "leave_while_substituting"
    return None


def leave_unfounded(
    new: Leave, tenures: Iterable[Tenure], organisations: Collection[Organisation], substitutes: str | None
) -> str | None:
    """Return why a leave gives nobody anything, or None: by the `tenures` of who is away.

    `substitutes` is the organisation of the substitute, None for one who acts on all files. Codes: `position_not_held`
    (one that it names, at no time of it), `substitute_out_of_reach` (a desk of those it is for stands outside the
    subtree of the substitute's organisation).
    """
    then = [one for one in tenures if one.account == new.account and one.overlaps(new)]
    if not set(new.positions) <= {one.position for one in then}:
        return "position_not_held"
    desks = ((one.organisation, max(one.since, new.since)) for one in then if new.covers(one.position))
    if substitutes is not None and any(
        desk is not None and substitutes not in lineage(organisations, desk, at) for desk, at in desks
    ):
        return "substitute_out_of_reach"
    return None


def end_in_past(before: Period, until: datetime, now: datetime) -> bool:
    """Whether an end would take back what was a right until now: of something begun, an end before the present."""
    return before.since <= now and until < now
