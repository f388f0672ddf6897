"""A scenario file is read strictly, and every mistake is told by line, step and field."""

from pathlib import Path

import pytest

from scenariofile import (
    Act,
    EndLeave,
    PersonNamed,
    RegisterLeave,
    RevokeLeave,
    Scenario,
    ScenarioFileError,
    Wait,
    expand,
    load_scenario,
    shifted,
)

SCENARIOS = Path(__file__).parent.parent.parent / "scenarios"

HEAD = """\
scenario: small
title: A small visit
zone: Asia/Ho_Chi_Minh
delegation: small-1
actors:
  - {id: coordinator, name: Hạnh, roles: [coordinator]}
people:
  - {id: ito, full_name: Aya Ito, email: aya@example.org, language: en, nationality: JP, country: JP}
attachments:
  letter: {specimen: A letter}
steps:
"""
HEAD_LINES = HEAD.count("\n")


def step(do: str, *, name: str = "one", at: str = "2026-02-24T09:00", by: str = "coordinator") -> str:
    """A step on five lines, the command on the last."""
    return f"  - id: {name}\n    at: {at}\n    by: {by}\n    title: A step\n    do: {do}\n"


def told(text: str) -> list[str]:
    """The lines of what is said against a file."""
    with pytest.raises(ScenarioFileError) as caught:
        load_scenario(text, "small.yaml")
    return str(caught.value).splitlines()


def loaded(*steps: str) -> Scenario:
    """A file without mistakes."""
    return load_scenario(HEAD + "".join(steps))


@pytest.mark.parametrize("path", sorted(SCENARIOS.glob("*.yaml")), ids=lambda path: path.stem)
def test_the_shipped_scenarios_are_well_formed_and_named_for_their_files(path: Path) -> None:
    """People do not share a mailbox there, and every title is in both languages."""
    scenario = load_scenario(path)
    assert scenario.scenario == path.stem
    mailboxes = [person.email for person in scenario.people]
    assert len(mailboxes) == len(set(mailboxes))
    assert [one.id for one in scenario.steps if one.title.vi == one.title.en] == []


def test_a_small_file_is_read() -> None:
    """A title in one language stands for both; a wait is a step of its own kind."""
    wait = "  - {id: later, wait_until: 2026-03-01T09:00, title: {vi: Chờ, en: Wait}}\n"
    scenario = loaded(step("{type: submit_request}"), wait)
    first, second = scenario.steps
    assert isinstance(first, Act)
    assert isinstance(second, Wait)
    assert (first.title.vi, first.title.en, second.title.vi) == ("A step", "A step", "Chờ")
    assert scenario.when(second).instant.isoformat() == "2026-03-01T02:00:00+00:00"


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("{type: submit_requests}", "step one: type: is not a known command"),
        ("{title: x}", "step one: type: is missing"),
        ("{type: submit_request, when: now}", "step one: when: is not a known field"),
        ("{type: add_member, person: nobody}", "step one: person: names nobody among people"),
        ("{type: add_member, person: {ref: per_12345678}}", "step one: person: names nobody among people"),
        ("{type: add_members, people: [ito, nobody]}", "step one: people[1]: names nobody among people"),
        ("{type: add_members, people: ito}", "step one: people: must be a list of ids of people"),
        (
            "{type: attach_document, kind: letter, attachment: other}",
            "step one: attachment: names nothing among attachments",
        ),
        (
            "{type: withdraw_request, reason: because}",
            "step one: reason: must be written as text: followed by the words",
        ),
        ('{type: withdraw_request, reason: {text: " "}}', "step one: reason.text: is empty"),
        (
            "{type: sign_off, step_id: x, dossier_digest: newest}",
            "step one: dossier_digest: must be current, a number such as proposal-1, or 64 digits",
        ),
        ("{type: sign_off, step_id: x, dossier_digest: report-1}", "step one: dossier_digest: must be current"),
        (
            "{type: resume, starts: 2026-02-30, ends: 2026-03-02}",
            "step one: starts: must be a date that exists, written YYYY-MM-DD",
        ),
        ("{type: resume, starts: 2026-03-03, ends: 2026-03-02}", "step one: ends (2026-03-02) is before starts"),
        (
            "{type: move_item, item_id: x, starts: 2026-02-30T09:00, ends: 2026-03-01T10:00}",
            "step one: starts: “2026-02-30T09:00” is not a date and time that exists, such as 2026-04-11T14:30",
        ),
        (
            "{type: move_item, item_id: x, ends: 2026-04-01T12:00, starts: {local: 2026-03-29T02:30, zone: CET}}",
            "step one: starts: 2026-03-29T02:30 does not exist in CET: the clock is put forward over it",
        ),
        ("{type: tick}", "step one: type: is not a known command"),
        ('{type: issue_decision, number: "27\\r\\n"}', "step one: number: character 3 is a control character (U+000D)"),
        ("[]", "step one: do: must be 1 to 500 commands"),
    ],
)
def test_a_command_that_has_not_its_form_is_told_by_line_step_and_field(do: str, said: str) -> None:
    """The line is that of the command, which here stands on the fifth line of its step."""
    (line,) = told(HEAD + step(do))
    assert line.startswith(f"small.yaml, line {HEAD_LINES + 5}: {said}")


