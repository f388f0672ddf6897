"""What has happened to a delegation. Events are past tense; stored ones only ever gain optional fields.

A new meaning is a new type or a new version with an upcaster in `domain/upcast.py`.
"""

from datetime import date
from typing import Annotated, ClassVar, Literal

from pydantic import Field, TypeAdapter

from domain.commands import Answer, Audience, Channel, ItemKind, Note, RenderedDocument, ReplyVia, Role, Stay
from domain.signing import Proof, Proven
from domain.values import (
    AttachmentRef,
    Country,
    Digest,
    Direction,
    Fact,
    HeadLevel,
    Instant,
    Moment,
    PersonRef,
    RunBy,
    TextRef,
    unsaid,
)

EXTERNAL_AUTHORITY = "external_authority"
"""Stands for the position of a step that an outside authority decides; no account can hold it."""


class Event(Fact):
    """A fact about one delegation."""

    version: ClassVar[int] = 1


class RuleRef(Fact):
    """The rule a figure or a date came from."""

    rule: str
    version: int


def _absent(value: object) -> bool:
    return value is None


class Right(Fact):
    """By what right somebody signed: the position, and the signature's prefix (TM., KT., TL., TUQ.).

    The rest is what the registers said at that instant. `tenure` and `held_since` are of the one who holds the
    position: the `account` that signed or, where a substitute signed under a `leave`, the one it signed `on_behalf_of`.
    `organisation` is the one at which the position is held; without it, the whole house. `leave_since` and
    `leave_until` are the leave's as it then stood. `granted_by` are the accounts that entered what the right of the
    signer comes from: the leave or, without one, the tenure. `principal_vi` and `principal_en`
    say for whom the prefix is; a substitute's KT. is for `position`, and `office` is the position that the substitute
    holds, if any.
    """

    position: str
    prefix: str | None = None
    account: Annotated[str | None, Field(exclude_if=_absent)] = None
    tenure: Annotated[str | None, Field(exclude_if=_absent)] = None
    held_since: Annotated[Instant | None, Field(exclude_if=_absent)] = None
    on_behalf_of: Annotated[str | None, Field(exclude_if=_absent)] = None
    leave: Annotated[str | None, Field(exclude_if=_absent)] = None
    organisation: Annotated[str | None, Field(exclude_if=_absent)] = None
    leave_since: Annotated[Instant | None, Field(exclude_if=_absent)] = None
    leave_until: Annotated[Instant | None, Field(exclude_if=_absent)] = None
    granted_by: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    principal_vi: Annotated[str | None, Field(exclude_if=_absent)] = None
    principal_en: Annotated[str | None, Field(exclude_if=_absent)] = None
    office: Annotated[str | None, Field(exclude_if=_absent)] = None


class DossierPart(Fact):
    """One ordered part of a dossier: its name and the digest of, or the commitment to, its content."""

    part: str
    commitment: Digest


class EscalationAfter(Fact):
    """Who hears of a step that is late and still not answered, so many days or working days after its due date."""

    after: int
    unit: Literal["days", "working_days"] = "working_days"
    to: str


class StepPlan(Fact):
    """A step of the chain as the rules laid it out for this proposal.

    `position` is the first of `positions`, of which `needed` sign; without `positions` it signs alone. Steps of one
    `stage` are open together; without a number each step is a stage of its own. `remind_before` counts calendar days
    before the due date, on which alone a step without it is reminded of. `escalate_to` hears of it on the day it is
    missed, those of `escalate` later. `looks_at` names kinds of parts, none all.
    """

    id: str
    position: str
    title_vi: str
    title_en: str
    prefix: str | None = None
    time_limit: int | None = None
    stage: int | None = Field(default=None, exclude_if=unsaid)
    positions: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    needed: int | None = Field(default=None, exclude_if=unsaid)
    external: bool = Field(default=False, exclude_if=unsaid)
    remind_before: tuple[int, ...] = Field(default=(), exclude_if=unsaid)
    escalate_to: str | None = Field(default=None, exclude_if=unsaid)
    escalate: tuple[EscalationAfter, ...] = Field(default=(), exclude_if=unsaid)
    looks_at: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    principal_vi: str | None = Field(default=None, exclude_if=unsaid)
    principal_en: str | None = Field(default=None, exclude_if=unsaid)

    @property
    def signing_positions(self) -> tuple[str, ...]:
        """The positions that may sign, in order; none for an external step."""
        return () if self.external else self.positions or (self.position,)


