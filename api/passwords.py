"""Changing one's password, and choosing one with a link that an administrator handed out."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Request
from pydantic import AfterValidator, BaseModel, Field

from api.access import BEARER, SESSION, Actor, GuardedRoute
from api.accounts import AccountId
from api.bodies import Strictly
from api.installation import At, Installation
from api.passkeys import PasskeyView, view_of_passkey
from api.problems import Problem
from api.sessions import LONGEST_TYPED, require_fresh
from domain.sign_in import LONGEST_PASSWORD, SHORTEST_PASSWORD, new_password
from domain.values import Value
from storage.accounts import UnknownAccount
from storage.passwords import LINK_PAGE

router = APIRouter(route_class=GuardedRoute, tags=["sign-in"])

NewPassword = Annotated[
    str,
    Field(
        max_length=LONGEST_TYPED,
        description=f"{SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters, any; taken in NFC, every space as U+0020.",
    ),
    AfterValidator(new_password),
]


class PasswordChange(Value):
    """The password that somebody has, and the one they want."""

    old: Annotated[str, Field(max_length=LONGEST_TYPED)]
    new: NewPassword


class PasswordChoice(Value):
    """What stands after `link=` in the link, and the password that somebody wants."""

    link: Annotated[str, Field(min_length=1, max_length=200)]
    password: NewPassword


class PasswordLink(BaseModel):
    """A link that is shown this once, and until when it is good; earlier ones of the account are void."""

    account: str
    link: str
    expires_at: datetime


class PasswordChosen(BaseModel):
    """What still signs in to the account besides the password: its passkeys, and the issuers of its identities."""

    passkeys: tuple[PasskeyView, ...]
    identities: tuple[str, ...]


@router.put("/password", status_code=204, dependencies=[Depends(SESSION)])
async def change_password(
    body: Annotated[
        PasswordChange,
        Strictly(PasswordChange),
        Body(examples=[{"old": "mười hai chữ trở lên", "new": "một câu khác dài hơn"}]),
    ],
    request: Request,
    actor: Actor,
    at: At,
) -> None:
    """Change one's own password. Every other session of the account ends, and every token of it."""
    await at.attempts.sign_in(request, actor.id)
    if not await at.passwords.fits(actor.id, body.old):
        raise Problem("password_wrong")
    await at.attempts.succeeded(request, actor.id)
    await at.passwords.change(actor.id, body.new, session=actor.session)


@router.post("/password/link")
async def choose_password(
    body: Annotated[
        PasswordChoice,
        Strictly(PasswordChoice),
        Body(examples=[{"link": "lgl_…", "password": "mười hai chữ trở lên"}]),
    ],
    request: Request,
    at: At,
) -> PasswordChosen:
    """Choose a password with a link, once; sign in with it. Every session ends, and every token of the account.

    What signs in to the account besides is listed, so that whoever the account belongs to sees what is not theirs.
    """
    await at.attempts.sign_in(request)
    return await chosen(at, body.link, body.password)


async def chosen(at: Installation, link: str, password: str) -> PasswordChosen:
    """Choose a password with a link. Problem: `link_refused`."""
    account = await at.passwords.choose(link, password)
    if account is None:
        raise Problem("link_refused")
    return PasswordChosen(
        passkeys=tuple(view_of_passkey(one) for one in await at.passkeys.of(account)),
        identities=tuple(one.issuer for one in await at.identities.of(account)),
    )


@router.post("/accounts/{account}/password-link", status_code=201, dependencies=[Depends(SESSION)])
async def make_password_link(account: AccountId, actor: Actor, at: At) -> PasswordLink:
    """Make a link with which somebody chooses a password: an administrator hands it out and sets none.

    In a session soon after signing in (`sign_in_again`): whoever finds it open is not to become anybody.
    """
    require_fresh(at, actor)
    try:
        secret, until = await at.passwords.make_link(account, by=actor.id)
    except UnknownAccount:
        raise Problem("account_unknown") from None
    return PasswordLink(account=account, link=f"{at.settings.public_url}{LINK_PAGE}{secret}", expires_at=until)


@router.delete("/accounts/{account}/sessions", status_code=204, dependencies=[Depends(BEARER)])
async def end_sessions_of_account(account: AccountId, actor: Actor, at: At) -> None:
    """End every session of an account. Its tokens stay: revoke them one by one, or disable the account."""
    if await at.accounts.get(account) is None:
        raise Problem("account_unknown")
    await at.sessions.end_all(account, by=actor.id)
