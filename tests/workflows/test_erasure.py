"""Erasing a person, carried out by the workflow: what goes, what stays, and that it goes on after a crash."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from temporalio import activity
from temporalio.worker import Worker

from activities.documents import Documents
from activities.erasure import Erasing
from domain.canonical import sha256_hex
from domain.decision import Refusal
from domain.erasure import STEPS, Step
from domain.person_requests import decide, receive
from domain.request_events import CarryOut, RequestReceived
from domain.seal import genesis, verify_chain
from domain.state import Delegation
from storage.accounts import AccountDetails
from storage.attachments import AttachmentErased
from storage.erasures import Erasure
from storage.feeds import Subject
from storage.mail_rows import mail_ledger
from storage.metadata import utc_now
from storage.person_requests import text_owner
from storage.persons import Erased
from storage.received_mail import Arrived
from tests.rulebook import edition
from tests.running import Running
from tests.workflows.test_delegation import at, prepared
from tests.workflows.test_documents import words
from worker import house_of, sandbox
from workflows import ports
from workflows.erasure import Erasure as ErasureWorkflow
from workflows.ports import ErasureInput, StepDone, StepInput

OTHERS_MAIL = b"From: Somebody <else@nowhere.example>\r\nSubject: hello\r\n\r\nNothing about anybody."
MAIL = (
    b"From: =?utf-8?b?RGVsZWdhdGUgaGVhZA==?= <home@elsewhere.example>\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    b"SSBhbSBoZWFkQHRva3lvLmV4YW1wbGUsIGFuZCB3aWxsIGJlIGxhdGUu\r\n"
)
"""Names the delegate in an encoded header and their address in an encoded body."""


async def agreed(here: Running, person: str) -> str:
    """Two administrators agree that a person is erased; return the entry's id."""
    if await here.registers.accounts.get("ha") is None:
        await here.registers.accounts.create(AccountDetails(id="ha", name="Hà", roles=("administrator",)))
    asked = await here.registers.erasures.ask(person, "asked_by_person", by="root")
    return (await here.registers.erasures.agree(asked.id, by="ha")).id


async def carried_out(here: Running, erasure: str, *, queue: str | None = None) -> Erasure:
    """Start the workflow and wait until it is recorded as done."""
    await here.client.start_workflow(
        "Erasure",
        ErasureInput(erasure=erasure),
        id=f"erasure:{erasure}",
        task_queue=queue or here.settings.temporal_task_queue,
    )
    async with asyncio.timeout(60):
        while (entry := await here.registers.erasures.get(erasure)) is None or entry.state != "carried_out":
            await asyncio.sleep(0.02)
    return entry


def on_disk(folder: Path, digest: str) -> list[Path]:
    return list(folder.rglob(digest))


def person_of(file: Delegation, member: str) -> str:
    return file.people[member].person.ref


async def content_of(here: Running) -> list[tuple[str, bool, bool]]:
    """Of each line of the ledger: its persons, whether it has a mailbox, whether it has a content."""
    async with here.registers.database.reading() as connection:
        rows = (await connection.execute(select(mail_ledger).order_by(mail_ledger.c.position))).all()
    return [(row.persons, bool(row.mailbox), bool(row.content)) for row in rows]


