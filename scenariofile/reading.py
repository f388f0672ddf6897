"""Reads a scenario and tells every mistake with file, line, step and field. The rules of the field are left to it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from domain.commands import LARGEST_BATCH, PUBLIC_COMMAND
from scenariofile.expansion import PLURALS, SPECIAL_FIELDS, Kind, bodies, digest_named
from scenariofile.institution import EndLeave, Leave, RegisterLeave, changes_leave
from scenariofile.placeholders import (
    Asked,
    DigestNamed,
    DigestOf,
    FileNamed,
    PersonNamed,
    Placeholder,
    TextWritten,
    fill,
    placeholders,
)
from scenariofile.written import Act, Scenario
from yamlfile import Loaded, Loc, Problem, YamlFileError, load_with_lines, problems

LARGEST_TEXT = 20_000
_DIGEST = "0" * 64


class ScenarioFileError(YamlFileError):
    """A scenario that cannot be played. Each line of the message names file, line, step and field."""


def load_scenario(source: Path | str, name: str | None = None) -> Scenario:
    """Return the scenario that a file, or a text, holds.

    Raises ScenarioFileError with every mistake found: unknown or missing fields, dates and times that do not exist,
    ids given twice, steps that run backwards, names of nobody, commands that have not the form the domain asks for.
    Whether a command is accepted is for the delegation to say when the scenario is played. `name` is what errors call
    the source. Raises OSError if the file cannot be read.
    """
    called = name or (source.name if isinstance(source, Path) else "text")
    try:
        loaded = load_with_lines(source, called)
    except YamlFileError as error:
        raise ScenarioFileError(error.problems) from None
    try:
        # By way of JSON, where strictness still knows a date by its form and takes a list for a tuple.
        scenario = Scenario.model_validate_json(json.dumps(loaded.data), strict=True)
    except ValidationError as error:
        raise ScenarioFileError(problems(_errors(error), loaded, called)) from None
    scenario = scenario.standing_in(source.parent if isinstance(source, Path) else Path())
    found = sorted(_Check(scenario, loaded, called).problems(), key=lambda problem: problem.line)
    if found:
        raise ScenarioFileError(found)
    return scenario


def _errors(error: ValidationError) -> list[Any]:
    """Return pydantic's errors, but for a list it calls too short because it left out the entries that are wrong."""
    found = error.errors(include_url=False, include_input=False)
    places = {each["loc"] for each in found}
    return [
        each
        for each in found
        if each["type"] != "too_short" or not any(loc[:-1][: len(each["loc"])] == each["loc"] for loc in places)
    ]


