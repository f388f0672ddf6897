"""What stands in a dossier, and what changed in it, as a person reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from locales import Translator, mark
from locales.dossier import FIGURES
from words.codes import DIRECTIONS, PERSON_ROLES, word
from words.edition import EditionWords
from words.times import at_place, span

WHY = {
    "you_answered": mark("since proposal %(number)s, which you answered last"),
    "step_before_answered": mark("since proposal %(number)s, which the stage before signed"),
}


@dataclass
class DossierWords:
    """For whom: the language, the words of the file's edition, its zone, and the names of its people by id."""

    translator: Translator
    rules: EditionWords
    zone: str
    people: Mapping[str, str]

    def place(self, part: str, item: str | None = None) -> str:
        """Where something stands: the part, or the item or figure within it."""
        kind, _, name = part.partition(":")
        match kind:
            case "member":
                return self.translator.tr(mark("Member %(member)s"), member=name)
            case "limit":
                return self.translator.tr(mark("Limit: %(limit)s"), limit=self.rules.limit(name))
            case "document":
                return self.translator.tr(mark("Document %(document)s"), document=name)
            case "programme":
                return self.translator.tr(mark("Programme")) + (f": {item}" if item else "")
            case "request" | "ceiling":
                return word(FIGURES, item, self.translator) if item else self._whole(kind)
        return part

    def _whole(self, kind: str) -> str:
        return self.translator.tr(mark("Request") if kind == "request" else mark("Ceiling"))

    def content(self, part: str, item: str | None, content: Any) -> str:
        """What stands there, in one line."""
        kind, _, name = part.partition(":")
        match content:
            case None:
                return ""
            case {"commitment": commitment} if len(content) == 1:
                return str(commitment)
            case _ if kind == "member":
                known = self.people.get(name)
                role = word(PERSON_ROLES, content["role"], self.translator)
                told = [known, role, self.translator.country(content["country"])]
                return ", ".join(text for text in told if text)
            case _ if kind == "programme" and item is not None:
                day = self.translator.weekday_date(at_place(content["starts"]).date())
                told = [content["title"], day, span(content, self.zone, self.translator), content["place"]]
                return ", ".join(text for text in told if text)
            case _ if kind == "limit":
                breach = content["breach"]
                values = {"measured": breach["measured"], "allowed": breach["allowed"]}
                return self.translator.tr(mark("%(measured)s, allowed %(allowed)s"), **values)
            case _ if kind == "document":
                attachment = content["attachment"]
                return f"{content['kind']}, {attachment['media_type']}, {attachment['digest'][:16]}…"
        return self._figure(item, content)

    def _figure(self, item: str | None, value: Any) -> str:
        match item, value:
            case ("total_vnd", int()):
                return self.translator.money_vnd(value)
            case ("starts" | "ends", str()):
                return self.translator.short_date(date.fromisoformat(value))
            case ("direction", str()):
                return word(DIRECTIONS, value, self.translator)
            case ("countries", list()):
                return self.translator.listing(self.translator.country(code) for code in value)
            case ("stays", list()):
                return ", ".join(f"{self.translator.country(stay['country'])} {stay['days']}" for stay in value)
            case (_, list()):
                return self.translator.listing(str(one) for one in value)
            case (_, bool()):
                return self.translator.tr(mark("yes") if value else mark("no"))
        return str(value)

    def why(self, found: Mapping[str, Any]) -> str:
        """Since when changes are shown, or that there is nothing earlier to compare with."""
        text = WHY.get(found["why"])
        if text is None:
            return self.translator.tr(mark("Nothing earlier to compare with: neither you nor a stage before saw one."))
        shown = self.translator.tr(text, number=found["since"])
        if not found["items"]:
            return self.translator.tr(mark("Nothing changed %(since)s."), since=shown)
        return self.translator.tr(mark("What changed %(since)s:"), since=shown)
