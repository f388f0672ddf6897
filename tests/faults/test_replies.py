"""Answers that are weapons, lies or too late (faults.md, row 18), and a worker that dies in the middle of a batch."""

import asyncio
import smtplib
import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from tests.calendars.answers import CLIENTS, Answered, bare, calendar, event, outlook
from tests.faults.asking import a_file
from tests.faults.page import Note
from tests.installed import Installed
from tests.office import Office, mail_devel, office

__all__ = ["mail_devel", "office"]
pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

STRANGER = "stranger@elsewhere.example"
UNENDING = ("BEGIN:VTIMEZONE", "TZID:Asia/Ho_Chi_Minh", "BEGIN:STANDARD", "TZOFFSETTO:nonsense")
FLOOD = ("RRULE:FREQ=SECONDLY",) * 8_000


def forged(one: Answered, **more: Any) -> bytes:
    """An answer that says it is from somebody else."""
    return outlook(replace(one, **more))


def written(one: Answered, *before: str, charset: str = "utf-8", more: tuple[str, ...] = ()) -> bytes:
    """An answer whose object is put together by hand."""
    ascii_only = replace(one, name="Ito")
    return bare(ascii_only, calendar(*before, *event(ascii_only, *more)).encode(charset))


CELLS: dict[str, tuple[Callable[[Answered], bytes], str]] = {
    "unknown UID": (lambda one: outlook(replace(one, uid=f"friday.{one.uid}")), "uid_unknown"),
    "a UID of another house": (lambda one: outlook(replace(one, uid="monday@elsewhere.example")), "uid_unknown"),
    "stale SEQUENCE": (lambda one: outlook(replace(one, sequence=0)), "reply_stale"),
    "stale DTSTAMP": (lambda one: outlook(replace(one, dtstamp="20260310T020000Z")), "reply_stale"),
    "forged attendee, neither known": (lambda one: forged(one, attendee=STRANGER), "nobody_told"),
    "forged attendee, the sender known": (
        lambda one: forged(one, attendee=STRANGER, sender=one.attendee),
        "attendee_unknown",
    ),
    "forged attendee, the attendee known": (lambda one: forged(one, sender=STRANGER), "sender_unknown"),
    "one guest answers for another": (
        lambda one: forged(one, sender="sato@tokyo.example"),
        "answers_for_another",
    ),
    "10 MB": (lambda one: outlook(one) + b"\r\n" + (b"a" * 76 + b"\r\n") * 130_000, "mail_too_large"),
    "RRULE flood": (lambda one: written(one, more=FLOOD), "too_many_lines"),
    "one RRULE of centuries": (lambda one: written(one, more=FLOOD[:1]), "recurring"),
    "broken VTIMEZONE": (lambda one: written(one, *UNENDING), "object_broken"),
    "wrong charset": (lambda one: written(one, charset="cp037"), "object_not_text"),
}


EVERYDAY = ("unknown UID", "stale SEQUENCE", "forged attendee, the attendee known", "RRULE flood")


@pytest.mark.parametrize(
    "cell", [pytest.param(cell, marks=() if cell in EVERYDAY else pytest.mark.faults) for cell in CELLS]
)
async def test_a_reply_that_must_not_count_changes_nothing_and_waits_for_a_person(
    office: Office, note: Note, cell: str
) -> None:
    """The trail ends where it ended, the state is what it was, and the queue says why."""
    note(row="18", fault=cell)
    here = office.here
    await office.invited("sato", "ito")
    starts = f"{(await here.file()).starts}T15:00"
    move = {"item_id": "monday", "starts": {"local": starts}, "ends": {"local": starts.replace("15:", "16:")}}
    await here.send({"type": "move_item", **move})
    await here.send({"type": "publish_programme"})
    await here.idle()
    answer = office.answer("ito", sequence=1, partstat="DECLINED")
    await office.mail(outlook(answer))
    await office.read()
    before, trail = await here.idle(), await here.registers.journal.events(here.id)
    assert before.replies["ito/monday"].answer == "declined"
    make, reason = CELLS[cell]
    await office.mail(make(replace(answer, partstat="ACCEPTED", message_id=f"<{uuid.uuid4().hex}@client.example>")))
    await office.read()
    assert await office.reasons() == [reason]
    assert await here.idle() == before
    assert await here.registers.journal.events(here.id) == trail


GUESTS = 24


@pytest.mark.faults
async def test_a_worker_killed_in_the_middle_of_a_batch_records_each_answer_once(stack: Installed, note: Note) -> None:
    """Guests answer by five clients' shapes, each twice; the worker dies once the first answer stands."""
    note(row="1", part="worker", moment="while answers are recorded")
    for account in ("hung", "mai", "root"):
        stack.token(account)
    async with stack.asking() as http:
        file = a_file(stack, http)
        guests = [f"g{number}" for number in range(GUESTS)]
        assert (await file.open()).status_code == 201
        assert (await file.add(*guests)).status_code == 200
        on = (await file.show())["state"]["starts"]
        item = {
            "type": "schedule_item",
            "item_id": "monday",
            "title": "Session",
            "starts": {"local": f"{on}T09:00"},
            "ends": {"local": f"{on}T10:00"},
            "audience": {"groups": ["delegates"]},
        }
        await done(file.send(item, {"type": "submit_request"}))
        for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
            digest = (await file.show())["open_step"]["dossier_digest"]
            await done(file.send({"type": "sign_off", "step_id": step, "dossier_digest": digest}, by=signer))
        await done(file.send({"type": "issue_decision", "number": "12/QĐ-LH"}, {"type": "invite"}))
        if until := (await file.show())["state"].get("quiet_until"):
            await done(file.ask("POST", "/demo/clock", by="root", json={"delegation": file.id, "to": until}))
        async with asyncio.timeout(60):
            while not any(issue["sent"] for issue in (await file.show())["state"]["issues"]):
                await asyncio.sleep(0.1)
        shapes = list(CLIENTS.values())
        mails = [
            shapes[number % len(shapes)](
                Answered(
                    uid=f"monday.{file.id}@hoihuunghi.example",
                    attendee=f"{guest}.{file.id}@tokyo.example",
                    message_id=f"<{guest}.{file.id}@client.example>",
                )
            )
            for number, guest in enumerate(guests)
        ]
        await asyncio.to_thread(deliver, stack.record.ports.smtp, [*mails, *mails])
        async with asyncio.timeout(90):
            while not (before := len((await file.show())["state"]["replies"])):
                await asyncio.sleep(0)
        pid = stack.kill("worker")
        note(recorded_before=before)
        assert before < GUESTS
        await stack.ready_again("worker", pid)
        async with asyncio.timeout(90):
            while len((await file.show())["state"]["replies"]) < GUESTS:
                await asyncio.sleep(0.1)
        events = await file.whole()
        recorded = [event.data["participant_id"] for event in events if event.type == "ReplyRecorded"]
        assert sorted(recorded) == sorted(guests)
        queue = await file.ask("GET", "/replies", params={"delegation": file.id})
        assert queue.json()["items"] == []


async def done(answer: Any) -> None:
    """Wait for an answer that must be a success."""
    response = await answer
    assert response.status_code == 200, response.text


def deliver(port: int, mails: list[bytes]) -> None:
    """Mail to the organizer's mailbox of the installation."""
    with smtplib.SMTP("127.0.0.1", port) as server:
        for one in mails:
            crlf = one.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
            server.sendmail("client@tokyo.example", ["lich@hoihuunghi.example"], crlf)
