"""Every verb tells what it does, and stands with every option in the reference."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

import cli

REFERENCE = (Path(cli.__file__).parent / "docs" / "cli.md").read_text()


def verbs(group: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from verbs(command, (*words, name))
        else:
            yield (*words, name), command


VERBS = dict(verbs(typer.main.get_command(cli.app)))


def test_the_verbs_are_these() -> None:
    """A new one comes with its page in the reference."""
    assert {" ".join(words) for words in VERBS} == {
        "up", "demo", "status", "verify", "rebuild", "list", "inbox", "desk", "show", "dossier", "open", "sign",
        "return", "reject", "move", "report", "channel", "told", "dead-letters", "resend", "trail", "changes",
        "sign-offs", "evidence", "erase",
        "archive list", "archive fetch",
        "token create", "token list", "token revoke", "admin create", "admin enable", "policy check", "policy explain",
        "directory list", "directory show", "directory add", "directory duplicates", "directory merge",
        "directory split", "directory import",
        "checkpoint list", "checkpoint make", "checkpoint show", "checkpoint rotate-key",
        "collection search", "collection register", "collection show", "collection verify", "collection remove",
        "collection list",
        "organisation list", "organisation add", "organisation change", "organisation end",
        "position list", "position add", "position hold", "position end", "position rename", "position abolish",
        "position close-desk",
        "leave register", "leave list", "leave end", "leave substitute", "leave revoke",
        "feed make", "feed mine", "feed person", "feed list", "feed rotate", "feed revoke",
        "keys rotate", "keys retire",
        "replies list", "replies settle", "replies dismiss",
        "request receive", "request list", "request show", "request identify", "request answer", "request extend",
        "request carry-out", "request refuse", "request take-back", "request export",
        "retention schedule", "retention plan", "retention list", "retention show", "retention apply", "retention stop",
    }  # fmt: skip


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_a_verb_has_help(words: tuple[str, ...]) -> None:
    shown = CliRunner().invoke(cli.app, [*words, "--help"], prog_name="legation")
    assert shown.exit_code == 0
    assert f"legation {' '.join(words)}" in shown.output
    assert VERBS[words].help, "a verb without a sentence about it"
    assert all(parameter.help for parameter in VERBS[words].params if parameter.name != "help")


@pytest.mark.parametrize("words", VERBS, ids=" ".join)
def test_a_verb_stands_in_the_reference_with_its_options(words: tuple[str, ...]) -> None:
    heading = f"### `legation {' '.join(words)}`"
    assert heading in REFERENCE
    section = REFERENCE.partition(heading)[2].partition("\n### ")[0]
    options = {option for parameter in VERBS[words].params for option in parameter.opts if option.startswith("--")}
    assert [option for option in sorted(options - {"--help"}) if option not in section] == []
