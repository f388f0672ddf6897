"""Mail that did not arrive: who may have it sent again, and what of it stands in the file."""

from typing import Any

import pytest

from domain import commands as c
from domain import events as e
from domain.decision import Effect, Posted
from domain.mail import named_messages
from domain.state import Bounced
from tests.builders import THE_SYSTEM, closed, drafted, invited, text
from tests.domain.given import Given, given

FIRST, SECOND = (f"<{number * 64}@songlam.example>" for number in "01")
BOUNCE = c.RecordBounce(
    message_id=FIRST, status="5.1.1", kind="itinerary_request", participants=("sato",), item_id="monday"
)


def knowing(going: Given, *posted: Posted) -> Given:
    """The same delegation, with what the mail ledger says of messages that a command names."""
    going.play.posted = posted
    return going


def dead(message_id: str = FIRST, *who: str, **more: bool) -> Posted:
    """A message that did not arrive."""
    return Posted(message_id=message_id, participants=who or ("sato",), undelivered=True).model_copy(update=more)


def test_what_did_not_arrive_is_sent_again_when_a_coordinator_asks() -> None:
    """The event names the messages and who they are for, once each; it asks for one effect."""
    going = knowing(given(*invited()), dead(FIRST, "sato", "ito"), dead(SECOND, "ito"))
    done = going.when(c.ResendMail(messages=(FIRST, SECOND, FIRST)))
    done.then(e.MailResent(messages=(FIRST, SECOND), participants=("sato", "ito")))
    (resent,) = done.given.play.log[-1].events
    assert done.effects == (Effect(key=f"resend:{resent.seq}", kind="resend_mail", seq=resent.seq),)


@pytest.mark.parametrize(
    ("code", "posted"),
    [
        ("mail_unknown", ()),
        ("mail_unknown", (dead(SECOND),)),
        ("mail_not_dead", (dead(undelivered=False),)),
        ("mail_erased", (dead(erased=True),)),
        ("mail_superseded", (dead(superseded=True),)),
    ],
)
def test_what_cannot_be_sent_again_is_refused_with_its_reason(code: str, posted: tuple[Posted, ...]) -> None:
    """Nothing of the command is done, also where others of its messages could be."""
    going = knowing(given(*invited()), *posted)
    going.when(c.ResendMail(messages=(FIRST,))).then_refused(code, field="messages", message=FIRST)


def test_mail_is_sent_again_in_every_phase_of_an_open_file() -> None:
    """A cancellation that did not arrive matters more than most mails; a closed file is reopened first."""
    resend = c.ResendMail(messages=(FIRST,))
    for history in (drafted(), (*invited(), c.CancelDelegation(reason=text()))):
        knowing(given(*history), dead()).when(resend).accepted()
    knowing(given(*closed()), dead()).when(resend).then_refused("delegation_closed")


def test_a_bounce_stands_in_the_file_until_its_mail_is_sent_again() -> None:
    """Once, however often the report comes; with its status, and no address."""
    going = given(*invited())
    done = going.when(BOUNCE)
    done.then(
        e.MailBounced(
            message_id=FIRST, status="5.1.1", kind="itinerary_request", participants=("sato",), item_id="monday"
        )
    )
    assert [one.model_copy(update={"at": going.now}) for one in done.state.bounced] == [
        Bounced(**BOUNCE.model_dump(exclude={"type"}), at=going.now)
    ]
    going = given(*invited(), BOUNCE)
    going.when(BOUNCE).then_refused("outcome_recorded_already")
    resent = knowing(going, dead()).further(c.ResendMail(messages=(FIRST,)))
    assert resent.state.bounced == ()
    assert len(resent.when(BOUNCE, by=THE_SYSTEM).state.bounced) == 1


def test_a_bounce_is_a_fact_also_of_a_closed_file() -> None:
    """It may come days later."""
    given(*closed()).when(BOUNCE).accepted()


def test_the_ledger_is_asked_about_what_commands_name_and_nothing_else() -> None:
    """Whatever stands in the JSON of a command: a decision reads it before anything validates it."""
    commands: list[dict[str, Any]] = [
        {"type": "resend_mail", "messages": [FIRST, SECOND]},
        {"type": "resend_mail", "messages": [FIRST, 7, None]},
        {"type": "resend_mail", "messages": "not a list"},
        {"type": "resend_mail"},
        {"type": "invite", "messages": ["<other@songlam.example>"]},
    ]
    assert named_messages(commands) == (FIRST, SECOND)
    many = [{"type": "resend_mail", "messages": [f"<{number}@songlam.example>" for number in range(2000)]}]
    assert len(named_messages(many)) == c.LARGEST_BATCH
