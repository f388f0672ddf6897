"""What a publication would tell whom is what it then tells whom: at once, and when the quiet window ends."""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.decision import Context
from domain.publication import Line, Preview, Telling, preview
from domain.state import Delegation
from domain.upcast import read_event
from domain.values import BUSINESS_ZONE, Value, clock_of
from tests.builders import COORDINATOR, approved, drafted, invited, member, moved
from tests.domain.generated import COMMANDS
from tests.domain.given import Given, given
from tests.domain.test_quiet_window import QUIET
from tests.rulebook import edition

LATER = ("2026-04-06T15:00", "2026-04-06T17:00")


def previewed(going: Given) -> Preview:
    """What publishing now would tell whom."""
    rules = going.play.edition
    context = Context(now=going.now, actor=COORDINATOR, edition=rules, newest=rules)
    return preview(going.state, going.play.head, context)


def told(found: Preview, when: str) -> set[tuple[str, str, str]]:
    """Who hears what of which item, at that time: by mail."""
    return {
        (who, line.item_id, "CANCEL" if line.change == "cancelled" else "REQUEST")
        for one in found.tellings
        if one.when == when
        for who in one.people
        for line in one.lines
    }


def issued(going: Given, since: int) -> set[tuple[str, str, str]]:
    """Who was told what of which item, by the decisions from that one on."""
    events = [read_event(sealed) for played in going.play.log[since:] for sealed in played.events]
    rounds = [event for event in events if isinstance(event, e.InvitationsIssued)]
    return {(who, one.item_id, one.method) for event in rounds for one in event.messages for who in one.to}


def test_before_the_invitations_nobody_is_told() -> None:
    """The programme is fixed, and goes out with them."""
    found = previewed(given(*approved()))
    assert (found.refusal, found.reaches, found.tellings) == (None, False, ())


def test_each_hears_what_is_new_changed_or_gone_for_them() -> None:
    """One item moved, one cancelled; the host hears of the one that is theirs; what was stands beside what is."""
    going = given(*invited())
    before = going.state.items["monday"].view
    going.further(moved("monday", *LATER), c.CancelItem(item_id="tuesday"))
    found = previewed(going)
    after = going.state.items["monday"].view
    cancelled = Line(item_id="tuesday", change="cancelled", after=going.state.items["tuesday"].view)
    both = (Line(item_id="monday", change="changed", before=before, after=after), cancelled)
    assert found.tellings == (
        Telling(people=("sato", "ito"), channel="mail", when="at_once", lines=both),
        Telling(people=("bao",), channel="mail", when="at_once", lines=(cancelled,)),
    )
    assert found.unheard == ()


def test_whoever_subscribes_hears_by_their_calendar_and_whoever_has_no_part_in_it_not_at_all() -> None:
    """By the channel of each."""
    going = given(*invited(), c.ChooseChannel(participant_id="ito", channel="feed"), moved("monday", *LATER))
    found = previewed(going)
    assert [(one.people, one.channel, one.when) for one in found.tellings] == [
        (("sato",), "mail", "at_once"),
        (("ito",), "feed", "by_itself"),
    ]
    assert found.unheard == ("bao",)


def test_other_words_alone_reach_no_mailbox_and_the_preview_says_so() -> None:
    """Unless they are announced."""
    going = given(*invited(), c.ReviseItem(item_id="monday", title="Welcome"))
    assert (previewed(going).tellings, previewed(going).in_words_only) == ((), ("monday",))
    going.further(c.ReviseItem(item_id="monday", title="Welcome!", announce=True))
    assert previewed(going).in_words_only == ()
    assert told(previewed(going), "at_once") == {(who, "monday", "REQUEST") for who in ("sato", "ito")}


def test_where_nothing_can_be_published_the_preview_says_why_and_nothing_else() -> None:
    """Nothing changed, or there is nothing."""
    assert previewed(given(*invited())).refusal.code == "programme_unchanged"  # type: ignore[union-attr]
    going = given(*drafted(), c.CancelItem(item_id="monday"), c.CancelItem(item_id="tuesday"))
    assert previewed(going).refusal.code == "programme_empty"  # type: ignore[union-attr]


def test_looking_seals_nothing() -> None:
    """State and head stay what they were."""
    going = given(*invited(), moved("monday", *LATER))
    state, head = going.state, going.play.head
    previewed(going)
    assert (going.state, going.play.head) == (state, head)


EDITS = st.lists(
    st.one_of(
        *(COMMANDS[name] for name in ("schedule_item", "move_item", "revise_item", "cancel_item", "restore_item")),
        *(COMMANDS[name] for name in ("add_member", "withdraw_member", "appoint_participant", "choose_channel")),
    ),
    min_size=1,
    max_size=6,
)


@pytest.mark.parametrize("quiet", [False, True], ids=["at once", "after the quiet window"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@forall(EDITS)
def test_what_was_previewed_is_what_is_told(quiet: bool, made: list[Callable[[Delegation], Value]]) -> None:
    """Whatever was drafted: the messages of the publication and of the end of the window are those of the preview."""
    going = given(*invited(), member("abe"), rules=QUIET if quiet else edition()).wait("2026-03-10T09:05")
    for make in made:
        going.when(make(going.state), by=COORDINATOR)
    found = previewed(going)
    before = len(going.play.log)
    answer = going.when(c.PublishProgramme(seen=found.seen), by=COORDINATOR)
    assert answer.refusal == found.refusal
    assert issued(going, before) == told(found, "at_once")
    if found.until is None:
        assert told(found, "later") == set()
        return
    before = len(going.play.log)
    going.wait(f"{found.until.astimezone(clock_of(BUSINESS_ZONE)):%Y-%m-%dT%H:%M}")
    assert issued(going, before) == told(found, "later")
