"""What the log says of who tried what, and what it never says."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from embedded.log import configure_log
from tests.api.front import Front, front


@pytest.fixture
async def at(tmp_path: Path) -> AsyncIterator[Front]:
    """An installation without a worker."""
    async with front(tmp_path) as found:
        yield found


def of(name: str, lines: list[Any]) -> list[dict[str, Any]]:
    """The lines of one kind."""
    return [dict(line) for line in lines if line["event"] == name]


async def test_every_request_is_noted_with_who_asked(at: Front) -> None:
    """The account's id, and nobody where nobody was known."""
    lan = at.browser()
    await lan.sign_in("lan")
    with structlog.testing.capture_logs() as lines:
        await lan.ask("GET", "/me")
        await at.browser().ask("GET", "/health")
    assert [(line["route"], line["account"]) for line in of("request", lines)] == [
        ("/me", "lan"),
        ("/health", None),
    ]


async def test_what_somebody_may_not_do_is_noted_with_who_it_was(at: Front) -> None:
    """By a session and by a token; whoever is unknown is noted as nobody, and no token is repeated."""
    lan = at.browser()
    await lan.sign_in("lan")
    reading = await at.token("lan", scopes=("read",))
    nobody = at.browser()
    with structlog.testing.capture_logs() as lines:
        await lan.ask("GET", "/accounts")
        await nobody.ask("POST", "/persons", {}, **reading)
        await nobody.ask("GET", "/me", authorization="Bearer lgt_guessed")
        await nobody.ask("GET", "/me")
    assert [(line["code"], line["account"], line["log_level"]) for line in of("refused", lines)] == [
        ("role_not_allowed", "lan", "warning"),
        ("scope_missing", "lan", "warning"),
        ("token_refused", None, "warning"),
        ("token_missing", None, "warning"),
    ]
    numbers = {line["request_id"] for line in of("request", lines)}
    assert {line["request_id"] for line in of("refused", lines)} == numbers
    assert "guessed" not in json.dumps(lines, default=str)


async def test_signing_in_is_noted_with_the_factor_and_in_vain_without_the_account(at: Front) -> None:
    """What was typed in vain may be a password in the wrong field."""
    lan = at.browser()
    with structlog.testing.capture_logs() as lines:
        await lan.sign_in("lan")
        await lan.sign_in("lan", "not this one at all")
    [opened], [refused] = of("signed_in", lines), of("sign_in_refused", lines)
    assert (opened["account"], opened["factor"]) == ("lan", "password")
    assert refused == {"event": "sign_in_refused", "log_level": "warning", "factor": "password"}


async def test_who_tries_too_often_is_noted(tmp_path: Path) -> None:
    """Every attempt beyond the limit."""
    async with front(tmp_path, sign_in_account_attempts=1) as found:
        lan = found.browser()
        with structlog.testing.capture_logs() as lines:
            for _ in range(3):
                await lan.sign_in("lan", "not this one at all")
    assert [line["code"] for line in of("refused", lines)] == ["sign_in_refused"] + ["too_many_attempts"] * 2


@pytest.fixture
def written(capsys: pytest.CaptureFixture[str]) -> Iterator[pytest.CaptureFixture[str]]:
    """What a process writes that was configured as worker and API are."""
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    configure_log()
    try:
        yield capsys
    finally:
        structlog.configure(**before)
        root.handlers, root.level = handlers, level


HOSTILE = 'one\r\n{"event": "signed_in"}\x1b[2J\u2028two'


def test_one_event_is_one_line_of_json_in_utc_whatever_it_holds(written: pytest.CaptureFixture[str]) -> None:
    """Line breaks, quotation marks and terminal codes of a value stay within its string."""
    structlog.get_logger().warning("tried", value=HOSTILE)
    [line] = written.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"], said["value"]) == ("tried", "warning", HOSTILE)
    assert said["timestamp"].endswith("Z")
    assert line.isprintable()


def test_what_a_library_warns_of_has_the_same_form(written: pytest.CaptureFixture[str]) -> None:
    """Who said it, when, and its stack within the line; what it merely tells is left out."""
    log = logging.getLogger("temporalio.activity")
    log.info("nothing that has to be looked at")
    try:
        raise ValueError(HOSTILE)
    except ValueError:
        log.exception("the effect %s failed", HOSTILE)
    [line] = written.readouterr().out.splitlines()
    said = json.loads(line)
    assert (said["event"], said["level"]) == (f"the effect {HOSTILE} failed", "error")
    assert said["logger"] == "temporalio.activity"
    assert said["exception"].startswith("Traceback")
    assert said["timestamp"].endswith("Z")
    assert line.isprintable()
