"""A mail server that misbehaves in every way it can (faults.md, row 4): nothing is lost, nobody waits for another."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.effects import Effects
from activities.outbox import MailServerUnavailable, MailWaits, Outbox, Patience
from domain.commands import RecordNotice
from domain.decision import Effect
from domain.mailbox import Mailbox
from notices.smtp import SmtpServer
from storage.engine import Database
from storage.errors import StoreUnavailable
from storage.keyring import Keyring, MasterKey
from storage.mail_ledger import MailLedger, mail_ledger
from storage.migrate import migrate
from tests.faults.page import Note
from tests.notices.servers import Sink, free_port, listening
from tests.storage.test_mail_ledger import ISSUE, mail
from workflows.ports import CarryOutInput, errand_of

UNION = Mailbox(address="lich@songlam.example")
AT_ONCE = Patience(attempt=timedelta(), first=timedelta(), deferrals=3)
"""Waits for nothing, so that a test does not either."""

LATER = Patience(attempt=timedelta(), first=timedelta(minutes=1))


@pytest.fixture
async def ledger(tmp_path: Path) -> AsyncIterator[MailLedger]:
    """A ledger with a message to each of five delegates."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'store.db'}"
    await migrate(url)
    database = Database(url)
    found = MailLedger(database, Keyring([MasterKey.of(bytes(range(32)))]))
    await found.enqueue([mail(number) for number in range(1, 6)])
    yield found
    await database.close()


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """An SMTP server that takes everything, unless told otherwise."""
    async with listening(Sink()) as one:
        yield one


def outbox(ledger: MailLedger, sink: Sink, patience: Patience = AT_ONCE, timeout: float = 5.0) -> Outbox:
    """An outbox that hands over to the sink."""
    return Outbox(ledger, SmtpServer(host="127.0.0.1", port=sink.port, timeout=timeout), UNION, patience)


def silently() -> None:
    """Give no sign of life."""


def to(sink: Sink) -> list[str]:
    """Who got a mail, in order."""
    return [envelope.rcpt_tos[0].partition("@")[0] for envelope in sink.taken]


async def statuses(ledger: MailLedger) -> list[str]:
    """What became of each message."""
    return [line.status for line in await ledger.of_issue(ISSUE)]


async def test_one_who_is_put_off_holds_up_nobody(ledger: MailLedger, sink: Sink, note: Note) -> None:
    """450 for one recipient: the others have theirs, the effect gives way until the next attempt is due."""
    note(row="4", fault="450 for one recipient (grey-listing)")
    sink.of_recipient["m2@example.jp"] = "450 4.2.0 grey-listed"
    with pytest.raises(MailWaits) as waits:
        await outbox(ledger, sink, LATER).send(ISSUE, silently)
    assert to(sink) == ["m1", "m3", "m4", "m5"]
    assert timedelta(seconds=50) < waits.value.after <= timedelta(minutes=1)
    line = (await ledger.of_issue(ISSUE))[1]
    assert (line.status, line.refusal, line.status_code) == ("pending", "450", "4.2.0")
    # Asked again too early, nothing is said to the server.
    connections = sink.connections
    with pytest.raises(MailWaits):
        await outbox(ledger, sink, LATER).send(ISSUE, silently)
    assert sink.connections == connections


async def test_grey_listing_ends_and_the_mail_goes_out(ledger: MailLedger, sink: Sink) -> None:
    """At its next attempt, in the same bytes, and once."""
    sink.of_recipient["m2@example.jp"] = "451 4.7.1 come back later"
    with pytest.raises(MailWaits):
        await outbox(ledger, sink, LATER).send(ISSUE, silently)
    sink.of_recipient.clear()
    line = (await ledger.of_issue(ISSUE))[1]
    assert line.next_attempt_at is not None
    claimed = await ledger.claim(ISSUE, limit=9, lease=timedelta(), now=line.next_attempt_at)
    assert [(one.participants, one.deferrals) for one in claimed] == [(("m2",), 1)]
    lines = await outbox(ledger, sink).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent"] * 5
    assert to(sink) == ["m1", "m3", "m4", "m5", "m2"]


async def test_put_off_for_ever_is_a_dead_letter(ledger: MailLedger, sink: Sink, note: Note) -> None:
    """After so many deferrals as the setting says; the lines name whom no attempt reached, and why."""
    note(row="4", fault="450 for one recipient, for ever")
    sink.of_recipient["m2@example.jp"] = "452 4.2.2 mailbox full"
    lines = await outbox(ledger, sink).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent", "dead", "sent", "sent", "sent"]
    assert (lines[1].participants, lines[1].refusal, lines[1].status_code, lines[1].attempts) == (
        ("m2",),
        "452",
        "4.2.2",
        3,
    )


