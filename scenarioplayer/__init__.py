"""Playing a scenario file through the public API, as people would go it, and counting what came of it.

Belongs to no layer: it speaks HTTP to the API and IMAP to the mailboxes. The demo's clock is the one thing it uses that
people do not have.
"""

from scenarioplayer.player import Played, Player, ScenarioFailed, StepPlayed
from scenarioplayer.summary import Summary

__all__ = ["Played", "Player", "ScenarioFailed", "StepPlayed", "Summary"]
