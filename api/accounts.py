"""Accounts and their tokens: for administrators alone. And who I am: for everybody."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Body, Depends, Path
from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Strictly
from api.installation import At, Installation
from api.leave import tell_files
from api.parameters import SentInstant
from api.problems import Problem, beside
from api.sessions import require_fresh
from domain.decision import SYSTEM
from domain.mailbox import Address
from domain.permission import ROLES, SIGNING, may_send
from domain.sign_in import SCOPES, Factor, Scope, longest_life
from domain.values import Language, Slug, Value, Zone, business_date, business_text
from storage.accounts import AccountDetails, AccountExists, Token, UnknownAccount
from storage.editions import UnknownEdition
from storage.metadata import utc_now
from storage.persons import Person
from storage.register_log import ChangeRefused

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["accounts"])

GivenRole = Literal["coordinator", "approver", "auditor", "administrator"]
"""`system` is nobody's to give."""

EXAMPLE = {"name": "Lê Minh", "email": "minh@example.org", "roles": ["approver"], "positions": ["department_head"]}

TokenId = Annotated[str, Path(pattern=r"^tok_[a-z0-9]{8,64}$", description="As listed.")]
AccountId = Annotated[Slug, Path(description="The account's id.")]


class AccountBody(Value):
    """What an account says. `positions` are those that the chains of approval name, held from now on.

    With an `organisation` somebody acts on the files of its subtree, without one on all. `person` is the reference of
    who the account belongs to: nobody approves a trip of their own.
    """

    name: Annotated[str, Field(max_length=200), AfterValidator(business_text)]
    email: Address | None = None
    language: Language = "vi"
    roles: Annotated[tuple[GivenRole, ...], Field(min_length=1, max_length=4)]
    positions: Annotated[tuple[Slug, ...], Field(max_length=50)] = ()
    organisation: Slug | None = None
    person: Annotated[str, Field(pattern=r"^per_[A-Za-z0-9_-]{8,64}$")] | None = None
    zone: Zone | None = Field(None, description="Whose clock tells the mornings of digests; else the business zone.")

    def details(self, account: str) -> AccountDetails:
        """Return the register's entry."""
        return AccountDetails(
            id=account,
            name=self.name,
            email=self.email,
            language=self.language,
            roles=self.roles,
            positions=self.positions,
            organisation=self.organisation,
            person=self.person,
            zone=self.zone,
        )


class NewAccount(AccountBody):
    """An account to be opened, under an id of the administrator's choice."""

    id: Slug

    @model_validator(mode="after")
    def _id_is_free(self) -> Self:
        if self.id == SYSTEM:
            raise PydanticCustomError("account_id_reserved", "this id belongs to the system itself")
        return self


class DisabledAccount(BaseModel):
    """An account that may do nothing until it is enabled again; `disabled_at` is the time of the wall in UTC."""

    id: str
    name: str
    disabled_at: datetime


class AccountList(BaseModel):
    """Every account that is not disabled, by id; and those that are and could be enabled again."""

    items: tuple[AccountDetails, ...]
    disabled: tuple[DisabledAccount, ...]


class Me(BaseModel):
    """Who asks, which commands their roles may send, and how they showed who they are.

    `factor_at` is when they signed in, or the time of this request for a token; `scopes` what it may be used for.
    """

    account: AccountDetails
    commands: tuple[str, ...]
    factor: Factor
    factor_at: datetime
    scopes: tuple[Scope, ...]


class NewToken(Value):
    """Until when a token is good, and for what; without `expires_at` for as long as an installation lets one be.

    Whatever its scopes, it may not do more than the roles of its account. Without `scopes` it has all that whoever
    makes it may give: `sign` only its owner, who has signed in.
    """

    expires_at: SentInstant | None = None
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1, max_length=4)] | None = None

    def given(self, *, signing: bool) -> tuple[Scope, ...]:
        """Return the scopes of the new token. Problem: `signing_not_yours`."""
        if self.scopes is not None and "sign" in self.scopes and not signing:
            raise Problem("signing_not_yours")
        return self.scopes or tuple(scope for scope in SCOPES if signing or scope != "sign")


class TokenView(BaseModel):
    """A token without its secret; instants are the time of the wall in UTC."""

    id: str
    account: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[Scope, ...]


class TokenWithSecret(TokenView):
    """A token with its secret, which is shown this once."""

    token: str


class TokenList(BaseModel):
    """An account's tokens, the oldest first."""

    items: tuple[TokenView, ...]


