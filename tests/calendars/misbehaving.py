"""A server between ours and a real one that misbehaves when it is told to, and otherwise passes everything on."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from embedded.ports import HOST


@dataclass(frozen=True)
class Asked:
    """A request as it came; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    raw: bytes = field(repr=False)


@dataclass(frozen=True)
class Answer:
    """The whole of a real server's answer."""

    status: str
    headers: dict[str, str]
    body: bytes

    def octets(self) -> bytes:
        """Return it as it goes over the wire."""
        headers = self.headers | {"content-length": str(len(self.body)), "connection": "close"}
        lines = [f"HTTP/1.1 {self.status}", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1") + self.body


Forward = Callable[[], Awaitable[Answer]]
Trick = Callable[[Asked, Forward, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Misbehaving:
    """What it was asked, and what it is to do about it: each trick waits for its method, and is used up."""

    upstream: int
    port: int = 0
    seen: list[Asked] = field(default_factory=list)
    tricks: list[tuple[str, Trick]] = field(default_factory=list)
    always: Trick | None = None

    @property
    def url(self) -> str:
        """Its address, without a path."""
        return f"http://{HOST}:{self.port}"

    def play(self, method: str, *tricks: Trick) -> None:
        """Use these tricks, one after the other, on the next requests of a method (`*` for any)."""
        self.tricks += [(method, trick) for trick in tricks]

    def methods(self) -> list[str]:
        """The methods it was asked by, in order."""
        return [asked.method for asked in self.seen]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request and close."""
        try:
            asked = await _read(reader)
            if asked is None:
                return
            self.seen.append(asked)

            async def forward() -> Answer:
                return await self._forward(asked)

            number = next((n for n, (method, _) in enumerate(self.tricks) if method in ("*", asked.method)), None)
            trick = self.always if number is None else self.tricks.pop(number)[1]
            if trick is None:
                writer.write((await forward()).octets())
            else:
                await trick(asked, forward, writer)
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def _forward(self, asked: Asked) -> Answer:
        reader, writer = await asyncio.open_connection(HOST, self.upstream)
        writer.write(asked.raw)
        whole = await reader.read()
        writer.close()
        head, _, body = whole.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines if ": " in line)
        return Answer(first.partition(" ")[2], {name.lower(): value for name, value in headers.items()}, body)


@asynccontextmanager
async def misbehaving(upstream: int) -> AsyncIterator[Misbehaving]:
    """Run one in front of a port of this machine."""
    fake = Misbehaving(upstream)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        # Cancelled at the end: asyncio would take that for a fault of the server.
        with suppress(asyncio.CancelledError):
            await fake.serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(serve, HOST, 0)
    fake.port = server.sockets[0].getsockname()[1]
    try:
        yield fake
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    kept = [line for line in lines if not line.lower().startswith("connection:")]
    raw = "\r\n".join([first, *kept, "Connection: close", "", ""]).encode("latin-1") + body
    return Asked(method, path, headers, body, raw)


# Tricks


def answering(status: str, body: bytes = b"", **headers: str) -> Trick:
    """Answer with this; nothing reaches the real server. `Retry_After` is the header Retry-After."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def trick(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
        writer.write(Answer(status, named, body).octets())

    return trick


async def hanging(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Take the request and say nothing, for as long as the other side stays."""
    await asyncio.Event().wait()


async def trickling(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Answer without end, a byte at a time: no pause is long enough to be a timeout of its own."""
    writer.write(b"HTTP/1.1 207 Multi-Status\r\nContent-Length: 1000000\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.02)


async def dawdling(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Take a while, and pass everything on."""
    await asyncio.sleep(0.05)
    writer.write((await forward()).octets())


async def losing(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Let the real server do it, and lose its answer."""
    await forward()


async def dropping_etag(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Pass the answer on without its ETag."""
    answer = await forward()
    writer.write(Answer(answer.status, _without(answer.headers, "etag"), answer.body).octets())


async def weakening(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Pass the answer on with weak ETags only, in headers and in lists."""
    answer = await forward()
    headers = {name: f"W/{value}" if name == "etag" else value for name, value in answer.headers.items()}
    body = re.sub(rb"(<(?:\w+:)?getetag>)(\"|&quot;)", rb"\1W/\2", answer.body)
    writer.write(Answer(answer.status, headers, body).octets())


async def cutting(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Pass on the first half of the answer, as if it were whole."""
    answer = await forward()
    writer.write(Answer(answer.status, answer.headers, answer.body[: len(answer.body) // 2]).octets())


async def breaking_off(asked: Asked, forward: Forward, writer: asyncio.StreamWriter) -> None:
    """Announce more than is sent."""
    answer = (await forward()).octets()
    writer.write(answer[:-5])


LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;">]>
<D:multistatus xmlns:D="DAV:"><D:response><D:href>&f;</D:href></D:response></D:multistatus>"""


def _without(headers: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in headers.items() if key != name}
