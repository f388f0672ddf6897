"""The letter that invites a delegation, in Vietnamese administrative form or as an English letter."""

from datetime import date, datetime
from typing import Final, Literal, Self

from pydantic import model_validator

from documents.administrative import (
    Heading,
    Text,
    Wording,
    capitalised,
    edges,
    grouped_table,
    note,
    paragraphs,
    table,
    words,
)
from documents.programme import ProgrammeEntry, by_day, place_cell, zone_of_all
from documents.typeset import typeset
from domain.text import Line
from domain.values import Country, Language, Value
from locales import Translator, mark, translator

# A letter that somebody signs fits on a page: longer lists follow it as annexes.
ROWS_WITHIN_THE_LETTER: Final = 3

CostShare = Literal["host", "host_except_travel", "guest"]

COSTS: Final[dict[CostShare, str]] = {
    "host": mark("All costs of the visit, international travel included, will be borne by the inviting organisation."),
    "host_except_travel": mark(
        "Accommodation, meals and transport during the stay will be provided by the inviting organisation; "
        "international travel will be at the expense of the delegation."
    ),
    "guest": mark("The costs of the visit will be borne by the delegation."),
}


class Invited(Value):
    """A member of the delegation as the letter lists them; an erased name is said in each language."""

    name: Wording
    role: Wording | None = None
    country: Country | None = None


class InvitationLetter(Value):
    """What an invitation letter says.

    `organisation` is the partner that is written to; `addressee`, if there is one, is the person, and `salutation` the
    words the letter greets them with. `arrival` and `departure` are both days of the visit.
    """

    heading: Heading
    subject: Wording
    organisation: Wording
    addressee: Line | None = None
    salutation: Wording | None = None
    country: Country = "VN"
    cities: tuple[Wording, ...] = ()
    arrival: date
    departure: date
    purpose: Text | None = None
    members: tuple[Invited, ...] = ()
    programme: tuple[ProgrammeEntry, ...] = ()
    hosts: tuple[Wording, ...] = ()
    costs: CostShare | None = None
    reply_by: date | None = None
    contact: Line | None = None

    @model_validator(mode="after")
    def _departs_after_arriving(self) -> Self:
        if self.departure < self.arrival:
            raise ValueError("the delegation departs before it arrives")
        return self


def render(letter: InvitationLetter, language: Language, at: datetime) -> bytes:
    """The letter as a PDF (see :func:`documents.typeset.typeset` for `at` and what is refused)."""
    return typeset("invitation_letter", laid_out(letter, translator(language)), language=language, at=at)


def laid_out(letter: InvitationLetter, translator: Translator) -> dict[str, object]:
    """The letter's words in their places, as the template wants them."""
    subject = words(letter.subject, translator)
    organisation = words(letter.organisation, translator)
    lists = _lists(letter, translator)
    annexed = len(letter.members) + len(letter.programme) > ROWS_WITHIN_THE_LETTER
    return {
        **edges(letter.heading, translator, addressed=True),
        "title": f"{translator.tr('Invitation letter')}: {subject}",
        "type": translator.tr("Invitation letter"),
        "subject": subject,
        "addressee": {
            "label": translator.tr("To:"),
            "lines": [capitalised(line) for line in (letter.addressee, organisation) if line],
        },
        "salutation": _salutation(letter, translator),
        "blocks": [
            paragraphs(*_opening(letter, translator)),
            *([] if annexed else [block for title, blocks in lists for block in (_lead(title), *blocks)]),
            paragraphs(*_arrangements(letter, translator, annexed and bool(lists))),
        ],
        "farewell": translator.tr("Yours faithfully,"),
        "annexes": _annexes(letter, lists, translator) if annexed else [],
    }


def _salutation(letter: InvitationLetter, translator: Translator) -> str:
    return words(letter.salutation, translator) if letter.salutation else translator.tr("Dear Sir or Madam,")


