"""An archive in a bucket of a server that speaks S3 (Amazon's, MinIO, Ceph, Garage and others).

An object is created on the condition that there is none (`If-None-Match: *`, RFC 9110 section 13.1.2). A server that
does not know the condition for a PUT is asked beforehand instead, which is said in the log, once: two workers may then
write the same history at the same time, and since a history gives the same bytes whoever packs it, it is the same.
"""

from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

import structlog
from obstore.exceptions import (
    AlreadyExistsError,
    BaseError,
    NotSupportedError,
    PermissionDeniedError,
    UnauthenticatedError,
)
from obstore.store import S3Store

from storage.archive_files import ArchiveUnavailable, NotArchived, named_in, require_location

if TYPE_CHECKING:
    # There for type checkers alone.
    from obstore.store import S3Config

log = structlog.get_logger()

Answer = TypeVar("Answer")

LISTED_AT_ONCE = 1_000
"""Names in one answer: as many as a server gives."""


class ConditionUnknown(Exception):
    """The server does not take the condition that an object must not exist yet."""


@dataclass(frozen=True)
class Bucket:
    """A bucket and the way to it. `prefix` begins every key; `endpoint` is http or https, without a path."""

    name: str
    prefix: str
    endpoint: str | None
    region: str
    key: str
    secret: str = field(repr=False)


class ArchiveBucket:
    """Write-once objects. See ArchiveFiles."""

    def __init__(self, bucket: Bucket, *, patience: timedelta = timedelta(seconds=30)) -> None:
        """`patience`: how long one request may take, with its repetitions."""
        seconds = f"{int(patience.total_seconds())}s"
        config: S3Config = {
            "region": bucket.region,
            "access_key_id": bucket.key,
            "secret_access_key": bucket.secret,
        }
        if bucket.endpoint is not None:
            config["endpoint"] = bucket.endpoint
        self._store = S3Store(
            bucket.name,
            prefix=bucket.prefix or None,
            config=config,
            client_options={
                "allow_http": (bucket.endpoint or "").startswith("http://"),
                "timeout": seconds,
                "connect_timeout": "5s",
            },
            retry_config={"max_retries": 2, "retry_timeout": patience},
        )
        self._takes_conditions = True

    async def keep(self, location: str, content: bytes) -> bytes:
        """See ArchiveFiles. The server has the object durably once it has answered."""
        require_location(location)
        if (standing := await self._standing(location)) is not None:
            return standing
        try:
            await self._create(location, content)
        except AlreadyExistsError:
            return await self.read(location)
        except FileNotFoundError:
            raise ArchiveUnavailable("cannot_open") from None
        return content

    async def read(self, location: str) -> bytes:
        """See ArchiveFiles."""
        standing = await self._standing(require_location(location))
        if standing is None:
            raise NotArchived(location)
        return standing

    async def sweep(self) -> None:
        """See ArchiveFiles. An object is there whole or not at all."""

    async def locations(self) -> list[str]:
        """See ListedArchive. The key must be allowed to list the bucket."""
        listing = self._store.list(chunk_size=LISTED_AT_ONCE)
        found: list[str] = []
        try:
            while batch := await _honest(anext(listing)):
                found += [one["path"] for one in batch]
        except StopAsyncIteration:
            pass
        except FileNotFoundError:
            raise ArchiveUnavailable("cannot_open") from None
        return sorted(location for location in found if named_in(location) is not None)

    async def _create(self, location: str, content: bytes) -> None:
        if self._takes_conditions:
            try:
                await _honest(self._store.put_async(location, content, mode="create", use_multipart=False))
                return
            except ConditionUnknown:
                self._takes_conditions = False
                log.warning("archive_unconditional")
        await _honest(self._store.put_async(location, content, mode="overwrite", use_multipart=False))

    async def _standing(self, location: str) -> bytes | None:
        try:
            answer = await _honest(self._store.get_async(location))
            return bytes(await _honest(answer.bytes_async()))
        except FileNotFoundError as missing:
            # The answer to a bucket that is not there is a 404 too.
            if "NoSuchBucket" in str(missing):
                raise ArchiveUnavailable("cannot_open") from None
            return None


async def _honest(asked: Awaitable[Answer]) -> Answer:
    """What the server answers; a failure that says nothing of the object becomes ArchiveUnavailable, and no secret."""
    try:
        return await asked
    except AlreadyExistsError:
        raise
    except NotSupportedError:
        raise ConditionUnknown from None
    except (PermissionDeniedError, UnauthenticatedError, PermissionError):
        raise ArchiveUnavailable("refused") from None
    except BaseError as error:
        # A server that does not know the condition says so with this status.
        if "501 Not Implemented" in str(error):
            raise ConditionUnknown from None
        raise ArchiveUnavailable("disconnected") from None
