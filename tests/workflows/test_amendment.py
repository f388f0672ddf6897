"""A programme change after the decision, over the real engine: one desk is asked, and calendars wait for it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from api.engine import CommandRefused
from domain.state import Delegation
from domain.values import BUSINESS_ZONE, business_date
from tests.running import Running
from tests.storage.samples import PDF_FILE, in_pieces
from tests.workflows.test_delegation import chain_holds

pytestmark = pytest.mark.slow

MAI = "mai@songlam.example"
GUESTS = ["head@tokyo.example", "second@tokyo.example"]


async def answer(here: Running, step: str, by: str) -> Delegation:
    """Sign a step of what is to be signed; for an outside authority its letter is recorded."""
    proposal = (await here.file()).current_proposal
    assert proposal is not None
    command: dict[str, Any] = {"step_id": step, "dossier_digest": proposal.digest}
    if by == "lan":
        letter = (await here.registers.attachments.store(in_pieces(PDF_FILE + step.encode()))).model_dump()
        command |= {"type": "record_external_decision", "outcome": "approved", "letter": letter}
        command |= {
            "authority": "Cơ quan",
            "reference": "7/CV",
            "dated": business_date(datetime.now(UTC), BUSINESS_ZONE).isoformat(),
        }
    await here.send(command if by == "lan" else command | {"type": "sign_off"}, by=by)
    return await here.idle()


async def refused(here: Running, *commands: dict[str, Any], by: str = "lan") -> str:
    """Send what is refused, and return the code."""
    with pytest.raises(CommandRefused) as raised:
        await here.send(*commands, by=by)
    return raised.value.refusal.code


async def test_a_changed_programme_goes_to_the_one_desk_it_concerns_and_then_to_the_guests(here: Running) -> None:
    """The police and the foreign-affairs department are not asked again; the vice-president is, by mail, once."""
    await here.open(run_by="provincial_union")
    await here.add("head", "head")
    await here.add("second")
    await here.schedule("s1")
    await here.schedule("s2", day=1)
    await here.send({"type": "submit_request"})
    for step, by in (
        ("department_head", "hung"),
        ("police", "lan"),
        ("foreign_affairs", "lan"),
        ("vice_president", "mai"),
    ):
        await answer(here, step, by)
    await here.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    await here.send({"type": "invite"})
    invited = await here.idle()
    sent = len(here.post.calendar())
    assert sent == 4

    day = invited.starts.isoformat()
    move: dict[str, Any] = {"type": "move_item", "item_id": "s1"}
    move |= {"starts": {"local": f"{day}T14:00"}, "ends": {"local": f"{day}T16:00"}}
    await here.send(move)
    assert await refused(here, {"type": "publish_programme"}) == "change_unapproved"
    await here.send({"type": "submit_change"})
    waiting = await here.idle()
    assert waiting.amendment is not None
    assert [(one.id, one.carried) for one in waiting.amendment.steps] == [
        ("police", True),
        ("foreign_affairs", True),
        ("vice_president", False),
    ]
    assert [one.id for one in waiting.open_steps] == ["vice_president"]
    assert "step.vice_president.2" in waiting.deadlines
    subjects = [subject.partition(":")[0] for to, subject in here.post.subjects() if to == MAI]
    assert subjects == ["Chờ phê duyệt", "Chờ phê duyệt"]
    assert await refused(here, {"type": "publish_programme"}) == "change_unapproved"
    assert len(here.post.calendar()) == sent

    agreed = await answer(here, "vice_president", "mai")
    assert agreed.amended is not None
    assert (agreed.amended.number, agreed.amended.changed, agreed.amendment) == (2, ("programme",), None)
    await here.send({"type": "publish_programme"})
    await here.idle()
    assert sorted(to for to, _ in here.post.calendar()[sent:]) == GUESTS
    await chain_holds(here)


async def test_a_signature_on_a_change_that_was_edited_meanwhile_is_refused(here: Running) -> None:
    """The trail says so before anybody submits anew, and the rebuilt file is the same."""
    await here.open(run_by="provincial_union")
    await here.add("head", "head")
    await here.schedule("s1")
    await here.send({"type": "submit_request"})
    for step, by in (
        ("department_head", "hung"),
        ("police", "lan"),
        ("foreign_affairs", "lan"),
        ("vice_president", "mai"),
    ):
        await answer(here, step, by)
    await here.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    await here.send({"type": "cancel_item", "item_id": "s1"}, {"type": "submit_change"})
    change = (await here.idle()).amendment
    assert change is not None
    await here.schedule("s2")
    signature = {"type": "sign_off", "step_id": "vice_president", "dossier_digest": change.digest}
    assert await refused(here, signature, by="mai") == "dossier_superseded"
    file = await here.idle()
    assert file.amendment is not None
    assert (file.amendment.superseded, file.open_steps) == (True, ())
    events = await here.registers.journal.events(here.id)
    assert [one.type for one in events].count("ChangeSuperseded") == 1
    await chain_holds(here)
