"""The log of a process: one line of JSON on standard output for each event, its time in UTC, whoever writes it."""

import logging
import sys
from contextlib import suppress
from typing import TextIO, cast

import structlog

SHARED = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)


class Log:
    """Standard output. A full disk may refuse a line: it is lost, and the work goes on all the same."""

    def write(self, text: str) -> None:
        """Write what can be written."""
        with suppress(OSError):
            sys.stdout.write(text)

    def flush(self) -> None:
        """Hand over what can be handed over."""
        with suppress(OSError):
            sys.stdout.flush()


def configure_log() -> None:
    """Let our own events, and what libraries warn of by `logging`, be written in one form."""
    structlog.configure(
        processors=[*SHARED, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=cast(TextIO, Log())),
    )
    foreign = logging.StreamHandler(cast(TextIO, Log()))
    foreign.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*SHARED, structlog.stdlib.add_logger_name],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[foreign], force=True)
