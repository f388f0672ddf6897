"""YAML that people write by hand: read strictly, and every mistake told with its file, line and field.

YAML 1.2 core scalars: `on`, `yes` and `2026-02-30` are text, so nothing changes its type behind the writer's back and
a date that does not exist is refused by whoever expects a date. Refused: a key given twice, aliases (a few lines of
them can stand for gigabytes), tags, more than one document, nesting beyond 40 levels and files beyond 4 MB.

Belongs to no layer: the standard library and PyYAML only.
"""

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import yaml

# libyaml's parser is ten times as fast; both give the same events.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 40
MAX_DIGITS = 18

Loc: TypeAlias = tuple[int | str, ...]
"""The way to a value: keys and places counted from 0, as in pydantic's errors."""

_UNWRITABLE = re.compile(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_WORDS: Mapping[str, bool | None] = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
}  # fmt: skip
# A leading zero makes it text: a telephone or register number must not lose it.
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))(?:[eE][-+]?[0-9]+)?\Z")


@dataclass(frozen=True)
class Problem:
    """One mistake in a file. `code` is stable; `message` is a plain sentence that quotes no value from the file.

    `subject` names what the field belongs to, such as `rule IN-REPORT`; `line` counts from 1. `context` has the values
    that stand in the message, for whoever says it in another language.
    """

    file: str
    line: int
    field: str
    code: str
    message: str
    subject: str = ""
    context: Mapping[str, Any] = dataclasses.field(default_factory=dict, compare=False, repr=False)

    def __str__(self) -> str:
        """Return `rules/deadlines.yaml, line 12: rule IN-REPORT: offset: must be 0 or more`."""
        return ": ".join(
            part for part in (f"{self.file}, line {self.line}", self.subject, self.field, self.message) if part
        )


