"""The mail ledger: one line a message, one sender at a time, each mailbox's messages in their order."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest
from sqlalchemy import select

from storage.engine import Database
from storage.keyring import Keyring
from storage.mail_ledger import Count, Mail, MailLedger, Sending, mail_ledger
from storage.persons import Persons
from tests.storage.test_persons import SATO

NOW = datetime(2026, 3, 10, 2, 0, tzinfo=UTC)
LEASE = timedelta(minutes=1)
ISSUE = "issue:spring-visit:1"


def mail(
    number: int = 1,
    *,
    uid: str = "s1",
    sequence: int = 0,
    method: str = "REQUEST",
    issue: str = ISSUE,
    view: str = "v1",
    persons: tuple[str, ...] = (),
    mailbox: str | None = None,
) -> Mail:
    """Return a message to delegate `number`."""
    return Mail(
        uid=uid,
        sequence=sequence,
        method=method,
        view_hash=view,
        message_id=f"<{uid}.{sequence}.{method}.{number}.{view}@songlam.example>",
        delegation_id="spring-visit",
        issue=issue,
        kind="calendar",
        participants=(f"m{number}",),
        mailbox=mailbox or f"m{number}@example.jp",
        content=f"Subject: {uid}\r\n\r\n{number} {method} {sequence}".encode(),
        persons=persons,
    )


@pytest.fixture
def ledger(database: Database, keyring: Keyring) -> MailLedger:
    return MailLedger(database, keyring)


async def test_a_message_is_entered_once(ledger: MailLedger) -> None:
    """The same key again, alone or among new ones, is passed over."""
    first, second = mail(1), mail(2)
    assert await ledger.enqueue([first, second]) == [first.message_id, second.message_id]
    assert await ledger.enqueue([first, mail(3), second]) == [mail(3).message_id]
    assert await ledger.enqueue([]) == []
    assert await ledger.pending(ISSUE) == 3


async def test_upper_case_does_not_make_another_mailbox(ledger: MailLedger) -> None:
    """Anna@ and anna@ are one recipient."""
    assert len(await ledger.enqueue([mail(1, mailbox="Anna@example.jp")])) == 1
    assert await ledger.enqueue([mail(1, mailbox="anna@example.jp")]) == []


async def test_a_claimed_message_comes_with_its_frozen_bytes(ledger: MailLedger) -> None:
    """Mailbox and content as they were entered, in the order they were entered."""
    mails = [mail(number) for number in range(1, 120)]
    await ledger.enqueue(mails)
    claimed = await ledger.claim(ISSUE, limit=200, lease=LEASE, now=NOW)
    assert [(one.mailbox, one.content, one.attempt) for one in claimed] == [(m.mailbox, m.content, 1) for m in mails]
    assert claimed[4].participants == ("m5",)


async def test_mailbox_and_content_stand_encrypted(ledger: MailLedger, database: Database) -> None:
    """Who reads the database learns neither who was written to nor what."""
    await ledger.enqueue([mail(1)])
    async with database.reading() as connection:
        row = (await connection.execute(select(mail_ledger))).one()
    assert b"example.jp" not in row.mailbox
    assert b"Subject" not in row.content
    assert "example" not in row.mailbox_hash


async def test_what_one_sender_holds_no_other_gets_until_the_lease_ends(ledger: MailLedger) -> None:
    """A sender that died loses its messages; the next attempt sends the same bytes."""
    await ledger.enqueue([mail(1), mail(2)])
    first = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    assert await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW + LEASE - timedelta(seconds=1)) == []
    again = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW + LEASE)
    assert [one.content for one in again] == [one.content for one in first]
    assert [one.attempt for one in again] == [2, 2]


async def test_messages_given_back_can_be_claimed_at_once(ledger: MailLedger) -> None:
    """After a failure that passes, and after a sender that is known to be dead."""
    await ledger.enqueue([mail(1), mail(2)])
    held = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    await ledger.mark_sent([held[0].message_id], NOW)
    await ledger.release([one.message_id for one in held])
    again = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    assert [one.message_id for one in again] == [held[1].message_id]
    assert await ledger.release_all(ISSUE) == 1
    assert len(await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)) == 1


async def test_a_cancel_never_overtakes_the_request_before_it(ledger: MailLedger) -> None:
    """The later message of an item to a mailbox waits until the earlier one is sent or refused, in whatever issue."""
    request, cancel = mail(1), mail(1, sequence=1, method="CANCEL", issue="issue:2")
    await ledger.enqueue([request])
    await ledger.enqueue([cancel, mail(2, sequence=1, method="CANCEL", issue="issue:2")])
    now_possible = await ledger.claim("issue:2", limit=10, lease=LEASE, now=NOW)
    assert [one.participants for one in now_possible] == [("m2",)]
    await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    assert await ledger.claim("issue:2", limit=10, lease=LEASE, now=NOW) == []
    await ledger.mark_sent([request.message_id], NOW)
    assert [one.method for one in await ledger.claim("issue:2", limit=10, lease=LEASE, now=NOW)] == ["CANCEL"]


async def test_a_refused_request_does_not_hold_its_cancel_for_ever(ledger: MailLedger) -> None:
    """Refused is as settled as sent."""
    await ledger.enqueue([mail(1), mail(1, sequence=1, method="CANCEL")])
    held = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    assert [one.method for one in held] == ["REQUEST"]
    await ledger.mark_refused(held[0].message_id, "550")
    assert [one.method for one in await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)] == ["CANCEL"]


async def test_a_message_that_is_put_off_waits_and_the_others_go(ledger: MailLedger) -> None:
    """Nobody gets it before its time, which is on record; from then on anybody does."""
    later = NOW + timedelta(minutes=5)
    await ledger.enqueue([mail(1), mail(2)])
    first, second = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    await ledger.defer(first.message_id, later, "450", "4.2.0")
    await ledger.mark_sent([second.message_id], NOW)
    assert await ledger.claim(ISSUE, limit=10, lease=LEASE, now=later - timedelta(seconds=1)) == []
    assert await ledger.next_attempt(ISSUE) == later
    assert await ledger.pending(ISSUE) == 1
    (entry, _) = await ledger.of_issue(ISSUE)
    assert (entry.status, entry.refusal, entry.status_code, entry.next_attempt_at) == ("pending", "450", "4.2.0", later)
    (again,) = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=later)
    assert (again.message_id, again.attempt, again.deferrals) == (first.message_id, 2, 1)


async def test_a_message_that_is_put_off_holds_its_cancel_and_nobody_else_s(ledger: MailLedger) -> None:
    """Order is kept for one mailbox and item alone."""
    await ledger.enqueue([mail(1), mail(1, sequence=1, method="CANCEL"), mail(1, uid="s2")])
    held = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    assert [one.uid for one in held] == ["s1", "s2"]
    await ledger.mark_sent([held[1].message_id], NOW)
    await ledger.defer(held[0].message_id, NOW + LEASE, "450")
    assert await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW) == []
    # Its CANCEL may be claimed whenever the message before it is settled, so nobody knows when.
    assert await ledger.next_attempt(ISSUE) is None


async def test_what_is_given_up_is_a_dead_letter(ledger: MailLedger) -> None:
    """It is not tried again, holds up nothing, and says what the server said last."""
    await ledger.enqueue([mail(1), mail(1, sequence=1, method="CANCEL")])
    (one,) = await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)
    await ledger.give_up(one.message_id, "450", "4.2.0")
    assert [line.status for line in await ledger.of_issue(ISSUE)] == ["dead", "pending"]
    assert [one.method for one in await ledger.claim(ISSUE, limit=10, lease=LEASE, now=NOW)] == ["CANCEL"]
    assert await ledger.release_all(ISSUE) == 1
    assert await ledger.bury(ISSUE) == 1
    assert [(line.status, line.refusal) for line in await ledger.of_issue(ISSUE)] == [
        ("dead", "450"),
        ("dead", "unreachable"),
    ]


async def test_only_what_is_old_enough_is_buried(ledger: MailLedger) -> None:
    """Hours are counted from when a message was entered."""
    await ledger.enqueue([mail(1)])
    (line,) = await ledger.of_issue(ISSUE)
    assert await ledger.bury(ISSUE, entered_before=line.enqueued_at) == 0
    assert await ledger.bury(ISSUE, entered_before=line.enqueued_at + timedelta(seconds=1)) == 1


async def test_each_domain_has_a_pace_and_the_others_go_on(ledger: MailLedger) -> None:
    """Three a minute to one domain, over all issues and senders; the rest when a minute has passed."""
    slow = [mail(number, mailbox=f"m{number}@Slow.example") for number in range(1, 6)]
    other = [mail(number, mailbox=f"m{number}@other.example") for number in range(6, 8)]
    await ledger.enqueue([*slow, *other])
    await ledger.enqueue([mail(9, issue="issue:2", mailbox="m9@slow.example")])

    async def claim(issue: str, at: datetime) -> list[str]:
        claimed = await ledger.claim(issue, limit=10, lease=LEASE, now=at, per_minute=3)
        await ledger.mark_sent([one.message_id for one in claimed], at)
        return [one.participants[0] for one in claimed]

    assert await claim(ISSUE, NOW) == ["m1", "m2", "m3", "m6", "m7"]
    assert await claim(ISSUE, NOW + timedelta(seconds=59)) == []
    assert await claim("issue:2", NOW + timedelta(seconds=59)) == []
    assert await claim("issue:2", NOW + timedelta(seconds=61)) == ["m9"]
    assert await claim(ISSUE, NOW + timedelta(seconds=61)) == ["m4", "m5"]


async def test_a_full_domain_does_not_hide_the_others_behind_it(ledger: MailLedger) -> None:
    """However many messages to it stand first in line."""
    await ledger.enqueue([mail(number, mailbox=f"m{number}@slow.example") for number in range(1, 60)])
    await ledger.enqueue([mail(60, mailbox="m60@other.example")])
    await ledger.claim(ISSUE, limit=5, lease=LEASE, now=NOW, per_minute=5)
    claimed = await ledger.claim(ISSUE, limit=5, lease=LEASE, now=NOW, per_minute=5)
    assert [one.participants for one in claimed] == [("m60",)]


async def test_what_was_sent_stays_sent(ledger: MailLedger) -> None:
    """A late refusal, a late release and a second note change nothing but what is true."""
    await ledger.enqueue([mail(1)])
    (one,) = await ledger.claim(ISSUE, limit=1, lease=LEASE, now=NOW)
    await ledger.mark_sent([one.message_id], NOW)
    await ledger.mark_refused(one.message_id, "550")
    await ledger.release([one.message_id])
    (entry,) = await ledger.of_issue(ISSUE)
    assert (entry.status, entry.sent_at, entry.refusal, entry.attempts) == ("sent", NOW, None, 1)
    assert await ledger.pending(ISSUE) == 0


async def test_many_senders_at_once_share_the_messages(store_url: str, keyring: Keyring) -> None:
    """Four processes claim small bursts: every message goes to exactly one of them."""
    stores = [Database(store_url) for _ in range(4)]
    await MailLedger(stores[0], keyring).enqueue([mail(number) for number in range(60)])

    async def send(store: Database) -> list[str]:
        mine: list[str] = []
        ledger = MailLedger(store, keyring)
        while claimed := await ledger.claim(ISSUE, limit=3, lease=LEASE, now=NOW):
            mine += [one.message_id for one in claimed]
            await ledger.mark_sent([one.message_id for one in claimed], NOW)
        return mine

    try:
        shares = await asyncio.gather(*(send(store) for store in stores))
        # With rows locked by others passed over, a sender may stop early; nothing is lost by that.
        rest = await send(stores[0])
        sent = [message_id for share in (*shares, rest) for message_id in share]
        assert sorted(sent) == sorted(mail(number).message_id for number in range(60))
    finally:
        for store in stores:
            await store.close()


async def test_the_same_messages_from_two_processes_are_entered_once(store_url: str, keyring: Keyring) -> None:
    """An activity that is tried again while its first attempt still runs."""
    stores = [Database(store_url) for _ in range(3)]
    mails = [mail(number) for number in range(60)]
    try:
        entered = await asyncio.gather(*(MailLedger(store, keyring).enqueue(mails) for store in stores))
        assert sorted(chain.from_iterable(entered)) == sorted(one.message_id for one in mails)
        assert await MailLedger(stores[0], keyring).pending(ISSUE) == 60
    finally:
        for store in stores:
            await store.close()


async def test_an_erased_persons_messages_cannot_be_read_or_sent(database: Database, keyring: Keyring) -> None:
    """Also one that was for two people: either key opens nothing alone. The line itself stays."""
    persons, ledger = Persons(database, keyring), MailLedger(database, keyring)
    gone, stays = await persons.register(SATO), await persons.register(SATO)
    shared = mail(3, persons=(stays.ref, gone.ref))
    await ledger.enqueue([mail(1, persons=(gone.ref,)), mail(2, persons=(stays.ref,)), shared])
    await persons.erase(gone.ref)
    assert [one.participants for one in await ledger.claim(ISSUE, limit=9, lease=LEASE, now=NOW)] == [("m2",)]
    assert [(line.participants, line.status, line.refusal) for line in await ledger.of_issue(ISSUE)] == [
        (("m1",), "refused", "erased"),
        (("m2",), "sending", None),
        (("m3",), "refused", "erased"),
    ]


async def test_a_message_for_somebody_erased_is_entered_as_refused(database: Database, keyring: Keyring) -> None:
    """The others of the issue go their way."""
    persons, ledger = Persons(database, keyring), MailLedger(database, keyring)
    gone = await persons.register(SATO)
    await persons.erase(gone.ref)
    mails = [mail(1, persons=(gone.ref,)), mail(2)]
    assert await ledger.enqueue(mails) == [mails[1].message_id]
    assert await ledger.enqueue(mails) == []
    assert [(line.status, line.refusal) for line in await ledger.of_issue(ISSUE)] == [
        ("refused", "erased"),
        ("pending", None),
    ]


async def test_counts_tell_messages_and_mailboxes_apart(ledger: MailLedger) -> None:
    """14 items to 2 mailboxes are 28 messages."""
    await ledger.enqueue([mail(number, uid=f"s{item}") for item in range(14) for number in (1, 2)])
    await ledger.enqueue([mail(1, uid="s1", sequence=1, method="CANCEL", issue="issue:2")])
    claimed = await ledger.claim(ISSUE, limit=1, lease=LEASE, now=NOW)
    await ledger.mark_sent([claimed[0].message_id], NOW)
    assert sorted(await ledger.counts("spring-visit"), key=lambda count: (count.issue, count.status)) == [
        Count("issue:2", "calendar", "CANCEL", "pending", 1, 1),
        Count(ISSUE, "calendar", "REQUEST", "pending", 27, 2),
        Count(ISSUE, "calendar", "REQUEST", "sent", 1, 1),
    ]
    assert await ledger.counts("autumn-visit") == []


async def test_who_was_told_what_of_an_item_is_on_record(ledger: MailLedger) -> None:
    """Every message of its UID, with the instant it was accepted."""
    await ledger.enqueue([mail(1), mail(2), mail(1, uid="s2")])
    await ledger.enqueue([mail(1, sequence=1, view="v2", issue="issue:2")])
    for issue in (ISSUE, "issue:2"):
        for one in await ledger.claim(issue, limit=9, lease=LEASE, now=NOW):
            await ledger.mark_sent([one.message_id], NOW)
    told = await ledger.told("spring-visit", "s1")
    assert [(line.participants, line.sequence, line.view_hash, line.sent_at) for line in told] == [
        (("m1",), 0, "v1", NOW),
        (("m2",), 0, "v1", NOW),
        (("m1",), 1, "v2", NOW),
    ]
    assert len(await ledger.of_delegation("spring-visit")) == 4


def test_a_message_shows_nothing_in_a_repr() -> None:
    """Logs print values; addresses and content stay out."""
    shown = repr(mail(1, mailbox="hidden@example.jp"))
    assert "hidden@" not in shown
    assert "Subject" not in shown


async def test_how_far_a_sending_is_counts_mailboxes_that_have_everything(ledger: MailLedger) -> None:
    """Of two messages to one mailbox both have to leave; refused is not waiting; what was put off is said."""
    assert await ledger.sending("spring-visit") == Sending(mailboxes=0, done=0, put_off=0, messages=0)
    mails = [mail(1), mail(1, uid="s2"), mail(2), mail(3), mail(4)]
    await ledger.enqueue(mails)
    marks = [await ledger.mark("spring-visit")]
    await ledger.mark_sent([mails[0].message_id, mails[2].message_id], NOW)
    marks.append(await ledger.mark("spring-visit"))
    await ledger.mark_refused(mails[3].message_id, "550")
    marks.append(await ledger.mark("spring-visit"))
    assert await ledger.sending("spring-visit") == Sending(mailboxes=4, done=2, put_off=0, messages=2)
    claimed = await ledger.claim(ISSUE, limit=9, lease=LEASE, now=NOW)
    await ledger.defer(claimed[0].message_id, NOW + LEASE, "451")
    marks.append(await ledger.mark("spring-visit"))
    assert await ledger.sending("spring-visit") == Sending(mailboxes=4, done=2, put_off=1, messages=2)
    assert len(set(marks)) == 4
    assert (await ledger.sending("autumn-visit")).mailboxes == 0
