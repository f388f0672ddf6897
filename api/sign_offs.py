"""The sign-offs of a file, each with what is proven of it."""

from fastapi import APIRouter, Depends
from pydantic import BaseModel

from api.access import BEARER, GuardedRoute
from api.files import KnownFile
from api.installation import At
from audit.sign_offs import SignOff, sign_offs

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["trail"])


class SignOffList(BaseModel):
    """Every sign-off, return and rejection of a file, in order."""

    items: tuple[SignOff, ...]


@router.get("/delegations/{delegation}/sign-offs")
async def list_sign_offs(file: KnownFile, at: At) -> SignOffList:
    """List who signed, returned or rejected what, verified anew from the trail alone.

    `verdict` is `signed` (a passkey over the digest: `key`, `party`), `vouched` (a weaker `factor`) or `broken` (with a
    `reason`). Whoever does not want to take this installation's word verifies the export: `legation sign-offs`.
    """
    return SignOffList(items=sign_offs(await at.queries.events(file.state.id)))
