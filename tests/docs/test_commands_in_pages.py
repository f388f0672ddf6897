"""What the pages tell people to type exists."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from cli import app

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
VERBS = set(get_command(app).commands)  # type: ignore[attr-defined]  # a Typer app with several verbs is a group
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def typed(page: Path) -> str:
    """Return what a page sets in code type, in lines and in blocks."""
    text = page.read_text("utf-8")
    return "\n".join([*re.findall(r"```.*?```", text, re.DOTALL), *re.findall(r"`[^`\n]+`", text)])


def name_of(page: Path) -> str:
    """Return a page's path below the root."""
    return page.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_verb_that_a_page_names_exists(page: Path) -> None:
    """`legation status` is a verb of the command, whatever page says it."""
    named = set(re.findall(r"(?:^|[`\n])\s*legation(?: --data \S+)? ([a-z][a-z-]*)", typed(page)))
    assert named - VERBS == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_a_page_names_exists(page: Path) -> None:
    """`make demo` is a target of the Makefile."""
    named = set(re.findall(r"(?:^|[`\n])\s*make(?: [A-Z]+=\S+)* ([a-z]+)", typed(page)))
    assert named - TARGETS == set()


def test_every_file_that_a_page_names_exists() -> None:
    """A path in code type, such as `domain/decide.py`, leads to a file or folder."""
    missing = {
        f"{name_of(page)}: {path}"
        for page in PAGES
        if page.name != "CHANGELOG.md"
        for path in re.findall(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|yaml|md|typ|toml|svg))`", page.read_text("utf-8"))
        if not (ROOT / path).exists() and not (page.parent / path).exists()
    }
    assert missing == set()
