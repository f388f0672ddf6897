"""When two names may mean the same organisation: what is compared of them, and what keeps two apart.

Words that only say what kind of body something is make unlike names alike (`Hội … Việt Nam`), and one body unlike
itself (`… e.V.`). They are data (`domain/name_words.py`), folded, and never leave a name empty.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from domain.folding import folded
from domain.name_words import BODIES, COMPANIES, FORMS, GENERIC, STANDS_FOR, STOP_WORDS, WHOLE, Phrase

Reason = Literal["same_name", "similar_name", "same_web", "same_email"]
"""Why an entry looks like another one."""

SHORTEST_SLIP = 5
"""Letters of the shortest word in which one may be wrong: in shorter ones another letter makes another word."""


def _by_first_word(phrases: Collection[Phrase]) -> dict[str, list[Phrase]]:
    found: dict[str, list[Phrase]] = {}
    for phrase in sorted(set(phrases), key=lambda one: (-len(one), one)):
        found.setdefault(phrase[0], []).append(phrase)
    return found


_FORMS = _by_first_word(FORMS)
_COMPANIES = _by_first_word(COMPANIES)
_BODIES = _by_first_word(BODIES)
_WHOLE = _by_first_word(WHOLE)
_SHORT = _by_first_word(STANDS_FOR)
_GENERIC = _by_first_word(GENERIC)


@dataclass(frozen=True, slots=True)
class Compared:
    """What a name is compared by.

    `words` are those that are left of it, sorted: equal ones are one name. `own` are those of them that tell a body
    from others, in their order; `generic` the phrases that say of what level or kind it is. `trades` says whether its
    legal form is a company's, False if it is another body's, and None where the name has no form, or both.
    """

    words: tuple[str, ...]
    own: tuple[str, ...]
    generic: frozenset[Phrase]
    trades: bool | None


def comparable(name: str) -> str:
    """Return a name as names are compared: folded words without legal forms and joining words, nothing abbreviated.

    `Hội Hữu nghị Việt Nam – Đức` and `hoi huu nghi Viet Duc` give `huu nghi viet duc`. A name of nothing but such words
    keeps them; a name without any letter or digit gives the empty string. Comparable names stay as they are.
    """
    return " ".join(_comparable(words_of(name)))


def compared(name: str) -> Compared:
    """Return what a name is compared by; without words where it has no letter or digit."""
    said = _in_full(words_of(name))
    words = _comparable(said)
    own, generic = _apart(words)
    trades, body = _has(said, _COMPANIES), _has(said, _BODIES)
    return Compared(tuple(sorted(words)), own, generic, trades if trades is not body else None)


def same_name(one: Compared, other: Compared) -> bool:
    """Return whether two names are one, however it is written; a company and an association are never one."""
    return one.words == other.words and not _contradict(one, other)


def may_be_one(one: Compared, other: Compared, of_country: Collection[str] = ()) -> bool:
    """Return whether two names of bodies of one country may mean the same.

    Every word of their own has to be there in the other one, written alike or with one slip; `of_country` are words
    for the country itself, which names are said with and without. What is generic may stand in one of the two alone.
    """
    if _contradict(one, other) or (one.generic - other.generic and other.generic - one.generic):
        return False
    if "".join(one.own) == "".join(other.own):
        return True
    left, right = Counter(one.own), Counter(other.own)
    both = left & right
    mine, theirs = list((left - both).elements()), list((right - both).elements())
    for word in tuple(mine):
        near = next((each for each in theirs if one_slip(word, each)), None)
        if near is not None:
            mine.remove(word)
            theirs.remove(near)
    return all(word in of_country for word in (*mine, *theirs))


def one_slip(word: str, other: str) -> bool:
    """Return whether two words differ in one letter: another, one more, one less, or two that changed places.

    Numbers have no slips, nor have words shorter than SHORTEST_SLIP.
    """
    if word == other or abs(len(word) - len(other)) > 1 or not (may_slip(word) and may_slip(other)):
        return False
    short, long = sorted((word, other), key=len)
    at = next((place for place, letter in enumerate(short) if letter != long[place]), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    return short[at + 1 :] == long[at + 1 :] or (
        short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    )


def may_slip(word: str) -> bool:
    """Return whether a word is one in which a letter may be wrong."""
    return len(word) >= SHORTEST_SLIP and word.isalpha()


def with_a_letter_less(word: str) -> Iterator[str]:
    """Yield a word and what is left of it without each one of its letters: words one slip apart share one of these."""
    yield word
    yield from {word[:place] + word[place + 1 :] for place in range(len(word))}


def web_host(address: str | None) -> str | None:
    """Return the host of a web address without `www.`, in lower case, or None where there is none."""
    if not address:
        return None
    try:
        host = urlsplit(address).hostname
    except ValueError:
        return None
    return host.removeprefix("www.").rstrip(".") or None if host else None


def words_of(name: str) -> list[str]:
    """Return the folded words of a name, people's names included: letters and digits, all of them."""
    return "".join(letter if letter.isalnum() else " " for letter in folded(name)).split()


def _contradict(one: Compared, other: Compared) -> bool:
    return one.trades is not None and other.trades is not None and one.trades is not other.trades


def _comparable(words: list[str]) -> list[str]:
    while words:
        long = _in_full(words)
        left = _without_forms(long) or long
        if left == words:
            break
        words = left
    return words


def _in_full(words: list[str]) -> list[str]:
    full: list[str] = []
    place = 0
    while place < len(words):
        short = _begins(words, place, _SHORT)
        full += STANDS_FOR[short] if short else (words[place],)
        place += len(short) or 1
    return full


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


def _apart(words: list[str]) -> tuple[tuple[str, ...], frozenset[Phrase]]:
    """Return the words of its own that a name has, and its generic phrases; one of those alone has them as its own."""
    own: list[str] = []
    generic: set[Phrase] = set()
    place = 0
    while place < len(words):
        phrase = _begins(words, place, _GENERIC)
        if phrase:
            generic.add(phrase)
        else:
            own.append(words[place])
        place += len(phrase) or 1
    return (tuple(own), frozenset(generic)) if own else (tuple(words), frozenset())


def _has(words: list[str], forms: dict[str, list[Phrase]]) -> bool:
    place = 0
    while place < len(words):
        whole = _begins(words, place, _WHOLE)
        if not whole and _begins(words, place, forms):
            return True
        place += len(whole) or 1
    return False


def _begins(words: list[str], place: int, phrases: dict[str, list[Phrase]]) -> Phrase:
    candidates = phrases.get(words[place])
    if candidates is None:
        return ()
    return next((one for one in candidates if tuple(words[place : place + len(one)]) == one), ())
