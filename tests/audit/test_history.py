"""The sealed events of a delegation are derived from its histories: whole, in order, and as they were sealed."""

import asyncio
import base64
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHistory

from activities.codec import EncryptingCodec
from api.engine import CommandRefused, DecisionFailed, KeyReused
from audit.history import HistoryUnreadable, RunMissing, events_of, read_run
from domain.events import DeadlineMissed
from domain.evolve import fold
from domain.seal import ChainBroken, SealedEvent
from domain.state import Delegation
from storage.keyring import CiphertextDamaged
from tests.audit.histories import Document, all_runs, changed, decisions, with_sealed
from tests.running import Running, running
from tests.temporal import Connect, TemporalServer

pytestmark = pytest.mark.slow


def break_fold_once(monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    """Let workflows fail to fold the first decision with an event of this type."""
    failed = False

    def fold_but_once(events: Iterable[SealedEvent], state: Delegation | None = None) -> Delegation | None:
        nonlocal failed
        if not failed and kind in {event.type for event in events}:
            failed = True
            raise LookupError(kind)
        return fold(events, state)

    monkeypatch.setattr("workflows.carried.fold", fold_but_once)


def decided(history: WorkflowHistory, kind: str) -> list[Document]:
    """The markers of decisions with an event of this type."""
    wanted = f'"type":"{kind}"'.encode()
    return [
        marker
        for marker in decisions(history.to_json_dict())
        for payload in marker["markerRecordedEventAttributes"]["details"].get("result", {}).get("payloads", ())
        if wanted in base64.b64decode(payload["data"])
    ]


@pytest.fixture
async def history(here: Running) -> WorkflowHistory:
    """A file with a batch, a refusal without evidence, a refusal with evidence, and outcomes of the system's own."""
    await here.open()
    person = await here.person("Sato Yuki", "sato@tokyo.example")
    head = {"type": "add_member", "member_id": "head", "person": person, "role": "head", "country": "JP"}
    with pytest.raises(CommandRefused):
        await here.send({"type": "submit_request"})
    await here.send(head, {"type": "revise_request", "title": "Đoàn Tokyo"})
    await here.send({"type": "submit_request"})
    digest = (await here.file()).proposal.digest  # type: ignore[union-attr]
    with pytest.raises(CommandRefused):
        await here.send({"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}, by="mai")
    await here.send({"type": "withdraw_request", "reason": await here.text("Cần bổ sung hồ sơ.")})
    await here.idle()
    return (await all_runs(here.client, here.id))[0]


async def test_a_history_gives_exactly_what_the_journal_has(here: Running, history: WorkflowHistory) -> None:
    """Every event once, in order: also the evidence of a refusal and what the system recorded."""
    events = await events_of([history])
    assert events == await here.registers.journal.events(here.id)
    assert [one.seq for one in events] == list(range(1, len(events) + 1))
    kinds = [one.type for one in events]
    assert (kinds.count("MemberAdded"), kinds.count("SignOffRefused")) == (1, 1)
    assert "system" in {one.actor for one in events}


async def test_json_read_back_gives_the_same(history: WorkflowHistory) -> None:
    """An archived history is as good as a fetched one."""
    again = WorkflowHistory.from_json(history.workflow_id, history.to_json())
    assert await events_of([again]) == await events_of([history])


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("data", {"title": "Đoàn Osaka"}),
        ("actor", "mai"),
        ("at", "2026-01-01T00:00:00.000000Z"),
        ("type", "RequestWithdrawn"),
        ("version", 2),
        ("command_id", "0" * 40),
        ("prev_hash", "0" * 64),
        ("hash", "0" * 64),
        ("seq", 900),
    ],
)
async def test_a_changed_event_is_named(history: WorkflowHistory, field: str, value: Any) -> None:
    """Whatever is changed in event 8, the chain breaks there and says so."""

    def change(event: Document) -> None:
        event[field] = value

    with pytest.raises(ChainBroken) as broken:
        await events_of([with_sealed(history, 8, change)])
    assert broken.value.seq == (900 if field == "seq" else 8)


async def test_a_decision_moved_to_another_delegation_breaks_the_chain(history: WorkflowHistory) -> None:
    """The first hash is made from the delegation's own id."""
    with pytest.raises(ChainBroken) as broken:
        await events_of([WorkflowHistory("another", history.events)])
    assert broken.value.seq == 1


async def test_a_history_with_a_hole_is_refused(history: WorkflowHistory) -> None:
    """A missing event of the server's own is told by its number, before anything is derived."""

    def cut(document: Document) -> None:
        del document["events"][6]

    with pytest.raises(HistoryUnreadable) as unreadable:
        await events_of([changed(history, cut)])
    assert unreadable.value.event_id == 7


async def test_a_history_without_its_start_is_refused(history: WorkflowHistory) -> None:
    """So is one whose first event is not the start of a run, and one with no event at all."""
    with pytest.raises(HistoryUnreadable):
        await events_of([WorkflowHistory(history.workflow_id, history.events[1:])])
    with pytest.raises(HistoryUnreadable):
        await events_of([WorkflowHistory(history.workflow_id, [])])


async def test_shuffled_events_are_refused(history: WorkflowHistory) -> None:
    """The order is the server's."""

    def shuffle(document: Document) -> None:
        document["events"][10], document["events"][20] = document["events"][20], document["events"][10]

    with pytest.raises(HistoryUnreadable) as unreadable:
        await events_of([changed(history, shuffle)])
    assert unreadable.value.event_id == 11


async def test_a_decision_taken_out_is_missed(history: WorkflowHistory) -> None:
    """Although the server's numbers were closed up, the chain tells which event is gone."""
    events = await events_of([history])
    lost = len([one for one in events if one.command_id == events[0].command_id])

    def cut(document: Document) -> None:
        document["events"].remove(decisions(document)[0])
        for number, event in enumerate(document["events"], start=1):
            event["eventId"] = str(number)

    with pytest.raises(ChainBroken) as broken:
        await events_of([changed(history, cut)])
    assert broken.value.seq == lost + 1
    assert broken.value.reason == "follows event 0"


async def test_a_decision_that_was_not_folded_is_not_in_the_trail(
    here: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its events stand in the marker, its update failed: what was decided next has their numbers."""
    break_fold_once(monkeypatch, "RequestRevised")
    await here.open()
    before = len(await here.registers.journal.events(here.id))
    await here.send({"type": "revise_request", "title": "Đoàn Tokyo"}, key="k")
    await here.idle()
    history = (await all_runs(here.client, here.id))[0]
    assert len(decided(history, "RequestRevised")) == 2
    events = await events_of([history])
    assert [one.type for one in events].count("RequestRevised") == 1
    assert events[before].type == "RequestRevised"
    assert events == await here.registers.journal.events(here.id)


async def test_a_decision_that_begins_with_what_the_system_recorded_belongs_to_its_command(
    here: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Days that had passed are recorded first, by the system; if the command fails, they are not in the trail."""
    await here.open()

    def overslept(state: Delegation, now: datetime) -> Iterator[DeadlineMissed]:
        due = state.deadlines["report"]
        if due.status == "open":
            yield DeadlineMissed(what="report", due_on=due.due_on, due_at=due.due_at, rule=due.rule)

    monkeypatch.setattr("domain.decide.passed", overslept)
    break_fold_once(monkeypatch, "RequestRevised")
    await here.send({"type": "revise_request", "title": "Đoàn Tokyo"})
    await here.idle()
    history = (await all_runs(here.client, here.id))[0]
    assert len(decided(history, "DeadlineMissed")) == 2
    events = await events_of([history])
    assert [one.type for one in events].count("DeadlineMissed") == 1
    assert [one.actor for one in events if one.type in ("DeadlineMissed", "RequestRevised")] == ["system", "lan"]
    assert events == await here.registers.journal.events(here.id)


@pytest.mark.slow
async def test_a_decision_of_the_system_that_was_not_folded_is_not_in_the_trail(
    here: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No update answers for it, but the system decides again from the same event."""
    break_fold_once(monkeypatch, "NoticeSent")
    await here.open()
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    async with asyncio.timeout(20):
        while "NoticeSent" not in [one.type for one in await here.registers.journal.events(here.id)]:
            await asyncio.sleep(0.05)
    history = (await all_runs(here.client, here.id))[0]
    assert len(decided(history, "NoticeSent")) == 2
    events = await events_of([history])
    assert [one.type for one in events].count("NoticeSent") == 1
    assert events == await here.registers.journal.events(here.id)


async def test_a_reused_key_takes_nothing_away(here: Running) -> None:
    """The second update with a command's id fails, and the first one's events stay."""
    await here.open()
    await here.send({"type": "revise_request", "title": "Đoàn Tokyo"}, key="k")
    with pytest.raises(KeyReused):
        await here.send({"type": "revise_request", "title": "Đoàn Osaka"}, key="k")
    with pytest.raises(CommandRefused):
        await here.send({"type": "submit_request"})
    history = (await all_runs(here.client, here.id))[0]
    assert await events_of([history]) == await here.registers.journal.events(here.id)
    assert [one.type for one in await events_of([history])].count("RequestRevised") == 1


async def test_a_decision_that_failed_brought_nothing(here: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its marker carries a failure instead of events."""
    await here.open()

    def broken(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("activities.decide.decide_all", broken)
        with pytest.raises(DecisionFailed):
            await here.send({"type": "revise_request", "title": "Đoàn mới"})
    history = (await all_runs(here.client, here.id))[0]
    assert await events_of([history]) == await here.registers.journal.events(here.id)


@pytest.mark.slow
async def test_runs_are_one_trail_whatever_their_order(here: Running) -> None:
    """A file continued as new, closed and reopened has several runs; a missing one is told by its first event."""
    await here.open()
    await asyncio.gather(
        *(here.send({"type": "revise_request", "title": f"Đoàn {n}"}, key=f"r{n}") for n in range(160))
    )
    await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn hoãn.")})
    await here.send({"type": "close_delegation"})
    await here.client.get_workflow_handle(here.id).result()
    await here.send({"type": "reopen_delegation", "reason": await here.text("Sửa lỗi.")})
    await here.idle()
    histories = await all_runs(here.client, here.id)
    assert len(histories) >= 3
    journal = await here.registers.journal.events(here.id)
    assert await events_of(histories) == journal
    assert await events_of(histories[::-1]) == journal

    heads = {one.run_id: (await read_run(one)).head.seq for one in histories}
    first, second, *_ = sorted(histories, key=lambda one: heads[one.run_id])
    with pytest.raises(RunMissing) as missing:
        await events_of([one for one in histories if one is not second])
    assert missing.value.seq == heads[second.run_id] + 1
    with pytest.raises(RunMissing) as missing:
        await events_of([one for one in histories if one is not first])
    assert missing.value.seq == 1
    with pytest.raises(ChainBroken) as twice:
        await events_of([*histories, first])
    assert twice.value.seq == 1


class TestEncrypted:
    """Where payloads are encrypted, the codec opens them; without it nothing can be read."""

    @pytest.fixture
    async def secret(self, tmp_path: Path, connect: Connect, temporal_server: TemporalServer) -> AsyncIterator[Running]:
        """An installation that encrypts."""
        async with running(tmp_path, connect, temporal_server.address, profile="embedded") as installation:
            yield installation

    async def test_an_encrypted_history_gives_the_same_trail(self, secret: Running) -> None:
        """Also a failed update's envelope is read through the codec."""
        await secret.open()
        await secret.add("head", "head")
        await secret.idle()
        history = (await all_runs(secret.client, secret.id))[0]
        assert "Hội hữu nghị" not in history.to_json()
        codec = EncryptingCodec(secret.registers.keyring)
        assert await events_of([history], codec) == await secret.registers.journal.events(secret.id)
        with pytest.raises(HistoryUnreadable):
            await events_of([history])

    async def test_a_flipped_bit_is_told(self, secret: Running) -> None:
        """AES-GCM refuses what was changed."""
        await secret.open()
        history = (await all_runs(secret.client, secret.id))[0]

        def flip(document: Document) -> None:
            payload = decisions(document)[0]["markerRecordedEventAttributes"]["details"]["result"]["payloads"][0]
            octets = bytearray(base64.b64decode(payload["data"]))
            octets[-20] ^= 1
            payload["data"] = base64.b64encode(octets).decode()

        with pytest.raises(CiphertextDamaged):
            await events_of([changed(history, flip)], EncryptingCodec(secret.registers.keyring))
