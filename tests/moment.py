"""A clock that tests move by hand."""

from datetime import UTC, datetime, timedelta


class Moment:
    """Called like a clock; it stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        """Return the wall time in UTC, as this clock has it."""
        return self.now

    def pass_by(self, **passed: float) -> None:
        """Let time pass, given as to `timedelta`."""
        self.now += timedelta(**passed)
