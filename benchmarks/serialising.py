"""What calendars cost: written by octets, against icalendar and vobject; an unchanged feed, against a new one."""

from datetime import UTC, datetime, timedelta
from functools import partial

import vobject
from fastapi import Request
from icalendar import Calendar, Event

from api.conditional import Representation, respond
from api.feed_contents import Shelf
from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from benchmarks.timing import Contestant, Latency, in_turns
from calendars import feeds, itip
from calendars.components import PRODID, described
from calendars.feeds import Revision, feed
from calendars.itip import Attendee
from calendars.serialising import serialised
from calendars.views import ItemView
from domain.mailbox import Mailbox
from domain.values import BUSINESS_ZONE, resolve

NAME = "serialising"
ITEMS = 1_000
ATTENDEES = 5
FEED = 67
AT = datetime(2026, 3, 25, 9, 0, tzinfo=UTC)
ORGANIZER = Mailbox(address="doanvao@songlam.example", name="Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam")


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Time by the clock, in turns; the stack that runs beside has nothing to do meanwhile."""
    rounds, calls = (3, 2) if quick else (7, 3)
    await _of_items(findings, rounds, calls)
    await _of_a_feed(findings, rounds, calls)


async def _of_items(findings: Findings, rounds: int, calls: int) -> None:
    built, read = _calendar(), vobject.readOne(_calendar().to_ical(sorted=False).decode())
    if serialised(built) != built.to_ical(sorted=False):
        raise RuntimeError("the octets differ")

    def whole_by_icalendar() -> bytes:
        octets: bytes = _calendar().to_ical(sorted=False)
        return octets

    found = await _timed(
        {
            "by octets": lambda: serialised(built),
            "icalendar": lambda: built.to_ical(sorted=False),
            "vobject": lambda: read.serialize(validate=False),
            "built and by octets": lambda: serialised(_calendar()),
            "built and icalendar": whole_by_icalendar,
        },
        rounds=rounds,
        calls=calls,
    )
    note = f"{ITEMS:,} items, {ATTENDEES} attendees each"
    ours, theirs = found["by octets"].p50, found["icalendar"].p50
    findings.add(
        NAME,
        [Figure(name, one.p50, "ms", note) for name, one in found.items()],
        [
            Ratio("icalendar_to_octets", theirs / ours, 2.5, at_least=True),
            Ratio("vobject_to_octets", found["vobject"].p50 / ours),
            Ratio("built_icalendar_to_octets", found["built and icalendar"].p50 / found["built and by octets"].p50),
        ],
    )


async def _of_a_feed(findings: Findings, rounds: int, calls: int) -> None:
    revisions = [Revision(view=_view(number), since=AT) for number in range(FEED)]
    make = partial(feed, "Đoàn Hội hữu nghị Tokyo", BUSINESS_ZONE, revisions, AT)
    made, shelf, key = make(), Shelf(), ("2026-03-25", "tokyo abc")
    representation = Representation(made.content, made.changed)
    shelf.put("fee_a", key, representation)
    headers = [(b"if-none-match", representation.tag.encode()), (b"accept-encoding", b"identity")]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers})

    def anew() -> object:
        feeds.forget()
        return make()

    def unchanged() -> object:
        known = shelf.get("fee_a", key)
        assert known is not None
        return respond(request, known, media_type="text/calendar", headers={})

    contestants = {"feed anew": anew, "feed of events that are kept": make, "unchanged feed": unchanged}
    found = await _timed(contestants, rounds=rounds, calls=calls * 30)
    note = f"{FEED} items; unchanged: found, compared with If-None-Match, answered by 304; the store is not asked"
    findings.add(
        NAME,
        [Figure(name, one.p50, "ms", note) for name, one in found.items()],
        [
            Ratio("feed_anew_to_kept_events", found["feed anew"].p50 / found["feed of events that are kept"].p50),
            Ratio("feed_anew_to_unchanged", found["feed anew"].p50 / found["unchanged feed"].p50, 100, at_least=True),
        ],
    )


async def _timed(calls_of: dict[str, object], *, rounds: int, calls: int) -> dict[str, Latency]:
    async def nothing() -> None:
        return None

    async def run(call: object) -> object:
        assert callable(call)
        return call()

    contestants = [Contestant(name, partial(run, call), nothing) for name, call in calls_of.items()]
    return await in_turns(contestants, rounds=rounds, calls=calls, warm_up=1)


def _calendar() -> Calendar:
    """One calendar with every item and its attendees, as icalendar builds it."""
    people = [
        Attendee(
            mailbox=Mailbox(address=f"delegate{number}@guests.example", name=f"Nguyễn Thị Thanh {number}"),
            language="vi",
        )
        for number in range(ATTENDEES)
    ]
    asked = [itip.asked(one) for one in people]
    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    for number in range(ITEMS):
        event: Event = described(_view(number), AT, "CONFIRMED")
        event.add("ORGANIZER", itip.named(ORGANIZER))
        event.add("ATTENDEE", asked)
        calendar.add_component(event)
    return calendar


def _view(number: int) -> ItemView:
    starts = datetime(2026, 4, 6, 8, 0, tzinfo=UTC).replace(tzinfo=None) + timedelta(hours=number)
    return ItemView(
        uid=f"session-{number}.song-lam-2026@songlam.example",
        summary=f"Làm việc với Ủy ban nhân dân Thành phố Hồ Chí Minh, buổi {number}",
        description="Trao đổi về hợp tác giáo dục; có phiên dịch.\nTrang phục: lễ phục, áo dài.",
        location="86 Lê Thánh Tôn, Quận 1, TP. Hồ Chí Minh",
        starts=resolve(starts.isoformat(timespec="minutes"), BUSINESS_ZONE),
        ends=resolve((starts + timedelta(minutes=50)).isoformat(timespec="minutes"), BUSINESS_ZONE),
    )
