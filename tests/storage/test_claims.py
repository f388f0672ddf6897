"""What no event ever named is swept; everything else stays."""

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.attachments import Attachments, UnknownAttachment
from storage.claims import References, Swept, mark_claimed, references_in, sweep
from storage.data_keys import count_keys
from storage.engine import Database
from storage.keyring import Keyring
from storage.metadata import utc_now
from storage.persons import Erased, Persons
from storage.texts import Texts
from tests.storage.samples import PDF_FILE, TEXT_FILE, in_pieces
from tests.storage.streams import a_whole_file
from tests.storage.test_persons import SATO


async def test_only_what_nobody_claimed_in_time_is_swept(database: Database, keyring: Keyring, tmp_path: Path) -> None:
    """People with their keys, texts, and files; an erased person stays erased."""
    persons, texts = Persons(database, keyring), Texts(database, keyring)
    files = Attachments(database, keyring, tmp_path / "attachments")
    claimed, orphan, erased = [await persons.register(SATO) for _ in range(3)]
    kept_text, lost_text = await texts.write("visit", "kept"), await texts.write("visit", "lost")
    kept_file, lost_file = await files.store(in_pieces(PDF_FILE)), await files.store(in_pieces(TEXT_FILE))
    await persons.erase(erased.ref)
    named = [{"person": claimed.model_dump()}, {"reason": kept_text.model_dump(), "annexes": [kept_file.model_dump()]}]
    async with database.writing() as connection:
        await mark_claimed(connection, references_in(named))

    assert await sweep(database, files, utc_now() - timedelta(hours=1)) == Swept(0, 0, 0)
    assert await sweep(database, files, utc_now() + timedelta(hours=1)) == Swept(persons=1, texts=1, attachments=1)
    assert await sweep(database, files, utc_now() + timedelta(hours=1)) == Swept(0, 0, 0)

    assert await persons.get(orphan.ref) is None
    assert await persons.get(claimed.ref) is not None
    assert isinstance(await persons.get(erased.ref), Erased)
    assert await texts.read_many([kept_text.ref, lost_text.ref]) == {kept_text.ref: "kept"}
    assert await files.read(kept_file.digest) == PDF_FILE
    with pytest.raises(UnknownAttachment):
        await files.read(lost_file.digest)
    # One person, one delegation's file, one attachment.
    assert await count_keys(database) == 3


async def test_bytes_that_come_again_wait_for_their_command_anew(
    database: Database, keyring: Keyring, tmp_path: Path
) -> None:
    """A second upload of an unclaimed file starts its time again."""
    files = Attachments(database, keyring, tmp_path / "attachments")
    reference = await files.store(in_pieces(TEXT_FILE))
    between = utc_now()
    await asyncio.sleep(0)
    await files.store(in_pieces(TEXT_FILE))
    assert await sweep(database, files, between) == Swept(0, 0, 0)
    assert await files.read(reference.digest) == TEXT_FILE


def test_references_are_found_at_any_depth() -> None:
    """In lists, in maps, beside other things that look a little like them."""
    content = {
        "a": [{"b": {"ref": "per_1", "commitment": "x"}}, {"ref": "txt_1", "commitment": "y"}],
        "c": {"digest": "d1", "media_type": "text/plain", "size": 3},
        "d": {"digest": "no attachment: the digest of a dossier"},
        "e": {"ref": "per_2"},
        "f": "per_3",
    }
    assert references_in(content) == References(frozenset({"per_1"}), frozenset({"txt_1"}), frozenset({"d1"}))


def test_references_of_a_whole_file_are_found() -> None:
    """Members, a document and a reason."""
    found = references_in([event.data for event in a_whole_file()])
    assert found == References(
        persons=frozenset(f"per_member{n:04d}" for n in range(1, 5)),
        texts=frozenset({"txt_withdrawn01"}),
        attachments=frozenset({"f" * 64}),
    )


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["ref", "commitment", "digest", "x"]), inner)
    ),
    max_leaves=12,
)


@given(content=JSON)
def test_no_data_stops_the_search_for_references(content: object) -> None:
    """Events of later versions may have any shape."""
    assert isinstance(references_in(content), References)
