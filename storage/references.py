"""Opaque references: random, so that they say nothing and cannot be guessed."""

import base64
import secrets


def new_reference(prefix: str) -> str:
    """Return `prefix_` and 128 random bits as 26 lower-case letters and digits."""
    return f"{prefix}_{base64.b32encode(secrets.token_bytes(16)).decode().rstrip('=').lower()}"
