"""An opening file is checked whole before anything is sent, and every mistake has its line."""

from pathlib import Path

import pytest

from domain.commands import LARGEST_BATCH
from locales import translator
from scenariofile.opening import OpeningFileError, PersonWritten, load_opening
from scenariofile.placeholders import PersonNamed
from storage.persons import PersonDetails
from verbs.mistakes import told

REQUEST = """\
id: tokyo-2027
direction: inbound
title: Đoàn Hội hữu nghị Tokyo
purpose: Trao đổi về hợp tác địa phương
organisation: song-lam
partner: Tokyo Friendship Association
countries: [JP]
starts: 2027-04-10
ends: 2027-04-12
"""

PEOPLE = """\
members:
  - member_id: m-1
    country: JP
    role: head
    person: {full_name: Haruka Satō, email: haruka@tokyo.example, language: en, nationality: JP}
participants:
  - participant_id: host-1
    role: host
    person: {ref: per_7m2k4x9q0w8e5r3t1y6u, commitment: "%s"}
items:
  - item_id: s-1
    title: Họp mở đầu
    starts: 2027-04-10T09:00
    ends: {local: "2027-04-10T13:00", zone: Asia/Tokyo}
    audience: {groups: [delegates], people: [host-1]}
""" % ("0" * 64)


def mistakes(text: str, language: str = "en") -> list[str]:
    with pytest.raises(OpeningFileError) as refused:
        load_opening(text, "visit.yaml")
    return [told(problem, translator("vi" if language == "vi" else "en")) for problem in refused.value.problems]


def test_a_file_becomes_the_commands_that_open_a_delegation_in_their_order() -> None:
    """Members before the items that they attend; a person written out is registered first."""
    opening = load_opening(REQUEST + PEOPLE)
    assert [body["type"] for body in opening.bodies] == [
        "open_delegation",
        "add_member",
        "appoint_participant",
        "schedule_item",
    ]
    (person, written), *others = opening.people.items()
    assert not others
    assert written.details == {
        "full_name": "Haruka Satō",
        "given_name": "Haruka Satō",
        "email": "haruka@tokyo.example",
        "language": "en",
        "nationality": "JP",
    }
    body = opening.body({person: {"ref": "per_1", "commitment": "c"}})
    assert body["id"] == "tokyo-2027"
    assert body["commands"][1]["person"] == {"ref": "per_1", "commitment": "c"}
    assert body["commands"][3]["starts"] == {"local": "2027-04-10T09:00"}


def test_a_request_alone_is_no_batch() -> None:
    assert load_opening(REQUEST).body({})["title"] == "Đoàn Hội hữu nghị Tokyo"


def test_json_is_read_too() -> None:
    with pytest.raises(OpeningFileError) as refused:
        load_opening('{\n"direction": "inbound",\n"titel": "x"\n}', "visit.json")
    assert "visit.json, line 3: titel: is not a known field" in str(refused.value)


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        (
            "starts: 2027-02-30",
            "starts: 2027-04-10\n",
            "line 8: starts: This must be a day that exists, such as 2026-04-11.",
        ),
        ("colour: red\n", "", "line 10: colour: There is no field of this name here."),
        ("id: Tokyo 2027", "id: tokyo-2027", "line 1: id: This does not have the form it must have."),
    ],
)
def test_a_mistake_in_the_request_is_told_by_line_and_field(wrong: str, right: str, said: str) -> None:
    text = REQUEST.replace(right.strip(), wrong) if right else REQUEST + wrong
    assert mistakes(text) == [f"visit.yaml, {said}"]


def test_every_mistake_is_told_at_once_in_the_order_of_lines() -> None:
    text = REQUEST + PEOPLE.replace("role: head", "role: chief").replace("language: en", "language: fr")
    text = text.replace("2027-04-10T09:00", "2027-02-30T09:00")
    assert mistakes(text) == [
        "visit.yaml, line 13: members[0].role: This must be one of: 'head' or 'member'.",
        "visit.yaml, line 14: members[0].person.language: This must be one of: 'vi' or 'en'.",
        "visit.yaml, line 22: items[0].starts: This is not a date and time that exists, such as 2026-04-11T14:30.",
    ]


