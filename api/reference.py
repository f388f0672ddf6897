"""The description of the API for people: one page made from the OpenAPI document, without scripts or outside hosts."""

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

router = APIRouter()


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def show_reference() -> HTMLResponse:
    """Show the description of the API."""
    return HTMLResponse("")
