"""Mail that did not arrive: sending it again, and recording that it came back."""

from collections.abc import Iterable
from typing import Any

from domain.commands import LARGEST_BATCH, RecordBounce, ResendMail
from domain.decision import Context, Outcome, accept, refuse
from domain.events import MailBounced, MailResent
from domain.state import Delegation

RESENDING = ResendMail.model_fields["type"].default


def named_messages(commands: Iterable[dict[str, Any]]) -> tuple[str, ...]:
    """Return the Message-IDs that commands ask to be sent again: for these alone the mail ledger is asked."""
    named = (one.get("messages") for one in commands if one.get("type") == RESENDING)
    messages = [each for several in named if isinstance(several, list | tuple) for each in several]
    return tuple(dict.fromkeys(each for each in messages if isinstance(each, str)))[:LARGEST_BATCH]


def resend_mail(state: Delegation, command: ResendMail, context: Context) -> Outcome:
    """Send messages again that the ledger could not deliver.

    Refusals: `mail_unknown` (the delegation never sent it), `mail_not_dead` (it arrived, as far as one knows, or is
    still tried), `mail_erased` (whom it was for), `mail_superseded`.
    """
    posted = {one.message_id: one for one in context.posted}
    for message_id in command.messages:
        one = posted.get(message_id)
        if one is None:
            return refuse("mail_unknown", field="messages", message=message_id)
        if one.erased:
            return refuse("mail_erased", field="messages", message=message_id)
        if not one.undelivered:
            return refuse("mail_not_dead", field="messages", message=message_id)
        if one.superseded:
            return refuse("mail_superseded", field="messages", message=message_id)
    messages = tuple(dict.fromkeys(command.messages))
    people = dict.fromkeys(who for message_id in messages for who in posted[message_id].participants)
    return accept(MailResent(messages=messages, participants=tuple(people)))


def record_bounce(state: Delegation, command: RecordBounce, context: Context) -> Outcome:
    """Refusals: `outcome_recorded_already`."""
    if any(one.message_id == command.message_id for one in state.bounced):
        return refuse("outcome_recorded_already")
    return accept(
        MailBounced(
            message_id=command.message_id,
            status=command.status,
            kind=command.kind,
            participants=command.participants,
            item_id=command.item_id,
        )
    )
