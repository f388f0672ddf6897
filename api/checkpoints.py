"""Checkpoints: what is sealed in one signed root, proofs that an event is in it, and the keys it is signed with.

They say nothing about anybody: numbers, hashes and times. Whoever keeps one elsewhere can hold the installation to it.
"""

import asyncio
from datetime import datetime, timedelta
from typing import Annotated, Literal

import structlog
from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.service import RPCError

from activities.checkpoint_log import CheckpointLog, NotInCheckpoint, UnknownCheckpoint
from api.access import BEARER, Actor, GuardedRoute
from api.files import KnownFile
from api.installation import At, Installation
from api.problems import Problem
from audit.checkpoint import Checkpoint, Octets, key_id_of, written
from audit.signing_key import SigningKeys
from domain.values import Digest, unsaid
from settings import SettingsRefused
from storage.checkpoints import Checkpoints
from storage.references import new_reference
from workflows.ports import RoundDone

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["checkpoints"])

log = structlog.get_logger()

WORKFLOW = "CheckpointRound"
BEGUN_WITHIN = timedelta(seconds=3)
MADE_WITHIN = timedelta(seconds=25)

WATCHING = {"auditor", "administrator"}

Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="The checkpoint's number.")]
Seq = Annotated[int, Path(ge=1, le=2**31 - 1, description="The event's number.")]


class CheckpointView(Checkpoint):
    """A checkpoint as it was signed: its canonical JSON (RFC 8785) is what its digest is of."""

    endorsement: Octets | None = Field(default=None, exclude_if=unsaid)


class DutyView(BaseModel):
    """How something last went, in wall time: `sealing`, or showing checkpoints to a witness.

    `failure` is the code of what is wrong since `failed_since`, at event `seq` of `stream` where it has a place.
    """

    duty: str
    number: int
    done_at: datetime | None
    failure: str | None
    stream: str | None
    seq: int | None
    failed_since: datetime | None


class CheckpointList(BaseModel):
    """Checkpoints in the order of numbers; `next_after` is the `after` of the next page if there is one."""

    items: tuple[CheckpointView, ...]
    next_after: int | None
    duties: tuple[DutyView, ...]


class CheckpointsQuery(BaseModel):
    """Which part of the list."""

    model_config = ConfigDict(extra="forbid")

    after: Annotated[int, Field(ge=0, le=2**31 - 1)] = 0
    limit: Annotated[int, Field(ge=1, le=1000)] = 200


class KeyView(BaseModel):
    """A public key (Ed25519, 32 bytes in base64url). The newest signs; earlier ones have signed."""

    key_id: str
    public_key: Octets
    newest: bool


class KeyList(BaseModel):
    """The installation's keys, the newest first. None where this process does not know them."""

    items: tuple[KeyView, ...]


class CheckpointAsked(BaseModel):
    """`made`: this is the last checkpoint, and everything that was sealed when it was asked for is in it.

    `begun`: it takes longer than the answer. `waiting`: nothing takes it up now; the next round by the clock will.
    """

    state: Literal["made", "begun", "waiting"]
    checkpoint: CheckpointView | None = None


class InclusionQuery(BaseModel):
    """In which checkpoint."""

    model_config = ConfigDict(extra="forbid")

    checkpoint: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = Field(None, description="Else the last one.")


class InclusionView(BaseModel):
    """That an event is in a checkpoint (RFC 9162 section 2.1.3): its leaf stands at `position` (from 0) of the tree.

    `leaf` is the SHA-256 of a zero byte and the canonical JSON of `{hash, seq, stream}`; the proof leads from it to the
    checkpoint's root. Hashes are hexadecimal.
    """

    stream: str
    seq: int
    position: int
    leaf: Digest
    proof: tuple[Digest, ...]
    checkpoint: CheckpointView


class ConsistencyQuery(BaseModel):
    """From which checkpoint on."""

    model_config = ConfigDict(extra="forbid")

    first: Annotated[int, Field(alias="from", ge=1, le=2**31 - 1, description="The number of the earlier checkpoint.")]


class ConsistencyView(BaseModel):
    """That the tree of `second` begins with that of `first` (RFC 9162 section 2.1.4). Hashes are hexadecimal."""

    first: CheckpointView
    second: CheckpointView
    proof: tuple[Digest, ...]


@router.get("/checkpoints")
async def list_checkpoints(query: Annotated[CheckpointsQuery, Query()], actor: Actor, at: At) -> CheckpointList:
    """List the checkpoints, and how making and showing them last went; auditors and administrators see where it failed.

    The stream that failed may be a file that others do not reach.
    """
    found = await CheckpointLog(at.database).page(after=query.after, limit=query.limit + 1)
    more = len(found) > query.limit
    items = tuple(_view(one) for one in found[: query.limit])
    duties = [DutyView.model_validate(vars(one)) for one in (await Checkpoints(at.database).duties()).values()]
    if not WATCHING & set(actor.roles):
        duties = [one.model_copy(update={"stream": None, "seq": None}) for one in duties]
    return CheckpointList(
        items=items,
        next_after=items[-1].number if more else None,
        duties=tuple(duties),
    )


