"""The register of received mail: each mail once, attempts counted beforehand, and who can still read it."""

from datetime import timedelta

import pytest

from storage.answering import Answering
from storage.cursors import BadCursor
from storage.engine import Database
from storage.keyring import Keyring
from storage.mail_ledger import Mail, MailLedger
from storage.metadata import utc_now
from storage.persons import PersonDetails, Persons
from storage.projection import Projection
from storage.received_mail import MOST_ATTEMPTS, Arrived, Filed, ReceivedMail
from storage.register_log import RegisterLog
from tests.storage.streams import opened, sealed

MAILBOX = "lich@mail.example/INBOX"


@pytest.fixture
def register(database: Database, keyring: Keyring) -> ReceivedMail:
    """The register of the store."""
    return ReceivedMail(database, keyring)


def mail(uid: int, *, message_id: str | None = None, body: bytes = b"body", reason: str | None = None) -> Arrived:
    """A mail with a Message-ID of its own."""
    known = f"<{uid}@client.example>" if message_id is None else message_id
    return Arrived(uid=uid, message_id=known, body=body, octets=b"head\r\n\r\n" + body, reason=reason)


async def test_a_mail_is_entered_once_however_often_it_comes(register: ReceivedMail) -> None:
    """By its Message-ID, without one by its body; in a mailbox that was numbered anew too."""
    assert await register.place(MAILBOX) is None
    first = [mail(1), mail(2, message_id="", body=b"nameless")]
    assert len(await register.take(MAILBOX, 7, 3, first)) == 2
    assert await register.place(MAILBOX) == (7, 3)
    again = [mail(4, message_id="<1@client.example>"), mail(5, message_id="", body=b"nameless")]
    assert await register.take(MAILBOX, 7, 5, again) == []
    assert await register.take(MAILBOX, 8, 2, first) == []
    assert await register.place(MAILBOX) == (8, 2)


async def test_a_known_message_id_with_another_body_is_for_a_person(register: ReceivedMail) -> None:
    """Nobody can keep an answer from being read by sending something else under its name first."""
    await register.take(MAILBOX, 7, 1, [mail(1)])
    (ref,) = await register.take(MAILBOX, 7, 2, [mail(2, message_id="<1@client.example>", body=b"other")])
    letter = await register.get(ref)
    assert letter is not None
    assert (letter.outcome, letter.reason, letter.octets) == ("review", "message_id_repeated", b"head\r\n\r\nother")


async def test_a_mail_that_brings_everybody_down_goes_to_people(register: ReceivedMail) -> None:
    """Each attempt is counted before it is made, and waits longer than the one before."""
    (ref,) = await register.take(MAILBOX, 7, 1, [mail(1)])
    now = utc_now()
    for attempt in range(1, MOST_ATTEMPTS + 1):
        (waiting,) = await register.due(now, limit=10)
        assert (waiting.ref, waiting.attempt, waiting.octets) == (ref, attempt, b"head\r\n\r\nbody")
        assert await register.due(now + timedelta(seconds=4), limit=10) == []
        now += timedelta(seconds=5 * 2 ** (attempt - 1))
    assert await register.due(now, limit=10) == []
    letter = await register.get(ref)
    assert letter is not None
    assert (letter.outcome, letter.reason, letter.attempts) == ("review", "given_up", MOST_ATTEMPTS)


async def test_a_mail_whose_file_is_away_waits_without_being_counted(register: ReceivedMail) -> None:
    """However often."""
    await register.take(MAILBOX, 7, 1, [mail(1)])
    now = utc_now()
    for _ in range(MOST_ATTEMPTS * 2):
        (waiting,) = await register.due(now, limit=10)
        assert waiting.attempt == 1
        await register.later(waiting.ref, now, timedelta(seconds=30))
        assert await register.due(now + timedelta(seconds=29), limit=10) == []
        now += timedelta(seconds=30)


async def test_who_is_erased_takes_along_what_they_wrote(
    register: ReceivedMail, database: Database, keyring: Keyring
) -> None:
    """Once it is known whose answer it is; the line itself stays."""
    persons = Persons(database, keyring)
    details = PersonDetails(
        full_name="Itō Haruka", given_name="Haruka", email="ito@tokyo.example", language="en", nationality="JP"
    )
    person = (await persons.register(details)).ref
    (ref,) = await register.take(MAILBOX, 7, 1, [mail(1)])
    await register.file(ref, Filed("review", "reply", "reply_stale", "visit", "monday", ("ito",), (person,)))
    letter = await register.get(ref)
    assert letter is not None
    assert (letter.delegation_id, letter.item_id, letter.participants) == ("visit", "monday", ("ito",))
    assert letter.octets == b"head\r\n\r\nbody"
    await persons.erase(person)
    letter = await register.get(ref)
    assert letter is not None
    assert (letter.reason, letter.octets) == ("reply_stale", b"")
    # One that comes afterwards is not kept readable either.
    (late,) = await register.take(MAILBOX, 7, 2, [mail(2)])
    await register.file(late, Filed("review", "reply", "not_invited", "visit", "monday", ("ito",), (person,)))
    letter = await register.get(late)
    assert letter is not None
    assert letter.octets == b""


