"""Ceilings: exact, each line with its rule, and nothing made up."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.canonical import canonical_json
from domain.ceilings import Ceiling, CountryStay, reception, travel
from domain.rules import Grade
from tests.rulebook import edition

ON = date(2026, 4, 6)


def ceiling(grade: Grade, members: int = 11, *, heads: int = 1, days: int = 7, nights: int = 6) -> Ceiling:
    return reception(edition(), grade, heads=heads, members=members, days=days, nights=nights, on=ON)


def test_twelve_guests_of_grade_c_for_seven_days_and_six_nights() -> None:
    """Scenario A of domain.md: 67.2 m for meals and 133.8 m for lodging are 201.0 m VND; no flowers."""
    found = ceiling("C")
    assert [(line.what, line.quantity, line.unit_vnd, line.amount_vnd) for line in found.lines] == [
        ("meals", 84, 800_000, 67_200_000),
        ("lodging_heads", 6, 2_500_000, 15_000_000),
        ("lodging_members", 66, 1_800_000, 118_800_000),
        ("flowers", 1, 0, 0),
    ]
    assert (found.total_vnd, found.missing) == (201_000_000, ())


def test_the_ceiling_follows_a_drop_out() -> None:
    """Eleven guests: 61.6 m and 123.0 m are 184.6 m VND."""
    found = ceiling("C", 10)
    assert [line.amount_vnd for line in found.lines] == [61_600_000, 15_000_000, 108_000_000, 0]
    assert found.total_vnd == 184_600_000


@pytest.mark.parametrize(("grade", "meals"), [("A", 1_500_000), ("B", 1_000_000)])
def test_lodging_of_grades_a_and_b_is_named_as_missing(grade: Grade, meals: int) -> None:
    """No source gives it, so the total covers meals and flowers and says what it leaves out."""
    found = ceiling(grade)
    assert [(line.what, line.amount_vnd) for line in found.lines] == [("meals", 84 * meals), ("flowers", 500_000)]
    assert found.total_vnd == 84 * meals + 500_000
    assert found.missing == ("lodging_heads", "lodging_members")


def test_what_is_not_asked_for_is_not_missing() -> None:
    """A day's visit of grade A needs no lodging, so none is missing."""
    found = ceiling("A", days=1, nights=0)
    assert (found.total_vnd, found.missing) == (12 * 1_500_000 + 500_000, ())


def test_before_the_table_holds_everything_is_missing() -> None:
    """Without a table in force there is no amount, and the result says so."""
    found = reception(edition(), "C", heads=1, members=11, days=7, nights=6, on=date(2023, 12, 31))
    assert (found.total_vnd, found.lines) == (0, ())
    assert found.missing == ("meals", "lodging_heads", "lodging_members", "flowers")


def test_each_line_names_its_rule_and_source() -> None:
    """Meals, lodging and flowers come from different places of the circular."""
    assert [(line.rule, line.version, line.source) for line in ceiling("C").lines] == [
        ("RECEPTION-C", 1, "Circular 71/2018/TT-BTC [23]"),
        ("RECEPTION-C", 1, "Circular 71/2018/TT-BTC [24]"),
        ("RECEPTION-C", 1, "Circular 71/2018/TT-BTC [24]"),
        ("RECEPTION-C", 1, "Circular 71/2018/TT-BTC [25]"),
    ]


def test_negative_numbers_are_refused() -> None:
    """A negative head count would lower what others may spend."""
    with pytest.raises(ValueError, match="0 or more"):
        ceiling("C", -1)


COUNTS = st.integers(0, 500)


@given(st.sampled_from(["A", "B", "C"]), COUNTS, COUNTS, COUNTS, COUNTS)
def test_a_total_is_the_sum_of_its_lines(grade: Grade, heads: int, members: int, days: int, nights: int) -> None:
    """Every amount is quantity times unit, and the total is their sum."""
    found = ceiling(grade, members, heads=heads, days=days, nights=nights)
    assert all(line.amount_vnd == line.quantity * line.unit_vnd for line in found.lines)
    assert found.total_vnd == sum(line.amount_vnd for line in found.lines)
    assert canonical_json(found.model_dump(mode="json"))


def stay(country: str, people: int, days: int, nights: int) -> CountryStay:
    return CountryStay(country=country, people=people, days=days, nights=nights)


def test_a_trip_is_added_up_by_currency() -> None:
    """Czechia and Germany share the euro; the yen is never added to it."""
    found = travel(edition(), [stay("CZ", 6, 4, 4), stay("DE", 6, 4, 3), stay("JP", 2, 3, 2)], on=ON)
    assert [(line.country, line.what, line.quantity, line.unit_minor, line.amount_minor) for line in found.lines] == [
        ("CZ", "lodging", 24, 9_000, 216_000),
        ("CZ", "meals", 24, 6_000, 144_000),
        ("CZ", "transfers", 24, 1_000, 24_000),
        ("DE", "lodging", 18, 10_000, 180_000),
        ("DE", "meals", 24, 7_000, 168_000),
        ("DE", "transfers", 24, 1_000, 24_000),
        ("JP", "lodging", 4, 12_000, 48_000),
        ("JP", "meals", 6, 8_000, 48_000),
        ("JP", "transfers", 6, 1_500, 9_000),
    ]
    assert [(total.currency, total.amount_minor) for total in found.totals] == [("EUR", 756_000), ("JPY", 105_000)]
    assert found.missing == ()


def test_a_country_without_a_norm_is_named() -> None:
    """It adds nothing to the totals, and is named once."""
    found = travel(edition(), [stay("FR", 6, 2, 2), stay("LA", 6, 1, 1), stay("FR", 6, 1, 0)], on=ON)
    assert [(total.currency, total.amount_minor) for total in found.totals] == [("USD", 57_000)]
    assert found.missing == ("FR",)


def test_sample_amounts_say_so() -> None:
    """The sources give no amounts for countries, so every line from the shipped table is marked."""
    assert all(line.sample for line in travel(edition(), [stay("DE", 1, 1, 1)], on=ON).lines)
