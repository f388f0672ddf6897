"""What a verification says of events that hold their chain and yet are not right, and of what nobody has."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest

from audit.history import Run
from audit.verification import Finding, checked, compared, covered, entitled, foldable, runs_differ, signed, states_hold
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


def test_a_decision_without_a_required_signature_is_found(events: list[SealedEvent]) -> None:
    """Though every signature that is there holds."""
    digest = next(event.data["digest"] for event in events if event.type == "RequestSubmitted")
    last = events[-1]
    issued = seal(
        head_of(last),
        type="DecisionIssued",
        version=1,
        at=last.instant,
        actor="lan",
        command_id="x",
        data={"number": "27/QĐ", "digest": digest},
    )
    assert signed(DELEGATION, [*events, issued]) == []
    cut = [*events[: next(place for place, one in enumerate(events) if one.type == "StepSigned")], issued]
    (finding,) = signed(DELEGATION, resealed(cut))
    assert (told(finding), finding.reason) == (
        ("decision_unsigned", "journal", len(cut)),
        "department_head has not signed",
    )


AT = "2026-02-26T02:00:00.000000Z"
HELD = {"account": "mai", "position": "chair", "organisation": "song-lam", "since": "2026-01-01T00:00:00.000000Z"}
AWAY = {
    "account": "mai",
    "substitute": "hung",
    "positions": ["chair"],
    "since": "2026-02-20T00:00:00.000000Z",
    "until": "2026-03-01T00:00:00.000000Z",
}
OWN = {"position": "chair", "prefix": None, "account": "mai", "tenure": "ten_1", "held_since": HELD["since"]}
OWN |= {"organisation": "song-lam"}
INSTEAD = OWN | {"account": "hung", "on_behalf_of": "mai", "leave": "lea_1", "prefix": "KT"}


def entry(seq: int, kind: str, after: dict[str, Any], at: str = "2026-01-02T00:00:00.000000Z") -> dict[str, Any]:
    """An entry of a register's log, as far as it is looked at."""
    return {"seq": seq, "type": kind, "at": at, "data": {"after": after}}


def why(right: dict[str, Any], actor: str, *changes: dict[str, Any], timed: bool = True) -> str | None:
    """What is found of a right at AT, by a log with further entries about the tenure and the leave."""
    log = {"ten_1": [entry(4, "tenure_begun", HELD)], "lea_1": [entry(7, "leave_registered", AWAY)]}
    for one in changes:
        log["lea_1" if one["type"].startswith("leave") else "ten_1"].append(one)
    event = seal(
        genesis(DELEGATION),
        type="StepSigned",
        version=1,
        at=datetime.fromisoformat(AT),
        actor=actor,
        command_id="x",
        data={"right": right},
    )
    found = entitled(DELEGATION, [event], log, timed=timed)
    assert [told(one) for one in found] in ([], [("right_not_by_register", "journal", 1)])
    return found[0].reason if found else None


def test_a_right_was_in_force_by_the_register(events: list[SealedEvent]) -> None:
    """Of the holder, and of a substitute while the leave lasts; one of before, that names no tenure, says nothing."""
    assert why(OWN, "mai") is None
    assert why(INSTEAD, "hung") is None
    assert entitled(DELEGATION, events, {}, timed=True) == []


@pytest.mark.parametrize(
    ("right", "actor", "expected"),
    [
        (OWN | {"tenure": "ten_x"}, "mai", "the register tenures has no ten_x then"),
        (OWN | {"account": "lan"}, "lan", "entry 4 of the register tenures: account"),
        (OWN, "lan", "it is another account's"),
        (OWN | {"position": "finance"}, "mai", "entry 4 of the register tenures: position"),
        (OWN | {"organisation": "ben-hai"}, "mai", "entry 4 of the register tenures: organisation"),
        (OWN | {"held_since": AT}, "mai", "entry 4 of the register tenures: since"),
        (INSTEAD | {"account": "lan"}, "lan", "entry 7 of the register leaves: substitute"),
        (INSTEAD | {"leave": None}, "hung", "the register leaves has no None then"),
        (INSTEAD | {"on_behalf_of": None}, "hung", "entry 4 of the register tenures: account"),
    ],
)
def test_a_right_that_the_register_does_not_have_is_named(right: dict[str, Any], actor: str, expected: str) -> None:
    """With the entry that says otherwise, and what of it."""
    assert why(right, actor) == expected


def test_a_right_is_held_against_what_the_register_said_then() -> None:
    """Not against what it said before or says now: a leave that was shortened in time gave nobody anything."""
    early, just, late = (
        f"2026-02-{day}Z" for day in ("25T00:00:00.000000", "26T02:03:00.000000", "27T00:00:00.000000")
    )
    short = AWAY | {"until": "2026-02-26T00:00:00.000000Z"}
    shortened = [entry(8, "leave_end_changed", short, at) for at in (early, just, late)]
    assert why(INSTEAD, "hung", shortened[0]) == "entry 8 of the register leaves: period"
    # Within five minutes either may have been known where it was decided.
    assert [why(INSTEAD, "hung", one) for one in shortened[1:]] == [None, None]
    assert why(INSTEAD, "hung", entry(8, "leave_revoked", AWAY | {"revoked_at": early}, early)) is not None
    # A file whose clock is moved forward has no time in common with the register.
    assert why(INSTEAD, "hung", shortened[0], timed=False) is None
    moved = entry(5, "tenure_found", HELD | {"organisation": "ben-hai"}, late)
    assert why(OWN | {"organisation": "ben-hai"}, "mai", moved) is None


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
