"""What is due to be removed by the rules of retention: old enough, and of no file that is open."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from domain.bilingual import Bilingual
from domain.retention import (
    FOR_EVER,
    KINDS,
    OF_FILES,
    Cutoff,
    FileStands,
    Holding,
    RetentionRule,
    cutoffs,
    due,
    is_due,
)
from tests.rulebook import shipped

ZONE = "Asia/Ho_Chi_Minh"
NOW = datetime(2027, 1, 1, tzinfo=UTC)


def rule(keep: str, what: str = "sent_mail", **more: object) -> RetentionRule:
    said = {
        "id": "RET",
        "version": 1,
        "title": Bilingual(vi="Thử", en="Trial"),
        "source": "Local",
        "effective_from": date(2026, 1, 1),
        "what": what,
        "keep": keep,
    }
    return RetentionRule.model_validate(said | more)


@pytest.mark.parametrize(
    ("keep", "on", "first_kept"),
    [
        ("30 days", date(2026, 3, 31), date(2026, 3, 1)),
        ("1 day", date(2026, 3, 1), date(2026, 2, 28)),
        ("1 month", date(2026, 3, 31), date(2026, 2, 28)),
        ("6 months", date(2026, 3, 31), date(2025, 9, 30)),
        ("1 year", date(2028, 2, 29), date(2027, 2, 28)),
        ("10 years", date(2036, 1, 1), date(2026, 1, 1)),
        ("9999 years", date(2036, 1, 1), date(1, 1, 1)),
        ("for_ever", date(2036, 1, 1), None),
    ],
)
def test_a_period_ends_on_the_same_day_of_the_month_or_its_last(keep: str, on: date, first_kept: date | None) -> None:
    """Days are counted; months and years go by the calendar."""
    assert rule(keep).kept_until_before(on) == first_kept


@given(st.dates(date(2026, 1, 1), date(2099, 12, 31)), st.integers(1, 600), st.sampled_from(["day", "month", "year"]))
def test_a_longer_period_never_lets_more_go(on: date, count: int, unit: str) -> None:
    """Whatever the day and the unit."""
    shorter, longer = (rule(f"{many} {unit}s").kept_until_before(on) for many in (count, count + 1))
    assert shorter is not None
    assert longer is not None
    assert longer <= shorter < on


@pytest.mark.parametrize("what", sorted(FOR_EVER))
def test_a_rule_that_would_remove_what_proves_is_refused(what: str) -> None:
    """The trail, its archive, the checkpoints and the log of the registers are kept for ever."""
    with pytest.raises(ValidationError, match="proves what happened"):
        rule("20 years", what)
    assert rule("for_ever", what).keep == "for_ever"


@pytest.mark.parametrize("keep", ["0 days", "30", "two years", "-1 days", "1 year 2 months", "10000 days", "never"])
def test_a_period_that_is_none_is_refused(keep: str) -> None:
    """A number and a unit, or for ever."""
    with pytest.raises(ValidationError):
        rule(keep)


def test_the_shipped_schedule_speaks_of_every_kind() -> None:
    """Once each; what proves is kept for ever, everything else is not."""
    rules = shipped().retention
    assert sorted(one.what for one in rules) == sorted(KINDS)
    assert {one.what for one in rules if one.keep == "for_ever"} == FOR_EVER
    lets_go = cutoffs(rules, date(2026, 6, 30), ZONE)
    assert [one.what for one in lets_go] == [kind for kind in KINDS if kind not in FOR_EVER]
    before = {one.what: one.before for one in lets_go}
    assert before["travel_details"] == datetime(2026, 4, 30, 17, tzinfo=UTC)
    assert cutoffs(rules, date(2025, 12, 31), ZONE) == ()


def test_the_rule_of_the_day_counts() -> None:
    """A shorter period from a later day on lets nothing go before that day."""
    two = (
        rule("2 years", effective_to=date(2026, 6, 30)),
        rule("1 year", version=2, effective_from=date(2026, 7, 1)),
    )
    days = [date(2026, 6, 30), date(2026, 7, 1)]
    assert [[(one.version, one.before.year) for one in cutoffs(two, day, ZONE)] for day in days] == [
        [(1, 2024)],
        [(2, 2025)],
    ]


CUTOFFS = st.builds(Cutoff, what=st.sampled_from(KINDS), rule=st.just("RET"), version=st.just(1), before=st.just(NOW))
HOLDINGS = st.builds(
    Holding,
    what=st.sampled_from(KINDS),
    entry=st.text("abcdef", min_size=1, max_size=4),
    since=st.integers(-2000, 500).map(lambda days: NOW + timedelta(days=days)),
    files=st.lists(st.builds(FileStands, file=st.sampled_from("xyz"), closed=st.booleans()), max_size=3).map(tuple),
)


@given(CUTOFFS, st.lists(HOLDINGS, max_size=30))
def test_nothing_of_an_open_file_is_ever_due(cutoff: Cutoff, holdings: list[Holding]) -> None:
    """Nor what is younger, nor of another kind, nor what ought to belong to a file and belongs to none."""
    found = due(cutoff, holdings)
    chosen = [one for one in holdings if is_due(one, cutoff)]
    assert found.entries == tuple(sorted({one.entry for one in chosen}))
    for one in chosen:
        assert [file for file in one.files if not file.closed] == []
        assert (one.what, one.since < NOW) == (cutoff.what, True)
        assert one.files or one.what not in OF_FILES
    left = [one for one in holdings if one not in chosen and one.what == cutoff.what and one.since < NOW]
    assert all(any(not file.closed for file in one.files) or one.what in OF_FILES for one in left)


@given(CUTOFFS, st.lists(HOLDINGS, max_size=10), st.randoms(use_true_random=False))
def test_the_digest_stands_for_the_set(cutoff: Cutoff, holdings: list[Holding], order: object) -> None:
    """In whatever order it was found, and for no other set."""
    shuffled = sorted(holdings, key=lambda _: order.random())  # type: ignore[attr-defined]
    assert due(cutoff, shuffled) == due(cutoff, holdings)
    more = Holding(what=cutoff.what, entry="zz", since=NOW - timedelta(1), files=(FileStands(file="x", closed=True),))
    assert due(cutoff, [*holdings, more]).digest != due(cutoff, holdings).digest
