"""An open history recorded under one rule goes on correctly under a changed rule, its past untouched."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from api.engine import CommandRefused
from audit.history import events_of
from domain.commands import AddMember
from domain.decide import TABLE, Row
from domain.decision import Context, Outcome, refuse
from domain.evolve import fold
from domain.rules import Edition
from domain.seal import genesis, verify_chain
from domain.state import Delegation
from tests.audit.histories import all_runs
from tests.replay.recordings import write
from tests.replay.test_replay import replayed
from tests.rulebook import edition
from tests.running import running
from tests.temporal import Connect, TemporalServer
from worker import build_worker

pytestmark = pytest.mark.slow


def stricter() -> Edition:
    """The shipped rules, but the inbound report is due one day after departure instead of three."""
    was = edition()
    report = next(rule for rule in was.deadlines if rule.id == "IN-REPORT" and rule.effective_to is None)
    assert (report.version, report.offset, report.unit) == (2, 3, "days")
    sooner = report.model_copy(update={"version": 3, "offset": 1})
    deadlines = tuple(sooner if rule is report else rule for rule in was.deadlines)
    return was.model_copy(update={"deadlines": deadlines})


async def test_an_open_file_goes_on_under_changed_rules_and_its_past_stands(
    tmp_path: Path, connect: Connect, temporal_server: TemporalServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two workers a rule of the code and a rule of the edition change: only what is decided now follows them.

    The code's new rule holds at once; the edition's only after the file has adopted it.
    """
    async with running(tmp_path, connect, temporal_server.address, workers=False) as here:
        async with build_worker(here.client, here.settings, here.registers):
            await here.open()
            await here.add("head", "head")
            await here.add("second")
            file = await here.idle()
        past = await here.registers.journal.events(here.id)
        before = (await all_runs(here.client, here.id))[0]
        assert file.deadlines["report"].due_on == file.ends + timedelta(days=3)

        def nobody_joins(state: Delegation, command: AddMember, context: Context) -> Outcome:
            return refuse("delegation_full", field="member_id", limit=2)

        monkeypatch.setattr("domain.decide.TABLE", TABLE | {AddMember: Row(TABLE[AddMember].phases, nobody_joins)})
        sealed_under = file.edition
        newest = await here.registers.editions.put(stricter())

        # A new worker knows nothing of the file: its first task replays the whole history.
        async with build_worker(here.client, here.settings, here.registers):
            with pytest.raises(CommandRefused) as refused:
                await here.add("third")
            assert refused.value.refusal.code == "delegation_full"
            await here.send({"type": "revise_request", "ends": (file.ends + timedelta(days=1)).isoformat()})
            moved = await here.idle()
            assert (moved.edition, moved.head_count) == (sealed_under, 2)
            report = moved.deadlines["report"]
            assert (report.due_on, report.rule.version) == (moved.ends + timedelta(days=3), 2)

            await here.send({"type": "adopt_rules"})
            adopted = await here.idle()
            assert adopted.edition == newest != sealed_under
            report = adopted.deadlines["report"]
            assert (report.due_on, report.rule.version) == (adopted.ends + timedelta(days=1), 3)

        after = (await all_runs(here.client, here.id))[0]
        assert after.to_json_dict()["events"][: len(before.events)] == before.to_json_dict()["events"]
        trail = await events_of([after])
        assert trail[: len(past)] == past
        assert verify_chain(genesis(here.id), trail).seq == len(trail)
        assert trail == await here.registers.journal.events(here.id)
        assert fold(trail) == adopted
        assert [one.type for one in trail].count("MemberAdded") == 2

        path = write("changed-rules", [after], tmp_path)[0]
        assert [one["failure"] for one in await asyncio.to_thread(replayed, [path])] == [None]
