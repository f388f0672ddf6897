"""Fixtures that every folder of tests may use."""

from hypothesis import settings

pytest_plugins = ["tests.temporal", "tests.running"]

# A property holds or not; how long one example takes says something about the machine's other work only.
settings.register_profile("legation", deadline=None)
settings.load_profile("legation")
