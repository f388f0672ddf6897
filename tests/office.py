"""A running installation whose organizer's mailbox is a real one, and the shortest way to answer its invitations."""

import asyncio
import smtplib
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from storage.received_mail import Letter
from tests.calendars.answers import Answered, bare, calendar, event
from tests.notices.conftest import mail_devel
from tests.notices.servers import PASSWORD
from tests.running import Running, running
from tests.temporal import Connect
from worker import build_worker
from workflows.ports import MailboxInput, MailRead

__all__ = ["Office", "an_office", "mail_devel", "office", "said"]


@dataclass
class Office:
    """An installation whose organizer's mailbox is read, and the shortest way to answer it."""

    here: Running
    smtp: int
    imap: int

    @property
    def organizer(self) -> str:
        return self.here.settings.organizer_mailbox

    def answer(self, member: str, item: str = "monday", **more: Any) -> Answered:
        """An answer of somebody to an item of the file."""
        unique = f"<{uuid.uuid4().hex}@client.example>"
        said = {"attendee": f"{member}@tokyo.example", "organizer": self.organizer, "message_id": unique}
        return Answered(uid=f"{item}.{self.here.id}@hoihuunghi.example", **said | more)

    async def mail(self, *octets: bytes) -> None:
        """Send mails to the organizer's mailbox."""

        def deliver() -> None:
            with smtplib.SMTP("127.0.0.1", self.smtp) as server:
                for one in octets:
                    # On the way every line ends in CRLF.
                    one = one.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
                    server.sendmail("client@tokyo.example", [self.organizer], one)

        await asyncio.to_thread(deliver)

    async def read(self) -> MailRead:
        """Let the workflow look once."""
        read: MailRead = await self.here.client.execute_workflow(
            "Mailbox",
            MailboxInput(seconds=0),
            id=f"mailbox:{uuid.uuid4().hex}",
            task_queue=self.here.settings.temporal_task_queue,
            result_type=MailRead,
        )
        return read

    async def queue(self) -> list[Letter]:
        """What waits for a person."""
        return list((await self.here.registers.received_mail.queue(within=None, limit=50)).items)

    async def reasons(self) -> list[str | None]:
        """Why."""
        return [one.reason for one in await self.queue()]

    async def replies(self) -> dict[str, str]:
        """What is recorded on the file."""
        return {name: reply.answer for name, reply in (await self.here.idle()).replies.items()}

    async def invited(self, *members: str, items: tuple[str, ...] = ("monday",)) -> None:
        """Bring the file to where these people hold these items."""
        here = self.here
        await here.open()
        for number, member in enumerate(members):
            await here.add(member, "member" if number else "head")
        for hour, item in enumerate(items):
            await here.schedule(item, hour=9 + hour)
        await here.approve()
        await here.send({"type": "invite"})
        await here.idle()


@asynccontextmanager
async def an_office(
    folder: Path, connect: Connect, address: str, ports: tuple[int, int], **settings: Any
) -> AsyncIterator[Office]:
    """Run an installation with a mailbox of its own."""
    folder.mkdir(exist_ok=True)  # noqa: ASYNC240
    async with running(folder, connect, address, workers=False) as here:
        mailbox = {
            "organizer_mailbox": f"lich-{uuid.uuid4().hex[:8]}@hoihuunghi.example",
            "imap_host": "127.0.0.1",
            "imap_port": ports[1],
            "imap_security": "none",
            "imap_password": SecretStr(PASSWORD),
        }
        here.settings = here.settings.model_copy(update=mailbox | settings)
        async with build_worker(here.client, here.settings, here.registers):
            yield Office(here, *ports)


@pytest.fixture
async def office(
    tmp_path: Path, connect: Connect, temporal_server: Any, mail_devel: tuple[int, int]
) -> AsyncIterator[Office]:
    """An installation whose organizer's mailbox is read."""
    async with an_office(tmp_path, connect, temporal_server.address, mail_devel) as one:
        yield one


def said(one: Answered, method: str) -> bytes:
    """A mail that says something else than an answer."""
    content_type = f"text/calendar; method={method}; charset=utf-8"
    return bare(one, calendar(*event(one), method=method).encode(), content_type)