def _opening(letter: InvitationLetter, translator: Translator) -> list[str]:
    sentence = (
        translator.tr(
            "%(issuer)s has the honour of inviting you, as a member of the delegation of %(organisation)s, "
            "to visit %(country)s (%(dates)s).",
            **_visit(letter, translator),
        )
        if letter.addressee
        else translator.tr(
            "%(issuer)s has the honour of inviting the delegation of %(organisation)s "
            "to visit %(country)s (%(dates)s).",
            **_visit(letter, translator),
        )
    )
    if letter.cities:
        cities = translator.listing(words(city, translator) for city in letter.cities)
        sentence += " " + translator.tr("The visit will include %(cities)s.", cities=cities)
    if letter.purpose is None:
        return [sentence]
    purpose = words(letter.purpose, translator)
    return [sentence, translator.tr("Purpose of the visit: %(purpose)s", purpose=purpose)]


def _visit(letter: InvitationLetter, translator: Translator) -> dict[str, str]:
    return {
        "issuer": words(letter.heading.issuer.name, translator),
        "organisation": words(letter.organisation, translator),
        "country": translator.country(letter.country),
        "dates": translator.date_range(letter.arrival, letter.departure),
    }


def _arrangements(letter: InvitationLetter, translator: Translator, annexed: bool) -> list[str]:
    reception = []
    if letter.hosts:
        hosts = translator.listing(words(host, translator) for host in letter.hosts)
        reception.append(translator.tr("The delegation will be received by %(hosts)s.", hosts=hosts))
    if annexed:
        reception.append(
            translator.tr("The list of the delegation and the draft programme are annexed to this letter.")
        )
    texts = [" ".join(reception)]
    if letter.costs:
        texts.append(translator.tr(COSTS[letter.costs]))
    if letter.reply_by:
        day = translator.plain_date(letter.reply_by)
        texts.append(translator.tr("We should be grateful for your reply by %(day)s.", day=day))
    if letter.contact:
        texts.append(translator.tr("For any further information, please contact %(contact)s.", contact=letter.contact))
    return [*texts, translator.tr("We look forward to welcoming you.")]


def _lists(letter: InvitationLetter, translator: Translator) -> list[tuple[str, list[dict[str, object]]]]:
    lists = []
    if letter.members:
        count = len(letter.members)
        title = translator.ntr("The delegation (%(count)s member)", "The delegation (%(count)s members)", count)
        lists.append((title, [_members(letter.members, translator)]))
    if letter.programme:
        zone = zone_of_all(letter.programme, translator)
        clock = [note(translator.tr("All times are %(zone)s.", zone=zone))] if zone else []
        lists.append((translator.tr("Draft programme"), [*clock, _programme(letter.programme, translator)]))
    return lists


def _members(members: tuple[Invited, ...], translator: Translator) -> dict[str, object]:
    columns = [
        (translator.tr("No."), "ordinal"),
        (translator.tr("Full name"), "person"),
        (translator.tr("Position"), "name"),
        (translator.tr("Country"), "date"),
    ]
    rows = [
        [
            str(number),
            words(member.name, translator),
            words(member.role, translator) if member.role else "",
            translator.country(member.country) if member.country else "",
        ]
        for number, member in enumerate(members, 1)
    ]
    return table(columns, rows)


def _programme(entries: tuple[ProgrammeEntry, ...], translator: Translator) -> dict[str, object]:
    columns = [
        (translator.tr("Time"), "time"),
        (translator.tr("Activity"), "text"),
        (translator.tr("Place"), "name"),
    ]
    groups = by_day(
        entries,
        lambda entry, time: [time, words(entry.title, translator), place_cell(entry, translator)],
        translator,
    )
    return grouped_table(columns, groups)


def _lead(title: str) -> dict[str, object]:
    return {"kind": "lead", "text": f"{title}:"}


def _annexes(
    letter: InvitationLetter, lists: list[tuple[str, list[dict[str, object]]]], translator: Translator
) -> list[dict[str, object]]:
    origin = translator.tr(
        "Annex to invitation letter No. %(reference)s of %(day)s",
        reference=letter.heading.reference,
        day=translator.official_date(letter.heading.dated),
    )
    return [
        {
            "label": translator.tr("Annex %(number)s", number=number),
            "title": title.upper() if translator.language == "vi" else title,
            "origin": origin,
            "blocks": blocks,
        }
        for number, (title, blocks) in enumerate(lists, 1)
    ]
