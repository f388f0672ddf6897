"""What an event says of itself: when it took effect, by which rule, and why the system did it."""

from datetime import UTC, date, datetime

import pytest

from domain import events as e
from domain.evolve import fold
from domain.reading import Cause, Effective, asked_by, cause_of, is_about, rules_of, took_effect
from domain.seal import SealedEvent
from domain.state import Delegation
from domain.upcast import read_event
from tests.domain.test_scenarios import FILES, played


def stories(name: str) -> list[tuple[SealedEvent, Delegation | None, Delegation]]:
    """Every event of a scenario with the states around it."""
    found: list[tuple[SealedEvent, Delegation | None, Delegation]] = []
    state: Delegation | None = None
    for event in played(name).events:
        after = fold([event], state)
        assert after is not None
        found.append((event, state, after))
        state = after
    return found


def test_an_outside_decision_took_effect_on_the_day_of_its_letter() -> None:
    """It was recorded later."""
    letters = [
        (sealed, event)
        for name in FILES
        for sealed in played(name).events
        if isinstance(event := read_event(sealed), e.ExternalDecisionRecorded)
    ]
    assert letters
    for _, event in letters:
        assert took_effect(event) == Effective(on=event.dated)


def test_what_was_missed_was_missed_at_the_end_of_its_day_whenever_that_was_noticed() -> None:
    due = datetime(2026, 4, 15, 16, 59, 59, tzinfo=UTC)
    missed = e.DeadlineMissed(what="report", due_on=date(2026, 4, 15), due_at=due, rule=e.RuleRef(rule="R", version=1))
    assert took_effect(missed) == Effective(at=due)


def test_most_events_take_effect_when_they_are_decided() -> None:
    assert took_effect(e.ItemCancelled(item_id="s1")) is None


@pytest.mark.parametrize("name", FILES)
def test_every_event_about_a_due_date_a_step_or_a_ceiling_names_its_rule(name: str) -> None:
    """Also where the event itself names the deadline or the step alone."""
    told = {
        sealed.type: rules_of(read_event(sealed), before, after)
        for sealed, before, after in stories(name)
        if sealed.type.startswith(("Deadline", "Step", "Ceiling", "RequestSubmitted"))
    }
    assert told
    assert [kind for kind, rules in told.items() if not rules] == []


@pytest.mark.parametrize("name", FILES)
def test_what_the_system_did_has_a_cause_and_what_people_did_has_none(name: str) -> None:
    """Everything of the system's own in these files comes from time or from what was carried out."""
    for sealed, _, _ in stories(name):
        cause = cause_of(sealed)
        assert (cause is None) == (sealed.actor != "system")


def test_an_outcome_names_the_event_that_asked_for_it() -> None:
    """The effect's own key may have colons."""
    assert asked_by("effect:reminder:report:2026-04-15:41:41") == ("reminder:report:2026-04-15:41", 41)
    assert asked_by("effect:calendars:3:17") == ("calendars:3", 17)
    assert asked_by("7f3a") is None
    assert asked_by("effect:") is None


def test_time_that_passed_is_a_cause_with_what_was_due() -> None:
    """With the system's own tick, and with whatever command brought the time forward."""
    sealed = next(one for one in played(FILES[0]).events if one.type == "DeadlineReminded")
    assert cause_of(sealed) == Cause(kind="deadline", what=sealed.data["what"])


def test_a_register_that_holds_something_new_is_a_cause_of_its_own() -> None:
    """Unless it is the time that has come: then the tick says so."""
    sealed = played(FILES[0]).events[0].model_copy(update={"actor": "system", "type": "StandInsNoted", "data": {}})
    assert cause_of(sealed.model_copy(update={"command_id": "7f3a"})) == Cause(kind="register")
    assert cause_of(sealed.model_copy(update={"command_id": "tick:2026-03-01T02:00:00Z:7"})) == Cause(kind="deadline")


def test_an_event_is_about_what_it_names_anywhere_within() -> None:
    """An item of a round of messages, a step within the name of its due date; not a word of a title."""
    event = played(FILES[0]).events[0]
    data = {"what": "step.head.1", "messages": [{"item_id": "s-11", "to": ["m-1"]}], "title": "head of s-12"}
    sealed = event.model_copy(update={"data": data})
    assert [is_about(sealed, one) for one in ("s-11", "m-1", "head", "step.head.1", "s-12")] == [
        True,
        True,
        True,
        True,
        False,
    ]
