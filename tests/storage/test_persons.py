"""The register of people: details under a key of their own, versions by commitment, erasure that reaches everything."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from domain.canonical import commitment
from domain.values import PersonRef
from storage.data_keys import count_keys, rewrap
from storage.engine import Database
from storage.idempotency import IdempotencyConflict
from storage.keyring import Keyring, MasterKey, UnknownMasterKey
from storage.persons import Erased, Person, PersonDetails, PersonErased, Persons, UnknownPerson

SATO = PersonDetails(
    full_name="SATO KEIKO",
    given_name="Keiko",
    honorific="Ms",
    email="Keiko.Sato@Example.JP",
    language="en",
    nationality="JP",
    phone="+81 3 1234 5678",
    passport_number="tz1234567",
    dietary="no pork",
    needs="no stairs",
)
MARRIED = SATO.model_copy(update={"full_name": "TANAKA KEIKO"})


@pytest.fixture
def persons(database: Database, keyring: Keyring) -> Persons:
    return Persons(database, keyring)


async def test_a_registered_person_is_read_again(persons: Persons) -> None:
    """Details come back as they were normalised, version 1."""
    reference = await persons.register(SATO)
    person = await persons.get(reference.ref)
    assert isinstance(person, Person)
    assert person.details.email == "Keiko.Sato@example.jp"
    assert person.details.passport_number == "TZ1234567"
    assert person.details == SATO
    assert (person.version, person.reference) == (1, reference)


async def test_references_are_opaque_and_differ(persons: Persons) -> None:
    """The same details twice give two people, and no commitment shows that they are equal."""
    first, second = await persons.register(SATO), await persons.register(SATO)
    assert first.ref != second.ref
    assert first.commitment != second.commitment
    assert len(first.ref) == 4 + 26


async def test_a_commitment_opens_to_the_details_it_was_made_of(persons: Persons) -> None:
    """Salt and content give the commitment again; that is how a third party checks it."""
    reference = await persons.register(SATO)
    opening = await persons.opening(reference)
    assert opening is not None
    salt, content = opening
    assert commitment(salt, content) == reference.commitment
    assert PersonDetails.model_validate_json(content) == SATO


async def test_a_correction_adds_a_version_and_keeps_the_earlier_one(persons: Persons) -> None:
    """What a command referred to stays what it was."""
    before = await persons.register(SATO)
    after = await persons.correct(before.ref, MARRIED)
    now = await persons.get(before.ref)
    then = await persons.as_committed(before)
    assert isinstance(now, Person)
    assert isinstance(then, Person)
    assert (now.version, now.details.full_name, now.commitment) == (2, "TANAKA KEIKO", after.commitment)
    assert (then.version, then.details.full_name) == (1, "SATO KEIKO")
    assert await persons.as_committed(PersonRef(ref=before.ref, commitment="0" * 64)) is None


async def test_a_correction_that_corrects_nothing_adds_nothing(persons: Persons) -> None:
    """The same details again give the same commitment."""
    reference = await persons.register(SATO)
    assert await persons.correct(reference.ref, SATO) == reference


async def test_the_same_request_twice_registers_once(persons: Persons) -> None:
    """An idempotency key with the same body gives the first answer, also after a correction."""
    first = await persons.register(SATO, idempotency_key="linh/1")
    await persons.correct(first.ref, MARRIED)
    assert await persons.register(SATO, idempotency_key="linh/1") == first
    with pytest.raises(IdempotencyConflict):
        await persons.register(MARRIED, idempotency_key="linh/1")


async def test_the_same_request_many_times_at_once_registers_once(persons: Persons, database: Database) -> None:
    """Twenty at the same moment: one reference, one key."""
    references = await asyncio.gather(*(persons.register(SATO, idempotency_key="linh/2") for _ in range(20)))
    assert len(set(references)) == 1
    assert await count_keys(database) == 1


async def test_an_erased_person_is_gone_for_good(persons: Persons, database: Database) -> None:
    """The reference stays and says so; nothing can be read, corrected or registered again under it."""
    reference = await persons.register(SATO, idempotency_key="linh/3")
    await persons.correct(reference.ref, MARRIED)
    erased = await persons.erase(reference.ref)
    assert await persons.get(reference.ref) == erased == Erased(reference.ref, erased.erased_at)
    assert await persons.as_committed(reference) == erased
    assert await persons.opening(reference) is None
    assert await persons.erase(reference.ref) == erased
    assert await count_keys(database) == 0
    with pytest.raises(PersonErased):
        await persons.correct(reference.ref, SATO)
    with pytest.raises(PersonErased):
        await persons.register(SATO, idempotency_key="linh/3")


async def test_neither_the_files_nor_the_wrapped_key_survive_an_erasure(
    tmp_path: Path, sqlite_template: Path, keyring: Keyring
) -> None:
    """SQLite's file and write-ahead log hold no ciphertext of the person and no wrapped key any more."""
    path = tmp_path / "erased.db"
    await asyncio.to_thread(lambda: path.write_bytes(sqlite_template.read_bytes()))
    database = Database(f"sqlite:///{path}")
    persons = Persons(database, keyring)
    reference = await persons.register(SATO)
    async with database.reading() as connection:
        wrapped = (await connection.exec_driver_sql("SELECT wrapped FROM data_keys")).scalar_one()
        ciphertext = (await connection.exec_driver_sql("SELECT ciphertext FROM person_versions")).scalar_one()

    def on_disk() -> bytes:
        return b"".join(file.read_bytes() for file in sorted(tmp_path.glob("erased.db*")))

    before = await asyncio.to_thread(on_disk)
    assert wrapped in before
    assert ciphertext in before
    assert b"SATO" not in before
    await persons.erase(reference.ref)
    after = await asyncio.to_thread(on_disk)
    await database.close()
    assert wrapped not in after
    assert ciphertext not in after


