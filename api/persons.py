"""The register of people: their personal data go here first, a command carries the reference alone."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from pydantic import BaseModel, StringConstraints

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import IdempotencyKey, Strictly
from api.files import reach
from api.installation import At, Installation
from api.problems import Problem
from domain.canonical import digest_of
from domain.sign_in import Acting
from domain.values import PersonRef
from storage.persons import Erased, PersonDetails, PersonErased, UnknownPerson

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["persons"])

EXAMPLE = {
    "full_name": "Satō Haruka",
    "given_name": "Haruka",
    "honorific": "Bà",
    "email": "haruka@example.org",
    "language": "en",
    "nationality": "JP",
}

Ref = Annotated[str, StringConstraints(pattern=r"^per_[A-Za-z0-9_-]{8,64}$"), Path(description="As registered.")]
Details = Annotated[PersonDetails, Strictly(PersonDetails), Body(examples=[EXAMPLE])]


class PersonView(BaseModel):
    """A person as last corrected. `commitment` belongs to this version; `recorded_at` is the time of the wall."""

    ref: str
    version: int
    commitment: str
    details: PersonDetails
    recorded_at: datetime


@router.post("/persons", status_code=201)
async def register_person(
    body: Details, key: IdempotencyKey, actor: Actor, at: At, request: Request, response: Response
) -> PersonRef:
    """Enter a person and get the reference and commitment that commands carry."""
    reference = await at.persons.register(body, idempotency_key=digest_of(["person", actor.id, key]))
    response.headers["Location"] = request.app.url_path_for("show_person", ref=reference.ref)
    return reference


@router.get("/persons/{ref}")
async def show_person(ref: Ref, actor: Actor, at: At) -> PersonView:
    """Show a person's details as last corrected, to whoever may see a file that the person is on."""
    await require_reach(ref, actor, at)
    person = await at.persons.get(ref)
    if person is None:
        raise Problem("person_unknown")
    if isinstance(person, Erased):
        raise Problem("person_erased")
    return PersonView(
        ref=person.ref,
        version=person.version,
        commitment=person.commitment,
        details=person.details,
        recorded_at=person.recorded_at,
    )


@router.put("/persons/{ref}")
async def correct_person(ref: Ref, body: Details, actor: Actor, at: At) -> PersonRef:
    """Correct a person's details: a new version with a commitment of its own; earlier ones stay for the trail."""
    await require_reach(ref, actor, at)
    try:
        return await at.persons.correct(ref, body)
    except UnknownPerson:
        raise Problem("person_unknown") from None
    except PersonErased:
        raise Problem("person_erased") from None


async def require_reach(ref: str, actor: Acting, at: Installation) -> None:
    """Refuse (`organisation_out_of_reach`) somebody who is on other organisations' files alone.

    Who is on no file yet is known only to whoever holds the reference, 128 random bits.
    """
    if (within := await reach(actor, at)) is not None:
        organisations = await at.queries.organisations_of_person(ref)
        if organisations and not organisations & within:
            raise Problem("organisation_out_of_reach")
