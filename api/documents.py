"""The documents of a delegation's file: what it has, and the files themselves."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from api.access import BEARER, GuardedRoute
from api.as_of import FileThen
from api.files import KnownFile
from api.installation import At, Installation
from api.problems import Problem
from domain.state import Delegation
from domain.values import AttachmentRef, Digest, Language
from storage.attachments import AttachmentErased, UnknownAttachment

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["documents"])

ENDINGS = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "text/plain": "txt",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "docx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "xlsx",
}


class DocumentView(BaseModel):
    """A document of the file. `number` counts those of a kind; `document_id` and `concerns` are the dossier's own."""

    kind: str
    number: int
    digest: Digest
    media_type: str
    size: int
    language: Language | None = None
    document_id: str | None = None
    concerns: str | None = None
    erased: bool = Field(False, description="It named somebody whose data were erased; its digest stays in the trail.")
    replaced_by: Digest | None = Field(None, description="What was rendered in its place, without the person.")


class Documents(BaseModel):
    """Everything the file refers to, in the order in which it came."""

    items: tuple[DocumentView, ...]


@router.get("/delegations/{delegation}/documents")
async def list_documents(file: FileThen, at: At) -> Documents:
    """List a file's documents, now or as of then: dossier, decision, formalities, letters and reports, annexes."""
    items = list(documents_of(file.state))
    erased = await at.attachments.erased({one.digest for one in items})
    return Documents(
        items=tuple(
            one.model_copy(update={"erased": one.digest in erased, "replaced_by": erased.get(one.digest)})
            for one in items
        )
    )


@router.get(
    "/delegations/{delegation}/documents/{digest}",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def download_document(
    file: KnownFile, digest: Annotated[Digest, Path(description="As `documents` lists it.")], at: At
) -> StreamingResponse:
    """Download a document of this file, or what was rendered in its place. Problem: `document_erased` (410)."""
    known = await _known(file.state, digest, at)
    if known is None:
        raise Problem("document_unknown")
    try:
        reference, pieces = await at.attachments.open(digest)
        first = await anext(pieces, b"")
    except AttachmentErased:
        raise Problem("document_erased") from None
    except UnknownAttachment:
        raise Problem("document_unknown") from None
    headers = {
        "Content-Length": str(reference.size),
        "Content-Disposition": f'attachment; filename="{_name(file.state.id, known)}"',
        "Content-Security-Policy": "sandbox; default-src 'none'; frame-ancestors 'none'; base-uri 'none'",
    }
    return StreamingResponse(_after(first, pieces), media_type=reference.media_type, headers=headers)


async def _known(state: Delegation, digest: str, at: Installation) -> DocumentView | None:
    items = list(documents_of(state))
    if (known := next((one for one in items if one.digest == digest), None)) is not None:
        return known
    erased = await at.attachments.erased({one.digest for one in items})
    return next((one for one in items if erased.get(one.digest) == digest), None)


async def _after(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece


def _name(delegation: str, document: DocumentView) -> str:
    # Ids and kinds are slugs, so nothing in the name needs quoting (RFC 6266 section 4.3).
    parts = [delegation, document.kind, str(document.number)] + ([document.language] if document.language else [])
    return "-".join(parts) + f".{ENDINGS.get(document.media_type, 'bin')}"


def documents_of(state: Delegation) -> Iterator[DocumentView]:
    """Yield every stored file that the state refers to."""
    counts: dict[str, int] = {}

    def view(kind: str, file: AttachmentRef, number: int | None = None, **more: str | None) -> DocumentView:
        counts[kind] = counts.get(kind, 0) + 1
        return DocumentView.model_validate(
            {"kind": kind, "number": number or counts[kind], **file.model_dump(), **more}
        )

    for document in state.documents.values():
        yield view(document.kind, document.attachment, document_id=document.id, concerns=document.concerns)
    if state.decision and state.decision.document:
        yield view("decision", state.decision.document)
    for formality in state.formalities:
        if formality.document:
            yield view(formality.kind, formality.document)
    for rendered in state.rendered:
        for version in rendered.versions:
            yield view(rendered.kind, version.attachment, rendered.number, language=version.language)
    if state.report:
        for annex in state.report.annexes:
            yield view("annex", annex)
