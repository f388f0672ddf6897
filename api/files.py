"""The delegation that an address names, found before a route begins."""

from typing import Annotated

from fastapi import Depends, Path

from api.installation import At
from api.problems import Problem
from domain.values import Slug
from storage.queries import File

DelegationId = Annotated[Slug, Path(description="The delegation's id.", examples=["hoi-an-2026"])]


async def _known_file(delegation: DelegationId, at: At) -> File:
    file = await at.queries.get(delegation)
    if file is None:
        raise Problem("delegation_unknown")
    return file


KnownFile = Annotated[File, Depends(_known_file)]
"""The file as it stands, as a parameter of a route; `delegation_unknown` (404) if there is none."""
