"""YAML by hand: read strictly, with the line of everything."""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
import yaml
from pydantic import BaseModel, Field, TypeAdapter, ValidationError

import yamlfile
from yamlfile import Problem, YamlFileError, load_with_lines, problems

SCENARIO = """\
# a comment
title: Study visit

members:
  - id: m1
    role: head
  - {id: m2, role: member}
  -
    id: m3
note: |
  first
  second
"""


@pytest.fixture(params=["CSafeLoader", "SafeLoader"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything here holds for both of PyYAML's parsers; a machine may lack the fast one."""
    monkeypatch.setattr(yamlfile, "_Loader", getattr(yaml, request.param))


def refused(source: str | Path) -> Problem:
    with pytest.raises(YamlFileError) as error:
        load_with_lines(source)
    (problem,) = error.value.problems
    assert str(problem) == str(error.value)
    return problem


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        ((), 2),
        (("title",), 2),
        (("members",), 4),
        (("members", 0), 5),
        (("members", 0, "role"), 6),
        (("members", 1, "role"), 7),
        (("members", 2, "id"), 9),
        (("note",), 10),
    ],
)
def test_every_value_has_its_line(loc: tuple[int | str, ...], line: int) -> None:
    """Blocks and braces, lists and keys."""
    assert load_with_lines(SCENARIO).line_of(loc) == line


@pytest.mark.parametrize(
    ("loc", "line"),
    [
        (("members", 0, "country"), 5),
        (("members", 7), 4),
        (("members", 1, "inbound", "role"), 7),
        (("nothing",), 2),
        (("title", "deeper"), 2),
    ],
)
def test_what_is_not_there_is_answered_by_what_is_near(loc: tuple[int | str, ...], line: int) -> None:
    """A missing field points at its group, and a part that only a validator knows is passed over."""
    assert load_with_lines(SCENARIO).line_of(loc) == line


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"), ("yes", "yes"), ("no", "no"), ("NO", "NO"), ("true", True), ("False", False),
        ("null", None), ("~", None), ("", None), ("12", 12), ("-7", -7), ("+7", 7), ("0", 0),
        ("0912345678", "0912345678"), ("1_000", "1_000"), ("0x1F", "0x1F"), ("12:30", "12:30"),
        ("1.5", 1.5), ("1e3", 1000.0), (".inf", ".inf"),
        ("2026-02-30", "2026-02-30"), ("2026-04-11T14:30", "2026-04-11T14:30"), ("'12'", "12"), ('"true"', "true"),
        ("{}", {}), ("[]", []), ("=", "="), ("<<", "<<"),
    ],
)  # fmt: skip
def test_words_keep_their_meaning(text: str, value: Any) -> None:
    """Only true, false, null and plain numbers are not text: no date and no `yes` changes its type."""
    read = load_with_lines(f"key: {text}").data["key"]
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize(
    ("text", "line", "code", "message"),
    [
        ("a: 1\nb: 2\na: 3\n", 3, "key_repeated", "the key “a” is given twice, first on line 1"),
        ("a: &x [1]\nb: *x\n", 2, "alias", "an alias (*name) may not be used; write the value out"),
        ("a: !!python/name:os.system ''\n", 1, "tag", "a tag (!name) may not be used"),
        ("a: !secret [1]\n", 1, "tag", "a tag (!name) may not be used"),
        ("a: 1\n---\nb: 2\n", 2, "second_document", "a second document (---) may not follow"),
        ("a: 1\n? [1, 2]\n: 3\n", 2, "key_not_text", "a key must be text"),
        ("a: 1\nb: " + "9" * 19, 2, "number_too_long", "a number has at most 18 characters"),
        ("a: 1\nb: x\x00y\n", 2, "unwritable_character", "the character U+0000 may not stand in YAML"),
        ("a: 1\nb: " + "[" * 100, 2, "too_deep", "values are nested beyond 40 levels"),
    ],
)
def test_what_yaml_allows_and_we_do_not(text: str, line: int, code: str, message: str) -> None:
    """Each refusal names its line."""
    problem = refused(text)
    assert (problem.line, problem.code, problem.message) == (line, code, message)


def test_broken_yaml_names_its_line() -> None:
    """The parser's own words, with our line."""
    problem = refused("a: 1\nb: [1, 2\nc: 3\n")
    assert (problem.code, problem.line) == ("not_yaml", 3)


def test_many_aliases_cost_nothing(tmp_path: Path) -> None:
    """A file that would unfold to gigabytes is refused at its first alias."""
    levels = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 10)}]\n" for n in range(1, 30))
    bomb = tmp_path / "bomb.yaml"
    bomb.write_text("l0: &l0 [x]\n" + levels)
    assert (refused(bomb).line, refused(bomb).code, refused(bomb).file) == (2, "alias", "bomb.yaml")


def test_a_file_that_is_too_large_or_not_utf8_is_refused(tmp_path: Path) -> None:
    """Nothing is read beyond the limit, and the line of the first wrong byte is told."""
    file = tmp_path / "file.yaml"
    file.write_bytes(b"a: " + b"x" * (4 * 1024 * 1024))
    assert refused(file).message == "the file is larger than 4 MB"
    file.write_bytes("a: 1\n".encode("utf-16-le"))
    assert refused(file).code == "unwritable_character"
    file.write_bytes("a: 1\nb: Sông Lam\n".encode("latin-1"))
    assert (refused(file).code, refused(file).line) == ("not_utf8", 2)


def test_an_empty_file_says_nothing() -> None:
    """It is None, on line 1."""
    assert load_with_lines("# only a comment\n").data is None
    assert load_with_lines("").line_of(("a",)) == 1


def test_a_byte_order_mark_is_passed_over(tmp_path: Path) -> None:
    """Some editors write one."""
    file = tmp_path / "file.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: Hu\xe1\xba\xbf\n")
    assert load_with_lines(file).data == {"a": "Huế"}


class Open(BaseModel):
    type: Literal["open"]
    members: Annotated[int, Field(ge=1)]


class Move(BaseModel):
    type: Literal["move"]
    item: Annotated[str, Field(max_length=4)]


COMMANDS: TypeAdapter[list[Open | Move]] = TypeAdapter(list[Annotated[Open | Move, Field(discriminator="type")]])


def test_errors_of_a_validator_become_lines_and_fields() -> None:
    """Tags of a union are not part of a field's name, and no value from the file is quoted."""
    loaded = load_with_lines(
        "steps:\n  - type: open\n    members: 0\n  - type: move\n  - type: fly\n  - type: move\n    item: secret\n"
    )
    with pytest.raises(ValidationError) as refused_by:
        COMMANDS.validate_python(loaded.data["steps"])
    told = problems(refused_by.value.errors(), loaded, "scenario.yaml", under=("steps",))
    assert [str(problem) for problem in told] == [
        "scenario.yaml, line 3: [0].members: must be 1 or more",
        "scenario.yaml, line 4: [1].item: is missing",
        "scenario.yaml, line 5: [2]: must be one of 'open', 'move'",
        "scenario.yaml, line 7: [3].item: must have at most 4 characters",
    ]


@pytest.mark.slow
def test_ten_thousand_members_are_read() -> None:
    """A long list is read whole, and its last line is known."""
    text = "members:\n" + "".join(f"  - id: m{n}\n    role: member\n" for n in range(10_000))
    loaded = load_with_lines(text)
    assert len(loaded.data["members"]) == 10_000
    assert loaded.line_of(("members", 9_999, "role")) == 20_001
