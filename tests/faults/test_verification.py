"""Verification of a running installation: right beside what goes on, and killed where a replay would wait for ever."""

import asyncio
import base64
import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, update
from temporalio.client import WorkflowHistory

from activities.anchoring import TreeVerification
from activities.archive import Archiving
from activities.checkpoints import Sealing
from activities.restoring import Lost, PutBack, Restoring
from activities.verification import Replay, Verification
from audit.checkpoint import document_of
from audit.histories import Archive, Histories
from audit.signing_key import SigningKeys
from audit.verdicts import Account
from audit.witnesses import FolderWitness, kept_in, read_copy
from domain.seal import head_of, seal
from locales import translator
from rebuild import Rebuild
from storage.archived_runs import ArchivedRun
from storage.journal import append, journal
from storage.leaves import leaves
from tests.audit.histories import changed
from tests.faults.page import Note
from tests.replay.recordings import HISTORIES, read
from tests.running import MASTER_KEY, Running, running
from tests.temporal import Connect, TemporalServer
from verification import Asked, Replaying, Unknown, verify
from workflows.ports import ArchiveInput

ROOT = Path(__file__).parents[2]
KEYS = SigningKeys.of([bytes(range(32))])
MOST = 100
"""Commands beside which a file is verified."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def temporal_server(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A server of this file's own: archiving looks at every delegation of the namespace."""
    server = TemporalServer(tmp_path_factory.mktemp("temporal"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def here(
    tmp_path: Path, connect: Connect, temporal_server: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Running]:
    """An installation whose payloads are encrypted."""
    monkeypatch.setenv("LEGATION_MASTER_KEY", base64.b64encode(MASTER_KEY).decode())
    async with running(tmp_path, connect, temporal_server.address, profile="embedded") as installation:
        yield installation


async def verified(
    here: Running, replaying: Replay, *streams: str, patience: float = 5.0, copies: Sequence[Path] = ()
) -> Account:
    """What a verification in this process finds; replays are made in their own."""
    codec = here.client.data_converter.payload_codec
    database = here.registers.database
    verification = Verification(
        database,
        Histories(here.client, codec),
        here.registers.archived_runs,
        here.registers.archive_files,
        codec,
        replaying,
        patience=timedelta(seconds=patience),
    )
    return await verify(verification, TreeVerification(database, KEYS.public), Asked(streams or (here.id,), copies))


async def archived_run(here: Running) -> ArchivedRun:
    """Archive the closed run, once the server's list says that it is closed."""
    archiving = Archiving(here.client, here.registers, timedelta(days=1))
    async with asyncio.timeout(30):
        while not (runs := await here.registers.archived_runs.of(here.id)):
            await archiving.archive(ArchiveInput())
    return runs[0]


def found(account: Account) -> list[tuple[str, int | None]]:
    """Code and entry of everything that was found."""
    return [(one.code, one.seq) for verdict in account.verdicts for one in verdict.findings]


async def damage(here: Running, *statements: Any) -> None:
    """Change the store behind everybody's back."""
    async with here.registers.database.writing() as connection:
        for statement in statements:
            await connection.execute(statement)


async def test_a_file_is_verified_from_its_opening_to_the_archive_and_named_where_it_was_changed(
    here: Running, note: Note
) -> None:
    """Open, beside commands; closed, archived and under a checkpoint; then two sealers of one event."""
    replaying = Replaying(here.settings)
    try:
        await here.open()
        await here.add("head", "head")
        enough = asyncio.Event()

        async def write() -> None:
            number = 0
            # So many that every verification meets some, and no more than the test needs.
            while not enough.is_set() and number < MOST:
                number += 1
                await here.send({"type": "revise_request", "title": f"Đoàn {number}"})

        async with asyncio.TaskGroup() as group:
            group.create_task(write())
            accounts = [await verified(here, replaying) for _ in range(3)]
            enough.set()
        assert [found(account) for account in accounts] == [[], [], []]
        assert [account.verdicts[0].replayed for account in accounts] == [1, 1, 1]

        await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn hoãn.")})
        await here.send({"type": "close_delegation"})
        await here.client.get_workflow_handle(here.id).result()
        await archived_run(here)
        made = await Sealing(here.registers.database, lambda: KEYS).make()
        assert made is not None
        account = await verified(here, replaying)
        assert found(account) == []
        (verdict, _) = account.verdicts
        assert (verdict.runs, verdict.archived, verdict.replayed, verdict.checkpoint, verdict.since) == (1, 1, 0, 1, 0)

        events = await here.registers.journal.events(here.id)
        forged = seal(
            head_of(events[-2]),
            type="RequestRevised",
            version=1,
            at=events[-1].instant,
            actor="lan",
            command_id="0" * 40,
            data={"title": "Đoàn khác"},
        )
        mine = journal.c.delegation_id == here.id
        await damage(here, delete(journal).where(mine, journal.c.seq == len(events)))
        async with here.registers.database.writing() as connection:
            await append(connection, here.id, [forged])
        assert found(await verified(here, replaying, patience=0.2)) == [
            ("sealed_twice", len(events)),
            ("leaf_differs", len(events)),
        ]
        await damage(here, update(journal).where(mine, journal.c.seq == 3).values(actor="mai"))
        account = await verified(here, replaying, patience=0.2)
        assert account.verdicts[0].first is not None
        assert (account.verdicts[0].first.code, account.verdicts[0].first.seq) == ("content_changed", 3)
        with pytest.raises(Unknown, match=r"There is no delegation berlin-9 here\."):
            await verified(here, replaying, "berlin-9")
        await asyncio.to_thread(said, here)
        note(row="9", fault="two events sealed for one number, in a running installation")
    finally:
        await replaying.close()


def said(here: Running) -> None:
    """The command: one line for each stream, the first bad entry named, exit code 1; one JSON object for programs."""
    environment = {
        "PROFILE": "embedded",
        "DATA_DIR": str(here.settings.data_dir),
        "TEMPORAL_ADDRESS": here.settings.temporal_address or "",
        "CHECKPOINT_KEY": base64.b64encode(bytes(range(32))).decode(),
        "LANGUAGE": "vi",
    }

    def run(*words: str) -> "subprocess.CompletedProcess[str]":
        variables = {f"LEGATION_{name}": value for name, value in environment.items()}
        return subprocess.run(
            [sys.executable, "-m", "verification", *words],
            cwd=ROOT,
            env=os.environ | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    done = run(here.id)
    assert (done.returncode, done.stderr) == (1, "")
    first, checkpoints, _ = done.stdout.splitlines()
    assert first.startswith(f"{here.id}: HỎNG: {here.id}, mục 3: nội dung không phải là nội dung đã niêm phong.")
    assert checkpoints.startswith("mốc đối chiếu: đúng: 1 mục")
    document = json.loads(run("--all", "--json").stdout)
    assert document["first_bad"] == {"code": "content_changed", "place": "journal", "stream": here.id, "seq": 3}
    assert [one["kind"] for one in document["verdicts"]][-2:] == ["register", "checkpoints"]


def other_order(document: dict[str, Any]) -> None:
    """Another activity was asked for than today's workflow asks for."""
    scheduled = next(one for one in document["events"] if "activityTaskScheduledEventAttributes" in one)
    scheduled["activityTaskScheduledEventAttributes"]["activityType"]["name"] = "another"


async def test_a_replay_fails_or_is_given_up_and_the_next_one_is_made(here: Running) -> None:
    """One that today's code plays otherwise has failed; one that takes too long is ended with its process."""
    recorded: WorkflowHistory = read(HISTORIES / "inbound-study-visit-0.1.0.json.gz")
    impatient, replaying = Replaying(here.settings, seconds=0.01), Replaying(here.settings)
    try:
        assert await impatient(recorded) == "hangs"
        assert await replaying(changed(recorded, other_order)) == "NondeterminismError"
        assert await replaying(recorded) is None
    finally:
        await impatient.close()
        await replaying.close()


def restored(here: Running, backup: Path) -> None:
    """Put an older copy of the database in the place of today's, as a restore does."""
    with (
        closing(sqlite3.connect(backup)) as older,
        closing(sqlite3.connect(here.settings.data_dir / "legation.db")) as newer,
    ):
        older.backup(newer)


async def test_an_older_backup_is_noticed_healed_and_what_is_lost_is_said(
    here: Running, tmp_path: Path, note: Note
) -> None:
    """Behind from which event; what a rebuild put back, adopted from the archive, and what no history has."""
    replaying, witness = Replaying(here.settings), FolderWitness(tmp_path / "witness")
    try:
        await here.open()
        await here.add("head", "head")
        await here.idle()
        kept = await here.registers.journal.head(here.id)
        assert kept is not None
        backup = tmp_path / "backup.db"
        with (
            closing(sqlite3.connect(here.settings.data_dir / "legation.db")) as today,
            closing(sqlite3.connect(backup)) as copy,
        ):
            today.backup(copy)
        await here.add("second")
        await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn hoãn.")})
        await here.send({"type": "close_delegation"})
        await here.client.get_workflow_handle(here.id).result()
        archived = await archived_run(here)
        made = await Sealing(here.registers.database, lambda: KEYS).make()
        assert made is not None
        await witness.show(1, document_of(made.checkpoint))
        events = await here.registers.journal.events(here.id)
        assert found(await verified(here, replaying)) == []

        restored(here, backup)
        copies = kept_in(tmp_path / "witness")
        behind = await verified(here, replaying, patience=0.2, copies=copies)
        assert found(behind) == [("journal_behind", kept.seq + 1), ("checkpoint_lost", None)]

        codec = here.client.data_converter.payload_codec
        rebuild = Rebuild(
            Histories(here.client, codec, archive=Archive(here.registers.archived_runs, here.registers.archive_files)),
            here.registers,
            restoring=Restoring(here.registers, codec),
            copies=[one for path in copies if (one := read_copy(path))],
        )
        account = await rebuild.replace()
        mine = [one for one in account.put_back if one.delegation == here.id]
        assert mine == [PutBack(here.id, kept.seq + 1, len(events), len(events) - kept.seq)]
        assert [one for one in account.lost if one.delegation in (here.id, None)] == [
            Lost("persons", 1, here.id),
            Lost("texts", 1, here.id),
            Lost("checkpoints", 1, first=1, last=1),
        ]
        assert archived.location in account.adopted
        said = account.told(translator("en"))
        assert f"{here.id}: events {kept.seq + 1} to {len(events)} were put back into the journal (" in "\n".join(said)
        assert "Checkpoints 1 to 1 are kept elsewhere and lost here; later ones begin anew." in said

        assert await here.registers.journal.events(here.id) == events
        healed = await verified(here, replaying, copies=copies)
        assert found(healed) == [("checkpoint_lost", None)]
        assert healed.verdicts[0].archived == 1
        note(row="9", fault="the database restored from an older backup, under its histories", put_back=mine[0].events)
    finally:
        await replaying.close()


async def test_who_signs_by_a_leave_that_was_prolonged_in_the_database_alone_is_named(
    here: Running, note: Note
) -> None:
    """The register says what it holds and never sealed, the file which signature rests on it."""
    now, register = datetime.now(UTC), here.registers.leaves
    leave = await register.register("hung", "mai", now - timedelta(days=9), now - timedelta(days=5), by="root")
    await here.open()
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    digest = (await here.file()).proposals[0].digest
    await damage(here, update(leaves).where(leaves.c.id == leave.id).values(until=now + timedelta(days=9)))
    sign = {"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}
    receipt = await here.send(sign, by="mai")
    (signed,) = [one for one in receipt.events if one.type == "StepSigned"]

    async def replays(history: WorkflowHistory) -> None:
        return None

    account = await verified(here, replays, here.id, "register:leaves", "register:tenures")
    assert found(account) == [("right_not_by_register", signed.seq), ("row_differs", None)]
    in_file, in_register = (verdict.findings[0] for verdict in account.verdicts[:2])
    assert in_file.reason == "entry 1 of the register leaves: period"
    assert (in_register.table, in_register.row, in_register.reason) == ("leaves", leave.id, "until")
    note(row="9", fault="a leave prolonged in the database alone, and a signature by it")
