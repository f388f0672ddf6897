"""Which policy of approval a delegation would get, and why. Nothing is opened and nothing is kept."""

import asyncio
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Opening, OpeningBody, Strictly, as_json
from api.engine import CommandRefused
from api.examples import OPENING_EXAMPLES
from api.installation import At
from api.problems import Problem
from domain.canonical import digest_of
from domain.choosing import Candidate
from domain.decide import decide_all
from domain.decision import Actor as Acting
from domain.decision import Context, DecideInput, Envelope, Refusal
from domain.policies import ApprovalChain, Matter
from domain.request import choose_policy
from domain.seal import genesis
from domain.values import Digest, business_date
from storage.editions import UnknownEdition

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["policies"])

ON_TRIAL = "on-trial"


class ExplainQuery(BaseModel):
    """Which policy is asked for."""

    model_config = ConfigDict(extra="forbid")

    matter: Matter = Field("request", description="The proposal, a change after its decision, or the final report.")


class Explanation(BaseModel):
    """The policy that was chosen, null if none applies, and every one that could have been, the first to win first.

    `edition` is the edition of the rules in force, by which it was chosen.
    """

    edition: Digest
    policy: ApprovalChain | None
    why: tuple[Candidate, ...]


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
    policy, why = choose_policy(state, edition, query.matter)
    return Explanation(edition=edition.digest(), policy=policy, why=why)
