"""Rules read from files: what is wrong is told with file, line, rule and field."""

import shutil
from datetime import date
from pathlib import Path

import pytest

from domain.rules import HolidayTable
from storage.editions_file import RulesFileError, expand_holidays, load_edition
from tests.rulebook import RULES, shipped


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped rules that a test may spoil."""
    return Path(shutil.copytree(RULES, tmp_path / "rules"))


def change(folder: Path, file: str, old: str, new: str) -> None:
    """Replace a text that stands in a file exactly once, or the first of several."""
    text = (folder / file).read_text("utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), "utf-8")


def line_of(folder: Path, file: str, text: str, nth: int = 1) -> int:
    lines = (folder / file).read_text("utf-8").splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line][nth - 1]


def said(folder: Path) -> list[str]:
    with pytest.raises(RulesFileError) as refused:
        load_edition(folder)
    assert [str(problem) for problem in refused.value.problems] == str(refused.value).splitlines()
    return str(refused.value).splitlines()


def test_the_same_files_give_the_same_digest(folder: Path) -> None:
    """The identity of an edition depends on what the files say, not on where they lie or when they are read."""
    assert load_edition(folder).digest() == shipped().digest()


def test_comments_and_layout_do_not_change_the_digest(folder: Path) -> None:
    """Another way of writing the same rules is the same edition."""
    change(
        folder,
        "deadlines.yaml",
        "conditions: {entry_papers_needed: false}",
        "conditions:\n      entry_papers_needed: false # no",
    )
    assert load_edition(folder).digest() == shipped().digest()


def test_the_whole_edition_is_there() -> None:
    """Deadlines, limits, grades, countries and policies; requests of persons and what is kept how long."""
    rules = shipped()
    assert [len(each) for each in (rules.deadlines, rules.limits, rules.reception, rules.travel, rules.approvals)] == [
        18, 15, 3, 4, 32,
    ]  # fmt: skip
    assert [len(each) for each in (rules.requests, rules.retention, rules.ways)] == [3, 16, 2]
    assert rules.zone == "Asia/Ho_Chi_Minh"
    assert rules.effective_from == date(2024, 1, 1)


def test_a_number_out_of_range_is_told_with_its_line(folder: Path) -> None:
    """The message names file, line, rule, field and what is expected."""
    change(folder, "deadlines.yaml", "offset: 40", "offset: -40")
    line = line_of(folder, "deadlines.yaml", "offset: -40")
    assert said(folder) == [f"rules/deadlines.yaml, line {line}: rule CONFERENCE-PM: offset: must be 0 or more"]


def test_every_mistake_is_told_at_once(folder: Path) -> None:
    """Mistakes in several files do not have to be found one by one."""
    change(folder, "deadlines.yaml", "unit: days", "unit: weeks")
    change(folder, "limits.yaml", "allowed: 10", "allowed: ten")
    change(folder, "reception.yaml", "grade: A", "grade: D")
    unit = line_of(folder, "deadlines.yaml", "unit: weeks")
    allowed = line_of(folder, "limits.yaml", "allowed: ten")
    grade = line_of(folder, "reception.yaml", "grade: D")
    assert said(folder) == [
        f"rules/deadlines.yaml, line {unit}: rule CONFERENCE-PM: unit: must be one of 'days' or 'working_days'",
        f"rules/limits.yaml, line {allowed}: rule OUT-MEMBERS: allowed: must be a whole number",
        f"rules/reception.yaml, line {grade}: rule RECEPTION-A: grade: must be one of 'A', 'B' or 'C'",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "told"),
    [
        ("overrides.yaml", "date: 2026-01-02", "date: 2026-02-30",
         "extra_off[0].date: must be a date that exists, written YYYY-MM-DD"),
        ("deadlines.yaml", "conditions: {entry_papers_needed: false}", "conditions: {entry_papers_needed: no}",
         "rule IN-PROPOSAL: conditions.entry_papers_needed: must be true or false"),
        ("travel.yaml", "currency: EUR", "currency: euro", "rule TRAVEL-CZ: currency: must match ^[A-Z]{3}$"),
        ("travel.yaml", "version: 1", "version: 1\n    colour: red", "rule TRAVEL-CZ: colour: is not a known field"),
        ("edition.yaml", "zone: Asia/Ho_Chi_Minh", "zone: Asia/Hanoi",
         "zone: “Asia/Hanoi” is not an IANA time zone such as Asia/Ho_Chi_Minh"),
        ("edition.yaml", "reminders_at: 08:00", "reminders_at: 8",
         "reminders_at: must be a time of day, written HH:MM"),
        ("edition.yaml", "country: VN", "country: XX", "the holidays of XX are not known"),
        ("edition.yaml", "country: VN", "country: DE", "the holidays of DE have no Vietnamese and English names"),
        ("edition.yaml", "[saturday, sunday]", "[monday, tuesday, wednesday, thursday, friday, saturday, sunday]",
         "a week needs a working day"),
        ("overrides.yaml", "date: 2026-01-10", "date: 2026-01-02", "2026-01-02 is announced as worked and as off"),
        ("limits.yaml", "limits:", "limit:", "must have one list, limits"),
        ("limits.yaml", "limits:", "colour: red\nlimits:", "colour is not a known field"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_in_plain_words(folder: Path, file: str, old: str, new: str, told: str) -> None:
    """What a person may write wrongly: dates, words, zones, names, days; and the line is that of the mistake."""
    before = (folder / file).read_text("utf-8")
    at = before[: before.index(old)].count("\n") + 1 + ("\n    " in new)
    change(folder, file, old, new)
    assert said(folder) == [f"rules/{file}, line {at}: {told}"]


def test_a_field_that_is_missing_points_at_its_rule(folder: Path) -> None:
    """A misspelt field is told at its own line, the missing one at the line where the rule begins."""
    change(folder, "deadlines.yaml", "    what: proposal\n", "    wat: proposal\n")
    begins, misspelt = (line_of(folder, "deadlines.yaml", text) for text in ("id: IN-PROPOSAL", "wat: proposal"))
    assert said(folder) == [
        f"rules/deadlines.yaml, line {begins}: rule IN-PROPOSAL: what: is missing",
        f"rules/deadlines.yaml, line {misspelt}: rule IN-PROPOSAL: wat: is not a known field",
    ]


def test_a_rule_that_contradicts_itself_is_told_where_it_begins(folder: Path) -> None:
    """What concerns several fields has no line of its own."""
    change(folder, "limits.yaml", "special: 5", "special: 2")
    line = line_of(folder, "limits.yaml", "id: OUT-DAYS-PER-COUNTRY-DANANG")
    assert said(folder) == [
        f"rules/limits.yaml, line {line}: rule OUT-DAYS-PER-COUNTRY-DANANG: special must be more than allowed"
    ]


def test_a_key_given_twice_is_refused(folder: Path) -> None:
    """Of two values nobody could say which one counts."""
    change(folder, "reception.yaml", "    grade: A\n", "    grade: A\n    grade: B\n")
    line = line_of(folder, "reception.yaml", "grade: B")
    assert said(folder) == [
        f"rules/reception.yaml, line {line}: the key “grade” is given twice, first on line {line - 1}"
    ]


def test_two_rules_for_one_case_name_each_other(folder: Path) -> None:
    """The second is told, and where the first stands."""
    change(folder, "deadlines.yaml", "entry_papers_needed: true", "entry_papers_needed: false")
    first = line_of(folder, "deadlines.yaml", "id: IN-PROPOSAL")
    second = line_of(folder, "deadlines.yaml", "id: IN-PROPOSAL-ENTRY")
    (told,) = said(folder)
    assert told == (
        f"rules/deadlines.yaml, line {second}: rule IN-PROPOSAL-ENTRY: another rule for the same case holds on the "
        f"same days: IN-PROPOSAL version 1 in deadlines.yaml, line {first}"
    )


def test_chains_in_two_files_are_compared(folder: Path) -> None:
    """Two chains for one direction contradict, though each file is right by itself."""
    change(folder, "approvals/outbound.yaml", "direction: outbound", "direction: inbound")
    line = line_of(folder, "approvals/outbound.yaml", "id: OUT-APPROVAL")
    first = line_of(folder, "approvals/inbound.yaml", "id: IN-APPROVAL")
    (told,) = said(folder)
    assert told == (
        f"rules/approvals/outbound.yaml, line {line}: rule OUT-APPROVAL: another rule for the same case holds on the "
        f"same days: IN-APPROVAL version 1 in approvals/inbound.yaml, line {first}"
    )


def test_a_missing_file_is_named(folder: Path) -> None:
    """By the folder's name and its own, without the path on the machine."""
    (folder / "travel.yaml").unlink()
    assert said(folder) == ["rules/travel.yaml, line 1: cannot be read: No such file or directory"]