class ConflictedStep(Fact):
    """A step of the policy whose desk may not sign here, and who decides instead.

    `positions` would have signed; `why` are the codes of what forbids it: `own_trip`, `own_request`,
    `holds_another_step`. Instead decides `position` or, where `left_to` names a later step, that one; else an outside
    authority.
    """

    step_id: str
    positions: tuple[str, ...]
    why: tuple[str, ...]
    position: str | None = Field(default=None, exclude_if=unsaid)
    left_to: str | None = Field(default=None, exclude_if=unsaid)


class ExternalDecision(Fact):
    """An outside authority's letter: who wrote it, its number, its day, and the letter itself."""

    authority: str
    reference: str
    dated: date
    letter: AttachmentRef


class CarriedSignature(Fact):
    """A signature of an earlier proposal that stands for a step whose parts did not change since."""

    step_id: str
    proposal: int
    digest: Digest
    by: str
    at: Instant
    right: Right
    external: ExternalDecision | None = Field(default=None, exclude_if=unsaid)
    factor: Proven | None = Field(default=None, exclude_if=unsaid)


class Breach(Fact):
    """A limit the proposal exceeds. `limit` is the rule's id, and behind a slash the country it was measured for."""

    limit: str
    version: int
    measured: int
    allowed: int
    unit: str
    absolute: bool = Field(default=False, exclude_if=unsaid)
    """No justification lifts it."""


class DelegationOpened(Event):
    type: Literal["DelegationOpened"] = "DelegationOpened"
    delegation: str
    edition: Digest
    zone: str
    direction: Direction
    title: str
    purpose: str
    organisation: str
    partner: str
    countries: tuple[Country, ...]
    places: tuple[str, ...]
    starts: date
    ends: date
    grade: Literal["A", "B", "C"] | None = None
    conference: Literal["none", "prime_minister", "other"] = "none"
    provincial_chair: bool = False
    issuer: str | None = None
    led_by_city_leaders: bool = False
    key_leaders: int = 0
    run_by: RunBy | None = None
    head_level: HeadLevel | None = None
    stays: tuple[Stay, ...] = ()
    coordinator: str


class RequestRevised(Event):
    """The fields that changed, with their new values."""

    type: Literal["RequestRevised"] = "RequestRevised"
    title: str | None = None
    purpose: str | None = None
    partner: str | None = None
    countries: tuple[Country, ...] | None = None
    places: tuple[str, ...] | None = None
    starts: date | None = None
    ends: date | None = None
    grade: Literal["A", "B", "C"] | None = None
    key_leaders: int | None = None
    run_by: RunBy | None = None
    head_level: HeadLevel | None = None
    stays: tuple[Stay, ...] | None = None


class DocumentAttached(Event):
    type: Literal["DocumentAttached"] = "DocumentAttached"
    document_id: str
    kind: str
    attachment: AttachmentRef
    concerns: str | None = None
    bound: bool = Field(default=False, exclude_if=unsaid)
    """Whether the dossier commits to kind and to whom it concerns, too; of before, to the octets alone."""


class LimitJustified(Event):
    type: Literal["LimitJustified"] = "LimitJustified"
    breach: Breach
    justification: TextRef


class RequestSubmitted(Event):
    type: Literal["RequestSubmitted"] = "RequestSubmitted"
    proposal: int
    digest: Digest
    parts: tuple[DossierPart, ...]
    chain: RuleRef
    steps: tuple[StepPlan, ...]
    breaches: tuple[Breach, ...] = ()
    carried: tuple[CarriedSignature, ...] = Field(default=(), exclude_if=unsaid)
    conflicted: tuple[ConflictedStep, ...] = Field(default=(), exclude_if=unsaid)


Fallen = Literal["whole_chain", "chain_changed", "own_request", "own_trip", "signed_another_step", "granted_by_oneself"]
"""Why a signature does not stand for what is submitted now: the policy asks the whole chain anew, another policy or
another step asks, or who is behind it could not sign now (the codes of `domain/entitlement.py`)."""


class SignaturesVoided(Event):
    """These steps of a proposal are to be signed anew.

    Since the file no longer is what they were signed on (`parts`), or `because` of something else: then it is sealed
    with the submission that does without them. `signers` are those whose signatures alone fall.
    """

    type: Literal["SignaturesVoided"] = "SignaturesVoided"
    proposal: int
    parts: tuple[str, ...]
    steps: tuple[str, ...]
    because: Fallen | None = Field(default=None, exclude_if=unsaid)
    signers: tuple[str, ...] = Field(default=(), exclude_if=unsaid)


