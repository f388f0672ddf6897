"""An item that is moved lasts as long as before, in real time, on the clocks of its own places."""

from typing import Any

from verbs.move import new_times


def item(starts: tuple[str, str, str], ends: tuple[str, str, str]) -> dict[str, Any]:
    return {
        end: dict(zip(("local", "zone", "instant"), moment, strict=True))
        for end, moment in (("starts", starts), ("ends", ends))
    }


HANOI, BERLIN, TOKYO = "Asia/Ho_Chi_Minh", "Europe/Berlin", "Asia/Tokyo"
FORUM = item(("2026-04-11T09:00", HANOI, "2026-04-11T02:00:00Z"), ("2026-04-11T11:00", HANOI, "2026-04-11T04:00:00Z"))
NIGHT = item(("2026-03-21T22:00", BERLIN, "2026-03-21T21:00:00Z"), ("2026-03-22T04:00", BERLIN, "2026-03-22T03:00:00Z"))
FLIGHT = item(("2026-04-06T08:30", TOKYO, "2026-04-05T23:30:00Z"), ("2026-04-06T12:15", HANOI, "2026-04-06T05:15:00Z"))


def test_it_keeps_its_length() -> None:
    assert new_times(FORUM, "2026-04-11T14:30", None, None) == {
        "starts": {"local": "2026-04-11T14:30", "zone": HANOI},
        "ends": {"local": "2026-04-11T16:30", "zone": HANOI},
    }


def test_it_ends_when_one_says() -> None:
    assert new_times(FORUM, "2026-04-11T14:30", "2026-04-11T15:00", None)["ends"] == {
        "local": "2026-04-11T15:00",
        "zone": HANOI,
    }


def test_a_flight_keeps_the_clocks_of_both_its_ends() -> None:
    """5 h 45 min from Tokyo to Hà Nội, which is two hours behind."""
    assert new_times(FLIGHT, "2026-04-07T10:00", None, None) == {
        "starts": {"local": "2026-04-07T10:00", "zone": TOKYO},
        "ends": {"local": "2026-04-07T13:45", "zone": HANOI},
    }


def test_another_zone_holds_for_both_ends_of_what_has_one() -> None:
    assert new_times(FORUM, "2026-04-11T08:00", None, TOKYO)["ends"] == {"local": "2026-04-11T10:00", "zone": TOKYO}


def test_over_a_change_of_the_clock_it_still_lasts_as_long() -> None:
    """Six hours in the night of 29 March, of which the clock shows seven."""
    assert new_times(NIGHT, "2026-03-28T22:00", None, None)["ends"] == {"local": "2026-03-29T05:00", "zone": BERLIN}


def test_an_end_in_the_hour_that_autumn_repeats_says_which_one_it_is() -> None:
    """25 October 2026: two hours from 01:30 end when the clock shows 02:30 for the second time."""
    short = item(
        ("2026-04-11T01:30", BERLIN, "2026-04-10T23:30:00Z"), ("2026-04-11T03:30", BERLIN, "2026-04-11T01:30:00Z")
    )
    assert new_times(short, "2026-10-25T01:30", None, None)["ends"] == {
        "local": "2026-10-25T02:30",
        "zone": BERLIN,
        "fold": 1,
    }
    assert new_times(short, "2026-10-25T02:30", None, None, fold=0)["starts"]["fold"] == 0


def test_what_is_no_time_is_left_for_the_api_to_refuse() -> None:
    assert new_times(FORUM, "2026-02-30T09:00", None, None)["starts"]["local"] == "2026-02-30T09:00"
    assert new_times(FORUM, "2026-02-28T09:00", None, "Mars/Olympus")["starts"]["zone"] == "Mars/Olympus"
