"""Dead letters by the command, on the real stack with a mail server that refuses somebody."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller

from embedded.ports import HOST, free_ports
from tests.embedded.running_stack import until
from tests.installed import Installed, installed
from tests.running import Post
from tests.verbs.test_journey import VISIT, done, send, verb, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]

HARUKA = "haruka@tokyo.example"


@pytest.fixture
def post() -> Iterator[Post]:
    """A mail server that refuses one delegate for good."""
    found = Post(answers={HARUKA: "550 5.1.1 nobody here"})
    found.port = free_ports(1)[0]
    controller = Controller(found, hostname=HOST, port=found.port)
    controller.start()
    yield found
    controller.stop()


@pytest.fixture
def here(tmp_path: Path, post: Post) -> Iterator[Installed]:
    with installed(tmp_path / "data", smtp_host=HOST, smtp_port=str(post.port), smtp_starttls="false") as installation:
        yield installation


def test_a_letter_that_did_not_arrive_is_listed_and_sent_again(here: Installed, post: Post, tmp_path: Path) -> None:
    """In words of both languages; by its number, and not twice."""
    assert "Every mail arrived" in verb(here, "lan", "dead-letters").stdout
    done(here, "lan", "open", written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-2028")))
    send(here, "tokyo-2028", type="submit_request")
    for signer in ("hung", "mai"):
        done(here, signer, "sign", "tokyo-2028", "--yes")
    send(here, "tokyo-2028", type="issue_decision", number="12/QĐ-LH")
    send(here, "tokyo-2028", type="invite")
    until(lambda: bool(done(here, "lan", "dead-letters")["items"]), seconds=60)

    [letter] = done(here, "lan", "dead-letters", "--delegation", "tokyo-2028")["items"]
    assert (letter["participants"], letter["kind"], letter["status"]) == (["m-1"], "invitation_letter", "refused")
    shown = verb(here, "lan", "dead-letters").stdout
    assert "refused by the mail server (5.1.1)" in " ".join(shown.split())
    assert "bị máy chủ thư từ chối" in " ".join(verb(here, "lan", "dead-letters", language="vi").stdout.split())
    assert HARUKA not in shown

    number = str(letter["number"])
    assert verb(here, "lan", "resend", "tokyo-2028").stderr == "Name the numbers of the mails, or --all.\n"
    assert "no undelivered mail no. 999" in verb(here, "lan", "resend", "tokyo-2028", "999").stderr
    assert "may not do this" in verb(here, "hung", "resend", "tokyo-2028", number).stderr
    post.answers.clear()
    assert verb(here, "lan", "resend", "tokyo-2028", number).stdout == "Mails that are being sent again: 1\n"
    until(lambda: HARUKA in [to for to, _ in post.taken], seconds=60)
    assert [post.parsed(octets)["Message-ID"] for to, octets in post.taken if to == HARUKA] == [letter["message_id"]]
    assert "Every mail arrived" in verb(here, "lan", "resend", "tokyo-2028", "--all").stdout
    told = verb(here, "lan", "trail", "tokyo-2028").stdout
    assert "sends mails again that did not arrive: 1 (m-1)" in " ".join(told.split())
