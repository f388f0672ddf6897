"""What changed between two states of a delegation: field by field, before and after.

A state is a tree: fields of facts, entries of maps, places of tuples. Where both trees have a fact of one kind, a map
or a tuple of facts, the look goes further down; anything else is one value. The fold shares what it does not touch, so
what is the same object is passed over.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

from domain.state import Delegation
from domain.values import AttachmentRef, Fact, Moment, PersonRef, TextRef, write_instant

Path = tuple[str, ...]

ANY: TypeAdapter[Any] = TypeAdapter(Any)

WHOLE = (Moment, PersonRef, TextRef, AttachmentRef)
"""Values that mean nothing in parts: a time without its zone, a reference without its commitment."""


class Change(Fact):
    """One difference. `path` names fields, keys of maps and places (from 0) of tuples, from the state downwards.

    `added` and `removed` are of what stands only after, or only before: an entry of a map, the end of a tuple, and of a
    file that was not open before every field that says something. Values are as JSON has them. `named` is the path
    with what stands at a place named by its id, number, kind or the like.
    """

    path: Path
    named: Path
    change: Literal["added", "removed", "changed"]
    before: Any = None
    after: Any = None


def changes(before: Delegation | None, after: Delegation) -> tuple[Change, ...]:
    """Return what leads from one state to another, in the order of the state's fields; nothing between equal ones.

    The order of a map's entries is no difference. Without a state before, each field that is not at its default is
    `added`.
    """
    if before is None:
        return tuple(
            Change(path=(name,), named=(name,), change="added", after=_json(value))
            for name, value in _fields(after)
            if value != type(after).model_fields[name].get_default(call_default_factory=True)
        )
    return tuple(_between(_Place(), before, after))


def applied(document: Mapping[str, Any], found: Sequence[Change]) -> dict[str, Any]:
    """Return the later state as JSON: the earlier one's with the changes put onto it."""
    root: dict[str, Any] = _copied(dict(document))
    removed = [one for one in found if one.change == "removed"]
    for one in (*(one for one in found if one.change != "removed"), *reversed(removed)):
        holder: Any = root
        for step in one.path[:-1]:
            # A field that said nothing before was left out.
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        _put(holder, one)
    return root


def _put(holder: Any, one: Change) -> None:
    last = one.path[-1]
    if isinstance(holder, list):
        if one.change == "removed":
            holder.pop(int(last))
        elif one.change == "added":
            holder.append(one.after)
        else:
            holder[int(last)] = one.after
    elif one.change == "removed":
        del holder[last]
    else:
        holder[last] = one.after


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _copied(one) for key, one in value.items()}
    return [_copied(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True)
class _Place:
    """Where one is in both trees."""

    path: Path = ()
    named: Path = ()

    def below(self, step: str, name: str | None = None) -> "_Place":
        return _Place((*self.path, step), (*self.named, step if name is None else name))

    def change(self, kind: Literal["added", "removed", "changed"], before: Any = None, after: Any = None) -> Change:
        return Change(path=self.path, named=self.named, change=kind, before=_json(before), after=_json(after))


def _between(place: _Place, before: Any, after: Any) -> Iterator[Change]:
    if before is after or before == after:
        return
    if isinstance(before, BaseModel) and type(before) is type(after) and not isinstance(before, WHOLE):
        for name, value in _fields(after):
            # Most of a file is what it was; where that is so, no place is worth naming.
            if (known := getattr(before, name)) is not value:
                yield from _between(place.below(name), known, value)
    elif isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _entries(place, before, after)
    elif _facts(before) and _facts(after):
        yield from _entries(place, dict(enumerate(before)), dict(enumerate(after)))
    else:
        yield place.change("changed", before, after)


def _entries(place: _Place, before: Mapping[Any, Any], after: Mapping[Any, Any]) -> Iterator[Change]:
    for key, value in after.items():
        if key not in before:
            yield place.below(str(key), _name(key, value)).change("added", after=value)
        elif before[key] is not value:
            yield from _between(place.below(str(key), _name(key, value)), before[key], value)
    for key, value in before.items():
        if key not in after:
            yield place.below(str(key), _name(key, value)).change("removed", before=value)


NAMING = ("id", "number", "part", "what", "kind", "message_id", "by")
"""By what people tell the things of a tuple apart; the first that a thing has."""


def _name(key: Any, value: Any) -> str:
    if isinstance(key, str):
        return key
    return next((str(getattr(value, name)) for name in NAMING if hasattr(value, name)), str(key))


def _facts(value: Any) -> bool:
    return isinstance(value, tuple) and bool(value) and all(isinstance(one, Fact) for one in value)


def _fields(model: BaseModel) -> Iterator[tuple[str, Any]]:
    for name in type(model).model_fields:
        yield name, getattr(model, name)


def _json(value: Any) -> Any:
    # Alone it would not be written as the field it stands in writes it.
    return write_instant(value) if isinstance(value, datetime) else ANY.dump_python(value, mode="json")
