"""From an invitation that was mailed to the answer that is recorded, over a real mailbox."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from imap_tools import MailBoxUnencrypted
from temporalio.testing import ActivityEnvironment

from activities.mailbox import Mailroom
from activities.outbox import Outbox
from activities.replies import Replies, Trust
from domain.state import Phase
from notices.imap import MailboxUnavailable, Postbox
from storage.metadata import utc_now
from tests.calendars.answers import CLIENTS, outlook
from tests.notices.reports import failed, report
from tests.notices.servers import PASSWORD
from tests.office import Office, an_office, mail_devel, office, said
from tests.running import Running
from tests.temporal import Connect
from worker import house_of, mail_server_of, patience_of, postbox_of
from workflows.ports import MailboxInput, MailRead

__all__ = ["mail_devel", "office"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]

FAST = timedelta(milliseconds=50)


async def test_five_clients_answer_and_each_answer_is_recorded_once(office: Office) -> None:
    """With its comment in the register of texts, and by whom and how it came in the trail."""
    members = tuple(CLIENTS)
    await office.invited(*members)
    answers = {
        member: make(
            office.answer(member, partstat="DECLINED" if member == "apple" else "ACCEPTED", comment="Xin chào")
        )
        for member, make in CLIENTS.items()
    }
    await office.mail(*answers.values())
    assert await office.read() == MailRead(taken=5, filed=5)
    assert await office.reasons() == []
    assert await office.replies() == {
        f"{member}/monday": "declined" if member == "apple" else "accepted" for member in members
    }
    recorded = [
        one for one in await office.here.registers.journal.events(office.here.id) if one.type == "ReplyRecorded"
    ]
    assert {(one.actor, one.data["via"], one.data["sequence"]) for one in recorded} == {("system", "mail", 0)}
    comments = await office.here.registers.texts.read_many([one.data["comment"]["ref"] for one in recorded])
    assert set(comments.values()) == {"Xin chào"}
    # The same ones again, under the Message-IDs they had: nothing new.
    await office.mail(*answers.values())
    assert await office.read() == MailRead(taken=0, filed=0)
    events = await office.here.registers.journal.events(office.here.id)
    assert sum(one.type == "ReplyRecorded" for one in events) == 5


async def test_what_is_no_certain_answer_waits_for_a_person_and_changes_nothing(office: Office) -> None:
    """Each with its reason, and the people who may be meant where there are any."""
    await office.invited("sato", "ito", items=("monday", "tuesday"))
    before = await office.here.file()
    stranger = "stranger@elsewhere.example"
    mails = {
        "uid_unknown": outlook(office.answer("ito", item="friday")),
        "sender_unknown": outlook(office.answer("ito", sender=stranger)),
        "attendee_unknown": outlook(replace(office.answer("ito"), attendee=stranger, sender="ito@tokyo.example")),
        "nobody_told": outlook(replace(office.answer("ito"), attendee=stranger)),
        "answers_for_another": outlook(office.answer("ito", sender="sato@tokyo.example")),
        "counter_proposed": said(office.answer("ito"), "COUNTER"),
        "not_an_answer": said(office.answer("ito"), "CANCEL"),
        "not_ours": said(office.answer("ito"), "DECLINECOUNTER"),
        "no_calendar": office.answer("ito").head("text/plain") + b"I cannot come, sorry",
        "mail_too_large": office.answer("ito").head("text/plain") + (b"a" * 76 + b"\r\n") * 20_000,
    }
    await office.mail(*mails.values())
    assert (await office.read()).taken == len(mails)
    assert sorted(str(one) for one in await office.reasons()) == sorted(mails)
    assert await office.here.idle() == before
    letters = {str(one.reason): one for one in await office.queue()}
    assert [letters[name].participants for name in ("sender_unknown", "attendee_unknown", "nobody_told")] == [
        ("ito",),
        ("ito",),
        (),
    ]
    assert len(letters["mail_too_large"].octets) < 10_000


async def test_stale_answers_and_files_that_are_closed_go_to_a_person(office: Office) -> None:
    """What the file itself refuses has the code of its refusal."""
    await office.invited("sato", "ito")
    here = office.here
    await office.mail(outlook(office.answer("ito", partstat="DECLINED", dtstamp="20260312T020000Z")))
    await office.read()
    await office.mail(outlook(office.answer("ito", dtstamp="20260311T020000Z")))
    await office.read()
    starts = f"{(await here.file()).starts}T15:00"
    move = {"item_id": "monday", "starts": {"local": starts}, "ends": {"local": starts.replace("15:", "16:")}}
    await here.send({"type": "move_item", **move})
    await here.send({"type": "publish_programme"})
    await here.idle()
    await office.mail(outlook(office.answer("sato", sequence=0)))
    await office.read()
    assert await office.reasons() == ["reply_stale", "reply_stale"]
    assert await office.replies() == {"ito/monday": "declined"}
    await office.mail(outlook(office.answer("sato", sequence=1, dtstamp="20260313T020000Z")))
    await office.read()
    assert await office.replies() == {"ito/monday": "declined", "sato/monday": "accepted"}
    await here.send({"type": "cancel_delegation", "reason": await here.text("Đối tác hoãn")})
    await here.send({"type": "close_delegation"})
    await here.until(Phase.CLOSED)
    await here.client.get_workflow_handle(here.id).result()
    await office.mail(outlook(office.answer("sato", sequence=1, dtstamp="20260314T020000Z")))
    await office.read()
    assert await office.reasons() == ["reply_stale", "reply_stale", "delegation_closed"]


async def test_one_mailbox_of_two_people_answers_for_neither(office: Office) -> None:
    """The name beside the address decides nothing: a person says for whom it was."""
    here = office.here
    await here.open()
    for member, role in (("sato", "head"), ("ito", "member")):
        person = await here.person(f"Delegate {member}", "office@tokyo.example")
        await here.send({"type": "add_member", "member_id": member, "person": person, "role": role, "country": "JP"})
    await here.schedule("monday")
    await here.approve()
    await here.send({"type": "invite"})
    await here.idle()
    await office.mail(outlook(office.answer("office", name="Delegate sato")))
    await office.read()
    (letter,) = await office.queue()
    assert (letter.reason, sorted(letter.participants)) == ("mailbox_shared", ["ito", "sato"])
    assert await office.replies() == {}


async def test_the_last_message_is_sent_again_on_request_but_not_twice_an_hour(office: Office) -> None:
    """The same octets under the same Message-ID, to that mailbox alone."""
    await office.invited("sato", "ito")
    here = office.here
    first = [content for to, content in here.post.taken if to == "ito@tokyo.example" and b"text/calendar" in content]
    await office.mail(said(office.answer("ito"), "REFRESH"))
    await office.read()
    assert len([one for one in here.post.taken if one[0] == "ito@tokyo.example" and one[1] == first[0]]) == 1
    entries = await here.registers.mail_ledger.told(here.id, f"monday.{here.id}@hoihuunghi.example")
    ids = [one.message_id for one in entries]
    await here.registers.mail_ledger.mark_sent(ids, utc_now() - timedelta(hours=2))
    for _ in range(2):
        await office.mail(said(office.answer("ito"), "REFRESH"))
        await office.read()
    taken = [to for to, content in here.post.taken if content == first[0]]
    assert taken == ["ito@tokyo.example"] * 2
    assert await office.reasons() == []


async def test_reports_and_absences_need_nobody_and_what_came_back_is_recorded_once(office: Office) -> None:
    """By the message that a report names, where it went to that mailbox; a forged report leads to nothing."""
    await office.invited("sato", "ito")
    here = office.here
    entries = await here.registers.mail_ledger.told(here.id, f"monday.{here.id}@hoihuunghi.example")
    ours = {one.participants[0]: one.message_id for one in entries}

    def returned(member: str, to: str, number: int) -> bytes:
        whole = report(
            failed(to), original=f"Message-ID: {ours[member]}\r\nTo: {to}", head=f"Message-ID: <{number}@mx>\r\n"
        )
        return whole.replace(b"lich@songlam.example", office.organizer.encode())

    away = office.answer("ito").head("text/plain", "Auto-Submitted: auto-replied") + b"away"
    forged = returned("sato", "stranger@elsewhere.example", 1)
    real = [returned("ito", "ito@tokyo.example", number) for number in (2, 3)]
    await office.mail(away, forged, *real)
    assert await office.read() == MailRead(taken=4, filed=4)
    assert await office.reasons() == []
    await here.idle()
    events = await here.registers.journal.events(here.id)
    assert [one.data["message_id"] for one in events if one.type == "MailBounced"] == [ours["ito"]]


async def test_mail_is_left_where_it_is_or_moved_as_the_settings_say(
    office: Office, tmp_path: Path, connect: Connect, temporal_server: Any, mail_devel: tuple[int, int]
) -> None:
    """Nothing is deleted; who looked at it before makes no difference."""

    def seen(user: str, folder: str = "INBOX") -> list[tuple[str, bool]]:
        with MailBoxUnencrypted("127.0.0.1", mail_devel[1]).login(user, PASSWORD, folder) as box:
            found = box.fetch(mark_seen=False)
            return [(one.headers["message-id"][0], "\\Seen" in one.flags) for one in found]

    one = office.answer("ito")
    await office.mail(outlook(one))
    with MailBoxUnencrypted("127.0.0.1", mail_devel[1]).login(office.organizer, PASSWORD) as box:
        list(box.fetch(mark_seen=True))
    assert (await office.read()).taken == 1
    assert seen(office.organizer) == [(one.message_id, True)]
    async with an_office(
        tmp_path / "moving", connect, temporal_server.address, mail_devel, imap_read_to="Answers"
    ) as other:
        await other.mail(outlook(other.answer("ito")), outlook(other.answer("sato")))
        assert (await other.read()).taken == 2
        assert seen(other.organizer) == []
        assert len(seen(other.organizer, "Answers")) == 2


async def test_a_mailbox_that_is_down_is_waited_for(office: Office) -> None:
    """Nothing fails; what came before is worked off, and what comes afterwards is read."""
    here = office.here
    postbox = postbox_of(here.settings)
    assert postbox is not None
    away = _Away(postbox)
    mailroom = Mailroom(away, here.registers.received_mail, _replies(here), FAST)
    await office.mail(office.answer("ito").head("text/plain") + b"hello")
    running_on = asyncio.create_task(ActivityEnvironment().run(mailroom.read, MailboxInput(seconds=2)))
    async with asyncio.timeout(20):
        await away.asked.wait()
        away.down = False
        assert await running_on == MailRead(taken=1, filed=1)
    assert await office.reasons() == ["no_calendar"]


async def test_a_worker_that_ends_gives_the_reading_back_at_once(office: Office) -> None:
    """It does not sleep through its own end."""
    here = office.here
    mailroom = Mailroom(postbox_of(here.settings), here.registers.received_mail, _replies(here), timedelta(hours=1))
    environment = ActivityEnvironment()
    reading = asyncio.create_task(environment.run(mailroom.read, MailboxInput(seconds=3600)))
    await asyncio.sleep(0)
    environment.worker_shutdown()
    async with asyncio.timeout(20):
        assert (await reading).taken == 0


class _Away(Postbox):
    """A mailbox that cannot be reached until it is put up again."""

    def __init__(self, real: Postbox) -> None:
        vars(self).update(vars(real))
        self.down = True
        self.asked = asyncio.Event()
        self._loop = asyncio.get_running_loop()

    def look(self, place: tuple[int, int] | None) -> Any:
        if self.down:
            self._loop.call_soon_threadsafe(self.asked.set)
            raise MailboxUnavailable("down")
        return super().look(place)


def _replies(here: Running) -> Replies:
    house = house_of(here.settings)
    registers = here.registers
    outbox = Outbox(registers.mail_ledger, mail_server_of(here.settings), house.organizer, patience_of(here.settings))
    return Replies(
        here.client,
        registers.answering,
        registers.dead_letters,
        registers.texts,
        registers.queries,
        outbox,
        house.mail_domain,
        Trust(here.settings.received_mail_limit_bytes),
    )
