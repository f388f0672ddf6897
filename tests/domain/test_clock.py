"""A clock that jumps, forward and back: order is by number, and nothing falls due twice."""

from collections import Counter
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import events as e
from domain.seal import genesis, verify_chain
from domain.upcast import read_event
from tests.builders import DELEGATION, THE_SYSTEM
from tests.domain.player import Play
from tests.domain.test_sequences import STARTS, draw_turns, going_on

HOURS = [timedelta(hours=hours) for hours in (-48, -24, -23, -1, 0, 1, 23, 24, 48, 24 * 20)]


def fell_due(play: Play) -> None:
    """Assert that between one setting of a deadline and the next each reminder came once, and it was missed once."""
    reminders: dict[str, int] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for sealed in play.events:
        match read_event(sealed):
            case e.DeadlineSet(what=what, remind_at=remind_at):
                reminders[what] = len(remind_at)
                for kind in ("reminded", "missed"):
                    seen[what, kind] = 0
            case e.DeadlineReminded(what=what):
                seen[what, "reminded"] += 1
                assert seen[what, "reminded"] <= reminders[what]
            case e.DeadlineMissed(what=what):
                seen[what, "missed"] += 1
                assert seen[what, "missed"] == 1
            case _:
                pass


@pytest.mark.parametrize("start", STARTS)
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(data=st.data())
def test_whatever_the_clock_does_nothing_falls_due_twice(start: str, data: st.DataObject) -> None:
    """After every jump the file is woken if its deadline has passed, and something is asked of it."""
    play = going_on(start)
    for turn in draw_turns(data, play, 8):
        now = play.log[-1].at + data.draw(st.sampled_from(HOURS), label="jump")
        assert play.state is not None
        if (wake := play.state.next_wake) and wake <= now:
            play.decide("tick", THE_SYSTEM, ({"type": "tick"},), now)
        asked = tuple(made(play.state).model_dump(mode="json") for made in turn.made)
        decided = play.decide("turn", turn.actor, asked, now)
        assert decided.decision.wake is None or decided.decision.wake > now
    fell_due(play)
    assert verify_chain(genesis(DELEGATION), play.events) == play.head


VISIT = ("guest_data", "notice_department", "notice_police", "report")
WAITING = {
    "drafted": (*VISIT, "proposal"),
    "submitted": (*VISIT, "appraisal", "step.department_head.1"),
    "approved": VISIT,
    "inviting": VISIT,
    "under_way": ("report",),
    "amending": (*VISIT, "step.vice_president.2"),
}
"""What is due in a file of each phase, as the rulebook has it."""


@pytest.mark.parametrize(("start", "due"), WAITING.items())
def test_after_a_long_sleep_each_deadline_was_missed_once_and_nobody_is_reminded_of_it(
    start: str, due: tuple[str, ...]
) -> None:
    """A clock that jumps a year: what passed meanwhile is recorded, by its own due date, and once."""
    play = going_on(start)
    assert play.state is not None
    waiting = sorted(one.what for one in play.state.deadlines.values() if one.status == "open")
    assert waiting == sorted(due)
    before = len(play.events)
    late = play.log[-1].at + timedelta(days=400)
    play.decide("tick", THE_SYSTEM, ({"type": "tick"},), late)
    again = play.decide("tick", THE_SYSTEM, ({"type": "tick"},), late + timedelta(days=400))
    missed = [one for one in map(read_event, play.events[before:]) if isinstance(one, e.DeadlineMissed)]
    assert sorted(one.what for one in missed) == waiting
    assert again.decision.events == ()
    fell_due(play)


@pytest.mark.parametrize("start", WAITING)
def test_awake_at_every_wake_each_reminder_comes_once_before_the_day(start: str) -> None:
    """As a workflow wakes: as many reminders as the deadline had left, then one word that it was missed."""
    play = going_on(start)
    assert play.state is not None
    left = {
        one.what: len(one.remind_at) - one.reminders for one in play.state.deadlines.values() if one.status == "open"
    }
    before = len(play.events)
    play.wait(play.log[-1].at + timedelta(days=400))
    came = [read_event(one) for one in play.events[before:]]
    assert Counter(one.what for one in came if isinstance(one, e.DeadlineReminded)) == Counter(left)
    assert Counter(one.what for one in came if isinstance(one, e.DeadlineMissed)) == Counter(dict.fromkeys(left, 1))
