"""The worker: runs delegations and carries out what they ask for. `python -m worker`.

The composition root: settings become registers, a mail server and a client here and nowhere below.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import structlog
from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.client import Client
from temporalio.converter import StorageDriverStoreContext
from temporalio.worker import Worker, WorkflowInstance, WorkflowInstanceDetails
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions
from temporalio.workflow import Info

from activities.account_notices import OwnersTold
from activities.archive import Archiving
from activities.checkpoints import CheckpointDuties, Sealing
from activities.codec import data_converter
from activities.collections import CollectionSync
from activities.decide import Decide
from activities.digest import Digests
from activities.documents import Documents
from activities.effects import Effects
from activities.erasure import Erasing, begin_agreed
from activities.house import House
from activities.invitations import Invitations
from activities.leave import DeskReviews
from activities.mailbox import Mailroom
from activities.notices import Notices
from activities.outbox import Outbox, Patience
from activities.project import Project
from activities.recipients import Recipients
from activities.replies import Replies, Trust
from activities.resending import Resending
from activities.retention import Retention
from audit.signing_key import NoSigningKey, SigningKeys
from audit.witnesses import FolderWitness, UrlWitness, Witness
from calendars.caldav import CalDav
from calendars.guard import Reach
from documents.administrative import Issuer, Signatory
from domain.bilingual import Bilingual
from domain.mailbox import Mailbox
from embedded.archive import archive_of
from embedded.connection import connect
from embedded.log import configure_log
from notices.imap import ImapServer, Postbox
from notices.smtp import SmtpServer
from settings import LOOPBACK, Settings, SettingsRefused, load_settings
from storage.claims import sweep
from storage.errors import StoreUnavailable
from storage.registers import Registers
from storage.trips import Trips
from workflows.checkpoints import CheckpointRound
from workflows.collections import CollectionRound
from workflows.delegation import DelegationWorkflow
from workflows.digest import MorningDigest
from workflows.erasure import Erasure
from workflows.leave import DeskReview
from workflows.mailbox import Mailbox as MailboxWorkflow
from workflows.retention import RetentionRound

PASSED_THROUGH = ("domain", "pydantic", "pydantic_core", "annotated_types", "workflows.ports", "workflows.carried")
"""Imported once and shared with the sandbox: a second import would split pydantic's classes and cost time."""

log = structlog.get_logger()

OWNERS_TOLD_EVERY = timedelta(seconds=15)

STICKY = timedelta(milliseconds=500)
"""After a worker was killed, its workflows' tasks go back to the common queue this soon."""


class Run(WorkflowInstance):
    """A sandboxed run whose payloads are encoded the same wherever they go.

    Our codec takes no context and nothing is stored outside the history. Asking the sandbox for either, as the SDK does
    three times a payload, was a fifth of the worker's computing.
    """

    def __init__(self, sandboxed: WorkflowInstance) -> None:
        self._sandboxed = sandboxed

    def activate(self, act: WorkflowActivation) -> WorkflowActivationCompletion:
        """Run on."""
        return self._sandboxed.activate(act)

    def get_info(self) -> Info:
        """Return what the SDK knows of the run."""
        return self._sandboxed.get_info()

    def get_thread_id(self) -> int | None:
        """Return the thread that runs it now."""
        return self._sandboxed.get_thread_id()

    def get_serialization_context(self, command_info: object) -> None:
        """Return none."""

    def get_external_store_context(self, command_info: object) -> StorageDriverStoreContext:
        """Return an empty one."""
        return StorageDriverStoreContext()


