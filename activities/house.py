"""The issuing house as its letters and mails name it; read from the settings by the composition roots."""

from documents.administrative import Issuer, Signatory
from domain.bilingual import Bilingual
from domain.mailbox import Mailbox
from domain.values import Value


class House(Value):
    """The union that issues letters and invitations.

    `organizer` is the one stable mailbox that is sender and ORGANIZER of every invitation; `public_url` is where links
    lead. `place` is where documents are issued.
    """

    issuer: Issuer
    name: Bilingual
    place: str
    signatory: Signatory
    organizer: Mailbox
    public_url: str
    contact: str = ""

    @property
    def first_page(self) -> str:
        """The address of the page where whoever signs in finds what waits for them."""
        return f"{self.public_url.rstrip('/')}/"

    def page_of(self, delegation: str, *, step: str | None = None) -> str:
        """Return the address of the step that waits (or `report`); without one, of the file. It names nobody."""
        file = f"{self.first_page}delegations/{delegation}"
        return f"{file}/steps/{step}" if step else file

    def request_page(self, request: str) -> str:
        """Return the address where an administrator finds somebody's request about their own data."""
        return f"{self.first_page}admin/person-requests/{request}"

    def own_page(self, token: str) -> str:
        """Return the address of somebody's own page about a delegation, by the secret that leads to it."""
        return f"{self.public_url.rstrip('/')}/my/{token}"

    @property
    def mail_domain(self) -> str:
        """The domain of Message-IDs and UIDs."""
        return self.organizer.address.rpartition("@")[2]
