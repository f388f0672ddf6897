"""Where a file stands, in sentences: what it waits for, on whose desk, until when, by which rule. Pure."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo

from api.pages.words import left
from domain.bilingual import Bilingual
from domain.desk import SIGNING_REPORT, Desk, desks
from domain.events import EXTERNAL_AUTHORITY
from domain.invitations import reaches_calendars, untold
from domain.rules import Edition
from domain.state import RESTING, Deadline, Delegation, Phase, Step, report_key, step_key
from domain.values import business_date
from domain.views import viewers
from locales import Language, Translator, translator
from words.edition import EditionWords

WHY: Mapping[Phase, tuple[str, ...]] = {
    Phase.DRAFTED: ("RequestWithdrawn",),
    Phase.RETURNED: ("StepReturned", "ExternalDecisionRecorded"),
    Phase.REJECTED: ("StepRejected", "ExternalDecisionRecorded"),
    Phase.REPORTING: ("ReportReturned",),
    Phase.POSTPONED: ("DelegationPostponed",),
    Phase.CANCELLED: ("DelegationCancelled",),
    Phase.CLOSED: ("DelegationClosed",),
}
"""The events that brought a file to where it stands, by phase; the last of them is told."""

CHANGE_ANSWERED = ("StepReturned", "StepRejected", "ExternalDecisionRecorded")
"""The same of a change after the decision that came back or was refused."""


MOST_LATE = 2
"""Overdue things that are named in the head of a file; how many more there are is counted."""


@dataclass(frozen=True)
class Line:
    """One sentence of where a file stands: `stands` of the phase, `due` of what comes next, `overdue` of what is late.

    `reason` is what somebody wrote about it, where the reader may read it.
    """

    text: str
    kind: Literal["stands", "due", "overdue"] = "stands"
    reason: str | None = None


@dataclass(frozen=True)
class Turned:
    """The event that brought a file to where it stands, with the reason that was written, if the reader may read it."""

    type: str
    at: datetime
    data: Mapping[str, Any]
    reason: str | None = None


@dataclass(frozen=True)
class Standing:
    """What the sentences are made from.

    `today` is the day in the file's zone, `names` what accounts are called, `titles` what positions are. `missing` says
    why the request could not be submitted now, `turned` what brought the file here.
    """

    state: Delegation
    edition: Edition
    words: Translator
    today: date
    names: Mapping[str, str] = field(default_factory=dict)
    titles: Mapping[str, Bilingual] = field(default_factory=dict)
    missing: str | None = None
    turned: Turned | None = None

    @property
    def reason(self) -> str | None:
        """What was written about what brought the file here."""
        return self.turned.reason if self.turned else None


def asked_for(state: Delegation) -> tuple[str, ...]:
    """Return the types of events whose last one says why a file stands where it does; none where nobody asks."""
    if state.phase is Phase.DRAFTED and not (state.proposal and state.proposal.withdrawn):
        return ()
    if state.phase is Phase.REPORTING and not (state.report and state.report.status == "returned"):
        return ()
    if change_came_back(state):
        return CHANGE_ANSWERED
    return WHY.get(state.phase, ())


def change_came_back(state: Delegation) -> bool:
    """Return whether the last change after the decision was returned or refused, and none stands in its place."""
    change = state.amendment if state.phase not in RESTING else None
    return change is not None and any(step.status in ("returned", "rejected") for step in change.steps)


def step_due(state: Delegation, step: Step) -> Deadline | None:
    """Return by when an open step is to be signed."""
    proposal = state.current_proposal
    return state.deadlines.get(step_key(step.id, proposal.number)) if proposal else None


def pressing(state: Delegation) -> tuple[Deadline, ...]:
    """Return what is open or missed but not met, the earliest first; steps that are to be signed are not among it."""
    if state.phase in RESTING:
        return ()
    waiting = [one for one in state.deadlines.values() if one.status in ("open", "missed")]
    return tuple(sorted((one for one in waiting if not one.what.startswith("step.")), key=lambda one: one.due_at))


@lru_cache(maxsize=64)
def edition_words(edition: Edition, language: Language) -> EditionWords:
    """Return what the rules of an edition are called. Kept: to read a whole edition anew costs milliseconds."""
    return EditionWords(edition.model_dump(mode="json"), translator(language))


def lines(standing: Standing) -> tuple[Line, ...]:
    """Return the sentences: of the phase, of every desk the file lies on, of what is due next, of what is overdue."""
    return tuple(_lines(standing))


def _lines(here: Standing) -> Iterator[Line]:
    waiting = desks(here.state)
    yield from _phase(here)
    if here.state.phase in (Phase.SUBMITTED, Phase.UNDER_APPROVAL) or here.state.amending:
        for step in here.state.open_steps:
            yield _step(here, step, [one for one in waiting if one.what == step.id])
    if reviewing := [one for one in waiting if one.what == SIGNING_REPORT]:
        report = here.state.report
        due = here.state.deadlines.get(report_key(report)) if report else None
        yield _waits(here, [_desk(here, one) for one in reviewing], None, due=due)
    yield from _due(here)


def _phase(here: Standing) -> Iterator[Line]:
    state, tr, ntr = here.state, here.words.tr, here.words.ntr
    turned, whose = here.turned, here.names.get(here.state.coordinator, here.state.coordinator)
    match state.phase:
        case Phase.DRAFTED:
            if turned:
                yield Line(tr("The proposal was taken back on %(day)s.", day=_day(here, turned)), reason=turned.reason)
            yield _to_submit(here, whose)
        case Phase.SUBMITTED | Phase.UNDER_APPROVAL:
            if state.proposal and state.proposal.signed:
                yield Line(tr("Every step is signed. %(name)s is to issue the decision.", name=whose))
        case Phase.RETURNED:
            yield from _returned(here)
            yield _to_submit(here, whose)
        case Phase.REJECTED:
            yield from _rejected(here)
        case Phase.APPROVED | Phase.INVITING | Phase.UNDER_WAY:
            yield from _planning(here, whose)
        case Phase.REPORTING:
            yield from _reporting(here, whose)
        case Phase.POSTPONED:
            text = tr(
                "Put off since %(day)s. %(name)s may take it up again with new dates.", day=_day(here), name=whose
            )
            yield Line(text, reason=here.reason)
        case Phase.CANCELLED:
            yield Line(tr("Called off on %(day)s.", day=_day(here)), reason=here.reason)
        case Phase.CLOSED:
            yield Line(
                tr("Closed on %(day)s. Nothing is due; it can be opened again for a correction.", day=_day(here))
            )
    if change_came_back(state):
        yield from _returned(here)
    if state.quiet_until is not None:
        count = len({who for message in untold(state, here.edition) for who in message.to})
        yield Line(
            ntr(
                "What is new goes out at %(time)s to %(count)s person, unless it changes again.",
                "What is new goes out at %(time)s to %(count)s people, unless it changes again.",
                count,
                time=_clock(here, state.quiet_until),
            )
        )


def _to_submit(here: Standing, whose: str) -> Line:
    tr = here.words.tr
    if here.missing:
        return Line(
            tr("%(name)s is preparing it. Before it can be submitted: %(missing)s", name=whose, missing=here.missing)
        )
    return Line(tr("%(name)s is preparing it. It can be submitted now.", name=whose))


def _returned(here: Standing) -> Iterator[Line]:
    turned, tr = here.turned, here.words.tr
    if turned is None:
        return
    data = turned.data
    said = {"day": _day(here), "step": edition_words(here.edition, here.words.language).step(data["step_id"])}
    refused = turned.type == "StepRejected" or data.get("outcome") == "rejected"
    whom = _by_whom(here, data)
    if refused:
        text = tr("%(whom)s refused the change on %(day)s; what was approved before stands.", whom=whom, **said)
    elif data.get("kind") == "incomplete":
        text = tr("%(whom)s sent it back on %(day)s, since something is missing.", whom=whom, **said)
    else:
        text = tr("%(whom)s sent it back on %(day)s to be changed.", whom=whom, **said)
    yield Line(text, reason=turned.reason)
    if missing := data.get("missing"):
        yield Line(tr("Missing: %(items)s.", items=here.words.listing(missing)))


def _rejected(here: Standing) -> Iterator[Line]:
    turned, tr = here.turned, here.words.tr
    if turned is not None:
        text = tr("%(whom)s refused it on %(day)s.", whom=_by_whom(here, turned.data), day=_day(here))
        yield Line(text, reason=turned.reason)


def _by_whom(here: Standing, data: Mapping[str, Any]) -> str:
    if "authority" in data:
        return str(data["authority"])
    return _position(here, data["right"]["position"])


def _planning(here: Standing, whose: str) -> Iterator[Line]:
    state, tr, ntr = here.state, here.words.tr, here.words.ntr
    if state.phase is Phase.APPROVED and state.decision:
        said = {"number": state.decision.number, "day": _on(here, state.decision.at)}
        yield Line(tr("Decided by no. %(number)s on %(day)s. Nobody has been invited yet.", **said))
    if state.phase is Phase.UNDER_WAY and state.departed_at:
        said = {"day": _on(here, state.departed_at), "ends": here.words.weekday_date(state.ends)}
        yield Line(tr("Under way since %(day)s, until %(ends)s.", **said))
    if state.phase is Phase.INVITING:
        found = answers(state)
        count, answered = sum(found.values()), sum(found.values()) - found["none"]
        text = ntr(
            "%(answered)s of %(count)s person has answered",
            "%(answered)s of %(count)s people have answered",
            count,
            answered=answered,
        )
        counts = {
            "accepted": ntr("%(count)s accepts", "%(count)s accept", found["accepted"]),
            "declined": ntr("%(count)s declines", "%(count)s decline", found["declined"]),
            "tentative": ntr(
                "%(count)s accepts with reservation", "%(count)s accept with reservation", found["tentative"]
            ),
        }
        told = [said for answer, said in counts.items() if found[answer]]
        yield Line(f"{text}: {', '.join(told)}." if told else f"{text}.")


def invited(state: Delegation) -> Counter[str]:
    """Return how many items stand in everybody's calendar, by whatever channel they came there; nobody without one."""
    held = Counter(who for item in state.told.values() for who in item.holders)
    if reaches_calendars(state):
        elsewhere = {who for who, one in state.people.items() if not one.by_mail}
        held.update(who for item in state.published if elsewhere for who in viewers(state, item) if who in elsewhere)
    return held


