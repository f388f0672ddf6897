"""Postbox: reads the organizer's mailbox by IMAP (RFC 9051), as octets. Nothing is deleted, nothing is parsed here."""

import contextlib
import imaplib
import re
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from imap_tools import BaseMailBox, MailBox, MailBoxStartTls, MailBoxUnencrypted
from imap_tools.errors import ImapToolsError
from pydantic import Field, SecretStr, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from domain.values import Value

_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_SIZE = re.compile(rb"UID (\d+)[^)]*?RFC822\.SIZE (\d+)|RFC822\.SIZE (\d+)[^)]*?UID (\d+)")
HEAD = 64 * 1024


class MailboxUnavailable(Exception):
    """The mailbox could not be read for now. The text never holds an address or the server's own words."""


class ImapServer(Value):
    """Where the mailbox is read.

    `security` as for sending: `tls` from the first octet, `starttls`, or `none` for a server on this machine. What was
    read is marked as seen, or moved to the folder `read_to`. Refuses a password over an open line to another machine.
    """

    host: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:_-]{1,253}$")]
    port: Annotated[int, Field(ge=1, le=65535)] = 993
    security: Literal["none", "starttls", "tls"] = "tls"
    username: Annotated[str, Field(min_length=1, max_length=320)]
    password: SecretStr
    folder: Annotated[str, Field(min_length=1, max_length=200)] = "INBOX"
    read_to: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    ca_file: Path | None = None
    timeout: Annotated[float, Field(gt=0, le=300)] = 20.0

    @model_validator(mode="after")
    def _keeps_the_password(self) -> Self:
        if self.security == "none" and self.host not in _LOOPBACK:
            raise PydanticCustomError(
                "imap_password_in_the_open", "security: a password goes only over starttls or tls"
            )
        return self

    @property
    def mailbox(self) -> str:
        """What tells this mailbox from another, for whoever remembers how far it was read."""
        return f"{self.username}@{self.host}/{self.folder}"


@dataclass(frozen=True)
class Fetched:
    """One mail: whole, or with the reason why not (`mail_too_large`: its head alone; `mail_not_fetched`: nothing)."""

    uid: int
    octets: bytes = field(repr=False)
    reason: str | None = None


@dataclass(frozen=True)
class Round:
    """What a look into the mailbox found: mails in the order of their UIDs, up to and with `up_to`."""

    uidvalidity: int
    up_to: int
    mails: tuple[Fetched, ...]
    more: bool


class Postbox:
    """Reads a mailbox; every call is a conversation of its own, and blocks."""

    def __init__(self, server: ImapServer, *, largest: int, at_once: int = 20) -> None:
        """`largest`: octets of a mail that is fetched whole; `at_once`: mails of one look."""
        self._server = server
        self._largest = largest
        self._at_once = at_once

    @property
    def mailbox(self) -> str:
        """What tells this mailbox from another."""
        return self._server.mailbox

    def look(self, place: tuple[int, int] | None) -> Round:
        """Return the mails after a place (UIDVALIDITY and UID), from the beginning where the numbering is another.

        Whether somebody has looked at them meanwhile makes no difference. Raises MailboxUnavailable.
        """
        with self._conversation() as box:
            uidvalidity = _uidvalidity(box)
            last = place[1] if place is not None and place[0] == uidvalidity else 0
            # `n:*` names the last mail also where its UID is below n (RFC 9051 section 6.4.8).
            # Some servers refuse a search that names a charset.
            named = box.uids(f"UID {last + 1}:*", charset=None)
            found = sorted(uid for uid in map(int, named) if uid > last)
            wanted = found[: self._at_once]
            sizes = _sizes(box, wanted)
            mails = [self._fetched(box, uid, sizes[uid]) for uid in wanted if uid in sizes]
            return Round(
                uidvalidity=uidvalidity,
                up_to=wanted[-1] if wanted else last,
                mails=tuple(mail for mail in mails if mail is not None),
                more=len(found) > len(wanted),
            )

    def mark(self, uids: Sequence[int]) -> None:
        """Mark mails as seen, or move them to the folder of the settings. Raises MailboxUnavailable."""
        with self._conversation() as box:
            names = [str(uid) for uid in uids]
            box.flag(names, ("\\Seen",), True)
            if self._server.read_to is not None:
                box.move(names, self._server.read_to)

    def _fetched(self, box: BaseMailBox, uid: int, size: int) -> Fetched | None:
        is_too_large = size > self._largest
        part = f"BODY.PEEK[HEADER]<0.{HEAD}>" if is_too_large else "BODY.PEEK[]"
        try:
            octets = _literal(box.client.uid("fetch", str(uid), f"({part})"))
        except imaplib.IMAP4.abort:
            raise
        except imaplib.IMAP4.error:
            # The server answers, and cannot give this one mail: the others behind it are read all the same.
            return Fetched(uid, b"", "mail_not_fetched")
        if octets is None:
            return None
        return Fetched(uid, octets[:HEAD], "mail_too_large") if is_too_large else Fetched(uid, octets)

    @contextmanager
    def _conversation(self) -> Iterator[BaseMailBox]:
        box: BaseMailBox | None = None
        try:
            box = self._connected()
            box.login(self._server.username, self._server.password.get_secret_value(), self._server.folder)
            yield box
        except (ImapToolsError, imaplib.IMAP4.error, OSError, ValueError) as error:
            raise MailboxUnavailable(f"the mailbox cannot be read: {type(error).__name__}") from None
        finally:
            if box is not None:
                with contextlib.suppress(ImapToolsError, imaplib.IMAP4.error, OSError):
                    box.logout()

    def _connected(self) -> BaseMailBox:
        server = self._server
        if server.security == "none":
            return MailBoxUnencrypted(server.host, server.port, timeout=server.timeout)
        kind = MailBox if server.security == "tls" else MailBoxStartTls
        return kind(server.host, server.port, timeout=server.timeout, ssl_context=self._trust())

    def _trust(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        if self._server.ca_file is not None:
            context.load_verify_locations(cafile=self._server.ca_file)
        return context


def _uidvalidity(box: BaseMailBox) -> int:
    _, found = box.client.response("UIDVALIDITY")
    return int(found[0]) if found and found[0] else 0


def _sizes(box: BaseMailBox, uids: Sequence[int]) -> dict[int, int]:
    if not uids:
        return {}
    _, found = box.client.uid("fetch", ",".join(map(str, uids)), "(UID RFC822.SIZE)")
    sizes = {}
    for line in found:
        if isinstance(line, bytes) and (said := _SIZE.search(line)):
            uid, size = (said[1], said[2]) if said[1] else (said[4], said[3])
            sizes[int(uid)] = int(size)
    return sizes


def _literal(answer: Any) -> bytes | None:
    """Return the octets of the one part that was asked for; None where the mail is gone."""
    status, found = answer
    if status != "OK":
        raise imaplib.IMAP4.error("fetch")
    return next((line[1] for line in found if isinstance(line, tuple)), None)
