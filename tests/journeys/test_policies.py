"""A union of a province: the desk that sleeps escalates, two authorities answer by letter, and it is decided."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from domain.state import Phase
from domain.values import BUSINESS_ZONE, business_date
from tests.running import Running
from tests.storage.samples import PDF_FILE, in_pieces

pytestmark = pytest.mark.slow

HUNG, MAI, LAN = (f"{who}@songlam.example" for who in ("hung", "mai", "lan"))


def at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(BUSINESS_ZONE)).astimezone(UTC)


async def test_a_late_desk_escalates_and_letters_sign_for_those_outside(here: Running) -> None:
    """Each is told once: the desk, the one above it, the coordinator for each letter, and the last desk after both.

    The report that names the letters is set in type, and whom its policy names accepts it.
    """
    await here.open(run_by="provincial_union")
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    submitted = await here.idle()
    assert submitted.proposal is not None
    assert submitted.proposal.chain.rule == "IN-PROVINCIAL"
    digest = submitted.proposal.digest
    due = submitted.deadlines["step.department_head.1"].due_at

    await here.clock.advance(here.id, due + timedelta(hours=1))
    late = await here.idle()
    assert late.open_steps[0].escalated_to == "vice_president"
    assert late.phase is Phase.SUBMITTED

    await here.send({"type": "sign_off", "step_id": "department_head", "dossier_digest": digest}, by="hung")
    assert [one.id for one in (await here.idle()).open_steps] == ["police", "foreign_affairs"]
    for step, number in (("foreign_affairs", "12/SNgV"), ("police", "7/CAT")):
        scan = (await here.registers.attachments.store(in_pieces(PDF_FILE + step.encode()))).model_dump()
        letter = {
            "type": "record_external_decision",
            "step_id": step,
            "dossier_digest": digest,
            "outcome": "approved",
            "authority": "Sở Ngoại vụ" if step == "foreign_affairs" else "Công an tỉnh",
            "reference": number,
            "dated": business_date(datetime.now(UTC), BUSINESS_ZONE).isoformat(),
            "letter": scan,
        }
        await here.send(letter)
    assert [one.id for one in (await here.idle()).open_steps] == ["vice_president"]
    await here.send({"type": "sign_off", "step_id": "vice_president", "dossier_digest": digest}, by="mai")
    await here.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    assert (await here.idle()).phase is Phase.APPROVED

    await here.clock.advance(here.id, at(submitted.starts, 8))
    await here.send({"type": "depart"})
    await here.clock.advance(here.id, at(submitted.ends, 18))
    await here.send({"type": "conclude"})
    await here.send({"type": "file_report", "results": await here.text("Đoàn đã làm việc với ba sở.")})
    filed = await here.idle()
    assert ([one.kind for one in filed.rendered], filed.failures) == (["final_report"], ())
    assert filed.report is not None
    await here.send({"type": "accept_report", "report_digest": filed.report.digest}, by="mai")

    told = [
        (to, subject.partition(":")[0])
        for to, subject in here.post.subjects()
        if subject.startswith(("Chờ phê duyệt", "Quá hạn phê duyệt", "Chờ văn bản"))
    ]
    assert told == [
        (HUNG, "Chờ phê duyệt"),
        (MAI, "Quá hạn phê duyệt"),
        (LAN, "Chờ văn bản trả lời"),
        (LAN, "Chờ văn bản trả lời"),
        (MAI, "Chờ phê duyệt"),
    ]
