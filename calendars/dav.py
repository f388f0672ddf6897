"""WebDAV as calendars use it: what is asked in XML, and what is read out of the answers (RFC 4918, RFC 4791).

Answers are a stranger's: they are read by defusedxml, which takes no document type at all, and bounded in size before.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree.ElementTree import Element
from xml.sax.saxutils import escape, quoteattr

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

DAV = "DAV:"
CALDAV = "urn:ietf:params:xml:ns:caldav"
HEAD = '<?xml version="1.0" encoding="utf-8"?>'
SPACES = f'xmlns:D="{DAV}" xmlns:C="{CALDAV}"'

MAY_WRITE = frozenset({"all", "write", "write-content", "bind"})


class NotMultistatus(ValueError):
    """An answer is not what RFC 4918 says it is: cut off, another language, or a weapon."""

    def __init__(self) -> None:
        super().__init__("the answer is no multistatus")


@dataclass(frozen=True)
class Answered:
    """What an answer says of one address: properties that were found, by name without namespace.

    `status` is that of the address itself where the server gave one, else 200.
    """

    href: str
    status: int
    found: dict[str, Element] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """Return the text of a property, without blanks around it; None where there is none."""
        element = self.found.get(name)
        return (element.text or "").strip() or None if element is not None else None

    def hrefs(self, name: str) -> list[str]:
        """Return the addresses inside a property."""
        element = self.found.get(name)
        return (
            [] if element is None else [text for one in element.iter(_q("href")) if (text := (one.text or "").strip())]
        )

    @property
    def is_calendar(self) -> bool:
        """Whether it is a calendar collection that takes events and that we may write to, as far as it says."""
        kind, takes = self.found.get("resourcetype"), self.found.get("supported-calendar-component-set")
        if kind is None or kind.find(_q("calendar", CALDAV)) is None:
            return False
        if takes is not None and not any(one.get("name") == "VEVENT" for one in takes.iter(_q("comp", CALDAV))):
            return False
        may = self.found.get("current-user-privilege-set")
        granted = (
            {_local(one) for privilege in may.iter(_q("privilege")) for one in privilege} if may is not None else None
        )
        return granted is None or bool(granted & MAY_WRITE)


def propfind(*names: str) -> bytes:
    """Return the body of a PROPFIND; a name of CalDAV's namespace begins with `C:`, one of WebDAV's with `D:`."""
    return (
        f"{HEAD}<D:propfind {SPACES}><D:prop>{''.join(f'<{name}/>' for name in names)}</D:prop></D:propfind>".encode()
    )


def multiget(hrefs: Iterable[str]) -> bytes:
    """Return the body of a calendar-multiget (RFC 4791 section 7.9): ETag and content of each address."""
    listed = "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
    return (
        f"{HEAD}<C:calendar-multiget {SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop>"
        f"{listed}</C:calendar-multiget>"
    ).encode()


def by_uid(part: str) -> bytes:
    """Return the body of a calendar-query (RFC 4791 section 7.8) for the events whose UID contains a text."""
    return (
        f"{HEAD}<C:calendar-query {SPACES}><D:prop><D:getetag/><C:calendar-data/></D:prop><C:filter>"
        '<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"><C:prop-filter name="UID">'
        f"<C:text-match collation={quoteattr('i;octet')}>{escape(part)}</C:text-match>"
        "</C:prop-filter></C:comp-filter></C:comp-filter></C:filter></C:calendar-query>"
    ).encode()


def read_multistatus(body: bytes) -> list[Answered]:
    """Return what a multistatus says, address by address. Raises NotMultistatus."""
    root = _parsed(body)
    if root.tag != _q("multistatus"):
        raise NotMultistatus
    return list(_answers(root))


def conflict_of(body: bytes) -> tuple[str, str | None] | None:
    """Return the precondition that a refusal names, and the address in it: `("no-uid-conflict", "/home/x.ics")`.

    None where the refusal does not say (RFC 4918 section 16).
    """
    try:
        root = _parsed(body)
    except NotMultistatus:
        return None
    if root.tag != _q("error"):
        return None
    for one in root:
        href = one.find(_q("href"))
        return _local(one), (href.text or "").strip() or None if href is not None else None
    return None


def name_in(collection: str, href: str) -> str | None:
    """Return the last part of an address inside a collection as the server writes it; None for any other address."""
    base, there = urlsplit(collection), urlsplit(urljoin(collection, href))
    *folder, name = there.path.split("/")
    same_server = (there.scheme, there.netloc) == (base.scheme, base.netloc)
    # Part by part: an escaped slash is none.
    same_folder = [unquote(part) for part in folder] == [unquote(part) for part in base.path.split("/")[:-1]]
    return name if same_server and same_folder and name else None


def _answers(root: Element) -> Iterator[Answered]:
    for response in root.findall(_q("response")):
        href = (response.findtext(_q("href")) or "").strip()
        found: dict[str, Element] = {}
        for propstat in response.findall(_q("propstat")):
            prop = propstat.find(_q("prop"))
            if prop is not None and _status(propstat.findtext(_q("status"))) == 200:
                found |= {_local(one): one for one in prop}
        status = response.findtext(_q("status"))
        yield Answered(href, _status(status) if status else 200, found)


def _status(line: str | None) -> int:
    """Return the code in `HTTP/1.1 200 OK`; 0 where there is none."""
    parts = (line or "").split()
    return int(parts[1]) if len(parts) > 1 and parts[1].isascii() and parts[1].isdigit() else 0


def _parsed(body: bytes) -> Element:
    try:
        root: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise NotMultistatus from None
    return root


def _q(name: str, space: str = DAV) -> str:
    return f"{{{space}}}{name}"


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]
