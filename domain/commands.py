"""What may be asked of a delegation. Commands are imperative; the body of a request parses straight into one."""

from datetime import UTC, date, datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, Field, PlainSerializer, StringConstraints, TypeAdapter, model_validator
from pydantic_core import PydanticCustomError

from domain.signing import PasskeySignature
from domain.values import (
    AttachmentRef,
    BusinessText,
    Country,
    Digest,
    Direction,
    HeadLevel,
    Language,
    LocalTime,
    PersonRef,
    RunBy,
    Slug,
    TextRef,
    Value,
    unsaid,
    write_instant,
)

DelegateRole = Literal["head", "member"]
ServiceRole = Literal["host", "escort", "interpreter", "driver", "coordinator"]
Role = Literal["head", "member", "host", "escort", "interpreter", "driver", "coordinator"]
ItemKind = Literal["session", "meeting", "ceremony", "meal", "transfer", "flight", "hotel"]
AudienceGroup = Literal["delegates", "hosts", "escorts", "interpreters", "drivers", "coordinators"]
Answer = Literal["accepted", "declined", "tentative"]
ReplyVia = Literal["mail", "page", "coordinator"]
Channel = Literal["mail", "feed", "caldav"]
"""How a person's calendar hears of the programme: by messages to their mailbox, by a feed they subscribe to, or by a
collection that is written for them. One of them, or they would see everything twice."""
LARGEST_BATCH = 500
LARGEST_NOTES = 10

EffectKey = Annotated[str, StringConstraints(pattern=r"^[!-~]{1,128}$")]
"""The name of an effect: visible ASCII, no blank."""

MessageId = Annotated[str, StringConstraints(pattern=r"^<[A-Za-z0-9._-]{1,128}@[a-z0-9.-]{1,253}>$")]
"""The Message-ID of a mail of ours, with its angle brackets."""

JourneyDay = Annotated[date, Field(ge=date(1990, 1, 1), le=date(2199, 12, 31))]
"""A day in the business zone, far enough from the ends of the calendar that no rule's offset can leave it."""


ReplyStamp = Annotated[
    AwareDatetime,
    Field(ge=datetime(1990, 1, 1, tzinfo=UTC), le=datetime(2199, 12, 31, tzinfo=UTC)),
    PlainSerializer(lambda stamp: write_instant(stamp.astimezone(UTC)), when_used="json"),
]
"""When a REPLY says it was made (DTSTAMP): far enough from the ends of the calendar to be brought to UTC."""


class Stay(Value):
    """Days of a visit spent in one country."""

    country: Country
    days: Annotated[int, Field(ge=1, le=366)]


class Audience(Value):
    """Who attends an item: whole groups, which newcomers join by themselves, and single people."""

    groups: tuple[AudienceGroup, ...] = ()
    people: tuple[Slug, ...] = ()


class Note(Value):
    """What some of those who see an item are told beside it: people of the groups, people named, and coordinators."""

    text: Annotated[BusinessText, Field(max_length=1000)]
    groups: tuple[AudienceGroup, ...] = ()
    people: Annotated[tuple[Slug, ...], Field(max_length=500)] = ()


# The request and its dossier


