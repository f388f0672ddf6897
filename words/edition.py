"""What the rules of a file say, for people: what is due, who signs, how many working days are left."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from locales import Translator

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

EXTERNAL_AUTHORITY = "external_authority"
"""What the API names in the place of a position where an outside authority decides."""

REPORT = "report"
"""What stands in the place of a step where the final report is to be accepted."""


class EditionWords:
    """An edition of the rules as the API shows it (`GET /editions/{digest}`), in one language."""

    def __init__(self, edition: Mapping[str, Any], translator: Translator) -> None:
        self._language = translator.language
        self._translator = translator
        self._deadlines = {(rule["id"], rule["version"]): rule["title"] for rule in edition["deadlines"]}
        self._limits = {rule["id"]: rule["title"] for rule in edition["limits"]}
        steps = [step for chain in edition["approvals"] for step in chain["steps"]]
        # A position is called as the step that is its own; who decides in a conflict alone, as that says.
        ways = [way for step in steps if (way := step.get("if_conflicted"))]
        self._positions = {one["position"]: one["title"] for one in (*ways, *steps) if one.get("position")}
        self._steps = {step["id"]: step["title"] for step in steps}
        self._weekend = set(edition["weekend"])
        swaps = edition["working_swaps"]
        self._worked = {day["date"] for day in swaps["extra_working"]}
        self._off = {day["date"] for day in (*edition["holidays"], *swaps["extra_off"])}

    def duty(self, what: str, rule: Mapping[str, Any]) -> str:
        """What is due: the title of its rule, or the step that is to be signed."""
        if what.startswith("step."):
            step = what.split(".")[1]
            if step == REPORT:
                return self._translator.tr("Acceptance of the final report")
            return self._translator.tr("Signature: %(step)s", step=self.step(step))
        return self._said(self._deadlines.get((rule["rule"], rule["version"])), what)

    def duty_named(self, what: str, rule: str | None) -> str:
        """What is due, where only the rule's id is known: by the newest version of it."""
        versions = [version for known, version in self._deadlines if known == rule]
        return self.duty(what, {"rule": rule, "version": max(versions, default=0)})

    def position(self, position: str) -> str:
        """The office that signs."""
        if position == EXTERNAL_AUTHORITY:
            return self._translator.tr("an outside authority")
        return self._said(self._positions.get(position), position)

    def step(self, step: str) -> str:
        """A step of a chain of approval."""
        return self._said(self._steps.get(step), step)

    def limit(self, limit: str) -> str:
        """A limit by its id, which names behind a slash the country it was measured for."""
        rule, _, country = limit.partition("/")
        title = self._said(self._limits.get(rule), rule)
        return f"{title} ({self._translator.country(country)})" if country else title

    def working_days_until(self, today: date, day: date) -> int:
        """How many working days lie after `today`, up to and including `day`; 0 if `day` is not later."""
        days = (today + timedelta(days=after) for after in range(1, (day - today).days + 1))
        return sum(map(self._is_worked, days))

    def _is_worked(self, day: date) -> bool:
        written = day.isoformat()
        if written in self._worked:
            return True
        return written not in self._off and WEEKDAYS[day.weekday()] not in self._weekend

    def _said(self, title: Mapping[str, str] | None, otherwise: str) -> str:
        return otherwise if title is None else title[self._language]
