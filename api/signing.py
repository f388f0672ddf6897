"""Signing with a passkey: what a device is asked for, and whether its answer holds, before a command is sent."""

from collections.abc import Sequence
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body, Depends

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Strictly
from api.engine import command_id_of
from api.files import KnownFile
from api.installation import At, Installation
from api.passkeys import PasskeyOptions
from api.problems import FieldProblem, Problem, answer_of
from domain.canonical import digest_of
from domain.permission import SIGNING
from domain.sign_in import Acting
from domain.signing import REPORT, PasskeySignature, SigningAct, Statement
from domain.values import Digest, Slug, Value
from storage.passkeys import PasskeyRefused
from storage.signing import NoPasskey

log = structlog.get_logger()

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["commands"])

ASKED = {"act": "sign_off", "step_id": "department_head", "digest": "0" * 64}


class Asked(Value):
    """What is to be signed: the type of the command, its step (`report` for the report), and the digest it names."""

    act: SigningAct
    step_id: Slug
    digest: Digest


@router.post("/delegations/{delegation}/signing")
async def ask_signature(
    body: Annotated[Asked, Strictly(Asked), Body(examples=[ASKED])], file: KnownFile, actor: Actor, at: At
) -> PasskeyOptions:
    """Ask for a challenge with which one's own passkey signs a dossier. It is good for one command, for five minutes.

    The challenge itself says what is signed: canonical JSON of `act`, `delegation`, `digest`, `nonce` and `step`. The
    device's answer goes into the command as `signature`. Problems: `passkey_missing`.
    """
    statement = Statement(act=body.act, delegation=file.state.id, step=body.step_id, digest=body.digest)
    try:
        return PasskeyOptions(options=await at.signing.ask(actor.id, statement))
    except NoPasskey:
        raise Problem("passkey_missing") from None


async def verified(
    at: Installation, delegation: str, commands: Sequence[dict[str, Any]], actor: Acting, key: str
) -> list[dict[str, Any]]:
    """Return commands (as JSON) whose signatures hold, each with the public key that the register has for it.

    A repetition under the same Idempotency-Key passes again, also long after the challenge was forgotten: the journal
    has the signature then. Raises Problem `signature_refused`; the reason goes to the log alone.
    """
    command_id = command_id_of(delegation, actor.id, key)
    found = []
    for index, command in enumerate(commands):
        if command["type"] not in SIGNING or not command.get("signature"):
            found.append(command)
            continue
        signature = PasskeySignature.model_validate(command["signature"])
        statement = Statement(
            act=command["type"],
            delegation=delegation,
            step=command.get("step_id", REPORT),
            digest=command.get("dossier_digest") or command["report_digest"],
        )
        given = signature.model_dump(exclude={"public_key"})
        try:
            public_key = await at.signing.verify(
                actor.id, statement, signature, digest_of([command_id, index, given])[:40]
            )
        except PasskeyRefused as refused:
            sealed = await _sealed(at, delegation, command_id, given)
            if sealed is None:
                log.warning("signature_refused", delegation=delegation, account=actor.id, reason=str(refused))
                raise _refused(index if len(commands) > 1 else None) from None
            public_key = sealed
        found.append(command | {"signature": given | {"public_key": public_key}})
    return found


async def _sealed(at: Installation, delegation: str, command_id: str, given: dict[str, Any]) -> str | None:
    """Return the public key of this very signature where an event of this very request has it already."""
    for event in await at.queries.events(delegation):
        proof = event.data.get("proof") or {}
        known = dict(proof.get("signature") or {})
        public_key = known.pop("public_key", None)
        if event.command_id == command_id and known == given:
            return str(public_key)
    return None


def _refused(index: int | None) -> Problem:
    code = "signature_refused"
    return Problem(
        code, errors=[FieldProblem(field="signature", rule=code, sentence=answer_of(code).sentence, index=index)]
    )
