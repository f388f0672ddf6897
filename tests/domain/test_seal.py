"""The chain of sealed events: gapless, and broken by every change of every field, with the place of the first."""

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.canonical import digest_of
from domain.seal import ChainBroken, Head, SealedEvent, genesis, head_of, seal, verify_chain
from tests.builders import DELEGATION, invited
from tests.domain.given import given

TRAIL = given(*invited()).play.events
START = genesis(DELEGATION)


def broken(events: list[SealedEvent] | tuple[SealedEvent, ...], start: Head = START) -> tuple[int, str]:
    """Where a chain breaks, and why."""
    with pytest.raises(ChainBroken) as caught:
        verify_chain(start, events)
    assert str(caught.value) == f"event {caught.value.seq}: {caught.value.reason}"
    return caught.value.seq, caught.value.reason


def test_a_whole_trail_verifies_up_to_its_head() -> None:
    """Numbers count from 1 without gaps."""
    assert verify_chain(START, TRAIL) == head_of(TRAIL[-1])
    assert [event.seq for event in TRAIL] == list(range(1, len(TRAIL) + 1))


def test_a_seal_is_what_this_line_says_it_is() -> None:
    """An independent reader can compute it: canonical JSON of everything but the hash, SHA-256."""
    at = datetime(2026, 4, 11, 7, 30, tzinfo=UTC)
    one = seal(START, type="Noted", version=1, at=at, actor="a", command_id="c", data={"word": "Huế"})
    assert one.at == "2026-04-11T07:30:00.000000Z"
    assert one.instant == at
    assert one.prev_hash == digest_of({"legation": 1, "delegation": DELEGATION})
    assert one.hash == digest_of(
        {
            "seq": 1,
            "type": "Noted",
            "version": 1,
            "at": "2026-04-11T07:30:00.000000Z",
            "actor": "a",
            "command_id": "c",
            "data": {"word": "Huế"},
            "prev_hash": START.hash,
        }
    )


TAMPERED: dict[str, Any] = {
    "seq": 99,
    "type": "DelegationClosed",
    "version": 2,
    "at": "2026-02-24T02:00:00.000001Z",
    "actor": "somebody-else",
    "command_id": "another",
    "data": {"title": "Another"},
    "prev_hash": "0" * 64,
    "hash": "f" * 64,
}


def test_every_field_of_a_sealed_event_is_tampered_with_below() -> None:
    """A new field joins the table by failing here."""
    assert set(TAMPERED) == set(SealedEvent.model_fields)


@pytest.mark.parametrize("place", [0, 4, len(TRAIL) - 1])
@pytest.mark.parametrize("field", TAMPERED)
def test_a_change_of_any_field_anywhere_is_found_at_its_place(field: str, place: int) -> None:
    """First, in the middle, last."""
    events = list(TRAIL)
    events[place] = events[place].model_copy(update={field: TAMPERED[field]})
    seq, _ = broken(events)
    assert seq == (99 if field == "seq" else place + 1)


def test_one_character_deep_in_the_content_is_found() -> None:
    """The hash covers all of the data."""
    events = list(TRAIL)
    place = next(place for place, event in enumerate(events) if event.type == "InvitationsIssued")
    messages = [dict(message) for message in events[place].data["messages"]]
    messages[0] = messages[0] | {"sequence": 7}
    events[place] = events[place].model_copy(update={"data": {**events[place].data, "messages": messages}})
    assert broken(events) == (place + 1, "its content is not what was sealed")


def test_an_event_left_out_doubled_or_swapped_is_found() -> None:
    """By its number."""
    assert broken(TRAIL[1:]) == (2, "follows event 0")
    assert broken((*TRAIL[:3], *TRAIL[4:])) == (5, "follows event 3")
    assert broken((*TRAIL[:3], TRAIL[2], *TRAIL[3:])) == (3, "follows event 3")
    assert broken((*TRAIL[:3], TRAIL[4], TRAIL[3], *TRAIL[5:])) == (5, "follows event 3")


def test_an_event_forged_with_a_hash_of_its_own_breaks_the_next_one() -> None:
    """Who rewrites one event has to rewrite all that follow."""
    events = list(TRAIL)
    body = events[3].model_dump(mode="json", exclude={"hash"}) | {"actor": "forger"}
    events[3] = SealedEvent.model_validate(body | {"hash": digest_of(body)})
    assert broken(events) == (5, "does not carry the hash of event 4")


def test_a_trail_of_another_delegation_does_not_pass_for_this_ones() -> None:
    """The first event carries the hash of the delegation's own beginning."""
    assert broken(TRAIL, genesis("another")) == (1, "does not carry the hash of event 0")


def test_a_tail_cut_off_is_only_found_by_who_knows_the_head() -> None:
    """A prefix is a whole chain: that is what checkpoints outside are for."""
    assert verify_chain(START, TRAIL[:5]) == head_of(TRAIL[4]) != head_of(TRAIL[-1])


def test_a_sealed_event_reads_back_from_json_as_it_was() -> None:
    """Its spelling of the time included, because the hash covers it."""
    assert [SealedEvent.model_validate_json(event.model_dump_json()) for event in TRAIL] == list(TRAIL)
