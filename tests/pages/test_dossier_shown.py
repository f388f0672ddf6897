"""Everything that the digest is made from is shown to whoever signs it, on the page and at the command line.

Complete by construction: each value of each part's content is changed by itself, and what people read has to change.
"""

import copy
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from api.dossiers import DifferencesView, DossierView
from api.pages.dossier import dossier_of
from api.pages.reader import Reader
from api.pages.rendering import _environment
from api.pages.stateline import edition_words
from domain import commands as c
from domain.differences import differences, entries
from domain.dossier import PartContent
from domain.dossiers import read_trail
from domain.state import Delegation
from domain.values import BUSINESS_ZONE
from locales import translator
from tests.builders import AUDITOR, drafted, member, pdf, session, text, trip
from tests.domain.given import Given, given
from tests.rulebook import edition
from words.dossier import DossierWords

NOT_READ = {
    "person.ref": "the person stands by name",
    "person.commitment": "the person stands by name",
    "justification.ref": "the text itself stands there",
    "justification.commitment": "the text itself stands there",
    "attachment.size": "in thousands of octets; the digest beside it says it all",
    "breach.unit": "the rule that is named has it",
    "id": "the name of an item that has its title",
}
"""What stands in the dossier by other words. Each is changed too when the differences are told."""

CHOICES = {
    "direction": ("outbound", "inbound"),
    "grade": ("C", "B"),
    "conference": ("other", "none"),
    "run_by": ("central_union", "member_organisation"),
    "head_level": ("standard", "high"),
    "role": ("head", "member"),
    "kind": ("meeting", "ceremony"),
    "country": ("FR", "IT"),
    "media_type": ("image/png",),
    "digest": ("e" * 64,),
    "concerns": ("sato",),
}
"""Other values of what is not any text."""

MACROS = "request", "people", "programme", "ceiling", "limits", "documents"
PARTS = (f'{{% from "dossier.html" import {one}_part with context %}}{{{{ {one}_part() }}}}' for one in MACROS)
PAGE = _environment("en", BUSINESS_ZONE).from_string("{{ dossier.requested.title }}" + "".join(PARTS))


def full() -> list[Given]:
    """A reception and a journey abroad that say everything there is to say."""
    said: dict[str, Any] = {
        "conference": "prime_minister",
        "issuer": "song-lam",
        "places": ("Huế",),
        "provincial_chair": True,
        "head_level": "high",
        "run_by": "provincial_union",
    }
    document = c.AttachDocument(document_id="map", kind="annex", attachment=pdf("map"), concerns="mori")
    papers = member("mori", entry_papers=True, key_leader=True)
    inbound = drafted(grade="A", **said)
    reception = given(*inbound, papers, document, c.SubmitRequest())
    people = [member(f"member-{number}") for number in range(11)]
    justified = c.JustifyLimit(limit="OUT-MEMBERS", justification=text("long"))
    stays = (c.Stay(country="CZ", days=3), c.Stay(country="DE", days=3))
    talks = session("talks", "2026-06-16T09:00", "2026-06-16T11:00", place="Praha")
    return [reception, given(trip(stays=stays), *people, talks, justified, c.SubmitRequest())]


def leaves(content: Any, *path: str | int) -> Iterator[tuple[str | int, ...]]:
    """The way to each value; a moment is one, and so is each list beside its members."""
    if isinstance(content, dict) and "instant" not in content:
        for key, value in content.items():
            yield from leaves(value, *path, key)
        return
    yield path
    if isinstance(content, list):
        for place, value in enumerate(content):
            if isinstance(value, dict):
                yield from leaves(value, *path, place)