@pytest.mark.slow
async def test_an_erased_person_is_gone_from_everything_and_the_file_is_whole(here: Running, tmp_path: Path) -> None:
    """Register, mails, letters and feeds lose them; the chain, the counts and everybody else's data stay."""
    file = await prepared(here)
    head, second = person_of(file, "head"), person_of(file, "second")
    feed = await here.registers.feeds.make(Subject.page(here.id, "head", head), by="lan")
    token = here.registers.feeds.token_of(feed)
    await here.registers.received_mail.take("box", 1, 1, [Arrived(1, "<1@x>", b"1", MAIL)])
    await here.registers.received_mail.take("box", 1, 2, [Arrived(2, "<2@x>", b"2", OTHERS_MAIL)])
    counts, events = await here.registers.mail_ledger.counts(here.id), await here.registers.journal.events(here.id)
    letters = [version.attachment.digest for one in file.rendered for version in one.versions]

    done = await carried_out(here, await agreed(here, head))

    assert isinstance(await here.registers.persons.get(head), Erased)
    assert await here.registers.mail_ledger.counts(here.id) == counts
    assert [one for one in await content_of(here) if head in one[0] and (one[1] or one[2])] == []
    kept = [one for one in await content_of(here) if one[0] == second]
    assert sorted(set(kept)) == [(second, True, False), (second, True, True)]
    assert done.done == {
        "person": 1,
        "feeds": 1,
        "mails": 4,
        "received": 1,
        "documents": 2,
        "render": 2,
    }
    assert token is not None
    assert await here.registers.feeds.found_by(token, "page") is None
    assert await here.registers.feeds.led_to_erased(token)
    queue = await here.registers.received_mail.queue(within=None, limit=10)
    assert [letter.octets for letter in queue.items] == []

    for digest in letters:
        with pytest.raises(AttachmentErased) as erased:
            await here.registers.attachments.read(digest)
        anew = await here.registers.attachments.read(erased.value.replaced_by or "")
        assert sha256_hex(anew) != digest
        assert "Delegate second" in words(anew)
        assert "Delegate head" not in words(anew)
        assert not on_disk(tmp_path, digest)
    said = {version.language: version.attachment.digest for version in file.rendered[0].versions}
    last = await here.registers.attachments.erased(letters)
    assert "người đã xóa số 1" in words(await here.registers.attachments.read(last[said["vi"]] or ""))
    assert "erased person 1" in words(await here.registers.attachments.read(last[said["en"]] or ""))

    after = await here.registers.journal.events(here.id)
    assert after[: len(events)] == events
    verify_chain(genesis(here.id), after)
    for register in ("erasures", "feeds", "received_mail"):
        await here.registers.register_log.verify(register)


@pytest.mark.slow
async def test_what_is_out_of_reach_is_said(here: Running) -> None:
    """Mails that left, letters to others, texts and titles that name the person: where, and how many."""
    await here.open(title="Đoàn của bà Delegate Head")
    await here.add("head", "head")
    await here.add("second")
    await here.schedule("s1")
    await here.approve()
    named = await here.text("Bà DELEGATE  HEAD sẽ đến muộn")
    other = await here.text("Không có gì")
    await here.send({"type": "invite"})
    file = await here.idle()
    found = await here.registers.trace_finder.look(person_of(file, "head"))
    assert found.places == {here.id: (1,)}
    assert [(one.delegation, one.mails) for one in found.beyond.to_person] == [(here.id, 2)]
    assert [(one.delegation, one.mails) for one in found.beyond.to_others] == [(here.id, 1)]
    assert {one.ref: one.names for one in found.beyond.texts} == {named["ref"]: True, other["ref"]: False}
    assert [(one.seq, one.what) for one in found.beyond.sealed] == [(1, "DelegationOpened")]
    assert found.beyond.key == f"person:{person_of(file, 'head')}"


@pytest.mark.slow
async def test_a_report_is_rendered_anew_without_whoever_was_erased(here: Running) -> None:
    """Two of the delegation, one who had dropped out: each by the place on the file, the others by their names."""
    invited = await prepared(here)
    await here.send({"type": "withdraw_member", "member_id": "second"})
    await here.clock.advance(here.id, at(invited.starts, 8))
    await here.send({"type": "depart"})
    await here.send({"type": "conclude"})
    await here.send({"type": "file_report", "results": await here.text("Hai bên thống nhất ba việc.")})
    file = await here.idle()
    await carried_out(here, await agreed(here, person_of(file, "second")))
    found = next(one for one in file.rendered if one.kind == "final_report")
    anew = await here.registers.attachments.erased([one.attachment.digest for one in found.versions])
    for version in found.versions:
        said = words(await here.registers.attachments.read(anew[version.attachment.digest] or ""))
        assert "Delegate head" in said
        assert "Delegate second" not in said
        assert ("người đã xóa số 2" if version.language == "vi" else "erased person 2") in said
        assert "Hai bên thống nhất ba việc." in said


class Crash(Exception):
    """The worker died right after a step's work, before anybody heard of it."""


class Crashing(Erasing):
    """Each step's work is done, and then lost on its way, the first time."""

    crashed: list[Step]

    @activity.defn(name=ports.ERASE_STEP)
    async def step(self, asked: StepInput) -> StepDone:
        done = await super().step(asked)
        if asked.step not in self.crashed:
            self.crashed.append(asked.step)
            raise Crash
        return done


