"""Whatever happens to a programme and its people: every mailbox ends with exactly what its people are to see.

Random change logs, decided by the real domain, sent as the mails that really go out, read by a calendar that keeps to
RFC 5546 and nothing else. Nothing of the programme is over before a log ends: what is over is left alone.
"""

import os
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from calendars.views import item_view
from domain import commands as c
from domain.commands import Audience, Note
from domain.state import GROUP_ROLES, Delegation, Item, Participant
from domain.views import seen_by
from storage.mail_ledger import Mail
from tests.builders import DELEGATION, text
from tests.calendars.change_log import ChangeLog, address_of, full_name, key_of, name_in
from tests.calendars.changes import PUBLISH, Make, logs
from tests.calendars.model_calendar import Entry, ModelCalendar, everything_readable

pytestmark = pytest.mark.slow

# To make a failing log smaller takes longer than a test may.
thoroughly = settings(
    deadline=None,
    max_examples=30 if os.environ.get("HYPOTHESIS") == "explore" else 12,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
QUIET = st.sampled_from([0, 5])
CHANCE = st.randoms(use_true_random=False)


@dataclass
class Step:
    """What one step left: the file, as it was last published, and the mails that were new."""

    state: Delegation
    published: dict[str, Item]
    sent: list[Mail]


@dataclass
class Lived:
    """A change log that was lived through."""

    log: ChangeLog
    steps: list[Step]

    @property
    def mails(self) -> list[Mail]:
        """Everything that was sent, in order."""
        return [mail for step in self.steps for mail in step.sent]


def lived(steps: Sequence[Make], quiet_minutes: int) -> Lived:
    """Live through steps, publish what is left of the draft, and wait for the quiet window to end."""
    log = ChangeLog(quiet_minutes)
    published = standing(log.state)
    life = Lived(log, [Step(log.state, published, list(log.ledger.values()))])
    for number, make in enumerate((*steps, PUBLISH)):
        before = log.state.programme
        for command in make(number, log.state):
            sent = log.act(command)
            if log.state.programme > before:
                published = standing(log.state)
            life.steps.append(Step(log.state, published, sent))
    life.steps.append(Step(log.state, published, log.wait(timedelta(hours=1))))
    return life


def standing(state: Delegation) -> dict[str, Item]:
    """The items that a publication now tells of."""
    return {item.id: item for item in state.items.values() if item.published and not item.cancelled}


def delivered(mails: Sequence[Mail]) -> dict[str, dict[str, Entry]]:
    """What the mailboxes show after these mails, in this order; who has nothing is left out."""
    calendars: dict[str, ModelCalendar] = defaultdict(ModelCalendar)
    for mail in mails:
        calendars[mail.mailbox].receive(mail.content)
    return {mailbox: calendar.shown for mailbox, calendar in calendars.items() if calendar.shown}


# The rules of who sees what, said a second time and only here.


def concerns(who: Participant, meant: Audience | Note) -> bool:
    return who.id in meant.people or any(who.role in GROUP_ROLES[group] for group in meant.groups)


def sees(who: Participant, item: Item) -> bool:
    return who.active and (who.role == "coordinator" or concerns(who, item.audience))


def notes(who: Participant, item: Item) -> list[str]:
    return [note.text for note in item.notes if who.role == "coordinator" or concerns(who, note)]


def mailbox_of(who: Participant) -> str:
    return address_of(name_in(who.person.ref))


def entry(item: Item, readers: list[Participant]) -> Entry:
    """What an item looks like to those behind one mailbox: the notes are those that all of them may read."""
    day = item.kind == "hotel" and item.starts.local[:10] < item.ends.local[:10]
    starts, ends = (moment.local[:10] if day else moment.instant.isoformat() for moment in (item.starts, item.ends))
    shared = [text for text in notes(readers[0], item) if all(text in notes(one, item) for one in readers)]
    return Entry(starts=starts, ends=ends, title=item.title, place=item.place or "", notes="\n".join(shared))


def wanted(state: Delegation, published: dict[str, Item]) -> dict[str, dict[str, Entry]]:
    """What each mailbox is to show: from the programme and the people, without a look at what was sent."""
    found: dict[str, dict[str, Entry]] = defaultdict(dict)
    for item in published.values():
        readers: dict[str, list[Participant]] = defaultdict(list)
        for who in state.people.values():
            if sees(who, item) and who.channel in (None, "mail"):
                readers[mailbox_of(who)].append(who)
        for mailbox, people in readers.items():
            found[mailbox][f"{item.id}.{DELEGATION}@songlam.example"] = entry(item, people)
    return dict(found)


def timed(calendars: dict[str, dict[str, Entry]]) -> dict[str, dict[str, tuple[str, str, str]]]:
    """Only time and place, which mailboxes always hear of."""
    return {
        mailbox: {uid: (one.starts, one.ends, one.place) for uid, one in items.items()}
        for mailbox, items in calendars.items()
    }


def disorders(mails: list[Mail], chance: Random) -> Iterator[list[Mail]]:
    """Give orders in which a mail system may deliver: as sent, shuffled with copies, the newest first."""
    yield mails
    disordered = [*mails, *mails[::2]]
    chance.shuffle(disordered)
    yield disordered
    yield mails[::-1]


@thoroughly
@forall(logs(), QUIET, CHANCE)
def test_any_order_of_delivery_ends_in_the_view_of_each_mailbox(steps: list[Make], quiet: int, chance: Random) -> None:
    """Which items, when and where: in order, in any order, with copies, with an old message after a newer one."""
    life = lived(steps, quiet)
    last = life.steps[-1]
    expected = timed(wanted(last.state, last.published))
    for mails in disorders(life.mails, chance):
        assert timed(delivered(mails)) == expected


@thoroughly
@forall(logs(announced=True), QUIET, CHANCE)
def test_where_words_are_announced_the_words_are_right_too(steps: list[Make], quiet: int, chance: Random) -> None:
    """Title and notes as well, each reader's own."""
    life = lived(steps, quiet)
    last = life.steps[-1]
    for mails in disorders(life.mails, chance):
        assert delivered(mails) == wanted(last.state, last.published)


@thoroughly
@forall(logs(), QUIET, CHANCE, st.sampled_from([c.CancelDelegation, c.Postpone]))
def test_calling_everything_off_empties_every_calendar(
    steps: list[Make], quiet: int, chance: Random, ending: type[c.CancelDelegation] | type[c.Postpone]
) -> None:
    """At once, whatever waits in the quiet window; and in any order of delivery."""
    life = lived(steps, quiet)
    mails = [*life.mails, *life.log.act(ending(reason=text()))]
    assert life.log.wait(timedelta(hours=1)) == []
    for delivery in disorders(mails, chance):
        assert delivered(delivery) == {}


@thoroughly
@forall(logs(), QUIET)
def test_a_log_sent_twice_sends_nothing_new(steps: list[Make], quiet: int) -> None:
    """Composed again, every mail has the same key, Message-ID and octets; published again, there is nothing to say."""
    life = lived(steps, quiet)
    first = {key_of(mail): (mail.message_id, mail.content) for mail in life.mails}
    again: dict[object, tuple[str, bytes]] = {}
    for issue in life.log.issues:
        for mail in issue.composed():
            again.setdefault(key_of(mail), (mail.message_id, mail.content))
    assert again == first
    assert life.log.act(c.PublishProgramme()) == []
    assert life.log.wait(timedelta(hours=1)) == []


@thoroughly
@forall(logs(), QUIET)
def test_whoever_is_written_to_has_something_new_to_see(steps: list[Make], quiet: int) -> None:
    """Silence for unchanged views: each mail changes what its mailbox shows."""
    calendars: dict[str, ModelCalendar] = defaultdict(ModelCalendar)
    for mail in lived(steps, quiet).mails:
        assert calendars[mail.mailbox].receive(mail.content), (mail.mailbox, mail.uid, mail.sequence, mail.method)


@thoroughly
@forall(logs(), QUIET)
def test_no_octet_tells_what_its_reader_may_not_see(steps: list[Make], quiet: int) -> None:
    """Nobody else's name or address, no item that was never theirs, no note for others, nothing of a draft."""
    life = lived(steps, quiet)
    may: dict[str, set[str]] = {mailbox_of(one): set() for one in life.log.state.people.values()}
    words: set[str] = set()
    for step in life.steps:
        for item in (*step.state.items.values(), *step.published.values()):
            words |= {item.title, item.place or "", *(note.text for note in item.notes)}
        for item in step.published.values():
            for who in step.state.people.values():
                if sees(who, item):
                    may[mailbox_of(who)] |= {item.title, item.place or "", *notes(who, item)}
        for mail in step.sent:
            said = everything_readable(mail.content)
            told = {word for word in words if word and word in said}
            assert told <= may[mail.mailbox]
            for one in life.log.state.people.values():
                if mailbox_of(one) != mail.mailbox:
                    assert mailbox_of(one) not in said
                    assert full_name(name_in(one.person.ref)) not in said


@thoroughly
@forall(logs(), QUIET)
def test_what_feeds_and_collections_show_is_each_person_s_own(steps: list[Make], quiet: int) -> None:
    """After every step: what is published and theirs, as it stands; of what was taken away only what they had."""
    may: dict[str, set[str]] = defaultdict(set)
    called_off: dict[str, Item] = {}
    for step in lived(steps, quiet).steps:
        called_off |= step.published
        for who in step.state.people.values():
            theirs = {item.id: item for item in step.published.values() if sees(who, item)}
            # That something was called off, whoever would attend it may know, also who came later.
            for item in (one for one in called_off.values() if sees(who, one)):
                may[who.id] |= {item.title, item.place or "", *notes(who, item)}
            seen = seen_by(step.state, who.id)
            assert {one.item_id for one in seen if not one.cancelled} == set(theirs)
            for one in seen:
                view = one.view
                assert {view.title, view.place or "", *view.notes} <= may[who.id] | {""}
                if not one.cancelled:
                    item = theirs[one.item_id]
                    drawn = item_view(one, delegation=DELEGATION, domain="songlam.example")
                    assert (drawn.summary, drawn.location) == (item.title, item.place)
                    assert (drawn.starts, drawn.ends) == (item.starts, item.ends)
                    assert drawn.description == "\n".join(notes(who, item))
