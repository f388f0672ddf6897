"""What a mail server other than the development mailbox gets: the envelope, the line ends, one mail a mailbox."""

import pytest

from tests.journeys.mail import attached, parsed, told
from tests.journeys.way import to_the_end
from tests.running import Running

pytestmark = pytest.mark.slow


async def test_every_mail_has_one_recipient_who_is_the_one_it_names(here: Running) -> None:
    """RCPT TO, To and ATTENDEE are the same person, who gets each version once; every line ends with CRLF."""
    await to_the_end(here)
    assert here.post.taken
    names = []
    for recipient, octets in here.post.taken:
        message = parsed(octets)
        assert [one.addr_spec for one in message["To"].addresses] == [recipient]
        assert message["Cc"] is None
        assert message["Bcc"] is None
        assert octets.count(b"\n") == octets.count(b"\r\n")
        assert max(map(len, octets.split(b"\r\n"))) <= 998
        if (calendar := told(message)) is not None:
            assert calendar.attendee == recipient
        names.append(str(message["Message-ID"]))
    assert len(names) == len(set(names))


async def test_a_change_keeps_the_uid_and_a_drop_out_is_cancelled_under_it(here: Running) -> None:
    """SEQUENCE 0 for the invitation, 1 for the move, more for the cancellation; the letter goes as PDF, twice."""
    await to_the_end(here)
    mails = [(to, parsed(octets)) for to, octets in here.post.taken]
    second = [one for to, mail in mails if to == "second@tokyo.example" and (one := told(mail)) is not None]
    uid = next(one.uid for one in second if one.uid.startswith("s2."))
    assert [(one.method, one.sequence) for one in second if one.uid == uid] == [
        ("REQUEST", 0),
        ("REQUEST", 1),
        ("CANCEL", 2),
    ]
    head = [(one.method, one.sequence) for to, mail in mails if to == "head@tokyo.example" and (one := told(mail))]
    assert head == [("REQUEST", 0), ("REQUEST", 0), ("REQUEST", 1)]
    letters = {to: [name for name, _ in files] for to, mail in mails if (files := attached(mail, "application/pdf"))}
    assert letters == {
        "head@tokyo.example": ["thu-moi.pdf", "invitation-letter.pdf"],
        "second@tokyo.example": ["thu-moi.pdf", "invitation-letter.pdf"],
    }
