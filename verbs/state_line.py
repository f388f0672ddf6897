"""The state line: one sentence that says the phase, on whose desk a file is, until when, and by which rule."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from locales import Translator
from words.codes import PHASES, sentence_case, word
from words.edition import EditionWords
from words.times import business_day, business_time

COORDINATORS_DESK = "coordinator"


def state_line(
    file: Mapping[str, Any],
    deadlines: Sequence[Mapping[str, Any]],
    rules: EditionWords,
    translator: Translator,
    *,
    now: datetime,
) -> str:
    """Return the sentence at the top of a file.

    `file` is what `GET /delegations/{id}` answers, `deadlines` the items of its due dates; `now` is an aware wall
    time. Days are counted from `now`, or from the file's last event where its clock is ahead (in the demo).
    """
    phase = sentence_case(word(PHASES, file["phase"], translator))
    if file["waits_for"] is None:
        return f"{phase}."
    desk = _desk(file, rules, translator)
    due = _decisive(file, deadlines)
    if due is None:
        return translator.tr("%(phase)s: waits for %(desk)s.", phase=phase, desk=desk)
    today = business_day(max(now, datetime.fromisoformat(file["updated_at"])), file["state"]["zone"])
    day, rule = date.fromisoformat(due["due_on"]), due["rule"]
    values = {
        "phase": phase,
        "desk": desk,
        "duty": rules.duty(due["what"], rule),
        "day": translator.weekday_date(day),
        "left": _left(today, day, rules, translator),
        "rule": rule["rule"],
        "version": rule["version"],
    }
    if due["status"] == "missed":
        return translator.tr(
            "%(phase)s: waits for %(desk)s; overdue since %(day)s: %(duty)s, rule %(rule)s, version %(version)s.",
            **values,
        )
    if due["what"].startswith("step."):
        return translator.tr(
            "%(phase)s: waits for %(desk)s until %(day)s, %(left)s, rule %(rule)s, version %(version)s.", **values
        )
    return translator.tr(
        "%(phase)s: waits for %(desk)s; due by %(day)s, %(left)s: %(duty)s, rule %(rule)s, version %(version)s.",
        **values,
    )


def _desk(file: Mapping[str, Any], rules: EditionWords, translator: Translator) -> str:
    if file["waits_for"] == COORDINATORS_DESK:
        return translator.tr("the coordinator (%(account)s)", account=file["state"]["coordinator"])
    position, state = file["waits_for"], file["state"]
    away = [one for one in state.get("stand_ins", ()) if one["position"] == position]
    return rules.position(position) + standing_in(away, state["zone"], translator)


def standing_in(substitutes: Sequence[Mapping[str, Any]], zone: str, translator: Translator) -> str:
    """Return, behind a blank, who is on leave and who may sign meanwhile; nothing where nobody stands in now."""
    said = [
        translator.tr(
            "(%(account)s on leave; %(substitute)s may sign until %(until)s)",
            account=one["account"],
            substitute=one["substitute"],
            until=business_time(one["until"], zone, translator),
        )
        for one in substitutes
        if one.get("in_force")
    ]
    return "".join(f" {one}" for one in dict.fromkeys(said))


def _decisive(file: Mapping[str, Any], deadlines: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The due date of the open step; without one what was missed, else what is due next."""
    report = file["state"].get("report")
    waits = "report" if report and report["status"] == "filed" else None
    if step := file["open_step"]["id"] if file["open_step"] is not None else waits:
        of_step = [one for one in deadlines if one["what"].startswith(f"step.{step}.")]
        current = [one for one in of_step if one["status"] in ("open", "missed")]
        if current:
            return current[-1]
    missed = [one for one in deadlines if one["status"] == "missed" and not one["what"].startswith("step.")]
    coming = [one for one in deadlines if one["status"] == "open"]
    return next(iter([*missed, *coming]), None)


def _left(today: date, day: date, rules: EditionWords, translator: Translator) -> str:
    if day == today:
        return translator.tr("today")
    if day < today:
        return translator.ntr("%(count)s day ago", "%(count)s days ago", (today - day).days)
    count = rules.working_days_until(today, day)
    return translator.ntr("%(count)s working day left", "%(count)s working days left", count)
