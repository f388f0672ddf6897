"""A small installation in a folder, with everything that a verification looks at, and no server.

A closed file in two runs, which are in the archive alone; an open one, whose history "the server" has; registers; three
checkpoints, of which a witness has copies. Built once and copied for each case.
"""

import base64
import json
import shutil
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHistory

from activities.anchoring import TreeVerification
from activities.checkpoints import Sealing
from activities.verification import Verification
from audit.closed_run import packed, read_closed
from audit.signing_key import SigningKeys
from audit.verdicts import Account
from audit.witnesses import FolderWitness
from domain.bilingual import Bilingual
from domain.decision import Decision
from domain.evolve import fold
from domain.institution import Organisation
from domain.seal import SealedEvent, genesis, head_of
from storage.archive_files import ArchiveFolder, location_of
from storage.archived_runs import ArchivedRun, ArchivedRuns
from storage.as_stored import read_any_text
from storage.checkpoints import Checkpoints
from storage.engine import Database
from storage.institution import Institution
from storage.metadata import utc_now
from storage.migrate import migrate_now
from storage.projection import Projection
from tests.audit.test_sign_offs import step_signed
from tests.builders import DEPARTMENT_HEAD, closed, sign, submitted
from tests.domain.given import Given
from tests.domain.player import Play
from tests.rulebook import edition
from verification import Asked, verify
from workflows.carried import Carried

CLOSED, OPEN = "song-lam-1", "tokyo-2"
SEED = bytes(range(32))
KEYS = SigningKeys.of([SEED])
SPLIT = 12
"""How many decisions the first run of the closed file has."""

