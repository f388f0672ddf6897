"""Answers by mail by the command, on the real stack: what waits for a person, why, and what becomes of it."""

import json
import smtplib
import subprocess
from typing import Any

import pytest

from tests.calendars.answers import Answered, outlook
from tests.command import legation
from tests.embedded.running_stack import until
from tests.installed import Installed

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


def verb(here: Installed, *words: str, by: str = "lan", language: str = "en") -> "subprocess.CompletedProcess[str]":
    """One invocation in somebody's name."""
    return legation("--data", str(here.folder), "replies", *words, token=here.token(by), language=language)


def waiting(here: Installed) -> list[Any]:
    """What waits, as a program reads it."""
    ended = verb(here, "list", "--json")
    assert ended.returncode == 0, ended.stderr
    items: list[Any] = json.loads(ended.stdout)["items"]
    return items


def test_what_cannot_be_recorded_is_listed_settled_or_dismissed(here: Installed) -> None:
    """With who sent it, what it says and why it waits, in the reader's language; a refusal is one sentence."""
    assert verb(here, "list").stdout.strip() == "No answer waits for a person."
    one = Answered(uid="monday.nothing@hoihuunghi.example", comment="Xin lỗi", partstat="DECLINED")
    letter = Answered(message_id="<two@client.example>").head("text/plain") + b"I cannot come"
    with smtplib.SMTP("127.0.0.1", here.record.ports.smtp) as server:
        for mail in (outlook(one), letter):
            server.sendmail("ito@tokyo.example", [one.organizer], mail)
    until(lambda: len(waiting(here)) == 2, seconds=60)
    answer, words = waiting(here)
    assert (answer["reason"], answer["answer"], answer["comment"]) == ("uid_unknown", "declined", "Xin lỗi")
    assert (words["reason"], words["answer"], words["sender"]) == ("no_calendar", None, "ito@tokyo.example")
    shown = verb(here, "list").stdout
    for part in (answer["mail"], "ito@tokyo.example", "declines; Xin lỗi", "nobody was told of such an item"):
        assert part in shown
    assert "chưa ai được mời dự mục này" in verb(here, "list", language="vi").stdout

    nameless = verb(here, "settle", answer["mail"], "declined", "ito")
    assert (nameless.returncode, nameless.stdout) == (1, "")
    assert "It is not known which delegation this mail is about: name it." in nameless.stderr
    unknown = verb(here, "settle", answer["mail"], "declined", "ito", "--delegation", "nothing", "--item", "monday")
    assert unknown.returncode == 1
    assert "There is no delegation of this id." in unknown.stderr
    dismissed = verb(here, "dismiss", words["mail"])
    assert dismissed.stdout.strip() == f"The mail {words['mail']} is dismissed."
    assert [item["mail"] for item in waiting(here)] == [answer["mail"]]
