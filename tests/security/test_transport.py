"""Where one request ends and the next begins, whose word counts for where it came from, and whom TLS believes."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import uvicorn
from pydantic import SecretStr
from starlette.types import Receive, Scope, Send

from api.__main__ import config_of
from notices.imap import ImapServer, Postbox
from notices.smtp import Postman, SmtpServer
from settings import Settings


async def told(scope: Scope, receive: Receive, send: Send) -> None:
    """An application that answers with what the request looked like from within."""
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    said = f"[{scope['method']} {scope['path']} {scope['scheme']} {scope['client'][0]} {body.decode()}]".encode()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


@asynccontextmanager
async def served() -> AsyncIterator[int]:
    """The port on which that application is served, as the API is."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(config_of(told, Settings()))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    try:
        yield int(listening.getsockname()[1])
    finally:
        server.should_exit = True
        await running


async def answered(port: int, octets: bytes) -> str:
    """Everything that comes back, until the other side has no more to say to it."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(octets)
    writer.write_eof()
    try:
        return (await reader.read()).decode()
    finally:
        writer.close()


HOST = b"Host: legation.test\r\n"


async def test_a_request_whose_end_could_be_told_in_two_ways_is_refused() -> None:
    """No second request is read out of a body, whichever of two lengths somebody before us believed."""
    hidden = b"GET /hidden HTTP/1.1\r\n" + HOST + b"\r\n"
    chunked = b"0\r\n\r\n" + hidden
    both = b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n\r\n" % len(chunked)
    two = b"Content-Length: 0\r\nContent-Length: %d\r\n\r\n" % len(hidden)
    spaced = b"Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n"
    coded = b"Transfer-Encoding: chunked, identity\r\n\r\n"
    signed = b"Content-Length: +%d\r\n\r\n" % len(hidden)
    async with served() as port:
        for lengths, body in ((both, chunked), (two, hidden), (spaced, chunked), (coded, chunked), (signed, hidden)):
            said = await answered(port, b"POST /seen HTTP/1.1\r\n" + HOST + lengths + body)
            assert said.startswith("HTTP/1.1 400 "), lengths
            assert "hidden" not in said, lengths


async def test_a_request_as_it_should_be_is_answered() -> None:
    """The same line, with one length."""
    async with served() as port:
        one = b"POST /seen HTTP/1.1\r\n" + HOST + b"Content-Length: 2\r\nConnection: close\r\n\r\nhi"
        assert (await answered(port, one)).endswith("[POST /seen http 127.0.0.1 hi]")


FORWARDED = (
    b"GET / HTTP/1.1\r\n"
    + HOST
    + b"X-Forwarded-For: 203.0.113.7\r\nX-Forwarded-Proto: https\r\nForwarded: for=203.0.113.8\r\n"
    + b"X-Real-IP: 203.0.113.9\r\nConnection: close\r\n\r\n"
)


async def test_where_a_request_came_from_is_the_word_of_our_own_proxy_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one on this machine, or of the one that the settings name; anybody else says it in vain."""
    monkeypatch.delenv("FORWARDED_ALLOW_IPS", raising=False)
    async with served() as port:
        assert (await answered(port, FORWARDED)).endswith("[GET / https 203.0.113.7 ]")
    monkeypatch.setenv("FORWARDED_ALLOW_IPS", "192.0.2.9")
    async with served() as port:
        assert (await answered(port, FORWARDED)).endswith("[GET / http 127.0.0.1 ]")


def test_whom_we_speak_to_shows_a_certificate_over_tls_1_2_or_newer() -> None:
    """Mail servers: the machine's authorities, the name, no older protocol."""
    smtp = Postman(SmtpServer(host="mail.example", security="starttls"))._trust()
    password = SecretStr("secret")
    imap = Postbox(ImapServer(host="mail.example", username="u", password=password), largest=10_000)._trust()
    for trust in (smtp, imap):
        assert trust.verify_mode is ssl.CERT_REQUIRED
        assert trust.check_hostname
        assert trust.minimum_version >= ssl.TLSVersion.TLSv1_2
