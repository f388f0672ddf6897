"""What a field of a form may hold, read from the schema of the command or body that the form becomes."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, TypeAdapter

Kind = Literal["text", "number", "day", "yes", "choice", "lines", "choices", "other"]


@dataclass(frozen=True)
class Limit:
    """`longest` counts characters, `least` and `most` bound a number or a day, `choices` are the codes that are taken.

    `lines` are several texts, `choices` several codes; `other` is what a page has to put together itself.
    """

    kind: Kind
    required: bool
    longest: int | None = None
    pattern: str | None = None
    least: int | None = None
    most: int | None = None
    choices: tuple[str, ...] = ()


@cache
def limits_of(model: type[BaseModel]) -> Mapping[str, Limit]:
    """Return the limits of every field of a command, by the field's name."""
    schema = TypeAdapter(model).json_schema()
    required, definitions = set(schema.get("required", ())), schema.get("$defs", {})
    return {
        name: _limit(_resolved(field, definitions), required=name in required, definitions=definitions)
        for name, field in schema["properties"].items()
        if name != "type"
    }


def _resolved(field: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a field is where it is said at all: without its `null`, with what it refers to."""
    found = dict(field)
    for several in ("anyOf", "oneOf"):
        ways = [one for one in found.get(several, ()) if one.get("type") != "null"]
        if len(ways) == 1:
            found = {**{key: value for key, value in found.items() if key != several}, **ways[0]}
    if "$ref" in found:
        found |= definitions[found.pop("$ref").rpartition("/")[2]]
    return found


def _limit(field: Mapping[str, Any], *, required: bool, definitions: Mapping[str, Any]) -> Limit:
    if "enum" in field:
        return Limit("choice", required, choices=tuple(str(one) for one in field["enum"]))
    match field.get("type"), field.get("format"):
        case "boolean", _:
            return Limit("yes", required)
        case "integer", _:
            return Limit("number", required, least=field.get("minimum"), most=field.get("maximum"))
        case "string", "date":
            return Limit("day", required)
        case "string", _:
            return Limit("text", required, longest=field.get("maxLength"), pattern=field.get("pattern"))
        case "array", _:
            each = _resolved(field.get("items", {}), definitions)
            if "enum" in each:
                return Limit("choices", required, most=field.get("maxItems"), choices=tuple(each["enum"]))
            if each.get("type") == "string":
                return Limit("lines", required, longest=each.get("maxLength"), most=field.get("maxItems"))
    return Limit("other", required)
