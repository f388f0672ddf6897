"""The dossiers of a trail: what is shown of a part is what its commitment was made to; since when changes are shown."""

import json
from typing import Any

import pytest

from audit.history import events_of
from domain import commands as c
from domain import events as e
from domain.canonical import digest_of
from domain.differences import applied, differences, entries
from domain.dossier import PartContent, dossier_contents, dossier_digest
from domain.dossiers import Dossier, Trail, read_trail, seen_before, standing
from domain.evolve import fold
from domain.seal import SealedEvent
from domain.upcast import read_event
from tests.builders import (
    COORDINATOR,
    Said,
    Step,
    closed,
    dossier,
    drafted,
    member,
    moved,
    pdf,
    sign,
    submitted,
    text,
    trip,
)
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under
from tests.domain.test_amendment import MOVE, decided
from tests.domain.test_scenarios import played
from tests.replay.recordings import Recording, recordings

HEAD, FINANCE, CHAIR = holding("head"), holding("finance"), holding("chair")
RULES = under(
    policy(
        step("head", looks_at=("request", "member")),
        step("finance", looks_at=("member", "ceiling", "document")),
        step("chair"),
        resubmission="minimal",
    )
)


def committed(one: PartContent) -> str:
    """What a stranger makes of a content: its commitment."""
    kind = one.part.partition(":")[0]
    if kind == "document" and one.commitment == one.content["attachment"]["digest"]:
        # Attached before the rest of it was committed to.
        return one.commitment
    content = json.loads(json.dumps(one.content))
    for reference in {"member": ("person",), "limit": ("justification",)}.get(kind, ()):
        content[reference] = content[reference]["commitment"]
    return digest_of(content)


def readable(trail: Trail, events: list[SealedEvent]) -> int:
    """How many dossiers a trail has, each of which can be read whole and is what was signed."""
    sealed = [event for one in events if isinstance(event := read_event(one), e.RequestSubmitted)]
    assert [one.digest for one in trail.dossiers.values()] == [event.digest for event in sealed]
    for one in trail.dossiers.values():
        assert dossier_digest(one.parts) == one.digest
        assert [part.commitment for part in one.parts] == [committed(part) for part in one.parts]
    return len(sealed)


@pytest.mark.parametrize("name", ["inbound-study-visit", "outbound-two-countries"])
def test_every_dossier_of_a_scenario_can_be_read_whole(name: str) -> None:
    """Each part's content is what its sealed commitment was made to."""
    events = list(played(name).events)
    trail, state = read_trail(events)
    assert readable(trail, events) == 2
    assert state is not None
    assert standing(state) == state.proposal


@pytest.mark.parametrize("recording", recordings(), ids=lambda one: one.name)
async def test_every_dossier_of_a_recorded_history_can_be_read_whole(recording: Recording) -> None:
    """Also those that an older release made."""
    events = await events_of(recording.histories())
    trail, _ = read_trail(events)
    readable(trail, events)


def test_a_limit_stands_in_the_dossier_with_its_justification() -> None:
    """What was exceeded by how much, and the text that says why, by reference."""
    people = [member(f"member-{number}") for number in range(11)]
    justified = c.JustifyLimit(limit="OUT-MEMBERS", justification=text("long"))
    file = given(trip(), *people, justified, c.SubmitRequest())
    trail, _ = read_trail(file.play.events)
    assert readable(trail, list(file.play.events)) == 1
    [one] = trail.dossiers[1].breaches
    assert (one.breach.limit, one.breach.measured, one.justification) == ("OUT-MEMBERS", 11, text("long"))
    contents = {part.part: part.content for part in trail.dossiers[1].parts}
    assert contents["limit:OUT-MEMBERS"]["justification"]["ref"] == text("long").ref


