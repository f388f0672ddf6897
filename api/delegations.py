"""Delegations: opening one, the list, one file as it stands."""

from datetime import date, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Body, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.as_of import ThenQuery, file_then
from api.bodies import IdempotencyKey, Opening, OpeningBody, Strictly, as_json
from api.commands import ReceiptView, execute
from api.conditional import Representation, respond
from api.examples import OPENING_EXAMPLES
from api.files import DelegationId, KnownFile, reach
from api.installation import At, Installation
from api.parameters import Day, SentInstant
from api.problems import Problem
from domain.amendment import unapproved
from domain.canonical import digest_of
from domain.events import Breach, CalendarMessage
from domain.invitations import untold
from domain.programme import Overlap, overlaps
from domain.request import breaches
from domain.state import Delegation, Observation, Phase
from domain.values import Digest, Direction, Slug
from storage.cursors import BadCursor
from storage.queries import LARGEST_PAGE, File, Filters, Listed
from storage.read_model import next_due, waits_for

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["delegations"])


class ListQuery(BaseModel):
    """What to list, in which order, and which page of it."""

    model_config = ConfigDict(extra="forbid")

    phase: list[Phase] = Field([], max_length=12)
    direction: Direction | None = None
    coordinator: Slug | None = None
    organisation: Slug | None = None
    country: Annotated[str, Field(pattern=r"^[A-Z]{2}$")] | None = None
    year: Annotated[int, Field(ge=1990, le=2199)] | None = None
    q: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="Words of title, partner, organisation or places; diacritics do not matter."
    )
    due_before: Day | None = Field(None, description="An open deadline is due before this day.")
    waits_for: list[Slug] = Field([], max_length=20, description="Positions, or `coordinator`: on whose desk it is.")
    overdue: bool | None = None
    sort: Literal["starts", "updated", "next_due", "title"] = "starts"
    order: Literal["asc", "desc"] = "asc"
    limit: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] = 50
    cursor: Annotated[str, Field(max_length=2000)] | None = Field(None, description="`next_cursor` of the page before.")
    as_of: SentInstant | None = Field(
        None, description="The files that were open at this instant, as they then were; every filter asks that."
    )


class DelegationPage(BaseModel):
    """A page of the list, and the cursor of the next one if there may be one."""

    items: tuple[Listed, ...]
    next_cursor: str | None


class NextDeadline(BaseModel):
    """The earliest due date that is still open; `due_on` is a day in the file's zone."""

    what: str
    due_on: date


class OpenStep(BaseModel):
    """A step whose turn it is, and the digest that a sign-off of it names.

    `waits_for` are the positions that may still sign it; `external` says that an outside authority decides it.
    """

    id: str
    position: str
    title_vi: str
    title_en: str
    dossier_digest: Digest
    waits_for: tuple[str, ...]
    external: bool


class ShownBreach(Breach):
    """A limit that the delegation, as it stands, exceeds, and whether that is justified."""

    justified: bool


class ShownObservation(Observation):
    """What other files last said of a member; it warns where it is more than the rules allow, and refuses nothing."""

    warns: bool


class DelegationView(BaseModel):
    """A file as it stands after event `seq`; everything beside `state` is worked out from it.

    `unapproved` names the parts of the dossier that changed after the decision and, by the policy for such changes,
    still need approval. `untold` are the calendar messages that go out when the quiet window ends (`quiet_until` of
    the state), as they would be if nothing changed until then.
    """

    id: str
    phase: Phase
    seq: int
    head: Digest
    updated_at: datetime
    waits_for: str | None
    head_count: int
    next_deadline: NextDeadline | None
    open_step: OpenStep | None
    open_steps: tuple[OpenStep, ...]
    unapproved: tuple[str, ...]
    breaches: tuple[ShownBreach, ...]
    observations: tuple[ShownObservation, ...]
    overlaps: tuple[Overlap, ...]
    untold: tuple[CalendarMessage, ...]
    state: Delegation


@router.post("/delegations", status_code=201)
async def open_delegation(
    body: Annotated[OpeningBody, Strictly(OpeningBody), Body(openapi_examples=OPENING_EXAMPLES)],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
    request: Request,
    response: Response,
) -> ReceiptView:
    """Open a delegation, alone or with the first commands of its file."""
    delegation = body.id or f"dlg-{digest_of(['open', actor.id, key])[:24]}"
    commands = [as_json(body)] if isinstance(body, Opening) else [as_json(command) for command in body.commands]
    receipt = await execute(at, delegation, commands, actor, key)
    response.headers["Location"] = request.app.url_path_for("show_delegation", delegation=delegation)
    return receipt


