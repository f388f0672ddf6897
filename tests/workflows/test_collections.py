"""Calendar collections over a real CalDAV server: each holds what its owner may see, whatever happens on the way."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from temporalio.testing import ActivityEnvironment

from activities.collections import CollectionSync, Patience
from calendars.caldav import CalDav
from calendars.guard import Reach
from domain.collections import wanted_by_office, wanted_by_person
from storage.collection_rows import Access, Collection, Owner
from tests.calendars.misbehaving import Misbehaving, Trick, answering, hanging, losing
from tests.calendars.radicale_server import PASSWORD, Radicale
from tests.running import Running
from worker import house_of
from workflows.collections import CollectionRound
from workflows.ports import Synced, SyncInput

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

OFFICE = Owner("organisation", "song-lam")
QUICK = Patience(lease=timedelta(seconds=2), turn=timedelta(seconds=20), pauses=(0.05,))
GONE = answering("503 Service Unavailable")

Held = list[tuple[str, str, str]]


async def register(here: Running, owner: Owner, url: str, user: str = "haruka", password: str = PASSWORD) -> str:
    """Register a collection, as the API does once it has found it."""
    files = await here.registers.collection_queue.files_of(owner)
    access = Access(url=url, name="Lịch", username=user, password=password)
    return await here.registers.collections.register(owner, access, by="lan", files=files)


async def visit(here: Running, *items: str) -> Owner:
    """A visit that people were invited to; its head hears by CalDAV. Return the head as an owner."""
    await here.open()
    await here.add("head", "head")
    await here.add("sato")
    for day, item in enumerate(items or ("s1", "s2", "s3")):
        await here.schedule(item, day=min(day, 2), hour=9 + day)
    await here.approve()
    owner = Owner("person", (await here.file()).people["head"].person.ref)
    # The channel can be chosen only where there is a collection; each test then registers one of its own.
    first = await register(here, owner, "http://127.0.0.1:9/gone/")
    await here.send({"type": "invite"}, {"type": "choose_channel", "participant_id": "head", "channel": "caldav"})
    await here.idle()
    await here.registers.collections.forget(first)
    return owner


async def round_(here: Running, *, patience: timedelta = timedelta(seconds=10), **asked: Any) -> Synced:
    """Go round, without waiting for the clock of retries."""
    caldav = CalDav(Reach(loopback=True), patience=patience)
    sync = CollectionSync(here.registers, caldav, house_of(here.settings), QUICK)
    return await ActivityEnvironment().run(sync.sync, SyncInput(**asked))


async def expected(here: Running, owner: Owner) -> Held:
    """What a collection is to hold of the one file: (UID, start, summary), in order."""
    file = await here.file()
    seen = wanted_by_office(file) if owner.kind == "organisation" else wanted_by_person(file, owner.id)
    domain = house_of(here.settings).mail_domain
    return sorted(
        (f"{one.item_id}.{file.id}@{domain}", one.view.starts.instant.isoformat(), one.view.title)
        for one in seen.values()
    )


async def standing(here: Running, owner: Owner) -> Collection:
    """How a collection stands."""
    found = await here.registers.collections.of(owner)
    assert found is not None
    return found


async def move(here: Running, item: str, title: str) -> None:
    """Move an item by an hour, with another title, and publish."""
    at = (await here.file()).items[item]
    starts, ends = (datetime.fromisoformat(one.local) + timedelta(hours=1) for one in (at.starts, at.ends))
    await here.send(
        {
            "type": "move_item",
            "item_id": item,
            "starts": {"local": starts.isoformat(timespec="minutes")},
            "ends": {"local": ends.isoformat(timespec="minutes")},
        },
        {"type": "revise_item", "item_id": item, "title": title},
        {"type": "publish_programme"},
    )
    await here.idle()


@pytest.fixture
def through(server: Radicale, fake: Misbehaving) -> str:
    """The address of an empty collection behind the server that misbehaves."""
    return f"{fake.url}{server.make('visit').removeprefix(server.url)}"


async def test_a_programme_is_created_changed_and_taken_out_for_a_person_and_for_the_office(
    here: Running, server: Radicale
) -> None:
    """Each hears by their own collection; the trail has no line about it."""
    head = await visit(here)
    person, office = await register(here, head, server.make("own")), await register(here, OFFICE, server.make("all"))
    assert await round_(here) == Synced(worked=2)
    assert server.holds("own") == await expected(here, head)
    assert [summary for _, _, summary in server.holds("own")] == ["Session s1", "Session s2", "Session s3"]
    assert server.holds("all") == await expected(here, OFFICE)

    await move(here, "s1", "Moved")
    await here.send({"type": "cancel_item", "item_id": "s3"}, {"type": "publish_programme"})
    await here.schedule("dinner", day=1, hour=18, audience={"people": ["sato"]})
    await here.send({"type": "publish_programme"})
    await here.idle()
    assert server.holds("own") == await expected(here, head)
    assert [summary for _, _, summary in server.holds("own")] == ["Moved", "Session s2"]
    written = await here.registers.collection_entries.of_item(here.id, "s1")
    assert {owner: one.sequence for owner, one in written.items()} == {head.id: (await here.file()).told["s1"].sequence}
    assert [summary for _, _, summary in server.holds("all")] == ["Session dinner", "Moved", "Session s2"]

    await here.send({"type": "withdraw_member", "member_id": "head"})
    await here.idle()
    assert (server.holds("own"), len(server.holds("all"))) == ([], 3)
    await here.send({"type": "cancel_delegation", "reason": await here.text("Bão")})
    await here.idle()
    assert server.holds("all") == []

    actors = {event.type for event in await here.registers.journal.events(here.id) if event.actor == "system"}
    assert "EffectFailed" not in actors
    entries = [(one.type, one.command_id, one.actor) for one in await here.registers.register_log.entries("calendars")]
    assert entries[1:] == [("collection_registered", person, "lan"), ("collection_registered", office, "lan")]


async def test_only_who_chose_caldav_is_written_to_and_who_leaves_it_is_emptied(
    here: Running, server: Radicale
) -> None:
    """One channel a person: by mail again, the collection is emptied, and theirs alone what else is in it."""
    head = await visit(here)
    sato = Owner("person", (await here.file()).people["sato"].person.ref)
    await register(here, head, server.make("own"))
    await register(here, sato, server.make("other"))
    own = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Home//EN\r\nBEGIN:VEVENT\r\nUID:dentist@home.example\r\n"
    own += "DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T000000Z\r\nSUMMARY:Dentist\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    assert server.ask("PUT", "/haruka/own/dentist.ics", own).status_code == 201
    await round_(here)
    assert (len(server.holds("own")), server.holds("other")) == (4, [])
    await here.send({"type": "choose_channel", "participant_id": "head", "channel": "mail"})
    await here.send({"type": "choose_channel", "participant_id": "sato", "channel": "caldav"})
    await here.idle()
    assert [summary for _, _, summary in server.holds("own")] == ["Dentist"]
    assert server.holds("other") == await expected(here, sato)


async def test_an_outage_in_the_middle_is_made_up_for(
    here: Running, server: Radicale, fake: Misbehaving, through: str
) -> None:
    """The second of three writes meets a server that went away: the rest waits, the file does not."""
    head = await visit(here)
    id = await register(here, head, through)

    async def first_then_gone(asked: Any, forward: Any, writer: Any) -> None:
        fake.always = GONE
        writer.write((await forward()).octets())

    fake.play("PUT", first_then_gone)
    assert await round_(here) == Synced(worked=0, failed=1)
    stands = await standing(here, head)
    assert (stands.state, stands.failure, stands.behind, len(server.holds("visit"))) == (
        "unreachable",
        "server_failed",
        1,
        1,
    )
    # A change meanwhile: the effect ends though the server is away, and the server is not asked before its time.
    asked = len(fake.seen)
    await move(here, "s2", "Moved")
    assert len(fake.seen) == asked
    assert await round_(here) == Synced(worked=0)

    fake.always = None
    assert await round_(here, collection=id) == Synced(worked=1)
    stands = await standing(here, head)
    assert (stands.state, stands.failure, stands.behind, stands.entries) == ("working", None, 0, 3)
    assert server.holds("visit") == await expected(here, head)


async def test_refused_credentials_are_not_tried_again_until_there_are_others(
    here: Running, server: Radicale, fake: Misbehaving, through: str
) -> None:
    """No hammering: one request, then silence; with other credentials everything is brought at once."""
    head = await visit(here)
    await register(here, head, through, password="old")
    assert await round_(here) == Synced(worked=0, failed=1)
    stands = await standing(here, head)
    assert (stands.state, stands.failure) == ("needs_credentials", "credentials_refused")
    asked = len(fake.seen)
    await move(here, "s1", "Moved")
    assert await round_(here) == Synced(worked=0)
    assert await round_(here, review=True) == Synced(worked=0)
    assert len(fake.seen) == asked
    await register(here, head, through)
    assert await round_(here) == Synced(worked=1)
    assert server.holds("visit") == await expected(here, head)


async def test_what_others_did_in_it_is_reported_at_night_and_put_right(
    here: Running, server: Radicale, fake: Misbehaving, through: str
) -> None:
    """Edited and deleted items come back; a copy of ours is taken out, a foreign one with our UID is only told."""
    head = await visit(here)
    id = await register(here, head, through)
    await round_(here)
    assert await round_(here, review=True) == Synced(worked=1)
    held = await here.registers.collection_entries.of(id)
    [s1, s2, s3] = sorted(held.values(), key=lambda one: one.item_id)
    path, written = "/haruka/visit/", server.ask("GET", f"/haruka/visit/{s1.name}").text
    server.ask("PUT", path + s1.name, written.replace("Session s1", "My session"))
    server.ask("DELETE", path + s2.name)
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\nEND:VEVENT"
    own = server.ask("GET", path + s3.name).text.replace("END:VEVENT", alarm)
    server.ask("PUT", path + s3.name, own)
    copy = written.replace(s1.uid, f"old.{s1.uid}")
    server.ask("PUT", path + "copy.ics", copy)
    server.ask("PUT", path + "foreign.ics", copy.replace("old.", "older.").replace("-//Legation", "-//Home"))

    assert await round_(here, review=True) == Synced(worked=1, drifted=4)
    drift = {(one.uid, one.kind, one.repaired) for one in await here.registers.collection_entries.drift(id)}
    assert drift == {
        (s1.uid, "edited", True),
        (s2.uid, "missing", True),
        (f"old.{s1.uid}", "stray", True),
        (f"older.{s1.uid}", "stray", False),
    }
    server.ask("DELETE", path + "foreign.ics")
    assert server.holds("visit") == await expected(here, head)
    assert "VALARM" in server.ask("GET", path + s3.name).text
    assert await round_(here, review=True) == Synced(worked=1)
    assert (await standing(here, head)).reviewed_at is not None


async def test_a_slow_server_holds_up_nobody_else(here: Running, server: Radicale, fake: Misbehaving) -> None:
    """The office has its programme while the head's server has not said a word yet."""
    head = await visit(here)
    await register(here, head, f"{fake.url}/haruka/slow/")
    await register(here, OFFICE, server.make("all"))
    fake.always = hanging
    going = asyncio.create_task(round_(here, patience=timedelta(seconds=3)))
    async with asyncio.timeout(30):
        while len(server.holds("all")) < 3:
            await asyncio.sleep(0.02)
    assert not going.done()
    assert await going == Synced(worked=1, failed=1)
    assert (await standing(here, head)).failure == "too_slow"


