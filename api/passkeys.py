"""Signing in with a passkey, and the passkeys that somebody has (WebAuthn)."""

from datetime import datetime
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Body, Depends, Path, Request, Response
from pydantic import AfterValidator, BaseModel, Field

from api.access import BEARER, SESSION, Actor, GuardedRoute
from api.accounts import AccountId
from api.bodies import Strictly
from api.installation import At
from api.problems import Problem
from api.sessions import OwnSession, begin, require_fresh
from domain.values import Value, business_text
from storage.passkeys import Passkey, PasskeyExists, PasskeyRefused

log = structlog.get_logger()

router = APIRouter(route_class=GuardedRoute, tags=["sign-in"])

PasskeyId = Annotated[str, Path(pattern=r"^pky_[a-z0-9]{8,64}$", description="As listed.")]

ANSWER_EXAMPLE = {
    "id": "q83v…",
    "rawId": "q83v…",
    "type": "public-key",
    "response": {"clientDataJSON": "eyJ0…", "authenticatorData": "SZYN…", "signature": "MEUC…"},
}


class PasskeyAnswer(Value):
    """What the device answered, as `credential.toJSON()` gives it."""

    credential: dict[str, Any]


class NewPasskey(PasskeyAnswer):
    """What the device answered, and its owner's word for it."""

    label: Annotated[str, Field(max_length=100), AfterValidator(business_text)]


class PasskeyOptions(BaseModel):
    """What `PublicKeyCredential.parseCreationOptionsFromJSON` or `parseRequestOptionsFromJSON` takes."""

    options: dict[str, Any]


class PasskeyView(BaseModel):
    """A passkey; instants are the time of the wall in UTC."""

    id: str
    label: str
    aaguid: str
    created_at: datetime
    last_used_at: datetime | None


class PasskeyList(BaseModel):
    """Somebody's passkeys, the oldest first."""

    items: tuple[PasskeyView, ...]


@router.post("/session/passkey/options")
async def ask_passkey(request: Request, at: At) -> PasskeyOptions:
    """Ask for a challenge that a passkey signs. It is good once, for five minutes."""
    await at.attempts.sign_in(request)
    return PasskeyOptions(options=await at.passkeys.authentication())


@router.post("/session/passkey", status_code=201)
async def sign_in_with_passkey(
    body: Annotated[PasskeyAnswer, Strictly(PasskeyAnswer), Body(examples=[{"credential": ANSWER_EXAMPLE}])],
    request: Request,
    response: Response,
    at: At,
) -> OwnSession:
    """Sign in with a passkey's answer to the challenge."""
    await at.attempts.sign_in(request)
    try:
        account = await at.passkeys.authenticate(body.credential)
    except PasskeyRefused as refused:
        log.warning("sign_in_refused", factor="passkey", reason=str(refused))
        raise Problem("sign_in_refused") from None
    return await begin(at, request, response, account, "passkey")


@router.get("/passkeys", dependencies=[Depends(SESSION)])
async def list_passkeys(actor: Actor, at: At) -> PasskeyList:
    """List one's own passkeys."""
    return PasskeyList(items=tuple(view_of_passkey(passkey) for passkey in await at.passkeys.of(actor.id)))


@router.post("/passkey/options", dependencies=[Depends(SESSION)])
async def begin_passkey(actor: Actor, at: At) -> PasskeyOptions:
    """Ask for a challenge to register a passkey with. One has signed in within the last minutes (`sign_in_again`)."""
    require_fresh(at, actor)
    return PasskeyOptions(options=await at.passkeys.registration(actor.id))


@router.post("/passkeys", status_code=201, dependencies=[Depends(SESSION)])
async def register_passkey(
    body: Annotated[
        NewPasskey, Strictly(NewPasskey), Body(examples=[{"credential": ANSWER_EXAMPLE, "label": "Điện thoại cơ quan"}])
    ],
    actor: Actor,
    at: At,
) -> PasskeyView:
    """Register the passkey that a device made. It must have verified who holds it."""
    require_fresh(at, actor)
    try:
        return view_of_passkey(await at.passkeys.register(actor.id, body.credential, body.label))
    except PasskeyRefused as refused:
        log.warning("passkey_refused", reason=str(refused))
        raise Problem("passkey_refused") from None
    except PasskeyExists:
        raise Problem("passkey_exists") from None


@router.delete("/passkeys/{passkey}", status_code=204, dependencies=[Depends(SESSION)])
async def remove_passkey(passkey: PasskeyId, actor: Actor, at: At) -> None:
    """Remove one of one's own passkeys. Sessions it opened go on; end them if it was lost."""
    require_fresh(at, actor)
    if not await at.passkeys.remove(passkey, actor.id):
        raise Problem("passkey_unknown")


@router.get("/accounts/{account}/passkeys", dependencies=[Depends(BEARER)])
async def list_passkeys_of_account(account: AccountId, at: At) -> PasskeyList:
    """List the passkeys of an account, for an administrator."""
    if await at.accounts.get(account) is None:
        raise Problem("account_unknown")
    return PasskeyList(items=tuple(view_of_passkey(passkey) for passkey in await at.passkeys.of(account)))


@router.delete("/accounts/{account}/passkeys/{passkey}", status_code=204, dependencies=[Depends(BEARER)])
async def remove_passkey_of_account(account: AccountId, passkey: PasskeyId, actor: Actor, at: At) -> None:
    """Remove a passkey of somebody else, in a session soon after signing in (`sign_in_again`); its owner is told.

    Sessions that it opened go on: end them where it was lost.
    """
    require_fresh(at, actor)
    if not await at.passkeys.remove(passkey, account, by=actor.id):
        raise Problem("passkey_not_of_account")


def view_of_passkey(passkey: Passkey) -> PasskeyView:
    """Return what is shown of a passkey."""
    return PasskeyView.model_validate({name: value for name, value in vars(passkey).items() if name != "account"})
