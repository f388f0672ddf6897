"""Any sequence of commands: refusals and no crash, every prefix a valid state, a whole chain, calendars that fit."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import cache

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import events as e
from domain.amendment import unapproved
from domain.desk import lies_on
from domain.evolve import fold
from domain.institution import StandIn
from domain.invitations import reaches_calendars
from domain.seal import SealedEvent, genesis, verify_chain
from domain.state import Delegation
from domain.upcast import read_event
from tests.builders import (
    DELEGATION,
    THE_SYSTEM,
    amending,
    approved,
    closed,
    drafted,
    instant,
    invited,
    reported,
    submitted,
    under_way,
)
from tests.domain.every_command import PUBLIC
from tests.domain.generated import COMMANDS, Turn, turns
from tests.domain.given import given
from tests.domain.player import Play
from tests.domain.test_signatures import holds_for_a_stranger
from tests.rulebook import edition

STARTS = {
    "drafted": drafted(),
    "submitted": submitted(),
    "approved": approved(),
    "inviting": invited(),
    "under_way": under_way(),
    "amending": amending(),
    "reported": reported(),
    "closed": closed(),
}


@cache
def started(name: str) -> Play:
    """A delegation that has come to a phase; played once."""
    return given(*STARTS[name]).play


def going_on(name: str) -> Play:
    """A delegation that goes on from a phase without touching the one that others start from."""
    begun = started(name)
    play = Play(DELEGATION, edition(), state=begun.state)
    play.head, play.log = begun.head, list(begun.log)
    return play


def test_every_public_command_is_generated() -> None:
    """A new one joins by failing here."""
    assert set(COMMANDS) == set(PUBLIC)


class Calendars:
    """What everybody's calendar shows, as a calendar program would keep it from the messages that its mailbox gets.

    Somebody may be on the file under two ids; a mailbox is told apart by the person.
    """

    def __init__(self) -> None:
        self.held: dict[tuple[str, str], e.CalendarView] = {}
        self._sequence: dict[str, int] = {}
        self._told: dict[tuple[str, str], e.CalendarView] = {}
        self._cancelled: dict[tuple[str, str], int] = {}

    def take(self, message: e.CalendarMessage, state: Delegation) -> None:
        """Deliver a message, and hold it to RFC 5546: the counter never falls, a CANCEL goes to who has the item.

        A REQUEST after a CANCEL in the same mailbox counts higher, or the program would take it for an older one.
        """
        assert message.to
        assert message.sequence >= self._sequence.get(message.item_id, 0)
        for mailbox in {mailbox_of(who, state) for who in message.to}:
            key = (mailbox, message.item_id)
            if message.method == "CANCEL":
                assert message.sequence > self._cancelled.get(key, 0)
                del self.held[key]
                self._cancelled[key] = message.sequence
            else:
                assert message.sequence > self._cancelled.get(key, -1)
                self.held[key] = message.view
        for who in message.to:
            if message.method == "CANCEL":
                del self._told[who, message.item_id]
            else:
                before = self._told.get((who, message.item_id))
                assert before is None or before.mailed() != message.view.mailed(), "a REQUEST that says nothing new"
                self._told[who, message.item_id] = message.view
        self._sequence[message.item_id] = message.sequence

    def fit(self, state: Delegation, now: datetime) -> None:
        """Assert that every mailbox holds of what is not over exactly what it should."""
        wanted = {
            (mailbox_of(who, state), item.id): item.view
            for item in state.items.values()
            if item.published and not item.cancelled
            for who, person in state.people.items()
            if person.channel in (None, "mail")
            and (who in state.attendees(item) or (person.active and person.role == "coordinator"))
        }
        ahead = {key: view.mailed() for key, view in self.held.items() if view.ends.instant > now}
        assert ahead == {key: view.mailed() for key, view in wanted.items() if view.ends.instant > now}

    def empty(self, now: datetime) -> None:
        """Assert that nothing is left before anybody."""
        assert not [key for key, view in self.held.items() if view.ends.instant > now]


def mailbox_of(who: str, state: Delegation) -> str:
    """Whose mailbox a participant's messages go to."""
    return state.people[who].person.ref