def test_our_table_of_swaps_wins_over_the_package(folder: Path) -> None:
    """The package has 22 August 2026 worked; an announcement of our own that it is off replaces that."""
    change(folder, "overrides.yaml", "date: 2026-01-02", "date: 2026-08-22")
    rules = load_edition(folder)
    assert not rules.work_calendar.is_working(date(2026, 8, 22))
    assert [day.date for day in rules.working_swaps.extra_working] == [
        date(2024, 5, 4),
        date(2025, 4, 26),
        date(2026, 1, 10),
    ]


def test_the_holidays_of_a_year_are_expanded() -> None:
    """All of 2026, as announced: Tết from 16 to 20 February, and 31 August given off for 22 August."""
    off, worked = expand_holidays(HolidayTable(country="VN", first_year=2026, last_year=2026))
    assert [day.date.isoformat() for day in off] == [
        "2026-01-01",
        "2026-02-16",
        "2026-02-17",
        "2026-02-18",
        "2026-02-19",
        "2026-02-20",
        "2026-04-26",
        "2026-04-27",
        "2026-04-30",
        "2026-05-01",
        "2026-08-31",
        "2026-09-01",
        "2026-09-02",
        "2026-11-24",
    ]
    assert [day.date.isoformat() for day in worked] == ["2026-08-22"]
    assert (off[0].name.vi, off[0].name.en) == ("Tết Dương lịch", "New Year's Day")


