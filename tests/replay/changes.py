"""Deliberate changes of the workflow's command order, made in a copy of its source. Every one must fail to replay."""

from dataclasses import dataclass
from pathlib import Path

SOURCE = Path(__file__).parents[2] / "workflows" / "delegation.py"


@dataclass(frozen=True)
class Change:
    """`old` stands once in the source and is replaced by `new`; `caught_by` begins the names of those that notice."""

    old: str
    new: str
    caught_by: tuple[str, ...] = ("outbound-two-countries",)


CALL = "await workflow.execute_activity(\n            ports.PROJECT,"
BURST = "\n            ProjectInput(delegation=self._file.delegation, events=burst),"
TIMEOUT = "\n            start_to_close_timeout=timedelta(seconds=10),"
HEARTBEAT = """
            # Projected twice is projected once, so here a silent worker may soon be taken for dead.
            heartbeat_timeout=timedelta(seconds=3),"""
"""A local activity has none."""

CHANGES = {
    "effects-before-projection": Change(
        "effect.seq < first_unprojected and",
        "first_unprojected and",
    ),
    "no-search-attributes": Change("workflow.upsert_search_attributes(", "bool("),
    "search-attributes-at-every-decision": Change("if file.phase != phase:", "if True:"),
    "decision-as-activity": Change("workflow.execute_local_activity(", "workflow.execute_activity("),
    "projection-as-local-activity": Change(
        CALL + BURST + TIMEOUT + HEARTBEAT,
        CALL.replace("execute_activity", "execute_local_activity") + BURST + TIMEOUT,
    ),
    "projection-by-another-name": Change("ports.PROJECT,", "'project_events',"),
    "timer-before-decision": Change(
        "        phase = self._file.phase\n",
        "        phase = self._file.phase\n        await workflow.sleep(timedelta(seconds=1))\n",
    ),
    "no-quiet-moment": Change("if not self._pressing:", "if False:"),
    "no-deadline-timer": Change("timeout = wake - workflow.now() if wake else None", "timeout = None"),
    "decided-twice": Change(
        "            # From what the file holds now",
        "            await workflow.execute_local_activity(\n"
        "                ports.DECIDE, question, start_to_close_timeout=timedelta(seconds=10)\n"
        "            )\n"
        "            # From what the file holds now",
    ),
    "timer-before-the-end": Change(
        "            if self._ended:\n",
        "            if self._ended:\n                await workflow.sleep(timedelta(seconds=1))\n",
    ),
    "never-continued": Change("UPDATES_A_RUN = 150", "UPDATES_A_RUN = 1_500", ("long-file",)),
}


def changed_source(name: str) -> str:
    """Return the workflow's source with one change. A change that no longer fits the source has to be written anew."""
    change, source = CHANGES[name], SOURCE.read_text(encoding="utf-8")
    assert source.count(change.old) == 1, f"{name}: the source has moved on"
    return source.replace(change.old, change.new)
