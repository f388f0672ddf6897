"""Signing in and out by a browser's session, and the sessions that somebody has."""

from datetime import datetime, timedelta
from typing import Annotated

import structlog
from fastapi import APIRouter, Body, Depends, Path, Request, Response
from pydantic import BaseModel, Field

from api.access import SESSION, Actor, GuardedRoute
from api.bodies import Strictly
from api.cookies import csrf_token
from api.installation import At, Installation
from api.problems import Problem
from domain.sign_in import Acting, Factor
from domain.values import Slug, Value
from storage.accounts import UnknownAccount
from storage.sessions import Session

log = structlog.get_logger()

router = APIRouter(route_class=GuardedRoute, tags=["sign-in"])

LONGEST_TYPED = 1000
"""Characters of a password that is tried; one that is too long to be anybody's is still only a wrong one."""

EXAMPLE = {"account": "le-minh", "password": "mười hai chữ trở lên"}

SessionId = Annotated[str, Path(pattern=r"^ses_[a-z0-9]{8,64}$", description="As listed.")]


class Credentials(Value):
    """An account and its password, as typed."""

    account: Slug
    password: Annotated[str, Field(max_length=LONGEST_TYPED)]


class SessionView(BaseModel):
    """A session; instants are the time of the wall in UTC. `factor` says how it was signed in, at `created_at`.

    It ends at `expires_at`, or earlier if it is not used. `last_seen_at` is exact to a minute.
    """

    id: str
    account: str
    factor: Factor
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


class OwnSession(SessionView):
    """The session that asks. `csrf_token` goes into the header `X-CSRF-Token` of whatever changes anything."""

    csrf_token: str


class SessionList(BaseModel):
    """Somebody's sessions that are not over, the oldest first; `current` is the id of the one that asks."""

    items: tuple[SessionView, ...]
    current: str


@router.post("/session", status_code=201)
async def sign_in(
    body: Annotated[Credentials, Strictly(Credentials), Body(examples=[EXAMPLE])],
    request: Request,
    response: Response,
    at: At,
) -> OwnSession:
    """Sign in with a password. An unknown account is answered like a wrong password, after the same work."""
    await at.attempts.sign_in(request, body.account)
    if not await at.passwords.fits(body.account, body.password):
        log.warning("sign_in_refused", factor="password")
        raise Problem("sign_in_refused")
    await at.attempts.succeeded(request, body.account)
    return await begin(at, request, response, body.account, "password")


@router.get("/session", dependencies=[Depends(SESSION)])
async def show_session(request: Request, actor: Actor, at: At) -> OwnSession:
    """Show the session that asks, with the token that its changes need."""
    for session in await at.sessions.of(actor.id):
        if session.id == actor.session:
            return _own(session, request.cookies[at.cookies.session])
    raise Problem("session_refused", headers={"WWW-Authenticate": "Bearer"})


@router.delete("/session", status_code=204, dependencies=[Depends(SESSION)])
async def sign_out(actor: Actor, response: Response, at: At) -> None:
    """End the session that asks."""
    await at.sessions.end(actor.session or "", actor.id)
    at.cookies.drop(response, at.cookies.session)


@router.get("/sessions", dependencies=[Depends(SESSION)])
async def list_sessions(actor: Actor, at: At) -> SessionList:
    """List one's own sessions."""
    items = tuple(_view(session) for session in await at.sessions.of(actor.id))
    return SessionList(items=items, current=actor.session or "")


@router.delete("/sessions/{session}", status_code=204, dependencies=[Depends(SESSION)])
async def end_session(session: SessionId, actor: Actor, at: At) -> None:
    """End one of one's own sessions."""
    if not await at.sessions.end(session, actor.id):
        raise Problem("session_unknown")


@router.delete("/sessions", status_code=204, dependencies=[Depends(SESSION)])
async def end_sessions(actor: Actor, response: Response, at: At) -> None:
    """End all of one's own sessions, the one that asks among them."""
    await at.sessions.end_all(actor.id)
    at.cookies.drop(response, at.cookies.session)


async def begin(
    at: Installation,
    request: Request,
    response: Response,
    account: str,
    factor: Factor,
    *,
    vouched_at: datetime | None = None,
) -> OwnSession:
    """Open a session in the place of the one that the request had, and set its cookie; `vouched_at` as in `Acting`.

    Problem `sign_in_refused` when the account was disabled meanwhile.
    """
    before = request.cookies.get(at.cookies.session, "")
    try:
        session, secret = await at.sessions.open(account, factor, instead_of=before, vouched_at=vouched_at)
    except UnknownAccount:
        raise Problem("sign_in_refused") from None
    at.cookies.put(response, at.cookies.session, secret, int(at.sessions.absolute.total_seconds()))
    log.info("signed_in", account=account, factor=factor, session=session.id)
    return _own(session, secret)


def require_fresh(at: Installation, actor: Acting) -> None:
    """Refuse (`sign_in_again`) who showed who they are a while ago: an open browser that is found is not to be made
    one's own, and a provider that still knows somebody has asked nobody anything.
    """
    if not is_fresh(at, actor):
        raise Problem("sign_in_again")


def is_fresh(at: Installation, actor: Acting) -> bool:
    """Whether somebody showed who they are within the last minutes, here or at the provider that vouches for them."""
    shown = actor.shown_at
    return shown is not None and at.sessions.clock() - shown <= timedelta(minutes=at.settings.fresh_sign_in_minutes)


def _view(session: Session) -> SessionView:
    return SessionView.model_validate(vars(session))


def _own(session: Session, secret: str) -> OwnSession:
    return OwnSession(**vars(session), csrf_token=csrf_token(secret))
