"""A port that sees whatever comes, and a name server that answers otherwise every time."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from calendars.transport import Resolve
from embedded.ports import HOST


@asynccontextmanager
async def listening(tls: ssl.SSLContext | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """A port of this machine, and what came to it: an empty entry for a connection."""
    came: list[bytes] = []

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.append(b"")
        try:
            came.append(await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5))
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, TimeoutError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(take, HOST, 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1], came


def answers(*answers: list[str]) -> tuple[Resolve, list[str]]:
    """A name server that answers otherwise every time it is asked, and the names it was asked for."""
    asked: list[str] = []

    async def resolve(name: str, port: int) -> list[str]:
        asked.append(name)
        return answers[min(len(asked), len(answers)) - 1]

    return resolve, asked
