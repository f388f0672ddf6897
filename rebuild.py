"""Rebuilds journal and read tables from Temporal's histories alone, or compares them: `python -m rebuild [--check]`.

A composition root of its own, run by `legation rebuild`. Registers are never touched. Right while commands go on: each
delegation is replaced in one transaction, and whatever was accepted meanwhile is read again from its history.
"""

import argparse
import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from rich.console import Console
from temporalio.runtime import Runtime, TelemetryConfig
from temporalio.service import RPCError

from activities.codec import data_converter
from activities.restoring import Lost, PutBack, Restoring, put_back
from audit.checkpoint import Checkpoint
from audit.closed_run import ArchiveDamaged
from audit.difference import first_differing_seq, first_differing_table
from audit.histories import Archive, Histories, NoHistory, Trails
from audit.history import HistoryUnreadable
from audit.witnesses import kept_in, read_copy
from domain.seal import ChainBroken, SealedEvent
from embedded.archive import archive_of
from embedded.at_hand import temporal_at_hand
from embedded.bootstrap import ServerUnreachable
from embedded.connection import connect
from embedded.failure import StackFailure
from locales import Translator, mark
from settings import Settings, SettingsRefused, load_settings
from storage.as_stored import StoredChains, read_any_text
from storage.dump import dump_of_fold, dump_read_tables, listed_in_read_tables, seq_of
from storage.errors import StoreUnavailable
from storage.keyring import CiphertextDamaged, UnknownMasterKey
from storage.registers import Registers
from verbs.language import translator_of
from verbs.progress import Watch, progress, refuse

AT_ONCE = 8
"""Delegations in work at a time."""

FINDINGS = {
    "no_history": mark("%(delegation)s: the journal knows it, Temporal has no history of it. Its rows were kept."),
    "chain_broken": mark("%(delegation)s, event %(seq)s: the chain in its history does not hold."),
    "history_unreadable": mark("%(delegation)s: its history cannot be read from event %(seq)s of the history on."),
    "archive_damaged": mark("%(delegation)s: the archive has not what was archived at %(place)s."),
    "key_unknown": mark("%(delegation)s: its history is encrypted under a key that is not here."),
    "beyond_history": mark("%(delegation)s, event %(seq)s: stands in the journal and in no history. It was kept."),
    "journal_behind": mark("%(delegation)s, event %(seq)s: stands in the history and not in the journal."),
    "journal_differs": mark("%(delegation)s, event %(seq)s: the journal has another event than the history."),
    "table_differs": mark("%(delegation)s, table %(table)s: is not what the events give."),
}
"""What a finding says. `seq` is the number of the first event concerned, but for `history_unreadable`."""


PUT_BACK = (
    mark("%(delegation)s: events %(first_seq)s to %(last_seq)s were put back into the journal (%(events)s)."),
    mark("%(delegation)s: event %(first_seq)s was put back into the journal."),
)
ADOPTED = mark("The archived history %(location)s stands in the register again.")
LOST = {
    "checkpoints": mark("Checkpoints %(first)s to %(last)s are kept elsewhere and lost here; later ones begin anew."),
    "persons": mark("%(delegation)s: %(count)s people that its events name are in no register here."),
    "texts": mark("%(delegation)s: %(count)s texts that its events name are in no register here."),
    "attachments": mark("%(delegation)s: %(count)s files that its events name are in no register here."),
}
OTHERS = mark(
    "Registers are as the database has them. If it was restored from a backup, what was entered in them since (people, "
    "texts, accounts, leave, mails) is in no history and stays lost."
)


@dataclass(frozen=True)
class Finding:
    """Something that is not as the histories have it, or that no rebuild can mend."""

    code: str
    delegation: str
    seq: int | None = None
    table: str | None = None
    place: str | None = None

    def told(self, translator: Translator) -> str:
        """In the translator's language."""
        said = {"delegation": self.delegation, "seq": self.seq, "table": self.table, "place": self.place}
        return translator.tr(FINDINGS[self.code], **said)


