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
    """Return the table of the first line that is not the same in two dumps (storage/dump.py); None if none is."""
    if stored == derived:
        return None
    for one, other in zip_longest(stored.splitlines(), derived.splitlines()):
        if one != other:
            return str(json.loads(one or other)["table"])
    return None
