"""Delivery reports: what servers write, and what strangers write, is read without a surprise."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notices.bounces import Bounce, parse_bounce
from tests.notices.reports import GUEST, ORIGINAL, failed, report


def test_a_report_says_which_mail_came_back_from_whom_and_why() -> None:
    """Action, status, recipient, diagnostic, and the Message-ID of the mail that is enclosed."""
    assert parse_bounce(report(failed())) == Bounce(
        action="failed",
        status="5.1.1",
        message_id=ORIGINAL,
        recipients=(GUEST,),
        diagnostic=f"550 5.1.1 <{GUEST}> is unknown here",
    )


@pytest.mark.parametrize("third", ["message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"])
def test_the_mail_may_be_enclosed_whole_or_by_its_header(third: str) -> None:
    """RFC 3462 leaves it to the server, RFC 6533 names two more forms."""
    bounce = parse_bounce(report(failed(), third=third))
    assert bounce is not None
    assert bounce.message_id == ORIGINAL


@pytest.mark.parametrize("name", ["In-Reply-To", "References"])
def test_without_the_mail_the_report_s_own_header_says_what_it_answers(name: str) -> None:
    """Of several references the last."""
    value = f"<older@songlam.example> {ORIGINAL}"
    bounce = parse_bounce(report(failed(), original=None, head=f"{name}: {value}\r\n"))
    assert bounce is not None
    assert bounce.message_id == ORIGINAL


def test_a_delay_is_no_failure() -> None:
    """The server goes on trying."""
    bounce = parse_bounce(report(failed(action="delayed", status="4.4.1")))
    assert bounce is not None
    assert (bounce.action, bounce.status, bounce.failed) == ("delayed", "4.4.1", False)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_good_news_is_no_failure(action: str) -> None:
    """Whoever asked for a receipt gets one in the same form."""
    bounce = parse_bounce(report(failed(action=action, status="2.1.5")))
    assert bounce is not None
    assert not bounce.failed


def test_of_several_recipients_the_failed_one_counts() -> None:
    """A list that took the mail and one of its members who did not."""
    bounce = parse_bounce(report(failed("list@guests.example", "2.1.5", "expanded"), failed()))
    assert bounce is not None
    assert (bounce.failed, bounce.recipients) == (True, (GUEST,))


def test_a_status_that_is_missing_is_taken_from_the_diagnostic() -> None:
    """Else it is the plain class of the action."""
    missing = failed().replace("Status: 5.1.1\r\n", "")
    with_diagnostic, without = parse_bounce(report(missing)), parse_bounce(report("Action: failed"))
    assert with_diagnostic is not None
    assert without is not None
    assert (with_diagnostic.status, without.status) == ("5.1.1", "5.0.0")


def test_a_comment_beside_the_status_is_passed_over() -> None:
    """RFC 822 allows one anywhere."""
    bounce = parse_bounce(report(failed(status="5.2.2 (mailbox full)")))
    assert bounce is not None
    assert bounce.status == "5.2.2"


def test_the_original_recipient_and_the_returned_address_count_too() -> None:
    """Behind a forwarding the final recipient is an address that we never wrote to."""
    fields = f"Original-Recipient: rfc822;{GUEST.upper()}\r\n{failed('elsewhere@forwarded.example')}"
    bounce = parse_bounce(report(fields, original=f"Message-ID: {ORIGINAL}\r\nTo: Tanaka <third@guests.example>"))
    assert bounce is not None
    assert bounce.recipients == ("elsewhere@forwarded.example", GUEST, "third@guests.example")


def test_a_status_part_may_be_encoded_against_the_rule() -> None:
    """Some servers write base64 where RFC 3464 wants plain text."""
    fields = f"Reporting-MTA: dns; mail.example\r\n\r\n{failed()}\r\n"
    encoded = base64.encodebytes(fields.encode()).decode().replace("\n", "\r\n")
    raw = report(encoding="Content-Transfer-Encoding: base64\r\n").replace(
        b"Reporting-MTA: dns; mail.guests.example", encoded.encode()
    )
    bounce = parse_bounce(raw)
    assert bounce is not None
    assert (bounce.status, bounce.recipients) == ("5.1.1", (GUEST,))


def test_an_internationalised_report_is_read_too() -> None:
    """RFC 6533: message/global-delivery-status."""
    bounce = parse_bounce(report(failed(), second="message/global-delivery-status"))
    assert bounce is not None
    assert bounce.status == "5.1.1"


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"Subject: Re: hello\r\n\r\nI shall come.",
        report(failed(), kind='multipart/mixed; boundary="b"'),
        report(failed(), kind='multipart/report; report-type=disposition-notification; boundary="b"').replace(
            b"message/delivery-status", b"message/disposition-notification"
        ),
        report(),
        report("Action: eaten"),
        b"Content-Type: multipart/report; report-type=delivery-status\r\n\r\nno parts at all",
    ],
    ids=["nothing", "answer", "mixed", "disposition", "no recipient", "no such action", "no parts"],
)
def test_what_is_no_report_is_none(raw: bytes) -> None:
    """It goes to whoever reads answers."""
    assert parse_bounce(raw) is None


def test_nothing_of_a_report_goes_into_a_log() -> None:
    """Address and diagnostic stand in no repr: the other server repeats the address."""
    assert GUEST not in repr(parse_bounce(report(failed())))


def test_line_breaks_and_marks_in_a_field_are_blanks() -> None:
    """A diagnostic cannot begin a line of its own anywhere."""
    hostile = "Action: failed\r\nDiagnostic-Code: smtp; 550 5.7.1 a\x00b\u202ec\r\n\td"
    bounce = parse_bounce(report(hostile))
    assert bounce is not None
    assert bounce.diagnostic.isprintable()
    assert bounce.diagnostic.isascii()


@given(raw=st.binary(max_size=400), cut=st.integers(0, 2000), at=st.integers(0, 2000))
def test_no_octets_break_the_reader(raw: bytes, cut: int, at: int) -> None:
    """Anything, and a real report with anything in it, cut off anywhere."""
    parse_bounce(raw)
    whole = report(failed())
    parse_bounce(whole[:at] + raw + whole[at : at + cut])
