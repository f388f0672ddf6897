"""The trail as a PDF: each line in both languages, literal, and the same bytes each time."""

import re
from datetime import UTC, date, datetime

import pytest

from documents import trail_record
from documents.trail_record import TrailLine, TrailRecord, render
from domain.bilingual import Bilingual
from tests.documents.reading import flowing, pages

AT = datetime(2026, 5, 4, 2, 0, tzinfo=UTC)
HOSTILE = '#import "x" {{7*7}} =cmd() *đậm* $x$ \\u{1F600} <a>'


def both(text: str) -> Bilingual:
    """The same in both languages."""
    return Bilingual(vi=text, en=text)


def record(count: int = 1, **more: object) -> TrailRecord:
    """A record of as many lines."""
    line = TrailLine(
        seq=1,
        at=Bilingual(vi="09:00, 04/05/2026", en="09:00, 4 May 2026"),
        who=both("hung"),
        right=Bilingual(vi="TL. Trưởng ban từ 01/01/2026", en="TL. Department head since 1 Jan 2026"),
        what=Bilingual(vi="ký bước “Trưởng ban”", en="signs the step “Department head”"),
    )
    said = {
        "delegation": "hoi-an-2026",
        "title": "Đoàn Hội hữu nghị Tokyo",
        "partner": "Tokyo Friendship Association",
        "starts": date(2026, 4, 6),
        "ends": date(2026, 4, 12),
        "clock": Bilingual(vi="giờ Việt Nam (UTC+7)", en="Viet Nam Time (UTC+7)"),
        "lines": tuple(line.model_copy(update={"seq": seq}) for seq in range(1, count + 1)),
        "head": "ab" * 32,
        "checkpoint": 12,
    }
    return TrailRecord.model_validate(said | more)


def test_who_by_what_right_what_and_when_stand_in_both_languages() -> None:
    """With the head and the checkpoint, by which it can be checked."""
    [pdf] = render(record(), AT)
    text = flowing(pdf)
    for said in (
        "Nhật ký hồ sơ đoàn · Trail of a delegation’s file",
        "09:00, 04/05/2026 09:00, 4 May 2026",
        "TL. Trưởng ban từ 01/01/2026 / TL. Department head since 1 Jan 2026",
        "ký bước “Trưởng ban” signs the step “Department head”",
        "từ ngày 6 đến ngày 12 tháng 4 năm 2026 / 6–12 April 2026",
        "ab" * 32,
        "Checkpoint 12 has it.",
    ):
        assert said in text


def test_what_people_wrote_stands_as_they_wrote_it() -> None:
    """No markup, no formula, no template (faults.md, row 15)."""
    line = record().lines[0].model_copy(update={"what": both(HOSTILE)})
    [pdf] = render(record(title=HOSTILE, lines=(line,)), AT)
    text = flowing(pdf)
    assert text.count("{{7*7}} =cmd() *đậm* $x$") == 3


def test_the_same_record_gives_the_same_bytes_on_as_many_pages_as_it_takes() -> None:
    """The head of the table is repeated on each."""
    one, again = (render(record(60), AT) for _ in range(2))
    assert one == again
    shown = pages(one[0])
    assert len(shown) > 1
    assert all("Nội dung / What" in page for page in shown)


def test_a_long_record_is_several_documents(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each says which events of how many are in it; together they have all."""
    monkeypatch.setattr(trail_record, "LINES", 2)
    texts = [flowing(pdf) for pdf in render(record(5), AT)]
    found = [re.search(r"Sự kiện / Events (\S+(?: / 5)?)", text) for text in texts]
    assert [one and one[1] for one in found] == ["1–2 / 5", "3–4 / 5", "5–5 / 5"]