async def test_one_who_is_refused_is_refused_at_once(ledger: MailLedger, sink: Sink, note: Note) -> None:
    """5yz: one attempt, with the enhanced status code on record."""
    note(row="4", fault="550 for one recipient")
    sink.of_recipient["m2@example.jp"] = "550 5.1.1 no such user"
    lines = await outbox(ledger, sink).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent", "refused", "sent", "sent", "sent"]
    assert (lines[1].refusal, lines[1].status_code, lines[1].attempts) == ("550", "5.1.1", 1)


@pytest.mark.parametrize(
    "answer", ["421 4.3.2 closing", "452 4.3.1 disk full", "451 4.3.0 out of order"], ids=["421", "452", "451"]
)
async def test_a_server_that_takes_nothing_costs_no_mail_an_attempt(
    ledger: MailLedger, sink: Sink, note: Note, answer: str
) -> None:
    """It said so once and is asked no more in this attempt; afterwards all go out, once each."""
    note(row="4", fault=f"mail server answers {answer[:9]} to everything")
    sink.answers["RCPT"] = answer
    for _ in range(4):
        with pytest.raises(MailServerUnavailable):
            await outbox(ledger, sink).send(ISSUE, silently)
    assert await statuses(ledger) == ["pending"] * 5
    sink.answers.clear()
    await outbox(ledger, sink).send(ISSUE, silently)
    assert to(sink) == ["m1", "m2", "m3", "m4", "m5"]


async def test_a_server_that_is_not_there_is_waited_for(ledger: MailLedger, note: Note) -> None:
    """Refused connections lose nothing."""
    note(row="4", fault="mail server down")
    sink = Sink()
    sink.port = free_port()
    with pytest.raises(MailServerUnavailable):
        await outbox(ledger, sink).send(ISSUE, silently)
    async with listening(sink):
        await outbox(ledger, sink).send(ISSUE, silently)
    assert to(sink) == ["m1", "m2", "m3", "m4", "m5"]


async def test_a_server_that_is_away_too_long_leaves_dead_letters(ledger: MailLedger) -> None:
    """After the setting's hours nobody tries any more, and the effect ends with what became of each."""
    sink = Sink()
    sink.port = free_port()
    lines = await outbox(ledger, sink, Patience(attempt=timedelta(), lasting=timedelta(0))).send(ISSUE, silently)
    assert [(line.status, line.refusal, line.attempts) for line in lines] == [("dead", "unreachable", 1)] * 5


async def test_what_lay_there_for_days_is_tried_once_more(ledger: MailLedger, sink: Sink) -> None:
    """An installation that was switched off over the holidays gives nothing up that would go out now."""
    lines = await outbox(ledger, sink, Patience(attempt=timedelta(), lasting=timedelta(0))).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent"] * 5


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_server_that_hangs_costs_two_time_limits(ledger: MailLedger, sink: Sink, note: Note, verb: str) -> None:
    """The mail at which it fell silent first goes last; when it answers again, everything goes out."""
    note(row="4", fault=f"mail server hangs at {verb}")
    sink.hang_at = verb
    patience = Patience(attempt=timedelta(), first=timedelta(seconds=1))
    with pytest.raises(MailServerUnavailable):
        await outbox(ledger, sink, patience, timeout=0.2).send(ISSUE, silently)
    assert sink.connections == 2
    sink.hang_at = ""
    sink.go_on.set()
    already = set(to(sink))
    patient = Patience(attempt=timedelta(seconds=10))
    lines = await outbox(ledger, sink, patient).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent"] * 5
    assert set(to(sink)) | already == {"m1", "m2", "m3", "m4", "m5"}


async def test_a_line_cut_before_the_answer_leads_to_identical_copies(
    ledger: MailLedger, sink: Sink, note: Note
) -> None:
    """Taken and not acknowledged, a mail goes out again: the same bytes, the same Message-ID. The others wait for
    nothing.
    """
    note(row="4", fault="connection cut after DATA, before 250")
    sink.cuts = 1
    patience = Patience(attempt=timedelta(seconds=10), first=timedelta(milliseconds=200))
    lines = await outbox(ledger, sink, patience).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent"] * 5
    assert to(sink) == ["m1", "m2", "m3", "m4", "m5", "m1"]
    assert sink.octets[0] == sink.octets[5]
    note(copies=1)