@dataclass
class Account:
    """What a rebuild or a comparison came to. `seconds` are of the wall."""

    checked_only: bool
    delegations: int = 0
    events: int = 0
    seconds: float = 0.0
    findings: list[Finding] = field(default_factory=list)
    put_back: list[PutBack] = field(default_factory=list)
    adopted: list[str] = field(default_factory=list)
    lost: list[Lost] = field(default_factory=list)

    def document(self) -> dict[str, Any]:
        """As JSON."""
        rate = round(self.events / self.seconds) if self.seconds else 0
        return asdict(self) | {"seconds": round(self.seconds, 3), "events_per_second": rate}

    def told(self, translator: Translator) -> list[str]:
        """As sentences."""
        text = (
            mark("Compared %(delegations)s and %(events)s in %(seconds)s s (%(rate)s events/s).")
            if self.checked_only
            else mark("Rebuilt %(delegations)s with %(events)s in %(seconds)s s (%(rate)s events/s).")
        )
        summary = translator.tr(
            text,
            delegations=translator.ntr("%(count)s delegation", "%(count)s delegations", self.delegations),
            events=translator.ntr("%(count)s event", "%(count)s events", self.events),
            seconds=f"{self.seconds:.1f}",
            rate=translator.number(self.document()["events_per_second"]),
        )
        same = [translator.tr(mark("No difference."))] if self.checked_only and not self.findings else []
        return [*(finding.told(translator) for finding in self.findings), *self._restored(translator), summary, *same]

    def _restored(self, translator: Translator) -> list[str]:
        """What was brought back, and what nothing here can bring back."""
        back = [translator.tr(PUT_BACK[one.first_seq == one.last_seq], **asdict(one)) for one in self.put_back]
        archived = [translator.tr(ADOPTED, location=location) for location in self.adopted]
        lost = [translator.tr(LOST[one.register], **asdict(one)) for one in self.lost]
        # What was entered elsewhere since then is in no history, so nobody can say how much it is.
        others = [translator.tr(OTHERS)] if back else []
        return [*back, *archived, *lost, *others]


Treated = tuple[int, list[Finding]]
"""The number of a delegation's events, and what was found."""

Treat = Callable[[str, list[str]], Awaitable[Treated]]
"""Treats a delegation, given the runs that are known of it."""


