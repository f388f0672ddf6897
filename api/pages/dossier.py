"""The dossier as an approver reads it: names from the registers, times on the clock of their place, every text."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from zoneinfo import ZoneInfo

from api.documents import DocumentView, documents_of
from api.installation import Installation
from api.pages.reader import Reader
from api.pages.turns import Turn
from domain.bilingual import Bilingual
from domain.events import Breach
from domain.request import breaches
from domain.rules import Edition
from domain.state import Delegation, Item, Participant
from locales import translator
from storage.persons import Erased


@dataclass(frozen=True)
class Traveller:
    """Somebody on the file. `name` is None where the reader may not see it, `erased` where nobody may any more."""

    participant: Participant
    name: str | None
    function: str | None
    erased: bool


@dataclass(frozen=True)
class ShownBreach:
    """A limit that is exceeded, by its title, and how that is justified, if the reader may read it."""

    breach: Breach
    title: Bilingual | None
    country: str | None
    justified: bool
    justification: str | None


@dataclass(frozen=True)
class Dossier:
    """Everything that stands behind a signature."""

    delegates: tuple[Traveller, ...]
    servants: tuple[Traveller, ...]
    days: tuple[tuple[date, tuple[Item, ...]], ...]
    countries: tuple[str, ...]
    """How many delegates come from where: `Nhật Bản 8`."""
    breaches: tuple[ShownBreach, ...]
    documents: tuple[DocumentView, ...]
    results: str | None
    recommendations: str | None


async def dossier_of(at: Installation, state: Delegation, turn: Turn, edition: Edition, reader: Reader) -> Dossier:
    """Return the dossier behind a turn, with what the reader may see of it.

    People stand as they did when the file named them: that is what the digest commits to.
    """
    people = [one for one in state.people.values() if one.active]
    found = await at.persons.as_committed_each(one.person for one in people) if reader.sees_personal_data else {}

    def traveller(one: Participant) -> Traveller:
        person = found.get(one.person.ref)
        if person is None or isinstance(person, Erased):
            return Traveller(one, None, None, erased=person is not None)
        details = person.details
        name = f"{details.honorific} {details.full_name}" if details.honorific else details.full_name
        return Traveller(one, name, details.function, erased=False)

    measured = turn.proposal.breaches if turn.proposal else breaches(state, edition)
    report = state.report if turn.of_report else None
    wanted = [one.ref for _, one in state.justifications.values()]
    wanted += [one.ref for one in (report.results, report.recommendations) if one] if report else []
    texts = await at.texts.read_many(wanted) if reader.sees_personal_data else {}
    return Dossier(
        delegates=tuple(traveller(one) for one in people if one.delegate),
        servants=tuple(traveller(one) for one in people if not one.delegate),
        countries=tuple(_by_country(people, reader)),
        days=tuple(_by_day(state.items.values())),
        breaches=tuple(_shown(one, state, edition, texts) for one in measured),
        documents=tuple(documents_of(state)),
        results=texts.get(report.results.ref) if report else None,
        recommendations=texts.get(report.recommendations.ref) if report and report.recommendations else None,
    )


def _by_country(people: Iterable[Participant], reader: Reader) -> Iterator[str]:
    words = translator(reader.language)
    for country, count in Counter(one.country for one in people if one.delegate and one.country).items():
        yield f"{words.country(country)} {words.number(count)}"


def _by_day(items: Iterable[Item]) -> Iterator[tuple[date, tuple[Item, ...]]]:
    """Yield the items that stand, by the day of their own place, in the order in which they begin."""
    standing = sorted((item for item in items if not item.cancelled), key=lambda item: (item.starts.instant, item.id))

    def day(item: Item) -> date:
        return item.starts.instant.astimezone(ZoneInfo(item.starts.zone)).date()

    for on, some in groupby(sorted(standing, key=day), key=day):
        yield on, tuple(some)


def _shown(breach: Breach, state: Delegation, edition: Edition, texts: dict[str, str]) -> ShownBreach:
    rule, _, country = breach.limit.partition("/")
    justified = state.justifications.get(breach.limit)
    holds = justified is not None and justified[0] == breach
    return ShownBreach(
        breach=breach,
        title=next((one.title for one in edition.limits if one.id == rule), None),
        country=country or None,
        justified=holds,
        justification=texts.get(justified[1].ref) if justified and holds else None,
    )
