"""The first page of a file: where it stands, and what belongs to it."""

from fastapi import APIRouter, Request, Response

from api.access import Actor
from api.files import KnownFile
from api.installation import At
from api.pages.checklists import work_of
from api.pages.frame import show_part
from api.pages.route import PageRoute

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/delegations/{delegation}")
async def show_file_page(file: KnownFile, request: Request, actor: Actor, at: At) -> Response:
    """Show a file: where it stands, on whose desk, until when, and what it is about."""
    return await show_part(request, at, file, actor, "overview.html", "", **await work_of(request, at, file, actor))
