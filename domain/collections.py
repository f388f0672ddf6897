"""What calendar collections are to hold of a delegation (CalDAV), and which events change it."""

from datetime import datetime

from domain import events as e
from domain.state import Delegation, Phase
from domain.views import Seen, seen_by, seen_by_office

SHOWN = frozenset({Phase.INVITING, Phase.UNDER_WAY, Phase.REPORTING, Phase.CLOSED})
"""Phases in which people have been invited: what was published before is nobody's to see yet."""

CHANGING = frozenset(
    kind.__name__
    for kind in (
        e.ProgrammePublished,
        e.DelegationInvited,
        e.MemberAdded,
        e.MemberReplaced,
        e.MemberWithdrawn,
        e.ParticipantAppointed,
        e.ParticipantReleased,
        e.ChannelChosen,
        e.DelegationConcluded,
        e.DelegationPostponed,
        e.DelegationResumed,
        e.DelegationCancelled,
        e.DelegationReopened,
    )
)


def wanted_by_person(state: Delegation, ref: str) -> dict[str, Seen]:
    """Return the items that somebody's collection is to hold, by item; `ref` is their reference in the register.

    Nothing unless they hear by CalDAV. Who is on the file under two ids sees an item once.
    """
    if state.phase not in SHOWN:
        return {}
    seen: dict[str, Seen] = {}
    for person in state.people.values():
        if person.person.ref == ref and person.channel == "caldav":
            seen |= _standing(seen_by(state, person.id))
    return seen


def wanted_by_office(state: Delegation) -> dict[str, Seen]:
    """Return the items that the collection of the organisation's office is to hold, by item."""
    return _standing(seen_by_office(state)) if state.phase in SHOWN else {}


def is_over(state: Delegation, item_id: str, at: datetime) -> bool:
    """Whether an item as last published had ended at an instant: what is over is not taken out of anybody's calendar.

    One that was never published is not over.
    """
    published = state.published.get(item_id)
    return published is not None and published.view.ends.instant <= at


def _standing(seen: tuple[Seen, ...]) -> dict[str, Seen]:
    return {one.item_id: one for one in seen if not one.cancelled}
