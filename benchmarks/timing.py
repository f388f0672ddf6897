"""How things are timed: in turns, so that the noise of the machine reaches floor and subject alike."""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from statistics import median, quantiles

Call = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Contestant:
    """Something to be timed. `call` is one round trip; `settle` returns when nothing of it is still under way."""

    name: str
    call: Call
    settle: Call


@dataclass
class Latency:
    """Round trips of one contestant, in milliseconds, one list for each round."""

    rounds: list[list[float]] = field(default_factory=list)

    @property
    def p50(self) -> float:
        """The median of the rounds' medians."""
        return median(median(one) for one in self.rounds)

    @property
    def p99(self) -> float:
        """The 99th percentile of all round trips."""
        return quantiles((value for one in self.rounds for value in one), n=100)[98]

    @property
    def spread(self) -> tuple[float, float]:
        """The smallest and the largest of the rounds' medians."""
        medians = [median(one) for one in self.rounds]
        return min(medians), max(medians)


async def in_turns(contestants: Sequence[Contestant], *, rounds: int, calls: int, warm_up: int) -> dict[str, Latency]:
    """Time the contestants in blocks of `calls`, each round beginning with another one.

    A block ends when everything it began has ended, so that none pays for another; what it does in the background
    while it is being timed, it pays for itself.
    """
    for one in contestants:
        for _ in range(warm_up):
            await one.call()
        await one.settle()
    found = {one.name: Latency() for one in contestants}
    for number in range(rounds):
        shift = number % len(contestants)
        for one in (*contestants[shift:], *contestants[:shift]):
            found[one.name].rounds.append([await _timed(one.call) for _ in range(calls)])
            await one.settle()
    return found


async def _timed(call: Call) -> float:
    begun = time.perf_counter()
    await call()
    return (time.perf_counter() - begun) * 1000
