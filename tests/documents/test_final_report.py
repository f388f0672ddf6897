"""The final report of scenario A: what happened, what was late, what it cost."""

from datetime import date

import pytest
from pydantic import ValidationError

from documents import final_report
from documents.final_report import CostLine, Formality, Travelled
from domain.bilingual import Bilingual
from tests.documents import samples
from tests.documents.reading import flowing, lines, pages


def test_the_vietnamese_report_has_every_section_numbered() -> None:
    """Ten sections in Roman numbers, and the parts of the decree around them."""
    printed = lines(final_report.render(samples.report(), "vi", samples.AT))
    wanted = [
        "BÁO CÁO",
        "Kết quả đón tiếp đoàn",
        "Kính gửi: Ban Thường vụ Liên hiệp",
        "I. THÔNG TIN CHUNG",
        "II. MỤC ĐÍCH",
        "III. THÀNH PHẦN ĐOÀN",
        "IV. CHƯƠNG TRÌNH ĐÃ THỰC HIỆN",
        "V. KẾT QUẢ CHUYẾN THĂM VÀ LÀM VIỆC",
        "VI. QUÁ TRÌNH PHÊ DUYỆT",
        "VII. THỦ TỤC VÀ THỜI HẠN",
        "VIII. KINH PHÍ VÀ ĐỊNH MỨC",
        "IX. KIẾN NGHỊ, ĐỀ XUẤT",
        "X. TÀI LIỆU KÈM THEO VÀ NHẬT KÝ HỒ SƠ",
        "KT. CHỦ TỊCH",
    ]
    assert [line for line in printed if line in wanted] == wanted


def test_sections_without_content_are_left_out_and_the_numbers_close_up() -> None:
    """A short report is short."""
    bare = samples.report(
        members=(), programme=(), approvals=(), formalities=(), costs=(), recommendations=None, annexes=(), trail=None
    )
    report = pages(final_report.render(bare, "en", samples.AT))
    assert len(report) == 1
    headings = [line.strip() for line in report[0].split("\n") if line[:1].isdigit() and ". " in line[:4]]
    assert headings == ["1. General information", "2. Purpose", "3. Results"]


def test_facts_count_those_who_came_and_those_who_had_registered() -> None:
    """Eleven of twelve; both days of the visit count."""
    vietnamese = flowing(final_report.render(samples.report(), "vi", samples.AT))
    assert "Thời gian Từ ngày 6 đến ngày 12 tháng 4 năm 2026 (7 ngày)" in vietnamese
    assert "Số người tham gia 11 người (12 người đã đăng ký)" in vietnamese
    english = flowing(final_report.render(samples.report(), "en", samples.AT))
    assert "Dates 6–12 April 2026 (7 days)" in english
    assert "Took part 11 people (12 registered)" in english
    assert "Countries Japan, Germany and United States" in english


def test_changes_to_members_and_programme_are_told() -> None:
    """Who withdrew and when, what moved from which time, what was cancelled."""
    printed = flowing(final_report.render(samples.report(), "en", samples.AT))
    assert "9 Zoë Schäfer Architect Germany Withdrawn 30 Mar 2026" in printed
    assert "14:30 – 16:30 Meeting with the city’s friendship association Ho Chi Minh City" in printed
    assert "moved from 09:00" in printed
    assert "10:30 – 11:30 Press conference Ho Chi Minh City Cancelled" in printed


def test_a_substitute_signs_with_both_names() -> None:
    """Who signed, by what right, in whose place, and when on the business clock (domain.md, Approval practice)."""
    printed = flowing(final_report.render(samples.report(), "vi", samples.AT))
    assert "Nguyễn Thị Thuỳ Trang Phó Chủ tịch KT. Chủ tịch thay Phạm Hữu Kỷ Đã ký 09/03/2026 16:40" in printed


