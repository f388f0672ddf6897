"""Editions of the rules: what the regulations said, each named by its digest and never changed."""

from collections.abc import Mapping
from datetime import date
from typing import Annotated, NamedTuple

from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import Strictly
from api.installation import At, Installation
from api.problems import FieldProblem, Problem
from domain.bilingual import Bilingual
from domain.conflicts import identity
from domain.rules import Edition
from domain.sense import Doubt, Nonsense, doubts, nonsense
from domain.values import Digest
from locales import mark
from storage.editions import UnknownEdition
from storage.editions_file import countries
from storage.metadata import utc_now

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["editions"])


class EditionLine(BaseModel):
    """An edition by its digest, and the day from which it is in force.

    `doubts` are what the registers do not bear of its policies now: positions that nobody holds or that they do not
    have, and steps that need more people than hold their position. They may be put right there; nothing is refused.
    """

    digest: Digest
    title: Bilingual
    effective_from: date
    doubts: tuple[Doubt, ...] = ()


class EditionList(BaseModel):
    """Every edition, in the order of taking effect."""

    items: tuple[EditionLine, ...]


@router.post("/editions", status_code=201)
async def enter_edition(body: Annotated[Edition, Strictly(Edition), Body()], actor: Actor, at: At) -> EditionLine:
    """Enter an edition. New files are opened under it from the day it takes effect; open ones adopt it by a command.

    Problem: `edition_senseless` (422) for what can never work, field by field, such as a step that escalates to itself.
    """
    found = nonsense(body.approvals, body.effective_from, issuers=body.issuers_of_rules(), countries=countries())
    errors = [
        FieldProblem(field=_field(one), rule=one.code, sentence=SENSELESS[one.code], params=dict(one.params))
        for one in found
    ]
    if errors:
        raise Problem("edition_senseless", errors=errors)
    await at.editions.put(body, by=actor.id)
    return _line(body, await known_positions(at))


SENSELESS = {
    "escalates_to_itself": mark("A step that is late goes up to somebody else than its own position."),
    "country_unknown": mark("%(country)s is no country of ISO 3166-1."),
    "issuer_unknown": mark("No deadline and no limit of this edition is of the issuer %(issuer)s."),
    "cost_never_known": mark("The cost of an outbound delegation is not known: norms abroad are in other currencies."),
    "direction_without_policy": mark(
        "On %(day)s no policy without conditions is for requests of this direction: some could not be submitted."
    ),
}
"""What can never work in an edition, by its code (`domain/sense.py`)."""


class KnownPositions(NamedTuple):
    """The positions that the register has, and how many people hold each now."""

    registered: frozenset[str]
    holders: Mapping[str, int]


async def known_positions(at: Installation) -> KnownPositions:
    """Return what the registers say of positions at this moment, wherever they are held."""
    sitting = await at.registers.standing.approvers(utc_now())
    people: dict[str, set[str]] = {}
    for actor in sitting:
        for position in actor.positions:
            people.setdefault(position, set()).add(identity(actor))
    registered = frozenset(one.slug for one in await at.institution.positions())
    return KnownPositions(registered, {position: len(found) for position, found in people.items()})


@router.get("/editions")
async def list_editions(at: At) -> EditionList:
    """List the editions."""
    known = await known_positions(at)
    return EditionList(
        items=tuple([_line(await at.editions.get(digest), known) for digest in await at.editions.digests()])
    )


@router.get("/editions/{digest}")
async def show_edition(digest: Annotated[Digest, Path()], at: At) -> Edition:
    """Show an edition whole."""
    try:
        return await at.editions.get(digest)
    except UnknownEdition:
        raise Problem("edition_unknown") from None


def _field(one: Nonsense) -> str:
    policy = () if one.policy is None else ("approvals", one.policy)
    return ".".join(str(part) for part in (*policy, *one.loc))


def _line(edition: Edition, known: KnownPositions) -> EditionLine:
    found = doubts(edition.approvals, utc_now().date(), registered=known.registered, holders=known.holders)
    return EditionLine(
        digest=edition.digest(), title=edition.title, effective_from=edition.effective_from, doubts=found
    )