class OpenDelegation(Value):
    """Open the file of a delegation. `starts` is the day of arrival, `ends` the day of departure, both included."""

    type: Literal["open_delegation"] = "open_delegation"
    direction: Direction
    title: BusinessText
    purpose: BusinessText
    organisation: Slug
    partner: BusinessText
    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=60)]
    places: Annotated[tuple[BusinessText, ...], Field(max_length=60)] = ()
    starts: JourneyDay
    ends: JourneyDay
    grade: Literal["A", "B", "C"] | None = None
    conference: Literal["none", "prime_minister", "other"] = "none"
    provincial_chair: bool = False
    issuer: Slug | None = None
    led_by_city_leaders: bool = False
    key_leaders: Annotated[int, Field(ge=0, le=50)] = 0
    run_by: RunBy | None = None
    head_level: HeadLevel | None = None
    stays: Annotated[tuple[Stay, ...], Field(max_length=60)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends < self.starts:
            raise PydanticCustomError(
                "ends_before_starts",
                "ends ({ends}) is before starts ({starts})",
                {"ends": self.ends.isoformat(), "starts": self.starts.isoformat()},
            )
        return self


class ReviseRequest(Value):
    """Change what the request says, before it is decided. Fields left out stay as they are.

    `seen` is the digest of what the sender saw (`domain/meanwhile.py`): what others changed since is not written over.
    """

    type: Literal["revise_request"] = "revise_request"
    title: BusinessText | None = None
    purpose: BusinessText | None = None
    partner: BusinessText | None = None
    countries: Annotated[tuple[Country, ...], Field(min_length=1, max_length=60)] | None = None
    places: Annotated[tuple[BusinessText, ...], Field(max_length=60)] | None = None
    starts: JourneyDay | None = None
    ends: JourneyDay | None = None
    grade: Literal["A", "B", "C"] | None = None
    key_leaders: Annotated[int, Field(ge=0, le=50)] | None = None
    run_by: RunBy | None = None
    head_level: HeadLevel | None = None
    stays: Annotated[tuple[Stay, ...], Field(max_length=60)] | None = None
    seen: Digest | None = Field(default=None, exclude_if=unsaid)


class AttachDocument(Value):
    """Add a stored file to the dossier, such as a copy of a passport (`passport_copy`, with whose it is)."""

    type: Literal["attach_document"] = "attach_document"
    document_id: Slug
    kind: Slug
    attachment: AttachmentRef
    concerns: Slug | None = None


class JustifyLimit(Value):
    """Record why a breached limit is to be accepted; the approvers see it."""

    type: Literal["justify_limit"] = "justify_limit"
    limit: Annotated[str, StringConstraints(pattern=r"^[!-~]{1,64}$")]
    justification: TextRef


class SubmitRequest(Value):
    """Send the proposal, as it now stands, up its chain of approval."""

    type: Literal["submit_request"] = "submit_request"


class SubmitChange(Value):
    """Send what changed after the decision up the chain that the rules have for such a change."""

    type: Literal["submit_change"] = "submit_change"


class WithdrawRequest(Value):
    """Take a submitted proposal back; what was signed no longer counts."""

    type: Literal["withdraw_request"] = "withdraw_request"
    reason: TextRef


class AdoptRules(Value):
    """Put an open file under the edition of the rules in force now."""

    type: Literal["adopt_rules"] = "adopt_rules"


# Approval


class SignOff(Value):
    """Sign a step: approve exactly the dossier with this digest.

    This and the other answers to a step or a report may carry a passkey's `signature` over what they answer.
    """

    type: Literal["sign_off"] = "sign_off"
    step_id: Slug
    dossier_digest: Digest
    signature: PasskeySignature | None = Field(default=None, exclude_if=unsaid)


class ReturnStep(Value):
    """Send the dossier back. `incomplete` names what is missing and may happen once; `amend` asks for changes."""

    type: Literal["return_step"] = "return_step"
    step_id: Slug
    dossier_digest: Digest
    kind: Literal["incomplete", "amend"] = "incomplete"
    reason: TextRef
    missing: Annotated[tuple[BusinessText, ...], Field(max_length=50)] = ()
    signature: PasskeySignature | None = Field(default=None, exclude_if=unsaid)


class RejectStep(Value):
    """Refuse the proposal, in writing and with reasons."""

    type: Literal["reject_step"] = "reject_step"
    step_id: Slug
    dossier_digest: Digest
    reason: TextRef
    signature: PasskeySignature | None = Field(default=None, exclude_if=unsaid)


class RecordExternalDecision(Value):
    """Record what an outside authority decided on a step: its signed letter, dated and referenced.

    `approved` signs the step, `returned` sends the dossier back, `rejected` ends the way.
    """

    type: Literal["record_external_decision"] = "record_external_decision"
    step_id: Slug
    dossier_digest: Digest
    outcome: Literal["approved", "returned", "rejected"]
    authority: BusinessText
    reference: BusinessText
    dated: JourneyDay
    letter: AttachmentRef
    reason: TextRef | None = None


class IssueDecision(Value):
    """Record the decision that the signed chain leads to."""

    type: Literal["issue_decision"] = "issue_decision"
    number: BusinessText
    document: AttachmentRef | None = None


# People


class AddMember(Value):
    """Add a delegate. `country` is where they come from; `entry_papers` says that they need an entry approval.

    `key_leader` marks one of those of whom regulations let only so many travel together.
    """

    type: Literal["add_member"] = "add_member"
    member_id: Slug
    person: PersonRef
    role: DelegateRole = "member"
    country: Country
    entry_papers: bool = False
    key_leader: bool = False


class ReplaceMember(Value):
    """Let another person travel in a delegate's place."""

    type: Literal["replace_member"] = "replace_member"
    member_id: Slug
    by: Slug
    person: PersonRef
    country: Country
    entry_papers: bool = False
    key_leader: bool = False


class WithdrawMember(Value):
    """Take a delegate off the delegation; their calendar entries are cancelled."""

    type: Literal["withdraw_member"] = "withdraw_member"
    member_id: Slug
    reason: TextRef | None = None


class AppointParticipant(Value):
    """Appoint somebody who serves the delegation without being a member of it."""

    type: Literal["appoint_participant"] = "appoint_participant"
    participant_id: Slug
    person: PersonRef
    role: ServiceRole


class ReleaseParticipant(Value):
    """End an appointment."""

    type: Literal["release_participant"] = "release_participant"
    participant_id: Slug


# Programme


class ScheduleItem(Value):
    """Put an item into the programme. Unpublished items (`published` false) are nobody's calendar entry."""

    type: Literal["schedule_item"] = "schedule_item"
    item_id: Slug
    kind: ItemKind = "session"
    title: BusinessText
    starts: LocalTime
    ends: LocalTime
    place: BusinessText | None = None
    audience: Audience = Audience()
    published: bool = True
    notes: Annotated[tuple[Note, ...], Field(max_length=LARGEST_NOTES)] = ()

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_backwards(self.starts, self.ends)
        return self


class MoveItem(Value):
    """Give an item another time, and another place if one is named. `seen` is the digest of the item as it was seen."""

    type: Literal["move_item"] = "move_item"
    item_id: Slug
    starts: LocalTime
    ends: LocalTime
    place: BusinessText | None = None
    seen: Digest | None = Field(default=None, exclude_if=unsaid)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        _refuse_backwards(self.starts, self.ends)
        return self


class ReviseItem(Value):
    """Change an item's words, kind, place, audience, notes or publication. Fields left out stay as they are.

    Other words alone reach feeds and collections, not mailboxes; with `announce` they are mailed too. `seen` is the
    digest of the item as it was seen.
    """

    type: Literal["revise_item"] = "revise_item"
    item_id: Slug
    title: BusinessText | None = None
    place: BusinessText | None = None
    audience: Audience | None = None
    published: bool | None = None
    notes: Annotated[tuple[Note, ...], Field(max_length=LARGEST_NOTES)] | None = None
    announce: bool = False
    kind: ItemKind | None = Field(default=None, exclude_if=unsaid)
    seen: Digest | None = Field(default=None, exclude_if=unsaid)


class CancelItem(Value):
    """Take an item off the programme. `seen` is the digest of the item as it was seen."""

    type: Literal["cancel_item"] = "cancel_item"
    item_id: Slug
    seen: Digest | None = Field(default=None, exclude_if=unsaid)


class RestoreItem(Value):
    """Take back what was drafted of an item since it was last published. `seen` is the digest of the item as seen."""

    type: Literal["restore_item"] = "restore_item"
    item_id: Slug
    seen: Digest | None = Field(default=None, exclude_if=unsaid)


class PublishProgramme(Value):
    """Make the programme as it now stands the one that people are told of.

    `seen` is the digest of what was previewed: nothing goes out that nobody looked at.
    """

    type: Literal["publish_programme"] = "publish_programme"
    seen: Digest | None = Field(default=None, exclude_if=unsaid)


def _refuse_backwards(starts: LocalTime, ends: LocalTime) -> None:
    if ends.resolve().instant <= starts.resolve().instant:
        raise PydanticCustomError("ends_before_starts", "the end is not after the start")


# Invitations, formalities, journey


class Invite(Value):
    """Send the invitation letter, and the published programme into everybody's calendar."""

    type: Literal["invite"] = "invite"


class ChooseChannel(Value):
    """Choose how somebody's calendar hears of the programme from now on."""

    type: Literal["choose_channel"] = "choose_channel"
    participant_id: Slug
    channel: Channel


class RecordReply(Value):
    """Record what somebody answered, to one item or to the invitation as a whole.

    `sequence` and `dtstamp` are those of a mailed REPLY (RFC 5546 section 3.2.3): which version of the item it answers,
    and when it was made. `comment` is what the person wrote with it, `via` the way it came.
    """

    type: Literal["record_reply"] = "record_reply"
    participant_id: Slug
    answer: Answer
    item_id: Slug | None = None
    sequence: Annotated[int, Field(ge=0, le=2**31 - 1)] | None = None
    dtstamp: ReplyStamp | None = None
    comment: TextRef | None = None
    via: ReplyVia | None = None


class ResendMail(Value):
    """Send messages that did not arrive again, named by Message-ID: the same octets, or a copy to a corrected address.

    A message that was refused, given up or returned may be sent again unless a later one of its item took its place.
    """

    type: Literal["resend_mail"] = "resend_mail"
    messages: Annotated[tuple[MessageId, ...], Field(min_length=1, max_length=LARGEST_BATCH)]


class RecordFormality(Value):
    """Record that something the authorities ask for was done (`police_notified`, `entry_papers_requested`, …)."""

    type: Literal["record_formality"] = "record_formality"
    kind: Slug
    members: Annotated[tuple[Slug, ...], Field(max_length=500)] = ()
    reference: BusinessText | None = None
    document: AttachmentRef | None = None


class HandOver(Value):
    """Make another coordinator responsible for the file."""

    type: Literal["hand_over"] = "hand_over"
    to: Slug


class Depart(Value):
    """Record that the journey has begun."""

    type: Literal["depart"] = "depart"


class Conclude(Value):
    """Record that the journey has ended; the report is now due."""

    type: Literal["conclude"] = "conclude"


# Report


class FileReport(Value):
    """File the final report: compiled from the file itself, with results, recommendations and annexes."""

    type: Literal["file_report"] = "file_report"
    results: TextRef
    recommendations: TextRef | None = None
    annexes: Annotated[tuple[AttachmentRef, ...], Field(max_length=100)] = ()


class ReturnReport(Value):
    """Send the report back with a reason."""

    type: Literal["return_report"] = "return_report"
    report_digest: Digest
    reason: TextRef
    signature: PasskeySignature | None = Field(default=None, exclude_if=unsaid)


class AcceptReport(Value):
    """Sign the report with this digest off."""

    type: Literal["accept_report"] = "accept_report"
    report_digest: Digest
    signature: PasskeySignature | None = Field(default=None, exclude_if=unsaid)


# Ends and pauses


class Postpone(Value):
    """Put the delegation off; what was in calendars is cancelled until it is resumed."""

    type: Literal["postpone"] = "postpone"
    reason: TextRef


class Resume(Value):
    """Take a postponed delegation up again with new dates; it needs approval anew."""

    type: Literal["resume"] = "resume"
    starts: JourneyDay
    ends: JourneyDay

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.ends < self.starts:
            raise PydanticCustomError(
                "ends_before_starts",
                "ends ({ends}) is before starts ({starts})",
                {"ends": self.ends.isoformat(), "starts": self.starts.isoformat()},
            )
        return self


class CancelDelegation(Value):
    """Call the delegation off; every calendar entry is cancelled."""

    type: Literal["cancel_delegation"] = "cancel_delegation"
    reason: TextRef


class CloseDelegation(Value):
    """Close the file."""

    type: Literal["close_delegation"] = "close_delegation"


class ReopenDelegation(Value):
    """Open a closed file again, for a correction."""

    type: Literal["reopen_delegation"] = "reopen_delegation"
    reason: TextRef


# What the system itself records: the outcome of an effect, the passing of a deadline


class Tick(Value):
    """Look at the deadlines as of now."""

    type: Literal["tick"] = "tick"


class ReviewDesks(Value):
    """Look who is on leave and who stands in, at the desks that the file lies on."""

    type: Literal["review_desks"] = "review_desks"


class RecordDelivery(Value):
    """Record what became of one issue of invitations."""

    type: Literal["record_delivery"] = "record_delivery"
    issue: Annotated[int, Field(ge=1)]
    sent: Annotated[int, Field(ge=0)]
    refused: tuple[Slug, ...] = ()


class RenderedDocument(Value):
    """One language's PDF of a document."""

    language: Language
    attachment: AttachmentRef


class RecordDocument(Value):
    """Record a document that was rendered."""

    type: Literal["record_document"] = "record_document"
    kind: Literal["invitation_letter", "final_report"]
    number: Annotated[int, Field(ge=1)]
    versions: Annotated[tuple[RenderedDocument, ...], Field(min_length=1)]


class RecordNotice(Value):
    """Record that a notice (a reminder, a letter) went out."""

    type: Literal["record_notice"] = "record_notice"
    effect: EffectKey
    sent: Annotated[int, Field(ge=0)]
    refused: Annotated[int, Field(ge=0)] = 0


class RecordBounce(Value):
    """Record that a mail came back (RFC 3464); `status` is its enhanced status code (RFC 3463), `kind` the notice."""

    type: Literal["record_bounce"] = "record_bounce"
    message_id: MessageId
    status: Annotated[str, StringConstraints(pattern=r"^[245]\.[0-9]{1,3}\.[0-9]{1,3}$")]
    kind: Slug
    participants: tuple[Slug, ...] = ()
    item_id: Slug | None = None


class RecordFailure(Value):
    """Record that an effect was given up."""

    type: Literal["record_failure"] = "record_failure"
    effect: EffectKey
    code: Slug


PublicCommand = Annotated[
    OpenDelegation
    | ReviseRequest
    | AttachDocument
    | JustifyLimit
    | SubmitRequest
    | SubmitChange
    | WithdrawRequest
    | AdoptRules
    | SignOff
    | ReturnStep
    | RejectStep
    | RecordExternalDecision
    | IssueDecision
    | AddMember
    | ReplaceMember
    | WithdrawMember
    | AppointParticipant
    | ReleaseParticipant
    | ScheduleItem
    | MoveItem
    | ReviseItem
    | CancelItem
    | RestoreItem
    | PublishProgramme
    | Invite
    | ChooseChannel
    | RecordReply
    | ResendMail
    | RecordFormality
    | HandOver
    | Depart
    | Conclude
    | FileReport
    | ReturnReport
    | AcceptReport
    | Postpone
    | Resume
    | CancelDelegation
    | CloseDelegation
    | ReopenDelegation,
    Field(discriminator="type"),
]
"""What people may send."""

SystemCommand = Annotated[
    Tick | ReviewDesks | RecordDelivery | RecordDocument | RecordNotice | RecordBounce | RecordFailure,
    Field(discriminator="type"),
]
"""What only the system's own actor may send."""

Command = Annotated[PublicCommand | SystemCommand, Field(discriminator="type")]

PUBLIC_COMMAND: TypeAdapter[PublicCommand] = TypeAdapter(PublicCommand)
COMMAND: TypeAdapter[Command] = TypeAdapter(Command)


class Batch(Value):
    """Several commands decided as one: all of them, or none."""

    commands: Annotated[tuple[PublicCommand, ...], Field(min_length=1, max_length=LARGEST_BATCH)]