@router.post("/checkpoints", status_code=201)
async def make_checkpoint(actor: Actor, at: At) -> CheckpointAsked:
    """Make a checkpoint now. That it was asked for is itself recorded, and so in it.

    Problem: `checkpoint_refused`, where something is not what earlier checkpoints hold of it.
    """
    await Checkpoints(at.database).asked(by=actor.id)
    if at.client is None:
        return CheckpointAsked(state="waiting")
    return await _made(at, at.client)


@router.get("/checkpoints/keys")
async def list_checkpoint_keys(at: At) -> KeyList:
    """List the public keys that checkpoints are signed with. Compare them with what you were told otherwise."""
    try:
        keys = SigningKeys.of(at.settings.checkpoint_keys()).public
    except SettingsRefused:
        keys = ()
    views = (
        KeyView(key_id=key_id_of(public), public_key=written(public), newest=place == 0)
        for place, public in enumerate(keys)
    )
    return KeyList(items=tuple(views))


@router.get("/checkpoints/{number}")
async def show_checkpoint(number: Number, at: At) -> CheckpointView:
    """Show a checkpoint as it was signed. Keep it elsewhere: it is what the installation can be held to."""
    try:
        return _view(await CheckpointLog(at.database).get(number))
    except UnknownCheckpoint:
        raise Problem("checkpoint_unknown") from None


@router.get("/checkpoints/{number}/consistency")
async def prove_consistency(number: Number, query: Annotated[ConsistencyQuery, Query()], at: At) -> ConsistencyView:
    """Prove that nothing which an earlier checkpoint holds was changed until this one."""
    try:
        found = await CheckpointLog(at.database).consistency(query.first, number)
    except UnknownCheckpoint:
        raise Problem("checkpoint_unknown") from None
    except IndexError:
        raise Problem("checkpoint_later") from None
    return ConsistencyView(first=_view(found.first), second=_view(found.second), proof=_hex(found.proof))


@router.get("/delegations/{delegation}/events/{seq}/inclusion")
async def prove_inclusion(
    file: KnownFile, seq: Seq, query: Annotated[InclusionQuery, Query()], at: At
) -> InclusionView:
    """Prove that an event of a file stands in a checkpoint."""
    try:
        found = await CheckpointLog(at.database).inclusion(file.state.id, seq, query.checkpoint)
    except UnknownCheckpoint:
        raise Problem("checkpoint_unknown") from None
    except NotInCheckpoint:
        raise Problem("event_in_no_checkpoint") from None
    return InclusionView(
        stream=found.stream,
        seq=found.seq,
        position=found.position,
        leaf=found.leaf.hex(),
        proof=_hex(found.proof),
        checkpoint=_view(found.checkpoint),
    )


async def _made(at: Installation, client: Client) -> CheckpointAsked:
    """Let the worker make one, and wait for it a while; a server that is away leaves it to the next round."""
    try:
        handle = await client.start_workflow(
            WORKFLOW,
            # A colon: no delegation has such an id.
            id=f"legation:checkpoint:{new_reference('now')}",
            task_queue=at.settings.temporal_task_queue,
            result_type=RoundDone,
            rpc_timeout=BEGUN_WITHIN,
        )
    except (RPCError, RuntimeError) as error:
        # A client that never reached the server raises the SDK's own RuntimeError.
        log.warning("checkpoint_not_begun", reason=type(error).__name__)
        return CheckpointAsked(state="waiting")
    try:
        async with asyncio.timeout(MADE_WITHIN.total_seconds()):
            await handle.result()
    except (TimeoutError, RPCError):
        return CheckpointAsked(state="begun")
    except WorkflowFailureError as failed:
        raise _refused(failed) from None
    latest = await CheckpointLog(at.database).latest()
    return CheckpointAsked(state="made", checkpoint=_view(latest) if latest else None)


def _refused(failed: WorkflowFailureError) -> Problem:
    cause = failed.cause.cause if isinstance(failed.cause, ActivityError) else None
    if isinstance(cause, ApplicationError) and cause.type == "checkpoint_refused":
        code, stream, seq = (*(str(one) for one in cause.details), "", "")[:3]
        if not stream:
            return Problem("checkpoint_key_missing", params={"reason": code})
        return Problem("checkpoint_refused", params={"reason": code, "stream": stream, "seq": seq})
    return Problem("engine_unavailable")


def _view(checkpoint: Checkpoint) -> CheckpointView:
    return CheckpointView.model_validate(checkpoint.model_dump())


def _hex(proof: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(one.hex() for one in proof)