@pytest.mark.slow
async def test_a_mail_at_which_the_line_always_breaks_stops_nobody(ledger: MailLedger, note: Note) -> None:
    """A mail that makes a filter crash is a dead letter in the end, unreachable; the others have theirs."""
    note(row="4", fault="connection cut at one mail, always")

    class Crashing(Sink):
        async def _answer(self, verb: str, usual: str) -> str:
            return usual

        async def handle_RCPT(self, server, session, envelope, address, options):  # type: ignore[no-untyped-def]  # noqa: N802
            if address == "m2@example.jp":
                server.transport.abort()
            return await super().handle_RCPT(server, session, envelope, address, options)

    async with listening(Crashing()) as sink:
        patience = Patience(attempt=timedelta(seconds=10), first=timedelta(milliseconds=100), deferrals=2)
        lines = await outbox(ledger, sink, patience).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent", "dead", "sent", "sent", "sent"]
    assert lines[1].refusal == "unreachable"
    assert to(sink) == ["m1", "m3", "m4", "m5"]


async def test_a_domain_s_pace_lets_the_effect_give_way(ledger: MailLedger, sink: Sink, note: Note) -> None:
    """Two a minute: two go out, the rest waits for its turn and is no dead letter."""
    note(row="4", fault="more mails to one domain than its pace allows")
    patience = Patience(attempt=timedelta(), per_minute=2)
    with pytest.raises(MailWaits):
        await outbox(ledger, sink, patience).send(ISSUE, silently)
    assert to(sink) == ["m1", "m2"]
    assert await statuses(ledger) == ["sent", "sent", "pending", "pending", "pending"]


async def test_what_is_due_and_kept_by_an_earlier_mail_is_not_asked_for_without_end(
    ledger: MailLedger, sink: Sink
) -> None:
    """The effect gives way for half a minute, and says nothing to the server."""
    cancel = mail(1, sequence=1, method="CANCEL", issue="issue:2")
    await ledger.enqueue([cancel])
    lease, now = timedelta(minutes=1), datetime.now(UTC)
    held = await ledger.claim(ISSUE, limit=1, lease=lease, now=now)
    # Once put off itself, and due again, while the invitation before it was taken up anew.
    await ledger.mark_sent([held[0].message_id], now)
    await ledger.claim("issue:2", limit=1, lease=lease, now=now)
    await ledger.defer(cancel.message_id, now, "450")
    await ledger.mark_refused(held[0].message_id, "550")
    async with ledger._database.writing() as connection:
        which = mail_ledger.c.message_id == held[0].message_id
        await connection.execute(update(mail_ledger).where(which).values(status="pending"))
    with pytest.raises(MailWaits) as waits:
        await outbox(ledger, sink).send("issue:2", silently)
    assert waits.value.after == timedelta(seconds=30)
    assert sink.connections == 0


async def test_every_acceptance_is_noted_with_its_time(ledger: MailLedger, sink: Sink) -> None:
    """Several may share a commit; none is forgotten."""
    await ledger.enqueue([mail(number) for number in range(6, 100)])
    before = datetime.now(UTC)
    lines = await outbox(ledger, sink).send(ISSUE, silently)
    assert [line.status for line in lines] == ["sent"] * 99
    assert all(line.sent_at is not None and before <= line.sent_at <= datetime.now(UTC) for line in lines)
    assert len(sink.octets) == 99


