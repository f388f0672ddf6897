"""Names in the words of a trail: whoever is known stands by name, whoever is not by their reference."""

from typing import Any

import pytest

from locales import translator
from tests.rulebook import edition
from words.changes import told
from words.edition import EditionWords
from words.events import Names, Reader, sentence_of, told_apart
from words.trail import by_right, who

ENGLISH = translator("en")

NAMES = Names({"m-1": "Sato Kenji", "m-2": "Suzuki Aiko"}, {"lan": "Trần Thị Lan", "mai": "Phạm Thị Mai"})
ITEMS = {"s-1": "Welcome dinner"}

AWAY: dict[str, Any] = {
    "what": "department_head",
    "position": "department_head",
    "account": "mai",
    "substitute": "lan",
    "leave": "lea_1",
    "since": "2026-03-01T00:00:00Z",
    "until": "2026-03-08T00:00:00Z",
}


def reader(names: Names | None = NAMES) -> Reader:
    """Somebody who reads a file of the shipped rules, with names or without."""
    rules = EditionWords(edition().model_dump(mode="json"), ENGLISH)
    if names is None:
        return Reader(ENGLISH, rules, "Asia/Ho_Chi_Minh")
    return Reader(ENGLISH, rules, "Asia/Ho_Chi_Minh", names=names, items=ITEMS)


@pytest.mark.parametrize(
    ("type", "data", "named", "plain"),
    [
        (
            "MemberReplaced",
            {"member_id": "m-1", "by": "m-2"},
            "lets Suzuki Aiko travel in place of Sato Kenji",
            "lets m-2 travel in place of m-1",
        ),
        ("ParticipantReleased", {"participant_id": "m-9"}, "releases m-9", "releases m-9"),
        (
            "CoordinatorChanged",
            {"previous": "lan", "coordinator": "hung"},
            "hands the file over from Trần Thị Lan to hung",
            "hands the file over from lan to hung",
        ),
        ("ItemCancelled", {"item_id": "s-1"}, "cancels “Welcome dinner”", "cancels s-1"),
        ("ItemCancelled", {"item_id": "s-9"}, "cancels s-9", "cancels s-9"),
        (
            "ReplyRecorded",
            {"participant_id": "m-1", "answer": "declined", "item_id": "s-1", "via": "mail"},
            "records the answer of Sato Kenji: declines (“Welcome dinner”), by mail",
            "records the answer of m-1: declines (s-1), by mail",
        ),
        ("ReplyRecorded", {"participant_id": "m-1", "answer": "accepted", "via": "page"}, "accepts", "accepts"),
        (
            "ChannelChosen",
            {"participant_id": "m-2", "channel": "feed"},
            "sets the calendar of Suzuki Aiko to: a feed",
            "sets the calendar of m-2 to: a feed",
        ),
        (
            "InvitationsDelivered",
            {"issue": 2, "sent": 5, "refused": ["m-1", "m-9"]},
            "round 2 is handed over; messages: 5; refused for Sato Kenji and m-9",
            "round 2 is handed over; messages: 5; refused for m-1 and m-9",
        ),
        (
            "MailBounced",
            {"participants": ["m-2"], "kind": "itinerary_request", "status": "5.1.1", "item_id": "s-1"},
            "a mail came back (5.1.1); for: Suzuki Aiko, notice: invitation, “Welcome dinner”",
            "a mail came back (5.1.1); for: m-2, notice: invitation, s-1",
        ),
        (
            "DeskMoved",
            {"position": "department_head", "to": "lan", "on_behalf_of": "mai", "until": "2026-03-08T00:00:00Z"},
            "the desk “Department head” moves to Trần Thị Lan, in place of Phạm Thị Mai, until 07:00, 8 Mar 2026",
            "the desk “Department head” moves to lan, in place of mai, until 07:00, 8 Mar 2026",
        ),
        (
            "StandInsNoted",
            {"stand_ins": [AWAY]},
            "notes leave: Phạm Thị Mai (07:00, 1 Mar 2026 to 07:00, 8 Mar 2026, Trần Thị Lan signs)",
            "notes leave: mai (07:00, 1 Mar 2026 to 07:00, 8 Mar 2026, lan signs)",
        ),
        (
            "StepSigned",
            {"step_id": "department_head", "right": {"position": "department_head", "on_behalf_of": "mai"}},
            "signs the step “Department head” (Department head), in place of Phạm Thị Mai",
            "signs the step “Department head” (Department head), in place of mai",
        ),
    ],
)
def test_a_sentence_says_names_only_to_whom_they_are_given(
    type: str, data: dict[str, Any], named: str, plain: str
) -> None:
    """The very event, told twice."""
    event = {"type": type, "data": data}
    assert [sentence_of(event, reader()), sentence_of(event, reader(None))] == [named, plain]


