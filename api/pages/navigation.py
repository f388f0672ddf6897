"""What stands at the top of every page, for whom."""

from dataclasses import dataclass

from domain.decision import RoleName
from locales import mark

EVERYBODY: tuple[RoleName, ...] = ("coordinator", "approver", "auditor", "administrator")


@dataclass(frozen=True)
class Place:
    """A way from the top of every page. It is the current one on every address that begins with it."""

    path: str
    title: str
    roles: tuple[RoleName, ...] = EVERYBODY

    def holds(self, path: str) -> bool:
        """Whether a page belongs to it."""
        return path == self.path or (self.path != "/" and path.startswith(f"{self.path}/"))


PLACES = (
    Place("/", mark("Waits for me")),
    Place("/admin", mark("Administration"), roles=("coordinator", "auditor", "administrator")),
)


def places_of(roles: tuple[str, ...]) -> tuple[Place, ...]:
    """Return the ways that somebody with these roles has."""
    return tuple(one for one in PLACES if not set(roles).isdisjoint(one.roles))
