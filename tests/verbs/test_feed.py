"""Feeds by the verbs alone, on the real stack; what the stack logs never says where they are."""

from pathlib import Path

import httpx2
import pytest

from tests.installed import Installed
from tests.verbs.test_journey import VISIT, done, verb, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


def fetched(link: str) -> httpx2.Response:
    """Fetch a calendar as a program does, with its address and nothing else."""
    return httpx2.get(link, timeout=30, trust_env=False)


def test_a_calendar_is_made_fetched_rotated_and_revoked(here: Installed, tmp_path: Path) -> None:
    """The verb prints the address and nothing else; the list says when it was fetched, and what is revoked."""
    done(here, "lan", "open", written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-feed")))
    made = verb(here, "lan", "feed", "make", "tokyo-feed")
    assert made.returncode == 0, made.stderr
    link = made.stdout.strip()
    assert verb(here, "lan", "feed", "make", "tokyo-feed").stdout.strip() == link
    answer = fetched(link)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/calendar; charset=utf-8")
    assert answer.content.startswith(b"BEGIN:VCALENDAR\r\n")
    listed = verb(here, "lan", "feed", "list", "tokyo-feed").stdout
    assert link in listed
    [feed] = done(here, "lan", "feed", "list", "tokyo-feed")["items"]
    assert feed["fetched_on"] in listed

    other = verb(here, "lan", "feed", "rotate", feed["id"]).stdout.strip()
    assert other != link
    assert (fetched(link).status_code, fetched(other).status_code) == (404, 200)
    assert feed["id"] in verb(here, "lan", "feed", "revoke", feed["id"]).stdout
    assert fetched(other).status_code == 404
    assert "revoked" in verb(here, "lan", "feed", "list", "tokyo-feed").stdout

    secrets = [one.rpartition("/")[2].removesuffix(".ics") for one in (link, other)]
    logs = "\n".join(path.read_text("utf-8", "replace") for path in here.folder.rglob("*.log"))
    assert "/calendars/{token}.ics" in logs
    assert [secret for secret in secrets if secret in logs] == []


def test_one_s_own_calendar_needs_no_id(here: Installed) -> None:
    """Every file in one's reach."""
    link = verb(here, "lan", "feed", "mine").stdout.strip()
    assert fetched(link).status_code == 200
    assert link in verb(here, "lan", "feed", "list").stdout