@pytest.mark.parametrize(
    ("changed", "to", "line", "said"),
    [
        ("scenario: small", "scenario: small\nmood: glad", 2, "mood: is not a known field"),
        ("zone: Asia/Ho_Chi_Minh", "zone: Mars/Olympus", 3, "zone: “Mars/Olympus” is not an IANA time zone"),
        ("delegation: small-1\n", "", 1, "delegation: is missing"),
        ("language: en", "language: fr", 8, "people[0].language: must be one of 'vi' or 'en'"),
        ("aya@example.org", '"aya@example.org\\nBcc: x"', 8, "people[0].email: "),
        ("roles: [coordinator]", "roles: [system]", 6, "actors[0].roles[0]: must be one of"),
        ("{specimen: A letter}", "{file: ../secret.pdf}", 10, "attachments.letter.file: must stand in the folder"),
        ("{specimen: A letter}", "{file: /etc/passwd}", 10, "attachments.letter.file: must stand in the folder"),
        ("{specimen: A letter}", "{file: program.exe}", 10, "attachments.letter.file: must end in"),
        ("{specimen: A letter}", "{file: missing.pdf}", 10, "attachments.letter.file: cannot be read"),
        ("{specimen: A letter}", "{}", 10, "attachments.letter: must have either specimen or file"),
        ("at: 2026-02-24T09:00", "at: 2026-02-30T09:00", 13, "steps[0].at: “2026-02-30T09:00” is not a date"),
        ("by: coordinator", "by: nobody", 14, "step one: by: names nobody among actors"),
    ],
)
def test_a_mistake_of_the_file_is_told_by_line_and_field(changed: str, to: str, line: int, said: str) -> None:
    """Wherever it stands."""
    text = HEAD + step("{type: submit_request}")
    assert changed in text
    (first, *_) = told(text.replace(changed, to, 1))
    assert first.startswith(f"small.yaml, line {line}: {said}")


def test_two_people_or_steps_with_one_id_are_told_with_the_line_of_the_first() -> None:
    """And all of them at once, in the order of their lines."""
    person = "  - {id: ito, full_name: Jun, email: jun@example.org, language: en, nationality: JP, country: JP}\n"
    again = HEAD.replace("attachments:", person + "attachments:")
    text = again + step("{type: submit_request}") + step("{type: submit_request}")
    assert told(text) == [
        "small.yaml, line 9: people[1].id: is given twice, first on line 8",
        f"small.yaml, line {HEAD_LINES + 7}: steps[1].id: is given twice, first on line {HEAD_LINES + 2}",
    ]


def test_steps_do_not_run_backwards_and_happen_at_times_that_exist() -> None:
    """A step in the hour that Berlin skips is told as such; one before the step above too."""
    text = HEAD.replace("Asia/Ho_Chi_Minh", "Europe/Berlin")
    submit = "{type: submit_request}"
    first, gap, back = (
        step(submit, name="first", at="2026-03-29T01:30"),
        step(submit, name="gap", at="2026-03-29T02:30"),
        step(submit, name="back", at="2026-03-29T01:00"),
    )
    skipped = "2026-03-29T02:30 does not exist in Europe/Berlin: the clock is put forward over it"
    assert told(text + first + gap + back) == [
        f"small.yaml, line {HEAD_LINES + 7}: step gap: at: {skipped}",
        f"small.yaml, line {HEAD_LINES + 12}: step back: at: is before the step above",
    ]


