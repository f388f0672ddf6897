"""Scenario A on the real stack: guests answer with five different programs, by real SMTP, read by real IMAP."""

import asyncio
import re
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from embedded.ports import HOST
from scenariofile import Step, load_scenario
from scenarioplayer import Player
from tests.calendars.answers import CLIENTS, Answered
from tests.embedded.running_stack import ROOT
from tests.installed import Installed, installed
from tests.journeys.mail import calendar_in, parsed, told

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

SCENARIO = load_scenario(ROOT / "scenarios" / "inbound-study-visit.yaml")
PARTSTATS = dict(zip(CLIENTS, ("ACCEPTED", "ACCEPTED", "DECLINED", "TENTATIVE", "ACCEPTED"), strict=True))
GUESTS = {client: f"delegate-{number}" for number, client in enumerate(CLIENTS, 1)}
ITEM = "hcmc-forum"


class AnsweringPlayer(Player):
    """Plays the scenario; once the invitations have arrived, five guests answer about the forum."""

    def __init__(self, stack: Installed) -> None:
        super().__init__(
            SCENARIO,
            stack.record.api_url,
            stack.token("root"),
            stack.mailboxes,
            lambda weeks: None,
            lambda played: None,
        )
        self._stack = stack
        self.answered: dict[str, str] = {}
        self.asked_again: dict[str, str] = {}

    async def _settled(self, step: Step) -> int:
        issues = await super()._settled(step)
        if step.id == "invitations":
            await asyncio.to_thread(self._answer_by_mail)
            self.answered = await self._answers(len(CLIENTS))
        if step.id == "programme-change":
            self.asked_again = await asyncio.to_thread(self._asked)
        return issues

    def _answer_by_mail(self) -> None:
        record = self._stack.record
        with smtplib.SMTP(HOST, record.ports.smtp) as server:
            for client, make in CLIENTS.items():
                guest = SCENARIO.person(GUESTS[client])
                [invited] = self._about(guest.id)
                heard = told(invited)
                assert heard is not None
                answer = Answered(
                    uid=heard.uid,
                    attendee=guest.email,
                    partstat=PARTSTATS[client],
                    sequence=heard.sequence,
                    organizer=invited["From"].addresses[0].addr_spec,
                    message_id=f"<{client}@client.example>",
                    name=guest.full_name,
                )
                # What a program keeps with bare line feeds it still sends with CRLF.
                octets = re.sub(rb"\r?\n", b"\r\n", make(answer))
                server.sendmail(guest.email, [answer.organizer], octets)

    def _about(self, who: str) -> list[EmailMessage]:
        """Every mail that somebody got about the forum, in order."""
        found = [parsed(octets) for octets in self._stack.mails(SCENARIO.person(who).email)]
        return [one for one in found if (heard := told(one)) is not None and heard.item == ITEM]

    def _asked(self) -> dict[str, str]:
        """What the change of the forum asks each guest: the state of their answer in the last message about it."""
        found = {}
        for client, who in GUESTS.items():
            ics = (calendar_in(self._about(who)[-1]) or "").replace("\r\n ", "")
            found[client] = ics.partition("PARTSTAT=")[2].partition(";")[0]
        return found

    async def _answers(self, count: int) -> dict[str, str]:
        async with asyncio.timeout(60):
            while len(replies := (await self._file())["state"]["replies"]) < count:
                await asyncio.sleep(0.1)
        return {key: reply["answer"] for key, reply in replies.items()}


async def test_five_programs_answer_and_the_scenario_goes_on_to_its_figures(tmp_path: Path) -> None:
    """Each answer stands at its delegate; the forum that moves asks anew; 20, 16 and 1 as ever."""
    with installed(tmp_path / "var") as stack:
        player = AnsweringPlayer(stack)
        summary = await player.play()
    said = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}
    assert player.answered == {f"{GUESTS[client]}/{ITEM}": said[PARTSTATS[client]] for client in CLIENTS}
    assert set(player.asked_again.values()) == {"NEEDS-ACTION"}
    assert (summary.phase, summary.head_count) == ("closed", 11)
    assert summary.calendars_reached == {"invitations": 20, "programme-change": 16, "drop-out": 1}
    assert summary.messages == {"CANCEL": 14, "REQUEST": 240}
