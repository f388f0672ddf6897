"""How things stand at the instant of a decision: what somebody may do, and which edition of the rules is in force.

One statement in one transaction, since every command waits for it. Nobody's name is decrypted for it.
"""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import bindparam, literal, select, union_all

from domain.decision import Actor
from storage.accounts import account_positions, account_roles, accounts
from storage.editions import UnknownEdition, editions
from storage.engine import Database

_ACCOUNT = select(accounts.c.id).where(accounts.c.id == bindparam("account"), accounts.c.disabled_at.is_(None))
_NEWEST = (
    select(editions.c.id)
    .where(editions.c.effective_from <= bindparam("on"))
    .order_by(editions.c.effective_from.desc(), editions.c.adopted_at.desc(), editions.c.id)
    .limit(1)
)
_LOOK = union_all(
    select(literal("edition").label("kind"), _NEWEST.scalar_subquery().label("value")),
    select(literal("role"), account_roles.c.role).where(account_roles.c.account.in_(_ACCOUNT)),
    select(literal("position"), account_positions.c.position).where(account_positions.c.account.in_(_ACCOUNT)),
).order_by("kind", "value")


@dataclass(frozen=True)
class Stands:
    """An actor, and the digest of the edition that is in force."""

    actor: Actor
    newest: str


class Standing:
    """Reads rights and rules as they are now; nothing of it is kept."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def look(self, account: str, on: date) -> Stands:
        """Return what holds for an account on a day: without roles if it is unknown or disabled.

        Of two editions that took effect on the same day the one adopted last holds. Raises UnknownEdition when none
        had taken effect.
        """
        async with self._database.reading() as connection:
            rows = (await connection.execute(_LOOK, {"account": account, "on": on})).all()
        found: dict[str, list[str]] = {"edition": [], "role": [], "position": []}
        for kind, value in rows:
            if value is not None:
                found[kind].append(value)
        if not found["edition"]:
            raise UnknownEdition(f"no edition of the rules is in force on {on}")
        actor = Actor.model_validate({"id": account, "roles": found["role"], "positions": found["position"]})
        return Stands(actor, found["edition"][0])
