"""Where two accounts of one delegation part."""

import json
from collections.abc import Sequence
from itertools import zip_longest

from domain.seal import SealedEvent


def first_differing_seq(stored: Sequence[SealedEvent], derived: Sequence[SealedEvent]) -> int | None:
    """Return the number of the first event that is not the same in both; None when they are the same."""
    for seq, (one, other) in enumerate(zip_longest(stored, derived), start=1):
        if one != other:
            return seq
    return None


def first_differing_table(stored: bytes, derived: bytes) -> str | None:
    """Return the first table that has not the same rows in two dumps (storage/dump.py), byte for byte; None if all."""
    if stored == derived:
        return None
    one, other = _by_table(stored), _by_table(derived)
    return next(table for table in [*other, *one] if one.get(table) != other.get(table))


def _by_table(dump: bytes) -> dict[str, list[bytes]]:
    found: dict[str, list[bytes]] = {}
    for line in dump.splitlines():
        found.setdefault(json.loads(line)["table"], []).append(line)
    return found
