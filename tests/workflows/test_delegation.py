"""The delegation's workflow on a real server: one way for every command, from opening to a closed file."""

import asyncio
import base64
import json
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from api.engine import CommandRefused, DecisionFailed, KeyReused
from domain.evolve import fold
from domain.seal import genesis, head_of, verify_chain
from domain.state import Delegation, Phase
from storage.queries import File, Queries
from tests.running import Running

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")


def at(day: Any, hour: int) -> datetime:
    """An hour of a business day."""
    return datetime.combine(day, time(hour), ZONE).astimezone(UTC)


async def chain_holds(here: Running) -> int:
    """The length of the trail, whose chain is intact and whose fold is the read model's state."""
    events = await here.registers.journal.events(here.id)
    verify_chain(genesis(here.id), events)
    assert fold(events) == await here.file()
    return len(events)


async def prepared(here: Running) -> Delegation:
    """Two delegates, two sessions, approved and invited."""
    await here.open()
    await here.add("head", "head")
    await here.add("second")
    await here.schedule("s1")
    await here.schedule("s2", day=1)
    await here.approve()
    await here.send({"type": "invite"})
    return await here.idle()


async def test_a_delegation_goes_from_request_to_closed_file(here: Running) -> None:
    """Every phase is reached, only those concerned hear of a change, and the run ends with the file."""
    invited = await prepared(here)
    assert invited.phase is Phase.INVITING
    assert len(here.post.calendar("REQUEST")) == 4
    assert invited.issues[0].sent == 4
    assert [one.kind for one in invited.rendered] == ["invitation_letter"]

    item = invited.items["s2"]
    await here.send(
        {
            "type": "move_item",
            "item_id": "s2",
            "starts": {"local": item.starts.local.replace("T09", "T14")},
            "ends": {"local": item.ends.local.replace("T10", "T15")},
        }
    )
    await here.send({"type": "publish_programme"})
    await here.idle()
    assert len(here.post.calendar("REQUEST")) == 6

    await here.send({"type": "withdraw_member", "member_id": "second"})
    await here.idle()
    assert [to for to, _ in here.post.calendar("CANCEL")] == ["second@tokyo.example"] * 2

    await here.clock.advance(here.id, at(invited.starts, 8))
    await here.send({"type": "depart"})
    await here.clock.advance(here.id, at(invited.ends, 18))
    await here.send({"type": "conclude"})
    await here.send({"type": "file_report", "results": await here.text("Đoàn đã làm việc với ba sở.")})
    report = (await here.idle()).report
    assert report is not None
    await here.send({"type": "accept_report", "report_digest": report.digest}, by="mai")
    await here.send({"type": "close_delegation"})
    ended = await here.client.get_workflow_handle(here.id).result()
    closed = await here.until(Phase.CLOSED)
    assert closed.head_count == 1
    assert {one.kind for one in closed.rendered} == {"invitation_letter", "final_report"}
    assert {one.status for one in closed.deadlines.values()} <= {"met", "missed", "late"}
    assert ended["head"]["seq"] == await chain_holds(here)


async def test_a_closed_file_refuses_commands_and_is_reopened_as_a_run_that_continues_the_chain(
    here: Running,
) -> None:
    """What comes late says that the file is closed; reopening goes on where the trail ended."""
    await here.open()
    await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn xin hoãn vô thời hạn.")})
    await here.send({"type": "close_delegation"})
    await here.client.get_workflow_handle(here.id).result()
    before = await chain_holds(here)
    with pytest.raises(CommandRefused) as refused:
        await here.send({"type": "postpone", "reason": await here.text("…")})
    assert refused.value.refusal.code == "delegation_closed"
    receipt = await here.send({"type": "reopen_delegation", "reason": await here.text("Sửa lỗi chính tả.")})
    assert receipt.first_seq == before + 1
    assert (await here.idle()).phase is Phase.CANCELLED
    await chain_holds(here)


