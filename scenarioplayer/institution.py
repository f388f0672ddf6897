"""A scenario's organisations, positions, accounts and leave, entered through the public API."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, Protocol

import httpx2

from scenariofile import Actor, EndLeave, LeaveChange, RegisterLeave, Scenario
from scenariofile import Leave as WrittenLeave


class Send(Protocol):
    """Asks the API as an actor, or as the administrator."""

    def __call__(
        self, method: str, path: str, body: Any = None, *, actor: str | None = None
    ) -> Awaitable[httpx2.Response]: ...


Answered = Callable[[str, httpx2.Response], Any]
"""Takes what was to be done, and gives the answer's JSON unless it is a refusal, which it raises."""


class Institution:
    """What a scenario enters into the registers of an installation; what stands there already is used."""

    def __init__(self, scenario: Scenario, send: Send, answered: Answered) -> None:
        self._scenario = scenario
        self._send = send
        self._answered = answered
        self._leaves: dict[str, str] = {}

    async def enter(self) -> None:
        """Enter organisations, from the top, and positions."""
        for one in self._scenario.organisations:
            body = {"slug": one.id} | one.model_dump(mode="json", exclude={"id"}, exclude_none=True)
            await self._once("organisation", one.id, "/institution/organisations", body)
        for position in self._scenario.positions:
            body = {"slug": position.id} | position.model_dump(mode="json", exclude={"id"}, exclude_none=True)
            await self._once("position", position.id, "/institution/positions", body)

    async def _once(self, what: str, name: str, path: str, body: dict[str, Any]) -> None:
        answer = await self._send("POST", path, body)
        if answer.status_code != 409:
            self._answered(f"The {what} {name} could not be entered", answer)

    async def open_account(self, actor: Actor, person: str | None) -> None:
        """Open an account, or have the one of its name be as the scenario says; `person` is the reference of whose."""
        details = actor.model_dump(mode="json", exclude_none=True, exclude={"person"})
        details |= {"person": person} if person else {}
        answer = await self._send("POST", "/accounts", details)
        if answer.status_code == 409:
            del details["id"]
            answer = await self._send("PUT", f"/accounts/{actor.id}", details)
        self._answered(f"The account {actor.id} could not be opened", answer)

    async def register_leave(self) -> None:
        """Register the leave that stands in the file from the start."""
        for written in self._scenario.leave:
            answer = await self._register(written, None)
            self._answered(f"The leave {written.id} could not be registered", answer)

    async def change_leave(self, change: LeaveChange, by: str) -> httpx2.Response:
        """Do to the register of leave what a step says, as the actor who does it."""
        if isinstance(change, RegisterLeave):
            return await self._register(change.entry(by), by)
        path = f"/institution/leaves/{self._leaves[change.leave]}"
        if isinstance(change, EndLeave):
            until = self._scenario.instant(change.until).isoformat()
            return await self._send("POST", f"{path}/end", {"until": until}, actor=by)
        return await self._send("POST", f"{path}/revoke", actor=by)

    async def _register(self, written: WrittenLeave, by: str | None) -> httpx2.Response:
        since, until = (self._scenario.instant(local) for local in (written.since, written.until))
        body = {
            "account": written.account,
            "substitute": written.substitute,
            "since": since.isoformat(),
            "until": until.isoformat(),
            "positions": list(written.positions),
        }
        answer = await self._send("POST", "/institution/leaves", body, actor=by)
        if answer.status_code == 201:
            self._leaves[written.id] = answer.json()["id"]
        elif answer.json().get("code") == "leave_overlaps":
            # Played before on this data: the leave is registered already.
            listed = await self._send("GET", f"/institution/leaves?account={written.account}")
            for one in listed.json()["items"]:
                if _same(one, body):
                    self._leaves[written.id] = one["id"]
                    return listed
        return answer


def _same(known: dict[str, Any], asked: dict[str, Any]) -> bool:
    times = all(datetime.fromisoformat(known[end]) == datetime.fromisoformat(asked[end]) for end in ("since", "until"))
    return (
        times
        and known.get("revoked_at") is None
        and sorted(known["positions"]) == sorted(asked["positions"])
        and all(known[name] == asked[name] for name in ("account", "substitute"))
    )
