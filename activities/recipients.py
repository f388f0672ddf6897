"""Who sits at the desks of a file, who of them can answer what waits there, and who is told where nobody can."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.decision import SYSTEM, Context
from domain.rules import Edition
from domain.state import Delegation
from domain.telling import Stuck, Told, cannot_answer, escalates_to, stuck_because
from domain.values import business_date
from storage.accounts import AccountDetails, Accounts
from storage.institution import Institution
from storage.standing import Standing, Stands


@dataclass(frozen=True)
class AtDesk:
    """Those at a desk who can answer what waits there; without any, `stuck` says why. `seated` are all of them."""

    able: tuple[AccountDetails, ...]
    stuck: tuple[Stuck, ...]
    seated: frozenset[str]


class Recipients:
    """Asks the registers as they stand, and the rule of the signature itself."""

    def __init__(self, accounts: Accounts, institution: Institution, standing: Standing) -> None:
        self._accounts = accounts
        self._institution = institution
        self._standing = standing

    async def at_desk(
        self, file: Delegation, what: str, positions: Iterable[str], edition: Edition, now: datetime
    ) -> AtDesk:
        """Return who can answer a step, or `report`, at the desks of its positions, and why the others cannot.

        Who stands in there now is among them.
        """
        seating = await self._institution.seating(now)
        standing_in = [one.substitute for one in file.stand_ins if one.what == what and one.in_force]
        holders = [who for position in positions for who in seating.holders(position, file.organisation)]
        seated = list(dict.fromkeys((*holders, *standing_in)))
        known = {one.id: one for one in await self._accounts.several(seated)}
        able, codes = [], []
        for who in seated:
            if who not in known:
                continue
            stands = await self._look(who, file, now)
            if code := cannot_answer(file, what, context_of(stands, edition, now)):
                codes.append(code)
            else:
                able.append(known[who])
        return AtDesk(tuple(able), () if able else stuck_because(codes), frozenset(seated))

    async def above(
        self, file: Delegation, positions: Sequence[str], late: frozenset[str], now: datetime
    ) -> tuple[Told, list[AccountDetails]]:
        """Return whom an escalation to these positions, one after the other, reaches now, and their accounts.

        Who is on leave hears of it with the substitute. Where nobody can be told at any of them it is the coordinator.
        """
        stands = await self._look(SYSTEM, file, now)
        seating = await self._institution.seating(now)
        standing_in = await self._standing.stand_ins(now, stands.lineage, stands.desks)
        seated = {
            position: [
                *seating.holders(position, file.organisation),
                *(one.substitute for one in standing_in if one.position == position and one.since <= now),
            ]
            for position in positions
        }
        accounts = await self._accounts.several({who for found in seated.values() for who in found})
        known = {one.id: one for one in accounts}
        reached = {
            position: [who for who in found if who in known and known[who].email] for position, found in seated.items()
        }
        told = escalates_to(positions, reached, late)
        return told, [known[who] for who in told.accounts] or await self.responsible(file, now)

    async def responsible(self, file: Delegation, now: datetime) -> list[AccountDetails]:
        """Return who has to see that a file goes on: its coordinator, else the administrators who reach it.

        That is where the coordinator's account is disabled, or has no address.
        """
        coordinator = await self._accounts.get(file.coordinator)
        if coordinator and coordinator.email:
            return [coordinator]
        lineage = await self._institution.lineage(file.organisation, now)
        return [
            one
            for one in await self._accounts.actors()
            if one.email and "administrator" in one.roles and (one.organisation is None or one.organisation in lineage)
        ]

    async def _look(self, account: str, file: Delegation, now: datetime) -> Stands:
        return await self._standing.look(account, now, on=business_date(now, file.zone), organisation=file.organisation)


def context_of(stands: Stands, edition: Edition, now: datetime) -> Context:
    """Return what a decision would ask of who stands so, to hear whether they could sign."""
    return Context(
        now=now,
        actor=stands.actor,
        edition=edition,
        newest=edition,
        lineage=stands.lineage,
        desks=dict(stands.desks),
    )
