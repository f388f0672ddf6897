"""The register of written texts: reasons, reports, remarks, each under the key of its delegation's file."""

import secrets
import unicodedata
from collections.abc import AsyncIterator, Iterable
from typing import Any

from sqlalchemy import Column, Integer, Row, Table, select
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import commitment
from domain.values import TextRef
from storage.data_keys import DataKeys, KeyDestroyed, file_key
from storage.engine import Database
from storage.idempotency import IdempotencyConflict, stored_key
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.references import new_reference
from storage.upsert import insert_into

LARGEST_TEXT = 100_000
"""Bytes of UTF-8 after normalisation."""

SALT_BYTES = 32
DIRECTION_OVERRIDES = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""They show a text in another order than it is stored; the plain marks of right-to-left scripts are taken."""

texts = Table(
    "texts",
    metadata,
    Column("ref", Name, primary_key=True),
    Column("delegation_id", Name, nullable=False, index=True),
    Column("idempotency_key", Name, unique=True),
    Column("ciphertext", Secret, nullable=False),  # the 32 bytes of salt, then the text
    Column("commitment", Name, nullable=False),
    Column("size", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("claimed_at", Instant),
)


class TextRefused(ValueError):
    """A text that the register does not take.

    `code` is text_too_long, text_has_nul, text_has_control_character, text_has_direction_override, text_not_unicode or
    text_empty.
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(reason)
        self.code = code


def normal_text(text: str) -> str:
    """Return a text in NFC with LF line ends; raises TextRefused (LF and TAB are its only control characters)."""
    if len(text) > LARGEST_TEXT:
        raise TextRefused(
            "text_too_long", f"the text has {len(text)} characters, at most {LARGEST_TEXT} bytes are taken"
        )
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    for position, character in enumerate(lines):
        if character == "\x00":
            raise TextRefused("text_has_nul", f"character {position + 1} is NUL")
        if unicodedata.category(character) == "Cc" and character not in "\n\t":
            raise TextRefused(
                "text_has_control_character", f"character {position + 1} is a control character U+{ord(character):04X}"
            )
        if character in DIRECTION_OVERRIDES:
            raise TextRefused(
                "text_has_direction_override",
                f"character {position + 1} (U+{ord(character):04X}) turns the reading order",
            )
    normal = unicodedata.normalize("NFC", lines)
    try:
        size = len(normal.encode())
    except UnicodeEncodeError as error:
        raise TextRefused("text_not_unicode", f"character {error.start + 1} is half of a surrogate pair") from None
    if size > LARGEST_TEXT:
        raise TextRefused("text_too_long", f"the text has {size} bytes, at most {LARGEST_TEXT} are taken")
    if not normal.strip():
        raise TextRefused("text_empty", "the text is empty")
    return normal


class Texts:
    """Written texts by opaque reference."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def write(self, delegation_id: str, text: str, *, idempotency_key: str | None = None) -> TextRef:
        """Keep a text for a delegation and return the reference and commitment for a command.

        Raises TextRefused, and IdempotencyConflict when the key (made unique by the caller) came before with another
        text or delegation.
        """
        content, ref, salt = normal_text(text).encode(), new_reference("txt"), secrets.token_bytes(SALT_BYTES)
        reference = TextRef(ref=ref, commitment=commitment(salt, content))
        async with self._database.writing() as connection:
            key = await self._keys.obtain(connection, file_key(delegation_id))
            row = {
                "ref": ref,
                "delegation_id": delegation_id,
                "idempotency_key": stored_key(idempotency_key),
                "ciphertext": key.encrypt(salt + content, context=ref.encode()),
                "commitment": reference.commitment,
                "size": len(content),
                "created_at": utc_now(),
            }
            entered = await connection.execute(
                insert_into(connection, texts).values(row).on_conflict_do_nothing().returning(texts.c.ref)
            )
            if entered.one_or_none() is not None:
                return reference
            return await self._written_before(connection, idempotency_key, delegation_id, content)

    async def written_for(self, ref: str) -> str | None:
        """Return for which delegation a text was written, or None when the register has none of this reference."""
        wanted = select(texts.c.delegation_id).where(texts.c.ref == ref)
        async with self._database.reading() as connection:
            found: str | None = (await connection.execute(wanted)).scalar_one_or_none()
        return found

    async def read(self, ref: str) -> str | None:
        """Return a text, or None when the register has none of this reference or its file's key was destroyed."""
        return (await self.read_many([ref])).get(ref)

    async def read_many(self, refs: Iterable[str]) -> dict[str, str]:
        """Return the texts that can be read, by reference."""
        if not (asked := sorted(set(refs))):
            return {}
        wanted = select(texts).where(texts.c.ref.in_(asked))
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
            keys = await self._keys.get_many(connection, (file_key(row.delegation_id) for row in rows))
        return {
            row.ref: _opened(row, keys[file_key(row.delegation_id)])[1].decode()
            for row in rows
            if file_key(row.delegation_id) in keys
        }

    async def opening(self, reference: TextRef) -> tuple[bytes, bytes] | None:
        """Return salt and content that open a commitment, or None when they are gone."""
        wanted = select(texts).where(texts.c.ref == reference.ref, texts.c.commitment == reference.commitment)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
            if row is None:
                return None
            try:
                key = await self._keys.get(connection, file_key(row.delegation_id))
            except KeyDestroyed:
                return None
        return _opened(row, key)

    async def _written_before(
        self, connection: AsyncConnection, idempotency_key: str | None, delegation_id: str, content: bytes
    ) -> TextRef:
        row = (
            await connection.execute(select(texts).where(texts.c.idempotency_key == stored_key(idempotency_key)))
        ).one()
        if row.delegation_id != delegation_id:
            raise IdempotencyConflict
        if _opened(row, await self._keys.get(connection, file_key(delegation_id)))[1] != content:
            raise IdempotencyConflict
        return TextRef(ref=row.ref, commitment=row.commitment)


async def texts_in(
    connection: AsyncConnection, keys: DataKeys, delegations: Iterable[str]
) -> AsyncIterator[tuple[str, str, str]]:
    """Yield the texts of delegations that can be read: delegation, reference and text, in the order of writing."""
    for delegation in delegations:
        opened = await keys.get_many(connection, [file_key(delegation)])
        wanted = select(texts).where(texts.c.delegation_id == delegation).order_by(texts.c.created_at, texts.c.ref)
        for row in (await connection.execute(wanted)).all() if opened else []:
            yield delegation, row.ref, _opened(row, opened[file_key(delegation)])[1].decode()


def _opened(row: Row[Any], key: DataKey) -> tuple[bytes, bytes]:
    plain = key.decrypt(row.ciphertext, context=row.ref.encode())
    return plain[:SALT_BYTES], plain[SALT_BYTES:]
