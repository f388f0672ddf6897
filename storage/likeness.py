"""Which entries may be one: names by their own words after folding (`domain/duplicates.py`), and web addresses.

A score is 0 to 100, rapidfuzz's of the words. It asks a person to look; nothing is merged by it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from rapidfuzz import fuzz, process

from domain.directory import EntryKind
from domain.duplicates import (
    Compared,
    Reason,
    compared,
    may_be_one,
    may_slip,
    one_slip,
    same_name,
    web_host,
    with_a_letter_less,
    words_of,
)
from locales import LANGUAGES, translator

ALIKE = 85
"""The least score at which two names are similar."""

SAME = 100
"""The score of one name in one country, or of one person at one organisation."""

ELSEWHERE = 80
"""The score of one name in two countries, chapters of one society or chance; and the highest across kinds."""

SAME_WEB = 90

MOST = 10
"""How many likenesses of one entry are named, the highest first."""


@dataclass(frozen=True)
class Likeness:
    """Another entry that may be the same: which, how much alike from 0 to 100, and why."""

    entry: str
    score: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Known:
    """What an organisation is compared by. `entry` is whatever the caller calls it by."""

    entry: str
    kind: EntryKind
    country: str
    names: tuple[str, ...]
    web: str | None = None


@dataclass(frozen=True)
class Pair:
    """Two entries that may be one: `first` comes before `second`; how much alike, and why."""

    first: str
    second: str
    score: int
    reasons: tuple[Reason, ...]


_compared = lru_cache(maxsize=50_000)(compared)
"""Names of organisations alone go through it: people's are not kept."""


@lru_cache(maxsize=300)
def words_for(country: str) -> frozenset[str]:
    """Return the words by which a country is called in the languages we speak, as names are compared."""
    names = (translator(language).country(country) for language in LANGUAGES)
    return frozenset(word for name in names for word in compared(name).own)


class _Place:
    """The names in one country: by their words, and by the words that one slip would make of them."""

    def __init__(self, country: str) -> None:
        self._called = words_for(country)
        self._names: list[tuple[Compared, str, EntryKind]] = []
        self._by_word: dict[str, set[int]] = defaultdict(set)
        self._joined: dict[str, set[int]] = defaultdict(set)
        self._slips: dict[str, set[str]] = defaultdict(set)

    def add(self, name: Compared, entry: str, kind: EntryKind) -> None:
        number = len(self._names)
        self._names.append((name, entry, kind))
        self._joined["".join(name.own)].add(number)
        for word in name.own:
            if word not in self._by_word and may_slip(word):
                for less in with_a_letter_less(word):
                    self._slips[less].add(word)
            self._by_word[word].add(number)

    def near(self, asked: Compared) -> Iterator[tuple[Compared, str, EntryKind]]:
        """Yield every name that may mean the same as the one asked for."""
        # Each of its own words has to be there, so those with the rarest are looked at.
        wanted = [word for word in asked.own if word not in self._called] or asked.own
        found = sorted((self._with(word) for word in set(wanted)), key=len)
        numbers = set.intersection(*found) if found else set()
        for number in numbers | self._joined.get("".join(asked.own), set()):
            name, entry, kind = self._names[number]
            if may_be_one(asked, name, self._called):
                yield name, entry, kind

    def _with(self, word: str) -> set[int]:
        numbers = self._by_word.get(word, set())
        if not may_slip(word):
            return numbers
        near = {each for less in with_a_letter_less(word) for each in self._slips.get(less, ())}
        return numbers.union(*(self._by_word[each] for each in near if one_slip(word, each)))


