"""Around every request: an id, safe headers, one line in the log, and an honest answer when something breaks.

The log names the route's pattern, never the address: query strings, tokens and references stay out of it.
"""

import time
import traceback
from uuid import uuid4

import structlog
from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.pages.problems import answer
from api.problems import Problem

log = structlog.get_logger()

HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Neither of the last two falls back to `default-src`.
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Cache-Control": "no-store",
}
"""Set on every answer that does not say otherwise itself."""

TLS_ALWAYS = {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"}
"""A year in which a browser that came by TLS once comes by nothing else (RFC 6797)."""


class Envelope:
    """ASGI middleware, the outermost one."""

    def __init__(self, app: ASGIApp, *, tls: bool) -> None:
        """`tls`: the address that people open begins with https."""
        self._app = app
        self._headers = HEADERS | (TLS_ALWAYS if tls else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and note how it ended."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = str(uuid4())
        status, begun = 0, time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
                headers["X-Request-Id"] = scope["request_id"]
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception as error:  # noqa: BLE001 - whatever broke, the caller hears of it and nothing leaks
            # The text of an unknown error may hold what people wrote: only its kind and its place are noted.
            log.error("request_broke", request_id=scope["request_id"], error=type(error).__name__, at=_place(error))
            if not status:
                response = answer(Request(scope), Problem("internal_error"))
                await response(scope, receive, send_with_headers)
        finally:
            route = scope.get("route")
            log.info(
                "request",
                request_id=scope["request_id"],
                method=scope["method"],
                route=getattr(route, "path", None),
                account=account_of(scope),
                status=status,
                ms=round((time.perf_counter() - begun) * 1000, 1),
            )


def account_of(scope: Scope) -> str | None:
    """Return whose account asked, or None where nobody is asked or nobody was known."""
    actor = scope.get("state", {}).get("actor")
    return None if actor is None else str(actor.id)


def _place(error: BaseException) -> list[str]:
    return [f"{frame.name}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__)[-4:]]
