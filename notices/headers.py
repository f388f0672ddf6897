"""Header lines of a mail (RFC 5322 section 2.2), with names and subjects beyond ASCII as encoded words (RFC 2047).

The standard library's folder breaks some subjects right behind the name of the header, and some words in the middle of
a letter's neighbours, which readers undo differently. Here a line is either short and plain, or a row of encoded words.
"""

from base64 import b64encode
from collections.abc import Iterator

from domain.mailbox import Mailbox

_LINE = 78
# With it an encoded word has 68 characters and fits behind "Subject: ".
_OCTETS_A_WORD = 42


def header(name: str, value: str) -> bytes:
    """Return one header line with CRLF, the value as it is. Refuses with ValueError what is not one ASCII line."""
    if not value.isascii() or not value.isprintable():
        raise ValueError(f"{name}: a header is one line of ASCII")
    return f"{name}: {value}\r\n".encode("ascii")


def unstructured(name: str, value: str) -> bytes:
    """Return a header line of free text, folded at 78 columns. Refuses with ValueError a line break in it."""
    if "\r" in value or "\n" in value or "\x00" in value:
        raise ValueError(f"{name}: a header has no line break in it")
    if _plain(value) and len(name) + 2 + len(value) <= _LINE:
        return header(name, value)
    return f"{name}: {_encoded(value)}\r\n".encode("ascii")


def address(name: str, mailbox: Mailbox) -> bytes:
    """Return a header line with one mailbox, `From: Name <local@domain>` (RFC 5322 section 3.4)."""
    shown = mailbox.header_name
    if not shown:
        return header(name, mailbox.address)
    # A dot is no atom (section 3.2.3): a name that has one would have to be quoted.
    if _plain(shown) and "." not in shown and len(name) + len(shown) + len(mailbox.address) + 5 <= _LINE:
        return header(name, f"{shown} <{mailbox.address}>")
    return f"{name}: {_encoded(shown)}\r\n <{mailbox.address}>\r\n".encode("ascii")


def _plain(value: str) -> bool:
    return value.isascii() and value.isprintable() and "=?" not in value


def _encoded(value: str) -> str:
    return "\r\n ".join(f"=?utf-8?b?{b64encode(part).decode('ascii')}?=" for part in _parts(value))


def _parts(value: str) -> Iterator[bytes]:
    """Cut between characters: each encoded word is text by itself (RFC 2047 section 5)."""
    part = b""
    for character in value:
        octets = character.encode("utf-8")
        if len(part) + len(octets) > _OCTETS_A_WORD:
            yield part
            part = b""
        part += octets
    yield part
