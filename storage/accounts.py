"""The register of accounts: who may act, in which roles and positions, and the tokens they act with."""

import hashlib
import hmac
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Row,
    Select,
    Table,
    and_,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from domain.decision import SYSTEM, Actor, RoleName
from domain.institution import Leave
from domain.mailbox import Address
from domain.sign_in import SCOPES, Acting, Scope, longest_life
from domain.values import Language, Slug, Value, Zone, business_text, write_instant
from storage.account_notices import tell_owner
from storage.data_keys import DataKeys, KeyDestroyed, account_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.references import new_reference
from storage.register_log import ChangeRefused, queue, record
from storage.tenures import end_tenures, held_at, hold_exactly, tenures
from storage.upsert import insert_into

TOKEN_PREFIX = "lgt_"  # noqa: S105 - it only tells people, and secret scanners, what they found
TOKEN_BYTES = 32

accounts = Table(
    "accounts",
    metadata,
    Column("id", Name, primary_key=True),
    Column("ciphertext", Secret, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("disabled_at", Instant),
    Column("organisation", Name),
    Column("person", Name),
)

account_roles = Table(
    "account_roles",
    metadata,
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True),
    Column("role", Name, primary_key=True),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Name, primary_key=True),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("digest", Name, nullable=False, unique=True),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant),
    Column("revoked_at", Instant),
    # Parted by blanks; a token of a release that knew no scopes has none, and may all.
    Column("scopes", Name),
)


class AccountDetails(Value):
    """What somebody's account says: the name and address are personal data and stand encrypted.

    `positions` are those held now. With an `organisation` somebody acts on the files of its subtree; `person` is the
    reference of who the account belongs to, so that nobody approves a trip of their own. `zone` says whose clock tells
    the account's mornings; None for the business zone.
    """

    id: Slug
    name: Annotated[str, Field(max_length=200), AfterValidator(business_text)]
    email: Address | None = None
    language: Language = "vi"
    roles: tuple[RoleName, ...]
    positions: tuple[Slug, ...] = ()
    organisation: Slug | None = None
    person: Annotated[str | None, Field(pattern=r"^per_[A-Za-z0-9_-]{8,64}$")] = None
    zone: Zone | None = None

    @property
    def actor(self) -> Actor:
        """What a decision sees of the account."""
        return Actor(
            id=self.id,
            roles=self.roles,
            positions=self.positions,
            organisation=self.organisation,
            person=self.person,
        )


@dataclass(frozen=True)
class Token:
    """A token without its secret; instants are wall time in UTC."""

    id: str
    account: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    scopes: tuple[Scope, ...] = SCOPES


@dataclass(frozen=True)
class Disabled:
    """An account that may do nothing until it is enabled again; `disabled_at` is wall time in UTC."""

    id: str
    name: str
    disabled_at: datetime


class AccountExists(ValueError):
    """There is an account of this id, with other details."""


class UnknownAccount(LookupError):
    """There is no such account, or it is disabled."""


_HELD_NOW = and_(tenures.c.account == accounts.c.id, held_at(bindparam("now", callable_=utc_now, type_=Instant)))


def with_rights(credentials: Table, *columns: ColumnElement[Any]) -> Select[Any]:
    """Return a SELECT of credentials, one row for each role and position of the account, unless that is disabled.

    It has `account`, `organisation`, `person`, `role`, `position` (as held now) and the columns named; `credentials`
    has a column `account`.
    """
    return (
        select(
            credentials.c.account,
            accounts.c.organisation,
            accounts.c.person,
            account_roles.c.role,
            tenures.c.position,
            *columns,
        )
        .join_from(credentials, accounts, credentials.c.account == accounts.c.id)
        .join(account_roles, account_roles.c.account == accounts.c.id, isouter=True)
        .join(tenures, _HELD_NOW, isouter=True)
        .where(accounts.c.disabled_at.is_(None))
    )


