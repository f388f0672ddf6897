"""Leave at the desks of a file: who stands in, from when until when; sealed when something changes, and only then.

It gives nobody a right: that is looked at again, in the registers, at the instant of signing.
"""

from collections.abc import Iterator
from datetime import datetime

from domain.amendment import EDITS
from domain.approval import right_at_desk
from domain.decision import Actor, Context
from domain.desk import COORDINATING, lies_on
from domain.events import EXTERNAL_AUTHORITY, DeskMoved, DeskReturned, DeskStandIn, Event, Right, StandInsNoted
from domain.institution import StandIn, Substitution
from domain.state import Delegation, StandsIn

ASKING = (
    frozenset(
        {
            "submit_request",
            "submit_change",
            "sign_off",
            "record_external_decision",
            "file_report",
            "return_report",
            "accept_report",
            "hand_over",
            "resume",
            "reopen_delegation",
            "review_desks",
        }
    )
    | EDITS
)
"""The commands that may bring a file to a desk, or change who may sign there: they need to know who is on leave.

An edit voids signatures that depended on it, so that their steps wait again.
"""


def stand_in_events(state: Delegation, context: Context) -> Iterator[Event]:
    """Yield what the registers' leave means for the desks that the file lies on now; nothing where it is known."""
    if context.stand_ins is None:
        return
    wanted = tuple(_touching(state, context.stand_ins, context))
    current = {_key(one): one for one in wanted if one.since <= context.now}
    over = [before for before in state.stand_ins if before.in_force and _key(before) not in current]
    for before in over:
        yield _returned(before)
    known = tuple(_plain(before) for before in state.stand_ins if before not in over)
    if known != wanted:
        yield StandInsNoted(stand_ins=wanted)
    moved = {_key(before) for before in state.stand_ins if before.in_force}
    for key, one in current.items():
        if key not in moved:
            yield _moved(one)


def stand_ins_passed(state: Delegation, now: datetime) -> Iterator[Event]:
    """Yield what the passing of time brought by now: leave that began, and leave that is over."""
    for one in state.stand_ins:
        if one.since <= now and not one.in_force:
            yield _moved(one)
        if one.until <= now:
            yield _returned(one)


def _touching(state: Delegation, stand_ins: tuple[StandIn, ...], context: Context) -> Iterator[DeskStandIn]:
    """Yield the leaves not yet over whose substitute could sign what waits at the position, once they begin."""
    for what, position in lies_on(state):
        if what == COORDINATING or position == EXTERNAL_AUTHORITY:
            continue
        for one in stand_ins:
            if one.position == position and one.until > context.now and _could_sign(state, what, one):
                shown = one.model_dump(exclude={"position", "person", "substitute_person", "granted_by"})
                yield DeskStandIn(what=what, position=position, **shown)


def _could_sign(state: Delegation, what: str, one: StandIn) -> bool:
    """Whether nothing else stands against the substitute: a file or trip of either's, another step, their own entry."""
    substitution = Substitution(
        leave=one.leave,
        account=one.account,
        position=one.position,
        tenure="",
        held_since=one.since,
        in_force=True,
        person=one.person,
        granted_by=one.granted_by,
    )
    actor = Actor(id=one.substitute, roles=("approver",), substitutions=(substitution,), person=one.substitute_person)
    return isinstance(right_at_desk(state, what, one.position, actor), Right)


def _key(one: DeskStandIn) -> tuple[str, str, str]:
    return one.what, one.position, one.leave


def _plain(one: StandsIn) -> DeskStandIn:
    return DeskStandIn(**one.model_dump(exclude={"in_force"}))


def _moved(one: DeskStandIn) -> DeskMoved:
    return DeskMoved(
        what=one.what,
        position=one.position,
        to=one.substitute,
        on_behalf_of=one.account,
        leave=one.leave,
        until=one.until,
    )


def _returned(one: DeskStandIn) -> DeskReturned:
    return DeskReturned(
        what=one.what, position=one.position, account=one.account, substitute=one.substitute, leave=one.leave
    )
