"""Forms of pages: limits from the command's own schema, one way from what was typed to a command, nothing lost.

A route reads a form (`read`), sends it (`send`) and redirects (`done`); whatever goes wrong on the way is a
FormRefused, with which the page is shown again as it was typed.
"""

import json
import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeVar
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, TypeAdapter, ValidationError

from api.access import ALLOWED
from api.bodies import as_json
from api.commands import ReceiptView, execute
from api.engine import CommandRefused, EngineUnavailable, KeyReused
from api.installation import Installation, installation_of
from api.pages.limits import Limit, limits_of
from api.pages.problems import sentence_of
from api.pages.reader import reader_of
from api.pages.typed import Typed, day_of, lines_of, number_of
from api.pages.uploads import MOST_FILES, REFUSED, Kept
from api.problems import FieldProblem, Problem, refused
from api.texts import SENTENCES as TEXT_SENTENCES
from api.violations import field_problems
from domain.canonical import digest_of
from domain.commands import PublicCommand
from domain.sign_in import Acting
from domain.values import AttachmentRef, TextRef
from locales import mark, translator
from storage.idempotency import IdempotencyConflict
from storage.texts import LARGEST_TEXT, TextRefused

KEY = re.compile(r"^[0-9a-f]{32}$")
SAID = re.compile(r"^[a-z_]{1,40}$")

MISSING = frozenset({"required", "text_is_empty", "too_few"})
IS_MISSING = mark("%(field)s: this is missing.")
OF_FIELD = mark("%(field)s: %(sentence)s")

WRITE_SOMETHING = mark("Write something here: it stays in the file.")

M = TypeVar("M", bound=BaseModel)


@dataclass
class Form:
    """One form of a page. Its fields have the ids `NAME-FIELD`; `errors` are (id of a field or "", sentence).

    `typed` is what stands in it: what was typed when it is shown again, else what the file has. `key` names the
    request: sent twice it has one result.
    """

    name: str
    model: type[BaseModel] | None = None
    typed: Mapping[str, str | Sequence[str]] = field(default_factory=dict)
    errors: Sequence[tuple[str, str]] = ()
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def id(self, name: str) -> str:
        """Return the id of a field within the page."""
        return f"{self.name}-{name.replace('.', '-')}"

    def limit(self, name: str) -> Limit:
        """Return what a field may hold; of one that the command does not have itself, any text."""
        known = limits_of(self.model) if self.model else {}
        return known.get(name, Limit("other", required=False))

    def value(self, name: str) -> str:
        """Return what stands in a field."""
        found = self.typed.get(name, "")
        return found if isinstance(found, str) else "\n".join(found)

    def day(self, name: str) -> str:
        """Return a day as a picker takes it, however it was typed; empty where it is none."""
        return day_shown(day_of(self.value(name)))

    def values(self, name: str) -> tuple[str, ...]:
        """Return everything that is chosen under one name."""
        if isinstance(self.typed, Typed):
            return self.typed.all(name)
        found = self.typed.get(name, ())
        return (found,) if isinstance(found, str) else tuple(found)

    def wrong(self, name: str) -> str | None:
        """Return what is wrong with a field."""
        return next((sentence for id_, sentence in self.errors if id_ == self.id(name)), None)

    def files(self, name: str) -> tuple[Kept, ...]:
        """Return the files that stand in a field already."""
        return tuple(kept for value in self.values(name) if (kept := Kept.read(value)))

    @property
    def refused(self) -> bool:
        """Whether it came back."""
        return bool(self.errors)


class FormRefused(Exception):
    """A form that comes back: (field or "", sentence in the reader's language), and the status of the answer.

    `key` is under which it is sent again: the same where it may have been decided already, else another one.
    """

    def __init__(self, errors: Sequence[tuple[str, str]], status: int = 422, *, key: str = "") -> None:
        super().__init__("the form comes back")
        self.errors = tuple(errors)
        self.status = status
        self.key = key

    def form(self, name: str, model: type[BaseModel] | None, typed: Mapping[str, str | Sequence[str]]) -> Form:
        """Return the form as it is shown again, with its errors beside their fields."""
        shown = Form(name, model, typed, key=self.key or uuid.uuid4().hex)
        shown.errors = [(shown.id(field) if field else "", sentence) for field, sentence in self.errors]
        return shown


def read(
    request: Request,
    model: type[M],
    typed: Typed,
    more: Mapping[str, Any] | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    whole: str = "",
) -> M:
    """Return the command or body that a form says; FormRefused names the fields that must be put right.

    What was left empty is not said. `more` are fields that the page has put together itself, and those that are no
    plain text, number, day, choice or list. `labels` are what fields are called: an error then names its field.
    `whole` is the field that shows what is wrong with several of them together.
    """
    said: dict[str, Any] = {}
    for name, limit in limits_of(model).items():
        if name in typed and limit.kind != "other" and (value := _value(limit, typed, name)) is not None:
            said[name] = value
    said |= {name: value for name, value in (more or {}).items() if value is not None}
    try:
        return TypeAdapter(model).validate_json(json.dumps(said), strict=True)
    except ValidationError as wrong:
        found = field_problems([dict(one) for one in wrong.errors(include_url=False, include_input=False)])
        placed = [(_beside(one.field, model, typed) or whole, one) for one in found]
        errors = {name: _sentence(request, name, one, labels or {}) for name, one in reversed(placed)}
        raise FormRefused(list(reversed(errors.items()))) from None


def _beside(field: str, model: type[BaseModel], typed: Typed) -> str:
    """Return the field of the form beside which an error stands.

    What is wrong with one entry of a list stands beside the list, and with one part of a value beside the value, unless
    the part has a field of its own.
    """
    if field in typed:
        return field
    first, _, rest = field.partition(".")
    whole = first in typed or rest.partition(".")[0].isdecimal()
    return field if field in limits_of(model) or not whole else first


