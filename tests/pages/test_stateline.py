"""Where a file stands, in sentences: exactly, in every phase."""

from datetime import date
from typing import Any

from api.pages.stateline import Line, Standing, Turned, answers, asked_for, lines
from domain import commands as c
from domain.bilingual import Bilingual
from domain.institution import StandIn
from domain.state import Delegation
from domain.values import business_date
from locales import translator
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    Said,
    amending,
    approved,
    closed,
    dossier,
    drafted,
    instant,
    invited,
    opening,
    report_digest,
    reported,
    reporting,
    sign,
    submitted,
    text,
    under_way,
)
from tests.domain.given import Given, given
from tests.rulebook import edition

TITLES = {
    "department_head": Bilingual(vi="Trưởng ban", en="Department head"),
    "vice_president": Bilingual(vi="Phó Chủ tịch", en="Vice-president"),
}
NAMES = {"coordinator": "Trần Thị Lan", "vice-president": "Phạm Thị Mai", "department-head": "Lê Văn Hùng"}


NOTICE = "Notice to the foreign-affairs department"


def said(file: Given, on: str | None = None, language: Any = "en", **more: Any) -> list[Line]:
    """The sentences of a file on a day, else on that of its last event."""
    state = file.state
    today = date.fromisoformat(on) if on else business_date(file.now, state.zone)
    types = asked_for(state)
    found = [one for one in file.play.events if one.type in types]
    turned = Turned(found[-1].type, found[-1].instant, found[-1].data, more.pop("reason", None)) if found else None
    words = translator(language)
    return list(lines(Standing(state, edition(), words, today, NAMES, TITLES, turned=turned, **more)))


def texts(found: list[Line]) -> list[str]:
    """The sentences alone."""
    return [one.text for one in found]


def test_a_draft_says_what_is_missing_and_by_when() -> None:
    """The decider's own sentence, and the next due date with its rule."""
    file = given(opening())
    assert texts(said(file, missing="The delegation has no members yet."))[:1] == [
        "Trần Thị Lan is preparing it. Before it can be submitted: The delegation has no members yet."
    ]
    assert texts(said(given(*drafted()))) == [
        "Trần Thị Lan is preparing it. It can be submitted now.",
        "Next: Inbound proposal, by Fri 27 Mar 2026, 23 working days left, rule IN-PROPOSAL, version 1.",
    ]


def test_a_proposal_says_on_whose_desk_it_lies_until_when_by_which_rule() -> None:
    """One sentence for the open step; the next due date of the file beside it."""
    assert texts(said(given(*submitted())))[0] == (
        "Waits for: Department head, until Mon 2 Mar 2026, 3 working days left, rule IN-APPROVAL, version 2."
    )


def test_what_is_late_says_so_plainly() -> None:
    """Days over, not working days left; and it is told apart from what is not late."""
    found = said(given(*submitted()), on="2026-03-05")
    assert found[0] == Line(
        "Waits for: Department head. Overdue since Mon 2 Mar 2026 (3 days ago), rule IN-APPROVAL, version 2.", "overdue"
    )


