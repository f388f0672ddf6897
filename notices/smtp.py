"""Postman: hands mails to the organisation's SMTP server (RFC 5321), one recipient a mail."""

import asyncio
import contextlib
import re
import ssl
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Annotated, Literal, Self

import aiosmtplib
from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.mailbox import Mailbox
from domain.values import Value

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
# What a server says of our settings, not of this mail: mended by the operator, then sent.
_OF_THE_SETTINGS = frozenset({530, 534, 535, 538})
_CLOSING = 421
_STATUS_CODE = re.compile(r"([245])\.(\d{1,3})\.(\d{1,3})(?=\s|$)")
_OF_THE_SYSTEM = re.compile(r"4\.3\.")
"""RFC 3463 section 3.4: a full disk, a system that takes nothing now. Not of this mail."""

IDLE = 1.0
"""Seconds after which a line is tried before it is used: servers hang up on idle ones."""


class NotSent(Exception):
    """A mail that the server did not take. The text never holds an address or the server's own words.

    `code` is the server's reply code (RFC 5321) where there was one, `status` its enhanced status code (RFC 3463), such
    as `5.1.1`, where it gave one.
    """

    def __init__(self, why: str, code: int | None = None, status: str | None = None) -> None:
        super().__init__(why + (f" ({code})" if code else ""))
        self.code = code
        self.status = status


class Refused(NotSent):
    """The server refused this mail for good (5yz, RFC 5321 section 4.2.1): sending it again would not help."""

    def __init__(self, code: int, status: str | None = None) -> None:
        super().__init__("the mail server refused the mail for good", code, status)


class Unavailable(NotSent):
    """The server was not there, takes nothing for now or wants other settings: the same octets may be sent later.

    The mail may have been taken all the same if the connection broke at its very end; a copy carries the same
    Message-ID. `broke` says that the connection was lost, or fell silent, after this mail was begun.
    """

    def __init__(self, why: str, code: int | None = None, status: str | None = None, *, broke: bool = False) -> None:
        super().__init__(f"the mail server did not take the mail: {why}", code, status)
        self.broke = broke


class Deferred(Unavailable):
    """The server puts off this mail (4yz to its recipient or its content, grey-listing say), and takes others."""


class SmtpServer(Value):
    """Where and how mail is handed over.

    `security`: `starttls` upgrades before anything is said, and fails where the server cannot; `tls` speaks TLS from
    the first octet; `none` is for a server on this machine or in a closed network. Refuses a password over an open
    line to another machine. `ca_file` names further certificate authorities (PEM). `timeout` is in seconds, for each
    step of the conversation.
    """

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 25
    security: Literal["none", "starttls", "tls"] = "none"
    username: str | None = None
    password: SecretStr | None = None
    ca_file: Path | None = None
    timeout: Annotated[float, Field(gt=0, le=300)] = 30.0
    says_hello_as: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.\[\]:-]{1,253}$")] = "[127.0.0.1]"

    @model_validator(mode="after")
    def _keeps_the_password(self) -> Self:
        if (self.username is None) != (self.password is None):
            raise PydanticCustomError("smtp_login_incomplete", "a user name and a password belong together")
        if self.password is not None and self.security == "none" and self.host not in _LOOPBACK:
            raise PydanticCustomError(
                "smtp_password_in_the_open", "security: a password goes only over starttls or tls"
            )
        return self