def test_ten_thousand_people_and_a_text_of_three_megabytes_are_refused_in_a_sentence() -> None:
    """By the bound that they exceed."""
    person = "  - {id: p-%d, full_name: P, email: p%d@example.org, language: en, nationality: JP, country: JP}\n"
    crowd = HEAD.replace("attachments:", "".join(person % (n, n) for n in range(10_000)) + "attachments:")
    (line,) = told(crowd + step("{type: submit_request}"))
    assert line == "small.yaml, line 7: people: must have at most 2000 entries"
    long = step("{type: withdraw_request, reason: {text: " + "x" * 3_000_000 + "}}")
    (line,) = told(HEAD + long)
    assert line.endswith("step one: reason.text: must have at most 20,000 characters")


def test_what_is_no_yaml_is_told_by_its_line() -> None:
    """Also a key given twice and a character that may not stand there."""
    assert told("scenario: [small")[0].startswith("small.yaml, line 2: did not find expected")
    assert told(HEAD + "steps: []\n")[0].startswith(
        f"small.yaml, line {HEAD_LINES + 1}: the key “steps” is given twice"
    )
    assert told("a: \x00")[0] == "small.yaml, line 1: the character U+0000 may not stand in YAML"
    assert told("")[0].startswith("small.yaml, line 1: ")


def test_rules_of_the_field_are_left_to_the_delegation() -> None:
    """An arrival before the request, a member twice, an unknown rule: well-formed, to be refused when played."""
    scenario = loaded(
        step("{type: resume, starts: 2020-01-01, ends: 2020-01-02}"),
        step("[{type: add_member, person: ito}, {type: add_member, person: ito}]", name="two"),
        step("{type: justify_limit, limit: NO-RULE, justification: {text: because}}", name="three"),
    )
    assert [len(expand(scenario, one)) for one in scenario.steps if isinstance(one, Act)] == [1, 2, 1]


def test_a_person_gives_a_command_what_it_leaves_out() -> None:
    """What it says itself stands."""
    scenario = loaded(
        step("[{type: add_member, person: ito}, {type: add_member, person: ito, member_id: x, country: US}]")
    )
    (first,) = (one for one in scenario.steps if isinstance(one, Act))
    base = {"type": "add_member", "person": PersonNamed("ito"), "role": "member", "entry_papers": False}
    assert expand(scenario, first) == (
        base | {"member_id": "ito", "country": "JP"},
        base | {"member_id": "x", "country": "US"},
    )


WEEK = "since: 2026-03-02T08:00, until: 2026-03-05T00:00}"


def test_leave_is_registered_ended_and_revoked_by_steps() -> None:
    """It is no command: nothing is sent to the delegation, and whose leave it is follows from who registers it."""
    scenario = loaded(
        step("{type: register_leave, leave: away, substitute: coordinator, " + WEEK),
        step("{type: end_leave, leave: away, until: 2026-03-04T00:00}", name="two"),
        step("{type: revoke_leave, leave: away}", name="three"),
    )
    acts = [one for one in scenario.steps if isinstance(one, Act)]
    first, second, third = (one.leave_change for one in acts)
    assert isinstance(first, RegisterLeave)
    assert first.entry("coordinator").account == "coordinator"
    assert isinstance(second, EndLeave)
    assert third == RevokeLeave(type="revoke_leave", leave="away")
    assert [expand(scenario, one) for one in acts] == [(), (), ()]
    moved = shifted(scenario, weeks=52).steps[0]
    assert isinstance(moved, Act)
    assert moved.do == {
        "type": "register_leave",
        "leave": "away",
        "substitute": "coordinator",
        "since": "2027-03-01T08:00",
        "until": "2027-03-04T00:00",
    }


