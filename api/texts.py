"""The register of written texts: reasons, results, remarks. A command carries the reference alone."""

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path
from pydantic import BaseModel, StringConstraints

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import IdempotencyKey, Strictly
from api.files import DelegationId, require_reach
from api.installation import At
from api.problems import FieldProblem, Problem
from domain.canonical import digest_of
from domain.values import TextRef, Value
from locales import mark
from storage.texts import LARGEST_TEXT, TextRefused

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["texts"])

SENTENCES = {
    "text_too_long": mark("A text has at most %(limit)s bytes."),
    "text_has_nul": mark("The text has a NUL character."),
    "text_has_control_character": mark("The text has a control character other than line breaks and tabs."),
    "text_has_direction_override": mark("The text has a character that turns the direction of reading."),
    "text_not_unicode": mark("The text has half of a surrogate pair."),
    "text_empty": mark("The text is empty."),
}


class WrittenText(Value):
    """A text of several lines, at most 100,000 bytes of UTF-8."""

    text: str


class TextView(BaseModel):
    """A text as it was written, in NFC with LF line ends."""

    ref: str
    text: str


@router.post("/delegations/{delegation}/texts", status_code=201)
async def write_text(
    delegation: DelegationId,
    body: Annotated[WrittenText, Strictly(WrittenText), Body(examples=[{"text": "Thiếu 02 bản sao hộ chiếu."}])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> TextRef:
    """Keep a text under the key of a delegation's file, which need not be open yet."""
    await require_reach(actor, at, delegation)
    try:
        return await at.texts.write(delegation, body.text, idempotency_key=digest_of(["text", actor.id, key]))
    except TextRefused as refusal:
        raise refused_text(refusal, "text") from None


@router.get("/texts/{ref}")
async def read_text(
    ref: Annotated[str, StringConstraints(pattern=r"^txt_[A-Za-z0-9_-]{8,64}$"), Path()], actor: Actor, at: At
) -> TextView:
    """Read a text of a file that the reader may see."""
    delegation = await at.texts.written_for(ref)
    text = await at.texts.read(ref)
    # With a colon it was written for no delegation, but about a person's request: that has an address of its own.
    if text is None or delegation is None or ":" in delegation:
        raise Problem("text_unknown")
    await require_reach(actor, at, delegation)
    return TextView(ref=ref, text=text)


def refused_text(refusal: TextRefused, field: str) -> Problem:
    """Return the problem of a text that the register does not take, in the field where it was sent."""
    sentence, limit = SENTENCES[refusal.code], {"limit": LARGEST_TEXT}
    return Problem(
        "text_refused", errors=[FieldProblem(field=field, rule=refusal.code, sentence=sentence, params=limit)]
    )
