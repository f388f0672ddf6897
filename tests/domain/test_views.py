"""(item, viewer, policy) -> what that person may see: as it was published, and nothing that is another's."""

from domain import commands as c
from domain.state import Delegation
from domain.views import Seen, ViewPolicy, seen_by, seen_by_office, viewers
from tests.builders import instant, invited, member, moved, serving, session, text
from tests.domain.given import given
from tests.domain.test_invitations import PUBLISH, heard

BRIEFING = c.Note(text="The minister may leave early.", groups=("escorts",), people=("bao",))
DIET = c.Note(text="Two vegetarian menus.", groups=("hosts",))


def seen(items: tuple[Seen, ...]) -> list[tuple[str, tuple[str, ...], bool]]:
    """Item, notes and whether it is gone."""
    return [(one.item_id, one.view.notes, one.cancelled) for one in items]


def served_by_all() -> Delegation:
    """A programme with a pickup, and everybody who serves: a host, an escort, a driver, a coordinator."""
    pickup = session("pickup", "2026-04-06T11:00", "2026-04-06T12:00", kind="transfer")
    pickup = pickup.model_copy(update={"audience": c.Audience(groups=("delegates", "drivers"))})
    noted = session("wednesday", "2026-04-08T09:00", "2026-04-08T11:00", notes=(BRIEFING, DIET))
    noted = noted.model_copy(update={"audience": c.Audience(groups=("delegates", "escorts"), people=("bao",))})
    people = (serving("tho", "driver"), serving("linh", "escort"), serving("lan", "coordinator"))
    return given(*invited(), *people, pickup, noted, PUBLISH).state


def test_a_driver_sees_pickups() -> None:
    """And nothing of what is said inside."""
    assert seen(seen_by(served_by_all(), "tho")) == [("pickup", (), False)]


def test_a_delegate_sees_their_own_programme_without_the_notes_for_others() -> None:
    """Four items; what escorts and hosts are told is not among them."""
    assert seen(seen_by(served_by_all(), "ito")) == [
        ("monday", (), False),
        ("tuesday", (), False),
        ("pickup", (), False),
        ("wednesday", (), False),
    ]


def test_a_host_sees_their_sessions_with_the_notes_that_name_them_or_their_group() -> None:
    """Bảo is named by one and a host by the other."""
    assert seen(seen_by(served_by_all(), "bao")) == [
        ("tuesday", (), False),
        ("wednesday", (BRIEFING.text, DIET.text), False),
    ]


def test_an_escort_sees_what_is_for_escorts() -> None:
    """One session, one note."""
    assert seen(seen_by(served_by_all(), "linh")) == [("wednesday", (BRIEFING.text,), False)]


def test_a_coordinator_and_the_office_see_everything() -> None:
    """Every published item with every note, invited or not."""
    everything = [
        ("monday", (), False),
        ("tuesday", (), False),
        ("pickup", (), False),
        ("wednesday", (BRIEFING.text, DIET.text), False),
    ]
    assert seen(seen_by(served_by_all(), "lan")) == everything
    assert seen(seen_by_office(served_by_all())) == everything


def test_who_sees_everything_is_a_policy() -> None:
    """With one that lets nobody, a coordinator who is not invited sees nothing."""
    nobody = ViewPolicy(everything=())
    state = served_by_all()
    assert seen_by(state, "lan", nobody) == tuple(
        one.model_copy(update={"cancelled": True, "view": one.view.model_copy(update={"notes": ()})})
        for one in seen_by(state, "lan")
    )
    assert viewers(state, "pickup", nobody) == ("sato", "ito", "tho")


def test_a_draft_is_in_nobodys_view() -> None:
    """Until it is published the calendar shows what was."""
    going = given(*invited(), moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"), session("wednesday"))
    assert [one.view.starts.local for one in seen_by(going.state, "ito")] == ["2026-04-06T14:00", "2026-04-07T09:00"]
    going.further(PUBLISH)
    assert len(seen_by(going.state, "ito")) == 3
    assert seen_by(going.state, "ito")[0].view.starts.local == "2026-04-06T15:00"


def test_a_version_stands_since_the_publication_that_brought_it() -> None:
    """What did not change stands since it did."""
    going = given(*invited(), moved("monday", "2026-04-06T15:00", "2026-04-06T17:00"))
    going.when(PUBLISH, at="2026-03-12T09:00").accepted()
    since = {one.item_id: one.since for one in seen_by(going.state, "ito")}
    assert since == {"monday": instant("2026-03-12T09:00"), "tuesday": instant("2026-03-10T09:00")}


def test_what_was_taken_away_stays_in_sight_as_cancelled() -> None:
    """As it was last shown; who never had it sees nothing of it."""
    going = given(*invited(), c.ReviseItem(item_id="tuesday", audience=c.Audience(groups=("delegates",))), PUBLISH)
    going.further(moved("tuesday", "2026-04-07T10:00", "2026-04-07T12:00"), PUBLISH)
    assert seen(seen_by(going.state, "bao")) == [("tuesday", (), True)]
    going.further(c.CancelItem(item_id="monday"), PUBLISH)
    assert seen(seen_by(going.state, "ito")) == [("monday", (), True), ("tuesday", (), False)]


def test_a_delegation_that_is_called_off_shows_everything_as_cancelled() -> None:
    """To everybody who had it."""
    off = given(*invited(), c.CancelDelegation(reason=text()))
    assert seen(seen_by(off.state, "ito")) == [("monday", (), True), ("tuesday", (), True)]


def test_who_left_sees_only_that_it_is_gone() -> None:
    """Nothing that came after."""
    going = given(*invited(), c.WithdrawMember(member_id="ito"), session("wednesday"), PUBLISH)
    assert seen(seen_by(going.state, "ito")) == [("monday", (), True), ("tuesday", (), True)]
    assert seen_by(going.state, "nobody") == ()


def test_a_spelling_that_is_mended_reaches_feeds_and_no_mailbox() -> None:
    """Words alone are mailed only where somebody says so."""
    going = given(*invited(), c.ReviseItem(item_id="monday", title="Gặp gỡ hữu nghị"))
    assert heard(going.when(PUBLISH)) == []
    assert seen_by(going.state, "ito")[0].view.title == "Gặp gỡ hữu nghị"
    going.further(c.ReviseItem(item_id="monday", title="Lễ ký kết", announce=True))
    assert heard(going.when(PUBLISH)) == [("monday", "REQUEST", 1, ("sato", "ito"))]
    assert going.state.told["monday"].holders == ("sato", "ito")


def test_a_newcomer_after_a_mended_spelling_leaves_the_others_their_entry() -> None:
    """They get the new words; who held the item still does, and hears of the next move."""
    going = given(*invited(), c.ReviseItem(item_id="monday", title="Gặp gỡ hữu nghị"), PUBLISH)
    assert heard(going.when(member("kato"))) == [
        ("monday", "REQUEST", 0, ("kato",)),
        ("tuesday", "REQUEST", 0, ("kato",)),
    ]
    assert going.state.told["monday"].holders == ("sato", "ito", "kato")


def test_a_state_from_before_publications_were_kept_takes_what_people_were_told() -> None:
    """A file that runs on through an upgrade neither forgets its invitations nor sends them anew."""
    state = given(*invited()).state
    older = state.model_dump(mode="json", exclude={"published", "published_for"})
    read = Delegation.model_validate(older)
    assert {item: (one.view, one.cancelled) for item, one in read.published.items()} == {
        item: (one.view, False) for item, one in state.told.items()
    }
    assert read.published_for == ("sato", "ito", "bao")
