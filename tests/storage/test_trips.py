"""How often somebody travels abroad in a year, counted over all files; on both engines."""

from datetime import date

import pytest

from domain.decision import Observed
from domain.events import AnyEvent, MemberWithdrawn, RequestWithdrawn
from domain.observations import LEADER_TRIPS, AskedAbout
from domain.values import Direction, TextRef
from storage.engine import Database
from storage.projection import Projection
from storage.trips import Trips
from tests.storage.streams import cancelled, member, opened, sealed, submitted


@pytest.fixture
def projection(database: Database) -> Projection:
    """The projection of the store."""
    return Projection(database)


FIRST, SECOND = (member(number).person.ref for number in (1, 2))


async def file(
    projection: Projection, name: str, *after: AnyEvent, direction: Direction = "outbound", year: int = 2026
) -> None:
    """Enter a file of two people that begins in June and was submitted."""
    events: list[AnyEvent] = [
        opened(name, direction=direction, starts=date(year, 6, 15)),
        member(1),
        member(2),
        submitted(),
        *after,
    ]
    await projection.project(name, sealed(name, events))


async def others(database: Database, *persons: str, year: int = 2026, of: str = "this") -> dict[str, int]:
    """On how many other files each person travels."""
    found = await Trips(database).others(of, AskedAbout(persons=persons, year=year))
    assert {one.what for one in found} <= {LEADER_TRIPS}
    return {one.person: one.value for one in found}


async def test_trips_are_counted_over_other_files_of_the_year(database: Database, projection: Projection) -> None:
    """Not the file itself, not another year, not a visit to us; somebody unknown has made none."""
    await file(projection, "this")
    await file(projection, "spring")
    await file(projection, "autumn")
    await file(projection, "next-year", year=2027)
    await file(projection, "visit", direction="inbound")
    assert await others(database, FIRST, SECOND, "per_unknown1") == {FIRST: 2, SECOND: 2, "per_unknown1": 0}
    assert await others(database, FIRST, year=2027) == {FIRST: 1}
    assert await others(database, FIRST, of="spring") == {FIRST: 2}


async def test_what_is_given_up_or_left_is_no_trip(database: Database, projection: Projection) -> None:
    """A cancelled file, a proposal taken back, and the trip of whoever withdrew from it."""
    reason = TextRef(ref="txt_00000000", commitment="0" * 64)
    await file(projection, "called-off", cancelled())
    await file(projection, "taken-back", RequestWithdrawn(reason=reason))
    await file(projection, "left", MemberWithdrawn(member_id="m2"))
    assert await others(database, FIRST, SECOND) == {FIRST: 1, SECOND: 0}


async def test_an_answer_names_everybody_who_was_asked_about(database: Database, projection: Projection) -> None:
    """In the order in which they were asked about; nobody is no question."""
    await file(projection, "spring")
    asked = AskedAbout(persons=(SECOND, FIRST), year=2026)
    assert await Trips(database).others("this", asked) == (
        Observed(what=LEADER_TRIPS, person=SECOND, value=1),
        Observed(what=LEADER_TRIPS, person=FIRST, value=1),
    )
