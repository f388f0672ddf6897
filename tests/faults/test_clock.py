"""Clocks that are wrong: of every process, of one API beside another, and jumping while files go on (faults.md, row 5).

The time of a file is its workflow's. The machine's clocks serve sessions, tokens and logs: however wrong they are, what
happened keeps its order, and nothing falls due twice.
"""

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from domain.seal import SealedEvent
from tests.faults.asking import File, a_file
from tests.faults.page import Note
from tests.installed import Installed, installed

pytestmark = [pytest.mark.faults, pytest.mark.timeout(240)]

HOUR, DAY = 3600, 86_400


class Clock:
    """How many seconds a clock is off; changes at once, for whoever reads it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.write_bytes(bytes(8))

    def off(self, seconds: int) -> None:
        with self.path.open("r+b") as file:
            file.write(seconds.to_bytes(8, "little", signed=True))


@pytest.fixture(scope="module")
def skewed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installed, Clock, Clock]]:
    """An installation whose processes share one clock, and another clock for an API beside it."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("a clock of their own for some processes needs a C compiler")
    folder = tmp_path_factory.mktemp("skewed")
    library, source = folder / "skewed_clock.so", Path(__file__).with_name("skewed_clock.c")
    subprocess.run([compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source, "-ldl"], check=True)
    own, other = Clock(folder / "own"), Clock(folder / "other")
    environment = {"LD_PRELOAD": str(library), "SKEWED_CLOCK": str(own.path)}
    # Tokens end by the clock of whoever looks: these outlive every skew.
    with installed(folder / "var", environment=environment, token_days="1096", signing_token_days="1096") as running:
        yield running, own, other


SKEWS = [
    (HOUR, -HOUR),
    (-DAY, DAY),
    (DAY, 0),
    # To a leap day, and across the hour that European clocks leave out.
    (465 * DAY, 490 * DAY),
]


@pytest.mark.parametrize(("first", "second"), SKEWS)
async def test_wrong_clocks_change_no_order_and_no_deadline(
    skewed: tuple[Installed, Clock, Clock], first: int, second: int, note: Note
) -> None:
    """Two APIs whose clocks disagree take turns; then all clocks jump to the other side, and the days pass."""
    note(row="5", fault=f"clocks of worker and API {first:+} s, of a second API {second:+} s; then the other way round")
    running, own, other = skewed
    own.off(first)
    other.off(second)
    with running.further_api(SKEWED_CLOCK=str(other.path)) as url:
        async with running.asking() as http:
            file = a_file(running, http)
            opened = await file.open()
            assert opened.status_code == 201
            said = parsedate_to_datetime(opened.headers["date"]) - datetime.now(UTC)
            assert round(said.total_seconds() / HOUR) * HOUR == first, "the clock is right, so nothing was tried"
            await turns(file, url, range(10))
            own.off(second)
            other.off(first)
            await turns(file, url, range(10, 20))
            # Who moves a file's clock reckons from their own, so one has to be right.
            other.off(0)
            for _ in range(3):
                await wait_until_due(file, url)
            await turns(file, url, range(20, 22))
            events = await file.whole()
    titles = [event.data["title"] for event in events if event.type == "RequestRevised"]
    assert titles == [f"Đoàn {number}" for number in range(22)]
    assert [event.at for event in events] == sorted(event.at for event in events)
    fallen = fallen_due(events)
    assert fallen, "nothing fell due, so nothing was tried"
    assert [what for what, times in fallen.items() if times > 1] == []


async def turns(file: File, url: str, numbers: range) -> None:
    """Change the title once for each number, through one API and the other by turns."""
    for number in numbers:
        command = {"type": "revise_request", "title": f"Đoàn {number}"}
        if number % 2:
            path = f"{url}/delegations/{file.id}/commands"
            answer = await file.http.post(path, headers=file.installed.headers("lan"), json=command)
        else:
            answer = await file.send(command)
        assert answer.status_code == 200, answer.text


async def wait_until_due(file: File, url: str) -> None:
    """Let the time pass until the next deadline of the file that is still open is due."""
    found = (await file.ask("GET", f"/delegations/{file.id}/deadlines")).json()["items"]
    due = min(one["due_at"] for one in found if one["status"] == "open")
    body = {"delegation": file.id, "to": due}
    moved = await file.http.post(f"{url}/demo/clock", headers=file.installed.headers("root"), json=body)
    assert moved.status_code == 200, moved.text


def fallen_due(events: list[SealedEvent]) -> Counter[tuple[Any, ...]]:
    """How often each reminder came and each deadline was missed, since it was last set."""
    times: Counter[tuple[Any, ...]] = Counter()
    settings: Counter[str] = Counter()
    reminded: Counter[tuple[str, int]] = Counter()
    plans: dict[str, int] = {}
    for event in events:
        what = str(event.data.get("what"))
        if event.type == "DeadlineSet":
            settings[what] += 1
            plans[what] = len(event.data["remind_at"])
        elif event.type == "DeadlineMissed":
            times[what, settings[what], "missed"] += 1
        elif event.type == "DeadlineReminded":
            reminded[what, settings[what]] += 1
            number = min(reminded[what, settings[what]], plans[what])
            times[what, settings[what], number] += 1
    return times
