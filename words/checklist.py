"""The days of a checklist, in words."""

from locales import Translator


def due_words(anchor: str, side: str, offset: int, unit: str, words: Translator) -> str:
    """Return when something is due: `3 working days before the first day`."""
    if offset == 0:
        return words.tr("on the first day") if anchor == "arrival" else words.tr("on the last day")
    count = offset
    match anchor, side, unit:
        case "arrival", "before", "days":
            return words.ntr("%(count)s day before the first day", "%(count)s days before the first day", count)
        case "arrival", "after", "days":
            return words.ntr("%(count)s day after the first day", "%(count)s days after the first day", count)
        case "departure", "before", "days":
            return words.ntr("%(count)s day before the last day", "%(count)s days before the last day", count)
        case "departure", "after", "days":
            return words.ntr("%(count)s day after the last day", "%(count)s days after the last day", count)
        case "arrival", "before", _:
            return words.ntr(
                "%(count)s working day before the first day", "%(count)s working days before the first day", count
            )
        case "arrival", _, _:
            return words.ntr(
                "%(count)s working day after the first day", "%(count)s working days after the first day", count
            )
        case _, "before", _:
            return words.ntr(
                "%(count)s working day before the last day", "%(count)s working days before the last day", count
            )
    return words.ntr("%(count)s working day after the last day", "%(count)s working days after the last day", count)