def rights_in(rows: Sequence[Row[Any]]) -> Actor:
    """Return whom the rows of `with_rights` name; there is at least one row."""
    return Actor(
        id=rows[0].account,
        roles=tuple(sorted({row.role for row in rows if row.role})),
        positions=tuple(sorted({row.position for row in rows if row.position})),
        organisation=rows[0].organisation,
        person=rows[0].person,
    )


_BEARER = with_rights(tokens, tokens.c.digest, tokens.c.expires_at, tokens.c.scopes).where(
    tokens.c.digest == bindparam("digest"), tokens.c.revoked_at.is_(None)
)


class Accounts:
    """Accounts by id; an account is disabled, never deleted, so that the trail can name who acted."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def create(self, details: AccountDetails, *, by: str = SYSTEM) -> AccountDetails:
        """Open an account, holding its positions from now on.

        The same one again is no error, another one under its id raises AccountExists.
        """
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            try:
                key = await self._keys.obtain(connection, account_key(details.id))
            except KeyDestroyed:
                raise AccountExists(f"the account “{details.id}” was somebody's who was erased") from None
            row = {
                "id": details.id,
                "ciphertext": _sealed(details, key),
                "created_at": now,
                "changed_at": now,
                "organisation": details.organisation,
                "person": details.person,
            }
            entered = await connection.execute(
                insert_into(connection, accounts).values(row).on_conflict_do_nothing().returning(accounts.c.id)
            )
            if entered.one_or_none() is None:
                known = await self._load(connection, details.id)
                if known is None or _comparable(known) != _comparable(details):
                    raise AccountExists(f"there is another account “{details.id}”")
                return known
            await _grant(connection, details)
            await record(connection, "accounts", "account_opened", details.id, by=by, after=_said(details))
            await hold_exactly(connection, details.id, details.positions, now, organisation=details.organisation, by=by)
        return details

    async def change(self, details: AccountDetails, *, by: str = SYSTEM) -> None:
        """Replace name, address, roles, organisation and person; the positions are held from now on, others no more.

        Raises UnknownAccount, and ChangeRefused (`last_administrator`) where nobody would be left to administer.
        """
        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            before = await self._load(connection, details.id)
            if before is None:
                raise UnknownAccount(f"there is no account “{details.id}”")
            if "administrator" in before.roles and "administrator" not in details.roles:
                await _require_another_administrator(connection, details.id)
            moved = before.email != details.email
            if moved:
                await tell_owner(connection, details.id, "address_changed", by=by)
            key = await self._keys.obtain(connection, account_key(details.id))
            await connection.execute(
                update(accounts)
                .where(accounts.c.id == details.id)
                .values(
                    ciphertext=_sealed(details, key),
                    changed_at=now,
                    organisation=details.organisation,
                    person=details.person,
                )
            )
            if moved:
                await tell_owner(connection, details.id, "address_changed", by=by)
            await connection.execute(delete(account_roles).where(account_roles.c.account == details.id))
            await _grant(connection, details)
            after = _said(details) | {"rewritten": _rewritten(before, details)}
            await record(
                connection, "accounts", "account_changed", details.id, by=by, before=_said(before), after=after
            )
            await hold_exactly(connection, details.id, details.positions, now, organisation=details.organisation, by=by)

    async def disable(self, account: str, *, by: str = SYSTEM) -> list[Leave]:
        """Disable an account, and end in the same transaction what it could act by: tokens, sessions, password,
        tenures, and leave that it takes or is the substitute of. Passkeys and identities stay, and open nothing.

        Return the leave that was revoked: open files are to hear of it. Raises UnknownAccount, and ChangeRefused
        (`last_administrator`) where nobody would be left to administer.
        """
        # Imported here: these registers know the accounts themselves.
        from storage.leaves import revoke_leaves
        from storage.passwords import forget_password
        from storage.sessions import end_sessions

        now = utc_now()
        async with self._database.writing() as connection:
            await queue(connection)
            if await _load_disabled(connection, account, disabled=False) is None:
                raise UnknownAccount(f"there is no account “{account}”")
            await _require_another_administrator(connection, account)
            await connection.execute(update(accounts).where(accounts.c.id == account).values(disabled_at=now))
            await record(connection, "accounts", "account_disabled", account, by=by)
            await revoke_tokens(connection, tokens.c.account == account, by=by)
            await end_sessions(connection, account, now)
            await forget_password(connection, account, now)
            await end_tenures(connection, account, now, by=by)
            return await revoke_leaves(connection, account, now, by=by)

    async def enable(self, account: str, *, by: str = SYSTEM) -> None:
        """Let an account act again, in the roles it had; what its disabling ended stays ended.

        Raises UnknownAccount, also where its holder was erased, and ChangeRefused (`account_not_disabled`).
        """
        async with self._database.writing() as connection:
            await queue(connection)
            if await _load_disabled(connection, account, disabled=False) is not None:
                raise ChangeRefused("account_not_disabled")
            sealed = await _load_disabled(connection, account, disabled=True)
            if not sealed:
                raise UnknownAccount(f"there is no account “{account}” that could be enabled")
            await connection.execute(update(accounts).where(accounts.c.id == account).values(disabled_at=None))
            await record(connection, "accounts", "account_enabled", account, by=by)
            await tell_owner(connection, account, "account_enabled", by=by)

    async def disabled(self) -> list[Disabled]:
        """Return the accounts that are disabled and could be enabled, by id: not those whose holder was erased."""
        wanted = (
            select(accounts)
            .where(accounts.c.disabled_at.is_not(None), accounts.c.ciphertext != b"")
            .order_by(accounts.c.id)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
            keys = await self._keys.get_many(connection, (account_key(row.id) for row in rows))
        return [
            Disabled(row.id, _hidden(row.id, row.ciphertext, keys[account_key(row.id)]).name, row.disabled_at)
            for row in rows
            if account_key(row.id) in keys
        ]

    async def get(self, account: str) -> AccountDetails | None:
        """Return an account that is not disabled."""
        async with self._database.reading() as connection:
            return await self._load(connection, account)

    async def names(self, ids: Iterable[str]) -> dict[str, str]:
        """Return the names of accounts by id, of disabled ones too: they stand under what was signed.

        An account whose holder was erased has none any more.
        """
        wanted = select(accounts.c.id, accounts.c.ciphertext).where(accounts.c.id.in_(sorted(set(ids))))
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
            keys = await self._keys.get_many(connection, (account_key(row.id) for row in rows))
        return {
            row.id: _hidden(row.id, row.ciphertext, keys[account_key(row.id)]).name
            for row in rows
            if account_key(row.id) in keys
        }

    async def actors(self) -> list[AccountDetails]:
        """Return every account that is not disabled, by id."""
        async with self._database.reading() as connection:
            return await self._read(connection)

    async def count(self) -> int:
        """Return how many accounts are not disabled."""
        wanted = select(func.count()).select_from(accounts).where(accounts.c.disabled_at.is_(None))
        async with self._database.reading() as connection:
            count: int = (await connection.execute(wanted)).scalar_one()
        return count

    async def page(self, offset: int, limit: int) -> list[AccountDetails]:
        """Return some of the accounts that are not disabled, by id: up to `limit`, after `offset` of them."""
        enabled = select(accounts.c.id).where(accounts.c.disabled_at.is_(None)).order_by(accounts.c.id)
        async with self._database.reading() as connection:
            wanted = (await connection.execute(enabled.offset(offset).limit(limit))).scalars().all()
            return await self._read(connection, accounts.c.id.in_(wanted))

    async def approvers_without_person(self) -> list[AccountDetails]:
        """Return the accounts that may sign and do not say whose they are, by id.

        Nobody can be kept from approving a trip of their own that is not known to be theirs.
        """
        approving = select(account_roles.c.account).where(account_roles.c.role == "approver")
        async with self._database.reading() as connection:
            return await self._read(connection, accounts.c.person.is_(None), accounts.c.id.in_(approving))

    async def several(self, ids: Collection[str]) -> list[AccountDetails]:
        """Return those of some accounts that are not disabled, by id."""
        async with self._database.reading() as connection:
            return await self._read(connection, accounts.c.id.in_(sorted(set(ids))))

    async def create_token(
        self,
        account: str,
        *,
        expires_at: datetime | None = None,
        scopes: Sequence[Scope] = SCOPES,
        by: str = SYSTEM,
    ) -> tuple[Token, str]:
        """Return a new token and its secret, which is shown this once and kept only as SHA-256.

        Without `expires_at` it lives as long as such a token may (`longest_life`). Raises UnknownAccount.
        """
        secret, now = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES), utc_now()
        given = tuple(scope for scope in SCOPES if scope in scopes)
        until = expires_at or now + longest_life(given)
        token = Token(new_reference("tok"), account, now, until, None, given)
        async with self._database.writing() as connection:
            await queue(connection)
            if await self._load(connection, account) is None:
                raise UnknownAccount(f"there is no account “{account}”")
            await connection.execute(
                insert(tokens).values(
                    id=token.id,
                    account=account,
                    digest=digest_of_secret(secret),
                    created_at=token.created_at,
                    expires_at=until,
                    scopes=" ".join(given),
                )
            )
            after = {"account": account, "expires_at": write_instant(until), "scopes": list(given)}
            await record(connection, "accounts", "token_created", token.id, by=by, after=after)
            await tell_owner(connection, account, "token_created", by=by)
        return token, secret

    async def revoke(self, token_id: str, *, by: str = SYSTEM) -> bool:
        """Revoke a token; False when there is none, or it was revoked before."""
        async with self._database.writing() as connection:
            await queue(connection)
            revoked = await revoke_tokens(connection, tokens.c.id == token_id, by=by)
            for account in revoked:
                await tell_owner(connection, account, "token_revoked", by=by)
        return bool(revoked)

    async def tokens_of(self, account: str) -> list[Token]:
        """Return an account's tokens, the oldest first."""
        wanted = select(tokens).where(tokens.c.account == account).order_by(tokens.c.created_at, tokens.c.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            Token(row.id, row.account, row.created_at, row.expires_at, row.revoked_at, _scopes(row.scopes))
            for row in rows
        ]

    async def actor_for_token(self, secret: str) -> Acting | None:
        """Return who acts with a token, or None if it is unknown, revoked, expired or its account disabled.

        The token is looked up by its SHA-256, so how long the look-up takes says nothing about another token; an
        unknown one is compared all the same. One statement, and nobody's name is decrypted: every request waits for it.
        """
        digest, now = digest_of_secret(secret), utc_now()
        async with self._database.reading() as connection:
            rows = (await connection.execute(_BEARER, {"digest": digest})).all()
        genuine = hmac.compare_digest(rows[0].digest if rows else digest_of_secret(""), digest)
        if not rows or not genuine or (rows[0].expires_at is not None and rows[0].expires_at <= now):
            return None
        return Acting(**vars(rights_in(rows)), factor="token", factor_at=now, scopes=_scopes(rows[0].scopes))

    async def _load(self, connection: AsyncConnection, account: str) -> AccountDetails | None:
        found = await self._read(connection, accounts.c.id == account)
        return found[0] if found else None

    async def _read(self, connection: AsyncConnection, *which: Any) -> list[AccountDetails]:
        rows = (
            await connection.execute(
                select(accounts, account_roles.c.role, tenures.c.position)
                .join_from(accounts, account_roles, isouter=True)
                .join(tenures, _HELD_NOW, isouter=True)
                .where(accounts.c.disabled_at.is_(None), *which)
                .order_by(accounts.c.id, account_roles.c.role, tenures.c.position)
            )
        ).all()
        by_id: dict[str, list[Row[Any]]] = {}
        for row in rows:
            by_id.setdefault(row.id, []).append(row)
        keys = await self._keys.get_many(connection, (account_key(account) for account in by_id))
        return [_details(group, keys[account_key(account)]) for account, group in by_id.items()]


