"""What a client already has need not be sent again: conditional requests and content coding (RFC 9110)."""

import gzip
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import cached_property

from fastapi import Request, Response

WORTH_PACKING = 500
"""Octets from which on gzip is worth its while."""

LONGEST_HEADER = 4000
"""Characters of a conditional header that are looked at: a list of more tags than any client keeps."""

_TAG = re.compile(r'(?:W/)?("[\x21\x23-\x7e\x80-\xff]*")')


@dataclass(frozen=True)
class Representation:
    """What stands at an address: octets, and when they last became what they are (an aware instant, whole seconds)."""

    content: bytes
    changed: datetime

    @cached_property
    def tag(self) -> str:
        """The strong entity tag of the octets as they are."""
        return f'"{hashlib.sha256(self.content).hexdigest()[:32]}"'

    @property
    def packed_tag(self) -> str:
        """The strong entity tag of the packed octets: another representation, so another tag (section 8.8.3.3)."""
        return f'{self.tag[:-1]}-gzip"'

    @cached_property
    def packed(self) -> bytes | None:
        """The octets under gzip, the same every time; None where that is not worth its while."""
        return gzip.compress(self.content, compresslevel=6, mtime=0) if len(self.content) >= WORTH_PACKING else None


def respond(request: Request, one: Representation, *, media_type: str, headers: Mapping[str, str]) -> Response:
    """Return the answer to GET or HEAD: 304 where the client has it already, else 200, packed where it takes that."""
    packs = one.packed is not None and takes_gzip(request.headers.get("accept-encoding", ""))
    tag = one.packed_tag if packs else one.tag
    about = {
        **headers,
        "ETag": tag,
        "Last-Modified": format_datetime(one.changed.astimezone(UTC), usegmt=True),
        "Vary": "Accept-Encoding",
    }
    if (known := _known(request, one, tag)) is not None:
        return Response(status_code=304, headers={**about, "ETag": known})
    body = one.packed if packs and one.packed is not None else one.content
    coding = {"Content-Encoding": "gzip"} if packs else {}
    sent = b"" if request.method == "HEAD" else body
    return Response(sent, media_type=media_type, headers={**about, **coding, "Content-Length": str(len(body))})


def _known(request: Request, one: Representation, tag: str) -> str | None:
    """Return the tag of what the client has already, or None; a tag goes before a date (section 13.2.2)."""
    asked = ", ".join(request.headers.getlist("if-none-match"))
    if asked:
        if asked.strip() == "*":
            return tag
        given = set(_TAG.findall(asked[:LONGEST_HEADER]))
        return next((mine for mine in (tag, one.tag, one.packed_tag) if mine in given), None)
    since = _date(request.headers.get("if-modified-since", ""))
    return tag if since is not None and one.changed <= since else None


def _date(written: str) -> datetime | None:
    """Return an HTTP date, or None for what is none: it is then passed over (section 13.1.3)."""
    try:
        at = parsedate_to_datetime(written)
    except (TypeError, ValueError):
        return None
    return at if at.tzinfo is not None else None


def takes_gzip(accept_encoding: str) -> bool:
    """Whether an Accept-Encoding header allows gzip (section 12.5.3): named or by `*`, and not with a weight of 0."""
    allowed: dict[str, bool] = {}
    for entry in accept_encoding[:LONGEST_HEADER].split(","):
        name, _, parameters = entry.partition(";")
        weight = parameters.strip().lower().removeprefix("q=")
        allowed.setdefault(name.strip().lower(), not re.fullmatch(r"0(\.0{0,3})?", weight))
    named = (coding for coding in ("gzip", "x-gzip", "*") if coding in allowed)
    return next((allowed[coding] for coding in named), False)
