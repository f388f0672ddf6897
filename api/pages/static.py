"""Style, script and fonts of the pages, under an address that changes with their content."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import APIRouter, Request, Response
from fastapi import Path as InPath

from api.pages.route import PageRoute
from api.problems import Problem

FOLDER = Path(__file__).resolve().parents[2] / "templates" / "static"

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml; charset=utf-8",
    ".woff2": "font/woff2",
}

PACKED = frozenset({".css", ".js", ".svg"})

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@cache
def files() -> dict[str, bytes]:
    """Return every file that pages may ask for, by name."""
    return {path.name: path.read_bytes() for path in sorted(FOLDER.iterdir()) if path.suffix in MEDIA_TYPES}


@cache
def version() -> str:
    """Return what names the content of all of them: one file refers to another beside it."""
    digest = hashlib.sha256()
    for name, content in files().items():
        digest.update(name.encode() + b"\x00" + hashlib.sha256(content).digest())
    return digest.hexdigest()[:16]


@cache
def packed(name: str) -> bytes:
    """Return a file as gzip (RFC 1952), the same octets every time."""
    return gzip.compress(files()[name], 9, mtime=0)


def address(name: str) -> str:
    """Return where a file stands; KeyError for one that is not there."""
    files()[name]
    return f"/static/{version()}/{name}"


@router.get("/static/{asked}/{name}")
async def send_static_file(
    request: Request,
    asked: Annotated[str, InPath(max_length=64)],
    name: Annotated[str, InPath(max_length=100)],
) -> Response:
    """Send a file. Under the address of another release it is not kept: that release may still be starting.

    Files are packed where the browser takes it; pages never are, since they hold a secret of the session beside what
    others may have written.
    """
    content = files().get(name)
    if content is None:
        raise Problem("not_found")
    kept = "public, max-age=31536000, immutable" if asked == version() else "no-cache"
    headers = {"Cache-Control": kept, "Vary": "Accept-Encoding"}
    if Path(name).suffix in PACKED and "gzip" in request.headers.get("accept-encoding", ""):
        content, headers["Content-Encoding"] = packed(name), "gzip"
    return Response(content, media_type=MEDIA_TYPES[Path(name).suffix], headers=headers)
