"""How a verb says no."""

from embedded.failure import Sentence


class Refusal(Exception):
    """One plain sentence, marked for translation; the command shows it and ends with exit code 1."""

    def __init__(self, text: str, **values: object) -> None:
        self.sentence = Sentence(text, values)
        super().__init__(str(self.sentence))