class ChangeSubmitted(Event):
    """A change after the decision, sent up a chain of its own.

    `changed` names the parts that differ from what stands approved, `about` the kinds of parts that need approval. The
    number continues those of proposals.
    """

    type: Literal["ChangeSubmitted"] = "ChangeSubmitted"
    proposal: int
    digest: Digest
    parts: tuple[DossierPart, ...]
    changed: tuple[str, ...]
    about: tuple[str, ...]
    chain: RuleRef
    steps: tuple[StepPlan, ...]
    breaches: tuple[Breach, ...] = ()
    carried: tuple[CarriedSignature, ...] = ()
    conflicted: tuple[ConflictedStep, ...] = Field(default=(), exclude_if=unsaid)


class ChangeSuperseded(Event):
    """What a change under approval is about was changed again: it is no longer what would be approved."""

    type: Literal["ChangeSuperseded"] = "ChangeSuperseded"
    proposal: int
    parts: tuple[str, ...]


class RequestWithdrawn(Event):
    type: Literal["RequestWithdrawn"] = "RequestWithdrawn"
    reason: TextRef


class RulesAdopted(Event):
    type: Literal["RulesAdopted"] = "RulesAdopted"
    edition: Digest
    previous: Digest


class FactObserved(Event):
    """What other files said of somebody when a proposal was submitted or, with a `step`, signed. It only warns.

    `subject` is the member's id, `rule` the limit that `allowed` comes from.
    """

    type: Literal["FactObserved"] = "FactObserved"
    what: str
    subject: str
    value: int
    allowed: int
    rule: RuleRef
    observed_at: Instant
    step: str | None = None


class StepSigned(Event):
    type: Literal["StepSigned"] = "StepSigned"
    step_id: str
    digest: Digest
    right: Right
    proof: Proof | None = Field(default=None, exclude_if=unsaid)


class StepReturned(Event):
    type: Literal["StepReturned"] = "StepReturned"
    step_id: str
    digest: Digest
    right: Right
    kind: Literal["incomplete", "amend"]
    reason: TextRef
    missing: tuple[str, ...] = ()
    proof: Proof | None = Field(default=None, exclude_if=unsaid)


class StepRejected(Event):
    type: Literal["StepRejected"] = "StepRejected"
    step_id: str
    digest: Digest
    right: Right
    reason: TextRef
    proof: Proof | None = Field(default=None, exclude_if=unsaid)


class ExternalDecisionRecorded(Event):
    """What an outside authority decided on a step. Approval stands as the signature of the step.

    Recorded by somebody with the role `recorded_as`, who is of `organisation`; without it, of the whole house.
    """

    type: Literal["ExternalDecisionRecorded"] = "ExternalDecisionRecorded"
    step_id: str
    digest: Digest
    outcome: Literal["approved", "returned", "rejected"]
    authority: str
    reference: str
    dated: date
    letter: AttachmentRef
    reason: TextRef | None = None
    recorded_as: Annotated[str | None, Field(exclude_if=_absent)] = None
    organisation: Annotated[str | None, Field(exclude_if=_absent)] = None


class StepEscalated(Event):
    """Nobody answered in time, so who holds the position `to` is told. It approves nothing."""

    type: Literal["StepEscalated"] = "StepEscalated"
    step_id: str
    proposal: int
    to: str
    due_on: date


class DeskStandIn(Fact):
    """Who may sign at one desk of a file instead of the `account` that is away, from `since` until `until`.

    `what` is the step that waits there, or `report`.
    """

    what: str
    position: str
    account: str
    substitute: str
    leave: str
    since: Instant
    until: Instant


class StandInsNoted(Event):
    """The leaves, in force and to come, that touch what waits: all of them, in the place of those noted before."""

    type: Literal["StandInsNoted"] = "StandInsNoted"
    stand_ins: tuple[DeskStandIn, ...]


class DeskMoved(Event):
    """What waits lies on the desk of the substitute too, for as long as the leave lasts."""

    type: Literal["DeskMoved"] = "DeskMoved"
    what: str
    position: str
    to: str
    on_behalf_of: str
    leave: str
    until: Instant


class DeskReturned(Event):
    """The leave is over, ended early or revoked: what waits lies with who holds the position alone."""

    type: Literal["DeskReturned"] = "DeskReturned"
    what: str
    position: str
    account: str
    substitute: str
    leave: str


class SignOffRefused(Event):
    """Somebody tried to sign without the right to."""

    type: Literal["SignOffRefused"] = "SignOffRefused"
    step_id: str
    code: str