def _sentence(request: Request, name: str, wrong: FieldProblem, labels: Mapping[str, str]) -> str:
    words = translator(reader_of(request).language)
    sentence, label = words.tr(wrong.sentence, **wrong.params), labels.get(name)
    if label is None:
        return sentence
    if wrong.rule in MISSING:
        return words.tr(IS_MISSING, field=words.tr(label))
    return words.tr(OF_FIELD, field=words.tr(label), sentence=sentence)


def attached(request: Request, typed: Typed, name: str) -> tuple[AttachmentRef, ...]:
    """Return the files that a field of a form brought, in their order.

    FormRefused with the sentence of what the register did not take; a file stays in its field where another one came.
    """
    at, words = installation_of(request), translator(reader_of(request).language)
    told = {"limit": at.attachments.limits.size, "most": MOST_FILES}
    if codes := [code for field, code in request.state.files_refused if field == name]:
        raise FormRefused([(name, words.tr(REFUSED[codes[0]], **told))])
    return tuple(kept.file for value in typed.all(name) if (kept := Kept.read(value)))


def _value(limit: Limit, typed: Typed, name: str) -> Any:
    text = typed[name].strip()
    match limit.kind:
        case "yes":
            return text == "yes"
        case "lines" | "choices":
            # A list that was emptied says so: unlike a field that was left out, it takes away what stood there.
            return list(lines_of(typed.all(name)))
        case "number" if text:
            number = number_of(text)
            return text if number is None else number
        case "day" if text:
            day = day_of(text)
            return text if day is None else day.isoformat()
    return text or None


def key_of(typed: Mapping[str, str]) -> str:
    """Return the key that a form carries; Problem `body_malformed` where no form of ours was sent."""
    key = typed.get("key", "")
    if not KEY.fullmatch(key):
        raise Problem("body_malformed")
    return key


async def write(
    request: Request, at: Installation, delegation: str, field: str, typed: Mapping[str, str], actor: Acting
) -> TextRef | None:
    """Keep what was written in a field in the register of texts, and return its reference; None where it is empty.

    Sent again under the same key it is the same text. FormRefused for what the register does not take, Problems
    `role_not_allowed`, `idempotency_key_reused`.
    """
    text, key = typed.get(field, ""), key_of(typed)
    if not text.strip():
        return None
    if not set(actor.roles) & set(ALLOWED["write_text"]):
        raise Problem("role_not_allowed")
    try:
        return await at.texts.write(
            delegation, text, idempotency_key=digest_of(["text", actor.id, delegation, field, key])
        )
    except TextRefused as wrong:
        words = translator(reader_of(request).language)
        raise FormRefused([(field, words.tr(TEXT_SENTENCES[wrong.code], limit=LARGEST_TEXT))]) from None
    except IdempotencyConflict:
        raise _comes_back(request, Problem("idempotency_key_reused")) from None


async def must_write(
    request: Request, at: Installation, delegation: str, field: str, typed: Mapping[str, str], actor: Acting
) -> TextRef:
    """Keep what was written, as `write`; an empty field comes back."""
    if (found := await write(request, at, delegation, field, typed, actor)) is not None:
        return found
    raise FormRefused([(field, translator(reader_of(request).language).tr(WRITE_SOMETHING))])


async def send(
    request: Request,
    at: Installation,
    delegation: str,
    commands: Sequence[PublicCommand],
    typed: Mapping[str, str],
    actor: Acting,
    fields: Mapping[str, str] | None = None,
) -> ReceiptView:
    """Send commands in the reader's name, and wait until lists and pages know of it.

    `fields` says which field of the form shows a refusal of which field of the command, where they differ. FormRefused
    with the sentence of whatever the API would have answered.
    """
    key = key_of(typed)
    try:
        receipt = await execute(at, delegation, [as_json(command) for command in commands], actor, key)
    except CommandRefused as wrong:
        named = wrong.refusal.field or ""
        status, sentence = sentence_of(request, refused(wrong.refusal))
        raise FormRefused([((fields or {}).get(named, named), sentence)], status) from None
    except KeyReused:
        raise _comes_back(request, Problem("idempotency_key_reused")) from None
    except EngineUnavailable:
        # What may have been decided already is asked for again under the same key.
        raise _comes_back(request, Problem("engine_unavailable"), key=key) from None
    except Problem as problem:
        raise _comes_back(request, problem) from None
    await at.queries.wait_for_seq(delegation, receipt.last_seq)
    return receipt


def _comes_back(request: Request, problem: Problem, *, key: str = "") -> FormRefused:
    status, sentence = sentence_of(request, problem)
    return FormRefused([("", sentence)], status, key=key)


def done(path: str, said: str, fragment: str = "") -> RedirectResponse:
    """Go on to a page that says what was done, by a code of its own table."""
    anchor = f"#{quote(fragment)}" if fragment else ""
    return RedirectResponse(f"{path}{'&' if '?' in path else '?'}said={said}{anchor}", 303)


def said(request: Request, table: Mapping[str, str]) -> str | None:
    """Return the sentence for what was just done, if the address names one that the page knows."""
    code = request.query_params.get("said", "")
    sentence = table.get(code) if SAID.fullmatch(code) else None
    return None if sentence is None else translator(reader_of(request).language).tr(sentence)


def day_shown(day: date | None) -> str:
    """Return a day as a field of days takes it."""
    return "" if day is None else day.isoformat()


def all_errors(forms: Iterable[Form]) -> list[tuple[str, str]]:
    """Return what is wrong in any form of a page, for the summary at its top."""
    return [error for form in forms for error in form.errors]
