"""Which exception becomes which problem: the one place where errors of the layers below meet HTTP."""

from collections.abc import Callable
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from api.engine import CommandRefused, DecisionFailed, EngineUnavailable, KeyReused
from api.envelope import account_of
from api.pages.problems import answer
from api.problems import BY_STATUS, Problem, answer_of, refused
from api.violations import field_problems
from storage.errors import StoreUnavailable
from storage.idempotency import IdempotencyConflict

log = structlog.get_logger()

KEY_HEADER = ("header", "Idempotency-Key")

PLAIN: dict[type[Exception], str] = {
    KeyReused: "idempotency_key_reused",
    IdempotencyConflict: "idempotency_key_reused",
    StoreUnavailable: "store_unavailable",
    EngineUnavailable: "engine_unavailable",
    DecisionFailed: "decision_failed",
}


def add_handlers(application: FastAPI) -> None:
    """Answer every exception that is meant for a caller with problem details, or with a page."""
    application.add_exception_handler(Problem, _handler(lambda error: error))
    application.add_exception_handler(CommandRefused, _handler(lambda error: refused(error.refusal)))
    application.add_exception_handler(RequestValidationError, _handler(_invalid))
    application.add_exception_handler(HTTPException, _answer_by_status)
    for kind, code in PLAIN.items():
        application.add_exception_handler(kind, _handler(lambda error, code=code: Problem(code)))


NOTED = frozenset({401, 403, 429})
"""Statuses of what somebody may not do, or not so often: the log says who it was, if that is known."""


def _handler(problem_of: Callable[..., Problem]) -> Callable[[Request, Exception], Any]:
    async def handle(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if answer_of(problem.code).status in NOTED:
            log.warning(
                "refused", request_id=request.scope["request_id"], code=problem.code, account=account_of(request.scope)
            )
        return answer(request, problem)

    return handle


async def _answer_by_status(request: Request, error: Exception) -> Response:
    """Answer what the framework refuses by itself, in our words."""
    status = error.status_code if isinstance(error, HTTPException) else 400
    headers = {"Allow": ", ".join(_methods_of(request))} if status == 405 else {}
    return answer(request, Problem(BY_STATUS.get(status, "body_malformed"), headers=headers))


def _methods_of(request: Request) -> list[str]:
    """Return every method that the address takes; the framework names those of one route alone."""
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if compile_path(context.path or "")[0].match(request.url.path):
            found |= set(context.methods or ())
    return sorted(found)


def _invalid(error: RequestValidationError) -> Problem:
    errors = error.errors()
    for one in errors:
        if tuple(one["loc"])[:2] == KEY_HEADER:
            missing = one["type"] == "missing"
            return Problem("idempotency_key_missing" if missing else "idempotency_key_malformed")
    code = "body_malformed" if any(one["type"] == "json_invalid" for one in errors) else "validation_failed"
    return Problem(code, errors=field_problems(errors))
