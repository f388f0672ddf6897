"""The register of attached files: once for each content, encrypted, streamed, whole or not at all."""

import asyncio
import hashlib
import resource
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from domain.values import AttachmentRef
from storage.attachments import AttachmentErased, Attachments, UnknownAttachment
from storage.attachments import attachments as table
from storage.data_keys import count_keys
from storage.encrypted_file import CHUNK, MAGIC, TAG, EncryptedReader, EncryptedWriter
from storage.engine import Database
from storage.errors import StoreUnavailable, honest
from storage.keyring import CiphertextDamaged, Keyring
from storage.media_types import AttachmentRefused, Limits
from storage.metadata import utc_now
from tests.storage.samples import DOCX_PARTS, PDF_FILE, TEXT_FILE, archive, in_pieces, png

SECRET = bytes(range(32))


@pytest.fixture
def attachments(database: Database, keyring: Keyring, tmp_path: Path) -> Attachments:
    return Attachments(database, keyring, tmp_path / "attachments", limits=Limits(size=3 * 1024 * 1024))


def files(folder: Path) -> list[Path]:
    return sorted(file for file in (folder / "attachments").rglob("*") if file.is_file())


async def rows(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(table))).scalar_one()


async def test_a_file_is_read_as_it_was_stored(attachments: Attachments) -> None:
    """Reference and bytes."""
    reference = await attachments.store(in_pieces(PDF_FILE, 7))
    assert reference == AttachmentRef(
        digest=hashlib.sha256(PDF_FILE).hexdigest(), media_type="application/pdf", size=len(PDF_FILE)
    )
    known, pieces = await attachments.open(reference.digest)
    assert known == reference
    assert b"".join([piece async for piece in pieces]) == PDF_FILE
    assert await attachments.read(reference.digest) == PDF_FILE


async def test_a_large_file_is_stored_and_read_in_pieces(attachments: Attachments) -> None:
    """Several chunks, the last one whole, too."""
    for size in (CHUNK, CHUNK + 1, 4 * CHUNK):
        content = (b"x" * 80 + b"\n") * (size // 81 + 1)
        content = content[:size]
        reference = await attachments.store(in_pieces(content))
        known, pieces = await attachments.open(reference.digest)
        got = [piece async for piece in pieces]
        assert max(map(len, got)) <= CHUNK
        assert hashlib.sha256(b"".join(got)).hexdigest() == reference.digest == known.digest


async def test_the_same_bytes_are_kept_once(attachments: Attachments, database: Database, tmp_path: Path) -> None:
    """Also when many bring them at the same moment."""
    references = await asyncio.gather(*(attachments.store(in_pieces(TEXT_FILE)) for _ in range(8)))
    assert len(set(references)) == 1
    assert len(files(tmp_path)) == await rows(database) == await count_keys(database) == 1


async def test_the_file_on_disk_is_encrypted_and_private(attachments: Attachments, tmp_path: Path) -> None:
    """Nothing of the content, and no name, stands on the disk; nobody else may read it."""
    reference = await attachments.store(in_pieces(TEXT_FILE))
    (file,) = files(tmp_path)
    stored = await asyncio.to_thread(file.read_bytes)
    assert b"Sato" not in stored
    assert len(stored) == len(MAGIC) + len(TEXT_FILE) + TAG
    assert file.relative_to(tmp_path / "attachments").parts == (
        reference.digest[:2],
        reference.digest[2:4],
        reference.digest,
    )
    assert (await asyncio.to_thread(file.stat)).st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("content", "declared", "code"),
    [
        (b"", None, "attachment_empty"),
        (b"\x7fELF" + bytes(500_000), None, "attachment_type_unknown"),
        (b"x" * (3 * 1024 * 1024 + 1), None, "attachment_too_large"),
        (TEXT_FILE + b"\xff", None, "attachment_type_unknown"),
        (PDF_FILE, "image/png", "attachment_type_mismatch"),
        (png(60_000, 60_000), None, "attachment_picture_too_large"),
        (archive(DOCX_PARTS)[:-30], None, "attachment_malformed"),
    ],
)
async def test_nothing_is_left_of_a_refused_file(
    attachments: Attachments, database: Database, tmp_path: Path, content: bytes, declared: str | None, code: str
) -> None:
    """No file, no row, no key."""
    with pytest.raises(AttachmentRefused) as raised:
        await attachments.store(in_pieces(content), declared=declared)
    assert raised.value.code == code
    assert files(tmp_path) == []
    assert await rows(database) == await count_keys(database) == 0


