"""What stands in a command body for a value that is only known when the scenario is played."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

DigestOf = Literal["dossier", "report"]
Asked: TypeAlias = dict[str, Any]
"""The body of one command as JSON, but for the placeholders in it."""


@dataclass(frozen=True)
class PersonNamed:
    """Stands for a PersonRef: somebody among the scenario's people, by id."""

    id: str


@dataclass(frozen=True)
class TextWritten:
    """Stands for a TextRef: free text that goes into its register first."""

    text: str


@dataclass(frozen=True)
class FileNamed:
    """Stands for an AttachmentRef: one of the scenario's attachments, by id."""

    id: str


@dataclass(frozen=True)
class DigestNamed:
    """Stands for the digest of a dossier or a report: the one that stands now, or the one with a number from 1."""

    of: DigestOf
    number: int | None = None


Placeholder: TypeAlias = PersonNamed | TextWritten | FileNamed | DigestNamed


def placeholders(asked: Iterable[Asked]) -> tuple[Placeholder, ...]:
    """Return what command bodies leave open, each once, in the order of its first use."""
    return tuple(dict.fromkeys(found for body in asked for found in _left_open(body)))


def fill(asked: Sequence[Asked], values: Mapping[Placeholder, Any]) -> tuple[Asked, ...]:
    """Return command bodies with every placeholder replaced by its JSON value. Raises KeyError if one has no value."""
    return tuple({name: _filled(part, values) for name, part in body.items()} for body in asked)


def _left_open(part: Any) -> Iterator[Placeholder]:
    if isinstance(part, Placeholder):
        yield part
    elif isinstance(part, dict | list):
        for inner in part.values() if isinstance(part, dict) else part:
            yield from _left_open(inner)


def _filled(part: Any, values: Mapping[Placeholder, Any]) -> Any:
    if isinstance(part, Placeholder):
        return values[part]
    if isinstance(part, dict):
        return {name: _filled(inner, values) for name, inner in part.items()}
    if isinstance(part, list):
        return [_filled(inner, values) for inner in part]
    return part
