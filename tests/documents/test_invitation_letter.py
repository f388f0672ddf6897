"""The invitation of scenario A, line by line, in both languages."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from pydantic import ValidationError

from documents import invitation_letter
from documents.administrative import Signatory
from documents.invitation_letter import InvitationLetter, Invited
from documents.programme import ProgrammeEntry
from domain.bilingual import Bilingual
from tests.documents import samples
from tests.documents.reading import flowing, lines, pages


def test_the_vietnamese_letter_has_the_parts_of_the_decree() -> None:
    """National name and motto, issuer, number, place and date, type, summary, signatory, recipients: in their order."""
    first = pages(invitation_letter.render(samples.letter(), "vi", samples.AT))[0]
    parts = [
        "LIÊN HIỆP CÁC TỔ CHỨC HỮU NGHỊ VIỆT NAM",
        "HỮU NGHỊ TỈNH SÔNG LAM",
        "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
        "Độc lập - Tự do - Hạnh phúc",
        "Số: 12/GM-LH",
        "Hà Nội, ngày 10 tháng 3 năm 2026",
        "THƯ MỜI",
        "Đoàn nghiên cứu bảo tồn di sản thăm và làm việc tại Việt Nam",
        "Kính gửi: Hội Hữu nghị Nhật – Việt thành phố Hoa Anh Đào",
        "Nơi nhận:",
        "- Như trên;",
        "- Sở Ngoại vụ (để phối hợp);",
        "- Công an tỉnh (để phối hợp);",
        "- Lưu: VT, ĐN.",
        "KT. CHỦ TỊCH",
        "PHÓ CHỦ TỊCH",
        "Nguyễn Thị Thuỳ Trang",
    ]
    assert [part for part in parts if part not in first] == []
    places = [first.index(part) for part in parts]
    assert places == sorted(places)


def test_the_vietnamese_letter_says_who_when_where_and_who_pays() -> None:
    """The sentences of the letter, as a person reads them."""
    text = flowing(invitation_letter.render(samples.letter(), "vi", samples.AT))
    for sentence in (
        (
            "Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam trân trọng kính mời đoàn đại biểu của Hội Hữu nghị "
            "Nhật – Việt thành phố Hoa Anh Đào sang thăm và làm việc tại Việt Nam "
            "từ ngày 6 đến ngày 12 tháng 4 năm 2026. "
            "Đoàn sẽ đến thăm Hà Nội, Huế, Đà Nẵng và TP. Hồ Chí Minh."
        ),
        (
            "Đón tiếp và làm việc với đoàn: Hội Hữu nghị Việt – Nhật tỉnh Sông Lam. "
            "Danh sách đoàn và chương trình dự kiến được nêu tại các phụ lục kèm theo Thư mời này."
        ),
        "chi phí đi lại quốc tế do đoàn tự chi trả.",
        "Kính mong nhận được phúc đáp của Quý vị trước ngày 20 tháng 3 năm 2026.",
        "Chúng tôi rất hân hạnh được đón tiếp Quý vị./.",
    ):
        assert sentence in text


def test_the_english_letter_is_a_letter_and_not_a_translated_form() -> None:
    """No national motto; a salutation, a close, the right to sign in words."""
    printed = lines(invitation_letter.render(samples.letter(), "en", samples.AT))
    wanted = [
        "Viet Nam Union of Friendship Organizations",
        "Sông Lam Union of Friendship Organizations",
        "12 Trần Phú Street, Sông Lam City · Telephone: +84 238 000 0000 · E-mail: doingoai@songlam.example",
        "No.: 12/GM-LH Hà Nội, 10 March 2026",
        "The Japan – Viet Nam Friendship Association of Sakura City",
        "Invitation letter: Study visit on heritage conservation",
        "Dear Sir or Madam,",
        "We should be grateful for your reply by 20 March 2026.",
        "Yours faithfully,",
        "Nguyễn Thị Thuỳ Trang",
        "Vice-President",
        "For the President",
        "Department of Foreign Affairs",
    ]
    assert [line for line in wanted if line not in printed] == []
    assert not any("CỘNG HÒA" in line for line in printed)
    text = " ".join(" ".join(printed).split())
    assert (
        "to visit Viet Nam (6–12 April 2026). The visit will include Hà Nội, Huế, Đà Nẵng and Ho Chi Minh City." in text
    )


def test_a_letter_is_one_page_and_its_lists_are_annexes() -> None:
    """Twelve members and fourteen sessions follow the signed page; every one is there, with its time and place."""
    letter = pages(invitation_letter.render(samples.letter(), "vi", samples.AT))
    assert len(letter) == 3
    assert letter[1].split("\n")[:4] == [
        "2",
        "Phụ lục 1",
        "DANH SÁCH ĐOÀN (12 NGƯỜI)",
        "(Kèm theo Thư mời số 12/GM-LH ngày 10 tháng 3 năm 2026)",
    ]
    assert "12 Nguyễn Văn Ngữ Cố vấn Hoa Kỳ" in letter[1]
    assert letter[2].count(" – ") - letter[2].count("Văn Miếu – ") == len(samples.SESSIONS)
    assert "Thời gian được tính theo giờ Việt Nam (UTC+7)." in letter[2]
    assert "Thứ Bảy, ngày 11 tháng 4 năm 2026" in letter[2]


def test_short_lists_stand_within_the_letter() -> None:
    """Two members and one session need no annex."""
    short = samples.letter(members=samples.letter().members[:2], programme=samples.letter().programme[:1])
    letter = pages(invitation_letter.render(short, "en", samples.AT))
    assert len(letter) == 1
    assert "The delegation (2 members):" in letter[0]
    assert "Annex" not in letter[0]
    assert letter[0].index("Courtesy call") < letter[0].index("Yours faithfully,")


def test_a_letter_to_one_person_greets_that_person() -> None:
    """The name stands above the organisation, the sentence says “you”."""
    personal = samples.letter(
        addressee="Tanaka Haruka", salutation=Bilingual(vi="Thưa Bà Tanaka Haruka,", en="Dear Ms Tanaka,")
    )
    printed = flowing(invitation_letter.render(personal, "en", samples.AT))
    assert "Tanaka Haruka The Japan – Viet Nam Friendship Association of Sakura City" in printed
    assert "Dear Ms Tanaka," in printed
    assert "has the honour of inviting you, as a member of the delegation of the Japan" in printed


def test_times_on_several_clocks_each_name_theirs() -> None:
    """A flight leaves on one clock and lands on another, a day later; a stay is a whole day."""
    hanoi, tokyo = ZoneInfo("Asia/Ho_Chi_Minh"), ZoneInfo("Asia/Tokyo")
    start = datetime(2026, 4, 12, 23, 55, tzinfo=hanoi)
    flight = ProgrammeEntry(starts=start, ends=(start + timedelta(hours=5)).astimezone(tokyo), title="VN 310")
    stay = ProgrammeEntry(starts=date(2026, 4, 12), title="Khách sạn")
    changed = samples.letter(members=(), programme=(flight, stay))
    printed = flowing(invitation_letter.render(changed, "vi", samples.AT))
    assert "Cả ngày Khách sạn 23:55 – 06:55 (+1) giờ Việt Nam (UTC+7) → giờ Nhật Bản (UTC+9) VN 310" in printed


@pytest.mark.parametrize(
    ("prefix", "vietnamese", "english"),
    [
        ("TM", "TM. BAN THƯỜNG VỤ", "On behalf of the Standing Board"),
        ("KT", "KT. BAN THƯỜNG VỤ", "For the Standing Board"),
        ("TL", "TL. BAN THƯỜNG VỤ", "By order of the Standing Board"),
        ("TUQ", "TUQ. BAN THƯỜNG VỤ", "By authority of the Standing Board"),
    ],
)
def test_every_right_to_sign_has_its_words(prefix: str, vietnamese: str, english: str) -> None:
    """The prefixes of domain.md, Approval practice."""
    signatory = Signatory.model_validate(
        {
            "name": "Lê Văn Tám",
            "office": "Chánh Văn phòng",
            "prefix": prefix,
            "principal": Bilingual(vi="Ban Thường vụ", en="Standing Board"),
        }
    )
    changed = samples.letter(heading=samples.heading().model_copy(update={"signatory": signatory}))
    assert vietnamese in lines(invitation_letter.render(changed, "vi", samples.AT))
    assert english in lines(invitation_letter.render(changed, "en", samples.AT))


def test_a_letter_that_contradicts_itself_is_refused() -> None:
    """A departure before the arrival, a prefix without a principal, a time without a zone."""
    content = samples.letter().model_dump()
    with pytest.raises(ValidationError, match="departs before it arrives"):
        InvitationLetter.model_validate({**content, "departure": date(2026, 4, 5)})
    with pytest.raises(ValidationError, match="belong together"):
        Signatory(name="Lê Văn Tám", office="Chánh Văn phòng", prefix="TL")
    with pytest.raises(ValidationError, match="timezone"):
        ProgrammeEntry.model_validate({"starts": datetime(2026, 4, 6, 9), "title": "x"})
    with pytest.raises(ValidationError):
        Invited.model_validate({"name": "A", "passport": "C1234567"})
