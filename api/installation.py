"""What the API works with: the registers, the read model, and the way to the workflows."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import Annotated, Self
from urllib.parse import urlsplit

import structlog
from fastapi import Depends, Request
from temporalio.client import Client
from temporalio.converter import DataConverter

from activities.codec import data_converter
from activities.erasure import begin_agreed
from activities.evidence import EvidenceBundles
from api.announcements import Announcements
from api.attempts import Attempts
from api.cookies import Cookies
from api.engine import OWN_RETRIES, Engine, EngineUnavailable
from api.feed_contents import FeedContents
from api.import_work import ImportWork
from api.leave import tell_all_files
from api.oidc import Providers
from api.proofs import Proofs
from audit.histories import Archive
from audit.signing_key import NoSigningKey, SigningKeys
from calendars.caldav import CalDav
from calendars.guard import Reach
from embedded.archive import archive_of
from embedded.connection import connect
from settings import Settings, SettingsRefused
from storage.challenges import Challenges
from storage.errors import StoreUnavailable
from storage.identities import Identities
from storage.passkeys import Passkeys, RelyingParty
from storage.passwords import Cost, Passwords
from storage.registers import Registers
from storage.sessions import Sessions
from storage.signing import Signing

log = structlog.get_logger()

FIRST_PAUSE = 0.2
LONGEST_PAUSE = 5.0

CHALLENGE_LIFETIME = timedelta(minutes=5)
"""How long somebody has to answer a challenge, or to sign in with another provider."""

PARTY_NAME = "Legation"
"""What a device shows people when it asks for a passkey."""


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
            archive=archive_of(settings),
        )
        self.database = self.registers.database
        self.accounts = self.registers.accounts
        self.persons = self.registers.persons
        self.texts = self.registers.texts
        self.attachments = self.registers.attachments
        self.directory = self.registers.directory
        self.directory_imports = self.registers.directory_imports
        self.directory_uploads = self.registers.directory_uploads
        self.import_work = ImportWork(self.directory_uploads, self.directory_imports)
        self.drafts = self.registers.drafts
        self.editions = self.registers.editions
        self.institution = self.registers.institution
        self.tenures = self.registers.tenures
        self.leaves = self.registers.leaves
        self.register_log = self.registers.register_log
        self.archived_runs = self.registers.archived_runs
        self.mail = self.registers.mail_ledger
        self.queries = self.registers.queries
        self.desks = self.registers.desks
        self.today = self.registers.today
        self.person_requests = self.registers.person_requests
        self.held = self.registers.held
        self.checklists = self.registers.checklists
        self.notes = self.registers.notes
        self.retention = self.registers.retention
        self.caldav = CalDav(
            Reach.of(
                loopback=settings.caldav_loopback,
                networks=settings.caldav_private_networks,
                ports=settings.caldav_ports,
            ),
            patience=timedelta(seconds=settings.caldav_patience_seconds),
        )
        self.feeds = self.registers.feeds
        self.feed_contents = FeedContents(
            self.registers,
            domain=self.mail_domain,
            zone=settings.zone,
            name=settings.union_name,
            lasting=timedelta(days=settings.feed_days),
        )
        self.proofs = Proofs(self.converter, Archive(self.registers.archived_runs, self.registers.archive_files))
        self.announcements = Announcements()
        self._open_sign_in(settings)
        self._client = client
        self._engine: Engine | None = None
        self._connecting: asyncio.Task[None] | None = None

    def _open_sign_in(self, settings: Settings) -> None:
        self.cookies = Cookies.of(settings)
        self.attempts = Attempts(
            window=settings.attempts_window_seconds,
            address=settings.sign_in_address_attempts,
            account=settings.sign_in_account_attempts,
            guesses=settings.token_guesses,
            fetches=settings.feed_fetches,
        )
        self.sessions = Sessions(
            self.database,
            idle=timedelta(minutes=settings.session_idle_minutes),
            absolute=timedelta(hours=settings.session_hours),
        )
        self.passwords = Passwords(
            self.database,
            Cost(settings.argon2_memory_kib, settings.argon2_passes, settings.argon2_lanes),
            link_lifetime=timedelta(hours=settings.sign_in_link_hours),
        )
        self.challenges = Challenges(self.database, CHALLENGE_LIFETIME)
        party = RelyingParty(urlsplit(settings.public_url).hostname or "", PARTY_NAME, settings.public_origin)
        self.passkeys = Passkeys(self.database, self.registers.keyring, self.challenges, party)
        self.signing = Signing(self.database, self.challenges, self.passkeys)
        self.identities = Identities(self.database, self.registers.keyring)
        self.providers = Providers(settings.oidc_providers or (), settings.public_origin)

    @property
    def mail_domain(self) -> str:
        """The domain of UIDs: that of the mailbox that invites."""
        return self.settings.organizer_mailbox.rpartition("@")[2]

    @property
    def converter(self) -> DataConverter:
        """How values travel to this installation's workflows."""
        return data_converter(self.registers.keyring if self.settings.encrypts_payloads else None)

    @property
    def client(self) -> Client | None:
        """The client of Temporal once there is one; it mends its own connection from then on."""
        return self._client

    @property
    def evidence(self) -> EvidenceBundles:
        """What makes evidence bundles; raises EngineUnavailable until Temporal has answered for the first time."""
        if self._client is None:
            raise EngineUnavailable
        return EvidenceBundles(self.registers, self._client, self.converter.payload_codec, self._signing_keys)

    def _signing_keys(self) -> SigningKeys:
        try:
            return SigningKeys.of(self.settings.checkpoint_keys())
        except SettingsRefused:
            raise NoSigningKey("signing_key_missing") from None

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
        self.import_work.watch()
        return self

    async def __aexit__(self, *_: object) -> None:
        self.announcements.close()
        if self._connecting is not None:
            self._connecting.cancel()
            await asyncio.gather(self._connecting, return_exceptions=True)
        await self.import_work.close()
        await self.database.close()

    async def _one_client(self) -> Client:
        return await connect(self.settings, data_converter=self.converter, retry_config=OWN_RETRIES)

    async def _connect(self, attempt: Callable[[], Awaitable[Client]]) -> None:
        pause = FIRST_PAUSE
        while self._client is None:
            try:
                self._client = await attempt()
                await tell_all_files(self._client, self.settings.temporal_task_queue)
                with suppress(StoreUnavailable):
                    await begin_agreed(self._client, self.settings.temporal_task_queue, self.registers.erasures)
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