class Postman:
    """One conversation with the server, kept open for a burst of mails; safe to share between tasks of one loop.

        async with Postman(server) as postman:
            await postman.send(octets, sender, recipient)

    The connection is made at the first mail, and made again when the server hung up in between.
    """

    def __init__(self, server: SmtpServer) -> None:
        """Take the server's settings; nothing is connected yet."""
        self._server = server
        self._turn = asyncio.Lock()
        self._smtp: aiosmtplib.SMTP | None = None
        self._spoken_at = 0.0

    async def __aenter__(self) -> Self:
        """Connect to nothing yet."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take leave of the server; one that does not answer is left."""
        async with self._turn:
            if self._smtp is not None and self._smtp.is_connected:
                with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                    await self._smtp.quit(timeout=min(self._server.timeout, 2.0))
            self._hang_up()

    async def send(
        self, message: bytes, sender: Mailbox, recipient: Mailbox, ready: Callable[[], Awaitable[None]] | None = None
    ) -> None:
        """Hand over one mail for one recipient; return when the server has taken it.

        `ready` is awaited once the recipient was accepted: before it returns, the server does not get the mail. What it
        raises ends the conversation. Raises Refused, Deferred or Unavailable.
        """
        async with self._turn:
            try:
                outcome = await self._hand_over(message, sender, recipient, ready or _at_once)
            except BaseException:
                # Cancelled in the middle of a sentence: nothing sensible can follow on this line.
                self._hang_up()
                raise
            if isinstance(outcome, Unavailable) and not isinstance(outcome, Deferred):
                self._hang_up()
            self._spoken_at = time.monotonic()
        # Raised here and not where it was caught, so that no chain of errors carries an address along.
        if outcome is not None:
            raise outcome

    async def _hand_over(
        self, message: bytes, sender: Mailbox, recipient: Mailbox, ready: Callable[[], Awaitable[None]]
    ) -> NotSent | None:
        reached = False
        try:
            smtp = await self._connected()
            reached = True
            await smtp.mail(sender.address, options=_size(smtp, message))
            await smtp.rcpt(recipient.address)
        except (aiosmtplib.SMTPException, OSError) as error:
            return await self._refusal(error, reached=reached)
        # Not among what is caught: the readiness is not the server's.
        await ready()
        try:
            await smtp.data(message)
        except (aiosmtplib.SMTPException, OSError) as error:
            return await self._refusal(error, reached=True)
        return None

    async def _refusal(self, error: Exception, *, reached: bool) -> NotSent:
        """Return what an error means, with the conversation reset for the next mail where there is one."""
        match error:
            case aiosmtplib.SMTPResponseException() if not reached:
                return Unavailable("it does not accept us", error.code, _status(error.code, error.message))
            case aiosmtplib.SMTPResponseException():
                if self._smtp is not None:
                    with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                        await self._smtp.rset()
                of_the_mail = isinstance(error, aiosmtplib.SMTPRecipientRefused | aiosmtplib.SMTPDataError)
                return _not_sent(error.code, error.message, of_the_mail=of_the_mail)
            case TimeoutError():
                return Unavailable("it did not answer in time", broke=reached)
            case _:
                return Unavailable("the connection failed", broke=reached)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._smtp is not None and self._smtp.is_connected:
            if time.monotonic() - self._spoken_at < IDLE:
                return self._smtp
            with contextlib.suppress(aiosmtplib.SMTPException, OSError):
                # A server may have hung up on an idle line, which shows only when one speaks.
                await self._smtp.noop()
                return self._smtp
        self._hang_up()
        server = self._server
        self._smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password.get_secret_value() if server.password else None,
            local_hostname=server.says_hello_as,
            timeout=server.timeout,
            use_tls=server.security == "tls",
            start_tls=server.security == "starttls",
            tls_context=None if server.security == "none" else self._trust(),
        )
        await self._smtp.connect()
        if self._smtp.is_ehlo_or_helo_needed:
            # One that knows no EHLO is greeted in the old way with the first mail.
            with contextlib.suppress(aiosmtplib.SMTPHeloError):
                await self._smtp.ehlo()
        return self._smtp

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._server.ca_file is not None:
            context.load_verify_locations(cafile=self._server.ca_file)
        return context

    def _hang_up(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


async def _at_once() -> None:
    """Wait for nothing."""


def _size(smtp: aiosmtplib.SMTP, message: bytes) -> list[str]:
    """Return what MAIL says of a mail (RFC 1870), so that one that is too large is refused before it is carried."""
    return [f"size={len(message)}"] if smtp.supports_extension("size") else []


def _not_sent(code: int, words: str, *, of_the_mail: bool) -> NotSent:
    """Return what a reply means. `of_the_mail`: it was given to the recipient or the content, not to us as sender."""
    status = _status(code, words)
    if 500 <= code < 600:
        if code in _OF_THE_SETTINGS:
            return Unavailable("it wants other settings", code, status)
        return Refused(code, status)
    if not of_the_mail or code == _CLOSING or (status and _OF_THE_SYSTEM.match(status)):
        return Unavailable("it said no for now", code, status)
    return Deferred("it said no for now", code, status)


def _status(code: int, words: str) -> str | None:
    """Return the enhanced status code that a reply begins with (RFC 2034), unless it contradicts the reply's class."""
    found = _STATUS_CODE.match(words)
    return found.group() if found and found.group(1) == str(code)[0] else None