def another(name: str, value: Any) -> Any:
    """Another value of the same kind."""
    match value:
        case bool():
            return not value
        case int():
            return value + 4
        case {"instant": instant}:
            later = datetime.fromisoformat(instant) + timedelta(minutes=10)
            return {**value, "instant": later.isoformat(), "local": later.replace(tzinfo=None).isoformat()}
        case list():
            return value[:-1] or [{"stays": {"country": "FR", "days": 2}, "groups": "hosts"}.get(name, "kato")]
        case _ if name in CHOICES:
            return next(one for one in CHOICES[name] if one != value)
        case None:
            return {"ref": "txt_00000000", "commitment": "0" * 64} if name == "justification" else "Khác"
        case str() if name in ("starts", "ends"):
            return (datetime.fromisoformat(value) + timedelta(days=1)).date().isoformat()
        case str() if name == "limit":
            return "OUT-DAYS"
    return f"{value} khác" if isinstance(value, str) else None


def changed(part: PartContent) -> Iterator[tuple[str, PartContent]]:
    """The part with one value changed, for each of its values, by the name of what changed."""
    for path in filter(None, leaves(part.content)):
        content = copy.deepcopy(part.content)
        holder: Any = content
        for step in path[:-1]:
            holder = holder[step]
        if path[-1] == "total_vnd" and holder["total_vnd"] is None:
            continue  # Without rules for it there is no ceiling at all.
        names = [one for one in path if isinstance(one, str)]
        holder[path[-1]] = another(names[-1], holder[path[-1]])
        yield ".".join(names), part.model_copy(update={"content": content, "commitment": "f" * 64})


def view_of(state: Delegation, parts: tuple[PartContent, ...], file: Given) -> DossierView:
    """What the API shows of a dossier with these parts."""
    one = read_trail(file.play.events)[0].dossiers[1]
    by_part = {part.part: part.content for part in parts}
    justified = [
        {"breach": content["breach"], "justification": content["justification"]}
        for part, content in by_part.items()
        if part.startswith("limit:")
    ]
    ceiling, total = one.ceiling, by_part["ceiling"]["total_vnd"]
    return DossierView(
        delegation=state.id,
        proposal=1,
        digest=one.digest,
        withdrawn=False,
        submitted_by="lan",
        submitted_at=datetime(2026, 3, 2, tzinfo=UTC),
        policy=one.policy,
        step="department_head",
        parts=parts,
        breaches=cast(Any, justified),
        ceiling=ceiling.model_copy(update={"total_vnd": total}) if ceiling and total is not None else None,
        signatures=(),
        differences=DifferencesView(since=None, why="first", items=()),
    )


async def page_of(file: Given, parts: tuple[PartContent, ...]) -> str:
    """What stands on the page of a step, for somebody who reads no names."""
    reader, state = Reader("en", None, cast(Any, AUDITOR)), file.state

    async def organisations() -> list[Any]:
        return []

    at = cast(Any, SimpleNamespace(institution=SimpleNamespace(organisations=organisations)))
    dossier = await dossier_of(at, state, view_of(state, parts, file), edition(), reader)
    return PAGE.render(reader=reader, dossier=dossier, turn=SimpleNamespace(proposal=None), state=state, names={})


@pytest.mark.parametrize("file", full(), ids=["reception", "journey"])
async def test_no_value_that_is_signed_is_left_out(file: Given) -> None:
    """On the page, in what the command prints, and in what is said to have changed."""
    parts = read_trail(file.play.events)[0].dossiers[1].parts
    words = DossierWords(translator("en"), edition_words(edition(), "en"), file.state.zone, {})
    before, seen = await page_of(file, parts), set[tuple[str, str]]()
    for place, part in enumerate(parts):
        for name, other in changed(part):
            if (kind := (part.part.partition(":")[0], name)) in seen:
                continue
            seen.add(kind)
            others = (*parts[:place], other, *parts[place + 1 :])
            told = [words.line(one.model_dump(mode="json")) for one in differences(entries(parts), entries(others))]
            assert told, (part.part, name)
            assert all(one.before != one.after for one in told), (part.part, name, told)
            if name in NOT_READ:
                continue
            assert await page_of(file, others) != before, (part.part, name)
    assert {("request", "organisation"), ("programme", "audience.groups"), ("member", "role")} <= seen