NOISE: list[Trick] = [
    answering("500 Internal Server Error"),
    answering("503 Service Unavailable", Retry_After="0"),
    answering("412 Precondition Failed"),
    losing,
]


async def test_after_every_kind_of_trouble_the_collection_is_the_view(
    here: Running, server: Radicale, fake: Misbehaving, through: str
) -> None:
    """Each write and each deletion meets trouble of some kind first; afterwards each item is there once, as it is."""
    head = await visit(here)
    id = await register(here, head, through)
    for change in ("created", "changed", "cancelled"):
        if change == "changed":
            await move(here, "s1", "Moved")
        if change == "cancelled":
            await here.send({"type": "cancel_item", "item_id": "s1"}, {"type": "publish_programme"})
            await here.idle()
        await here.registers.collection_queue.want([id], here.id)
        for trick in NOISE:
            fake.play("DELETE" if change == "cancelled" else "PUT", trick)
            await round_(here, collection=id)
        fake.tricks.clear()
        assert await round_(here, collection=id) == Synced(worked=1)
        assert server.holds("visit") == await expected(here, head)
        assert len(await here.registers.collection_entries.of(id)) == len(server.holds("visit"))


async def test_the_workflow_goes_round_and_leaves_an_emptied_collection(here: Running, server: Radicale) -> None:
    """As its schedule starts it. A collection that was removed is emptied first, then nothing is known of it."""
    head = await visit(here)
    id = await register(here, head, server.make("own"))
    name = f"calendars:{here.id}"
    queue = here.settings.temporal_task_queue
    assert await here.client.execute_workflow(CollectionRound.run, id=name, task_queue=queue) == Synced(worked=1)
    assert len(server.holds("own")) == 3
    assert await here.registers.collections.leave(head, by="lan") == id
    assert (await standing(here, head)).state == "leaving"
    again = await here.client.execute_workflow(CollectionRound.run, SyncInput(collection=id), id=name, task_queue=queue)
    assert again == Synced(worked=1)
    assert server.holds("own") == []
    assert await here.registers.collections.of(head) is None


async def test_erasing_a_person_takes_address_and_credentials_away(here: Running, server: Radicale) -> None:
    """What stands in their calendar is theirs; nothing here leads there any more."""
    head = await visit(here)
    id = await register(here, head, server.make("own"))
    await round_(here)
    await here.registers.persons.erase(head.id)
    assert await here.registers.collections.of(head) is None
    assert await here.registers.collection_entries.of(id) == {}
    assert await round_(here, collection=id) == Synced(worked=0)
    with pytest.raises(LookupError):
        await register(here, head, server.make("other"))
    assert len(server.holds("own")) == 3
