"""Commands: one or several, decided as one, with the receipt of what came of it."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends
from pydantic import BaseModel

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import CommandBody, IdempotencyKey, Strictly, as_json
from api.engine import CommandRefused
from api.examples import COMMAND_EXAMPLES
from api.files import DelegationId
from api.installation import At, Installation
from api.problems import Problem
from api.signing import verified
from domain.commands import Batch
from domain.decision import Actor as Anybody
from domain.decision import Refusal
from domain.institution import begun
from domain.permission import SIGNING, may_coordinate, permitted
from domain.sign_in import Acting, scope_of_command
from domain.values import Digest
from storage.metadata import utc_now
from storage.named import unknown_references

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["commands"])


class ReceiptView(BaseModel):
    """What a request led to: the events `first_seq` to `last_seq`, their types, and the file's head and phase.

    The same request under the same key is answered with the same receipt. A command that changes nothing has a
    `last_seq` before its `first_seq`.
    """

    delegation: str
    command_id: str
    first_seq: int
    last_seq: int
    head: Digest
    phase: str
    types: tuple[str, ...]


@router.post("/delegations/{delegation}/commands")
async def send_commands(
    delegation: DelegationId,
    body: Annotated[CommandBody, Strictly(CommandBody), Body(openapi_examples=COMMAND_EXAMPLES)],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> ReceiptView:
    """Send a command, or up to 500 that are decided as one: all of them, or none."""
    commands = body.commands if isinstance(body, Batch) else (body,)
    return await execute(at, delegation, [as_json(command) for command in commands], actor, key)


async def execute(
    at: Installation, delegation: str, commands: Sequence[dict[str, Any]], actor: Acting, key: str
) -> ReceiptView:
    """Execute commands in somebody's name and return the receipt; raises what `Engine.execute` raises.

    A token without the scope that a command needs is refused (`scope_missing`) before anything else. What somebody may
    not send to this file, and what names entries that no register has, is refused here too, before anything is sent.
    Attempts to sign are left to the decision, which records them; a passkey's signature that does not hold is not sent.
    """
    for command in commands:
        if (scope := scope_of_command(command["type"])) not in actor.scopes:
            raise Problem("scope_missing", params={"scope": scope})
    lineage = await _lineage(at, delegation, commands[0], actor)
    for index, command in enumerate(commands):
        forbidden = permitted(actor, command["type"], lineage)
        if forbidden and command["type"] not in SIGNING:
            raise CommandRefused(
                Refusal(
                    code=forbidden,
                    index=index if len(commands) > 1 else None,
                    params={"command": command["type"]},
                )
            )
        if command["type"] == "open_delegation" and await has_ended(at, str(command["organisation"])):
            raise CommandRefused(Refusal(code="organisation_ended", field="organisation"))
        if command["type"] == "hand_over" and (code := await no_successor(at, delegation, command["to"])):
            raise CommandRefused(Refusal(code=code, field="to", index=index if len(commands) > 1 else None))
    if unknown := await unknown_references(at.database, delegation, commands):
        first = unknown[0]
        raise CommandRefused(
            Refusal(code="reference_unknown", field=first.field, index=first.place if len(commands) > 1 else None)
        )
    commands = await verified(at, delegation, commands, actor, key)
    receipt = await at.engine.execute(
        delegation, commands, actor=actor.id, key=key, factor=actor.factor, factor_at=actor.factor_at
    )
    return ReceiptView.model_validate(receipt.model_dump(exclude={"events", "repeated"}))


async def has_ended(at: Installation, organisation: str) -> bool:
    """Whether the register knows an organisation that is not there any more; nothing new begins in its name."""
    now = utc_now()
    known = begun(await at.institution.organisations(), now).get(organisation)
    return known is not None and not known.contains(now)


async def no_successor(at: Installation, delegation: str, account: str) -> str | None:
    """Return why a file cannot be handed to an account, or None: `coordinator_unknown`, `coordinator_out_of_reach`."""
    successor = await at.accounts.get(account)
    if successor is None:
        return "coordinator_unknown"
    return may_coordinate(successor.actor, await _lineage(at, delegation, {"type": "hand_over"}, successor.actor))


async def _lineage(at: Installation, delegation: str, first: dict[str, Any], actor: Anybody) -> tuple[str, ...]:
    """Return the file's organisation and those above it, upwards; asked for only where somebody's reach has an end.

    A file that is unknown here is left to the decision: nobody learns by the answer whether it exists.
    """
    if actor.organisation is None:
        return ()
    named = first.get("organisation") if first["type"] == "open_delegation" else None
    organisation = named or await at.queries.organisation_of(delegation)
    return await at.institution.lineage(organisation, utc_now()) if organisation else (actor.organisation,)