class Sandbox(SandboxedWorkflowRunner):
    """The SDK's sandbox, of such runs."""

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Return a run."""
        return Run(super().create_instance(det))


def sandbox() -> SandboxedWorkflowRunner:
    """Return the one sandbox policy of every worker and replayer."""
    return Sandbox(restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH))


def house_of(settings: Settings) -> House:
    """Return the issuing house that the settings describe."""
    return House(
        issuer=Issuer(
            name=Bilingual(vi=settings.union_name, en=settings.union_name_en),
            parent=Bilingual(vi=settings.union_parent, en=settings.union_parent_en),
            address=settings.union_address or None,
            telephone=settings.union_telephone or None,
            email=settings.union_email or None,
        ),
        name=Bilingual(vi=settings.union_name, en=settings.union_name_en),
        place=settings.union_place,
        signatory=Signatory(
            name=settings.signatory_name,
            office=Bilingual(vi=settings.signatory_office, en=settings.signatory_office_en),
        ),
        organizer=Mailbox(address=settings.organizer_mailbox, name=settings.organizer_name),
        public_url=settings.public_url,
    )


def mail_server_of(settings: Settings) -> SmtpServer:
    """Return the mail server that the settings name; one on this machine where they name none."""
    return SmtpServer(
        host=settings.smtp_host or "127.0.0.1",
        port=settings.smtp_port,
        security="starttls" if settings.smtp_starttls else "none",
        username=settings.smtp_user,
        password=settings.smtp_password,
    )


def caldav_of(settings: Settings) -> CalDav:
    """Return the client of calendar servers, which reaches what the settings allow."""
    reach = Reach.of(
        loopback=settings.caldav_loopback, networks=settings.caldav_private_networks, ports=settings.caldav_ports
    )
    return CalDav(reach, patience=timedelta(seconds=settings.caldav_patience_seconds))


def patience_of(settings: Settings) -> Patience:
    """Return how long mail is tried.

    A delegation's clock in the demo skips the pauses between attempts, so there each attempt waits itself, for minutes
    instead of days; its mailbox is on this machine and has no pace to keep.
    """
    if settings.has_virtual_clock:
        return Patience(first=timedelta(seconds=5), deferrals=6, skipped_pauses=True)
    return Patience(
        deferrals=settings.mail_deferrals,
        lasting=timedelta(hours=settings.mail_hours),
        per_minute=settings.mail_per_minute,
    )


def postbox_of(settings: Settings) -> Postbox | None:
    """Return the mailbox that the settings name, if they name one. Refuses (SettingsRefused) one without a password."""
    if settings.imap_host is None:
        return None
    if settings.imap_password is None:
        raise SettingsRefused("The setting LEGATION_IMAP_PASSWORD is missing: the mailbox cannot be read without it.")
    if settings.imap_security == "none" and settings.imap_host not in LOOPBACK:
        raise SettingsRefused("The setting LEGATION_IMAP_SECURITY: a password goes to another machine over TLS alone.")
    server = ImapServer(
        host=settings.imap_host,
        port=settings.imap_port,
        security=settings.imap_security,
        username=settings.imap_user or settings.organizer_mailbox,
        password=settings.imap_password,
        folder=settings.imap_folder,
        read_to=settings.imap_read_to,
    )
    return Postbox(server, largest=settings.received_mail_limit_bytes)


def signing_keys_of(settings: Settings) -> SigningKeys:
    """Return the keys that checkpoints are signed with, as they are now. Raises NoSigningKey.

    A worker without them works on: what it may not sign is told, and delegations do not wait for it.
    """
    try:
        return SigningKeys.of(settings.checkpoint_keys())
    except SettingsRefused:
        raise NoSigningKey("signing_key_missing") from None


def witnesses_of(settings: Settings) -> list[Witness]:
    """Return who is shown checkpoints."""
    found: list[Witness] = []
    if settings.witness_url is not None:
        found.append(UrlWitness(settings.witness_url.get_secret_value()))
    if settings.witness_folder is not None:
        found.append(FolderWitness(settings.witness_folder))
    return found


def build_worker(client: Client, settings: Settings, registers: Registers) -> Worker:
    """Return a worker for the settings' task queue, not yet running."""
    house = house_of(settings)
    outbox = Outbox(registers.mail_ledger, mail_server_of(settings), house.organizer, patience_of(settings))
    invitations = Invitations(registers.journal, registers.persons, outbox, house, registers.feeds)
    notices = Notices(
        registers.journal,
        registers.persons,
        registers.accounts,
        registers.institution,
        registers.editions,
        registers.attachments,
        outbox,
        house,
        Recipients(registers.accounts, registers.institution, registers.standing),
    )
    collections = CollectionSync(registers, caldav_of(settings), house)
    documents = Documents(
        registers.journal,
        registers.persons,
        registers.texts,
        registers.accounts,
        registers.editions,
        registers.attachments,
        house,
    )
    effects = Effects(
        invitations,
        notices,
        documents,
        collections,
        Resending(registers.journal, registers.persons, registers.dead_letters, outbox, invitations, notices),
        outbox,
        # With the pauses between them, some two days: as long as mail is tried.
        attempts=10 if settings.has_virtual_clock else 600,
        skipped_pauses=settings.has_virtual_clock,
    )
    replies = Replies(
        client,
        registers.answering,
        registers.dead_letters,
        registers.texts,
        registers.queries,
        outbox,
        house.mail_domain,
        Trust(settings.received_mail_limit_bytes, settings.imap_authserv),
    )
    looks = timedelta(seconds=settings.imap_seconds)
    retention = Retention(
        registers,
        settings.zone,
        applies_after=timedelta(days=settings.retention_plan_days) if settings.retention_round == "apply" else None,
    )
    sealing = Sealing(registers.database, lambda: signing_keys_of(settings))
    checkpoints = CheckpointDuties(registers.database, sealing, witnesses_of(settings))
    return Worker(
        client,
        task_queue=settings.temporal_task_queue,
        workflows=[
            DelegationWorkflow,
            DeskReview,
            MailboxWorkflow,
            MorningDigest,
            CollectionRound,
            CheckpointRound,
            Erasure,
            RetentionRound,
        ],
        activities=[
            Decide(
                registers.editions,
                registers.standing,
                Trips(registers.database),
                registers.dead_letters,
                registers.collections,
                settings.zone,
            ).decide,
            Project(registers.projection).project,
            effects.carry_out,
            DeskReviews(client, registers.desks).review,
            Mailroom(postbox_of(settings), registers.received_mail, replies, looks).read,
            Digests(registers, outbox, house, settings.zone, settings.digest_hour).send,
            collections.sync,
            retention.plan,
            retention.apply,
            checkpoints.make,
            checkpoints.witness,
            Archiving(client, registers, settings.retention).archive,
            Erasing(registers, documents).step,
        ],
        workflow_runner=sandbox(),
        sticky_queue_schedule_to_start_timeout=STICKY,
        max_concurrent_activities=20,
        graceful_shutdown_timeout=timedelta(seconds=5),
    )


