"""Chains of sealed events as a delegation makes them, for tests of the store."""

from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta

from domain.commands import Audience
from domain.events import (
    AnyEvent,
    Calculation,
    CeilingLine,
    CeilingSet,
    CoordinatorChanged,
    DeadlineLifted,
    DeadlineMet,
    DeadlineMissed,
    DeadlineReminded,
    DeadlineSet,
    DelegationCancelled,
    DelegationOpened,
    DocumentAttached,
    DossierPart,
    ItemCancelled,
    ItemMoved,
    ItemScheduled,
    MemberAdded,
    MemberWithdrawn,
    RequestRevised,
    RequestSubmitted,
    Right,
    RuleRef,
    StepPlan,
    StepSigned,
)
from domain.seal import Head, SealedEvent, genesis, head_of, seal
from domain.values import AttachmentRef, Direction, PersonRef, TextRef, resolve

ZONE = "Asia/Ho_Chi_Minh"
START = datetime(2026, 2, 24, 2, 0, tzinfo=UTC)
REPORT_RULE = RuleRef(rule="IN-REPORT", version=1)
HEAD_STEP = StepPlan(id="head", position="department_head", title_vi="Trưởng ban", title_en="Head of department")
VICE_STEP = StepPlan(id="vice", position="vice_president", title_vi="Phó Chủ tịch", title_en="Vice-president")


def sealed(
    delegation_id: str, events: Iterable[AnyEvent], *, after: Head | None = None, start: datetime = START
) -> list[SealedEvent]:
    """Return the events sealed as one chain, an hour apart."""
    head, chain = after or genesis(delegation_id), []
    for event in events:
        chain.append(
            seal(
                head,
                type=event.type,
                version=event.version,
                at=start + timedelta(hours=head.seq),
                actor="linh",
                command_id=f"cmd-{head.seq + 1}",
                data=event.model_dump(mode="json", exclude={"type"}),
            )
        )
        head = head_of(chain[-1])
    return chain


def opened(
    delegation_id: str,
    *,
    title: str = "Đoàn hữu nghị Nhật Bản thăm tỉnh Sông Lam",
    direction: Direction = "inbound",
    coordinator: str = "linh",
    organisation: str = "songlam",
    countries: tuple[str, ...] = ("JP", "DE", "US"),
    starts: date = date(2026, 4, 6),
) -> DelegationOpened:
    """Return the first event of a file."""
    return DelegationOpened(
        delegation=delegation_id,
        edition="e" * 64,
        zone=ZONE,
        direction=direction,
        title=title,
        purpose="Trao đổi kinh nghiệm",
        organisation=organisation,
        partner="Hội Hữu nghị Nhật – Việt",
        countries=countries,
        places=("Hà Nội", "Huế"),
        starts=starts,
        ends=starts + timedelta(days=6),
        grade="C",
        coordinator=coordinator,
    )


def member(number: int) -> MemberAdded:
    """Return the entry of a delegate."""
    return MemberAdded(
        member_id=f"m{number}",
        person=PersonRef(ref=f"per_member{number:04d}", commitment=f"{number:064x}"),
        role="head" if number == 1 else "member",
        country="JP",
        entry_papers=False,
    )


def item(number: int, local: str = "2026-04-11T09:00") -> ItemScheduled:
    """Return a session of an hour and a half."""
    end = (datetime.fromisoformat(local) + timedelta(minutes=90)).strftime("%Y-%m-%dT%H:%M")
    return ItemScheduled(
        item_id=f"s{number}",
        kind="session",
        title=f"Phiên làm việc {number}",
        starts=resolve(local, ZONE),
        ends=resolve(end, ZONE),
        place="Hội trường A",
        audience=Audience(groups=("delegates",)),
        published=True,
    )


def moved(number: int, local: str) -> ItemMoved:
    """Return the move of a session to another time."""
    return ItemMoved(item_id=f"s{number}", starts=resolve(local, ZONE), ends=resolve(local, ZONE), place="Hội trường B")


def deadline(what: str, due_on: date) -> DeadlineSet:
    """Return a deadline with one reminder the day before."""
    due_at = datetime(due_on.year, due_on.month, due_on.day, 16, 59, 59, tzinfo=UTC)
    return DeadlineSet(
        what=what,
        due_on=due_on,
        due_at=due_at,
        remind_at=(due_at - timedelta(days=1),),
        rule=REPORT_RULE,
        calculation=Calculation(anchor="departure", anchor_on=due_on, offset=3, unit="days", side="after"),
    )


def ceiling(total_vnd: int, head_count: int) -> CeilingSet:
    """Return a ceiling of seven days."""
    return CeilingSet(
        total_vnd=total_vnd,
        head_count=head_count,
        days=7,
        nights=6,
        lines=(
            CeilingLine(
                what="meals", quantity=head_count * 7, unit_vnd=800_000, amount_vnd=total_vnd, rule=REPORT_RULE
            ),
        ),
    )


def submitted() -> RequestSubmitted:
    """Return a proposal with two steps."""
    return RequestSubmitted(
        proposal=1,
        digest="d" * 64,
        parts=(DossierPart(part="request", commitment="a" * 64),),
        chain=RuleRef(rule="APPROVAL-IN", version=1),
        steps=(HEAD_STEP, VICE_STEP),
    )


def signed(step: StepPlan) -> StepSigned:
    """Return a signature."""
    return StepSigned(step_id=step.id, digest="d" * 64, right=Right(position=step.position))


def a_whole_file(delegation_id: str = "spring-visit") -> list[SealedEvent]:
    """Return a chain with an event of every kind that leaves something in a read table."""
    return sealed(delegation_id, every_kind(delegation_id))


def every_kind(delegation_id: str) -> Sequence[AnyEvent]:
    """Return the events of `a_whole_file`, not yet sealed."""
    return (
        opened(delegation_id),
        deadline("proposal", date(2026, 3, 27)),
        DocumentAttached(
            document_id="letter",
            kind="request",
            attachment=AttachmentRef(digest="f" * 64, media_type="application/pdf", size=1000),
        ),
        *(member(number) for number in range(1, 5)),
        ceiling(67_200_000, 4),
        item(1),
        item(2, "2026-04-07T14:00"),
        submitted(),
        DeadlineMet(what="proposal"),
        signed(HEAD_STEP),
        RequestRevised(title="Đoàn Nhật Bản và Đức thăm tỉnh Sông Lam", countries=("JP", "DE")),
        deadline("report", date(2026, 4, 15)),
        deadline("guest_data", date(2026, 4, 1)),
        DeadlineLifted(what="guest_data"),
        moved(1, "2026-04-11T14:30"),
        MemberWithdrawn(member_id="m4", reason=TextRef(ref="txt_withdrawn01", commitment="b" * 64)),
        ceiling(61_600_000, 3),
        ItemCancelled(item_id="s2"),
        CoordinatorChanged(previous="linh", coordinator="minh"),
        DeadlineReminded(what="report", due_on=date(2026, 4, 15)),
        DeadlineMissed(
            what="report",
            due_on=date(2026, 4, 15),
            due_at=datetime(2026, 4, 15, 16, 59, 59, tzinfo=UTC),
            rule=REPORT_RULE,
        ),
    )


def cancelled() -> DelegationCancelled:
    """Return the end of a file."""
    return DelegationCancelled(reason=TextRef(ref="txt_cancelled01", commitment="c" * 64))
