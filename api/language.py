"""Which of the two languages an answer is written in."""

from locales import LANGUAGES, Language


def preferred(accept_language: str, default: Language) -> Language:
    """Return the language an Accept-Language header prefers (RFC 9110 section 12.5.4), or the default.

    `vi-VN` counts as `vi`; a weight of 0 rules a language out; `*` and anything unknown mean the default.
    """
    best, weight = default, 0.0
    for entry in accept_language[:500].split(","):
        name, _, parameters = entry.partition(";")
        quality = _quality(parameters)
        primary = name.strip().lower().partition("-")[0]
        for language in LANGUAGES:
            if primary == language and quality > weight:
                best, weight = language, quality
    return best


def _quality(parameters: str) -> float:
    name, _, value = parameters.partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return min(max(float(value), 0.0), 1.0)
    except ValueError:
        return 0.0