RUNS = {CLOSED: ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")}
OPEN_RUN = "33333333-3333-4333-8333-333333333333"
BEGUN = datetime(2026, 4, 20, 1, 0, tzinfo=UTC)


def payload(value: Any) -> dict[str, Any]:
    """A value as a history carries it in the clear."""
    return {
        "metadata": {"encoding": base64.b64encode(b"json/plain").decode()},
        "data": base64.b64encode(json.dumps(value).encode()).decode(),
    }


def history_of(
    delegation: str, run_id: str, carried: Carried, decisions: Sequence[Decision], *, following: str | None, open_: bool
) -> WorkflowHistory:
    """The history of one run, reduced to what a trail is read from."""
    events: list[dict[str, Any]] = [
        {
            "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
            "workflowExecutionStartedEventAttributes": {
                "workflowId": delegation,
                "originalExecutionRunId": run_id,
                "firstExecutionRunId": run_id,
                "input": {"payloads": [payload(carried.model_dump(mode="json"))]},
            },
        }
    ]
    events += [
        {
            "eventType": "EVENT_TYPE_MARKER_RECORDED",
            "markerRecordedEventAttributes": {
                "markerName": "core_local_activity",
                "details": {
                    "data": {"payloads": [payload({"activity_type": "decide"})]},
                    "result": {"payloads": [payload(one.model_dump(mode="json"))]},
                },
            },
        }
        for one in decisions
    ]
    sealed = [event for one in decisions for event in one.events]
    head = (head_of(sealed[-1]) if sealed else carried.head).model_dump(mode="json")
    if following is not None:
        events.append(
            {
                "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW",
                "workflowExecutionContinuedAsNewEventAttributes": {
                    "newExecutionRunId": following,
                    "input": {"payloads": [payload({"delegation": delegation, "head": head})]},
                },
            }
        )
    elif not open_:
        events.append(
            {
                "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
                "workflowExecutionCompletedEventAttributes": {
                    "result": {"payloads": [payload({"delegation": delegation, "head": head})]}
                },
            }
        )
    for number, event in enumerate(events, start=1):
        event["eventId"] = str(number)
        event["eventTime"] = (BEGUN + timedelta(seconds=number)).isoformat().replace("+00:00", "Z")
    return WorkflowHistory.from_json(delegation, {"events": events})


def decisions_of(history: WorkflowHistory) -> list[Decision]:
    """The decisions that stand in such a history."""
    markers = [event for event in history.to_json_dict()["events"] if "markerRecordedEventAttributes" in event]
    results = [one["markerRecordedEventAttributes"]["details"]["result"]["payloads"][0]["data"] for one in markers]
    return [Decision.model_validate_json(base64.b64decode(one)) for one in results]


def beginning(delegation: str) -> Carried:
    """What the first run of a file begins with."""
    return Carried(delegation=delegation, head=genesis(delegation))


class Server:
    """The histories that a server still has."""

    def __init__(self, histories: Sequence[WorkflowHistory]) -> None:
        self.histories = list(histories)

    async def runs(self, delegation: str | None = None) -> Mapping[str, Collection[str]]:
        """Their ids."""
        found: dict[str, list[str]] = {}
        for one in self.histories:
            if delegation in (None, one.workflow_id):
                found.setdefault(one.workflow_id, []).append(one.run_id)
        return found

    async def whole(self, delegation: str, runs: Collection[str] = ()) -> list[WorkflowHistory]:
        """Those of one delegation."""
        return [one for one in self.histories if one.workflow_id == delegation]


@dataclass
class Small:
    """The installation in a folder. `server` and `replayed` may be put in the place of what they are."""

    folder: Path
    server: Server
    replay_says: str | None = None

    @property
    def database_file(self) -> Path:
        """The store."""
        return self.folder / "legation.db"

    @property
    def archive(self) -> Path:
        """The folder of archived histories."""
        return self.folder / "archive"

    @property
    def witness(self) -> Path:
        """The folder of the witness."""
        return self.folder / "witness"

    def database(self) -> Database:
        """The store, opened."""
        return Database(f"sqlite:///{self.database_file}", synchronous="OFF")

    async def verified(self, *streams: str, copies: Sequence[Path] = (), witness: bool = False) -> Account:
        """What a verification finds, of all or of some; the witness's folder is asked only if so said."""
        database = self.database()
        read_any_text(database)
        asked = Asked(streams, copies, self.witness if witness else None)
        try:
            return await verified_in(database, self.server, self.archive, asked, self.replay_says)
        finally:
            await database.close()

    def copy(self, folder: Path) -> "Small":
        """The same in another folder."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        return Small(folder, Server(self.server.histories))


async def verified_in(
    database: Database, server: Server, archive: Path, asked: Asked | None = None, replay_says: str | None = None
) -> Account:
    """What a verification of a store finds."""

    async def replay(history: WorkflowHistory) -> str | None:
        return replay_says

    files = ArchiveFolder(archive)
    verification = Verification(database, server, ArchivedRuns(database), files, None, replay, patience=timedelta(0))
    return await verify(verification, TreeVerification(database, KEYS.public), asked or Asked())


def closed_file() -> Play:
    """A file from its opening to its end, with a sign-off by passkey."""
    file = step_signed(Given(Play(CLOSED, edition())).further(*submitted()))
    return file.further(*closed()[len(submitted()) + 1 :]).play


def open_file() -> Play:
    """A file whose proposal is submitted."""
    file = Given(Play(OPEN, edition())).further(*submitted())
    return file.further(sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00")).play


async def build(folder: Path) -> Small:
    """Build it in a folder that is there."""
    migrate_now(f"sqlite:///{folder / 'legation.db'}")
    first, second = closed_file(), open_file()
    decisions = [one.decision for one in second.log]
    live = history_of(OPEN, OPEN_RUN, beginning(OPEN), decisions, following=None, open_=True)
    small = Small(folder, Server([live]))
    database = small.database()
    try:
        projection, sealing = Projection(database), Sealing(database, lambda: KEYS)
        await administer(database, 1, 3)
        await projection.project(CLOSED, _events(first, 0, SPLIT))
        await sealing.make()
        await projection.project(CLOSED, _events(first, SPLIT, None))
        await projection.project(OPEN, _events(second, 0, 4))
        await _archive(small, database, first)
        await sealing.make()
        await projection.project(OPEN, _events(second, 4, None))
        await administer(database, 4, 5)
        made = await sealing.make()
        assert made is not None
        assert made.checkpoint.number == 3
        await administer(database, 6, 6)
        await _show(small, database)
        await database.scrub(["journal"])
    finally:
        await database.close()
    return small


def _events(play: Play, first: int, last: int | None) -> list[SealedEvent]:
    return [event for one in play.log[first:last] for event in one.events]


async def administer(database: Database, first: int, last: int) -> None:
    """Enter organisations, by number."""
    institution = Institution(database)
    for number in range(first, last + 1):
        name = Bilingual(vi=f"Ban “Hợp tác” số {number}", en=f"Cooperation {number}")
        new = Organisation(slug=f"song-lam-{number}", kind="provincial_union", name=name, since=BEGUN)
        await institution.add_organisation(new, by="root")


async def _archive(small: Small, database: Database, play: Play) -> None:
    one, other = RUNS[CLOSED]
    before = _events(play, 0, SPLIT)
    handed = Carried(delegation=CLOSED, head=head_of(before[-1]), state=fold(before))
    decisions = [played.decision for played in play.log]
    runs = [
        history_of(CLOSED, one, beginning(CLOSED), decisions[:SPLIT], following=other, open_=False),
        history_of(CLOSED, other, handed, decisions[SPLIT:], following=None, open_=False),
    ]
    for history in runs:
        await enter(small, database, history)


async def enter(small: Small, database: Database, history: WorkflowHistory) -> ArchivedRun:
    """Archive a closed run."""
    said, content = await read_closed(history), packed(history)
    location = location_of(said.delegation, said.first_seq, said.run_id)
    await ArchiveFolder(small.archive).keep(location, content.stored)
    run = ArchivedRun(
        delegation=said.delegation,
        run_id=said.run_id,
        first_seq=said.first_seq,
        last_seq=said.last_seq,
        prev_head=said.prev_head.hash,
        head=said.head.hash,
        digest=content.digest,
        content_digest=content.content_digest,
        size=len(content.stored),
        location=location,
        following=said.following,
        closed_at=said.closed_at,
        archived_at=utc_now(),
    )
    await ArchivedRuns(database).enter(run)
    return run


async def _show(small: Small, database: Database) -> None:
    witness = FolderWitness(small.witness)
    for one in await Checkpoints(database).page():
        await witness.show(one.number, one.document)