class Sending:
    """Every effect at once: it sends what the ledger has of it."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox

    async def send(self, asked: CarryOutInput, alive: Callable[[], None]) -> RecordNotice:
        """Send, and say what became of it."""
        lines = await self._outbox.send(errand_of(asked), alive)
        count = Counter(line.status for line in lines)
        return RecordNotice(effect=asked.effect.key, sent=count["sent"], refused=count["dead"])

    issue_calendars = mail_letter = send_notice = render_document = resend_mail = sync_calendars = send


async def carried_out(outbox: Outbox, *, attempt: int, skipped_pauses: bool = False) -> Any:
    """Carry an effect out as Temporal would at one attempt of ten."""
    sending: Any = Sending(outbox)
    effects = Effects(sending, sending, sending, sending, sending, outbox, attempts=10, skipped_pauses=skipped_pauses)
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, attempt=attempt)
    delegation, _, key = ISSUE.partition(":")
    effect = Effect(key=key, kind="send_notice", seq=1)
    return await environment.run(effects.carry_out, CarryOutInput(delegation=delegation, effect=effect))


async def test_an_effect_whose_last_attempt_fails_says_whom_it_did_not_reach(ledger: MailLedger) -> None:
    """Its mails are dead letters then, and it ends with an outcome; before, it fails and is tried again."""
    sink = Sink()
    sink.port = free_port()
    with pytest.raises(ApplicationError) as failed:
        await carried_out(outbox(ledger, sink), attempt=9)
    assert (failed.value.type, failed.value.non_retryable) == ("MailServerUnavailable", False)
    assert await statuses(ledger) == ["pending"] * 5
    outcome = await carried_out(outbox(ledger, sink), attempt=10)
    assert (outcome["type"], outcome["sent"], outcome["refused"]) == ("record_notice", 0, 5)
    assert await statuses(ledger) == ["dead"] * 5


async def test_an_effect_that_waits_asks_to_be_tried_when_the_mail_is_due(ledger: MailLedger, sink: Sink) -> None:
    """However many attempts there were: what is put off has limits of its own."""
    sink.of_recipient["m2@example.jp"] = "450 4.2.0 grey-listed"
    with pytest.raises(ApplicationError) as waits:
        await carried_out(outbox(ledger, sink, LATER), attempt=10)
    assert (waits.value.type, waits.value.non_retryable) == ("MailWaits", False)
    assert waits.value.next_retry_delay is not None
    assert timedelta(seconds=50) < waits.value.next_retry_delay <= timedelta(minutes=1)
    assert await statuses(ledger) == ["sent", "pending", "sent", "sent", "sent"]


@pytest.mark.parametrize(("skipped_pauses", "final"), [(False, False), (True, True)])
async def test_a_store_that_is_away_gives_no_mail_up(
    ledger: MailLedger, sink: Sink, monkeypatch: pytest.MonkeyPatch, skipped_pauses: bool, final: bool
) -> None:
    """However many attempts a mail that waits has taken; only a clock that skips the pauses makes an end."""

    async def failing(self: MailLedger, errand: str) -> int:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(MailLedger, "release_all", failing)
    with pytest.raises(ApplicationError) as failed:
        await carried_out(outbox(ledger, sink), attempt=10, skipped_pauses=skipped_pauses)
    assert failed.value.non_retryable is final


async def test_nothing_is_handed_over_before_the_mail_before_it_is_noted(
    ledger: MailLedger, sink: Sink, monkeypatch: pytest.MonkeyPatch, note: Note
) -> None:
    """When the note fails, one mail is out that the ledger knows nothing of, and it alone goes out again."""
    note(row="4", fault="a store that fails between the server's acceptance and our note")
    noted = MailLedger.mark_sent

    async def failing(self: MailLedger, message_ids: Sequence[str], at: datetime) -> None:
        raise StoreUnavailable("locked")

    monkeypatch.setattr(MailLedger, "mark_sent", failing)
    with pytest.raises(StoreUnavailable):
        await outbox(ledger, sink).send(ISSUE, silently)
    assert to(sink) == ["m1"]
    monkeypatch.setattr(MailLedger, "mark_sent", noted)
    await outbox(ledger, sink).send(ISSUE, silently)
    assert to(sink) == ["m1", "m1", "m2", "m3", "m4", "m5"]
    assert sink.octets[0] == sink.octets[1]


async def test_an_attempt_that_is_cut_off_still_notes_what_was_taken(
    ledger: MailLedger, sink: Sink, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is asked to end leaves no mail behind that would go out twice."""
    noted, begun, go_on = MailLedger.mark_sent, asyncio.Event(), asyncio.Event()

    async def slowly(self: MailLedger, message_ids: Sequence[str], at: datetime) -> None:
        begun.set()
        await go_on.wait()
        await noted(self, message_ids, at)

    monkeypatch.setattr(MailLedger, "mark_sent", slowly)
    sending = asyncio.create_task(outbox(ledger, sink).send(ISSUE, silently))
    await begun.wait()
    sending.cancel()
    asyncio.get_running_loop().call_soon(go_on.set)
    with pytest.raises(asyncio.CancelledError):
        await sending
    assert await statuses(ledger) == ["sent", *["sending"] * 4]
    assert to(sink) == ["m1"]


@pytest.mark.parametrize(("deferrals", "minutes"), [(0, 1), (1, 2), (4, 16), (5, 32), (6, 60), (1000, 60)])
def test_each_pause_is_twice_as_long_up_to_an_hour(deferrals: int, minutes: int) -> None:
    """A minute first."""
    assert Patience().pause_after(deferrals) == timedelta(minutes=minutes)
