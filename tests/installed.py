"""Legation as a person runs it: `legation up` in a process of its own, asked by HTTP, its mail read by IMAP."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
from imap_tools import MailBoxUnencrypted
from temporalio.client import Client

from embedded.folder import StackRecord
from embedded.health import check_of
from embedded.ports import HOST
from scenarioplayer.mailboxes import Mailboxes
from settings import Settings
from storage.accounts import AccountDetails
from storage.registers import Registers
from tests.command import legation
from tests.embedded.running_stack import ROOT, until

PATIENCE = 90.0
ACCOUNTS: Mapping[str, tuple[str, ...]] = {
    "lan": ("--role", "coordinator"),
    "hung": ("--role", "approver", "--position", "department_head"),
    "mai": ("--role", "approver", "--position", "vice_president"),
    "root": ("--role", "administrator"),
    "ha": ("--role", "administrator"),
}
EVERY_SCOPE = ("--scope", "read", "--scope", "write", "--scope", "sign", "--scope", "administer")


class Installed:
    """One installation on a data folder; its processes may be killed, stopped and started again."""

    def __init__(
        self, folder: Path, *, workers: int = 1, environment: Mapping[str, str] | None = None, **settings: str
    ) -> None:
        """`settings` are `LEGATION_` variables; the profile is the demo's, whose clocks can be moved, unless said.

        `environment` are other variables, for every process.
        """
        self.folder = folder
        self._workers = workers
        self._environment = dict(environment or {})
        self._settings = {"profile": "demo", "caldav_loopback": "true"} | settings
        self._tokens: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when every part was ready."""
        environment = {key: value for key, value in os.environ.items() if not key.startswith("LEGATION_")}
        environment |= {f"LEGATION_{name.upper()}": value for name, value in self._settings.items()}
        environment |= self._environment
        words = ("--data", str(self.folder), "up", "--ports", "free", "--workers", str(self._workers))
        with open(self.folder.with_name(f"{self.folder.name}.out"), "ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "cli", *words],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        until(lambda: self._is_complete() or self.process.poll() is not None, seconds=PATIENCE)
        assert self.process.poll() is None, self.said()

    @property
    def process(self) -> "subprocess.Popen[bytes]":
        assert self._process is not None
        return self._process

    def stop(self) -> None:
        """One Ctrl-C; everything has ended when this returns."""
        self.process.send_signal(signal.SIGINT)
        assert self.process.wait(timeout=PATIENCE) == 0, self.said()

    def end(self) -> None:
        """Leave nothing running, whatever happened."""
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait()

    def said(self) -> str:
        """What the command printed."""
        return self.folder.with_name(f"{self.folder.name}.out").read_text()

    @property
    def record(self) -> StackRecord:
        return StackRecord.model_validate_json((self.folder / "run" / "stack.json").read_bytes())

    @property
    def url(self) -> str:
        return f"{self.record.api_url}/api/v1"

    def pid(self, part: str) -> int:
        return self.record.parts[part].pid

    @contextmanager
    def further_api(self, **variables: str) -> Iterator[str]:
        """Run one more process of the API beside its own, on a free port; its address, once it answers.

        `variables` stand in its environment before those that the first one has.
        """
        with socket.create_server((HOST, 0)) as free:
            port = free.getsockname()[1]
        inherited = Path(f"/proc/{self.pid('api')}/environ").read_bytes().split(b"\0")
        environment = dict(os.fsdecode(one).split("=", 1) for one in inherited if one)
        with open(self.folder.with_name(f"{self.folder.name}.out"), "ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "api"],
                cwd=ROOT,
                env=environment | {"LEGATION_API_PORT": str(port)} | variables,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            url = f"http://{HOST}:{port}/api/v1"
            until(lambda: _answers(url) or process.poll() is not None, seconds=PATIENCE)
            assert process.poll() is None, self.said()
            yield url
        finally:
            process.kill()
            process.wait()

    def kill(self, part: str) -> int:
        """kill -9 of one part; return the process id that died."""
        pid = self.pid(part)
        os.kill(pid, signal.SIGKILL)
        return pid

    async def ready_again(self, part: str, instead_of: int) -> float:
        """Wait until another process does the part's work; return after how many seconds."""
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE):
            while self.pid(part) == instead_of or not await self._is_ready(part):
                await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def ready(self) -> None:
        """Wait until every part does its work."""
        async with asyncio.timeout(PATIENCE):
            for part in self.record.parts:
                while not await self._is_ready(part):
                    await asyncio.sleep(0.02)

    async def ended(self, delegation: str) -> None:
        """Wait until a closed delegation's run has ended: everything it asked for was carried out and recorded."""
        async with asyncio.timeout(PATIENCE):
            await (await self._client()).get_workflow_handle(delegation).result()

    async def continued(self, delegation: str) -> bool:
        """Whether the file is served by another run than the one that opened it."""
        description = await (await self._client()).get_workflow_handle(delegation).describe()
        return description.raw_description.workflow_execution_info.first_run_id != description.run_id

    def token(self, account: str) -> str:
        """A token of one of ACCOUNTS, made once; it outlives a restart."""
        if account not in self._tokens:
            words = ("token", "create", account, "--name", account, *ACCOUNTS[account], *EVERY_SCOPE, "--json")
            made = legation("--data", str(self.folder), *words, **self._settings)
            assert made.returncode == 0, made.stderr
            self._tokens[account] = json.loads(made.stdout)["token"]
        return self._tokens[account]

    def forget_token(self, account: str) -> None:
        """Make a new token when one is next wanted: a new password of the account ended this one."""
        self._tokens.pop(account, None)

    async def make_tokens(self) -> None:
        """Make a token for each of ACCOUNTS in this process: a command for each takes a second."""
        settings = Settings(data_dir=self.folder)
        registers = Registers.open(settings.database_url, settings.master_keys(), self.folder)
        try:
            for account, words in ACCOUNTS.items():
                given = {"roles": words[1:2], "positions": words[3:4]}
                await registers.accounts.create(AccountDetails.model_validate({"id": account, "name": account} | given))
                self._tokens[account] = (await registers.accounts.create_token(account))[1]
        finally:
            await registers.close()

    def headers(self, by: str, key: str | None = None) -> dict[str, str]:
        """The headers of a request in somebody's name; a new Idempotency-Key unless one is given."""
        return {"Authorization": f"Bearer {self.token(by)}", "Idempotency-Key": key or uuid.uuid4().hex}

    def asking(self) -> httpx2.AsyncClient:
        """A client of the API, to be used in `async with`."""
        return httpx2.AsyncClient(base_url=self.url, timeout=60.0)

    def mailboxes(self, addresses: list[str]) -> Mailboxes:
        """The mailboxes of addresses, as the player of scenarios counts them."""
        return Mailboxes(HOST, self.record.ports.imap, self._mail_password, addresses)

    def mails(self, address: str) -> list[bytes]:
        """Every message in one mailbox, as it arrived."""
        with MailBoxUnencrypted(HOST, self.record.ports.imap).login(address, self._mail_password) as box:
            return [message.obj.as_bytes() for message in box.fetch(mark_seen=False, bulk=True)]

    async def waits_for_a_timer(self, delegation: str) -> bool:
        """Whether the server holds a timer for the file: its next deadline."""
        history = await (await self._client()).get_workflow_handle(delegation).fetch_history()
        timers = [event.event_type for event in history.events if event.HasField("timer_started_event_attributes")]
        fired = [event for event in history.events if event.HasField("timer_fired_event_attributes")]
        cancelled = [event for event in history.events if event.HasField("timer_canceled_event_attributes")]
        return len(timers) > len(fired) + len(cancelled)

    async def _client(self) -> Client:
        return await Client.connect(self.record.temporal_address, namespace=self.record.temporal_namespace)

    @property
    def _mail_password(self) -> str:
        password = self.record.mail_password
        assert password is not None
        return password.get_secret_value()

    def _is_complete(self) -> bool:
        return (self.folder / "run" / "stack.json").exists() and self.record.complete

    async def _is_ready(self, part: str) -> bool:
        record = self.record
        check = check_of(part, record.ports, record.temporal_namespace, record.temporal_task_queue, own_server=True)
        return (await check(record.parts[part].pid)).ready


@contextmanager
def installed(
    folder: Path, *, workers: int = 1, environment: Mapping[str, str] | None = None, **settings: str
) -> Iterator[Installed]:
    """A running installation; whatever the test did to it, nothing of it is left running afterwards."""
    found = Installed(folder, workers=workers, environment=environment, **settings)
    try:
        found.start()
        yield found
    finally:
        found.end()


def _answers(url: str) -> bool:
    try:
        return httpx2.get(f"{url}/health", timeout=5.0).status_code == 200
    except httpx2.TransportError:
        return False


def opening(**more: Any) -> dict[str, Any]:
    """The body that opens a small inbound delegation, in April of the year after next."""
    return {
        "direction": "inbound",
        "title": "Đoàn Hội hữu nghị Tokyo",
        "purpose": "Trao đổi về hợp tác địa phương",
        "organisation": "song-lam",
        "partner": "Tokyo Friendship Association",
        "countries": ["JP"],
        "places": ["Huế"],
        "starts": "2028-04-03",
        "ends": "2028-04-05",
        "grade": "C",
        **more,
    }