@pytest.mark.parametrize(
    ("named", "after", "line"),
    [
        (("people", "m-1", "active"), False, "People of the file, Sato Kenji, on the file: – → no"),
        (("people", "m-1", "replaced_by"), "m-2", "People of the file, Sato Kenji, replaced by: – → Suzuki Aiko"),
        (("items", "s-1", "place"), "Huế", "Programme, “Welcome dinner”, place: – → Huế"),
        (("replies", "m-2/s-1", "answer"), "accepted", "Answer, Suzuki Aiko, “Welcome dinner”, answer: – → accepts"),
        (("replies", "m-2/*", "answer"), "accepted", "Answer, Suzuki Aiko, answer: – → accepts"),
        (("coordinator",), "lan", "Coordinator: – → Trần Thị Lan"),
        (("issues", "1", "refused"), ["m-1", "m-9"], "Round of messages, 1, refused for: – → Sato Kenji; m-9"),
    ],
)
def test_a_change_names_whom_and_what_it_is_about(named: tuple[str, ...], after: Any, line: str) -> None:
    """In its place and in its value."""
    said = told({"named": named, "change": "changed", "before": None, "after": after}, reader())
    assert said is not None
    assert said.line() == line


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("step:1:department_head", "notice that a step waits: Department head"),
        ("escalated:1:department_head:40", "notice that a step waits too long: Department head"),
        ("desk:department_head:lan:40", "notice that a step waits: Department head"),
        ("desk:report:lan:40", "notice that a report waits"),
        ("report-waits:2", "notice that a report waits"),
        ("letter-mail:1", "invitation letter"),
        ("reminder:step.department_head:2026-03-12:40", "reminder of a due date: Signature: Department head"),
        ("missed:step.department_head:2026-03-12:40", "notice that a day has passed: Signature: Department head"),
        ("told:step.department_head:2026-03-12:2:40", "notice to who stands above: Signature: Department head"),
        ("render:final_report:1", "a document"),
        ("calendars:3", "programme and invitations"),
        ("collections:40", "calendars kept on other servers"),
        ("resend:40", "mails that did not arrive"),
        ("unheard-of:1", "unheard-of"),
    ],
)
def test_what_the_system_sent_or_gave_up_is_said_in_words(key: str, said: str) -> None:
    """By the key of the effect, which a later version may begin in another way."""
    sent = {"type": "NoticeSent", "data": {"effect": key, "sent": 3, "refused": 0}}
    assert sentence_of(sent, reader()) == f"sends: {said}; messages: 3"
    failed = {"type": "EffectFailed", "data": {"effect": key, "code": "mail_refused"}}
    assert sentence_of(failed, reader()) == f"given up: {said} (mail_refused)"


def test_who_did_it_is_an_account_or_somebody_on_the_file() -> None:
    """A place on the file without what marks it as one, where nobody may read the name."""
    entries = [{"actor": actor, "cause": None} for actor in ("lan", "hung", "participant:m-1", "participant:m-9")]
    assert [who(one, reader()) for one in entries] == ["Trần Thị Lan", "hung", "Sato Kenji", "m-9"]
    right = {"position": "department_head", "on_behalf_of": "mai", "leave": "lea_1"}
    assert by_right({"right": right}, reader()) == "Department head, in place of Phạm Thị Mai (leave lea_1)"


def test_names_that_several_have_are_told_apart() -> None:
    """By the id behind them; the others stand alone."""
    names = {"m-1": "Sato Kenji", "m-2": "Suzuki Aiko", "m-3": "Sato Kenji"}
    assert told_apart(names) == {"m-1": "Sato Kenji (m-1)", "m-2": "Suzuki Aiko", "m-3": "Sato Kenji (m-3)"}
