"""What the stack says to the person who started it: plain sentences, kept apart from their language."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from locales import Translator


@dataclass(frozen=True)
class Sentence:
    """A text marked for translation and what fills its ``%(name)s`` places; a value may be a Sentence itself."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English."""
        return self.text % {name: str(value) for name, value in self.values.items()}

    def told(self, translator: Translator) -> str:
        """In the translator's language."""
        filled = {
            name: value.told(translator) if isinstance(value, Sentence) else value
            for name, value in self.values.items()
        }
        return translator.tr(self.text, **filled)


class StackFailure(Exception):
    """Why the stack did not start, or ended; the command shows the sentence and ends with exit code 1."""

    def __init__(self, text: str, **values: object) -> None:
        self.sentence = Sentence(text, values)
        super().__init__(str(self.sentence))
