"""Calendars on other servers by the verbs alone, on the real stack and against a real server."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.calendars.radicale_server import PASSWORD, Radicale, radicale
from tests.command import legation
from tests.embedded.running_stack import until
from tests.installed import Installed
from tests.verbs.test_journey import VISIT, done, verb, written

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300), pytest.mark.xdist_group("verbs")]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Radicale]:
    """A calendar server with one user."""
    with radicale(tmp_path / "radicale") as running:
        yield running


def test_a_calendar_is_searched_for_registered_shown_and_removed(
    here: Installed, server: Radicale, tmp_path: Path
) -> None:
    """The password comes from a file, and is shown nowhere."""
    own = server.make("visit")
    secret = written(tmp_path, "password", f"{PASSWORD}\n")
    how = ("--user", "haruka", "--password-file", secret)
    found = done(here, "lan", "collection", "search", server.url, *how)
    assert found == {"items": [{"url": own, "name": "Lịch visit"}]}
    assert own in verb(here, "lan", "collection", "search", server.url, *how).stdout

    done(here, "lan", "open", written(tmp_path, "visit.yaml", VISIT.format(id="tokyo-calendar")))
    people = done(here, "lan", "show", "tokyo-calendar")["state"]["people"]
    whose = f"tokyo-calendar/{next(iter(people))}"
    made = done(here, "lan", "collection", "register", whose, server.url, *how)
    assert (made["url"], made["state"], "password" in made) == (own, "working", False)
    shown = verb(here, "lan", "collection", "show", whose).stdout
    assert "Lịch visit: working" in shown
    assert own in shown
    assert PASSWORD not in shown
    assert done(here, "lan", "collection", "verify", whose)["state"] == "working"
    assert made["owner"] in verb(here, "root", "collection", "list").stdout

    wrong = ("--user", "haruka", "--password-file", written(tmp_path, "wrong", "hunter2"))
    refused = verb(here, "lan", "collection", "search", server.url, *wrong)
    assert (refused.returncode, "hunter2" in refused.stderr) == (1, False)
    assert "password: The server does not take this name and password." in refused.stderr
    asked = verb(here, "lan", "collection", "search", server.url, "--user", "haruka")
    assert asked.stderr == "Nobody can be asked here: give the password with --password-file.\n"
    nobody = verb(here, "lan", "collection", "show", "tokyo-calendar/nobody")
    assert nobody.stderr == "There is no nobody on this file.\n"

    assert verb(here, "lan", "collection", "remove", whose).returncode == 0
    until(lambda: verb(here, "lan", "collection", "show", whose).returncode == 1, seconds=30)
    assert legation("--data", str(here.folder), "collection", "--help").returncode == 0
