"""Fixtures that every folder of tests may use."""

import gc
import os
import sys

import pytest
from _pytest.nodeid import coerce_node_id
from hypothesis import settings

pytest_plugins = ["tests.temporal", "tests.running"]

# A property holds or not; how long one example takes says something about the machine's other work only. The same
# examples every time, so that whether a change is good is not a matter of luck; HYPOTHESIS=explore looks for new ones.
settings.register_profile("legation", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None)
settings.load_profile(os.environ.get("HYPOTHESIS", "legation"))


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Say at once what failed: a run that hangs later, or is stopped, never reaches its summary."""
    if report.failed and "PYTEST_XDIST_WORKER" not in os.environ:
        where = getattr(getattr(report.longrepr, "reprcrash", None), "message", report.longreprtext[-500:])
        print(f"\n{report.when} of {report.nodeid} failed: {where[:500]}", file=sys.stderr, flush=True)


def pytest_collection_finish() -> None:
    """Let the collector leave alone what stays for the whole run, and look less often at what comes.

    A full look at everything takes seconds in a process of thousands of tests, and holds up the workflows that run in
    it for longer than their worker bears.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


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
