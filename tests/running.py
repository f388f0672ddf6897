"""A running Legation for tests: real server, real database, real worker, and an SMTP server that keeps what it gets."""

import asyncio
import base64
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from pydantic import SecretStr
from temporalio.client import Client

from activities.codec import data_converter
from api.engine import OWN_RETRIES, Engine
from domain.decision import Receipt
from domain.state import Delegation, Phase
from embedded.clock import VirtualClock
from embedded.ports import HOST, free_ports
from settings import Profile, Settings
from storage.accounts import AccountDetails
from storage.migrate import migrate
from storage.persons import PersonDetails
from storage.registers import Registers
from tests.rulebook import edition
from tests.temporal import Connect
from worker import build_worker

MASTER_KEY = bytes(range(32))
CHECKPOINT_KEY = bytes(range(32, 64))

ACCOUNTS = (
    AccountDetails(id="lan", name="Trần Thị Lan", email="lan@songlam.example", roles=("coordinator",)),
    AccountDetails(
        id="hung",
        name="Lê Văn Hùng",
        email="hung@songlam.example",
        roles=("approver",),
        positions=("department_head", "finance"),
    ),
    AccountDetails(
        id="mai",
        name="Phạm Thị Mai",
        email="mai@songlam.example",
        roles=("approver",),
        positions=("vice_president", "president"),
    ),
    AccountDetails(id="an", name="Vũ An", roles=("auditor",)),
    AccountDetails(id="root", name="Quản trị", roles=("administrator",)),
)


@dataclass
class Post:
    """What a mail server took: (recipient, message as octets), in order.

    `down` makes it answer 421; `refused` counts how often it did. `answers` are what recipients are refused with.
    """

    taken: list[tuple[str, bytes]] = field(default_factory=list)
    down: bool = False
    refused: int = 0
    answers: dict[str, str] = field(default_factory=dict)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.answers:
            self.refused += 1
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 taken"

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        if self.down:
            self.refused += 1
            return "421 closing for a while"
        assert isinstance(envelope.content, bytes)
        for recipient in envelope.rcpt_tos:
            self.taken.append((recipient, envelope.content))
        return "250 taken"

    def calendar(self, method: str | None = None) -> list[tuple[str, str]]:
        """(recipient, UID) of every calendar message, of one method if named."""
        found = []
        for recipient, content in self.taken:
            for part in message_from_bytes(content, policy=default).walk():
                if part.get_content_type() == "text/calendar" and method in (None, part.get_param("method")):
                    text = part.get_payload(decode=True).decode()  # type: ignore[union-attr]
                    uid = next(line[4:] for line in text.splitlines() if line.startswith("UID:"))
                    found.append((recipient, uid))
        return found

    def subjects(self) -> list[tuple[str, str]]:
        """(recipient, subject) of everything taken."""
        return [(to, str(self.parsed(content)["subject"])) for to, content in self.taken]

    @staticmethod
    def parsed(content: bytes) -> Message:
        return message_from_bytes(content, policy=default)


