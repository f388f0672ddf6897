"""A later change visibly voids the signatures that depended on it, at the moment of the edit, and only those."""

import pytest

from domain import commands as c
from domain import events as e
from domain.rules import LimitRule
from domain.state import Phase
from tests.builders import Said, Step, dossier, drafted, member, moved, pdf, session, sign, text
from tests.domain.given import Given, given
from tests.domain.policed import holding, policy, step, under
from tests.domain.test_resubmission import CHAIR, ESTIMATE, FINANCE, HEAD, MINIMAL, WHOLE, back, returned_by_chair

LOOKS = {"head": ("request", "member", "programme"), "finance": ("member", "ceiling", "document")}
MOVE = moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00")


def voided(file: Given) -> dict[str, tuple[str, ...]]:
    """Return the steps whose signatures fell, each with the parts that changed."""
    assert file.state.proposal
    return {one.id: one.voided_by for one in file.state.proposal.steps if one.voided_by}


@pytest.mark.parametrize(
    ("change", "parts", "steps"),
    [
        (ESTIMATE, ("document:estimate",), ("finance",)),
        (MOVE, ("programme",), ("head",)),
        (c.ReviseRequest(purpose="Culture"), ("request",), ("head",)),
        (member("kato"), ("member:kato", "ceiling"), ("head", "finance")),
        (c.WithdrawMember(member_id="ito"), ("ceiling", "member:ito"), ("head", "finance")),
        (c.ReviseRequest(grade="A"), ("request", "ceiling"), ("head", "finance")),
    ],
    ids=["a document", "the programme", "the request", "a newcomer", "a drop-out", "the grade"],
)
def test_an_edit_voids_at_once_who_looked_at_what_changed(
    change: Step, parts: tuple[str, ...], steps: tuple[str, ...]
) -> None:
    """The event names the parts and the steps; the state keeps both; nobody else's signature is touched."""
    file = returned_by_chair()
    done = file.when(change)
    assert done.of(e.SignaturesVoided) == (e.SignaturesVoided(proposal=1, parts=parts, steps=steps),)
    assert voided(file) == {one: tuple(part for part in parts if part.partition(":")[0] in LOOKS[one]) for one in steps}


def test_what_nobody_looked_at_voids_nothing() -> None:
    """The head looks at the programme alone, and a document arrives."""
    rules = under(policy(step("head", looks_at=("programme",)), step("chair"), resubmission="minimal"))
    file = given(*drafted(), c.SubmitRequest(), sign("head", HEAD), back("chair", CHAIR), rules=rules)
    file.when(ESTIMATE).then(e.DocumentAttached)
    file.when(member("kato")).then(e.MemberAdded)


def test_once_void_a_signature_stays_void_though_the_edit_is_taken_back() -> None:
    """It is not carried over, and its step is asked again."""
    file = returned_by_chair()
    file.further(MOVE, moved("tuesday", "2026-04-07T09:00", "2026-04-07T11:00"))
    assert voided(file) == {"head": ("programme",)}
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert [one.step_id for one in submitted.carried] == ["finance"]
    assert [one.id for one in file.state.open_steps] == ["head"]
    assert voided(file) == {}


def test_each_signature_falls_once() -> None:
    """A second edit of the same part says nothing new; an edit of another part strikes the next."""
    file = returned_by_chair().further(MOVE)
    file.when(session("third", "2026-04-08T09:00", "2026-04-08T10:00")).then(e.ItemScheduled)
    (fallen,) = file.when(ESTIMATE).of(e.SignaturesVoided)
    assert (fallen.steps, fallen.parts) == (("finance",), ("document:estimate",))


def test_several_edits_decided_as_one_void_once_by_what_came_of_them() -> None:
    """One event for the batch."""
    file = returned_by_chair()
    file.when(MOVE, ESTIMATE).then(
        e.ItemMoved,
        e.DocumentAttached,
        e.SignaturesVoided(proposal=1, parts=("programme", "document:estimate"), steps=("head", "finance")),
    )


def test_edit_and_resubmission_in_one_go_show_the_void_before_the_new_proposal() -> None:
    """As if they had come one after the other."""
    file = returned_by_chair()
    done = file.when(ESTIMATE, c.SubmitRequest()).then(e.DocumentAttached, e.SignaturesVoided, e.RequestSubmitted)
    (submitted,) = done.of(e.RequestSubmitted)
    assert [one.step_id for one in submitted.carried] == ["head"]


