"""Who is on the delegation, and who serves it."""

from domain.commands import AddMember, AppointParticipant, ReleaseParticipant, ReplaceMember, WithdrawMember
from domain.decision import Context, Outcome, accept, refuse
from domain.events import MemberAdded, MemberReplaced, MemberWithdrawn, ParticipantAppointed, ParticipantReleased
from domain.request import never_together
from domain.state import Delegation, Participant

LARGEST_DELEGATION = 500
"""Beyond it a delegation is an event of its own kind; the bound keeps one file's state small."""


def add_member(state: Delegation, command: AddMember, context: Context) -> Outcome:
    """Refusals: `member_exists`, `head_exists`, `delegation_full`, `limit_absolute`."""
    if command.member_id in state.people:
        return refuse("member_exists", field="member_id", member=command.member_id)
    if command.role == "head" and any(person.role == "head" for person in state.delegates):
        return refuse("head_exists", field="role")
    if state.head_count >= LARGEST_DELEGATION:
        return refuse("delegation_full", field="member_id", limit=LARGEST_DELEGATION)
    joins = Participant(id=command.member_id, **command.model_dump(exclude={"type", "member_id"}))
    if refusal := never_together(state, _with(state, joins), context.edition, "key_leader"):
        return refusal
    return accept(
        MemberAdded(
            member_id=command.member_id,
            person=command.person,
            role=command.role,
            country=command.country,
            entry_papers=command.entry_papers,
            key_leader=command.key_leader,
        )
    )


def replace_member(state: Delegation, command: ReplaceMember, context: Context) -> Outcome:
    """Refusals: `member_unknown`, `member_exists`, `limit_absolute`."""
    leaving = _delegate(state, command.member_id)
    if leaving is None:
        return refuse("member_unknown", field="member_id", member=command.member_id)
    if command.by in state.people:
        return refuse("member_exists", field="by", member=command.by)
    joins = Participant(id=command.by, role=leaving.role, **command.model_dump(exclude={"type", "member_id", "by"}))
    gone = leaving.model_copy(update={"active": False})
    if refusal := never_together(state, _with(state, gone, joins), context.edition, "key_leader"):
        return refusal
    return accept(
        MemberReplaced(
            member_id=leaving.id,
            by=command.by,
            person=command.person,
            role="head" if leaving.role == "head" else "member",
            country=command.country,
            entry_papers=command.entry_papers,
            key_leader=command.key_leader,
        )
    )


def withdraw_member(state: Delegation, command: WithdrawMember, context: Context) -> Outcome:
    """Refusals: `member_unknown`, which covers one who has left already."""
    if _delegate(state, command.member_id) is None:
        return refuse("member_unknown", field="member_id", member=command.member_id)
    return accept(MemberWithdrawn(member_id=command.member_id, reason=command.reason))


def appoint(state: Delegation, command: AppointParticipant, context: Context) -> Outcome:
    """Refusals: `member_exists`, `delegation_full`."""
    if command.participant_id in state.people:
        return refuse("member_exists", field="participant_id", member=command.participant_id)
    if len(state.people) >= 2 * LARGEST_DELEGATION:
        return refuse("delegation_full", field="participant_id", limit=2 * LARGEST_DELEGATION)
    return accept(ParticipantAppointed(participant_id=command.participant_id, person=command.person, role=command.role))


def release(state: Delegation, command: ReleaseParticipant, context: Context) -> Outcome:
    """Refusals: `participant_unknown`."""
    person = state.people.get(command.participant_id)
    if person is None or not person.active or person.delegate:
        return refuse("participant_unknown", field="participant_id", member=command.participant_id)
    return accept(ParticipantReleased(participant_id=command.participant_id))


def _with(state: Delegation, *people: Participant) -> Delegation:
    return state.model_copy(update={"people": state.people | {one.id: one for one in people}})


def _delegate(state: Delegation, member_id: str) -> Participant | None:
    person = state.people.get(member_id)
    return person if person and person.active and person.delegate else None
