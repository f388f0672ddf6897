"""The register of passkeys: public keys with which people sign in (WebAuthn Level 2). Times are wall time in UTC."""

import hashlib
import json
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Row, Table, delete, select, update
from webauthn import (
    base64url_to_bytes,
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import bytes_to_base64url, options_to_json_dict
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from storage.account_notices import tell_owner
from storage.accounts import accounts
from storage.challenges import Challenge, Challenges, Kind
from storage.data_keys import DataKeys, account_key
from storage.engine import Database
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.references import new_reference
from storage.register_log import queue, record
from storage.upsert import insert_into

CHALLENGE_BYTES = 32

MALFORMED = (WebAuthnException, ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError)
"""What the library raises for an answer that no authenticator gave: it parses before it judges."""

passkeys = Table(
    "passkeys",
    metadata,
    Column("id", Name, primary_key=True),
    Column("account", Name, ForeignKey("accounts.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("credential", Name, nullable=False, unique=True),
    Column("public_key", Secret, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("aaguid", Name, nullable=False),
    Column("label", Secret, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("last_used_at", Instant),
)


@dataclass(frozen=True)
class RelyingParty:
    """For whom passkeys are made: `id` is the host that people open, `origin` its scheme, host and port."""

    id: str
    name: str
    origin: str


@dataclass(frozen=True)
class Passkey:
    """A passkey as its owner sees it: `label` is their own word for it, `aaguid` says which make it is."""

    id: str
    account: str
    label: str
    aaguid: str
    created_at: datetime
    last_used_at: datetime | None


class PasskeyRefused(Exception):
    """The answer of an authenticator is not one to what was asked, or not by a key that is known."""


class PasskeyExists(ValueError):
    """The key is registered already."""


class Passkeys:
    """Passkeys by account; an account may have several. User verification is demanded of every one.

    A challenge is the server's own, good once and for a short while. `clock` returns the wall time in UTC.
    """

    def __init__(
        self,
        database: Database,
        keyring: Keyring,
        challenges: Challenges,
        party: RelyingParty,
        *,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._keys = DataKeys(keyring)
        self._challenges = challenges
        self.party = party
        self.clock = clock

    async def registration(self, account: str) -> dict[str, Any]:
        """Return what `navigator.credentials.create` takes (PublicKeyCredentialCreationOptionsJSON)."""
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        await self._challenges.put("register_passkey", bytes_to_base64url(challenge), self.clock(), account=account)
        async with self._database.reading() as connection:
            wanted = select(passkeys.c.credential).where(passkeys.c.account == account)
            known = (await connection.execute(wanted)).scalars().all()
        options = generate_registration_options(
            rp_id=self.party.id,
            rp_name=self.party.name,
            user_id=user_handle(account),
            user_name=account,
            challenge=challenge,
            timeout=self._milliseconds,
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in known],
        )
        return options_to_json_dict(options)

    async def register(self, account: str, answer: Mapping[str, Any], label: str) -> Passkey:
        """Enter the key that an authenticator made (RegistrationResponseJSON), and the SHA-256 of it into the log.

        Raises PasskeyRefused when it does not answer a challenge made for this account, PasskeyExists when the key is
        known.
        """
        challenge, taken = await self._taken("register_passkey", answer)
        if taken.account != account:
            raise PasskeyRefused("the challenge was another account's")
        try:
            verified = verify_registration_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                require_user_verification=True,
            )
        except MALFORMED as refused:
            raise PasskeyRefused("the registration could not be verified") from refused
        passkey = Passkey(new_reference("pky"), account, label, verified.aaguid, self.clock(), None)
        async with self._database.writing() as connection:
            await queue(connection)
            key = await self._keys.obtain(connection, account_key(account))
            row = {
                "id": passkey.id,
                "account": account,
                "credential": bytes_to_base64url(verified.credential_id),
                "public_key": verified.credential_public_key,
                "sign_count": verified.sign_count,
                "aaguid": verified.aaguid,
                "label": key.encrypt(label.encode(), context=passkey.id.encode()),
                "created_at": passkey.created_at,
            }
            entered = insert_into(connection, passkeys).values(row).on_conflict_do_nothing().returning(passkeys.c.id)
            if (await connection.execute(entered)).one_or_none() is None:
                raise PasskeyExists("the key is registered")
            # Whose key it is stays provable when the key itself is long removed.
            after = {"account": account, "key": hashlib.sha256(verified.credential_public_key).hexdigest()}
            await record(connection, "accounts", "passkey_registered", passkey.id, by=account, after=after)
            await tell_owner(connection, account, "passkey_registered", by=account)
        return passkey

    async def authentication(self) -> dict[str, Any]:
        """Return what `navigator.credentials.get` takes (PublicKeyCredentialRequestOptionsJSON).

        It names no key and no account, so it tells a stranger nothing: the authenticator offers what it has.
        """
        challenge = secrets.token_bytes(CHALLENGE_BYTES)
        await self._challenges.put("use_passkey", bytes_to_base64url(challenge), self.clock())
        options = generate_authentication_options(
            rp_id=self.party.id,
            challenge=challenge,
            timeout=self._milliseconds,
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    async def authenticate(self, answer: Mapping[str, Any]) -> str:
        """Return whose key signed the challenge (AuthenticationResponseJSON).

        Raises PasskeyRefused: unknown, expired or repeated challenge, another origin, an unknown key, a counter that
        did not go on, a disabled account.
        """
        challenge, _ = await self._taken("use_passkey", answer)
        row = await self._known(answer)
        try:
            verified = verify_authentication_response(
                credential=dict(answer),
                expected_challenge=challenge,
                expected_rp_id=self.party.id,
                expected_origin=self.party.origin,
                credential_public_key=row.public_key,
                credential_current_sign_count=row.sign_count,
                require_user_verification=True,
            )
            handle = answer["response"].get("userHandle")
            foreign = handle is not None and base64url_to_bytes(handle) != user_handle(row.account)
        except MALFORMED as refused:
            raise PasskeyRefused("the signature could not be verified") from refused
        if foreign:
            raise PasskeyRefused("the key was made for another account")
        async with self._database.writing() as connection:
            # Of two answers with one count, one is a copy: the first one counts.
            used = await connection.execute(
                update(passkeys)
                .where(passkeys.c.id == row.id, passkeys.c.sign_count == row.sign_count)
                .values(sign_count=verified.new_sign_count, last_used_at=self.clock())
            )
        if used.rowcount != 1:
            raise PasskeyRefused("the key was used at the same time, or removed")
        return str(row.account)

    async def of(self, account: str) -> list[Passkey]:
        """Return an account's passkeys, the oldest first."""
        wanted = select(passkeys).where(passkeys.c.account == account).order_by(passkeys.c.created_at, passkeys.c.id)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
            if not rows:
                return []
            key = await self._keys.get(connection, account_key(account))
        return [_passkey(row, key) for row in rows]

    async def remove(self, passkey: str, account: str, *, by: str | None = None) -> bool:
        """Remove a passkey of an account, `by` its owner unless said; False when the account has none of this id."""
        async with self._database.writing() as connection:
            await queue(connection)
            done = await connection.execute(
                delete(passkeys).where(passkeys.c.id == passkey, passkeys.c.account == account)
            )
            if done.rowcount == 1:
                before = {"account": account}
                await record(connection, "accounts", "passkey_removed", passkey, by=by or account, before=before)
                await tell_owner(connection, account, "passkey_removed", by=by or account)
        return done.rowcount == 1

    async def _taken(self, kind: Kind, answer: Mapping[str, Any]) -> tuple[bytes, Challenge]:
        try:
            said = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
            written = said["challenge"]
            challenge = base64url_to_bytes(written)
        except MALFORMED as malformed:
            raise PasskeyRefused("the answer has no challenge") from malformed
        taken = await self._challenges.take(kind, bytes_to_base64url(challenge), self.clock())
        if taken is None:
            raise PasskeyRefused("the challenge is unknown, expired or was answered before")
        return challenge, taken

    async def _known(self, answer: Mapping[str, Any]) -> Row[Any]:
        wanted = (
            select(passkeys)
            .join_from(passkeys, accounts, passkeys.c.account == accounts.c.id)
            .where(passkeys.c.credential == str(answer.get("id")), accounts.c.disabled_at.is_(None))
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise PasskeyRefused("the key is unknown, or its account disabled")
        return row

    @property
    def _milliseconds(self) -> int:
        return int(self._challenges.lifetime.total_seconds() * 1000)


def user_handle(account: str) -> bytes:
    """Return what an authenticator keeps of an account: 32 octets that say nothing, the same for each of its keys."""
    return hashlib.sha256(b"legation passkey\x00" + account.encode()).digest()


def _passkey(row: Row[Any], key: DataKey) -> Passkey:
    label = key.decrypt(row.label, context=row.id.encode()).decode()
    return Passkey(row.id, row.account, label, row.aaguid, row.created_at, row.last_used_at)
