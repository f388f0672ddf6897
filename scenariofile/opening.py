"""Opening files: what a delegation begins with, written by hand (docs/cli.md, `legation open`).

The fields are those of the command that opens a delegation, with three lists beside them: `members`, `participants`
and `items`, whose entries have the fields of `add_member`, `appoint_participant` and `schedule_item`. A person is
written out, or referred to by `ref` and `commitment`; a local time may be text alone. Everything is checked before
anything is sent, and every mistake is told with its line and field.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StringConstraints, TypeAdapter, ValidationError

from domain.commands import LARGEST_BATCH, PUBLIC_COMMAND
from domain.mailbox import Address
from domain.values import BusinessText, Country, Language, Slug, Value
from scenariofile.placeholders import Asked, PersonNamed, Placeholder, fill
from yamlfile import Loaded, Loc, Problem, YamlFileError, load_with_lines, problems

LISTS = {"members": "add_member", "participants": "appoint_participant", "items": "schedule_item"}
"""The lists of an opening file, in the order in which they are carried out, and the command each entry stands for."""

IDS = {"members": "member_id", "participants": "participant_id", "items": "item_id"}
TIMES = ("starts", "ends")

_SLUG: TypeAdapter[str] = TypeAdapter(Slug)
_STAND_IN = {"ref": "per_00000000", "commitment": "0" * 64}


class PersonWritten(Value):
    """Personal data as the register of people takes them; without a given name the full name stands for it."""

    full_name: Annotated[BusinessText, Field(max_length=200)]
    given_name: Annotated[BusinessText, Field(max_length=100)] | None = None
    honorific: Annotated[BusinessText, Field(max_length=60)] | None = None
    email: Address
    language: Language
    nationality: Country
    phone: Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ().-]{3,30}[0-9]$")] | None = None
    function: Annotated[BusinessText, Field(max_length=200)] | None = None
    passport_number: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{5,20}$")] | None = None
    dietary: Annotated[BusinessText, Field(max_length=500)] | None = None
    needs: Annotated[BusinessText, Field(max_length=500)] | None = None

    @property
    def details(self) -> dict[str, Any]:
        """The body that registers the person."""
        return {"given_name": self.full_name} | self.model_dump(mode="json", exclude_none=True)


class OpeningFileError(YamlFileError):
    """An opening file that cannot be sent. Each line of the message names file, line and field."""


@dataclass(frozen=True)
class Opening:
    """What an opening file asks for: commands whose people are still to be registered, and where each one stands."""

    id: str | None
    people: dict[PersonNamed, PersonWritten]
    bodies: tuple[Asked, ...]
    at: tuple[Loc, ...]
    loaded: Loaded
    called: str

    def body(self, references: Mapping[Placeholder, Any]) -> dict[str, Any]:
        """Return what `POST /delegations` takes, given the reference of each person."""
        chosen = {} if self.id is None else {"id": self.id}
        first, *others = fill(self.bodies, references)
        return chosen | ({"commands": [first, *others]} if others else first)

    def place_of(self, person: PersonNamed) -> Loc:
        """Where a person is written out."""
        return (
            *next(at for at, body in zip(self.at, self.bodies, strict=True) if body.get("person") == person),
            "person",
        )

    def problem(self, loc: Loc, field: str, code: str, message: str) -> Problem:
        """Return what the API says of a value, at its line; `field` is the API's path of it below `loc`."""
        parts = tuple(int(part) if part.isdigit() else part for part in field.split(".") if part)
        return _problem(self.loaded, self.called, (*loc, *parts), code, message)


def load_opening(source: Path | str, name: str | None = None) -> Opening:
    """Return what an opening file, or a text, asks for.

    Raises OpeningFileError with every mistake found: unknown or missing fields, dates and times that do not exist, ids
    given twice, values of the wrong form, more than LARGEST_BATCH commands. Whether the request is accepted is for the
    delegation to say. `name` is what errors call the source. Raises OSError if the file cannot be read.
    """
    called = name or (source.name if isinstance(source, Path) else "text")
    try:
        loaded = load_with_lines(source, called)
    except YamlFileError as error:
        raise OpeningFileError(error.problems) from None
    if not isinstance(loaded.data, dict):
        raise OpeningFileError([_problem(loaded, called, (), "model_type", "must be a group of fields")])
    reading = _Reading(loaded, called)
    opening = reading.opening()
    if reading.found:
        raise OpeningFileError(sorted(reading.found, key=lambda problem: problem.line))
    return opening


