"""What an editor saw and what stands: another's change is never written over unseen, and a draft can be taken back."""

import pytest

from domain import commands as c
from domain import events as e
from domain.meanwhile import item_seen, programme_seen, request_seen
from domain.state import Delegation
from tests.builders import approved, drafted, invited, member, moved, session
from tests.domain.generated import STALE
from tests.domain.given import given

LATER = ("2026-04-06T15:00", "2026-04-06T17:00")


def monday(state: Delegation) -> str:
    """The digest of `monday` as it stands."""
    return item_seen(state.items["monday"])


@pytest.mark.parametrize(
    "command",
    [
        moved("monday", *LATER),
        c.ReviseItem(item_id="monday", title="Welcome"),
        c.CancelItem(item_id="monday"),
        c.RestoreItem(item_id="monday"),
        c.ReviseRequest(title="Another visit"),
        c.PublishProgramme(),
    ],
    ids=lambda command: command.type,
)
def test_a_command_that_says_what_was_seen_is_refused_where_that_no_longer_stands(command: c.MoveItem) -> None:
    """Without a digest it is not asked; with an old one nothing happens."""
    given(*drafted()).when(command.model_copy(update={"seen": STALE})).then_refused("changed_meanwhile", field="seen")


def test_of_two_who_saw_the_same_item_the_second_is_refused_and_the_first_stands() -> None:
    """Each sends what they saw; the second hears that somebody was before them."""
    going = given(*drafted())
    both_saw = monday(going.state)
    going.further(moved("monday", *LATER, seen=both_saw))
    going.when(c.ReviseItem(item_id="monday", title="Welcome", seen=both_saw)).then_refused("changed_meanwhile")
    assert (going.state.items["monday"].title, going.state.items["monday"].starts.local) == ("Session monday", LATER[0])
    going.further(c.ReviseItem(item_id="monday", title="Welcome", seen=monday(going.state)))
    assert going.state.items["monday"].title == "Welcome"


def test_a_change_of_another_item_is_no_change_of_this_one() -> None:
    """Two people work on two items at once."""
    going = given(*drafted())
    seen = monday(going.state)
    going.further(c.ReviseItem(item_id="tuesday", title="Harbour"), moved("monday", *LATER, seen=seen))
    assert going.state.items["monday"].starts.local == LATER[0]


def test_what_was_seen_of_a_request_is_what_can_be_revised_of_it() -> None:
    """Somebody who joins, or an item, changes nothing of the request."""
    going = given(*drafted())
    seen = request_seen(going.state)
    going.further(member("abe"), session("harbour"))
    assert request_seen(going.state) == seen
    going.further(c.ReviseRequest(title="Another visit", seen=seen))
    assert request_seen(going.state) != seen


@pytest.mark.parametrize(
    "change",
    [
        moved("monday", *LATER),
        c.ReviseItem(item_id="monday", audience=c.Audience(people=("ito",))),
        c.CancelItem(item_id="monday"),
        session("harbour"),
        member("abe"),
        c.WithdrawMember(member_id="ito"),
        c.ChooseChannel(participant_id="ito", channel="feed"),
        c.PublishProgramme(),
    ],
    ids=lambda change: change.type,
)
def test_whatever_changes_who_is_told_what_changes_what_was_previewed(change: c.MoveItem) -> None:
    """So that nothing goes out that nobody looked at."""
    going = given(*drafted())
    seen = programme_seen(going.state)
    going.further(change)
    going.when(c.PublishProgramme(seen=seen)).then_refused("changed_meanwhile")


def test_a_draft_is_taken_back_to_what_was_last_published_whatever_was_drafted() -> None:
    """Time, place, words, kind, audience, notes, whether it is for calendars, and that it was cancelled."""
    going = given(*drafted(), c.PublishProgramme())
    before = going.state.items["monday"]
    going.further(
        moved("monday", *LATER, place="Town Hall"),
        c.ReviseItem(
            item_id="monday",
            title="Welcome",
            kind="meal",
            audience=c.Audience(people=("ito",)),
            published=False,
            notes=(c.Note(text="Bring gifts"),),
            announce=True,
        ),
        c.CancelItem(item_id="monday"),
    )
    going.when(c.RestoreItem(item_id="monday", seen=monday(going.state))).then(e.ItemRestored)
    assert going.state.items["monday"] == before
    going.when(c.RestoreItem(item_id="monday")).then_refused("item_unchanged")


def test_what_was_never_published_or_no_longer_is_has_nothing_to_go_back_to() -> None:
    """It is cancelled instead."""
    going = given(*drafted())
    going.when(c.RestoreItem(item_id="monday")).then_refused("item_not_published", item="monday")
    going.when(c.RestoreItem(item_id="nothing")).then_refused("item_unknown", item="nothing")
    going.further(c.PublishProgramme(), c.ReviseItem(item_id="monday", published=False), c.PublishProgramme())
    going.when(c.RestoreItem(item_id="monday")).then_refused("item_not_published")


def test_what_is_taken_back_before_it_is_published_is_told_to_nobody() -> None:
    """Neither calendars nor the dossier know that it was ever drafted."""
    going = given(*invited())
    told = going.state.told
    going.further(moved("monday", *LATER), c.CancelItem(item_id="tuesday"))
    going.further(c.RestoreItem(item_id="monday"), c.RestoreItem(item_id="tuesday"))
    assert going.state.told == told
    going.when(c.PublishProgramme()).then_refused("programme_unchanged")


def test_the_kind_of_an_item_can_be_revised() -> None:
    """What was entered as a session may turn out to be a meal."""
    going = given(*approved())
    going.when(c.ReviseItem(item_id="monday", kind="meal")).then(e.ItemRevised(item_id="monday", kind="meal"))
    assert going.state.items["monday"].kind == "meal"
    going.when(c.ReviseItem(item_id="monday", kind="meal")).then_refused("item_unchanged")
