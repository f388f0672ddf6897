"""How contestants are timed, and how a ratio is told to programs."""

import pytest

from benchmarks.figures import Ratio
from benchmarks.timing import Contestant, Latency, in_turns


async def test_contestants_take_turns_and_each_round_begins_with_another() -> None:
    """Two calls a block after one call of warming up; every block is settled before the next begins."""
    seen: list[str] = []

    def contestant(name: str) -> Contestant:
        async def call() -> None:
            seen.append(name)

        async def settle() -> None:
            seen.append(f"{name} settled")

        return Contestant(name, call, settle)

    found = await in_turns([contestant("a"), contestant("b")], rounds=2, calls=2, warm_up=1)

    block_of_a, block_of_b = ["a", "a", "a settled"], ["b", "b", "b settled"]
    assert seen == [*block_of_a[1:], *block_of_b[1:], *block_of_a, *block_of_b, *block_of_b, *block_of_a]
    assert {name: [len(one) for one in latency.rounds] for name, latency in found.items()} == {"a": [2, 2], "b": [2, 2]}


def test_the_median_of_rounds_is_not_moved_by_one_bad_round() -> None:
    """A round in which the machine was busy is one of many."""
    latency = Latency([[1.0, 2.0, 3.0], [2.0, 3.0, 4.0], [90.0, 95.0, 99.0]])
    assert latency.p50 == 3.0
    assert latency.spread == (2.0, 95.0)


@pytest.mark.parametrize(
    ("ratio", "line"),
    [
        (Ratio("client_to_floor_p50", 1.504, 1.6), "ratio: client_to_floor_p50 1.50 (aim ≤ 1.6, met)"),
        (Ratio("client_to_floor_p50", 1.7, 1.6), "ratio: client_to_floor_p50 1.70 (aim ≤ 1.6, missed)"),
        (Ratio("throughput_to_floor", 0.7, 0.6, at_least=True), "ratio: throughput_to_floor 0.70 (aim ≥ 0.6, met)"),
        (Ratio("client_to_floor_p99", 1.333), "ratio: client_to_floor_p99 1.33"),
    ],
)
def test_a_ratio_says_whether_it_keeps_to_its_aim(ratio: Ratio, line: str) -> None:
    """One line for programs, a ceiling unless said otherwise."""
    assert str(ratio) == line
