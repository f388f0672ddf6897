"""Who is told what of the programme: the difference between what calendars hold and what they should hold.

RFC 5546 rules as they are kept here: one counter per item, raised with every mailed change and every CANCEL, never
reset (section 2.1.4); someone whose view did not change hears nothing; an item that is over is never cancelled.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from domain.amendment import unapproved
from domain.commands import Invite, RecordReply
from domain.decision import Context, Outcome, accept, refuse
from domain.events import (
    CalendarMessage,
    DelegationInvited,
    Event,
    InvitationsIssued,
    ProgrammePublished,
    ReplyRecorded,
)
from domain.state import Delegation, Item, Phase, Told


def reaches_calendars(state: Delegation) -> bool:
    """Whether people have been invited, so that a change of the programme is theirs to know."""
    return state.phase in (Phase.INVITING, Phase.UNDER_WAY)


def invite(state: Delegation, command: Invite, context: Context) -> Outcome:
    """Send the programme as it stands, and the letter where the rules have one. Refusals: `programme_empty`,
    `change_unapproved`.
    """
    items = tuple(item.id for item in state.items.values() if item.published and not item.cancelled)
    if not items:
        return refuse("programme_empty")
    if change := unapproved(state, context.edition):
        return refuse("change_unapproved", parts=list(change.changed))
    letter = state.letters + 1 if state.direction in context.edition.invitation_letter else 0
    return accept(ProgrammePublished(programme=state.programme + 1, items=items), DelegationInvited(letter=letter))


def record_reply(state: Delegation, command: RecordReply, context: Context) -> Outcome:
    """Refusals: `participant_unknown`, `item_unknown`, `not_invited` (never told of that item), `reply_stale`.

    Stale is what answers an older SEQUENCE than the last one sent to this person, or the same one by an older DTSTAMP
    than the answer there is (RFC 5546 section 2.1.5). A clock that runs ahead does not outdate the answers after it.
    """
    person = state.people.get(command.participant_id)
    if person is None:
        return refuse("participant_unknown", field="participant_id", member=command.participant_id)
    if command.item_id is not None:
        told = state.told.get(command.item_id)
        if command.item_id not in state.items:
            return refuse("item_unknown", field="item_id", item=command.item_id)
        if told is None or person.id not in told.holders:
            return refuse("not_invited", field="item_id", item=command.item_id)
        if command.sequence is not None and command.sequence < told.last_sent(person.id):
            return refuse("reply_stale", field="sequence", item=command.item_id)
    stamp = command.dtstamp and min(command.dtstamp, context.now)
    before = state.replies.get(f"{person.id}/{command.item_id or '*'}")
    if stamp and before and before.dtstamp and before.sequence == command.sequence and stamp < before.dtstamp:
        return refuse("reply_stale", field="dtstamp", item=command.item_id or "*")
    return accept(
        ReplyRecorded(
            participant_id=person.id,
            answer=command.answer,
            item_id=command.item_id,
            sequence=command.sequence,
            dtstamp=stamp,
            comment=command.comment,
            via=command.via,
        )
    )


def issue(
    state: Delegation, now: datetime, *, only: Collection[str] | None = None, withdraw: bool = False
) -> tuple[Event, ...]:
    """Return the event that puts messages on their way, or nothing where nobody's view changed."""
    messages = calendar_messages(state, now, only=only, withdraw=withdraw)
    if not messages:
        return ()
    return (InvitationsIssued(issue=len(state.issues) + 1, messages=tuple(_with_kept(state, messages))),)


def _with_kept(state: Delegation, messages: Sequence[CalendarMessage]) -> Iterator[CalendarMessage]:
    """Name, where an item's counter rises, the holders who hear nothing of it and answer an older one from then on."""
    for message in messages:
        told = state.told.get(message.item_id)
        if told is None or message.sequence == told.sequence:
            yield message
            continue
        addressed = {who for one in messages if one.item_id == message.item_id for who in one.to}
        kept = tuple(who for who in told.holders if who not in addressed)
        yield message.model_copy(update={"kept": kept})


def calendar_messages(
    state: Delegation, now: datetime, *, only: Collection[str] | None = None, withdraw: bool = False
) -> tuple[CalendarMessage, ...]:
    """Return the messages that bring every calendar from what it holds to what it should hold.

    `only` names the people whose coming or going is announced at once, between two publications: they get what the
    others were last told, not the draft. `withdraw` takes everything out of every calendar.
    """
    mailbox_of = {who: person.person.ref for who, person in state.people.items()}
    return tuple(
        message
        for item in state.items.values()
        for message in _messages(
            item,
            () if withdraw or item.cancelled or not item.published else state.attendees(item),
            state.told.get(item.id),
            now,
            only,
            mailbox_of,
        )
    )


def _messages(
    item: Item,
    wanted: tuple[str, ...],
    told: Told | None,
    now: datetime,
    only: Collection[str] | None,
    mailbox_of: Mapping[str, str],
) -> tuple[CalendarMessage, ...]:
    if told is None:
        if only is not None or not wanted or item.ends.instant <= now:
            return ()
        return (CalendarMessage(item_id=item.id, method="REQUEST", sequence=0, to=wanted, view=item.view),)

    view = told.view if only is not None else item.view
    over = told.view.ends.instant <= now
    changed = view != told.view
    asked = tuple(who for who in wanted if (changed or who not in told.holders) and _named(who, only))
    if view.ends.instant <= now:
        # Moved into the past, it goes to those who still have it before them; what was over already is left alone.
        asked = () if over else tuple(who for who in asked if who in told.holders)
    if only is not None and not told.holders:
        asked = ()
    # Whoever is on the file twice, or replaced by themselves under another id, keeps the entry in their one mailbox.
    kept = {mailbox_of[who] for who in wanted if who in told.holders or who in asked}
    gone = (who for who in told.holders if who not in wanted and _named(who, only))
    vanished = () if over else tuple(who for who in gone if mailbox_of[who] not in kept)

    # A newcomer to an unchanged item joins at the standing counter, unless a CANCEL already used it up for them,
    # under whatever name they come back.
    cancelled_for = {mailbox_of[who] for who in told.withdrawn_from}
    raised = bool(vanished) or (changed and bool(asked)) or any(mailbox_of[who] in cancelled_for for who in asked)
    sequence = told.sequence + raised
    messages = []
    if vanished:
        messages.append(
            CalendarMessage(item_id=item.id, method="CANCEL", sequence=sequence, to=vanished, view=told.view)
        )
    if asked:
        messages.append(CalendarMessage(item_id=item.id, method="REQUEST", sequence=sequence, to=asked, view=view))
    return tuple(messages)


def _named(who: str, only: Collection[str] | None) -> bool:
    return only is None or who in only
