"""Hostile text typed into every field of every form of every page: refused beside its field with everything that was
typed, or taken and literal wherever it is shown (faults.md, rows 15 and 16)."""

import html
import re
from collections.abc import Container, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx2
from fastapi import FastAPI

from domain.canonical import sha256_hex
from domain.values import BUSINESS_ZONE, business_date
from tests.pages.asking import Guest, Shown, check_in, wrong_in
from tests.pages.walking import Asked, Walk, posted
from tests.storage.samples import PDF_FILE

NEVER = ("nul\x00l", "\u202egnp.exe", "a\x1b[31mb")
MARKS = (*NEVER, "a\r\nBcc: x@evil.example", "\u2066a", "a\u2028b", "a\x85b")
"""What ends a line, hides something, or turns the reading around; a text of several lines refuses NEVER alone."""

LONG = "a" * 10_000


def literal(number: int) -> str:
    """A text that means something to every program it goes through, and nothing to us; each has its own number."""
    return f"=cmd()|q{number}q{{{{7*7}}}} #import \"x\" <script id='hostile'>\"' &amp; $x$"


ENDING = (
    "people/{participant}/replace join",
    "people/{participant}/leave leave",
    "preview publish",
    "acts/{act} issue_decision",
    "acts/{act} postpone",
    "acts/{act} resume",
    "acts/{act} reopen_delegation",
    "acts/{act} withdraw_request",
    "steps/{step} return_step",
    "steps/{step} reject_step",
    "{request_id} carry_out",
    "{request_id} refuse",
    "acts/{act} cancel_delegation",
)
"""Forms that end what others are tried on."""

FORMED = frozenset(
    {
        *("account", "id", "slug", "delegation", "item_id", "participants", "person", "link", "issuer"),
        *("starts", "ends", "since", "until", "dated", "day", "ends_day", "received_at", "expires_at", "zone"),
        *("ends_zone", "days", "stays", "key_leaders", "due.offset", "countries", "country", "nationality"),
        *("email", "phone", "passport_number", "export", "erasure", "correction", "honorific", "web", "at"),
    }
)
"""Fields of days, numbers, codes and names of entries, or too short for a sentence: text that is none is refused."""

SECRET = frozenset({"password", "old", "new", "repeated", "link"})
"""What never comes back, or as the secret alone that was found in it."""

LETTER = f"{sha256_hex(PDF_FILE)} {len(PDF_FILE)} application/pdf"
"""A file that came with a form before, as its field has it."""

SAMPLES = {
    "starts": "2099-05-06",
    "ends": "2099-05-08",
    "new add.day": "2099-05-06",
    "new add.starts": "9:30",
    "new add.ends": "10h30",
    "since": "2098-05-06",
    "until": "2099-05-06",
    "dated": business_date(datetime.now(UTC), BUSINESS_ZONE).isoformat(),
    "slug": "hostile",
    "id": "hostile",
    "email": "h@x.example",
    "nationality": "Nhật Bản",
    "countries": "Nhật Bản",
    "explain.countries": "JP",
    "country": "Nhật Bản",
    "stays": "3",
    "days": "5",
    "identity.issuer": "https://x.example",
    "participants": "m-1",
    "delegation": "invited",
}
"""What is typed instead, where something has to be: by the end of the form's name and the field's."""


def sample(kind: str, name: str) -> str:
    """Return what a field takes for certain."""
    named = [said for one, said in SAMPLES.items() if "." in one and f"{kind}.{name}".endswith(one)]
    return (named or [SAMPLES.get(name, "")])[0]


@dataclass
class Tried:
    """What came of one form: `taken` are the texts that it took, by field, and `wrong` what is not as it should be.

    `shown` are the fields whose text stands on the page that it led to, on its own, or on a part of its file; `refused`
    is what was said the last time that it came back.
    """

    asked: Asked
    taken: dict[str, str] = field(default_factory=dict)
    accepted: bool = False
    shown: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    wrong: list[object] = field(default_factory=list)


def ending(kind: str) -> int:
    """Return how late a form comes, in the order of ENDING."""
    return next((number for number, end in enumerate(ENDING, 1) if kind.endswith(end)), 0)


def with_texts(walked: Walk) -> list[Asked]:
    """Return the forms in which something can be typed, those that end something last."""
    found = [one for one in walked.forms.values() if one.shown.texts]
    return sorted(found, key=lambda one: ending(one.kind))


def same(application: FastAPI, page: str, asked: Asked) -> Shown | None:
    """Return the form on another page, or as the page shows it again."""
    found = [one.shown for one in posted(application, asked.account, asked.page, page) if one.kind == asked.kind]
    alike = [one for one in found if one.name == asked.shown.name]
    return next(iter(alike or found), None)


