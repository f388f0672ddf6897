"""What was sent to people about a delegation, counted; addresses and contents stay in the ledger."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.access import BEARER, GuardedRoute
from api.files import KnownFile
from api.installation import At
from storage.mail_ledger import Count

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["messages"])


class MessageCounts(BaseModel):
    """Messages by issue, kind, method and status, in the order of sending; `mailboxes` counts different ones."""

    items: tuple[Count, ...]


@router.get("/delegations/{delegation}/messages")
async def count_messages(file: KnownFile, at: At) -> MessageCounts:
    """Count the messages of a file, from the mail ledger: how many went to how many mailboxes."""
    return MessageCounts(items=tuple(await at.mail.counts(file.state.id)))