@pytest.mark.parametrize(
    ("due", "done", "said"),
    [
        (date(2026, 4, 2), date(2026, 4, 2), "In time"),
        (date(2026, 4, 2), date(2026, 4, 3), "1 day late"),
        (date(2026, 4, 2), date(2026, 4, 9), "7 days late"),
        (date(2026, 4, 14), None, "Missed"),
        (date(2026, 4, 15), None, "Not due yet"),
        (None, date(2026, 4, 9), "Done"),
    ],
)
def test_a_deadline_is_kept_late_missed_or_open(due: date | None, done: date | None, said: str) -> None:
    """Judged on the day of the report, 15 April."""
    changed = samples.report(formalities=(Formality(what="Delegation list", due=due, done=done, rule="IN-3 v2"),))
    printed = lines(final_report.render(changed, "en", samples.AT))
    row = next(line for line in printed if line.startswith("Delegation list IN-3 v2"))
    assert row.endswith(said)


def test_sums_add_up_and_an_excess_is_named() -> None:
    """Money in the figures of each language; the total of ceilings is that of the scenario, 184.6 million."""
    vietnamese = flowing(final_report.render(samples.report(), "vi", samples.AT)).replace("\N{NO-BREAK SPACE}", " ")
    assert "61.600.000 ₫ 58.950.000 ₫ 2.650.000 ₫" in vietnamese
    assert "123.000.000 ₫ 124.200.000 ₫ Vượt 1.200.000 ₫" in vietnamese
    assert "Tổng cộng 184.600.000 ₫ 183.150.000 ₫ 1.450.000 ₫" in vietnamese
    english = flowing(final_report.render(samples.report(), "en", samples.AT)).replace("\N{NO-BREAK SPACE}", " ")
    assert "Total 184,600,000 VND 183,150,000 VND 1,450,000 VND" in english


def test_a_total_with_an_unknown_part_is_not_given() -> None:
    """What was spent on one line only is not what was spent."""
    costs = (
        CostLine(what="Meals", ceiling_vnd=67_200_000, actual_vnd=60_000_000),
        CostLine(what="Lodging", ceiling_vnd=133_800_000),
    )
    printed = flowing(final_report.render(samples.report(costs=costs), "en", samples.AT))
    assert "Total 201,000,000 VND – –" in printed.replace("\N{NO-BREAK SPACE}", " ")


def test_ceilings_stand_alone_while_nothing_is_known_of_spending() -> None:
    """Columns of dashes would look like forgotten figures."""
    costs = (CostLine(what="Meals", ceiling_vnd=61_600_000), CostLine(what="Lodging", ceiling_vnd=123_000_000))
    printed = flowing(final_report.render(samples.report(costs=costs), "en", samples.AT))
    assert "Cost item Ceiling Meals 61,600,000 VND" in printed.replace("\N{NO-BREAK SPACE}", " ")
    assert "Total 184,600,000 VND" in printed.replace("\N{NO-BREAK SPACE}", " ")
    assert "Spent" not in printed


def test_an_erased_name_is_said_in_each_language() -> None:
    """The head count stays, the name does not (domain.md, scenario A)."""
    erased = Travelled(name=Bilingual(vi="(đã xoá theo yêu cầu)", en="(erased on request)"), country="DE")
    changed = samples.report(members=(erased,))
    assert "(đã xoá theo yêu cầu)" in flowing(final_report.render(changed, "vi", samples.AT))
    assert "(erased on request)" in flowing(final_report.render(changed, "en", samples.AT))


def test_annexes_and_the_trail_are_named_by_short_digests() -> None:
    """The first sixteen digits in groups of four."""
    printed = flowing(final_report.render(samples.report(), "en", samples.AT))
    assert "1 Memorandum of understanding ab12 cd34 ab12 cd34 …" in printed
    assert "whose last entry has the hash 9c9c 9c9c 9c9c 9c9c …, has 143 sealed entries." in printed


def test_money_is_whole_and_not_negative() -> None:
    """Half a đồng, a text and a debt are refused."""
    for wrong in (1.5, "100", -1, True):
        with pytest.raises(ValidationError):
            CostLine.model_validate({"what": "Meals", "ceiling_vnd": wrong})


def test_an_outbound_report_is_called_so() -> None:
    """The words differ by direction, the form does not."""
    assert "Kết quả chuyến công tác nước ngoài" in lines(
        final_report.render(samples.report(direction="outbound"), "vi", samples.AT)
    )