def filled(shown: Shown, typed: Mapping[str, str], other: Container[str] = ()) -> list[tuple[str, str]]:
    """Return what is sent of a form: what was typed, whatever can be chosen, a file that came before, its first button.

    `other` are fields in which the first choice was refused.
    """
    pairs = []
    for control in shown.controls:
        choices = [one for one in control.values if one]
        if control.name in typed and control.text:
            pairs.append((control.name, typed[control.name]))
        elif control.kind == "file":
            pairs.append((control.name, LETTER))
        elif control.kind in ("select", "radio", "checkbox") and choices and control.name in other:
            pairs.append((control.name, choices[-1]))
        elif control.kind == "radio" and not control.taken:
            pairs.append((control.name, choices[0]))
        elif control.kind == "select" and control.required and control.taken in ([], [""]):
            pairs.append((control.name, (choices or [""])[0]))
        else:
            pairs += [(control.name, value) for value in control.taken]
    return pairs + shown.buttons[:1]


async def send(guest: Guest, shown: Shown, typed: Mapping[str, str], other: Container[str] = ()) -> httpx2.Response:
    """Send a form, as `filled` says, and on from the page that first shows what it leads to, if there is one."""
    answer = await guest.post(shown.action, filled(shown, typed, other))
    check = check_in(answer)
    if check is None or check.action != shown.action or shown.names & {"seen", "checked"} or list(loose(answer.text)):
        return answer
    return await guest.post(check.action, check.pairs)


def accepted(answer: httpx2.Response) -> bool:
    """Whether a form was taken."""
    return answer.status_code in (200, 204, 303)


def judged(application: FastAPI, asked: Asked, typed: Mapping[str, str], answer: httpx2.Response) -> Iterator[object]:
    """Yield what is not as it should be with an answer."""
    if answer.status_code >= 500:
        yield answer.status_code
        return
    yield from loose(answer.text)
    if accepted(answer):
        return
    again = same(application, answer.text, asked)
    if again is None:
        yield "not shown again", answer.status_code
        return
    for control in again.controls:
        if control.text and control.name in typed and control.name not in SECRET:
            values = [value for one in again.controls if one.name == control.name for value in one.taken]
            if typed[control.name] not in values:
                yield "lost", control.name, values
    if "data-summary" not in answer.text or "<title>Error:" not in answer.text:
        yield "not said", answer.status_code
    for id in re.findall(r'<li><a href="#([^"]*)">', answer.text.partition("data-summary")[2].partition("</ul>")[0]):
        if f'id="{id}"' not in answer.text:
            yield "leads nowhere", id


def parts_of(address: str) -> list[str]:
    """Return the parts of a file where what was done by a form may stand; none of what is no file's."""
    found = re.match(r"/delegations/[a-z0-9-]+", address)
    return [found[0] + part for part in ("", "/approvals", "/invitations", "/people", "/trail")] if found else []


def loose(page: str) -> Iterator[object]:
    """Yield where a text has become more than a text."""
    if re.search(r"<script id=.?hostile", page):
        yield "markup"
    if re.search(r"q\d+q49", page):
        yield "template"


async def tried(application: FastAPI, guest: Guest, asked: Asked, number: int) -> Tried:
    """Type marks into a form, every third time what is too long, then what is merely strange until it is taken."""
    found = Tried(asked)
    shown = same(application, (await guest.get(asked.page)).text, asked)
    if shown is None:
        found.wrong.append("gone")
        return found
    first = shown
    areas = {one.name for one in shown.controls if one.kind == "textarea"}
    marks = {name: NEVER if name in areas else MARKS for name in shown.texts}
    typed = {name: of[(number + place) % len(of)] for place, (name, of) in enumerate(marks.items())}
    typed |= {name: LONG for place, name in enumerate(typed) if place % 3 == 1}
    answer = await send(guest, shown, typed)
    found.wrong += judged(application, asked, typed, answer)
    if accepted(answer):
        found.wrong.append(("taken", typed))
    shown = same(application, answer.text, asked) or shown
    await _until_taken(application, guest, found, first, shown, number)
    return found


async def _until_taken(
    application: FastAPI, guest: Guest, found: Tried, first: Shown, shown: Shown, number: int
) -> None:
    """Send what is strange and put right what is refused, until the form is taken or nothing is left to put right."""
    typed = {name: literal(number * 20 + place) for place, name in enumerate(first.texts)}
    right: set[str] = set()
    for _ in range(6):
        answer = await send(guest, shown, typed, right)
        found.wrong += judged(application, found.asked, typed, answer)
        if accepted(answer):
            found.accepted = True
            found.taken = {name: text for name, text in typed.items() if "{{7*7}}" in text}
            for path in (answer.headers.get("location", ""), found.asked.page, *parts_of(shown.action)):
                if path and found.shown != set(found.taken):
                    page = (await guest.get(path)).text
                    found.wrong += loose(page)
                    found.shown |= {name for name, text in found.taken.items() if text in html.unescape(page)}
            return
        found.refused = wrong_in(answer.text)
        shown = same(application, answer.text, found.asked) or shown
        ids = {f"{shown.name}-{one.name.replace('.', '-')}": one.name for one in shown.controls}
        ids |= {one.id: one.name for one in shown.controls if one.id}
        amiss = {ids[id] for id in found.refused if id in ids} - right
        # What is wrong may be another field than the one that it stands beside.
        amiss = amiss or (set(typed) & FORMED) - right
        typed |= {name: first.value(name) or sample(found.asked.kind, name) for name in amiss if name in typed}
        right |= amiss
        if not amiss:
            return
