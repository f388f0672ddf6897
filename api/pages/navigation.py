"""What stands at the top of every page, for whom."""

from dataclasses import dataclass

from api.access import STAFF
from domain.decision import RoleName
from locales import mark

EVERYBODY: tuple[RoleName, ...] = ("coordinator", "approver", "auditor", "administrator")


@dataclass(frozen=True)
class Place:
    """A way from the top of every page. It is the current one on every address that begins with it, and on `also`."""

    path: str
    title: str
    roles: tuple[RoleName, ...] = EVERYBODY
    also: str = ""

    def holds(self, path: str) -> bool:
        """Whether a page belongs to it."""
        return path in (self.path, self.also) or (self.path != "/" and path.startswith(f"{self.path}/"))


TODAY = Place("/", mark("Today"), STAFF)
INBOX = Place("/inbox", mark("Waits for me"))
FIRST_INBOX = Place("/inbox", mark("Waits for me"), also="/")
"""For whoever has no Today: their first page is the inbox."""

PLACES = (
    TODAY,
    INBOX,
    Place("/desks", mark("Whose desk")),
    Place("/files", mark("Delegations")),
    Place("/directory", mark("Directory")),
    Place("/admin", mark("Administration"), ("coordinator", "auditor", "administrator")),
)


def places_of(roles: tuple[str, ...]) -> tuple[Place, ...]:
    """Return the ways that somebody with these roles has."""
    theirs = tuple(one for one in PLACES if not set(roles).isdisjoint(one.roles))
    return theirs if TODAY in theirs else tuple(FIRST_INBOX if one is INBOX else one for one in theirs)
