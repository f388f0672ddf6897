"""What a verification says of events that hold their chain and yet are not right, and of what nobody has."""

from dataclasses import replace

import pytest

from audit.history import Run
from audit.verification import Finding, checked, compared, covered, foldable, runs_differ, signed, states_hold
from domain.evolve import fold
from domain.seal import SealedEvent, genesis, head_of, seal
from tests.audit.test_sign_offs import changed, flipped, resealed, trail
from tests.builders import DELEGATION


@pytest.fixture(scope="module")
def events() -> list[SealedEvent]:
    """A trail with a sign-off by passkey."""
    return trail()


def run_of(events: list[SealedEvent], run_id: str, first: int, last: int) -> Run:
    """What a run decided: events `first` to `last`."""
    head = genesis(DELEGATION) if first == 1 else head_of(events[first - 2])
    return Run(DELEGATION, run_id, head, tuple(events[first - 1 : last]))


def told(finding: Finding | None) -> tuple[str, str, int | None] | None:
    """Code, place and entry."""
    return None if finding is None else (finding.code, finding.place, finding.seq)


def test_a_signature_that_does_not_hold_is_found_in_a_chain_that_does(events: list[SealedEvent]) -> None:
    """Whoever seals everything anew still cannot sign for another."""
    forged = resealed(changed(events, "StepSigned", lambda data: flipped(data, "signature", 40)))
    assert checked(DELEGATION, "journal", forged, after=genesis(DELEGATION)) is None
    assert signed(DELEGATION, events) == []
    (finding,) = signed(DELEGATION, forged)
    seq = next(event.seq for event in events if event.type == "StepSigned")
    assert (told(finding), finding.reason) == (("sign_off_broken", "journal", seq), "signature_invalid")


def test_an_event_that_nobody_can_read_is_named(events: list[SealedEvent]) -> None:
    """Of a type that this release does not know; the events before it fold."""
    unknown = seal(
        head_of(events[-1]),
        type="NeverHeardOf",
        version=1,
        at=events[-1].instant,
        actor="lan",
        command_id="0" * 40,
        data={},
    )
    assert foldable(DELEGATION, events) is None
    assert told(foldable(DELEGATION, [*events, unknown])) == ("not_foldable", "journal", len(events) + 1)


def test_what_no_run_carries_is_named(events: list[SealedEvent]) -> None:
    """A run that is missing in the middle, one at the end, and all of them."""
    first, third = run_of(events, "a", 1, 5), run_of(events, "c", 9, len(events))
    assert covered(DELEGATION, [third, first, run_of(events, "b", 6, 8)], len(events)) == []
    assert [told(one) for one in covered(DELEGATION, [first, third], len(events))] == [("run_missing", "history", 6)]
    assert [told(one) for one in covered(DELEGATION, [first], len(events))] == [("beyond_history", "journal", 6)]
    assert [told(one) for one in covered(DELEGATION, [], len(events))] == [("no_history", "history", 1)]


def test_two_sealers_are_told_from_a_changed_journal(events: list[SealedEvent]) -> None:
    """Both events whole, and both after the same one: two sealed it. Otherwise the journal was changed."""
    stored: dict[int, SealedEvent | None] = {event.seq: event for event in events}
    assert compared(DELEGATION, stored, events, upto=len(events)) is None
    other = seal(
        head_of(events[2]),
        type=events[3].type,
        version=1,
        at=events[3].instant,
        actor="mai",
        command_id="another",
        data=events[3].data,
    )
    assert told(compared(DELEGATION, stored | {4: other}, events, upto=len(events))) == ("sealed_twice", "journal", 4)
    forged = events[3].model_copy(update={"actor": "mai"})
    assert told(compared(DELEGATION, stored | {4: forged}, events, upto=len(events))) == (
        "journal_differs",
        "journal",
        4,
    )
    assert told(compared(DELEGATION, stored, events, upto=10)) == ("journal_behind", "journal", 11)


def test_a_state_that_was_handed_on_must_be_the_fold(events: list[SealedEvent]) -> None:
    """As written by the release that recorded it: what it did not know yet is no difference."""
    state = fold(events[:8])
    assert state is not None
    second = run_of(events, "b", 9, len(events))
    handed = replace(second, state=state.model_dump(mode="json"))
    assert states_hold(DELEGATION, [handed], events) == []
    other = replace(second, state=state.model_dump(mode="json") | {"title": "Another visit"})
    assert [told(one) for one in states_hold(DELEGATION, [other], events)] == [("state_differs", "history", 8)]
    formless = replace(second, state={"title": 7})
    assert [told(one) for one in states_hold(DELEGATION, [formless], events)] == [("state_differs", "history", 8)]


def test_an_archived_run_is_the_one_that_the_server_still_has(events: list[SealedEvent]) -> None:
    """The first event at which they part is named."""
    live = run_of(events, "a", 1, 8)
    assert runs_differ(DELEGATION, live, live) is None
    forged = replace(live, events=(*live.events[:4], events[4].model_copy(update={"actor": "mai"}), *live.events[5:]))
    assert told(runs_differ(DELEGATION, forged, live)) == ("archive_differs", "archive", 5)
