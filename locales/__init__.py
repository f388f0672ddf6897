"""What a person reads, in Vietnamese and in English.

``translator("vi").tr("Waits for %(desk)s", desk=desk)`` gives one sentence; the English text is the key.
A text that is only named in one place and shown in another is marked with ``mark``, so that extraction finds it.
"""

from locales.catalogue import LANGUAGES, Language, mark
from locales.translator import Translator, translator

__all__ = ["LANGUAGES", "Language", "Translator", "mark", "translator"]