async def run(settings: Settings) -> None:
    """Run until asked to end."""
    registers = Registers.open(
        settings.database_url,
        settings.master_keys(),
        settings.data_dir,
        attachment_limit=settings.attachment_limit_bytes,
        archive=archive_of(settings),
    )
    try:
        client = await connect(
            settings,
            data_converter=data_converter(registers.keyring if settings.encrypts_payloads else None),
        )
        besides = [asyncio.create_task(sweep_daily(client, registers, settings))]
        if not settings.has_virtual_clock:
            # In the demo one person plays everybody, and counts the mails that a journey brings.
            besides.append(asyncio.create_task(tell_owners(registers, settings)))
        try:
            await _until_asked(build_worker(client, settings, registers))
        finally:
            for task in besides:
                task.cancel()
    finally:
        await registers.close()


async def sweep_daily(client: Client, registers: Registers, settings: Settings) -> None:
    """Remove, once a day, what no command came for within so many days, and what settled mails said.

    An erasure that was agreed to and not begun begins.
    """
    days, mail_days = settings.unclaimed_days, settings.received_mail_days
    while True:
        with suppress(StoreUnavailable):
            await begin_agreed(client, settings.temporal_task_queue, registers.erasures)
            await sweep(registers.database, registers.attachments, datetime.now(UTC) - timedelta(days=days))
            while await registers.received_mail.forget(datetime.now(UTC) - timedelta(days=mail_days)):
                pass
        await asyncio.sleep(timedelta(days=1).total_seconds())


async def tell_owners(registers: Registers, settings: Settings) -> None:
    """Send what owners are to be told of their accounts, soon after it happened. Several workers do so side by side."""
    house = house_of(settings)
    outbox = Outbox(registers.mail_ledger, mail_server_of(settings), house.organizer, patience_of(settings))
    owners = OwnersTold(registers, outbox, house, settings.zone)
    while True:
        try:
            while await owners.send():
                pass
        except StoreUnavailable:
            pass
        except Exception as error:  # noqa: BLE001 - whatever broke, the next notices are not to wait for a restart
            log.error("owners_not_told", reason=type(error).__name__)
        await asyncio.sleep(OWNERS_TOLD_EVERY.total_seconds())


async def _until_asked(worker: Worker) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, asked.set)
    running = asyncio.create_task(worker.run())
    waiting = asyncio.create_task(asked.wait())
    await asyncio.wait((running, waiting), return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if not running.done():
        await worker.shutdown()
    await running


def main(arguments: Sequence[str] = ()) -> int:
    """0 when asked to end; 1 after one plain sentence on standard error."""
    configure_log()
    try:
        settings = load_settings()
        with suppress(KeyboardInterrupt):
            asyncio.run(run(settings))
    except SettingsRefused as refused:
        print(refused, file=sys.stderr)  # noqa: T201
        return 1
    except RuntimeError as failed:
        print(f"The worker cannot reach the Temporal server: {failed}", file=sys.stderr)  # noqa: T201
        return 1
    return 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(code)