@pytest.mark.slow
async def test_a_crash_after_any_step_delays_an_erasure_and_changes_nothing(here: Running) -> None:
    """Every step is done again; what was done is found done, and is sealed once."""
    file = await prepared(here)
    kept, queue = here.registers, f"crashing-{here.id}"
    house = house_of(here.settings)
    documents = Documents(kept.journal, kept.persons, kept.texts, kept.accounts, kept.editions, kept.attachments, house)
    erasing = Crashing(kept, documents)
    erasing.crashed = []
    async with Worker(
        here.client, task_queue=queue, workflows=[ErasureWorkflow], activities=[erasing.step], workflow_runner=sandbox()
    ):
        done = await carried_out(here, await agreed(here, person_of(file, "head")), queue=queue)
    assert erasing.crashed == [*STEPS]
    assert isinstance(await kept.persons.get(done.person), Erased)
    assert done.done == {"person": 1, "feeds": 1, "mails": 4, "documents": 2, "render": 2}
    mine = [one.type for one in await kept.register_log.entries("erasures") if one.command_id == done.id]
    assert mine == ["erasure_asked", "erasure_agreed", "erasure_carried_out"]


@pytest.mark.slow
async def test_an_account_of_the_person_is_closed_and_its_name_gone(here: Running) -> None:
    """It signs in no more, its id stays in what it decided; the id is nobody else's ever again."""
    person = (await here.person("Ngô Văn Minh", "minh@songlam.example"))["ref"]
    minh = AccountDetails(id="minh", name="Ngô Văn Minh", roles=("coordinator",), person=person)
    await here.registers.accounts.create(minh)
    _, secret = await here.registers.accounts.create_token("minh")
    await carried_out(here, await agreed(here, person))
    assert await here.registers.accounts.get("minh") is None
    assert await here.registers.accounts.actor_for_token(secret) is None
    assert await here.registers.accounts.names(["minh", "lan"]) == {"lan": "Trần Thị Lan"}
    with pytest.raises(ValueError, match="erased"):
        await here.registers.accounts.create(minh)


async def test_nothing_is_erased_that_nobody_agreed_to(here: Running) -> None:
    """A workflow that was started too early, by whomever, finds nothing to do."""
    person = (await here.person("Ngô Văn Minh", "minh@songlam.example"))["ref"]
    asked = await here.registers.erasures.ask(person, "objection", by="root")
    handle = await here.client.start_workflow(
        "Erasure",
        ErasureInput(erasure=asked.id),
        id=f"erasure:{asked.id}",
        task_queue=here.settings.temporal_task_queue,
        execution_timeout=timedelta(seconds=3),
    )
    async with asyncio.timeout(20):
        while not [1 async for one in handle.fetch_history_events() if one.HasField("timer_started_event_attributes")]:
            await asyncio.sleep(0.05)
    assert not isinstance(await here.registers.persons.get(person), Erased)


@pytest.mark.slow
async def test_what_was_written_about_an_erased_person_s_requests_goes_too(here: Running) -> None:
    """Of all their requests, whatever they asked; the requests stay, and the one for erasure can be ended by it."""
    person = (await here.person("Satō Keiko", "keiko@tokyo.example"))["ref"]
    texts, requests = here.registers.texts, here.registers.person_requests
    for kind in ("access", "erasure"):
        said = await texts.write(text_owner(f"req_{kind}"), "Satō Keiko, hộ chiếu TK0000101")
        event = receive(
            "erasure" if kind == "erasure" else "access",
            edition(),
            received_at=utc_now(),
            now=utc_now(),
            via="letter",
            person=person,
            description=said,
        )
        assert isinstance(event, RequestReceived)
        await requests.receive(f"req_{kind}", event, command="k", digest="d", by="lan")
    entry = await carried_out(here, await agreed(here, person))
    known = await requests.of_person(person)
    assert [one.status for one in known] == ["received", "received"]
    assert await texts.read_many(text.ref for one in known for text in one.texts) == {}
    done = await requests.change(
        "req_erasure",
        lambda state, now: decide(state, CarryOut(erasure=entry.id), now),
        command="k2",
        digest="d2",
        by="root",
    )
    assert not isinstance(done, Refusal)
    assert (done.status, done.erasure) == ("carried_out", entry.id)
