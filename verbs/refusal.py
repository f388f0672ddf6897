"""How a verb says no."""


class Refusal(Exception):
    """One plain sentence for the person at the terminal; the command ends with exit code 1."""
