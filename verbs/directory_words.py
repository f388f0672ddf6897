"""What the directory names by codes, in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from locales import Translator, mark
from words.codes import word

KINDS = {"partner": mark("partner"), "host": mark("host institution"), "contact": mark("contact")}

NATURES = {
    "friendship_association": mark("friendship association"),
    "mass_organisation": mark("mass organisation"),
    "authority": mark("authority"),
    "mission": mark("diplomatic mission"),
    "international": mark("international organisation"),
    "school": mark("school or university"),
    "company": mark("company"),
    "other": mark("other"),
}

ACTIONS = {
    "added": mark("entered"),
    "imported": mark("imported"),
    "changed": mark("changed"),
    "merged": mark("gave way to"),
    "absorbed": mark("stands also for"),
    "split": mark("split from"),
    "released": mark("no longer stands for"),
}

REASONS = {
    "same_name": mark("same name"),
    "similar_name": mark("similar name"),
    "same_web": mark("same web address"),
    "same_email": mark("same e-mail address"),
}

VERDICTS = {
    "new": mark("new"),
    "similar": mark("looks like an entry"),
    "known": mark("is known already"),
    "bad": mark("cannot be entered"),
}


def name_of(found: Mapping[str, Any], translator: Translator) -> str:
    """What an entry is called: an organisation by its name, a contact by the person's if that may be seen."""
    if "name" in found["entry"]:
        return str(found["entry"]["name"])
    person = found.get("person")
    if person is None:
        return translator.tr("(name not shown)")
    return " ".join(part for part in (person.get("honorific"), person["full_name"]) if part)


def why(reasons: Sequence[str], translator: Translator) -> str:
    """Why two entries look alike."""
    return ", ".join(word(REASONS, reason, translator) for reason in reasons)