def answers(state: Delegation) -> dict[str, int]:
    """Return how many of those who are invited answered what, by answer; `none` did not."""
    found = {"accepted": 0, "declined": 0, "tentative": 0, "none": 0}
    for who in invited(state):
        if state.people[who].active:
            found[answer_of(state, who) or "none"] += 1
    return found


def answer_of(state: Delegation, participant: str) -> str | None:
    """Return what somebody answered to the invitation as a whole, else to single items last; None if nothing."""
    whole = state.replies.get(f"{participant}/*")
    if whole is not None:
        return whole.answer
    single = [one for one in state.replies.values() if one.participant_id == participant]
    return max(single, key=lambda one: one.at).answer if single else None


def _reporting(here: Standing, whose: str) -> Iterator[Line]:
    report, tr = here.state.report, here.words.tr
    if report is None:
        yield Line(tr("The journey has ended. %(name)s is to file the report.", name=whose))
    elif report.status == "returned":
        said = {"number": report.number, "day": _day(here), "name": whose}
        text = tr("Report no. %(number)s was sent back on %(day)s; %(name)s is to file it anew.", **said)
        yield Line(text, reason=here.reason)
    elif report.status == "accepted":
        said = {"number": report.number, "name": whose}
        yield Line(tr("Report no. %(number)s is accepted. %(name)s may close the file.", **said))


