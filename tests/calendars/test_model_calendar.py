"""Whatever happens to a programme and its people: every mailbox ends with exactly what its people are to see.

Random change logs, decided by the real domain, sent as the mails that really go out, read by a calendar that keeps to
RFC 5546 and nothing else.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain.state import Delegation, Item
from domain.values import Value
from storage.mail_ledger import Mail
from tests.builders import DELEGATION, at, member, person, serving
from tests.calendars.change_log import ChangeLog, address_of, full_name, key_of
from tests.calendars.model_calendar import Entry, ModelCalendar, everything_readable

ITEMS = st.sampled_from(["monday", "tuesday", "forum", "dinner", "stay"])
DELEGATES = st.sampled_from(["ito", "kato", "mori"])
SERVING = st.sampled_from(["bao", "lan", "chi"])
PEOPLE = st.one_of(DELEGATES, SERVING)
AUDIENCES = st.builds(
    lambda groups, people: {"groups": groups, "people": people},
    st.lists(st.sampled_from(["delegates", "hosts", "drivers"]), unique=True, max_size=2),
    st.lists(PEOPLE, unique=True, max_size=2),
)

Make = Callable[[int, Delegation], tuple[Value, ...]]
"""Commands of one step, from its number and the file; words with the number in them occur nowhere else."""


def times(day: int, hour: int, zone: str) -> dict[str, object]:
    return {
        "starts": at(f"2026-04-{day:02}T{hour:02}:00", zone),
        "ends": at(f"2026-04-{day:02}T{hour + 1:02}:30", zone),
    }


TIMES = st.builds(times, st.integers(6, 11), st.integers(8, 20), st.sampled_from(["Asia/Ho_Chi_Minh", "Asia/Tokyo"]))


def schedule(item: str, audience: dict[str, object], when: dict[str, object], published: bool) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        said = {"item_id": item, "title": f"Title-{number}-", "place": f"Place-{number}-", "audience": audience}
        stay = {"kind": "hotel", **times(6, 14, "Asia/Ho_Chi_Minh"), "ends": at("2026-04-09T12:00")}
        more = stay if item == "stay" else when
        return (c.ScheduleItem.model_validate({**said, **more, "published": published}),)

    return made


def simple(kind: type[Value], **said: object) -> Make:
    return lambda number, state: (kind.model_validate(said),)


def worded(item: str, field: str) -> Make:
    return lambda number, state: (
        c.ReviseItem.model_validate({"item_id": item, field: f"{field.capitalize()}-{number}-"}),
    )


def replacement(leaving: str, coming: str) -> Make:
    return lambda number, state: (
        c.ReplaceMember(member_id=leaving, by=f"{coming}-{number}", person=person(coming), country="JP"),
    )


def back(name: str) -> Make:
    return lambda number, state: (member(f"{name}-{number}", person=person(name)),)


PUBLISH: Make = simple(c.PublishProgramme)
STEPS: st.SearchStrategy[Make] = st.one_of(
    st.builds(schedule, ITEMS, AUDIENCES, TIMES, st.booleans()),
    st.builds(lambda item, when: simple(c.MoveItem, item_id=item, **when), ITEMS, TIMES),
    st.builds(worded, ITEMS, st.sampled_from(["title", "place"])),
    st.builds(lambda item, audience: simple(c.ReviseItem, item_id=item, audience=audience), ITEMS, AUDIENCES),
    st.builds(lambda item, shown: simple(c.ReviseItem, item_id=item, published=shown), ITEMS, st.booleans()),
    st.builds(lambda item: simple(c.CancelItem, item_id=item), ITEMS),
    st.builds(lambda name: lambda number, state: (member(name),), DELEGATES),
    st.builds(back, DELEGATES),
    st.builds(lambda name: simple(c.WithdrawMember, member_id=name), DELEGATES),
    st.builds(replacement, DELEGATES, DELEGATES),
    st.builds(
        lambda name, role: lambda number, state: (serving(name, role),), SERVING, st.sampled_from(["host", "driver"])
    ),
    st.builds(lambda name: simple(c.ReleaseParticipant, participant_id=name), SERVING),
    st.just(PUBLISH),
    st.just(PUBLISH),
)
LOGS = st.lists(STEPS, min_size=1, max_size=14)


@dataclass
class Lived:
    """A change log that was lived through, and what was sent at each of its steps."""

    log: ChangeLog
    sent: list[list[Mail]]

    @property
    def mails(self) -> list[Mail]:
        """Everything that was sent, in order."""
        return [mail for step in self.sent for mail in step]


def lived(steps: Sequence[Make]) -> Lived:
    """Live through steps and publish what is left of the draft; nothing of the programme is over by then."""
    log = ChangeLog()
    sent = [list(log.ledger.values())]
    for number, make in enumerate((*steps, PUBLISH)):
        sent.append(log.act(*make(number, log.state)))
    sent.append(log.wait(timedelta(hours=1)))
    return Lived(log, sent)


def delivered(mails: Sequence[Mail]) -> dict[str, ModelCalendar]:
    """What calendars show after these mails, in this order."""
    calendars: dict[str, ModelCalendar] = defaultdict(ModelCalendar)
    for mail in mails:
        calendars[mail.mailbox].receive(mail.content)
    return calendars


def name_of(state: Delegation, who: str) -> str:
    return state.people[who].person.ref.removeprefix("per_").rstrip("_")


def entry(item: Item) -> Entry:
    """What an item is to look like, said anew."""
    day = item.kind == "hotel"
    starts, ends = (moment.local[:10] if day else moment.instant.isoformat() for moment in (item.starts, item.ends))
    return Entry(starts=starts, ends=ends, title=item.title, place=item.place or "")


def wanted(state: Delegation) -> dict[str, dict[str, Entry]]:
    """What each mailbox is to show: said from the programme and the people, without a look at what was sent."""
    found: dict[str, dict[str, Entry]] = defaultdict(dict)
    for item in state.items.values():
        if item.published and not item.cancelled:
            for who in state.attendees(item):
                found[address_of(name_of(state, who))][f"{item.id}.{DELEGATION}@songlam.example"] = entry(item)
    return found


def shown(calendars: dict[str, ModelCalendar]) -> dict[str, dict[str, Entry]]:
    return {mailbox: calendar.shown for mailbox, calendar in calendars.items() if calendar.shown}


thoroughly = settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))


@thoroughly
@forall(LOGS, st.randoms(use_true_random=False))
def test_any_order_of_delivery_ends_in_the_view_of_each_mailbox(steps: list[Make], chance: object) -> None:
    """In order, in any order, with copies, with an old message after a newer one: the same, right calendar."""
    life = lived(steps)
    expected = dict(wanted(life.log.state))
    assert shown(delivered(life.mails)) == expected
    disordered = [*life.mails, *life.mails[::2]]
    chance.shuffle(disordered)  # type: ignore[attr-defined]
    assert shown(delivered(disordered)) == expected
    assert shown(delivered(life.mails[::-1])) == expected


@thoroughly
@forall(LOGS)
def test_a_log_sent_twice_sends_nothing_new(steps: list[Make]) -> None:
    """Composed again, every mail has the same key, Message-ID and octets; published again, there is nothing to say."""
    life = lived(steps)
    before = {key_of(mail): (mail.message_id, mail.content) for mail in life.mails}
    again = {}
    for issue in life.log.issues:
        del issue.__dict__["mails"]
        again |= {key_of(mail): (mail.message_id, mail.content) for mail in issue.mails if key_of(mail) not in again}
    assert again == before
    assert life.log.act(c.PublishProgramme()) == []
    assert life.log.wait(timedelta(hours=1)) == []


@thoroughly
@forall(LOGS)
def test_whoever_is_written_to_has_something_new_to_see(steps: list[Make]) -> None:
    """Silence for unchanged views: each mail changes what its mailbox shows."""
    calendars: dict[str, ModelCalendar] = defaultdict(ModelCalendar)
    for step in lived(steps).sent:
        for mail in step:
            assert calendars[mail.mailbox].receive(mail.content), (mail.mailbox, mail.uid, mail.sequence, mail.method)


@thoroughly
@forall(LOGS)
def test_no_octet_tells_what_its_reader_may_not_see(steps: list[Make]) -> None:
    """Nobody else's name or address; no item that was not for them; nothing of a draft."""
    life = lived(steps)
    log = life.log
    for mail in life.mails:
        said = everything_readable(mail.content)
        for who in log.state.people:
            name = name_of(log.state, who)
            if address_of(name) != mail.mailbox:
                assert address_of(name) not in said
                assert full_name(name) not in said
