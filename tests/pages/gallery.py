"""Files to look at: one as it begins, one as it usually is, one that is overfull. Names and addresses are invented."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from calendars.received import body_of, message_id_of
from domain.checklist import Due
from domain.directory import ContactEntry, HostEntry, PartnerEntry
from domain.institution import Organisation, Position
from domain.state import Delegation
from domain.values import PersonRef
from storage.accounts import AccountDetails, tokens
from storage.checklist_templates import shipped_templates
from storage.directory import Found
from storage.mail_ledger import Mail
from storage.received_mail import Arrived, Filed
from storage.tenures import begin_tenure
from tests.calendars.answers import Answered, outlook
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


async def busy(here: Running, id: str = "tokyo") -> None:
    """What the office has to do for a file, some of it done, and what people noted beside it."""
    lists, template = here.registers.checklists, shipped_templates()[0]
    await lists.choose(id, template, by="lan")
    for number, entry in enumerate(await lists.of(id)):
        if number in (0, 3):
            await lists.tick(id, entry.id, done=True, by="lan")
        elif number < 6:
            title, who = entry.title.vi if entry.title else "", ("lan", "hung", "mai")[number % 3]
            await lists.change(id, entry.id, 1, title=title, due=entry.due, assignee=who, by="lan")
    soon = Due(offset=20, unit="days")
    await lists.add(
        id, "Xác nhận lại với khách sạn về phòng họp tầng hai và màn hình chiếu", soon, "lan", by="lan", key="a"
    )
    await here.registers.notes.write(
        id, "Bà Tanaka ăn chay, không dùng hành tỏi.\nĐã báo khách sạn.", by="lan", key="a"
    )
    note = await here.registers.notes.write(
        id, "Sở Ngoại vụ đề nghị chuyển buổi làm việc sang chiều.", by="hung", key="b"
    )
    await here.registers.notes.change(
        id, note.id, 1, "Sở Ngoại vụ đề nghị chuyển buổi làm việc thứ hai sang đầu giờ chiều, chờ trả lời.", by="hung"
    )


async def house(here: Running) -> None:
    """A union with two of its organisations, the positions that sign, somebody away, and a mail to look at."""
    registers, since = here.registers, datetime(2020, 1, 1, tzinfo=UTC)
    for slug, kind, parent, vi, en in (
        ("central", "central_union", None, "Liên hiệp các tổ chức hữu nghị Việt Nam", "Viet Nam Union of Friendship"),
        ("song-lam", "provincial_union", "central", "Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam", "Song Lam Union"),
        ("song-lam-jp", "member_organisation", "song-lam", "Hội hữu nghị Việt – Nhật tỉnh", "Viet–Japan Association"),
    ):
        said = {"slug": slug, "kind": kind, "parent": parent, "name": {"vi": vi, "en": en}, "since": since}
        await registers.institution.add_organisation(Organisation.model_validate(said), by="root")
    for slug, vi, en in (
        ("department_head", "Trưởng phòng Hợp tác quốc tế", "Head of the department of international cooperation"),
        ("vice_president", "Phó Chủ tịch thường trực", "Standing Vice-President"),
        ("president", "Chủ tịch", "President"),
        ("clerk", "Văn thư", "Clerk"),
        ("standing_secretary", "Ủy viên Thường trực", "Standing Secretary"),
    ):
        said = {"slug": slug, "title": {"vi": vi, "en": en}}
        await registers.institution.add_position(Position.model_validate(said), by="root")
    now = datetime.now(UTC)
    for _ in range(3):
        await registers.accounts.create_token("an", scopes=("read",))
    await registers.accounts.create(AccountDetails(id="vinh", name="Hồ Văn Vinh", roles=("coordinator",)))
    await registers.accounts.disable("vinh", by="root")
    over, year = now - timedelta(days=800), timedelta(days=365)
    async with registers.database.writing() as connection:
        await begin_tenure(
            connection, "hung", "standing_secretary", now - 2 * year, now - year, at="song-lam", by="root"
        )
        await connection.execute(
            update(tokens).where(tokens.c.account == "an").values(expires_at=over, revoked_at=over)
        )
    for begins, days in ((-1, 6), (40, 12), (-60, 10)):
        begin = (now + timedelta(days=begins)).replace(hour=17, minute=0, second=0, microsecond=0)
        await registers.leaves.register("mai", "hung", begin, begin + timedelta(days=days), by="mai")
    octets = outlook(Answered(sender="alias@tokyo.example", message_id="<a@b.example>", comment="Có thể đến muộn"))
    arrived = Arrived(uid=1, message_id=message_id_of(octets), body=body_of(octets), octets=octets)
    (ref,) = await registers.received_mail.take("gallery", 1, 1, [arrived])
    await registers.received_mail.file(ref, Filed("review", "reply", "sender_unknown", "tokyo", "s-1", ("m-1", "m-2")))


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
    await _redrafted(one)
    return one


async def _redrafted(one: Running) -> None:
    """What a coordinator changes and has not published: another hour, somewhere else with too little time, one more."""
    day = (await one.file()).starts
    at = {"starts": {"local": f"{day}T11:05"}, "ends": {"local": f"{day}T12:00"}}
    walk = {"item_id": "s-5", "title": "Đi bộ quanh hồ Hoàn Kiếm", "kind": "meeting", "place": "Hồ Hoàn Kiếm", **at}
    await one.send(
        {"type": "revise_item", "item_id": "s-2", "place": "Trụ sở Liên hiệp, 105A Quán Thánh"},
        {"type": "schedule_item", **walk, "audience": {"groups": ["delegates", "hosts"]}},
        {
            "type": "move_item",
            "item_id": "s-4",
            "starts": {"local": f"{day + timedelta(days=1)}T15:30"},
            "ends": {"local": f"{day + timedelta(days=1)}T17:00"},
        },
    )


async def answered(here: Running, id: str = "tokyo") -> Running:
    """The typical file once some of its guests have answered: one accepts everything, one something, one nothing."""
    one = replace(here, id=id)
    for who, answer, item in (("m-1", "accepted", None), ("m-2", "accepted", "s-1"), ("m-2", "declined", "s-3")):
        about = {"item_id": item} if item else {}
        await one.send({"type": "record_reply", "participant_id": who, "answer": answer, "via": "mail", **about})
    await one.send({"type": "record_reply", "participant_id": "m-3", "answer": "tentative", "via": "mail"})
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


async def half_written(here: Running) -> None:
    """A partner of the directory, and a draft of a delegation whose dates are missing."""
    partner = PartnerEntry(kind="partner", name="Nagoya–Sông Lam Friendship Association", country="JP")
    await here.registers.directory.add(partner, "lan", idempotency_key="partner-of-the-pictures")
    typed = [
        ("direction", "inbound"),
        ("title", "Đoàn Hội hữu nghị Nagoya"),
        ("purpose", "Trao đổi về hợp tác giữa hai địa phương"),
        ("organisation", "song-lam"),
        ("partner", partner.name),
        ("countries", "Nhật Bản"),
        ("stays", ""),
        ("starts", "12/4/2027"),
        ("ends", ""),
        ("places", "Hà Nội\nVinh"),
    ]
    await here.registers.drafts.save("lan", "new_delegation", "dra_picture00", typed)


async def directory(here: Running) -> None:
    """Partners and hosts with their contacts, one of them with names of every length, two that are one, a table."""
    register = here.registers.directory
    names = (
        (
            "Hội hữu nghị Nhật – Việt tỉnh Nagano",
            ("Nagano Japan–Vietnam Friendship Association", "Nagano-ken Nichi-Etsu Yūkō Kyōkai"),
            "JP",
        ),
        ("Tokyo Friendship Association", ("TFA",), "JP"),
        ("Tokio Friendship Association", (), "JP"),
        ("Liên minh các thành phố ven sông", (), "DE"),
        (f"{LONG_TITLE} {LONG_TITLE}"[:300], tuple(f"{LONG_TITLE} {number}" for number in range(3)), "FR"),
    )
    entries: list[Found] = []
    for name, others, country in names:
        entry = PartnerEntry(kind="partner", name=name, other_names=others, country=country, nature="mass_organisation")
        entries.append(await register.add(entry, "lan", idempotency_key=f"picture-{len(entries)}"))
    for place, name in (("Huế", "Trung tâm Văn hóa – Thông tin và Thể thao thành phố Huế"), ("Vinh", "Đại học Vinh")):
        await register.add(HostEntry(kind="host", name=name, place=place), "lan", idempotency_key=f"picture-{place}")
    tokyo = PartnerEntry(
        kind="partner",
        name="Tokyo–Vietnam Friendship Association",
        other_names=("Tokyo Friendship Association", "TFA"),
        country="JP",
        nature="friendship_association",
        web="https://tfa.example/vi",
    )
    await register.change(entries[1].id, tokyo, 1, "hung")
    functions = ("Chủ tịch", "Tổng thư ký, Trưởng ban Hợp tác quốc tế và Giao lưu nhân dân", None)
    for number, (function, (name, _)) in enumerate(zip(functions, TYPICAL_NAMES, strict=False)):
        person = await here.person(name, f"{number}@tfa.example", function=function, phone="+81 3 1234 5678")
        contact = ContactEntry(kind="contact", at=entries[1].id, person=PersonRef.model_validate(person))
        await register.add(contact, "lan", idempotency_key=f"picture-contact-{number}")
    rows = [
        ["Loại", "Tên", "Nước", "Cơ quan", "Họ và tên", "Tên gọi", "E-mail", "Ngôn ngữ", "Quốc tịch"],
        ["đối tác", "TFA", "JP"],
        ["đối tác", "Hội hữu nghị Nhật – Việt tỉnh Naganô", "JP"],
        ["đối tác", "Hội hữu nghị Lào – Việt Nam", "Lào"],
        ["đầu mối", "", "", "Hội không có ở đâu", "Sengdao Vong", "Sengdao", "s@lao.example", "en", "LA"],
        *(["đối tác", f"Câu lạc bộ hữu nghị Kobe {letter}", "JP"] for letter in "ABCDEFGH"),
    ]
    content = "\r\n".join(";".join(row) for row in rows).encode()
    for number, (name, told) in enumerate((("Danh bạ đối tác 2027.csv", content), ("ảnh.csv", b"%PDF-1.7 no table"))):
        await here.registers.directory_uploads.send("lan", f"imp_{number}{'0' * 31}", name, told)
    await here.registers.directory_imports.accept(
        (await here.registers.directory_imports.preview(b"kind,name,country\npartner,Kobe Club,JP\n")).digest,
        b"kind,name,country\npartner,Kobe Club,JP\n",
        "lan",
    )


async def being_sent(here: Running, id: str = "lien-hoan-song") -> None:
    """Letters to 98 people of a file, of which 41 have left and one was put off."""
    ledger, now = here.registers.mail_ledger, datetime.now(UTC)
    mails = [
        Mail(
            uid=f"{id}/picture/{number}",
            sequence=0,
            method="invitation_letter",
            view_hash="0" * 64,
            message_id=f"<{number}.{id}@picture.example>",
            delegation_id=id,
            issue=f"{id}/picture",
            kind="invitation_letter",
            participants=(f"m-{number}",),
            mailbox=f"m{number}@{id}.example",
            content=b"Subject: picture",
        )
        for number in range(1, 99)
    ]
    await ledger.enqueue(mails)
    await ledger.mark_sent([one.message_id for one in mails[:41]], now)
    [claimed] = await ledger.claim(f"{id}/picture", limit=1, lease=timedelta(minutes=1), now=now)
    await ledger.defer(claimed.message_id, now + timedelta(hours=1), "451")


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
