"""What it costs to read a file as it was at any instant: the kept state before it, and the events since.

A store of its own is filled with files of 100 to 10,000 events about 40 people and 60 items. The floor is to parse one
state from its JSON, which nothing that keeps states can go below.
"""

import gc
import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time

from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from domain.commands import Audience
from domain.events import AnyEvent, DelegationOpened, ItemMoved, ItemScheduled, MemberAdded, RequestRevised
from domain.evolve import fold
from domain.seal import SealedEvent, genesis, head_of, seal
from domain.state import Delegation
from domain.values import PersonRef, resolve
from storage.as_of import AsOf
from storage.engine import Database
from storage.migrate import migrate
from storage.projection import Projection

NAME = "as of"
SIZES = (100, 1_000, 10_000)
AIM_MS = 50.0
ZONE = "Asia/Ho_Chi_Minh"
START = datetime(2030, 2, 1, 2, tzinfo=UTC)
PEOPLE, ITEMS = 40, 60
BURST = 500


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Read files as of instants drawn from all of their time; the processor's time of one core, and of the clock."""
    draws = 40 if quick else 200
    figures, worst, typical = [], 0.0, {}
    floor = 0.0
    for size in SIZES:
        with TemporaryDirectory() as folder:
            events = list(sealed_file(f"measured-{size}", size))
            database = await _filled(Path(folder), events)
            taken = await _taken(AsOf(database), events, draws)
            await database.close()
        state = fold(events)
        if state is None:
            raise RuntimeError("a file that was never opened")
        floor = _parsing(state)
        typical[size], worst = median(taken), sorted(taken)[int(len(taken) * 0.99)]
        figures += [
            Figure(f"{size} events, any instant, p50", typical[size], "ms", "processor's time, one core"),
            Figure(f"{size} events, any instant, p99", worst, "ms", "processor's time, one core"),
        ]
    figures.append(Figure("parsing one state", floor, "ms", f"{PEOPLE} people, {ITEMS} items"))
    findings.add(
        NAME,
        figures,
        [
            Ratio("as_of_p99_to_50_ms", worst / AIM_MS, aim=1.0),
            Ratio("as_of_to_parsing_one_state", typical[SIZES[-1]] / floor, aim=25),
            Ratio("as_of_growth_1000_to_10000", typical[SIZES[2]] / typical[SIZES[1]], aim=1.5),
        ],
    )


async def _filled(folder: Path, events: list[SealedEvent]) -> Database:
    url = f"sqlite+aiosqlite:///{folder / 'store.db'}"
    await migrate(url)
    database = Database(url)
    projection = Projection(database)
    delegation = events[0].data["delegation"]
    for begin in range(0, len(events), BURST):
        await projection.project(delegation, events[begin : begin + BURST])
    return database


async def _taken(as_of: AsOf, events: list[SealedEvent], draws: int) -> list[float]:
    delegation, drawn = events[0].data["delegation"], random.Random(1)
    taken = []
    # What the measure itself holds, all those events, is not for the collector to go through while it reads one file.
    gc.collect()
    gc.freeze()
    for event in [events[-1], *drawn.choices(events, k=draws)]:
        begun = process_time()
        file = await as_of.file_at(delegation, event.instant)
        taken.append((process_time() - begun) * 1000)
        if file.head != head_of(event):
            raise RuntimeError(f"event {file.head.seq} instead of {event.seq}")
    gc.unfreeze()
    # The first prepares the statements.
    return taken[1:]


def _parsing(state: Delegation) -> float:
    written, taken = state.model_dump_json(), []
    for _ in range(50):
        begun = perf_counter()
        Delegation.model_validate_json(written)
        taken.append((perf_counter() - begun) * 1000)
    return median(taken)


def sealed_file(delegation: str, size: int) -> Iterator[SealedEvent]:
    """Yield the events of a file with 40 people and 60 items that move."""
    head = genesis(delegation)
    for event in _events(delegation, size):
        sealed = seal(
            head,
            type=event.type,
            version=event.version,
            at=START + timedelta(minutes=head.seq),
            actor="coordinator",
            command_id=f"command-{head.seq}",
            data=event.model_dump(mode="json", exclude={"type"}),
        )
        head = head_of(sealed)
        yield sealed


def _events(delegation: str, size: int) -> Iterator[AnyEvent]:
    """A file that is put together and then moved about; every tenth change is of its title, so of its line in lists."""
    yield DelegationOpened(
        delegation=delegation,
        edition="e" * 64,
        zone=ZONE,
        direction="inbound",
        title="Measured",
        purpose="Measured",
        organisation="song-lam-union",
        partner="Friendship associations",
        countries=("JP",),
        places=("Hà Nội",),
        starts=START.date() + timedelta(days=60),
        ends=START.date() + timedelta(days=66),
        coordinator="coordinator",
    )
    for number in range(1, size):
        if number <= PEOPLE:
            yield MemberAdded(
                member_id=f"member-{number}",
                person=PersonRef(ref=f"per_member{number:04}", commitment="0" * 64),
                role="head" if number == 1 else "member",
                country="JP",
                entry_papers=False,
            )
        elif number <= PEOPLE + ITEMS:
            yield _item(number - PEOPLE)
        elif number % 10 == 0:
            yield RequestRevised(title=f"Measured {number}")
        else:
            starts, ends = (resolve(f"2030-04-0{1 + number % 7}T{8 + number % 9:02}:{m}", ZONE) for m in ("00", "45"))
            yield ItemMoved(item_id=f"item-{1 + number % ITEMS}", starts=starts, ends=ends, place=f"Hall {number % 5}")


def _item(number: int) -> ItemScheduled:
    day = f"2030-04-0{1 + number % 7}"
    return ItemScheduled(
        item_id=f"item-{number}",
        kind="session",
        title=f"Session {number}",
        starts=resolve(f"{day}T09:00", ZONE),
        ends=resolve(f"{day}T10:30", ZONE),
        place="Friendship House",
        audience=Audience(groups=("delegates",)),
        published=True,
    )
