"""The dossier as an approver reads it: exactly what was submitted, with names and texts from the registers."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from api.documents import DocumentView, documents_of
from api.dossiers import DossierView
from api.installation import Installation
from api.pages.reader import Reader
from api.pages.stateline import edition_words
from domain.bilingual import Bilingual
from domain.dossier import dossier_contents
from domain.dossiers import JustifiedBreach
from domain.erasure import place_of
from domain.events import Breach
from domain.observations import Renewed
from domain.rules import Edition
from domain.state import Ceiling, Delegation, Document, Item, Participant
from domain.values import Direction, Fact
from locales import translator
from storage.persons import Erased
from words.dossier import DossierWords


class Requested(Fact):
    """What of the request stands in the sentences at the head of the page; all of it stands in `Dossier.figures`."""

    direction: Direction
    title: str
    countries: tuple[str, ...]
    starts: date
    ends: date


@dataclass(frozen=True)
class Traveller:
    """Somebody on the file. `name` is None where the reader may not see it.

    Whose data were erased has a `number` instead: the place on the file.
    """

    participant: Participant
    name: str | None
    function: str | None
    number: int | None = None


@dataclass(frozen=True)
class ShownBreach:
    """A limit that is exceeded, by its title, and how that is justified, if the reader may read it."""

    breach: Breach
    title: Bilingual | None
    country: str | None
    justified: bool
    justification: str | None


@dataclass(frozen=True)
class Warned:
    """Something that other files said of a member and that goes beyond a limit; it warns, and stops nothing."""

    title: Bilingual | None
    member: str
    observation: Renewed


@dataclass(frozen=True)
class Dossier:
    """Everything that stands behind a signature. `countries` says how many delegates come from where: `Japan 8`.

    `figures` are those of the request by their names, `unsaid` the names of those that say nothing, `whom` for whom
    each item is. `untold` are parts whose content the trail cannot tell any more. `servants` are not part of what is
    signed. `names` are those of people that the reader may see, by their ids on the file.
    """

    requested: Requested
    figures: tuple[tuple[str, str], ...]
    unsaid: tuple[str, ...]
    whom: Mapping[str, str]
    names: Mapping[str, str]
    delegates: tuple[Traveller, ...]
    countries: tuple[str, ...]
    servants: tuple[Traveller, ...]
    days: tuple[tuple[date, tuple[Item, ...]], ...]
    ceiling: Ceiling | None
    breaches: tuple[ShownBreach, ...]
    warnings: tuple[Warned, ...]
    documents: tuple[DocumentView, ...]
    untold: tuple[str, ...] = ()
    results: str | None = None
    recommendations: str | None = None


async def dossier_of(
    at: Installation, state: Delegation, submitted: DossierView | None, edition: Edition, reader: Reader
) -> Dossier:
    """Return what a proposal was submitted with or, without one, the file as its report finds it.

    People stand as they did when the file named them: that is what the digest commits to.
    """
    asked, delegates, items, documents, untold = _read(state, submitted)
    servants = [one for one in state.people.values() if one.active and not one.delegate]
    people = await people_of(at, state, [*delegates, *servants], reader)
    justified = submitted.breaches if submitted else ()
    report = None if submitted else state.report
    wanted = [one.justification.ref for one in justified if one.justification]
    wanted += [one.ref for one in (report.results, report.recommendations) if one] if report else []
    texts = await at.texts.read_many(wanted) if reader.sees_personal_data else {}
    names = {one: known.name for one, known in people.items() if known.name}
    running = {one.slug: one.name.text(reader.language) for one in await at.institution.organisations()}
    rules = edition_words(edition, reader.language)
    said = DossierWords(translator(reader.language), rules, state.zone, names, running)
    # The title is the page's own.
    told = {name: value for name, value in asked.items() if name != "title"}
    figures = [(said.place("request", figure), said.figure(figure, value)) for figure, value in told.items()]
    return Dossier(
        requested=Requested.model_validate({name: asked[name] for name in Requested.model_fields}),
        figures=tuple((label, text) for label, text in figures if text),
        unsaid=tuple(label for label, text in figures if not text),
        whom={item.id: said.audience(item.audience.model_dump(mode="json")) for item in items},
        names=names,
        delegates=tuple(people[one.id] for one in delegates),
        countries=tuple(_by_country(delegates, reader)),
        servants=tuple(people[one.id] for one in servants),
        days=tuple(items_by_day(items)),
        ceiling=submitted.ceiling if submitted else state.ceiling,
        breaches=tuple(_shown(one, edition, texts) for one in justified),
        warnings=tuple(_warned(one, edition, people) for one in _observations(state, submitted) if _warns(one)),
        documents=tuple(documents),
        untold=tuple(untold),
        results=texts.get(report.results.ref) if report else None,
        recommendations=texts.get(report.recommendations.ref) if report and report.recommendations else None,
    )


def _observations(state: Delegation, submitted: DossierView | None) -> Iterable[Renewed]:
    """Return what other files say now or, where nothing waits for a signature, what was sealed last."""
    if submitted is not None and submitted.observations:
        return submitted.observations
    return [Renewed.model_validate(one.model_dump()) for one in state.observations.values()]


def _warns(one: Renewed) -> bool:
    """Whether it goes beyond a limit now, or went when it was sealed: that it no longer does is worth knowing too."""
    return one.exceeded or (one.sealed is not None and one.sealed > one.allowed)


def _read(
    state: Delegation, submitted: DossierView | None
) -> tuple[Mapping[str, Any], list[Participant], list[Item], list[DocumentView], list[str]]:
    """Return request, delegates, items, documents, and the names of the parts that cannot be told."""
    asked: Mapping[str, Any] = dossier_contents(state, (), None)[0].content
    if submitted is None:
        return asked, list(state.delegates), list(state.items.values()), list(documents_of(state)), []
    delegates, items, documents, untold = [], list[Item](), list[DocumentView](), list[str]()
    for part in submitted.parts:
        kind, _, name = part.part.partition(":")
        content: Any = part.content
        if content is None:
            untold.append(part.part)
        elif kind == "request":
            asked = content
        elif kind == "member":
            delegates.append(Participant.model_validate({"id": name, **content}))
        elif kind == "programme":
            items = [Item.model_validate(item) for item in content]
        elif kind == "document":
            file = Document.model_validate({"id": name, **content})
            documents.append(
                DocumentView.model_validate(
                    {"kind": file.kind, "number": len(documents) + 1, "concerns": file.concerns, "document_id": name}
                    | file.attachment.model_dump()
                )
            )
    return asked, delegates, items, documents, untold


async def people_of(
    at: Installation, state: Delegation, people: Iterable[Participant], reader: Reader
) -> Mapping[str, Traveller]:
    """Return people as they stood when the file named them, by their ids; by name for whoever may read names."""
    people = list(people)
    found = await at.persons.as_committed_each(one.person for one in people) if reader.sees_personal_data else {}

    def traveller(one: Participant) -> Traveller:
        person = found.get(one.person.ref)
        if person is None or isinstance(person, Erased):
            return Traveller(one, None, None, None if person is None else place_of(state, one.id))
        details = person.details
        name = f"{details.honorific} {details.full_name}" if details.honorific else details.full_name
        return Traveller(one, name, details.function)

    return {one.id: traveller(one) for one in people}


def _by_country(delegates: Iterable[Participant], reader: Reader) -> Iterator[str]:
    words = translator(reader.language)
    for country, count in Counter(one.country for one in delegates if one.country).items():
        yield f"{words.country(country)} {words.number(count)}"


def items_by_day(items: Iterable[Item]) -> Iterator[tuple[date, tuple[Item, ...]]]:
    """Yield the items that stand, by the day of their own place, in the order in which they begin."""
    standing = sorted((item for item in items if not item.cancelled), key=lambda item: (item.starts.instant, item.id))

    def day(item: Item) -> date:
        return item.starts.instant.astimezone(ZoneInfo(item.starts.zone)).date()

    for on, some in groupby(sorted(standing, key=day), key=day):
        yield on, tuple(some)


def _warned(one: Renewed, edition: Edition, people: Mapping[str, Traveller]) -> Warned:
    known = people.get(one.subject)
    return Warned(
        title=next((limit.title for limit in edition.limits if limit.id == one.rule.rule), None),
        member=known.name if known and known.name else one.subject,
        observation=one,
    )


def _shown(one: JustifiedBreach, edition: Edition, texts: Mapping[str, str]) -> ShownBreach:
    rule, _, country = one.breach.limit.partition("/")
    return ShownBreach(
        breach=one.breach,
        title=next((limit.title for limit in edition.limits if limit.id == rule), None),
        country=country or None,
        justified=one.justification is not None,
        justification=texts.get(one.justification.ref) if one.justification else None,
    )
