"""Which policy of approval a delegation gets, why, and who sits at its desks. Nothing is opened and nothing is kept."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Opening, OpeningBody, Strictly, as_json
from api.engine import CommandRefused
from api.examples import OPENING_EXAMPLES
from api.files import KnownFile
from api.installation import At, Installation
from api.problems import Problem
from domain.bilingual import Bilingual
from domain.canonical import digest_of
from domain.choosing import Candidate
from domain.conflicts import Asked, Desks, Hindrance, hindered, seated, settle, still_asked
from domain.decide import decide_all
from domain.decision import Actor as Acting
from domain.decision import Context, DecideInput, Envelope, Refusal
from domain.entitlement import signatories, travellers
from domain.events import ConflictedStep, RuleRef
from domain.institution import StandIn
from domain.policies import ApprovalChain, Matter
from domain.request import choose_policy
from domain.rules import Edition
from domain.seal import genesis
from domain.state import Delegation
from domain.values import Digest, Instant, business_date
from storage.editions import UnknownEdition
from storage.metadata import utc_now
from storage.standing import Stands

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["policies"])

ON_TRIAL = "on-trial"


class ExplainQuery(BaseModel):
    """Which policy is asked for."""

    model_config = ConfigDict(extra="forbid")

    matter: Matter = Field("request", description="The proposal, a change after its decision, or the final report.")


class Sitter(BaseModel):
    """An account that sits at a desk now. `why` is what forbids it to sign here; null where nothing does."""

    account: str
    why: Hindrance | None


class StandsIn(BaseModel):
    """Who signs for an account on leave, within the leave (UTC)."""

    account: str
    substitute: str
    leave: str
    since: Instant
    until: Instant


class PositionDesk(BaseModel):
    """The desk of a position for this file: at which organisation it stands, who sits there, who stands in for them.

    Without an `organisation` nobody has ever held the position at one of those that the file belongs to.
    """

    position: str
    organisation: str | None
    sitting: tuple[Sitter, ...]
    stand_ins: tuple[StandsIn, ...]


class StepDesks(BaseModel):
    """A step as this file gets it now: its desks, none for an outside authority.

    `hindered` says why nobody can sign it as things stand, and is empty where somebody can.
    """

    step_id: str
    title: Bilingual
    external: bool
    desks: tuple[PositionDesk, ...]
    hindered: tuple[Hindrance, ...]


class Explanation(BaseModel):
    """The policy that was chosen, null if none applies, and every one that could have been, the first to win first.

    `edition` is the edition of the rules by which it was chosen. `steps` are those of the policy as the file would get
    them now, with who sits at their desks; `conflicted` those that others would decide, since whoever sits there may
    not.
    """

    edition: Digest
    policy: ApprovalChain | None
    why: tuple[Candidate, ...]
    conflicted: tuple[ConflictedStep, ...] = ()
    steps: tuple[StepDesks, ...] = ()


class Laid(BaseModel):
    """The chain that was laid out for a proposal, a change or a report: its policy, and its steps as sealed."""

    number: int
    chain: RuleRef | None
    conflicted: tuple[ConflictedStep, ...] = ()
    steps: tuple[StepDesks, ...]


class FileExplanation(BaseModel):
    """What chain a file got, null where nothing was submitted in this matter, and what it would get now.

    Of the steps that were laid out, `hindered` is said of those that are not signed yet.
    """

    got: Laid | None
    now: Explanation


@router.post("/policies/explain")
async def explain_policy(
    body: Annotated[OpeningBody, Strictly(OpeningBody), Body(openapi_examples=OPENING_EXAMPLES)],
    query: Annotated[ExplainQuery, Query()],
    actor: Actor,
    at: At,
) -> Explanation:
    """Say which policy a delegation would get if it were opened so, and why: each condition, met or not."""
    commands = [as_json(body)] if isinstance(body, Opening) else [as_json(command) for command in body.commands]
    now = datetime.now(UTC)
    try:
        stands = await at.registers.standing.look(
            actor.id, now, on=business_date(now, at.settings.zone), organisation=commands[0].get("organisation")
        )
    except UnknownEdition:
        raise Problem("edition_unknown") from None
    edition = await at.editions.get(stands.newest)
    envelope = Envelope(
        delegation=ON_TRIAL, command_id=ON_TRIAL, actor=actor.id, commands=tuple(commands), digest=digest_of(commands)
    )
    # Decided as if a coordinator sent it: whoever may read files may ask what would be.
    context = Context.model_construct(
        now=now,
        actor=Acting(id=actor.id, roles=("coordinator",)),
        edition=edition,
        newest=edition,
        run_by=stands.run_by,
    )
    # Five hundred commands take a moment in which others want their answers too.
    decision, state, _ = await asyncio.to_thread(
        decide_all, DecideInput(state=None, head=genesis(ON_TRIAL), envelope=envelope, now=now), context
    )
    if state is None or decision.refusal is not None:
        raise CommandRefused(decision.refusal or Refusal(code="delegation_unknown"))
    there = await _there(at, stands, now)
    return _explained(state, edition, query.matter, actor.id, there)


@router.get("/delegations/{delegation}/policy")
async def explain_file_policy(file: KnownFile, query: Annotated[ExplainQuery, Query()], at: At) -> FileExplanation:
    """Say which chain of approval a file got and which it would get now, who sits at each desk, what nobody can sign.

    Nothing changes: who is asked is as the registers stand at this moment.
    """
    state, now = file.state, max(utc_now(), file.updated_at)
    stands = await at.registers.standing.look(
        state.coordinator, now, on=business_date(now, state.zone), organisation=state.organisation
    )
    edition = await at.editions.get(state.edition)
    there = await _there(at, stands, now)
    return FileExplanation(
        got=_laid(state, query.matter, there),
        now=_explained(state, edition, query.matter, state.coordinator, there),
    )


class There(NamedTuple):
    """Who sits at a file's desks, and who stands in there, at an instant."""

    desks: Desks
    stand_ins: tuple[StandIn, ...]


