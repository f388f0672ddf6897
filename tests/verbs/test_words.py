"""The command names by words what the API names by codes; nothing that exists there is without a word here."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from api import violations
from domain import commands, desk, directory, duplicates, events, permission, state
from domain.values import Direction
from locales import translator
from storage.directory import Action
from storage.directory_imports import Does, Verdict
from tests.rulebook import edition
from verbs import directory as directory_verb
from verbs import list as list_verb
from verbs import mistakes
from verbs.file_view import warnings
from verbs.token import Role
from words import codes
from words import directory as directory_words
from words.edition import EditionWords
from words.events import EVENTS, Reader, sentence_of


@pytest.mark.parametrize(
    ("known", "named"),
    [
        (codes.PHASES, [phase.value for phase in state.Phase]),
        (codes.COMMANDS, permission.ROLES),
        (codes.DIRECTIONS, get_args(Direction)),
        (codes.PERSON_ROLES, get_args(commands.Role)),
        (codes.ITEM_KINDS, get_args(commands.ItemKind)),
        (codes.ANSWERS, get_args(commands.Answer)),
        (codes.STEP_STATES, get_args(state.Step.model_fields["status"].annotation)),
        (codes.DEADLINE_STATES, get_args(state.Deadline.model_fields["status"].annotation)),
        (codes.DOCUMENTS, get_args(events.DocumentRendered.model_fields["kind"].annotation)),
        (codes.AGEING, get_args(desk.Ageing)),
        (codes.LEFT, list(get_args(get_args(state.Participant.model_fields["left"].annotation)[0]))),
        (directory_words.KINDS, get_args(directory.EntryKind)),
        (directory_words.NATURES, get_args(directory.Nature)),
        (directory_words.REASONS, get_args(duplicates.Reason)),
        (directory_words.ACTIONS, get_args(Action)),
        (directory_words.VERDICTS, get_args(Verdict)),
        (directory_words.DOES, get_args(Does)),
        (EVENTS, [kind.model_fields["type"].default for kind in get_args(get_args(events.AnyEvent)[0])]),
    ],
)
def test_every_code_has_a_word(known: Mapping[str, Any], named: Any) -> None:
    assert sorted(known) == sorted(named)


def test_the_choices_of_the_command_are_those_of_the_api() -> None:
    """But for the role of the system itself, which no account may have."""
    assert [phase.value for phase in list_verb.Phase] == [phase.value for phase in state.Phase]
    assert [direction.value for direction in list_verb.Direction] == list(get_args(Direction))
    assert [kind.value for kind in directory_verb.Kind] == list(get_args(directory.EntryKind))
    assert [nature.value for nature in directory_verb.Nature] == list(get_args(directory.Nature))
    assert [role.value for role in Role] == ["coordinator", "approver", "auditor", "administrator"]


def test_a_mistake_reads_the_same_as_the_api_says_it() -> None:
    said = {code: rule.sentence for code, rule in violations.PYDANTIC.items()} | violations.CUSTOM
    shared = mistakes.SENTENCES.keys() & said.keys()
    assert len(shared) > 30
    assert {code: mistakes.SENTENCES[code] for code in shared} == {code: said[code] for code in shared}


def test_an_event_that_only_a_newer_api_knows_is_shown_by_its_name() -> None:
    reader = Reader(translator("en"), EditionWords(edition().model_dump(mode="json"), translator("en")), "UTC")
    assert sentence_of({"type": "BadgePrinted", "data": {}}, reader) == "BadgePrinted"


def test_leave_at_a_desk_is_told_with_who_is_away_and_until_when() -> None:
    """Noted, moved, returned; the first without anything left says so."""
    english = translator("en")
    reader = Reader(english, EditionWords(edition().model_dump(mode="json"), english), "Asia/Ho_Chi_Minh")
    who = {"account": "mai", "substitute": "hung", "leave": "lea_1"}
    period = {"since": "2026-05-17T17:00:00.000000Z", "until": "2026-05-24T17:00:00.000000Z"}
    desk = {"what": "vice_president", "position": "vice_president"}
    told = [
        sentence_of({"type": "StandInsNoted", "data": {"stand_ins": [desk | who | period]}}, reader),
        sentence_of({"type": "StandInsNoted", "data": {"stand_ins": []}}, reader),
        sentence_of(
            {"type": "DeskMoved", "data": desk | {"to": "hung", "on_behalf_of": "mai", "until": period["until"]}},
            reader,
        ),
        sentence_of({"type": "DeskReturned", "data": desk | who}, reader),
    ]
    assert told == [
        "notes leave: mai (00:00, 18 May 2026 to 00:00, 25 May 2026, hung signs)",
        "no leave touches what waits any more",
        "the desk “Vice-president” moves to hung, in place of mai, until 00:00, 25 May 2026",
        "the desk “Vice-president” returns from hung to mai",
    ]


def test_a_thing_done_is_named_by_the_rule_that_it_was_due_by() -> None:
    """Several rules are about a report; the file was under one of them."""
    english = translator("en")
    reader = Reader(english, EditionWords(edition().model_dump(mode="json"), english), "Asia/Ho_Chi_Minh")
    due = {"what": "report", "due_on": "2026-04-15", "rule": {"rule": "IN-REPORT", "version": 1}}
    assert sentence_of({"type": "DeadlineSet", "data": due}, reader) == (
        "due by 15 Apr 2026: Inbound report, rule IN-REPORT, version 1"
    )
    assert sentence_of({"type": "DeadlineMet", "data": {"what": "report"}}, reader) == "done: Inbound report"


def test_an_event_leaves_out_what_it_has_nothing_to_say_about() -> None:
    """Sealed events have no nulls."""
    vietnamese = translator("vi")
    reader = Reader(vietnamese, EditionWords(edition().model_dump(mode="json"), vietnamese), "Asia/Ho_Chi_Minh")
    moment = {"local": "2026-04-11T14:30", "zone": "Asia/Ho_Chi_Minh", "instant": "2026-04-11T07:30:00.000000Z"}
    moved = {"type": "ItemMoved", "data": {"item_id": "hcmc-forum", "starts": moment, "ends": moment}}
    assert sentence_of(moved, reader) == "dời mục hcmc-forum sang 14:30, 11/04/2026"


def test_what_a_later_change_did_to_what_was_signed_is_told() -> None:
    """Which signatures fell and by which parts, what a change is about, and that it was replaced."""
    english, vietnamese = (
        Reader(translator(code), EditionWords(edition().model_dump(mode="json"), translator(code)), "UTC")
        for code in ("en", "vi")
    )
    fallen = {"type": "SignaturesVoided", "data": {"proposal": 1, "parts": ["programme"], "steps": ["finance"]}}
    assert (sentence_of(fallen, english), sentence_of(fallen, vietnamese)) == (
        "signatures of proposal 1 no longer stand: Finance; changed: programme",
        "chữ ký trên tờ trình số 1 hết hiệu lực: Bộ phận tài chính; phần đã thay đổi: programme",
    )
    step = {"id": "president", "position": "president", "title_vi": "Chủ tịch", "title_en": "President"}
    carried = [{"step_id": "finance"}]
    asked = {"proposal": 2, "changed": ["programme"], "steps": [step], "carried": carried}
    assert sentence_of({"type": "ChangeSubmitted", "data": asked}, english) == (
        "submits proposal 2 to: President; signatures carried over: Finance; it changes: programme"
    )
    replaced = {"type": "ChangeSuperseded", "data": {"proposal": 2, "parts": ["programme", "member:m-1"]}}
    assert sentence_of(replaced, english) == "proposal 2 is replaced by a later change: programme, member:m-1"


@pytest.mark.parametrize(
    ("language", "escalated", "observed"),
    [
        (
            "en",
            "tells Department head: Outbound report, due on 2 Jul 2026, is still not done (notice 1)",
            "observes in other files: Trips abroad of a leader in a year, lam: 3, allowed 2",
        ),
        (
            "vi",
            "báo Trưởng ban: Báo cáo kết quả đoàn ra, hạn 02/07/2026, vẫn chưa hoàn thành (lần 1)",
            "ghi nhận từ các hồ sơ khác: Số chuyến đi nước ngoài trong năm của một lãnh đạo, lam: 3, mức cho phép 2",
        ),
    ],
)
def test_what_stays_undone_and_what_other_files_say_is_told_in_words(
    language: str, escalated: str, observed: str
) -> None:
    """Position, rule and limit by their titles."""
    words_of = translator("en" if language == "en" else "vi")
    reader = Reader(words_of, EditionWords(edition().model_dump(mode="json"), words_of), "Asia/Ho_Chi_Minh")
    reader.due["report"] = {"rule": "OUT-REPORT", "version": 2}
    late = {"what": "report", "to": "department_head", "level": 1, "due_on": "2026-07-02"}
    assert sentence_of({"type": "DeadlineEscalated", "data": late}, reader) == escalated
    seen = {"what": "leader_trips_a_year", "subject": "lam", "value": 3, "allowed": 2}
    data = seen | {"rule": {"rule": "OUT-LEADER-TRIPS", "version": 1}}
    assert sentence_of({"type": "FactObserved", "data": data}, reader) == observed


def test_a_leader_s_trips_elsewhere_are_a_warning_where_they_are_too_many() -> None:
    """By name, and said to be no more than a warning."""
    english = translator("en")
    seen = {"subject": "member-1", "value": 3, "allowed": 2, "rule": {"rule": "OUT-LEADER-TRIPS"}}
    file = {
        "state": {"items": {}, "failures": []},
        "overlaps": [],
        "untold": [],
        "breaches": [],
        "unapproved": [],
        "observations": [seen | {"warns": True}, seen | {"warns": False, "value": 2}],
    }
    rules = EditionWords(edition().model_dump(mode="json"), english)
    assert warnings(file, {"member-1": "Tạ Văn Lâm"}, rules, english) == [
        "Tạ Văn Lâm: Trips abroad of a leader in a year: 3, allowed 2, by other files; a warning only."
    ]