class _Reading:
    """Reads one file and notes what is wrong with it."""

    def __init__(self, loaded: Loaded, called: str) -> None:
        self._loaded = loaded
        self._called = called
        self._people: dict[PersonNamed, PersonWritten] = {}
        self.found: list[Problem] = []

    def opening(self) -> Opening:
        """Return what the file asks for; it is only good if nothing was found."""
        data = self._loaded.data
        request = {name: value for name, value in data.items() if name not in (*LISTS, "id")}
        commands: list[tuple[Loc, Asked]] = [((), self._typed((), "open_delegation", request)), *self._entries()]
        if len(commands) > LARGEST_BATCH:
            loc = commands[LARGEST_BATCH][0]
            self._note(
                loc, "batch_too_large", f"a file begins with at most {LARGEST_BATCH} commands", limit=LARGEST_BATCH
            )
        for loc, body in commands[:LARGEST_BATCH]:
            self._check(PUBLIC_COMMAND, body, loc)
        self._twice(("members", "participants"))
        self._twice(("items",))
        if data.get("id") is not None:
            self._check(_SLUG, data["id"], ("id",))
        at, bodies = zip(*commands, strict=True)
        return Opening(data.get("id"), self._people, bodies, at, self._loaded, self._called)

    def _entries(self) -> Iterator[tuple[Loc, Asked]]:
        for name, command in LISTS.items():
            entries = self._loaded.data.get(name)
            if entries is None:
                continue
            if not isinstance(entries, list):
                self._note((name,), "list_type", "must be a list")
                continue
            for number, entry in enumerate(entries):
                loc = (name, number)
                if isinstance(entry, dict):
                    yield loc, self._with_person(loc, _with_times(self._typed(loc, command, entry)))
                else:
                    self._note(loc, "model_type", "must be a group of fields")

    def _typed(self, loc: Loc, command: str, fields: dict[str, Any]) -> Asked:
        if fields.get("type", command) != command:
            self._note((*loc, "type"), "literal_error", f"must be one of '{command}'", expected=f"'{command}'")
        return {"type": command} | {name: value for name, value in fields.items() if name != "type"}

    def _with_person(self, loc: Loc, body: Asked) -> Asked:
        written = body.get("person")
        if not isinstance(written, dict) or "ref" in written:
            return body
        named = PersonNamed(".".join(map(str, loc)))
        try:
            self._people[named] = PersonWritten.model_validate_json(json.dumps(written), strict=True)
        except ValidationError as error:
            self._add(error, (*loc, "person"))
        return body | {"person": named}

    def _twice(self, lists: tuple[str, ...]) -> None:
        first: dict[str, int] = {}
        for name in lists:
            entries = self._loaded.data.get(name)
            for number, entry in enumerate(entries if isinstance(entries, list) else ()):
                one = entry.get(IDS[name]) if isinstance(entry, dict) else None
                loc = (name, number, IDS[name])
                if isinstance(one, str) and one in first:
                    self._note(loc, "id_repeated", f"is given twice, first on line {first[one]}", first=first[one])
                elif isinstance(one, str):
                    first[one] = self._loaded.line_of(loc)

    def _check(self, form: TypeAdapter[Any], value: Any, loc: Loc) -> None:
        try:
            form.validate_json(json.dumps(value, default=lambda _: _STAND_IN), strict=True)
        except ValidationError as error:
            self._add(error, loc)

    def _add(self, error: ValidationError, loc: Loc) -> None:
        # Errors may quote a value; personal data must not come back in a message.
        found = error.errors(include_url=False, include_input=False)
        for problem in problems(found, self._loaded, self._called, under=loc):
            path = ".".join(part for part in (_written(loc), problem.field) if part)
            self.found.append(replace(problem, field=path))

    def _note(self, loc: Loc, code: str, message: str, **context: Any) -> None:
        self.found.append(_problem(self._loaded, self._called, loc, code, message, **context))


def _with_times(body: Asked) -> Asked:
    return body | {end: {"local": body[end]} for end in TIMES if isinstance(body.get(end), str)}


def _problem(loaded: Loaded, called: str, loc: Loc, code: str, message: str, **context: Any) -> Problem:
    line = loaded.line_of(loc)
    return Problem(file=called, line=line, field=_written(loc), code=code, message=message, context=context)


def _written(loc: Loc) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")
