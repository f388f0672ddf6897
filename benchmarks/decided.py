"""Files that are decided in this process: real commands and real events, written to the read tables without an engine.

Everything happens at one instant; no deadline comes on the way.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from api.installation import Installation
from domain.canonical import digest_of
from domain.decide import decide_all
from domain.decision import Actor, Context, DecideInput, Envelope
from domain.rules import Edition
from domain.seal import Head, genesis
from domain.state import Delegation
from domain.values import PersonRef
from storage.projection import Projection

DAYS, FIRST_HOUR = 8, 7


@dataclass
class Decided:
    """One file and what it has become. `name` is its id."""

    at: Installation
    projection: Projection
    edition: Edition
    now: datetime
    name: str = field(default_factory=lambda: f"decided-{uuid4().hex[:12]}")
    state: Delegation | None = None
    head: Head = field(init=False)

    def __post_init__(self) -> None:
        """Begin with an empty chain."""
        self.head = genesis(self.name)

    @property
    def file(self) -> Delegation:
        """The file as it stands; it was opened."""
        assert self.state is not None
        return self.state

    async def send(self, by: Actor, *commands: dict[str, Any]) -> None:
        """Decide commands as one and write what came of it. RuntimeError where they are refused."""
        envelope = Envelope(
            delegation=self.name,
            command_id=uuid4().hex,
            actor=by.id,
            commands=commands,
            digest=digest_of(list(commands)),
        )
        lineage = (self.state.organisation if self.state else str(commands[0]["organisation"]),)
        context = Context(now=self.now, actor=by, edition=self.edition, newest=self.edition, lineage=lineage)
        asked = DecideInput(state=self.state, head=self.head, envelope=envelope, now=self.now)
        decision, self.state, self.head = decide_all(asked, context)
        if decision.refusal is not None:
            raise RuntimeError(f"{commands[0]['type']}: {decision.refusal.code} {decision.refusal.params}")
        await self.projection.project(self.name, decision.events)


@dataclass(frozen=True)
class Filling:
    """Who and what is put into a file: delegates, the first of them at its head; hosts; items of a programme.

    `approvers` are by position, and sign every step.
    """

    coordinator: Actor
    approvers: dict[str, Actor]
    delegates: Sequence[PersonRef]
    hosts: Sequence[PersonRef] = ()
    items: int = 0
    starts: date = field(default_factory=lambda: datetime.now(UTC).date() + timedelta(days=120))


async def opened(one: Decided, filling: Filling, title: str = "Đoàn đại biểu các tổ chức hữu nghị Nhật Bản") -> None:
    """Open a file and fill it."""
    await one.send(
        filling.coordinator,
        {
            "type": "open_delegation",
            "direction": "inbound",
            "title": title,
            "purpose": "Trao đổi về hợp tác địa phương",
            "organisation": "song-lam-union",
            "partner": "Hội Hữu nghị Nhật – Việt",
            "countries": ["JP"],
            "places": ["Hà Nội", "Huế"],
            "starts": filling.starts.isoformat(),
            "ends": (filling.starts + timedelta(days=DAYS)).isoformat(),
            "grade": "C",
        },
    )
    if joining := [*_joining(filling)]:
        await one.send(filling.coordinator, *joining)
    if filling.items:
        await one.send(filling.coordinator, *(_item(filling.starts, number) for number in range(filling.items)))


async def submitted(one: Decided, filling: Filling) -> None:
    """Submit a file."""
    await one.send(filling.coordinator, {"type": "submit_request"})


async def approved(one: Decided, filling: Filling) -> None:
    """Submit a file, have it signed by everybody, and issue the decision."""
    await submitted(one, filling)
    while (step := one.file.open_step) and (proposal := one.file.proposal):
        signed = {"type": "sign_off", "step_id": step.id, "dossier_digest": proposal.digest}
        await one.send(filling.approvers[step.waits_for[0]], signed)
    await one.send(filling.coordinator, {"type": "issue_decision", "number": "12/QĐ-LH"})


async def invited(one: Decided, filling: Filling) -> None:
    """Have a file approved, publish its programme, and invite everybody."""
    await approved(one, filling)
    await one.send(filling.coordinator, {"type": "publish_programme"})
    await one.send(filling.coordinator, {"type": "invite"})


async def moved(one: Decided, filling: Filling, times: int, *, at_once: int = 50) -> None:
    """Move the items of a programme, one after the other, again and again."""
    for first in range(0, times, at_once):
        some = range(first, min(first + at_once, times))
        await one.send(filling.coordinator, *(_move(filling, number) for number in some))


def _joining(filling: Filling) -> Iterator[dict[str, Any]]:
    for number, person in enumerate(filling.delegates):
        role = "member" if number else "head"
        joining = {"type": "add_member", "member_id": f"m-{number}", "role": role, "country": "JP"}
        yield joining | {"person": person.model_dump()}
    for number, person in enumerate(filling.hosts):
        joining = {"type": "appoint_participant", "participant_id": f"h-{number}", "role": "host"}
        yield joining | {"person": person.model_dump()}


def _item(starts: date, number: int) -> dict[str, Any]:
    return {
        "type": "schedule_item",
        "item_id": f"i-{number}",
        "title": f"Làm việc với sở, phiên {number}",
        "place": ("Hà Nội", "Huế", "Trụ sở Liên hiệp", "Khách sạn")[number % 4],
        "audience": {"groups": ["delegates", "hosts"]},
        **_times(starts, number, 0),
    }


def _move(filling: Filling, number: int) -> dict[str, Any]:
    item, later = number % filling.items, (number // filling.items + 1) % 2
    return {"type": "move_item", "item_id": f"i-{item}", **_times(filling.starts, item, 15 * later)}


def _times(starts: date, item: int, minutes: int) -> dict[str, Any]:
    slot, day = divmod(item, DAYS)
    begins = datetime(starts.year, starts.month, starts.day, FIRST_HOUR, tzinfo=UTC)
    begins += timedelta(days=day, hours=slot, minutes=minutes)
    return {
        "starts": {"local": begins.strftime("%Y-%m-%dT%H:%M")},
        "ends": {"local": (begins + timedelta(minutes=45)).strftime("%Y-%m-%dT%H:%M")},
    }
