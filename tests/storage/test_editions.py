"""The register of rules editions."""

from datetime import date

import pytest
from sqlalchemy import select, update

from domain.canonical import sha256_hex
from domain.rules import Edition
from storage.editions import EditionDamaged, Editions, UnknownEdition, editions
from storage.engine import Database
from tests.rulebook import edition


async def test_an_edition_is_read_by_its_digest(database: Database) -> None:
    """The same edition comes back, in a process that did not enter it."""
    digest = await Editions(database).put(edition())
    found = await Editions(database).get(digest)
    assert found == edition()
    assert found.digest() == digest


async def test_the_same_edition_twice_is_one(database: Database) -> None:
    """Every start enters the shipped edition."""
    register = Editions(database)
    assert await register.put(edition()) == await register.put(edition())
    assert await register.digests() == [edition().digest()]


async def test_the_latest_edition_to_take_effect_is_in_force(database: Database) -> None:
    """From its first day on, whichever was entered first."""
    register = Editions(database)
    start = edition().effective_from
    later = edition().model_copy(update={"effective_from": date(start.year + 1, 7, 1)})
    later = type(later).model_validate(later.model_dump())
    await register.put(later)
    await register.put(edition())
    assert await register.effective(date(start.year + 1, 6, 30)) == edition()
    assert await register.effective(date(start.year + 1, 7, 1)) == later
    with pytest.raises(UnknownEdition):
        await register.effective(date(start.year - 1, 1, 1))


async def test_an_unknown_edition_is_said_to_be_unknown(database: Database) -> None:
    """A decision must not go on with other rules."""
    with pytest.raises(UnknownEdition):
        await Editions(database).get("0" * 64)


async def test_an_edition_that_was_changed_in_the_database_is_refused(database: Database) -> None:
    """Its digest is its identity."""
    digest = await Editions(database).put(edition())
    changed = edition().model_dump_json().replace('"returns_for_incompleteness":1', '"returns_for_incompleteness":9')
    async with database.writing() as connection:
        await connection.execute(update(editions).values(body=changed))
    with pytest.raises(EditionDamaged):
        await Editions(database).get(digest)


async def test_an_edition_keeps_its_name_when_a_release_adds_an_optional_field(database: Database) -> None:
    """Open files name the edition they are under, and must find it after an upgrade."""

    class EditionOfALaterRelease(Edition):
        added_later: tuple[str, ...] = ("something",)

    digest = await Editions(database).put(edition())
    async with database.reading() as connection:
        body = (await connection.execute(select(editions.c.body))).scalar_one()
    assert sha256_hex(body.encode()) == digest
    later = EditionOfALaterRelease.model_validate_json(body)
    assert later.added_later == ("something",)
    assert later.digest() == digest
