"""One sample of every notice, from the three scenarios.

`python -m tests.notices.samples FOLDER` writes each as HTML and text, to be looked at.
"""

import sys
from datetime import date
from pathlib import Path

from domain.values import Language, resolve
from locales import LANGUAGES
from notices.contents import (
    AccountNotice,
    Answered,
    DeadlineEscalated,
    DeadlineMissed,
    DeadlineReminder,
    DeskReturned,
    DeskStuck,
    Digest,
    DigestLine,
    HandedOver,
    InvitationLetter,
    ItemFacts,
    ItineraryCancelled,
    ItineraryChanged,
    ItineraryRequest,
    LetterAwaited,
    Notice,
    NoticeName,
    ReportWaits,
    StepEscalated,
    StepWaits,
)
from notices.render import render

UNION = "Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam"
DELEGATION = "Đoàn Hội Hữu nghị Nhật Bản – Việt Nam thăm và làm việc"
CONTACT = "Lê Thu Hà, điện thoại 0238 000 0000"

MORNING = ItemFacts(
    title="Làm việc với Ủy ban nhân dân Thành phố Hồ Chí Minh",
    starts=resolve("2026-04-11T09:00", "Asia/Ho_Chi_Minh"),
    ends=resolve("2026-04-11T11:30", "Asia/Ho_Chi_Minh"),
    place="86 Lê Thánh Tôn, Quận 1",
)
AFTERNOON = MORNING.model_copy(
    update={
        "starts": resolve("2026-04-11T14:30", "Asia/Ho_Chi_Minh"),
        "ends": resolve("2026-04-11T17:00", "Asia/Ho_Chi_Minh"),
        "place": "Hội trường Thống Nhất, 135 Nam Kỳ Khởi Nghĩa",
        "notes": "Trang phục: lễ phục hoặc áo dài.\nXe đón tại khách sạn lúc 13:45.",
    }
)
FLIGHT = ItemFacts(
    title="Praha – Hà Nội",
    starts=resolve("2026-06-19T13:50", "Europe/Prague"),
    ends=resolve("2026-06-20T06:20", "Asia/Ho_Chi_Minh"),
)
STAY = ItemFacts(
    title="Khách sạn, Hà Nội",
    starts=resolve("2026-04-06T14:00", "Asia/Ho_Chi_Minh"),
    ends=resolve("2026-04-08T12:00", "Asia/Ho_Chi_Minh"),
    stay=True,
)

_COMMON = {"recipient": "Bà Nguyễn Thị Thanh", "organisation": UNION, "delegation": DELEGATION, "contact": CONTACT}
_LINK = "https://legation.songlam.example/delegations/sl-2026-017"


def _sample(kind: type[Notice], **values: object) -> Notice:
    return kind.model_validate(_COMMON | values)


