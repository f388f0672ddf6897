"""The right to sign at the desk of one's own organisation, as substitute too, and nowhere else."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.decision import Actor
from domain.desk import Seat, seats_of
from domain.entitlement import right_to_sign
from domain.events import Right
from domain.institution import Held, Organisation, Seating, Substitution, Tenure

SINCE = datetime(2025, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 4, 1, tzinfo=UTC)
DESKS = {"president": "song-lam", "finance": "central"}
LINEAGE = ("song-lam-japan", "song-lam", "central")


def holder(position: str, at: str | None) -> Actor:
    """Somebody who holds a position at an organisation, and whose account reaches every file."""
    held = Held(position=position, tenure="ten-1", since=SINCE, organisation=at)
    return Actor(id="mai", roles=("approver",), positions=(position,), tenures=(held,))


def deputy(at: str | None, **more: Any) -> Substitution:
    """A right to sign for a president on leave."""
    usual: dict[str, Any] = {
        "leave": f"lea-{at}",
        "account": f"president-of-{at}",
        "position": "president",
        "tenure": f"ten-{at}",
        "held_since": SINCE,
        "in_force": True,
        "organisation": at,
    }
    return Substitution.model_validate(usual | more)


def right(actor: Actor, position: str) -> Right | str:
    """By what right somebody signs a file of the association of Song Lam with Japan, or the refusal."""
    return right_to_sign(actor, position, None, own=(), lineage=LINEAGE, desks=DESKS)


@pytest.mark.parametrize(
    ("position", "at", "found"),
    [
        ("president", "song-lam", "song-lam"),
        ("president", "central", "desk_of_another_organisation"),
        ("president", "hue", "desk_of_another_organisation"),
        ("president", None, None),
        ("finance", "central", "central"),
        ("protocol", "central", "desk_of_another_organisation"),
    ],
)
def test_a_position_signs_at_the_desk_of_its_organisation(position: str, at: str | None, found: str | None) -> None:
    """A name of a position alone says nothing: every province has a president."""
    given = right(holder(position, at), position)
    assert given == found if isinstance(given, str) else given.organisation == found


def test_a_substitute_has_the_desk_of_the_one_who_is_away_and_no_other() -> None:
    """Whatever the substitute reaches themselves."""
    away = Actor(id="sub", roles=("approver",), substitutions=(deputy("song-lam"),))
    given = right(away, "president")
    assert isinstance(given, Right)
    assert (given.on_behalf_of, given.organisation, given.prefix) == ("president-of-song-lam", "song-lam", "KT")
    assert right(away.model_copy(update={"substitutions": (deputy("hue"),)}), "president") == (
        "desk_of_another_organisation"
    )


def test_who_holds_it_elsewhere_may_still_stand_in_here() -> None:
    """The central union's president, registered as the substitute of the province's."""
    both = holder("president", "central").model_copy(update={"substitutions": (deputy("song-lam"),)})
    given = right(both, "president")
    assert isinstance(given, Right)
    assert (given.account, given.on_behalf_of, given.leave) == ("mai", "president-of-song-lam", "lea-song-lam")


def test_files_come_to_the_seats_that_somebody_signs_for() -> None:
    """Those held, those stood in for, each with the organisations whose files come there."""
    tree = [
        Organisation.model_validate(
            {"slug": slug, "kind": "authority", "parent": parent, "name": {"vi": "x", "en": "x"}, "since": SINCE}
        )
        for slug, parent in (("central", None), ("song-lam", "central"), ("song-lam-japan", "song-lam"))
    ]
    tenures = [
        Tenure(id=at, account=at, position="president", organisation=at, since=SINCE) for at in ("central", "song-lam")
    ]
    both = holder("president", "central").model_copy(update={"substitutions": (deputy("song-lam"),)})
    assert seats_of(both, Seating(tree, tenures, NOW)) == (
        Seat("president", frozenset({"central"})),
        Seat("president", frozenset({"song-lam", "song-lam-japan"})),
    )
    not_yet = both.model_copy(update={"substitutions": (deputy("song-lam", in_force=False),)})
    assert seats_of(not_yet, Seating(tree, tenures, NOW)) == (Seat("president", frozenset({"central"})),)
    assert seats_of(holder("president", None), Seating(tree, tenures, NOW)) == (Seat("president"),)
