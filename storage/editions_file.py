"""Reads an edition of the rules from a folder of YAML, and expands the public holidays into it.

The folder holds `edition.yaml`, `overrides.yaml`, `deadlines.yaml`, `limits.yaml`, `reception.yaml`, `travel.yaml`,
`privacy.yaml`, `retention.yaml`, `ways.yaml` and `approvals/*.yaml`. The table of the `holidays` package is expanded
here, once, so that an edition says by itself which days were off: the package may learn better later, an open file
keeps what it was opened under.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, time
from functools import cache
from pathlib import Path
from typing import Annotated, TypeVar

import holidays
from babel import Locale
from pydantic import BaseModel, Field, ValidationError

from domain.bilingual import Bilingual
from domain.policies import ApprovalChain
from domain.privacy import RequestRule
from domain.retention import RetentionRule
from domain.rule import Rule, contradictions
from domain.rules import (
    CountryNorm,
    DeadlineRule,
    Edition,
    HolidayTable,
    LimitRule,
    ReceptionTable,
    WayRule,
    WorkingSwaps,
)
from domain.sense import nonsense
from domain.values import Direction, Value, Zone
from domain.workdays import WEEKEND, NamedDay, Weekday
from yamlfile import Loaded, Loc, Problem, YamlFileError, load_with_lines, problems

RuleT = TypeVar("RuleT", bound=Rule)
ModelT = TypeVar("ModelT", bound=BaseModel)

LANGUAGES = {"vi": "vi", "en": "en_US"}
"""Ours, and what the holidays package calls them."""

CONTRADICTIONS = {
    "same_version": "the same version of this rule stands twice",
    "same_id_at_once": "another version of this rule holds on the same days",
    "same_subject_at_once": "another rule for the same case holds on the same days",
}


class RulesFileError(YamlFileError):
    """Rules that cannot be used. Each line of the message names file, line, rule and field."""


class EditionFile(Value):
    """What `edition.yaml` says; the rest of an edition stands in the files beside it."""

    title: Bilingual
    effective_from: date
    zone: Zone
    reminders_at: time
    weekend: tuple[Weekday, ...] = WEEKEND
    holidays: HolidayTable
    returns_for_incompleteness: int = 1
    invitation_letter: tuple[Direction, ...] = ("inbound",)
    quiet_minutes: Annotated[int, Field(ge=0, le=24 * 60)] = 0
    quiet_unless_within_hours: Annotated[int, Field(ge=0, le=7 * 24)] = 6


def load_edition(folder: Path) -> Edition:
    """Return the edition that a folder of rules holds, with its holidays expanded.

    Raises RulesFileError, which tells every mistake found with file, line, rule and field: files that cannot be read,
    unknown or missing fields, values out of range, rules that contradict each other, days announced both ways.
    """
    reading = _Reading(folder)
    head = reading.whole(EditionFile, "edition.yaml")
    swaps = reading.whole(WorkingSwaps, "overrides.yaml")
    deadlines = reading.rules(DeadlineRule, "deadlines", ["deadlines.yaml"])
    limits = reading.rules(LimitRule, "limits", ["limits.yaml"])
    reception = reading.rules(ReceptionTable, "reception", ["reception.yaml"])
    travel = reading.rules(CountryNorm, "travel", ["travel.yaml"])
    requests = reading.rules(RequestRule, "requests", ["privacy.yaml"])
    retention = reading.rules(RetentionRule, "retention", ["retention.yaml"])
    ways = reading.rules(WayRule, "ways", ["ways.yaml"])
    chains = sorted(f"approvals/{path.name}" for path in (folder / "approvals").glob("*.yaml"))
    approvals = reading.rules(ApprovalChain, "approvals", chains)
    reading.passed_over()
    if swaps is not None:
        reading.announced_both_ways(swaps, "overrides.yaml")
    if head is None or swaps is None or reading.found:
        raise RulesFileError(reading.found)
    issuers = {one.conditions.issuer for one in deadlines} | {one.issuer for one in limits}
    reading.nonsense(approvals, head.effective_from, {one for one in issuers if one})
    if reading.found:
        raise RulesFileError(reading.found)
    try:
        days_off, days_worked = expand_holidays(head.holidays)
    except ValueError as error:
        raise RulesFileError([reading.problem("edition.yaml", ("holidays", "country"), str(error))]) from None
    try:
        return Edition(
            title=head.title,
            effective_from=head.effective_from,
            zone=head.zone,
            reminders_at=head.reminders_at,
            weekend=head.weekend,
            holiday_table=head.holidays,
            holidays=days_off,
            working_swaps=_merged(days_worked, swaps),
            deadlines=deadlines,
            limits=limits,
            reception=reception,
            travel=travel,
            approvals=approvals,
            returns_for_incompleteness=head.returns_for_incompleteness,
            invitation_letter=head.invitation_letter,
            quiet_minutes=head.quiet_minutes,
            quiet_unless_within_hours=head.quiet_unless_within_hours,
            requests=requests,
            retention=retention,
            ways=ways,
        )
    except ValidationError as error:
        # Rules and announced days were compared above: what is left is the week.
        said = "; ".join(str(each["msg"]) for each in error.errors())
        raise RulesFileError([reading.problem("edition.yaml", ("weekend",), said)]) from None


@cache
def countries() -> frozenset[str]:
    """Return the codes of the countries and territories that CLDR has, without those that stand for none."""
    known = [str(code) for code in Locale("en").territories]
    return frozenset(code for code in known if len(code) == 2 and code.isalpha()) - NO_COUNTRY


NO_COUNTRY = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})
"""Codes of two letters for unions of countries, for tests and for what is not known."""


def expand_holidays(table: HolidayTable) -> tuple[tuple[NamedDay, ...], tuple[NamedDay, ...]]:
    """Return a country's public holidays, and the weekend days that are worked in exchange, in order of their dates.

    Refuses, with ValueError, a country whose holidays the package does not know by Vietnamese and English names.
    """
    years = range(table.first_year, table.last_year + 1)
    try:
        named = {
            ours: holidays.country_holidays(table.country, years=years, language=theirs)
            for ours, theirs in LANGUAGES.items()
        }
    except NotImplementedError:
        raise ValueError(f"the holidays of {table.country} are not known") from None
    if not set(LANGUAGES.values()) <= set(named["vi"].supported_languages):
        raise ValueError(f"the holidays of {table.country} have no Vietnamese and English names")
    source = f"Public holidays of {table.country}, table of the holidays package"
    days_off = tuple(
        NamedDay(date=day, name=Bilingual(vi=named["vi"][day], en=named["en"][day]), source=source)
        for day in sorted(named["vi"])
    )
    worked = Bilingual(vi="Làm bù cho ngày nghỉ hoán đổi", en="Worked in exchange for a day off")
    days_worked = tuple(
        NamedDay(date=day, name=worked, source=source)
        for day in sorted(named["vi"].weekend_workdays)
        if table.covers(day)
    )
    return days_off, days_worked


def _merged(days_worked: Sequence[NamedDay], swaps: WorkingSwaps) -> WorkingSwaps:
    """Return the swaps with the package's working days, where our own table does not speak of the day."""
    ours = {day.date for day in (*swaps.extra_working, *swaps.extra_off)}
    added = tuple(day for day in days_worked if day.date not in ours)
    worked = tuple(sorted((*swaps.extra_working, *added), key=lambda day: day.date))
    return WorkingSwaps(extra_working=worked, extra_off=tuple(sorted(swaps.extra_off, key=lambda day: day.date)))