class DecisionIssued(Event):
    type: Literal["DecisionIssued"] = "DecisionIssued"
    number: str
    digest: Digest
    document: AttachmentRef | None = None


class MemberAdded(Event):
    type: Literal["MemberAdded"] = "MemberAdded"
    member_id: str
    person: PersonRef
    role: Literal["head", "member"]
    country: Country
    entry_papers: bool
    key_leader: bool = Field(default=False, exclude_if=unsaid)


class MemberReplaced(Event):
    type: Literal["MemberReplaced"] = "MemberReplaced"
    member_id: str
    by: str
    person: PersonRef
    role: Literal["head", "member"]
    country: Country
    entry_papers: bool
    key_leader: bool = Field(default=False, exclude_if=unsaid)


class MemberWithdrawn(Event):
    type: Literal["MemberWithdrawn"] = "MemberWithdrawn"
    member_id: str
    reason: TextRef | None = None


class ParticipantAppointed(Event):
    type: Literal["ParticipantAppointed"] = "ParticipantAppointed"
    participant_id: str
    person: PersonRef
    role: Role


class ParticipantReleased(Event):
    type: Literal["ParticipantReleased"] = "ParticipantReleased"
    participant_id: str


class ItemScheduled(Event):
    type: Literal["ItemScheduled"] = "ItemScheduled"
    item_id: str
    kind: ItemKind
    title: str
    starts: Moment
    ends: Moment
    place: str | None = None
    audience: Audience
    published: bool
    notes: tuple[Note, ...] = Field(default=(), exclude_if=unsaid)


class ItemMoved(Event):
    type: Literal["ItemMoved"] = "ItemMoved"
    item_id: str
    starts: Moment
    ends: Moment
    place: str | None = None


class ItemRevised(Event):
    type: Literal["ItemRevised"] = "ItemRevised"
    item_id: str
    title: str | None = None
    place: str | None = None
    audience: Audience | None = None
    published: bool | None = None
    notes: tuple[Note, ...] | None = None
    announce: bool = Field(default=False, exclude_if=unsaid)
    """Whether mailboxes are told too, though neither time nor place changed."""
    kind: ItemKind | None = Field(default=None, exclude_if=unsaid)


class ItemCancelled(Event):
    type: Literal["ItemCancelled"] = "ItemCancelled"
    item_id: str


class ItemRestored(Event):
    """An item is again what was last published of it; what was drafted since is gone."""

    type: Literal["ItemRestored"] = "ItemRestored"
    item_id: str


class ProgrammePublished(Event):
    type: Literal["ProgrammePublished"] = "ProgrammePublished"
    programme: int
    items: tuple[str, ...]


class DelegationInvited(Event):
    """Everybody is to have the programme; `letter` is the number of the letter that goes with it, 0 where none does."""

    type: Literal["DelegationInvited"] = "DelegationInvited"
    letter: int


class CalendarView(Fact):
    """What a calendar shows of an item.

    `announced` counts how often its words alone were to be mailed; `notes` are those that one viewer may see, and only
    where a view was made for one (`domain/views.py`): the views of messages have none.
    """

    kind: ItemKind
    title: str
    starts: Moment
    ends: Moment
    place: str | None = None
    announced: int = Field(default=0, exclude_if=unsaid)
    notes: tuple[str, ...] = Field(default=(), exclude_if=unsaid)

    def mailed(self) -> tuple[object, ...]:
        """What a mailbox hears of when it changes: time, place, whether it is a stay, and words that are announced.

        RFC 5546 section 2.1.4 names the times; place is ours. Other words alone are no reason for a message.
        """
        return (*self.whereabouts(), self.announced)

    def whereabouts(self) -> tuple[object, ...]:
        """When and where, and whether it is a stay: what concerns everybody who holds it."""
        return (self.kind == "hotel", self.starts, self.ends, self.place)


class CalendarMessage(Fact):
    """One item's message to some of its people (RFC 5546). `sequence` is the item's own counter (section 2.1.4)."""

    item_id: str
    method: Literal["REQUEST", "CANCEL"]
    sequence: int
    to: tuple[str, ...]
    view: CalendarView
    kept: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    """Who hears nothing of it and goes on with an older SEQUENCE: what they answer is judged by that one."""


class QuietWindowOpened(Event):
    """What people are to be told waits until then, so that what is corrected meanwhile is never sent."""

    type: Literal["QuietWindowOpened"] = "QuietWindowOpened"
    until: Instant


