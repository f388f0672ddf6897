"""The token that the daily verbs act with: from the environment, else the one that `legation token create --save` kept.

Both are secrets: neither is shown or logged, and a file that others may read is refused.
"""

import os
import stat
from pathlib import Path

from locales import mark
from settings import PREFIX, Settings
from verbs.refusal import Refusal

VARIABLE = f"{PREFIX}TOKEN"


def token_file(settings: Settings) -> Path:
    """Where this command keeps its own token."""
    return settings.data_dir / "keys" / "cli.token"


def own_token(settings: Settings) -> str:
    """The token to act with. Refuses, saying how to get one, when there is none."""
    named = os.environ.get(VARIABLE, "").strip()
    if named:
        return named
    path = token_file(settings)
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise Refusal(mark("Others may read the token: chmod 600 %(file)s"), file=path)
        kept = path.read_text("ascii").strip()
    except FileNotFoundError:
        kept = ""
    except (OSError, UnicodeDecodeError):
        raise Refusal(mark("The token in %(file)s cannot be read."), file=path) from None
    if not kept:
        raise Refusal(
            mark(
                "This command has no token: set %(variable)s, or make one with "
                "`legation token create ACCOUNT --role coordinator --save`."
            ),
            variable=VARIABLE,
        )
    return kept


def keep_token(settings: Settings, secret: str) -> Path:
    """Keep a token (mode 0600) in place of the one before, and return the file."""
    path = token_file(settings)
    beside = path.with_suffix(".new")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with open(beside, "w", encoding="ascii", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(secret + "\n")
        beside.replace(path)
    except OSError as error:
        raise Refusal(
            mark("The token could not be kept in %(file)s: %(reason)s."),
            file=path,
            reason=(error.strerror or "unknown error").lower(),
        ) from error
    return path
