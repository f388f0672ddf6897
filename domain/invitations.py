"""Who is told what of the programme: the difference between what calendars hold and what they should hold.

RFC 5546 rules as they are kept here: one counter per item, raised with every mailed change and every CANCEL, never
reset (section 2.1.4); someone whose view did not change hears nothing; an item that is over is never cancelled.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

from domain.amendment import unapproved
from domain.commands import ChooseChannel, Invite, RecordReply
from domain.decision import Context, Outcome, accept, participant_of, refuse
from domain.events import (
    CalendarMessage,
    ChannelChosen,
    DelegationInvited,
    Event,
    InvitationsIssued,
    ProgrammePublished,
    QuietWindowClosed,
    QuietWindowOpened,
    ReplyRecorded,
)
from domain.rules import Edition
from domain.state import Delegation, Participant, Phase, Published, Told
from domain.views import notes_for, viewers


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
    """Refusals: `participant_unknown`, `not_yourself`, `item_unknown`, `not_invited` (it is not in their calendar),
    `reply_stale`.

    Stale is what answers an older SEQUENCE than the last one sent to this person, or the same one by an older DTSTAMP
    than the answer there is (RFC 5546 section 2.1.5). A clock that runs ahead does not outdate the answers after it.
    """
    person = state.people.get(command.participant_id)
    if person is None:
        return refuse("participant_unknown", field="participant_id", member=command.participant_id)
    if participant_of(context.actor.id) not in (None, person.id):
        return refuse("not_yourself", field="participant_id")
    told = state.told.get(command.item_id) if command.item_id else None
    if command.item_id is not None:
        if command.item_id not in state.items:
            return refuse("item_unknown", field="item_id", item=command.item_id)
        if not _has(state, person, command.item_id):
            return refuse("not_invited", field="item_id", item=command.item_id)
        if told and command.sequence is not None and command.sequence < told.last_sent(person.id):
            return refuse("reply_stale", field="sequence", item=command.item_id)
    stamp = command.dtstamp and min(command.dtstamp, context.now)
    before = state.replies.get(f"{person.id}/{command.item_id or '*'}")
    if stamp and before and before.dtstamp:
        # No version is newer than the one there is, whatever somebody's program makes of the number.
        newest = told.sequence if told else 0
        ours, theirs = (min(sequence or 0, newest) for sequence in (command.sequence, before.sequence))
        if (ours, stamp) < (theirs, before.dtstamp):
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


def _has(state: Delegation, person: Participant, item_id: str) -> bool:
    """Whether an item is in somebody's calendar, by whatever channel it came there."""
    told = state.told.get(item_id)
    if person.by_mail:
        return told is not None and person.id in told.holders
    return reaches_calendars(state) and person.id in viewers(state, item_id)


def choose_channel(state: Delegation, command: ChooseChannel, context: Context) -> Outcome:
    """Refusals: `participant_unknown`, `not_yourself` (somebody on the file chooses for themselves only),
    `channel_unchanged`, `collection_missing` (nothing would reach them).
    """
    person = state.people.get(command.participant_id)
    if person is None or not person.active:
        return refuse("participant_unknown", field="participant_id", member=command.participant_id)
    if participant_of(context.actor.id) not in (None, person.id):
        return refuse("not_yourself", field="participant_id")
    if command.channel == (person.channel or "mail"):
        return refuse("channel_unchanged", field="channel")
    if command.channel == "caldav" and person.id in context.uncollected:
        return refuse("collection_missing", field="channel")
    return accept(ChannelChosen(participant_id=person.id, channel=command.channel))


def to_be_collected(state: Delegation | None, commands: Iterable[Mapping[str, object]]) -> dict[str, str]:
    """Return the references of those on the file who are to hear by a collection, by their ids on it."""
    chosen = (one for one in commands if one.get("type") == "choose_channel" and one.get("channel") == "caldav")
    people = state.people if state else {}
    named = (str(one.get("participant_id")) for one in chosen)
    return {who: people[who].person.ref for who in named if who in people}


def issue(state: Delegation, context: Context, *, quietly: bool = False) -> Iterator[Event]:
    """Yield the event that puts messages on their way, or nothing where nobody's view changed.

    With `quietly`, what is not urgent waits for the quiet window to end: the events then are what cannot wait, and the
    opening of the window where there is none yet.
    """
    messages = calendar_messages(state, context.now, known_only=_awaits_approval(state, context.edition))
    waiting = tuple(one for one in messages if quietly and _may_wait(state, one, context))
    if at_once := tuple(one for one in messages if one not in waiting):
        yield InvitationsIssued(issue=len(state.issues) + 1, messages=tuple(_with_kept(state, at_once)))
    if waiting and state.quiet_until is None:
        yield QuietWindowOpened(until=context.now + timedelta(minutes=context.edition.quiet_minutes))


def quiet_window_passed(state: Delegation, context: Context) -> tuple[Event, ...]:
    """Return what follows from the end of the quiet window: the messages, or that there is nothing left to tell."""
    if state.quiet_until is None or state.quiet_until > context.now:
        return ()
    return tuple(issue(state, context)) or (QuietWindowClosed(),)


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


