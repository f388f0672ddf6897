"""Erasing a person: one administrator asks, another one agrees, and a workflow carries it out.

Both are shown what will go and what cannot be reached, as it stands when they look.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from activities.erasure import begin
from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Strictly
from api.installation import At, Installation
from api.persons import require_reach
from api.problems import Problem
from domain.erasure import OutOfReach, Reason, State, Traces
from domain.sign_in import Acting
from domain.values import Value
from storage.erasures import Erasure
from storage.register_log import ChangeRefused

router = APIRouter(prefix="/erasures", route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["erasures"])

ErasureId = Annotated[str, Path(pattern=r"^era_[a-z0-9]{8,64}$", description="As it was given when it was asked.")]


class NewErasure(Value):
    """Who is to be erased, by reference, and why: a code, for reasons in words would be data of their own."""

    person: str = Field(pattern=r"^per_[A-Za-z0-9_-]{8,64}$")
    reason: Reason


class ErasureQuery(BaseModel):
    """Which erasures to list."""

    model_config = ConfigDict(extra="forbid")

    person: str | None = Field(None, pattern=r"^per_[A-Za-z0-9_-]{8,64}$")
    state: State | None = None


class ErasureView(BaseModel):
    """An erasure. Times are wall time; `ended_at` is when it was withdrawn or carried out.

    `found` is what of the person there is, or was before: `places` says as the how manieth person they stand on each
    file, and so what they are called afterwards. `removed` says how much each step has taken away. `out_of_reach` is
    what nobody can take back, or what a person has to judge. Nothing here is personal: references, digests, counts.
    """

    id: str
    person: str
    reason: Reason
    state: State
    asked_by: str
    asked_at: datetime
    agreed_by: str | None
    agreed_at: datetime | None
    ended_at: datetime | None
    places: Mapping[str, tuple[int, ...]]
    documents: int
    mails: int
    letters_to_others: int
    received: int
    accounts: tuple[str, ...]
    removed: Mapping[str, int]
    out_of_reach: OutOfReach


class ErasureLine(BaseModel):
    """An erasure in a list."""

    id: str
    person: str
    reason: Reason
    state: State
    asked_by: str
    asked_at: datetime
    agreed_by: str | None
    agreed_at: datetime | None
    ended_at: datetime | None


class ErasureList(BaseModel):
    """Erasures in the order in which they were asked, without what was found of the people."""

    items: tuple[ErasureLine, ...]


EXAMPLE = {"person": "per_2q6k7h4m3x5y2b7c4d6e7f2g3a", "reason": "asked_by_person"}


@router.post("", status_code=201)
async def ask_erasure(
    body: Annotated[NewErasure, Strictly(NewErasure), Body(examples=[EXAMPLE])], actor: Actor, at: At
) -> ErasureView:
    """Ask that a person be erased; nothing happens until another administrator agrees.

    Asking again answers with what waits. Problems: `person_unknown` (404), `person_erased` (410), `erasure_exists`
    (409), `erasure_of_oneself` (403).
    """
    await require_reach(body.person, actor, at)
    with _refusals():
        return await _view(at, await at.registers.erasures.ask(body.person, body.reason, by=actor.id))


@router.get("")
async def list_erasures(query: Annotated[ErasureQuery, Query()], at: At) -> ErasureList:
    """List erasures: those that wait, those under way, and those that were carried out or withdrawn."""
    known = await at.registers.erasures.known(person=query.person, state=query.state)
    names = ErasureLine.model_fields
    return ErasureList(items=tuple(ErasureLine(**{name: getattr(one, name) for name in names}) for one in known))


@router.get("/{erasure}")
async def show_erasure(erasure: ErasureId, actor: Actor, at: At) -> ErasureView:
    """Show an erasure: what it finds or found, how far it is, and what it cannot reach."""
    return await _view(at, await _in_reach(erasure, actor, at))


@router.post("/{erasure}/agreement")
async def agree_erasure(erasure: ErasureId, actor: Actor, at: At) -> ErasureView:
    """Agree that a person be erased. It begins at once, or as soon as the server answers, and cannot be stopped.

    Problems: `erasure_needs_another`, `erasure_of_oneself`, `erasure_through_substitute` (403), `erasure_asker_gone`,
    `erasure_settled` (409), `erasure_unknown` (404).
    """
    await _in_reach(erasure, actor, at)
    with _refusals():
        agreed = await at.registers.erasures.agree(erasure, by=actor.id)
    await begin(at.client, at.settings.temporal_task_queue, agreed)
    return await _view(at, agreed)


@router.post("/{erasure}/withdrawal")
async def withdraw_erasure(erasure: ErasureId, actor: Actor, at: At) -> ErasureView:
    """Take back an erasure that nobody has agreed to, by whoever asked.

    Problems: `erasure_not_yours` (403), `erasure_settled` (409), `erasure_unknown` (404).
    """
    with _refusals():
        return await _view(at, await at.registers.erasures.withdraw(erasure, by=actor.id))


async def _in_reach(erasure: str, actor: Acting, at: Installation) -> Erasure:
    found = await at.registers.erasures.get(erasure)
    if found is None:
        raise Problem("erasure_unknown")
    await require_reach(found.person, actor, at)
    return found


async def _view(at: Installation, entry: Erasure) -> ErasureView:
    traces = entry.traces
    if traces is None:
        # Withdrawn, nobody needs to know any more where somebody is to be found.
        traces = Traces() if entry.state == "withdrawn" else await at.registers.trace_finder.look(entry.person)
    names = ErasureLine.model_fields
    return ErasureView(
        **{name: getattr(entry, name) for name in names},
        places=traces.places,
        documents=len(traces.documents),
        mails=len(traces.lines),
        letters_to_others=len(traces.naming),
        received=len(traces.received),
        accounts=traces.accounts,
        removed=entry.done,
        out_of_reach=traces.beyond,
    )


@contextmanager
def _refusals() -> Iterator[None]:
    try:
        yield
    except ChangeRefused as refused:
        raise Problem(refused.code) from None
