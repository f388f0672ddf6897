"""The register of rules editions, each named by its digest and never changed."""

from datetime import date

from sqlalchemy import Column, Date, Table, select

from domain.canonical import canonical_json
from domain.decision import SYSTEM
from domain.rules import Edition
from storage.engine import Database
from storage.metadata import Instant, Name, Words, metadata, utc_now
from storage.register_log import queue, record
from storage.upsert import insert_into

editions = Table(
    "editions",
    metadata,
    Column("id", Name, primary_key=True),
    Column("title", Words, nullable=False),
    Column("effective_from", Date, nullable=False),
    Column("body", Words, nullable=False),
    Column("adopted_at", Instant, nullable=False),
)


class UnknownEdition(LookupError):
    """The register has no edition of this digest, or none that is in force on a day."""


class EditionDamaged(ValueError):
    """An edition's body is not what its digest names."""


class Editions:
    """Editions by digest. They are immutable, so each is read from the database once."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, Edition] = {}

    async def put(self, edition: Edition, *, by: str = SYSTEM) -> str:
        """Enter an edition and return its digest; the same edition again changes nothing."""
        digest = edition.digest()
        row = {
            "id": digest,
            "title": edition.title.en,
            "effective_from": edition.effective_from,
            "body": canonical_json(edition.said()).decode(),
            "adopted_at": utc_now(),
        }
        async with self._database.writing() as connection:
            await queue(connection)
            entering = insert_into(connection, editions).values(row).on_conflict_do_nothing().returning(editions.c.id)
            if (await connection.execute(entering)).one_or_none() is not None:
                after = {"effective_from": edition.effective_from.isoformat()}
                await record(connection, "editions", "edition_entered", digest, by=by, after=after)
        return digest

    async def get(self, digest: str) -> Edition:
        """Return the edition of a digest; raises UnknownEdition, or EditionDamaged when the row was changed."""
        if digest not in self._known:
            async with self._database.reading() as connection:
                wanted = select(editions.c.body).where(editions.c.id == digest)
                body = (await connection.execute(wanted)).scalar_one_or_none()
            if body is None:
                raise UnknownEdition(f"there is no edition {digest}")
            edition = Edition.model_validate_json(body)
            if edition.digest() != digest:
                raise EditionDamaged(f"the edition {digest} was changed")
            self._known[digest] = edition
        return self._known[digest]

    async def effective(self, on: date) -> Edition:
        """Return the edition in force on a day: the latest to take effect by then, of two the one adopted last.

        Raises UnknownEdition when none had taken effect.
        """
        wanted = (
            select(editions.c.id)
            .where(editions.c.effective_from <= on)
            .order_by(editions.c.effective_from.desc(), editions.c.adopted_at.desc(), editions.c.id)
            .limit(1)
        )
        async with self._database.reading() as connection:
            digest = (await connection.execute(wanted)).scalar_one_or_none()
        if digest is None:
            raise UnknownEdition(f"no edition was in force on {on.isoformat()}")
        return await self.get(digest)

    async def digests(self) -> list[str]:
        """Return the digests of every edition, in the order of taking effect."""
        wanted = select(editions.c.id).order_by(editions.c.effective_from, editions.c.adopted_at, editions.c.id)
        async with self._database.reading() as connection:
            return list((await connection.execute(wanted)).scalars())
