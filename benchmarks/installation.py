"""The installation that is measured: the stack of `legation up` on an empty folder, with one worker of our own making.

Server on a write-ahead log with every commit on disk, real clocks, encrypted payloads, SQLite, mailbox, API: all as in
real use. The client of the engine is this process.
"""

import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx2
from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from activities.codec import data_converter
from api.engine import OWN_RETRIES, TASK_TIMEOUT, Engine, enveloped
from benchmarks.floor import TASK_QUEUE, Floor
from benchmarks.subject import ACCOUNTS, COORDINATOR, PEOPLE, Subject, prepare
from domain.decision import Receipt
from domain.values import PersonRef
from embedded.connection import connect
from embedded.folder import StackRecord
from embedded.ports import Ports
from embedded.stack import PYTHON, Commands, Stack
from settings import PREFIX, Settings
from storage.editions_file import load_edition
from storage.persons import PersonDetails
from storage.registers import Registers

RULES = Path(__file__).parent.parent / "rules"


@dataclass
class Installation:
    """A running stack and the ways into it that are compared."""

    record: StackRecord
    environment: Mapping[str, str]
    registers: Registers
    client: Client
    plain: Client
    engine: Engine
    http: httpx2.AsyncClient
    people: list[PersonRef] = field(default_factory=list)

    async def subject(self) -> Subject:
        """Return a new approved delegation, with nothing under way."""
        found = await prepare(self.engine, self.registers.queries, self.people, datetime.now(UTC).date())
        await self.settle(found)
        return found

    async def floor(self) -> WorkflowHandle[Any, Any]:
        """Return a new workflow of the floor."""
        return await self.plain.start_workflow(
            Floor.run,
            id=f"floor-{uuid4().hex[:12]}",
            task_queue=TASK_QUEUE,
            task_timeout=TASK_TIMEOUT,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        )

    async def send(self, subject: Subject, commands: list[dict[str, Any]]) -> Receipt:
        """Send commands through the client in this process; answered when they are decided."""
        return await self.engine.send(enveloped(subject.id, commands, actor=COORDINATOR.id, key=uuid4().hex))

    async def execute(self, subject: Subject, commands: list[dict[str, Any]]) -> Receipt:
        """Send commands through the engine in this process; answered when they can be read."""
        return await self.engine.execute(subject.id, commands, actor=COORDINATOR.id, key=uuid4().hex)

    async def post(self, subject: Subject, command: dict[str, Any]) -> None:
        """Send a command over HTTP."""
        answer = await self.http.post(
            f"/api/v1/delegations/{subject.id}/commands", json=command, headers={"Idempotency-Key": uuid4().hex}
        )
        answer.raise_for_status()

    async def settle(self, subject: Subject) -> None:
        """Return when a delegation has nothing left to project or to carry out."""
        handle = self.client.get_workflow_handle(subject.id)
        while (seen := await handle.query("inspect"))["outbox"] or seen["effects"]:
            pass


@asynccontextmanager
async def installation() -> AsyncIterator[Installation]:
    """Start everything in a temporary folder on free ports; it is gone afterwards."""
    # A variable of whoever runs this must not decide what is measured.
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="legation-bench-") as folder:
        ports = Ports.free()
        settings = Settings(profile="embedded", data_dir=Path(folder), api_port=ports.api)
        commands = Commands(worker=(*PYTHON, "benchmarks.worker"))
        async with Stack(settings, ports, commands=commands) as stack, _entered(settings, stack) as entered:
            yield entered


@asynccontextmanager
async def _entered(settings: Settings, stack: Stack) -> AsyncIterator[Installation]:
    record = stack.record
    registers = Registers.open(settings.database_url, settings.master_keys(), settings.data_dir)
    try:
        await registers.editions.put(load_edition(RULES))
        for account in ACCOUNTS:
            await registers.accounts.create(account)
        _, token = await registers.accounts.create_token(COORDINATOR.id)
        people = [
            await registers.persons.register(
                PersonDetails(
                    full_name=f"Delegate {number}",
                    given_name=str(number),
                    email=f"delegate{number}@tokyo.example",
                    language="en",
                    nationality="JP",
                )
            )
            for number in range(PEOPLE)
        ]
        named = settings.model_copy(update={"temporal_address": record.temporal_address})
        client = await connect(named, data_converter=data_converter(registers.keyring), retry_config=OWN_RETRIES)
        plain = await connect(named)
        engine = Engine(
            client, settings.temporal_task_queue, registers.database, registers.projection, registers.queries
        )
        async with httpx2.AsyncClient(
            base_url=record.api_url, headers={"Authorization": f"Bearer {token}"}, timeout=30
        ) as http:
            yield Installation(record, stack.environment(), registers, client, plain, engine, http, people)
    finally:
        await registers.close()
