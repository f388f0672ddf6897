"""What the tests of verbs share."""

from collections.abc import Iterator

import pytest

from tests.installed import Installed, installed


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installed]:
    """The installation of these tests; each uses files of its own."""
    with installed(tmp_path_factory.mktemp("verbs") / "data") as installation:
        yield installation
