"""Fixtures that every folder of tests may use."""

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings

pytest_plugins = ["tests.temporal", "tests.running"]

# A property holds or not; how long one example takes says something about the machine's other work only.
settings.register_profile("legation", deadline=None)
settings.load_profile("legation")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep the tests of an `xdist_group` in one process.

    pytest-xdist 3.8 names the group in an attribute that pytest 9.2 does not read any more.
    """
    if not getattr(config.option, "loadgroup", False):
        return
    for item in items:
        groups = "_".join(sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")}))
        if groups and not item.nodeid.endswith(f"@{groups}"):
            item._id = coerce_node_id(f"{item.nodeid}@{groups}")