def untold(state: Delegation, edition: Edition) -> tuple[CalendarMessage, ...]:
    """Return what goes out when the quiet window ends, if nothing changes until then."""
    if state.quiet_until is None:
        return ()
    return calendar_messages(state, state.quiet_until, known_only=_awaits_approval(state, edition))


def _awaits_approval(state: Delegation, edition: Edition) -> bool:
    """While a change waits for approval, who leaves is told, and who joins hears with what is approved."""
    return reaches_calendars(state) and unapproved(state, edition) is not None


def _may_wait(state: Delegation, message: CalendarMessage, context: Context) -> bool:
    soon = context.now + timedelta(hours=context.edition.quiet_unless_within_hours)
    told = state.told.get(message.item_id)
    starts = [message.view.starts.instant, *([told.view.starts.instant] if told else [])]
    return context.edition.quiet_minutes > 0 and min(starts) >= soon


def calendar_messages(state: Delegation, now: datetime, *, known_only: bool = False) -> tuple[CalendarMessage, ...]:
    """Return the messages that bring every mailbox from what it holds to what it should hold as published.

    `known_only` leaves out whoever came after the last publication and holds nothing yet.
    """
    mailbox_of = {who: person.person.ref for who, person in state.people.items()}
    left_out = frozenset(_newcomers(state)) if known_only else frozenset[str]()
    return tuple(
        message
        for item_id in {**state.published, **state.told}
        for message in _messages(
            item_id,
            state.published.get(item_id),
            tuple(who for who in by_mail(state, item_id) if who not in left_out),
            state.told.get(item_id),
            now,
            mailbox_of,
            partial(_reads_anew, state, item_id),
        )
    )


def _reads_anew(state: Delegation, item_id: str, who: str) -> bool:
    """Whether somebody who holds an item would read other words in it: its title, or notes that are meant for them."""
    told, published = state.told[item_id], state.published[item_id]
    noted_then = published.model_copy(update={"notes": told.notes})
    return published.view.title != told.view.title or (
        notes_for(state, published, who) != notes_for(state, noted_then, who)
    )


def newcomers_wait(state: Delegation, now: datetime) -> bool:
    """Return whether somebody who came after the last publication is still to hear of it."""
    everything = calendar_messages(state, now) if reaches_calendars(state) else ()
    return everything != () and everything != calendar_messages(state, now, known_only=True)


def by_mail(state: Delegation, item_id: str) -> tuple[str, ...]:
    """Return whose mailbox is to hold an item: who may see it, as it was last published, and hears by mail."""
    return tuple(who for who in viewers(state, item_id) if state.people[who].by_mail)


def _newcomers(state: Delegation) -> set[str]:
    hold = {who for told in state.told.values() for who in told.holders}
    return set(state.people) - set(state.published_for) - hold


def _messages(
    item_id: str,
    published: Published | None,
    wanted: tuple[str, ...],
    told: Told | None,
    now: datetime,
    mailbox_of: Mapping[str, str],
    reads_anew: Callable[[str], bool],
) -> tuple[CalendarMessage, ...]:
    if told is None:
        if published is None or not wanted or published.view.ends.instant <= now:
            return ()
        return (CalendarMessage(item_id=item_id, method="REQUEST", sequence=0, to=wanted, view=published.view),)

    view = published.view if published else told.view
    over = told.view.ends.instant <= now
    changed = view.mailed() != told.view.mailed()
    moved = view.whereabouts() != told.view.whereabouts()
    held, still = frozenset(told.holders), frozenset(wanted)
    asked = tuple(who for who in wanted if who not in held or moved or (changed and reads_anew(who)))
    if view.ends.instant <= now:
        # Moved into the past, it goes to those who still have it before them; what was over already is left alone.
        asked = () if over else tuple(who for who in asked if who in held)
    gone = () if over else tuple(who for who in told.holders if who not in still)
    # Whoever is on the file twice, or replaced by themselves under another id, keeps the entry in their one mailbox.
    kept = {mailbox_of[who] for who in wanted if who in held or who in asked} if gone else frozenset[str]()
    vanished = tuple(who for who in gone if mailbox_of[who] not in kept)

    # A newcomer to an unchanged item joins at the standing counter, unless a CANCEL already used it up for them,
    # under whatever name they come back.
    cancelled_for = {mailbox_of[who] for who in told.withdrawn_from}
    raised = bool(vanished) or (changed and bool(asked)) or any(mailbox_of[who] in cancelled_for for who in asked)
    sequence = told.sequence + raised
    messages = []
    if vanished:
        messages.append(
            CalendarMessage(item_id=item_id, method="CANCEL", sequence=sequence, to=vanished, view=told.view)
        )
    if asked:
        messages.append(CalendarMessage(item_id=item_id, method="REQUEST", sequence=sequence, to=asked, view=view))
    return tuple(messages)