async def test_a_file_is_reopened_at_the_head_that_its_last_run_ended_with(
    here: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A closed run still records what its effects led to: what is read before that would open a second chain."""
    await here.open()
    await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn xin hoãn vô thời hạn.")})
    await here.send({"type": "close_delegation"})
    await here.client.get_workflow_handle(here.id).result()
    queries, before = here.registers.queries, await chain_holds(here)
    file = await queries.get(here.id)
    assert file is not None
    events = await queries.events(here.id, limit=before - 1)
    known = fold(events)
    assert known is not None
    stale = [replace(file, state=known, head=head_of(events[-1]))]

    async def get(delegation: str) -> File | None:
        return stale.pop() if stale else await Queries.get(queries, delegation)

    monkeypatch.setattr(queries, "get", get)
    receipt = await here.send({"type": "reopen_delegation", "reason": await here.text("Sửa lỗi chính tả.")})
    assert (receipt.first_seq, stale) == (before + 1, [])
    await chain_holds(here)


async def test_a_file_that_is_reopened_at_once_is_taken_by_the_run_that_has_not_ended(here: Running) -> None:
    """Closed and reopened in one breath, again and again: one chain, however far the closed run had come."""
    await here.open()
    await here.send({"type": "cancel_delegation", "reason": await here.text("Đoàn bạn xin hoãn vô thời hạn.")})
    for _ in range(5):
        await here.send({"type": "close_delegation"})
        await here.send({"type": "reopen_delegation", "reason": await here.text("Sửa lỗi chính tả.")})
    assert (await here.idle()).phase is Phase.CANCELLED
    await chain_holds(here)


async def test_a_repeated_command_is_answered_with_the_first_result(here: Running) -> None:
    """A hundred copies at once are one event; another body under the same key is refused."""
    await here.open()
    command = {"type": "revise_request", "title": "Đoàn Tokyo"}
    receipts = await asyncio.gather(*(here.send(command, key="k1") for _ in range(100)))
    assert {(one.first_seq, one.last_seq, one.head) for one in receipts} == {
        (receipts[0].first_seq, receipts[0].last_seq, receipts[0].head)
    }
    events = await here.registers.journal.events(here.id)
    assert [one.type for one in events].count("RequestRevised") == 1
    with pytest.raises(KeyReused):
        await here.send({"type": "revise_request", "title": "Đoàn Osaka"}, key="k1")


async def test_a_refusal_is_answered_again_with_the_same_refusal(here: Running) -> None:
    """Refusals are remembered like results."""
    await here.open()
    for _ in range(2):
        with pytest.raises(CommandRefused) as refused:
            await here.send({"type": "submit_request"}, key="k2")
        assert refused.value.refusal.code == "no_members"


async def test_a_batch_is_decided_as_one(here: Running) -> None:
    """Of a batch with one bad command nothing is kept, and the refusal names its place."""
    await here.open()
    person = await here.person("Sato Yuki", "sato@tokyo.example")
    add = {"type": "add_member", "member_id": "m1", "person": person, "country": "JP"}
    with pytest.raises(CommandRefused) as refused:
        await here.send(add, {**add, "member_id": "m2"}, add)
    assert (refused.value.refusal.code, refused.value.refusal.index, refused.value.refusal.field) == (
        "member_exists",
        2,
        "member_id",
    )
    assert (await here.file()).people == {}
    receipt = await here.send(add, {**add, "member_id": "m2"})
    assert receipt.types[:2] == ("MemberAdded", "MemberAdded")


async def test_an_attempt_to_sign_without_right_is_recorded(here: Running) -> None:
    """The refusal leaves its evidence in the trail, and the step stays open."""
    await here.open()
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    digest = (await here.file()).proposal.digest  # type: ignore[union-attr]
    sign = {"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}
    with pytest.raises(CommandRefused) as refused:
        await here.send(sign, by="mai")
    assert refused.value.refusal.code == "not_entitled_to_sign"
    events = await here.registers.journal.events(here.id)
    assert (events[-1].type, events[-1].actor) == ("SignOffRefused", "mai")
    assert (await here.file()).phase is Phase.SUBMITTED


async def test_a_file_that_was_refused_leaves_no_run_behind(here: Running) -> None:
    """An opening that is refused ends its run, and the same id may be opened properly afterwards."""
    yesterday = datetime.now(ZONE).date() - timedelta(days=1)
    with pytest.raises(CommandRefused) as refused:
        await here.open(starts=yesterday)
    assert refused.value.refusal.code == "arrival_before_request"
    await here.client.get_workflow_handle(here.id).result()
    await here.open()
    assert (await here.file()).phase is Phase.DRAFTED


@pytest.mark.slow
async def test_deadlines_fire_by_themselves(here: Running) -> None:
    """Nobody files anything: reminders go out, then the days are recorded as missed, in the order of time."""
    await here.open()
    file = await here.idle()
    await here.clock.advance(here.id, at(file.ends + timedelta(days=5), 12))
    file = await here.idle()
    assert file.deadlines["report"].status == "missed"
    assert file.deadlines["report"].rule.rule == "IN-REPORT"
    kinds = [one.type for one in await here.registers.journal.events(here.id)]
    assert kinds.count("DeadlineMissed") == len([one for one in file.deadlines.values() if one.status == "missed"])
    told = here.post.subjects()
    assert all(to == "lan@songlam.example" for to, subject in told if not subject.startswith("Vẫn quá hạn"))
    fired = ("DeadlineMissed", "DeadlineReminded", "DeadlineEscalated")
    assert len(told) == sum(kinds.count(kind) for kind in fired)
    await chain_holds(here)


@pytest.mark.slow
async def test_a_long_file_continues_as_new_and_loses_nothing(here: Running) -> None:
    """Hundreds of commands under steady load: every one is one event, also those repeated across runs."""
    await here.open()
    receipts = await asyncio.gather(
        *(here.send({"type": "revise_request", "title": f"Đoàn {n}"}, key=f"r{n}") for n in range(400))
    )
    # The 280th was decided by an earlier run, so only what the runs hand on can know it.
    again = await here.send({"type": "revise_request", "title": "Đoàn 280"}, key="r280")
    assert again.repeated
    assert again.model_copy(update={"repeated": False}) == receipts[280].model_copy(update={"events": ()})
    events = await here.registers.journal.events(here.id)
    assert [one.type for one in events].count("RequestRevised") == 400
    handle = here.client.get_workflow_handle(here.id)
    description = await handle.describe()
    assert description.raw_description.workflow_execution_info.first_run_id != description.run_id
    await here.idle()
    await chain_holds(here)


async def test_an_exception_in_a_decision_fails_that_one_command(
    here: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A bug in a rule is an error for the caller, not the end of the file; mended, the same key succeeds."""
    await here.open()

    def broken(*_: object) -> None:
        raise RuntimeError("Nguyễn Văn A")

    with monkeypatch.context() as patch:
        patch.setattr("activities.decide.decide_all", broken)
        with pytest.raises(DecisionFailed):
            await here.send({"type": "revise_request", "title": "Đoàn mới"}, key="k3")
    receipt = await here.send({"type": "revise_request", "title": "Đoàn mới"}, key="k3")
    assert "RequestRevised" in receipt.types
    history = (await here.client.get_workflow_handle(here.id).fetch_history()).to_json()
    assert "Nguyễn Văn A" not in history
    await here.idle()
    await chain_holds(here)


@pytest.mark.slow
async def test_an_effect_is_carried_out_once_while_commands_go_on(here: Running) -> None:
    """What ended while a command was being decided stays ended: no effect starts twice, no event is projected twice."""
    await here.open()
    await here.add("head", "head")
    await here.schedule("s1")
    await here.approve()
    await asyncio.gather(
        here.send({"type": "invite"}),
        *(here.send({"type": "record_formality", "kind": f"formality-{n}"}) for n in range(60)),
    )
    await here.idle()
    history = json.loads((await here.client.get_workflow_handle(here.id).fetch_history()).to_json())
    scheduled = [
        (asked["activityType"]["name"], json.loads(base64.b64decode(asked["input"]["payloads"][0]["data"])))
        for event in history["events"]
        if (asked := event.get("activityTaskScheduledEventAttributes"))
    ]
    projected = [event["seq"] for name, given in scheduled if name == "project" for event in given["events"]]
    assert projected == list(range(1, len(projected) + 1))
    kinds = [one.type for one in await here.registers.journal.events(here.id)]
    outcomes = kinds.count("DocumentRendered") + kinds.count("InvitationsDelivered") + kinds.count("NoticeSent")
    carried_out = [given["effect"]["kind"] for name, given in scheduled if name == "carry_out"]
    # What became of collections stands in their register, not in the trail.
    assert carried_out.count("sync_calendars") == 1
    assert len(carried_out) == outcomes + 1
    await chain_holds(here)


async def test_a_refusal_leaves_no_stack_in_the_history(here: Running) -> None:
    """What is kept for years names no folder of the machine that refused."""
    await here.open()
    with pytest.raises(CommandRefused):
        await here.send({"type": "submit_request"})
    history = (await here.client.get_workflow_handle(here.id).fetch_history()).to_json()
    assert '"type": "refused"' in history
    assert "delegation.py" not in history
