"""`legation up` for real use: what it keeps survives a restart, encrypted, with everything that is still to come."""

import asyncio
from pathlib import Path

import pytest

from tests.faults.asking import a_file
from tests.installed import installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

TITLE = "Đoàn Hội hữu nghị Tokyo"


async def test_a_file_survives_a_restart_and_goes_on(tmp_path: Path) -> None:
    """In real time and with payloads encrypted: the same trail, the same deadlines still open, the next command."""
    with installed(tmp_path / "var", profile="embedded") as running:
        async with running.asking() as http:
            file = a_file(running, http)
            assert (await file.open()).status_code == 201
            assert (await file.add("sato")).status_code == 200
            assert (await file.send({"type": "submit_request"})).status_code == 200
            asked = f"/delegations/{file.id}/deadlines"
            before, deadlines = await file.whole(), (await file.ask("GET", asked)).json()
        running.stop()
        assert TITLE.encode() not in (running.folder / "temporal.db").read_bytes()
        running.start()
        async with running.asking() as http:
            file.http = http
            after = await file.whole()
            assert after[: len(before)] == before
            assert (await file.ask("GET", asked)).json() == deadlines
            assert {one["status"] for one in deadlines["items"]} == {"open", "met"}
            sign = {"type": "sign_off", "step_id": "department_head"}
            digest = (await file.show())["open_step"]["dossier_digest"]
            signed = await file.send(sign | {"dossier_digest": digest}, by="hung")
            assert signed.status_code == 200, signed.text
            # First the signature is projected and the next desk told; then the file waits for its next deadline again.
            async with asyncio.timeout(60):
                while not await running.waits_for_a_timer(file.id):
                    await asyncio.sleep(0.1)
            assert (await file.events())[: len(after)] == after
