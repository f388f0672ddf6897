"""What is kept of calendars stays within bounds, however many are fetched."""

from datetime import UTC, datetime

from api.conditional import Representation
from api.feed_contents import Shelf

AT = datetime(2026, 3, 25, 9, 0, tzinfo=UTC)


def calendar(size: int) -> Representation:
    return Representation(b"x" * size, AT)


def test_ten_thousand_calendars_do_not_let_it_grow_without_bound() -> None:
    """As many as it may hold, and those that were used last."""
    shelf = Shelf(most=100)
    for number in range(10_000):
        shelf.put(f"fee_{number}", ("head",), calendar(10))
        shelf.get("fee_0", ("head",))
    assert len(shelf) == 100
    assert shelf.octets == 1_000
    assert shelf.get("fee_0", ("head",)) is not None
    assert shelf.get("fee_9950", ("head",)) is not None
    assert shelf.get("fee_5000", ("head",)) is None


def test_its_octets_are_bounded_too() -> None:
    """Packed ones count; a calendar larger than everything is not kept."""
    shelf = Shelf(most=1_000, largest=10_000)
    for number in range(100):
        shelf.put(f"fee_{number}", ("head",), calendar(1_000))
        assert shelf.octets <= 10_000
    assert 0 < len(shelf) < 10
    before = (len(shelf), shelf.octets)
    shelf.put("fee_large", ("head",), Representation(bytes(range(250)) * 40, AT))
    assert (len(shelf), shelf.octets) == before


def test_only_what_was_made_of_exactly_this_is_found() -> None:
    """A file that has moved on, another day, another generation."""
    shelf = Shelf()
    shelf.put("fee_a", ("2026-03-25", "tokyo abc"), calendar(10))
    assert shelf.get("fee_a", ("2026-03-25", "tokyo abd")) is None
    assert shelf.get("fee_a", ("2026-03-26", "tokyo abc")) is None
    shelf.put("fee_a", ("2026-03-26", "tokyo abc"), calendar(20))
    assert (len(shelf), shelf.octets) == (1, 20)