class Rebuild:
    """Brings journal and read tables to what the histories say, or says where they differ."""

    def __init__(
        self,
        histories: Trails,
        registers: Registers,
        *,
        restoring: Restoring | None = None,
        copies: Sequence[Checkpoint] = (),
        patience: timedelta = timedelta(seconds=5),
    ) -> None:
        """`restoring` brings back what else a backup lacks; `copies` are checkpoints that are kept elsewhere.

        `patience`: how long a comparison waits until the journal has what was just accepted.
        """
        self._histories = histories
        self._chains = StoredChains(registers.database)
        self._restoring = restoring or Restoring(registers, None)
        self._copies = copies
        # SQLite has one writer, and whoever waits too long for their turn is refused: here nobody does.
        self._turn = asyncio.Semaphore(1 if registers.database.on_sqlite else AT_ONCE)
        self._put_back: list[PutBack] = []
        self._lost: list[Lost] = []
        self._database = registers.database
        self._journal = registers.journal
        self._projection = registers.projection
        self._patience = patience.total_seconds()
        self._journaled: set[str] = set()
        self._listed: dict[str, str] = {}

    async def replace(self, watch: Watch = lambda done, of: None) -> Account:
        """Put what the histories say in the place of journal and read tables, delegation by delegation.

        Archived histories that the register does not name are entered first: they may be the only ones.
        """
        account = Account(checked_only=False, adopted=[run.location for run in await self._restoring.adopted()])
        self._put_back, self._lost = account.put_back, account.lost
        await self._each(account, self._replace_one, watch)
        account.put_back.sort(key=lambda one: one.delegation)
        account.lost.sort(key=lambda one: (one.delegation or "", one.register))
        account.lost += await self._restoring.lost_checkpoints(self._copies)
        return account

    async def compare(self, watch: Watch = lambda done, of: None) -> Account:
        """Compare journal and read tables with the histories, byte for byte, and write nothing."""
        return await self._each(Account(checked_only=True), self._compare_one, watch)

    async def _each(self, account: Account, one: Treat, watch: Watch) -> Account:
        started = time.perf_counter()
        # In this order: a delegation opened meanwhile is in the journal before anybody can miss it there.
        self._listed = await listed_in_read_tables(self._database)
        self._journaled = set(await self._journal.heads())
        runs = await self._histories.runs()
        slots = asyncio.Semaphore(AT_ONCE)
        seen: set[str] = set()
        done = 0

        async def treat(delegation: str) -> None:
            nonlocal done
            async with slots:
                events, findings = await self._judged(delegation, one(delegation, runs.get(delegation, [])))
            account.findings += findings
            account.delegations += bool(events)
            account.events += events
            done += 1
            watch(done, len(seen))

        # A second look is for what the server's list did not name yet at the first.
        while new := sorted({*runs, *self._journaled, *self._listed} - seen):
            seen.update(new)
            try:
                async with asyncio.TaskGroup() as group:
                    for delegation in new:
                        group.create_task(treat(delegation))
            except ExceptionGroup as failed:
                raise failed.exceptions[0] from None
            runs |= await self._histories.runs()
        account.findings.sort(key=lambda finding: (finding.delegation, finding.seq or 0))
        account.seconds = time.perf_counter() - started
        return account

    async def _judged(self, delegation: str, treated: Awaitable[tuple[int, list[Finding]]]) -> Treated:
        try:
            return await treated
        except NoHistory:
            return 0, [Finding("no_history", delegation)]
        except ChainBroken as broken:
            return 0, [Finding("chain_broken", delegation, seq=broken.seq)]
        except HistoryUnreadable as unreadable:
            return 0, [Finding("history_unreadable", delegation, seq=unreadable.event_id)]
        except ArchiveDamaged as damaged:
            return 0, [Finding("archive_damaged", delegation, place=damaged.location)]
        except (CiphertextDamaged, UnknownMasterKey):
            return 0, [Finding("key_unknown", delegation)]

    async def _replace_one(self, delegation: str, runs: list[str]) -> Treated:
        if self._is_stray(delegation, runs):
            await self._projection.drop_read_model_of(delegation)
            return 0, []
        head = await self._journal.head(delegation)
        events = await self._histories.trail(delegation, runs, at_least=head.seq if head else 0)
        await self._say_what_lacked(delegation, events)
        while events:
            async with self._turn:
                head = await self._projection.replace(delegation, events)
            if head.seq == len(events):
                return len(events), []
            # Rows stand behind this trail: accepted meanwhile, as its history then says too, or nobody's.
            read, events = len(events), await self._histories.trail(delegation, runs, at_least=head.seq)
            if read <= head.seq <= len(events) and events[head.seq - 1].hash == head.hash:
                return len(events), []
            if len(events) < head.seq:
                break
        return len(events), [Finding("beyond_history", delegation, seq=len(events) + 1)] if head else []

    async def _say_what_lacked(self, delegation: str, events: Sequence[SealedEvent]) -> None:
        stored = [entry async for batch in self._chains.entries(delegation) for entry in batch]
        if (lacked := put_back(delegation, stored, events)) is not None:
            self._put_back.append(lacked)
            brought = events[lacked.first_seq - 1 : lacked.last_seq]
            self._lost += await self._restoring.lost_entries(delegation, brought)

    async def _compare_one(self, delegation: str, runs: list[str]) -> Treated:
        if self._is_stray(delegation, runs):
            return 0, [Finding("table_differs", delegation, table=self._listed[delegation])]
        accepted = len(await self._histories.trail(delegation, runs))
        await self._journal_has(delegation, accepted)
        stored = await self._journal.events(delegation)
        dump = await dump_read_tables(self._database, delegation)
        applied = seq_of(dump)
        events = await self._histories.trail(delegation, runs, at_least=max(len(stored), applied))
        findings = []
        if len(stored) < accepted or stored != events[: len(stored)]:
            seq = first_differing_seq(stored, events) or 0
            code = "journal_differs" if seq <= min(len(stored), len(events)) else "beyond_history"
            findings.append(Finding("journal_behind" if seq > len(stored) else code, delegation, seq=seq))
        # The tables are read after the journal and written with it, so they stand where it does or further on.
        derived = dump_of_fold({delegation: events[: max(applied, len(stored))]})
        if table := first_differing_table(dump, derived):
            findings.append(Finding("table_differs", delegation, table=table))
        return len(events), findings

    def _is_stray(self, delegation: str, runs: list[str]) -> bool:
        """Whether only the read tables know a delegation."""
        return delegation in self._listed and delegation not in self._journaled and not runs

    async def _journal_has(self, delegation: str, seq: int) -> None:
        """Wait until the journal has an event; the patience over, the comparison says what is missing."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._patience):
                while seq and ((head := await self._journal.head(delegation)) is None or head.seq < seq):
                    await asyncio.sleep(0.05)


async def run(settings: Settings, *, check: bool, watch: Watch) -> Account:
    """Rebuild, or compare, the store that the settings name, with Temporal's server at hand."""
    async with temporal_at_hand(settings) as reaching:
        return await _run(reaching, check=check, watch=watch)


