"""Which entries may be one: names by edit distance (rapidfuzz) after folding, and web addresses.

A score is 0 to 100. It asks a person to look; nothing is merged by it.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from rapidfuzz import fuzz, process

from domain.directory import EntryKind
from domain.duplicates import Reason, comparable, web_host

ALIKE = 85
"""The least score at which two names are similar."""

SAME = 100
"""The score of one name in one country, or of one person at one organisation."""

ELSEWHERE = 80
"""The score of one name in two countries: chapters of one society, or chance."""

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


def _sorted_words(name: str) -> str:
    return " ".join(sorted(comparable(name).split()))


class Organisations:
    """Organisations by what they are compared by; more may be added while it is asked."""

    def __init__(self, known: Iterable[Known] = ()) -> None:
        self._names: dict[tuple[str, str], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self._elsewhere: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._webs: dict[tuple[str, str], set[str]] = defaultdict(set)
        self._named: dict[str, set[str]] = defaultdict(set)
        for one in known:
            self.add(one)

    def add(self, known: Known) -> None:
        """Let an organisation be found from now on."""
        for name in map(_sorted_words, known.names):
            if name:
                self._names[known.kind, known.country][name].add(known.entry)
                self._elsewhere[known.kind, name].add(known.entry)
                self._named[name].add(known.entry)
        if host := web_host(known.web):
            self._webs[known.kind, host].add(known.entry)

    def alike(self, asked: Known) -> list[Likeness]:
        """Return who may be the organisation asked about, itself left out; the highest score first, then by entry."""
        scores: dict[str, int] = {}
        reasons: dict[str, set[Reason]] = defaultdict(set)

        def note(entries: Iterable[str], score: int, reason: Reason) -> None:
            for entry in entries:
                scores[entry] = max(scores.get(entry, 0), score)
                reasons[entry].add(reason)

        here = self._names.get((asked.kind, asked.country), {})
        for name in sorted({_sorted_words(name) for name in asked.names} - {""}):
            note(here.get(name, ()), SAME, "same_name")
            note(self._elsewhere.get((asked.kind, name), set()) - here.get(name, set()), ELSEWHERE, "same_name")
            for other, score, _ in process.extract(
                name, here.keys(), scorer=fuzz.ratio, score_cutoff=ALIKE, limit=MOST
            ):
                if other != name:
                    note(here[other], min(round(score), SAME - 1), "similar_name")
        if host := web_host(asked.web):
            note(self._webs.get((asked.kind, host), ()), SAME_WEB, "same_web")
        return ranked(
            Likeness(entry, score, tuple(sorted(reasons[entry])))
            for entry, score in scores.items()
            if entry != asked.entry
        )

    def named(self, name: str) -> set[str]:
        """Return the organisations of either kind, in whatever country, that go by a name."""
        return set(self._named.get(_sorted_words(name), ()))


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
