"""Scenario A on the real stack: `legation demo`, figures and mailboxes as the field has them (domain.md, A)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from embedded.folder import StackRecord
from scenariofile import load_scenario
from tests.command import legation
from tests.embedded.running_stack import ROOT
from tests.journeys.demonstration import kept_running
from tests.journeys.mail import Told, attached, mailbox, told

# One group: the tests share one demo, and two test processes would play two.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("inbound-demo")]


@dataclass(frozen=True)
class Played:
    """What the demo printed, and the stack it keeps running."""

    printed: dict[str, Any]
    record: StackRecord
    folder: Path

    def told(self, address: str) -> list[Told]:
        """What one person's calendar was told, in order."""
        return [one for message in mailbox(self.record, address) if (one := told(message)) is not None]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Played]:
    folder = tmp_path_factory.mktemp("inbound") / "var"
    with kept_running(folder) as (printed, record):
        yield Played(printed, record, folder)


def test_the_demo_prints_the_figures_of_the_field(played: Played) -> None:
    """20 calendars, then 16, then one person's; 201.0 and 184.6 million; eleven people; the report on its day."""
    printed = played.printed
    assert printed["scenario"] == "inbound-study-visit"
    assert printed["phase"] == "closed"
    assert printed["head_count"] == 11
    assert printed["calendars_reached"] == {"invitations": 20, "programme-change": 16, "drop-out": 1}
    assert printed["messages"] == {"CANCEL": 14, "REQUEST": 240}
    assert printed["ceilings_vnd"] == [201_000_000, 184_600_000]
    assert printed["refusals"] == [{"step": "signed-too-old", "code": "dossier_superseded"}]
    assert {one["status"] for one in printed["deadlines"]} == {"met"}
    assert {one["what"]: one["rule"] for one in printed["deadlines"]}["report"] == "IN-REPORT v2"
    assert len(printed["trail"]["head"]) == 64
    assert printed["trail"]["length"] > 100


def test_what_was_played_is_sealed_at_the_end(played: Played) -> None:
    """So that the data can be verified at once: the clock's own rounds are minutes apart."""
    token = (played.folder / "keys" / "cli.token").read_text().strip()
    found = legation("--data", str(played.folder), "checkpoint", "show", "--json", token=token)
    assert found.returncode == 0, found.stderr
    assert json.loads(found.stdout)["size"] > played.printed["trail"]["length"]


def test_somebody_who_came_holds_fourteen_sessions_one_of_them_moved(played: Played) -> None:
    """The UID of the forum stays; SEQUENCE goes from 0 to 1; nothing was ever cancelled for this person."""
    sato = played.told("keiko.sato@tokyo.example.org")
    assert {one.method for one in sato} == {"REQUEST"}
    assert len({one.uid for one in sato}) == 14
    forum = [one for one in sato if one.uid.startswith("hcmc-forum.")]
    assert [one.sequence for one in forum] == [0, 1]
    assert [one.starts[11:] for one in forum] == ["09:00:00+07:00", "14:30:00+07:00"]
    assert len({one.uid for one in forum}) == 1
    assert {one.sequence for one in sato if one not in forum} == {0}
    assert {one.attendee for one in sato} == {"keiko.sato@tokyo.example.org"}


def test_who_drops_out_is_told_so_for_every_session_and_hears_nothing_more(played: Played) -> None:
    """Fourteen cancellations under the UIDs that were invited to, each with a higher SEQUENCE than before."""
    address = next(a for a in addresses(played) if any(one.method == "CANCEL" for one in played.told(a)))
    heard = played.told(address)
    cancelled = heard[-14:]
    assert {one.method for one in cancelled} == {"CANCEL"}
    before = {one.uid: one.sequence for one in heard[:-14]}
    assert {one.uid for one in cancelled} == set(before)
    assert all(one.sequence > before[one.uid] for one in cancelled)


def test_every_delegate_got_the_letter_in_both_languages(played: Played) -> None:
    """Two PDFs by mail to each of the twelve, and to nobody else."""
    letters = {
        address: [attached(message, "application/pdf") for message in mailbox(played.record, address)]
        for address in addresses(played)
    }
    got = {address: [files for files in found if files] for address, found in letters.items()}
    reached = {address: found for address, found in got.items() if found}
    assert len(reached) == 12
    for found in reached.values():
        assert [name for name, _ in found[0]] == ["thu-moi.pdf", "invitation-letter.pdf"]
        assert all(content.startswith(b"%PDF-") for _, content in found[0])
        assert len(found) == 1


def addresses(played: Played) -> list[str]:
    """Everybody in the scenario file."""
    scenario = load_scenario(ROOT / "scenarios" / f"{played.printed['scenario']}.yaml")
    return sorted({person.email for person in scenario.people})
