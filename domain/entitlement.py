"""Who may sign, and by what right: the position held, nothing of one's own, and one desk of a chain for a person."""

from collections.abc import Collection

from domain.decision import Actor
from domain.events import Right


def right_to_sign(
    actor: Actor, position: str | None, prefix: str | None, *, own: Collection[str], elsewhere: Collection[str] = ()
) -> Right | str:
    """Return by what right somebody signs for a position, or the code of the refusal.

    `own` are the accounts whose request it is, `elsewhere` those that signed another step of the chain. Codes:
    `not_entitled_to_sign`, `own_request`, `signed_another_step` (four eyes).
    """
    if position is None or "approver" not in actor.roles or position not in actor.positions:
        return "not_entitled_to_sign"
    if actor.id in own:
        return "own_request"
    if actor.id in elsewhere:
        return "signed_another_step"
    return Right(position=position, prefix=prefix)
