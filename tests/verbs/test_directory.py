"""The directory by the command, on the real stack: entered, found, merged, split, and brought in from a table."""

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.command import legation
from tests.installed import Installed
from tests.storage.tables import csv_text, workbook

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]

HEAD = ["kind", "name", "country", "organisation", "full name", "given name", "email", "language", "nationality"]


def verb(here: Installed, *words: str, by: str = "lan", language: str = "en") -> "subprocess.CompletedProcess[str]":
    """One invocation in somebody's name."""
    return legation("--data", str(here.folder), "directory", *words, token=here.token(by), language=language)


def done(here: Installed, *words: str) -> Any:
    """One invocation that succeeds, as a program reads it."""
    ended = verb(here, *words, "--json")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_an_entry_is_entered_found_merged_and_split(here: Installed) -> None:
    """Tables for people, JSON for programs; a contact's name is shown to those who may see it."""
    tokyo = done(here, "add", "partner", "--name", "Hội Hữu nghị Tokyo", "--country", "JP", "--other-name", "TFA")
    assert tokyo["alike"] == []
    again = verb(here, "add", "partner", "--name", "hoi huu nghi tokio", "--country", "JP")
    assert again.returncode == 0, again.stderr
    assert "It looks like what is there already:" in again.stdout
    assert tokyo["id"] in again.stdout
    contact = done(
        here, "add", "contact", "--at", tokyo["id"], "--full-name", "Satō Haruka", "--given-name", "Haruka",
        "--email", "haruka@tokyo.example", "--language", "en", "--nationality", "JP", "--function", "Secretary General",
    )  # fmt: skip
    assert contact["person"]["function"] == "Secretary General"

    [found] = done(here, "list", "--q", "TFA")["items"]
    assert found["id"] == tokyo["id"]
    [tokio] = [one["id"] for one in done(here, "list", "--q", "tokio")["items"]]
    assert [one["found"]["id"] for one in done(here, "duplicates", tokio)["items"]] == [tokyo["id"]]
    twice = {(one["first"]["id"], one["second"]["id"]) for one in done(here, "duplicates", "--all")["items"]}
    assert tuple(sorted((tokyo["id"], tokio))) in twice
    assert tokio in verb(here, "duplicates", "--all").stdout
    assert done(here, "merge", tokio, tokyo["id"])["id"] == tokyo["id"]
    shown = verb(here, "show", tokio, language="vi")
    assert "Đã gộp vào" in shown.stdout
    assert tokyo["id"] in shown.stdout
    assert done(here, "split", tokio)["stands_for"] == tokio
    listed = verb(here, "list", "--at", tokyo["id"], by="hung")
    assert "Satō Haruka" in listed.stdout
    assert [one["action"] for one in done(here, "show", tokio)["versions"]] == ["added", "merged", "split"]


def test_a_table_enters_only_after_its_preview_was_accepted(here: Installed, tmp_path: Path) -> None:
    """Every bad row by line, column and field; the command that accepts is printed, and twice is once."""
    rows = [
        HEAD,
        ["partner", "Kyoto Society", "JP"],
        ["partner", "=cmd()", "Japan"],
        ["contact", "", "", "Kyoto Society", "Itō Kenji", "Kenji", "kenji@kyoto.example", "en", "JP"],
    ]
    file = tmp_path / "the partners.xlsx"
    file.write_bytes(workbook(rows))
    preview = verb(here, "import", str(file))
    assert preview.returncode == 0, preview.stderr
    [bad] = [line.strip().split(maxsplit=5) for line in preview.stdout.splitlines() if "country:" in line]
    assert (bad[0], bad[-1]) == ("3", "country: This does not have the form it must have.")
    assert "To be entered: 2. Known already: 0. Left out as wrong: 1. Nothing is entered yet." in preview.stdout
    digest = done(here, "import", str(file))["digest"]
    assert f"legation directory import '{file}' --accept {digest}" in preview.stdout
    assert done(here, "list", "--q", "kyoto")["items"] == []
    accepted = done(here, "import", str(file), "--accept", digest)
    assert (accepted["entered"], accepted["known"], accepted["bad"]) == (2, 0, 1)
    assert done(here, "import", str(file), "--accept", digest) == accepted
    assert len(done(here, "list", "--q", "kyoto")["items"]) == 1


def test_what_becomes_of_a_row_is_chosen(here: Installed, tmp_path: Path) -> None:
    """By its line; the command that accepts has the choices."""
    nara = done(here, "add", "partner", "--name", "Nara Culture Club", "--country", "JP")["id"]
    file = tmp_path / "nara.csv"
    file.write_text("kind,name,country\npartner,Nara Kulture Club,JP\npartner,Nara Culture Club,JP\n", encoding="utf-8")
    preview = verb(here, "import", str(file), "--name", f"2={nara}", "--leave", "3")
    assert "becomes a further name" in preview.stdout
    command = next(line for line in preview.stdout.splitlines() if "--accept" in line)
    assert f"--leave 3 --name 2={nara} --accept " in command
    accepted = done(here, *shlex.split(command[command.index("directory import") :])[1:])
    assert (accepted["entered"], accepted["named"], accepted["left_out"], accepted["known"]) == (0, 1, 0, 1)
    assert done(here, "show", nara)["entry"]["other_names"] == ["Nara Kulture Club"]
    for words in (("--enter", "2", "--leave", "2"), ("--name", "2")):
        assert verb(here, "import", str(file), *words).returncode == 1


def test_what_cannot_be_is_refused_in_plain_words(here: Installed, tmp_path: Path) -> None:
    """Exit code 1, one sentence, in the reader's language; nothing on standard output."""
    broken = tmp_path / "broken.csv"
    broken.write_bytes(csv_text([["name"], ["x"]]).encode())
    for words, said in (
        (("import", str(tmp_path / "none.csv")), "none.csv cannot be read: No such file or directory."),
        (("import", str(broken)), "No column has the heading “kind”."),
        (("show", "dir_nothing00"), "The directory has no such entry."),
        (("add", "contact", "--full-name", "x"), "A contact needs --at with the id of its organisation."),
        (("add", "host", "--name", "x", "--email", "y"), "Only a contact has a person's name and addresses."),
    ):
        ended = verb(here, *words)
        assert (ended.returncode, ended.stdout) == (1, "")
        assert said in ended.stderr
