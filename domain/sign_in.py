"""How somebody signs in, and what a credential may be used for: words and rules that several layers share."""

import unicodedata
from collections.abc import Collection
from datetime import timedelta
from typing import Literal, get_args

from pydantic_core import PydanticCustomError

from domain.decision import Actor
from domain.permission import SIGNING
from domain.values import Factor as Factor
from domain.values import Instant

Scope = Literal["read", "write", "sign", "administer"]
"""What a token may be used for; never more than the roles of its account allow."""

SCOPES: tuple[Scope, ...] = get_args(Scope)

HOST = "host:"
"""Before the name of the operating system's user who did something on the machine itself: no account is called so."""

TOKEN_DAYS = 365
SIGNING_TOKEN_DAYS = 30
"""How long a token is good at most, unless an installation says otherwise: one that may sign is gone sooner."""

SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 128
"""In characters (code points) of the prepared password."""


class Acting(Actor):
    """An actor as one request knows them: by which factor they signed in, when, and what they may use it for.

    `factor_at` is wall time in UTC: of the sign-in, or of the request for a token. `session` is the session's id. Of a
    sign-in with another provider `vouched_at` is when the person last showed themselves there, if the provider said so:
    one that still knows somebody sends them back without asking them anything.
    """

    factor: Factor
    factor_at: Instant
    scopes: tuple[Scope, ...] = SCOPES
    session: str | None = None
    vouched_at: Instant | None = None

    @property
    def shown_at(self) -> Instant | None:
        """When somebody last showed who they are, as far as is known; for a token, with each request."""
        return self.vouched_at if self.factor == "oidc" else self.factor_at


def scope_of_command(command_type: str) -> Scope:
    """Return the scope that a command of this type needs: `sign` for what signs, returns or rejects, else `write`."""
    return "sign" if command_type in SIGNING else "write"


def longest_life(
    scopes: Collection[Scope], *, days: int = TOKEN_DAYS, signing_days: int = SIGNING_TOKEN_DAYS
) -> timedelta:
    """Return how long a token with these scopes may live: none is good for ever, and a signing one never longer."""
    return timedelta(days=min(days, signing_days) if "sign" in scopes else days)


def prepared(password: str) -> str:
    """Return a password as it is hashed: every kind of space is U+0020, the rest in NFC (RFC 8265 section 4.2.2).

    So it is the same password on a keyboard that writes “ế” as one character and on one that writes three. Case and
    width stay: NFKC would make different passwords one.
    """
    spaced = "".join(" " if unicodedata.category(character) == "Zs" else character for character in password)
    return unicodedata.normalize("NFC", spaced)


def new_password(password: str) -> str:
    """Return a new password, prepared. Any characters are taken; refuses one that is too short or too long."""
    ready = prepared(password)
    if len(ready) < SHORTEST_PASSWORD:
        raise PydanticCustomError(
            "password_too_short", "a password has at least {shortest} characters", {"shortest": SHORTEST_PASSWORD}
        )
    if len(ready) > LONGEST_PASSWORD:
        raise PydanticCustomError(
            "password_too_long", "a password has at most {longest} characters", {"longest": LONGEST_PASSWORD}
        )
    return ready
