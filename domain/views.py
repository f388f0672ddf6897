"""What each may see of the programme as it was published: (item, viewer, policy) -> the view that is theirs.

Nobody's view names the others who attend. What is not published yet is in nobody's view.
"""

from collections.abc import Iterable

from domain.commands import Role
from domain.events import CalendarView
from domain.state import GROUP_ROLES, Delegation, Published
from domain.values import Fact, Instant


class ViewPolicy(Fact):
    """Who sees more than what they are invited to: every item and every note. All others see what they attend."""

    everything: tuple[Role, ...] = ("coordinator",)


POLICY = ViewPolicy()


class Seen(Fact):
    """One item as one viewer may see it.

    `since` is when this version began to stand, `sequence` the counter of RFC 5546 section 2.1.4 as it stands.
    `cancelled` ones stay in sight, so that who saw them sees that they are gone.
    """

    item_id: str
    view: CalendarView
    since: Instant
    sequence: int
    cancelled: bool = False


def viewers(state: Delegation, item_id: str, policy: ViewPolicy = POLICY) -> tuple[str, ...]:
    """Return who is to have an item in their calendar, in the order in which they joined the file."""
    published = state.published.get(item_id)
    if published is None or published.cancelled:
        return ()
    return _viewers(state, published, policy)


def seen_by(state: Delegation, participant_id: str, policy: ViewPolicy = POLICY) -> tuple[Seen, ...]:
    """Return everything published that somebody on the file may see, in the order in which it was published.

    What was taken from them, or from everybody, is among it as cancelled, as long as they were ever told of it. Who
    has left the delegation sees only that.
    """
    person = state.people.get(participant_id)
    if person is None:
        return ()
    seen = []
    for item_id, published in state.published.items():
        mine = participant_id in _viewers(state, published, policy)
        told = state.told.get(item_id)
        had = told is not None and participant_id in (*told.holders, *told.withdrawn_from)
        if mine or had:
            gone = published.cancelled or not mine
            # Who is taken off an item is shown what they last had: what it became since is none of theirs.
            view = published.view if mine or told is None else told.view
            notes = notes_for(state, published, participant_id, policy) if mine else ()
            seen.append(_seen(state, item_id, published, view, notes, gone))
    return tuple(seen)


def seen_by_office(state: Delegation) -> tuple[Seen, ...]:
    """Return everything published, with every note: for those who run the delegation."""
    return tuple(
        _seen(state, item_id, published, published.view, _texts(published), published.cancelled)
        for item_id, published in state.published.items()
    )


def notes_for(
    state: Delegation, published: Published, participant_id: str, policy: ViewPolicy = POLICY
) -> tuple[str, ...]:
    """Return the notes of an item that are meant for somebody."""
    role = state.people[participant_id].role
    everything = role in policy.everything
    return tuple(
        note.text
        for note in published.notes
        if everything or participant_id in note.people or any(role in GROUP_ROLES[group] for group in note.groups)
    )


def _viewers(state: Delegation, published: Published, policy: ViewPolicy) -> tuple[str, ...]:
    invited = set(state.attendees(published))
    return tuple(
        who
        for who, person in state.people.items()
        if who in invited or (person.active and person.role in policy.everything)
    )


def _texts(published: Published) -> tuple[str, ...]:
    return tuple(note.text for note in published.notes)


def _seen(
    state: Delegation, item_id: str, published: Published, view: CalendarView, notes: Iterable[str], cancelled: bool
) -> Seen:
    told = state.told.get(item_id)
    return Seen(
        item_id=item_id,
        view=view.model_copy(update={"notes": tuple(notes), "announced": 0}),
        since=published.since,
        sequence=told.sequence if told else 0,
        cancelled=cancelled,
    )