@router.get("/me")
async def show_me(actor: Actor, at: At) -> Me:
    """Show who asks."""
    account = await at.accounts.get(actor.id)
    if account is None:
        raise Problem("token_refused", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return Me(
        account=account,
        commands=tuple(kind for kind in ROLES if may_send(actor.roles, kind) or kind in SIGNING),
        factor=actor.factor,
        factor_at=actor.factor_at,
        scopes=actor.scopes,
    )


@router.get("/accounts")
async def list_accounts(at: At) -> AccountList:
    """List the accounts."""
    disabled = tuple(DisabledAccount.model_validate(vars(one)) for one in await at.accounts.disabled())
    return AccountList(items=tuple(await at.accounts.actors()), disabled=disabled)


@router.post("/accounts", status_code=201)
async def create_account(
    body: Annotated[NewAccount, Strictly(NewAccount), Body(examples=[{"id": "le-minh"} | EXAMPLE])],
    actor: Actor,
    at: At,
) -> AccountDetails:
    """Open an account; the same one again is no error."""
    await _require_references(at, body, await at.accounts.get(body.id))
    try:
        return await at.accounts.create(body.details(body.id), by=actor.id)
    except AccountExists:
        raise Problem("account_exists") from None


@router.put("/accounts/{account}")
async def change_account(
    account: AccountId,
    body: Annotated[AccountBody, Strictly(AccountBody), Body(examples=[EXAMPLE])],
    actor: Actor,
    at: At,
) -> AccountDetails:
    """Replace what an account says; positions that are left out end now.

    Organisation, positions and person are ones that there are. Its owner is told of another address, at both.
    """
    known = await at.accounts.get(account)
    if known is None:
        raise Problem("account_unknown")
    await _require_references(at, body, known)
    with _answered():
        await at.accounts.change(body.details(account), by=actor.id)
    return body.details(account)


@router.delete("/accounts/{account}", status_code=204)
async def disable_account(account: AccountId, actor: Actor, at: At) -> None:
    """Disable an account, and end what it could act by: tokens, sessions, password, positions, and leave that it takes
    or is the substitute of. It is never deleted: the trail names it. The last administrator stays.
    """
    with _answered():
        revoked = await at.accounts.disable(account, by=actor.id)
    for leave in revoked:
        await tell_files(at.client, at.settings.temporal_task_queue, leave)


@router.post("/accounts/{account}/enable")
async def enable_account(account: AccountId, actor: Actor, at: At) -> AccountDetails:
    """Let a disabled account act again, in its roles, soon after signing in (`sign_in_again`).

    It has its passkeys and identities, and no position, token or password: make a link to choose one.
    """
    require_fresh(at, actor)
    with _answered():
        await at.accounts.enable(account, by=actor.id)
    enabled = await at.accounts.get(account)
    if enabled is None:
        raise Problem("account_unknown")
    return enabled


@router.get("/accounts/{account}/tokens")
async def list_tokens(account: AccountId, at: At) -> TokenList:
    """List an account's tokens, without their secrets."""
    if await at.accounts.get(account) is None:
        raise Problem("account_unknown")
    return TokenList(items=tuple(view_of(token) for token in await at.accounts.tokens_of(account)))


@router.post("/accounts/{account}/tokens", status_code=201)
async def create_token(
    account: AccountId, body: Annotated[NewToken, Strictly(NewToken), Body(examples=[{}])], actor: Actor, at: At
) -> TokenWithSecret:
    """Make a token. Its secret is in this answer and nowhere else: the register keeps only a digest.

    It does not sign: a signature is under its signatory's sole control. It is made in a session, soon after signing in
    (`sign_in_again`), and its owner is told. In the demo, where nobody signs in, a token makes it, and it signs.
    """
    require_fresh(at, actor)
    return await make_token(at, account, body, body.given(signing=at.settings.has_virtual_clock), by=actor.id)


@router.delete("/tokens/{token}", status_code=204)
async def revoke_token(token: TokenId, actor: Actor, at: At) -> None:
    """Revoke a token."""
    if not await at.accounts.revoke(token, by=actor.id):
        raise Problem("token_unknown")


async def make_token(
    at: Installation, account: str, body: NewToken, scopes: tuple[Scope, ...], *, by: str
) -> TokenWithSecret:
    """Make a token with these scopes. Problems: `account_unknown`, `token_lives_too_long`."""
    settings, now = at.settings, utc_now()
    longest = longest_life(scopes, days=settings.token_days, signing_days=settings.signing_token_days)
    if body.expires_at is not None and body.expires_at > now + longest:
        raise beside("expires_at", "token_lives_too_long", days=longest.days)
    until = body.expires_at or now + longest
    try:
        token, secret = await at.accounts.create_token(account, expires_at=until, scopes=scopes, by=by)
    except UnknownAccount:
        raise Problem("account_unknown") from None
    return TokenWithSecret(**view_of(token).model_dump(), token=secret)


@contextmanager
def _answered() -> Iterator[None]:
    """Answer what the register refuses with the problem of the same code."""
    try:
        yield
    except UnknownAccount:
        raise Problem("account_unknown") from None
    except ChangeRefused as refused:
        raise Problem(refused.code) from None


async def _require_references(at: Installation, body: AccountBody, known: AccountDetails | None) -> None:
    """Refuse an organisation, a position or a person that there is not; what the account says already may stay.

    Problems, each beside its field: `organisation_unknown`, `position_unknown`, `person_unknown`.
    """
    now = utc_now()
    if body.organisation is not None and (known is None or body.organisation != known.organisation):
        there = {one.slug for one in await at.institution.organisations() if one.contains(now)}
        if body.organisation not in there:
            raise beside("organisation", "organisation_unknown")
    new = set(body.positions) - set(known.positions if known else ())
    if new and not new <= await positions_known(at):
        raise beside("positions", "position_unknown")
    another = body.person is not None and (known is None or body.person != known.person)
    if another and not isinstance(await at.persons.get(str(body.person)), Person):
        raise beside("person", "person_unknown")


async def positions_known(at: Installation) -> set[str]:
    """Return the positions that the register has, or that the rules in force name."""
    registered = {one.slug for one in await at.institution.positions() if one.ended_at is None}
    try:
        edition = await at.editions.effective(business_date(utc_now(), at.settings.zone))
    except UnknownEdition:
        return registered
    return registered | edition.positions


def view_of(token: Token) -> TokenView:
    """Return what is shown of a token."""
    return TokenView.model_validate(vars(token))