def test_ceilings_and_documents_stand_in_the_dossier_with_their_figures() -> None:
    """The lines of the ceiling as they were then."""
    file = given(*drafted(), c.AttachDocument(document_id="map", kind="map", attachment=pdf("map")), c.SubmitRequest())
    trail, state = read_trail(file.play.events)
    one = trail.dossiers[1]
    assert state is not None
    assert one.ceiling == state.ceiling
    assert one.ceiling is not None
    contents = {part.part: part.content for part in one.parts}
    assert contents["ceiling"] == {"total_vnd": one.ceiling.total_vnd}
    assert contents["document:map"]["kind"] == "map"
    assert contents["member:sato"]["person"]["ref"].startswith("per_sato")


def test_what_a_file_is_and_whom_it_concerns_is_signed_with_it() -> None:
    """The same octets as an estimate, a passport copy, or one of somebody else are another dossier."""
    ways = (("estimate", None), ("passport_copy", None), ("passport_copy", "sato"))
    digests = []
    for kind, who in ways:
        attach = c.AttachDocument(document_id="paper", attachment=pdf("paper"), kind=kind, concerns=who)
        digests.append(dossier(given(*drafted(), attach, c.SubmitRequest()).state))
    assert len(set(digests)) == len(ways)


def test_a_file_of_before_is_committed_to_as_it_was_signed() -> None:
    """By its octets alone, in whatever is submitted later: nothing changed, so nothing is void."""
    file = given(*drafted(), c.AttachDocument(document_id="paper", kind="estimate", attachment=pdf("paper")))
    assert file.state.documents["paper"].bound
    events = [
        one.model_copy(update={"data": {name: value for name, value in one.data.items() if name != "bound"}})
        for one in file.play.events
    ]
    older = fold(events)
    assert older is not None
    [part] = [one for one in dossier_contents(older, (), None) if one.part == "document:paper"]
    assert part.commitment == pdf("paper").digest


def test_a_content_that_its_commitment_was_not_made_to_is_not_shown() -> None:
    """Nothing is put before a reader that nobody signed."""
    events = list(given(*submitted()).play.events)
    forged = []
    for one in events:
        data: dict[str, Any] = json.loads(json.dumps(one.data))
        if one.type == "RequestSubmitted":
            data["parts"][1]["commitment"] = "0" * 64
        forged.append(one.model_copy(update={"data": data}))
    trail, _ = read_trail(forged)
    assert [part.content is None for part in trail.dossiers[1].parts[:3]] == [False, True, False]


def back(name: str, by: Any) -> Step:
    """The return of the dossier for changes by a desk."""
    return lambda state: Said(
        c.ReturnStep(step_id=name, dossier_digest=dossier(state), kind="amend", reason=text()), by
    )


def returned_by_chair() -> Given:
    """Head and finance have signed, the chair asked for changes."""
    return given(
        *drafted(),
        Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:30"),
        sign("head", HEAD, "2026-02-26T09:00"),
        sign("finance", FINANCE, "2026-02-27T09:00"),
        back("chair", CHAIR),
        rules=RULES,
    )


def since(file: Given, reader: str, step_id: str | None, *positions: str) -> tuple[int | None, str]:
    """Since which proposal a reader, who sits at the desks of some positions, is shown changes, and why."""
    trail, state = read_trail(file.play.events)
    assert state is not None
    proposal = standing(state)
    assert proposal is not None
    return seen_before(trail, proposal, reader, step_id, positions=positions, approved=state.approved)


