"""Writes the states that recorded histories fold to: `python -m tests.replay.golden`.

Run on purpose only: a commit that changes a state of an old recording has to say why.
"""

import asyncio
import json
from typing import Any

from audit.history import events_of
from domain.evolve import fold
from domain.seal import head_of
from tests.replay.recordings import STATES, Recording, recordings


async def folded(recording: Recording) -> dict[str, Any]:
    """The head of a recording's trail and the state it folds to, as JSON."""
    events = await events_of(recording.histories())
    state = fold(events)
    assert state is not None
    return {"head": head_of(events[-1]).model_dump(mode="json"), "state": state.model_dump(mode="json")}


async def main() -> None:
    """Write every state anew."""
    STATES.mkdir(parents=True, exist_ok=True)
    for recording in recordings():
        text = json.dumps(await folded(recording), ensure_ascii=False, indent=1)
        recording.golden.write_text(text + "\n", encoding="utf-8")
        print(recording.golden.name)


if __name__ == "__main__":
    asyncio.run(main())
