"""A file with everything that evidence has: passkey signatures, a closed and archived run, an open one, three
checkpoints under two keys, and another file in between."""

import asyncio
import base64
import io
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from temporalio.client import Client

from activities.archive import Archiving
from activities.checkpoints import Sealing
from activities.evidence import EvidenceBundles
from api.application import create_application
from audit.checkpoint import Checkpoint
from audit.signing_key import SigningKeys
from storage.evidence_exports import EvidenceExport
from tests.api.conftest import Api, member, serving, tokens_of, with_key
from tests.running import CHECKPOINT_KEY, Running, running
from tests.signer import device_of, installation, signed
from tests.temporal import TemporalServer

SECOND_KEY = bytes(range(64, 96))
STEPS = (("hung", "department_head"), ("mai", "vice_president"))


@dataclass
class Played:
    """The file, and the checkpoints as somebody may have kept them."""

    api: Api
    checkpoints: list[Checkpoint]
    older: bytes = b""
    """A bundle as it was before the last checkpoint."""

    @property
    def here(self) -> Running:
        """The installation."""
        return self.api.here

    async def bundle(self, *, documents: bool = False) -> tuple[bytes, EvidenceExport]:
        """A bundle, and what was recorded of it."""
        bundles = EvidenceBundles(
            self.here.registers,
            self.here.client,
            self.here.client.data_converter.payload_codec,
            lambda: SigningKeys.of([SECOND_KEY, CHECKPOINT_KEY]),
        )
        with io.BytesIO() as file:
            export = await bundles.write(self.api.id, file, documents=documents, by="an")
            return file.getvalue(), export

    async def checkpoint(self, *keys: bytes) -> Checkpoint:
        """One more checkpoint."""
        made = await Sealing(self.here.registers.database, lambda: SigningKeys.of(keys)).make()
        assert made is not None
        self.checkpoints.append(made.checkpoint)
        return made.checkpoint

    async def sent(self, *commands: dict[str, Any], by: str = "lan") -> None:
        """Commands that are accepted."""
        answer = await self.api.send(*commands, by=by)
        assert answer.status_code == 200, answer.text

    async def text(self, text: str) -> dict[str, Any]:
        """A text under the file's key."""
        answer = await self.api.ask("POST", f"/delegations/{self.api.id}/texts", {"text": text})
        found: dict[str, Any] = answer.json()
        return found

    async def archived(self) -> None:
        """Wait until the run that was closed is in the archive."""
        archiving = Archiving(self.here.client, self.here.registers, timedelta(days=3650))
        async with asyncio.timeout(30):
            while not await self.here.registers.archived_runs.of(self.api.id):
                await archiving.round()
                await asyncio.sleep(0.02)


@asynccontextmanager
async def played(folder: Path, server: TemporalServer) -> AsyncIterator[Played]:
    """Play the file on an installation whose histories are encrypted."""

    async def connect(**options: Any) -> Client:
        return await Client.connect(server.address, namespace=server.namespace, **options)

    async with running(folder, connect, server.address, profile="embedded") as here:
        keys = ",".join(base64.b64encode(key).decode() for key in (SECOND_KEY, CHECKPOINT_KEY))
        settings = with_key(here.settings).model_copy(update={"checkpoint_key": SecretStr(keys)})
        application = create_application(settings, client=here.client)
        async with serving(application) as http:
            api = Api(here, application, http, await tokens_of(here), here.id)
            file = Played(api, [])
            await _play(file)
            yield file


async def _play(file: Played) -> None:
    api = file.api
    stored = await api.ask("POST", "/attachments", content="Biên bản ghi nhớ".encode())
    await api.open()
    await file.sent(
        await member(api, "sato", role="head"),
        {"type": "attach_document", "document_id": "memo", "kind": "minutes", "attachment": stored.json()},
        {"type": "submit_request"},
    )
    for by, step in STEPS:
        device = await device_of(installation(api), by)
        digest = (await api.file())["open_step"]["dossier_digest"]
        await file.sent(await signed(api, device, by, step, digest), by=by)
    await file.sent({"type": "issue_decision", "number": "27/QĐ"})
    await file.checkpoint(CHECKPOINT_KEY)
    await file.sent({"type": "cancel_delegation", "reason": await file.text("Đoàn bạn hoãn chuyến đi.")})
    await file.sent({"type": "close_delegation"})
    await api.here.client.get_workflow_handle(api.id).result()
    await file.archived()
    await other_file(file)
    await file.checkpoint(CHECKPOINT_KEY)
    await file.sent({"type": "reopen_delegation", "reason": await file.text("Sửa lỗi.")})
    file.older, _ = await file.bundle()
    await file.checkpoint(SECOND_KEY, CHECKPOINT_KEY)


async def other_file(file: Played, name: str = "other") -> None:
    """Another delegation has new events."""
    other = replace(file.api, id=f"{file.api.id}-{name}")
    opened = await other.open()
    assert opened.status_code == 201, opened.text


def unzipped(bundle: bytes) -> dict[str, bytes]:
    """The members of a bundle by name."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