async def test_an_endless_stream_is_cut_off_at_the_limit(attachments: Attachments, tmp_path: Path) -> None:
    """No more is read than the limit and one piece."""
    read = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal read
        while True:
            read += 65_536
            yield b"a" * 65_536

    with pytest.raises(AttachmentRefused):
        await attachments.store(endless())
    assert read == 3 * 1024 * 1024 + 65_536
    assert files(tmp_path) == []


async def test_nothing_is_left_of_a_sender_who_goes_away(attachments: Attachments, tmp_path: Path) -> None:
    """The connection breaks in the middle."""

    async def broken() -> AsyncIterator[bytes]:
        yield PDF_FILE
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        await attachments.store(broken())
    assert files(tmp_path) == []


async def test_a_declared_type_may_carry_parameters(attachments: Attachments) -> None:
    """`text/plain; charset=utf-8` is text."""
    assert (await attachments.store(in_pieces(TEXT_FILE), declared="Text/Plain; charset=utf-8")).size == len(TEXT_FILE)


async def test_an_unknown_file_is_said_to_be_unknown(attachments: Attachments, tmp_path: Path) -> None:
    """Never stored, or gone from the disk."""
    with pytest.raises(UnknownAttachment):
        await attachments.open("0" * 64)
    reference = await attachments.store(in_pieces(TEXT_FILE))
    files(tmp_path)[0].unlink()
    with pytest.raises(UnknownAttachment):
        await attachments.read(reference.digest)


async def test_a_changed_file_is_noticed(attachments: Attachments, tmp_path: Path) -> None:
    """One bit, a missing end, or another file in its place."""
    reference = await attachments.store(in_pieces(TEXT_FILE))
    (file,) = files(tmp_path)
    whole = await asyncio.to_thread(file.read_bytes)
    flipped = whole[:9] + bytes([whole[9] ^ 1]) + whole[10:]
    for damaged in (flipped, whole[:-1], b"", bytes(len(whole))):
        await asyncio.to_thread(file.write_bytes, damaged)
        with pytest.raises(CiphertextDamaged):
            await attachments.read(reference.digest)


async def test_a_removed_file_can_come_again(attachments: Attachments, database: Database, tmp_path: Path) -> None:
    """Row, key and file go together, and the same bytes get a new key."""
    reference = await attachments.store(in_pieces(TEXT_FILE))
    assert await attachments.remove(reference.digest)
    assert not await attachments.remove(reference.digest)
    assert files(tmp_path) == []
    assert await count_keys(database) == 0
    assert await attachments.store(in_pieces(TEXT_FILE)) == reference
    assert await attachments.read(reference.digest) == TEXT_FILE


async def test_files_without_a_row_are_swept_after_a_while(attachments: Attachments, tmp_path: Path) -> None:
    """What a crash left; a file that is known, or young, stays."""
    reference = await attachments.store(in_pieces(TEXT_FILE))
    orphan = tmp_path / "attachments" / "incoming" / "part_left"
    orphan.write_bytes(b"half")
    assert await attachments.sweep_files(utc_now() - timedelta(hours=1)) == 0
    assert await attachments.sweep_files(utc_now() + timedelta(hours=1)) == 1
    assert await attachments.read(reference.digest) == TEXT_FILE


