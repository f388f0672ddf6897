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


async def _any_file(delegation: DelegationId, at: At) -> File:
    file = await at.queries.get(delegation)
    if file is None:
        raise Problem("delegation_unknown")
    return file


AnyFile = Annotated[File, Depends(_any_file)]
"""The file as it stands, whosever it is, for what the decision itself refuses and records; none of it may be told."""


async def _known_file(file: AnyFile, actor: Actor, at: At) -> File:
    await _require_reach(actor, at, file.state.organisation)
    return file


async def require_reach(actor: Acting, at: Installation, delegation: str) -> None:
    """Refuse what belongs to a file outside the subtree of somebody's organisation; one not open yet is nobody's.

    Problem: `organisation_out_of_reach`.
    """
    if actor.organisation is not None and (organisation := await at.queries.organisation_of(delegation)):
        await _require_reach(actor, at, organisation)


async def _require_reach(actor: Acting, at: Installation, organisation: str) -> None:
    if actor.organisation is not None:
        lineage = await at.institution.lineage(organisation, utc_now())
        if not in_reach(actor, lineage):
            raise Problem("organisation_out_of_reach")


KnownFile = Annotated[File, Depends(_known_file)]
"""The file as it stands, as a parameter of a route; `delegation_unknown` (404) if there is none.

Outside the subtree of the reader's organisation: `organisation_out_of_reach` (403).
"""


async def reach(actor: Acting, at: Installation) -> frozenset[str] | None:
    """Return the organisations whose files somebody may see now, or None for all."""
    return await reach_of(at, actor.organisation)


async def reach_of(at: Installation, organisation: str | None) -> frozenset[str] | None:
    """Return the organisations whose files are within reach of somebody of an organisation now, or None for all."""
    return None if organisation is None else await at.institution.subtree(organisation, utc_now())
