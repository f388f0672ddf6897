"""Reading stored events of every version as today's events."""

from typing import Any

import pytest
from pydantic import ValidationError

from domain import events as e
from domain.evolve import fold
from domain.seal import SealedEvent
from domain.upcast import UPCASTERS, read_event
from tests.builders import invited
from tests.domain.every_command import types_of
from tests.domain.given import given


def sealed(kind: str, data: dict[str, Any], version: int = 1) -> SealedEvent:
    """A stored event; its chain does not matter here."""
    return SealedEvent(
        seq=1,
        type=kind,
        version=version,
        at="2026-02-24T02:00:00.000000Z",
        actor="a",
        command_id="c",
        data=data,
        prev_hash="0" * 64,
        hash="0" * 64,
    )


def test_an_event_of_todays_version_is_read_as_it_is() -> None:
    """Without a step."""
    assert read_event(sealed("DeadlineMet", {"what": "report"})) == e.DeadlineMet(what="report")


def test_old_versions_are_brought_up_step_by_step() -> None:
    """From 1 to 2 to 3, each step knowing only its own."""
    steps = {
        ("DeadlineMet", 1): lambda data: {"name": data["n"]},
        ("DeadlineMet", 2): lambda data: {"what": data["name"]},
    }
    assert read_event(sealed("DeadlineMet", {"n": "report"}), steps) == e.DeadlineMet(what="report")
    assert read_event(sealed("DeadlineMet", {"name": "report"}, 2), steps) == e.DeadlineMet(what="report")
    assert read_event(sealed("DeadlineMet", {"what": "report"}, 3), steps) == e.DeadlineMet(what="report")


def test_reading_does_not_change_what_is_stored() -> None:
    """The hash covers the data as they were."""

    def careless(data: dict[str, Any]) -> dict[str, Any]:
        data["what"] = data.pop("name")
        return data

    stored = sealed("DeadlineMet", {"name": "report"})
    read_event(stored, {("DeadlineMet", 1): careless})
    assert stored.data == {"name": "report"}


def test_a_field_that_only_newer_code_knows_is_passed_over() -> None:
    """A worker of the last release goes on reading."""
    assert read_event(sealed("DeadlineMet", {"what": "report", "mood": "glad"})) == e.DeadlineMet(what="report")


def test_an_event_that_nobody_knows_is_not_guessed_at() -> None:
    """Nor one that lacks what it needs."""
    with pytest.raises(ValidationError):
        read_event(sealed("DelegationPraised", {}))
    with pytest.raises(ValidationError):
        read_event(sealed("DeadlineMet", {}))


def test_every_version_below_todays_has_its_step() -> None:
    """Who raises an event's version writes how the old one is read."""
    for name, kind in types_of(e.AnyEvent).items():
        assert {version for of, version in UPCASTERS if of == name} == set(range(1, kind.version))  # type: ignore[attr-defined]


def test_the_fold_needs_an_opening() -> None:
    """And names the event that came without."""
    with pytest.raises(ValueError, match="event 1: DeadlineMet before DelegationOpened"):
        fold([sealed("DeadlineMet", {"what": "report"})])
    assert fold([]) is None


def test_the_fold_goes_on_from_a_state() -> None:
    """Half and half is the whole."""
    events = given(*invited()).play.events
    assert fold(events[9:], fold(events[:9])) == fold(events)