async def test_a_folder_that_cannot_be_written_is_an_honest_error(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    """The place is no folder: the store is unavailable, the file was not refused."""
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(StoreUnavailable) as raised:
        await Attachments(database, keyring, tmp_path / "taken" / "attachments").store(in_pieces(TEXT_FILE))
    assert raised.value.reason == "cannot_open"
    assert await rows(database) == 0


def write_to_a_full_disk() -> None:
    with honest(), Path("/dev/full").open("wb") as file:
        EncryptedWriter(file, SECRET).finish()
        file.flush()


def test_a_full_disk_is_an_honest_error() -> None:
    """Linux has a device that is always full."""
    with pytest.raises(StoreUnavailable) as raised:
        write_to_a_full_disk()
    assert raised.value.reason == "disk_full"


@pytest.mark.slow
async def test_a_file_of_sixty_megabytes_needs_little_memory(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    """Memory does not grow with the file."""
    attachments = Attachments(database, keyring, tmp_path / "attachments", limits=Limits(size=100 * 1024 * 1024))
    await attachments.store(in_pieces(TEXT_FILE))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    async def long() -> AsyncIterator[bytes]:
        for _ in range(960):
            yield b"0123456789abcde\n" * 4096

    reference = await attachments.store(long())
    _, pieces = await attachments.open(reference.digest)
    assert sum([len(piece) async for piece in pieces]) == reference.size == 960 * 65_536
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000


@given(
    sizes=st.lists(st.sampled_from([0, 1, 100, CHUNK - 1, CHUNK, CHUNK + 1]), min_size=1, max_size=4), data=st.data()
)
def test_an_encrypted_file_reads_from_any_place(
    sizes: list[int], data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """However it was cut into pieces when it was written."""
    content = b"".join(bytes([n + 1]) * size for n, size in enumerate(sizes))
    path = tmp_path_factory.mktemp("encrypted") / "file"
    with path.open("wb") as file:
        writer = EncryptedWriter(file, SECRET)
        for n, size in enumerate(sizes):
            writer.write(bytes([n + 1]) * size)
        writer.finish()
    with EncryptedReader(path, SECRET, len(content)) as reader:
        assert reader.read() == content
        place = data.draw(st.integers(0, len(content)))
        assert reader.seek(place) == reader.tell() == place
        assert reader.read(1000) == content[place : place + 1000]


def test_chunks_of_a_file_cannot_be_exchanged_or_cut_off(tmp_path: Path) -> None:
    """The place of a chunk, and that it is the last, are part of what is authenticated."""
    path = tmp_path / "file"
    content = b"a" * CHUNK + b"b" * CHUNK + b"c" * CHUNK
    with path.open("wb") as file:
        writer = EncryptedWriter(file, SECRET)
        writer.write(content)
        writer.finish()
    stored, step = path.read_bytes(), CHUNK + TAG
    first, second = stored[4 : 4 + step], stored[4 + step : 4 + 2 * step]
    path.write_bytes(stored[:4] + second + first + stored[4 + 2 * step :])
    with EncryptedReader(path, SECRET, len(content)) as reader, pytest.raises(CiphertextDamaged):
        reader.read()
    path.write_bytes(stored[: 4 + 2 * step])
    with EncryptedReader(path, SECRET, 2 * CHUNK) as reader, pytest.raises(CiphertextDamaged):
        reader.read()


async def test_an_erased_file_is_gone_and_its_digest_says_so(attachments: Attachments, tmp_path: Path) -> None:
    """No bytes, no key; what was rendered in its place is found by its digest, over several replacements."""
    first, second, third = [await attachments.store(in_pieces(PDF_FILE + b"%d" % one)) for one in range(3)]
    assert await attachments.erase([first.digest, "0" * 64], utc_now()) == 1
    assert await attachments.erase([first.digest], utc_now()) == 0
    with pytest.raises(AttachmentErased):
        await attachments.open(first.digest)
    await attachments.replace(first.digest, second.digest)
    assert await attachments.erased([first.digest, second.digest]) == {first.digest: second.digest}
    await attachments.erase([second.digest], utc_now())
    await attachments.replace(second.digest, third.digest)
    assert await attachments.erased([first.digest]) == {first.digest: third.digest}
    assert [file.name for file in files(tmp_path)] == [third.digest]


async def test_an_erased_file_is_taken_again_only_when_it_was_rendered_anew(attachments: Attachments) -> None:
    """Somebody who kept a copy cannot bring it back; the same bytes from the registers of today name nobody erased."""
    kept = await attachments.store(in_pieces(PDF_FILE))
    await attachments.erase([kept.digest], utc_now())
    with pytest.raises(AttachmentRefused) as refused:
        await attachments.store(in_pieces(PDF_FILE))
    assert refused.value.code == "attachment_erased"
    assert await attachments.store(in_pieces(PDF_FILE), rendered=True) == kept
    assert await attachments.read(kept.digest) == PDF_FILE
    assert await attachments.erased([kept.digest]) == {}


async def test_what_a_crash_left_of_an_erased_file_is_swept(attachments: Attachments, tmp_path: Path) -> None:
    """Its row names no file on the disk any more."""
    kept = await attachments.store(in_pieces(PDF_FILE))
    [path] = files(tmp_path)
    octets = path.read_bytes()
    await attachments.erase([kept.digest], utc_now())
    path.write_bytes(octets)
    assert await attachments.sweep_files(utc_now() + timedelta(days=1)) == 1
