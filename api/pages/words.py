"""What pages call what the file names by codes."""

from datetime import date
from typing import Literal

from api.installation import At
from domain.bilingual import Bilingual
from domain.desk import SIGNING_REPORT
from domain.rules import Edition
from locales import Translator, mark
from storage.editions import UnknownEdition
from words.codes import (
    ANSWERS,
    CEILING_LINES,
    DIRECTIONS,
    DOCUMENT_KINDS,
    MAIL_KINDS,
    MAIL_STATES,
    PERSON_ROLES,
    PHASES,
    STEP_STATES,
    word,
)

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

__all__ = [
    "ANSWERS",
    "CEILING_LINES",
    "DIRECTIONS",
    "DOCUMENT_KINDS",
    "FACTORS",
    "MAIL_KINDS",
    "MAIL_STATES",
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
    ways = [way for step in steps if (way := step.if_conflicted)]
    by_rules = {way.position: way.title for way in ways if way.position and way.title}
    by_rules |= {step.position: step.title for step in reversed(steps) if step.position}
    return by_rules | {position.slug: position.title for position in await at.institution.positions()}


async def edition_on(at: At, day: date) -> Edition | None:
    """Return the rules in force on a day, or None where none had taken effect yet."""
    try:
        return await at.editions.effective(day)
    except UnknownEdition:
        return None


def duty(what: str, rule: str | None, version: int | None, edition: Edition | None, translator: Translator) -> str:
    """Return what is due in words: the title of its rule, by the newest version where this one is not known any more.

    `edition` are the rules in force; what they do not know stands as it is.
    """
    if what.startswith("step."):
        steps = [step for chain in edition.approvals for step in chain.steps] if edition else []
        slug = what.split(".")[1]
        if slug == SIGNING_REPORT:
            return translator.tr("Acceptance of the final report")
        title = next((step.title.text(translator.language) for step in steps if step.id == slug), slug)
        return translator.tr("Signature: %(step)s", step=title)
    known = [one for one in edition.deadlines if one.id == rule] if edition else []
    exact = [one for one in known if one.version == version]
    return (exact or known)[-1].title.text(translator.language) if known else what


def left(today: date, due_on: date, edition: Edition | None, translator: Translator) -> str:
    """Return how long there is until a day: in working days, `today`, or how many days ago it was.

    Without rules nobody knows which days are worked: then in days.
    """
    if due_on == today:
        return translator.tr("today")
    if due_on < today:
        return translator.ntr("%(count)s day ago", "%(count)s days ago", (today - due_on).days)
    if edition is None:
        return translator.ntr("%(count)s day left", "%(count)s days left", (due_on - today).days)
    count = edition.work_calendar.working_days_between(today, due_on)
    return translator.ntr("%(count)s working day left", "%(count)s working days left", count)
