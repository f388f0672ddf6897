"""The way to strangers' calendar servers: every connection goes to an address that was looked at, and to no other.

A name is resolved once, all it stands for is checked, and the connection is made to the very address that passed: a
name server that answers otherwise the next time (DNS rebinding) is not asked a next time. The URL keeps the name, so
`Host`, SNI and the check of the certificate are those of the name. The environment's proxies are not used.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Any

import httpcore2
import httpx2

from calendars.guard import Reach, check_ip, check_url

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""(name, port) -> what it stands for, as numeric addresses. Raises OSError."""

CONNECTIONS = 4


async def look_up(name: str, port: int) -> list[str]:
    """Return what the machine's resolver answers, each address once."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class GuardedBackend(httpcore2.AnyIOBackend):
    """Opens connections to checked addresses."""

    def __init__(self, reach: Reach, resolve: Resolve = look_up) -> None:
        super().__init__()
        self._reach = reach
        self._resolve = resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Connect to the first checked address that answers. One forbidden among them refuses all (AddressRefused)."""
        try:
            found = await asyncio.wait_for(self._resolve(host, port), timeout)
        except (OSError, UnicodeError):
            # TimeoutError is an OSError.
            raise httpcore2.ConnectError("the name cannot be resolved") from None
        addresses = [check_ip(one, self._reach) for one in found]
        failure: Exception = httpcore2.ConnectError("the name stands for no address")
        for address in addresses:
            try:
                return await super().connect_tcp(str(address), port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        """Refuse: no calendar server is a file."""
        raise httpcore2.ConnectError("no calendar server is a file")


class GuardedTransport(httpx2.AsyncBaseTransport):
    """HTTP/1.1 by guarded connections; an address that is refused never gets as far as its name being resolved."""

    def __init__(self, reach: Reach, tls: ssl.SSLContext, *, resolve: Resolve = look_up) -> None:
        """`tls` says whose certificates are believed."""
        self._reach = reach
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=CONNECTIONS,
            keepalive_expiry=15,
            network_backend=GuardedBackend(reach, resolve),
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request. Raises AddressRefused, and what httpcore2 raises."""
        check_url(str(request.url), self._reach)
        answer = await self._pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=request.url.raw_scheme,
                    host=request.url.raw_host,
                    port=request.url.port,
                    target=request.url.raw_path,
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(
            status_code=answer.status,
            headers=answer.headers,
            stream=_Streamed(answer),
            extensions=answer.extensions,
        )

    async def aclose(self) -> None:
        """Close every connection."""
        await self._pool.aclose()


class _Streamed(httpx2.AsyncByteStream):
    def __init__(self, answer: httpcore2.Response) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._answer.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._answer.aclose()