def test_a_refused_batch_voids_nothing() -> None:
    """All of it or nothing."""
    file = returned_by_chair()
    file.when(MOVE, c.CancelItem(item_id="nothing")).then_refused("item_unknown")
    assert voided(file) == {}


def test_where_the_whole_chain_signs_again_the_void_is_shown_as_well() -> None:
    """Whoever signed sees at once that their signature is no longer worth anything."""
    file = returned_by_chair(WHOLE)
    (fallen,) = file.when(ESTIMATE).of(e.SignaturesVoided)
    assert fallen.steps == ("finance",)
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert submitted.carried == ()


def test_part_of_a_quorum_falls_too() -> None:
    """A step that waits for its second signature loses the first."""
    rules = under(
        policy(
            step("board", n_of={"count": 2, "positions": ("a", "b", "c")}, looks_at=("member",)), resubmission="minimal"
        )
    )
    file = given(*drafted(), c.SubmitRequest(), sign("board", holding("a")), back("board", holding("b")), rules=rules)
    (fallen,) = file.when(member("kato")).of(e.SignaturesVoided)
    assert fallen.steps == ("board",)
    (submitted,) = file.when(c.SubmitRequest()).of(e.RequestSubmitted)
    assert submitted.carried == ()


@pytest.mark.parametrize("ending", ["nothing signed", "withdrawn"])
def test_without_a_signature_that_counts_no_edit_voids(ending: str) -> None:
    """A first step that sends it back leaves none; a proposal taken back counts no longer anyway."""
    ways: dict[str, tuple[Step, ...]] = {
        "nothing signed": (back("head", HEAD),),
        "withdrawn": (sign("head", HEAD), c.WithdrawRequest(reason=text())),
    }
    file = given(*drafted(), c.SubmitRequest(), *ways[ending], rules=MINIMAL)
    file.when(MOVE).then(e.ItemMoved)


def test_adopting_rules_that_make_a_limit_voids_who_looked_at_limits() -> None:
    """A new breach is a new part of the dossier: who looked at others keeps their signature."""
    looks = {"head": ("request",), "limits": ("limit",), "finance": ("ceiling",)}
    steps = (*(step(name, looks_at=kinds) for name, kinds in looks.items()), step("chair"))
    old = under(policy(*steps, resubmission="minimal"))
    of_members = {"what": "members", "direction": "inbound", "allowed": 1, "id": "IN-MEMBERS"}
    limit = LimitRule.model_validate(old.limits[0].model_dump() | of_members)
    file = given(
        *drafted(), c.SubmitRequest(), *(sign(name, holding(name)) for name in looks), back("chair", CHAIR), rules=old
    )
    file.play.newest = old.model_copy(update={"limits": (limit,)})
    done = file.when(c.AdoptRules())
    voids = e.SignaturesVoided(proposal=1, parts=("limit:IN-MEMBERS",), steps=("limits",))
    done.then(e.RulesAdopted, voids)


def test_a_void_signature_gives_no_approval() -> None:
    """The desk that lost its signature has to sign, on the dossier that then stands."""
    file = returned_by_chair().further(MOVE, c.SubmitRequest())
    file.when(c.IssueDecision(number="27/QĐ")).then_refused("approval_incomplete", step="head")
    file.further(sign("head", HEAD))
    assert file.state.phase is Phase.UNDER_APPROVAL
    assert [one.id for one in file.state.open_steps] == ["chair"]
    file.further(sign("chair", CHAIR)).further(c.IssueDecision(number="27/QĐ"))
    assert file.state.decision is not None
    assert file.state.decision.digest == dossier(file.state)


def test_who_signs_again_may_be_the_same() -> None:
    """Finance's signature fell and finance signs anew; it fills no second place."""
    file = returned_by_chair().further(ESTIMATE, c.SubmitRequest(), sign("finance", FINANCE))
    assert [one.id for one in file.state.open_steps] == ["chair"]


def test_the_event_of_a_document_of_the_same_name_is_no_edit() -> None:
    """A refused edit changes nothing."""
    file = returned_by_chair().further(ESTIMATE)
    again = c.AttachDocument(document_id="estimate", kind="estimate", attachment=pdf("other"))
    file.when(Said(again)).then_refused("document_exists")
