"""Every union has a department head; a file waits for that of its own, and nobody else hears of it or signs it."""

from typing import Any

import pytest

from api.application import create_application
from domain.bilingual import Bilingual
from domain.institution import Organisation
from storage.accounts import AccountDetails
from storage.metadata import utc_now
from tests.api.conftest import serving, tokens_of, with_key
from tests.running import Running

pytestmark = pytest.mark.slow

HEADS = {"bac": "central", "cuc": "song-lam", "dao": "hue"}
"""The department heads, by account: of the union above, of the file's own, of a sister."""


async def three_unions(here: Running) -> None:
    """Enter them, each with its department head."""
    name = Bilingual(vi="Đơn vị", en="Unit")
    for slug, parent in (("central", None), ("song-lam", "central"), ("hue", "central")):
        new = Organisation(slug=slug, kind="authority", parent=parent, name=name, since=utc_now())
        await here.registers.institution.add_organisation(new, by="root")
    for account, organisation in HEADS.items():
        await here.registers.accounts.create(
            AccountDetails(
                id=account,
                name=account,
                email=f"{account}@songlam.example",
                roles=("approver",),
                positions=("department_head",),
                organisation=organisation,
            )
        )


async def test_a_file_waits_for_the_department_head_of_its_own_union_alone(here: Running) -> None:
    """By mail, in the inbox and at the signature; what is sealed says at which organisation the position is held."""
    await three_unions(here)
    await here.open(organisation="song-lam")
    await here.add("head", "head")
    await here.send({"type": "submit_request"})
    proposal = (await here.idle()).proposal
    assert proposal is not None
    written_to = {to.partition("@")[0] for to, subject in here.post.subjects()}
    assert written_to & set(HEADS) == {"cuc"}

    answer = {"type": "sign_off", "step_id": "department_head", "dossier_digest": proposal.digest}
    async with serving(create_application(with_key(here.settings), client=here.client)) as http:
        tokens = await tokens_of(here)

        async def ask(who: str, path: str, body: Any = None) -> tuple[int, Any]:
            """Ask as somebody."""
            headers = {"Authorization": f"Bearer {tokens[who]}", "Idempotency-Key": f"{who}-{path}"}
            method = "GET" if body is None else "POST"
            found = await http.request(method, path, headers=headers, **({} if body is None else {"json": body}))
            return found.status_code, found.json()

        inboxes = {who: [one["delegation"] for one in (await ask(who, "/inbox"))[1]["items"]] for who in HEADS}
        assert inboxes == {"bac": [], "cuc": [here.id], "dao": []}
        status, told = await ask("bac", f"/delegations/{here.id}/commands", answer)
        assert (status, told["code"]) == (403, "desk_of_another_organisation")
        assert (await ask("dao", f"/delegations/{here.id}/commands", answer))[0] == 403
        assert (await ask("cuc", f"/delegations/{here.id}/commands", answer))[0] == 200

    events = await here.registers.journal.events(here.id)
    assert [(one.type, one.actor) for one in events if one.type in ("SignOffRefused", "StepSigned")] == [
        ("SignOffRefused", "bac"),
        ("SignOffRefused", "dao"),
        ("StepSigned", "cuc"),
    ]
    [signed] = [one.data for one in events if one.type == "StepSigned"]
    [tenure] = await here.registers.tenures.known(account="cuc")
    assert signed["right"] == {
        "position": "department_head",
        "prefix": "TL",
        "account": "cuc",
        "tenure": tenure.id,
        "held_since": tenure.model_dump(mode="json")["since"],
        "organisation": "song-lam",
        "granted_by": ["system"],
        "principal_vi": "Chủ tịch",
        "principal_en": "President",
    }
