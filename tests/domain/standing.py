"""The institution of a scenario at an instant, without a store: what an account holds, and whom it stands in for."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from domain.canonical import sha256_hex
from domain.decision import Actor
from domain.institution import Leave, Organisation, Tenure, held_by, leave_contradiction, lineage, substitutions_of
from scenariofile import Actor as Account
from scenariofile import EndLeave, LeaveChange, RegisterLeave, Scenario
from scenariofile import Leave as WrittenLeave


def person_ref(who: str) -> str:
    """Return the reference of one of a scenario's people: made of the name, so that every play gives the same trail."""
    return f"per_{sha256_hex(who.encode())[:24]}"


@dataclass
class Standing:
    """Who holds which position since the day before the first step, and leave as registered so far."""

    scenario: Scenario
    leaves: dict[str, Leave] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Register what stands in the file from the start."""
        for written in self.scenario.leave:
            assert self._register(written) is None, f"leave {written.id} cannot be registered"

    @property
    def since(self) -> datetime:
        """When everything began."""
        return self.scenario.when(self.scenario.steps[0]).instant - timedelta(days=1)

    @property
    def tenures(self) -> tuple[Tenure, ...]:
        """Who holds what."""
        return tuple(
            Tenure(id=f"ten_{actor.id}_{position}", account=actor.id, position=position, since=self.since)
            for actor in self.scenario.actors
            for position in actor.positions
        )

    def above(self, organisation: str) -> tuple[str, ...]:
        """Return the organisations above one, upwards."""
        known = [
            Organisation(slug=one.id, kind=one.kind, parent=one.parent, name=one.name, since=self.since)
            for one in self.scenario.organisations
        ]
        return lineage(known, organisation, self.since)[1:]

    def actor(self, account: Account, now: datetime) -> Actor:
        """Return an account as a decision at an instant sees it."""
        held = held_by(account.id, self.tenures, now)
        persons = {one.id: person_ref(one.person) if one.person else None for one in self.scenario.actors}
        return Actor(
            id=account.id,
            roles=account.roles,
            positions=tuple(one.position for one in held),
            tenures=held,
            substitutions=tuple(
                one.model_copy(update={"person": persons[one.account]})
                for one in substitutions_of(account.id, self.tenures, self.leaves.values(), now)
            ),
            organisation=account.organisation,
            person=persons[account.id],
        )

    def change(self, change: LeaveChange, by: Account, now: datetime) -> str | None:
        """Change the register of leave as a step says; return the code of the refusal, if it is one."""
        if isinstance(change, RegisterLeave):
            written = change.entry(by.id)
            return self._not_theirs(written.account, by) or self._register(written)
        before = self.leaves[change.leave]
        ended = {"until": self.scenario.instant(change.until)} if isinstance(change, EndLeave) else {"revoked_at": now}
        after = before.model_copy(update=ended)
        refused = self._not_theirs(after.account, by) or leave_contradiction(self.leaves.values(), after)
        if refused is None:
            self.leaves[after.id] = after
        return refused

    def _register(self, written: WrittenLeave) -> str | None:
        leave = Leave(
            id=written.id,
            account=written.account,
            substitute=written.substitute,
            since=self.scenario.instant(written.since),
            until=self.scenario.instant(written.until),
            positions=written.positions,
        )
        refused = leave_contradiction(self.leaves.values(), leave)
        if refused is None:
            self.leaves[leave.id] = leave
        return refused

    def _not_theirs(self, account: str, by: Account) -> str | None:
        return None if account == by.id or "administrator" in by.roles else "leave_not_yours"
