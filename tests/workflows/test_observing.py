"""What the decision asks of other files, and whom a missed deadline is told to, on the real engine."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from domain.decision import Receipt
from tests.running import Running
from tests.workflows.test_delegation import at, chain_holds

pytestmark = pytest.mark.slow


async def trip(here: Running, leader: dict[str, str], starts: date, name: str) -> Receipt:
    """Open a trip of a leader under an id of its own, and submit it, as one."""
    opening: dict[str, Any] = {
        "type": "open_delegation",
        "direction": "outbound",
        "title": "Thăm Cộng hòa Séc",
        "purpose": "Gia hạn thỏa thuận",
        "organisation": "song-lam",
        "partner": "Hội hữu nghị Praha",
        "countries": ["CZ"],
        "starts": starts.isoformat(),
        "ends": (starts + timedelta(days=3)).isoformat(),
    }
    member = {"type": "add_member", "member_id": "head", "person": leader, "role": "head", "country": "VN"}
    commands = (opening, member, {"type": "submit_request"})
    return await here.engine.execute(name, commands, actor="lan", key=f"open-{name}")


def seen(receipt: Receipt) -> list[dict[str, Any]]:
    """What was observed of the leader: how many trips, of how many, at which step."""
    return [
        {name: event.data.get(name) for name in ("subject", "value", "allowed", "step")}
        for event in receipt.events
        if event.type == "FactObserved"
    ]


async def test_the_third_trip_of_a_leader_in_a_year_is_seen_and_not_refused(here: Running) -> None:
    """Each file counts the others as they stand; the signature looks again, when one was called off meanwhile."""
    leader = await here.person("Tạ Văn Lâm", "lam@songlam.example", nationality="VN", language="vi")
    year = datetime.now(UTC).year + 1
    values = []
    for number, month in enumerate((3, 5, 9), 1):
        receipt = await trip(here, leader, date(year, month, 10), f"{here.id}-{number}")
        values.append(seen(receipt))
    next_year = await trip(here, leader, date(year + 1, 3, 10), f"{here.id}-4")
    assert values == [[{"subject": "head", "value": count, "allowed": 2, "step": None}] for count in (1, 2, 3)]
    assert [one["value"] for one in seen(next_year)] == [1]

    reason = await here.registers.texts.write(f"{here.id}-1", "Đối tác xin hoãn vô thời hạn.")
    called_off = {"type": "cancel_delegation", "reason": reason.model_dump()}
    await here.engine.execute(f"{here.id}-1", (called_off,), actor="lan", key="off")
    file = await here.registers.queries.get(f"{here.id}-3")
    assert file is not None
    assert file.state.proposal is not None
    assert [one.exceeded for one in file.state.observations.values()] == [True]
    sign = {"type": "sign_off", "step_id": "department_head", "dossier_digest": file.state.proposal.digest}
    signed = await here.engine.execute(f"{here.id}-3", (sign,), actor="hung", key="sign")
    assert seen(signed) == [{"subject": "head", "value": 2, "allowed": 2, "step": "department_head"}]


async def test_a_report_that_stays_undone_is_told_to_the_positions_that_the_rules_name(here: Running) -> None:
    """The coordinator hears that it is missed, the department head and the vice-president that it is still not done."""
    await here.open()
    await here.add("head", "head")
    await here.schedule("s1")
    file = await here.approve()
    await here.send({"type": "invite"})
    await here.idle()
    await here.clock.advance(here.id, at(file.starts, 8))
    await here.send({"type": "depart"})
    await here.clock.advance(here.id, at(file.ends, 18))
    await here.send({"type": "conclude"})
    await here.clock.advance(here.id, at(file.ends + timedelta(days=20), 12))
    late = (await here.idle()).deadlines["report"]
    assert (late.rule.rule, late.rule.version, late.status, late.escalations) == ("IN-REPORT", 2, "missed", 2)
    told = [(to, subject) for to, subject in here.post.subjects() if "uá hạn: Báo cáo" in subject]
    assert told == [
        ("lan@songlam.example", f"Quá hạn: Báo cáo kết quả đón đoàn (hạn {late.due_on:%d/%m/%Y})"),
        ("hung@songlam.example", "Vẫn quá hạn: Báo cáo kết quả đón đoàn – Đoàn Hội hữu nghị Tokyo"),
        ("mai@songlam.example", "Vẫn quá hạn: Báo cáo kết quả đón đoàn – Đoàn Hội hữu nghị Tokyo"),
    ]
    await chain_holds(here)
