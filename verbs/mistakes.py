"""What is wrong in a file that somebody wrote, in the reader's language: file, line, field and a sentence.

The sentences are those of the API where it has the same rule, so that a mistake reads the same on both sides.
"""

from collections.abc import Iterable, Mapping

from locales import Translator, mark
from verbs.refusal import Refusal
from yamlfile import Problem

NOT_TEXT = mark("This must be text.")
NOT_NUMBER = mark("This must be a whole number.")
NOT_LIST = mark("This must be a list.")
NOT_FIELDS = mark("This must be an object with named fields.")
NOT_DAY = mark("This must be a day that exists, such as 2026-04-11.")
NOT_ONE_OF = mark("This must be one of: %(expected)s.")
NOT_FORMED = mark("This does not have the form it must have.")
NOT_TRUTH = mark("This must be true or false.")

SENTENCES: Mapping[str, str] = {
    # the form of values
    "missing": mark("This is missing."),
    "extra_forbidden": mark("There is no field of this name here."),
    "string_type": NOT_TEXT,
    "string_too_long": mark("At most %(max_length)s characters are taken."),
    "string_too_short": mark("At least %(min_length)s characters are needed."),
    "string_pattern_mismatch": NOT_FORMED,
    "too_long": mark("At most %(max_length)s are taken."),
    "too_short": mark("At least %(min_length)s are needed."),
    "literal_error": NOT_ONE_OF,
    "enum": NOT_ONE_OF,
    "int_type": NOT_NUMBER,
    "int_parsing": NOT_NUMBER,
    "int_from_float": NOT_NUMBER,
    "bool_type": NOT_TRUTH,
    "bool_parsing": NOT_TRUTH,
    "date_type": NOT_DAY,
    "date_parsing": NOT_DAY,
    "date_from_datetime_parsing": NOT_DAY,
    "date_from_datetime_inexact": NOT_DAY,
    "tuple_type": NOT_LIST,
    "list_type": NOT_LIST,
    "dict_type": NOT_FIELDS,
    "model_type": NOT_FIELDS,
    "model_attributes_type": NOT_FIELDS,
    "greater_than_equal": mark("This must be at least %(ge)s."),
    "less_than_equal": mark("This must be at most %(le)s."),
    "id_repeated": mark("This id is given twice, first on line %(first)s."),
    "batch_too_large": mark("A file begins with at most %(limit)s commands: add the others afterwards."),
    # rules for values
    "address_domain_ambiguous": mark("The domain has a letter that mail servers read in two ways."),
    "address_domain_malformed": mark("After the @ stands a domain such as example.org."),
    "address_name_malformed": mark("Before the @ stand at most 64 ASCII letters, digits, dots and signs."),
    "address_too_long": mark("An address has at most 254 characters."),
    "address_without_at": mark("An address has the form name@domain."),
    "ends_before_starts": mark("The end is not after the start."),
    "local_time_does_not_exist": mark("This time does not exist in its zone: the clock is put forward over it."),
    "local_time_has_offset": mark("A local time carries its zone beside it, not an offset."),
    "local_time_has_seconds": mark("A local time ends at the minute."),
    "local_time_is_ambiguous": mark(
        "This time occurs twice in its zone: say fold 0 for the first or 1 for the second."
    ),
    "local_time_malformed": mark("This is not a date and time that exists, such as 2026-04-11T14:30."),
    "local_time_out_of_range": mark("The year is not between 1990 and 2199."),
    "text_has_control_character": mark("Character %(position)s is a control character (U+%(code)s): write one line."),
    "text_has_direction_mark": mark("Character %(position)s (U+%(code)s) changes the direction of reading."),
    "text_is_empty": mark("The text is empty."),
    "zone_unknown": mark("This is not an IANA time zone such as Asia/Ho_Chi_Minh."),
    # the file itself
    "too_large": mark("The file is larger than 4 MB."),
    "not_utf8": mark("The text is not UTF-8."),
    "alias": mark("An alias (*name) may not be used: write the value out."),
    "tag": mark("A tag (!name) may not be used."),
    "second_document": mark("A second document (---) may not follow."),
    "too_deep": mark("Values are nested too deep."),
    "key_repeated": mark("This key is given twice."),
    "key_not_text": mark("A key must be text."),
    "number_too_long": mark("A number has at most 18 characters."),
    "unwritable_character": mark("There is a character that may not stand in YAML."),
}
"""By the stable code of a problem; one that is not here is said in English, as it stands."""


class FileRefused(Refusal):
    """Every mistake that was found in a file, one line each."""

    def __init__(self, problems: Iterable[Problem], translator: Translator) -> None:
        super().__init__("%(said)s", said="\n".join(told(problem, translator) for problem in problems))


def told(problem: Problem, translator: Translator) -> str:
    """Return `visit.yaml, line 12: members[0].role: This is missing.`"""
    where = translator.tr("%(file)s, line %(line)s", file=problem.file, line=problem.line)
    return ": ".join(part for part in (where, problem.field, _sentence(problem, translator)) if part)


def _sentence(problem: Problem, translator: Translator) -> str:
    known = SENTENCES.get(problem.code)
    try:
        return problem.message if known is None else translator.tr(known, **problem.context)
    except KeyError:
        # Whoever found it did not say the values that the sentence has places for.
        return problem.message
