"""docs/sources.md has every source that a rule or a comment names."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "sources.md").read_text("utf-8")
LISTED = {
    int(number)
    for numbers in re.findall(r"^\| ([\d, ]+) \|", PAGE.partition("## The list")[2], re.MULTILINE)
    for number in numbers.split(",")
}


def cited(text: str) -> set[int]:
    """Return the numbers in brackets."""
    return {int(number) for number in re.findall(r"\[(\d{1,2})\]", text)}


def test_every_source_of_a_rule_is_in_the_list() -> None:
    """A due date names its source, and the source can be looked up."""
    rules = {number for path in (ROOT / "rules").rglob("*.yaml") for number in cited(path.read_text("utf-8"))}
    assert rules
    assert rules - LISTED == set()


def test_every_source_of_a_comment_is_in_the_list() -> None:
    """`domain.md [n]` in a docstring can be looked up as well."""
    comments = {
        number
        for folder in ("activities", "calendars", "documents", "domain", "notices", "storage")
        for path in (ROOT / folder).rglob("*.py")
        for citation in re.findall(r"domain\.md,?(?: [\w ]+)?((?:,? ?\[\d+\])+)", path.read_text("utf-8"))
        for number in cited(citation)
    }
    assert comments
    assert comments - LISTED == set()


def test_what_the_page_cites_it_also_lists() -> None:
    """The table of figures points into the list below it."""
    assert cited(PAGE) - LISTED == set()
