"""What of the directory, and of a big sending, needs a browser: pages that say by themselves how far something is."""

import uuid
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.async_api import expect

from domain.directory import PartnerEntry
from storage.mail_ledger import Mail
from tests.pages.conftest import Site, Visitor
from tests.storage.tables import workbook

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


async def test_a_table_is_sent_left_found_again_and_taken_over(site: Site, visitor: Visitor, tmp_path: Path) -> None:
    """A workbook, from the directory to its entries; axe finds nothing on the way."""
    mine, page = uuid.uuid4().hex[:8], visitor.page
    known = PartnerEntry(kind="partner", name=f"Hội {mine} Nara", country="JP")
    await site.here.registers.directory.add(known, "lan", idempotency_key=mine)
    rows = [["kind", "name", "country"], ["partner", f"Hội {mine} Nara", "JP"]]
    rows += [["partner", f"Hội {mine} Kobe", "JP"], ["partner", "=1+1", "XX"]]
    file = tmp_path / "Đối tác.xlsx"
    file.write_bytes(workbook(rows))
    await visitor.speak("en")
    await visitor.sign_in("lan")
    await page.get_by_role("link", name="Directory").click()
    await page.get_by_role("link", name="From a table").click()
    assert await visitor.violations() == []
    await page.get_by_label("The table").set_input_files(file)
    await page.get_by_role("button", name="Have it read").click()
    await expect(page.get_by_role("heading", name="Đối tác.xlsx")).to_be_visible()
    await visitor.go("/")
    await visitor.go("/directory/imports")
    await page.get_by_role("link", name="Đối tác.xlsx").click()
    await expect(page.get_by_role("button", name="Take over 1 row")).to_be_visible(timeout=20_000)
    await expect(page.get_by_role("row", name="4 –")).to_contain_text("Country (column C)")
    assert await visitor.violations() == []
    await page.get_by_role("button", name="Take over 1 row").click()
    await expect(page.get_by_text("1 row was entered.")).to_be_visible(timeout=20_000)
    await visitor.go(f"/directory?q={mine}")
    await page.get_by_role("link", name=f"Hội {mine} Kobe").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text(f"Hội {mine} Kobe")
    assert await visitor.violations() == []


async def test_a_table_that_is_being_read_says_by_itself_when_it_was(site: Site, visitor: Visitor) -> None:
    """Whoever looks begins the reading anew that a stop cut off, and need not ask again."""
    mine = uuid.uuid4().hex
    content = f"kind,name,country\npartner,Hội {mine},JP\n".encode()
    await site.here.registers.directory_uploads.send("lan", f"imp_{mine}", f"{mine}.csv", content)
    await visitor.speak("en")
    await visitor.sign_in("lan")
    await visitor.go(f"/directory/imports/imp_{mine}")
    await expect(visitor.page.get_by_role("button", name="Take over 1 row")).to_be_visible(timeout=20_000)
    await expect(visitor.page.get_by_text("is being read")).to_have_count(0)


async def test_a_big_sending_says_by_itself_how_far_it_is(site: Site, visitor: Visitor) -> None:
    """Mailbox by mailbox, while somebody looks on; at its end that everything has left."""
    await site.here.open()
    id, ledger = site.here.id, site.here.registers.mail_ledger
    mails = [
        Mail(
            uid=f"{id}/{number}",
            sequence=0,
            method="invitation_letter",
            view_hash="0" * 64,
            message_id=f"<{number}.{id}@songlam.example>",
            delegation_id=id,
            issue=f"{id}/letters",
            kind="invitation_letter",
            participants=(f"m-{number}",),
            mailbox=f"{number}@{id}.example",
            content=b"Subject: x",
        )
        for number in range(98)
    ]
    await ledger.enqueue(mails)
    await ledger.mark_sent([one.message_id for one in mails[:3]], datetime.now(UTC))
    await visitor.speak("en")
    await visitor.sign_in("lan")
    await visitor.go(f"/delegations/{id}/invitations")
    told = visitor.page.locator("#told")
    await expect(told).to_contain_text("3 of 98 mailboxes have everything; 95 messages have not left yet.")
    assert await visitor.violations() == []
    await ledger.mark_sent([one.message_id for one in mails[:41]], datetime.now(UTC))
    await expect(told).to_contain_text("41 of 98 mailboxes have everything", timeout=20_000)
    await ledger.mark_sent([one.message_id for one in mails], datetime.now(UTC))
    await expect(told).to_contain_text("Everything for 98 mailboxes has left.", timeout=20_000)
    await expect(told.locator("progress")).to_have_count(0)