def test_who_answered_before_sees_what_changed_since() -> None:
    """Whoever never did sees what the stage before saw; the first of all sees no differences."""
    first = given(*drafted(), c.SubmitRequest(), rules=RULES)
    assert since(first, "head", "head") == (None, "first")
    first.further(sign("head", HEAD))
    assert since(first, "finance", "finance") == (1, "step_before_answered")
    assert since(first, "head", "head") == (1, "you_answered")
    assert since(first, "auditor", None) == (None, "first")

    file = returned_by_chair().further(moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00"), c.SubmitRequest())
    assert since(file, "chair", "chair") == (1, "you_answered")
    assert since(file, "head", "head") == (1, "you_answered")
    # Both signatures were carried over from the first proposal: the stage before saw no other.
    assert since(file, "another-chair", "chair") == (1, "step_before_answered")
    assert since(file, "another-head", "head") == (None, "first")
    file.further(sign("chair", CHAIR))
    assert since(file, "chair", "chair") == (2, "you_answered")


def test_who_comes_to_a_desk_sees_what_changed_since_it_was_answered_there() -> None:
    """A successor or a substitute; not what the stage before saw, which may be later, nor nothing at the first step."""
    file = returned_by_chair().further(moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00"), c.SubmitRequest())
    assert since(file, "new-chair", "chair", "chair") == (1, "desk_answered")
    # Who sits at a desk of another step is not at this one.
    assert since(file, "new-chair", "chair", "head") == (1, "step_before_answered")
    assert since(file, "new-chair", None, "chair") == (None, "first")
    again = given(*drafted(), c.SubmitRequest(), back("head", HEAD), c.SubmitRequest(), rules=RULES)
    assert since(again, "new-head", "head", "head") == (1, "desk_answered")
    assert since(again, "head", "head", "head") == (1, "you_answered")


def test_of_a_change_after_the_decision_whoever_saw_none_sees_what_differs_from_what_stands_approved() -> None:
    """Also who signs first, and who signs nothing."""
    file = decided().further(MOVE, c.SubmitChange())
    assert since(file, "new-head", "head", "head") == (1, "desk_answered")
    assert since(file, "auditor", "head") == (1, "approved")
    assert since(file, "auditor", None) == (1, "approved")
    assert since(decided(), "auditor", None) == (None, "first")


def told(before: Dossier, after: Dossier) -> list[tuple[str, str | None, str]]:
    """Part, item and kind of each difference."""
    found = differences(entries(before.parts), entries(after.parts))
    assert applied(entries(before.parts), found) == entries(after.parts)
    return [(one.part, one.item, one.change) for one in found]


def test_a_resubmission_shows_exactly_what_was_changed() -> None:
    """An item that moved, a newcomer, a drop-out, and the ceiling that followed."""
    file = returned_by_chair().further(
        moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00"),
        member("kato"),
        member("mori"),
        c.WithdrawMember(member_id="ito"),
        c.ReviseRequest(purpose="Culture"),
        c.SubmitRequest(),
    )
    trail, _ = read_trail(file.play.events)
    assert told(trail.dossiers[1], trail.dossiers[2]) == [
        ("request", "purpose", "changed"),
        ("member:kato", None, "added"),
        ("member:mori", None, "added"),
        ("programme", "tuesday", "changed"),
        ("ceiling", "total_vnd", "changed"),
        ("member:ito", None, "removed"),
    ]


def test_a_resubmission_without_a_change_shows_none() -> None:
    """The digests are equal then, and the signatures stand."""
    file = returned_by_chair().further(c.SubmitRequest())
    trail, _ = read_trail(file.play.events)
    assert told(trail.dossiers[1], trail.dossiers[2]) == []
    assert trail.dossiers[1].digest == trail.dossiers[2].digest


def test_two_submissions_in_one_request_are_two_dossiers() -> None:
    """Taken back and submitted anew, decided as one."""
    file = given(*submitted())
    file.when(c.WithdrawRequest(reason=text()), member("kato"), c.SubmitRequest()).accepted()
    file.when(
        c.WithdrawRequest(reason=text()), c.SubmitRequest(), c.WithdrawRequest(reason=text()), c.SubmitRequest()
    ).accepted()
    events = list(file.play.events)
    trail, _ = read_trail(events)
    assert readable(trail, events) == 4
    assert told(trail.dossiers[1], trail.dossiers[2])[0] == ("member:kato", None, "added")


def test_a_closed_file_and_a_trip_have_their_dossiers() -> None:
    """Whatever came afterwards; without a grade there is no ceiling."""
    events = list(given(*closed()).play.events)
    assert readable(read_trail(events)[0], events) == 1
    out = given(trip(), member("sato", role="head"), c.SubmitRequest())
    trail, _ = read_trail(out.play.events)
    assert readable(trail, list(out.play.events)) == 1
    assert trail.dossiers[1].ceiling is None
