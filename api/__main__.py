"""`python -m api`: serves the API on the address that the settings name, until it is told to stop."""

import asyncio
import os
import signal
import sys
from contextlib import suppress
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from api.application import create_application, settle
from api.installation import Installation
from api.schema import SchemaOutdated, require_schema
from embedded.log import configure_log
from settings import Settings, SettingsRefused, load_settings

GRACE = 10
"""Seconds that requests under way have to end."""


class Server(uvicorn.Server):
    """Ends event streams when it is told to stop; it would wait for them for ever."""

    def __init__(self, config: uvicorn.Config, installation: Installation) -> None:
        super().__init__(config)
        self._installation = installation
        self._loop: asyncio.AbstractEventLoop | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        """Remember the loop that a signal has to be brought to; take requests once everything is loaded."""
        self._loop = asyncio.get_running_loop()
        settle()
        await super().startup(sockets)  # type: ignore[arg-type]

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Stop taking requests and end the streams."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._installation.announcements.close)
        super().handle_exit(sig, frame)


def main() -> int:
    """0 after a clean stop, or 1 after one plain sentence on standard error."""
    configure_log()
    try:
        settings = load_settings()
        application = create_application(settings)
        # Looked at before the server starts, which would tell of it by a stack trace.
        asyncio.run(require_schema(settings.database_url))
    except (SettingsRefused, SchemaOutdated) as refused:
        return _refuse(str(refused))
    server = Server(config_of(application, settings), application.state.installation)
    # Once it has stopped, uvicorn raises the signal again that stopped it.
    with suppress(KeyboardInterrupt):
        server.run()
    return 0 if server.started else 1


def config_of(application: ASGIApp, settings: Settings) -> uvicorn.Config:
    """Return how an application is served. `X-Forwarded-…` counts from this machine, or from FORWARDED_ALLOW_IPS."""
    return uvicorn.Config(
        application,
        host=settings.api_host,
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        log_level="warning",
        server_header=False,
        timeout_graceful_shutdown=GRACE,
    )


def _refuse(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 1


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    code = main()
    sys.stdout.flush()
    sys.stderr.flush()
    # The Temporal SDK's threads can abort an interpreter that is taken down in order (PyGILState_Release).
    os._exit(code)
