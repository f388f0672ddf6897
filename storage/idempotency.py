"""What happens when a client repeats a request to a register."""


class IdempotencyConflict(Exception):
    """The idempotency key was used before, for another body (an answer of 409)."""

    def __init__(self) -> None:
        super().__init__("this idempotency key was used before, with another body")
