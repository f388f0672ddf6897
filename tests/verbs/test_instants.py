"""Days and times as people write them at the command line."""

import pytest

from verbs.instants import BEGINS, instant
from verbs.refusal import Refusal


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("2026-03-01", "2026-03-01T16:59:59.999999Z"),
        ("2026-03-01T09:00", "2026-03-01T02:00:00.000000Z"),
        ("2026-03-01T09:00:00+01:00", "2026-03-01T08:00:00.000000Z"),
        ("2026-03-01T09:00:00Z", "2026-03-01T09:00:00.000000Z"),
    ],
)
def test_a_day_means_its_end_and_a_time_without_a_zone_the_clock_of_the_file(said: str, meant: str) -> None:
    assert instant(said, "Asia/Ho_Chi_Minh") == meant


def test_a_day_from_which_on_means_its_beginning() -> None:
    assert instant("2026-03-01", "Asia/Ho_Chi_Minh", of_a_day=BEGINS) == "2026-02-28T17:00:00.000000Z"


@pytest.mark.parametrize("said", ["yesterday", "2026-13-01", "2026-02-30", "9:00", "", "0001-01-01"])
def test_what_is_no_time_is_refused(said: str) -> None:
    with pytest.raises(Refusal):
        instant(said, "Asia/Ho_Chi_Minh")
