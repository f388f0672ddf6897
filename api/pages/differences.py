"""What changed in a dossier since its reader last saw it, line by line in words."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from api.dossiers import DifferencesView
from api.installation import Installation
from api.pages.reader import Reader
from api.pages.words import DIRECTIONS, PERSON_ROLES, word
from domain.differences import Difference
from domain.rules import Edition
from domain.values import PersonRef
from locales import Translator, translator
from locales.dossier import CHANGES, FIGURES
from storage.persons import Person


@dataclass(frozen=True)
class Line:
    """One difference in words: where, what kind of change, what stood there and what stands there now."""

    place: str
    change: str
    before: str
    after: str


async def lines_of(at: Installation, found: DifferencesView, edition: Edition, reader: Reader) -> tuple[Line, ...]:
    """Return the differences in the later dossier's order; people by name for whoever may read names."""
    names = dict[str, str]()
    # Somebody may stand on both sides, with other details on each: each side is asked by itself.
    for side in ([one.before for one in found.items], [one.after for one in found.items]):
        told = [PersonRef.model_validate(one["person"]) for one in side if isinstance(one, dict) and "person" in one]
        people = await at.persons.as_committed_each(told) if told and reader.sees_personal_data else {}
        names |= {one.commitment: one.details.full_name for one in people.values() if isinstance(one, Person)}
    words = _Words(translator(reader.language), edition, names)
    return tuple(words.line(one) for one in found.items)


@dataclass(frozen=True)
class _Words:
    words: Translator
    edition: Edition
    names: Mapping[str, str]

    def line(self, one: Difference) -> Line:
        return Line(
            self._place(one.part, one.item),
            self.words.tr(CHANGES[one.change]),
            self._said(one.part, one.item, one.before),
            # What stands elsewhere is the same as it was: it is shown once.
            "" if one.change == "moved" else self._said(one.part, one.item, one.after),
        )

    def _place(self, part: str, item: str | None) -> str:
        kind, _, name = part.partition(":")
        match kind:
            case "member":
                return self.words.tr("Member %(member)s", member=name)
            case "limit":
                rule, _, country = name.partition("/")
                title = next(
                    (one.title.text(self.words.language) for one in self.edition.limits if one.id == rule), rule
                )
                return f"{title} ({self.words.country(country)})" if country else title
            case "document":
                return self.words.tr("Document %(document)s", document=name)
            case "programme":
                return self.words.tr("Programme")
            case "request" | "ceiling" if item:
                return word(FIGURES, item, self.words)
            case "request":
                return self.words.tr("Request")
            case "ceiling":
                return self.words.tr("Budget")
        # A part that is new here is named as the dossier names it.
        return part

    def _said(self, part: str, item: str | None, content: Any) -> str:
        kind = part.partition(":")[0]
        match content:
            case None:
                return ""
            case {"commitment": commitment} if len(content) == 1:
                return str(commitment)
            case {"person": person} if kind == "member":
                told = [
                    self.names.get(person["commitment"], ""),
                    word(PERSON_ROLES, content["role"], self.words),
                    self.words.country(content["country"]),
                ]
                return ", ".join(text for text in told if text)
            case {"starts": starts, "ends": ends} if kind == "programme":
                begins, finishes = _local(starts), _local(ends)
                clocks = f"{self.words.clock_time(begins)}–{self.words.clock_time(finishes)}"
                told = [content["title"], self.words.weekday_date(begins), clocks, content.get("place") or ""]
                return ", ".join(text for text in told if text)
            case {"breach": breach} if kind == "limit":
                return self.words.tr(
                    "%(measured)s, allowed %(allowed)s", measured=breach["measured"], allowed=breach["allowed"]
                )
            case {"attachment": attachment} if kind == "document":
                return f"{content['kind']}, {attachment['digest'][:16]}…"
        return self._figure(item, content)

    def _figure(self, item: str | None, value: Any) -> str:
        match item, value:
            case ("total_vnd", int()):
                return self.words.money_vnd(value)
            case ("starts" | "ends", str()):
                return self.words.short_date(date.fromisoformat(value))
            case ("direction", str()):
                return word(DIRECTIONS, value, self.words)
            case ("countries", list()):
                return self.words.listing(self.words.country(code) for code in value)
            case ("stays", list()):
                return ", ".join(f"{self.words.country(stay['country'])} {stay['days']}" for stay in value)
            case (_, list()):
                return self.words.listing(str(one) for one in value)
            case (_, bool()):
                return self.words.tr("yes") if value else self.words.tr("no")
        return str(value)


def _local(moment: Mapping[str, str]) -> datetime:
    return datetime.fromisoformat(moment["instant"]).astimezone(ZoneInfo(moment["zone"]))
