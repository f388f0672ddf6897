"""The final report: compiled from the file, filed, returned, accepted."""

from domain import commands as c
from domain import events as e
from domain.decision import Actor
from tests.builders import (
    COORDINATOR,
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    accept_report,
    pdf,
    report_digest,
    reported,
    reporting,
    text,
)
from tests.domain.given import given

VICE_RIGHT = e.Right(position="vice_president", prefix="KT", principal_vi="Chủ tịch", principal_en="President")
FILE = c.FileReport(results=text("results"), recommendations=text("more"), annexes=(pdf("minutes"),))


def test_a_report_is_filed_with_a_digest_over_the_facts_the_texts_and_the_annexes() -> None:
    """Another word, another annex or another fact is another report."""
    going = given(*reporting())
    (filed,) = going.when(FILE).then(e.ReportFiled).of(e.ReportFiled)
    assert (filed.report, filed.results, filed.annexes) == (1, text("results"), (pdf("minutes"),))
    others = [
        FILE.model_copy(update={"results": text("other")}),
        FILE.model_copy(update={"recommendations": None}),
        FILE.model_copy(update={"annexes": (pdf("other"),)}),
    ]
    digests = {given(*reporting()).when(other).of(e.ReportFiled)[0].digest for other in others}
    later = given(*reporting(), c.RecordFormality(kind="gift_list_closed")).when(FILE).of(e.ReportFiled)[0].digest
    assert len(digests | {later, filed.digest}) == 5


def test_a_filed_report_is_rendered_and_who_accepts_it_is_told() -> None:
    """Filing asks for the document and the notice, by its number."""
    keys = [effect.key for effect in given(*reporting()).when(FILE).effects]
    assert keys == ["render:final_report:1", "report-waits:1"]


def test_a_second_report_waits_until_the_first_is_returned() -> None:
    """A returned one is filed again under the next number."""
    going = given(*reported())
    going.when(FILE).then_refused("report_filed_already")
    back = c.ReturnReport(report_digest=report_digest(going.state), reason=text())
    going.when(back, by=VICE_PRESIDENT).then(
        e.ReportReturned(report=1, digest=report_digest(going.state), reason=text(), right=VICE_RIGHT)
    )
    (filed,) = going.when(FILE).of(e.ReportFiled)
    assert filed.report == 2


def test_the_last_desk_of_the_chain_accepts_the_report() -> None:
    """By the right by which it signed the proposal; then the file may be closed."""
    going = given(*reported())
    going.when(c.CloseDelegation()).then_refused("report_not_accepted")
    digest = report_digest(going.state)
    going.when(accept_report()).then(e.ReportAccepted(report=1, digest=digest, right=VICE_RIGHT))
    assert going.state.report is not None
    assert (going.state.report.status, going.state.report.accepted_by) == ("accepted", "vice-president")
    going.when(c.CloseDelegation()).accepted()


def test_another_desk_or_role_does_not_accept_the_report() -> None:
    """The department head signs proposals, not this; a coordinator signs nothing."""
    going = given(*reported())
    going.when(accept_report(DEPARTMENT_HEAD)).then_refused("not_entitled_to_sign")
    refused = going.when(accept_report(COORDINATOR))
    refused.then_refused("not_entitled_to_sign")
    assert refused.events == (e.SignOffRefused(step_id="report", code="not_entitled_to_sign"),)


def test_nobody_accepts_their_own_report() -> None:
    """Four eyes here too: neither who filed it nor who coordinates."""
    writer = Actor(id="coordinator", roles=("approver",), positions=("vice_president",))
    given(*reported()).when(accept_report(writer)).then_refused("own_request")
    taker = Actor(id="taker", roles=("approver",), positions=("vice_president",))
    given(*reported(), c.HandOver(to="taker")).when(accept_report(taker)).then_refused("own_request")


def test_a_report_that_was_replaced_is_not_accepted() -> None:
    """Exactly the report with this digest is signed off."""
    going = given(*reported())
    stale = c.AcceptReport(report_digest="0" * 64)
    going.when(stale, by=VICE_PRESIDENT).then_refused(
        "report_superseded", field="report_digest", current=report_digest(going.state)
    )


def test_an_accepted_report_may_be_corrected_and_waits_anew() -> None:
    """A reopened file is of use only if its report can be replaced; the replacement is signed off like the first."""
    going = given(*reported(), accept_report())
    (filed,) = going.when(FILE).of(e.ReportFiled)
    assert filed.report == 2
    going.when(c.CloseDelegation()).then_refused("report_not_accepted")


def test_there_has_to_be_a_report_to_be_answered() -> None:
    """Not filed, already returned and already accepted are all no report on the desk."""
    empty = c.AcceptReport(report_digest="0" * 64)
    given(*reporting()).when(empty, by=VICE_PRESIDENT).then_refused("report_not_filed")
    going = given(*reported(), accept_report())
    going.when(accept_report()).then_refused("report_not_filed")
