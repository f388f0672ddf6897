"""kill -9 of worker, API and server, before, during and after every step of a delegation's way (faults.md, row 1)."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.killing import ADDRESSES, CELLS, Cell, player
from tests.faults.outcome import Left, left_by
from tests.faults.page import Note
from tests.installed import Installed, installed

EVERYDAY = (
    "worker-during-drafted",
    "api-during-opened",
    "temporal-during-invitations",
)
"""Cells of the everyday run; `make faults` runs all of them."""


PARAMETERS = [
    pytest.param(cell, id=str(cell), marks=pytest.mark.slow if str(cell) in EVERYDAY else pytest.mark.faults)
    for cell in CELLS
]

ONE_OF_TWO = [pytest.param(cell, id=str(cell), marks=pytest.mark.faults) for cell in CELLS if cell.part == "worker"]


def left_undisturbed(stack: Installed) -> Left:
    """What the scenario leaves when nothing dies: each installation hashes mailboxes with a key of its own."""

    async def play() -> Left:
        playing = player(stack)
        await playing.play()
        return await left_by(stack, playing.delegation, ADDRESSES)

    return asyncio.run(play())


@pytest.fixture(scope="session")
def undisturbed(stack: Installed) -> Left:
    """What the scenario leaves on the installation of this test process."""
    return left_undisturbed(stack)


def test_the_everyday_cells_exist() -> None:
    """A renamed step must not silently leave the everyday run."""
    assert set(EVERYDAY) <= {str(cell) for cell in CELLS}


@pytest.mark.slow
async def test_undisturbed_the_small_visit_is_what_the_cells_are_held_to(undisturbed: Left) -> None:
    """Counted by hand from the scenario file: five invitations, three changes, two cancellations, nothing twice."""
    outcome = undisturbed.outcome
    assert outcome.phase == "closed"
    assert undisturbed.copies == 0
    assert sum("SignOffRefused" in one for one in outcome.people) == 1
    assert sum(" REQUEST 0 " in one for one in outcome.mails) == 5
    assert sum(" REQUEST 1 " in one for one in outcome.mails) == 3
    assert sum(" CANCEL " in one for one in outcome.mails) == 2


@pytest.mark.timeout(240)
@pytest.mark.parametrize("cell", PARAMETERS)
async def test_a_kill_changes_nothing_that_lasts(cell: Cell, stack: Installed, undisturbed: Left, note: Note) -> None:
    """Every acknowledged command is there once, in order; the same mails arrived; the file is closed as ever."""
    note(row="1", part=cell.part, moment=cell.moment)
    await survives(cell, stack, undisturbed, note)


@pytest.fixture(scope="session")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installed, Left]]:
    """An installation with two workers, and what the scenario leaves there."""
    with installed(tmp_path_factory.mktemp("pair") / "var", workers=2) as running:
        yield running, left_undisturbed(running)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("cell", ONE_OF_TWO)
async def test_one_of_two_workers_may_die(cell: Cell, pair: tuple[Installed, Left], note: Note) -> None:
    """The same, and the other worker goes on with the file."""
    note(row="1", part="one of two workers", moment=cell.moment)
    await survives(cell, *pair, note)


async def survives(cell: Cell, stack: Installed, undisturbed: Left, note: Note) -> None:
    """Play a scenario with one kill in it, and hold what it leaves to what it leaves undisturbed."""
    back: asyncio.Task[float] | None = None

    def kill() -> None:
        nonlocal back
        back = asyncio.create_task(stack.ready_again(cell.part, stack.kill(cell.part)))

    await stack.ready()
    playing = player(stack, cell, kill)
    await playing.play()
    assert back is not None, "nothing was killed"
    note(back=round(await back, 2), stalled=round(playing.stalled, 2))
    left = await left_by(stack, playing.delegation, ADDRESSES)
    note(copies=left.copies)
    assert left.outcome == undisturbed.outcome
    # Only a worker that dies between the mail server's acceptance and its own note may leave a copy.
    assert left.copies <= (1 if cell.part == "worker" else 0)
