"""A delegation in a few words: the commands that bring it to each phase, and the people who send them.

Everything happens in the invented province of scenario A (domain.md), with one head, a few members and two sessions.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, NamedTuple

from domain import commands as c
from domain.canonical import sha256_hex
from domain.decision import SYSTEM, Actor
from domain.state import Delegation
from domain.values import BUSINESS_ZONE, AttachmentRef, LocalTime, PersonRef, TextRef, Value, resolve

DELEGATION = "song-lam-1"

COORDINATOR = Actor(id="coordinator", roles=("coordinator",))
OTHER_COORDINATOR = Actor(id="coordinator-2", roles=("coordinator",))
DEPARTMENT_HEAD = Actor(id="department-head", roles=("approver",), positions=("department_head",))
VICE_PRESIDENT = Actor(id="vice-president", roles=("approver",), positions=("vice_president",))
FINANCE = Actor(id="finance", roles=("approver",), positions=("finance",))
PRESIDENT = Actor(id="president", roles=("approver",), positions=("president",))
AUDITOR = Actor(id="auditor", roles=("auditor",))
ADMINISTRATOR = Actor(id="administrator", roles=("administrator",))
THE_SYSTEM = Actor(id=SYSTEM, roles=("system",))

REQUESTED = "2026-02-24T09:00"


class Said(NamedTuple):
    """One command of a history: who sends it, and when (wall clock in the business zone, if the clock moves on)."""

    command: Value
    by: Actor | None = None
    at: str | None = None


Later = Callable[[Delegation], Said]
"""A command that needs what the delegation has become, such as the digest of its dossier."""

Step = Value | Said | Later


def instant(local: str) -> datetime:
    """Return the moment a clock in the business zone shows `local`."""
    return resolve(local, BUSINESS_ZONE).instant


def at(local: str, zone: str = BUSINESS_ZONE) -> LocalTime:
    """Return a local time."""
    return LocalTime(local=local, zone=zone)


def person(name: str) -> PersonRef:
    """Return a reference to somebody in the register."""
    return PersonRef(ref=f"per_{name:_<8}", commitment=sha256_hex(name.encode()))


def text(words: str = "because") -> TextRef:
    """Return a reference to a written text."""
    return TextRef(ref=f"txt_{sha256_hex(words.encode())[:16]}", commitment=sha256_hex(words.encode()))


def pdf(name: str = "file") -> AttachmentRef:
    """Return a reference to a stored PDF."""
    return AttachmentRef(digest=sha256_hex(name.encode()), media_type="application/pdf", size=1024)


def opening(**said: Any) -> c.OpenDelegation:
    """Return the opening of an inbound delegation, 6 to 12 April 2026, grade C."""
    usual: dict[str, Any] = {
        "direction": "inbound",
        "title": "Study visit",
        "purpose": "Cooperation",
        "organisation": "song-lam-union",
        "partner": "Friendship associations",
        "countries": ("JP", "DE"),
        "starts": "2026-04-06",
        "ends": "2026-04-12",
        "grade": "C",
    }
    return c.OpenDelegation.model_validate(usual | said)


def trip(**said: Any) -> c.OpenDelegation:
    """Return the opening of an outbound delegation to Czechia and Germany, 15 to 22 June 2026."""
    usual = {"direction": "outbound", "countries": ("CZ", "DE"), "starts": "2026-06-15", "ends": "2026-06-22"}
    return opening(**(usual | {"grade": None} | said))


def member(name: str = "ito", **said: Any) -> c.AddMember:
    """Return the addition of a delegate."""
    return c.AddMember.model_validate({"member_id": name, "person": person(name), "country": "JP"} | said)


def serving(name: str, role: c.ServiceRole = "host") -> c.AppointParticipant:
    """Return the appointment of somebody who serves the delegation."""
    return c.AppointParticipant(participant_id=name, person=person(name), role=role)


def session(
    name: str, starts: str = "2026-04-07T09:00", ends: str = "2026-04-07T11:00", zone: str = BUSINESS_ZONE, **said: Any
) -> c.ScheduleItem:
    """Return a session that the delegates attend."""
    usual: dict[str, Any] = {
        "item_id": name,
        "title": f"Session {name}",
        "starts": at(starts, zone),
        "ends": at(ends, zone),
        "place": "Friendship House",
        "audience": c.Audience(groups=("delegates",)),
    }
    return c.ScheduleItem.model_validate(usual | said)


def moved(name: str, starts: str, ends: str, **said: Any) -> c.MoveItem:
    """Return the move of an item."""
    return c.MoveItem.model_validate({"item_id": name, "starts": at(starts), "ends": at(ends)} | said)


def sign(step: str, by: Actor, when: str | None = None) -> Later:
    """Return a sign-off on the dossier that stands."""
    return lambda state: Said(c.SignOff(step_id=step, dossier_digest=dossier(state)), by, when)


def dossier(state: Delegation) -> str:
    """Return the digest of the dossier that is to be signed."""
    assert state.current_proposal
    return state.current_proposal.digest


def report_digest(state: Delegation) -> str:
    """Return the digest of the report that stands."""
    assert state.report
    return state.report.digest


# From phase to phase


def drafted(**said: Any) -> tuple[Step, ...]:
    """Two delegates (the head and Ito), a host and two sessions; nothing submitted."""
    return (
        Said(opening(**said), COORDINATOR, REQUESTED),
        member("sato", role="head"),
        member("ito"),
        serving("bao"),
        session("monday", "2026-04-06T14:00", "2026-04-06T16:00"),
        session("tuesday", audience=c.Audience(groups=("delegates",), people=("bao",))),
    )


def submitted(**said: Any) -> tuple[Step, ...]:
    """The proposal is with the department head."""
    return (*drafted(**said), Said(c.SubmitRequest(), COORDINATOR, "2026-02-25T16:30"))


def approved(**said: Any) -> tuple[Step, ...]:
    """Both have signed, and the decision is issued."""
    return (
        *submitted(**said),
        sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"),
        sign("vice_president", VICE_PRESIDENT, "2026-02-27T09:00"),
        Said(c.IssueDecision(number="27/QĐ"), COORDINATOR, "2026-02-27T15:00"),
    )


def invited(**said: Any) -> tuple[Step, ...]:
    """The programme is in everybody's calendar."""
    return (*approved(**said), Said(c.Invite(), COORDINATOR, "2026-03-10T09:00"))


