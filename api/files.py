"""The delegation that an address names, found before a route begins."""

from typing import Annotated

from fastapi import Depends, Path

from api.access import Actor
from api.installation import At, Installation
from api.problems import Problem
from domain.decision import Actor as Acting
from domain.permission import in_reach
from domain.values import Slug
from storage.metadata import utc_now
from storage.queries import File

DelegationId = Annotated[Slug, Path(description="The delegation's id.", examples=["hoi-an-2026"])]


async def _known_file(delegation: DelegationId, actor: Actor, at: At) -> File:
    file = await at.queries.get(delegation)
    if file is None:
        raise Problem("delegation_unknown")
    if actor.organisation is not None:
        lineage = await at.institution.lineage(file.state.organisation, utc_now())
        if not in_reach(actor, lineage):
            raise Problem("organisation_out_of_reach")
    return file


KnownFile = Annotated[File, Depends(_known_file)]
"""The file as it stands, as a parameter of a route; `delegation_unknown` (404) if there is none.

Outside the subtree of the reader's organisation: `organisation_out_of_reach` (403).
"""


async def reach(actor: Acting, at: Installation) -> frozenset[str] | None:
    """Return the organisations whose files somebody may see now, or None for all."""
    return None if actor.organisation is None else await at.institution.subtree(actor.organisation, utc_now())
