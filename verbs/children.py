"""What needs the engine runs as a child: one JSON request on its standard input, one JSON answer on its output."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from embedded.failure import Sentence
from locales import mark
from settings import PREFIX, Settings
from verbs.language import translator_of
from verbs.refusal import Refusal

ROOT = Path(__file__).parent.parent


def answer_of(module: str, request: dict[str, Any], settings: Settings) -> dict[str, Any]:
    """Return what `python -m module` answers to a request, on the data folder of the settings.

    The answer is `{"value": {…}, "notes": [sentence …]}` or `{"refused": sentence}` with sentences as
    `{"text": …, "values": {…}}`. Notes go to standard error; a refusal is raised. Secrets may stand in the request and
    in the answer: both go through pipes.
    """
    done = subprocess.run(
        [sys.executable, "-m", module],
        input=json.dumps(request).encode(),
        capture_output=True,
        cwd=ROOT,
        env={**os.environ, f"{PREFIX}DATA_DIR": str(settings.data_dir)},
        check=False,
    )
    try:
        answer: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        sys.stderr.buffer.write(done.stderr)
        text = mark("The part %(part)s ended without an answer (exit code %(code)s).")
        raise Refusal(text, part=module, code=done.returncode) from None
    if "refused" in answer:
        raise Refusal(answer["refused"]["text"], **answer["refused"]["values"])
    translator, messages = translator_of(settings), Console(stderr=True)
    for note in answer["notes"]:
        said = Sentence(**note).told(translator)
        messages.print(said, markup=False, highlight=False, soft_wrap=True)
    value: dict[str, Any] = answer["value"]
    return value
