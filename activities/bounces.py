"""A delivery report brought to the message it is about: in the mail ledger, and in the delegation's history.

    bounce = parse_bounce(raw)
    if bounce is not None:
        noted = await note_bounce(dead_letters, bounce, at)

`noted.command` is then sent to `noted.delegation` as the system; the same report again leads to the same command, which
the delegation refuses as recorded already.
"""

from dataclasses import dataclass
from datetime import datetime

from calendars.views import item_of
from domain.canonical import digest_of
from domain.commands import RecordBounce
from notices.bounces import Bounce
from storage.dead_letters import DeadLetters


@dataclass(frozen=True)
class NotedBounce:
    """What a report was about: the delegation, and the command that records it there. No address is in it.

    `command_id` is the same for every report about one sending of a message.
    """

    delegation: str
    command: RecordBounce
    command_id: str


async def note_bounce(dead_letters: DeadLetters, bounce: Bounce, at: datetime) -> NotedBounce | None:
    """Note in the ledger that a message came back, at an instant of wall time, and return what to record.

    None, and nothing noted, where the mail is only delayed or was delivered, where the report names no message of ours
    that was handed over, or names it beside another mailbox than it went to (it is forged, or garbled): for a person to
    look at, if anybody. A message of no delegation (a digest) is noted and not recorded.
    """
    if not bounce.failed or bounce.message_id is None:
        return None
    found = await dead_letters.note_bounce(bounce.message_id, bounce.recipients, bounce.status, at)
    if found is None:
        return None
    delegation, entry = found
    if ":" in delegation:
        return None
    return NotedBounce(
        delegation,
        RecordBounce(
            message_id=entry.message_id,
            status=entry.status_code or bounce.status,
            kind=entry.kind,
            participants=entry.participants,
            item_id=item_of(entry.uid, delegation=delegation) if entry.method in ("REQUEST", "CANCEL") else None,
        ),
        command_id="bounce:" + digest_of([entry.message_id, (entry.resent_at or entry.enqueued_at).isoformat()])[:40],
    )
