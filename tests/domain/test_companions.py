"""Who goes with somebody through a visit: those they meet, by the ways that are needed, while it lasts."""

from datetime import timedelta

import pytest

from domain import commands as c
from domain.companions import Companion, companions_of
from domain.state import Delegation, Phase
from tests.builders import invited, serving, session
from tests.domain.given import given
from tests.domain.test_invitations import PUBLISH
from tests.domain.test_views import served_by_all


def met(state: Delegation, who: str, after: int = 0) -> list[tuple[str, tuple[str, ...]]]:
    """Whom somebody meets, and how they reach them, so many days after the first day."""
    found = companions_of(state, who, state.starts + timedelta(days=after))
    return [(one.participant_id, one.ways) for one in found]


def test_a_guest_reaches_the_coordinator_and_the_escort_and_knows_the_host() -> None:
    """By mail and telephone, by telephone, by name alone; the driver is nobody's to call."""
    assert met(served_by_all(), "ito") == [("lan", ("phone", "email")), ("linh", ("phone",)), ("bao", ())]


def test_whoever_serves_reaches_those_whom_they_meet_and_never_a_guest() -> None:
    """The escort meets the host on Wednesday, the driver meets no other who serves but the coordinator."""
    assert met(served_by_all(), "linh") == [("lan", ("phone", "email")), ("bao", ())]
    assert met(served_by_all(), "tho") == [("lan", ("phone", "email"))]


def test_who_is_at_nothing_of_theirs_is_not_named() -> None:
    """An interpreter for an item of others; once invited to one of theirs, they are named before the host."""
    alone = session("closed", "2026-04-09T09:00", "2026-04-09T10:00")
    alone = alone.model_copy(update={"audience": c.Audience(people=("yen", "bao"))})
    apart = given(*invited(), serving("yen", "interpreter"), alone, PUBLISH).state
    assert met(apart, "ito") == [("bao", ())]
    together = alone.model_copy(update={"audience": c.Audience(people=("yen", "ito"))})
    assert met(given(*invited(), serving("yen", "interpreter"), together, PUBLISH).state, "ito") == [
        ("yen", ("phone",)),
        ("bao", ()),
    ]


def test_nobody_is_named_after_the_last_day_or_to_somebody_who_left() -> None:
    """On the last day still; a stranger has nobody; who was released is nobody's."""
    state = served_by_all()
    last = (state.ends - state.starts).days
    assert len(met(state, "ito", last)) == 3
    assert met(state, "ito", last + 1) == []
    assert met(state, "nobody") == []
    released = given(*invited(), c.ReleaseParticipant(participant_id="bao")).state
    assert met(released, "ito") == []
    assert met(released, "bao") == []


@pytest.mark.parametrize("phase", sorted(set(Phase) - {Phase.INVITING, Phase.UNDER_WAY}))
def test_nobody_is_named_while_nobody_is_invited(phase: Phase) -> None:
    """Before the invitations, once it was cancelled or postponed, while the report is written."""
    assert met(served_by_all().model_copy(update={"phase": phase}), "ito") == []


def test_a_companion_says_who_in_which_role() -> None:
    """As the page reads it."""
    first = companions_of(served_by_all(), "ito", served_by_all().starts)[0]
    assert first == Companion(participant_id="lan", role="coordinator", ways=("phone", "email"))
