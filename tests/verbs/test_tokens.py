"""Tokens come from the command line, before anything runs; the secret is shown once and kept nowhere."""

import json
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.command import legation

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One data folder for all of these tests; each has accounts of its own."""
    return tmp_path_factory.mktemp("tokens") / "data"


def run(folder: Path, *words: str, **settings: str) -> tuple[int, str, str]:
    done = legation("--data", str(folder), "token", *words, **settings)
    return done.returncode, done.stdout, done.stderr


def made(folder: Path, *words: str) -> dict[str, Any]:
    code, out, err = run(folder, "create", *words, "--json")
    assert code == 0, err
    found: dict[str, Any] = json.loads(out)
    return found


def test_the_first_administrators_token_needs_nothing_to_run(tmp_path: Path) -> None:
    """Folder, master key and schema are made on the way, private; standard output is the token and nothing else."""
    folder = tmp_path / "new" / "data"
    code, out, err = run(folder, "create", "root", "--role", "administrator")
    assert code == 0
    assert out.startswith("lgt_")
    assert len(out.splitlines()) == 1
    assert err == f"A master key was made: keep a copy of {folder}/keys/master.key in a safe place.\n"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "legation.db").stat().st_mode) == 0o600


def test_a_token_is_kept_as_its_digest_only(folder: Path) -> None:
    secret = made(folder, "thu", "--name", "Trần Thị Lan", "--role", "coordinator")["token"]
    with sqlite3.connect(folder / "legation.db") as connection:
        everything = "\n".join(connection.iterdump())
    assert secret not in everything
    assert "Lan" not in everything


def test_save_keeps_the_token_for_this_command_alone(folder: Path) -> None:
    """And it is not used any longer once others may read it."""
    secret = made(folder, "lan", "--role", "coordinator", "--save")["token"]
    kept = folder / "keys" / "cli.token"
    assert kept.read_text() == secret + "\n"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    kept.chmod(0o644)
    done = legation("--data", str(folder), "list", api_url="http://127.0.0.1:9")
    assert (done.returncode, done.stderr) == (1, f"Others may read the token: chmod 600 {kept}\n")


def test_an_account_that_exists_is_not_changed_and_that_is_said(folder: Path) -> None:
    made(folder, "mai", "--role", "coordinator")
    code, _, err = run(folder, "create", "mai", "--role", "administrator")
    assert (code, err) == (0, "The account mai exists; it was not changed.\n")


def test_tokens_are_listed_without_their_secrets_and_revoked_by_their_id(folder: Path) -> None:
    first, second = made(folder, "hung", "--role", "coordinator"), made(folder, "hung", "--expires", "30")
    assert run(folder, "revoke", first["token_id"])[0] == 0
    code, out, _ = run(folder, "list", "hung", "--json")
    assert code == 0
    assert [(item["id"], item["state"]) for item in json.loads(out)["items"]] == [
        (first["token_id"], "revoked"),
        (second["token_id"], "valid"),
    ]
    assert first["token"] not in out
    assert run(folder, "revoke", first["token_id"]) == (
        1,
        "",
        f"There is no token {first['token_id']} that could be revoked: see `legation token list`.\n",
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ["nobody"],
            (
                "There is no account nobody: give its roles (coordinator, approver, auditor, administrator) with "
                "--role to make it."
            ),
        ),
        (
            ["An", "--role", "auditor"],
            (
                "The account's name for the system has lower-case letters without marks, digits, dots, dashes and "
                "underscores, at most 64, and begins and ends with a letter or a digit."
            ),
        ),
        (
            ["an", "--role", "auditor", "--email", "lan@songlam.example\nBcc: x@evil.example"],
            "An e-mail address has the form name@example.org; letters with marks before the @ are not carried.",
        ),
        (
            ["an", "--role", "auditor", "--scope", "sign", "--expires", "31"],
            "Such a token is good for 30 days at most.",
        ),
        (["an", "--role", "auditor", "--name", "a\nb"], "A name is one line of plain text of at most 200 characters."),
    ],
)
def test_what_cannot_be_made_is_refused_in_a_sentence(folder: Path, words: list[str], said: str) -> None:
    code, out, err = run(folder, "create", *words)
    assert (code, out) == (1, "")
    assert err.splitlines()[-1] == said


def test_nobody_is_made_part_of_the_system(folder: Path) -> None:
    assert run(folder, "create", "ghost", "--role", "system")[0] == 2


def test_without_a_token_one_hears_how_to_get_one(tmp_path: Path) -> None:
    done = legation("--data", str(tmp_path), "list", api_url="http://127.0.0.1:9")
    assert done.returncode == 1
    assert done.stderr == (
        "This command has no token: set LEGATION_TOKEN, or make one with "
        "`legation token create ACCOUNT --role coordinator --save`.\n"
    )


def test_without_a_stack_one_hears_how_to_start_it(tmp_path: Path) -> None:
    done = legation("--data", str(tmp_path), "list", token="lgt_x")
    assert (done.returncode, done.stderr) == (
        1,
        f"There are no data of Legation in {tmp_path}: start it with `legation up`.\n",
    )
