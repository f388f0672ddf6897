"""The API of a data folder, also when nothing runs there: started for one look at what is there, and stopped again."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from embedded.folder import DataFolder
from locales import mark
from settings import PREFIX, Settings
from verbs.asking import ADDRESS, Api, api_of
from verbs.children import ROOT
from verbs.language import translator_of
from verbs.own_token import own_token
from verbs.refusal import Refusal

AT_HAND = "embedded.at_hand"


@contextmanager
def api_at_hand(settings: Settings) -> Iterator[Api]:
    """The API to ask, as `api_of` gives it; on a stopped data folder one that only shows, for this context.

    Refuses when the folder has no data, and when there is no token to act with.
    """
    if os.environ.get(ADDRESS, "").strip() or DataFolder(settings.data_dir).read() is not None:
        with api_of(settings) as api:
            yield api
        return
    token = own_token(settings)
    with _started(settings) as address, Api(address, token, translator_of(settings)) as api:
        yield api


@contextmanager
def _started(settings: Settings) -> Iterator[str]:
    child = subprocess.Popen(
        [sys.executable, "-m", AT_HAND],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
        env={**os.environ, f"{PREFIX}DATA_DIR": str(settings.data_dir)},
    )
    try:
        answer = json.loads((child.stdout.readline() if child.stdout else b"") or b"{}")
        if "refused" in answer:
            raise Refusal(answer["refused"]["text"], **answer["refused"]["values"])
        if "api_url" not in answer:
            raise Refusal(
                mark("The part %(part)s ended without an answer (exit code %(code)s)."), part=AT_HAND, code=child.wait()
            )
        yield answer["api_url"]
    finally:
        # Closes its standard input, which tells it to end, and waits until everything has stopped.
        child.communicate()