class QuietWindowClosed(Event):
    """The quiet window is over, and there was nothing left to tell."""

    type: Literal["QuietWindowClosed"] = "QuietWindowClosed"


class InvitationsIssued(Event):
    """What was put on its way into calendars, to whom."""

    type: Literal["InvitationsIssued"] = "InvitationsIssued"
    issue: int
    messages: tuple[CalendarMessage, ...]


class InvitationsDelivered(Event):
    type: Literal["InvitationsDelivered"] = "InvitationsDelivered"
    issue: int
    sent: int
    refused: tuple[str, ...] = ()


class ChannelChosen(Event):
    type: Literal["ChannelChosen"] = "ChannelChosen"
    participant_id: str
    channel: Channel


class ReplyRecorded(Event):
    type: Literal["ReplyRecorded"] = "ReplyRecorded"
    participant_id: str
    answer: Answer
    item_id: str | None = None
    sequence: int | None = Field(default=None, exclude_if=_absent)
    dtstamp: Instant | None = Field(default=None, exclude_if=unsaid)
    comment: TextRef | None = Field(default=None, exclude_if=unsaid)
    via: ReplyVia | None = Field(default=None, exclude_if=unsaid)


class FormalityRecorded(Event):
    type: Literal["FormalityRecorded"] = "FormalityRecorded"
    kind: str
    on: date
    members: tuple[str, ...] = ()
    reference: str | None = None
    document: AttachmentRef | None = None


class CoordinatorChanged(Event):
    type: Literal["CoordinatorChanged"] = "CoordinatorChanged"
    previous: str
    coordinator: str


class DelegationDeparted(Event):
    type: Literal["DelegationDeparted"] = "DelegationDeparted"


class DelegationConcluded(Event):
    type: Literal["DelegationConcluded"] = "DelegationConcluded"


class ReportFiled(Event):
    type: Literal["ReportFiled"] = "ReportFiled"
    report: int
    digest: Digest
    results: TextRef
    recommendations: TextRef | None = None
    annexes: tuple[AttachmentRef, ...] = ()
    review: StepPlan | None = Field(default=None, exclude_if=unsaid)
    """Who accepts it, where a policy for reports says so."""
    conflicted: tuple[ConflictedStep, ...] = Field(default=(), exclude_if=unsaid)
    chain: RuleRef | None = Field(default=None, exclude_if=unsaid)
    """That policy."""


class ReportReturned(Event):
    type: Literal["ReportReturned"] = "ReportReturned"
    report: int
    digest: Digest
    reason: TextRef
    right: Right | None = None
    proof: Proof | None = Field(default=None, exclude_if=unsaid)


class ReportAccepted(Event):
    type: Literal["ReportAccepted"] = "ReportAccepted"
    report: int
    digest: Digest
    right: Right
    proof: Proof | None = Field(default=None, exclude_if=unsaid)


class DelegationPostponed(Event):
    type: Literal["DelegationPostponed"] = "DelegationPostponed"
    reason: TextRef


class DelegationResumed(Event):
    type: Literal["DelegationResumed"] = "DelegationResumed"
    starts: date
    ends: date


class DelegationCancelled(Event):
    type: Literal["DelegationCancelled"] = "DelegationCancelled"
    reason: TextRef


class DelegationRejected(Event):
    """The chain ended with a refusal."""

    type: Literal["DelegationRejected"] = "DelegationRejected"
    step_id: str


class DelegationClosed(Event):
    type: Literal["DelegationClosed"] = "DelegationClosed"


class DelegationReopened(Event):
    type: Literal["DelegationReopened"] = "DelegationReopened"
    reason: TextRef


class Calculation(Fact):
    """How a due date was found: so many days from an anchor, and the days that did not count."""

    anchor: str
    anchor_on: date
    offset: int
    unit: Literal["days", "working_days"]
    side: Literal["before", "after"]
    skipped: tuple[str, ...] = ()
    holiday_table: str | None = None


class EscalationPlan(Fact):
    """When a deadline that is missed and not met is told further, and to which position."""

    at: Instant
    to: str


class DeadlineSet(Event):
    """A deadline stands, or stands anew with another date. `due_at` is the end of the business day `due_on`."""

    type: Literal["DeadlineSet"] = "DeadlineSet"
    what: str
    due_on: date
    due_at: Instant
    remind_at: tuple[Instant, ...] = ()
    rule: RuleRef
    calculation: Calculation
    escalate: tuple[EscalationPlan, ...] = Field(default=(), exclude_if=unsaid)


