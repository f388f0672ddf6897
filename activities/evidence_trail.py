"""A trail in words for those who were not there, in both languages, as the evidence bundle prints it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from documents.trail_record import TrailLine, TrailRecord
from domain.bilingual import Bilingual
from domain.decision import SYSTEM
from domain.evolve import fold
from domain.rules import Edition
from domain.seal import SealedEvent
from locales import Translator, mark, translator
from words.edition import EditionWords
from words.events import Reader, sentence_of
from words.prefixes import in_one_line
from words.times import business_time


def trail_record(events: Sequence[SealedEvent], edition: Edition, checkpoint: int) -> TrailRecord:
    """Return what the trail of these events, from the first on, says; `edition` is the one the file is under."""
    state = fold(events)
    assert state is not None
    rules = edition.model_dump(mode="json")
    vi, en = (_told(events, rules, translator(language), state.zone) for language in ("vi", "en"))
    last = events[-1].instant.astimezone(ZoneInfo(state.zone))
    return TrailRecord(
        delegation=state.id,
        title=state.title,
        partner=state.partner,
        starts=state.starts,
        ends=state.ends,
        clock=Bilingual(vi=translator("vi").zone_label(last), en=translator("en").zone_label(last)),
        lines=tuple(
            TrailLine(
                seq=event.seq,
                at=Bilingual(vi=one["at"], en=other["at"]),
                who=Bilingual(vi=one["who"], en=other["who"]),
                right=Bilingual(vi=one["right"], en=other["right"]) if one["right"] else None,
                what=Bilingual(vi=one["what"], en=other["what"]),
            )
            for event, one, other in zip(events, vi, en, strict=True)
        ),
        head=events[-1].hash,
        checkpoint=checkpoint,
    )


def _told(
    events: Sequence[SealedEvent], rules: dict[str, Any], translator: Translator, zone: str
) -> list[dict[str, str]]:
    words = EditionWords(rules, translator)
    reader = Reader(translator, words, zone)
    return [
        {
            "at": business_time(event.at, zone, translator),
            "who": translator.tr(mark("(by itself)")) if event.actor == SYSTEM else event.actor,
            "right": _right(event, words, translator, zone),
            "what": sentence_of(event.model_dump(mode="json"), reader),
        }
        for event in events
    ]


def _right(event: SealedEvent, words: EditionWords, translator: Translator, zone: str) -> str:
    """By what right: the position that is sealed with a signature, or the rule that the system went by."""
    right, rule = event.data.get("right"), event.data.get("rule")
    if right:
        said = in_one_line(right, words.position, translator.language)
        if right.get("held_since"):
            since = translator.short_date(datetime.fromisoformat(right["held_since"]).astimezone(ZoneInfo(zone)).date())
            said = translator.tr(mark("%(position)s since %(day)s"), position=said, day=since)
        return said
    if event.actor == SYSTEM and isinstance(rule, dict) and rule.get("rule"):
        return translator.tr(mark("rule %(rule)s, version %(version)s"), rule=rule["rule"], version=rule["version"])
    return ""
