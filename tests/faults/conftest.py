"""Fixtures of the faults; and with `--faults-page FILE`, a page of what was injected and what came of it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.faults.page import Note, Page
from tests.installed import Installed, installed


def pytest_addoption(parser: pytest.Parser) -> None:
    """Name the page that a full run leaves behind."""
    parser.addoption("--faults-page", metavar="FILE", default=None, help="write what came of the faults to FILE")


def pytest_configure(config: pytest.Config) -> None:
    """Collect in the one process that sees every report: under xdist, not in its workers."""
    path = config.getoption("--faults-page", default=None)
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Page(Path(path)), "faults-page")


@pytest.fixture
def note(record_property: Callable[[str, object], None]) -> Note:
    """Note what a test injects, and figures of it, for the page."""

    def write(**noted: object) -> None:
        for name, value in noted.items():
            record_property(name, value)

    return write


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The installation of this test process, every part of it running in its own; tests use files of their own."""
    with installed(tmp_path_factory.mktemp("faults") / "var") as running:
        yield running
