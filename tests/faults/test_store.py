"""The database locked, full, read-only, failing to write: an honest 503, and it heals by itself (faults.md, row 2)."""

import asyncio
import contextlib
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pytest

from tests.embedded.running_stack import until
from tests.faults.asking import SATO, File, a_file, code
from tests.faults.page import Note
from tests.installed import PATIENCE, Installed, installed
from tests.storage.samples import PDF_FILE

pytestmark = [pytest.mark.timeout(300)]


@pytest.fixture(scope="module")
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A disk of eight megabytes for the database alone."""
    folder = tmp_path_factory.mktemp("disk") / "small"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=8m,mode=0700", "legation-test", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("mounting a small disk needs the rights of an administrator")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@asynccontextmanager
async def opened(running: Installed) -> AsyncIterator[File]:
    """A file with one member, on an installation in which nothing is under way."""
    await running.ready()
    async with running.asking() as http:
        file = a_file(running, http)
        assert (await file.open()).status_code == 201
        assert (await file.add("sato")).status_code == 200
        yield file


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the database in another process's name, as a backup that went wrong would."""
    connection = sqlite3.connect(database, isolation_level=None, timeout=10)
    connection.execute("BEGIN EXCLUSIVE")
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def revised(title: str) -> dict[str, Any]:
    return {"type": "revise_request", "title": title}


async def until_refused(file: File, word: str, times: int) -> tuple[list[str], list[str]]:
    """Send commands until so many were refused; return the keys of what was acknowledged, and of what was refused.

    A success is a promise: the command stands in the history, and the journal will have it. Every refusal is honest.
    """
    kept: list[str] = []
    refused: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while len(refused) < times:
            key = f"{word}-{len(kept) + len(refused)}"
            answer = await file.send(revised(key), key=key)
            (kept if answer.status_code == 200 else refused).append(key)
            if answer.status_code != 200:
                honest(answer)
    return kept, refused


async def registers_refuse(file: File) -> None:
    """People and texts cannot be written either, and the answer says so."""
    for answer in await asyncio.gather(
        file.ask("POST", "/persons", json=SATO),
        file.ask("POST", f"/delegations/{file.id}/texts", json={"text": "Lý do"}),
    ):
        honest(answer)


def honest(answer: httpx2.Response) -> None:
    """Assert that a refusal names its cause and says when to ask again."""
    assert code(answer) == (503, "store_unavailable")
    assert int(answer.headers["retry-after"]) >= 1


async def answered(file: File, key: str) -> httpx2.Response:
    """Ask until somebody answers."""
    while True:
        with contextlib.suppress(httpx2.TransportError):
            return await file.send(revised(key), key=key)
        await asyncio.sleep(0.1)


async def eventually(file: File, key: str) -> dict[str, Any]:
    """Ask until the store is back; every answer before is an honest one."""
    async with asyncio.timeout(PATIENCE):
        while True:
            answer = await answered(file, key)
            if answer.status_code == 200:
                receipt: dict[str, Any] = answer.json()
                return receipt
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "rounds",
    [pytest.param(1, marks=pytest.mark.slow, id="a-moment"), pytest.param(12, marks=pytest.mark.faults, id="a-minute")],
)
async def test_a_locked_database(stack: Installed, note: Note, rounds: int) -> None:
    """Each attempt waits five seconds for the lock and is then refused; a read is not held up."""
    note(row="2", fault=f"locked by another process for {rounds * 5} s or longer")
    async with opened(stack) as file:
        with locked(stack.folder / "legation.db"):
            kept, refused = await until_refused(file, "locked", rounds)
            await registers_refuse(file)
            assert (await file.show())["phase"] == "drafted"
        await trail_is(file, kept, refused)


@pytest.mark.slow
async def test_mails_that_meet_a_locked_database_go_out_once(stack: Installed, note: Note) -> None:
    """What was acknowledged before goes on by itself after: nothing is asked again, nothing is sent twice."""
    note(row="2", fault="locked between an acknowledged command and its mails")
    async with opened(stack) as file:
        for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
            if step == "department_head":
                assert (await file.send({"type": "submit_request"})).status_code == 200
            sign = {"step_id": step, "dossier_digest": (await file.show())["open_step"]["dossier_digest"]}
            assert (await file.send({"type": "sign_off"} | sign, by=signer)).status_code == 200
        assert (await file.send({"type": "issue_decision", "number": "12/QĐ"})).status_code == 200
        session = {
            "type": "schedule_item",
            "item_id": "s1",
            "title": "Meeting",
            "starts": {"local": "2028-04-03T09:00"},
            "ends": {"local": "2028-04-03T10:00"},
            "audience": {"groups": ["delegates"]},
        }
        assert (await file.send(session)).status_code == 200
        assert (await file.send({"type": "invite"})).status_code == 200
        quiet = {"delegation": file.id, "to": (await file.show())["state"]["quiet_until"]}
        assert (await file.ask("POST", "/demo/clock", by="root", json=quiet)).status_code == 200
        with locked(stack.folder / "legation.db"):
            await registers_refuse(file)
        async with asyncio.timeout(PATIENCE):
            while not (issues := (await file.show())["state"]["issues"]) or issues[0]["sent"] is None:
                await asyncio.sleep(0.05)
        assert issues[0]["sent"] == 1
        mailed = stack.mails(f"sato.{file.id}@tokyo.example")
        assert sum(b'method="REQUEST"' in one for one in mailed) == 1


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory, small_disk: Path) -> Iterator[Installed]:
    """An installation whose database is on the small disk, and everything else elsewhere."""
    folder = tmp_path_factory.mktemp("full") / "var"
    with installed(folder, database_url=f"sqlite+aiosqlite:///{small_disk}/legation.db") as running:
        yield running