def test_a_mistake_in_the_rules_of_privacy_and_retention_is_told_with_its_line(folder: Path) -> None:
    """A kind that is none, a processor who is faster than the house, a proof that would be removed."""
    change(folder, "privacy.yaml", "kinds: [erasure]", "kinds: [erasure, deletion]")
    change(folder, "privacy.yaml", "with_processor: 15", "with_processor: 9")
    change(folder, "retention.yaml", "what: trail\n    keep: for_ever", "what: trail\n    keep: 20 years")
    change(folder, "retention.yaml", "keep: 60 days", "keep: two months")
    kinds, faster = line_of(folder, "privacy.yaml", "deletion]"), line_of(folder, "privacy.yaml", "PRIVACY-SEE")
    period, trail = (line_of(folder, "retention.yaml", text) for text in ("two months", "RET-TRAIL"))
    told = said(folder)
    assert [line.partition(": ")[0] for line in told] == [
        f"rules/privacy.yaml, line {kinds}",
        f"rules/privacy.yaml, line {faster}",
        f"rules/retention.yaml, line {period}",
        f"rules/retention.yaml, line {trail}",
    ]
    assert told[1].endswith("rule PRIVACY-SEE: with_processor is not less than carry_out_within")
    assert told[3].endswith("rule RET-TRAIL: keep is for_ever: it proves what happened")


def test_a_mistake_in_the_rules_of_ways_is_told_with_its_line(folder: Path) -> None:
    """No time at all, a way between what is neither, and two rules for one kind at once."""
    change(folder, "ways.yaml", "minutes: 15", "minutes: 0")
    line = line_of(folder, "ways.yaml", "minutes: 0")
    assert said(folder) == [f"rules/ways.yaml, line {line}: rule WAY-PLACES: minutes: must be 1 or more"]
    change(folder, "ways.yaml", "minutes: 0", "minutes: 10")
    change(folder, "ways.yaml", "between: zones", "between: places")
    [told] = said(folder)
    line = line_of(folder, "ways.yaml", "- id: WAY-ZONES")
    assert told.startswith(f"rules/ways.yaml, line {line}: rule WAY-ZONES: another rule for the same case")


def test_two_rules_of_privacy_for_one_kind_at_once_are_refused(folder: Path) -> None:
    """It would be left open which date holds."""
    change(folder, "privacy.yaml", "kinds: [erasure]", "kinds: [erasure, access]")
    line = line_of(folder, "privacy.yaml", "PRIVACY-SEE")
    [told] = said(folder)
    assert told.startswith(f"rules/privacy.yaml, line {line}: rule PRIVACY-SEE: another rule for the same case")
