"""The register of attached files: named by the SHA-256 of their bytes, encrypted on disk, never held in memory."""

import asyncio
import contextlib
import hashlib
import os
from collections.abc import AsyncIterable, AsyncIterator, Collection, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, cast

from sqlalchemy import BigInteger, Column, Row, Table, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.values import AttachmentRef
from storage.data_keys import DataKeys, data_keys
from storage.encrypted_file import CHUNK, EncryptedReader, EncryptedWriter
from storage.engine import Database
from storage.errors import honest
from storage.keyring import DataKey, Keyring
from storage.media_types import SNIFFED, TEXT, AttachmentRefused, Limits, PlainText, inspect, media_type_of
from storage.metadata import Instant, Name, metadata, utc_now
from storage.references import new_reference
from storage.upsert import insert_into

attachments = Table(
    "attachments",
    metadata,
    Column("digest", Name, primary_key=True),
    Column("size", BigInteger, nullable=False),
    Column("media_type", Name, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("claimed_at", Instant),
    # Its bytes and key are gone; what was rendered in its place, without the person who was erased.
    Column("erased_at", Instant),
    Column("replaced_by", Name),
)


def attachment_key(digest: str) -> str:
    """Return the subject of an attachment's key."""
    return f"attachment:{digest}"


class UnknownAttachment(LookupError):
    """The register has no such file, or its key was destroyed."""


class AttachmentErased(UnknownAttachment):
    """The file was erased with somebody it named; `replaced_by` is the digest of what was rendered without them."""

    def __init__(self, replaced_by: str | None) -> None:
        super().__init__("the file was erased")
        self.replaced_by = replaced_by


class Attachments:
    """Files by content. The same bytes are kept once, whoever brings them."""

    def __init__(self, database: Database, keyring: Keyring, folder: Path, *, limits: Limits | None = None) -> None:
        self._database = database
        self._keys = DataKeys(keyring)
        self._folder = folder
        self.limits = limits or Limits()

    async def store(
        self, stream: AsyncIterable[bytes], *, declared: str | None = None, rendered: bool = False
    ) -> AttachmentRef:
        """Keep a file and return its reference for a command.

        The type is found from the bytes; `declared`, when given, must be the same. Raises AttachmentRefused before
        more than the limit was read, and StoreUnavailable when the disk cannot take it. Nothing is left of a file
        that was refused or whose sender went away. A file that was erased with somebody is not taken again, unless it
        was `rendered` from the registers as they are: then it names nobody who was erased, and never did.
        """
        incoming = self._folder / "incoming"
        with honest():
            await asyncio.to_thread(incoming.mkdir, mode=0o700, parents=True, exist_ok=True)
        part, key = incoming / new_reference("part"), DataKey.generate()
        try:
            with honest():
                digest, size, kind = await self._receive(stream, part, key)
                kind = await asyncio.to_thread(self._inspect, part, key, size, kind)
            if declared is not None and declared.partition(";")[0].strip().lower() != kind:
                raise AttachmentRefused("attachment_type_mismatch", f"the file is {kind}, not what it was said to be")
            reference = AttachmentRef(digest=digest, media_type=kind, size=size)
            return await self._enter(part, key, reference, again=rendered)
        finally:
            await asyncio.to_thread(part.unlink, missing_ok=True)

    async def open(self, digest: str) -> tuple[AttachmentRef, AsyncIterator[bytes]]:
        """Return what is known of a file and its bytes, in pieces of at most 256 KiB.

        Raises UnknownAttachment, AttachmentErased where it was erased with somebody; while reading, CiphertextDamaged
        if the file on disk is not what was stored.
        """
        async with self._database.reading() as connection:
            row = await self._row(connection, digest)
            keys = await self._keys.get_many(connection, [attachment_key(digest)])
        if row is not None and row.erased_at is not None:
            raise AttachmentErased(row.replaced_by)
        if row is None or not keys:
            raise UnknownAttachment("the register has no such file")
        reference = AttachmentRef(digest=row.digest, media_type=row.media_type, size=row.size)
        return reference, self._pieces(reference, keys[attachment_key(digest)])

    async def read(self, digest: str) -> bytes:
        """Return a whole file, for one that is known to be small (a rendered letter)."""
        _, pieces = await self.open(digest)
        return b"".join([piece async for piece in pieces])

    async def remove(self, digest: str, *, unclaimed_before: datetime | None = None) -> bool:
        """Delete a file, its row and its key; with `unclaimed_before` only one that no command referred to by then."""
        async with self._database.writing() as connection:
            which = delete(attachments).where(attachments.c.digest == digest)
            if unclaimed_before is not None:
                which = which.where(attachments.c.claimed_at.is_(None), attachments.c.created_at < unclaimed_before)
            if (await connection.execute(which)).rowcount == 0:
                return False
            # The key's row goes with the file: the same bytes may come again, under another key.
            await connection.execute(delete(data_keys).where(data_keys.c.subject == attachment_key(digest)))
        with honest():
            await asyncio.to_thread(self._path(digest).unlink, missing_ok=True)
        return True

    async def erase(self, digests: Collection[str], at: datetime) -> int:
        """Take the bytes and the keys of files away, and return how many had any. What names them keeps their digests.

        Idempotent: a file that a crash left on the disk is deleted by the next call, or swept.
        """
        wanted = sorted(set(digests))
        async with self._database.writing() as connection:
            erased = await connection.execute(
                update(attachments)
                .where(attachments.c.digest.in_(wanted), attachments.c.erased_at.is_(None))
                .values(erased_at=at)
            )
            # The keys' rows go, as in `remove`: the same bytes may be rendered again, under another key.
            subjects = [attachment_key(digest) for digest in wanted]
            await connection.execute(delete(data_keys).where(data_keys.c.subject.in_(subjects)))
            known = attachments.c.erased_at.is_not(None) & attachments.c.digest.in_(wanted)
            gone = list((await connection.execute(select(attachments.c.digest).where(known))).scalars())
        with honest():
            for digest in gone:
                await asyncio.to_thread(self._path(digest).unlink, missing_ok=True)
        return erased.rowcount

    async def replace(self, digest: str, by: str) -> None:
        """Note what was rendered in the place of an erased file; it is claimed with it."""
        async with self._database.writing() as connection:
            erased = (attachments.c.digest == digest) & attachments.c.erased_at.is_not(None)
            await connection.execute(update(attachments).where(erased).values(replaced_by=by))
            anew = update(attachments).where(attachments.c.digest == by, attachments.c.claimed_at.is_(None))
            await connection.execute(anew.values(claimed_at=utc_now()))

    async def erased(self, digests: Collection[str]) -> dict[str, str | None]:
        """Return which files were erased, each with the last one that was rendered in its place, if any was."""
        found: dict[str, str | None] = {}
        wanted = set(digests)
        async with self._database.reading() as connection:
            while wanted:
                which = attachments.c.digest.in_(sorted(wanted)) & attachments.c.erased_at.is_not(None)
                rows = (await connection.execute(select(attachments).where(which))).all()
                found |= {row.digest: row.replaced_by for row in rows}
                wanted = {row.replaced_by for row in rows if row.replaced_by is not None} - set(found)
        return {digest: _last(digest, found) for digest in found if digest in set(digests)}

    async def forget(self, connection: AsyncConnection, digests: Sequence[str]) -> int:
        """Delete rows and keys of files in the caller's transaction; `unlink` them once it is committed.

        A crash between leaves files that nothing opens any more and that are swept.
        """
        subjects = [attachment_key(digest) for digest in digests]
        await connection.execute(delete(data_keys).where(data_keys.c.subject.in_(subjects)))
        return (await connection.execute(delete(attachments).where(attachments.c.digest.in_(digests)))).rowcount

    async def unlink(self, digests: Sequence[str]) -> None:
        """Delete from the disk what `forget` deleted."""
        with honest():
            for digest in digests:
                await asyncio.to_thread(self._path(digest).unlink, missing_ok=True)

    async def sweep_files(self, before: datetime) -> int:
        """Delete files on disk that no row names and that are older than `before`; return how many.

        They are what a crash leaves between writing a file and committing its row.
        """
        async with self._database.reading() as connection:
            kept = select(attachments.c.digest).where(attachments.c.erased_at.is_(None))
            known = set((await connection.execute(kept)).scalars())
        with honest():
            return await asyncio.to_thread(self._sweep_files, known, before.timestamp())

    async def _receive(self, stream: AsyncIterable[bytes], part: Path, key: DataKey) -> tuple[str, int, str]:
        digest, size, text = hashlib.sha256(), 0, PlainText()
        head, kind = b"", ""
        waiting: list[bytes] = []

        file = await asyncio.to_thread(_create, part)
        try:
            writer = EncryptedWriter(file, key.secret)

            def write(pieces: list[bytes], *, last: bool) -> None:
                for piece in pieces:
                    digest.update(piece)
                    if kind == TEXT:
                        text.take(piece)
                    writer.write(piece)
                if last:
                    if kind == TEXT:
                        text.take(b"", last=True)
                    writer.finish()
                    file.flush()
                    os.fsync(file.fileno())

            async for piece in stream:
                size += len(piece)
                if size > self.limits.size:
                    raise AttachmentRefused("attachment_too_large", f"a file has at most {self.limits.size} bytes")
                waiting.append(piece)
                if not kind:
                    head += piece[:SNIFFED]
                    kind = media_type_of(head) if len(head) >= SNIFFED else ""
                if kind and sum(map(len, waiting)) >= CHUNK:
                    await asyncio.to_thread(write, waiting, last=False)
                    waiting = []
            if size == 0:
                raise AttachmentRefused("attachment_empty", "the file is empty")
            kind = kind or media_type_of(head)
            await asyncio.to_thread(write, waiting, last=True)
        finally:
            await asyncio.to_thread(file.close)
        return digest.hexdigest(), size, kind

    def _inspect(self, part: Path, key: DataKey, size: int, kind: str) -> str:
        with EncryptedReader(part, key.secret, size) as content:
            return inspect(cast(BinaryIO, content), kind, self.limits)

    async def _enter(self, part: Path, key: DataKey, reference: AttachmentRef, *, again: bool) -> AttachmentRef:
        path, now = self._path(reference.digest), utc_now()
        row = reference.model_dump() | {"created_at": now}
        async with self._database.writing() as connection:
            if again:
                gone = (attachments.c.digest == reference.digest) & attachments.c.erased_at.is_not(None)
                await connection.execute(delete(attachments).where(gone))
            entered = await connection.execute(
                insert_into(connection, attachments)
                .values(row)
                .on_conflict_do_nothing()
                .returning(attachments.c.digest)
            )
            if entered.one_or_none() is not None:
                await self._keys.put(connection, attachment_key(reference.digest), key)
                # Before the commit: a row without its file would be a lie, a file without its row is swept.
                await asyncio.to_thread(_move, part, path)
                return reference
            erased = select(attachments.c.erased_at).where(attachments.c.digest == reference.digest)
            if (await connection.execute(erased)).scalar_one() is not None:
                raise AttachmentRefused("attachment_erased", "the file was erased with somebody whom it names")
            # Kept already. If it still waits for its command, it waits from now on.
            await connection.execute(
                update(attachments)
                .where(attachments.c.digest == reference.digest, attachments.c.claimed_at.is_(None))
                .values(created_at=now)
            )
        return reference

    async def _pieces(self, reference: AttachmentRef, key: DataKey) -> AsyncIterator[bytes]:
        path = self._path(reference.digest)
        try:
            reader = await asyncio.to_thread(EncryptedReader, path, key.secret, reference.size)
        except FileNotFoundError:
            raise UnknownAttachment("the file is gone from the disk") from None
        with contextlib.closing(reader), honest():
            while piece := await asyncio.to_thread(reader.read, CHUNK):
                yield piece

    async def _row(self, connection: AsyncConnection, digest: str) -> Row[Any] | None:
        return (await connection.execute(select(attachments).where(attachments.c.digest == digest))).one_or_none()

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / digest[2:4] / digest

    def _sweep_files(self, known: set[str], before: float) -> int:
        if not self._folder.is_dir():
            return 0
        orphans = [
            file
            for file in self._folder.rglob("*")
            if file.is_file() and file.name not in known and file.stat().st_mtime < before
        ]
        for orphan in orphans:
            orphan.unlink(missing_ok=True)
        return len(orphans)


def _last(digest: str, replaced: Mapping[str, str | None]) -> str | None:
    """Return what stands at the end of a row of replacements; None where it ends with a file that is gone."""
    by = replaced[digest]
    return by if by is None or by not in replaced else _last(by, replaced)


def _create(part: Path) -> BinaryIO:
    return os.fdopen(os.open(part, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb")


def _move(part: Path, path: Path) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
