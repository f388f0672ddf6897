"""One's own tokens: made by whoever signed in, and so the only ones that may sign."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends

from api.access import SESSION, Actor, GuardedRoute
from api.accounts import NewToken, TokenId, TokenList, TokenWithSecret, make_token, view_of
from api.bodies import Strictly
from api.installation import At
from api.problems import Problem
from api.sessions import require_fresh

router = APIRouter(route_class=GuardedRoute, tags=["sign-in"])


@router.get("/me/tokens", dependencies=[Depends(SESSION)])
async def list_own_tokens(actor: Actor, at: At) -> TokenList:
    """List one's own tokens, without their secrets."""
    return TokenList(items=tuple(view_of(token) for token in await at.accounts.tokens_of(actor.id)))


@router.post("/me/tokens", status_code=201, dependencies=[Depends(SESSION)])
async def create_own_token(
    body: Annotated[NewToken, Strictly(NewToken), Body(examples=[{"scopes": ["read", "sign"]}])], actor: Actor, at: At
) -> TokenWithSecret:
    """Make a token of one's own, soon after signing in (`sign_in_again`); it may sign."""
    require_fresh(at, actor)
    return await make_token(at, actor.id, body, body.given(signing=True), by=actor.id)


@router.delete("/me/tokens/{token}", status_code=204, dependencies=[Depends(SESSION)])
async def revoke_own_token(token: TokenId, actor: Actor, at: At) -> None:
    """Revoke one of one's own tokens."""
    if all(one.id != token for one in await at.accounts.tokens_of(actor.id)):
        raise Problem("token_unknown")
    await at.accounts.revoke(token, by=actor.id)
