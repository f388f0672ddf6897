"""One command at a time: through the client and through HTTP, against the floor."""

from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from benchmarks.timing import Contestant, Latency, in_turns

NAME = "round trip"


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Time a no-op update, one with a no-op local activity, and `move_item` all ways; milliseconds."""
    floor = await here.floor()
    by_client, written, by_http = await here.subject(), await here.subject(), await here.subject()

    async def nothing() -> None:
        return None

    contestants = [
        Contestant("no-op update (floor A)", lambda: floor.execute_update("no_op"), nothing),
        Contestant(
            "update with a no-op local activity (floor B)", lambda: floor.execute_update("local_activity"), nothing
        ),
        Contestant(
            "command by client", lambda: here.send(by_client, [by_client.move()]), lambda: here.settle(by_client)
        ),
        Contestant(
            "command by client, written through",
            lambda: here.execute(written, [written.move()]),
            lambda: here.settle(written),
        ),
        Contestant("command by HTTP", lambda: here.post(by_http, by_http.move()), lambda: here.settle(by_http)),
    ]
    found = await in_turns(contestants, rounds=3 if quick else 9, calls=40 if quick else 100, warm_up=30)
    findings.add(
        NAME,
        [figure for name, latency in found.items() for figure in _figures(name, latency)],
        _ratios(*(found[one.name] for one in contestants)),
    )


def _figures(name: str, latency: Latency) -> list[Figure]:
    low, high = latency.spread
    return [
        Figure(f"{name}, p50", latency.p50, "ms", f"rounds {low:.2f} to {high:.2f}"),
        Figure(f"{name}, p99", latency.p99, "ms"),
    ]


def _ratios(update: Latency, local_activity: Latency, client: Latency, written: Latency, http: Latency) -> list[Ratio]:
    return [
        Ratio("client_to_floor_p50", client.p50 / update.p50, 1.6),
        Ratio("client_to_local_activity_p50", client.p50 / local_activity.p50, 1.15),
        Ratio("client_to_floor_p99", client.p99 / update.p99),
        Ratio("written_to_floor_p50", written.p50 / update.p50),
        Ratio("http_to_floor_p50", http.p50 / update.p50, 2.2),
    ]