async def _run(settings: Settings, *, check: bool, watch: Watch) -> Account:
    registers = Registers.open(
        settings.database_url, settings.master_keys(), settings.data_dir, archive=archive_of(settings)
    )
    read_any_text(registers.database)
    try:
        converter = data_converter(registers.keyring if settings.encrypts_payloads else None)
        try:
            # The core would write its warnings to standard output.
            quiet = Runtime(telemetry=TelemetryConfig(logging=None))
            client = await connect(settings, data_converter=converter, runtime=quiet)
        except RuntimeError as refused:
            raise ServerUnreachable from refused
        archive = Archive(registers.archived_runs, registers.archive_files)
        codec = converter.payload_codec
        restoring = Restoring(registers, codec)
        kept = kept_in(settings.witness_folder) if settings.witness_folder is not None else ()
        copies = [copy for path in kept if (copy := read_copy(path)) is not None]
        rebuild = Rebuild(Histories(client, codec, archive=archive), registers, restoring=restoring, copies=copies)
        return await (rebuild.compare(watch) if check else rebuild.replace(watch))
    finally:
        await registers.close()


def main(arguments: Sequence[str]) -> int:
    """0, or 1 when something differs, cannot be mended, or cannot be reached: then with a sentence that says so."""
    parser = argparse.ArgumentParser("rebuild", description="Rebuild journal and read tables from the histories.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    asked = parser.parse_args(arguments)
    messages = Console(stderr=True)
    translator = translator_of()
    try:
        settings = load_settings()
        translator = translator_of(settings)
        with progress(messages, quiet=asked.json) as watch:
            account = asyncio.run(run(settings, check=asked.check, watch=watch))
    except SettingsRefused as refused:
        return refuse(messages, str(refused))
    except StackFailure as failure:
        return refuse(messages, failure.sentence.told(translator))
    except StoreUnavailable as unavailable:
        text = mark("The database cannot be used: %(reason)s.")
        return refuse(messages, translator.tr(text, reason=unavailable.reason))
    except (RPCError, ServerUnreachable):
        return refuse(messages, translator.tr(mark("The Temporal server does not answer.")))
    if asked.json:
        print(json.dumps(account.document(), ensure_ascii=False))  # noqa: T201
    else:
        for sentence in account.told(translator):
            print(sentence)  # noqa: T201
    return 1 if account.findings else 0


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # See embedded/bootstrap.py: a process that used the SDK may abort while the interpreter is taken down.
    os._exit(code)
