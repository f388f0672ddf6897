"""Who, by what right, when and what came of it: an entry of the trail in words."""

from typing import Any

import pytest

from locales import translator
from tests.rulebook import edition
from words.edition import EditionWords
from words.events import Reader
from words.trail import HEADINGS, PROOF_HEADINGS, by_right, came_of_it, cells, took_effect, who

ENGLISH = translator("en")


@pytest.fixture
def reader() -> Reader:
    """Somebody who reads a file of the shipped rules, in Viet Nam."""
    return Reader(ENGLISH, EditionWords(edition().model_dump(mode="json"), ENGLISH), "Asia/Ho_Chi_Minh")


def entry(**more: Any) -> dict[str, Any]:
    """An entry as the API gives it, of a file that was postponed by hand."""
    return {
        "seq": 7,
        "type": "DelegationPostponed",
        "at": "2026-03-01T02:00:00Z",
        "took_effect": None,
        "actor": "lan",
        "cause": None,
        "right": None,
        "said": "postpones the delegation",
        "changes": [],
        "rules": [],
        "edition": "e" * 64,
        "messages": [],
        "documents": [],
        "outcomes": [],
        "hash": "a" * 64,
        "proof": None,
        **more,
    }


def test_what_a_person_did_names_the_account(reader: Reader) -> None:
    assert who(entry(), reader) == "lan"


@pytest.mark.parametrize(
    ("cause", "rules", "said"),
    [
        (
            {"kind": "deadline", "what": "report", "seq": None},
            [{"rule": "IN-REPORT", "version": 2}],
            "by itself, as due: Inbound report",
        ),
        ({"kind": "deadline", "what": None, "seq": None}, [], "by itself, as time passed"),
        ({"kind": "outcome", "what": "calendars:1", "seq": 25}, [], "by itself, after no. 25"),
        ({"kind": "register", "what": None, "seq": None}, [], "by itself, as a register changed"),
    ],
)
def test_what_the_system_did_says_why(reader: Reader, cause: Any, rules: Any, said: str) -> None:
    """A due date by the name of its rule."""
    assert who(entry(actor="system", cause=cause, rules=rules), reader) == said


def test_a_substitute_signs_in_place_of_somebody_under_a_leave(reader: Reader) -> None:
    """With the prefix, the position, whom, and by which leave, as it was sealed."""
    right = {"position": "vice_president", "prefix": "KT", "account": "hung", "on_behalf_of": "mai", "leave": "lea_1"}
    assert by_right(entry(right=right), reader) == "KT. Vice-president, in place of mai (leave lea_1)"
    held = right | {"office": "department_head"}
    assert by_right(entry(right=held), reader) == (
        "KT. Vice-president / Department head, in place of mai (leave lea_1)"
    )
    assert by_right(entry(right={"position": "vice_president"}), reader) == "Vice-president"
    assert by_right(entry(), reader) == ""


def test_a_prefix_is_for_its_principal_and_stands_above_the_office_of_who_signs(reader: Reader) -> None:
    """“KT. Vice-president” would say that somebody deputises for the vice-president (Decree 30/2020)."""
    right = {"position": "vice_president", "prefix": "KT", "principal_vi": "Chủ tịch", "principal_en": "President"}
    assert by_right(entry(right=right), reader) == "KT. President / Vice-president"
    unsaid = {"position": "vice_president", "prefix": "KT"}
    assert by_right(entry(right=unsaid), reader) == "Vice-president (KT.)", "for whom, nobody had sealed"


def test_the_time_at_which_it_took_effect_is_told_where_it_is_another(reader: Reader) -> None:
    """A day where no clock time is known; instants by the file's clock."""
    assert took_effect(entry(), reader) == ""
    assert took_effect(entry(took_effect={"at": None, "on": "2026-02-27"}), reader) == "27 Feb 2026"
    late = {"at": "2026-02-27T16:59:59Z", "on": None}
    assert took_effect(entry(took_effect=late), reader) == "23:59, 27 Feb 2026"


def test_messages_documents_and_outcomes_are_what_came_of_it(reader: Reader) -> None:
    messages = [{"kind": "itinerary_request", "status": "bounced", "messages": 2}]
    documents = [{"kind": "invitation_letter", "number": 1, "language": "vi"}]
    assert came_of_it(entry(messages=messages, documents=documents, outcomes=[9]), reader) == [
        "invitation, came back: 2",
        "invitation letter 1 (vi)",
        "recorded as no. 9",
    ]


def test_an_entry_has_a_cell_for_each_heading(reader: Reader) -> None:
    """And with a proof for each of its own."""
    assert len(cells(entry(), reader)) == len(HEADINGS)
    proof = {"workflow_id": "visit", "run_id": "r", "event_id": 12}
    assert cells(entry(proof=proof), reader)[len(HEADINGS) :] == ("visit", "r", "12")
    assert len(cells(entry(proof=proof), reader)) == len((*HEADINGS, *PROOF_HEADINGS))