def amending(**said: Any) -> tuple[Step, ...]:
    """A provincial union's programme was changed after the invitations, and the change waits for the vice-president."""
    consulted = [
        lambda state, step_id=step_id: Said(
            c.RecordExternalDecision.model_validate(
                {
                    "step_id": step_id,
                    "dossier_digest": dossier(state),
                    "outcome": "approved",
                    "authority": "Department",
                    "reference": "118/CV",
                    "dated": "2026-02-26",
                    "letter": pdf(step_id),
                }
            ),
            COORDINATOR,
        )
        for step_id in ("police", "foreign_affairs")
    ]
    return (
        *submitted(run_by="provincial_union", **said),
        sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"),
        *consulted,
        sign("vice_president", VICE_PRESIDENT, "2026-02-27T09:00"),
        Said(c.IssueDecision(number="27/QĐ"), COORDINATOR, "2026-02-27T15:00"),
        Said(c.Invite(), COORDINATOR, "2026-03-10T09:00"),
        Said(moved("tuesday", "2026-04-07T14:00", "2026-04-07T16:00"), COORDINATOR, "2026-03-16T09:00"),
        c.SubmitChange(),
    )


def under_way(**said: Any) -> tuple[Step, ...]:
    """The guests are here."""
    return (*invited(**said), Said(c.Depart(), COORDINATOR, "2026-04-06T10:00"))


def reporting(**said: Any) -> tuple[Step, ...]:
    """The guests have left."""
    return (*under_way(**said), Said(c.Conclude(), COORDINATOR, "2026-04-12T20:00"))


def reported(**said: Any) -> tuple[Step, ...]:
    """The report is filed."""
    return (*reporting(**said), Said(c.FileReport(results=text("results")), COORDINATOR, "2026-04-14T09:00"))


def accept_report(by: Actor = VICE_PRESIDENT, when: str | None = "2026-04-15T09:00") -> Later:
    """Return the acceptance of the report that stands."""
    return lambda state: Said(c.AcceptReport(report_digest=report_digest(state)), by, when)


def closed(**said: Any) -> tuple[Step, ...]:
    """The file is closed."""
    return (*reported(**said), accept_report(), Said(c.CloseDelegation(), COORDINATOR, "2026-04-15T15:00"))
