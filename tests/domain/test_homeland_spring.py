"""Scenario C of domain.md against the decider alone: 98 guests, a gala that moves, a group that withdraws."""

from collections import Counter
from datetime import UTC, datetime

from domain.deadlines import standing
from domain.views import seen_by
from tests.domain.player import Play
from tests.domain.test_scenarios import calendars_reached, ended, played

COUNTRIES = {"DE": 14, "RU": 13, "PL": 7, "FR": 9, "US": 11, "CZ": 8, "CA": 6, "AU": 9, "JP": 8, "KR": 7, "LA": 6}
CZECHS = {f"cz-{number}" for number in range(1, 9)}


def spring() -> Play:
    """Scenario C."""
    return played("homeland-spring")


def told(step: str) -> list[tuple[str, str, int, int]]:
    """Item, method, SEQUENCE and number of people of every message of a step."""
    return [
        (message["item_id"], message["method"], message["sequence"], len(message["to"]))
        for event in spring().at_step(step).events
        if event.type == "InvitationsIssued"
        for message in event.data["messages"]
    ]


def test_ninety_eight_are_invited_from_eleven_countries() -> None:
    """As many of each as the field has it."""
    file = spring().at_step("programme").state
    assert file is not None
    assert Counter(person.country for person in file.delegates) == COUNTRIES
    assert sum(COUNTRIES.values()) == 98
    assert told("invitations") == [
        ("flight-from-praha", "REQUEST", 0, 8),
        ("hotel", "REQUEST", 0, 98),
        ("gala", "REQUEST", 0, 98),
    ]


def test_the_gala_moves_for_ninety_eight_and_nothing_else_is_told() -> None:
    """19:30 in Hà Nội is 12:30Z."""
    assert told("gala-moves") == [("gala", "REQUEST", 1, 98)]
    assert ended(spring()).told["gala"].view.starts.instant == datetime(2026, 2, 7, 12, 30, tzinfo=UTC)


def test_the_czech_group_withdraws_and_the_rest_hears_nothing() -> None:
    """Eight people times three items; ninety from ten countries go on, at the counters they know."""
    assert told("czech-group-withdraws") == [
        ("flight-from-praha", "CANCEL", 1, 8),
        ("hotel", "CANCEL", 1, 8),
        ("gala", "CANCEL", 2, 8),
    ]
    assert calendars_reached(spring()) == {"invitations": 98, "gala-moves": 98, "czech-group-withdraws": 8}
    file = ended(spring())
    assert file.head_count == 90
    assert len({person.country for person in file.delegates}) == 10
    assert set(file.told["gala"].withdrawn_from) == CZECHS


def test_each_sees_their_own_programme() -> None:
    """Somebody from Germany the hotel and the gala; somebody from Czechia all three, as cancelled."""
    file = ended(spring())
    assert [(one.item_id, one.cancelled) for one in seen_by(file, "de-1")] == [("hotel", False), ("gala", False)]
    assert [(one.item_id, one.cancelled) for one in seen_by(file, "cz-1")] == [
        ("flight-from-praha", True),
        ("hotel", True),
        ("gala", True),
    ]


def test_every_deadline_is_met() -> None:
    """Notices and report are in time, also over Tết."""
    assert {one.status for one in standing(ended(spring()))} == {"met"}