class DeadlineLifted(Event):
    type: Literal["DeadlineLifted"] = "DeadlineLifted"
    what: str


class DeadlineMet(Event):
    type: Literal["DeadlineMet"] = "DeadlineMet"
    what: str


class DeadlineReminded(Event):
    type: Literal["DeadlineReminded"] = "DeadlineReminded"
    what: str
    due_on: date


class DeadlineMissed(Event):
    """The day has passed. `known_late` says that it had passed before the deadline could be set at all."""

    type: Literal["DeadlineMissed"] = "DeadlineMissed"
    what: str
    due_on: date
    due_at: Instant
    rule: RuleRef
    known_late: bool = False
    calculation: Calculation | None = None
    escalate: tuple[EscalationPlan, ...] = Field(default=(), exclude_if=unsaid)


class DeadlineEscalated(Event):
    """It is missed and still not done, so who holds the position `to` is told. `level` counts from 1."""

    type: Literal["DeadlineEscalated"] = "DeadlineEscalated"
    what: str
    to: str
    level: int
    due_on: date


class CeilingLine(Fact):
    """One line of a ceiling: so many units at so much each, in VND."""

    what: str
    quantity: int
    unit_vnd: int
    amount_vnd: int
    rule: RuleRef


class CeilingSet(Event):
    """What the reception may cost at most, from head count, days and nights."""

    type: Literal["CeilingSet"] = "CeilingSet"
    total_vnd: int
    head_count: int
    days: int
    nights: int
    lines: tuple[CeilingLine, ...]
    missing: tuple[str, ...] = ()


class DocumentRendered(Event):
    type: Literal["DocumentRendered"] = "DocumentRendered"
    kind: Literal["invitation_letter", "final_report"]
    number: int
    versions: tuple[RenderedDocument, ...]


class NoticeSent(Event):
    type: Literal["NoticeSent"] = "NoticeSent"
    effect: str
    sent: int
    refused: int = 0


class MailResent(Event):
    """Messages that did not arrive go out again, named by Message-ID, with who they are for."""

    type: Literal["MailResent"] = "MailResent"
    messages: tuple[str, ...]
    participants: tuple[str, ...] = ()


class MailBounced(Event):
    """A mail that a server had taken came back. `status` is the enhanced status code (RFC 3463) of the report."""

    type: Literal["MailBounced"] = "MailBounced"
    message_id: str
    status: str
    kind: str
    participants: tuple[str, ...] = ()
    item_id: str | None = None


class EffectFailed(Event):
    """The system gave an effect up; a person has to look."""

    type: Literal["EffectFailed"] = "EffectFailed"
    effect: str
    code: str


AnyEvent = Annotated[
    DelegationOpened
    | RequestRevised
    | DocumentAttached
    | LimitJustified
    | RequestSubmitted
    | SignaturesVoided
    | ChangeSubmitted
    | ChangeSuperseded
    | RequestWithdrawn
    | RulesAdopted
    | FactObserved
    | StepSigned
    | StepReturned
    | StepRejected
    | ExternalDecisionRecorded
    | StepEscalated
    | StandInsNoted
    | DeskMoved
    | DeskReturned
    | SignOffRefused
    | DecisionIssued
    | MemberAdded
    | MemberReplaced
    | MemberWithdrawn
    | ParticipantAppointed
    | ParticipantReleased
    | ItemScheduled
    | ItemMoved
    | ItemRevised
    | ItemCancelled
    | ItemRestored
    | ProgrammePublished
    | DelegationInvited
    | QuietWindowOpened
    | QuietWindowClosed
    | InvitationsIssued
    | InvitationsDelivered
    | ChannelChosen
    | ReplyRecorded
    | FormalityRecorded
    | CoordinatorChanged
    | DelegationDeparted
    | DelegationConcluded
    | ReportFiled
    | ReportReturned
    | ReportAccepted
    | DelegationPostponed
    | DelegationResumed
    | DelegationCancelled
    | DelegationRejected
    | DelegationClosed
    | DelegationReopened
    | DeadlineSet
    | DeadlineLifted
    | DeadlineMet
    | DeadlineReminded
    | DeadlineMissed
    | DeadlineEscalated
    | CeilingSet
    | DocumentRendered
    | NoticeSent
    | MailResent
    | MailBounced
    | EffectFailed,
    Field(discriminator="type"),
]

EVENT: TypeAdapter[AnyEvent] = TypeAdapter(AnyEvent)
