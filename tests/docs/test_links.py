"""What the documents point at exists, and nothing in them is for one machine only."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
RECORDS = sorted((ROOT / "docs" / "decisions").glob("[0-9]*.md"))

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)|(?:src|srcset|href)=\"([^\"]+)\"")


def name_of(page: Path) -> str:
    """Return a page's path below the root."""
    return page.relative_to(ROOT).as_posix()


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are commonly derived."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_within_the_repository_leads_somewhere(page: Path) -> None:
    """File and heading exist."""
    broken = []
    for groups in LINK.findall(re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)):
        link = next(group for group in groups if group)
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_no_page_names_a_machine(page: Path) -> None:
    """Neither a home, a temporary or a working folder of somebody's computer stands in a document."""
    assert re.findall(r"(?<![\w.])/(?:work|root|home|tmp|Users)/\S*", page.read_text("utf-8")) == []


def test_decision_records_are_numbered_once_and_listed() -> None:
    """Each number has one record, and the list of records has them all with their titles."""
    numbers = [record.name[:4] for record in RECORDS]
    assert len(set(numbers)) == len(numbers)
    titles = {record.name: record.read_text("utf-8").splitlines()[0] for record in RECORDS}
    listed = re.findall(r"\[(\d{4})\]\(([^)]+)\) \| (.+?) \|$", (RECORDS[0].parent / "README.md").read_text(), re.M)
    assert {name: f"# {number}: {title}" for number, name, title in listed} == titles


@pytest.mark.parametrize("record", RECORDS, ids=name_of)
def test_a_record_says_what_was_decided_and_what_follows(record: Path) -> None:
    """A record without consequences decides nothing."""
    text = record.read_text("utf-8")
    assert "**Decision" in text
    assert "**What follows" in text or "## What follows" in text
