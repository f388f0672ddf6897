"""Four eyes with the registers as they stand: what only they know is asked at the decision itself."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from api.engine import CommandRefused
from domain.values import BUSINESS_ZONE, business_date
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from tests.api.front import front
from tests.builders import pdf
from tests.pages.indoors import indoors
from tests.rulebook import edition
from tests.running import Running


async def refused(here: Running, command: dict[str, Any], by: str) -> str:
    """Send what is refused, and return the code."""
    with pytest.raises(CommandRefused) as raised:
        await here.send(command, by=by)
    return raised.value.refusal.code


async def answer(here: Running, kind: str = "sign_off", **more: Any) -> dict[str, Any]:
    """An answer of the first desk on what stands."""
    proposal = (await here.file()).current_proposal
    assert proposal is not None
    return {"type": kind, "step_id": "department_head", "dossier_digest": proposal.digest, **more}


async def test_nobody_signs_by_what_they_entered_and_no_signature_outlives_its_conflict(tmp_path: Path) -> None:
    """A tenure and a leave of one's own making; another account of the signer that takes the file over."""
    async with front(tmp_path) as found:
        here, registers = indoors(found), found.at.registers
        await registers.editions.put(edition())
        details = {"roles": ("administrator", "approver", "coordinator")}
        for account, held in (("boss", ("department_head",)), ("deputy", ())):
            made = AccountDetails.model_validate({"id": account, "name": account, "positions": held} | details)
            await registers.accounts.create(made, by="boss")
        now = utc_now()
        await registers.leaves.register("hung", "deputy", now, now + timedelta(days=9), by="deputy")
        await here.open(run_by="provincial_union")
        await here.add("m-1", "head")
        await here.send({"type": "submit_request"})
        for who in ("boss", "deputy"):
            assert await refused(here, await answer(here), who) == "granted_by_oneself"

        await here.send(await answer(here), by="hung")
        assert [one.id for one in (await here.file()).open_steps] == ["police", "foreign_affairs"]
        person = await here.person("Lê Văn Hùng", "hung@tokyo.example")
        twin = {"id": "hung-too", "name": "Lê Văn Hùng", "roles": ("coordinator",), "person": person["ref"]}
        await registers.accounts.create(AccountDetails.model_validate(twin))
        [hung] = [one for one in await registers.accounts.actors() if one.id == "hung"]
        await registers.accounts.change(hung.model_copy(update={"person": person["ref"]}))
        for to, code in (("hung-too", "coordinator_signed"), ("mai", "coordinator_unknown")):
            assert await refused(here, {"type": "hand_over", "to": to}, "root") == code

        letter = {"authority": "Công an tỉnh", "reference": "7/CAT", "letter": pdf("police").model_dump()}
        letter |= {"dated": business_date(now, BUSINESS_ZONE).isoformat(), "outcome": "returned"}
        letter |= {"step_id": "police", "reason": await here.text("Thiếu chương trình")}
        await here.send(await answer(here, "record_external_decision") | letter)
        await here.send({"type": "hand_over", "to": "hung-too"}, by="root")
        receipt = await here.send({"type": "submit_request"})
        [fallen] = [one.data for one in receipt.events if one.type == "SignaturesVoided"]
        assert (fallen["because"], fallen["signers"]) == ("own_request", ["hung"])
