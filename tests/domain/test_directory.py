"""Entries of the directory: their names, and whose a name is that several have."""

import pytest

from domain.directory import MOST_NAMES, PartnerEntry, is_meant, with_further_names

TOKYO = PartnerEntry(kind="partner", name="Tōkyō Society", other_names=("TFA",), country="JP")


def test_a_further_name_is_added_once_and_not_beyond_the_most() -> None:
    """Case and diacritics make no other name."""
    more = with_further_names(TOKYO, ("Tokyo society", "Tokyo Club", "tokyo club", "tfa"))
    assert more is not None
    assert more.other_names == ("TFA", "Tokyo Club")
    assert with_further_names(TOKYO, ("tfa",)) == TOKYO
    assert with_further_names(TOKYO, [f"T {number}" for number in range(MOST_NAMES)]) is None


@pytest.mark.parametrize(
    ("countries", "current", "others", "meant"),
    [
        (("DE",), True, (), True),
        (("DE",), False, (), True),
        # Another one has the name, elsewhere.
        (("JP",), True, (("dvg", "DE"),), True),
        (("DE",), True, (("dvg", "DE"),), False),
        (("JP", "DE"), True, (("dvg", "DE"),), True),
        (("TH",), True, (("dvg", "DE"),), True),
        # Another one has it today, this one had it.
        (("JP",), False, (("dvg", "JP"),), False),
        (("JP",), False, (("dvg", "DE"),), True),
        (("TH",), False, (("dvg", "DE"),), False),
        (("DE",), True, (("other", "DE"),), True),
    ],
)
def test_of_namesakes_the_country_of_the_journey_says_who_is_meant(
    countries: tuple[str, ...], current: bool, others: tuple[tuple[str, str], ...], meant: bool
) -> None:
    """Of an entry of Japan that goes by DVG, or did."""
    assert is_meant("dvg", countries, "JP", {"dvg"} if current else {"now"}, others) is meant
