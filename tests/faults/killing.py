"""A scenario played with one kill -9 in it. Every step, every part and every moment is a cell of its own."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import httpx2

from scenariofile import Act, Scenario, Step, load_scenario
from scenarioplayer import Player, ScenarioFailed
from scenarioplayer.mailboxes import Mailboxes
from scenarioplayer.player import Played
from tests.installed import Installed

Moment = Literal["before", "during", "after"]
"""`before`: nothing of the step was sent. `during`: its request has just left. `after`: it was answered, and what it
asked for (mails, documents, deadlines) has only begun.
"""

PARTS = ("worker", "api", "temporal")
SCENARIO: Scenario = load_scenario(Path(__file__).parent / "small-visit.yaml")


@dataclass(frozen=True)
class Cell:
    """Which part dies, and when."""

    part: str
    moment: Moment
    step: str

    def __str__(self) -> str:
        return f"{self.part}-{self.moment}-{self.step}"


CELLS = tuple(Cell(part, moment, step.id) for part in PARTS for step in SCENARIO.steps for moment in get_args(Moment))


class KillingPlayer(Player):
    """Plays as people would, and calls `kill` once, at its cell's moment. Without a cell it only plays."""

    def __init__(
        self,
        base_url: str,
        administrator: str,
        mailboxes: Callable[[list[str]], Mailboxes],
        cell: Cell | None = None,
        kill: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(SCENARIO, base_url, administrator, mailboxes, lambda weeks: None, lambda played: None)
        self._cell = cell
        self._kill = kill
        self._now: Step | None = None
        self._killed_at: float | None = None
        self.stalled = 0.0

    async def _step(self, number: int, step: Step, mailboxes: Mailboxes, played: Played) -> None:
        self._now = step
        self._at("before")
        await super()._step(number, step, mailboxes, played)

    async def _settled(self, step: Step) -> int:
        self._at("after")
        return await super()._settled(step)

    async def _repeated(self, method: str, path: str, **request: Any) -> httpx2.Response:
        began = time.monotonic()
        answer = await super()._repeated(method, path, **request)
        if self._killed_at is not None:
            self.stalled = max(self.stalled, time.monotonic() - max(began, self._killed_at))
        return answer

    async def _once(self, method: str, path: str, **request: Any) -> httpx2.Response:
        async def watch(event: str, _details: dict[str, Any]) -> None:
            if event.endswith("send_request_body.complete"):
                self._at("during")

        if method == "POST" and self._asks(path):
            request["extensions"] = {"trace": watch}
        return await super()._once(method, path, **request)

    def _asks(self, path: str) -> bool:
        """Whether this is the request that is the step itself, not one that prepares it."""
        if isinstance(self._now, Act):
            return path == "/delegations" or path.endswith("/commands")
        return path == "/demo/clock"

    def _at(self, moment: Moment) -> None:
        here = self._now is not None and self._cell is not None and self._now.id == self._cell.step
        if here and self._killed_at is None and self._cell is not None and self._cell.moment == moment:
            self._killed_at = time.monotonic()
            self._kill()

    @property
    def delegation(self) -> str:
        return self._id

    @property
    def has_killed(self) -> bool:
        return self._killed_at is not None


def player(installed: Installed, cell: Cell | None = None, kill: Callable[[], None] = lambda: None) -> KillingPlayer:
    """A player of the small visit on a running installation."""
    base_url = installed.record.api_url
    return KillingPlayer(base_url, installed.token("root"), installed.mailboxes, cell, kill)


ADDRESSES = sorted({person.email for person in SCENARIO.people} | {str(actor.email) for actor in SCENARIO.actors})

__all__ = ["ADDRESSES", "CELLS", "PARTS", "SCENARIO", "Cell", "KillingPlayer", "ScenarioFailed", "player"]
