"""Canonical JSON (RFC 8785) and the digests made over it.

Events carry no floating-point numbers, so the one hard part of RFC 8785 (the shortest form of a float, section
3.2.2.3) does not arise: a float is refused instead of being written in a way another reader may not repeat.
"""

import hashlib
import json
from typing import Any

LARGEST_INTEGER = 2**53 - 1
"""Beyond it a reader whose numbers are IEEE 754 doubles would read another value (RFC 8785 section 3.2.2.3)."""


def canonical_json(value: Any) -> bytes:
    """Return the canonical UTF-8 bytes of a JSON value made of dict, list, tuple, str, int, bool and None.

    Keys are sorted by their UTF-16 code units (RFC 8785 section 3.2.3). Refuses with ValueError: floats, integers
    beyond ±(2**53 - 1), keys that are not strings and lone surrogates.
    """
    return json.dumps(
        _ordered(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"), check_circular=False
    ).encode("utf-8", errors="strict")


def _ordered(value: Any) -> Any:
    if value is None or isinstance(value, (str, bool)):
        return value
    if isinstance(value, int):
        if abs(value) > LARGEST_INTEGER:
            raise ValueError(f"the integer {value} does not survive a reader with IEEE 754 numbers")
        return value
    if isinstance(value, dict):
        if not all(isinstance(key, str) for key in value):
            raise ValueError("a key is not a string")
        # The order of UTF-16 code units differs from Python's own order only beyond the basic plane.
        ascii_keys = all(key.isascii() for key in value)
        names = sorted(value) if ascii_keys else sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _ordered(value[key]) for key in names}
    if isinstance(value, (list, tuple)):
        return [_ordered(part) for part in value]
    raise ValueError(f"{type(value).__name__} has no canonical form")


def sha256_hex(content: bytes) -> str:
    """Return the SHA-256 of the bytes as 64 lower-case hexadecimal digits."""
    return hashlib.sha256(content).hexdigest()


def digest_of(value: Any) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical JSON of a value."""
    return sha256_hex(canonical_json(value))


def commitment(salt: bytes, content: bytes) -> str:
    """Return a commitment to content that reveals nothing once the salt is destroyed.

    The salt is 32 random bytes that stand in a register beside the content and are erased with it. The length of the
    salt is fixed so that no other pair of salt and content gives the same input to the hash.
    """
    if len(salt) != 32:
        raise ValueError("a salt has 32 bytes")
    return sha256_hex(salt + content)
