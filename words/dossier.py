"""What stands in a dossier, and what changed in it, as a person reads it: said alike on pages and at the command line.

Everything that the digest is made from is said: what an approver cannot read, they do not sign.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

from locales import Translator, mark
from locales.dossier import CHANGES, FIGURES, OPTIONS
from words.codes import AUDIENCE_GROUPS, DIRECTIONS, DOCUMENT_KINDS, ITEM_KINDS, PERSON_ROLES, word
from words.edition import EditionWords
from words.times import at_place, span

WHY = {
    "you_answered": mark("since proposal %(number)s, which you answered last"),
    "desk_answered": mark("since proposal %(number)s, which this desk answered last"),
    "step_before_answered": mark("since proposal %(number)s, which the stage before signed"),
    "approved": mark("since proposal %(number)s, which stands approved"),
}

Content = Mapping[str, Any]


class Line(NamedTuple):
    """One difference in words: where, what kind of change, what stood there and what stands there now."""

    place: str
    change: str
    before: str
    after: str


@dataclass(frozen=True)
class DossierWords:
    """For whom: the language, the words of the file's edition, its zone.

    `people` are names by the id on the file or, where somebody may stand with other details before and after, by the
    commitment to them; whoever may read none has none. `organisations` are names by slug, as far as they are known.
    """

    translator: Translator
    rules: EditionWords
    zone: str
    people: Mapping[str, str]
    organisations: Mapping[str, str] = field(default_factory=dict)

    def place(self, part: str, item: str | None = None) -> str:
        """Where something stands: the part, or the figure within it."""
        tr = self.translator.tr
        kind, _, name = part.partition(":")
        match kind:
            case "member":
                return tr("Member %(member)s", member=name)
            case "limit":
                return tr("Limit: %(limit)s", limit=self.rules.limit(name))
            case "document":
                return tr("Document %(document)s", document=name)
            case "programme":
                return tr("Programme")
            case "request" | "ceiling" if item:
                return word(FIGURES, item, self.translator)
            case "request":
                return tr("Request")
            case "ceiling":
                return tr("Ceiling")
        # A part that is new here is named as the dossier names it.
        return part

    def content(self, part: str, item: str | None, content: Any) -> str:
        """What stands there, in one line."""
        kind, _, name = part.partition(":")
        match content:
            case None:
                return ""
            case {"commitment": commitment} if len(content) == 1:
                return str(commitment)
            case _ if kind == "member":
                return self._listed(self._member(name, content))
            case _ if kind == "programme" and item is not None:
                return self._listed(self._item(content))
            case _ if kind == "limit":
                return self._listed(self._limit(content))
            case _ if kind == "document":
                return self._listed(self._document(content))
        return self.figure(item, content)

    def _listed(self, told: Iterator[str]) -> str:
        return ", ".join(text for text in told if text)

    def _member(self, member: str, content: Content) -> Iterator[str]:
        tr, person = self.translator.tr, content["person"]
        yield self.people.get(person["commitment"]) or self.people.get(member, "")
        yield word(PERSON_ROLES, content["role"], self.translator)
        yield self.translator.country(content["country"]) if content["country"] else ""
        yield tr("needs entry papers") if content["entry_papers"] else ""
        yield tr("key leader") if content.get("key_leader") else ""

    def _item(self, content: Content) -> Iterator[str]:
        tr = self.translator.tr
        yield content["title"]
        yield word(ITEM_KINDS, content["kind"], self.translator)
        yield self.translator.weekday_date(at_place(content["starts"]).date())
        yield span(content, self.zone, self.translator)
        yield content["place"] or ""
        yield tr("for %(audience)s", audience=self.audience(content["audience"]) or tr("nobody yet"))
        yield "" if content["published"] else tr("not for calendars")

    def audience(self, audience: Content) -> str:
        """For whom an item is: its groups, and people by name, or by id for whoever may read none."""
        groups = [word(AUDIENCE_GROUPS, group, self.translator) for group in audience["groups"]]
        return self.translator.listing([*groups, *(self.people.get(who, who) for who in audience["people"])])

    def _limit(self, content: Content) -> Iterator[str]:
        tr, breach = self.translator.tr, content["breach"]
        yield tr("%(measured)s, allowed %(allowed)s", measured=breach["measured"], allowed=breach["allowed"])
        yield tr("rule %(rule)s, version %(version)s", rule=breach["limit"], version=breach["version"])
        yield tr("no justification helps") if breach.get("absolute") else ""
        yield tr("justified in writing") if content["justification"] else tr("not justified")

    def _document(self, content: Content) -> Iterator[str]:
        attachment = content["attachment"]
        yield word(DOCUMENT_KINDS, content["kind"], self.translator)
        yield content["concerns"] or ""
        yield attachment["media_type"]
        yield f"{attachment['digest'][:16]}…"

    def figure(self, item: str | None, value: Any) -> str:
        """What a figure of request or ceiling says; nothing where it says nothing."""
        words = self.translator
        match item, value:
            case _, None | [] | "":
                return ""
            case "total_vnd", int():
                return words.money_vnd(value)
            case (("starts" | "ends"), str()):
                return words.short_date(date.fromisoformat(value))
            case (("organisation" | "issuer"), str()):
                return self.organisations.get(value, value)
            case "direction", str():
                return word(DIRECTIONS, value, words)
            case "countries", list():
                return words.listing(words.country(code) for code in value)
            case "stays", list():
                stays = (words.ntr("%(count)s day", "%(count)s days", stay["days"]) for stay in value)
                countries = (words.country(stay["country"]) for stay in value)
                return words.listing(f"{country} {days}" for country, days in zip(countries, stays, strict=True))
            case str(), str() if item in OPTIONS:
                return word(OPTIONS[item], value, words)
            case _, bool():
                return words.tr("yes") if value else words.tr("no")
            case _, int():
                return words.number(value)
            case _, list():
                return words.listing(str(one) for one in value)
        return str(value)

    def line(self, one: Content) -> Line:
        """One difference, as the API shows it."""
        part, item, changed = one["part"], one["item"], one["change"]
        before, after = (self.content(part, item, one[side]) for side in ("before", "after"))
        if changed == "moved":
            # What stands elsewhere is the same as it was: it is shown once.
            before = ""
        elif changed == "changed" and before == after:
            # The words are alike, and what they stand for is not: another version of somebody's details.
            was, now = dict(_leaves(one["before"])), dict(_leaves(one["after"]))
            before, after = (
                ", ".join([text, *(f"{key} {value}" for key, value in side.items() if other.get(key) != value)])
                for text, side, other in ((before, was, now), (after, now, was))
            )
        return Line(self.place(part, item), word(CHANGES, changed, self.translator), before, after)

    def why(self, found: Content) -> str:
        """Since when changes are shown, or that there is nothing earlier to compare with."""
        text = WHY.get(found["why"])
        if text is None:
            return self.translator.tr("Nothing earlier to compare with: neither you nor a stage before saw one.")
        shown = self.translator.tr(text, number=found["since"])
        if not found["items"]:
            return self.translator.tr("Nothing changed %(since)s.", since=shown)
        return self.translator.tr("What changed %(since)s:", since=shown)


def _leaves(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Yield what a content is made of, by dotted names."""
    if not isinstance(content, dict):
        yield name, content
        return
    for key, value in content.items():
        yield from _leaves(value, f"{name}.{key}" if name else key)
