"""Verifies everything that is sealed: `python -m verification (ID … | --all) [--checkpoint FILE …] [--json]`.

A composition root of its own, run by `legation verify`. It writes nothing. On a stopped data folder Temporal's server
is started for as long as this takes; beside a running stack, what is accepted meanwhile is read again.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from temporalio.client import WorkflowHistory
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError

from activities.anchoring import Anchored, TreeVerification
from activities.codec import data_converter
from activities.verification import Verification
from audit.checkpoint import Checkpoint
from audit.histories import Histories
from audit.signing_key import NoSigningKey, SigningKeys
from audit.verdicts import Account, Verdict
from audit.verification import CHECKPOINTS, Finding
from audit.witnesses import kept_in, read_copy
from embedded.archive import archive_of
from embedded.at_hand import temporal_at_hand
from embedded.bootstrap import ServerUnreachable
from embedded.connection import connect
from embedded.failure import Sentence, StackFailure
from locales import mark
from settings import PREFIX, Settings, SettingsRefused, load_settings
from storage.as_stored import REGISTER, read_any_text
from storage.errors import StoreUnavailable
from storage.registers import Registers
from verbs.language import translator_of
from verbs.progress import Watch, progress, refuse

ROOT = Path(__file__).parent
REPLAY_SECONDS = 60.0
"""How long the replay of one run may take: a thousand events take half a second."""

LINE = 64 * 1024 * 1024
"""Bytes of the longest answer of the replaying process."""


class Unknown(StackFailure):
    """Nothing is known of a stream that was asked for."""

    def __init__(self, stream: str) -> None:
        super().__init__(mark("There is no delegation %(delegation)s here."), delegation=stream)


class Replaying:
    """Replays open runs in a process that can be killed: on some histories the Replayer waits for ever."""

    def __init__(self, settings: Settings, *, seconds: float = REPLAY_SECONDS) -> None:
        self._environment = {
            **os.environ,
            f"{PREFIX}DATA_DIR": str(settings.data_dir),
            f"{PREFIX}PROFILE": settings.profile,
        }
        self._seconds = seconds
        self._child: asyncio.subprocess.Process | None = None

    async def __call__(self, history: WorkflowHistory) -> str | None:
        """Return None when a run replays, `hangs` when it does not in time, else what it failed with."""
        asked = {"workflow_id": history.workflow_id, "history": history.to_json_dict()}
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._ask(json.dumps(asked).encode() + b"\n")
        except TimeoutError:
            await self.close()
            return "hangs"
        if not answer:
            await self.close()
            return "process_ended"
        failure: str | None = json.loads(answer)["failure"]
        return failure

    async def _ask(self, line: bytes) -> bytes:
        if self._child is None:
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "replaying"),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,
                cwd=ROOT,
                env=self._environment,
                limit=LINE,
            )
        into, out_of = self._child.stdin, self._child.stdout
        if into is None or out_of is None:
            return b""
        with contextlib.suppress(ConnectionError):
            into.write(line)
            await into.drain()
        return await out_of.readline()

    async def close(self) -> None:
        """End the process."""
        child, self._child = self._child, None
        if child is not None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.communicate()


@dataclass
class Asked:
    """What is to be verified: streams by name, or all; and files with checkpoints that were kept elsewhere."""

    streams: Sequence[str] = ()
    copies: Sequence[Path] = ()
    witness: Path | None = None
    found: list[Finding] = field(default_factory=list)

    def checkpoints(self) -> Iterator[Checkpoint]:
        """Read the copies; what cannot be read is a finding."""
        for path in (*self.copies, *(kept_in(self.witness) if self.witness is not None else ())):
            if copy := read_copy(path):
                yield copy
            else:
                unreadable = Finding(code="witness_unreadable", place="witness", stream=CHECKPOINTS, reason=path.name)
                self.found.append(unreadable)


async def verify(
    verification: Verification, tree: TreeVerification, asked: Asked, watch: Watch = lambda done, of: None
) -> Account:
    """Verify what is asked for. Raises Unknown."""
    started = time.perf_counter()
    anchored = await tree.anchored(list(asked.checkpoints()), only=asked.streams)
    anchored.verdict.findings += asked.found
    known = await verification.streams()
    streams = [*dict.fromkeys(asked.streams)] or known
    if unknown := [one for one in streams if one not in {*known, *anchored.reached}]:
        raise Unknown(unknown[0])
    account = Account()
    for done, stream in enumerate(streams):
        watch(done, len(streams))
        of_register = stream.startswith(REGISTER)
        verdict = await (verification.register(stream) if of_register else verification.delegation(stream))
        account.verdicts += _under(verdict, anchored)
    if not asked.streams:
        # What a checkpoint has and no other place knows at all.
        account.verdicts += [_gone(stream, found) for stream, found in anchored.streams.items()]
    account.verdicts.append(anchored.verdict)
    account.seconds = time.perf_counter() - started
    return account


def _under(verdict: Verdict, anchored: Anchored) -> list[Verdict]:
    """The verdict with what the checkpoints say of its stream; none for a file that was never opened."""
    verdict.findings += anchored.streams.pop(verdict.stream, [])
    if verdict.stream in anchored.reached:
        seq, verdict.checkpoint = anchored.reached[verdict.stream]
        verdict.since = max(0, verdict.entries - seq)
    else:
        verdict.since = verdict.entries
    return [verdict] if verdict.entries or verdict.findings else []


def _gone(stream: str, findings: Sequence[Finding]) -> Verdict:
    return Verdict(stream, "register" if stream.startswith(REGISTER) else "delegation", findings=list(findings))


@contextlib.asynccontextmanager
async def verifying(settings: Settings) -> AsyncIterator[tuple[Verification, TreeVerification]]:
    """What verifies the store that the settings name."""
    keys = SigningKeys.of(settings.checkpoint_keys())
    registers = Registers.open(
        settings.database_url, settings.master_keys(), settings.data_dir, archive=archive_of(settings)
    )
    read_any_text(registers.database)
    replay = Replaying(settings)
    try:
        converter = data_converter(registers.keyring if settings.encrypts_payloads else None)
        try:
            # The core would write its warnings to standard output.
            quiet = Runtime(telemetry=TelemetryConfig(logging=None))
            client = await connect(settings, data_converter=converter, runtime=quiet)
        except RuntimeError as refused:
            raise ServerUnreachable from refused
        codec = converter.payload_codec
        live = Histories(client, codec)
        archived, files = registers.archived_runs, registers.archive_files
        yield (
            Verification(
                registers.database, live, archived, files, codec, replay, one_clock=settings.profile != "demo"
            ),
            TreeVerification(registers.database, keys.public),
        )
    finally:
        await replay.close()
        await registers.close()


async def run(settings: Settings, asked: Asked, watch: Watch) -> Account:
    """Verify, with Temporal's server at hand."""
    async with temporal_at_hand(settings) as reaching, verifying(reaching) as (verification, tree):
        return await verify(verification, tree, asked, watch)


