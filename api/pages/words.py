"""What pages call what the file names by codes."""

from datetime import date
from typing import Literal

from api.installation import At
from domain.bilingual import Bilingual
from domain.rules import Edition
from locales import Translator, mark
from words.codes import CEILING_LINES, DIRECTIONS, DOCUMENTS, PERSON_ROLES, PHASES, STEP_STATES, word

FACTORS = {
    "password": mark("password"),
    "passkey": mark("passkey"),
    "oidc": mark("another provider’s word"),
    "token": mark("token"),
    "passkey_signature": mark("passkey, over this very digest"),
}

PART_KINDS = {
    "request": mark("the request"),
    "member": mark("the people"),
    "programme": mark("the programme"),
    "ceiling": mark("the budget"),
    "limit": mark("limits"),
    "document": mark("documents"),
}

DOCUMENT_KINDS = DOCUMENTS | {
    "decision": mark("decision"),
    "annex": mark("annex"),
    "request_letter": mark("letter of request"),
    "passport_copy": mark("copy of a passport"),
    "partner_invitation": mark("the partner’s letter of invitation"),
    "estimate": mark("estimate of costs"),
    "itinerary": mark("itinerary"),
    "other_document": mark("another document"),
}

__all__ = [
    "CEILING_LINES",
    "DIRECTIONS",
    "DOCUMENT_KINDS",
    "FACTORS",
    "PART_KINDS",
    "PERSON_ROLES",
    "PHASES",
    "STEP_STATES",
    "word",
]

Urgency = Literal["overdue", "soon", "later", "none"]

SOON = 2
"""Days before a due date from which on it presses."""


def urgency(due_on: date | None, today: date, *, missed: bool) -> Urgency:
    """Return how a due date presses on a day."""
    if missed or (due_on is not None and due_on < today):
        return "overdue"
    if due_on is None:
        return "none"
    return "soon" if (due_on - today).days <= SOON else "later"


async def position_titles(at: At, edition: Edition | None = None) -> dict[str, Bilingual]:
    """Return what positions are called, by their slug: as the register has them, else as the rules call their steps."""
    steps = [step for chain in edition.approvals for step in chain.steps] if edition else []
    by_rules = {step.position: step.title for step in reversed(steps) if step.position}
    return by_rules | {position.slug: position.title for position in await at.institution.positions()}


def left(today: date, due_on: date, edition: Edition, translator: Translator) -> str:
    """Return how long there is until a day: in working days, `today`, or how many days ago it was."""
    if due_on == today:
        return translator.tr("today")
    if due_on < today:
        return translator.ntr("%(count)s day ago", "%(count)s days ago", (today - due_on).days)
    count = edition.work_calendar.working_days_between(today, due_on)
    return translator.ntr("%(count)s working day left", "%(count)s working days left", count)
