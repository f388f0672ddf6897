"""Row 19: whoever was erased is in no byte of database, logs, server's file, attached files, or a backup made after."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx2
import pytest

from audit.checkpoint import Checkpoint, verify_checkpoints
from domain.seal import genesis, verify_chain
from settings import Settings
from storage.registers import Registers
from tests.calendars.radicale_server import PASSWORD, Radicale
from tests.calendars.servers import one_radicale, server
from tests.embedded.running_stack import legation
from tests.faults.asking import File, a_file
from tests.faults.page import Note
from tests.installed import Installed, installed
from tests.leftovers import Leftover, Search, everything_opened, planted

__all__ = ["one_radicale", "server"]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

KEIKO = {
    "full_name": "Nguyễn Thị Khánh Đoan",
    "given_name": "Khánh Đoan",
    "honorific": "Bà",
    "email": "khanh.doan.1987@tokyo-yukoukai.example",
    "language": "vi",
    "nationality": "JP",
    "phone": "+81 90 5551 7733",
    "function": "Trưởng ban đối ngoại Yukoukai",
    "passport_number": "TZ8814402",
    "dietary": "không ăn hải sản có vỏ",
    "needs": "lối đi cho xe lăn điện",
}
SEARCHED = ("full_name", "email", "phone", "function", "passport_number", "dietary", "needs")
SEARCH = Search(*(KEIKO[name] for name in SEARCHED))


def test_the_search_finds_what_is_planted_in_every_form(tmp_path: Path) -> None:
    """A search that finds nothing says something only if it could have found something."""
    search = Search(KEIKO["full_name"], KEIKO["email"])
    for text in (KEIKO["full_name"], KEIKO["email"]):
        for form, octets in planted(text):
            (tmp_path / "file").write_bytes(b"\0" * 100 + octets + b"\0" * 100)
            assert {one.needle for one in search.in_folder(tmp_path)} == {text}, form
    (tmp_path / "file").write_bytes(b"Nguyen Thi Khanh, doan@example")
    assert search.in_folder(tmp_path) == []


async def prepared(stack: Installed, http: httpx2.AsyncClient, calendar: str | None) -> tuple[File, str]:
    """A file with letters, a feed, a page, a calendar and a contact: all of one person; return it with the person."""
    file = a_file(stack, http)
    assert (await file.open()).status_code == 201
    person = (await file.ask("POST", "/persons", json=KEIKO)).json()
    joining = {"type": "add_member", "member_id": "doan", "person": person, "role": "head", "country": "JP"}
    assert (await file.send(joining)).status_code == 200
    assert (await file.add("sato", first_is_head=False)).status_code == 200
    times = {name: {"local": f"2028-04-03T{hour}:00"} for name, hour in (("starts", "09"), ("ends", "10"))}
    session = {"type": "schedule_item", "item_id": "s1", "title": "Hội đàm", "audience": {"groups": ["delegates"]}}
    assert (await file.send(session | times)).status_code == 200
    partner = {"kind": "partner", "name": "Tokyo Yukou", "country": "JP", "nature": "friendship_association"}
    entry = await file.ask("POST", "/directory", json=partner)
    assert entry.status_code == 201, entry.text
    contact = {"kind": "contact", "at": entry.json()["id"], "person": person}
    assert (await file.ask("POST", "/directory", json=contact)).status_code == 201
    if calendar is not None:
        access = {"url": calendar, "username": "haruka", "password": PASSWORD}
        put = await file.ask("PUT", f"/persons/{person['ref']}/calendar-collection", json=access)
        assert put.status_code == 200, put.text
    assert (await file.send({"type": "submit_request"})).status_code == 200
    for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
        digest = (await file.show())["state"]["proposal"]["digest"]
        signing = {"type": "sign_off", "step_id": step, "dossier_digest": digest}
        assert (await file.send(signing, by=signer)).status_code == 200
    decided = await file.send({"type": "issue_decision", "number": "7/QĐ"}, {"type": "invite"})
    assert decided.status_code == 200, decided.text
    for body in ({"participant": "doan"}, {"participant": "doan", "page": True}):
        link = (await file.ask("POST", f"/delegations/{file.id}/feeds", json=body)).json()["link"]
        assert (await http.get(link)).status_code == 200
    async with asyncio.timeout(60):
        while "letter-mail:1" not in [one.data.get("effect") for one in await file.events()]:
            await asyncio.sleep(0.05)
    return file, person["ref"]


async def erased(file: File, person: str) -> dict[str, Any]:
    """Two administrators agree; return the entry once it is carried out."""
    asked = await file.ask("POST", "/erasures", by="root", json={"person": person, "reason": "asked_by_person"})
    assert asked.status_code == 201, asked.text
    address = f"/erasures/{asked.json()['id']}"
    assert (await file.ask("POST", f"{address}/agreement", by="ha")).status_code == 200
    return await carried_out(file, address)


async def carried_out(file: File, address: str) -> dict[str, Any]:
    async with asyncio.timeout(120):
        while True:
            found: dict[str, Any] = (await file.ask("GET", address, by="root")).json()
            if found["state"] == "carried_out":
                return found
            await asyncio.sleep(0.05)


async def opened(folder: Path) -> bytes:
    """Everything that the master key opens on a data folder."""
    settings = Settings(data_dir=folder)
    registers = Registers.open(settings.database_url, settings.master_keys(), folder)
    try:
        return await everything_opened(registers)
    finally:
        await registers.close()


def backed_up(folder: Path, into: Path) -> None:
    """A backup as the operations guide makes it: SQLite's own copy of each database."""
    into.mkdir()
    for name in ("legation.db", "temporal.db"):
        with closing(sqlite3.connect(folder / name)) as source, closing(sqlite3.connect(into / name)) as copy:
            source.backup(copy)


