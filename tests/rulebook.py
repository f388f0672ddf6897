"""The rules as they are shipped, read once for a test process."""

from functools import cache
from pathlib import Path

from domain.rules import Edition
from storage.editions_file import load_edition

RULES = Path(__file__).parent.parent / "rules"


@cache
def shipped() -> Edition:
    """Return the shipped edition."""
    return load_edition(RULES)


@cache
def edition() -> Edition:
    """Return the shipped edition without its quiet window: what is not about it does not wait for it."""
    return shipped().model_copy(update={"quiet_minutes": 0})