async def test_an_unknown_reference_is_said_to_be_unknown(persons: Persons) -> None:
    """None when reading, an error when changing."""
    assert await persons.get("per_absent0000") is None
    with pytest.raises(UnknownPerson):
        await persons.correct("per_absent0000", SATO)
    with pytest.raises(UnknownPerson):
        await persons.erase("per_absent0000")


async def test_many_people_are_read_at_once(persons: Persons) -> None:
    """By reference, the erased ones marked, unknown ones absent."""
    first, second = await persons.register(SATO), await persons.register(MARRIED)
    await persons.erase(second.ref)
    found = await persons.get_many([first.ref, second.ref, "per_absent0000"])
    assert {ref: type(entry) for ref, entry in found.items()} == {first.ref: Person, second.ref: Erased}


async def test_data_keys_follow_the_newest_master_key(database: Database) -> None:
    """After rewrapping, the old master key is not needed any more."""
    old, new = MasterKey.generate(), MasterKey.generate()
    references = [await Persons(database, Keyring([old])).register(SATO) for _ in range(3)]
    with pytest.raises(UnknownMasterKey):
        await Persons(database, Keyring([new])).get(references[0].ref)
    assert await rewrap(database, Keyring([new, old])) == 3
    assert await rewrap(database, Keyring([new, old])) == 0
    found = await Persons(database, Keyring([new])).get(references[0].ref)
    assert isinstance(found, Person)
    assert found.details == SATO


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("email", "keiko@example.jp\r\nBcc: all@example.jp", "address_name_malformed"),
        ("email", "keiko", "address_without_at"),
        ("email", "a@example.jp, b@example.jp", "address_name_malformed"),
        ("nationality", "XX", "country_unknown"),
        ("nationality", "Japan", "string_pattern_mismatch"),
        ("full_name", "SATO\u202eOKIEK", "text_has_direction_mark"),
        ("full_name", "SATO\x00", "text_has_control_character"),
        ("full_name", " ", "text_is_empty"),
        ("full_name", "S" * 201, "string_too_long"),
        ("passport_number", "no-number", "string_pattern_mismatch"),
        ("phone", "call me", "string_pattern_mismatch"),
        ("language", "de", "literal_error"),
        ("age", 30, "extra_forbidden"),
    ],
)
def test_details_that_cannot_be_right_are_refused_by_field(field: str, value: Any, code: str) -> None:
    """The refusal names the field and a stable code."""
    with pytest.raises(ValidationError) as raised:
        PersonDetails.model_validate(SATO.model_dump() | {field: value})
    assert [(error["loc"], error["type"]) for error in raised.value.errors()] == [((field,), code)]
