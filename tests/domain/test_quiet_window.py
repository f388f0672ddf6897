"""What people are to be told waits a few minutes, so that what is corrected meanwhile is never sent."""

from domain import commands as c
from domain import events as e
from domain.decision import SYSTEM
from domain.upcast import read_event
from tests.builders import approved, instant, invited, member, moved, session, text
from tests.domain.given import Given, given
from tests.domain.test_invitations import PUBLISH, heard
from tests.rulebook import shipped

QUIET = shipped()
BOTH = [("monday", "REQUEST", 0, ("sato", "ito")), ("tuesday", "REQUEST", 0, ("sato", "ito", "bao"))]


def sent(going: Given) -> list[list[tuple[str, str, int, tuple[str, ...]]]]:
    """What every round so far carried, in order."""
    events = (read_event(one) for played in going.play.log for one in played.events)
    return [
        [(one.item_id, one.method, one.sequence, one.to) for one in event.messages]
        for event in events
        if isinstance(event, e.InvitationsIssued)
    ]


def told(going: Given) -> Given:
    """Wait until the first window is over."""
    return going.wait("2026-03-10T09:05")


def test_an_invitation_waits_for_five_minutes_and_goes_out_by_itself() -> None:
    """The window is opened by the decision, and ended by its deadline, in the system's name."""
    going = given(*approved(), rules=QUIET)
    done = going.when(c.Invite(), at="2026-03-10T09:00")
    assert heard(done) == []
    assert done.of(e.QuietWindowOpened) == (e.QuietWindowOpened(until=instant("2026-03-10T09:05")),)
    assert done.state.next_wake == instant("2026-03-10T09:05")
    assert [effect.kind for effect in done.effects] == ["render_document", "sync_calendars"]
    going.wait("2026-03-10T09:05")
    assert sent(going) == [BOTH]
    assert going.play.log[-1].events[-1].actor == SYSTEM
    assert going.state.quiet_until is None


def test_a_change_and_its_correction_within_the_window_are_nobodys_news() -> None:
    """Nothing was sent, so nothing has to be taken back; the window ends without a message."""
    going = told(given(*invited(), rules=QUIET))
    going.further(moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"), PUBLISH)
    going.further(moved("monday", "2026-04-06T14:00", "2026-04-06T16:00"), PUBLISH)
    going.wait("2026-03-10T09:10")
    assert sent(going) == [BOTH]
    assert going.play.log[-1].events[-1].type == "QuietWindowClosed"
    assert going.state.told["monday"].sequence == 0


def test_several_changes_within_the_window_are_one_message_each() -> None:
    """And the counter counts what was mailed, not what was published."""
    going = told(given(*invited(), rules=QUIET))
    for hour in (15, 16, 17):
        going.further(moved("monday", f"2026-04-06T{hour}:00", f"2026-04-06T{hour + 1}:00"), PUBLISH)
    going.wait("2026-03-10T09:10")
    assert sent(going) == [BOTH, [("monday", "REQUEST", 1, ("sato", "ito"))]]
    assert going.state.told["monday"].view.starts.local == "2026-04-06T17:00"


def test_an_unsent_request_and_its_cancellation_are_nothing() -> None:
    """Somebody joins and leaves within the window: their mailbox never hears of it, nor does anybody else's."""
    going = told(given(*invited(), rules=QUIET)).further(member("kato"), c.WithdrawMember(member_id="kato"))
    going.wait("2026-03-10T09:10")
    assert sent(going) == [BOTH]


def test_the_window_does_not_move_with_further_changes() -> None:
    """It is five minutes from the first change, however often the programme changes meanwhile."""
    going = told(given(*invited(), rules=QUIET)).further(member("kato"))
    late = going.when(member("mori"), at="2026-03-10T09:09")
    assert late.of(e.QuietWindowOpened) == ()
    going.wait("2026-03-10T09:10")
    assert sent(going)[1:] == [
        [("monday", "REQUEST", 0, ("kato", "mori")), ("tuesday", "REQUEST", 0, ("kato", "mori"))]
    ]


def test_what_starts_within_six_hours_is_told_at_once() -> None:
    """The session of that afternoon; Tuesday's waits."""
    going = told(given(*invited(), rules=QUIET)).wait("2026-04-06T08:00")
    leaves = going.when(c.WithdrawMember(member_id="ito"), at="2026-04-06T08:30")
    assert heard(leaves) == [("monday", "CANCEL", 1, ("ito",))]
    assert leaves.of(e.QuietWindowOpened) == (e.QuietWindowOpened(until=instant("2026-04-06T08:35")),)
    going.wait("2026-04-06T08:35")
    assert sent(going)[-1] == [("tuesday", "CANCEL", 1, ("ito",))]


def test_what_was_to_start_soon_is_told_at_once_wherever_it_went() -> None:
    """People are on their way to where it was."""
    going = told(given(*invited(), rules=QUIET)).wait("2026-04-06T08:00")
    going.further(moved("monday", "2026-04-09T15:00", "2026-04-09T17:00"))
    assert heard(going.when(PUBLISH, at="2026-04-06T08:30")) == [("monday", "REQUEST", 1, ("sato", "ito"))]


def test_a_delegation_that_is_called_off_waits_for_nothing() -> None:
    """What was sent is taken back at once; what waited is never sent."""
    going = told(given(*invited(), rules=QUIET)).further(session("wednesday"), PUBLISH)
    off = going.when(c.CancelDelegation(reason=text()), at="2026-03-10T09:07")
    assert heard(off) == [
        ("monday", "CANCEL", 1, ("sato", "ito")),
        ("tuesday", "CANCEL", 1, ("sato", "ito", "bao")),
    ]
    assert off.state.quiet_until is None
    going.wait("2026-03-20T09:00")
    assert len(sent(going)) == 2


def test_a_command_that_comes_late_finds_the_window_passed() -> None:
    """After a long sleep the messages are sealed first, then what the command leads to."""
    going = given(*approved(), rules=QUIET)
    going.further(c.Invite())
    done = going.when(c.WithdrawMember(member_id="ito"), at="2026-03-11T09:00")
    assert heard(done) == BOTH
    assert next(event.type for event in done.events) == "InvitationsIssued"
    assert done.state.quiet_until == instant("2026-03-11T09:05")
