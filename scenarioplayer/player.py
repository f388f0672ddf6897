"""The player: one step after the other, each at its business time, through the public API."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx2

from scenariofile import (
    Act,
    DigestNamed,
    FileNamed,
    PersonNamed,
    Placeholder,
    Scenario,
    Step,
    TextWritten,
    expand,
    fill,
    placeholders,
    shifted,
)
from scenarioplayer.institution import Institution
from scenarioplayer.mailboxes import Arrived, Mailboxes
from scenarioplayer.summary import Due, Refused, Summary, Trail

A_YEAR_OF_WEEKS = 52
"""Whole years of 52 weeks keep the weekdays and, for some years, the nights on which European clocks change."""

HEAD_START = timedelta(hours=1)
SETTLE_WITHIN = 60.0
"""Seconds for what a step asked for (mails, documents) to be done and recorded."""


PAUSES = (0.1, 0.2, 0.3, 0.4, *(0.5,) * 8, 1.0, 2.0, 3.0)
"""Seconds between repetitions of a request that met nobody or a 503."""


class ScenarioFailed(Exception):
    """A step did not go as the scenario says; the message names the step and what was answered."""


@dataclass(frozen=True)
class StepPlayed:
    """One step as it went. `at` is its instant; `calendars` counts the mailboxes that got calendar messages."""

    step: Step
    number: int
    of: int
    at: datetime
    refused: str | None
    calendars: int
    messages: Counter[str]


@dataclass
class Played:
    """What has been played so far."""

    calendars: dict[str, int] = field(default_factory=dict)
    messages: Counter[str] = field(default_factory=Counter)
    refusals: list[Refused] = field(default_factory=list)
    issues: int = 0


class Player:
    """Plays one scenario through the API at `base_url` (`http://host:port`), with an administrator's token."""

    def __init__(
        self,
        scenario: Scenario,
        base_url: str,
        administrator: str,
        mailboxes: Callable[[list[str]], Mailboxes],
        began: Callable[[int], None],
        progress: Callable[[StepPlayed], None],
    ) -> None:
        """`mailboxes` opens the mailboxes of addresses.

        `began` hears by how many weeks the scenario is played later, `progress` of each step once it is settled.
        """
        self._written = scenario
        self._base_url = base_url
        self._administrator = administrator
        self._open_mailboxes = mailboxes
        self._began = began
        self._progress = progress
        self._values: dict[Placeholder, Any] = {}
        self._tokens: dict[str, str] = {}
        self._proposals: list[str] = []
        self._reports: list[str] = []
        self._seen = 0

    async def play(self) -> Summary:
        """Play every step and return what came of it. Raises ScenarioFailed."""
        weeks = weeks_into_the_future(self._written, datetime.now(UTC))
        scenario = self._scenario = shifted(self._written, weeks=weeks)
        self._began(weeks)
        mailboxes = self._open_mailboxes(sorted({person.email for person in scenario.people}))
        async with httpx2.AsyncClient(base_url=f"{self._base_url}/api/v1", timeout=60.0) as client:
            self._client = client
            self._id = await self._free_id(scenario.delegation)
            await self._open_accounts()
            await mailboxes.look()
            began, played = time.monotonic(), Played()
            for number, step in enumerate(scenario.steps, 1):
                await self._step(number, step, mailboxes, played)
            return await self._summary(weeks, played, time.monotonic() - began)

    async def _step(self, number: int, step: Step, mailboxes: Mailboxes, played: Played) -> None:
        at = self._scenario.when(step).instant
        await self._answer(
            await self._send("POST", "/demo/clock", {"delegation": self._id, "to": at.isoformat()}), step
        )
        refused = await self._act(step) if isinstance(step, Act) else None
        if refused:
            played.refusals.append(Refused(step=step.id, code=refused))
        issues = await self._settled(step)
        await self._brought(step)
        # Every mailbox is opened only where the file says that something was sent, and once more at the end.
        looks = issues != played.issues or number == len(self._scenario.steps)
        arrived = await mailboxes.look() if looks else Arrived()
        played.issues = issues
        if arrived.mailboxes:
            played.calendars[step.id] = len(arrived.mailboxes)
            played.messages += arrived.methods
        self._progress(
            StepPlayed(
                step=step,
                number=number,
                of=len(self._scenario.steps),
                at=at,
                refused=refused,
                calendars=len(arrived.mailboxes),
                messages=arrived.methods,
            )
        )

    async def _brought(self, step: Step) -> None:
        """Wait until the events came that the step is to bring. Raises ScenarioFailed where others did."""
        give_up = time.monotonic() + SETTLE_WITHIN
        while True:
            types = await self._types_since(self._seen)
            wanted = step.expect.events if step.expect else None
            if step.expect is None or wanted is None or step.expect.came(types) == wanted:
                self._seen += len(types)
                return
            if time.monotonic() > give_up:
                came = ", ".join(step.expect.came(types)) or "none of them"
                raise ScenarioFailed(f"Step {step.id} was to bring {', '.join(wanted)}, but what came is {came}.")
            await asyncio.sleep(0.05)

    async def _types_since(self, seq: int) -> list[str]:
        found: list[str] = []
        after: int | None = seq
        while after is not None:
            answer = await self._send("GET", f"/delegations/{self._id}/events?after={after}")
            if answer.status_code == 404:
                return []
            page = answer.json()
            found += [event["type"] for event in page["items"]]
            after = page["next_after"]
        return found

    async def _act(self, step: Act) -> str | None:
        if change := step.leave_change:
            return await self._as_expected(await self._institution.change_leave(change, step.by), step)
        asked = expand(self._scenario, step)
        values = {one: await self._value(one, step) for one in placeholders(asked)}
        bodies = fill(asked, values)
        if bodies[0]["type"] == "open_delegation":
            path, body = "/delegations", {"id": self._id, "commands": list(bodies)}
        else:
            path = f"/delegations/{self._id}/commands"
            body = bodies[0] if len(bodies) == 1 else {"commands": list(bodies)}
        return await self._as_expected(await self._send("POST", path, body, actor=step.by), step)

    async def _as_expected(self, answer: httpx2.Response, step: Act) -> str | None:
        if step.expect is not None and step.expect.refused is not None:
            code = answer.json().get("code") if answer.status_code >= 400 else None
            if code != step.expect.refused:
                raise ScenarioFailed(
                    f"Step {step.id} was to be refused with {step.expect.refused}, but the answer is "
                    f"{code or 'a success'}."
                )
            return str(code)
        await self._answer(answer, step)
        return None

    async def _value(self, placeholder: Placeholder, step: Act) -> Any:
        if isinstance(placeholder, DigestNamed):
            return await self._digest(placeholder, step)
        if placeholder not in self._values:
            self._values[placeholder] = await self._registered(placeholder, step)
        return self._values[placeholder]

    async def _registered(self, placeholder: Placeholder, step: Act) -> Any:
        match placeholder:
            case PersonNamed(id=person):
                details = self._scenario.person(person).details
                return await self._answer(await self._send("POST", "/persons", details, actor=step.by), step)
            case TextWritten(text=text):
                path = f"/delegations/{self._id}/texts"
                return await self._answer(await self._send("POST", path, {"text": text}, actor=step.by), step)
            case FileNamed(id=attachment):
                content, media_type = self._scenario.content(attachment)
                headers = {**self._headers(step.by), "Content-Type": media_type}
                return await self._answer(
                    await self._repeated("POST", "/attachments", content=content, headers=headers), step
                )
            case _:
                raise ScenarioFailed(f"Step {step.id} names something that cannot be found: {placeholder}.")

    async def _digest(self, named: DigestNamed, step: Act) -> str:
        file = await self._file()
        self._remember(file)
        known = self._proposals if named.of == "dossier" else self._reports
        number = len(known) if named.number is None else named.number
        if not 1 <= number <= len(known):
            raise ScenarioFailed(f"Step {step.id} names a {named.of} that was never handed in.")
        return known[number - 1]

    def _remember(self, file: dict[str, Any]) -> None:
        for name, known in (("proposal", self._proposals), ("report", self._reports)):
            handed_in = file["state"].get(name)
            if handed_in and handed_in["number"] > len(known):
                known.append(handed_in["digest"])

    async def _settled(self, step: Step) -> int:
        """Wait until every issue of invitations has its outcome, and return how many there are."""
        give_up = time.monotonic() + SETTLE_WITHIN
        while True:
            answer = await self._send("GET", f"/delegations/{self._id}")
            if answer.status_code == 404:
                return 0
            file = await self._answer(answer, step)
            self._remember(file)
            if until := file["state"].get("quiet_until"):
                # Nobody changes anything more: the minutes in which they could have pass.
                await self._answer(await self._send("POST", "/demo/clock", {"delegation": self._id, "to": until}), step)
                continue
            issues = file["state"]["issues"]
            if all(issue["sent"] is not None for issue in issues):
                return len(issues)
            if time.monotonic() > give_up:
                raise ScenarioFailed(f"Step {step.id}: the invitations were not all sent within a minute.")
            await asyncio.sleep(0.05)

    async def _free_id(self, wanted: str) -> str:
        """Return the scenario's own id, or one with a number where it was played before on this data."""
        number, found = 1, wanted
        while (await self._send("GET", f"/delegations/{found}")).status_code != 404:
            number += 1
            found = f"{wanted}-{number}"
        return found

    async def _open_accounts(self) -> None:
        self._institution = Institution(self._scenario, self._send, _accepted)
        await self._institution.enter()
        # Whoever belongs to one of the people comes last: somebody who may has to enter that person first.
        actors = sorted(self._scenario.actors, key=lambda actor: actor.person is not None)
        clerk = next((actor.id for actor in actors if "coordinator" in actor.roles), None)
        for actor in actors:
            person = None
            if actor.person is not None:
                details = self._scenario.person(actor.person).details
                answer = await self._send("POST", "/persons", details, actor=clerk)
                entered = _accepted(f"The person {actor.person} could not be entered", answer)
                self._values[PersonNamed(actor.person)] = entered
                person = entered["ref"]
            await self._institution.open_account(actor, person)
            answer = await self._send("POST", f"/accounts/{actor.id}/tokens", {})
            self._tokens[actor.id] = _accepted(f"The account {actor.id} got no token", answer)["token"]
        await self._institution.register_leave()

    async def _summary(self, weeks: int, played: Played, seconds: float) -> Summary:
        file = await self._file()
        ceilings = (await self._send("GET", f"/delegations/{self._id}/ceilings")).json()["items"]
        return Summary(
            scenario=self._scenario.scenario,
            delegation=self._id,
            shifted_weeks=weeks,
            phase=file["phase"],
            head_count=file["head_count"],
            calendars_reached=played.calendars,
            messages=dict(sorted(played.messages.items())),
            ceilings_vnd=[one["total_vnd"] for one in ceilings],
            deadlines=[
                Due(
                    what=one["what"],
                    due=one["due_on"],
                    rule=f"{one['rule']['rule']} v{one['rule']['version']}",
                    status=one["status"],
                )
                for one in sorted(file["state"]["deadlines"].values(), key=lambda one: (one["due_on"], one["what"]))
            ],
            refusals=played.refusals,
            trail=Trail(length=file["seq"], head=file["head"]),
            seconds=round(seconds, 2),
        )

    async def _file(self) -> dict[str, Any]:
        answer = await self._send("GET", f"/delegations/{self._id}")
        found: dict[str, Any] = answer.json()
        return found

    def _headers(self, actor: str | None) -> dict[str, str]:
        token = self._tokens[actor] if actor else self._administrator
        return {"Authorization": f"Bearer {token}", "Idempotency-Key": uuid4().hex}

    async def _send(self, method: str, path: str, body: Any = None, *, actor: str | None = None) -> httpx2.Response:
        return await self._repeated(method, path, json=body, headers=self._headers(actor))

    async def _repeated(self, method: str, path: str, **request: Any) -> httpx2.Response:
        """Ask until there is an answer other than 503; the same key asks for the same result, so that is safe."""
        for pause in PAUSES:
            try:
                answer = await self._once(method, path, **request)
            except httpx2.TransportError:
                await asyncio.sleep(pause)
                continue
            if answer.status_code != 503:
                return answer
            await asyncio.sleep(pause)
        return await self._once(method, path, **request)

    async def _once(self, method: str, path: str, **request: Any) -> httpx2.Response:
        return await self._client.request(method, path, **request)

    async def _answer(self, answer: httpx2.Response, step: Step) -> Any:
        if answer.status_code >= 400:
            raise ScenarioFailed(f"Step {step.id} was refused: {_told(answer)}")
        return answer.json()


def weeks_into_the_future(scenario: Scenario, now: datetime) -> int:
    """Return by how many weeks, a multiple of 52, a scenario is to be played later: its first step is still to come."""
    first, weeks = scenario.when(scenario.steps[0]).instant, 0
    while first + timedelta(weeks=weeks) < now + HEAD_START:
        weeks += A_YEAR_OF_WEEKS
    return weeks


def _accepted(what: str, answer: httpx2.Response) -> Any:
    if answer.status_code >= 400:
        raise ScenarioFailed(f"{what}: {_told(answer)}")
    return answer.json()


def _told(answer: httpx2.Response) -> str:
    try:
        problem = answer.json()
    except ValueError:
        return f"{answer.status_code}."
    where = "; ".join(f"{one.get('field')}: {one.get('message')}" for one in problem.get("errors", []))
    return f"{problem.get('code')}: {problem.get('detail')}" + (f" ({where})" if where else "")
