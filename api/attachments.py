"""Files: the body of the request is the file, streamed to the register. A command carries digest, type and size."""

from fastapi import APIRouter, Depends, Request

from api.access import BEARER, GuardedRoute
from api.installation import At
from api.problems import FieldProblem, Problem
from domain.values import AttachmentRef
from locales import mark
from storage.media_types import AttachmentRefused

router = APIRouter(route_class=GuardedRoute, dependencies=[Depends(BEARER)], tags=["attachments"])

UNDECLARED = ("", "application/octet-stream", "application/x-www-form-urlencoded")
"""What clients send who do not say which type a file has."""

SENTENCES = {
    "attachment_empty": mark("The file is empty."),
    "attachment_too_large": mark("The file is larger than %(limit)s bytes."),
    "attachment_type_unknown": mark("Kept are PDF, PNG, JPEG, DOCX, XLSX and plain text."),
    "attachment_type_mismatch": mark("The file is not of the type that was declared."),
    "attachment_malformed": mark("The file is damaged."),
    "attachment_unpacks_too_large": mark("The file unpacks to more than is kept."),
    "attachment_has_archive": mark("The file holds another archive."),
    "attachment_has_path": mark("A part of the file has a path out of it."),
    "attachment_has_macros": mark("The file has macros."),
    "attachment_has_declarations": mark("A part of the file declares a document type, as no office document does."),
    "attachment_encrypted": mark("A part of the file is encrypted."),
    "attachment_erased": mark("This very file was erased because it names somebody whose data were erased."),
    "attachment_picture_too_large": mark("The picture has too many pixels."),
}

CODES = {
    "attachment_too_large": "attachment_too_large",
    "attachment_type_unknown": "attachment_type_refused",
    "attachment_type_mismatch": "attachment_type_refused",
}
"""Where the status says more than that the file cannot be taken."""

CONTENT = {"schema": {"type": "string", "format": "binary"}}


@router.post(
    "/attachments",
    status_code=201,
    openapi_extra={"requestBody": {"required": True, "content": {"application/octet-stream": CONTENT}}},
)
async def store_attachment(request: Request, at: At) -> AttachmentRef:
    """Keep a file; its type is found from its bytes, and a declared Content-Type must be the same.

    The same bytes have the same digest, so sending a file again does no harm.
    """
    declared = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if int(request.headers.get("content-length", "0")) > at.attachments.limits.size:
            raise AttachmentRefused("attachment_too_large", "declared so")
        return await at.attachments.store(request.stream(), declared=None if declared in UNDECLARED else declared)
    except AttachmentRefused as refusal:
        error = FieldProblem(
            field="body",
            rule=refusal.code,
            sentence=SENTENCES[refusal.code],
            params={"limit": at.attachments.limits.size},
        )
        raise Problem(CODES.get(refusal.code, "attachment_refused"), errors=[error]) from None
