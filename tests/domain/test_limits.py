"""Limits on the composition of a delegation: they are measured and named, and block nothing."""

from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError

from domain.limits import Breach, Composition, breaches, measurements
from tests.rulebook import edition

ON = date(2026, 4, 1)


def composition(**changes: Any) -> Composition:
    """Scenario B of domain.md: six people, 15 to 22 June, Czechia and Germany."""
    told = {"direction": "outbound", "members": 6, "days": 8, "countries": ["CZ", "DE"]}
    return Composition.model_validate(told | changes)


def breached(**changes: Any) -> list[tuple[str, int, int, str]]:
    return [
        (breach.limit, breach.measured, breach.allowed, breach.unit)
        for breach in breaches(edition(), composition(**changes), ON)
    ]


def test_scenario_b_keeps_every_limit() -> None:
    """Six people on eight days in two countries need no justification."""
    assert breached() == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"members": 10}, []),
        ({"members": 11}, [("OUT-MEMBERS-HANOI", 11, 10, "people")]),
        ({"days": 10}, []),
        ({"days": 11}, [("OUT-DAYS-HANOI", 11, 10, "days")]),
        ({"countries": ["CZ", "DE", "PL"]}, []),
        ({"countries": ["CZ", "DE", "PL", "FR"]}, [("OUT-COUNTRIES-HANOI", 4, 3, "countries")]),
        ({"leader_trips_this_year": 2}, []),
        ({"leader_trips_this_year": 3}, [("OUT-LEADER-TRIPS-HANOI", 3, 2, "trips")]),
        ({"key_leaders": 1}, []),
        ({"key_leaders": 2}, [("OUT-KEY-LEADERS-HANOI", 2, 1, "leaders")]),
    ],
)
def test_ha_noi_limits_people_days_countries_and_leaders(
    changes: dict[str, Any], expected: list[tuple[str, int, int, str]]
) -> None:
    """At most 10 people, 10 days, 3 countries, 2 trips a year for a leader, and one key leader (domain.md [15])."""
    assert breached(issuer="hanoi", **changes) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"members": 10, "led_by_city_leaders": True}, []),
        ({"members": 11, "led_by_city_leaders": True}, [("OUT-MEMBERS-DANANG-CITY", 11, 10, "people")]),
        ({"members": 5}, []),
        ({"members": 6}, [("OUT-MEMBERS-DANANG", 6, 5, "people")]),
    ],
)
def test_da_nang_allows_more_people_under_city_leaders(
    changes: dict[str, Any], expected: list[tuple[str, int, int, str]]
) -> None:
    """Ten people if city leaders lead, otherwise five (domain.md [16])."""
    assert breached(issuer="danang", **changes) == expected


def test_da_nang_limits_the_days_in_each_country() -> None:
    """Three days a country: the country is named, and five days are within what special cases are granted."""
    stays = [{"country": "CZ", "days": 3}, {"country": "DE", "days": 5}]
    (breach,) = breaches(edition(), composition(issuer="danang", members=5, days_per_country=stays), ON)
    assert breach == Breach(
        what="days_per_country",
        limit="OUT-DAYS-PER-COUNTRY-DANANG",
        version=1,
        title=breach.title,
        source="Rules of Đà Nẵng on trips abroad [16]",
        measured=5,
        allowed=3,
        special=5,
        unit="days",
        subject="DE",
    )
    assert breach.within_special
    assert breach.title.vi == "Số ngày ở mỗi nước (Đà Nẵng)"


def test_two_stays_in_one_country_add_up() -> None:
    """Three days on the way out and three on the way back are six days in Germany, beyond even special cases."""
    stays = [{"country": "DE", "days": 3}, {"country": "CZ", "days": 2}, {"country": "DE", "days": 3}]
    (breach,) = breaches(edition(), composition(issuer="danang", members=5, days_per_country=stays), ON)
    assert (breach.subject, breach.measured, breach.within_special) == ("DE", 6, False)


def test_an_issuer_with_limits_of_its_own_replaces_the_general_ones() -> None:
    """Đà Nẵng does not limit all days together, so no general limit is breached by eleven of them."""
    assert breached(issuer="danang", members=5, days=11) == []


def test_without_an_issuer_or_with_one_without_limits_the_general_ones_hold() -> None:
    """Eleven people breach the general limit, whoever issued the other rules."""
    expected = [("OUT-MEMBERS", 11, 10, "people")]
    assert breached(members=11) == expected
    assert breached(members=11, issuer="education_ministry") == expected


def test_every_breach_is_told() -> None:
    """Several limits may be exceeded at once; each demands its justification."""
    assert [limit for limit, *_ in breached(members=12, days=15, key_leaders=2)] == [
        "OUT-MEMBERS",
        "OUT-DAYS",
        "OUT-KEY-LEADERS",
    ]


def test_guests_are_not_limited() -> None:
    """The limits are for our own trips: an inbound delegation of 98 breaches none."""
    assert breached(direction="inbound", members=98, days=3, countries=[]) == []


def test_what_is_not_known_is_not_measured() -> None:
    """Before the days and the leaders' trips are known, nothing is said about them."""
    measured = [each.what for each in measurements(edition(), composition(days=None), ON)]
    assert measured == ["members", "countries", "key_leaders"]


def test_a_measurement_is_shown_beside_what_is_allowed() -> None:
    """Limits that are kept can be shown too."""
    first = measurements(edition(), composition(), ON)[0]
    assert (first.limit, first.measured, first.allowed, first.kept) == ("OUT-MEMBERS", 6, 10, True)


def test_rules_not_yet_in_force_limit_nothing() -> None:
    """Before the table's first day there are no limits."""
    assert breaches(edition(), composition(members=50), date(2023, 12, 31)) == ()


def test_days_in_a_country_that_is_not_visited_are_refused() -> None:
    """The countries and the days spent in them are told consistently."""
    with pytest.raises(ValidationError) as refused:
        composition(days_per_country=[{"country": "FR", "days": 2}])
    assert refused.value.errors()[0]["type"] == "country_not_named"
