"""One delegation on an installation that runs in its own processes, asked by HTTP."""

import uuid
from dataclasses import dataclass
from typing import Any

import httpx2

from domain.evolve import fold
from domain.seal import SealedEvent, genesis, verify_chain
from domain.state import Delegation
from tests.installed import Installed, opening

SATO = {
    "full_name": "Satō Haruka",
    "given_name": "Haruka",
    "email": "haruka.sato@tokyo.example",
    "language": "en",
    "nationality": "JP",
}


@dataclass
class File:
    """A delegation of this test's own, and the shortest way to ask about it."""

    installed: Installed
    http: httpx2.AsyncClient
    id: str

    async def ask(
        self, method: str, path: str, *, by: str = "lan", key: str | None = None, **more: Any
    ) -> httpx2.Response:
        """Send a request as somebody."""
        return await self.http.request(method, path, headers=self.installed.headers(by, key), **more)

    async def send(self, *commands: dict[str, Any], by: str = "lan", key: str | None = None) -> httpx2.Response:
        """Send one command, or several as one."""
        body = commands[0] if len(commands) == 1 else {"commands": list(commands)}
        return await self.ask("POST", f"/delegations/{self.id}/commands", by=by, key=key, json=body)

    async def open(self, **more: Any) -> httpx2.Response:
        """Open the file."""
        return await self.ask("POST", "/delegations", json=opening(id=self.id, **more))

    async def add(self, *members: str, first_is_head: bool = True) -> httpx2.Response:
        """Add members, decided as one."""
        commands = []
        for number, member in enumerate(members):
            person = await self.ask("POST", "/persons", json=SATO | {"email": f"{member}.{self.id}@tokyo.example"})
            assert person.status_code == 201, person.text
            role = "head" if number == 0 and first_is_head else "member"
            commands.append(
                {"type": "add_member", "member_id": member, "person": person.json(), "country": "JP", "role": role}
            )
        return await self.send(*commands)

    async def show(self) -> dict[str, Any]:
        """The file as the read model has it."""
        answer = await self.ask("GET", f"/delegations/{self.id}")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    async def events(self) -> list[SealedEvent]:
        """The whole trail, whose chain holds and whose fold is the read model's state."""
        found: list[SealedEvent] = []
        after: int | None = 0
        while after is not None:
            answer = await self.ask("GET", f"/delegations/{self.id}/events", params={"after": after, "limit": 1000})
            assert answer.status_code == 200, answer.text
            found += [SealedEvent.model_validate(one) for one in answer.json()["items"]]
            after = answer.json()["next_after"]
        verify_chain(genesis(self.id), found)
        return found

    async def whole(self) -> list[SealedEvent]:
        """The trail of a file at which nothing happens any more; the read model is its fold."""
        events = await self.events()
        assert fold(events) == Delegation.model_validate((await self.show())["state"])
        return events


def a_file(installed: Installed, http: httpx2.AsyncClient) -> File:
    """A file that is not open yet."""
    return File(installed, http, f"d-{uuid.uuid4().hex[:12]}")


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]
