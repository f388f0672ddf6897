"""The names of the people on a file, for those who may see personal data."""

from collections.abc import Mapping
from typing import Any

from locales import Translator
from verbs.asking import Api, ProblemRefusal


def names(api: Api, people: Mapping[str, Mapping[str, Any]], translator: Translator) -> dict[str, str]:
    """Return the full name of each person on a file, by their id there.

    Empty for an account that may not see names, such as an auditor's; whose data were erased is told by the place on
    the file, which is the order of `people`.
    """
    found: dict[str, str] = {}
    for place, (person_id, person) in enumerate(people.items(), 1):
        try:
            found[person_id] = api.get(f"/persons/{person['person']['ref']}")["details"]["full_name"]
        except ProblemRefusal as refused:
            match refused.code:
                case "role_not_allowed":
                    return {}
                case "person_erased" | "person_unknown":
                    found[person_id] = translator.tr("erased person %(number)s", number=place)
                case _:
                    raise
    return found