async def revoke_tokens(connection: AsyncConnection, which: ColumnElement[bool], *, by: str) -> list[str]:
    """Revoke those of some tokens that are not revoked, in the caller's transaction, each recorded; return whose."""
    ending = update(tokens).where(which, tokens.c.revoked_at.is_(None)).values(revoked_at=utc_now())
    revoked = (await connection.execute(ending.returning(tokens.c.id, tokens.c.account))).all()
    for row in sorted(revoked, key=lambda row: str(row.id)):
        await record(connection, "accounts", "token_revoked", row.id, by=by, before={"account": row.account})
    return [row.account for row in revoked]


async def _load_disabled(connection: AsyncConnection, account: str, *, disabled: bool) -> bytes | None:
    """Return what an account that is disabled, or is not, keeps encrypted; None where there is none such."""
    state = accounts.c.disabled_at.is_not(None) if disabled else accounts.c.disabled_at.is_(None)
    wanted = select(accounts.c.ciphertext).where(accounts.c.id == account, state)
    sealed: bytes | None = (await connection.execute(wanted)).scalar_one_or_none()
    return sealed


async def _require_another_administrator(connection: AsyncConnection, account: str) -> None:
    """Refuse (`last_administrator`) to take the administration from the one account that has it."""
    able = (
        select(accounts.c.id)
        .join(account_roles, account_roles.c.account == accounts.c.id)
        .where(accounts.c.disabled_at.is_(None), account_roles.c.role == "administrator")
    )
    if set((await connection.execute(able)).scalars()) == {account}:
        raise ChangeRefused("last_administrator")


