"""The same scenario at other dates."""

from datetime import date, datetime, timedelta
from typing import Any

from scenariofile.expansion import SPECIAL_FIELDS
from scenariofile.institution import LEAVE_TIMES, changes_leave
from scenariofile.written import Act, Scenario, Step


def shifted(scenario: Scenario, weeks: int) -> Scenario:
    """Return the scenario with every date so many weeks later, at the same wall-clock times and on the same weekdays.

    The words of titles and texts stay. Moving by multiples of 52 weeks keeps the season, and for some years also the
    Sundays on which clocks change; holidays that move, such as Tết, fall elsewhere. Raises ValueError where a time
    then falls into an hour that the clock skips or repeats.
    """
    later = timedelta(weeks=weeks)
    moved = scenario.model_copy(
        update={
            "steps": tuple(_step(step, later) for step in scenario.steps),
            "leave": tuple(
                one.model_copy(update={"since": _time(one.since, later), "until": _time(one.until, later)})
                for one in scenario.leave
            ),
        }
    )
    for step in moved.steps:
        moved.when(step)
    return moved


def _step(step: Step, later: timedelta) -> Step:
    if not isinstance(step, Act):
        return step.model_copy(update={"wait_until": _time(step.wait_until, later)})
    do = _command(step.do, later) if isinstance(step.do, dict) else [_command(one, later) for one in step.do]
    return step.model_copy(update={"at": _time(step.at, later), "do": do})


def _command(written: dict[str, Any], later: timedelta) -> dict[str, Any]:
    if changes_leave(written):
        return {name: _time(value, later) if name in LEAVE_TIMES else value for name, value in written.items()}
    kind_of = SPECIAL_FIELDS.get(str(written.get("type")), {})
    return {name: _value(kind_of.get(name), value, later) for name, value in written.items()}


def _value(kind: str | None, value: Any, later: timedelta) -> Any:
    match kind, value:
        case "day", str():
            return (date.fromisoformat(value) + later).isoformat()
        case "time", str():
            return _time(value, later)
        case "time", {"local": str(local)}:
            return value | {"local": _time(local, later)}
        case _:
            return value


def _time(local: str, later: timedelta) -> str:
    return (datetime.fromisoformat(local) + later).isoformat(timespec="minutes")
