"""Editions of the rules: what the regulations said, each named by its digest and never changed."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Strictly
from api.installation import At
from api.problems import Problem
from domain.bilingual import Bilingual
from domain.rules import Edition
from domain.values import Digest
from storage.editions import UnknownEdition

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["editions"])


class EditionLine(BaseModel):
    """An edition by its digest, and the day from which it is in force."""

    digest: Digest
    title: Bilingual
    effective_from: date


class EditionList(BaseModel):
    """Every edition, in the order of taking effect."""

    items: tuple[EditionLine, ...]


@router.post("/editions", status_code=201)
async def enter_edition(body: Annotated[Edition, Strictly(Edition), Body()], actor: Actor, at: At) -> EditionLine:
    """Enter an edition. New files are opened under it from the day it takes effect; open ones adopt it by a command."""
    await at.editions.put(body, by=actor.id)
    return _line(body)


@router.get("/editions")
async def list_editions(at: At) -> EditionList:
    """List the editions."""
    return EditionList(items=tuple([_line(await at.editions.get(digest)) for digest in await at.editions.digests()]))


@router.get("/editions/{digest}")
async def show_edition(digest: Annotated[Digest, Path()], at: At) -> Edition:
    """Show an edition whole."""
    try:
        return await at.editions.get(digest)
    except UnknownEdition:
        raise Problem("edition_unknown") from None


def _line(edition: Edition) -> EditionLine:
    return EditionLine(digest=edition.digest(), title=edition.title, effective_from=edition.effective_from)
