"""The register of people: their personal data under a key of their own, and the commitments that events carry."""

import json
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import pycountry
from pydantic import AfterValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError
from rapidfuzz import fuzz
from sqlalchemy import (
    Column,
    ColumnElement,
    ForeignKey,
    Integer,
    Row,
    Select,
    Table,
    and_,
    delete,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.canonical import canonical_json, commitment
from domain.folding import folded
from domain.mailbox import Address
from domain.values import Country, Language, PersonRef, Value, business_text
from storage.collection_rows import calendar_collections, calendar_resources
from storage.collections import forget_collection_of
from storage.data_keys import DataKeys, data_keys, person_key
from storage.engine import Database
from storage.idempotency import IdempotencyConflict, stored_key
from storage.keyring import DataKey, Keyring
from storage.metadata import Instant, Name, Secret, metadata, utc_now
from storage.references import new_reference
from storage.upsert import insert_into

SALT_BYTES = 32

TRAVEL_DETAILS = ("passport_number", "dietary", "needs")
"""What is needed for a visit and soon after it no longer."""

persons = Table(
    "persons",
    metadata,
    Column("ref", Name, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("idempotency_key", Name, unique=True),
    Column("body_mac", Name),
    Column("created_at", Instant, nullable=False),
    Column("claimed_at", Instant),
    Column("erased_at", Instant),
)

person_versions = Table(
    "person_versions",
    metadata,
    Column("ref", Name, ForeignKey("persons.ref", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("ciphertext", Secret, nullable=False),  # the 32 bytes of salt, then the details in canonical JSON
    Column("commitment", Name, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Column("pared_at", Instant),  # since when TRAVEL_DETAILS are gone from it
)


def known_country(code: str) -> str:
    """Return a country code of ISO 3166-1 alpha-2, or refuse one that is none."""
    if pycountry.countries.get(alpha_2=code) is None:
        raise PydanticCustomError("country_unknown", "{code} is not an ISO 3166-1 country code", {"code": code})
    return code


FullName = Annotated[str, Field(max_length=200), AfterValidator(business_text)]
GivenName = Annotated[str, Field(max_length=100), AfterValidator(business_text)]
Honorific = Annotated[str, Field(max_length=60), AfterValidator(business_text)]
Remark = Annotated[str, Field(max_length=500), AfterValidator(business_text)]
Phone = Annotated[str, StringConstraints(pattern=r"^\+?[0-9][0-9 ().-]{3,30}[0-9]$")]
PassportNumber = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{5,20}$", to_upper=True)]


class PersonDetails(Value):
    """Personal data of one person, as the passport and the person give it.

    `nationality` is ISO 3166-1 alpha-2, `language` the one letters to this person are written in, `function` what they
    are at their organisation, `needs` what else has to be seen to (steps, a medicine, a room for prayer).
    """

    full_name: FullName
    given_name: GivenName
    honorific: Honorific | None = None
    email: Address
    language: Language
    nationality: Annotated[Country, AfterValidator(known_country)]
    phone: Phone | None = None
    function: FullName | None = None
    passport_number: PassportNumber | None = None
    dietary: Remark | None = None
    needs: Remark | None = None


@dataclass(frozen=True)
class Person:
    """One version of a person's details; versions count from 1, `recorded_at` is wall time in UTC."""

    ref: str
    version: int
    commitment: str
    details: PersonDetails
    recorded_at: datetime

    @property
    def reference(self) -> PersonRef:
        """The reference and commitment that a command carries for this version."""
        return PersonRef(ref=self.ref, commitment=self.commitment)


@dataclass(frozen=True)
class Erased:
    """What is left of a person whose data were erased."""

    ref: str
    erased_at: datetime


class PersonErased(LookupError):
    """The person's data were erased; nothing can be added to them again."""


class UnknownPerson(LookupError):
    """The register has no such person."""


ALIKE = 70
"""Of 100, how much alike names are that may be one person's: somebody chooses among them."""


class Persons:
    """People by opaque reference; every version is encrypted under the person's own key."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def register(self, details: PersonDetails, *, idempotency_key: str | None = None) -> PersonRef:
        """Enter a person and return the reference and commitment for a command.

        The same idempotency key (made unique by the caller, for instance with the actor's id) with the same details
        returns the same reference; with other details it raises IdempotencyConflict.
        """
        ref, now = new_reference("per"), utc_now()
        content = _content(details)
        async with self._database.writing() as connection:
            key = DataKey.generate()
            row = {
                "ref": ref,
                "version": 1,
                "idempotency_key": stored_key(idempotency_key),
                "body_mac": key.mac(content),
                "created_at": now,
            }
            entered = await connection.execute(
                insert_into(connection, persons).values(row).on_conflict_do_nothing().returning(persons.c.ref)
            )
            if entered.one_or_none() is None:
                return await self._registered_before(connection, idempotency_key, content)
            await self._keys.put(connection, person_key(ref), key)
            return await _add_version(connection, key, ref, 1, content, now)

    async def enter(self, connection: AsyncConnection, people: Sequence[PersonDetails]) -> list[PersonRef]:
        """Enter several people in the caller's transaction, claimed at once, and return their references in order."""
        now = utc_now()
        rows, keys, versions, references = [], [], [], []
        for details in people:
            ref, key = new_reference("per"), DataKey.generate()
            version = _version(key, ref, 1, _content(details), now)
            subject = person_key(ref)
            wrapped = key.wrapped(self._keys.keyring, context=subject.encode())
            rows.append({"ref": ref, "version": 1, "created_at": now, "claimed_at": now})
            keys.append({"subject": subject, "wrapped": wrapped, "created_at": now})
            versions.append(version)
            references.append(PersonRef(ref=ref, commitment=version["commitment"]))
        if rows:
            await connection.execute(insert(persons), rows)
            await connection.execute(insert(data_keys), keys)
            await connection.execute(insert(person_versions), versions)
        return references

    async def get(self, ref: str) -> Person | Erased | None:
        """Return a person as last corrected, what is left of an erased one, or None for an unknown reference."""
        return (await self.get_many([ref])).get(ref)

    async def get_many(self, refs: Iterable[str]) -> dict[str, Person | Erased]:
        """Return the people that the register knows, each as last corrected, by reference."""
        wanted = _versions().where(persons.c.ref.in_(sorted(set(refs))))
        return {found.ref: found for found in await self._read(wanted)}

    async def called_like(self, name: str, *, limit: int = 30) -> list[Person]:
        """Return people whose names are much like a name, whatever its diacritics and the order of its parts, the most
        alike first. Names are encrypted: everybody's is read for it.
        """
        wanted = folded(name)
        people = [one for one in await self._read(_versions()) if isinstance(one, Person)]
        alike = [(fuzz.token_sort_ratio(wanted, folded(one.details.full_name)), one) for one in people]
        near = sorted((pair for pair in alike if pair[0] >= ALIKE), key=lambda pair: (-pair[0], pair[1].ref))
        return [one for _, one in near[:limit]]

    async def as_committed(self, reference: PersonRef) -> Person | Erased | None:
        """Return a person as they stood when a command carried this reference and commitment."""
        wanted = _versions(person_versions.c.commitment == reference.commitment).where(persons.c.ref == reference.ref)
        found = await self._read(wanted)
        return found[0] if found else None

    async def as_committed_each(self, references: Iterable[PersonRef]) -> dict[str, Person | Erased]:
        """Return people as they stood when commands carried these references and commitments, by reference."""
        wanted = {reference.ref: reference.commitment for reference in references}
        rows = _versions(person_versions.c.commitment.in_(sorted(wanted.values()))).where(
            persons.c.ref.in_(sorted(wanted))
        )
        return {found.ref: found for found in await self._read(rows)}

    async def every_version(self, ref: str) -> list[PersonDetails]:
        """Return what the register ever said of a person, the first version first; nothing of an erased one."""
        wanted = _versions(person_versions.c.version.is_not(None)).where(persons.c.ref == ref)
        found = await self._read(wanted.order_by(person_versions.c.version))
        return [one.details for one in found if isinstance(one, Person)]

    async def opening(self, reference: PersonRef) -> tuple[bytes, bytes] | None:
        """Return salt and content that open a commitment, or None when they were erased, or pared down.

        `domain.canonical.commitment(salt, content)` gives the commitment again: that is how anybody checks it.
        """
        wanted = _versions(person_versions.c.commitment == reference.commitment).where(persons.c.ref == reference.ref)
        async with self._database.reading() as connection:
            row = (await connection.execute(wanted)).one_or_none()
        return self._opened(row) if row is not None and row.version is not None and row.pared_at is None else None

    async def versions(self, ref: str) -> list[Person]:
        """Return every version of a person's details, the oldest first; none of somebody unknown or erased."""
        every = _versions(person_versions.c.version > 0).where(persons.c.ref == ref)
        found = await self._read(every.order_by(person_versions.c.version))
        return [one for one in found if isinstance(one, Person)]

    async def with_travel_details(self, connection: AsyncConnection, refs: Collection[str]) -> set[str]:
        """Return those of these people of whom some version has any of TRAVEL_DETAILS."""
        every = _versions(person_versions.c.version > 0).where(
            persons.c.ref.in_(sorted(refs)), person_versions.c.pared_at.is_(None), persons.c.erased_at.is_(None)
        )
        rows = (await connection.execute(every)).all()
        return {row.ref for row in rows if set(TRAVEL_DETAILS) & set(json.loads(self._opened(row)[1]))}

    async def pare(self, connection: AsyncConnection, refs: Collection[str], at: datetime) -> int:
        """Remove TRAVEL_DETAILS from every version of people, in the caller's transaction.

        Returns how many versions had any. The commitments of these versions stay and nothing opens them any more: a
        salt that stayed would let whoever has the rest guess what is gone.
        """
        every = _versions(person_versions.c.version > 0).where(
            persons.c.ref.in_(sorted(refs)), person_versions.c.pared_at.is_(None), persons.c.erased_at.is_(None)
        )
        pared = 0
        for row in (await connection.execute(every)).all():
            content = json.loads(self._opened(row)[1])
            left = {name: value for name, value in content.items() if name not in TRAVEL_DETAILS}
            if left == content:
                continue
            key = self._keys.keyring.unwrap(row.wrapped, context=person_key(row.ref).encode())
            plain = secrets.token_bytes(SALT_BYTES) + canonical_json(left)
            which = and_(person_versions.c.ref == row.ref, person_versions.c.version == row.version)
            await connection.execute(
                update(person_versions)
                .where(which)
                .values(ciphertext=key.encrypt(plain, context=_context(row.ref, row.version)), pared_at=at)
            )
            pared += 1
        return pared

    async def correct(self, ref: str, details: PersonDetails) -> PersonRef:
        """Add a new version of a person's details; the earlier ones stay readable by their commitment.

        Details equal to the last version add nothing. Raises UnknownPerson or PersonErased.
        """
        content = _content(details)
        async with self._database.writing() as connection:
            row = (
                await connection.execute(select(persons).where(persons.c.ref == ref).with_for_update())
            ).one_or_none()
            if row is None:
                raise UnknownPerson("the register has no such person")
            if row.erased_at is not None:
                raise PersonErased("the person was erased")
            last = (await connection.execute(_versions().where(persons.c.ref == ref))).one()
            if self._opened(last)[1] == content:
                return PersonRef(ref=ref, commitment=last.commitment)
            key = await self._keys.get(connection, person_key(ref))
            version = row.version + 1
            await connection.execute(update(persons).where(persons.c.ref == ref).values(version=version))
            return await _add_version(connection, key, ref, version, content, utc_now())

    async def erase(self, ref: str) -> Erased:
        """Delete every version of a person's details and destroy their key; the reference stays, marked as erased.

        Events keep reference and commitment, so the chain still verifies. Erasing again returns the first answer.
        Raises UnknownPerson. Copies outside the register (sent mail, backups made before) are not reached, except
        that whatever was encrypted under the person's key cannot be opened any more.
        """
        async with self._database.writing() as connection:
            row = (
                await connection.execute(select(persons).where(persons.c.ref == ref).with_for_update())
            ).one_or_none()
            if row is None:
                raise UnknownPerson("the register has no such person")
            if row.erased_at is not None:
                return Erased(ref, row.erased_at)
            now = utc_now()
            await connection.execute(delete(person_versions).where(person_versions.c.ref == ref))
            await connection.execute(update(persons).where(persons.c.ref == ref).values(body_mac=None, erased_at=now))
            await forget_collection_of(connection, ref)
            await self._keys.destroy(connection, person_key(ref), now)
        tables = (persons, person_versions, data_keys, calendar_collections, calendar_resources)
        await self._database.scrub([table.name for table in tables])
        return Erased(ref, now)

    async def _registered_before(
        self, connection: AsyncConnection, idempotency_key: str | None, content: bytes
    ) -> PersonRef:
        row = (
            await connection.execute(select(persons).where(persons.c.idempotency_key == stored_key(idempotency_key)))
        ).one()
        if row.erased_at is not None:
            raise PersonErased("the person entered under this idempotency key was erased")
        key = await self._keys.get(connection, person_key(row.ref))
        if key.mac(content) != row.body_mac:
            raise IdempotencyConflict
        first = select(person_versions.c.commitment).where(
            person_versions.c.ref == row.ref, person_versions.c.version == 1
        )
        return PersonRef(ref=row.ref, commitment=(await connection.execute(first)).scalar_one())

    async def _read(self, wanted: Select[Any]) -> list[Person | Erased]:
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [
            Erased(row.ref, row.erased_at)
            if row.erased_at is not None
            else Person(
                ref=row.ref,
                version=row.version,
                commitment=row.commitment,
                details=PersonDetails.model_validate_json(self._opened(row)[1]),
                recorded_at=row.recorded_at,
            )
            for row in rows
            if row.erased_at is not None or row.version is not None
        ]

    def _opened(self, row: Row[Any]) -> tuple[bytes, bytes]:
        key = self._keys.keyring.unwrap(row.wrapped, context=person_key(row.ref).encode())
        plain = key.decrypt(row.ciphertext, context=_context(row.ref, row.version))
        return plain[:SALT_BYTES], plain[SALT_BYTES:]


def _versions(*which: ColumnElement[bool]) -> Select[Any]:
    """Select people with one version each (the last one unless told), erased people with none."""
    one = which or (person_versions.c.version == persons.c.version,)
    return (
        select(
            persons.c.ref,
            persons.c.erased_at,
            person_versions.c.version,
            person_versions.c.commitment,
            person_versions.c.ciphertext,
            person_versions.c.recorded_at,
            person_versions.c.pared_at,
            data_keys.c.wrapped,
        )
        .join_from(persons, person_versions, and_(person_versions.c.ref == persons.c.ref, *one), isouter=True)
        .join(data_keys, data_keys.c.subject == literal(person_key("")) + persons.c.ref, isouter=True)
    )


async def _add_version(
    connection: AsyncConnection, key: DataKey, ref: str, version: int, content: bytes, now: datetime
) -> PersonRef:
    row = _version(key, ref, version, content, now)
    await connection.execute(insert(person_versions).values(row))
    return PersonRef(ref=ref, commitment=row["commitment"])


def _version(key: DataKey, ref: str, version: int, content: bytes, now: datetime) -> dict[str, Any]:
    salt = secrets.token_bytes(SALT_BYTES)
    return {
        "ref": ref,
        "version": version,
        "ciphertext": key.encrypt(salt + content, context=_context(ref, version)),
        "commitment": commitment(salt, content),
        "recorded_at": now,
    }


def _content(details: PersonDetails) -> bytes:
    return canonical_json(details.model_dump(mode="json", exclude_none=True))


def _context(ref: str, version: int) -> bytes:
    return f"{ref} {version}".encode()
