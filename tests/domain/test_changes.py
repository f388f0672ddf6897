"""What changed between two states: nothing missing, nothing too much, named as people name it."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from domain.changes import applied, changes
from domain.evolve import fold
from domain.seal import SealedEvent
from domain.state import Delegation
from tests.domain.generated import Turn, turns
from tests.domain.test_scenarios import FILES, played
from tests.domain.test_sequences import STARTS, going_on, take
from tests.storage.streams import a_whole_file


def states_of(events: tuple[SealedEvent, ...]) -> list[Delegation]:
    """The state after each event."""
    states: list[Delegation] = []
    state: Delegation | None = None
    for event in events:
        state = fold([event], state)
        assert state is not None
        states.append(state)
    return states


def onto(before: Delegation, after: Delegation) -> Delegation:
    """What the changes make of the earlier state."""
    return Delegation.model_validate(applied(before.model_dump(mode="json"), changes(before, after)))


@pytest.mark.parametrize("name", FILES)
def test_put_onto_the_state_before_an_event_its_changes_give_the_state_after_it(name: str) -> None:
    """Every event of every shipped scenario; what nothing happened to stays the very same object."""
    states = states_of(played(name).events)
    document = states[0].model_dump(mode="json")
    for before, after in itertools.pairwise(states):
        document = applied(document, changes(before, after))
        if after is not before:
            assert Delegation.model_validate(document) == after


@pytest.mark.parametrize("name", FILES)
def test_between_any_two_states_of_a_file_the_changes_lead_from_one_to_the_other(name: str) -> None:
    """Far apart, and backwards too."""
    states = states_of(played(name).events)
    for place in range(0, len(states), max(1, len(states) // 12)):
        assert onto(states[place], states[-1]) == states[-1]
        assert onto(states[-1], states[place]) == states[place]


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@forall(data=st.data())
def test_whatever_is_commanded_the_changes_lead_on(data: st.DataObject) -> None:
    """From any phase, by any command."""
    play = going_on(data.draw(st.sampled_from(sorted(STARTS))))
    before = play.state
    assert before is not None
    turn: Turn = data.draw(turns(before.phase))
    take(play, turn)
    after = play.state
    assert after is not None
    assert onto(before, after) == after
    assert (changes(before, after) == ()) == (before == after)


def test_a_moved_item_is_two_changed_fields_with_whole_times() -> None:
    """And its place; a time is not taken apart into clock, zone and instant."""
    states = states_of(tuple(a_whole_file()))
    sealed = [event.type for event in a_whole_file()]
    place = sealed.index("ItemMoved")
    found = changes(states[place - 1], states[place])
    assert [(".".join(one.path), one.change) for one in found] == [
        ("items.s1.starts", "changed"),
        ("items.s1.ends", "changed"),
        ("items.s1.place", "changed"),
    ]
    assert (found[0].before["local"], found[0].after["local"]) == ("2026-04-11T09:00", "2026-04-11T14:30")
    assert (found[2].before, found[2].after) == ("Hội trường A", "Hội trường B")


def test_a_step_is_named_by_its_id_and_found_by_its_place() -> None:
    """`path` for programs, `named` for people."""
    states = states_of(tuple(a_whole_file()))
    place = [event.type for event in a_whole_file()].index("StepSigned")
    found = changes(states[place - 1], states[place])
    assert ("phase",) in [one.path for one in found]
    by = next(one for one in found if one.path[-1] == "by")
    assert (by.path, by.named) == (("proposal", "steps", "0", "by"), ("proposal", "steps", "head", "by"))
    assert (by.change, by.before, by.after) == ("changed", None, "linh")


def test_a_file_that_was_not_open_gains_every_field_that_says_something() -> None:
    """Defaults are not told."""
    opened = states_of(tuple(a_whole_file()))[0]
    found = {one.path: one.after for one in changes(None, opened)}
    assert found["title",] == "Đoàn hữu nghị Nhật Bản thăm tỉnh Sông Lam"
    assert found["opened_at",] == "2026-02-24T02:00:00.000000Z"
    assert ("people",) not in found
    assert datetime.fromisoformat(found["opened_at",]) == datetime(2026, 2, 24, 2, tzinfo=UTC)


def test_the_order_in_which_things_came_is_no_difference() -> None:
    """Two maps with the same entries are the same."""
    state = states_of(tuple(a_whole_file()))[-1]
    turned = state.model_copy(update={"people": dict(reversed(state.people.items()))})
    assert changes(state, turned) == ()
