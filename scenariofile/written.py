"""A scenario as its file says it. Every field is described in docs/scenarios.md."""

import json
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self, TypeAlias, get_args

from pydantic import (
    AfterValidator,
    Discriminator,
    Field,
    PrivateAttr,
    StringConstraints,
    Tag,
    model_validator,
)
from pydantic_core import PydanticCustomError

from domain.commands import Role
from domain.events import AnyEvent
from domain.mailbox import Address
from domain.values import BusinessText, Country, Language, Moment, Slug, Value, Zone, resolve
from scenariofile.institution import LEAVE_CHANGE, Leave, LeaveChange, Organisation, Position, changes_leave
from scenariofile.specimen import specimen_pdf
from scenariofile.wording import Title, WrittenTime

ActorRole = Literal["coordinator", "approver", "auditor", "administrator"]

MEDIA_TYPES = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg", ".txt": "text/plain"}


class Person(Value):
    """Somebody the delegation knows. `role` and `entry_papers` are what commands that name them take by default."""

    id: Slug
    full_name: Annotated[BusinessText, Field(max_length=200)]
    given_name: Annotated[BusinessText, Field(max_length=100)] | None = None
    email: Address
    language: Language
    nationality: Country
    country: Country
    role: Role = "member"
    entry_papers: bool = False
    passport_number: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{5,20}$")] | None = None

    @property
    def details(self) -> dict[str, str]:
        """What the register of people takes; without a given name the full name stands for it."""
        said = {
            "full_name": self.full_name,
            "given_name": self.given_name or self.full_name,
            "email": self.email,
            "language": self.language,
            "nationality": self.nationality,
        }
        return said | ({"passport_number": self.passport_number} if self.passport_number else {})


class Actor(Value):
    """Somebody who acts: an account with its roles and the positions it holds.

    `organisation` is the one whose files it acts on (all, if none), `person` the one of the people it belongs to.
    """

    id: Slug
    name: BusinessText
    email: Address | None = None
    roles: Annotated[tuple[ActorRole, ...], Field(min_length=1)]
    positions: tuple[Slug, ...] = ()
    organisation: Slug | None = None
    person: Slug | None = None


def _beside_the_scenario(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path:
        raise PydanticCustomError("file_elsewhere", "must stand in the folder of the scenario or below it")
    if pure.suffix not in MEDIA_TYPES:
        raise PydanticCustomError("file_type_unknown", "must end in {ends}", {"ends": ", ".join(MEDIA_TYPES)})
    return path


class Attachment(Value):
    """A file: a small PDF made of the words of `specimen`, or a `file` beside the scenario or below it."""

    specimen: Annotated[BusinessText, Field(max_length=300)] | None = None
    file: Annotated[str, Field(max_length=200), AfterValidator(_beside_the_scenario)] | None = None

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.specimen is None) == (self.file is None):
            raise PydanticCustomError("attachment_needs_one_source", "must have either specimen or file")
        return self


EVENTS = frozenset(kind.model_fields["type"].default for kind in get_args(get_args(AnyEvent)[0]))


def _known_event(name: str) -> str:
    if name not in EVENTS:
        raise PydanticCustomError("event_unknown", "“{name}” is no type of event", {"name": name[:40]})
    return name


EventType = Annotated[str, AfterValidator(_known_event)]


class Expectation(Value):
    """What a step comes to: the code of its refusal, events of some types, or both.

    `events` come in this order, and no more of these types, whatever others come beside them; what the passing of time
    up to the step brought is among them.
    """

    refused: Slug | None = None
    events: Annotated[tuple[EventType, ...], Field(min_length=1, max_length=50)] | None = None

    @model_validator(mode="after")
    def _expects_something(self) -> Self:
        if self.refused is None and self.events is None:
            raise PydanticCustomError("nothing_expected", "must say refused or events")
        return self

    def came(self, types: Iterable[str]) -> tuple[str, ...]:
        """Return those of the types that are expected at all: the same as `events`, if all is well."""
        return tuple(one for one in types if one in (self.events or ()))


class Act(Value):
    """A step in which somebody sends one command, or several that are decided as one, or changes a leave."""

    id: Slug
    at: WrittenTime
    by: Slug
    title: Title
    do: dict[str, Any] | list[dict[str, Any]]
    expect: Expectation | None = None

    @property
    def written(self) -> tuple[dict[str, Any], ...]:
        """The commands as they stand in the file; none where the step changes the register of leave."""
        if self.leave_change is not None:
            return ()
        return (self.do,) if isinstance(self.do, dict) else tuple(self.do)

    @property
    def leave_change(self) -> LeaveChange | None:
        """What the step does to the register of leave, if that is what it does. Raises ValidationError."""
        return LEAVE_CHANGE.validate_json(json.dumps(self.do), strict=True) if changes_leave(self.do) else None


class Wait(Value):
    """A step in which only time passes."""

    id: Slug
    wait_until: WrittenTime
    title: Title
    expect: Expectation | None = None

    @model_validator(mode="after")
    def _nothing_to_refuse(self) -> Self:
        if self.expect is not None and self.expect.refused is not None:
            raise PydanticCustomError("nothing_to_refuse", "a wait asks for nothing that could be refused")
        return self


Step: TypeAlias = Act | Wait


def _kind_of_step(step: Any) -> str:
    known = step.keys() if isinstance(step, dict) else type(step).model_fields
    return "wait" if "wait_until" in known else "act"


class Scenario(Value):
    """A whole file."""

    scenario: Slug
    title: Title
    zone: Zone
    delegation: Slug
    organisations: Annotated[tuple[Organisation, ...], Field(max_length=500)] = ()
    positions: Annotated[tuple[Position, ...], Field(max_length=500)] = ()
    actors: Annotated[tuple[Actor, ...], Field(min_length=1, max_length=100)]
    people: Annotated[tuple[Person, ...], Field(max_length=2_000)] = ()
    leave: Annotated[tuple[Leave, ...], Field(max_length=500)] = ()
    attachments: Annotated[dict[Slug, Attachment], Field(max_length=2_000)] = Field(default_factory=dict)
    steps: Annotated[
        tuple[Annotated[Annotated[Act, Tag("act")] | Annotated[Wait, Tag("wait")], Discriminator(_kind_of_step)], ...],
        Field(min_length=1, max_length=5_000),
    ]

    _folder: Path = PrivateAttr(default=Path())

    def standing_in(self, folder: Path) -> Self:
        """Return the scenario with its attachments looked for from a folder."""
        placed = self.model_copy()
        placed._folder = folder
        return placed

    def actor(self, actor_id: str) -> Actor:
        """Return somebody who acts. Raises KeyError."""
        return {actor.id: actor for actor in self.actors}[actor_id]

    def person(self, person_id: str) -> Person:
        """Return somebody the delegation knows. Raises KeyError."""
        return {person.id: person for person in self.people}[person_id]

    def when(self, step: Step) -> Moment:
        """Return the moment of a step."""
        return resolve(step.wait_until if isinstance(step, Wait) else step.at, self.zone)

    def instant(self, local: str) -> datetime:
        """Return the instant of a wall-clock time in the scenario's zone, in UTC."""
        return resolve(local, self.zone).instant

    def content(self, attachment_id: str) -> tuple[bytes, str]:
        """Return the bytes of an attachment and their media type. Raises KeyError, and OSError for a file."""
        attachment = self.attachments[attachment_id]
        if attachment.file is None:
            return specimen_pdf(attachment.specimen or attachment_id), "application/pdf"
        path = self._folder / attachment.file
        return path.read_bytes(), MEDIA_TYPES[path.suffix]
