"""The register of feeds and personal pages: whose they are, and the secret addresses that lead to them.

A token is 256 bits derived from a master key, the subject and a generation: it can be said again in a later mail, and
is kept nowhere. The register keeps its SHA-256, by which it is found. A new generation makes another token, and the
one before leads nowhere from then on. Times are wall time in UTC.
"""

import base64
import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, Self

from sqlalchemy import Column, Date, Integer, Row, Table, UniqueConstraint, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json
from domain.decision import SYSTEM
from storage.accounts import digest_of_secret
from storage.engine import Database
from storage.keyring import Keyring, UnknownMasterKey
from storage.metadata import Instant, Name, metadata, utc_now
from storage.persons import persons
from storage.references import new_reference
from storage.register_log import queue, record
from storage.upsert import insert_into

Kind = Literal["participant", "page", "person", "delegation", "account"]

TOKEN_LENGTH = 43
"""Characters of a token: 32 bytes in URL-safe base64, without padding."""

feeds = Table(
    "feeds",
    metadata,
    Column("id", Name, primary_key=True),
    Column("kind", Name, nullable=False),
    Column("subject", Name, nullable=False),
    Column("delegation", Name, index=True),
    Column("person", Name, index=True),
    Column("generation", Integer, nullable=False),
    Column("key_id", Name, nullable=False),
    Column("digest", Name, nullable=False, unique=True),
    Column("made_at", Instant, nullable=False),
    Column("made_by", Name, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Column("fetched_on", Date),
    UniqueConstraint("kind", "subject"),
)


@dataclass(frozen=True)
class Subject:
    """What a feed shows. `name` is the participant, the person, the delegation or the account.

    `participant` is one person's own view of one delegation, and `page` the page about it; `person` the same over all
    files that the person is on; `delegation` what the office sees of one file, `account` of all in somebody's reach.
    """

    kind: Kind
    name: str
    delegation: str | None = None
    person: str | None = None

    @classmethod
    def participant(cls, delegation: str, participant: str, person: str) -> Self:
        """One person's view of one delegation; `person` is the reference behind the participant."""
        return cls("participant", participant, delegation, person)

    @classmethod
    def page(cls, delegation: str, participant: str, person: str) -> Self:
        """One person's page about one delegation."""
        return cls("page", participant, delegation, person)

    @classmethod
    def of_person(cls, person: str) -> Self:
        """One person's view of every file that they are on."""
        return cls("person", person, None, person)

    @classmethod
    def of_delegation(cls, delegation: str) -> Self:
        """What the office sees of one file."""
        return cls("delegation", delegation, delegation)

    @classmethod
    def of_account(cls, account: str) -> Self:
        """What the office sees of every file within the reach of an account."""
        return cls("account", account)

    @property
    def key(self) -> str:
        """What is unique among the feeds of a kind; no id holds a blank."""
        owned = self.kind in ("participant", "page")
        return f"{self.delegation} {self.person} {self.name}" if owned else self.name


@dataclass(frozen=True)
class Feed:
    """An entry of the register. `fetched_on` is the day on which it was last fetched, in UTC."""

    id: str
    subject: Subject
    generation: int
    key_id: str
    made_at: datetime
    made_by: str
    changed_at: datetime
    revoked_at: datetime | None
    fetched_on: date | None


class Feeds:
    """Feeds by id, by subject, and by the token of the generation that is good."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keyring = keyring

    async def make(self, subject: Subject, *, by: str) -> Feed:
        """Return the feed of a subject, new if there is none; one that was revoked begins again with another token."""
        async with self._database.writing() as connection:
            await queue(connection)
            known = await self._one(connection, feeds.c.kind == subject.kind, feeds.c.subject == subject.key)
            if known is None:
                [made] = await self._enter(connection, [subject], by=by)
                return made
            if known.revoked_at is None:
                return known
            return await self._turn(connection, known, "feed_made", by=by)

    async def ensure(self, subjects: Sequence[Subject]) -> dict[Subject, Feed]:
        """Return the feeds of subjects that are good, new ones where there were none, made by the system.

        What somebody has revoked stays revoked, and is not among them.
        """
        if not subjects:
            return {}
        async with self._database.reading() as connection:
            known = await self._of(connection, subjects)
        missing = [one for one in dict.fromkeys(subjects) if one not in known]
        if missing:
            async with self._database.writing() as connection:
                await queue(connection)
                known = await self._of(connection, subjects)
                entered = await self._enter(connection, [one for one in missing if one not in known], by=SYSTEM)
            known |= {one.subject: one for one in entered}
        return {subject: one for subject, one in known.items() if one.revoked_at is None}

    async def rotate(self, feed: str, *, by: str) -> Feed | None:
        """Give a feed another token, also one that was revoked; None when there is none of this id."""
        async with self._database.writing() as connection:
            await queue(connection)
            known = await self._one(connection, feeds.c.id == feed)
            return None if known is None else await self._turn(connection, known, "feed_rotated", by=by)

    async def revoke(self, feed: str, *, by: str) -> Feed | None:
        """Let a feed's token lead nowhere; one that was revoked stays as it is. None when there is none of this id."""
        async with self._database.writing() as connection:
            await queue(connection)
            known = await self._one(connection, feeds.c.id == feed)
            if known is None or known.revoked_at is not None:
                return known
            now = utc_now()
            await connection.execute(
                update(feeds).where(feeds.c.id == feed).values(revoked_at=now, changed_at=now, fetched_on=None)
            )
            await record(
                connection, "feeds", "feed_revoked", feed, by=by, before=_said(known.subject, known.generation)
            )
            return await self._one(connection, feeds.c.id == feed)

    async def get(self, feed: str) -> Feed | None:
        """Return a feed by its id, revoked or not."""
        async with self._database.reading() as connection:
            return await self._one(connection, feeds.c.id == feed)

    async def of(
        self, *, delegation: str | None = None, person: str | None = None, account: str | None = None
    ) -> list[Feed]:
        """Return the feeds of a delegation, of a person or of an account, revoked ones too, in the order of making."""
        wanted = select(feeds).order_by(feeds.c.made_at, feeds.c.id)
        if delegation is not None:
            wanted = wanted.where(feeds.c.delegation == delegation)
        if person is not None:
            wanted = wanted.where(feeds.c.person == person)
        if account is not None:
            wanted = wanted.where(feeds.c.kind == "account", feeds.c.subject == account)
        async with self._database.reading() as connection:
            return [_feed(row) for row in (await connection.execute(wanted)).all()]

    async def found_by(self, token: str, *kinds: Kind) -> Feed | None:
        """Return the feed that a token leads to, of one of these kinds.

        None for an unknown or revoked one, and where the person behind it was erased. Tokens are looked up by their
        SHA-256, so how long it takes says nothing about another one.
        """
        digest = digest_of_secret(token)
        wanted = (
            select(feeds)
            .join(persons, persons.c.ref == feeds.c.person, isouter=True)
            .where(
                feeds.c.digest == digest,
                feeds.c.kind.in_(kinds),
                feeds.c.revoked_at.is_(None),
                or_(feeds.c.person.is_(None), persons.c.erased_at.is_(None)),
            )
        )
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        genuine = hmac.compare_digest(row.digest if row else digest_of_secret(""), digest)
        return _feed(row) if row is not None and genuine else None

    async def led_to_erased(self, token: str) -> bool:
        """Whether a token once led to somebody whose data were erased: whoever has it may know that it is over."""
        wanted = (
            select(feeds.c.id)
            .join(persons, persons.c.ref == feeds.c.person)
            .where(feeds.c.digest == digest_of_secret(token), persons.c.erased_at.is_not(None))
        )
        async with self._database.reading() as connection:
            return (await connection.execute(wanted)).one_or_none() is not None

    async def fetched(self, feed: Feed, on: date) -> None:
        """Note on which day a feed was fetched; nothing is written when that is known."""
        if feed.fetched_on is not None and feed.fetched_on >= on:
            return
        async with self._database.writing() as connection:
            await connection.execute(update(feeds).where(feeds.c.id == feed.id).values(fetched_on=on))

    def token_of(self, feed: Feed) -> str | None:
        """Return the token of a feed's generation; None for a revoked one, and where its master key is gone."""
        if feed.revoked_at is not None:
            return None
        try:
            return self._token(feed.key_id, feed.id, feed.subject, feed.generation)
        except UnknownMasterKey:
            return None

    def _token(self, key_id: str, feed: str, subject: Subject, generation: int) -> str:
        content = canonical_json([feed, subject.kind, subject.key, generation])
        return base64.urlsafe_b64encode(self._keyring.derive(key_id, b"feed\x00" + content)).decode().rstrip("=")

    async def _enter(self, connection: AsyncConnection, subjects: Iterable[Subject], *, by: str) -> list[Feed]:
        entered, now, key_id = [], utc_now(), self._keyring.newest
        for subject in subjects:
            feed = new_reference("fee")
            row = {
                "id": feed,
                "kind": subject.kind,
                "subject": subject.key,
                "delegation": subject.delegation,
                "person": subject.person,
                "generation": 1,
                "key_id": key_id,
                "digest": digest_of_secret(self._token(key_id, feed, subject, 1)),
                "made_at": now,
                "made_by": by,
                "changed_at": now,
            }
            await connection.execute(insert_into(connection, feeds).values(row))
            await record(connection, "feeds", "feed_made", feed, by=by, after=_said(subject, 1))
            entered.append(Feed(feed, subject, 1, key_id, now, by, now, None, None))
        return entered

    async def _turn(self, connection: AsyncConnection, known: Feed, change: str, *, by: str) -> Feed:
        now, key_id, generation = utc_now(), self._keyring.newest, known.generation + 1
        values = {
            "generation": generation,
            "key_id": key_id,
            "digest": digest_of_secret(self._token(key_id, known.id, known.subject, generation)),
            "changed_at": now,
            "revoked_at": None,
            "fetched_on": None,
        }
        await connection.execute(update(feeds).where(feeds.c.id == known.id).values(values))
        before, after = _said(known.subject, known.generation), _said(known.subject, generation)
        await record(connection, "feeds", change, known.id, by=by, before=before, after=after)
        return Feed(known.id, known.subject, generation, key_id, known.made_at, known.made_by, now, None, None)

    async def _one(self, connection: AsyncConnection, *which: Any) -> Feed | None:
        row = (await connection.execute(select(feeds).where(*which))).one_or_none()
        return None if row is None else _feed(row)

    async def _of(self, connection: AsyncConnection, subjects: Sequence[Subject]) -> dict[Subject, Feed]:
        keys = {(one.kind, one.key) for one in subjects}
        wanted = select(feeds).where(tuple_(feeds.c.kind, feeds.c.subject).in_(sorted(keys)))
        return {one.subject: one for row in (await connection.execute(wanted)).all() for one in (_feed(row),)}


def _said(subject: Subject, generation: int) -> dict[str, Any]:
    """Return what the log says of a feed: references, and never a token or its digest."""
    named = {"delegation": subject.delegation, "person": subject.person}
    said = {name: value for name, value in named.items() if value is not None}
    return {"kind": subject.kind, "name": subject.name, "generation": generation, **said}


def _feed(row: Row[Any]) -> Feed:
    subject = Subject(row.kind, row.subject.rpartition(" ")[2], row.delegation, row.person)
    return Feed(
        id=row.id,
        subject=subject,
        generation=row.generation,
        key_id=row.key_id,
        made_at=row.made_at,
        made_by=row.made_by,
        changed_at=row.changed_at,
        revoked_at=row.revoked_at,
        fetched_on=row.fetched_on,
    )
