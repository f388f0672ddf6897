"""Calendar servers that are away, and a worker that dies while it writes to one (faults.md, rows 1, 4 and 14)."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from calendars.caldav import CalDav, CalDavFailed, Credentials
from calendars.discovery import discover
from calendars.guard import AddressRefused, Reach
from domain.collections import wanted_by_office
from domain.state import Delegation
from tests.calendars.listening import answers, listening
from tests.calendars.misbehaving import Misbehaving, Trick, answering, dawdling, hanging, losing, misbehaving
from tests.calendars.radicale_server import PASSWORD, Radicale, radicale
from tests.faults.asking import File, a_file
from tests.faults.page import Note
from tests.installed import Installed

ITEMS = 30
DOMAIN = "hoihuunghi.example"


@pytest.fixture
async def away(tmp_path: Path) -> AsyncIterator[tuple[Radicale, Misbehaving]]:
    """A calendar server, and one that misbehaves in front of it."""
    with radicale(tmp_path / "radicale") as server:
        async with misbehaving(server.port) as fake:
            yield server, fake


async def invited(stack: Installed, http: httpx2.AsyncClient, url: str) -> File:
    """A visit of thirty sessions that is about to go into the calendar of its office."""
    for account in ("hung", "mai", "root"):
        stack.token(account)
    file = a_file(stack, http)
    house = f"office-{file.id}"
    assert (await file.open(organisation=house)).status_code == 201
    assert (await file.add("sato")).status_code == 200
    items = [
        {
            "type": "schedule_item",
            "item_id": f"s{number}",
            "title": f"Session {number}",
            "starts": {"local": f"2028-04-{3 + number % 3:02}T{8 + number // 3:02}:00"},
            "ends": {"local": f"2028-04-{3 + number % 3:02}T{8 + number // 3:02}:45"},
            "audience": {"groups": ["delegates"]},
        }
        for number in range(ITEMS)
    ]
    assert (await file.send(*items, {"type": "submit_request"})).status_code == 200
    for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
        digest = (await file.show())["state"]["proposal"]["digest"]
        sign = {"type": "sign_off", "step_id": step, "dossier_digest": digest}
        assert (await file.send(sign, by=signer)).status_code == 200
    # Entered after the approval: an organisation that is known has a longer chain.
    kind = {"kind": "provincial_union", "name": {"vi": "Liên hiệp", "en": "Union"}, "since": "2026-01-01T00:00:00Z"}
    made = await file.ask("POST", "/institution/organisations", by="root", json={"slug": house, **kind})
    assert made.status_code == 201, made.text
    body = {"url": url, "username": "haruka", "password": PASSWORD}
    registered = await file.ask("PUT", office(file), by="root", json=body)
    assert registered.status_code == 200, registered.text
    done = await file.send({"type": "issue_decision", "number": "12/QĐ-LH"}, {"type": "invite"})
    assert done.status_code == 200, done.text
    return file


def office(file: File) -> str:
    """The address of the collection of the office of a test's own organisation."""
    return f"/institution/organisations/office-{file.id}/calendar-collection"


async def whole(file: File, server: Radicale) -> list[tuple[str, str, str]]:
    """Wait until the collection holds what it should, each item once, and return that."""
    state = Delegation.model_validate((await file.show())["state"])
    wanted = sorted(
        (f"{one.item_id}.{file.id}@{DOMAIN}", one.view.starts.instant.isoformat(), one.view.title)
        for one in wanted_by_office(state).values()
    )
    async with asyncio.timeout(90):
        while True:
            stands = (await file.ask("GET", office(file), by="root")).json()
            if (stands["entries"], stands["behind"]) == (ITEMS, 0):
                break
            await asyncio.sleep(0.1)
    assert server.holds("office", user="haruka") == wanted
    return wanted


