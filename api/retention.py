"""How long each kind of data is kept, and the plans of what is due: looked at, applied, stopped."""

from datetime import datetime, timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from activities.retention import cutoffs_of
from api.access import BEARER, Actor, GuardedRoute
from api.installation import At, Installation
from api.problems import Problem
from domain.bilingual import Bilingual
from domain.retention import FOR_EVER, PROPOSED, Kept
from domain.rule import effective
from domain.values import business_date
from storage.editions import UnknownEdition
from storage.metadata import utc_now
from storage.register_log import ChangeRefused
from storage.retention import Outcome, Plan, Status

log = structlog.get_logger()

router = APIRouter(prefix="/retention", route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["retention"])

WORKFLOW = "RetentionRound"
ANSWER_WITHIN = timedelta(seconds=2)

PlanId = Annotated[str, Path(pattern=r"^ret_[a-z0-9]{8,64}$", description="The plan's id.")]


class KindKept(BaseModel):
    """How long one kind is kept: by which rule, and what began to count before when is due now.

    `way`: `planned` (removed by a plan that was agreed to), `proposed` (for erasure by two administrators), `kept` (for
    ever).
    """

    what: Kept
    title: Bilingual
    keep: str
    way: str
    rule: str
    version: int
    source: str
    due_before: datetime | None


class SchedulePage(BaseModel):
    """The rules in force today; and what is swept every night by settings: days of unclaimed rows and settled mails.

    `round` is `plan`, or `apply` where a plan that nobody stopped is applied after `plan_days`.
    """

    items: tuple[KindKept, ...]
    unclaimed_days: int
    received_mail_days: int
    round: str
    plan_days: int


class PlannedKindView(BaseModel):
    """What a plan lists of one kind, and what became of it once it is applied. `more`: the next plan has the rest."""

    what: Kept
    rule: str
    version: int
    before: datetime
    count: int
    digest: str
    more: bool
    outcome: dict[Outcome, int]


class PlanView(BaseModel):
    """A plan. `digest` stands for the set of everything it lists. Instants are wall time in UTC."""

    id: str
    status: Status
    made_at: datetime
    made_by: str
    digest: str
    count: int
    kinds: tuple[PlannedKindView, ...]
    agreed_at: datetime | None
    agreed_by: str | None
    ended_at: datetime | None


class PlanList(BaseModel):
    """The last plans, the newest first."""

    items: tuple[PlanView, ...]


class EntryView(BaseModel):
    """An entry of a plan, by its opaque name, and what became of it."""

    entry: str
    outcome: Outcome | None


class EntryList(BaseModel):
    """Entries in order, and where the next page begins."""

    items: tuple[EntryView, ...]
    next_after: str | None


EntryName = Annotated[str, Field(max_length=200, pattern=r"^[^\x00]*$")]
"""An entry of a plan, or nothing; no entry has a NUL, and PostgreSQL takes none."""


class EntryQuery(BaseModel):
    """Which entries."""

    model_config = ConfigDict(extra="forbid")

    after: EntryName = ""
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


@router.get("")
async def show_retention(at: At) -> SchedulePage:
    """Show how long each kind of data is kept by the rules in force today."""
    now, zone = utc_now(), at.settings.zone
    today = business_date(now, zone)
    try:
        rules = effective((await at.editions.effective(today)).retention, today)
    except UnknownEdition:
        rules = ()
    before = {one.what: one.before for one in await cutoffs_of(at.registers, now, zone)}
    return SchedulePage(
        items=tuple(
            KindKept(
                what=rule.what,
                title=rule.title,
                keep=rule.keep,
                way="kept" if rule.what in FOR_EVER else "proposed" if rule.what in PROPOSED else "planned",
                rule=rule.id,
                version=rule.version,
                source=rule.source,
                due_before=before.get(rule.what),
            )
            for rule in rules
        ),
        unclaimed_days=at.settings.unclaimed_days,
        received_mail_days=at.settings.received_mail_days,
        round=at.settings.retention_round,
        plan_days=at.settings.retention_plan_days,
    )


