"""Entries of the directory: who comes or is visited, who receives, and whom one writes to there.

Business data only. A contact's name and addresses stand in the register of people; the entry carries the reference.
"""

from collections.abc import Collection, Iterable
from typing import Annotated, Any, Literal, get_args

from pydantic import Discriminator, Field, StringConstraints, Tag, TypeAdapter
from pydantic_core import PydanticCustomError

from domain.folding import folded
from domain.values import BusinessText, Country, PersonRef, Value

EntryKind = Literal["partner", "host", "contact"]
Nature = Literal[
    "friendship_association", "mass_organisation", "authority", "mission", "international", "school", "company", "other"
]
"""What kind of organisation a partner is."""

EntryId = Annotated[str, StringConstraints(pattern=r"^dir_[a-z0-9]{8,64}$")]

Web = Annotated[
    str, Field(max_length=200), StringConstraints(pattern=r"^https?://[A-Za-z0-9.-]+(?::[0-9]{1,5})?(?:/[!-~]*)?$")
]
"""An address on the web; printable ASCII, http or https, no name or password in it."""

MOST_NAMES = 10


class PartnerEntry(Value):
    """An organisation of another country: who comes, or who is visited. `country` is ISO 3166-1 alpha-2."""

    kind: Literal["partner"]
    name: BusinessText
    other_names: Annotated[tuple[BusinessText, ...], Field(max_length=MOST_NAMES)] = ()
    country: Country
    nature: Nature = "other"
    web: Web | None = None


class HostEntry(Value):
    """An organisation or institution that receives delegations, and the place where it does."""

    kind: Literal["host"]
    name: BusinessText
    other_names: Annotated[tuple[BusinessText, ...], Field(max_length=MOST_NAMES)] = ()
    country: Country = "VN"
    place: BusinessText
    web: Web | None = None


class ContactEntry(Value):
    """A person at a partner or host: `at` is that entry, `person` the person in the register of people."""

    kind: Literal["contact"]
    at: EntryId
    person: PersonRef


ENTRY_TAGS = frozenset({"partner_entry", "host_entry", "contact_entry"})
"""Which alternative of an entry was tried, in the places of errors: not a field."""


def _tag(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    if kind not in get_args(EntryKind):
        # Not a validator before the union: it would turn JSON into Python, of which strict reading asks for tuples.
        raise PydanticCustomError("entry_kind_unknown", "the field “kind” is one of partner, host, contact")
    return f"{kind}_entry"


Organisation = Annotated[
    Annotated[PartnerEntry, Tag("partner_entry")] | Annotated[HostEntry, Tag("host_entry")],
    Discriminator(_tag),
]
ORGANISATION: TypeAdapter[PartnerEntry | HostEntry] = TypeAdapter(Organisation)

Entry = Annotated[
    Annotated[PartnerEntry, Tag("partner_entry")]
    | Annotated[HostEntry, Tag("host_entry")]
    | Annotated[ContactEntry, Tag("contact_entry")],
    Discriminator(_tag),
]
ENTRY: TypeAdapter[PartnerEntry | HostEntry | ContactEntry] = TypeAdapter(Entry)


def names_of(entry: PartnerEntry | HostEntry | ContactEntry) -> tuple[str, ...]:
    """Return every name that an organisation goes by, its own first; a contact has none here."""
    return () if isinstance(entry, ContactEntry) else (entry.name, *entry.other_names)


def with_further_names(entry: PartnerEntry | HostEntry, names: Iterable[str]) -> PartnerEntry | HostEntry | None:
    """Return an organisation that goes by these names, too, or None where it would have more than MOST_NAMES of them.

    A name that it has, but for diacritics and case, is not added again.
    """
    there = {folded(name) for name in names_of(entry)}
    added: list[str] = []
    for name in names:
        if folded(name) not in there:
            there.add(folded(name))
            added.append(name)
    if len(entry.other_names) + len(added) > MOST_NAMES:
        return None
    return entry.model_copy(update={"other_names": (*entry.other_names, *added)})


def is_meant(
    name: str, countries: Collection[str], home: str, current: Collection[str], others: Iterable[tuple[str, str]]
) -> bool:
    """Return whether a file whose partner goes by a folded name, in these countries, means an entry that bears it.

    `home` is the entry's country, `current` its folded names of today, `others` are (folded name, country) of the other
    partners of today. Where somebody else has the name, the country of the journey says who is meant; without a word
    from it everybody who has the name today is.
    """
    rivals = [country in countries for other, country in others if other == name]
    if not rivals:
        return True
    return (home in countries and not any(rivals)) if name not in current else (home in countries or not any(rivals))