@dataclass
class Running:
    """One running installation, and the shortest way to use it."""

    settings: Settings
    registers: Registers
    client: Client
    engine: Engine
    clock: VirtualClock
    post: Post
    id: str

    async def send(self, *commands: dict[str, Any], by: str = "lan", key: str | None = None) -> Receipt:
        """Send commands, decided as one."""
        return await self.engine.execute(self.id, commands, actor=by, key=key or uuid.uuid4().hex)

    async def person(self, name: str, email: str, **more: Any) -> dict[str, str]:
        """Register somebody and return the reference for a command."""
        details = {"given_name": name.split()[-1], "language": "en", "nationality": "JP", **more}
        ref = await self.registers.persons.register(PersonDetails(full_name=name, email=email, **details))
        return ref.model_dump()

    async def text(self, content: str) -> dict[str, str]:
        """Write a text and return the reference for a command."""
        return (await self.registers.texts.write(self.id, content)).model_dump()

    async def file(self) -> Delegation:
        """The file as the read model has it."""
        found = await self.registers.queries.get(self.id)
        assert found is not None
        return found.state

    async def idle(self) -> Delegation:
        """Wait until the workflow has nothing left to project or carry out, and return the file."""
        handle = self.client.get_workflow_handle(self.id)
        async with asyncio.timeout(30):
            while True:
                seen = await handle.query("inspect")
                if not seen["outbox"] and not seen["effects"]:
                    return await self.file()
                await asyncio.sleep(0.02)

    async def until(self, phase: Phase) -> Delegation:
        """Wait until the read model shows a phase."""
        async with asyncio.timeout(30):
            while (file := await self.file()).phase is not phase:
                await asyncio.sleep(0.02)
        return file

    # The way of a small inbound delegation

    async def open(self, starts: date | None = None, ends: date | None = None, **more: Any) -> Receipt:
        """Open a file that arrives in about three months."""
        starts = starts or datetime.now(UTC).date() + timedelta(days=90)
        return await self.send(
            {
                "type": "open_delegation",
                "direction": "inbound",
                "title": "Đoàn Hội hữu nghị Tokyo",
                "purpose": "Trao đổi về hợp tác địa phương",
                "organisation": "song-lam",
                "partner": "Tokyo Friendship Association",
                "countries": ["JP"],
                "places": ["Hà Nội"],
                "starts": starts.isoformat(),
                "ends": (ends or starts + timedelta(days=2)).isoformat(),
                "grade": "C",
                **more,
            }
        )

    async def add(self, member: str, role: str = "member") -> Receipt:
        """Add a delegate with a mailbox of their own."""
        person = await self.person(f"Delegate {member}", f"{member}@tokyo.example")
        command = {"type": "add_member", "member_id": member, "person": person, "role": role, "country": "JP"}
        return await self.send(command)

    async def schedule(self, item: str, day: int = 0, hour: int = 9, **more: Any) -> Receipt:
        """Schedule a session for everybody, `day` days after arrival."""
        on = (await self.file()).starts + timedelta(days=day)
        return await self.send(
            {
                "type": "schedule_item",
                "item_id": item,
                "title": f"Session {item}",
                "starts": {"local": f"{on.isoformat()}T{hour:02}:00"},
                "ends": {"local": f"{on.isoformat()}T{hour + 1:02}:00"},
                "place": "Hà Nội",
                "audience": {"groups": ["delegates", "escorts", "coordinators"]},
                **more,
            }
        )

    async def approve(self) -> Delegation:
        """Submit, sign both steps and issue the decision."""
        await self.send({"type": "submit_request"})
        for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
            digest = (await self.file()).proposal.digest  # type: ignore[union-attr]
            await self.send({"type": "sign_off", "step_id": step, "dossier_digest": digest}, by=signer)
        await self.send({"type": "issue_decision", "number": "12/QĐ-LH"})
        return await self.file()


@asynccontextmanager
async def running(
    folder: Path,
    connect: Connect,
    address: str,
    *,
    database_url: str = "",
    workers: bool = True,
    profile: Profile = "demo",
    **more: Any,
) -> AsyncIterator[Running]:
    """Run an installation on a folder; the Temporal server is the test process's own. Only `demo` does not encrypt.

    `more` are further settings.
    """
    post, smtp_port = Post(), free_ports(1)[0]
    controller = Controller(post, hostname=HOST, port=smtp_port)
    controller.start()
    settings = Settings(
        profile=profile,
        data_dir=folder,
        database_url=database_url,
        temporal_address=address,
        temporal_task_queue=f"test-{uuid.uuid4().hex}",
        smtp_host=HOST,
        smtp_port=smtp_port,
        smtp_starttls=False,
        caldav_loopback=True,
        checkpoint_key=SecretStr(base64.b64encode(CHECKPOINT_KEY).decode()),
        signatory_name="Nguyễn Văn Bình",
        **more,
    )
    await migrate(settings.database_url)
    registers = Registers.open(settings.database_url, [MASTER_KEY], folder, synchronous="NORMAL")
    await registers.editions.put(edition())
    for account in ACCOUNTS:
        if await registers.accounts.get(account.id) is None:
            await registers.accounts.create(account)
    client = await connect(
        data_converter=data_converter(registers.keyring if settings.encrypts_payloads else None),
        retry_config=OWN_RETRIES,
    )
    engine = Engine(client, settings.temporal_task_queue, registers.database, registers.projection, registers.queries)
    clock = VirtualClock(client, patience=timedelta(seconds=60))
    here = Running(settings, registers, client, engine, clock, post, f"d-{uuid.uuid4().hex[:12]}")
    try:
        if workers:
            async with build_worker(client, settings, registers):
                yield here
        else:
            yield here
    finally:
        controller.stop()
        await registers.close()


@pytest.fixture
async def here(tmp_path: Path, connect: Connect, temporal_server: Any) -> AsyncIterator[Running]:
    """A running installation with one worker."""
    async with running(tmp_path, connect, temporal_server.address) as installation:
        yield installation


def instant(text: str) -> datetime:
    """An aware instant from RFC 3339."""
    return datetime.fromisoformat(text)
