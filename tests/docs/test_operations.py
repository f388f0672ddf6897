"""docs/operations.md knows every setting, every verb and every finding of a rebuild."""

import re
from pathlib import Path

import pytest
from pydantic_core import PydanticUndefined

from cli import app
from rebuild import FINDINGS
from settings import PREFIX, Settings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "operations.md").read_text("utf-8")
ROWS = dict(re.findall(rf"^\| `({PREFIX}\w+)` \| (.*?) \|", PAGE, re.MULTILINE))


def shown(default: object) -> str:
    """Return a default as the table shows it."""
    if default in (None, "", PydanticUndefined):
        return "–"
    return f"`{str(default).lower() if isinstance(default, bool) else default}`"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_stands_in_the_table_with_its_default(name: str) -> None:
    """What an operator may set, and what holds if nobody does."""
    assert ROWS[f"{PREFIX}{name.upper()}"] == shown(Settings.model_fields[name].default)


def test_the_table_names_no_setting_that_is_gone() -> None:
    """A row without a setting would be set in vain."""
    assert {name.removeprefix(PREFIX).lower() for name in ROWS} == set(Settings.model_fields)


def test_every_verb_is_described() -> None:
    """The list of verbs is whole."""
    verbs = {one.name for one in app.registered_commands} | {one.name for one in app.registered_groups}
    assert {name for name in verbs if f"`legation {name}" not in PAGE} == set()


def test_every_finding_of_a_rebuild_says_what_to_do() -> None:
    """Whoever restores a backup meets them in the worst hour."""
    assert {code for code in FINDINGS if f"`{code}`" not in PAGE} == set()
