"""Recorded histories: replayed, folded and compared with golden states.

`python -m tests.replay.record` records them anew, `python -m tests.replay.golden` writes the states they fold to.
"""
