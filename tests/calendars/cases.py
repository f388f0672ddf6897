"""Items of the three scenarios, as the messages that carry them; the golden files in tests/golden hold their bytes.

`python -m tests.calendars.cases` writes the golden files anew; the commit that does so says why.
"""

from datetime import UTC, datetime
from pathlib import Path

from calendars.itip import Attendee, cancel, request
from calendars.views import ItemView
from domain.mailbox import Mailbox
from domain.values import resolve

GOLDEN = Path(__file__).parent.parent / "golden"

UNION = Mailbox(address="doanvao@songlam.example", name="Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam")
TANAKA = Attendee(mailbox=Mailbox(address="tanaka@guests.example", name="Tanaka Yūko"), language="en")
MUELLER = Attendee(mailbox=Mailbox(address="mueller@guests.example", name='Müller, Anna "Anni"'), language="en")
THANH = Attendee(mailbox=Mailbox(address="doan@hue.example", name="Nguyễn Thị Thanh"), language="vi")
BINH = Attendee(mailbox=Mailbox(address="doan@hue.example", name="Trần Văn Bình"), language="vi")
STAMP = datetime(2026, 3, 25, 9, 0, tzinfo=UTC)

SESSION = ItemView(
    uid="sl-2026-017-session-12@songlam.example",
    summary="Làm việc với Ủy ban nhân dân Thành phố Hồ Chí Minh",
    description="Trao đổi về hợp tác giáo dục; có phiên dịch.\nTrang phục: lễ phục, áo dài.",
    location="86 Lê Thánh Tôn, Quận 1, TP. Hồ Chí Minh",
    starts=resolve("2026-04-11T14:30", "Asia/Ho_Chi_Minh"),
    ends=resolve("2026-04-11T17:00", "Asia/Ho_Chi_Minh"),
    sequence=1,
)
VIDEO = ItemView(
    uid="sl-2026-017-video-2@songlam.example",
    summary="Second preparatory meeting by video",
    starts=resolve("2026-03-30T10:00", "Europe/Berlin"),
    ends=resolve("2026-03-30T11:00", "Europe/Berlin"),
)
FLIGHT = ItemView(
    uid="sl-2026-031-flight-1@songlam.example",
    summary="Bay Praha – Hà Nội",
    location="Praha, Letiště Václava Havla",
    starts=resolve("2026-06-19T13:50", "Europe/Prague"),
    ends=resolve("2026-06-20T06:20", "Asia/Ho_Chi_Minh"),
)
STAY = ItemView(
    uid="sl-2026-017-stay-1@songlam.example",
    summary="Nghỉ tại khách sạn, Hà Nội",
    starts=resolve("2026-04-06T14:00", "Asia/Ho_Chi_Minh"),
    ends=resolve("2026-04-08T12:00", "Asia/Ho_Chi_Minh"),
    all_day_stay=True,
)
REPEATED = ItemView(
    uid="sl-2026-052-duty-1@songlam.example",
    summary="Night duty at the airport",
    starts=resolve("2026-10-25T02:15", "Europe/Berlin", fold=1),
    ends=resolve("2026-10-25T02:45", "Europe/Berlin", fold=1),
)

CASES = {
    "session-in-ho-chi-minh-city": request(SESSION, UNION, (TANAKA,), STAMP),
    "video-meeting-in-berlin-summer-time": request(VIDEO, UNION, (MUELLER,), STAMP),
    "flight-over-two-zones": request(FLIGHT, UNION, (THANH,), STAMP),
    "hotel-stay": request(STAY, UNION, (TANAKA,), STAMP),
    "repeated-hour-in-berlin": request(REPEATED, UNION, (MUELLER,), STAMP),
    "shared-mailbox": request(SESSION, UNION, (THANH, BINH), STAMP),
    "cancelled-session": cancel(SESSION.model_copy(update={"sequence": 2}), UNION, (TANAKA,), STAMP),
}


if __name__ == "__main__":
    for name, ics in CASES.items():
        (GOLDEN / f"{name}.ics").write_bytes(ics)
