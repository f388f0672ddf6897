"""Looking for what somebody was, byte by byte, in whatever form it may have been left behind."""

import base64
import gzip
import json
import quopri
import re
import unicodedata
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, quote_plus

import pypdfium2
from sqlalchemy import select

from domain.folding import folded
from storage.accounts import accounts
from storage.attachments import attachments
from storage.data_keys import data_keys
from storage.encrypted_file import EncryptedReader
from storage.keyring import DataKey
from storage.mail_rows import mail_ledger, subjects, unlocked
from storage.persons import person_versions
from storage.received_mail import opened, received_mail
from storage.registers import Registers

SHORTEST = 6
"""Bytes that a form has at least to be looked for: anything shorter is found anywhere."""


@dataclass(frozen=True)
class Leftover:
    """Where something was found, what it belonged to, and in which form."""

    place: str
    needle: str
    form: str


def forms_of(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield every form in which a text may have been written, by name; letters of ASCII are in lower case."""
    for spelling, said in spellings(text):
        for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
            octets = said.encode(encoding)
            yield f"{spelling} {encoding}", octets
            for shift in range(3):
                yield f"{spelling} {encoding} base64+{shift}", in_base64(octets, shift)
        octets = said.encode()
        yield f"{spelling} quoted-printable", quopri.encodestring(octets, quotetabs=False).replace(b"=\n", b"")
        yield f"{spelling} q-encoding", quopri.encodestring(octets, header=True).replace(b"=\n", b"")
        yield f"{spelling} percent", quote(said, safe="").encode()
        yield f"{spelling} percent-plus", quote_plus(said).encode()
        yield f"{spelling} percent lower", quote(said, safe="@").lower().encode()
        yield f"{spelling} json", json.dumps(said)[1:-1].encode()
        yield f"{spelling} hex", octets.hex().encode()


def spellings(text: str) -> Iterator[tuple[str, str]]:
    """Yield a text as it may be spelt."""
    for case, said in (("as it is", text), ("upper", text.upper()), ("lower", text.lower())):
        yield f"{case} NFC", unicodedata.normalize("NFC", said)
        yield f"{case} NFD", unicodedata.normalize("NFD", said)
    yield "folded", folded(text)
    yield "no blanks", folded(text).replace(" ", "")


def in_base64(octets: bytes, shift: int) -> bytes:
    """Return what of a text stands in base64 whatever is around it, where it begins `shift` bytes into a group."""
    written = base64.b64encode(b"\0" * shift + octets)
    return written[(0, 2, 3)[shift] : (shift + len(octets)) * 8 // 6]


class Search:
    """Looks for texts in octets; ASCII letters count whatever their case, base64 exactly."""

    def __init__(self, *texts: str) -> None:
        exact, lower = dict[bytes, tuple[str, str]](), dict[bytes, tuple[str, str]]()
        for text in texts:
            for form, octets in forms_of(text):
                if len(octets) < SHORTEST:
                    continue
                into, key = (exact, octets) if "base64" in form else (lower, octets.lower())
                into.setdefault(key, (text, form))
        self._exact, self._lower = exact, lower

    def in_octets(self, octets: bytes) -> set[tuple[str, str]]:
        """Return what is found, by text and form; line ends within base64 and soft ones do not hide it."""
        found: set[tuple[str, str]] = set()
        joined = octets.replace(b"=\r\n", b"").replace(b"=\n", b"").replace(b"\r\n", b"").replace(b"\n", b"")
        for whole in (octets, joined):
            found |= {said for form, said in self._exact.items() if form in whole}
            small = whole.lower()
            found |= {said for form, said in self._lower.items() if form in small}
        return found

    def in_folder(self, folder: Path, *, but: Iterable[str] = ()) -> list[Leftover]:
        """Return what is found in every file below a folder, their names, and what is packed within them."""
        found: list[Leftover] = []
        for path in sorted(folder.rglob("*")):
            name = str(path.relative_to(folder))
            found += [Leftover(f"name of {name}", *said) for said in self.in_octets(name.encode())]
            if path.is_file() and path.name not in but:
                octets = path.read_bytes()
                for place, part in (("", octets), *unpacked(octets)):
                    found += [Leftover(f"{name}{place}", *said) for said in self.in_octets(part)]
        return found


def unpacked(octets: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield every member of gzip and every deflated stream that begins anywhere in octets."""
    for match in re.finditer(rb"\x1f\x8b\x08", octets):
        try:
            yield f" gzip at {match.start()}", zlib.decompressobj(31).decompress(octets[match.start() :])
        except (OSError, EOFError, zlib.error):
            continue
    for match in re.finditer(rb"stream\r?\n|\x78[\x01\x5e\x9c\xda]", octets):
        start = match.end() if match.group().startswith(b"stream") else match.start()
        try:
            part = zlib.decompressobj().decompress(octets[start:], 10_000_000)
        except zlib.error:
            continue
        if len(part) > SHORTEST:
            yield f" deflated at {match.start()}", part


def planted(text: str) -> Iterator[tuple[str, bytes]]:
    """Yield octets in which a text stands in one form each, as programs write it: what the search must find."""
    for encoding in ("utf-8", "utf-16-le"):
        octets = f"x {text} y".encode(encoding)
        yield encoding, octets
        for shift in range(3):
            yield f"{encoding} base64 {shift}", base64.encodebytes(b"abc"[:shift] + b"z" * 70 + octets)
    yield "NFD", unicodedata.normalize("NFD", text).encode()
    yield "mixed case", "".join(c.upper() if n % 2 else c.lower() for n, c in enumerate(folded(text))).encode()
    yield "quoted-printable", quopri.encodestring(b"w" * 70 + text.encode())
    yield "percent", quote(text).encode()
    yield "json", json.dumps({"name": text}).encode()
    yield "gzip", b"front" + gzip.compress(b"pad" + text.encode()) + b"behind"


async def everything_opened(registers: Registers) -> bytes:
    """Return all that whoever holds the master key can read of an installation: what is encrypted, in the clear."""
    said: list[bytes] = []
    async with registers.database.reading() as connection:
        wrapped = (await connection.execute(select(data_keys).where(data_keys.c.wrapped.is_not(None)))).all()
        keys: dict[str, DataKey] = {
            row.subject: registers.keyring.unwrap(row.wrapped, context=row.subject.encode()) for row in wrapped
        }
        for row in (await connection.execute(select(person_versions))).all():
            key = keys[f"person:{row.ref}"]
            said.append(key.decrypt(row.ciphertext, context=f"{row.ref} {row.version}".encode())[32:])
        said += [
            keys[f"account:{row.id}"].decrypt(row.ciphertext, context=row.id.encode())
            for row in (await connection.execute(select(accounts))).all()
            if f"account:{row.id}" in keys
        ]
        for row in (await connection.execute(select(mail_ledger))).all():
            if all(subject in keys for subject in subjects(row)):
                said += [unlocked(name, row, keys) for name in ("mailbox", "content") if row._mapping[name]]
        for row in (await connection.execute(select(received_mail))).all():
            said.append(opened(row, keys))
        kept = [(row.digest, row.size) for row in (await connection.execute(select(attachments))).all()]
    for digest, size in kept:
        if f"attachment:{digest}" in keys:
            path = registers.attachments._path(digest)
            with EncryptedReader(path, keys[f"attachment:{digest}"].secret, size) as reader:
                octets = reader.read()
            said += [octets, text_of(octets)]
    said += [text_of(pdf) for mail in said for pdf in pdfs_in(mail)]
    return b"\n\n".join(said)


def pdfs_in(octets: bytes) -> Iterator[bytes]:
    """Yield the PDFs that a mail carries."""
    for match in re.finditer(rb"JVBERi[A-Za-z0-9+/=\r\n]+", octets):
        yield base64.b64decode(match.group().replace(b"\r\n", b"").replace(b"\n", b"") + b"==", validate=False)


def text_of(octets: bytes) -> bytes:
    """Return the text of a PDF, blanks folded; of anything else nothing."""
    if not octets.startswith(b"%PDF"):
        return b""
    pages = pypdfium2.PdfDocument(octets)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split()).encode()
