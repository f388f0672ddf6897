"""What a publication of the programme would tell whom: decided as it will be, and sealed nowhere.

The preview is made by the very decision that publishes, and by the very look at what still waits. So it says what goes
out, or it says that nothing does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from domain.canonical import digest_of
from domain.commands import PublishProgramme
from domain.decide import decide_all
from domain.decision import Context, DecideInput, Envelope, Refusal
from domain.events import CalendarMessage, CalendarView, InvitationsIssued
from domain.invitations import reaches_calendars, untold
from domain.meanwhile import programme_seen
from domain.seal import Head
from domain.state import Delegation
from domain.upcast import read_event
from domain.values import Digest, Fact, Instant
from domain.views import Seen, seen_by

Change = Literal["new", "changed", "cancelled"]
When = Literal["at_once", "later", "by_itself"]
"""By mail at once, or when the quiet window ends; `by_itself` what a subscribed or written calendar shows from then."""


class Line(Fact):
    """What somebody hears of one item. `before` is what they had, None of what is new to them."""

    item_id: str
    change: Change
    before: CalendarView | None = None
    after: CalendarView


class Telling(Fact):
    """What people hear who hear the same, by the same channel. `people` are ids, in the order in which they joined."""

    people: tuple[str, ...]
    channel: Literal["mail", "feed", "caldav"]
    when: When
    lines: tuple[Line, ...]


class Preview(Fact):
    """What publishing would do now; with a `refusal`, why nothing can be published, and nothing else.

    `seen` is the digest that a publication names to publish exactly this. `reaches` says whether anybody is told at all
    yet: before the invitations nobody is. `until` is when what waits goes out. `unheard` are those on the file who hear
    nothing; `in_words_only` items that changed for calendars that are subscribed to, and that no mailbox hears of.
    """

    seen: Digest
    refusal: Refusal | None = None
    reaches: bool = True
    until: Instant | None = None
    tellings: tuple[Telling, ...] = ()
    unheard: tuple[str, ...] = ()
    in_words_only: tuple[str, ...] = ()


def preview(state: Delegation, head: Head, context: Context) -> Preview:
    """Return what a publication by the actor of the context would tell whom, if nothing else changes until then."""
    seen = programme_seen(state)
    command = PublishProgramme(seen=seen).model_dump(mode="json")
    envelope = Envelope(
        delegation=state.id,
        command_id="preview",
        actor=context.actor.id,
        commands=(command,),
        digest=digest_of([command]),
    )
    asked = DecideInput(state=state, head=head, envelope=envelope, now=context.now)
    decision, after, _ = decide_all(asked, context)
    if decision.refusal is not None or after is None:
        return Preview(seen=seen, refusal=decision.refusal, reaches=reaches_calendars(state))
    issued = [event for sealed in decision.events if isinstance(event := read_event(sealed), InvitationsIssued)]
    at_once = [message for event in issued for message in event.messages]
    later = untold(after, context.edition)
    tellings = _gathered(state, _heard(state, after, at_once, later))
    hearing = {who for one in tellings for who in one.people}
    mailed = {message.item_id for message in (*at_once, *later)}
    return Preview(
        seen=seen,
        reaches=reaches_calendars(after),
        until=after.quiet_until if later else None,
        tellings=tellings,
        unheard=tuple(who for who, person in after.people.items() if person.active and who not in hearing),
        in_words_only=tuple(
            item_id
            for item_id, now in after.published.items()
            if reaches_calendars(after)
            and (before := state.published.get(item_id))
            and not now.cancelled
            and (now.view, now.notes) != (before.view, before.notes)
            and item_id not in mailed
        ),
    )


class _Heard(NamedTuple):
    """One line that somebody hears. Lines with the same `key` say the same: lines are long, and many hear each."""

    who: str
    when: When
    key: str
    line: Line


def _heard(
    state: Delegation, after: Delegation, at_once: Sequence[CalendarMessage], later: Sequence[CalendarMessage]
) -> Iterator[_Heard]:
    rounds: tuple[tuple[When, Sequence[CalendarMessage]], ...] = (("at_once", at_once), ("later", later))
    for when, messages in rounds:
        for number, message in enumerate(messages):
            told = state.told.get(message.item_id)
            new = Line(item_id=message.item_id, change="new", after=message.view)
            gone = Line(item_id=message.item_id, change="cancelled", after=message.view)
            changed = gone if told is None else new.model_copy(update={"change": "changed", "before": told.view})
            for who in message.to:
                had = told is not None and who in told.holders
                line = gone if message.method == "CANCEL" else changed if had else new
                yield _Heard(who, when, f"{number} {line.change}", line)
    if reaches_calendars(after):
        for who, person in after.people.items():
            if not person.by_mail:
                for line in _shown(seen_by(state, who), seen_by(after, who)):
                    yield _Heard(who, "by_itself", line.model_dump_json(), line)


def _shown(before: Iterable[Seen], after: Iterable[Seen]) -> Iterator[Line]:
    had: Mapping[str, Seen] = {one.item_id: one for one in before if not one.cancelled}
    for one in after:
        earlier = had.get(one.item_id)
        if one.cancelled and earlier:
            yield Line(item_id=one.item_id, change="cancelled", after=earlier.view)
        elif not one.cancelled and earlier is None:
            yield Line(item_id=one.item_id, change="new", after=one.view)
        elif not one.cancelled and earlier and earlier.view != one.view:
            yield Line(item_id=one.item_id, change="changed", before=earlier.view, after=one.view)


def _gathered(state: Delegation, heard: Iterable[_Heard]) -> tuple[Telling, ...]:
    """Put those together who hear the same, in the order in which the first of them joined."""
    of_person: dict[tuple[str, When], list[_Heard]] = {}
    for one in heard:
        of_person.setdefault((one.who, one.when), []).append(one)
    joined = {who: number for number, who in enumerate(state.people)}
    alike: dict[tuple[str, When, tuple[str, ...]], tuple[list[str], tuple[Line, ...]]] = {}
    for who, when in sorted(of_person, key=lambda one: joined[one[0]]):
        found = of_person[who, when]
        channel = state.people[who].channel or "mail"
        key = (channel, when, tuple(one.key for one in found))
        alike.setdefault(key, ([], tuple(one.line for one in found)))[0].append(who)
    return tuple(
        Telling.model_validate({"people": tuple(people), "channel": channel, "when": when, "lines": lines})
        for (channel, when, _), (people, lines) in alike.items()
    )