async def test_a_dismissed_mail_is_gone_with_its_key_and_who_dismissed_it_is_recorded(
    register: ReceivedMail, database: Database
) -> None:
    """Once; the second one hears that it is no longer in the queue."""
    (ref,) = await register.take(MAILBOX, 7, 1, [mail(1, reason="mail_too_large")])
    assert await register.close(ref, "dismissed", by="lan")
    assert not await register.close(ref, "dismissed", by="mai")
    letter = await register.get(ref)
    assert letter is not None
    assert (letter.outcome, letter.settled_by, letter.octets) == ("dismissed", "lan", b"")
    (entry,) = await RegisterLog(database).entries("received_mail")
    assert (entry.type, entry.command_id, entry.actor) == ("mail_dismissed", ref, "lan")
    assert entry.data == {"after": {"delegation": None, "reason": "mail_too_large"}}


async def test_the_queue_shows_each_reader_the_files_in_their_reach(register: ReceivedMail, database: Database) -> None:
    """The oldest first, page by page; what is about no file only to those whose reach has no end."""
    projection = Projection(database)
    for name, organisation in (("visit", "song-lam"), ("trip", "hue")):
        await projection.project(name, sealed(name, [opened(name, organisation=organisation)]))
    refs = await register.take(MAILBOX, 7, 3, [mail(1), mail(2), mail(3)])
    for ref, file in zip(refs, ("visit", "trip", None), strict=True):
        await register.file(ref, Filed("review", "reply", "sender_unknown", file))

    async def shown(within: frozenset[str] | None, **more: str) -> list[str]:
        return [one.ref for one in (await register.queue(within=within, limit=10, **more)).items]

    assert await shown(None) == refs
    assert await shown(frozenset({"song-lam"})) == refs[:1]
    assert await shown(frozenset({"song-lam", "hue"})) == refs[:2]
    assert await shown(None, delegation="trip") == refs[1:2]
    page = await register.queue(within=None, limit=2)
    assert page.next_cursor is not None
    rest = await register.queue(within=None, limit=2, cursor=page.next_cursor)
    assert ([one.ref for one in (*page.items, *rest.items)], rest.next_cursor) == (refs, None)
    with pytest.raises(BadCursor):
        await register.queue(within=None, limit=2, cursor="AAAA")


async def test_what_settled_mails_said_is_forgotten_after_a_while(register: ReceivedMail) -> None:
    """What waits for a person is kept."""
    first, second = await register.take(MAILBOX, 7, 2, [mail(1), mail(2)])
    await register.file(first, Filed("recorded", "reply", None, "visit", "monday", ("ito",)))
    await register.file(second, Filed("review", "reply", "reply_stale", "visit", "monday", ("ito",)))
    later = utc_now() + timedelta(days=1)
    assert [await register.forget(later), await register.forget(later)] == [1, 0]
    letters = [await register.get(ref) for ref in (first, second)]
    assert [one.octets for one in letters if one] == [b"", b"head\r\n\r\nbody"]


async def test_the_ledger_knows_who_stands_behind_an_address(database: Database, keyring: Keyring) -> None:
    """By the last message to it about the item; and sends that one again, at most once an hour."""
    ledger, answering = MailLedger(database, keyring), Answering(database, keyring)
    uid = "monday.visit@hoihuunghi.example"
    assert await answering.last_told(uid, "ito@tokyo.example") is None

    def message(sequence: int, method: str = "REQUEST") -> Mail:
        return Mail(
            uid=uid,
            sequence=sequence,
            method=method,
            view_hash=str(sequence),
            message_id=f"<{sequence}@hoihuunghi.example>",
            delegation_id="visit",
            issue=f"visit:calendars:{sequence + 1}",
            kind="itinerary_request",
            participants=("ito",),
            mailbox="Ito@tokyo.example",
            content=b"mail",
        )

    await ledger.enqueue([message(0), message(1)])
    assert await answering.delegation_of(uid) == "visit"
    assert await answering.delegation_of("tuesday.visit@hoihuunghi.example") is None
    told = await answering.last_told(uid, "ITO@tokyo.example")
    assert told is not None
    assert (told.sequence, told.participants, told.status) == (1, ("ito",), "pending")
    now = utc_now()
    assert not await answering.once_more(told, "refresh:rcv_1", sent_before=now)
    await ledger.mark_sent(["<1@hoihuunghi.example>"], now - timedelta(minutes=10))
    assert not await answering.once_more(told, "refresh:rcv_1", sent_before=now - timedelta(hours=1))
    assert await answering.once_more(told, "refresh:rcv_1", sent_before=now)
    assert await ledger.pending("refresh:rcv_1") == 1
