"""Who may use which route. Deny by default: a route without a row here is nobody's.

What somebody may command is said in `domain/permission.py`; here stands who may ask at all.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import Message

from api.problems import Problem
from domain.decision import SYSTEM, RoleName
from domain.decision import Actor as Acting
from storage.accounts import Accounts

EVERYBODY: tuple[RoleName, ...] = ("coordinator", "approver", "auditor", "administrator")
COORDINATOR: tuple[RoleName, ...] = ("coordinator",)
ADMINISTRATOR: tuple[RoleName, ...] = ("administrator",)
PERSONAL: tuple[RoleName, ...] = ("coordinator", "approver", "administrator")
"""Those who may see personal data. An auditor checks commitments, and needs none of it."""

ALLOWED: dict[str, tuple[RoleName, ...]] = {
    "open_delegation": COORDINATOR,
    # Also for those who may not sign: their attempt to sign is decided, refused and recorded.
    "send_commands": EVERYBODY,
    "list_delegations": EVERYBODY,
    "show_delegation": EVERYBODY,
    "show_trail": EVERYBODY,
    "follow_trail": EVERYBODY,
    "count_messages": EVERYBODY,
    "list_deadlines_of_delegation": EVERYBODY,
    "list_ceilings": EVERYBODY,
    "list_documents": EVERYBODY,
    "download_document": PERSONAL,
    "list_deadlines": EVERYBODY,
    "register_person": COORDINATOR,
    "show_person": PERSONAL,
    "correct_person": COORDINATOR,
    "write_text": ("coordinator", "approver"),
    "read_text": PERSONAL,
    "store_attachment": COORDINATOR,
    "list_accounts": ADMINISTRATOR,
    "create_account": ADMINISTRATOR,
    "change_account": ADMINISTRATOR,
    "disable_account": ADMINISTRATOR,
    "list_tokens": ADMINISTRATOR,
    "create_token": ADMINISTRATOR,
    "revoke_token": ADMINISTRATOR,
    "enter_edition": ADMINISTRATOR,
    "list_editions": EVERYBODY,
    "show_edition": EVERYBODY,
    "explain_policy": EVERYBODY,
    "show_me": EVERYBODY,
    "move_clock": ADMINISTRATOR,
}
"""By the name of the route's function. Health and the description of the API need no token and no row."""

LARGEST_BODY = 1_000_000
"""Bytes of a request's body, where LARGEST has nothing else."""

LARGEST = dict.fromkeys(
    ("open_delegation", "explain_policy", "send_commands", "write_text", "enter_edition"), 4_000_000
)
"""Room for a full batch, and for one that is too large, or a text that is too long, to hear precisely that."""

UNMEASURED = frozenset({"store_attachment"})
"""The register counts as it reads, and stops at the installation's own limit."""

BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="A token, as `legation token create` prints it.")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that asks for a token and a role before it reads a body, and for JSON where it expects JSON."""

    def get_route_handler(self) -> Handler:
        """Put the guard before the route."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.actor = await admit(request, self.name)
            if self.body_field is not None and not _says_json(request):
                raise Problem("content_type_not_json")
            if self.name in UNMEASURED:
                return await handler(request)
            return await handler(_measured(request, LARGEST.get(self.name, LARGEST_BODY)))

        return guarded


async def admit(request: Request, route: str) -> Acting:
    """Return who asks. Problems: `token_missing`, `token_refused` (401), `role_not_allowed` (403)."""
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secret.strip():
        raise Problem("token_missing", headers={"WWW-Authenticate": "Bearer"})
    accounts: Accounts = request.app.state.installation.accounts
    actor = await accounts.actor_for_token(secret.strip())
    if actor is None or actor.id == SYSTEM:
        raise Problem("token_refused", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    if not set(actor.roles) & set(ALLOWED.get(route, ())):
        raise Problem("role_not_allowed")
    return actor


def _measured(request: Request, largest: int) -> Request:
    """Return the request with a body that is refused where it goes beyond `largest` bytes, whatever it declared."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > largest:
        raise Problem("body_too_large")
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > largest:
            # The framework hands on its own kind of error from within the reading of a body, and no other.
            raise HTTPException(413)
        return message

    return Request(request.scope, receive)


def _says_json(request: Request) -> bool:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _actor(request: Request) -> Acting:
    actor: Acting = request.state.actor
    return actor


Actor = Annotated[Acting, Depends(_actor)]
"""Who asks, as a parameter of a guarded route."""
