"""docs/asvs.md answers every requirement of OWASP ASVS 5.0.0, levels 1 and 2, and names tests that there are.

Ids and levels are those of `5.0/docs_en/OWASP_Application_Security_Verification_Standard_5.0.0_en.csv` of the
repository OWASP/ASVS at commit 5cf9b032440be53ce345ab3c130fda46ba1ce7a2; nothing else of it stands here.
"""

import ast
import hashlib
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "asvs.md").read_text("utf-8")
LIST = Path(__file__).with_name("asvs-5.0.0.csv")
DIGEST = "3d6f95a56099a03657abb918312d94a85a6ec6fb5c4e87ab202a1d997a8b5bff"
"""SHA-256 of the list as it was taken: a requirement that is left out of it would be missed by nobody."""

Kind = Literal["hold, with a test", "hold, without a test", "do not apply", "fall short"]


class Row(NamedTuple):
    """A line of the page: which requirements, by chapter, what is asked, the answer, and the tests."""

    chapter: str
    requirements: tuple[tuple[str, str], ...]
    asked: str
    answer: str
    tests: str

    @property
    def kind(self) -> Kind:
        """What the answer comes to."""
        if self.answer.startswith("does not apply: "):
            return "do not apply"
        if self.answer.startswith("**falls short**: "):
            return "fall short"
        return "hold, without a test" if self.tests == "no test" else "hold, with a test"


def rows() -> list[Row]:
    """Every line of every chapter."""
    found = []
    for chapter, text in re.findall(r"^## (\S+) [^\n]*\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        for line in re.findall(r"^\| (\d[^\n]*) \|$", text, re.MULTILINE):
            named, asked, answer, tests = line.split(" | ")
            requirements = tuple(tuple(one.split(" L")) for one in named.split(", "))
            found.append(Row(chapter.rstrip("."), requirements, asked, answer, tests))
    return found


ROWS = rows()
CHAPTERS = [row for row in ROWS if row.chapter.isdigit()]


def test_the_list_is_the_one_that_was_taken() -> None:
    """253 requirements, 70 of them of the first level."""
    lines = LIST.read_text("utf-8").splitlines()
    assert hashlib.sha256(LIST.read_bytes()).hexdigest() == DIGEST
    assert Counter(line.partition(",")[2] for line in lines[1:]) == {"1": 70, "2": 183}


def test_every_requirement_is_answered_once_in_its_chapter_and_level() -> None:
    """And no other id stands beside them."""
    wanted = Counter(tuple(line.split(",")) for line in LIST.read_text("utf-8").splitlines()[1:])
    assert Counter(one for row in CHAPTERS for one in row.requirements) == wanted
    assert {
        row.requirements for row in CHAPTERS if any(id.split(".")[0] != row.chapter for id, _ in row.requirements)
    } == set()
    assert {level for row in ROWS if not row.chapter.isdigit() for _, level in row.requirements} == {"3"}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.requirements[0][0])
def test_an_answer_is_of_one_of_the_kinds(row: Row) -> None:
    """What does not apply has a reason and no test; what falls short says what is missing; what holds says how."""
    assert row.asked
    assert len(row.answer) > 1
    assert "" not in row.answer.split(": ", 1)
    if row.kind == "do not apply":
        assert row.tests == "–"
    elif row.kind == "fall short":
        assert row.tests == "–" or named(row)
    else:
        assert row.tests == "no test" or named(row)


def named(row: Row) -> list[str]:
    """The tests of a line; what is not set as one is an error."""
    cells = [] if row.tests in ("–", "no test") else row.tests.split("<br>")
    assert [cell for cell in cells if not re.fullmatch(r"`tests/[\w/]+\.py(?:::test_\w+)?`", cell)] == []
    return [cell.strip("`") for cell in cells]


@cache
def named_in(path: Path) -> frozenset[str]:
    """The names of the tests of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return frozenset(
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")
    )


def test_every_test_that_is_named_is_there() -> None:
    """File and function."""
    missing = set()
    for row in ROWS:
        for one in named(row):
            path, _, name = one.partition("::")
            if not (ROOT / path).is_file() or (name and name not in named_in(ROOT / path)):
                missing.add(one)
    assert missing == set()


def test_the_head_counts_what_the_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    """How many hold, with a test and without, do not apply, and fall short."""
    counted = Counter({row.kind: 0 for row in CHAPTERS})
    for row in CHAPTERS:
        counted[row.kind] += len(row.requirements)
    with capsys.disabled():
        print("\nASVS 5.0.0, levels 1 and 2:", ", ".join(f"{count} {kind}" for kind, count in counted.items()))
    said = dict(re.findall(r"^\| ([a-z, ]+?) \| (\d+) \|$", PAGE, re.MULTILINE))
    assert {kind: int(said[kind]) for kind in counted} == counted
    assert int(said["together"]) == counted.total() == 253
