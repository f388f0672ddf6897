"""From the commands of a file to the bodies that are sent: what is left out is filled in, what is named is marked."""

import re
from datetime import date
from typing import Any, Literal, get_args

from domain.commands import DelegateRole, PublicCommand, ServiceRole
from domain.values import AttachmentRef, LocalTime, PersonRef, TextRef, Value
from scenariofile.placeholders import Asked, DigestNamed, DigestOf, FileNamed, PersonNamed, TextWritten
from scenariofile.written import Act, Person, Scenario

Kind = Literal["person", "text", "file", "dossier", "report", "time", "day"]

_DIGESTS: dict[str, DigestOf] = {"dossier_digest": "dossier", "report_digest": "report"}
_KINDS: dict[Any, Kind] = {
    PersonRef: "person",
    TextRef: "text",
    AttachmentRef: "file",
    LocalTime: "time",
    date: "day",
}

PLURALS = {"add_members": "add_member", "appoint_participants": "appoint_participant"}
"""Commands of the format alone: one command of the named type for each of its `people`."""

_NUMBERED: dict[DigestOf, re.Pattern[str]] = {
    "dossier": re.compile(r"proposal-([1-9][0-9]{0,3})"),
    "report": re.compile(r"report-([1-9][0-9]{0,3})"),
}


def _kind(name: str, annotation: Any) -> Kind | None:
    if name in _DIGESTS:
        return _DIGESTS[name]
    if annotation in _KINDS:
        return _KINDS[annotation]
    return next((kind for part in get_args(annotation) if (kind := _kind("", part))), None)


def _fields_of(command: type[Value]) -> dict[str, Kind]:
    return {name: kind for name, field in command.model_fields.items() if (kind := _kind(name, field.annotation))}


SPECIAL_FIELDS: dict[str, dict[str, Kind]] = {
    command.model_fields["type"].default: _fields_of(command) for command in get_args(get_args(PublicCommand)[0])
}
"""For each type of command the fields that are written otherwise in a file than they are sent, or that are days."""


def expand(scenario: Scenario, step: Act) -> tuple[Asked, ...]:
    """Return the bodies of a step's commands, in order; more than one are sent as a batch.

    Every person, text, file and digest is a placeholder. Local times have their zone. Where a command names a person,
    what it leaves out is taken from that person: the id, the country, the role, whether entry papers are needed. A
    document without an id of its own has that of its attachment. A step that changes a leave sends no command.
    """
    return tuple(body for written in step.written for body in bodies(scenario, written))


def bodies(scenario: Scenario, written: dict[str, Any]) -> tuple[Asked, ...]:
    """Return the bodies that one command of a file stands for; several where it names several people."""
    single = PLURALS.get(str(written.get("type")))
    people = written.get("people")
    if single is None or not isinstance(people, list):
        return (_body(scenario, written),)
    shared = {name: value for name, value in written.items() if name != "people"} | {"type": single}
    return tuple(_body(scenario, shared | {"person": who}) for who in people)


def _body(scenario: Scenario, written: dict[str, Any]) -> Asked:
    kind_of = SPECIAL_FIELDS.get(str(written.get("type")), {})
    said = {name: _marked(kind_of.get(name), value, scenario.zone) for name, value in written.items()}
    return _left_out(scenario, written) | said


def _marked(kind: Kind | None, value: Any, zone: str) -> Any:
    match kind, value:
        case "person", str():
            return PersonNamed(value)
        case "text", {"text": str(text), **rest} if not rest:
            return TextWritten(text)
        case "file", str():
            return FileNamed(value)
        case "file", list():
            return [FileNamed(each) if isinstance(each, str) else each for each in value]
        case ("dossier" | "report") as of, str():
            return digest_named(of, value) or value
        case "time", str():
            return {"local": value, "zone": zone}
        case _:
            return value


def digest_named(of: DigestOf, word: str) -> DigestNamed | None:
    """Return what `current`, or the number of a proposal or report as in `proposal-1`, stands for; else None."""
    if word == "current":
        return DigestNamed(of)
    numbered = _NUMBERED[of].fullmatch(word)
    return DigestNamed(of, int(numbered[1])) if numbered else None


def _left_out(scenario: Scenario, written: dict[str, Any]) -> Asked:
    kind = written.get("type")
    if kind == "attach_document":
        return {"document_id": written.get("attachment")}
    person = next((one for one in scenario.people if one.id == written.get("person")), None)
    if person is None:
        return {}
    delegate = {"country": person.country, "entry_papers": person.entry_papers}
    match kind:
        case "add_member":
            return {"member_id": person.id} | delegate | _role(person, get_args(DelegateRole))
        case "replace_member":
            return {"by": person.id} | delegate
        case "appoint_participant":
            return {"participant_id": person.id} | _role(person, get_args(ServiceRole))
        case _:
            return {}


def _role(person: Person, fitting: tuple[str, ...]) -> Asked:
    return {"role": person.role} if person.role in fitting else {}
