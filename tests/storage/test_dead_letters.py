"""Dead letters: what did not arrive is listed, sent again in the same bytes, and known when it comes back."""

from datetime import UTC, datetime, timedelta

import pytest

from domain.decision import Posted
from storage.cursors import BadCursor
from storage.dead_letters import DeadLetterFilters, DeadLetters
from storage.engine import Database
from storage.keyring import Keyring
from storage.mail_ledger import Mail, MailLedger
from storage.persons import Persons
from storage.projection import Projection
from tests.storage.streams import a_whole_file
from tests.storage.test_mail_ledger import ISSUE, LEASE, NOW, mail
from tests.storage.test_persons import SATO

RESEND = "spring-visit:resend:9"


@pytest.fixture
def ledger(database: Database, keyring: Keyring) -> MailLedger:
    return MailLedger(database, keyring)


@pytest.fixture
async def letters(database: Database, keyring: Keyring) -> DeadLetters:
    """The dead letters of a store in which the file `spring-visit` is open."""
    await Projection(database).project("spring-visit", a_whole_file())
    return DeadLetters(database, keyring)


async def undelivered(ledger: MailLedger, *mails: Mail) -> None:
    """Enter messages: the first is refused, the second given up, the third returned, all others sent."""
    await ledger.enqueue(mails)
    claimed = await ledger.claim(mails[0].issue, limit=50, lease=LEASE, now=NOW)
    await ledger.mark_sent([one.message_id for one in claimed[2:]], NOW)
    await ledger.mark_refused(claimed[0].message_id, "550", "5.1.1")
    await ledger.give_up(claimed[1].message_id, "450", "4.2.0")


async def listed(letters: DeadLetters, **filters: object) -> list[tuple[tuple[str, ...], str]]:
    page = await letters.page(DeadLetterFilters(**filters))  # type: ignore[arg-type]
    return [(one.entry.participants, one.entry.status) for one in page.items]


async def test_what_did_not_arrive_is_listed_the_newest_first(ledger: MailLedger, letters: DeadLetters) -> None:
    """By file, by state, and within the files that somebody may see; what arrived is not among it."""
    await undelivered(ledger, *(mail(number) for number in range(1, 5)))
    await letters.note_bounce(mail(3).message_id, ["m3@example.jp"], "5.2.2", NOW)
    assert await listed(letters) == [(("m3",), "bounced"), (("m2",), "dead"), (("m1",), "refused")]
    assert await listed(letters, status="dead") == [(("m2",), "dead")]
    assert await listed(letters, delegation="autumn-visit") == []
    assert await listed(letters, within=frozenset({"somewhere-else"})) == []
    (one, *_) = (await letters.page()).items
    assert (one.delegation_id, one.entry.status_code, one.entry.bounced_at, one.superseded) == (
        "spring-visit",
        "5.2.2",
        NOW,
        False,
    )


async def test_pages_follow_each_other_while_letters_come_and_go(ledger: MailLedger, letters: DeadLetters) -> None:
    """The cursor names the last line seen; one that this list did not give is refused."""
    await ledger.enqueue([mail(number) for number in range(1, 6)])
    await ledger.bury(ISSUE)
    first = await letters.page(limit=2)
    await letters.take_up(RESEND, [mail(4).message_id], NOW)
    second = await letters.page(limit=2, cursor=first.next_cursor)
    third = await letters.page(limit=2, cursor=second.next_cursor)
    assert [[one.entry.participants[0] for one in page.items] for page in (first, second, third)] == [
        ["m5", "m4"],
        ["m3", "m2"],
        ["m1"],
    ]
    assert third.next_cursor is None
    for bad in ("AAAA", "", "WyIyMiIsIjEiXQ", "WyItMSJd"):
        with pytest.raises(BadCursor):
            await letters.page(cursor=bad)


async def test_taken_up_again_the_same_bytes_go_out(ledger: MailLedger, letters: DeadLetters) -> None:
    """Under the same Message-ID, with attempts to spend; once for each resending, whatever becomes of it."""
    await undelivered(ledger, mail(1), mail(2), mail(3))
    again = [mail(1).message_id, mail(2).message_id, mail(3).message_id]
    assert [one.message_id for one in await letters.left_for(RESEND, "spring-visit", again)] == again[:2]
    assert await letters.left_for(RESEND, "autumn-visit", again) == []
    await letters.take_up(RESEND, again, NOW)
    assert await letters.left_for(RESEND, "spring-visit", again) == []
    claimed = await ledger.claim(RESEND, limit=9, lease=LEASE, now=NOW)
    assert [(one.message_id, one.content, one.deferrals) for one in claimed] == [
        (mail(number).message_id, mail(number).content, 0) for number in (1, 2)
    ]
    assert await ledger.pending(ISSUE) == 0
    await ledger.mark_sent([claimed[0].message_id], NOW)
    await ledger.give_up(claimed[1].message_id, None)
    await letters.take_up(RESEND, again, NOW)
    assert [(line.status, line.refusal) for line in await ledger.of_errand(RESEND)] == [
        ("sent", None),
        ("dead", "unreachable"),
    ]
    await letters.take_up("spring-visit:resend:12", again, NOW)
    assert await ledger.pending("spring-visit:resend:12") == 1