@router.get("/plans")
async def list_retention_plans(at: At) -> PlanList:
    """List the last fifty plans, the newest first."""
    return PlanList(items=tuple(_view(one) for one in await at.retention.latest()))


@router.post("/plans", status_code=201)
async def make_retention_plan(actor: Actor, at: At) -> PlanView:
    """Plan what is due now, without removing anything; in the place of the plan that is still open, if they differ."""
    due = await cutoffs_of(at.registers, utc_now(), at.settings.zone)
    made = await at.retention.make(due, by=actor.id)
    if made is None:
        raise Problem("plan_unknown")
    return _view(made)


@router.get("/plans/{plan}")
async def show_retention_plan(plan: PlanId, at: At) -> PlanView:
    """Show what a plan lists, by kind, and what became of it."""
    found = await at.retention.get(plan)
    if found is None:
        raise Problem("plan_unknown")
    return _view(found)


@router.get("/plans/{plan}/entries/{kind}")
async def list_retention_entries(
    plan: PlanId, kind: Annotated[Kept, Path()], query: Annotated[EntryQuery, Query()], at: At
) -> EntryList:
    """List what a plan has of one kind: references and digests."""
    if await at.retention.get(plan) is None:
        raise Problem("plan_unknown")
    found = await at.retention.entries(plan, kind, after=query.after, limit=query.limit)
    more = found[-1].entry if len(found) == query.limit else None
    return EntryList(items=tuple(EntryView(entry=one.entry, outcome=one.outcome) for one in found), next_after=more)


@router.post("/plans/{plan}/apply")
async def apply_retention_plan(plan: PlanId, actor: Actor, at: At) -> PlanView:
    """Agree to a plan: what it lists is removed from now on, as far as it is still due when its turn comes."""
    try:
        agreed = await at.retention.agree(plan, by=actor.id)
    except ChangeRefused as refused:
        raise Problem(refused.code) from None
    if agreed.status == "agreed":
        await _begin(at, plan)
    return _view(agreed)


@router.post("/plans/{plan}/stop")
async def stop_retention_plan(plan: PlanId, actor: Actor, at: At) -> PlanView:
    """Stop a plan: what it has not removed yet stays."""
    try:
        return _view(await at.retention.stop(plan, by=actor.id))
    except ChangeRefused as refused:
        raise Problem(refused.code) from None


async def _begin(at: Installation, plan: str) -> None:
    """Start the removal; where Temporal is away, the night's round does."""
    if at.client is None:
        log.warning("retention_not_begun", plan=plan, reason="temporal_unreachable")
        return
    try:
        await at.client.start_workflow(
            WORKFLOW,
            {"plan": plan},
            # A colon: no delegation has such an id.
            id=f"retention:{plan}",
            task_queue=at.settings.temporal_task_queue,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            rpc_timeout=ANSWER_WITHIN,
        )
    except (RPCError, RuntimeError) as error:
        log.warning("retention_not_begun", plan=plan, reason=type(error).__name__)


def _view(plan: Plan) -> PlanView:
    outcome = plan.outcome or {}
    return PlanView.model_validate(
        {
            "id": plan.id,
            "status": plan.status,
            "made_at": plan.made_at,
            "made_by": plan.made_by,
            "digest": plan.digest,
            "count": plan.count,
            "kinds": [
                {
                    "what": kind.cutoff.what,
                    "rule": kind.cutoff.rule,
                    "version": kind.cutoff.version,
                    "before": kind.cutoff.before,
                    "count": kind.count,
                    "digest": kind.digest,
                    "more": kind.more,
                    "outcome": outcome.get(kind.cutoff.what, {}),
                }
                for kind in plan.kinds
            ],
            "agreed_at": plan.agreed_at,
            "agreed_by": plan.agreed_by,
            "ended_at": plan.ended_at,
        }
    )
