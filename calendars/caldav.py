"""A client of CalDAV servers (RFC 4791, RFC 4918): reading and writing the resources of one collection.

Plain requests, one at a time, each bounded in time and size, by guarded connections (calendars/transport.py). Basic
credentials are sent from the first request on, to https alone. A redirect is followed within the same scheme, host
and port, at most five times: credentials given for one server do not go to another because it said so. Addresses that
a server names in its properties may be another host's (a server for each user is common); they are guarded as any.

No error carries an address, a name or a password; nothing here writes a log.
"""

import asyncio
import base64
import ssl
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Self
from urllib.parse import urljoin, urlsplit

import httpcore2
import httpx2

from calendars.dav import Answered, NotMultistatus, by_uid, conflict_of, multiget, name_in, propfind, read_multistatus
from calendars.guard import AddressRefused, Reach, check_url
from calendars.transport import GuardedTransport, Resolve, look_up

LARGEST_RESOURCE = 256 * 1024
LARGEST_LIST = 8 * 1024 * 1024
MULTIGET = 40
"""Resources that are asked for at once."""
REDIRECTS = 5
LONGEST_PAUSE = timedelta(hours=6)

XML = "application/xml; charset=utf-8"
ICS = "text/calendar; charset=utf-8; component=VEVENT"
DESCRIBED = (
    "D:resourcetype",
    "D:displayname",
    "D:current-user-principal",
    "D:current-user-privilege-set",
    "C:calendar-home-set",
    "C:supported-calendar-component-set",
)


@dataclass(frozen=True)
class Credentials:
    """A name and a password; many servers want one made for this program alone."""

    username: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class Stored:
    """A resource as a server holds it; `etag` is None where the server gives none."""

    name: str
    etag: str | None
    body: bytes = field(default=b"", repr=False)


