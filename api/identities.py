"""Signing in with another provider (OpenID Connect), and which of its subjects is which account."""

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import quote

import structlog
from fastapi import APIRouter, Body, Depends, Path, Query, Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field

from api.access import BEARER, SESSION, Actor, GuardedRoute
from api.accounts import AccountId
from api.bodies import Strictly
from api.installation import At
from api.oidc import LEEWAY, ProviderUnavailable, WordRefused
from api.pages.route import own_path
from api.problems import Problem
from api.sessions import begin, require_fresh
from domain.values import Slug, Value, write_instant
from storage.accounts import UnknownAccount, digest_of_secret
from storage.identities import Identity, IdentityExists

log = structlog.get_logger()

router = APIRouter(route_class=GuardedRoute, tags=["sign-in"])

Words = Annotated[str | None, Query(max_length=2000)]


class ProviderView(BaseModel):
    """A provider, and whose people sign in there. One goes there by `/session/oidc/{name}`."""

    name: str
    organisation: str
    issuer: str


class ProviderList(BaseModel):
    """The providers of this installation."""

    items: tuple[ProviderView, ...]


class NewIdentity(Value):
    """Issuer and subject, exactly as the provider writes them into its tokens: an address, and ASCII (OIDC Core, 2)."""

    issuer: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[!-~]+$")]
    subject: Annotated[str, Field(min_length=1, max_length=255, pattern=r"^[ -~]+$")]


class IdentityView(BaseModel):
    """Whom an issuer calls `subject`; `created_at` is the time of the wall in UTC."""

    id: str
    account: str
    issuer: str
    subject: str
    created_at: datetime


class IdentityList(BaseModel):
    """An account's identities, the oldest first."""

    items: tuple[IdentityView, ...]


@router.get("/session/oidc")
async def list_providers(at: At) -> ProviderList:
    """List the providers that one may sign in with."""
    return ProviderList(
        items=tuple(
            ProviderView(name=one.name, organisation=one.organisation, issuer=one.issuer) for one in at.providers.all
        )
    )


@router.get("/session/oidc/callback", status_code=303, response_class=RedirectResponse)
async def return_from_provider(
    request: Request, at: At, state: Words = None, code: Words = None, error: Words = None, iss: Words = None
) -> RedirectResponse:
    """Come back from a provider, in the browser that went there, and be signed in."""
    await at.attempts.sign_in(request)
    now = at.sessions.clock()
    taken = await at.challenges.take("oidc", state or "", now)
    browser = digest_of_secret(request.cookies.get(at.cookies.under_way, ""))
    if taken is None or not hmac.compare_digest(browser, taken.kept["browser"]):
        raise _turned_away("the sign-in was not begun by this browser, or too long ago")
    provider = at.providers.named(taken.kept["provider"])
    if provider is None or code is None or error is not None or iss not in (None, provider.issuer):
        raise _turned_away("the provider did not vouch for anybody")
    try:
        vouched = await at.providers.vouched(provider, code, taken.kept["verifier"], taken.kept["nonce"], now)
    except WordRefused as refused:
        raise _turned_away(str(refused)) from None
    except ProviderUnavailable as away:
        log.warning("provider_unavailable", provider=provider.name, reason=str(away))
        raise Problem("provider_unavailable") from None
    since = datetime.fromisoformat(taken.kept["since"])
    if vouched.at is not None and vouched.at < since - timedelta(seconds=LEEWAY):
        raise _turned_away("the provider did not ask again")
    account = await at.identities.account_of(provider.issuer, vouched.subject)
    if account is None:
        raise _turned_away("issuer and subject belong to no account")
    # To a page of this site, whatever the request that began it said.
    response = RedirectResponse(own_path(taken.kept.get("next")), 303)
    await begin(at, request, response, account, "oidc", vouched_at=vouched.at)
    at.cookies.drop(response, at.cookies.under_way)
    return response


@router.get("/session/oidc/{provider}", status_code=303, response_class=RedirectResponse)
async def go_to_provider(
    provider: Annotated[Slug, Path(description="As listed.")],
    request: Request,
    at: At,
    next: Annotated[str | None, Query(max_length=2000, description="The page to come to afterwards.")] = None,
    again: Annotated[bool, Query(description="Have the provider ask, although it may know who it is.")] = False,
) -> RedirectResponse:
    """Go to a provider to sign in there; from a page of another site, to the page on which one signs in.

    Without `again` a provider that still knows somebody sends them back unasked: they are signed in, and for what needs
    a fresh sign-in (`sign_in_again`) the time counts at which they last showed themselves there.
    """
    found = at.providers.named(provider)
    if found is None:
        raise Problem("provider_unknown")
    if request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        # Another site sent the browser here: a person presses the button first, or a provider that still knows them
        # would open a session that nobody asked for.
        return RedirectResponse(f"/sign-in?next={quote(own_path(next), safe='')}", 303)
    await at.attempts.sign_in(request)
    try:
        begun = await at.providers.begin(found, at.sessions.absolute, again=again)
    except ProviderUnavailable as away:
        log.warning("provider_unavailable", provider=provider, reason=str(away))
        raise Problem("provider_unavailable") from None
    browser, now = secrets.token_urlsafe(32), at.sessions.clock()
    kept = {
        "provider": provider,
        "nonce": begun.nonce,
        "verifier": begun.verifier,
        "browser": digest_of_secret(browser),
        "next": own_path(next),
        # Whoever showed themselves before that is not let in by it.
        "since": write_instant(now if again else now - at.sessions.absolute),
    }
    await at.challenges.put("oidc", begun.state, now, kept=kept)
    response = RedirectResponse(begun.location, 303)
    at.cookies.put(response, at.cookies.under_way, browser, int(at.challenges.lifetime.total_seconds()))
    return response


@router.get("/accounts/{account}/identities", dependencies=[Depends(BEARER)])
async def list_identities(account: AccountId, at: At) -> IdentityList:
    """List the identities that are linked to an account."""
    if await at.accounts.get(account) is None:
        raise Problem("account_unknown")
    return IdentityList(items=tuple(_view(identity) for identity in await at.identities.of(account)))


@router.post("/accounts/{account}/identities", status_code=201, dependencies=[Depends(SESSION)])
async def link_identity(
    account: AccountId,
    body: Annotated[
        NewIdentity,
        Strictly(NewIdentity),
        Body(examples=[{"issuer": "https://login.example.org", "subject": "248289761001"}]),
    ],
    actor: Actor,
    at: At,
) -> IdentityView:
    """Link an account to a provider's subject, in a session soon after signing in (`sign_in_again`).

    An e-mail address links nothing: addresses pass to others.
    """
    require_fresh(at, actor)
    try:
        return _view(await at.identities.link(account, body.issuer, body.subject, by=actor.id))
    except UnknownAccount:
        raise Problem("account_unknown") from None
    except IdentityExists:
        raise Problem("identity_exists") from None


@router.delete("/identities/{identity}", status_code=204, dependencies=[Depends(BEARER)])
async def unlink_identity(
    identity: Annotated[str, Path(pattern=r"^idn_[a-z0-9]{8,64}$", description="As listed.")],
    actor: Actor,
    at: At,
) -> None:
    """Remove an identity: nobody signs in with it any more, and sessions that a provider opened for its account end."""
    if not await at.identities.unlink(identity, by=actor.id):
        raise Problem("identity_unknown")


def _turned_away(reason: str) -> Problem:
    log.warning("sign_in_refused", factor="oidc", reason=reason)
    return Problem("sign_in_refused")


def _view(identity: Identity) -> IdentityView:
    return IdentityView.model_validate(vars(identity))
