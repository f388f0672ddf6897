"""Documents compiled from a file: what the letter and the report say is what the trail says."""

import pypdfium2
import pytest

from tests.running import Running
from tests.workflows.test_delegation import at, prepared


def words(pdf: bytes) -> str:
    """The text of a PDF, blanks folded."""
    pages = pypdfium2.PdfDocument(pdf)
    return " ".join(" ".join(page.get_textpage().get_text_range() for page in pages).split())


async def rendered(here: Running, kind: str) -> dict[str, str]:
    """The text of a rendered document, by language."""
    file = await here.idle()
    found = next(one for one in file.rendered if one.kind == kind)
    return {
        version.language: words(await here.registers.attachments.read(version.attachment.digest))
        for version in found.versions
    }


@pytest.mark.slow
async def test_letter_and_report_say_what_the_trail_says(here: Running) -> None:
    """Who signed and by what right, who left, what moved: in both languages."""
    invited = await prepared(here)
    letter = await rendered(here, "invitation_letter")
    assert "GIẤY MỜI" in letter["vi"].upper() or "THƯ MỜI" in letter["vi"].upper()
    assert "Tokyo Friendship Association" in letter["en"]
    assert "Delegate head" in letter["en"]

    await here.send({"type": "withdraw_member", "member_id": "second"})
    await here.clock.advance(here.id, at(invited.starts, 8))
    await here.send({"type": "depart"})
    await here.send({"type": "conclude"})
    await here.send({"type": "file_report", "results": await here.text("Hai bên thống nhất ba việc.\nViệc thứ nhất.")})
    report = await rendered(here, "final_report")
    assert "Hai bên thống nhất ba việc." in report["vi"]
    assert "Lê Văn Hùng" in report["vi"]
    assert "Phạm Thị Mai" in report["vi"]
    assert "KT. CHỦ TỊCH" in report["vi"].upper()
    assert "Withdrawn" in report["en"]
    assert "IN-REPORT" not in report["en"]
