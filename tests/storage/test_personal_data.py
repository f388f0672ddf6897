"""The list of where personal data are says something of every table, and nothing of a table that is not there."""

from storage.personal_data import FOLDERS, TABLES
from storage.redaction import SCRUBBED
from storage.tables import ALL


def test_every_table_is_said() -> None:
    """A new table has to say what of people it holds before it gets in."""
    assert set(TABLES) == {table.name for table in ALL}


def test_what_is_personal_says_how_it_is_found_and_what_erasing_does() -> None:
    """So nobody writes “personal” and leaves it at that."""
    for name, kept in {**TABLES, **FOLDERS}.items():
        if kept.kind == "personal":
            assert kept.found_by, name
            assert kept.erasing, name


def test_every_personal_table_that_loses_rows_or_bytes_is_cleaned_behind() -> None:
    """Attached files lie on the disk: of these nothing is left in a page."""
    personal = {name for name, kept in TABLES.items() if kept.kind == "personal"}
    assert personal - {table.name for table in SCRUBBED} == {"attachments"}