def _step(here: Standing, step: Step, waiting: Sequence[Desk]) -> Line:
    if step.plan.external:
        title = step.plan.title_vi if here.words.language == "vi" else step.plan.title_en
        return _waits(here, [here.words.tr("the letter of the outside authority (%(step)s)", step=title)], step)
    still = step.needed - len(step.signed_by)
    return _waits(here, [_desk(here, one) for one in waiting], step, still)


def _desk(here: Standing, desk: Desk) -> str:
    """A position, and who stands in there now."""
    title = _position(here, desk.position or "", desk)
    stands = [one for one in desk.substitutes if one.in_force]
    if not stands:
        return title
    tr = here.words.tr
    said = [
        tr(
            "%(away)s is on leave until %(until)s; %(substitute)s may sign as registered substitute",
            away=here.names.get(one.account, one.account),
            substitute=here.names.get(one.substitute, one.substitute),
            until=_on(here, one.until),
        )
        for one in stands
    ]
    return f"{title} ({'; '.join(said)})"


def _waits(here: Standing, whom: Sequence[str], step: Step | None, still: int = 0, due: Deadline | None = None) -> Line:
    words, tr = here.words, here.words.tr
    whose = words.listing(whom)
    if step is not None and 0 < still < len(whom):
        whose = words.ntr(
            "%(count)s signature of: %(positions)s", "%(count)s signatures of: %(positions)s", still, positions=whose
        )
    due = step_due(here.state, step) if step else due
    if due is None:
        return Line(tr("Waits for: %(positions)s.", positions=whose))
    said = {"positions": whose, **_when(here, due)}
    if is_late(due, here.today):
        return Line(
            tr(
                "Waits for: %(positions)s. Overdue since %(day)s (%(left)s), rule %(rule)s, version %(version)s.",
                **said,
            ),
            "overdue",
        )
    return Line(tr("Waits for: %(positions)s, until %(day)s, %(left)s, rule %(rule)s, version %(version)s.", **said))