@router.get("/delegations")
async def list_delegations(query: Annotated[ListQuery, Query()], actor: Actor, at: At) -> DelegationPage:
    """List delegations by what coordinators look for. The cursor names the last line, so pages never shift.

    Whoever belongs to an organisation sees those of its subtree.
    """
    filters = filters_of(query, await reach(actor, at))
    try:
        page = await at.queries.delegations(
            filters,
            sort=query.sort,
            descending=query.order == "desc",
            limit=query.limit,
            cursor=query.cursor,
            as_of=query.as_of,
        )
    except BadCursor:
        raise Problem("cursor_unknown") from None
    return DelegationPage(items=page.items, next_cursor=page.next_cursor)


def filters_of(query: ListQuery, within: frozenset[str] | None) -> Filters:
    """Return what a query asks for, of the organisations whose files the reader may see."""
    return Filters(
        phases=tuple(query.phase),
        direction=query.direction,
        coordinator=query.coordinator,
        organisation=query.organisation,
        country=query.country,
        year=query.year,
        q=query.q,
        due_before=query.due_before,
        waits_for=tuple(query.waits_for),
        overdue=query.overdue,
        within=within,
    )


class ShowQuery(ThenQuery):
    """How new the answer must be, or as of when."""

    at_least: Annotated[int, Field(ge=0, le=2**31 - 1)] = Field(
        0, description="Wait up to a second until the file has event number SEQ, as a receipt's `last_seq` names it."
    )


async def _as_new_as_asked(delegation: DelegationId, query: Annotated[ShowQuery, Query()], at: At) -> None:
    if query.at_least:
        await at.queries.wait_for_seq(delegation, query.at_least)


@router.get("/delegations/{delegation}", response_model=DelegationView, dependencies=[Depends(_as_new_as_asked)])
async def show_delegation(
    file: KnownFile, query: Annotated[ShowQuery, Query()], request: Request, at: At
) -> DelegationView | Response:
    """Show a file: its state, on whose desk it is, what is due next, limits exceeded and items that overlap.

    With `as_of` or `seq` as it was: what is worked out beside `state` is worked out from the state then. What was does
    not change, so the answer has a tag and need not be sent again.
    """
    if not query.is_past:
        return await _view(file, at)
    view = await _view(await file_then(at, file, query), at)
    was = Representation(view.model_dump_json().encode(), view.updated_at.replace(microsecond=0))
    return respond(request, was, media_type="application/json", headers={"Cache-Control": "private, no-cache"})


async def _view(file: File, at: Installation) -> DelegationView:
    state = file.state
    due, open_steps = next_due(state), _open_steps(state)
    edition = await at.editions.get(state.edition)
    return DelegationView(
        id=state.id,
        phase=state.phase,
        seq=file.head.seq,
        head=file.head.hash,
        updated_at=file.updated_at,
        waits_for=waits_for(state),
        head_count=state.head_count,
        next_deadline=NextDeadline(due_on=due[0], what=due[1]) if due else None,
        open_step=next(iter(open_steps), None),
        open_steps=open_steps,
        unapproved=change.changed if (change := unapproved(state, edition)) else (),
        breaches=tuple(_shown(breach, state) for breach in breaches(state, edition)),
        observations=tuple(
            ShownObservation(**one.model_dump(), warns=one.exceeded) for one in state.observations.values()
        ),
        overlaps=overlaps(state),
        untold=untold(state, edition),
        state=state,
    )


def _open_steps(state: Delegation) -> tuple[OpenStep, ...]:
    proposal = state.current_proposal
    if proposal is None:
        return ()
    return tuple(
        OpenStep(
            id=step.id,
            position=step.plan.position,
            title_vi=step.plan.title_vi,
            title_en=step.plan.title_en,
            dossier_digest=proposal.digest,
            waits_for=step.waits_for,
            external=step.plan.external,
        )
        for step in state.open_steps
    )


def _shown(breach: Breach, state: Delegation) -> ShownBreach:
    justified = state.justifications.get(breach.limit)
    return ShownBreach(**breach.model_dump(), justified=justified is not None and justified[0] == breach)
