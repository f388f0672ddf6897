"""The data folder of a stack: made private, held by one stack at a time, and where the stack writes what it runs."""

import base64
import fcntl
import json
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, SecretStr, ValidationError

from embedded.failure import StackFailure
from embedded.ports import Ports
from locales import mark


class FolderUnusable(StackFailure):
    """The data folder cannot be made, entered or written."""

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            mark("The data folder %(folder)s cannot be used: %(reason)s."),
            folder=folder,
            reason=(error.strerror or "unknown error").lower(),
        )


class StackAlreadyRuns(StackFailure):
    """Another stack holds the data folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            mark("Legation already runs on %(folder)s: see `legation status`, or choose another --data folder."),
            folder=folder,
        )


class PartRecord(BaseModel):
    """A part as the stack last started it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    started_at: datetime
    restarts: int = 0


class StackRecord(BaseModel):
    """What runs on a data folder; other commands find the API, the server and the mailbox by it.

    `mail_password` opens every mailbox of the development mailbox by IMAP; it is None when mail goes to real SMTP.
    `complete`: the start is over, every part was ready once.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    pid: int
    profile: str
    started_at: datetime
    ports: Ports
    api_url: str
    temporal_address: str
    temporal_namespace: str
    temporal_task_queue: str
    has_own_server: bool
    mail_password: SecretStr | None = None
    parts: dict[str, PartRecord] = {}
    complete: bool = False


class DataFolder:
    """Paths below a data folder."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.logs = self.path / "logs"
        self.temporal_database = self.path / "temporal.db"
        self._run = self.path / "run"
        self._record = self._run / "stack.json"
        self._lock = self._run / "stack.lock"
        self._profile = self._run / "profile"

    @contextmanager
    def held(self) -> Iterator[None]:
        """Makes the folder (mode 0700) and holds it for this process; the hold ends with the process, however it ends.

        Refuses with `FolderUnusable` or `StackAlreadyRuns`.
        """
        try:
            for each in (self.path, self.logs, self._run):
                each.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise FolderUnusable(self.path, error) from error
        try:
            if not _lock(lock):
                raise StackAlreadyRuns(self.path)
            yield
            self._record.unlink(missing_ok=True)
        finally:
            os.close(lock)

    def is_held(self) -> bool:
        """Whether a stack runs on this folder now."""
        try:
            lock = os.open(self._lock, os.O_RDWR)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(lock)
        return False

    def write(self, record: StackRecord) -> None:
        """Replaces the record whole (mode 0600): a reader sees the one before or this one."""
        values = record.model_dump(mode="json")
        if record.mail_password is not None:
            values["mail_password"] = record.mail_password.get_secret_value()
        beside = self._record.with_suffix(".new")
        with open(beside, "w", encoding="utf-8", opener=_private) as file:
            json.dump(values, file, indent=2)
        beside.replace(self._record)

    def read(self) -> StackRecord | None:
        """The record of the running stack; None when none runs or it has not begun to write."""
        if not self.is_held():
            return None
        try:
            return StackRecord.model_validate_json(self._record.read_bytes())
        except (OSError, ValidationError):
            return None

    def remember_profile(self, profile: str) -> None:
        """Note of which kind the data are, for whoever looks at them when nothing runs."""
        with open(self._profile, "w", encoding="ascii", opener=_private) as file:
            file.write(profile)

    def profile(self) -> str | None:
        """The profile of the stack that ran here last; None if none ever did."""
        try:
            return self._profile.read_text("ascii")
        except OSError:
            return None

    def make_key(self, path: Path) -> bool:
        """Makes a key of 32 random bytes (mode 0600) where there is none; True if it made one.

        An existing key is never touched.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with open(path, "x", encoding="ascii", opener=_private) as file:
                file.write(_new_key())
                file.flush()
                os.fsync(file.fileno())
        except FileExistsError:
            return False
        except OSError as error:
            raise FolderUnusable(path.parent, error) from error
        return True

    def put_new_key_first(self, path: Path) -> None:
        """Puts a new key before those of a key file, which is replaced whole: who reads has all that were there.

        Refuses with `FolderUnusable`.
        """
        beside = path.with_suffix(".new")
        try:
            kept = path.read_text("ascii")
            with open(beside, "w", encoding="ascii", opener=_private) as file:
                file.write(_new_key() + kept)
                file.flush()
                os.fsync(file.fileno())
            beside.replace(path)
        except OSError as error:
            raise FolderUnusable(path.parent, error) from error


def _new_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode() + "\n"


def _lock(descriptor: int) -> bool:
    # Several tries, since `is_held` of another process holds the lock for a moment to see whether it can.
    for _ in range(5):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            time.sleep(0.02)
    return False


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
