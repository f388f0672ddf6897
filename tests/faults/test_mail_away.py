"""The mail server is down while a delegation's clock is moved forward by days (faults.md, row 4)."""

import asyncio
from datetime import timedelta

import pytest

from storage.persons import Person
from tests.faults.page import Note
from tests.running import Running

REFUSALS = [
    pytest.param(4, marks=pytest.mark.slow, id="for-seconds"),
    # One attempt is patient for twenty seconds; so many refusals are more than one attempt.
    pytest.param(12, marks=pytest.mark.faults, id="for-a-minute"),
]


@pytest.mark.timeout(240)
@pytest.mark.parametrize("refusals", REFUSALS)
async def test_a_clock_that_skips_pauses_does_not_use_up_the_attempts(here: Running, refusals: int, note: Note) -> None:
    """No effect is given up in a burst of attempts; once the server is back, everything is delivered, once."""
    note(row="4", fault=f"mail server answers 421 until it was asked {refusals} times, while the clock is moved")
    await here.open()
    await here.add("head", "head")
    await here.schedule("s1")
    await here.approve()
    await here.idle()
    here.post.down = True
    await here.send({"type": "invite"})
    now = await here.clock.now(here.id)
    moving = asyncio.create_task(here.clock.advance(here.id, now + timedelta(days=10)))
    async with asyncio.timeout(120):
        while here.post.refused < refusals:
            await asyncio.sleep(0.05)
    here.post.down = False
    await moving
    file = await here.idle()
    types = [event.type for event in await here.registers.journal.events(here.id)]
    assert "EffectFailed" not in types
    assert [issue.sent for issue in file.issues] == [1]
    mails = [(to, here.post.parsed(octets)["Message-ID"]) for to, octets in here.post.taken]
    assert len(mails) == len(set(mails))
    assert [to for to, _ in here.post.calendar("REQUEST")] == ["head@tokyo.example"]
    note(asked=here.post.refused)


@pytest.mark.slow
async def test_one_who_is_put_off_is_reached_later_and_the_outcome_waits_for_it(here: Running, note: Note) -> None:
    """The others have their mails meanwhile; what is recorded in the end is what became of all."""
    note(row="4", fault="450 for one recipient through the whole path, then taken")
    await here.open()
    await here.add("head", "head")
    await here.add("second")
    await here.schedule("s1")
    await here.approve()
    await here.idle()
    here.post.answers["second@tokyo.example"] = "450 4.7.1 grey-listed"
    await here.send({"type": "invite"})
    async with asyncio.timeout(60):
        while not (here.post.refused and here.post.calendar("REQUEST")):
            await asyncio.sleep(0.05)
    assert (await here.file()).issues[0].sent is None
    # Whose address is corrected meanwhile has the message already, and is not written to twice by the next attempt.
    head = (await here.file()).people["head"].person.ref
    person = await here.registers.persons.get(head)
    assert isinstance(person, Person)
    await here.registers.persons.correct(head, person.details.model_copy(update={"email": "moved@tokyo.example"}))
    here.post.answers.clear()
    file = await here.idle()
    assert [(issue.sent, issue.refused) for issue in file.issues] == [(2, ())]
    assert sorted(to for to, _ in here.post.calendar("REQUEST")) == ["head@tokyo.example", "second@tokyo.example"]
    lines = await here.registers.mail_ledger.of_issue(f"{here.id}:calendars:1")
    assert [(line.participants, line.status, line.attempts) for line in lines] == [
        (("head",), "sent", 1),
        (("second",), "sent", 2),
    ]
    assert file.failures == ()
