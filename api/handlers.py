"""Which exception becomes which problem: the one place where errors of the layers below meet HTTP."""

from collections.abc import Callable
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.engine import CommandRefused, DecisionFailed, EngineUnavailable, KeyReused
from api.problems import BY_STATUS, Problem, refused, respond
from api.violations import field_problems
from storage.errors import StoreUnavailable
from storage.idempotency import IdempotencyConflict

KEY_HEADER = ("header", "Idempotency-Key")

PLAIN: dict[type[Exception], str] = {
    KeyReused: "idempotency_key_reused",
    IdempotencyConflict: "idempotency_key_reused",
    StoreUnavailable: "store_unavailable",
    EngineUnavailable: "engine_unavailable",
    DecisionFailed: "decision_failed",
}


def add_handlers(application: FastAPI) -> None:
    """Answer every exception that is meant for a caller with problem details."""
    application.add_exception_handler(Problem, _handler(lambda error: error))
    application.add_exception_handler(CommandRefused, _handler(lambda error: refused(error.refusal)))
    application.add_exception_handler(RequestValidationError, _handler(_invalid))
    application.add_exception_handler(HTTPException, _handler(_by_status))
    for kind, code in PLAIN.items():
        application.add_exception_handler(kind, _handler(lambda error, code=code: Problem(code)))


def _handler(problem_of: Callable[..., Problem]) -> Callable[[Request, Exception], Any]:
    async def answer(request: Request, error: Exception) -> Response:
        return respond(request, problem_of(error))

    return answer


def _by_status(error: HTTPException) -> Problem:
    return Problem(BY_STATUS.get(error.status_code, "body_malformed"), headers=error.headers)


def _invalid(error: RequestValidationError) -> Problem:
    errors = error.errors()
    for one in errors:
        if tuple(one["loc"])[:2] == KEY_HEADER:
            missing = one["type"] == "missing"
            return Problem("idempotency_key_missing" if missing else "idempotency_key_malformed")
    code = "body_malformed" if any(one["type"] == "json_invalid" for one in errors) else "validation_failed"
    return Problem(code, errors=field_problems(errors))
