"""One's own passkeys: the list, a new one, and removing one."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import RedirectResponse

from api.access import Actor
from api.installation import At
from api.pages.administration import show_section
from api.pages.route import PageRoute
from api.passkeys import remove_passkey
from api.sessions import is_fresh

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/me/passkeys")
async def show_passkeys_page(request: Request, actor: Actor, at: At) -> Response:
    """Show one's own passkeys. They are changed soon after signing in alone."""
    fresh = is_fresh(at, actor)
    mine = await at.passkeys.of(actor.id)
    return show_section(request, "passkeys.html", "/me/passkeys", passkeys=mine, fresh=fresh)


@router.post("/me/passkeys/{passkey}/remove")
async def remove_passkey_by_page(
    passkey: Annotated[str, Path(pattern=r"^pky_[a-z0-9]{8,64}$")], actor: Actor, at: At
) -> Response:
    """Remove one of one's own passkeys."""
    await remove_passkey(passkey, actor, at)
    return RedirectResponse("/me/passkeys", 303)
