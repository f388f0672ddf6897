"""The API as a browser meets it: real registers on SQLite, no worker, and a clock that tests move.

Nothing here starts a workflow, so Temporal is not needed: its client never connects.
"""

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx2
from fastapi import FastAPI
from pydantic import SecretStr
from temporalio.client import Client

from activities.codec import data_converter
from api.application import create_application
from api.installation import Installation
from settings import Settings
from storage.migrate import migrate
from storage.passwords import Cost, Passwords
from storage.registers import Registers
from tests.api.conftest import serving
from tests.moment import Moment
from tests.running import ACCOUNTS, MASTER_KEY

ORIGIN = "https://legation.test"
PASSWORD = "mười hai chữ trở lên"
CHEAPEST = Cost(memory_kib=19456, passes=2, lanes=1)


@dataclass
class Browser:
    """One browser: it keeps cookies, says where its requests come from, and sends its session's token."""

    http: httpx2.AsyncClient
    csrf: str = ""

    async def ask(self, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Send a request as a page of this site does; `headers`, with `_` for `-`, replace or, if empty, leave out."""
        usual = {"origin": ORIGIN, "sec-fetch-site": "same-origin", "x-csrf-token": self.csrf}
        sent = usual | {name.replace("_", "-").lower(): value for name, value in headers.items()}
        more = {} if body is None else {"json": body}
        answer = await self.http.request(
            method, path, headers={name: value for name, value in sent.items() if value}, **more
        )
        if answer.status_code == 201 and "csrf_token" in answer.text:
            self.csrf = answer.json()["csrf_token"]
        return answer

    async def sign_in(self, account: str, password: str = PASSWORD) -> httpx2.Response:
        """Sign in with a password."""
        return await self.ask("POST", "/session", {"account": account, "password": password})

    @property
    def cookie(self) -> str | None:
        """The secret of the session, if there is one."""
        return self.http.cookies.get("__Host-legation-session")


@dataclass
class Front:
    """An installation, and as many browsers as a test needs."""

    application: FastAPI
    moment: Moment

    @property
    def at(self) -> Installation:
        """What the API works with."""
        installation: Installation = self.application.state.installation
        return installation

    def browser(self, address: str = "192.0.2.1") -> Browser:
        """A new browser, at an address."""
        transport = httpx2.ASGITransport(app=self.application, client=(address, 4711))
        return Browser(httpx2.AsyncClient(transport=transport, base_url=f"{ORIGIN}/api/v1", timeout=60))

    async def token(self, account: str, **more: Any) -> dict[str, str]:
        """The header of a request with a new token."""
        _, secret = await self.at.accounts.create_token(account, **more)
        return {"Authorization": f"Bearer {secret}"}


_template: list[bytes] = []


async def template() -> bytes:
    """The database of an installation whose accounts have PASSWORD, made once in a process: hashing takes its time."""
    if not _template:
        with TemporaryDirectory() as folder:
            url = f"sqlite+aiosqlite:///{folder}/legation.db"
            await migrate(url)
            registers = Registers.open(url, [MASTER_KEY], Path(folder))
            passwords = Passwords(registers.database, CHEAPEST, link_lifetime=timedelta(days=1))
            for account in ACCOUNTS:
                await registers.accounts.create(account)
                await passwords.change(account.id, PASSWORD)
            await registers.close()
            _template.append(await asyncio.to_thread(Path(folder, "legation.db").read_bytes))
    return _template[0]


async def nobody() -> Client:
    """A client of a server that is not there."""
    return await Client.connect("127.0.0.1:1", lazy=True, data_converter=data_converter(None))


@asynccontextmanager
async def front(folder: Path, *, database: bytes | None = None, **more: Any) -> AsyncIterator[Front]:
    """An installation on a folder whose accounts `lan`, `hung`, `mai`, `an` and `root` have PASSWORD.

    `database` is what it starts with, made by such an installation before.
    """
    settings = Settings(
        profile="server",
        data_dir=folder,
        master_key=SecretStr(base64.b64encode(MASTER_KEY).decode()),
        argon2_memory_kib=CHEAPEST.memory_kib,
        argon2_passes=CHEAPEST.passes,
        **{"public_url": ORIGIN, **more},
    )
    await asyncio.to_thread((folder / "legation.db").write_bytes, database or await template())
    application = create_application(settings, client=await nobody())
    moment = Moment()
    at: Installation = application.state.installation
    at.sessions.clock = at.passwords.clock = at.passkeys.clock = moment
    async with serving(application):
        yield Front(application, moment)