def test_a_time_that_the_clock_skips_in_spring_is_refused() -> None:
    text = REQUEST + PEOPLE.replace("2027-04-10T09:00", '{local: "2027-03-28T02:30", zone: Europe/Berlin}')
    assert mistakes(text) == [
        "visit.yaml, line 22: items[0].starts: This time does not exist in its zone: the clock is put forward over it."
    ]


def test_an_address_with_a_line_break_is_refused_and_not_repeated() -> None:
    """It would become a header of its own, and it is personal data."""
    text = REQUEST + PEOPLE.replace("haruka@tokyo.example", '"haruka@tokyo.example\\nBcc: x@evil.example"')
    assert mistakes(text) == [
        (
            "visit.yaml, line 14: members[0].person.email: "
            "Before the @ stand at most 64 ASCII letters, digits, dots and signs."
        )
    ]


def test_two_people_with_one_id_are_told_with_both_lines() -> None:
    """Members and those who serve share the ids of a file."""
    text = REQUEST + PEOPLE.replace("participant_id: host-1", "participant_id: m-1")
    assert mistakes(text) == [
        "visit.yaml, line 16: participants[0].participant_id: This id is given twice, first on line 11."
    ]


def test_ten_thousand_members_are_told_how_many_a_file_begins_with() -> None:
    members = "".join(
        f"  - {{member_id: m-{number}, country: JP, person: {{ref: per_00000000, commitment: '{'0' * 64}'}}}}\n"
        for number in range(10_000)
    )
    assert mistakes(f"{REQUEST}members:\n{members}") == [
        (
            f"visit.yaml, line {10 + LARGEST_BATCH}: members[{LARGEST_BATCH - 1}]: "
            f"A file begins with at most {LARGEST_BATCH} commands: add the others afterwards."
        )
    ]


def test_what_is_not_yaml_is_told_by_its_line() -> None:
    assert mistakes("id: a\nid: b\n") == ["visit.yaml, line 2: This key is given twice."]
    assert mistakes("- a\n") == ["visit.yaml, line 1: This must be an object with named fields."]
    assert mistakes("members: {}\n" + REQUEST) == ["visit.yaml, line 1: members: This must be a list."]


def test_mistakes_are_told_in_vietnamese() -> None:
    assert mistakes(REQUEST + "colour: red\n", "vi") == [
        "visit.yaml, dòng 10: colour: Ở đây không có trường mang tên này."
    ]


def test_what_the_api_finds_wrong_has_a_line_too() -> None:
    """A refusal names the command by its place and the field by its path."""
    opening = load_opening(REQUEST + PEOPLE, "visit.yaml")
    found = opening.problem(opening.at[3], "audience.people", "participant_unknown", "There is nobody “x” on the file.")
    assert str(found) == "visit.yaml, line 24: items[0].audience.people: There is nobody “x” on the file."
    place = opening.place_of(PersonNamed("members.0"))
    assert str(opening.problem(place, "nationality", "country_unknown", "no")).startswith(
        "visit.yaml, line 14: members[0].person"
    )


def test_a_person_is_written_as_the_register_takes_them() -> None:
    """The form of a person stands twice, since no layer may be known here; this is what holds the two together."""
    assert set(PersonWritten.model_fields) == set(PersonDetails.model_fields)
    written = {"full_name": "Lê Thị Hoa", "email": "hoa@songlam.example", "language": "vi", "nationality": "VN"}
    assert PersonDetails.model_validate(PersonWritten.model_validate(written).details).given_name == "Lê Thị Hoa"


def test_a_file_that_cannot_be_read_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_opening(tmp_path / "none.yaml")
