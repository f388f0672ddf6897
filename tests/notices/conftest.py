"""Fixtures: the mail servers of tests/notices/servers.py, running."""

import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from subprocess import DEVNULL, Popen

import pytest

from tests.notices.servers import PASSWORD, Sink, free_port, listening, wait_for


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """An SMTP server that takes everything, unless told otherwise."""
    async with listening(Sink()) as one:
        yield one


@pytest.fixture(scope="session")
def mail_devel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, int]]:
    """A development mailbox with SMTP and IMAP, as (SMTP port, IMAP port); the password of all is PASSWORD."""
    smtp, imap = free_port(), free_port()
    ports = ["--smtp-port", str(smtp), "--imap-port", str(imap), "--no-http"]
    with Popen(
        [sys.executable, "-m", "mail_devel", "--host", "127.0.0.1", *ports, "--multi-user", "--password", PASSWORD],
        cwd=Path(tmp_path_factory.mktemp("mail")),
        stdout=DEVNULL,
        stderr=DEVNULL,
    ) as process:
        try:
            for port in (smtp, imap):
                wait_for(port, process)
            yield smtp, imap
        finally:
            process.terminate()
            process.wait(10)
