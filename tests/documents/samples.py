"""A letter and a report of scenario A (domain.md), and overfull ones: invented people of an invented province."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from documents.administrative import Heading, Issuer, Signatory, Wording
from documents.final_report import Annex, Approval, CostLine, Formality, Performed, Trail, Travelled
from documents.final_report_content import FinalReport
from documents.invitation_letter import InvitationLetter, Invited
from documents.programme import ProgrammeEntry
from domain.bilingual import Bilingual

VIET_NAM = ZoneInfo("Asia/Ho_Chi_Minh")
AT = datetime(2026, 3, 10, 9, 0, tzinfo=VIET_NAM)

CITIES: tuple[Wording, ...] = (
    "Hà Nội",
    Bilingual(vi="Huế", en="Huế"),
    "Đà Nẵng",
    Bilingual(vi="TP. Hồ Chí Minh", en="Ho Chi Minh City"),
)

UNION = Issuer(
    parent=Bilingual(vi="Liên hiệp các tổ chức hữu nghị Việt Nam", en="Viet Nam Union of Friendship Organizations"),
    name=Bilingual(vi="Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam", en="Sông Lam Union of Friendship Organizations"),
    address=Bilingual(vi="12 Trần Phú, TP. Sông Lam", en="12 Trần Phú Street, Sông Lam City"),
    telephone="+84 238 000 0000",
    email="doingoai@songlam.example",
)

VICE_PRESIDENT = Signatory(
    name="Nguyễn Thị Thuỳ Trang",
    office=Bilingual(vi="Phó Chủ tịch", en="Vice-President"),
    prefix="KT",
    principal=Bilingual(vi="Chủ tịch", en="President"),
)

PARTNER = Bilingual(
    vi="Hội Hữu nghị Nhật – Việt thành phố Hoa Anh Đào", en="the Japan – Viet Nam Friendship Association of Sakura City"
)

MEMBERS = (
    ("Tanaka Haruka", Bilingual(vi="Chủ tịch Hội, Trưởng đoàn", en="President of the Association, head"), "JP"),
    ("Satō Kenji", Bilingual(vi="Phó Chủ tịch", en="Vice-President"), "JP"),
    ("Yamamoto Yui", Bilingual(vi="Tổng Thư ký", en="Secretary General"), "JP"),
    ("Kobayashi Ren", Bilingual(vi="Ủy viên", en="Board member"), "JP"),
    ("Suzuki Aoi", Bilingual(vi="Ủy viên", en="Board member"), "JP"),
    ("Itō Daichi", Bilingual(vi="Phiên dịch", en="Interpreter"), "JP"),
    ("Watanabe Mei", Bilingual(vi="Nhà nghiên cứu", en="Researcher"), "JP"),
    ("Jürgen Großmann", Bilingual(vi="Giáo sư", en="Professor"), "DE"),
    ("Zoë Schäfer", Bilingual(vi="Kiến trúc sư", en="Architect"), "DE"),
    ("Łukasz Weiß", Bilingual(vi="Nhà báo", en="Journalist"), "DE"),
    ("Mary O’Brien", Bilingual(vi="Chuyên gia bảo tồn", en="Conservation specialist"), "US"),
    ("Nguyễn Văn Ngữ", Bilingual(vi="Cố vấn", en="Adviser"), "US"),
)

SESSIONS = (
    (6, "09:00", "11:30", "Chào xã giao lãnh đạo Liên hiệp", "Courtesy call on the Union’s leadership", 0),
    (6, "14:00", "16:30", "Làm việc với Sở Ngoại vụ", "Meeting with the Department of Foreign Affairs", 0),
    (7, "09:00", "11:00", "Thăm Văn Miếu – Quốc Tử Giám", "Visit to the Temple of Literature", 0),
    (7, "14:30", "17:00", "Tọa đàm bảo tồn di sản", "Round table on heritage conservation", 0),
    (
        8,
        "10:00",
        "12:00",
        "Làm việc với Trung tâm Bảo tồn Di tích Cố đô",
        "Meeting at the Monuments Conservation Centre",
        1,
    ),
    (8, "15:00", "17:30", "Khảo sát Đại Nội", "Field study of the Imperial City", 1),
    (9, "08:30", "11:30", "Thăm làng nghề", "Visit to craft villages", 1),
    (9, "19:00", "21:00", "Dạ tiệc hữu nghị", "Friendship dinner", 1),
    (10, "09:00", "11:30", "Thăm Bảo tàng Điêu khắc Chăm", "Visit to the Museum of Cham Sculpture", 2),
    (10, "14:00", "16:00", "Gặp gỡ sinh viên", "Meeting with students", 2),
    (11, "09:00", "11:00", "Làm việc với Hội Hữu nghị thành phố", "Meeting with the city’s friendship association", 3),
    (11, "15:30", "17:00", "Thăm Bảo tàng Chứng tích", "Visit to the War Remnants Museum", 3),
    (12, "08:30", "10:00", "Ký biên bản ghi nhớ", "Signing of the memorandum of understanding", 3),
    (12, "10:30", "11:30", "Họp báo", "Press conference", 3),
)


def at(day: int, clock: str, zone: ZoneInfo = VIET_NAM, month: int = 4) -> datetime:
    """A time in 2026 on the clock of `zone`."""
    hour, minute = clock.split(":")
    return datetime(2026, month, day, int(hour), int(minute), tzinfo=zone)


def heading(reference: str = "12/GM-LH", dated: date = date(2026, 3, 10)) -> Heading:
    """The edges of every document here."""
    return Heading(
        issuer=UNION,
        reference=reference,
        place="Hà Nội",
        dated=dated,
        signatory=VICE_PRESIDENT,
        recipients=(
            Bilingual(vi="Sở Ngoại vụ (để phối hợp)", en="Department of Foreign Affairs"),
            Bilingual(vi="Công an tỉnh (để phối hợp)", en="Provincial Police"),
        ),
        archive="VT, ĐN",
    )


def letter(**changes: object) -> InvitationLetter:
    """The invitation of scenario A, 12 delegates and 14 sessions."""
    content = InvitationLetter(
        heading=heading(),
        subject=Bilingual(
            vi="Đoàn nghiên cứu bảo tồn di sản thăm và làm việc tại Việt Nam",
            en="Study visit on heritage conservation",
        ),
        organisation=PARTNER,
        cities=CITIES,
        arrival=date(2026, 4, 6),
        departure=date(2026, 4, 12),
        purpose="Trao đổi kinh nghiệm bảo tồn di sản và ký biên bản ghi nhớ hợp tác.",
        members=tuple(Invited(name=name, role=role, country=country) for name, role, country in MEMBERS),
        programme=tuple(
            ProgrammeEntry(starts=at(day, start), ends=at(day, end), title=Bilingual(vi=vi, en=en), place=CITIES[city])
            for day, start, end, vi, en, city in SESSIONS
        ),
        hosts=(Bilingual(vi="Hội Hữu nghị Việt – Nhật tỉnh Sông Lam", en="the Sông Lam Viet Nam – Japan Association"),),
        costs="host_except_travel",
        reply_by=date(2026, 3, 20),
        contact="Lê Thị Hồng Nhung, +84 238 000 0000, doingoai@songlam.example",
    )
    return content.model_copy(update=changes)


def report(**changes: object) -> FinalReport:
    """The final report of scenario A: the eleventh hour’s change of time, the ninth delegate who dropped out."""
    content = FinalReport(
        heading=heading("31/BC-LH", date(2026, 4, 15)),
        delegation="songlam-2026-007",
        direction="inbound",
        title=Bilingual(vi="Đoàn nghiên cứu bảo tồn di sản", en="Study visit on heritage conservation"),
        addressee=Bilingual(vi="Ban Thường vụ Liên hiệp", en="Standing Board of the Union"),
        partner=PARTNER,
        hosts=("Hội Hữu nghị Việt – Nhật tỉnh Sông Lam",),
        countries=("JP", "DE", "US"),
        places=CITIES,
        arrival=date(2026, 4, 6),
        departure=date(2026, 4, 12),
        head_count=11,
        registered=12,
        purpose="Trao đổi kinh nghiệm bảo tồn di sản; ký biên bản ghi nhớ hợp tác giữa hai tổ chức.",
        members=tuple(
            Travelled(name=name, role=role, country=country)
            if number != 9
            else Travelled(name=name, role=role, country=country, standing="withdrawn", left_on=date(2026, 3, 30))
            for number, (name, role, country) in enumerate(MEMBERS, 1)
        ),
        programme=tuple(
            Performed(
                starts=at(day, "14:30") if (day, start) == (11, "09:00") else at(day, start),
                ends=at(day, "16:30") if (day, start) == (11, "09:00") else at(day, end),
                title=Bilingual(vi=vi, en=en),
                place=CITIES[city],
                moved_from=at(11, "09:00") if (day, start) == (11, "09:00") else None,
                outcome="cancelled" if (day, start) == (12, "10:30") else "held",
            )
            for day, start, end, vi, en, city in SESSIONS
        ),
        approvals=(
            Approval(
                step=Bilingual(vi="Trưởng ban Đối ngoại", en="Head of External Relations"),
                by=Signatory(name="Trần Quốc Bảo", office=Bilingual(vi="Trưởng ban", en="Head of department")),
                at=at(6, "10:15", month=3),
            ),
            Approval(
                step=Bilingual(vi="Thường trực Liên hiệp", en="Standing Board"),
                by=VICE_PRESIDENT,
                in_place_of="Phạm Hữu Kỷ",
                at=at(9, "16:40", month=3),
            ),
        ),
        formalities=(
            Formality(
                what=Bilingual(vi="Trình đề nghị đón đoàn", en="Proposal submitted"),
                due=date(2026, 3, 7),
                done=date(2026, 3, 4),
                rule="IN-1 v1",
            ),
            Formality(
                what=Bilingual(vi="Thông báo Công an và Sở Ngoại vụ", en="Police and department notified"),
                due=date(2026, 4, 2),
                done=date(2026, 4, 3),
                rule="IN-4 v1",
            ),
            Formality(
                what=Bilingual(vi="Báo cáo kết quả", en="Final report filed"),
                due=date(2026, 4, 15),
                done=date(2026, 4, 15),
                rule="IN-7 v1",
            ),
        ),
        costs=(
            CostLine(
                what=Bilingual(vi="Ăn", en="Meals"),
                basis=Bilingual(vi="11 người × 7 ngày × 800.000 ₫", en="11 people × 7 days × 800,000 VND"),
                ceiling_vnd=61_600_000,
                actual_vnd=58_950_000,
            ),
            CostLine(
                what=Bilingual(vi="Ở", en="Lodging"),
                basis=Bilingual(
                    vi="1 × 6 đêm × 2.500.000 ₫ + 10 × 6 đêm × 1.800.000 ₫",
                    en="1 × 6 nights × 2,500,000 VND + 10 × 6 nights × 1,800,000 VND",
                ),
                ceiling_vnd=123_000_000,
                actual_vnd=124_200_000,
            ),
        ),
        results="Đoàn đã làm việc với 6 cơ quan, tổ chức; hai bên ký biên bản ghi nhớ hợp tác giai đoạn 2026–2030.\n"
        "Các nội dung đã thống nhất được giao cho các hội thành viên triển khai.",
        recommendations="Đề nghị Ban Thường vụ cho phép cử đoàn đáp lễ trong quý IV năm 2026.",
        annexes=(
            Annex(name=Bilingual(vi="Biên bản ghi nhớ", en="Memorandum of understanding"), sha256="ab12cd34" * 8),
            Annex(name=Bilingual(vi="Danh sách đoàn, bản 2", en="Delegation list, version 2"), sha256="0f" * 32),
        ),
        trail=Trail(length=143, head="9c" * 32),
    )
    return content.model_copy(update=changes)


def overfull_letter() -> InvitationLetter:
    """98 members, 67 items over a week, a title of 120 characters."""
    return letter(
        subject=LONG_TITLE,
        members=tuple(
            Invited(name=f"Nguyễn Thị Thuỳ Trang Đặng Hữu Kỷ {number}", role="Ủy viên Ban Chấp hành", country="DE")
            for number in range(1, 99)
        ),
        programme=tuple(
            ProgrammeEntry(starts=start, ends=start + timedelta(hours=1), title=LONG_TITLE, place="TP. Hồ Chí Minh")
            for start in item_times()
        ),
    )


def overfull_report() -> FinalReport:
    """98 members, 67 items, a chain of 9 approvals, a title of 120 characters."""
    return report(
        title=LONG_TITLE,
        members=tuple(
            Travelled(name=f"Nguyễn Thị Thuỳ Trang Đặng Hữu Kỷ {number}", role="Ủy viên Ban Chấp hành", country="DE")
            for number in range(1, 99)
        ),
        programme=tuple(
            Performed(starts=start, ends=start + timedelta(hours=1), title=LONG_TITLE, place="TP. Hồ Chí Minh")
            for start in item_times()
        ),
        approvals=report().approvals[1:] * 9,
    )


def item_times() -> list[datetime]:
    """67 starts, ten a day."""
    return [at(6, "08:00") + timedelta(days=number // 10, hours=number % 10) for number in range(67)]


LONG_TITLE = (
    "Tọa đàm về bảo tồn, phát huy giá trị di sản văn hóa "
    "và giao lưu hữu nghị nhân dân giữa các địa phương kết nghĩa năm 2026"
)