async def _there(at: Installation, stands: Stands, now: datetime) -> There:
    standing = at.registers.standing
    sitting = await standing.sitting(now, stands.lineage, stands.desks)
    stand_ins = await standing.stand_ins(now, stands.lineage, stands.desks)
    return There(Desks(sitting, lineage=stands.lineage, desks=stands.desks), stand_ins)


def _explained(state: Delegation, edition: Edition, matter: Matter, submitter: str, there: There) -> Explanation:
    policy, why = choose_policy(state, edition, matter)
    desks = there.desks._replace(own=_own(state, matter, submitter), travellers=travellers(state))
    settled = settle(policy.steps if policy else (), desks)
    hindrances = {one.step_id: one.why for one in settled.hindered}
    return Explanation(
        edition=edition.digest(),
        policy=policy,
        why=why,
        conflicted=settled.conflicted,
        steps=tuple(
            StepDesks(
                step_id=step.id,
                title=step.title,
                external=step.external,
                desks=_at_desks(step.positions, desks, there),
                hindered=hindrances.get(step.id, ()),
            )
            for step in settled.steps
        ),
    )


def _laid(state: Delegation, matter: Matter, there: There) -> Laid | None:
    if matter == "final_report":
        plan, report = state.reviewing, state.report
        if report is None or plan is None:
            return None
        steps = [Asked(plan.id, plan.signing_positions, plan.needed or 1)] if report.status == "filed" else []
        chain, number, plans = None, report.number, [plan]
        conflicted: tuple[ConflictedStep, ...] = ()
        desks = there.desks._replace(own={report.filed_by, state.coordinator})
    else:
        proposal = state.proposal if matter == "request" else state.amendment
        if proposal is None:
            return None
        steps = list(still_asked(proposal))
        chain, number, conflicted = proposal.chain, proposal.number, proposal.conflicted
        plans = [step.plan for step in proposal.steps]
        signed = {who for step in proposal.steps for one in step.signed_by for who in signatories(one)}
        desks = there.desks._replace(own=_own(state, matter, state.coordinator), signed=signed)
    desks = desks._replace(travellers=travellers(state))
    hindrances = {one.step_id: one.why for one in hindered(steps, desks)}
    return Laid(
        number=number,
        chain=chain,
        conflicted=conflicted,
        steps=tuple(
            StepDesks(
                step_id=plan.id,
                title=Bilingual(vi=plan.title_vi, en=plan.title_en),
                external=plan.external,
                desks=_at_desks(plan.signing_positions, desks, there),
                hindered=hindrances.get(plan.id, ()),
            )
            for plan in plans
        ),
    )


def _own(state: Delegation, matter: Matter, submitter: str) -> set[str]:
    return {*state.own, submitter}


def _at_desks(positions: Iterable[str], desks: Desks, there: There) -> tuple[PositionDesk, ...]:
    return tuple(
        PositionDesk(
            position=position,
            organisation=(desks.desks or {}).get(position),
            sitting=tuple(Sitter(account=actor.id, why=why) for actor, why in seated(position, desks)),
            stand_ins=tuple(
                StandsIn.model_validate(one.model_dump()) for one in there.stand_ins if one.position == position
            ),
        )
        for position in positions
    )
