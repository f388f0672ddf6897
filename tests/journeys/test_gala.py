"""Scenario C on the real stack: the gala moves, 98 people hear of it once each, though the worker dies meanwhile."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from embedded.ports import HOST, free_ports
from scenariofile import load_scenario
from scenarioplayer import Player
from scenarioplayer.mailboxes import Arrived, Mailboxes
from tests.embedded.running_stack import ROOT
from tests.installed import Installed, installed
from tests.journeys.mail import Told, parsed, told

pytestmark = [pytest.mark.timeout(300)]

SCENARIO = load_scenario(ROOT / "scenarios" / "homeland-spring.yaml")
CZECHS = {person.email for person in SCENARIO.people if person.country == "CZ"}
HOTEL = ("hotel", "REQUEST", 0)
GONE = [("flight-from-praha", "CANCEL", 1), ("gala", "CANCEL", 2), ("hotel", "CANCEL", 1)]
MIDDLE = 49

Death = Literal["before it is taken", "after it was taken"]


@dataclass(frozen=True)
class Taken:
    """One mail that the server took."""

    recipient: str
    content: bytes
    message_id: str
    told: Told | None

    @property
    def moves_the_gala(self) -> bool:
        return self.told is not None and (self.told.item, self.told.method, self.told.sequence) == (
            "gala",
            "REQUEST",
            1,
        )


@dataclass
class Sink:
    """A mail server that keeps what it takes, and kills the worker while it hands over one of the gala's updates.

    `death` says whether that mail is taken first: then nobody noted that it was.
    """

    death: Death
    worker: int = 0
    killed: str | None = None
    taken: list[Taken] = field(default_factory=list)

    async def handle_DATA(  # noqa: N802 - the name aiosmtpd calls
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        [recipient] = envelope.rcpt_tos
        message = parsed(envelope.content)
        mail = Taken(recipient, envelope.content, str(message["Message-ID"]), told(message))
        before = sum(one.moves_the_gala for one in self.taken)
        if not self.killed and mail.moves_the_gala and before == MIDDLE:
            self.killed = mail.message_id
            os.kill(self.worker, signal.SIGKILL)
            if self.death == "before it is taken":
                return "451 not yet"
        self.taken.append(mail)
        return "250 taken"

    def told(self) -> dict[str, list[Told]]:
        """What each recipient's calendar was told, in order; copies once."""
        heard: dict[str, list[Told]] = {}
        for one in dict.fromkeys(self.taken):
            if one.told is not None:
                heard.setdefault(one.recipient, []).append(one.told)
        return heard


class NobodyLooks(Mailboxes):
    """Nobody opens a mailbox: what arrived is counted where it arrived."""

    def __init__(self, addresses: list[str]) -> None:
        super().__init__(HOST, 0, "", addresses)

    async def look(self) -> Arrived:
        return Arrived()


@contextmanager
def with_sink(folder: Path, death: Death) -> Iterator[tuple[Installed, Sink]]:
    """An installation whose mail goes to a sink that will kill its worker."""
    sink, [port] = Sink(death), free_ports(1)
    controller = Controller(sink, hostname=HOST, port=port)
    controller.start()
    try:
        with installed(folder, smtp_host=HOST, smtp_port=str(port), smtp_starttls="false") as stack:
            sink.worker = stack.pid("worker")
            yield stack, sink
    finally:
        controller.stop()


@pytest.mark.parametrize(
    "death",
    [
        pytest.param("after it was taken", marks=pytest.mark.slow),
        pytest.param("before it is taken", marks=pytest.mark.faults),
    ],
)
async def test_ninety_eight_hear_of_the_gala_once_though_the_worker_dies(tmp_path: Path, death: Death) -> None:
    """Then the Czech group withdraws, and eight mailboxes alone hear of that.

    A second copy exists at most of the one mail that the server took and nobody noted: the same octets.
    """
    with with_sink(tmp_path / "var", death) as (stack, sink):
        player = Player(
            SCENARIO, stack.record.api_url, stack.token("root"), NobodyLooks, lambda weeks: None, lambda played: None
        )
        summary = await player.play()
        assert stack.pid("worker") != sink.worker
        killed = sink.killed

    assert (summary.phase, summary.head_count) == ("closed", 90)
    assert killed is not None
    copies = Counter(one.message_id for one in sink.taken)
    allowed = {killed} if death == "after it was taken" else set()
    assert {one for one, count in copies.items() if count > 1} <= allowed
    assert max(copies.values()) <= 2
    assert len({one.content for one in sink.taken}) == len(copies)

    everybody = {person.email for person in SCENARIO.people}
    moves = {one.message_id: one.recipient for one in sink.taken if one.moves_the_gala}
    assert (len(moves), set(moves.values())) == (98, everybody)
    heard = sink.told()
    assert set(heard) == everybody
    for address, messages in heard.items():
        versions = [(one.item, one.method, one.sequence) for one in messages]
        czech = address in CZECHS
        invited = [*([("flight-from-praha", "REQUEST", 0)] if czech else []), ("gala", "REQUEST", 0), HOTEL]
        assert sorted(versions[: len(invited)]) == invited
        assert versions[len(invited)] == ("gala", "REQUEST", 1)
        assert sorted(versions[len(invited) + 1 :]) == (GONE if czech else [])
        starts = [one.starts[11:16] for one in messages if one.item == "gala"]
        assert starts[:2] == ["20:00", "19:30"]
