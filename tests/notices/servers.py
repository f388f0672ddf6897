"""Real mail servers for the tests, on free ports of this machine."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from subprocess import Popen
from time import monotonic
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

PASSWORD = "only-for-tests"


def free_port() -> int:
    """Return a TCP port that was free a moment ago."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


class Sink:
    """An SMTP server's memory: what was said to it, and what it is told to answer, by verb or by recipient.

    So many times as `cuts` says, it breaks off after it has taken a mail, before it says so.
    """

    def __init__(self) -> None:
        self.port = 0
        self.connections = 0
        self.taken: list[Envelope] = []
        self.answers: dict[str, str] = {}
        self.of_recipient: dict[str, str] = {}
        self.cuts = 0
        self.hang_at = ""
        self.hanging = asyncio.Event()
        self.go_on = asyncio.Event()

    async def _answer(self, verb: str, usual: str) -> str:
        if verb == self.hang_at:
            self.hanging.set()
            await self.go_on.wait()
        return self.answers.get(verb, usual)

    async def handle_MAIL(  # noqa: N802 the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.mail_from = address
        return await self._answer("MAIL", "250 OK")

    async def handle_RCPT(  # noqa: N802 the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return self.of_recipient.get(address) or await self._answer("RCPT", "250 OK")

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await self._answer("DATA", "250 OK")
        if answer.startswith("250"):
            self.taken.append(envelope)
        if self.cuts > 0:
            # Taken, but nobody hears of it.
            self.cuts -= 1
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        return answer

    @property
    def octets(self) -> list[bytes]:
        """The messages as they came over the wire."""
        return [bytes(envelope.original_content or b"") for envelope in self.taken]


@asynccontextmanager
async def listening(sink: Sink, **options: Any) -> AsyncIterator[Sink]:
    """Serve a sink until the end of the block; `options` are those of aiosmtpd's SMTP."""
    open_lines: list[SMTP] = []

    def line() -> SMTP:
        sink.connections += 1
        open_lines.append(SMTP(sink, hostname="sink.example", **options))
        return open_lines[-1]

    server = await asyncio.get_running_loop().create_server(line, "127.0.0.1", sink.port)
    sink.port = server.sockets[0].getsockname()[1]
    try:
        yield sink
    finally:
        sink.go_on.set()
        server.close()
        for one in open_lines:
            if one.transport is not None:
                one.transport.close()
        await server.wait_closed()


def wait_for(port: int, process: Popen[bytes]) -> None:
    """Return when the process greets on its port; raise if it ends or 30 seconds pass."""
    give_up = monotonic() + 30
    while monotonic() < give_up and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as line:
                if line.recv(1):
                    return
        except OSError:
            continue
    raise RuntimeError("the development mailbox did not start")
