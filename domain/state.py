"""A delegation as it stands: the fold of its events, nothing else."""

from datetime import date, datetime
from enum import StrEnum
from typing import Literal, Self

from pydantic import Field, model_validator

from domain.commands import Answer, Audience, Channel, ItemKind, Note, RenderedDocument, ReplyVia, Role, Stay
from domain.events import (
    EXTERNAL_AUTHORITY,
    Breach,
    Calculation,
    CalendarView,
    CeilingLine,
    ConflictedStep,
    DeskStandIn,
    DossierPart,
    EscalationPlan,
    ExternalDecision,
    Right,
    RuleRef,
    StepPlan,
)
from domain.signing import Proven
from domain.values import (
    AttachmentRef,
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


class Phase(StrEnum):
    """Where a delegation is on its way."""

    DRAFTED = "drafted"
    SUBMITTED = "submitted"
    UNDER_APPROVAL = "under_approval"
    RETURNED = "returned"
    APPROVED = "approved"
    INVITING = "inviting"
    UNDER_WAY = "under_way"
    REPORTING = "reporting"
    CLOSED = "closed"
    REJECTED = "rejected"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


PLANNING = frozenset({Phase.APPROVED, Phase.INVITING, Phase.UNDER_WAY})
"""Phases after the decision in which the file still changes."""


RESTING = frozenset({Phase.REJECTED, Phase.POSTPONED, Phase.CANCELLED, Phase.CLOSED})
"""Phases in which nothing is due."""

DELEGATE_ROLES: tuple[Role, ...] = ("head", "member")

GROUP_ROLES: dict[str, tuple[Role, ...]] = {
    "delegates": DELEGATE_ROLES,
    "hosts": ("host",),
    "escorts": ("escort",),
    "interpreters": ("interpreter",),
    "drivers": ("driver",),
    "coordinators": ("coordinator",),
}


class Participant(Fact):
    """Somebody on the file: a delegate (head or member), or one who serves the delegation."""

    id: str
    person: PersonRef
    role: Role
    country: str | None = None
    entry_papers: bool = False
    active: bool = True
    left: Literal["withdrawn", "replaced", "released"] | None = None
    replaced_by: str | None = None
    key_leader: bool = Field(default=False, exclude_if=unsaid)
    channel: Channel | None = Field(default=None, exclude_if=unsaid)

    @property
    def by_mail(self) -> bool:
        """Whether this person's calendar hears by messages to their mailbox: until they choose another channel."""
        return self.channel in (None, "mail")

    @property
    def delegate(self) -> bool:
        """Whether the head count counts this person while active."""
        return self.role in DELEGATE_ROLES


class Item(Fact):
    """An item of the programme as it is drafted. `published` says that it is meant for calendars.

    `announced` counts the changes of its words alone that mailboxes are to hear of.
    """

    id: str
    kind: ItemKind
    title: str
    starts: Moment
    ends: Moment
    place: str | None = None
    audience: Audience
    published: bool
    cancelled: bool = False
    notes: tuple[Note, ...] = Field(default=(), exclude_if=unsaid)
    announced: int = Field(default=0, exclude_if=unsaid)

    @property
    def view(self) -> CalendarView:
        """What a calendar shows of it, to everybody who sees it."""
        return CalendarView(
            kind=self.kind,
            title=self.title,
            starts=self.starts,
            ends=self.ends,
            place=self.place,
            announced=self.announced,
        )


class Published(Fact):
    """An item as it was last published, whatever has been drafted since: what calendars are to hold.

    `since` is the publication with which this version began to stand.
    """

    view: CalendarView
    audience: Audience
    since: Instant
    notes: tuple[Note, ...] = Field(default=(), exclude_if=unsaid)
    cancelled: bool = Field(default=False, exclude_if=unsaid)

    def item(self, item_id: str) -> Item:
        """Return the item as it was drafted when it was published."""
        return Item(
            id=item_id,
            kind=self.view.kind,
            title=self.view.title,
            starts=self.view.starts,
            ends=self.view.ends,
            place=self.view.place,
            audience=self.audience,
            published=True,
            notes=self.notes,
            announced=self.view.announced,
        )


class Told(Fact):
    """What calendars were last told of an item: its view, its counter (RFC 5546 section 2.1.4), and who holds it.

    `withdrawn_from` are those whose last message was a CANCEL; `notes` stood when somebody was last asked.
    """

    sequence: int
    view: CalendarView
    holders: tuple[str, ...]
    withdrawn_from: tuple[str, ...] = ()
    notes: tuple[Note, ...] = Field(default=(), exclude_if=unsaid)
    parted: dict[str, CalendarView] = Field(default_factory=dict, exclude_if=unsaid)
    """What those it was taken from last had, where it has become something else since."""
    behind: dict[str, int] = Field(default_factory=dict, exclude_if=unsaid)
    """The last SEQUENCE of holders who were not written to since the counter rose: for others."""

    def last_sent(self, participant: str) -> int:
        """Return the SEQUENCE of the last message to a holder."""
        return self.behind.get(participant, self.sequence)


class Signature(Fact):
    """One signature of a step. `proposal` and `digest` name the earlier dossier it was given on, if it was carried.

    `factor` says how it is proven; signatures that are older than proofs have none.
    """

    by: str
    at: Instant
    right: Right
    proposal: int | None = Field(default=None, exclude_if=unsaid)
    digest: Digest | None = Field(default=None, exclude_if=unsaid)
    factor: Proven | None = Field(default=None, exclude_if=unsaid)


class Step(Fact):
    """A step of the chain of approval. `by`, `at`, `right` and `factor` are of whoever answered it last."""

    plan: StepPlan
    status: Literal["waiting", "open", "signed", "returned", "rejected"] = "waiting"
    by: str | None = None
    at: Instant | None = None
    right: Right | None = None
    signatures: tuple[Signature, ...] = Field(default=(), exclude_if=unsaid)
    """Kept where several sign, or where one was carried over; `signed_by` has them always."""
    external: ExternalDecision | None = Field(default=None, exclude_if=unsaid)
    escalated_to: str | None = Field(default=None, exclude_if=unsaid)
    factor: Proven | None = Field(default=None, exclude_if=unsaid)
    voided_by: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    """Parts that changed since it was signed, so that its signatures no longer count."""

    @property
    def id(self) -> str:
        """The step's name within its chain."""
        return self.plan.id

    @property
    def needed(self) -> int:
        """How many signatures it takes."""
        return self.plan.needed or 1

    @property
    def signed_by(self) -> tuple[Signature, ...]:
        """The signatures it has."""
        if self.status == "signed" and not self.signatures and self.by and self.at:
            right = self.right or Right(position=EXTERNAL_AUTHORITY)
            return (Signature(by=self.by, at=self.at, right=right, factor=self.factor),)
        return self.signatures

    @property
    def waits_for(self) -> tuple[str, ...]:
        """The positions that may still sign while it is open; an external step waits for its authority."""
        if self.plan.external:
            return (EXTERNAL_AUTHORITY,)
        taken = {signature.right.position for signature in self.signed_by}
        return tuple(position for position in self.plan.signing_positions if position not in taken)

    @property
    def carried(self) -> bool:
        """Whether a signature of an earlier proposal stands for it."""
        return any(signature.proposal for signature in self.signatures)

    def open_with(self, other: "Step") -> bool:
        """Whether both steps are of one stage."""
        return self.id == other.id or (self.plan.stage is not None and self.plan.stage == other.plan.stage)


class Proposal(Fact):
    """The dossier as submitted, and how far its chain has come.

    A change after the decision is one too: `changed` names its parts that differ from what stood approved, `about` the
    kinds of parts that need approval.
    """

    number: int
    digest: Digest
    parts: tuple[DossierPart, ...]
    chain: RuleRef
    steps: tuple[Step, ...]
    breaches: tuple[Breach, ...] = ()
    submitted_by: str
    submitted_at: Instant
    withdrawn: bool = False
    changed: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    about: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    superseded: bool = Field(default=False, exclude_if=unsaid)
    """Whether the file was changed again before every step was signed."""
    conflicted: tuple[ConflictedStep, ...] = Field(default=(), exclude_if=unsaid)
    """Steps of the policy that others decide, since whoever sits at their desk may not."""

    @property
    def pending(self) -> bool:
        """Whether it waits for signatures: nobody sent it back or refused it, and the file still is what it says."""
        settled = self.withdrawn or self.superseded or self.signed
        return not settled and all(step.status not in ("returned", "rejected") for step in self.steps)

    @property
    def rejected(self) -> bool:
        """Whether a step refused it."""
        return any(step.status == "rejected" for step in self.steps)

    @property
    def open_steps(self) -> tuple[Step, ...]:
        """The steps whose turn it is: those of one stage that are not signed yet."""
        return tuple(step for step in self.steps if step.status == "open")

    @property
    def open_step(self) -> Step | None:
        """The first step whose turn it is."""
        return next(iter(self.open_steps), None)

    @property
    def signed(self) -> bool:
        """Whether every step is signed."""
        return not self.withdrawn and all(step.status == "signed" and not step.voided_by for step in self.steps)

    def turn_came(self, step: Step) -> datetime:
        """When a step's turn came: with the submission, or when the stage before it was complete."""
        signed = [one.at for one in self.steps if one.status == "signed" and one.at and not one.open_with(step)]
        # What was carried over was signed before the proposal was submitted.
        return max([self.submitted_at, *signed])

    def step(self, step_id: str) -> Step | None:
        """The step of that name."""
        return next((step for step in self.steps if step.id == step_id), None)


class Observation(Fact):
    """What other files last said of a member, with the limit it is held against, and when they were asked."""

    what: str
    subject: str
    value: int
    allowed: int
    rule: RuleRef
    observed_at: Instant
    step: str | None = None

    @property
    def exceeded(self) -> bool:
        """Whether it is more than the rules allow."""
        return self.value > self.allowed


class Decision(Fact):
    """The decision that the chain led to."""

    number: str
    digest: Digest
    document: AttachmentRef | None = None
    by: str
    at: Instant


class Document(Fact):
    """A file in the dossier."""

    id: str
    kind: str
    attachment: AttachmentRef
    concerns: str | None = None
    bound: bool = Field(default=False, exclude_if=unsaid)
    """Whether the dossier commits to all of it; of what was attached before that was so, to the octets alone."""


class Formality(Fact):
    """Something done for the authorities."""

    kind: str
    on: date
    members: tuple[str, ...] = ()
    reference: str | None = None
    document: AttachmentRef | None = None


class Deadline(Fact):
    """A due date with the rule it came from."""

    what: str
    due_on: date
    due_at: Instant
    remind_at: tuple[Instant, ...]
    rule: RuleRef
    calculation: Calculation | None = None
    status: Literal["open", "met", "missed", "late"] = "open"
    """`late` is a missed one that was met afterwards."""
    reminders: int = 0
    escalate: tuple[EscalationPlan, ...] = Field(default=(), exclude_if=unsaid)
    escalations: int = Field(default=0, exclude_if=unsaid)
    """How many positions were told of it."""

    @property
    def next_at(self) -> datetime | None:
        """When this deadline next wants attention, in UTC."""
        if self.status == "open":
            return self.remind_at[self.reminders] if self.reminders < len(self.remind_at) else self.due_at
        return next((one.at for one in self.to_escalate), None)

    @property
    def to_escalate(self) -> tuple[EscalationPlan, ...]:
        """Who is still to be told of it, in order, while it is missed and not met."""
        return self.escalate[self.escalations :] if self.status == "missed" else ()


class Ceiling(Fact):
    """What the reception may cost at most."""

    total_vnd: int
    head_count: int
    days: int
    nights: int
    lines: tuple[CeilingLine, ...]
    missing: tuple[str, ...] = ()


class Report(Fact):
    """The final report as filed."""

    number: int
    digest: Digest
    results: TextRef
    recommendations: TextRef | None = None
    annexes: tuple[AttachmentRef, ...] = ()
    filed_by: str
    filed_at: Instant
    status: Literal["filed", "returned", "accepted"] = "filed"
    accepted_by: str | None = None
    accepted_at: Instant | None = None
    right: Right | None = None
    factor: Proven | None = Field(default=None, exclude_if=unsaid)
    review: StepPlan | None = Field(default=None, exclude_if=unsaid)
    """Who accepts it, where a policy for reports says so."""
    chain: RuleRef | None = Field(default=None, exclude_if=unsaid)
    """That policy; files of before it was sealed do not say it."""


def step_key(step_id: str, proposal: int) -> str:
    """Return the name of the deadline by which a step of a proposal is to be answered."""
    return f"step.{step_id}.{proposal}"


def report_key(report: Report) -> str:
    """Return the name of the deadline by which a filed report is to be accepted or returned."""
    return step_key("report", report.number)


class Rendered(Fact):
    """A document the system rendered."""

    kind: Literal["invitation_letter", "final_report"]
    number: int
    versions: tuple[RenderedDocument, ...]


class Issue(Fact):
    """One round of calendar messages and what became of it."""

    number: int
    at: Instant
    requests: int
    cancels: int
    people: int
    sent: int | None = None
    refused: tuple[str, ...] = ()


class Reply(Fact):
    """What somebody answered."""

    participant_id: str
    answer: Answer
    item_id: str | None = None
    at: Instant
    sequence: int | None = Field(default=None, exclude_if=lambda value: value is None)
    dtstamp: Instant | None = Field(default=None, exclude_if=unsaid)
    comment: TextRef | None = Field(default=None, exclude_if=unsaid)
    via: ReplyVia | None = Field(default=None, exclude_if=unsaid)


class Bounced(Fact):
    """A mail that came back and was not sent again since."""

    message_id: str
    status: str
    kind: str
    participants: tuple[str, ...] = ()
    item_id: str | None = None
    at: Instant


class StandsIn(DeskStandIn):
    """A leave that touches what waits; `in_force` once the desk has moved to the substitute."""

    in_force: bool = Field(default=False, exclude_if=unsaid)


class Delegation(Fact):
    """The whole file. Every map keeps the order in which things came."""

    id: str
    phase: Phase
    edition: Digest
    zone: str
    direction: Direction
    title: str
    purpose: str
    organisation: str
    partner: str
    countries: tuple[str, ...]
    places: tuple[str, ...] = ()
    starts: date
    ends: date
    grade: Literal["A", "B", "C"] | None = None
    conference: Literal["none", "prime_minister", "other"] = "none"
    provincial_chair: bool = False
    issuer: str | None = None
    led_by_city_leaders: bool = False
    key_leaders: int = 0
    run_by: RunBy | None = Field(default=None, exclude_if=unsaid)
    head_level: HeadLevel | None = Field(default=None, exclude_if=unsaid)
    stays: tuple[Stay, ...] = ()
    opened_by: str
    opened_at: Instant
    coordinator: str
    people: dict[str, Participant] = Field(default_factory=dict)
    items: dict[str, Item] = Field(default_factory=dict)
    documents: dict[str, Document] = Field(default_factory=dict)
    justifications: dict[str, tuple[Breach, TextRef]] = Field(default_factory=dict)
    proposal: Proposal | None = None
    superseded: tuple[Digest, ...] = ()
    """Digests of earlier proposals: what they were signed for no longer stands."""
    amendment: Proposal | None = Field(default=None, exclude_if=unsaid)
    """The last change after the decision, until every step is signed: under approval, or what became of it."""
    amended: Proposal | None = Field(default=None, exclude_if=unsaid)
    """The last change after the decision that every step signed."""
    observations: dict[str, Observation] = Field(default_factory=dict, exclude_if=unsaid)
    """What other files said, by what was asked and of whom; the latest of each."""
    incomplete_returns: int = 0
    decision: Decision | None = None
    programme: int = 0
    """How often the programme was published."""
    letters: int = 0
    published: dict[str, Published] = Field(default_factory=dict, exclude_if=unsaid)
    """The programme as it was last published, by item."""
    published_for: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    """Who was on the file at the last publication."""
    quiet_until: Instant | None = Field(default=None, exclude_if=unsaid)
    """Until when what people are to be told waits."""
    told: dict[str, Told] = Field(default_factory=dict)
    issues: tuple[Issue, ...] = ()
    replies: dict[str, Reply] = Field(default_factory=dict)
    formalities: tuple[Formality, ...] = ()
    formalities_before_resumption: int = 0
    """How many of them were done for dates that no longer stand."""
    departed_at: Instant | None = None
    concluded_at: Instant | None = None
    deadlines: dict[str, Deadline] = Field(default_factory=dict)
    ceiling: Ceiling | None = None
    report: Report | None = None
    rendered: tuple[Rendered, ...] = ()
    failures: tuple[str, ...] = ()
    bounced: tuple[Bounced, ...] = Field(default=(), exclude_if=unsaid)
    """Mails that came back, and were not sent again since."""
    paused_phase: Phase | None = None
    """The phase that a closing or a postponement interrupted."""
    rules_adopted_at: Instant | None = None
    """When an edition newer than that of the opening was adopted."""
    desk_since: Instant | None = None
    """When the file came to the desk it lies on (`domain/desk.py`)."""
    stand_ins: tuple[StandsIn, ...] = Field(default=(), exclude_if=unsaid)
    """The leaves, in force and to come, that touch the desks it lies on (`domain/stand_ins.py`)."""
    authors: tuple[str, ...] = Field(default=(), exclude_if=unsaid)
    """Who wrote or ran it too, besides who opened it and who runs it now, in the order in which they came."""
    earlier_letters: tuple[Digest, ...] = Field(default=(), exclude_if=unsaid)
    """The letters of outside authorities on proposals that others have replaced."""

    @model_validator(mode="after")
    def _knows_what_was_published(self) -> Self:
        """Take what people were told for what was published, in a state that was handed on before that was kept."""
        if self.programme and not self.published:
            known = {
                item_id: Published(
                    view=told.view,
                    audience=self.items[item_id].audience,
                    since=self.opened_at,
                    cancelled=not told.holders,
                )
                for item_id, told in self.told.items()
            }
            here = tuple(person.id for person in self.people.values() if person.active)
            # Frozen for everybody else; nobody has seen this one yet.
            object.__setattr__(self, "published", known)
            object.__setattr__(self, "published_for", here)
        return self

    @property
    def delegates(self) -> tuple[Participant, ...]:
        """Head and members who are still on the delegation."""
        return tuple(person for person in self.people.values() if person.active and person.delegate)

    @property
    def head_count(self) -> int:
        """How many people the delegation has."""
        return len(self.delegates)

    @property
    def key_leaders_on_list(self) -> int:
        """How many key leaders travel: those marked on the list, or as many as the request declares if that is more."""
        return max(self.key_leaders, sum(person.key_leader for person in self.delegates))

    @property
    def open_steps(self) -> tuple[Step, ...]:
        """The steps whose turn it is, of the proposal or of the change that is under approval."""
        if self.phase in (Phase.SUBMITTED, Phase.UNDER_APPROVAL):
            return self.proposal.open_steps if self.proposal else ()
        return self.amendment.open_steps if self.amending and self.amendment else ()

    @property
    def open_step(self) -> Step | None:
        """The first step whose turn it is, of the proposal that stands."""
        return next(iter(self.open_steps), None)

    @property
    def amending(self) -> bool:
        """Whether a change after the decision is under approval."""
        return self.phase in PLANNING and self.amendment is not None and self.amendment.pending

    @property
    def under_approval(self) -> bool:
        """Whether a proposal, or a change after the decision, waits for signatures or for its decision."""
        return self.phase in (Phase.SUBMITTED, Phase.UNDER_APPROVAL) or self.amending

    @property
    def current_proposal(self) -> Proposal | None:
        """What signers look at: the change after the decision until it is answered, else the proposal."""
        change = self.amendment if self.phase in PLANNING else None
        return change if change and (change.pending or change.superseded) else self.proposal

    @property
    def approved(self) -> Proposal | None:
        """What stands approved: the last change that every step signed, else the proposal that was decided."""
        if self.decision is None:
            return None
        return self.amended or self.proposal

    @property
    def proposals(self) -> tuple[Proposal, ...]:
        """The proposal and the changes after its decision that the file still knows, in the order of their numbers."""
        known = (one for one in (self.proposal, self.amended, self.amendment) if one is not None)
        return tuple(sorted(known, key=lambda one: one.number))

    @property
    def own(self) -> frozenset[str]:
        """The accounts whose own file it is: everybody who opened, wrote, submitted, ran it or filed its report."""
        said = {self.opened_by, self.coordinator, *self.authors, *(one.submitted_by for one in self.proposals)}
        return frozenset(said | ({self.report.filed_by} if self.report else set()))

    @property
    def authorities_letters(self) -> frozenset[str]:
        """The digests of every letter of an outside authority that was recorded."""
        steps = (step.external for one in self.proposals for step in one.steps)
        return frozenset({*self.earlier_letters, *(one.letter.digest for one in steps if one)})

    @property
    def reviewing(self) -> StepPlan | None:
        """Who accepts the report: whom its policy names, else the position that signs last in the chain."""
        if self.report is not None and self.report.review is not None:
            return self.report.review
        steps = self.proposal.steps if self.proposal else ()
        return next((step.plan for step in reversed(steps) if not step.plan.external), None)

    @property
    def standing_formalities(self) -> tuple[Formality, ...]:
        """What was done for the authorities for the dates that stand."""
        return self.formalities[self.formalities_before_resumption :]

    @property
    def rules_since(self) -> datetime:
        """The instant as of which the rules of the edition apply: the opening, or the adoption of a newer edition."""
        return self.rules_adopted_at or self.opened_at

    @property
    def entry_papers_needed(self) -> bool:
        """Whether a delegate needs an entry approval (form NA2)."""
        return any(person.entry_papers for person in self.delegates)

    @property
    def next_wake(self) -> datetime | None:
        """When a deadline, or a leave, next wants attention, in UTC; nothing while nothing is due."""
        if self.phase in RESTING:
            return None
        due = [at for deadline in self.deadlines.values() if (at := deadline.next_at)]
        if self.quiet_until:
            due.append(self.quiet_until)
        return min((*due, *(one.until if one.in_force else one.since for one in self.stand_ins)), default=None)

    def attendees(self, item: Item | Published) -> tuple[str, ...]:
        """Who attends an item now, in the order in which they joined the file."""
        roles = {role for group in item.audience.groups for role in GROUP_ROLES[group]}
        named = set(item.audience.people)
        return tuple(
            person.id
            for person in self.people.values()
            if person.active and (person.role in roles or person.id in named)
        )
