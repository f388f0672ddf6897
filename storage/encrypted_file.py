"""A file encrypted in chunks, so that it is written and read with little memory, from any place.

Layout: `LGA1`, then chunks of CHUNK plaintext bytes, each AES-256-GCM with its tag. The nonce is the chunk's number
and, in its last byte, whether it is the last one: chunks cannot be swapped, repeated or cut off unnoticed (the STREAM
construction). The key belongs to this one file, so numbers are safe as nonces.
"""

import io
from pathlib import Path
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from storage.keyring import CiphertextDamaged

MAGIC = b"LGA1"
CHUNK = 256 * 1024
TAG = 16


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


class EncryptedWriter:
    """Writes plaintext pieces of any size as an encrypted file."""

    def __init__(self, file: BinaryIO, secret: bytes) -> None:
        self._file = file
        self._cipher = AESGCM(secret)
        self._pending = bytearray()
        self._number = 0
        file.write(MAGIC)

    def write(self, piece: bytes) -> None:
        """Take the next bytes. The last full chunk waits, because only the end tells which one is the last."""
        self._pending += piece
        while len(self._pending) > CHUNK:
            self._seal(bytes(self._pending[:CHUNK]), last=False)
            del self._pending[:CHUNK]

    def finish(self) -> None:
        """Write the last chunk."""
        self._seal(bytes(self._pending), last=True)
        self._pending.clear()

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), chunk, MAGIC))
        self._number += 1


class EncryptedReader(io.RawIOBase):
    """The plaintext of an encrypted file, readable from any place; keeps one chunk in memory.

    Reading raises CiphertextDamaged where the file is not what was written; so does opening one that was cut.
    """

    def __init__(self, path: Path, secret: bytes, size: int) -> None:
        super().__init__()
        self._file = path.open("rb")
        self._cipher = AESGCM(secret)
        self.size = size
        self._last = max(0, (size - 1) // CHUNK)
        self._place = 0
        self._chunk: tuple[int, bytes] | None = None
        stored = self._file.seek(0, io.SEEK_END)
        self._file.seek(0)
        if stored != len(MAGIC) + size + TAG * (self._last + 1) or self._file.read(len(MAGIC)) != MAGIC:
            self._file.close()
            raise CiphertextDamaged

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self.size}[whence]
        if base + offset < 0:
            raise io.UnsupportedOperation("a place before the beginning")
        self._place = base + offset
        return self._place

    def tell(self) -> int:
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        wanted = self.size - self._place if size is None or size < 0 else size
        end = min(self.size, self._place + wanted)
        pieces = []
        while self._place < end:
            number, start = divmod(self._place, CHUNK)
            piece = self._open(number)[start : start + end - self._place]
            pieces.append(piece)
            self._place += len(piece)
        return b"".join(pieces)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _open(self, number: int) -> bytes:
        if self._chunk is None or self._chunk[0] != number:
            self._file.seek(len(MAGIC) + number * (CHUNK + TAG))
            sealed = self._file.read(CHUNK + TAG)
            try:
                opened = self._cipher.decrypt(_nonce(number, last=number == self._last), sealed, MAGIC)
            except InvalidTag:
                raise CiphertextDamaged from None
            self._chunk = number, opened
        return self._chunk[1]
