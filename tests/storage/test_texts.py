"""The register of written texts."""

import pytest
from sqlalchemy import select, update

from domain.canonical import commitment
from storage.data_keys import DataKeys, file_key
from storage.engine import Database
from storage.idempotency import IdempotencyConflict
from storage.keyring import CiphertextDamaged, Keyring
from storage.metadata import utc_now
from storage.texts import LARGEST_TEXT, TextRefused, Texts, normal_text
from storage.texts import texts as table

REASON = "Thiếu bản sao hộ chiếu của hai đại biểu 🛂\r\nHuế: chưa xác nhận\tđơn vị chủ nhà"


@pytest.fixture
def texts(database: Database, keyring: Keyring) -> Texts:
    return Texts(database, keyring)


async def test_a_text_is_read_as_it_was_normalised(texts: Texts) -> None:
    """LF line ends, NFC, tabs and emoji kept."""
    reference = await texts.write("visit", REASON)
    assert await texts.read(reference.ref) == REASON.replace("\r\n", "\n")


async def test_a_text_stands_encrypted(texts: Texts, database: Database) -> None:
    """Neither the text nor its salt is readable in the row."""
    reference = await texts.write("visit", REASON)
    async with database.reading() as connection:
        row = (await connection.execute(select(table).where(table.c.ref == reference.ref))).one()
    assert "Huế".encode() not in row.ciphertext
    assert row.size == len(REASON.replace("\r\n", "\n").encode())


async def test_a_commitment_opens_to_the_text(texts: Texts) -> None:
    """Salt and content give the commitment again."""
    reference = await texts.write("visit", REASON)
    opening = await texts.opening(reference)
    assert opening is not None
    assert commitment(*opening) == reference.commitment


async def test_the_same_request_twice_writes_once(texts: Texts) -> None:
    """Another text, or another file, under the same key is a conflict."""
    first = await texts.write("visit", REASON, idempotency_key="linh/1")
    assert await texts.write("visit", REASON, idempotency_key="linh/1") == first
    with pytest.raises(IdempotencyConflict):
        await texts.write("visit", "another", idempotency_key="linh/1")
    with pytest.raises(IdempotencyConflict):
        await texts.write("other-visit", REASON, idempotency_key="linh/1")


async def test_without_the_files_key_its_texts_are_gone(texts: Texts, database: Database, keyring: Keyring) -> None:
    """Another file's texts stay."""
    gone, stays = await texts.write("visit", REASON), await texts.write("other-visit", REASON)
    async with database.writing() as connection:
        assert await DataKeys(keyring).destroy(connection, file_key("visit"), utc_now())
    assert await texts.read(gone.ref) is None
    assert await texts.opening(gone) is None
    assert await texts.read_many([gone.ref, stays.ref]) == {stays.ref: REASON.replace("\r\n", "\n")}


async def test_a_ciphertext_put_under_another_reference_is_noticed(texts: Texts, database: Database) -> None:
    """Two reasons of one file cannot be exchanged in the database."""
    first, second = await texts.write("visit", "approve"), await texts.write("visit", "refuse")
    async with database.writing() as connection:
        row = (await connection.execute(select(table).where(table.c.ref == first.ref))).one()
        await connection.execute(update(table).where(table.c.ref == second.ref).values(ciphertext=row.ciphertext))
    with pytest.raises(CiphertextDamaged):
        await texts.read(second.ref)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("x" * 3_000_000, "text_too_long"),
        ("ế" * (LARGEST_TEXT // 3 + 1), "text_too_long"),
        ("a\x00b", "text_has_nul"),
        ("a\x1bb", "text_has_control_character"),
        ("a\u202eb", "text_has_direction_override"),
        ("a\ud800b", "text_not_unicode"),
        (" \r\n\t", "text_empty"),
    ],
)
def test_a_text_that_cannot_be_kept_is_refused(text: str, code: str) -> None:
    """Each refusal has a stable code and repeats nothing of the text."""
    with pytest.raises(TextRefused) as raised:
        normal_text(text)
    assert raised.value.code == code


def test_the_largest_text_is_taken() -> None:
    """Exactly the limit."""
    assert len(normal_text("x" * LARGEST_TEXT)) == LARGEST_TEXT


def test_line_ends_and_composition_are_made_one() -> None:
    """CR, CRLF and LF are one; a letter with a combining mark is the composed letter."""
    assert normal_text("a\r\nb\rc\nd") == "a\nb\nc\nd"
    assert normal_text("Hue\u0302\u0301") == "Huế"
