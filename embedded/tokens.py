"""`python -m embedded.tokens`: accounts and tokens for `legation token` and `legation admin`, stack or no stack.

The first administrator must come from somewhere, so this process opens the store itself: it makes the master
key and the schema where there are none. It takes one JSON request on standard input and gives one JSON answer on
standard output: what a request says and a token's secret never stand on a command line or in a log.
"""

import asyncio
import json
import os
import pwd
import sys
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, TypeAlias, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from domain.sign_in import HOST, SCOPES, Scope, longest_life
from embedded.failure import Sentence, StackFailure
from embedded.folder import DataFolder, FolderUnusable
from locales import mark
from settings import Settings, SettingsRefused, load_settings
from storage.accounts import AccountDetails, Token, UnknownAccount
from storage.errors import StoreUnavailable
from storage.keyring import CiphertextDamaged, UnknownMasterKey
from storage.migrate import SchemaTooNew, migrate
from storage.passwords import LINK_PAGE, Cost, Passwords
from storage.register_log import ChangeRefused
from storage.registers import Registers

Role = Literal["coordinator", "approver", "auditor", "administrator"]
"""Roles that an account may have; `system` belongs to deadlines alone."""

WITHOUT_SIGNING: tuple[Scope, ...] = tuple(scope for scope in SCOPES if scope != "sign")
"""Who has the machine may make a token that signs for somebody, and has to say so: the owner is told, and the log."""

MISTAKES = {
    "id": mark(
        "The account's name for the system has lower-case letters without marks, digits, dots, dashes and underscores, "
        "at most 64, and begins and ends with a letter or a digit."
    ),
    "name": mark("A name is one line of plain text of at most 200 characters."),
    "email": mark("An e-mail address has the form name@example.org; letters with marks before the @ are not carried."),
    "zone": mark("A zone is the IANA name of one, such as Asia/Ho_Chi_Minh or Europe/Prague."),
    "positions": mark("A position has lower-case letters without marks, digits, dots, dashes and underscores."),
}


class TokenRefused(StackFailure):
    """Why a request about tokens was not carried out; nothing of it was kept."""


