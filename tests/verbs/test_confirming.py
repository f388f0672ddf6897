"""Signing asks a person at a terminal; only a clear yes is one."""

import os
import pty
import subprocess
import sys

import pytest

from tests.embedded.running_stack import ROOT

ASK = """
from locales import translator
from verbs.confirming import confirm
from verbs.refusal import Refusal
try:
    confirm("Approve proposal 2?", translator("vi"), agreed=False)
except Refusal as refused:
    print(refused)
else:
    print("agreed")
"""


def answered(answer: str) -> str:
    """What becomes of the question when somebody at a terminal types `answer`."""
    terminal, theirs = pty.openpty()
    try:
        asking = subprocess.Popen(
            [sys.executable, "-c", ASK], cwd=ROOT, stdin=theirs, stderr=theirs, stdout=subprocess.PIPE, text=True
        )
        os.write(terminal, f"{answer}\n".encode())
        out, _ = asking.communicate(timeout=60)
        return out.strip()
    finally:
        os.close(terminal)
        os.close(theirs)


@pytest.mark.parametrize("answer", ["y", "Yes", "c", "có"])
def test_a_yes_in_either_language_agrees(answer: str) -> None:
    assert answered(answer) == "agreed"


@pytest.mark.parametrize("answer", ["", "n", "không", "yes please"])
def test_anything_else_decides_nothing(answer: str) -> None:
    assert answered(answer) == "Nothing was signed."
