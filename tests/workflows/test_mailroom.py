"""What happens to a mail that cannot be carried out: it is tried again, holds nothing up, and ends with a person."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from temporalio.testing import ActivityEnvironment

from activities.mailbox import Mailroom
from activities.replies import FileUnreachable, Replies
from notices.imap import Fetched, Postbox, Round
from settings import Settings, SettingsRefused
from storage.engine import Database
from storage.keyring import Keyring, MasterKey
from storage.migrate import migrate
from storage.received_mail import MOST_ATTEMPTS, Filed, ReceivedMail, Waiting, received_mail
from worker import postbox_of
from workflows.ports import MailboxInput, MailRead

PAUSE = timedelta(milliseconds=10)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A migrated store."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    store = Database(url)
    yield store
    await store.close()


@pytest.fixture
def register(database: Database) -> ReceivedMail:
    """The register of received mail."""
    return ReceivedMail(database, Keyring([MasterKey.of(bytes(range(32)))]))


class Given(Postbox):
    """A mailbox that holds these mails."""

    def __init__(self, *mails: Fetched) -> None:
        self.mails = mails
        self.marked: list[int] = []

    @property
    def mailbox(self) -> str:
        return "lich@mail.example/INBOX"

    def look(self, place: tuple[int, int] | None) -> Round:
        last = place[1] if place else 0
        mails = tuple(mail for mail in self.mails if mail.uid > last)
        return Round(7, max([last, *(mail.uid for mail in mails)]), mails, more=False)

    def mark(self, uids: list[int]) -> None:  # type: ignore[override]
        self.marked += uids


class Breaking(Replies):
    """Carries out what says `fine`; breaks on the rest, as told."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.tried = 0

    async def carry_out(self, mail: Waiting) -> Filed:
        if b"fine" in mail.octets:
            return Filed("passed_over", "automatic")
        self.tried += 1
        raise self.error


def mail(uid: int, text: str) -> Fetched:
    """A mail of a few words."""
    return Fetched(uid, f"Message-ID: <{uid}@x.example>\r\n\r\n{text}".encode())


async def reasons(register: ReceivedMail) -> list[str | None]:
    """Why mails wait for a person."""
    return [one.reason for one in (await register.queue(within=None, limit=10)).items]


async def test_a_mail_that_breaks_us_is_tried_a_few_times_and_holds_nothing_up(register: ReceivedMail) -> None:
    """The others are worked off in the same round; the mailbox is marked once the register has them."""
    postbox, replies = Given(mail(1, "poison"), mail(2, "fine")), Breaking(RuntimeError("names Itō Haruka"))
    mailroom = Mailroom(postbox, register, replies, PAUSE)
    read = await ActivityEnvironment().run(mailroom.read, MailboxInput(seconds=0))
    assert (read, postbox.marked, replies.tried) == (MailRead(taken=2, filed=1), [1, 2], 1)
    now = datetime.now(UTC)
    for _ in range(MOST_ATTEMPTS - 1):
        now += timedelta(hours=1)
        (waiting,) = await register.due(now, limit=10)
        assert not await ActivityEnvironment().run(mailroom._carry_out, waiting)
    assert await register.due(now + timedelta(hours=1), limit=10) == []
    assert (await reasons(register), replies.tried) == (["given_up"], MOST_ATTEMPTS)


async def test_a_file_that_is_away_is_waited_for_a_day(register: ReceivedMail, database: Database) -> None:
    """Attempts do not count meanwhile; then a person hears of it."""
    about = Filed("waiting", "reply", None, "visit", "monday", ("ito",))
    replies = Breaking(FileUnreachable(about))
    mailroom = Mailroom(Given(mail(1, "answer")), register, replies, PAUSE)
    assert await ActivityEnvironment().run(mailroom.read, MailboxInput(seconds=0)) == MailRead(taken=1, filed=0)
    assert await reasons(register) == []
    async with database.writing() as connection:
        await connection.execute(update(received_mail).values(received_at=datetime.now(UTC) - timedelta(days=2)))
    (waiting,) = await register.due(datetime.now(UTC) + timedelta(minutes=1), limit=10)
    assert waiting.attempt == 1
    assert await ActivityEnvironment().run(mailroom._carry_out, waiting)
    assert await reasons(register) == ["file_unreachable"]
    letter = await register.get(waiting.ref)
    assert letter is not None
    assert (letter.delegation_id, letter.item_id, letter.participants) == ("visit", "monday", ("ito",))


async def test_mails_that_the_server_will_not_give_are_for_a_person_each(register: ReceivedMail) -> None:
    """And those behind them are read."""
    lost = [Fetched(uid, b"", "mail_not_fetched") for uid in (1, 2)]
    mailroom = Mailroom(Given(*lost, mail(3, "fine")), register, Breaking(RuntimeError()), PAUSE)
    assert await ActivityEnvironment().run(mailroom.read, MailboxInput(seconds=0)) == MailRead(taken=3, filed=1)
    assert await reasons(register) == ["mail_not_fetched"] * 2


async def test_without_a_mailbox_in_the_settings_the_reading_ends_at_once(register: ReceivedMail) -> None:
    """Whatever time it was given."""
    mailroom = Mailroom(None, register, Breaking(RuntimeError()), PAUSE)
    assert await ActivityEnvironment().run(mailroom.read, MailboxInput(seconds=3600)) == MailRead(taken=0, filed=0)


def test_a_mailbox_needs_a_password_and_no_open_line(tmp_path: Path) -> None:
    """Refused before anything is read, in one sentence that repeats no value."""

    def settings(**more: object) -> Settings:
        return Settings.model_validate({"data_dir": tmp_path, "imap_host": "mail.example"} | more)

    assert postbox_of(Settings(data_dir=tmp_path)) is None
    with pytest.raises(SettingsRefused, match="LEGATION_IMAP_PASSWORD"):
        postbox_of(settings())
    with pytest.raises(SettingsRefused, match="LEGATION_IMAP_SECURITY"):
        postbox_of(settings(imap_password="secret", imap_security="none"))
    postbox = postbox_of(settings(imap_password="secret"))
    assert postbox is not None
    assert postbox.mailbox == "lich@hoihuunghi.example@mail.example/INBOX"
