"""Scenario files: a delegation's way as people would go it, step by step, to be played (docs/scenarios.md).

`load_scenario(path)` reads and checks a file. `expand(scenario, step)` gives the command bodies of a step, in which
people, texts, files and digests stand by name; whoever plays them gives each name its value (`placeholders`, `fill`).

Belongs to no layer: it knows the shape of the domain's commands, and leaves every rule to the domain.
"""

from scenariofile.expansion import expand
from scenariofile.institution import EndLeave, Leave, LeaveChange, Organisation, Position, RegisterLeave, RevokeLeave
from scenariofile.placeholders import (
    Asked,
    DigestNamed,
    FileNamed,
    PersonNamed,
    Placeholder,
    TextWritten,
    fill,
    placeholders,
)
from scenariofile.reading import ScenarioFileError, load_scenario
from scenariofile.shifting import shifted
from scenariofile.written import Act, Actor, Attachment, Expectation, Person, Scenario, Step, Wait

__all__ = [
    "Act",
    "Actor",
    "Asked",
    "Attachment",
    "DigestNamed",
    "EndLeave",
    "Expectation",
    "FileNamed",
    "Leave",
    "LeaveChange",
    "Organisation",
    "Person",
    "PersonNamed",
    "Placeholder",
    "Position",
    "RegisterLeave",
    "RevokeLeave",
    "Scenario",
    "ScenarioFileError",
    "Step",
    "TextWritten",
    "Wait",
    "expand",
    "fill",
    "load_scenario",
    "placeholders",
    "shifted",
]