def test_the_substitute_of_who_is_on_leave_is_named() -> None:
    """On leave until when, and who may sign."""
    file = given(*submitted())
    file.play.stand_ins = (
        StandIn(
            position="vice_president",
            account="vice-president",
            substitute="department-head-2",
            leave="lea_1",
            since=instant("2026-02-20T00:00"),
            until=instant("2026-05-29T12:00"),
        ),
    )
    file.further(sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"))
    assert texts(said(file))[0] == (
        "Waits for: Vice-president (Phạm Thị Mai is on leave until Fri 29 May 2026; department-head-2 may sign as "
        "registered substitute), until Tue 3 Mar 2026, 3 working days left, rule IN-APPROVAL, version 2."
    )


def test_a_signed_chain_waits_for_the_decision() -> None:
    """The next move is the coordinator's, and says which."""
    file = given(
        *submitted(),
        sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"),
        sign("vice_president", VICE_PRESIDENT, "2026-02-27T09:00"),
    )
    assert texts(said(file))[0] == "Every step is signed. Trần Thị Lan is to issue the decision."


def returned(kind: Any = "incomplete") -> Given:
    """A file that came back."""
    file = given(*submitted())
    command = c.ReturnStep(
        step_id="department_head",
        dossier_digest=dossier(file.state),
        kind=kind,
        reason=text(),
        missing=("passport of Ito",) if kind == "incomplete" else (),
    )
    return file.further(Said(command, DEPARTMENT_HEAD, "2026-02-27T10:00"))


def test_a_returned_file_says_by_whom_and_why() -> None:
    """The position, the day, the reason as it was written, and everything that is missing."""
    found = said(returned(), reason="Two copies are missing.")
    assert found[0] == Line(
        "Department head sent it back on Fri 27 Feb 2026, since something is missing.", reason="Two copies are missing."
    )
    assert texts(found)[1:3] == [
        "Missing: passport of Ito.",
        "Trần Thị Lan is preparing it. It can be submitted now.",
    ]
    assert texts(said(returned("amend")))[0] == "Department head sent it back on Fri 27 Feb 2026 to be changed."


def test_a_rejected_file_says_by_whom() -> None:
    """And waits for nothing."""
    file = given(*submitted())
    command = c.RejectStep(step_id="department_head", dossier_digest=dossier(file.state), reason=text())
    file.further(Said(command, DEPARTMENT_HEAD, "2026-02-27T10:00"))
    assert said(file, reason="No budget.") == [
        Line("Department head refused it on Fri 27 Feb 2026.", reason="No budget.")
    ]


def test_a_proposal_that_was_taken_back_says_so() -> None:
    """Before what is to be done now."""
    file = given(*submitted(), Said(c.WithdrawRequest(reason=text()), COORDINATOR, "2026-02-26T10:00"))
    assert said(file, reason="Other dates.")[0] == Line(
        "The proposal was taken back on Thu 26 Feb 2026.", reason="Other dates."
    )


def test_planning_says_how_far_it_is() -> None:
    """Decided; invited with the answers so far; under way."""
    assert texts(said(given(*approved())))[0] == "Decided by no. 27/QĐ on Fri 27 Feb 2026. Nobody has been invited yet."
    file = given(*invited())
    assert texts(said(file))[0] == "0 of 3 people have answered."
    file.further(c.RecordReply(participant_id="ito", answer="accepted"))
    file.further(c.RecordReply(participant_id="bao", answer="declined"))
    assert texts(said(file))[0] == "2 of 3 people have answered: 1 accepts, 1 declines."
    assert answers(file.state) == {"accepted": 1, "declined": 1, "tentative": 0, "none": 1}
    assert texts(said(given(*under_way())))[0] == "Under way since Mon 6 Apr 2026, until Sun 12 Apr 2026."


def test_a_change_after_the_decision_says_on_whose_desk_it_lies() -> None:
    """Beside how far the invitations are; and that it came back, by whom."""
    file = given(*amending())
    assert texts(said(file))[1].startswith("Waits for: Vice-president, until ")
    command = c.ReturnStep(step_id="vice_president", dossier_digest=dossier(file.state), kind="amend", reason=text())
    file.further(Said(command, VICE_PRESIDENT, "2026-03-17T10:00"))
    assert "Vice-president sent it back on Tue 17 Mar 2026 to be changed." in texts(said(file))


def test_the_report_says_what_it_waits_for() -> None:
    """Due; filed and with whom; sent back; accepted."""
    assert texts(said(given(*reporting()))) == [
        "The journey has ended. Trần Thị Lan is to file the report.",
        "Guest data to the international office, since Wed 1 Apr 2026 (11 days ago), rule IN-GUEST-DATA, version 1.",
        f"{NOTICE}, since Thu 2 Apr 2026 (10 days ago), rule IN-NOTICE-DEPARTMENT, version 1.",
        "1 more is overdue.",
        "Next: Inbound report, by Wed 15 Apr 2026, 3 working days left, rule IN-REPORT, version 2.",
    ]
    filed = given(*reported())
    assert texts(said(filed))[0] == (
        "Waits for: Vice-president, until Fri 17 Apr 2026, 3 working days left, rule IN-REPORT-ACCEPTANCE, version 2."
    )
    command = c.ReturnReport(report_digest=report_digest(filed.state), reason=text())
    filed.further(Said(command, VICE_PRESIDENT, "2026-04-15T09:00"))
    assert said(filed, reason="Name the partner.")[0] == Line(
        "Report no. 1 was sent back on Wed 15 Apr 2026; Trần Thị Lan is to file it anew.", reason="Name the partner."
    )


def test_ends_say_since_when_and_why() -> None:
    """Closed, put off, called off: nothing is due."""
    assert said(given(*closed())) == [
        Line("Closed on Wed 15 Apr 2026. Nothing is due; it can be opened again for a correction.")
    ]
    put_off = given(*invited(), Said(c.Postpone(reason=text()), COORDINATOR, "2026-03-11T10:00"))
    assert said(put_off, reason="The partner asked for it.") == [
        Line(
            "Put off since Wed 11 Mar 2026. Trần Thị Lan may take it up again with new dates.",
            reason="The partner asked for it.",
        )
    ]
    off = given(*invited(), Said(c.CancelDelegation(reason=text()), COORDINATOR, "2026-03-11T10:00"))
    assert said(off, reason="A storm.") == [Line("Called off on Wed 11 Mar 2026.", reason="A storm.")]


def test_the_sentences_are_vietnamese_for_vietnamese_readers() -> None:
    """Titles of positions, days and numbers too."""
    assert texts(said(given(*submitted()), language="vi"))[0] == (
        "Đang chờ: Trưởng ban, đến hết Thứ Hai, 02/03/2026, còn 3 ngày làm việc, quy tắc IN-APPROVAL, phiên bản 2."
    )


def test_nobody_is_asked_for_events_that_say_nothing() -> None:
    """Only where something has to be told of why the file stands where it does."""
    states: list[tuple[Delegation, tuple[str, ...]]] = [
        (given(*drafted()).state, ()),
        (given(*submitted()).state, ()),
        (given(*invited()).state, ()),
        (given(*reporting()).state, ()),
        (returned().state, ("StepReturned", "ExternalDecisionRecorded")),
    ]
    assert [asked_for(state) for state, _ in states] == [types for _, types in states]
