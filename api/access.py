"""Who may use which route. Deny by default: a route without a row here is nobody's.

What somebody may command is said in `domain/permission.py`; here stands who may ask at all, and with what: a token, a
session, or nothing yet.
"""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any, Literal

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.exceptions import HTTPException
from starlette.types import Message

from api.cookies import SAFE_METHODS
from api.installation import installation_of
from api.problems import Problem
from domain.decision import SYSTEM, RoleName
from domain.sign_in import Acting, Scope
from storage.spreadsheet import LARGEST_FILE

Who = RoleName | Literal["anybody"]

ANYBODY: tuple[Who, ...] = ("anybody",)
"""Nobody is asked who they are: here they begin to say it."""

EVERYBODY: tuple[RoleName, ...] = ("coordinator", "approver", "auditor", "administrator")
COORDINATOR: tuple[RoleName, ...] = ("coordinator",)
ADMINISTRATOR: tuple[RoleName, ...] = ("administrator",)
STAFF: tuple[RoleName, ...] = ("coordinator", "administrator")
PERSONAL: tuple[RoleName, ...] = ("coordinator", "approver", "administrator")
"""Those who may see personal data. An auditor checks commitments, and needs none of it."""

ALLOWED: dict[str, tuple[Who, ...]] = {
    "open_delegation": COORDINATOR,
    # Also for those who may not sign: their attempt to sign is decided, refused and recorded.
    "send_commands": EVERYBODY,
    "ask_signature": ("approver",),
    "list_delegations": EVERYBODY,
    "show_delegation": EVERYBODY,
    "show_dossier": EVERYBODY,
    "show_trail": EVERYBODY,
    "follow_trail": EVERYBODY,
    "list_runs": EVERYBODY,
    "list_archive": ("auditor", "administrator"),
    "fetch_archived_run": ("auditor", "administrator"),
    "show_metrics": ("auditor", "administrator"),
    "read_trail": EVERYBODY,
    "show_changes": EVERYBODY,
    "list_sign_offs": EVERYBODY,
    # What an auditor takes along has no personal data in it; what has, is for those who may see them.
    "export_evidence": ("auditor", "administrator"),
    "export_evidence_with_documents": PERSONAL,
    "count_messages": EVERYBODY,
    "list_dead_letters": EVERYBODY,
    "show_told": EVERYBODY,
    "list_deadlines_of_delegation": EVERYBODY,
    "list_ceilings": EVERYBODY,
    "list_documents": EVERYBODY,
    "download_document": PERSONAL,
    "list_deadlines": EVERYBODY,
    # What people wrote, and from where: for those who settle it.
    "list_replies": ("coordinator", "administrator"),
    "settle_reply": COORDINATOR,
    "dismiss_reply": ("coordinator", "administrator"),
    "list_desks": EVERYBODY,
    "count_desks": EVERYBODY,
    "show_inbox": EVERYBODY,
    "register_person": COORDINATOR,
    "show_person": PERSONAL,
    "correct_person": COORDINATOR,
    "receive_person_request": STAFF,
    "list_person_requests": ("auditor", "administrator"),
    # What was written about it, to administrators alone.
    "show_person_request": ("auditor", "administrator"),
    "identify_person_request": ADMINISTRATOR,
    "answer_person_request": ADMINISTRATOR,
    "extend_person_request": ADMINISTRATOR,
    "carry_out_person_request": ADMINISTRATOR,
    "refuse_person_request": ADMINISTRATOR,
    "take_back_person_request": ADMINISTRATOR,
    "export_person": ADMINISTRATOR,
    "show_retention": ("auditor", "administrator"),
    "list_retention_plans": ("auditor", "administrator"),
    "make_retention_plan": ADMINISTRATOR,
    "show_retention_plan": ("auditor", "administrator"),
    "list_retention_entries": ("auditor", "administrator"),
    "apply_retention_plan": ADMINISTRATOR,
    "stop_retention_plan": ADMINISTRATOR,
    "search_collections": ("coordinator", "administrator"),
    "list_collections": ("auditor", "administrator"),
    "show_collection_of_person": PERSONAL,
    "register_collection_of_person": COORDINATOR,
    "verify_collection_of_person": COORDINATOR,
    "remove_collection_of_person": COORDINATOR,
    "show_collection_of_office": ADMINISTRATOR,
    "register_collection_of_office": ADMINISTRATOR,
    "verify_collection_of_office": ADMINISTRATOR,
    "remove_collection_of_office": ADMINISTRATOR,
    "list_directory": EVERYBODY,
    "add_entry": COORDINATOR,
    "show_entry": EVERYBODY,
    "change_entry": COORDINATOR,
    "list_entry_versions": EVERYBODY,
    "list_duplicates": PERSONAL,
    "list_likely_duplicates": PERSONAL,
    "merge_entry": COORDINATOR,
    "split_entry": COORDINATOR,
    "preview_import": COORDINATOR,
    "accept_import": COORDINATOR,
    "write_text": ("coordinator", "approver"),
    "read_text": PERSONAL,
    # What people wrote: for those who may see personal data.
    "list_checklist_templates": EVERYBODY,
    "show_checklist": PERSONAL,
    "choose_checklist_template": STAFF,
    "add_checklist_entry": STAFF,
    "change_checklist_entry": STAFF,
    # Also for whoever it is assigned to, and for nobody else of them.
    "tick_checklist_entry": PERSONAL,
    "remove_checklist_entry": STAFF,
    "list_own_tasks": PERSONAL,
    "list_notes": PERSONAL,
    "write_note": PERSONAL,
    "change_note": PERSONAL,
    "list_note_versions": PERSONAL,
    "store_attachment": COORDINATOR,
    "make_feed_of_delegation": STAFF,
    "list_feeds_of_delegation": STAFF,
    # One's own calendar; a person's as a coordinator or administrator; another account's as an administrator.
    "make_feed": PERSONAL,
    "list_feeds": PERSONAL,
    "rotate_feed": PERSONAL,
    "revoke_feed": PERSONAL,
    # The address is the right to it.
    "fetch_calendar": ANYBODY,
    "list_accounts": ADMINISTRATOR,
    "create_account": ADMINISTRATOR,
    "change_account": ADMINISTRATOR,
    "disable_account": ADMINISTRATOR,
    "enable_account": ADMINISTRATOR,
    "list_passkeys_of_account": ADMINISTRATOR,
    "remove_passkey_of_account": ADMINISTRATOR,
    "list_tokens": ADMINISTRATOR,
    "create_token": ADMINISTRATOR,
    "revoke_token": ADMINISTRATOR,
    "list_own_tokens": EVERYBODY,
    "create_own_token": EVERYBODY,
    "revoke_own_token": EVERYBODY,
    "list_organisations": EVERYBODY,
    "add_organisation": ADMINISTRATOR,
    "change_organisation": ADMINISTRATOR,
    "end_organisation": ADMINISTRATOR,
    "list_positions": EVERYBODY,
    "add_position": ADMINISTRATOR,
    "change_position": ADMINISTRATOR,
    "end_position": ADMINISTRATOR,
    "close_desk": ADMINISTRATOR,
    "list_tenures": EVERYBODY,
    "begin_tenure": ADMINISTRATOR,
    "end_tenure": ADMINISTRATOR,
    "list_leaves": EVERYBODY,
    # One's own leave; as an administrator that of others in one's reach.
    "register_leave": EVERYBODY,
    "change_end_of_leave": EVERYBODY,
    "give_substitute": EVERYBODY,
    "revoke_leave": EVERYBODY,
    "show_register_log": ("auditor", "administrator"),
    # Numbers, hashes and times: whoever keeps one elsewhere is a witness.
    "list_checkpoints": EVERYBODY,
    "make_checkpoint": ADMINISTRATOR,
    "list_checkpoint_keys": EVERYBODY,
    "show_checkpoint": EVERYBODY,
    "prove_consistency": EVERYBODY,
    "prove_inclusion": EVERYBODY,
    "ask_erasure": ADMINISTRATOR,
    "list_erasures": ADMINISTRATOR,
    "show_erasure": ADMINISTRATOR,
    "agree_erasure": ADMINISTRATOR,
    "withdraw_erasure": ADMINISTRATOR,
    "enter_edition": ADMINISTRATOR,
    "list_editions": EVERYBODY,
    "show_edition": EVERYBODY,
    "explain_policy": EVERYBODY,
    "explain_file_policy": EVERYBODY,
    "show_me": EVERYBODY,
    "move_clock": ADMINISTRATOR,
    "sign_in": ANYBODY,
    "ask_passkey": ANYBODY,
    "sign_in_with_passkey": ANYBODY,
    "list_providers": ANYBODY,
    "go_to_provider": ANYBODY,
    "return_from_provider": ANYBODY,
    "choose_password": ANYBODY,
    "show_session": EVERYBODY,
    "sign_out": EVERYBODY,
    "list_sessions": EVERYBODY,
    "end_session": EVERYBODY,
    "end_sessions": EVERYBODY,
    "change_password": EVERYBODY,
    "list_passkeys": EVERYBODY,
    "begin_passkey": EVERYBODY,
    "register_passkey": EVERYBODY,
    "remove_passkey": EVERYBODY,
    "make_password_link": ADMINISTRATOR,
    "end_sessions_of_account": ADMINISTRATOR,
    "list_identities": ADMINISTRATOR,
    "link_identity": ADMINISTRATOR,
    "unlink_identity": ADMINISTRATOR,
    # Pages
    "send_static_file": ANYBODY,
    "choose_language": ANYBODY,
    "show_sign_in_page": ANYBODY,
    "sign_in_by_page": ANYBODY,
    "show_password_page": ANYBODY,
    "choose_password_by_page": ANYBODY,
    "sign_out_by_page": EVERYBODY,
    # The address is the right to it.
    "show_programme_page": ANYBODY,
    "choose_channel_by_page": ANYBODY,
    "show_first_page": EVERYBODY,
    "take_own_form": ANYBODY,
    "fetch_own_document": ANYBODY,
    "show_inbox_page": EVERYBODY,
    "show_desks_page": EVERYBODY,
    "show_files_page": EVERYBODY,
    "show_search_page": EVERYBODY,
    "show_directory_page": EVERYBODY,
    "show_entry_page": EVERYBODY,
    "show_new_entry_page": COORDINATOR,
    "add_entry_by_page": COORDINATOR,
    "show_changing_entry_page": COORDINATOR,
    "change_entry_by_page": COORDINATOR,
    "show_new_contact_page": COORDINATOR,
    "add_contact_by_page": COORDINATOR,
    "show_merging_page": COORDINATOR,
    "show_likely_duplicates_page": COORDINATOR,
    "merge_entry_by_page": COORDINATOR,
    "split_entry_by_page": COORDINATOR,
    "show_imports_page": COORDINATOR,
    "send_table_by_page": COORDINATOR,
    "show_import_page": COORDINATOR,
    "accept_import_by_page": COORDINATOR,
    "watch_file": EVERYBODY,
    "watch_invitations": EVERYBODY,
    "watch_day": EVERYBODY,
    "watch_desks": EVERYBODY,
    "show_file_page": EVERYBODY,
    "show_new_file_page": COORDINATOR,
    "show_draft_page": COORDINATOR,
    "open_by_page": COORDINATOR,
    "discard_draft_by_page": COORDINATOR,
    "show_section_page": COORDINATOR,
    "keep_section_by_page": COORDINATOR,
    "show_request_page": EVERYBODY,
    "show_part_of_request_page": EVERYBODY,
    "justify_limit_by_page": COORDINATOR,
    "attach_document_by_page": COORDINATOR,
    "show_revise_page": COORDINATOR,
    "revise_request_by_page": COORDINATOR,
    "show_people_page": EVERYBODY,
    "show_joining_page": COORDINATOR,
    "join_by_page": COORDINATOR,
    "show_leaving_page": COORDINATOR,
    "leave_by_page": COORDINATOR,
    "show_replacing_page": COORDINATOR,
    "replace_by_page": COORDINATOR,
    "show_copy_page": COORDINATOR,
    "show_copy_choices": COORDINATOR,
    "copy_by_page": COORDINATOR,
    "show_trail_page": EVERYBODY,
    "export_trail_by_page": EVERYBODY,
    "show_verification_page": EVERYBODY,
    "show_proof_page": EVERYBODY,
    "show_act_page": STAFF,
    "send_act_by_page": STAFF,
    "show_approvals_page": EVERYBODY,
    "show_invitations_page": EVERYBODY,
    "show_report_page": EVERYBODY,
    "file_report_by_page": COORDINATOR,
    "show_board_page": EVERYBODY,
    "show_programme_print": EVERYBODY,
    "restore_programme_by_page": COORDINATOR,
    "show_new_item_page": COORDINATOR,
    "add_item_by_page": COORDINATOR,
    "show_item_page": EVERYBODY,
    "change_item_by_page": COORDINATOR,
    "show_preview_page": EVERYBODY,
    "publish_by_page": COORDINATOR,
    "show_checklist_page": PERSONAL,
    "change_checklist_by_page": STAFF,
    "change_checklist_entry_by_page": PERSONAL,
    "show_notes_page": PERSONAL,
    "write_note_by_page": PERSONAL,
    "show_note_page": PERSONAL,
    "change_note_by_page": PERSONAL,
    "show_administration_page": EVERYBODY,
    "show_organisations_page": EVERYBODY,
    "add_organisation_by_page": ADMINISTRATOR,
    "show_organisation_page": EVERYBODY,
    "change_organisation_by_page": ADMINISTRATOR,
    "show_positions_page": EVERYBODY,
    "add_position_by_page": ADMINISTRATOR,
    "show_position_page": EVERYBODY,
    "change_position_by_page": ADMINISTRATOR,
    "end_tenure_by_page": ADMINISTRATOR,
    "show_leave_page": EVERYBODY,
    "register_leave_by_page": ADMINISTRATOR,
    "change_leave_by_page": ADMINISTRATOR,
    "show_own_leave_page": EVERYBODY,
    "register_own_leave_by_page": EVERYBODY,
    "change_own_leave_by_page": EVERYBODY,
    "show_accounts_page": ADMINISTRATOR,
    "create_account_by_page": ADMINISTRATOR,
    "show_account_page": ADMINISTRATOR,
    "change_account_by_page": ADMINISTRATOR,
    "show_own_tokens_page": EVERYBODY,
    "create_own_token_by_page": EVERYBODY,
    "revoke_own_token_by_page": EVERYBODY,
    "show_replies_page": STAFF,
    "settle_reply_by_page": STAFF,
    "show_undelivered_page": EVERYBODY,
    "resend_by_page": COORDINATOR,
    "show_rules_page": EVERYBODY,
    "explain_policy_by_page": EVERYBODY,
    "show_edition_page": EVERYBODY,
    # Coordinators record what they are asked; what was asked before they do not read.
    "show_person_requests_page": ("coordinator", "auditor", "administrator"),
    "receive_person_request_by_page": STAFF,
    "show_person_request_page": ("auditor", "administrator"),
    "change_person_request_by_page": ADMINISTRATOR,
    "show_erasures_page": ADMINISTRATOR,
    "ask_erasure_by_page": ADMINISTRATOR,
    "show_erasure_page": ADMINISTRATOR,
    "settle_erasure_by_page": ADMINISTRATOR,
    "show_retention_page": ("auditor", "administrator"),
    "make_retention_plan_by_page": ADMINISTRATOR,
    "show_retention_plan_page": ("auditor", "administrator"),
    "settle_retention_plan_by_page": ADMINISTRATOR,
    "show_retention_entries_page": ("auditor", "administrator"),
    "show_health_page": ("auditor", "administrator"),
    "show_log_page": ("auditor", "administrator"),
    "show_checkpoints_page": ("auditor", "administrator"),
    "make_checkpoint_by_page": ADMINISTRATOR,
    "show_archive_page": ("auditor", "administrator"),
    "show_own_account_page": EVERYBODY,
    "end_own_sessions_by_page": EVERYBODY,
    "end_own_session_by_page": EVERYBODY,
    "show_own_password_page": EVERYBODY,
    "change_own_password_by_page": EVERYBODY,
    "show_passkeys_page": EVERYBODY,
    "remove_passkey_by_page": EVERYBODY,
    "read_inbox_page": EVERYBODY,
    "show_step_page": EVERYBODY,
    "answer_step_by_page": EVERYBODY,
    "show_receipt_page": EVERYBODY,
}
"""By the name of the route's function. Health and the description of the API need no token and no row."""