class Organisations:
    """Organisations by what they are compared by; more may be added while it is asked."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._known: dict[str, list[Known]] = defaultdict(list)
        self._places: dict[str, _Place] = {}
        self._called: dict[tuple[str, ...], list[tuple[Compared, str, str, EntryKind]]] = defaultdict(list)
        self._webs: dict[str, list[tuple[str, EntryKind]]] = defaultdict(list)
        for one in known:
            self.add(one)

    def add(self, known: Known) -> None:
        """Let an organisation be found from now on; what has the same `entry` is one."""
        self._known[known.entry].append(known)
        for name in _names(known):
            place = self._places.get(known.country) or self._places.setdefault(known.country, _Place(known.country))
            place.add(name, known.entry, known.kind)
            self._called[name.words].append((name, known.entry, known.country, known.kind))
        if host := web_host(known.web):
            self._webs[host].append((known.entry, known.kind))

    def alike(self, asked: Known) -> list[Likeness]:
        """Return who may be the organisation asked about, itself left out; the highest score first, then by entry.

        An entry of another kind is named where it has the same name or a similar one in the same country.
        """
        scores: dict[str, int] = {}
        reasons: dict[str, set[Reason]] = defaultdict(set)

        def note(entry: str, kind: EntryKind, score: int, reason: Reason) -> None:
            if entry != asked.entry:
                scores[entry] = max(scores.get(entry, 0), score if kind == asked.kind else min(score, ELSEWHERE))
                reasons[entry].add(reason)

        here = self._places.get(asked.country)
        for name in _names(asked):
            for other, entry, country, kind in self._called.get(name.words, ()):
                if same_name(name, other) and (country == asked.country or kind == asked.kind):
                    note(entry, kind, SAME if country == asked.country else ELSEWHERE, "same_name")
            for other, entry, kind in here.near(name) if here else ():
                if other.words != name.words and (score := _score(name, other)) >= ALIKE:
                    note(entry, kind, min(score, SAME - 1), "similar_name")
        for entry, kind in self._webs.get(web_host(asked.web) or "", ()):
            if kind == asked.kind:
                note(entry, kind, SAME_WEB, "same_web")
        return ranked(Likeness(entry, score, tuple(sorted(reasons[entry]))) for entry, score in scores.items())

    def pairs(self) -> list[Pair]:
        """Return every two that may be one, once; the highest score first, then by entries."""
        found: dict[tuple[str, str], Likeness] = {}
        for entry, whole in self._known.items():
            for known in whole:
                for one in self.alike(known):
                    both = (min(entry, one.entry), max(entry, one.entry))
                    before = found.get(both)
                    if before is None or (one.score, one.reasons) > (before.score, before.reasons):
                        found[both] = one
        pairs = (Pair(first, second, one.score, one.reasons) for (first, second), one in found.items())
        return sorted(pairs, key=lambda pair: (-pair.score, pair.first, pair.second))

    def named(self, name: str) -> set[str]:
        """Return the organisations of either kind, in whatever country, that go by a name."""
        asked = _compared(name)
        return {entry for other, entry, _, _ in self._called.get(asked.words, ()) if same_name(asked, other)}


def _names(known: Known) -> list[Compared]:
    return [name for name in dict.fromkeys(map(_compared, known.names)) if name.words]


def _score(name: Compared, other: Compared) -> int:
    one, two = " ".join(name.words), " ".join(other.words)
    if "".join(name.own) == "".join(other.own):
        return SAME
    return round(max(fuzz.ratio(one, two), fuzz.token_set_ratio(one, two)))


def _sorted_words(full_name: str) -> str:
    return " ".join(sorted(words_of(full_name)))


class People:
    """People at one organisation by what they are compared by; more may be added while they are asked for."""

    def __init__(self, known: Iterable[tuple[str, str, str]] = ()) -> None:
        """`known` are (entry, full name, e-mail)."""
        self._entries: list[str] = []
        self._names: list[str] = []
        self._addresses: dict[str, list[int]] = defaultdict(list)
        for entry, full_name, email in known:
            self.add(entry, full_name, email)

    def add(self, entry: str, full_name: str, email: str) -> None:
        """Let somebody be found from now on."""
        self._addresses[email.lower()].append(len(self._entries))
        self._entries.append(entry)
        self._names.append(_sorted_words(full_name))

    def alike(self, full_name: str, email: str) -> list[Likeness]:
        """Return who may be the person asked about; the highest score first, then by entry."""
        wanted = _sorted_words(full_name)
        near = {
            place: round(score)
            for _, score, place in process.extract(
                wanted, self._names, scorer=fuzz.ratio, score_cutoff=ALIKE - 1, limit=None
            )
            if round(score) >= ALIKE
        }
        there = set(self._addresses.get(email.lower(), ()))
        return ranked(
            self._likeness(place, near.get(place, 0), same_address=place in there) for place in {*near, *there}
        )

    def _likeness(self, place: int, score: int, *, same_address: bool) -> Likeness:
        # One mailbox is often shared by an office, so the name has to be near too.
        reasons: list[Reason] = ["same_email"] if same_address else []
        if score:
            reasons.append("same_name" if score == SAME else "similar_name")
        top = SAME if same_address and score == SAME else max(score, SAME_WEB)
        return Likeness(self._entries[place], min(top, SAME if same_address else SAME - 1), tuple(sorted(reasons)))


def ranked(found: Iterable[Likeness]) -> list[Likeness]:
    """Return likenesses with the highest score first, then by entry; at most MOST."""
    return sorted(found, key=lambda one: (-one.score, one.entry))[:MOST]
