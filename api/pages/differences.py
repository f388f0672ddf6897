"""What changed in a dossier since its reader last saw it, line by line in words."""

from collections.abc import Mapping

from api.dossiers import DifferencesView
from api.installation import Installation
from api.pages.reader import Reader
from api.pages.stateline import edition_words
from domain.rules import Edition
from domain.values import PersonRef
from locales import translator
from storage.persons import Person
from words.dossier import DossierWords, Line


async def lines_of(
    at: Installation, found: DifferencesView, edition: Edition, reader: Reader, *, zone: str, people: Mapping[str, str]
) -> tuple[Line, ...]:
    """Return the differences in the later dossier's order; people by name for whoever may read names.

    `zone` is the file's, `people` the names that are known of those on it, by their ids.
    """
    names = dict(people)
    # Somebody may stand on both sides, with other details on each: each side is asked by itself.
    for side in ([one.before for one in found.items], [one.after for one in found.items]):
        told = [PersonRef.model_validate(one["person"]) for one in side if isinstance(one, dict) and "person" in one]
        known = await at.persons.as_committed_each(told) if told and reader.sees_personal_data else {}
        names |= {one.commitment: one.details.full_name for one in known.values() if isinstance(one, Person)}
    rules = edition_words(edition, reader.language)
    words = DossierWords(translator(reader.language), rules, zone, names)
    return tuple(words.line(one.model_dump(mode="json")) for one in found.items)
