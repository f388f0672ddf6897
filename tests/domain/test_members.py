"""Who is on the delegation, and who serves it."""

import pytest

from domain import commands as c
from domain import events as e
from domain.state import Participant
from domain.values import Value
from tests.builders import drafted, invited, member, opening, person, serving, submitted, text
from tests.domain.given import given


def test_a_delegate_is_added_with_what_the_authorities_ask() -> None:
    """Where from, and whether entry papers are needed."""
    given(*drafted()).when(member("reyes", country="US", entry_papers=True)).then(
        e.MemberAdded(member_id="reyes", person=person("reyes"), role="member", country="US", entry_papers=True)
    ).then_state(head_count=3, entry_papers_needed=True)


def test_a_delegation_has_one_head() -> None:
    """A second one is refused while the first is on the delegation."""
    going = given(*drafted())
    going.when(member("kato", role="head")).then_refused("head_exists", field="role")
    going.further(c.WithdrawMember(member_id="sato")).when(member("kato", role="head")).accepted()


@pytest.mark.parametrize("name", ["ito", "bao"])
def test_an_id_is_used_once_among_delegates_and_those_who_serve(name: str) -> None:
    """Calendars and lists know people by it."""
    going = given(*drafted())
    going.when(member(name)).then_refused("member_exists", field="member_id", member=name)
    going.when(serving(name)).then_refused("member_exists", field="participant_id", member=name)


def test_an_id_is_not_used_again_for_somebody_who_left() -> None:
    """Otherwise the trail would speak of two people by one name."""
    going = given(*drafted(), c.WithdrawMember(member_id="ito"))
    going.when(member("ito")).then_refused("member_exists")
    replaced = c.ReplaceMember(member_id="sato", by="ito", person=person("kato"), country="JP")
    going.when(replaced).then_refused("member_exists", field="by", member="ito")


def test_who_replaces_the_head_is_the_head() -> None:
    """The role goes with the place on the delegation; the one who left stays in the file."""
    replaced = c.ReplaceMember(member_id="sato", by="kato", person=person("kato"), country="JP", entry_papers=True)
    done = given(*drafted()).when(replaced)
    done.then(
        e.MemberReplaced(
            member_id="sato", by="kato", person=person("kato"), role="head", country="JP", entry_papers=True
        )
    ).then_state(head_count=2)
    gone = done.state.people["sato"]
    assert (gone.active, gone.left, gone.replaced_by) == (False, "replaced", "kato")
    assert [one.id for one in done.state.delegates] == ["ito", "kato"]


def test_who_drops_out_is_no_longer_counted() -> None:
    """And is not withdrawn twice."""
    going = given(*drafted())
    going.when(c.WithdrawMember(member_id="ito", reason=text())).then(
        e.MemberWithdrawn(member_id="ito", reason=text())
    ).then_state(head_count=1)
    going.when(c.WithdrawMember(member_id="ito")).then_refused("member_unknown", field="member_id", member="ito")


@pytest.mark.parametrize(
    "command",
    [
        c.WithdrawMember(member_id="bao"),
        c.WithdrawMember(member_id="nobody"),
        c.ReplaceMember(member_id="bao", by="kato", person=person("kato"), country="JP"),
    ],
)
def test_only_a_delegate_is_withdrawn_or_replaced(command: Value) -> None:
    """Those who serve are appointed and released."""
    given(*drafted()).when(command).then_refused("member_unknown")


@pytest.mark.parametrize("name", ["ito", "nobody"])
def test_only_who_serves_is_released(name: str) -> None:
    """A delegate withdraws instead."""
    release = c.ReleaseParticipant(participant_id=name)
    given(*drafted()).when(release).then_refused("participant_unknown", field="participant_id", member=name)


def test_somebody_who_serves_comes_and_goes_without_being_counted() -> None:
    """The head count is of those who travel."""
    going = given(*drafted())
    going.when(serving("lan", "interpreter")).then(
        e.ParticipantAppointed(participant_id="lan", person=person("lan"), role="interpreter")
    ).then_state(head_count=2)
    done = going.when(c.ReleaseParticipant(participant_id="lan")).then(e.ParticipantReleased(participant_id="lan"))
    lan = Participant(id="lan", person=person("lan"), role="interpreter", active=False, left="released")
    assert done.state.people["lan"] == lan
    going.when(c.ReleaseParticipant(participant_id="lan")).then_refused("participant_unknown")


def test_a_delegation_has_room_for_five_hundred() -> None:
    """The bound keeps a file's state small; 500 in one batch are taken, one more is not."""
    everybody = [member(f"m-{number}") for number in range(500)]
    going = given(opening())
    full = going.when(*everybody)
    full.accepted().then_state(head_count=500)
    going.when(member("one-more")).then_refused("delegation_full", field="member_id", limit=500)


def test_a_batch_is_all_or_nothing_and_the_refusal_names_the_command() -> None:
    """The second of three is refused: none is done, and it says which (index from 0) and which field."""
    going = given(*drafted())
    refused = going.when(member("kato"), member("ito"), member("mori"))
    refused.then_refused("member_exists", index=1, field="member_id").then_state(head_count=2)
    assert refused.events == ()


def test_a_later_command_of_a_batch_sees_what_the_earlier_ones_did() -> None:
    """A whole delegation opens in one go."""
    going = given().when(opening(), member("sato", role="head"), member("mori"), c.SubmitRequest())
    going.then(e.DelegationOpened, e.MemberAdded, e.MemberAdded, e.RequestSubmitted).then_state(head_count=2)


def test_the_list_of_members_rests_while_the_proposal_is_signed() -> None:
    """Who travels is part of the dossier; who serves is not."""
    going = given(*submitted())
    going.when(member("kato")).then_refused("wrong_phase", phase="submitted")
    going.when(serving("lan", "interpreter")).accepted()


def test_the_ceiling_follows_who_leaves_after_the_invitation() -> None:
    """One delegate fewer: 7 meals at 0.8 m and 6 nights at 1.8 m less."""
    going = given(*invited())
    (after,) = going.when(c.WithdrawMember(member_id="ito")).of(e.CeilingSet)
    assert (after.head_count, after.total_vnd) == (1, 37_000_000 - 7 * 800_000 - 6 * 1_800_000)