async def test_a_decision_learns_what_it_has_to_know(ledger: MailLedger, letters: DeadLetters) -> None:
    """Of a message of that delegation alone: who it is for, whether it arrived, and whether its time is over."""
    await undelivered(ledger, mail(1), mail(2), mail(3))
    await ledger.enqueue([mail(2, sequence=1, view="v2", issue="issue:2")])
    ids = [mail(number).message_id for number in (1, 2, 3, 4)]
    assert await letters.posted("spring-visit", ids) == (
        Posted(message_id=ids[0], participants=("m1",), undelivered=True),
        Posted(message_id=ids[1], participants=("m2",), undelivered=True, superseded=True),
        Posted(message_id=ids[2], participants=("m3",), undelivered=False),
    )
    assert await letters.posted("autumn-visit", ids) == ()


async def test_a_later_message_that_did_not_arrive_either_supersedes_nothing(
    ledger: MailLedger, letters: DeadLetters
) -> None:
    """Both may be sent again, in their order."""
    await ledger.enqueue([mail(1), mail(1, sequence=1, method="CANCEL")])
    await ledger.bury(ISSUE)
    ids = [mail(1).message_id, mail(1, sequence=1, method="CANCEL").message_id]
    assert [one.superseded for one in await letters.posted("spring-visit", ids)] == [False, False]
    await letters.take_up(RESEND, ids, NOW)
    assert [one.method for one in await ledger.claim(RESEND, limit=9, lease=LEASE, now=NOW)] == ["REQUEST"]


async def test_what_was_sent_to_a_corrected_mailbox_leaves_the_list(ledger: MailLedger, letters: DeadLetters) -> None:
    """It is done with: neither listed nor sent again."""
    await undelivered(ledger, mail(1), mail(2))
    await letters.replace(mail(1).message_id, "<new@songlam.example>")
    assert await listed(letters) == [(("m2",), "dead")]
    (posted,) = await letters.posted("spring-visit", [mail(1).message_id])
    assert not posted.undelivered
    entry = (await ledger.of_issue(ISSUE))[1]
    assert await letters.is_to(entry, ["other@example.jp", "M2@example.jp"])
    assert not await letters.is_to(entry, ["other@example.jp"])


async def test_a_bounce_is_noted_once_and_only_for_the_mailbox_it_went_to(
    ledger: MailLedger, letters: DeadLetters
) -> None:
    """An unknown Message-ID, another mailbox and a message that never went out are somebody's invention."""
    await undelivered(ledger, mail(1), mail(2), mail(3))
    sent, later = mail(3).message_id, NOW + timedelta(hours=1)
    assert await letters.note_bounce("<unknown@songlam.example>", ["m3@example.jp"], "5.1.1", NOW) is None
    assert await letters.note_bounce(sent, ["m2@example.jp"], "5.1.1", NOW) is None
    assert await letters.note_bounce(sent, [], "5.1.1", NOW) is None
    assert await letters.note_bounce(mail(1).message_id, ["m1@example.jp"], "5.1.1", NOW) is None
    for at, status in ((NOW, "5.1.1"), (later, "5.2.2")):
        found = await letters.note_bounce(sent, ["M3@Example.jp", "else@example.jp"], status, at)
        assert found is not None
        delegation, entry = found
        assert (delegation, entry.status, entry.status_code, entry.bounced_at, entry.sent_at) == (
            "spring-visit",
            "bounced",
            "5.1.1",
            NOW,
            NOW,
        )
    await ledger.mark_sent([sent], later)
    assert [line.status for line in await ledger.of_issue(ISSUE)] == ["refused", "dead", "bounced"]


async def test_what_was_for_somebody_erased_is_nobody_s_to_send(
    database: Database, keyring: Keyring, ledger: MailLedger, letters: DeadLetters
) -> None:
    """It is not listed, and a resending leaves it alone."""
    persons = Persons(database, keyring)
    gone = await persons.register(SATO)
    await ledger.enqueue([mail(1, persons=(gone.ref,))])
    await persons.erase(gone.ref)
    await ledger.claim(ISSUE, limit=1, lease=LEASE, now=datetime.now(UTC))
    assert await listed(letters) == []
    (posted,) = await letters.posted("spring-visit", [mail(1).message_id])
    assert posted.erased
    await letters.take_up(RESEND, [mail(1).message_id], NOW)
    assert await ledger.pending(RESEND) == 0