@dataclass(frozen=True)
class _Source:
    """Where a rule was read."""

    file: str
    line: int


class _Reading:
    """Reads the files of one folder and gathers what is wrong in them. Files go by the folder's own name and theirs."""

    def __init__(self, folder: Path) -> None:
        self.found: list[Problem] = []
        self._folder = folder
        self._loaded: dict[str, Loaded] = {}
        self._chains: list[tuple[str, int]] = []
        """Where each policy was read: its file, and its place in it."""

    def whole(self, model: type[ModelT], file: str) -> ModelT | None:
        """Return a file that is one model, or None after its problems are noted."""
        loaded = self._load(file)
        return self._valid(model, loaded, file) if loaded else None

    def rules(self, model: type[RuleT], key: str, files: Sequence[str]) -> tuple[RuleT, ...]:
        """Return the rules that files list under a key; those with problems are noted and left out."""
        rules: list[RuleT] = []
        sources: list[_Source] = []
        for file in files:
            loaded = self._load(file)
            if loaded is None:
                continue
            if not (isinstance(loaded.data, dict) and isinstance(loaded.data.get(key), list)):
                self.found.append(self.problem(file, (), f"must have one list, {key}"))
                continue
            strange = [
                self.problem(file, (name,), f"{name} is not a known field") for name in loaded.data if name != key
            ]
            self.found += strange
            for place, entry in enumerate(loaded.data[key]):
                rule = self._valid(model, loaded, file, (key, place), _subject(entry, place))
                if rule is not None:
                    rules.append(rule)
                    sources.append(_Source(file, loaded.line_of((key, place))))
                    if key == "approvals":
                        self._chains.append((file, place))
        self._contradictions(rules, sources)
        return tuple(rules)

    def passed_over(self) -> None:
        """Note the files that nobody would read, such as `outbound.yml`: their rules would be missed silently."""
        strange = sorted([*self._folder.glob("*.yml"), *(self._folder / "approvals").glob("*.yml")])
        for path in strange:
            file = path.relative_to(self._folder).as_posix()
            self.found.append(self.problem(file, (), "is not read: the name of a file of rules ends in .yaml"))

    def nonsense(self, approvals: Sequence[ApprovalChain], since: date, issuers: Collection[str]) -> None:
        """Note what can never work in the policies, where it stands."""
        for policy, loc, code, message, _ in nonsense(approvals, since, issuers=issuers, countries=countries()):
            if policy is None:
                self.found.append(self.problem("edition.yaml", ("effective_from",), message, code=code))
                continue
            file, place = self._chains[policy]
            line = self._loaded[file].line_of(("approvals", place, *loc))
            field = "".join(f"[{one}]" if isinstance(one, int) else f".{one}" for one in loc).removeprefix(".")
            self.found.append(Problem(self._called(file), line, field, code, message, f"rule {approvals[policy].id}"))

    def announced_both_ways(self, swaps: WorkingSwaps, file: str) -> None:
        """Note the days that are announced as worked and as off."""
        off = {day.date for day in swaps.extra_off}
        for place, day in enumerate(swaps.extra_working):
            if day.date in off:
                said = f"{day.date} is announced as worked and as off"
                self.found.append(self.problem(file, ("extra_working", place, "date"), said))

    def problem(self, file: str, loc: Loc, message: str, *, code: str = "rules_file", subject: str = "") -> Problem:
        """Return a problem at a place of a file that was read."""
        loaded = self._loaded.get(file)
        return Problem(self._called(file), loaded.line_of(loc) if loaded else 1, "", code, message, subject)

    def _load(self, file: str) -> Loaded | None:
        try:
            loaded = load_with_lines(self._folder / file, self._called(file))
        except YamlFileError as error:
            self.found += error.problems
        except OSError as error:
            self.found.append(self.problem(file, (), f"cannot be read: {error.strerror}", code="unreadable"))
        else:
            self._loaded[file] = loaded
            return loaded
        return None

    def _valid(
        self, model: type[ModelT], loaded: Loaded, file: str, under: Loc = (), subject: str = ""
    ) -> ModelT | None:
        part = loaded.data
        for step in under:
            part = part[step]
        try:
            # By way of JSON, where strictness still knows a date by its form and takes a list for a tuple.
            return model.model_validate_json(json.dumps(part), strict=True)
        except ValidationError as error:
            errors = error.errors(include_url=False, include_input=False)
            self.found += problems(errors, loaded, self._called(file), under=under, subject=subject)
            return None

    def _contradictions(self, rules: Sequence[Rule], sources: Sequence[_Source]) -> None:
        for first, second, reason in contradictions(rules):
            other, place = rules[first], sources[first]
            said = f"{CONTRADICTIONS[reason]}: {other.id} version {other.version} in {place.file}, line {place.line}"
            where, subject = sources[second], f"rule {rules[second].id}"
            self.found.append(Problem(self._called(where.file), where.line, "", reason, said, subject))

    def _called(self, file: str) -> str:
        return f"{self._folder.name}/{file}"


def _subject(entry: object, place: int) -> str:
    named = entry.get("id") if isinstance(entry, dict) else None
    return f"rule {named[:40]}" if isinstance(named, str) else f"rule number {place + 1}"
