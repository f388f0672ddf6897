"""Feeds: a token is derived, kept nowhere, and good for one generation."""

import base64
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from storage.accounts import digest_of_secret
from storage.engine import Database
from storage.feeds import TOKEN_LENGTH, Feed, Feeds, Subject
from storage.feeds import feeds as feeds_table
from storage.keyring import Keyring, MasterKey
from storage.persons import PersonDetails, Persons
from storage.register_log import RegisterLog, register_log

KIM = Subject.participant("tokyo-2026", "kim", "per_aaaaaaaa")
PAGE = Subject.page("tokyo-2026", "kim", "per_aaaaaaaa")
OFFICE = Subject.of_delegation("tokyo-2026")
LAN = Subject.of_account("lan")
DAY = datetime(2026, 3, 25, 9, 0, tzinfo=UTC).date()


@pytest.fixture
def feeds(database: Database, keyring: Keyring) -> Feeds:
    """The register on each engine."""
    return Feeds(database, keyring)


def token(feeds: Feeds, feed: Feed) -> str:
    """The token of a feed that has one."""
    found = feeds.token_of(feed)
    assert found is not None
    return found


async def everything(database: Database) -> str:
    """Every row of the register and of its log, as one text."""
    async with database.reading() as connection:
        rows = [(await connection.execute(select(table))).all() for table in (feeds_table, register_log)]
    return "\n".join(str(tuple(row)) for found in rows for row in found)


async def test_a_token_has_256_bits_and_leads_to_its_feed(feeds: Feeds) -> None:
    """Whoever has it needs nothing else."""
    made = await feeds.make(KIM, by="lan")
    secret = token(feeds, made)
    assert len(secret) == TOKEN_LENGTH
    assert len(base64.urlsafe_b64decode(secret + "=")) == 32
    assert await feeds.found_by(secret, "participant") == made


async def test_a_token_is_not_kept_and_can_be_said_again(feeds: Feeds, database: Database, keyring: Keyring) -> None:
    """The store has its SHA-256 alone; another process with the same key says the same."""
    secret = token(feeds, await feeds.make(KIM, by="lan"))
    kept = await everything(database)
    assert digest_of_secret(secret) in kept
    assert secret not in kept
    again = Feeds(database, keyring)
    assert token(again, await again.make(KIM, by="hung")) == secret


async def test_the_same_feed_is_made_once(feeds: Feeds) -> None:
    """Asked for again it is the one that is there, whoever asks."""
    assert await feeds.make(KIM, by="lan") == await feeds.make(KIM, by="hung")


async def test_each_subject_has_a_token_of_its_own(feeds: Feeds) -> None:
    """Who is given a calendar cannot guess the page, nor the calendar of anybody else."""
    other = Subject.participant("tokyo-2026", "sato", "per_bbbbbbbb")
    made = [
        await feeds.make(one, by="lan") for one in (KIM, PAGE, OFFICE, LAN, other, Subject.of_person("per_aaaaaaaa"))
    ]
    assert len({token(feeds, one) for one in made}) == 6


async def test_a_token_opens_only_what_it_is_for(feeds: Feeds) -> None:
    """The address of a calendar, which programs and their makers learn, opens no page."""
    secret = token(feeds, await feeds.make(KIM, by="lan"))
    assert await feeds.found_by(secret, "page") is None
    assert await feeds.found_by(secret, "person", "delegation", "account") is None
    assert await feeds.found_by("x" * TOKEN_LENGTH, "participant") is None
    assert await feeds.found_by("", "participant") is None


async def test_a_rotated_token_leads_nowhere_and_the_new_one_does(feeds: Feeds) -> None:
    """One generation at a time."""
    before = await feeds.make(KIM, by="lan")
    after = await feeds.rotate(before.id, by="lan")
    assert after is not None
    assert (after.id, after.generation) == (before.id, 2)
    assert await feeds.found_by(token(feeds, before), "participant") is None
    assert await feeds.found_by(token(feeds, after), "participant") == after


async def test_a_revoked_feed_stays_revoked_until_somebody_makes_it_anew(feeds: Feeds) -> None:
    """The system, which makes feeds for mails, does not bring it back; and the old token never comes back."""
    before = await feeds.make(KIM, by="lan")
    secret = token(feeds, before)
    revoked = await feeds.revoke(before.id, by="hung")
    assert revoked is not None
    assert revoked.revoked_at is not None
    assert feeds.token_of(revoked) is None
    assert await feeds.found_by(secret, "participant") is None
    assert await feeds.revoke(before.id, by="lan") == revoked
    assert await feeds.ensure([KIM]) == {}
    anew = await feeds.make(KIM, by="lan")
    assert token(feeds, anew) != secret
    assert await feeds.found_by(secret, "participant") is None
    assert await feeds.found_by(token(feeds, anew), "participant") == anew


