"""Signatures by passkey over what is signed: the challenge says it, and is kept until it was answered once."""

import secrets
from typing import Any

from sqlalchemy import Row, select, update
from webauthn import base64url_to_bytes, generate_authentication_options, verify_authentication_response
from webauthn.helpers import bytes_to_base64url, options_to_json_dict
from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

from domain.signing import NONCE_BYTES, PasskeySignature, Statement, challenge_of
from storage.accounts import accounts
from storage.challenges import Challenges, Kind
from storage.engine import Database
from storage.passkeys import MALFORMED, PasskeyRefused, Passkeys, passkeys

KIND: Kind = "sign_passkey"


class NoPasskey(LookupError):
    """The account has no passkey to sign with."""


class Signing:
    """Asks an account's own passkeys for signatures, and verifies them. Times are wall time in UTC."""

    def __init__(self, database: Database, challenges: Challenges, keys: Passkeys) -> None:
        self._database = database
        self._challenges = challenges
        self._keys = keys

    async def ask(self, account: str, statement: Statement) -> dict[str, Any]:
        """Return what `navigator.credentials.get` takes to sign a statement (PublicKeyCredentialRequestOptionsJSON).

        The challenge is the statement itself. Raises NoPasskey.
        """
        async with self._database.reading() as connection:
            wanted = select(passkeys.c.credential).where(passkeys.c.account == account).order_by(passkeys.c.created_at)
            own = (await connection.execute(wanted)).scalars().all()
        if not own:
            raise NoPasskey(account)
        challenge = statement.challenge(bytes_to_base64url(secrets.token_bytes(NONCE_BYTES)))
        await self._challenges.put(KIND, bytes_to_base64url(challenge), self._keys.clock(), account=account)
        options = generate_authentication_options(
            rp_id=self._keys.party.id,
            challenge=challenge,
            timeout=int(self._challenges.lifetime.total_seconds() * 1000),
            allow_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(one)) for one in own],
            user_verification=UserVerificationRequirement.REQUIRED,
        )
        return options_to_json_dict(options)

    async def verify(self, account: str, statement: Statement, signature: PasskeySignature, use: str) -> str:
        """Return the public key (COSE, base64url) of a signature that holds.

        `use` names what it is for: a challenge is answered once, and a repetition of the same use has the same answer.
        Raises PasskeyRefused: another statement or account, an unknown or expired challenge, one that was answered for
        another use, another origin, no user verification, a counter that did not go on.
        """
        challenge = challenge_of(signature)
        if challenge is None or not statement.made(signature):
            raise PasskeyRefused("the challenge is another one")
        written = bytes_to_base64url(challenge)
        # The key first: a counter that the same use moved meanwhile shows in the challenge, which is read after it.
        row = await self._known(account, signature.credential)
        kept = await self._challenges.look(KIND, written, self._keys.clock())
        if kept is None or kept.account != account:
            raise PasskeyRefused("the challenge is unknown, expired or another account's")
        if kept.taken_by not in (None, use):
            raise PasskeyRefused("the challenge was answered before")
        try:
            verified = verify_authentication_response(
                credential=_answer(signature),
                expected_challenge=challenge,
                expected_rp_id=self._keys.party.id,
                expected_origin=self._keys.party.origin,
                credential_public_key=row.public_key,
                credential_current_sign_count=0 if kept.taken_by else row.sign_count,
                require_user_verification=True,
            )
        except MALFORMED as refused:
            raise PasskeyRefused("the signature could not be verified") from refused
        if kept.taken_by is None:
            await self._take(written, row, verified.new_sign_count, use)
        return bytes_to_base64url(row.public_key)

    async def _known(self, account: str, credential: str) -> Row[Any]:
        wanted = (
            select(passkeys)
            .join_from(passkeys, accounts, passkeys.c.account == accounts.c.id)
            .where(passkeys.c.credential == credential, passkeys.c.account == account, accounts.c.disabled_at.is_(None))
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        if row is None:
            raise PasskeyRefused("the key is unknown, another account's, or its account disabled")
        return row

    async def _take(self, challenge: str, row: Row[Any], count: int, use: str) -> None:
        """Use the challenge up and move the counter, both or neither; nothing where the same use did so meanwhile."""
        async with self._database.writing() as connection:
            taken_by = await self._challenges.mark(connection, KIND, challenge, use)
            if taken_by == "":
                moved = await connection.execute(
                    update(passkeys)
                    .where(passkeys.c.id == row.id, passkeys.c.sign_count == row.sign_count)
                    .values(sign_count=count, last_used_at=self._keys.clock())
                )
                # Of two answers with one count, one is a copy: the first one counts.
                if moved.rowcount != 1:
                    raise PasskeyRefused("the key was used at the same time, or removed")
            elif taken_by != use:
                raise PasskeyRefused("the challenge was answered before")


def _answer(signature: PasskeySignature) -> dict[str, Any]:
    """Return a signature as a device gives it (AuthenticationResponseJSON)."""
    return {
        "id": signature.credential,
        "rawId": signature.credential,
        "type": "public-key",
        "response": {
            "clientDataJSON": signature.client_data,
            "authenticatorData": signature.authenticator_data,
            "signature": signature.signature,
        },
    }
