"""One search over files, people, partners, hosts and their contacts, with or without diacritics."""

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.files import reach
from api.installation import At, Installation
from api.pages.frame import SHAPES
from api.pages.reader import reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from domain.directory import ContactEntry
from domain.folding import folded
from storage.directory import Found
from storage.persons import Person, PersonDetails
from storage.queries import Filters, Listed, NamedBy

router = APIRouter(route_class=PageRoute, include_in_schema=False)

LONGEST = 200
"""Characters of what is looked for."""

MOST_PLACES, MOST_CONTACTS = 400, 100
"""People whose names are decrypted to be compared: there is no index of names in the clear, and there is to be none."""

ELSEWHERE = 3
"""How far a name is that has not every word: something else had the others."""

SHOWN = 10
"""Results of each kind."""


@dataclass(frozen=True)
class FoundPerson:
    """Somebody on open files, with each of them."""

    details: PersonDetails
    places: tuple[NamedBy, ...]

    @property
    def ref(self) -> str:
        """Their reference in the register of people."""
        return self.places[0].person


@dataclass(frozen=True)
class FoundContact:
    """Somebody at a partner or host: their entry, and what the organisation is called."""

    entry: str
    details: PersonDetails
    organisation: str


@dataclass(frozen=True)
class Results:
    """What was found, the best first: of each kind at most `SHOWN`, and whether there is more."""

    files: tuple[Listed, ...] = ()
    more_files: bool = False
    people: tuple[FoundPerson, ...] = ()
    organisations: tuple[Found, ...] = ()
    more_organisations: bool = False
    contacts: tuple[FoundContact, ...] = ()

    @property
    def some(self) -> bool:
        """Whether anything was found."""
        return bool(self.files or self.people or self.organisations or self.contacts)


@router.get("/search")
async def show_search_page(request: Request, actor: Actor, at: At, q: str = "") -> Response:
    """Show what has every word of `q` in it; of people who may be seen by the reader, no others."""
    asked = " ".join(q[:LONGEST].replace("\x00", "").split())
    reader = reader_of(request)
    within = await reach(actor, at)
    results = await _results(at, asked, within, people=reader.sees_personal_data) if asked else Results()
    return show(
        request,
        "search.html",
        searched=asked,
        results=results,
        shapes=SHAPES,
        headers={"Cache-Control": "no-store"},
    )


async def _results(at: Installation, asked: str, within: frozenset[str] | None, *, people: bool) -> Results:
    words = folded(asked).split()
    if not words:
        return Results()
    # What changed last is what somebody means; among that, what has the words in its title.
    lines = (
        await at.queries.delegations(Filters(q=asked, within=within), sort="updated", descending=True, limit=50)
    ).items
    files = sorted(lines, key=lambda one: _distance(one.title, words))
    directory = await at.directory.page(kinds=("partner", "host"), q=asked, limit=SHOWN)
    on_files, contacts = await people_named(at, words, within) if people else ((), ())
    return Results(
        files=tuple(files[:SHOWN]),
        more_files=len(files) > SHOWN,
        people=on_files,
        more_organisations=directory.next_cursor is not None,
        organisations=tuple(sorted(directory.items, key=lambda one: _distance(_name(one), words))),
        contacts=contacts,
    )


def _distance(name: str, words: list[str]) -> int:
    """Return how far a name is from what was typed: it begins so, its words do, it has them, something else has them.

    Equal ones keep their order.
    """
    plain = folded(name)
    if plain.startswith(" ".join(words)):
        return 0
    if all(any(part.startswith(word) for part in plain.split()) for word in words):
        return 1
    return 2 if all(word in plain for word in words) else ELSEWHERE


def _name(found: Found) -> str:
    return "" if isinstance(found.entry, ContactEntry) else found.entry.name


async def people_named(
    at: Installation, words: list[str], within: frozenset[str] | None
) -> tuple[tuple[FoundPerson, ...], tuple[FoundContact, ...]]:
    """Return whose name has all the words (folded), on open files in reach and among contacts, in four statements."""
    places: dict[str, list[NamedBy]] = {}
    for one in await at.queries.people_on_open_files(within=within, most=MOST_PLACES):
        places.setdefault(one.person, []).append(one)
    newest = await at.directory.newest_contacts(MOST_CONTACTS)
    contacts = [(found.id, found.entry) for found in newest if isinstance(found.entry, ContactEntry)]
    known = await at.persons.get_many([*places, *(entry.person.ref for _, entry in contacts)])
    near = {
        ref: one.details
        for ref, one in known.items()
        if isinstance(one, Person) and _distance(one.details.full_name, words) < ELSEWHERE
    }
    fitting = [(id, near[entry.person.ref], entry.at) for id, entry in contacts if entry.person.ref in near][:SHOWN]
    names = await at.directory.get_many({organisation for _, _, organisation in fitting})
    people = [FoundPerson(near[ref], tuple(theirs)) for ref, theirs in places.items() if ref in near]
    people.sort(key=lambda one: _distance(one.details.full_name, words))
    return tuple(people[:SHOWN]), tuple(
        FoundContact(id, details, _name(names[organisation]) if organisation in names else "")
        for id, details, organisation in fitting
    )
