"""A delegation whose programme and people change, and the mails that its decisions lead to, as they go out."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache

from activities.house import House
from activities.invitations import Composing
from activities.trail import Standing
from documents.administrative import Issuer, Signatory
from domain.bilingual import Bilingual
from domain.decision import Actor
from domain.events import InvitationsIssued
from domain.evolve import evolve
from domain.mailbox import Mailbox
from domain.state import Delegation
from domain.upcast import read_event
from domain.values import Language, Value
from storage.mail_ledger import Mail
from storage.persons import Person, PersonDetails
from tests.builders import COORDINATOR, DELEGATION, invited
from tests.domain.given import given
from tests.domain.player import Play
from tests.rulebook import edition

ORGANIZER = Mailbox(address="doanvao@songlam.example", name="Union of Sông Lam")
HOUSE = House(
    issuer=Issuer(name=Bilingual(vi="Liên hiệp tỉnh Sông Lam", en="Union of Sông Lam")),
    name=Bilingual(vi="Liên hiệp tỉnh Sông Lam", en="Union of Sông Lam"),
    place="Sông Lam",
    signatory=Signatory(name="Lương Thị Bích Thủy", office=Bilingual(vi="Phó Chủ tịch", en="Vice-president")),
    organizer=ORGANIZER,
    public_url="https://songlam.example",
)

ADDRESSES = {"bao": "office@hue.example", "lan": "office@hue.example"}
"""Bảo and Lan share the mailbox of their office; everybody else has one of their own."""


def address_of(name: str) -> str:
    """Return the address of somebody by the name under which the register knows them."""
    return ADDRESSES.get(name, f"{name}@guests.example")


def name_in(ref: str) -> str:
    """Return the name that a reference of `person(name)` was made from."""
    return ref.removeprefix("per_").rstrip("_")


def full_name(name: str) -> str:
    """Return a name that occurs nowhere else."""
    return f"{name.capitalize()} Nguyễn-{name.upper()}"


def registered(ref: str) -> Person:
    """Return the register's entry of `person(name)`."""
    name = name_in(ref)
    language: Language = "vi" if name in ADDRESSES else "en"
    details = PersonDetails(
        full_name=full_name(name),
        given_name=name.capitalize(),
        email=address_of(name),
        language=language,
        nationality="VN",
    )
    return Person(
        ref=ref, version=1, commitment="0" * 64, details=details, recorded_at=datetime(2026, 1, 1, tzinfo=UTC)
    )


@dataclass
class Issued:
    """One issue of messages: the file around its event."""

    stood: Standing

    def composed(self) -> tuple[Mail, ...]:
        """Compose its mails, in the order in which they are entered into the ledger."""
        people = {one.id: registered(one.person.ref) for one in self.stood.after.people.values()}
        event = self.stood.event
        assert isinstance(event, InvitationsIssued)
        composing = Composing(self.stood, f"{DELEGATION}:calendars:{event.issue}", people, HOUSE)
        return tuple(mail for batch in composing.batches() for mail in batch)


Key = tuple[str, int, str, str, str]


def key_of(mail: Mail) -> Key:
    """Return what is unique in the ledger (design, section 5.7)."""
    return (mail.uid, mail.sequence, mail.method, mail.mailbox.lower(), mail.view_hash)


@cache
def _invited() -> Play:
    return given(*invited()).play


@dataclass
class ChangeLog:
    """A delegation that has been invited, and everything that is sent from then on and was sent by the invitation."""

    quiet_minutes: int = 0
    issues: list[Issued] = field(default_factory=list)
    ledger: dict[Key, Mail] = field(default_factory=dict)
    """The mails by what is unique in the ledger: whatever has the key of another is not entered."""
    _folded: Delegation | None = None
    _seen: int = 0

    def __post_init__(self) -> None:
        """Bring the delegation to its invitation."""
        begun = _invited()
        quiet = edition().model_copy(update={"quiet_minutes": self.quiet_minutes})
        self.play = Play(DELEGATION, quiet, newest=edition(), state=begun.state)
        self.play.head, self.play.log = begun.head, list(begun.log)
        self.now = begun.log[-1].at
        self.sent_since()

    @property
    def state(self) -> Delegation:
        """The delegation as it stands."""
        assert self.play.state
        return self.play.state

    def act(self, *commands: Value, by: Actor = COORDINATOR, after: timedelta = timedelta(minutes=1)) -> list[Mail]:
        """Send commands as one, a while later; return the mails that nobody was sent before, in order.

        A refusal changes nothing. What is due on the way comes first.
        """
        self.now += after
        self.play.send("act", by, tuple(one.model_dump(mode="json") for one in commands), self.now)
        return self.sent_since()

    def wait(self, time: timedelta) -> list[Mail]:
        """Let time pass with everything that is due on the way."""
        self.now += time
        self.play.wait(self.now)
        return self.sent_since()

    def sent_since(self) -> list[Mail]:
        """Enter the mails of all issues since the last look into the ledger; return those that are new to it."""
        new = []
        events = self.play.events
        for sealed in events[self._seen :]:
            before = self._folded
            event = read_event(sealed)
            after = evolve(before, event, sealed)
            self._folded = after
            if isinstance(event, InvitationsIssued):
                new += self._enter(Issued(Standing(before or after, event, sealed, after)))
        self._seen = len(events)
        return new

    def _enter(self, issue: Issued) -> list[Mail]:
        self.issues.append(issue)
        fresh = [mail for mail in issue.composed() if key_of(mail) not in self.ledger]
        self.ledger |= {key_of(mail): mail for mail in fresh}
        return fresh
