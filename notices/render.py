"""A notice in its recipient's language: subject, plain text and HTML, from `templates/notices/<name>/<language>/`."""

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from pydantic import ConfigDict

from domain.text import one_line
from domain.values import Language, Moment, Value
from locales import Translator, translator
from notices.contents import NOTICES, ItemFacts, Notice, NoticeName

TEMPLATES = Path(__file__).resolve().parent.parent / "templates" / "notices"


class Rendered(Value):
    """A notice ready to be sent. The subject is one line; both bodies say the same."""

    model_config = ConfigDict(hide_input_in_errors=True)

    language: Language
    subject: str
    plain: str
    html: str


def render(name: NoticeName, language: Language, data: Notice | Mapping[str, Any]) -> Rendered:
    """Return a notice in one language.

    `data` is the notice's model in `notices.contents`, or a mapping that it accepts. The same data give the same text.
    Values are never read as templates or HTML: `{{7*7}}` and `<b>` appear as they were written. Refuses with
    pydantic's ValidationError (a ValueError) unknown or missing fields, without repeating their values.
    """
    shape = NOTICES[name]
    notice = data if isinstance(data, shape) else shape.model_validate(data)
    environment = _environment(language)
    values = {"notice": notice, **{field: getattr(notice, field) for field in shape.model_fields}}

    def part(file: str) -> str:
        return environment.get_template(f"{name}/{language}/{file}").render(values)

    return Rendered(
        language=language,
        subject=one_line(part("subject.txt")),
        plain=part("body.txt").strip() + "\n",
        html=part("body.html").strip() + "\n",
    )


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=select_autoescape(["html"]),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(_filters(translator(language)))
    return environment


def _filters(words: Translator) -> dict[str, Callable[..., str]]:
    def when(item: ItemFacts) -> str:
        """`Saturday, 11 April 2026, 14:30–17:00, Vietnam Time (UTC+7)`; a stay as its days, without clock."""
        starts, ends = _on_its_clock(item.starts), _on_its_clock(item.ends)
        if item.stay:
            range_of_days = words.date_range(starts.date(), ends.date())
            return range_of_days[0].upper() + range_of_days[1:]
        if (starts.date(), item.starts.zone) == (ends.date(), item.ends.zone) and starts.tzname() == ends.tzname():
            clocks = f"{words.clock_time(starts)}–{words.clock_time(ends)}"
            return f"{words.long_date(starts)}, {clocks}, {words.zone_label(starts)}"
        return " – ".join(
            f"{words.long_date(moment)}, {words.clock_time(moment)}, {words.zone_label(moment)}"
            for moment in (starts, ends)
        )

    def briefly(item: ItemFacts) -> str:
        """`14:30, 11 Apr 2026` for a subject; a stay as its first day."""
        starts = _on_its_clock(item.starts)
        return words.short_date(starts) if item.stay else words.date_and_time(starts)

    return {
        "when": when,
        "briefly": briefly,
        "long_date": words.long_date,
        "short_date": words.short_date,
        "date_range": words.date_range,
    }


def _on_its_clock(moment: Moment) -> datetime:
    return moment.instant.astimezone(ZoneInfo(moment.zone))
