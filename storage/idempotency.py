"""What happens when a client repeats a request to a register."""

from domain.canonical import sha256_hex


class IdempotencyConflict(Exception):
    """The idempotency key was used before, for another body (an answer of 409)."""

    def __init__(self) -> None:
        super().__init__("this idempotency key was used before, with another body")


def stored_key(idempotency_key: str | None) -> str | None:
    """Return the form in which a key is kept: of one length, whatever a client made of it."""
    return None if idempotency_key is None else sha256_hex(idempotency_key.encode("utf-8", "surrogatepass"))
