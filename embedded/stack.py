"""Legation on one machine: Temporal's server, a development mailbox, the worker and the API as one process tree."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from pydantic import SecretStr

from embedded.failure import Sentence
from embedded.folder import DataFolder, PartRecord, StackRecord
from embedded.health import Check, check_of
from embedded.ports import HOST, Ports, require_free
from embedded.server import server_command
from embedded.supervisor import Part, Supervisor
from locales import mark
from settings import PREFIX, Settings

ROOT = Path(__file__).parent.parent
PYTHON = (sys.executable, "-m")

Only = Literal["temporal", "api"]
"""Temporal's server alone, or with the API."""


@dataclass(frozen=True)
class Commands:
    """How our own processes are started."""

    bootstrap: Sequence[str] = (*PYTHON, "embedded.bootstrap")
    worker: Sequence[str] = (*PYTHON, "worker")
    api: Sequence[str] = (*PYTHON, "api")


class Stack:
    """`async with Stack(settings, ports) as stack:` runs everything on `settings.data_dir`, and stops it in order.

    The settings decide what is started: a server unless `temporal_address` or the profile `server` names one, a
    development mailbox unless `smtp_host` names real mail. Every refusal on the way in is a `StackFailure`.
    """

    def __init__(
        self,
        settings: Settings,
        ports: Ports,
        *,
        workers: int = 1,
        report: Callable[[Sentence], None] = lambda sentence: None,
        commands: Commands | None = None,
        only: Only | None = None,
    ) -> None:
        """`workers`: how many worker processes share the task queue. `report` gets what happens, in sentences.

        `only` starts a part of it, to look at what a stopped stack left: nothing is prepared, and nothing goes on.
        """
        self._settings = settings
        self._ports = ports
        self._workers = workers
        self._report = report
        self._commands = commands or Commands()
        self._folder = DataFolder(settings.data_dir)
        self._held = contextlib.ExitStack()
        self._own_server = settings.temporal_address is None and settings.profile != "server"
        self._only = only
        self._own_mailbox = settings.smtp_host is None and only is None
        self._reads_own_mailbox = self._own_mailbox and settings.imap_host is None
        self._mail_password = secrets.token_urlsafe(18) if self._own_mailbox else None
        self._started_at = datetime.now(UTC)
        self._complete = False
        self._supervisor = Supervisor(
            folder=ROOT,
            logs=self._folder.logs,
            environment={**os.environ, **self.environment()},
            report=report,
            changed=self._write,
        )

    @property
    def api_url(self) -> str:
        """Where this machine reaches the API."""
        return f"http://{HOST}:{self._ports.api}"

    @property
    def record(self) -> StackRecord:
        """What runs, as other commands find it too."""
        record = self._folder.read()
        assert record is not None, "the stack has not been started"  # noqa: S101
        return record

    def environment(self) -> dict[str, str]:
        """The `LEGATION_` variables by which the children find each other and the data."""
        settings, ports = self._settings, self._ports
        found = {
            "PROFILE": settings.profile,
            "DATA_DIR": str(settings.data_dir),
            "DATABASE_URL": settings.database_url,
            "TEMPORAL_NAMESPACE": settings.temporal_namespace,
            "TEMPORAL_TASK_QUEUE": settings.temporal_task_queue,
            "RETENTION_DAYS": str(settings.retention_days),
            "ZONE": settings.zone,
            "API_HOST": settings.api_host,
            "API_PORT": str(ports.api),
            "PUBLIC_URL": settings.public_url_at(ports.api),
            "SIGNATORY_NAME": settings.signatory_name,
        }
        if self._own_server:
            found["TEMPORAL_ADDRESS"] = f"{HOST}:{ports.temporal}"
        if self._own_mailbox:
            found |= {"SMTP_HOST": HOST, "SMTP_PORT": str(ports.smtp), "SMTP_STARTTLS": "false"}
        if self._reads_own_mailbox:
            found |= {"IMAP_HOST": HOST, "IMAP_PORT": str(ports.imap), "IMAP_SECURITY": "none", "IMAP_SECONDS": "1"}
        return {f"{PREFIX}{name}": value for name, value in found.items()}

    async def start(self) -> None:
        """Starts every part; returns when all are ready. After a refusal nothing is left running."""
        self._held.enter_context(self._folder.held())
        try:
            self._require_ports()
            if self._only is not None:
                await self._supervisor.start(self._services())
                await self._supervisor.start([self._api()] if self._only == "api" else [])
                self._complete = True
                return self._write(self._supervisor.records)
            self._folder.remember_profile(self._settings.profile)
            self._make_keys()
            await self._supervisor.start(self._services())
            await self._supervisor.run_once("bootstrap", mark("preparation"), self._commands.bootstrap, {})
            await self._supervisor.start(self._ours())
            self._complete = True
            self._write(self._supervisor.records)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """Stops API, workers, mailbox and server, in this order, and gives the data folder free."""
        await self._supervisor.stop()
        self._held.close()

    def force(self) -> None:
        """Makes a `stop` that is under way kill what still runs."""
        self._supervisor.force()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def _services(self) -> list[Part]:
        return ([self._temporal()] if self._own_server else []) + ([self._mailbox()] if self._own_mailbox else [])

    def _ours(self) -> list[Part]:
        names = ["worker", *(f"worker-{number}" for number in range(2, self._workers + 1))]
        title = mark("worker")
        # Workers alone read the mailbox.
        secret = (
            {f"{PREFIX}IMAP_PASSWORD": self._mail_password} if self._mail_password and self._reads_own_mailbox else {}
        )
        workers = [Part(name, title, self._commands.worker, self._check(name), secret) for name in names]
        return [*workers, self._api()]

    def _api(self) -> Part:
        return Part("api", mark("API"), self._commands.api, self._check("api"))

    def _check(self, part: str) -> Check:
        settings = self._settings
        return check_of(
            part,
            self._ports,
            settings.temporal_namespace,
            settings.temporal_task_queue,
            own_server=self._own_server,
        )

    def _temporal(self) -> Part:
        settings = self._settings
        command = server_command(
            self._ports,
            namespace=settings.temporal_namespace,
            database=self._folder.temporal_database,
            virtual_clock=settings.has_virtual_clock,
            durable=settings.profile != "demo",
        )
        return Part("temporal", mark("Temporal server"), command, self._check("temporal"))

    def _mailbox(self) -> Part:
        ports = self._ports
        command = (
            *(*PYTHON, "embedded.mailbox", "--host", HOST, "--multi-user", "--no-message-id"),
            *("--smtp-port", str(ports.smtp), "--imap-port", str(ports.imap), "--http-port", str(ports.webmail)),
        )
        # By the environment, since every user of the machine may read a command line.
        password = {"MAIL_USER": self._settings.organizer_mailbox, "MAIL_PASSWORD": self._mail_password or ""}
        return Part("mailbox", mark("mailbox"), command, self._check("mailbox"), password)

    def _make_keys(self) -> None:
        settings = self._settings
        if settings.master_key is None and self._folder.make_key(settings.master_key_file):
            text = mark("A master key was made: keep a copy of %(file)s in a safe place.")
            self._report(Sentence(text, {"file": settings.master_key_file}))
        if settings.checkpoint_key is None and self._folder.make_key(settings.checkpoint_key_file):
            text = mark("A key that signs checkpoints was made: keep a copy of %(file)s in a safe place.")
            self._report(Sentence(text, {"file": settings.checkpoint_key_file}))

    def _require_ports(self) -> None:
        ports = self._ports
        require_free(mark("API"), ports.api)
        if self._own_server:
            for port in (ports.temporal, ports.temporal_http, ports.temporal_metrics):
                require_free(mark("Temporal server"), port)
            require_free(mark("web interface of Temporal"), ports.ui)
        if self._own_mailbox:
            for port in (ports.smtp, ports.imap, ports.webmail):
                require_free(mark("mailbox"), port)

    def _write(self, parts: Mapping[str, PartRecord]) -> None:
        settings = self._settings
        self._folder.write(
            StackRecord(
                pid=os.getpid(),
                profile=settings.profile,
                started_at=self._started_at,
                ports=self._ports,
                api_url=self.api_url,
                temporal_address=settings.temporal_address or f"{HOST}:{self._ports.temporal}",
                temporal_namespace=settings.temporal_namespace,
                temporal_task_queue=settings.temporal_task_queue,
                has_own_server=self._own_server,
                mail_password=SecretStr(self._mail_password) if self._mail_password else None,
                parts=dict(parts),
                complete=self._complete,
            )
        )


async def run(stack: Stack, body: Callable[[Stack], Awaitable[None]]) -> None:
    """Starts the stack, awaits `body(stack)`, stops the stack.

    The first Ctrl-C (SIGINT, also SIGTERM and a closed terminal) cancels the body, or the start, and stops the parts in
    order; then this returns as usual. A second one kills what still runs.
    """
    loop = asyncio.get_running_loop()
    working = asyncio.current_task()
    assert working is not None  # noqa: S101
    asked = False

    def on_signal() -> None:
        nonlocal asked
        if asked:
            stack.force()
        else:
            asked = True
            working.cancel()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, on_signal)
    try:
        async with stack:
            await body(stack)
    except asyncio.CancelledError:
        if not asked:
            raise
        working.uncancel()
