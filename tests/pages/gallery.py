"""Files to look at: one as it begins, one as it usually is, one that is overfull. Names and addresses are invented."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from domain.state import Delegation
from tests.running import Running

TYPICAL_NAMES = (
    ("Tanaka Haruka", "head"),
    ("Sato Kenji", "member"),
    ("Suzuki Aiko", "member"),
    ("Yamamoto Ren", "member"),
    ("Nakamura Yui", "member"),
)

SERVANTS = (("Đỗ Thị Hoa", "host"), ("Bùi Văn Sơn", "escort"), ("Lý Thu", "interpreter"))

LONG_TITLE = (
    "Đoàn đại biểu các tổ chức hữu nghị và nhân dân dự Liên hoan hữu nghị quốc tế các thành phố ven sông tại Hà Nội, "
    "Huế và Đà Nẵng năm 2027"
)


async def empty(here: Running, id: str = "hoi-an") -> Running:
    """A file that was opened, and has nobody and nothing on it yet."""
    one = replace(here, id=id)
    await one.open(title="Đoàn Hội hữu nghị Osaka", places=["Hội An"])
    return one


async def typical(here: Running, id: str = "tokyo") -> Running:
    """A file of five delegates and three hosts that was decided and invited, with one change that waits."""
    one = replace(here, id=id)
    await one.open(places=["Hà Nội", "Huế"])
    await _people(one, TYPICAL_NAMES)
    await _hosts(one)
    titles = ("Lễ đón tại sân bay Nội Bài", "Hội đàm tại trụ sở Liên hiệp", "Tiệc chiêu đãi", "Thăm Văn Miếu")
    for number, (hour, title) in enumerate(zip((8, 10, 18, 15), titles, strict=True), 1):
        await one.schedule(f"s-{number}", day=number // 3, hour=hour, title=title)
    await one.approve()
    await one.send({"type": "publish_programme"})
    await one.send({"type": "invite"})
    return one


async def waiting(here: Running, id: str = "kyoto") -> Running:
    """A file that waits for the department head."""
    one = replace(here, id=id)
    await one.open(title="Đoàn Hội hữu nghị Kyoto")
    await _people(one, TYPICAL_NAMES[:3])
    await one.schedule("s-1")
    await one.send({"type": "submit_request"})
    return one


async def overfull(here: Running, id: str = "lien-hoan-song") -> Running:
    """98 delegates, 67 items in four zones, and a title of 120 characters and more."""
    one = replace(here, id=id)
    starts = datetime.now(UTC).date() + timedelta(days=120)
    await one.open(starts, starts + timedelta(days=6), title=LONG_TITLE, places=["Hà Nội", "Huế", "Đà Nẵng"])
    await _people(one, [(f"Delegate Number {number}", "member" if number else "head") for number in range(98)])
    await _hosts(one)
    file = await one.file()
    await one.send(*(_item(file, number) for number in range(67)))
    return one


def _item(file: Delegation, number: int) -> dict[str, Any]:
    zones = ("Asia/Ho_Chi_Minh", "Asia/Tokyo", "Asia/Vientiane", "Europe/Paris")
    on, hour = file.starts + timedelta(days=number % 7), 7 + (number // 7)
    return {
        "type": "schedule_item",
        "item_id": f"s-{number}",
        "kind": ("session", "meeting", "meal", "transfer")[number % 4],
        "title": f"Phiên làm việc số {number} với các thành phố ven sông và các tổ chức nhân dân",
        "starts": {"local": f"{on}T{hour:02}:00", "zone": zones[0 if number % 9 else number % 4]},
        "ends": {"local": f"{on}T{hour + 1:02}:15", "zone": zones[0 if number % 9 else number % 4]},
        "place": ("Hà Nội", "Huế", "Đà Nẵng", "Khách sạn Sông Lam")[number % 4],
        "audience": {"groups": ["delegates", "escorts"]},
    }


async def _people(one: Running, names: Any) -> None:
    commands = []
    for number, (name, role) in enumerate(names, 1):
        person = await one.person(name, f"m{number}@{one.id}.example")
        member = {"type": "add_member", "member_id": f"m-{number}", "person": person, "role": role, "country": "JP"}
        commands.append(member)
    await one.send(*commands)


async def _hosts(one: Running) -> None:
    for number, (name, role) in enumerate(
        (("Đỗ Thị Hoa", "host"), ("Bùi Văn Sơn", "escort"), ("Lý Thu", "interpreter"))
    ):
        person = await one.person(
            name, f"h{number}@songlam.example", nationality="VN", language="vi", phone="+84 91 222 3333"
        )
        appointed = {"type": "appoint_participant", "participant_id": f"h-{number}", "person": person, "role": role}
        await one.send(appointed)
