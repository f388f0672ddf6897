"""The evidence bundle of a file: one zip that a stranger can check offline."""

import asyncio
from collections.abc import AsyncIterator
from tempfile import SpooledTemporaryFile
from typing import Any

from fastapi import APIRouter, Depends
from fastapi.responses import StreamingResponse

from activities.evidence import EvidenceMissing
from api.access import BEARER, Actor, GuardedRoute
from api.files import KnownFile
from api.installation import At, Installation
from api.problems import Problem
from audit.closed_run import ArchiveDamaged
from audit.signing_key import NoSigningKey
from domain.seal import ChainBroken

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["trail"])

IN_MEMORY = 16 * 1024 * 1024
"""Bytes of a bundle up to which no file is made for it; beyond, one without a name."""

PIECE = 256 * 1024

ZIP: dict[int | str, dict[str, Any]] = {
    200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get("/delegations/{delegation}/evidence", response_class=StreamingResponse, responses=ZIP)
async def export_evidence(file: KnownFile, actor: Actor, at: At) -> StreamingResponse:
    """Export the evidence of a file, without personal data: people and texts stand in it by reference and commitment.

    It ends with the last checkpoint; the same checkpoint gives the same bytes. That it was handed out is recorded.
    Problems: `evidence_not_checkpointed`, `evidence_incomplete`, `signing_key_missing` (409).
    """
    return await _exported(file.state.id, at, actor.id, documents=False)


@router.get("/delegations/{delegation}/evidence-with-documents", response_class=StreamingResponse, responses=ZIP)
async def export_evidence_with_documents(file: KnownFile, actor: Actor, at: At) -> StreamingResponse:
    """Export the evidence of a file with letters and attached files as they are, and the texts that were written.

    Problems as without them.
    """
    return await _exported(file.state.id, at, actor.id, documents=True)


async def _exported(delegation: str, at: Installation, by: str, *, documents: bool) -> StreamingResponse:
    bundle = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 - closed when it was sent
    try:
        export = await at.evidence.write(delegation, bundle, documents=documents, by=by)  # type: ignore[arg-type]
    except BaseException as failed:
        bundle.close()
        raise _problem(failed) from failed
    headers = {
        "Content-Length": str(export.size),
        "Content-Disposition": f'attachment; filename="{delegation}-evidence-{export.checkpoint}.zip"',
        "Content-Security-Policy": "sandbox; default-src 'none'",
        "Cache-Control": "no-store",
        "ETag": f'"{export.digest}"',
    }
    return StreamingResponse(_pieces(bundle), media_type="application/zip", headers=headers)


def _problem(failed: BaseException) -> BaseException:
    match failed:
        case EvidenceMissing(code="not_checkpointed"):
            return Problem("evidence_not_checkpointed")
        case EvidenceMissing() | ArchiveDamaged() | ChainBroken():
            return Problem("evidence_incomplete")
        case NoSigningKey():
            return Problem("signing_key_missing")
    return failed


async def _pieces(bundle: "SpooledTemporaryFile[bytes]") -> AsyncIterator[bytes]:
    with bundle:
        while piece := await asyncio.to_thread(bundle.read, PIECE):
            yield piece
