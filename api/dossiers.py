"""The dossier that is to be signed, and what changed in it since its reader last saw it."""

import asyncio
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict

from api.access import BEARER, Actor, GuardedRoute
from api.files import KnownFile
from api.installation import At, Installation
from api.problems import Problem
from domain.decision import Actor as Acting
from domain.desk import sitting_at
from domain.differences import Difference, differences, entries
from domain.dossier import PartContent
from domain.dossiers import Dossier, JustifiedBreach, Trail, Why, read_trail, seen_before, standing
from domain.events import Right, RuleRef
from domain.observations import Renewed, asked_of, renewed
from domain.signing import Proven
from domain.state import Ceiling, Delegation, Proposal, Step
from domain.values import Digest, Slug, business_date
from storage.metadata import utc_now
from storage.trips import Trips

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["delegations"])


class DossierQuery(BaseModel):
    """For whom it is shown."""

    model_config = ConfigDict(extra="forbid")

    step: Slug | None = None


class SignatureView(BaseModel):
    """A signature so far: of which step, by whom, by what right, and how it is proven (`factor`).

    `proposal` is the earlier one that it was given on, where it was carried over.
    """

    step: str
    by: str
    at: datetime
    right: Right
    factor: Proven | None
    proposal: int | None


class DifferencesView(BaseModel):
    """What changed since an earlier proposal. `why` says why since that one:

    `you_answered`: it is the one that the reader answered last; `desk_answered`: the one that was answered last for the
    position for which the reader would sign, by whoever held it or stood in; `step_before_answered`: the one that the
    stage before the step signed; `approved`: of a change after the decision, what stands approved; `first`: nobody of
    these saw one, so `since` is null and nothing is compared.
    `ceiling_before` has the lines of the earlier ceiling.
    """

    since: int | None
    why: Why
    items: tuple[Difference, ...]
    ceiling_before: Ceiling | None = None


class DossierView(BaseModel):
    """The proposal as it was submitted: what its digest was made from, and how far its chain has come.

    People and texts stand in `parts` by reference and commitment, files by their digest; the `content` of a part is
    null where it cannot be told any more. `step` is the step it is shown for, if any is open or was named.
    `observations` are what other files say now, while it waits for signatures; they are no part of what is signed.
    """

    delegation: str
    proposal: int
    digest: Digest
    withdrawn: bool
    submitted_by: str
    submitted_at: datetime
    policy: RuleRef
    step: str | None
    parts: tuple[PartContent, ...]
    breaches: tuple[JustifiedBreach, ...]
    ceiling: Ceiling | None
    signatures: tuple[SignatureView, ...]
    differences: DifferencesView
    observations: tuple[Renewed, ...] = ()


@router.get("/delegations/{delegation}/dossier")
async def show_dossier(file: KnownFile, query: Annotated[DossierQuery, Query()], actor: Actor, at: At) -> DossierView:
    """Show the dossier that stands, as who is to sign a step sees it: without `step` the open one of one's position.

    Problems: `dossier_missing` (404) where nothing was submitted yet, `step_unknown`.
    """
    # Taken from the journal whole, so that proposal and dossier are of one instant.
    trail, state = await asyncio.to_thread(read_trail, await at.queries.events(file.state.id))
    proposal = standing(state) if state else None
    if proposal is None or proposal.number not in trail.dossiers:
        raise Problem("dossier_missing")
    if query.step is not None and proposal.step(query.step) is None:
        raise Problem("step_unknown", params={"step": query.step})
    own = await _sits_at(at, actor, file.state)
    step = query.step or _own_step(proposal.open_steps, own)
    approved = state.approved if state else None
    since, why = seen_before(trail, proposal, actor.id, step, positions=own, approved=approved)
    dossier = trail.dossiers[proposal.number]
    return DossierView(
        delegation=file.state.id,
        proposal=proposal.number,
        digest=proposal.digest,
        withdrawn=proposal.withdrawn,
        submitted_by=dossier.submitted_by,
        submitted_at=dossier.submitted_at,
        policy=dossier.policy,
        step=step,
        parts=dossier.parts,
        breaches=dossier.breaches,
        ceiling=dossier.ceiling,
        signatures=tuple(_signatures(proposal)),
        differences=_differences(trail, dossier, since, why),
        observations=await _observations(at, file.state),
    )


async def _observations(at: Installation, state: Delegation) -> tuple[Renewed, ...]:
    edition = await at.editions.get(state.edition)
    asked = asked_of(state, edition)
    if asked is None:
        return ()
    return renewed(state, edition, await Trips(at.registers.database).others(state.id, asked), utc_now())


def _own_step(open_steps: tuple[Step, ...], own: frozenset[str]) -> str | None:
    steps = [step for step in open_steps if own & set(step.waits_for)] or open_steps
    return steps[0].id if steps else None


def _signatures(proposal: Proposal) -> list[SignatureView]:
    return [
        SignatureView(step=step.id, by=one.by, at=one.at, right=one.right, factor=one.factor, proposal=one.proposal)
        for step in proposal.steps
        for one in step.signed_by
    ]


def _differences(trail: Trail, dossier: Dossier, since: int | None, why: Why) -> DifferencesView:
    earlier = trail.dossiers.get(since) if since is not None else None
    items = differences(entries(earlier.parts), entries(dossier.parts)) if earlier else ()
    return DifferencesView(since=since, why=why, items=items, ceiling_before=earlier.ceiling if earlier else None)


async def _sits_at(at: Installation, actor: Acting, state: Delegation) -> frozenset[str]:
    """Return the positions for which somebody would sign on a file now: those they hold and those they stand in for."""
    now = utc_now()
    stands = await at.registers.standing.look(
        actor.id, now, on=business_date(now, state.zone), organisation=state.organisation
    )
    return sitting_at(stands.actor, stands.desks)