class CalDavFailed(Exception):
    """A server did not do what it was asked; `code` is stable and names nobody.

    `again` is how long the server asked to be left alone; `elsewhere` the scheme and host that it redirects to.
    """

    def __init__(self, code: str, *, again: timedelta | None = None, elsewhere: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.again = again
        self.elsewhere = elsewhere


class Unreachable(CalDavFailed):
    """It may work later: the server is away, slow, broken or busy."""


class CredentialsRefused(CalDavFailed):
    """It works again once somebody gives other credentials or rights: nothing is sent until then."""


class NotUsable(CalDavFailed):
    """The address is none of a calendar, or its server does not speak as it should."""


class Changed(CalDavFailed):
    """A precondition does not hold (412): the resource is not what it was, or it is there, or it is not."""

    def __init__(self) -> None:
        super().__init__("changed")


class UidTaken(CalDavFailed):
    """Another resource of the collection has the UID (RFC 4791 section 5.3.2.1); `name` is its, if the server said."""

    def __init__(self, name: str | None) -> None:
        super().__init__("uid_taken")
        self.name = name


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: httpx2.Headers
    body: bytes
    url: str


class CalDav:
    """Opens sessions; one for each installation."""

    def __init__(
        self,
        reach: Reach,
        *,
        patience: timedelta = timedelta(seconds=20),
        resolve: Resolve = look_up,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        """`patience` is how long one request may take from its first byte to the last of its answer."""
        self._reach = reach
        self._patience = patience.total_seconds()
        self._resolve = resolve
        self._tls = tls

    def session(self, url: str, credentials: Credentials) -> "Session":
        """Return a session with one collection, or with a server whose collections are looked for."""
        # Reading every authority's certificate takes a while; few processes ever need them.
        self._tls = self._tls or httpx2.create_ssl_context(trust_env=False)
        transport = GuardedTransport(self._reach, self._tls, resolve=self._resolve)
        return Session(url, credentials, transport, self._patience)

    def check(self, url: str) -> None:
        """Refuse (AddressRefused) an address by how it is written."""
        check_url(url, self._reach)


class Session(AbstractAsyncContextManager["Session"]):
    """Requests to one server, one after the other; `url` is the collection's, with a slash at its end."""

    def __init__(self, url: str, credentials: Credentials, transport: GuardedTransport, patience: float) -> None:
        self.url = url
        self._transport = transport
        self._patience = patience
        plain = f"{credentials.username}:{credentials.password}".encode()
        self._authorization = f"Basic {base64.b64encode(plain).decode()}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._transport.aclose()

    async def describe(self, url: str, *, depth: int = 0) -> tuple[str, list[Answered]]:
        """Return where an address led to, and what is said of it (`depth` 1: and of what is in it)."""
        answer = await self._ask("PROPFIND", url, propfind(*DESCRIBED), depth=depth, limit=LARGEST_LIST)
        return answer.url, _read(answer)

    async def get(self, name: str) -> Stored | None:
        """Return a resource, or None where there is none (any more)."""
        answer = await self._send("GET", self._address(name), limit=LARGEST_RESOURCE)
        if answer.status in (404, 410):
            return None
        _require(answer, 200)
        return Stored(name, answer.headers.get("etag"), answer.body)

    async def put(self, name: str, body: bytes, *, etag: str | None) -> str | None:
        """Write a resource and return its ETag if the server gives one.

        With an ETag it has to be the resource's still; without one there must be no such resource. Raises Changed
        where that does not hold, UidTaken, and CalDavFailed.
        """
        condition = {"If-None-Match": "*"} if etag is None else {"If-Match": etag}
        return await self._put(name, body, condition)

    async def overwrite(self, name: str, body: bytes) -> str | None:
        """Write a resource whatever is there: for servers that give no ETag to compare by (RFC 9110 section 13.1.1)."""
        return await self._put(name, body, {})

    async def delete(self, name: str, *, etag: str | None) -> None:
        """Delete a resource; one that is not there (any more) is no error. Raises Changed, CalDavFailed."""
        condition = {} if etag is None else {"If-Match": etag}
        answer = await self._send("DELETE", self._address(name), headers=condition)
        if answer.status == 412:
            raise Changed
        if answer.status not in (404, 410):
            _require(answer, 200, 202, 204)

    async def etag_of(self, name: str) -> str | None:
        """Return a resource's ETag; None where it, or the resource, is not there."""
        answer = await self._send("PROPFIND", self._address(name), propfind("D:getetag"), headers={"Depth": "0"})
        if answer.status in (404, 410):
            return None
        _require(answer, 207)
        return next((one.text("getetag") for one in _read(answer)), None)

    async def etags(self) -> dict[str, str | None]:
        """Return the ETag of everything in the collection, by name."""
        answer = await self._ask("PROPFIND", self.url, propfind("D:getetag"), depth=1, limit=LARGEST_LIST)
        named = ((name_in(self.url, one.href), one) for one in _read(answer))
        return {name: one.text("getetag") for name, one in named if name is not None}

    async def get_many(self, names: Iterable[str]) -> dict[str, Stored]:
        """Return resources by name; what is not there (any more) is left out."""
        wanted, found = list(names), list[Stored]()
        for start in range(0, len(wanted), MULTIGET):
            body = multiget(urlsplit(self._address(name)).path for name in wanted[start : start + MULTIGET])
            found += _stored(self.url, await self._ask("REPORT", self.url, body, depth=1, limit=LARGEST_LIST))
        return {one.name: one for one in found}

    async def having_uid(self, part: str) -> list[Stored]:
        """Return the events of the collection whose UID contains a text, as the server finds them."""
        return _stored(self.url, await self._ask("REPORT", self.url, by_uid(part), depth=1, limit=LARGEST_LIST))

    async def _put(self, name: str, body: bytes, condition: dict[str, str]) -> str | None:
        headers = {"Content-Type": ICS, **condition}
        answer = await self._send("PUT", self._address(name), body, headers=headers)
        if answer.status == 412:
            raise Changed
        if answer.status in (403, 409):
            named = conflict_of(answer.body)
            if named and named[0] == "no-uid-conflict":
                raise UidTaken(name_in(self.url, named[1]) if named[1] else None)
            if named and named[0] not in ("need-privileges",):
                raise NotUsable("resource_refused")
            if answer.status == 409:
                # RFC 4918 section 9.7.1: the collection itself is not there.
                raise NotUsable("collection_missing")
        if answer.status in (404, 410):
            raise NotUsable("collection_missing")
        _require(answer, 200, 201, 204)
        return answer.headers.get("etag")

    def _address(self, name: str) -> str:
        return f"{self.url}{name}"

    async def _ask(self, method: str, url: str, body: bytes, *, depth: int, limit: int) -> _Answer:
        """Return a multistatus. Raises CalDavFailed for any other answer."""
        answer = await self._send(method, url, body, headers={"Depth": str(depth)}, limit=limit)
        if answer.status in (404, 410):
            raise NotUsable("collection_missing")
        _require(answer, 207)
        return answer

    async def _send(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        *,
        headers: dict[str, str] | None = None,
        limit: int = LARGEST_RESOURCE,
    ) -> _Answer:
        for _ in range(REDIRECTS + 1):
            answer = await self._once(method, url, body, headers or {}, limit)
            if answer.status not in (301, 302, 307, 308):
                return answer
            there = urljoin(url, answer.headers.get("location", ""))
            if origin(there) != origin(url):
                raise NotUsable("redirected_elsewhere", elsewhere=origin(there))
            url = there
        raise NotUsable("redirected_too_often")

    async def _once(self, method: str, url: str, body: bytes, headers: dict[str, str], limit: int) -> _Answer:
        """Send one request and read the whole answer, within the patience and the limit."""
        content_type = {"Content-Type": XML} if body else {}
        always = {"Authorization": self._authorization, "Accept-Encoding": "identity", "User-Agent": "Legation"}
        # Not by httpx2's client: it writes every address into its log, keeps cookies and follows what it is told.
        # A header may come in any case, but only once.
        try:
            request = httpx2.Request(
                method,
                url,
                headers={**always, **content_type, **headers},
                content=body,
                extensions={"timeout": dict.fromkeys(("connect", "read", "write", "pool"), self._patience)},
            )
            async with asyncio.timeout(self._patience):
                answer = await self._transport.handle_async_request(request)
                try:
                    read = await _read_whole(answer, limit)
                finally:
                    await answer.aclose()
        except (TimeoutError, httpcore2.TimeoutException):
            raise Unreachable("too_slow") from None
        except (httpcore2.NetworkError, httpcore2.ProtocolError, httpx2.HTTPError, httpcore2.ConnectionNotAvailable):
            raise Unreachable("no_connection") from None
        except (httpx2.InvalidURL, httpcore2.UnsupportedProtocol, ValueError, UnicodeError):
            raise AddressRefused("address_malformed") from None
        except (OSError, ssl.SSLError):
            raise Unreachable("no_connection") from None
        return _Answer(answer.status_code, answer.headers, read, url)


async def _read_whole(answer: httpx2.Response, limit: int) -> bytes:
    if answer.headers.get("content-encoding", "identity").lower() != "identity":
        # We asked for none: what is packed may be any size.
        raise Unreachable("answer_malformed")
    read = bytearray()
    async for part in answer.aiter_raw():
        read += part
        if len(read) > limit:
            raise Unreachable("answer_too_large")
    return bytes(read)


def _require(answer: _Answer, *statuses: int) -> None:
    if answer.status in statuses:
        return
    again = _retry_after(answer.headers.get("retry-after"))
    match answer.status:
        case 401:
            raise CredentialsRefused("credentials_refused")
        case 403:
            raise CredentialsRefused("access_refused")
        case 507:
            raise Unreachable("server_full", again=again)
        case 429:
            raise Unreachable("server_busy", again=again)
        case status if status >= 500:
            raise Unreachable("server_failed", again=again)
        case status if 200 <= status < 300:
            raise Unreachable("answer_malformed")
        case _:
            raise NotUsable("request_refused")


def _retry_after(value: str | None) -> timedelta | None:
    """Return what a Retry-After asks for (RFC 9110 section 10.2.3), at most LONGEST_PAUSE; None if unreadable."""
    if not value:
        return None
    try:
        if value.isascii() and value.isdigit():
            pause = timedelta(seconds=min(int(value[:9]), 10**6))
        else:
            pause = parsedate_to_datetime(value).astimezone(UTC) - datetime.now(UTC)
    except (ValueError, TypeError, OverflowError):
        return None
    return max(timedelta(0), min(pause, LONGEST_PAUSE))


def _read(answer: _Answer) -> list[Answered]:
    try:
        return read_multistatus(answer.body)
    except NotMultistatus:
        raise Unreachable("answer_malformed") from None


def _stored(collection: str, answer: _Answer) -> list[Stored]:
    found = []
    for one in _read(answer):
        name, content = name_in(collection, one.href), one.found.get("calendar-data")
        if name is not None and content is not None and content.text:
            found.append(Stored(name, one.text("getetag"), content.text.encode()))
    return found


def origin(url: str) -> str:
    """Return scheme, host and port of an address, without the port that is usual (RFC 6454)."""
    parts = urlsplit(url)
    usual = {"https": 443, "http": 80}.get(parts.scheme)
    try:
        port = parts.port
    except ValueError:
        port = None
    return f"{parts.scheme}://{parts.hostname}" + (f":{port}" if port not in (None, usual) else "")
