"""Which characters the vendored fonts can show, and what stands for those they cannot.

A letter must not lose a name silently, and PDF/A refuses a character without a glyph. So a character that no font has
is written out by its number: ``[U+7530]``.
"""

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

from domain.text import prose

FONTS: Final = Path(__file__).parent.parent / "templates" / "documents" / "fonts"

# The byte-order mark and the marks of interlinear annotations have no shape, and PDF/A does not allow the former.
SHAPELESS: Final = dict.fromkeys([0xFEFF, 0xFFF9, 0xFFFA, 0xFFFB])


def legible(text: str) -> str:
    """`text` as :func:`domain.text.prose` leaves it, each character that no vendored font has written out."""
    known = characters()
    return "".join(
        character if character == "\n" or ord(character) in known else f"[U+{ord(character):04X}]"
        for character in prose(text).translate(SHAPELESS)
    )


@cache
def characters() -> frozenset[int]:
    """The code points that at least one vendored font has a glyph for, control characters left out."""
    found = {point for path in sorted(FONTS.glob("*/*.ttf")) for point in _mapped(path.read_bytes())}
    return frozenset(point for point in found if unicodedata.category(chr(point)) not in {"Cc", "Cs", "Co", "Cn"})


def _mapped(font: bytes) -> Iterator[int]:
    """The code points of a TrueType font's ``cmap`` (OpenType specification, formats 4 and 12)."""
    for index in range(struct.unpack_from(">H", font, 4)[0]):
        tag, _checksum, start, _length = struct.unpack_from(">4sIII", font, 12 + 16 * index)
        if tag == b"cmap":
            break
    else:
        raise ValueError("a font without a character map")
    for index in range(struct.unpack_from(">H", font, start + 2)[0]):
        platform, encoding, offset = struct.unpack_from(">HHI", font, start + 4 + 8 * index)
        if platform == 0 or (platform == 3 and encoding in {1, 10}):
            table = start + offset
            match struct.unpack_from(">H", font, table)[0]:
                case 4:
                    yield from _format_4(font, table)
                case 12:
                    yield from _format_12(font, table)


def _format_4(font: bytes, table: int) -> Iterator[int]:
    segments = struct.unpack_from(">H", font, table + 6)[0] // 2
    columns = [table + 14, table + 16 + 2 * segments, table + 16 + 4 * segments, table + 16 + 6 * segments]
    ends, starts, deltas, offsets = (struct.unpack_from(f">{segments}H", font, column) for column in columns)
    for segment, (end, first, delta, offset) in enumerate(zip(ends, starts, deltas, offsets, strict=True)):
        for point in range(first, end + 1):
            glyph = point + delta
            if offset:
                at = columns[3] + 2 * segment + offset + 2 * (point - first)
                glyph = struct.unpack_from(">H", font, at)[0]
                glyph = glyph + delta if glyph else 0
            if glyph % 0x10000 and point != 0xFFFF:
                yield point


def _format_12(font: bytes, table: int) -> Iterator[int]:
    groups = struct.unpack_from(">I", font, table + 12)[0]
    for group in range(groups):
        first, last, _glyph = struct.unpack_from(">III", font, table + 16 + 12 * group)
        yield from range(first, last + 1)