async def test_no_byte_of_an_erased_person_is_left(tmp_path: Path, server: Radicale, note: Note) -> None:
    """On an encrypted installation: in no file, in nothing that its key opens, in no backup; and the chain holds."""
    note(row="19", fault="a person erased: letters, feed, page, calendar, contact; payloads encrypted")
    folder = tmp_path / "var"
    with installed(folder, profile="embedded") as stack:
        await stack.make_tokens()
        async with stack.asking() as http:
            file, person = await prepared(stack, http, server.make("doan"))
            before = await opened(folder)
            assert {text for text, _ in SEARCH.in_octets(before)} == {KEIKO[name] for name in SEARCHED}
            await sealed_now(file)
            trail, counts = await file.whole(), (await file.ask("GET", f"/delegations/{file.id}/messages")).json()
            found = await erased(file, person)
            assert found["places"] == {file.id: [1]}
            assert (await file.ask("GET", f"/delegations/{file.id}/messages")).json() == counts
            after = await file.whole()
            assert after[: len(trail)] == trail
            verify_chain(genesis(file.id), after)
            log = (await file.ask("GET", "/institution/log/erasures", by="root")).json()
            assert log["first_bad"] is None
            await sealed_now(file)
            assert SEARCH.in_octets(await opened(folder)) == set()
            assert await left_in(folder) == []
        await asyncio.to_thread(backed_up, folder, tmp_path / "backup")
        assert await left_in(tmp_path / "backup") == []
        assert SEARCH.in_octets(stack.said().encode()) == set()


async def sealed_now(file: File) -> dict[str, Any]:
    """Make a checkpoint, and return it once the whole chain of them was found good."""
    assert (await file.ask("POST", "/checkpoints", by="root")).status_code == 201
    items = (await file.ask("GET", "/checkpoints", by="root")).json()["items"]
    assert verify_checkpoints([Checkpoint.model_validate(one) for one in items], None) is not None
    last: dict[str, Any] = items[-1]
    return last


async def left_in(folder: Path) -> list[Leftover]:
    return await asyncio.to_thread(SEARCH.in_folder, folder)


@pytest.mark.faults
async def test_nothing_is_left_where_payloads_are_in_the_clear(tmp_path: Path, server: Radicale, note: Note) -> None:
    """In the demo's profile the server's own database shows everything: references are all that it has to show."""
    note(row="19", fault="a person erased where payloads are in the clear")
    folder = tmp_path / "var"
    with installed(folder) as stack:
        await stack.make_tokens()
        async with stack.asking() as http:
            file, person = await prepared(stack, http, server.make("doan"))
            kept = await sealed_now(file)
            (tmp_path / "kept.json").write_text(json.dumps(kept))
            await erased(file, person)
            assert SEARCH.in_octets(await opened(folder)) == set()
            assert await left_in(folder) == []
            await file.whole()
        stack.stop()
    assert await left_in(folder) == []
    words = ("verify", "--all", "--checkpoint", str(tmp_path / "kept.json"))
    verified = await asyncio.to_thread(legation, "--data", str(folder), *words)
    assert verified.returncode == 0, verified.stdout + verified.stderr


@pytest.mark.faults
@pytest.mark.parametrize("step", ["look", "person", "mails", "documents", "render", "scrub"])
async def test_a_worker_killed_within_an_erasure_ends_it_all_the_same(tmp_path: Path, step: str, note: Note) -> None:
    """kill -9 once a step is under way or done: another worker goes on, and it is done and sealed once."""
    note(row="19", fault=f"worker killed at “{step}” of an erasure")
    folder = tmp_path / "var"
    with installed(folder, profile="embedded") as stack:
        await stack.make_tokens()
        async with stack.asking() as http:
            file, person = await prepared(stack, http, None)
            body = {"person": person, "reason": "asked_by_person"}
            asked = (await file.ask("POST", "/erasures", by="root", json=body)).json()
            address = f"/erasures/{asked['id']}"
            assert (await file.ask("POST", f"{address}/agreement", by="ha")).status_code == 200
            await reached(file, address, step)
            pid = stack.kill("worker")
            await stack.ready_again("worker", pid)
            await carried_out(file, address)
            log = (await file.ask("GET", "/institution/log/erasures", by="root")).json()["items"]
            assert [one["change"] for one in log] == ["erasure_asked", "erasure_agreed", "erasure_carried_out"]
            await file.whole()
        stack.stop()
    assert await left_in(folder) == []
    assert SEARCH.in_octets(await opened(folder)) == set()


async def reached(file: File, address: str, step: str) -> None:
    """Wait until a step has noted that it removed something; one that notes nothing is met by the one before it."""
    before = {"look": None, "scrub": "render"}.get(step, step)
    async with asyncio.timeout(60):
        while before is not None and before not in (await file.ask("GET", address, by="root")).json()["removed"]:
            await asyncio.sleep(0)
