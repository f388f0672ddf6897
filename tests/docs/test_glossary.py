"""docs/glossary.md is law: whatever has a name in the field or in the events has its line there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from types import UnionType
from typing import Annotated, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from api.refusals import REFUSALS
from domain import commands, decision, events
from domain.state import Phase
from locales import translator
from storage.read_model import READ_TABLES
from storage.tables import REGISTERS
from words.codes import PHASES

ROOT = Path(__file__).parents[2]
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
CODE = set(re.findall(r"`([^`]+)`", GLOSSARY))
"""Everything the glossary sets in code type."""

NOT_SOURCE = {"var", "build", "dist", "htmlcov", "node_modules"}


def members(union: object) -> Iterator[type[BaseModel]]:
    """Yield the models of a union, however it is nested."""
    if get_origin(union) is Annotated:
        yield from members(get_args(union)[0])
    elif get_origin(union) in (Union, UnionType):
        for part in get_args(union):
            yield from members(part)
    else:
        assert isinstance(union, type)
        assert issubclass(union, BaseModel)
        yield union


def sources() -> Iterator[Path]:
    """Yield every Python file of the repository, relative to its root."""
    for folder in [ROOT, *(one for one in root_folders())]:
        pattern = "*.py" if folder == ROOT else "**/*.py"
        yield from (path.relative_to(ROOT) for path in sorted(folder.glob(pattern)))


def root_folders() -> list[Path]:
    """Return the folders at the root that belong to the repository."""
    return sorted(
        one
        for one in ROOT.iterdir()
        if one.is_dir() and one.name[0] not in "._" and one.name not in NOT_SOURCE and not one.name.endswith("egg-info")
    )


def words(name: str) -> set[str]:
    """Return the words of a snake_case or CamelCase name, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)}


ALL_COMMANDS = list(members(commands.Command))
ALL_EVENTS = list(members(events.AnyEvent))


@pytest.mark.parametrize("command", ALL_COMMANDS, ids=lambda one: one.__name__)
def test_every_command_has_its_line_and_is_sent_under_its_name(command: type[BaseModel]) -> None:
    """The type on the wire is the command's name in snake case, as the glossary says."""
    assert command.__name__ in CODE
    snake = re.sub(r"(?<!^)(?=[A-Z])", "_", command.__name__).lower()
    assert command.model_fields["type"].default == snake


@pytest.mark.parametrize("event", ALL_EVENTS, ids=lambda one: one.__name__)
def test_every_event_has_its_line(event: type[BaseModel]) -> None:
    """A sealed event's type is a word of the glossary."""
    assert event.__name__ in CODE


@pytest.mark.parametrize(
    "name",
    [
        *(phase.value for phase in Phase),
        *get_args(decision.RoleName),
        *get_args(commands.Role),
        *get_args(commands.ItemKind),
        *get_args(commands.AudienceGroup),
        *get_args(decision.EffectKind),
    ],
)
def test_every_phase_role_kind_and_effect_is_a_word_of_the_glossary(name: str) -> None:
    """What stands in events as a bare word is explained to whoever reads one."""
    assert name in CODE


@pytest.mark.parametrize("phase", Phase)
def test_a_phase_is_called_in_vietnamese_what_people_read(phase: Phase) -> None:
    """The glossary and the catalogue have one word for it."""
    [vietnamese] = re.findall(rf"^\| `{phase.value}` \| (.+?) \|", GLOSSARY, re.MULTILINE)
    assert translator("vi").tr(PHASES[phase.value]) == vietnamese


@pytest.mark.parametrize("role", ["Head of delegation", "Host", "Escort", "Interpreter", "Driver", "Coordinator"])
def test_a_role_is_called_in_vietnamese_what_letters_say(role: str) -> None:
    """Letters and glossary name those on a file alike."""
    assert f"({translator('vi').tr(role).lower()})" in GLOSSARY


@pytest.mark.parametrize("code", sorted(REFUSALS))
def test_every_refusal_code_stands_in_its_group(code: str) -> None:
    """Programs rely on the codes, so they are all listed."""
    assert code in CODE


def test_every_register_and_read_table_is_named() -> None:
    """Whoever opens the database finds each table in the glossary."""
    assert {table.name for table in (*REGISTERS, *READ_TABLES)} - CODE == set()


def test_every_root_folder_and_module_is_named() -> None:
    """A newcomer finds one line for whatever lies at the root."""
    names = {f"{one.name}/" for one in root_folders()} | {one.name for one in ROOT.glob("*.py")}
    assert names - CODE == set()


EMPTY_WORDS = {"manager", "helper", "helpers", "util", "utils", "service", "services", "common", "misc"}
EXCEPTIONS = set(re.findall(r"`([^`]+)`", GLOSSARY.partition("Exceptions, each with its reason")[2]))


def definitions(path: Path) -> Iterator[str]:
    """Yield the names that a file gives: of itself, and of its classes, functions, arguments and variables."""
    yield from (part.removesuffix(".py") for part in path.parts)
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
                yield name


def test_no_name_is_made_of_a_word_that_names_no_idea() -> None:
    """No manager, helper, utils or service; no function that begins with `process_`."""
    found = {
        f"{path}: {name}"
        for path in sources()
        for name in definitions(path)
        if name not in EXCEPTIONS and (words(name) & EMPTY_WORDS or name.startswith("process_"))
    }
    assert found == set()


def test_every_exception_is_still_needed() -> None:
    """An exception whose name is gone from the code is struck out."""
    names = {name for path in sources() for name in definitions(path)}
    assert EXCEPTIONS - names == set()