def main(arguments: Sequence[str]) -> int:
    """0, or 1 when something does not hold, or cannot be reached: then with a sentence that says so."""
    parser = argparse.ArgumentParser("verification", description="Verify everything that is sealed.")
    parser.add_argument("streams", nargs="*", metavar="ID", help="a delegation, or a register: register:accounts")
    parser.add_argument("--all", action="store_true", help="every delegation and register")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint kept elsewhere")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args(arguments)
    if bool(asked.streams) == asked.all:
        parser.error("name delegations, or say --all")
    messages = Console(stderr=True)
    translator = translator_of()
    try:
        settings = load_settings()
        translator = translator_of(settings)
        wanted = Asked(asked.streams, asked.checkpoint, settings.witness_folder)
        with progress(messages, quiet=asked.json) as watch:
            account = asyncio.run(run(settings, wanted, watch))
    except SettingsRefused as refused:
        return refuse(messages, str(refused))
    except NoSigningKey:
        return refuse(messages, translator.tr(mark("There is no key that checkpoints are signed with.")))
    except StackFailure as failure:
        return refuse(messages, failure.sentence.told(translator))
    except StoreUnavailable as unavailable:
        said = Sentence(mark("The database cannot be used: %(reason)s."), {"reason": unavailable.reason})
        return refuse(messages, said.told(translator))
    except (RPCError, ServerUnreachable):
        return refuse(messages, translator.tr(mark("The Temporal server does not answer.")))
    if asked.json:
        print(json.dumps(account.document(), ensure_ascii=False))  # noqa: T201
    else:
        for line in account.told(translator):
            print(line)  # noqa: T201
    return 0 if account.holds else 1


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(code)