SAMPLES: dict[NoticeName, Notice] = {
    "itinerary_request": _sample(ItineraryRequest, item=AFTERNOON, page="https://legation.example/my/0cqOWz5fe7AU"),
    "itinerary_changed": _sample(ItineraryChanged, before=MORNING, item=AFTERNOON),
    "itinerary_cancelled": _sample(ItineraryCancelled, item=AFTERNOON, reason="Chương trình được rút gọn"),
    "invitation_letter": _sample(
        InvitationLetter,
        first_day=date(2026, 4, 6),
        last_day=date(2026, 4, 12),
        host=UNION,
        number="17/TM-LHHN",
    ),
    "deadline_reminder": _sample(
        DeadlineReminder,
        what="Báo cáo kết quả đón đoàn",
        due=date(2026, 4, 15),
        days_left=2,
        rule="Báo cáo trong 3 ngày sau khi đoàn rời (quy định 2026-01, bản 1)",
        link=_LINK,
    ),
    "deadline_missed": _sample(
        DeadlineMissed, what="Báo cáo kết quả đón đoàn", due=date(2026, 4, 15), days_over=1, link=_LINK
    ),
    "deadline_escalated": _sample(
        DeadlineEscalated,
        what="Báo cáo kết quả đoàn ra",
        due=date(2026, 7, 2),
        days_over=5,
        level=2,
        rule="OUT-REPORT v2",
        stuck=("vacant",),
        passed_over=("Trưởng ban",),
        link=_LINK,
    ),
    "step_waits": _sample(
        StepWaits,
        step="Phó Chủ tịch phê duyệt",
        version=2,
        submitted_by="Lê Thu Hà",
        waiting_since=date(2026, 3, 6),
        due=date(2026, 3, 9),
        acting_for="Ông Trần Quốc Bảo",
        link=f"{_LINK}/steps/vice_president",
    ),
    "step_escalated": _sample(
        StepEscalated,
        step="Phó Chủ tịch phê duyệt",
        version=2,
        due=date(2026, 3, 9),
        rule="IN-APPROVAL v1",
        link=f"{_LINK}/steps/vice_president",
    ),
    "report_waits": _sample(
        ReportWaits,
        version=1,
        filed_by="Lê Thu Hà",
        waiting_since=date(2026, 4, 15),
        due=date(2026, 4, 20),
        acting_for="Ông Trần Quốc Bảo",
        link=f"{_LINK}/steps/report",
    ),
    "letter_awaited": _sample(
        LetterAwaited,
        step="Ý kiến cơ quan công an",
        version=1,
        waiting_since=date(2026, 3, 6),
        due=date(2026, 3, 13),
        link=f"{_LINK}/steps/police",
    ),
    "desk_stuck": _sample(
        DeskStuck,
        step="Phó Chủ tịch phê duyệt",
        version=2,
        stuck=("own_request", "own_trip", "signed_another_step", "not_entitled"),
        due=date(2026, 3, 9),
        link=f"{_LINK}/steps/vice_president",
    ),
    "desk_returned": _sample(
        DeskReturned,
        step="Phó Chủ tịch phê duyệt",
        back="Ông Trần Quốc Bảo",
        yours=False,
        due=date(2026, 3, 9),
        link=f"{_LINK}/steps/vice_president",
    ),
    "answered": _sample(
        Answered,
        outcome="step_returned",
        by="Đỗ Thị Thay",
        in_place_of="Ông Trần Quốc Bảo",
        step="Phó Chủ tịch phê duyệt",
        version=2,
        day=date(2026, 3, 9),
        link=_LINK,
    ),
    "handed_over": _sample(
        HandedOver, coordinator="Phạm Minh", by="Lê Thu Hà", yours=False, day=date(2026, 3, 9), link=_LINK
    ),
    "digest": Digest.model_validate(
        (_COMMON | {"delegation": ""})
        | {
            "day": date(2026, 3, 10),
            "lines": (
                DigestLine(
                    delegation=DELEGATION,
                    what="step",
                    step="Phó Chủ tịch phê duyệt",
                    age_days=4,
                    due=date(2026, 3, 9),
                    missed=True,
                    acting_for="Ông Trần Quốc Bảo",
                    link=f"{_LINK}/steps/vice_president",
                ),
                DigestLine(
                    delegation="Đoàn Hội Hữu nghị Đức – Việt",
                    what="report",
                    age_days=1,
                    link="https://legation.songlam.example/delegations/sl-2026-011/steps/report",
                ),
                DigestLine(
                    delegation="Đoàn ra thăm và làm việc tại Séc và Đức",
                    what="coordinator",
                    age_days=0,
                    due=date(2026, 3, 20),
                    link="https://legation.songlam.example/delegations/sl-2026-020",
                ),
                DigestLine(
                    delegation="Đoàn Hội Hữu nghị Nhật – Việt tỉnh Fukuoka",
                    what="letter",
                    step="Ý kiến cơ quan ngoại vụ",
                    age_days=3,
                    link="https://legation.songlam.example/delegations/sl-2026-021",
                ),
                *(
                    DigestLine(
                        delegation="Phản đối xử lý dữ liệu cá nhân",
                        what=what,
                        step="req_h4u2k7gk3lq",
                        age_days=2,
                        due=date(2026, 3, 9),
                        missed=what == "answer_request",
                        link="https://legation.songlam.example/admin/person-requests/req_h4u2k7gk3lq",
                    )
                    for what in ("answer_request", "carry_out_request")
                ),
            ),
            "files": 6,
            "requests": 2,
            "late": 2,
            "more": 3,
            "link": "https://legation.songlam.example/",
        }
    ),
    "account_notice": AccountNotice.model_validate(
        (_COMMON | {"delegation": ""})
        | {
            "account": "nguyen-thanh",
            "headline": "Một mã truy cập đã được tạo cho tài khoản của bạn",
            "consequence": "Chương trình nào có mã này đều hành động với danh nghĩa của bạn.",
            "done": "09:00, 06/04/2026, giờ Việt Nam (UTC+7)",
            "by": "Trần Quốc Bảo",
            "link": "https://legation.songlam.example/me",
        }
    ),
}


EVERY: list[tuple[NoticeName, Language]] = [(name, language) for name in SAMPLES for language in LANGUAGES]
"""Every notice in every language."""


if __name__ == "__main__":
    folder = Path(sys.argv[1])
    for name, language in EVERY:
        rendered = render(name, language, SAMPLES[name])
        (folder / f"{name}.{language}.html").write_text(rendered.html, encoding="utf-8")
        (folder / f"{name}.{language}.txt").write_text(f"{rendered.subject}\n\n{rendered.plain}", encoding="utf-8")
