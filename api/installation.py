"""What the API works with: the registers, the read model, and the way to the workflows."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated, Self

import structlog
from fastapi import Depends, Request
from temporalio.client import Client
from temporalio.converter import DataConverter

from activities.codec import data_converter
from api.announcements import Announcements
from api.engine import OWN_RETRIES, Engine, EngineUnavailable
from embedded.connection import connect
from settings import Settings
from storage.registers import Registers

log = structlog.get_logger()

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0


class Installation:
    """One installation's parts, as one process of the API holds them."""

    def __init__(self, settings: Settings, client: Client | None = None) -> None:
        """Open the keyring and the pool of connections; nothing is asked of the database or of Temporal yet.

        `client`, when given, must carry `converter`. Raises SettingsRefused when there is no master key.
        """
        self.settings = settings
        self.registers = Registers.open(
            settings.database_url,
            settings.master_keys(),
            settings.data_dir,
            attachment_limit=settings.attachment_limit_bytes,
        )
        self.database = self.registers.database
        self.accounts = self.registers.accounts
        self.persons = self.registers.persons
        self.texts = self.registers.texts
        self.attachments = self.registers.attachments
        self.editions = self.registers.editions
        self.institution = self.registers.institution
        self.tenures = self.registers.tenures
        self.leaves = self.registers.leaves
        self.register_log = self.registers.register_log
        self.mail = self.registers.mail_ledger
        self.queries = self.registers.queries
        self.announcements = Announcements()
        self._client = client
        self._engine: Engine | None = None
        self._connecting: asyncio.Task[None] | None = None

    @property
    def converter(self) -> DataConverter:
        """How values travel to this installation's workflows."""
        return data_converter(self.registers.keyring if self.settings.encrypts_payloads else None)

    @property
    def client(self) -> Client | None:
        """The client of Temporal once there is one; it mends its own connection from then on."""
        return self._client

    @property
    def engine(self) -> Engine:
        """The way of commands; raises EngineUnavailable until Temporal has answered for the first time."""
        if self._client is None:
            raise EngineUnavailable
        if self._engine is None:
            self._engine = Engine(
                self._client,
                self.settings.temporal_task_queue,
                self.database,
                self.registers.projection,
                self.queries,
                announce=self.announcements.announce,
            )
        return self._engine

    async def __aenter__(self) -> Self:
        """Begin to look for Temporal; a server that is away keeps nobody from reading."""
        if self._client is None:
            self._connecting = asyncio.create_task(self._connect(self._one_client))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.announcements.close()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        await self.database.close()

    async def _one_client(self) -> Client:
        return await connect(self.settings, data_converter=self.converter, retry_config=OWN_RETRIES)

    async def _connect(self, attempt: Callable[[], Awaitable[Client]]) -> None:
        pause = FIRST_PAUSE
        while self._client is None:
            try:
                self._client = await attempt()
            except RuntimeError as error:
                # The SDK's own kind for a server that does not answer.
                log.warning("temporal_unreachable", reason=type(error).__name__, again_in=pause)
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)


def installation_of(request: Request) -> Installation:
    """Return the installation that a request is made to."""
    installation: Installation = request.app.state.installation
    return installation


At = Annotated[Installation, Depends(installation_of)]
"""The installation, as a parameter of a route."""