@pytest.mark.faults
@pytest.mark.timeout(240)
async def test_a_worker_killed_while_it_writes_to_a_calendar_leaves_each_item_there_once(
    stack: Installed, away: tuple[Radicale, Misbehaving], note: Note
) -> None:
    """It dies once the first items have arrived; the next one goes on when the lease of the dead one is over."""
    server, fake = away
    note(row="4", fault="worker killed while it writes thirty items into a calendar collection")
    url = f"{fake.url}{server.make('office').removeprefix(server.url)}"
    async with stack.asking() as http:
        fake.always = dawdling
        file = await invited(stack, http, url)
        try:
            async with asyncio.timeout(60):
                while fake.methods().count("PUT") < 7:
                    await asyncio.sleep(0.005)
            pid = stack.kill("worker")
            there = len(server.holds("office"))
            assert 0 < there < ITEMS
            back = await stack.ready_again("worker", pid)
            assert len(await whole(file, server)) == ITEMS
            puts = fake.methods().count("PUT")
            note(there_when_it_died=there, writes=puts, back=f"{back:.1f} s")
            assert puts <= ITEMS + 2
            shown = (await file.ask("GET", office(file), by="root")).json()
            assert (shown["state"], shown["entries"], shown["failure"]) == ("working", ITEMS, None)
        finally:
            fake.always = None
            assert (await file.ask("DELETE", office(file), by="root")).status_code == 204
            async with asyncio.timeout(60):
                while (await file.ask("GET", office(file), by="root")).status_code != 404:
                    await asyncio.sleep(0.1)
        assert server.holds("office") == []


TROUBLES: list[tuple[str, Trick]] = [
    ("500", answering("500 Internal Server Error")),
    ("503", answering("503 Service Unavailable", Retry_After="0")),
    ("timeout", hanging),
    ("ETag conflict", answering("412 Precondition Failed")),
    ("answer lost", losing),
]


@pytest.mark.slow
@pytest.mark.timeout(240)
@pytest.mark.parametrize(
    ("name", "trick"),
    [pytest.param(*one, id=one[0], marks=pytest.mark.faults) for one in TROUBLES],
)
async def test_a_calendar_server_in_trouble_is_tried_again_until_it_has_everything(
    stack: Installed, away: tuple[Radicale, Misbehaving], note: Note, name: str, trick: Trick
) -> None:
    """Nobody need do anything; a request that hangs is given up after twenty seconds. Each item is there once."""
    server, fake = away
    note(row="4", fault=f"calendar server: {name} at the third write")
    url = f"{fake.url}{server.make('office').removeprefix(server.url)}"
    async with stack.asking() as http:

        async def pass_on(asked, forward, writer) -> None:  # type: ignore[no-untyped-def]
            writer.write((await forward()).octets())

        fake.play("PUT", pass_on, pass_on, trick)
        file = await invited(stack, http, url)
        try:
            assert len(await whole(file, server)) == ITEMS
        finally:
            assert (await file.ask("DELETE", office(file), by="root")).status_code == 204
            async with asyncio.timeout(60):
                while (await file.ask("GET", office(file), by="root")).status_code != 404:
                    await asyncio.sleep(0.1)


WAYS = ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "0177.0.0.1", "127.1"]


@pytest.mark.parametrize("host", WAYS)
async def test_no_packet_leaves_for_this_machine_whatever_it_is_called(host: str, note: Note) -> None:
    """The port is open, and nobody knocks."""
    note(row="14", fault=f"a calendar at https://{host}/")
    async with listening() as (port, came):
        client = CalDav(Reach(ports=frozenset({port})), patience=timedelta(seconds=5))
        with pytest.raises(AddressRefused):
            await discover(client, f"https://{host}:{port}/", Credentials("somebody", "something"))
        assert came == []


@pytest.mark.parametrize("how", ["resolved", "rebound", "redirect"])
async def test_no_packet_leaves_by_a_detour(how: str, note: Note) -> None:
    """A name, a name that changes its mind, a redirect."""
    note(row="14", fault=f"a calendar whose address leads to this machine: {how}")
    who = Credentials("somebody", "something")
    async with listening() as (port, came), misbehaving(0) as fake:
        if how == "redirect":
            # The server itself is reached, on this machine too; its neighbour is not.
            fake.always = answering("302 Found", Location=f"http://127.0.0.1:{port}/")
            client, url = CalDav(Reach(loopback=True), patience=timedelta(seconds=5)), fake.url
        else:
            # 127.0.0.2 stands for a public address here; nothing listens there.
            resolve, _ = answers(*([["127.0.0.1"]] if how == "resolved" else [["127.0.0.2"], ["127.0.0.1"]]))
            reach = Reach.of(networks=["127.0.0.2/32"], ports=[port])
            client = CalDav(reach, patience=timedelta(seconds=5), resolve=resolve)
            url = f"https://calendar.example:{port}/"
        with pytest.raises((AddressRefused, CalDavFailed)):
            await discover(client, url, who)
        assert came == []
