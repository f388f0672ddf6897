"""A substitute signs KT. inside the registered leave and nowhere else, and the sealed event says by what right."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from api.engine import CommandRefused
from domain.bilingual import Bilingual
from domain.institution import Leave, Organisation
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from tests.running import Running
from tests.workflows.test_delegation import chain_holds
from tests.workflows.test_documents import rendered

pytestmark = pytest.mark.slow

THAY = AccountDetails(id="thay", name="Đỗ Thị Thay", roles=("approver",))


async def waiting_for_the_vice_president(here: Running) -> None:
    """A file that the department head has signed."""
    await here.open()
    await here.add("head", "head")
    await here.schedule("s1")
    await here.send({"type": "submit_request"})
    await sign(here, "department_head", by="hung")


async def sign(here: Running, step: str, *, by: str) -> dict[str, Any]:
    """Sign the dossier that stands, and return what was sealed."""
    proposal = (await here.file()).proposal
    assert proposal is not None
    await here.send({"type": "sign_off", "step_id": step, "dossier_digest": proposal.digest}, by=by)
    return await last(here, "StepSigned")


async def last(here: Running, kind: str) -> dict[str, Any]:
    """The content of the last event of a type."""
    events = await here.registers.journal.events(here.id)
    return next(one.data for one in reversed(events) if one.type == kind)


async def refused(here: Running, *, by: str, code: str) -> None:
    """Assert that somebody may not sign for the vice-president, and that the attempt is sealed."""
    with pytest.raises(CommandRefused) as raised:
        await sign(here, "vice_president", by=by)
    assert raised.value.refusal.code == code
    await here.idle()
    assert await last(here, "SignOffRefused") == {"step_id": "vice_president", "code": code}


async def mai_on_leave(here: Running, first: datetime, last_day: datetime) -> Leave:
    """Mai is away; Thay, who holds no position, is her substitute."""
    await here.registers.accounts.create(THAY)
    return await here.registers.leaves.register("mai", "thay", first, last_day, by="mai")


async def test_a_substitute_signs_inside_the_leave_and_the_event_says_by_what_right(here: Running) -> None:
    """Refused before it begins; inside, the leave, the tenure and both accounts are sealed."""
    first = utc_now() + timedelta(days=1)
    leave = await mai_on_leave(here, first, first + timedelta(days=1))
    await waiting_for_the_vice_president(here)
    await refused(here, by="thay", code="substitute_not_entitled")
    await refused(here, by="an", code="not_entitled_to_sign")

    await here.clock.advance(here.id, first)
    signed = await sign(here, "vice_president", by="thay")
    tenures = await here.registers.tenures.known(account="mai", position="vice_president")
    assert signed["right"] == {
        "position": "vice_president",
        "prefix": "KT",
        "account": "thay",
        "tenure": tenures[0].id,
        "held_since": tenures[0].model_dump(mode="json")["since"],
        "on_behalf_of": "mai",
        "leave": leave.id,
        "leave_since": leave.model_dump(mode="json")["since"],
        "leave_until": leave.model_dump(mode="json")["until"],
        "granted_by": ["mai"],
    }
    proposal = (await here.idle()).proposal
    assert proposal is not None
    assert proposal.signed
    await chain_holds(here)


async def test_a_substitute_is_refused_after_the_leave(here: Running) -> None:
    """The end itself is outside; who is back signs."""
    ends = utc_now() + timedelta(hours=2)
    await mai_on_leave(here, utc_now() - timedelta(hours=1), ends)
    await waiting_for_the_vice_president(here)
    await here.clock.advance(here.id, ends)
    await refused(here, by="thay", code="substitute_not_entitled")
    assert (await sign(here, "vice_president", by="mai"))["right"]["account"] == "mai"


async def test_a_revoked_leave_gives_nothing_to_the_next_decision(here: Running) -> None:
    """Whatever the file has seen before."""
    leave = await mai_on_leave(here, utc_now() - timedelta(hours=1), utc_now() + timedelta(days=9))
    await waiting_for_the_vice_president(here)
    await here.registers.leaves.revoke(leave.id, by="root")
    await refused(here, by="thay", code="substitute_not_entitled")


async def test_an_approver_of_another_organisation_may_not_sign(here: Running) -> None:
    """The union above the file's own may; a sister may not, and the attempt is sealed."""
    name = Bilingual(vi="Đơn vị", en="Unit")
    for slug, parent in (("central", None), ("song-lam", "central"), ("hue", "central")):
        new = Organisation(slug=slug, kind="authority", parent=parent, name=name, since=utc_now())
        await here.registers.institution.add_organisation(new, by="root")
    for account, organisation in (("vinh", "hue"), ("binh", "central")):
        details = THAY.model_copy(
            update={"id": account, "organisation": organisation, "positions": ("vice_president",)}
        )
        await here.registers.accounts.create(details)
    await waiting_for_the_vice_president(here)
    await refused(here, by="vinh", code="organisation_out_of_reach")
    await sign(here, "vice_president", by="binh")


@pytest.mark.slow
async def test_the_report_prints_both_names(here: Running) -> None:
    """Who signed, KT., and in whose place."""
    await mai_on_leave(here, utc_now() - timedelta(hours=1), utc_now() + timedelta(days=1))
    await waiting_for_the_vice_president(here)
    await sign(here, "vice_president", by="thay")
    await here.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    file = await here.file()
    await here.clock.advance(here.id, datetime.combine(file.starts, datetime.min.time(), utc_now().tzinfo))
    await here.send({"type": "depart"})
    await here.send({"type": "conclude"})
    await here.send({"type": "file_report", "results": await here.text("Hai bên thống nhất.")})
    report = await rendered(here, "final_report")
    for text in report.values():
        assert "Đỗ Thị Thay" in text
        assert "Phạm Thị Mai" in text