class _Request(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class _NewAccount(_Request):
    """`account` is made when it does not exist, with the details given here; one that exists is not changed."""

    account: str
    name: str | None = None
    email: str | None = None
    language: Literal["vi", "en"] | None = None
    roles: tuple[Role, ...] = ()
    positions: tuple[str, ...] = ()
    zone: str | None = None


class CreateToken(_NewAccount):
    """A token of an account that exists or is made."""

    type: Literal["create"] = "create"
    scopes: Annotated[tuple[Scope, ...], Field(min_length=1)] = WITHOUT_SIGNING
    expires_days: Annotated[int, Field(ge=1, le=3660)] | None = None


class CreateAdmin(_NewAccount):
    """An administrator, and the link with which they choose a password; another link for one that exists."""

    type: Literal["create_admin"] = "create_admin"
    roles: tuple[Role, ...] = ("administrator",)


class ListTokens(_Request):
    """Of one account, or of every account that is not disabled."""

    type: Literal["list"] = "list"
    account: str | None = None


class RevokeToken(_Request):
    """By the token's id, which is no secret."""

    type: Literal["revoke"] = "revoke"
    token_id: str


class EnableAccount(_Request):
    """A disabled account is to act again; also where no administrator is left who could sign in."""

    type: Literal["enable"] = "enable"
    account: str


Request: TypeAlias = CreateToken | CreateAdmin | ListTokens | RevokeToken | EnableAccount

_REQUESTS: TypeAdapter[Request] = TypeAdapter(Annotated[Request, Field(discriminator="type")])


@dataclass
class Answer:
    """What was done, as plain data, and what the person should hear besides."""

    value: dict[str, Any]
    notes: list[Sentence] = field(default_factory=list)


async def carry_out(request: Request, settings: Settings) -> Answer:
    """Carry one request out on the store that the settings name.

    Raises TokenRefused, FolderUnusable, SettingsRefused, SchemaTooNew, StoreUnavailable.
    """
    made = _prepare(settings)
    await migrate(settings.database_url)
    registers = Registers.open(settings.database_url, settings.master_keys(), settings.data_dir)
    try:
        answer = await _on(registers, request, settings)
    except (UnknownMasterKey, CiphertextDamaged) as unreadable:
        raise TokenRefused(
            mark("The accounts were encrypted with another master key than the one here.")
        ) from unreadable
    finally:
        await registers.close()
    return Answer(answer.value, [*made, *answer.notes])


async def _on(registers: Registers, request: Request, settings: Settings) -> Answer:
    match request:
        case CreateToken():
            return await _create(registers, request, settings)
        case CreateAdmin():
            return await _create_admin(registers, request, settings)
        case ListTokens():
            return await _list(registers, request)
        case RevokeToken():
            return await _revoke(registers, request)
        case EnableAccount():
            return await _enable(registers, request)


def _prepare(settings: Settings) -> list[Sentence]:
    folder = DataFolder(settings.data_dir)
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise FolderUnusable(folder.path, error) from error
    if settings.master_key is None and folder.make_key(settings.master_key_file):
        text = mark("A master key was made: keep a copy of %(file)s in a safe place.")
        return [Sentence(text, {"file": settings.master_key_file})]
    return []


async def _create(registers: Registers, request: CreateToken, settings: Settings) -> Answer:
    longest = longest_life(request.scopes, days=settings.token_days, signing_days=settings.signing_token_days)
    if request.expires_days is not None and request.expires_days > longest.days:
        raise TokenRefused(mark("Such a token is good for %(days)s days at most."), days=longest.days)
    notes = []
    known = await registers.accounts.get(request.account)
    if known is None:
        await _make(registers, request)
    elif request.model_fields_set & {"name", "email", "language", "roles", "positions", "zone"}:
        notes.append(Sentence(mark("The account %(account)s exists; it was not changed."), {"account": known.id}))
    until = datetime.now(UTC) + (timedelta(days=request.expires_days) if request.expires_days else longest)
    try:
        token, secret = await registers.accounts.create_token(
            request.account, expires_at=until, scopes=request.scopes, by=whoever_asks()
        )
    except UnknownAccount as disabled:
        raise TokenRefused(mark("The account %(account)s is disabled."), account=request.account) from disabled
    value = {"account": token.account, "token_id": token.id, "token": secret, "expires_at": _written(until)}
    return Answer(value, notes)


async def _create_admin(registers: Registers, request: CreateAdmin, settings: Settings) -> Answer:
    known = await registers.accounts.get(request.account)
    if known is None:
        await _make(registers, request)
    elif "administrator" not in known.roles:
        raise TokenRefused(
            mark("The account %(account)s exists and is no administrator; an administrator may give it the role."),
            account=known.id,
        )
    cost = Cost(settings.argon2_memory_kib, settings.argon2_passes, settings.argon2_lanes)
    passwords = Passwords(registers.database, cost, link_lifetime=timedelta(hours=settings.sign_in_link_hours))
    secret, until = await passwords.make_link(request.account, by=whoever_asks())
    running = DataFolder(settings.data_dir).read()
    url = settings.public_url_at(running.ports.api if running else settings.api_port)
    link = f"{url}{LINK_PAGE}{secret}"
    return Answer({"account": request.account, "link": link, "secret": secret, "expires_at": _written(until)})


async def _make(registers: Registers, request: _NewAccount) -> None:
    try:
        details = AccountDetails(
            id=request.account,
            name=request.name or request.account,
            email=request.email,
            language=request.language or "vi",
            roles=request.roles,
            positions=request.positions,
            zone=request.zone,
        )
    except ValidationError as refused:
        first = str(refused.errors(include_url=False, include_input=False)[0]["loc"][0])
        raise TokenRefused(MISTAKES[first]) from None
    if not details.roles:
        raise TokenRefused(
            mark("There is no account %(account)s: give its roles (%(roles)s) with --role to make it."),
            account=details.id,
            roles=", ".join(get_args(Role)),
        )
    try:
        await registers.accounts.create(details, by=whoever_asks())
    except ValueError as exists:
        # `get` does not see an account that was disabled.
        raise TokenRefused(mark("The account %(account)s is disabled."), account=details.id) from exists


async def _enable(registers: Registers, request: EnableAccount) -> Answer:
    try:
        await registers.accounts.enable(request.account, by=whoever_asks())
    except UnknownAccount:
        raise TokenRefused(mark("There is no account %(account)s."), account=request.account) from None
    except ChangeRefused:
        raise TokenRefused(mark("The account %(account)s is not disabled."), account=request.account) from None
    return Answer({"account": request.account, "enabled": True})


async def _list(registers: Registers, request: ListTokens) -> Answer:
    accounts = registers.accounts
    if request.account is not None and await accounts.get(request.account) is None:
        raise TokenRefused(mark("There is no account %(account)s."), account=request.account)
    wanted = [request.account] if request.account is not None else [each.id for each in await accounts.actors()]
    return Answer({"items": [_token(token) for account in wanted for token in await accounts.tokens_of(account)]})


async def _revoke(registers: Registers, request: RevokeToken) -> Answer:
    if not await registers.accounts.revoke(request.token_id, by=whoever_asks()):
        raise TokenRefused(
            mark("There is no token %(token)s that could be revoked: see `legation token list`."),
            token=request.token_id,
        )
    return Answer({"token_id": request.token_id, "revoked": True})


def whoever_asks() -> str:
    """Return how the log names who asks on this machine: `host:` and the operating system's name of the user.

    Behind `sudo` it is who called it. Whoever is root may say anything: it tells honest people apart.
    """
    number = os.environ.get("SUDO_UID", "") if os.getuid() == 0 else ""
    user = int(number) if number.isdigit() else os.getuid()
    try:
        name = pwd.getpwuid(user).pw_name
    except KeyError:
        name = str(user)
    return f"{HOST}{name[:60]}"


def _token(token: Token) -> dict[str, Any]:
    now = datetime.now(UTC)
    expired = token.expires_at is not None and token.expires_at <= now
    state = "revoked" if token.revoked_at is not None else "expired" if expired else "valid"
    written = {name: _written(value) if isinstance(value, datetime) else value for name, value in asdict(token).items()}
    return {**written, "state": state}


def _written(instant: datetime | None) -> str | None:
    return None if instant is None else instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _answered(content: bytes) -> dict[str, Any]:
    try:
        answer = asyncio.run(carry_out(_REQUESTS.validate_json(content), load_settings()))
    except StackFailure as refused:
        return {"refused": _as_data(refused.sentence)}
    except (SchemaTooNew, StoreUnavailable) as unavailable:
        text = mark("The database cannot be used: %(reason)s.")
        return {"refused": _as_data(Sentence(text, {"reason": unavailable}))}
    except SettingsRefused as refused:
        return {"refused": _as_data(Sentence("%(reason)s", {"reason": refused}))}
    return {"value": answer.value, "notes": [_as_data(note) for note in answer.notes]}


def _as_data(sentence: Sentence) -> dict[str, Any]:
    return {"text": sentence.text, "values": {name: str(value) for name, value in sentence.values.items()}}


def main() -> int:
    """Answer the request on standard input. Always 0: a refusal is an answer."""
    os.umask(0o077)
    json.dump(_answered(sys.stdin.buffer.read()), sys.stdout, ensure_ascii=False)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
