"""By what right a signature says it is given, as its block says it: the prefix with its principal, then the office.

KT. Chủ tịch / Phó Chủ tịch (Decree 30/2020, appendix I, II.7).
"""

from collections.abc import Callable, Mapping
from typing import Any

from locales import Language


def block(right: Mapping[str, Any], position: Callable[[str], str], language: Language) -> tuple[str, ...]:
    """Return the lines of a signature's block above the name; `position` says what an office is called.

    A substitute signs for the office stood in for, and beneath it stands their own, if they hold one. A right from
    before principals were sealed says its prefix behind the office: for whom it was, nobody wrote down.
    """
    office, prefix = position(right["position"]), right.get("prefix")
    if not prefix:
        return (office,)
    if right.get("on_behalf_of") and prefix == "KT":
        own = right.get("office")
        return (f"{prefix}. {office}", position(own)) if own else (f"{prefix}. {office}",)
    principal = right.get(f"principal_{language}")
    return (f"{prefix}. {principal}", office) if principal else (f"{office} ({prefix}.)",)


def in_one_line(right: Mapping[str, Any], position: Callable[[str], str], language: Language) -> str:
    """Return the same in one line."""
    return " / ".join(block(right, position, language))