class YamlFileError(ValueError):
    """A file that cannot be used. The message has one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        """Take at least one problem."""
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


class Loaded(NamedTuple):
    """What a file says: dict, list, str, int, float, bool and None; and the line on which each value stands."""

    data: Any
    line_of: Callable[[Loc], int]


@dataclass
class _Node:
    """A collection under construction, with the line of each of its entries."""

    value: dict[str, Any] | list[Any]
    entries: dict[int | str, tuple[int, "_Node | None"]] = field(default_factory=dict)
    key: tuple[str, int] | None = None


def load_with_lines(source: Path | str, name: str | None = None) -> Loaded:
    """Read a file, or a text, of YAML.

    `line_of` takes the place of a value, also as pydantic gives it: parts that the document does not have (a field
    that is missing, the tag of a union) are passed over, so it answers with the line of what is nearest. Lines count
    from 1. `name` is what errors call the file; by default its own name, or `text`.

    Raises YamlFileError, and OSError if the file cannot be read.
    """
    name = name or (source.name if isinstance(source, Path) else "text")
    text = _read(source, name) if isinstance(source, Path) else _checked(source, name)
    builder = _Builder(name)
    try:
        for event in yaml.parse(text, Loader=_Loader):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = error.problem or error.context or "this is not YAML"
        raise _refused(name, mark.line + 1 if mark else 1, "not_yaml", said) from None
    line, node = builder.root.entries.get(0, (1, None))
    return Loaded(builder.documents[0] if builder.documents else None, lambda loc: _line(line, node, loc))


def problems(
    errors: Iterable[Mapping[str, Any]], loaded: Loaded, name: str, *, under: Loc = (), subject: str = ""
) -> tuple[Problem, ...]:
    """Return pydantic's errors (`ValidationError.errors()`) as problems of a file, in the order of its lines.

    `under` is the place of the part that was validated, and `subject` what to call it.
    """
    found = (
        Problem(
            file=name,
            line=loaded.line_of((*under, *error["loc"])),
            field=_field(loaded.data, under, error),
            code=error["type"],
            message=_sentence(error),
            subject=subject,
            context=error.get("ctx") or {},
        )
        for error in errors
    )
    return tuple(sorted(found, key=lambda problem: problem.line))


def _read(path: Path, name: str) -> str:
    with path.open("rb") as stream:
        content = stream.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise _refused(name, 1, "too_large", f"the file is larger than {MAX_BYTES // 1024**2} MB")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _refused(name, line, "not_utf8", "the text is not UTF-8") from None
    return _checked(text, name)


def _checked(text: str, name: str) -> str:
    if len(text) > MAX_BYTES:
        raise _refused(name, 1, "too_large", f"the text is longer than {MAX_BYTES} characters")
    strange = _UNWRITABLE.search(text)
    if strange:
        line = text.count("\n", 0, strange.start()) + 1
        message = f"the character U+{ord(strange.group()):04X} may not stand in YAML"
        raise _refused(name, line, "unwritable_character", message)
    return text


class _Builder:
    """Builds plain data from the events of a parser, without recursion."""

    def __init__(self, name: str) -> None:
        self.documents: list[Any] = []
        self.root = _Node(self.documents)
        self._open = [self.root]
        self._name = name

    def take(self, event: yaml.Event) -> None:
        """Take the next event. Raises YamlFileError for what is refused."""
        line = event.start_mark.line + 1 if event.start_mark else 1
        match event:
            case yaml.AliasEvent():
                raise _refused(self._name, line, "alias", "an alias (*name) may not be used; write the value out")
            case yaml.DocumentStartEvent() if self.documents:
                raise _refused(self._name, line, "second_document", "a second document (---) may not follow")
            case yaml.ScalarEvent():
                self._scalar(event, line)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._start(event, line)
            case yaml.CollectionEndEvent():
                self._open.pop()

    def _start(self, event: yaml.CollectionStartEvent, line: int) -> None:
        if not event.implicit:
            raise self._tagged(line)
        if len(self._open) > MAX_DEPTH:
            raise _refused(self._name, line, "too_deep", f"values are nested beyond {MAX_DEPTH} levels")
        node = _Node({} if isinstance(event, yaml.MappingStartEvent) else [])
        self._put(node.value, line, node)
        self._open.append(node)

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        if not any(event.implicit):
            raise self._tagged(line)
        parent = self._open[-1]
        if isinstance(parent.value, dict) and parent.key is None:
            if event.value in parent.value:
                first = parent.entries[event.value][0]
                message = f"the key “{event.value[:64]}” is given twice, first on line {first}"
                raise _refused(self._name, line, "key_repeated", message)
            parent.key = (event.value, line)
        else:
            self._put(self._plain(event.value, line) if event.implicit[0] else event.value, line, None)

    def _put(self, value: Any, line: int, node: _Node | None) -> None:
        parent = self._open[-1]
        if isinstance(parent.value, list):
            parent.entries[len(parent.value)] = (line, node)
            parent.value.append(value)
        elif parent.key is None:
            raise _refused(self._name, line, "key_not_text", "a key must be text")
        else:
            # A block value starts below its key, and it is the key that people look for.
            (key, line), parent.key = parent.key, None
            parent.entries[key] = (line, node)
            parent.value[key] = value

    def _plain(self, text: str, line: int) -> str | int | float | bool | None:
        if text in _WORDS:
            return _WORDS[text]
        if _INTEGER.match(text) or _FLOAT.match(text):
            if len(text) > MAX_DIGITS:
                raise _refused(self._name, line, "number_too_long", f"a number has at most {MAX_DIGITS} characters")
            return int(text) if _INTEGER.match(text) else float(text)
        return text

    def _tagged(self, line: int) -> YamlFileError:
        return _refused(self._name, line, "tag", "a tag (!name) may not be used")


def _refused(name: str, line: int, code: str, message: str) -> YamlFileError:
    return YamlFileError([Problem(file=name, line=line, field="", code=code, message=message)])


def _line(line: int, node: _Node | None, loc: Sequence[int | str]) -> int:
    for part in loc:
        if node is not None and part in node.entries:
            line, node = node.entries[part]
    return line


def _field(data: Any, under: Loc, error: Mapping[str, Any]) -> str:
    """Return the way to a field as people write it, `members[3].role`, without the parts only pydantic knows."""
    loc: Loc = error["loc"]
    for part in under:
        data = data[part]
    named = ""
    for position, part in enumerate(loc):
        if isinstance(part, int):
            named += f"[{part}]"
        elif (isinstance(data, dict) and part in data) or (error["type"] == "missing" and position == len(loc) - 1):
            named += f".{part}" if named else part
        else:
            continue
        inside = isinstance(data, list) and isinstance(part, int) and part < len(data)
        data = data[part] if inside or (isinstance(data, dict) and part in data) else None
    return named


def _sentence(error: Mapping[str, Any]) -> str:
    context: Mapping[str, Any] = error.get("ctx") or {}
    sentence = _SENTENCES.get(error["type"])
    return sentence.format(**context) if sentence else str(error["msg"]).removeprefix("Value error, ")


_DATE = "must be a date that exists, written YYYY-MM-DD"
_TIME = "must be a time of day, written HH:MM"
_FIELDS = "must be a group of fields"
_LIST = "must be a list"
_ONE_OF = "must be one of {expected}"
_WHOLE = "must be a whole number"

# Only types whose context pydantic always fills; every other error speaks for itself.
_SENTENCES: Mapping[str, str] = {
    "missing": "is missing",
    "extra_forbidden": "is not a known field",
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be less than {lt}",
    "literal_error": _ONE_OF,
    "enum": _ONE_OF,
    "union_tag_invalid": "must be one of {expected_tags}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_from_float": _WHOLE,
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "string_too_long": "must have at most {max_length} characters",
    "string_too_short": "must have at least {min_length} characters",
    "string_pattern_mismatch": "must match {pattern}",
    "too_long": "must have at most {max_length} entries",
    "too_short": "must have at least {min_length} entries",
    "date_type": _DATE,
    "date_parsing": _DATE,
    "date_from_datetime_parsing": _DATE,
    "time_type": _TIME,
    "time_parsing": _TIME,
    "tuple_type": _LIST,
    "list_type": _LIST,
    "model_type": _FIELDS,
    "dict_type": _FIELDS,
}
