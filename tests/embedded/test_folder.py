"""The data folder: private, held by one stack, and where others find what runs."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import SecretStr

from embedded.folder import DataFolder, FolderUnusable, PartRecord, StackAlreadyRuns, StackRecord
from embedded.ports import Ports

RECORD = StackRecord(
    pid=1,
    profile="embedded",
    started_at=datetime(2026, 11, 21, tzinfo=UTC),
    ports=Ports(),
    api_url="http://127.0.0.1:8080",
    temporal_address="127.0.0.1:7233",
    temporal_namespace="legation",
    temporal_task_queue="legation",
    has_own_server=True,
    mail_password=SecretStr("opens every mailbox"),
    parts={"api": PartRecord(pid=2, started_at=datetime(2026, 11, 21, tzinfo=UTC))},
)


def test_the_record_is_read_as_it_was_written_while_the_folder_is_held(tmp_path: Path) -> None:
    """The password too: other commands of the same person read mail with it. Nobody else may open the file."""
    folder = DataFolder(tmp_path)
    with folder.held():
        folder.write(RECORD)
        assert DataFolder(tmp_path).read() == RECORD
        assert (tmp_path / "run" / "stack.json").stat().st_mode & 0o777 == 0o600
    assert folder.read() is None


def test_the_password_is_not_shown_with_the_record() -> None:
    assert "opens every mailbox" not in repr(RECORD)


def test_a_folder_is_held_once(tmp_path: Path) -> None:
    """Also within one process, and free again afterwards."""
    with DataFolder(tmp_path).held():
        assert DataFolder(tmp_path).is_held()
        with pytest.raises(StackAlreadyRuns), DataFolder(tmp_path).held():
            pass
    assert not DataFolder(tmp_path).is_held()


def test_a_record_left_by_a_killed_stack_counts_for_nothing(tmp_path: Path) -> None:
    """The hold ended with its process; the file alone says nothing."""
    folder = DataFolder(tmp_path)
    with folder.held():
        folder.write(RECORD)
        left_behind = (tmp_path / "run" / "stack.json").read_bytes()
    (tmp_path / "run" / "stack.json").write_bytes(left_behind)
    assert folder.read() is None


def test_a_master_key_is_made_once(tmp_path: Path) -> None:
    """An existing key is never replaced: everything encrypted under it would be lost."""
    path = tmp_path / "keys" / "master.key"
    assert DataFolder(tmp_path).make_key(path) is True
    made = path.read_bytes()
    assert path.stat().st_mode & 0o777 == 0o600
    assert DataFolder(tmp_path).make_key(path) is False
    assert path.read_bytes() == made


def test_a_new_key_stands_before_those_that_are_there(tmp_path: Path) -> None:
    """All of them stay, and nobody else may read the file; one that is not there is not made by the way."""
    folder, path = DataFolder(tmp_path), tmp_path / "keys" / "checkpoint.key"
    with pytest.raises(FolderUnusable):
        folder.put_new_key_first(path)
    folder.make_key(path)
    first = path.read_text()
    folder.put_new_key_first(path)
    second = path.read_text()
    assert second.endswith(first)
    assert len(set(second.split())) == 2
    assert path.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in path.parent.iterdir()] == ["checkpoint.key"]
