"""Notes of a file: what somebody wrote beside it, for those who work on it. Only its author changes a note."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Body, Depends, Path, Query
from pydantic import BaseModel, Field

from api.access import BEARER, Actor, GuardedRoute
from api.bodies import IdempotencyKey, Strictly
from api.desks import PageQuery
from api.files import KnownFile
from api.installation import At
from api.problems import Problem
from api.texts import WrittenText, refused_text
from storage.cursors import BadCursor
from storage.notes import Note
from storage.register_log import ChangeRefused
from storage.texts import TextRefused

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["notes"])

NoteId = Annotated[str, Path(pattern=r"^not_[a-z0-9]{8,64}$", description="The note's id.")]

TEXT = {"text": "Bà Tanaka đề nghị không chụp ảnh khi hội đàm."}


class ChangedNote(WrittenText):
    """What a note says from now on; `version` is the one that was read."""

    version: Annotated[int, Field(ge=1, le=2**31 - 1)]


class NoteView(BaseModel):
    """A version of a note. `text` is null where it was erased; instants are wall time in UTC.

    `begun_at` is when the note was first written, `written_at` when this version was.
    """

    id: str
    version: int
    author: str
    text: str | None
    begun_at: datetime
    written_at: datetime


class NoteList(BaseModel):
    """A page of notes as they read now, the last one begun on top, and the cursor of the next page."""

    items: tuple[NoteView, ...]
    next_cursor: str | None


class NoteVersions(BaseModel):
    """Every version of a note, the first one first."""

    items: tuple[NoteView, ...]


@contextmanager
def _answered() -> Iterator[None]:
    try:
        yield
    except ChangeRefused as refused:
        raise Problem(refused.code) from None
    except TextRefused as refusal:
        raise refused_text(refusal, "text") from None


@router.get("/delegations/{delegation}/notes")
async def list_notes(file: KnownFile, query: Annotated[PageQuery, Query()], at: At) -> NoteList:
    """List the notes of a file."""
    try:
        page = await at.notes.of(file.state.id, limit=query.limit, cursor=query.cursor)
    except BadCursor:
        raise Problem("cursor_unknown") from None
    return NoteList(items=tuple(_view(one) for one in page.items), next_cursor=page.next_cursor)


@router.post("/delegations/{delegation}/notes", status_code=201)
async def write_note(
    file: KnownFile,
    body: Annotated[WrittenText, Strictly(WrittenText), Body(examples=[TEXT])],
    key: IdempotencyKey,
    actor: Actor,
    at: At,
) -> NoteView:
    """Write a note."""
    with _answered():
        return _view(await at.notes.write(file.state.id, body.text, by=actor.id, key=key))


@router.put("/delegations/{delegation}/notes/{note}")
async def change_note(
    file: KnownFile,
    note: NoteId,
    body: Annotated[ChangedNote, Strictly(ChangedNote), Body(examples=[TEXT | {"version": 1}])],
    actor: Actor,
    at: At,
) -> NoteView:
    """Write one's own note anew; what it said before stays to be read."""
    with _answered():
        return _view(await at.notes.change(file.state.id, note, body.version, body.text, by=actor.id))


@router.get("/delegations/{delegation}/notes/{note}/versions")
async def list_note_versions(file: KnownFile, note: NoteId, at: At) -> NoteVersions:
    """List every version of a note."""
    with _answered():
        return NoteVersions(items=tuple(_view(one) for one in await at.notes.versions(file.state.id, note)))


def _view(note: Note) -> NoteView:
    return NoteView.model_validate(vars(note))
