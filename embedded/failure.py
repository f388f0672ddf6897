"""Why the embedded stack did not start, or ended: always one plain sentence for the person who started it."""


class StackFailure(Exception):
    """The base of every refusal of the stack; its text is shown as it is, and the command ends with exit code 1."""