SESSION_ONLY = frozenset(
    {
        "show_session",
        "sign_out",
        "list_sessions",
        "end_session",
        "end_sessions",
        "change_password",
        "list_passkeys",
        "begin_passkey",
        "register_passkey",
        "remove_passkey",
        "list_own_tokens",
        "create_own_token",
        "revoke_own_token",
    }
)
"""A token is no way to these: it could make itself a passkey, and be more than it was given for."""

IN_PERSON = frozenset(
    {"create_token", "make_password_link", "link_identity", "enable_account", "remove_passkey_of_account"}
)
"""What opens a way in for somebody, or takes the strongest one: an administrator does it in a session. A token that was
copied could become anybody. In the demo, where nobody signs in, a token does.
"""

EITHER_SCOPE = frozenset({"send_commands"})
"""Writing and signing go to one address: which scope it takes is said by the commands themselves (api/commands.py)."""

SIGN_SCOPE = frozenset({"ask_signature"})
"""What leads to a signature takes the scope of signing."""

LARGEST_BODY = 1_000_000
"""Bytes of a request's body, where LARGEST has nothing else."""

LARGEST = dict.fromkeys(
    ("open_delegation", "explain_policy", "send_commands", "write_text", "enter_edition"), 4_000_000
)
"""Room for a full batch, and for one that is too large, or a text that is too long, to hear precisely that."""

