"""A text of the rules in both languages of the product."""

from domain.values import BusinessText, Language, Value


class Bilingual(Value):
    """The same words in Vietnamese and in English."""

    vi: BusinessText
    en: BusinessText

    def text(self, language: Language) -> str:
        """Return the words in one language."""
        return self.vi if language == "vi" else self.en
