"""The list of files: filters in the address, sorting, pages; and what a filter that cannot be read leads to."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from domain.values import BUSINESS_ZONE, business_date
from tests.pages.filled import NOW, TODAY, put, reading, statements, text_of
from tests.pages.test_guard import visit, with_rules
from tests.storage.streams import cancelled, deadline, member, submitted

pytestmark = pytest.mark.slow

FILE = re.compile(r'class="title"><a href="/delegations/([a-z0-9-]+)"')


async def test_files_are_filtered_by_what_the_address_says(tmp_path: Path) -> None:
    """Open ones where nothing is said; by state, words without diacritics, country, whose desk, overdue."""
    async with with_rules(tmp_path) as found:
        await put(found, "nara", title="Đoàn Nara", countries=("JP",))
        await put(found, "hue", submitted(), title="Đoàn Huế – Séc", countries=("CZ", "DE"), direction="outbound")
        await put(found, "over", cancelled(), title="Đoàn Sapporo", coordinator="minh")
        browser = await reading(found, "an")
        for query, expected in {
            "": ["hue", "nara"],
            "?phase=open": ["hue", "nara"],
            "?phase=": ["hue", "nara", "over"],
            "?phase=cancelled": ["over"],
            "?phase=&q=doan+hue+sec&direction=&country=&year=&due_before=": ["hue"],
            "?phase=submitted&phase=cancelled": ["hue", "over"],
            "?country=DE": ["hue"],
            "?direction=inbound": ["nara"],
            "?waits_for=department_head": ["hue"],
            "?waits_for=coordinator": ["nara"],
            "?overdue=yes": [],
            "?phase=&coordinator=minh": ["over"],
            "?nonsense=1": ["hue", "nara"],
        }.items():
            page = await visit(browser, f"GET /files{query}")
            assert page.status_code == 200, query
            assert sorted(FILE.findall(page.text)) == expected, query
        nothing = text_of((await visit(browser, "GET /files?overdue=yes")).text)
        assert "No file is as you ask." in nothing


async def test_a_line_says_state_dates_desk_and_what_is_due(tmp_path: Path) -> None:
    """In words; names only to who may see them."""
    async with with_rules(tmp_path) as found:
        await put(found, "kobe", submitted(), deadline("report", TODAY), title="Đoàn Kobe")
        said = text_of((await visit(await reading(found, "lan"), "GET /files")).text)
        auditor = text_of((await visit(await reading(found, "an"), "GET /files")).text)
    assert "1 file State File Dates ↑ On whose desk Next due date Submitted Đoàn Kobe Inbound" in said
    since = "since today" if business_date(NOW - timedelta(hours=2), BUSINESS_ZONE) == TODAY else "for 1 day"
    assert f"Department head Lê Văn Hùng {since}" in said
    assert "Inbound report" in said
    assert (f"Department head {since}" in auditor, "Lê Văn Hùng" in auditor) == (True, False)


async def test_pages_follow_each_other_with_all_filters(tmp_path: Path) -> None:
    """Fifty to a page; the way on keeps what was asked, and the way back is the first page."""
    async with with_rules(tmp_path) as found:
        for number in range(52):
            await put(found, f"f-{number:02}", title=f"Đoàn {number:02}")
        browser = await reading(found, "lan")
        first = (await visit(browser, "GET /files?sort=title&order=desc&q=doan")).text
        assert FILE.findall(first) == [f"f-{number:02}" for number in range(51, 1, -1)]
        assert 'aria-sort="descending"' in first
        way = re.search(r'href="(/files\?[^"]+)" rel="next"', first)
        assert way is not None
        second = (await visit(browser, f"GET {way[1].replace('&amp;', '&')}")).text
        assert FILE.findall(second) == ["f-01", "f-00"]
        assert 'href="/files?sort=title&amp;order=desc&amp;q=doan"' in second
        assert "52 files" in second
        assert (await visit(browser, "GET /files?cursor=AAAA")).status_code == 400


async def test_a_filter_that_cannot_be_read_comes_back_as_it_was_typed(tmp_path: Path) -> None:
    """The sentence beside its field and above all; nothing is listed meanwhile."""
    async with with_rules(tmp_path) as found:
        await put(found, "nara", title="Đoàn Nara")
        browser = await reading(found, "lan")
        for field, typed in (("year", "abc"), ("year", "1"), ("due_before", "x"), ("country", "x")):
            page = await visit(browser, f"GET /files?q=nara&{field}={typed}")
            assert (page.status_code, FILE.findall(page.text)) == (422, []), field
            assert f'href="#filter-{field}"' in page.text
            assert f'id="filter-{field}-error"' in page.text
            assert 'value="nara"' in page.text
            assert "<title>Error: " in page.text


async def test_many_files_cost_no_more_statements_than_few(tmp_path: Path) -> None:
    """A fixed number, whatever stands on the page."""
    async with with_rules(tmp_path) as found:
        browser, counts = await reading(found, "lan"), []
        for much in (1, 20):
            for number in range(much):
                await put(found, f"f-{much}-{number}", member(1), submitted(), deadline("report", TODAY))
            await visit(browser, "GET /files")
            with statements(found) as asked:
                assert (await visit(browser, "GET /files")).status_code == 200
            counts.append(len(asked))
    assert counts[0] == counts[1] <= 16