class Watch:
    """Looks at every event and decision of a play as they come."""

    def __init__(self) -> None:
        self.calendars = Calendars()
        self.state: Delegation | None = None
        self._seen = 0
        self._head = genesis(DELEGATION)
        self._delegates: set[str] = set()

    def look(self, play: Play) -> None:
        """Check what is new."""
        for played in play.log[self._seen :]:
            for sealed in played.events:
                self._event(sealed)
            assert self.state == played.state
            assert played.decision.wake == (played.state.next_wake if played.state else None)
            kinds = {sealed.type for sealed in played.events}
            if played.state and kinds & {"ProgrammePublished", "DelegationInvited"} and reaches_calendars(played.state):
                self.calendars.fit(played.state, played.at)
                assert unapproved(played.state, play.edition) is None
            if kinds & {"DelegationPostponed", "DelegationCancelled"}:
                self.calendars.empty(played.at)
        self._head = verify_chain(self._head, [sealed for played in play.log[self._seen :] for sealed in played.events])
        assert self._head == play.head
        self._seen = len(play.log)

    def _event(self, sealed: SealedEvent) -> None:
        event = read_event(sealed)
        self.state = fold([sealed], self.state)
        assert self.state is not None
        assert Delegation.model_validate_json(self.state.model_dump_json()) == self.state
        match event:
            case e.DeadlineSet(due_at=due_at, remind_at=remind_at):
                assert all(at > sealed.instant for at in (due_at, *remind_at))
            case e.MemberAdded(member_id=who):
                self._delegates.add(who)
            case e.MemberWithdrawn(member_id=who):
                self._delegates.remove(who)
            case e.MemberReplaced(member_id=who, by=by):
                self._delegates.remove(who)
                self._delegates.add(by)
            case e.InvitationsIssued(messages=messages):
                for message in messages:
                    self.calendars.take(message, self.state)
            case _:
                pass
        assert self.state.head_count == len(self._delegates)


def take(play: Play, turn: Turn) -> None:
    """Let a turn happen."""
    now = play.log[-1].at + timedelta(minutes=turn.minutes)
    if turn.awake:
        play.wait(now)
    assert play.state is not None
    asked = tuple(made(play.state).model_dump(mode="json") for made in turn.made)
    play.decide("turn", turn.actor, asked, now)


def draw_turns(data: st.DataObject, play: Play, count: int) -> Iterator[Turn]:
    """Yield turns, each drawn for the delegation as the ones before have left it."""
    for _ in range(data.draw(st.integers(1, count), label="turns")):
        assert play.state is not None
        yield data.draw(turns(play.state.phase), label="turn")


@pytest.mark.slow
@pytest.mark.parametrize("start", STARTS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(data=st.data())
def test_whatever_is_asked_in_whatever_order_the_file_stays_whole(start: str, data: st.DataObject) -> None:
    """From every phase: commands of all types, alone and in batches, by all roles, with time passing between."""
    play, watch = going_on(start), Watch()
    watch.look(play)
    for turn in draw_turns(data, play, 15):
        take(play, turn)
        watch.look(play)
    holds_for_a_stranger(play)


@settings(max_examples=20, suppress_health_check=[HealthCheck.too_slow])
@forall(data=st.data())
def test_a_decision_depends_on_nothing_but_what_it_is_given(data: st.DataObject) -> None:
    """The same turns once more are the same trail, hash by hash."""
    play, again = going_on("inviting"), going_on("inviting")
    for turn in draw_turns(data, play, 5):
        take(play, turn)
        take(again, turn)
    assert play.head == again.head


LEAVES = st.lists(
    st.builds(
        lambda number, position, first, days: StandIn(
            position=position,
            account=position.replace("_", "-"),
            substitute="deputy",
            leave=f"lea_{number}",
            since=instant("2026-02-20T00:00") + timedelta(days=first),
            until=instant("2026-02-20T00:00") + timedelta(days=first + days),
        ),
        st.integers(1, 3),
        st.sampled_from(["department_head", "vice_president", "president"]),
        st.integers(0, 90),
        st.integers(1, 40),
    ),
    max_size=4,
    unique_by=lambda one: one.leave,
).map(tuple)


@pytest.mark.slow
@pytest.mark.parametrize("start", ["drafted", "submitted", "amending", "reported"])
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@forall(data=st.data())
def test_whatever_becomes_of_file_and_leave_a_desk_is_moved_while_the_leave_lasts(
    start: str, data: st.DataObject
) -> None:
    """After every decision: only at desks where the file lies, in force exactly from the beginning until the end."""
    play = going_on(start)
    for turn in draw_turns(data, play, 10):
        play.stand_ins = data.draw(LEAVES, label="leaves")
        take(play, turn)
        if data.draw(st.booleans(), label="told"):
            play.decide("review", THE_SYSTEM, ({"type": "review_desks"},), play.log[-1].at)
        for played in play.log[-2:]:
            assert played.state is not None
            known = played.state.stand_ins
            assert {(one.what, one.position) for one in known} <= set(lies_on(played.state))
            assert all(one.in_force is (one.since <= played.at) and played.at < one.until for one in known)
    play.stand_ins = ()
    play.decide("review", THE_SYSTEM, ({"type": "review_desks"},), play.log[-1].at)
    assert play.state is not None
    assert play.state.stand_ins == ()
    moves = [event.type for played in play.log for event in played.events if event.type.startswith("Desk")]
    assert moves.count("DeskReturned") <= moves.count("DeskMoved")
