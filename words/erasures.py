"""Erasures in words: on which ground, how far they are, what goes and what they cannot reach."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from locales import Translator, mark

REASONS = {
    "asked_by_person": mark("the person asked for it"),
    "consent_withdrawn": mark("the person withdrew their consent"),
    "objection": mark("the person objected"),
    "purpose_fulfilled": mark("the data are not needed any more"),
    "retention_over": mark("the time to keep them is over"),
    "unlawful": mark("they should not have been kept"),
}

STATES = {
    "asked": mark("asked for; another administrator has to agree"),
    "agreed": mark("agreed to, and being carried out"),
    "carried_out": mark("carried out"),
    "withdrawn": mark("withdrawn"),
}


NAMES = {
    True: mark("Text %(ref)s of %(delegation)s: names the person"),
    False: mark("Text %(ref)s of %(delegation)s: no name was found; read it"),
}


def goes(found: Mapping[str, Any], translator: Translator) -> Iterator[str]:
    """Yield what an erasure takes away or took away, given the API's answer."""
    for delegation, places in found["places"].items():
        numbers = translator.listing(str(place) for place in places)
        text = mark("On %(delegation)s: erased person %(numbers)s")
        yield translator.tr(text, delegation=delegation, numbers=numbers)
    gone = (
        (mark("Mails whose text and address go: %(count)s"), found["mails"]),
        (mark("Letters to others that name the person, whose text goes: %(count)s"), found["letters_to_others"]),
        (mark("Received mails whose text goes: %(count)s"), found["received"]),
        (mark("Documents that are erased and rendered anew without the person: %(count)s"), found["documents"]),
    )
    for sentence, count in gone:
        if count:
            yield "  " + translator.tr(sentence, count=count)
    if found["accounts"]:
        accounts = ", ".join(found["accounts"])
        yield "  " + translator.tr("Accounts that are closed and lose their names: %(accounts)s", accounts=accounts)


def beyond(found: Mapping[str, Any], translator: Translator, zone: str | None = None) -> Iterator[str]:
    """Yield what an erasure cannot reach, and what a person has to look at; times in a zone, else this machine's."""
    lines = list(_beyond(found, translator, zone))
    if lines:
        yield translator.tr("What this cannot reach, and what a person has to look at:")
        yield from (f"  {line}" for line in lines)


def _beyond(found: Mapping[str, Any], translator: Translator, zone: str | None) -> Iterator[str]:
    for key, sentence in (
        ("to_person", mark("%(count)s mails of %(delegation)s in the person's own mailbox, %(first)s to %(last)s")),
        (
            "to_others",
            mark("%(count)s letters of %(delegation)s to others, naming the person, %(first)s to %(last)s"),
        ),
    ):
        for one in found[key]:
            values = {end: _at(one[end], translator, zone) for end in ("first", "last")}
            yield translator.tr(sentence, count=one["mails"], delegation=one["delegation"] or "–", **values)
    if found["key"]:
        text = mark("Backups made before hold the key %(key)s: destroy them, or erase again after restoring one.")
        yield translator.tr(text, key=found["key"])
    for key, sentence in (
        ("exports", mark("Evidence bundles given out: %(count)s")),
        ("remote_items", mark("Items in the person's own calendar: %(count)s")),
        ("subscribed", mark("Calendars that programs have fetched: %(count)s")),
    ):
        if found[key]:
            yield translator.tr(sentence, count=found[key])
    for one in found["received"]:
        text = mark("Received mail %(ref)s: says the name and nothing else that is theirs; look whose it is")
        yield translator.tr(text, ref=one)
    for one in found["texts"]:
        sentence = NAMES[one["names"]]
        yield translator.tr(sentence, ref=one["ref"], delegation=one["delegation"])
    for one in found["files"]:
        text = mark("File %(digest)s of %(delegation)s (%(kind)s): look whom it is about")
        yield translator.tr(text, digest=one["digest"][:12], delegation=one["delegation"], kind=one["kind"])
    for one in found["sealed"]:
        text = mark("Sealed in %(stream)s, entry %(seq)s (%(what)s): its wording names the person, and stays")
        yield translator.tr(text, stream=one["stream"], seq=one["seq"], what=one["what"])


def _at(instant: str, translator: Translator, zone: str | None) -> str:
    return translator.date_and_time(datetime.fromisoformat(instant).astimezone(ZoneInfo(zone) if zone else None))
