"""Every recorded history replays with today's workflow, and none with one whose commands were changed."""

import asyncio
import base64
import binascii
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from audit.history import events_of
from domain.evolve import fold
from domain.seal import genesis, verify_chain
from domain.state import Delegation
from scenariofile import TextWritten, expand, load_scenario, placeholders
from scenariofile.written import Act
from tests.replay.changes import CHANGES
from tests.replay.golden import folded
from tests.replay.recordings import HISTORIES, STATES, read, recordings, write

ROOT = Path(__file__).parents[2]
RECORDINGS = recordings()
ALL_FILES = [path for one in RECORDINGS for path in one.paths]
NAMES = [one.name for one in RECORDINGS]

# One group: the changed workflows are replayed once, by one process.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("replay")]


def replayed(paths: Sequence[Path], *words: str, seconds: float = 60.0) -> list[dict[str, str | None]]:
    """What came of each file, in a process that is killed when it does not come to an end."""
    child = subprocess.run(
        [sys.executable, "-m", "tests.replay.replaying", *words, *map(str, paths)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert child.returncode == 0, child.stderr
    return [json.loads(line) for line in child.stdout.splitlines()]


@pytest.fixture(scope="module")
def under_changes() -> list[dict[str, str | None]]:
    """What came of the recordings under every changed workflow."""
    words = [word for name in CHANGES for word in ("--change", name)]
    return replayed(ALL_FILES, *words, seconds=110)


def test_every_recorded_history_replays_with_todays_workflow(record_property: Callable[[str, object], None]) -> None:
    """Also the runs that begin with a state handed on by an earlier one, as an earlier release wrote it."""
    record_property("row", "8")
    record_property("fault", f"{len(NAMES)} recorded histories, today's workflow")
    assert {name.rpartition("-")[0] for name in NAMES} == {
        "inbound-study-visit",
        "long-file",
        "outbound-high-level",
        "outbound-two-countries",
    }
    assert replayed(ALL_FILES) == [{"change": None, "file": path.name, "failure": None} for path in ALL_FILES]


@pytest.mark.parametrize("name", CHANGES)
def test_a_changed_command_order_is_caught(
    name: str, under_changes: list[dict[str, str | None]], record_property: Callable[[str, object], None]
) -> None:
    """A valid history, a workflow that is wrong for it: the replay names the nondeterminism, and no other failure."""
    record_property("row", "8")
    record_property("fault", f"a broken workflow: {name}")
    failures = [str(one["failure"]) for one in under_changes if one["change"] == name and one["failure"]]
    assert failures
    assert all("Nondeterminism error" in failure for failure in failures)


@pytest.mark.parametrize("name", NAMES)
async def test_a_history_folds_to_its_golden_state(name: str) -> None:
    """What was decided then means the same today."""
    recording = next(one for one in RECORDINGS if one.name == name)
    assert await folded(recording) == json.loads(recording.golden.read_text(encoding="utf-8"))


def test_every_golden_state_has_its_recording() -> None:
    """None is left over."""
    assert sorted(path.stem for path in STATES.glob("*.json")) == sorted(NAMES)


@pytest.mark.parametrize("name", NAMES)
async def test_a_golden_state_is_read_back_as_it_was_written(name: str) -> None:
    """A run that begins with a state of an earlier release understands it."""
    recording = next(one for one in RECORDINGS if one.name == name)
    events = await events_of(recording.histories())
    verify_chain(genesis(recording.histories()[0].workflow_id), events)
    written = json.loads(recording.golden.read_text(encoding="utf-8"))["state"]
    assert Delegation.model_validate(written) == fold(events)


async def test_scenario_a_as_recorded_has_the_figures_of_the_field() -> None:
    """Eleven people in the end, ceilings of 201.0 and then 184.6 million đồng, 20 calendars, then 16, then one."""
    recording = next(one for one in RECORDINGS if one.name.startswith("inbound-study-visit"))
    events = await events_of(recording.histories())
    ceilings = [event.data["total_vnd"] for event in events if event.type == "CeilingSet"]
    assert (ceilings[-2], ceilings[-1]) == (201_000_000, 184_600_000)
    told = [
        len({who for message in event.data["messages"] for who in message["to"]})
        for event in events
        if event.type == "InvitationsIssued"
    ]
    assert told == [20, 16, 1]
    state = fold(events)
    assert state is not None
    assert (state.head_count, state.phase) == (11, "closed")


async def test_scenario_b_as_recorded_shows_by_what_right_it_was_signed_and_who_was_told() -> None:
    """Five refusals of which four are sealed, “KT.” under a leave, one carried signature, two escalations."""
    recording = next(one for one in RECORDINGS if one.name.startswith("outbound-high-level"))
    events = await events_of(recording.histories())
    codes = [event.data["code"] for event in events if event.type == "SignOffRefused"]
    assert codes == ["own_request", "not_entitled_to_sign", "own_trip", "substitute_not_entitled"]
    rights = {event.data["step_id"]: event.data["right"] for event in events if event.type == "StepSigned"}
    deputising = rights["standing_vice_president"]
    assert (deputising["prefix"], deputising["account"]) == ("KT", "vice-president")
    assert deputising["on_behalf_of"] == "standing-vice-president"
    carried = [one["step_id"] for event in events for one in event.data.get("carried", ())]
    assert carried == ["department_head"]
    told = [(event.data["to"], event.data["level"]) for event in events if event.type == "DeadlineEscalated"]
    assert told == [("department_head", 1), ("president", 2)]
    observed = [(event.data.get("step"), event.data["value"]) for event in events if event.type == "FactObserved"]
    assert observed == [
        (None, 1),
        ("department_head", 1),
        (None, 1),
        ("finance", 1),
        ("standing_vice_president", 1),
        ("president", 1),
        ("competent_authority", 1),
    ]


def _decoded(part: Any) -> Iterator[str]:
    """Every string in a history, and in the payloads that stand in it as base64."""
    if isinstance(part, dict):
        for name, inner in part.items():
            yield name
            yield from _decoded(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _decoded(inner)
    elif isinstance(part, str):
        yield part
        try:
            yield base64.b64decode(part, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            return


@pytest.mark.parametrize("path", ALL_FILES, ids=lambda path: path.name)
def test_a_history_carries_no_personal_data(path: Path) -> None:
    """Neither people nor free texts nor accounts of any scenario stand in it, nor the machine it was recorded on."""
    document = read(path).to_json_dict()

    everything = "\n".join(_decoded(document))
    secrets = {str(ROOT), str(Path.home())}
    for file in (ROOT / "scenarios").glob("*.yaml"):
        scenario = load_scenario(file)
        secrets |= {value for person in scenario.people for value in (person.full_name, person.email)}
        secrets |= {person.passport_number for person in scenario.people if person.passport_number}
        secrets |= {value for actor in scenario.actors for value in (actor.name, actor.email) if value}
        secrets |= {
            named.text
            for step in scenario.steps
            if isinstance(step, Act)
            for named in placeholders(expand(scenario, step))
            if isinstance(named, TextWritten)
        }
    assert len(secrets) > 60
    assert [secret for secret in secrets if secret in everything] == []
    assert {event["identity"] for event in _attributes(document) if "identity" in event} == {"recorder"}


def _attributes(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for event in document["events"]:
        yield from (inner for name, inner in event.items() if name.endswith("EventAttributes"))


def test_the_recordings_stay_small() -> None:
    """Less than 1.5 MB in all."""
    assert sum(path.stat().st_size for path in HISTORIES.iterdir()) < 1_500_000


@pytest.mark.parametrize("damage", ["hole", "one event"])
def test_a_history_on_which_the_replayer_would_hang_is_refused_first(damage: str, tmp_path: Path) -> None:
    """One with a hole, and one with nothing but its start."""
    history = read(ALL_FILES[0])
    kept = history.events[:1] if damage == "one event" else [*history.events[:9], *history.events[10:]]
    path = write("damaged", [type(history)(history.workflow_id, kept)], tmp_path)[0]
    began = time.monotonic()
    failure = replayed([path], seconds=30)[0]["failure"]
    assert failure is not None
    assert failure.startswith(f"history of {history.workflow_id}, event {2 if damage == 'one event' else 10}:")
    assert time.monotonic() - began < 30


async def test_a_recording_written_again_is_the_same_file(tmp_path: Path) -> None:
    """A history is kept as the octets of its content alone."""
    again = await asyncio.to_thread(write, "again", [read(ALL_FILES[0])], tmp_path)
    assert again[0].read_bytes() == ALL_FILES[0].read_bytes()
