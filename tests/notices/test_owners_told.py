"""Owners are written to about their accounts: once each, in their language and on their clock, though a sender dies."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from activities.account_notices import OwnersTold
from activities.outbox import Outbox, Patience
from settings import Settings
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from storage.migrate import migrate
from storage.passwords import Cost, Passwords
from storage.registers import Registers
from tests.notices.servers import Sink
from tests.running import Post
from worker import house_of, mail_server_of

LINH = AccountDetails(id="linh", name="Trần Thùy Linh", email="linh@songlam.example", roles=("approver",))
THAY = AccountDetails(
    id="thay",
    name="Đỗ Thị Thay",
    email="thay@praha.example",
    language="en",
    roles=("approver",),
    zone="Europe/Prague",
)


def told(sink: Sink) -> list[tuple[str, str, str]]:
    """(recipient, subject, text) of every mail that was taken."""
    found = []
    for envelope in sink.taken:
        assert isinstance(envelope.content, bytes)
        mail = Post.parsed(envelope.content)
        text = mail.get_body(("plain",)).get_content()  # type: ignore[attr-defined]
        found.append((envelope.rcpt_tos[0], str(mail["subject"]), text))
    return found


@pytest.fixture
async def registers(tmp_path: Path) -> AsyncIterator[Registers]:
    """A store with two approvers and an administrator."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    found = Registers.open(url, [bytes(range(32))], tmp_path)
    for account in (LINH, THAY, AccountDetails(id="root", name="Quản trị", roles=("administrator",))):
        await found.accounts.create(account)
    yield found
    await found.close()


def owners(registers: Registers, sink: Sink, folder: Path) -> OwnersTold:
    """A sender that waits for nothing."""
    settings = Settings(data_dir=folder, smtp_host="127.0.0.1", smtp_port=sink.port, smtp_starttls=False)
    patience = Patience(attempt=timedelta(), first=timedelta())
    house = house_of(settings)
    outbox = Outbox(registers.mail_ledger, mail_server_of(settings), house.organizer, patience)
    return OwnersTold(registers, outbox, house, settings.zone)


async def test_owners_are_written_to_once(registers: Registers, sink: Sink, tmp_path: Path) -> None:
    """By a link that an administrator made, a token made on the machine, leave that somebody registered for them."""
    passwords = Passwords(
        registers.database, Cost(memory_kib=19456, passes=2, lanes=1), link_lifetime=timedelta(days=1)
    )
    secret, _ = await passwords.make_link("linh", by="root")
    await registers.accounts.create_token("thay", scopes=("read", "sign"), by="host:ops")
    now = utc_now()
    await registers.leaves.register("linh", "thay", now, now + timedelta(days=3), by="root")
    sender = owners(registers, sink, tmp_path)
    sink.answers["RCPT"] = "421 4.3.2 closing"
    assert await sender.send() == 0
    sink.answers.clear()
    assert await sender.send() == 3
    assert await sender.send() == 0
    sent = told(sink)
    assert [(to, subject) for to, subject, _ in sent] == [
        ("linh@songlam.example", "Tài khoản của bạn: Đường dẫn để đặt mật khẩu mới cho tài khoản của bạn đã được tạo"),
        ("thay@praha.example", "Your account: A token was made for your account"),
        ("linh@songlam.example", "Tài khoản của bạn: Nghỉ phép đã được đăng ký với danh nghĩa của bạn"),
    ]
    assert "Người thực hiện: Quản trị" in sent[0][2]
    assert "By: the user ops, on the machine that Legation runs on" in sent[1][2]
    assert ("UTC+7" in sent[0][2], "UTC+7" in sent[1][2]) == (True, False)
    assert all("/me" in text and secret not in text for *_, text in sent)
    lines = await registers.mail_ledger.of_delegation("account:linh")
    assert [(line.kind, line.status) for line in lines] == [("account_notice", "sent")] * 2
