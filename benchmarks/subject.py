"""The subject: an approved inbound delegation with 20 people and 60 items, and the command that is timed on it.

The command is `move_item`: what a coordinator sends most, one event each, and nothing goes out before the programme is
published again.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any
from uuid import uuid4

from api.engine import Engine
from domain.decision import Receipt
from domain.values import PersonRef
from storage.accounts import AccountDetails
from storage.queries import Queries

PEOPLE, ITEMS, ITEMS_A_DAY = 20, 60, 8
FIRST_HOUR = 8

COORDINATOR = AccountDetails(id="coordinator", name="Trần Thị Lan", roles=("coordinator",))
APPROVERS = {
    position: AccountDetails(id=position.replace("_", "-"), name=name, roles=("approver",), positions=(position,))
    for position, name in (("department_head", "Lê Văn Hùng"), ("vice_president", "Phạm Thị Mai"))
}
ACCOUNTS = (COORDINATOR, *APPROVERS.values())


@dataclass
class Subject:
    """One delegation of the benchmark and the commands still to come."""

    id: str
    starts: date
    _moves: Iterator[int] = field(default_factory=count)

    def move(self) -> dict[str, Any]:
        """Return the next command: an item goes half an hour later, and in the next turn back."""
        number = next(self._moves)
        item, later = number % ITEMS, (number // ITEMS + 1) % 2
        return {"type": "move_item", "item_id": f"i{item}", **_times(self.starts, item, 30 * later)}

    def moves(self, how_many: int) -> list[dict[str, Any]]:
        """Return a batch of commands."""
        return [self.move() for _ in range(how_many)]


def _times(starts: date, item: int, minutes: int) -> dict[str, Any]:
    day, slot = divmod(item, ITEMS_A_DAY)
    begins = datetime(starts.year, starts.month, starts.day, FIRST_HOUR, tzinfo=UTC)
    begins += timedelta(days=day, hours=slot, minutes=minutes)
    return {
        "starts": {"local": begins.strftime("%Y-%m-%dT%H:%M")},
        "ends": {"local": (begins + timedelta(minutes=30)).strftime("%Y-%m-%dT%H:%M")},
    }


async def prepare(engine: Engine, queries: Queries, people: list[PersonRef], today: date) -> Subject:
    """Open a delegation, fill it, have it approved, and return it."""
    subject = Subject(id=f"bench-{uuid4().hex[:12]}", starts=today + timedelta(days=120))

    async def send(*commands: dict[str, Any], by: AccountDetails = COORDINATOR) -> Receipt:
        return await engine.execute(subject.id, commands, actor=by.id, key=uuid4().hex)

    await send(_opening(subject))
    await send(
        *(
            {
                "type": "add_member",
                "member_id": f"m{number}",
                "person": person.model_dump(),
                "role": "member" if number else "head",
                "country": "JP",
            }
            for number, person in enumerate(people)
        )
    )
    await send(
        *(
            {
                "type": "schedule_item",
                "item_id": f"i{item}",
                "title": f"Làm việc với sở, phiên {item}",
                "place": "Hội trường tầng 2",
                "audience": {"groups": ["delegates", "escorts", "coordinators"]},
                **_times(subject.starts, item, 0),
            }
            for item in range(ITEMS)
        )
    )
    receipt = await send({"type": "submit_request"})
    while True:
        await queries.wait_for_seq(subject.id, receipt.last_seq)
        found = await queries.get(subject.id)
        assert found is not None
        step, proposal = found.state.open_step, found.state.proposal
        if step is None or proposal is None:
            break
        signed = {"type": "sign_off", "step_id": step.id, "dossier_digest": proposal.digest}
        receipt = await send(signed, by=APPROVERS[step.plan.position])
    await send({"type": "issue_decision", "number": "12/QĐ-LH"})
    return subject


def _opening(subject: Subject) -> dict[str, Any]:
    return {
        "type": "open_delegation",
        "direction": "inbound",
        "title": "Đoàn Hội hữu nghị Tokyo",
        "purpose": "Trao đổi về hợp tác địa phương",
        "organisation": "song-lam",
        "partner": "Tokyo Friendship Association",
        "countries": ["JP"],
        "places": ["Hà Nội"],
        "starts": subject.starts.isoformat(),
        "ends": (subject.starts + timedelta(days=ITEMS // ITEMS_A_DAY)).isoformat(),
        "grade": "C",
    }
