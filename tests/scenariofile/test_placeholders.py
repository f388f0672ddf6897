"""What a scenario leaves open, how it is filled, how it is moved to other dates, and the files it makes."""

from pathlib import Path

import pypdfium2
import pytest

from domain.commands import PUBLIC_COMMAND
from scenariofile import (
    Act,
    DigestNamed,
    FileNamed,
    PersonNamed,
    Scenario,
    TextWritten,
    expand,
    fill,
    load_scenario,
    placeholders,
    shifted,
)
from scenariofile.specimen import specimen_pdf

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"
REF = {"ref": "per_12345678", "commitment": "0" * 64}


def visit() -> Scenario:
    """Scenario A."""
    return load_scenario(SCENARIOS / "inbound-study-visit.yaml")


def act(scenario: Scenario, name: str) -> Act:
    """A step by its id."""
    (found,) = (step for step in scenario.steps if step.id == name)
    assert isinstance(found, Act)
    return found


def test_placeholders_come_once_in_the_order_of_their_first_use() -> None:
    """People, texts, files, digests; also within lists."""
    scenario = visit()
    report = placeholders(expand(scenario, act(scenario, "report")))
    assert [type(one) for one in report] == [TextWritten, TextWritten, FileNamed]
    assert placeholders(expand(scenario, act(scenario, "signed-too-old"))) == (DigestNamed("dossier", 1),)
    assert placeholders(expand(scenario, act(scenario, "report-accepted"))) == (DigestNamed("report"),)
    people = placeholders(expand(scenario, act(scenario, "people")))
    assert (len(people), people[0]) == (19, PersonNamed("delegate-1"))


def test_filled_bodies_are_what_the_api_parses() -> None:
    """Twelve delegates, seven who serve."""
    scenario = visit()
    asked = expand(scenario, act(scenario, "people"))
    bodies = fill(asked, dict.fromkeys(placeholders(asked), REF))
    assert [PUBLIC_COMMAND.validate_python(body).type for body in bodies] == ["add_member"] * 12 + [
        "appoint_participant"
    ] * 7
    assert isinstance(asked[0]["person"], PersonNamed)


def test_a_placeholder_without_a_value_is_an_error() -> None:
    """Nothing is sent half filled."""
    scenario = visit()
    with pytest.raises(KeyError):
        fill(expand(scenario, act(scenario, "people")), {})


def test_a_shifted_scenario_keeps_weekdays_wall_clocks_and_everything_else() -> None:
    """52 weeks later: the steps, the days of the visit and the times of items, in both ways of writing them."""
    scenario, later = visit(), shifted(visit(), 52)
    pairs = zip(scenario.steps, later.steps, strict=True)
    assert {(later.when(new).instant - scenario.when(old).instant).days for old, new in pairs} == {364}
    (opened, _) = expand(later, act(later, "request"))
    assert (opened["starts"], opened["ends"]) == ("2027-04-05", "2027-04-11")
    travel = {body["item_id"]: body for body in expand(later, act(later, "travel"))}
    assert travel["flight-berlin-in"]["starts"] == {"local": "2027-04-04T13:40", "zone": "Europe/Berlin"}
    assert travel["pre-meeting-2"]["starts"] == {"local": "2027-03-29T15:00", "zone": "Asia/Ho_Chi_Minh"}
    assert later.people == scenario.people
    assert later.content("passport-1") == scenario.content("passport-1")
    assert shifted(later, -52) == scenario


def test_a_specimen_is_a_pdf_that_says_its_words() -> None:
    """The same bytes each time; letters that its font does not have lose their marks; signs of its syntax are text."""
    content, media_type = visit().content("decision")
    assert media_type == "application/pdf"
    assert content == specimen_pdf("Decision to receive the delegation")
    words = r"Đoàn khảo sát \(2026) and so many words that they need another line"
    page = pypdfium2.PdfDocument(specimen_pdf(words))[0]
    assert page.get_textpage().get_text_bounded().split() == [
        "Doan", "khao", "sat", r"\(2026)", "and", "so", "many", "words", "that", "they", "need", "another", "line",
    ]  # fmt: skip


def test_a_file_beside_the_scenario_is_read_from_there(tmp_path: Path) -> None:
    """With the media type of its name."""
    (tmp_path / "annexes").mkdir()
    (tmp_path / "annexes" / "words.txt").write_bytes(b"words")
    text = (SCENARIOS / "outbound-two-countries.yaml").read_text(encoding="utf-8")
    text = text.replace("{specimen: Minutes of the meetings}", "{file: annexes/words.txt}")
    (tmp_path / "trip.yaml").write_text(text, encoding="utf-8")
    assert load_scenario(tmp_path / "trip.yaml").content("minutes") == (b"words", "text/plain")
