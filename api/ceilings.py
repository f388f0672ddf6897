"""What the reception of a delegation may cost at most, as it was set and changed."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.access import BEARER, GuardedRoute
from api.as_of import FileThen
from api.installation import At
from domain.state import Ceiling
from storage.queries import CeilingLine

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["ceilings"])


class Ceilings(BaseModel):
    """The ceiling that stands, line by line, and every one there was, in VND."""

    items: tuple[CeilingLine, ...]
    current: Ceiling | None


@router.get("/delegations/{delegation}/ceilings")
async def list_ceilings(file: FileThen, at: At) -> Ceilings:
    """List a file's ceilings, now or as of then; each follows a change of head count, days or nights."""
    lines = await at.queries.ceilings_of(file.state.id)
    return Ceilings(items=tuple(line for line in lines if line.seq <= file.head.seq), current=file.state.ceiling)
