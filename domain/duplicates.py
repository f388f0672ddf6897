"""When two names may mean the same organisation: what is left out before names are compared.

Words that only say what kind of body something is make unlike names alike (`Hội … Việt Nam`), and one body unlike
itself (`… e.V.`). They are listed here as data, folded, and never leave a name empty.
"""

from typing import Literal
from urllib.parse import urlsplit

from domain.folding import folded

Reason = Literal["same_name", "similar_name", "same_web", "same_email"]
"""Why an entry looks like another one."""

FORMS: tuple[tuple[str, ...], ...] = tuple(
    tuple(form.split())
    for form in (
        # Vietnamese
        "lien hiep cac to chuc", "lien hiep hoi", "lien hiep", "hiep hoi", "hoi dong", "hoi", "uy ban", "cong ty tnhh",
        "cong ty co phan", "cong ty", "tap doan", "tnhh mtv", "tnhh", "ctcp", "mtv",
        # English
        "association", "associations", "society", "union", "federation", "organisation", "organization", "committee",
        "council", "foundation", "institute", "limited liability company", "company limited", "co ltd", "company",
        "corporation", "incorporated", "limited", "ltd", "inc", "llc", "corp", "plc", "ngo",
        # German, French, Spanish, Portuguese, Italian, Dutch, Russian
        "e v", "ev", "eingetragener verein", "verein", "gesellschaft", "verband", "stiftung", "gmbh", "ggmbh", "ag",
        "association loi 1901", "societe", "sarl", "asbl", "vzw", "s a", "asociacion", "sociedad", "s l",
        "associacao", "associazione", "onlus", "vereniging", "b v", "bv", "n v", "nv", "obshchestvo", "ooo",
        # Japanese, Korean and Chinese forms as they are written in Latin letters
        "kyokai", "kabushiki kaisha", "k k", "npo", "hyeophoe", "xiehui",
    )
)  # fmt: skip
"""Legal forms and words for kinds of bodies, longest first where one holds another."""

STOP_WORDS = frozenset(
    {"the", "of", "and", "for", "at", "va", "cua", "cac", "der", "die", "das", "des", "und", "fur", "les", "el", "los"}
)
"""Words that join others; none that Vietnamese names have too, such as `an`, `da`, `du`, `la`, `le`, `van`."""

WHOLE: tuple[tuple[str, ...], ...] = (("hoi", "an"), ("the", "thao"), ("the", "gioi"))
"""Words that fold into a form or a joining word and are none: a town, sport, the world."""


def _by_first_word(phrases: tuple[tuple[str, ...], ...]) -> dict[str, list[tuple[str, ...]]]:
    found: dict[str, list[tuple[str, ...]]] = {}
    for phrase in sorted(set(phrases), key=lambda one: (-len(one), one)):
        found.setdefault(phrase[0], []).append(phrase)
    return found


_FORMS = _by_first_word(FORMS)
_WHOLE = _by_first_word(WHOLE)


def comparable(name: str) -> str:
    """Return a name as names are compared: folded words without legal forms and joining words.

    `Hội Hữu nghị Việt – Đức` and `hoi huu nghi Viet Duc` give `huu nghi viet duc`. A name of nothing but such words
    keeps them; a name without any letter or digit gives the empty string. Comparable names stay as they are.
    """
    words = _words(name)
    while words:
        left = _without_forms(words)
        if not left or left == words:
            break
        words = left
    return " ".join(words)


def web_host(address: str | None) -> str | None:
    """Return the host of a web address without `www.`, in lower case, or None where there is none."""
    if not address:
        return None
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return None
    return host.removeprefix("www.").rstrip(".") or None if host else None


def _words(name: str) -> list[str]:
    return "".join(letter if letter.isalnum() else " " for letter in folded(name)).split()


def _without_forms(words: list[str]) -> list[str]:
    kept: list[str] = []
    place = 0
    while place < len(words):
        whole, form = _begins(words, place, _WHOLE), _begins(words, place, _FORMS)
        if whole:
            kept += whole
        elif not form and words[place] not in STOP_WORDS:
            kept.append(words[place])
        place += len(whole or form) or 1
    return kept


def _begins(words: list[str], place: int, phrases: dict[str, list[tuple[str, ...]]]) -> tuple[str, ...]:
    candidates = phrases.get(words[place], ())
    return next((one for one in candidates if tuple(words[place : place + len(one)]) == one), ())
