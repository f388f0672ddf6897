"""Everything that is held of a person, for the person: as JSON, or as a page of plain text in their language."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel, ConfigDict, Field

from api.access import BEARER, Actor, GuardedRoute
from api.export_words import page_of
from api.installation import At
from api.persons import Ref
from api.problems import Problem
from domain.values import Digest, Language
from locales import translator
from storage.held import Held
from storage.persons import Erased

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["persons"])


class ExportQuery(BaseModel):
    """As what, and for a page in which language; by default in that of the person."""

    model_config = ConfigDict(extra="forbid")

    format: Literal["json", "text"] = "json"
    language: Language | None = Field(None, description="Of the page; else that of the person.")


class PersonExport(BaseModel):
    """What is held, and the digest by which a request names that it was handed over."""

    digest: Digest
    held: Held


@router.get(
    "/persons/{ref}/export",
    response_model=PersonExport,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "What is held"}},
)
async def export_person(
    ref: Ref, query: Annotated[ExportQuery, Query()], actor: Actor, at: At, response: Response
) -> PersonExport | Response:
    """Bring together what is held of a person: every version of their details, the files they are on, and the rest.

    It is recorded who did so. Files by title, role and days; mails by subject and day; answers; addresses of calendars
    without their secrets. The trail's events name people by reference and hold nothing else of them.
    """
    if actor.organisation is not None:
        raise Problem("organisation_out_of_reach")
    found = await at.held.of(ref, by=actor.id)
    if found is None:
        raise Problem("person_unknown")
    if isinstance(found, Erased):
        raise Problem("person_erased")
    held, digest = found
    headers = {"Cache-Control": "no-store"}
    if query.format == "json":
        response.headers.update(headers)
        return PersonExport(digest=digest, held=held)
    language = query.language or held.versions[-1].details.language
    text = page_of(held, digest, translator(language), at.settings.zone)
    return PlainTextResponse(text, headers=headers | {"Content-Language": language})
