"""Random change logs, as feeds tell them: every person's own programme as it stands, and not an octet of more."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import pytest
import vobject
from hypothesis import given as forall

from calendars.views import item_view
from domain.state import Delegation, Item, Participant
from domain.views import Seen, seen_by, seen_by_office
from tests.builders import DELEGATION, person
from tests.calendars.change_log import full_name, name_in
from tests.calendars.changes import Make, logs
from tests.calendars.model_calendar import Entry, entry_of
from tests.calendars.test_model_calendar import QUIET, entry, lived, mailbox_of, notes, sees, thoroughly

feeds: Any = pytest.importorskip("calendars.feeds")

pytestmark = pytest.mark.slow


OFFICE = Participant(id="office", person=person("office"), role="coordinator")


def feed_of(seen: Iterable[Seen], now: Any) -> bytes:
    """The octets of a feed of what somebody sees."""
    revisions = [
        feeds.Revision(view=item_view(one, delegation=DELEGATION, domain="songlam.example"), since=one.since)
        for one in seen
    ]
    content: bytes = feeds.feed("Programme", "Asia/Ho_Chi_Minh", revisions, now).content
    return content


def shown(content: bytes) -> dict[str, Entry]:
    """What a reader shows that leaves out what is cancelled."""
    calendar = vobject.readOne(content.decode())
    events = calendar.contents.get("vevent", [])
    return {one.uid.value.partition(".")[0]: entry_of(one) for one in events if one.status.value != "CANCELLED"}


def words_of(who: Participant, items: Iterable[Item]) -> set[str]:
    return {word for item in items if sees(who, item) for word in (item.title, item.place or "", *notes(who, item))}


@thoroughly
@forall(logs(), QUIET)
def test_a_feed_is_its_reader_s_programme_and_nothing_else(steps: list[Make], quiet: int) -> None:
    """After every step, for everybody on the file, whatever their channel: items, times, words; and nobody's name."""
    may: dict[str, set[str]] = defaultdict(set)
    published: dict[str, Item] = {}
    words: set[str] = set()
    for step in lived(steps, quiet).steps:
        published |= step.published
        for item in (*step.state.items.values(), *step.published.values()):
            words |= {item.title, item.place or "", *(note.text for note in item.notes)} - {""}
        for who in step.state.people.values():
            may[who.id] |= words_of(who, published.values())
            content = feed_of(seen_by(step.state, who.id), step.state.opened_at)
            theirs = {item.id: entry(item, [who]) for item in step.published.values() if sees(who, item)}
            assert shown(content) == theirs
            said = content.replace(b"\r\n ", b"").decode()
            assert {word for word in words if word in said} <= may[who.id]
            assert not_named(step.state, said)


@thoroughly
@forall(logs(), QUIET)
def test_the_office_sees_everything_published_and_no_draft(steps: list[Make], quiet: int) -> None:
    """With every note, and nobody's name."""
    for step in lived(steps, quiet).steps:
        content = feed_of(seen_by_office(step.state), step.state.opened_at)
        office = {item.id: entry(item, [OFFICE]) for item in step.published.values()}
        assert shown(content) == office
        assert not_named(step.state, content.replace(b"\r\n ", b"").decode())


def not_named(state: Delegation, said: str) -> bool:
    """Whether nobody on the file is named, nor their mailbox."""
    return not any(
        full_name(name_in(one.person.ref)) in said or mailbox_of(one) in said for one in state.people.values()
    )
