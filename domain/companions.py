"""Who goes with somebody through a visit, and by which way they are reached: the least that a journey needs.

Guests learn who leads them, speaks for them and receives them where they are themselves; those who serve learn the same
of each other. Nobody learns how a guest is reached, and nobody learns anything once the visit is over.
"""

from datetime import date
from typing import Literal

from domain.commands import Role
from domain.state import Delegation, Participant, Phase
from domain.values import Fact
from domain.views import seen_by, viewers

Way = Literal["phone", "email"]

WAYS: dict[Role, tuple[Way, ...]] = {
    "coordinator": ("phone", "email"),
    "escort": ("phone",),
    "interpreter": ("phone",),
    "host": (),
}
"""Who goes with others, in the order in which they are named, and how they are reached: a host by name alone."""

WHILE = (Phase.INVITING, Phase.UNDER_WAY)


class Companion(Fact):
    """Somebody on the file, and the ways by which they are reached."""

    participant_id: str
    role: Role
    ways: tuple[Way, ...]


def companions_of(state: Delegation, participant_id: str, today: date) -> tuple[Companion, ...]:
    """Return who goes with somebody on the file on a day in the file's zone.

    Coordinators on the file always, others only where both are at one published item that still takes place. Nobody
    before the invitations, after the last day, or for and of somebody who has left the file.
    """
    me = state.people.get(participant_id)
    if not accompanied(state, me, today):
        return ()
    mine = [one.item_id for one in seen_by(state, participant_id) if not one.cancelled]
    met = {who for item in mine for who in viewers(state, item)}
    return tuple(
        Companion(participant_id=one.id, role=role, ways=ways)
        for role, ways in WAYS.items()
        for one in state.people.values()
        if one.role == role and one.active and one.id != participant_id and (role == "coordinator" or one.id in met)
    )


def accompanied(state: Delegation, person: Participant | None, today: date) -> bool:
    """Return whether somebody has companions at all: on the file, invited, and the visit not over."""
    return person is not None and person.active and state.phase in WHILE and today <= state.ends
