"""May this actor send this command to this file, now: by role and by organisation. Deny by default.

Asked by the API for a quick answer, and by the decision itself with the registers as they stand at that instant. The
phase is looked at by the decider, conflicts of interest in `domain/entitlement.py`.
"""

from collections.abc import Collection

from domain.decision import Actor, RoleName

COORDINATOR: tuple[RoleName, ...] = ("coordinator",)
APPROVER: tuple[RoleName, ...] = ("approver",)
SYSTEM_ONLY: tuple[RoleName, ...] = ("system",)

ROLES: dict[str, tuple[RoleName, ...]] = {
    "open_delegation": COORDINATOR,
    "revise_request": COORDINATOR,
    "attach_document": COORDINATOR,
    "justify_limit": COORDINATOR,
    "submit_request": COORDINATOR,
    "submit_change": COORDINATOR,
    "withdraw_request": COORDINATOR,
    "adopt_rules": ("coordinator", "administrator"),
    "sign_off": APPROVER,
    "return_step": APPROVER,
    "reject_step": APPROVER,
    "record_external_decision": COORDINATOR,
    "issue_decision": COORDINATOR,
    "add_member": COORDINATOR,
    "replace_member": COORDINATOR,
    "withdraw_member": COORDINATOR,
    "appoint_participant": COORDINATOR,
    "release_participant": COORDINATOR,
    "schedule_item": COORDINATOR,
    "move_item": COORDINATOR,
    "revise_item": COORDINATOR,
    "cancel_item": COORDINATOR,
    "restore_item": COORDINATOR,
    "publish_programme": COORDINATOR,
    "invite": COORDINATOR,
    "choose_channel": ("coordinator", "participant"),
    # The system alone takes answers out of the mailbox.
    "record_reply": ("coordinator", "participant", "system"),
    "resend_mail": COORDINATOR,
    "record_formality": COORDINATOR,
    "hand_over": ("coordinator", "administrator"),
    "depart": COORDINATOR,
    "conclude": COORDINATOR,
    "file_report": COORDINATOR,
    "return_report": APPROVER,
    "accept_report": APPROVER,
    "postpone": COORDINATOR,
    "resume": COORDINATOR,
    "cancel_delegation": COORDINATOR,
    "close_delegation": COORDINATOR,
    "reopen_delegation": COORDINATOR,
    "tick": SYSTEM_ONLY,
    "review_desks": SYSTEM_ONLY,
    "record_delivery": SYSTEM_ONLY,
    "record_document": SYSTEM_ONLY,
    "record_notice": SYSTEM_ONLY,
    "record_bounce": SYSTEM_ONLY,
    "record_failure": SYSTEM_ONLY,
}

SIGNING = frozenset({"sign_off", "return_step", "reject_step", "accept_report", "return_report"})
"""Commands whose refused attempts are themselves recorded, so that the decision itself has to refuse them."""


def may_send(roles: tuple[RoleName, ...], command_type: str) -> bool:
    """Whether somebody with these roles may send a command of this type."""
    return any(role in ROLES.get(command_type, ()) for role in roles)


def in_reach(actor: Actor, lineage: Collection[str]) -> bool:
    """Whether a file lies in the subtree of the actor's organisation; without one every file does."""
    return actor.organisation is None or actor.organisation in lineage


def permitted(actor: Actor, command_type: str, lineage: Collection[str]) -> str | None:
    """Return why somebody may not send a command, or None; what is said of the actor holds at the instant of asking.

    `lineage` is the file's organisation and those above it; for an opening, of the organisation it names. A command
    without a row belongs to nobody. Codes: `role_may_not`, `organisation_out_of_reach`.
    """
    if not may_send(actor.roles, command_type):
        return "role_may_not"
    return None if in_reach(actor, lineage) else "organisation_out_of_reach"


def may_coordinate(successor: Actor | None, lineage: Collection[str]) -> str | None:
    """Return why a file cannot be handed to an account, as the registers know it, or None.

    `lineage` as in `permitted`. Codes: `coordinator_unknown`, `coordinator_out_of_reach`.
    """
    if successor is None or "coordinator" not in successor.roles:
        return "coordinator_unknown"
    return None if in_reach(successor, lineage) else "coordinator_out_of_reach"
