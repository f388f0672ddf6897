"""What a transition leaves in Temporal's history, in bytes as the server counts them."""

from collections import Counter

from temporalio.api.enums.v1 import EventType

from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from benchmarks.subject import Subject

NAME = "history"
COMMANDS = 48
BATCH = 12


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Send the same transitions one by one and in batches, each to a file of its own, within one run of it."""
    single, batched = await here.subject(), await here.subject()
    before = await _size(here, single)
    for _ in range(COMMANDS):
        await here.send(single, [single.move()])
    await here.settle(single)
    alone = (await _size(here, single) - before) / COMMANDS
    before = await _size(here, batched)
    for _ in range(COMMANDS // BATCH):
        await here.send(batched, batched.moves(BATCH))
    await here.settle(batched)
    together = (await _size(here, batched) - before) / COMMANDS
    event = await _event_size(here, single)
    findings.add(
        NAME,
        [
            Figure("a transition sent alone", alone, "bytes", "all events of its update, its share of the outbox"),
            Figure(f"a transition in a batch of {BATCH}", together, "bytes"),
            Figure("the sealed event itself", event, "bytes", "canonical JSON, plain"),
            *await _by_kind(here, single),
        ],
        [Ratio("history_to_sealed_event", alone / event)],
    )


async def _size(here: Installation, subject: Subject) -> int:
    described = await here.client.get_workflow_handle(subject.id).describe()
    return described.raw_description.workflow_execution_info.history_size_bytes


async def _event_size(here: Installation, subject: Subject) -> float:
    events = await here.registers.journal.events(subject.id)
    last = [one for one in events if one.type == "ItemMoved"]
    return sum(len(one.model_dump_json()) for one in last) / len(last)


async def _by_kind(here: Installation, subject: Subject) -> list[Figure]:
    """Return which of the server's events take the room, as sums over the run that holds the transitions."""
    history = await here.client.get_workflow_handle(subject.id).fetch_history()
    sizes: Counter[str] = Counter()
    counts: Counter[str] = Counter()
    for event in history.events:
        kind = EventType.Name(event.event_type).removeprefix("EVENT_TYPE_").lower()
        sizes[kind] += event.ByteSize()
        counts[kind] += 1
    return [
        Figure(f"each {kind}", size / counts[kind], "bytes", f"{counts[kind]} in the run")
        for kind, size in sizes.most_common(6)
    ]