def _details(group: list[Row[Any]], key: DataKey) -> AccountDetails:
    hidden = _hidden(group[0].id, group[0].ciphertext, key)
    return AccountDetails(
        id=group[0].id,
        name=hidden.name,
        email=hidden.email,
        language=hidden.language,
        roles=tuple(dict.fromkeys(row.role for row in group if row.role)),
        positions=tuple(dict.fromkeys(row.position for row in group if row.position)),
        organisation=group[0].organisation,
        person=group[0].person,
        zone=hidden.zone,
    )


class _Hidden(Value):
    name: str
    email: str | None = None
    language: Language
    zone: Zone | None = None


def _hidden(account: str, ciphertext: bytes, key: DataKey) -> _Hidden:
    return _Hidden.model_validate_json(key.decrypt(ciphertext, context=account.encode()))


def _sealed(details: AccountDetails, key: DataKey) -> bytes:
    hidden = _Hidden(name=details.name, email=details.email, language=details.language, zone=details.zone)
    return key.encrypt(canonical_json(hidden.model_dump(mode="json")), context=details.id.encode())


def _comparable(details: AccountDetails) -> AccountDetails:
    return details.model_copy(
        update={"roles": tuple(sorted(set(details.roles))), "positions": tuple(sorted(set(details.positions)))}
    )


async def _grant(connection: AsyncConnection, details: AccountDetails) -> None:
    if details.roles:
        await connection.execute(
            insert(account_roles), [{"account": details.id, "role": role} for role in sorted(set(details.roles))]
        )


def _said(details: AccountDetails) -> dict[str, Any]:
    """Return what the log says of an account: nothing that is personal."""
    return details.model_dump(mode="json", include={"roles", "positions", "organisation", "person"}, exclude_none=True)


def _rewritten(before: AccountDetails, after: AccountDetails) -> list[str]:
    """Return which of the encrypted fields have another content."""
    return [name for name in _Hidden.model_fields if getattr(before, name) != getattr(after, name)]


def digest_of_secret(secret: str) -> str:
    """Return what is kept of a secret of 256 random bits: its SHA-256 in hexadecimal."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _scopes(written: str | None) -> tuple[Scope, ...]:
    return SCOPES if written is None else tuple(scope for scope in SCOPES if scope in written.split())