class _Check:
    """Finds what is wrong across a file whose parts have the right form."""

    def __init__(self, scenario: Scenario, loaded: Loaded, called: str) -> None:
        self._scenario = scenario
        self._loaded = loaded
        self._called = called
        self._people = {person.id for person in scenario.people}

    def problems(self) -> Iterator[Problem]:
        """Yield every mistake."""
        for group, things in (
            ("organisations", self._scenario.organisations),
            ("positions", self._scenario.positions),
            ("actors", self._scenario.actors),
            ("people", self._scenario.people),
            ("leave", self._scenario.leave),
            ("steps", self._scenario.steps),
        ):
            yield from self._twice(group, [thing.id for thing in things])
        yield from self._files()
        yield from self._times()
        yield from self._institution()
        actors = {actor.id for actor in self._scenario.actors}
        registered = {leave.id for leave in self._scenario.leave}
        for place, step in enumerate(self._scenario.steps):
            if not isinstance(step, Act):
                continue
            if step.by not in actors:
                yield self._problem(("steps", place, "by"), "actor_unknown", "names nobody among actors", step.id)
            if changes_leave(step.do):
                yield from self._leave_change(place, step, registered)
            else:
                yield from self._commands(place, step)

    def _institution(self) -> Iterator[Problem]:
        """Yield what is wrong about names in organisations, positions, actors and leave."""
        scenario = self._scenario
        organisations = {one.id for one in scenario.organisations}
        above: set[str] = set()
        for place, one in enumerate(scenario.organisations):
            if one.parent is not None and one.parent not in above:
                said = "names none of the organisations above it in the file"
                yield self._problem(("organisations", place, "parent"), "organisation_unknown", said)
            above.add(one.id)
        within = {"positions": [one.organisation for one in scenario.positions]}
        within["actors"] = [one.organisation for one in scenario.actors]
        for group, named in within.items():
            for place, organisation in enumerate(named):
                if organisation is not None and organisation not in organisations:
                    said = "names nothing among organisations"
                    yield self._problem((group, place, "organisation"), "organisation_unknown", said)
        for place, actor in enumerate(scenario.actors):
            if actor.person is not None and actor.person not in self._people:
                yield self._problem(("actors", place, "person"), "person_unknown", "names nobody among people")
        for place, leave in enumerate(scenario.leave):
            yield from self._leave(("leave", place), leave)

    def _leave(self, at: Loc, leave: Leave, step: str = "") -> Iterator[Problem]:
        actors = {actor.id for actor in self._scenario.actors}
        for name, account in (("account", leave.account), ("substitute", leave.substitute)):
            if account not in actors:
                yield self._problem((*at, name), "actor_unknown", "names nobody among actors", step)
        for name, local in (("since", leave.since), ("until", leave.until)):
            yield from self._time((*at, name), local, step)

    def _time(self, at: Loc, local: str, step: str) -> Iterator[Problem]:
        try:
            self._scenario.instant(local)
        except ValueError as error:
            yield self._problem(at, getattr(error, "type", "local_time_malformed"), str(error), step)

    def _leave_change(self, place: int, step: Act, registered: set[str]) -> Iterator[Problem]:
        at: Loc = ("steps", place, "do")
        try:
            change = step.leave_change
            leave = change.entry(step.by) if isinstance(change, RegisterLeave) else None
        except ValidationError as error:
            # The way to a field begins with the kind of change, which nobody wrote as a part of it.
            found = [each | {"loc": each["loc"][1:]} for each in _errors(error)]
            yield from problems(found, self._loaded, self._called, under=at, subject=f"step {step.id}")
            return
        if leave is not None:
            if leave.id in registered:
                yield self._problem((*at, "leave"), "id_repeated", "names a leave that there is already", step.id)
            registered.add(leave.id)
            yield from self._leave(at, leave, step.id)
        elif change is not None:
            if change.leave not in registered:
                yield self._problem((*at, "leave"), "leave_unknown", "names no leave registered before", step.id)
            if isinstance(change, EndLeave):
                yield from self._time((*at, "until"), change.until, step.id)

    def _twice(self, group: str, ids: list[str]) -> Iterator[Problem]:
        first: dict[str, int] = {}
        for place, one in enumerate(ids):
            if one in first:
                line = self._loaded.line_of((group, first[one], "id"))
                yield self._problem((group, place, "id"), "id_repeated", f"is given twice, first on line {line}")
            first.setdefault(one, place)

    def _files(self) -> Iterator[Problem]:
        for name, attachment in self._scenario.attachments.items():
            try:
                self._scenario.content(name)
            except OSError as error:
                said = f"cannot be read: {error.strerror}"
                field = "file" if attachment.file else "specimen"
                yield self._problem(("attachments", name, field), "file_unreadable", said)

    def _times(self) -> Iterator[Problem]:
        latest = None
        for place, step in enumerate(self._scenario.steps):
            field = "at" if isinstance(step, Act) else "wait_until"
            try:
                instant = self._scenario.when(step).instant
            except ValueError as error:
                code = getattr(error, "type", "local_time_malformed")
                yield self._problem(("steps", place, field), code, str(error), step.id)
                continue
            if latest and instant < latest:
                yield self._problem(("steps", place, field), "step_runs_backwards", "is before the step above", step.id)
            latest = max(latest, instant) if latest else instant

    def _commands(self, place: int, step: Act) -> Iterator[Problem]:
        count = 0
        for number, written in enumerate(step.written):
            at: Loc = ("steps", place, "do") if isinstance(step.do, dict) else ("steps", place, "do", number)
            misnamed = tuple(self._names(at, written, step.id))
            asked = bodies(self._scenario, written)
            count += len(asked)
            # What is made of a wrong name has the wrong form too. Several people in one command make the same mistakes.
            yield from misnamed or dict.fromkeys(one for body in asked for one in self._form(at, body, step.id))
        if not 1 <= count <= LARGEST_BATCH:
            said = f"must be 1 to {LARGEST_BATCH} commands"
            yield self._problem(("steps", place, "do"), "batch_size", said, step.id)

    def _names(self, at: Loc, written: dict[str, Any], step: str) -> Iterator[Problem]:
        kind = str(written.get("type"))
        if "type" not in written:
            yield self._problem((*at, "type"), "missing", "is missing", step)
        elif changes_leave(written):
            said = "changes a leave, and stands alone in its step"
            yield self._problem((*at, "type"), "leave_change_alone", said, step)
        elif kind not in SPECIAL_FIELDS and kind not in PLURALS:
            yield self._problem((*at, "type"), "command_unknown", "is not a known command", step)
        if kind in PLURALS:
            people = written.get("people")
            if not isinstance(people, list) or not people:
                yield self._problem((*at, "people"), "people_needed", "must be a list of ids of people", step)
                return
            for place, who in enumerate(people):
                yield from self._name((*at, "people", place), "person", who, step)
        for name, special in SPECIAL_FIELDS.get(PLURALS.get(kind, kind), {}).items():
            for loc, value in _each((*at, name), written.get(name)):
                yield from self._name(loc, special, value, step)

    def _name(self, loc: Loc, kind: Kind, value: Any, step: str) -> Iterator[Problem]:
        match kind:
            case "person" if not isinstance(value, str) or value not in self._people:
                yield self._problem(loc, "person_unknown", "names nobody among people", step)
            case "file" if not isinstance(value, str) or value not in self._scenario.attachments:
                yield self._problem(loc, "attachment_unknown", "names nothing among attachments", step)
            case "text":
                yield from self._text(loc, value, step)
            case "dossier" | "report" as of if not _is_digest(of, value):
                word = "proposal-1" if of == "dossier" else "report-1"
                yield self._problem(
                    loc, "digest_unknown", f"must be current, a number such as {word}, or 64 digits", step
                )

    def _text(self, loc: Loc, value: Any, step: str) -> Iterator[Problem]:
        if not isinstance(value, dict) or set(value) != {"text"} or not isinstance(value["text"], str):
            yield self._problem(loc, "text_needed", "must be written as text: followed by the words", step)
            return
        if not value["text"].strip():
            yield self._problem((*loc, "text"), "text_is_empty", "is empty", step)
        elif len(value["text"]) > LARGEST_TEXT:
            said = f"must have at most {LARGEST_TEXT:,} characters"
            yield self._problem((*loc, "text"), "text_too_long", said, step)

    def _form(self, at: Loc, body: Asked, step: str) -> Iterator[Problem]:
        values = {open_: _stand_in(open_) for open_ in placeholders([body])}
        filled = fill([body], values)[0]
        try:
            PUBLIC_COMMAND.validate_json(json.dumps(filled), strict=True)
        except ValidationError as error:
            yield from problems(_errors(error), self._loaded, self._called, under=at, subject=f"step {step}")

    def _problem(self, loc: Loc, code: str, message: str, step: str = "") -> Problem:
        return Problem(
            file=self._called,
            line=self._loaded.line_of(loc),
            field=_written(loc, within_step=bool(step)),
            code=code,
            message=message,
            subject=f"step {step}" if step else "",
        )


def _each(loc: Loc, value: Any) -> Iterator[tuple[Loc, Any]]:
    if isinstance(value, list):
        yield from (((*loc, place), each) for place, each in enumerate(value))
    elif value is not None:
        yield loc, value


def _is_digest(of: DigestOf, value: Any) -> bool:
    return isinstance(value, str) and (digest_named(of, value) is not None or _is_hexadecimal(value))


def _is_hexadecimal(value: str) -> bool:
    return len(value) == 64 and all(digit in "0123456789abcdef" for digit in value)


def _stand_in(placeholder: Placeholder) -> Any:
    match placeholder:
        case PersonNamed():
            return {"ref": "per_00000000", "commitment": _DIGEST}
        case TextWritten():
            return {"ref": "txt_00000000", "commitment": _DIGEST}
        case FileNamed():
            return {"digest": _DIGEST, "media_type": "application/pdf", "size": 1}
        case DigestNamed():
            return _DIGEST


def _written(loc: Loc, within_step: bool) -> str:
    """Return the way to a field as people write it; within a step, the way from its command."""
    if within_step:
        loc = loc[2:]
        if loc[0] == "do" and len(loc) > 1:
            loc = loc[2:] if isinstance(loc[1], int) else loc[1:]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).removeprefix(".")