async def test_what_is_not_there_cannot_be_changed(feeds: Feeds) -> None:
    """None says so."""
    assert await feeds.rotate("fee_none", by="lan") is None
    assert await feeds.revoke("fee_none", by="lan") is None
    assert await feeds.get("fee_none") is None


async def test_many_are_ensured_at_once(feeds: Feeds) -> None:
    """Those that are there, and new ones for the rest, one each though they are named twice."""
    known = await feeds.make(KIM, by="lan")
    found = await feeds.ensure([KIM, PAGE, PAGE])
    assert set(found) == {KIM, PAGE}
    assert found[KIM] == known
    assert (found[PAGE].made_by, found[PAGE].generation) == ("system", 1)
    assert await feeds.ensure([KIM, PAGE]) == found
    assert await feeds.ensure([]) == {}


async def test_an_erased_person_has_no_feed(feeds: Feeds, database: Database, keyring: Keyring) -> None:
    """With the person goes every address that led to what they were to see."""
    people = Persons(database, keyring)
    person = await people.register(
        PersonDetails(
            full_name="Satō Haruka", given_name="Haruka", email="s@tokyo.example", language="en", nationality="JP"
        )
    )
    subject = Subject.participant("tokyo-2026", "sato", person.ref)
    secret = token(feeds, await feeds.make(subject, by="lan"))
    assert await feeds.found_by(secret, "participant") is not None
    await people.erase(person.ref)
    assert await feeds.found_by(secret, "participant") is None


async def test_a_new_master_key_leaves_the_tokens_that_were_given(database: Database, keyring: Keyring) -> None:
    """Each entry names the key it was derived from; where that is gone the token cannot be said, and is still good."""
    old, new = MasterKey.of(bytes(range(32))), MasterKey.generate()
    before = Feeds(database, keyring)
    made = await before.make(KIM, by="lan")
    secret = token(before, made)
    both = Feeds(database, Keyring([new, old]))
    assert token(both, made) == secret
    without = Feeds(database, Keyring([new]))
    assert without.token_of(made) is None
    assert await without.found_by(secret, "participant") == made
    rotated = await without.rotate(made.id, by="lan")
    assert rotated is not None
    assert rotated.key_id == new.id
    assert len(token(without, rotated)) == TOKEN_LENGTH


async def test_feeds_are_listed_by_what_they_are_about(feeds: Feeds) -> None:
    """Of a delegation, of a person, of an account, revoked ones too."""
    kim, page, office, lan = [await feeds.make(one, by="lan") for one in (KIM, PAGE, OFFICE, LAN)]
    of_person = await feeds.make(Subject.of_person("per_aaaaaaaa"), by="lan")
    revoked = await feeds.revoke(page.id, by="lan")
    assert await feeds.of(delegation="tokyo-2026") == [kim, revoked, office]
    assert await feeds.of(person="per_aaaaaaaa") == [kim, revoked, of_person]
    assert await feeds.of(account="lan") == [lan]


async def test_the_day_of_the_last_fetch_is_noted_once_a_day(feeds: Feeds) -> None:
    """Coarse: who lives with a calendar is nobody's concern by the minute."""
    made = await feeds.make(KIM, by="lan")
    assert made.fetched_on is None
    await feeds.fetched(made, DAY)
    after = await feeds.get(made.id)
    assert after is not None
    assert after.fetched_on == DAY
    await feeds.fetched(after, DAY)
    assert await feeds.get(made.id) == after


async def test_who_made_rotated_and_revoked_stands_in_the_log(feeds: Feeds, database: Database) -> None:
    """By references, without a token or what it is found by."""
    made = await feeds.make(KIM, by="lan")
    await feeds.rotate(made.id, by="hung")
    await feeds.revoke(made.id, by="mai")
    log = RegisterLog(database)
    entries = await log.entries("feeds")
    assert [(one.type, one.actor, one.command_id) for one in entries] == [
        ("feed_made", "lan", made.id),
        ("feed_rotated", "hung", made.id),
        ("feed_revoked", "mai", made.id),
    ]
    said = {"kind": "participant", "name": "kim", "delegation": "tokyo-2026", "person": "per_aaaaaaaa"}
    assert entries[0].data == {"after": {**said, "generation": 1}}
    assert entries[1].data == {"before": {**said, "generation": 1}, "after": {**said, "generation": 2}}
    assert (await log.verify("feeds")).seq == 3
