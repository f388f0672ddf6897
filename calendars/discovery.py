"""Finding somebody's calendar from the address that they know (RFC 6764, RFC 5397, RFC 4791 section 6.2.1).

Not asked: the SRV and TXT records of RFC 6764 section 3. A name in them would be another way to an address, and the
servers that people register answer at `/.well-known/caldav`.
"""

from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit, urlunsplit

from calendars.caldav import CalDav, CalDavFailed, Credentials, CredentialsRefused, NotUsable, Session
from calendars.dav import Answered

WELL_KNOWN = "/.well-known/caldav"
HOMES = 3
LONGEST_NAME = 200


@dataclass(frozen=True)
class FoundCollection:
    """A collection that takes events: its address, with a slash at the end, and the name that its owner gave it."""

    url: str
    name: str


async def discover(caldav: CalDav, url: str, credentials: Credentials) -> tuple[FoundCollection, ...]:
    """Return the collections that an address leads to and that take events, by address.

    The address is a collection's own, a home's, a principal's, or a server's alone. Raises AddressRefused and
    CalDavFailed; NotUsable with `no_calendar` where there is none.
    """
    caldav.check(url)
    async with caldav.session(url, credentials) as session:
        return await _discovered(session, url)


async def _discovered(session: Session, url: str) -> tuple[FoundCollection, ...]:
    base, described = await _starting_point(session, url)
    itself = described[0]
    if itself.is_calendar:
        return (_found(base, itself),)
    homes = itself.hrefs("calendar-home-set")
    if not homes:
        for principal in itself.hrefs("current-user-principal")[:1]:
            base, described = await session.describe(urljoin(base, principal))
            homes = [home for one in described for home in one.hrefs("calendar-home-set")]
    found: dict[str, FoundCollection] = {}
    for home in homes[:HOMES]:
        there, described = await session.describe(urljoin(base, _folder(home)), depth=1)
        found |= {one.url: one for one in (_found(there, each) for each in described if each.is_calendar)}
    if not found:
        raise NotUsable("no_calendar")
    return tuple(sorted(found.values(), key=lambda one: one.url))


async def _starting_point(session: Session, url: str) -> tuple[str, list[Answered]]:
    """Return where the way begins; a server's alone is asked at its well-known place first, then at its root."""
    parts = urlsplit(url)
    well_known = urlunsplit((parts.scheme, parts.netloc, WELL_KNOWN, "", ""))
    failure: CalDavFailed = NotUsable("no_calendar")
    for candidate in (well_known, url) if parts.path in ("", "/") else (url, well_known):
        try:
            base, described = await session.describe(candidate)
        except CalDavFailed as error:
            # Many servers know one of the two places only. A redirect to another server is worth telling.
            if not _other_place(error):
                raise
            failure = error if error.elsewhere else failure
            continue
        known = [one for one in described if one.is_calendar or _leads_on(one)]
        if known:
            return base, known
    raise failure


def _other_place(error: CalDavFailed) -> bool:
    if isinstance(error, CredentialsRefused):
        return error.code == "access_refused"
    return isinstance(error, NotUsable) or error.code == "answer_malformed"


def _leads_on(one: Answered) -> bool:
    return bool(one.hrefs("current-user-principal") or one.hrefs("calendar-home-set"))


def _found(base: str, one: Answered) -> FoundCollection:
    return FoundCollection(url=urljoin(base, _folder(one.href)), name=(one.text("displayname") or "")[:LONGEST_NAME])


def _folder(href: str) -> str:
    return href if href.endswith("/") else f"{href}/"