def _due(here: Standing) -> Iterator[Line]:
    """Yield what is late, the longest first, and what is due next; the first page has all of it."""
    tr, ntr, rules = here.words.tr, here.words.ntr, edition_words(here.edition, here.words.language)
    found = pressing(here.state)
    late = [one for one in found if is_late(one, here.today)]
    for due in late[:MOST_LATE]:
        said = {"duty": rules.duty(due.what, due.rule.model_dump()), **_when(here, due)}
        text = tr("%(duty)s, since %(day)s (%(left)s), rule %(rule)s, version %(version)s.", **said)
        yield Line(text, "overdue")
    if more := len(late[MOST_LATE:]):
        yield Line(ntr("%(count)s more is overdue.", "%(count)s more are overdue.", more), "overdue")
    if coming := next((one for one in found if one not in late), None):
        said = {"duty": rules.duty(coming.what, coming.rule.model_dump()), **_when(here, coming)}
        yield Line(tr("Next: %(duty)s, by %(day)s, %(left)s, rule %(rule)s, version %(version)s.", **said), "due")


def is_late(due: Deadline, today: date) -> bool:
    """Return whether something that is not met should have been."""
    return due.status == "missed" or (due.status == "open" and due.due_on < today)


def _when(here: Standing, due: Deadline) -> dict[str, object]:
    return {
        "day": here.words.weekday_date(due.due_on),
        "left": left(here.today, due.due_on, here.edition, here.words),
        "rule": due.rule.rule,
        "version": due.rule.version,
    }


def _position(here: Standing, slug: str, desk: Desk | None = None) -> str:
    if slug == EXTERNAL_AUTHORITY:
        return here.words.tr("an outside authority")
    if slug in here.titles:
        return here.titles[slug].text(here.words.language)
    if desk and desk.title_vi and desk.title_en:
        return desk.title_vi if here.words.language == "vi" else desk.title_en
    return slug


def _day(here: Standing, turned: Turned | None = None) -> str:
    found = turned or here.turned
    return _on(here, found.at) if found else "–"


def _on(here: Standing, at: datetime) -> str:
    return here.words.weekday_date(business_date(at, here.state.zone))


def _clock(here: Standing, at: datetime) -> str:
    return here.words.date_and_time(at.astimezone(ZoneInfo(here.state.zone)))