@pytest.mark.slow
@pytest.mark.xdist_group("small-disk")
async def test_a_full_disk(beside: Installed, small_disk: Path, note: Note) -> None:
    """Not one byte is left for the database; when there is room again, everything goes on."""
    note(row="2", fault="disk full")
    async with opened(beside) as file:
        fill(small_disk / "ballast")
        kept, refused = await until_refused(file, "full", 3)
        await registers_refuse(file)
        (small_disk / "ballast").unlink()
        await trail_is(file, kept, refused)


@pytest.mark.slow
@pytest.mark.xdist_group("small-disk")
async def test_a_read_only_disk_after_a_crash(beside: Installed, small_disk: Path, note: Note) -> None:
    """The disk comes back read-only under processes that start anew, as after a crash; then it is mended."""
    note(row="2", fault="disk read-only")
    async with opened(beside) as file:
        for part in ("api", "worker"):
            beside.kill(part)
        until(lambda: remounted(small_disk, "ro"))
        honest(await answered(file, "ro-1"))
        await registers_refuse(file)
        assert remounted(small_disk, "rw")
        await trail_is(file, [], ["ro-1"])


@pytest.mark.slow
async def test_no_file_can_be_written(stack: Installed, note: Note) -> None:
    """The kernel refuses every write of API and worker to a file (RLIMIT_FSIZE): database, attachments, logs."""
    note(row="2", fault="I/O error at every write to a file, logs too")
    async with opened(stack) as file:
        processes = [psutil.Process(stack.pid(part)) for part in ("api", "worker")]
        before = [process.rlimit(psutil.RLIMIT_FSIZE) for process in processes]
        try:
            for process in processes:
                process.rlimit(psutil.RLIMIT_FSIZE, (0, psutil.RLIM_INFINITY))
            kept, refused = await until_refused(file, "unwritten", 3)
            await registers_refuse(file)
            honest(await file.ask("POST", "/attachments", content=PDF_FILE))
        finally:
            for process, limits in zip(processes, before, strict=True):
                process.rlimit(psutil.RLIMIT_FSIZE, limits)
        await trail_is(file, kept, refused)


@pytest.fixture(scope="module")
def unsynced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Installed, Path]]:
    """An installation whose database cannot be synced to the disk while the file beside it exists."""
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("an I/O error at fsync alone needs a C compiler")
    folder = tmp_path_factory.mktemp("unsynced")
    library, flag = folder / "refused_sync.so", folder / "refused"
    source = Path(__file__).with_name("refused_sync.c")
    subprocess.run([compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    preloaded = {"LD_PRELOAD": str(library), "REFUSED_SYNC": str(flag)}
    with installed(folder / "var", environment=preloaded) as running:
        yield running, flag


@pytest.mark.faults
async def test_nothing_reaches_the_disk(unsynced: tuple[Installed, Path], note: Note) -> None:
    """Every write succeeds and only the sync at the commit fails: what was not on the disk was never acknowledged."""
    note(row="2", fault="I/O error at fsync")
    running, flag = unsynced
    async with opened(running) as file:
        flag.touch()
        try:
            kept, refused = await until_refused(file, "unsynced", 3)
            await registers_refuse(file)
        finally:
            flag.unlink()
        await trail_is(file, kept, refused)


def fill(ballast: Path) -> None:
    """Write until the disk has not one page left."""
    with ballast.open("wb", buffering=0) as filling, contextlib.suppress(OSError):
        while True:
            filling.write(b"x" * 4096)


def remounted(disk: Path, how: str) -> bool:
    """Mount the disk anew as `ro` or `rw`; False while somebody still writes on it."""
    done = subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], capture_output=True, check=False)
    return done.returncode == 0


async def trail_is(file: File, kept: list[str], refused: list[str]) -> None:
    """What was acknowledged stands in the trail once; what was refused comes in once under its own key."""
    for key in refused:
        await eventually(file, key)
    async with asyncio.timeout(PATIENCE):
        while True:
            events = await file.events()
            titles = [event.data["title"] for event in events if event.type == "RequestRevised"]
            if len(titles) >= len(kept) + len(refused):
                break
            await asyncio.sleep(0.05)
    assert sorted(titles) == sorted(kept + refused)
    await file.whole()
