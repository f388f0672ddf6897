"""The evidence of a file over HTTP: who may take it along, what is answered, and that it is recorded."""

import asyncio
import hashlib
from pathlib import Path

import pytest

from tests.api.conftest import Api, code
from tests.evidence.bare import Changed, broken, checked
from tests.evidence.played import unzipped

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_evidence_is_handed_out_recorded_and_checked(api: Api, tmp_path: Path) -> None:
    """Once a checkpoint has events of the file; later events are in the next one."""
    await api.open()
    assert code(await api.ask("GET", f"/delegations/{api.id}/evidence", by="an")) == (409, "evidence_not_checkpointed")
    made = await api.ask("POST", "/checkpoints", by="root")
    assert made.status_code == 201, made.text
    number = made.json()["checkpoint"]["number"]
    await api.send({"type": "revise_request", "title": "Đoàn Hội hữu nghị Osaka"})
    answer = await api.ask("GET", f"/delegations/{api.id}/evidence", by="an")
    assert answer.status_code == 200, answer.text
    digest = hashlib.sha256(answer.content).hexdigest()
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == f'attachment; filename="{api.id}-evidence-{number}.zip"'
    assert (answer.headers["etag"], answer.headers["cache-control"]) == (f'"{digest}"', "no-store")
    kept = (made.json()["checkpoint"],)
    [said] = await asyncio.to_thread(checked, tmp_path, answer.content, [Changed({}, kept=kept)])
    assert broken(said) == {}
    assert "openings.json" not in unzipped(answer.content)
    log = (await api.ask("GET", "/institution/log/evidence", by="an", params={"limit": 1000})).json()["items"]
    assert (log[-1]["actor"], log[-1]["entry"], log[-1]["data"]["after"]["digest"]) == ("an", api.id, digest)
    for by, path in (("lan", "evidence"), ("an", "evidence-with-documents")):
        assert code(await api.ask("GET", f"/delegations/{api.id}/{path}", by=by)) == (403, "role_not_allowed")
    whole = await api.ask("GET", f"/delegations/{api.id}/evidence-with-documents", by="lan")
    assert "openings.json" in unzipped(whole.content)
