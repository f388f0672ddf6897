"""The first administrator comes from the command line, with a link that is good once and without a password."""

import json
import os
import pwd
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from embedded.folder import DataFolder
from tests.command import legation
from tests.embedded.test_folder import RECORD

pytestmark = pytest.mark.slow


def run(folder: Path, *words: str, **settings: str) -> tuple[int, str, str]:
    done = legation("--data", str(folder), *words, **settings)
    return done.returncode, done.stdout, done.stderr


def test_the_first_administrator_gets_a_link_and_no_password(tmp_path: Path) -> None:
    """Folder, master key and schema are made on the way; standard output is the link and nothing else."""
    folder = tmp_path / "data"
    code, out, err = run(folder, "admin", "create", "root", public_url="https://legation.test")
    assert code == 0, err
    assert err == f"A master key was made: keep a copy of {folder}/keys/master.key in a safe place.\n"
    page, _, secret = out.strip().partition("#link=")
    assert (page, secret[:4], len(secret)) == ("https://legation.test/sign-in", "lgl_", 47)
    with sqlite3.connect(folder / "legation.db") as connection:
        everything = "\n".join(connection.iterdump())
        assert connection.execute("SELECT count(*) FROM passwords").fetchone() == (0,)
    assert secret not in everything


def test_another_link_voids_the_one_before_and_only_administrators_get_one(tmp_path: Path) -> None:
    """Whoever is something else is not made an administrator in passing."""
    first, second = made(tmp_path, "root"), made(tmp_path, "root")
    assert first["secret"] != second["secret"]
    with sqlite3.connect(tmp_path / "legation.db") as connection:
        open_links = connection.execute("SELECT count(*) FROM password_links WHERE used_at IS NULL").fetchone()
    assert open_links == (1,)
    assert run(tmp_path, "token", "create", "lan", "--role", "coordinator")[0] == 0
    assert run(tmp_path, "admin", "create", "lan") == (
        1,
        "",
        "The account lan exists and is no administrator; an administrator may give it the role.\n",
    )


def test_the_link_leads_to_the_stack_that_runs_wherever_it_listens(tmp_path: Path) -> None:
    """A stack on free ports is no reason to hand out a link that leads nowhere."""
    folder = DataFolder(tmp_path)
    with folder.held():
        folder.write(RECORD)
        assert made(tmp_path, "root")["link"].startswith(f"http://127.0.0.1:{RECORD.ports.api}/sign-in#link=lgl_")
    assert made(tmp_path, "root")["link"].startswith("http://127.0.0.1:8080/sign-in#link=lgl_")


def test_an_account_is_enabled_on_the_machine_and_the_log_says_by_whom(tmp_path: Path) -> None:
    """Though nobody is left who could sign in; what is not disabled is refused in a sentence."""
    made(tmp_path, "root")
    with sqlite3.connect(tmp_path / "legation.db") as connection:
        connection.execute("UPDATE accounts SET disabled_at = created_at")
    assert run(tmp_path, "admin", "enable", "root") == (0, "The account root is enabled again.\n", "")
    assert run(tmp_path, "admin", "enable", "root") == (1, "", "The account root is not disabled.\n")
    with sqlite3.connect(tmp_path / "legation.db") as connection:
        actors = connection.execute("SELECT change, actor FROM register_log ORDER BY seq").fetchall()
    user = pwd.getpwuid(os.getuid()).pw_name
    assert actors == [(kind, f"host:{user}") for kind in ("account_opened", "password_link_made", "account_enabled")]


def made(folder: Path, account: str) -> dict[str, Any]:
    """What `--json` says."""
    code, out, err = run(folder, "admin", "create", account, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    assert set(found) == {"account", "link", "secret", "expires_at"}
    return found
