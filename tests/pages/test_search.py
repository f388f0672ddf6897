"""One search: files, people, partners, hosts and contacts, and nothing that is not for the reader."""

from pathlib import Path
from typing import Any

import pytest

from domain.directory import ContactEntry, HostEntry, PartnerEntry
from domain.events import AnyEvent
from storage.accounts import AccountDetails
from storage.persons import PersonDetails
from tests.api.front import Front
from tests.pages.filled import part_of, put, reading, statements, text_of
from tests.pages.test_guard import visit, with_rules
from tests.storage.streams import cancelled, member

pytestmark = pytest.mark.slow


async def person(found: Front, name: str, **more: Any) -> Any:
    """Somebody in the register of people."""
    details = {"given_name": "x", "language": "en", "nationality": "JP", "email": "x@tokyo.example", **more}
    return await found.at.persons.register(PersonDetails(full_name=name, **details))


async def search(found: Front, account: str, words: str) -> str:
    """The page of what was found."""
    page = await visit(await reading(found, account), f"GET /search?q={words}")
    assert page.status_code == 200
    return page.text


async def test_one_search_finds_files_people_partners_hosts_and_contacts(tmp_path: Path) -> None:
    """The best first; every word has to be there; without diacritics as with them."""
    async with with_rules(tmp_path) as found:
        who = await person(found, "Đỗ Thị Huế", function="Chủ tịch")
        await put(found, "partner", partner="Huế Club", title="Đoàn Kobe")
        await put(found, "inside", title="Đoàn đi Huế")
        await put(found, "first", member(1).model_copy(update={"person": who}), title="Huế và Đà Nẵng")
        partner = await found.at.directory.add(
            PartnerEntry(kind="partner", name="Hội Huế tại Berlin", country="DE"), "lan", idempotency_key="a"
        )
        await found.at.directory.add(
            HostEntry(kind="host", name="Nhà văn hóa", place="Huế"), "lan", idempotency_key="b"
        )
        contact = await person(found, "Hans Hue", email="hans@berlin.example", phone="+49 30 123456")
        await found.at.directory.add(
            ContactEntry(kind="contact", at=partner.id, person=contact), "lan", idempotency_key="c"
        )
        page = await search(found, "lan", "hue")
        assert part_of(page, "files").startswith("Delegations Huế và Đà Nẵng")
        files = part_of(page, "files")
        assert files.index("Huế và Đà Nẵng") < files.index("Đoàn đi Huế") < files.index("Đoàn Kobe")
        assert (
            part_of(page, "people") == "People on open files Đỗ Thị Huế · Chủ tịch Huế và Đà Nẵng (head of delegation)"
        )
        assert part_of(page, "partners").startswith("Partners and hosts Hội Huế tại Berlin Partner · Germany")
        assert "Nhà văn hóa Host · Vietnam · Huế" in part_of(page, "partners").replace("Viet Nam", "Vietnam")
        assert part_of(page, "contacts") == (
            "Contacts Hans Hue · Hội Huế tại Berlin hans@berlin.example · +49 30 123456"
        )
        assert "Huế và Đà Nẵng" in await search(found, "lan", "HUẾ+nang")
        assert "Nothing was found." in await search(found, "lan", "hue+nowhere")
        assert "Nothing was found." not in await search(found, "lan", "")


async def test_names_are_found_only_by_whoever_may_see_them(tmp_path: Path) -> None:
    """No auditor; nobody outside the reach of the file; nobody on files that are over."""
    async with with_rules(tmp_path) as found:
        await found.at.accounts.create(
            AccountDetails(id="xa", name="Xa", roles=("coordinator",), organisation="elsewhere")
        )
        for name, event in (("open", None), ("over", cancelled())):
            who = await person(found, f"Satō {name}")
            more: list[AnyEvent] = [member(1).model_copy(update={"person": who}), *([event] if event else [])]
            await put(found, name, *more, title=f"Đoàn {name}")
        assert "Satō open" in await search(found, "lan", "sato")
        assert "Satō over" not in await search(found, "lan", "sato")
        for account in ("an", "xa"):
            page = await search(found, account, "sato")
            assert "Satō" not in page
            assert "Nothing was found." in page
        assert "Đoàn open" not in await search(found, "xa", "doan")
        assert "an auditor checks the trail without their names" in text_of(await search(found, "an", "sato"))


@pytest.mark.parametrize("words", ["%00", "%25", "%3Cscript%3E", "a" * 5000, "%F0%9F%98%80", "_", "%5C"])
async def test_whatever_is_looked_for_the_page_stands(tmp_path: Path, words: str) -> None:
    """Wild cards, markup, NUL and too much are words like others."""
    async with with_rules(tmp_path) as found:
        await put(found, "nara", title="Đoàn Nara")
        page = await search(found, "lan", words)
    assert "<script>" not in page
    assert "Đoàn Nara" not in page


async def test_a_search_costs_as_many_statements_for_many_people_as_for_one(tmp_path: Path) -> None:
    """Names are read together."""
    async with with_rules(tmp_path) as found:
        browser, counts = await reading(found, "lan"), []
        for much in (1, 9):
            for number in range(much):
                who = await person(found, f"Satō {number}")
                await put(found, f"f-{much}-{number}", member(1).model_copy(update={"person": who}))
            await visit(browser, "GET /search?q=sato")
            with statements(found) as asked:
                await visit(browser, "GET /search?q=sato")
            counts.append(len(asked))
    assert counts[0] == counts[1] <= 10