LARGEST |= dict.fromkeys(("preview_import", "accept_import"), LARGEST_FILE * 4 // 3 + LARGEST_BODY)
"""A table in base64, and a choice for each of its rows; one that comes as it is, is measured by its route."""

UNMEASURED = frozenset({"store_attachment"})
"""The register counts as it reads, and stops at the installation's own limit."""

SESSION = APIKeyCookie(
    name="__Host-legation-session",
    auto_error=False,
    scheme_name="session",
    description=(
        "The cookie of a session; its name has no `__Host-` on plain http on this machine. What changes anything also "
        "needs `Origin` or `Sec-Fetch-Site` of this site, and `X-CSRF-Token` as `GET /api/v1/session` shows it."
    ),
)

BEARER = HTTPBearer(auto_error=False, scheme_name="token", description="A token, as `legation token create` prints it.")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class GuardedRoute(APIRoute):
    """A route that asks who it is, and for a role, before it reads a body, and for JSON where it expects JSON."""

    def get_route_handler(self) -> Handler:
        """Put the guard before the route."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request.state.actor = None
            await admit(request, self.name)
            if self.body_field is not None and not says_json(request):
                raise Problem("content_type_not_json")
            if self.name in UNMEASURED:
                return await handler(request)
            return await handler(measured(request, LARGEST.get(self.name, LARGEST_BODY)))

        return guarded


async def admit(request: Request, route: str) -> None:
    """Let a request in; `request.state.actor` is then who asks, where anybody is asked. A token goes before a cookie.

    Problems: `token_missing`, `token_refused`, `session_refused` (401), `origin_refused`, `csrf_token_refused`,
    `role_not_allowed`, `session_needed`, `scope_missing` (403), `too_many_attempts` (429).
    """
    allowed, at = ALLOWED.get(route, ()), installation_of(request)
    if "anybody" in allowed:
        at.cookies.refuse_other_sites(request, strictly=False)
        return
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and secret.strip():
        actor = await _by_token(request, secret.strip())
    elif at.cookies.session in request.cookies and not scheme:
        actor = await _by_session(request, request.cookies[at.cookies.session])
    else:
        raise Problem("token_missing", headers={"WWW-Authenticate": "Bearer"})
    # Also of one who is refused below: the log says who it was.
    request.state.actor = actor
    if not set(actor.roles) & set(allowed):
        raise Problem("role_not_allowed")
    if route in SESSION_ONLY and actor.session is None:
        raise Problem("session_needed")
    scope = scope_of(route, request.method)
    if scope not in actor.scopes and not (route in EITHER_SCOPE and "sign" in actor.scopes):
        raise Problem("scope_missing", params={"scope": scope})
    if route in IN_PERSON and actor.session is None and not at.settings.has_virtual_clock:
        raise Problem("session_needed")


async def asks_still(request: Request, route: str) -> Acting | None:
    """Return who asked, with the rights they have by now, for an answer that goes on; None once they may not ask.

    That is no use of a session: whoever only follows is over in time like anybody.
    """
    at = installation_of(request)
    scheme, _, secret = request.headers.get("authorization", "").partition(" ")
    if scheme:
        actor = await at.accounts.actor_for_token(secret.strip())
    else:
        actor = await at.sessions.acting(request.cookies.get(at.cookies.session, ""), attended=False)
    return actor if actor is not None and set(actor.roles) & set(ALLOWED[route]) else None


def scope_of(route: str, method: str) -> Scope:
    """Return the scope that a token needs for a route."""
    if ALLOWED.get(route) == ADMINISTRATOR:
        return "administer"
    if route in SIGN_SCOPE:
        return "sign"
    return "read" if method in SAFE_METHODS else "write"


async def _by_token(request: Request, secret: str) -> Acting:
    at = installation_of(request)
    actor = await at.accounts.actor_for_token(secret)
    if actor is None or actor.id == SYSTEM:
        await at.attempts.guessed(request)
        raise Problem("token_refused", headers={"WWW-Authenticate": 'Bearer error="invalid_token"'})
    return actor


async def _by_session(request: Request, secret: str) -> Acting:
    at = installation_of(request)
    actor = await at.sessions.acting(secret)
    if actor is None or actor.id == SYSTEM:
        await at.attempts.guessed(request)
        # A page that asks again and again without a session must not look like somebody who guesses.
        raise Problem(
            "session_refused", headers={"WWW-Authenticate": "Bearer", **at.cookies.dropping(at.cookies.session)}
        )
    at.cookies.refuse_other_sites(request, strictly=True)
    at.cookies.require_csrf_token(request, secret)
    return actor


def measured(request: Request, largest: int) -> Request:
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


def says_json(request: Request) -> bool:
    """Return whether a request says that its body is JSON."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json"))


def _actor(request: Request) -> Acting:
    actor: Acting | None = request.state.actor
    if actor is None:
        raise TypeError("a route that asks nobody who they are knows no actor")
    return actor


Actor = Annotated[Acting, Depends(_actor)]
"""Who asks, as a parameter of a guarded route."""