@pytest.mark.parametrize(
    ("do", "said"),
    [
        ("{type: revoke_leave, leave: other}", "leave: names no leave registered before"),
        (
            "{type: end_leave, leave: other, until: 2026-02-30T00:00}",
            "until: “2026-02-30T00:00” is not a date and time",
        ),
        (
            "{type: register_leave, leave: a, substitute: nobody, " + WEEK,
            "substitute: names nobody among actors",
        ),
        (
            "{type: register_leave, leave: a, substitute: coordinator, " + WEEK.replace("02T", "06T"),
            "the leave does not end after it begins",
        ),
        ("{type: register_leave, leave: a}", "substitute: is missing"),
        ("[{type: revoke_leave, leave: a}]", "type: changes a leave, and stands alone in its step"),
    ],
)
def test_a_wrong_change_of_leave_is_told_at_its_line(do: str, said: str) -> None:
    """Unknown leave, unknown substitute, a period that runs backwards, a field left out, a leave in a batch."""
    (first, *_) = told(HEAD + step(do))
    assert first.startswith(f"small.yaml, line {HEAD_LINES + 5}: step one: ")
    assert said in first


INSTITUTION = """\
organisations:
  - {id: central, kind: central_union, name: Central union}
  - {id: province, kind: provincial_union, parent: central, name: Provincial union}
positions:
  - {id: president, organisation: province, title: President}
leave:
  - {id: away, account: coordinator, substitute: coordinator, since: 2026-03-02T08:00, until: 2026-03-05T00:00}
"""


def test_organisations_positions_and_leave_stand_at_the_top() -> None:
    """An organisation after the one above it; an actor belongs to one of them, and is one of the people."""
    head = HEAD.replace("roles: [coordinator]}", "roles: [coordinator], organisation: province, person: ito}")
    scenario = load_scenario(INSTITUTION + head + step("{type: submit_request}"))
    assert [one.parent for one in scenario.organisations] == [None, "central"]
    assert (scenario.actor("coordinator").organisation, scenario.actor("coordinator").person) == ("province", "ito")
    assert shifted(scenario, weeks=52).leave[0].until == "2027-03-04T00:00"


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("parent: central", "parent: below", "organisations[1].parent: names none of the organisations above it"),
        ("organisation: province, title", "organisation: other, title", "positions[0].organisation: names nothing"),
        ("account: coordinator", "account: nobody", "leave[0].account: names nobody among actors"),
        ("until: 2026-03-05", "until: 2026-03-01", "leave[0]: the leave does not end after it begins"),
        ("kind: central_union", "kind: union", "organisations[0].kind: "),
    ],
)
def test_a_wrong_name_in_the_institution_is_told_at_its_line(was: str, becomes: str, said: str) -> None:
    """Every mistake by file, line and field."""
    text = INSTITUTION.replace(was, becomes) + HEAD + step("{type: submit_request}")
    place = next(number for number, line in enumerate(text.splitlines(), 1) if becomes in line)
    (only,) = told(text)
    assert only.startswith(f"small.yaml, line {place}: {said}")


def test_an_actor_belongs_to_an_organisation_and_a_person_of_the_file() -> None:
    """Both are told."""
    head = HEAD.replace("roles: [coordinator]}", "roles: [coordinator], organisation: nowhere, person: nobody}")
    assert [line.partition(": ")[2] for line in told(head + step("{type: submit_request}"))] == [
        "actors[0].organisation: names nothing among organisations",
        "actors[0].person: names nobody among people",
    ]


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("{events: [ReportField]}", "“ReportField” is no type of event"),
        ("{}", "must say refused or events"),
    ],
)
def test_what_a_step_is_to_bring_has_to_be_known(expect: str, said: str) -> None:
    """A misspelt type would never come; an empty expectation says nothing."""
    (only,) = told(HEAD + step("{type: submit_request}") + f"    expect: {expect}\n")
    assert said in only


def test_a_wait_may_expect_events_and_no_refusal() -> None:
    """Nobody asks for anything there."""
    wait = "  - {{id: later, wait_until: 2026-03-01T09:00, title: Wait, expect: {}}}\n"
    scenario = loaded(step("{type: submit_request}"), wait.format("{events: [DeadlineMissed, DeadlineEscalated]}"))
    expected = scenario.steps[1].expect
    assert expected is not None
    types = ["DeadlineReminded", "DeadlineMissed", "NoticeSent", "DeadlineEscalated", "DeadlineEscalated"]
    assert expected.came(types) == ("DeadlineMissed", "DeadlineEscalated", "DeadlineEscalated") != expected.events
    (only,) = told(HEAD + step("{type: submit_request}") + wait.format("{refused: own_trip}"))
    assert "a wait asks for nothing that could be refused" in only
