"""What was sent to people about a delegation, counted; addresses and contents stay in the ledger."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.access import BEARER, GuardedRoute
from api.as_of import FileThen
from api.files import KnownFile
from api.installation import At
from domain.reading import OUTCOMES, effects_asked_for
from storage.mail_ledger import Count

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["messages"])


class MessageCounts(BaseModel):
    """Messages by issue, kind, method and status, in the order of sending; `mailboxes` counts different ones."""

    items: tuple[Count, ...]


@router.get("/delegations/{delegation}/messages")
async def count_messages(file: KnownFile, then: FileThen, at: At) -> MessageCounts:
    """Count the messages of a file, from the mail ledger: how many went to how many mailboxes.

    With `as_of` or `seq` those that events until then asked for, with what became of them by now: a mail server answers
    by the clock of the wall.
    """
    counts = await at.mail.counts(file.state.id)
    if then.head != file.head:
        asked = effects_asked_for(await at.queries.events(file.state.id, types=OUTCOMES))
        known = {f"{file.state.id}:{key}" for key, seq in asked.items() if seq <= then.head.seq}
        counts = [one for one in counts if one.issue in known]
    return MessageCounts(items=tuple(counts))
