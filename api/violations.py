"""What a person hears when a body or a parameter does not parse: the field, the rule it breaks, and a sentence.

The value that was sent is never repeated: it may be personal data.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from api.problems import FieldProblem
from domain.directory import ENTRY_TAGS
from domain.permission import ROLES
from domain.text import one_line
from locales import mark

MOST_ERRORS = 50
LONGEST_NAME = 100

TAGS = frozenset({"command", "batch", "opening", "opening_batch"})
"""Which alternative of a body was tried: not a field."""


class Rule(NamedTuple):
    """A stable code, and its sentence."""

    code: str
    sentence: str


NOT_TEXT = Rule("not_text", mark("This must be text."))
NOT_NUMBER = Rule("not_a_number", mark("This must be a whole number."))
NOT_LIST = Rule("not_a_list", mark("This must be a list."))
NOT_OBJECT = Rule("not_an_object", mark("This must be an object with named fields."))
NOT_DATE = Rule("not_a_date", mark("This must be a day that exists, such as 2026-04-11."))
NOT_INSTANT = Rule("not_an_instant", mark("This must be an instant with its zone, such as 2026-04-11T07:30:00Z."))
TOO_SMALL = Rule("too_small", mark("This is less than is allowed."))
TOO_LARGE = Rule("too_large", mark("This is more than is allowed."))
NOT_JSON = Rule("not_json", mark("The body is not JSON."))
MALFORMED = Rule("malformed", mark("This does not have the form it must have."))

PYDANTIC: dict[str, Rule] = {
    "missing": Rule("required", mark("This is missing.")),
    "extra_forbidden": Rule("unknown_field", mark("There is no field of this name here.")),
    "string_type": NOT_TEXT,
    "string_unicode": NOT_TEXT,
    "string_too_long": Rule("too_long", mark("At most %(max_length)s characters are taken.")),
    "string_too_short": Rule("too_short", mark("At least %(min_length)s characters are needed.")),
    "string_pattern_mismatch": MALFORMED,
    "too_long": Rule("too_many", mark("At most %(max_length)s are taken.")),
    "too_short": Rule("too_few", mark("At least %(min_length)s are needed.")),
    "literal_error": Rule("not_one_of", mark("This must be one of: %(expected)s.")),
    "enum": Rule("not_one_of", mark("This must be one of: %(expected)s.")),
    "union_tag_not_found": Rule("command_type_missing", mark("The field “type” must say which command this is.")),
    "union_tag_invalid": Rule("command_unknown", mark("There is no command of this type.")),
    "int_type": NOT_NUMBER,
    "int_parsing": NOT_NUMBER,
    "int_parsing_size": NOT_NUMBER,
    "int_from_float": NOT_NUMBER,
    "bool_type": Rule("not_true_or_false", mark("This must be true or false.")),
    "bool_parsing": Rule("not_true_or_false", mark("This must be true or false.")),
    "date_type": NOT_DATE,
    "date_parsing": NOT_DATE,
    "date_from_datetime_parsing": NOT_DATE,
    "date_from_datetime_inexact": NOT_DATE,
    "datetime_type": NOT_INSTANT,
    "datetime_parsing": NOT_INSTANT,
    "datetime_from_date_parsing": NOT_INSTANT,
    "timezone_aware": NOT_INSTANT,
    "time_type": Rule("not_a_time", mark("This must be a time of day, such as 14:30.")),
    "time_parsing": Rule("not_a_time", mark("This must be a time of day, such as 14:30.")),
    "tuple_type": NOT_LIST,
    "list_type": NOT_LIST,
    "dict_type": NOT_OBJECT,
    "model_type": NOT_OBJECT,
    "model_attributes_type": NOT_OBJECT,
    "greater_than_equal": Rule("too_small", mark("This must be at least %(ge)s.")),
    "less_than_equal": Rule("too_large", mark("This must be at most %(le)s.")),
    "greater_than": TOO_SMALL,
    "less_than": TOO_LARGE,
    "json_invalid": NOT_JSON,
    "json_type": NOT_JSON,
}
"""Pydantic's own kinds of error, by the codes that this API keeps stable."""

CUSTOM: dict[str, str] = {
    "account_id_reserved": mark("This id belongs to the system itself."),
    "batch_does_not_open": mark("The first command of a new delegation is “open_delegation”."),
    "address_domain_ambiguous": mark("The domain has a letter that mail servers read in two ways."),
    "address_domain_malformed": mark("After the @ stands a domain such as example.org."),
    "address_name_malformed": mark("Before the @ stand at most 64 ASCII letters, digits, dots and signs."),
    "address_too_long": mark("An address has at most 254 characters."),
    "address_without_at": mark("An address has the form name@domain."),
    "period_backwards": mark("The end is not after the beginning."),
    "country_not_named": mark("Days are given for a country that is not among the countries."),
    "country_unknown": mark("This is not a country code of ISO 3166-1, such as JP."),
    "days_contradict": mark("Two entries of the calendar of working days contradict each other."),
    "ends_before_starts": mark("The end is not after the start."),
    "entry_kind_unknown": mark("The kind is one of partner, host and contact."),
    "instant_out_of_range": mark("The year is not between 1990 and 2199."),
    "instant_without_zone": mark("An instant needs its zone, such as a final Z."),
    "local_time_does_not_exist": mark("This time does not exist in its zone: the clock is put forward over it."),
    "local_time_has_offset": mark("A local time carries its zone beside it, not an offset."),
    "local_time_has_seconds": mark("A local time ends at the minute."),
    "local_time_is_ambiguous": mark(
        "This time occurs twice in its zone: say fold 0 for the first or 1 for the second."
    ),
    "local_time_malformed": mark("This is not a date and time that exists, such as 2026-04-11T14:30."),
    "local_time_out_of_range": mark("The year is not between 1990 and 2199."),
    "password_too_long": mark("A password has at most %(longest)s characters."),
    "password_too_short": mark("A password has at least %(shortest)s characters."),
    "period_runs_backward": mark("The end of the period is before its beginning."),
    "processor_is_faster": mark("With a processor there is no less time than without one."),
    "proof_is_kept": mark("What proves what happened is kept for ever."),
    "reminders_out_of_order": mark("The reminders must count down, each number once."),
    "rules_contradict": mark("The rules %(first)s and %(second)s contradict each other."),
    "special_not_wider": mark("The special limit must be more than the ordinary one."),
    "absolute_and_special": mark("An absolute limit grants nothing in special cases."),
    "escalations_out_of_order": mark("The escalations must count up, each number once and all in the same unit."),
    "costs_leave_nothing": mark("The cost below which it holds must be more than the cost from which it holds."),
    "external_with_prefix": mark("An external step has no signature prefix of ours."),
    "position_repeated": mark("A position stands twice in one step."),
    "quorum_too_large": mark("The step asks for more signatures than it has positions."),
    "report_by_one": mark("A final report is accepted in one step, by one signature of ours."),
    "one_way_out": mark("What becomes of a step in conflict is exactly one of position, external and left_to."),
    "title_of_who_decides": mark("Who decides instead has a title; a step that is left to another has none."),
    "prefix_of_nobody": mark("Only a position signs with a prefix of ours."),
    "principal_without_prefix": mark("The principal says for whom a prefix is: name the prefix too."),
    "conflict_of_several": mark("A way out of a conflict is for steps that one signature of ours answers."),
    "conflict_to_itself": mark("The way out of a conflict names a position of the step itself."),
    "conflict_to_another_step": mark("The position %(position)s would sign the step %(step)s and one of its own."),
    "left_to_nobody": mark("The step %(step)s is left to %(to)s, which is no later step of the chain."),
    "left_to_who_sees_less": mark("The step %(step)s is left to %(to)s, which looks at less."),
    "report_by_ours": mark("A final report is accepted by one of ours, in a conflict too."),
    "about_what": mark("A policy for a programme change, and no other, says what it is about."),
    "nobody_looks": mark("No step looks at “%(kind)s”, which the policy is about."),
    "stage_missing": mark("Either every step names its stage, or none does."),
    "stages_out_of_order": mark("Stages count up from 1 without a gap."),
    "step_without_one_way": mark("A step has exactly one of position, one_of, all_of, n_of and external."),
    "step_named_report": mark("A step is called “report”, as the acceptance of the report is."),
    "step_repeated": mark("Two steps have the same id."),
    "page_of_nobody": mark("A page is somebody's: name the participant."),
    "feed_of_one": mark("Name a person or an account, and not both."),
    "text_has_control_character": mark("Character %(position)s is a control character (U+%(code)s): write one line."),
    "text_has_direction_mark": mark("Character %(position)s (U+%(code)s) changes the direction of reading."),
    "text_is_empty": mark("The text is empty."),
    "years_run_backward": mark("The last year is before the first."),
    "zone_unknown": mark("This is not an IANA time zone such as Asia/Ho_Chi_Minh."),
}
"""Our own rules for values, by the code they carry everywhere."""


def field_problems(errors: Sequence[Mapping[str, Any]]) -> list[FieldProblem]:
    """Return what pydantic found, in our words; at most MOST_ERRORS of it."""
    return [_field_problem(error) for error in errors[:MOST_ERRORS]]


def _field_problem(error: Mapping[str, Any]) -> FieldProblem:
    field, index = place(error["loc"])
    kind, context = str(error["type"]), error.get("ctx") or {}
    if kind in CUSTOM:
        return FieldProblem(field=field, rule=kind, sentence=CUSTOM[kind], params=_plain(context), index=index)
    rule = PYDANTIC.get(kind, MALFORMED)
    return FieldProblem(field=field, rule=rule.code, sentence=rule.sentence, params=_plain(context), index=index)


def place(location: Sequence[str | int]) -> tuple[str, int | None]:
    """Return the dotted path of a field, and which command of a batch it belongs to, counted from 0."""
    parts = list(location)
    if parts and parts[0] in ("body", "query", "path", "header"):
        del parts[0]
    parts = [part for position, part in enumerate(parts) if part not in ENTRY_TAGS and (position or part not in TAGS)]
    index = None
    if len(parts) > 1 and parts[0] == "commands" and isinstance(parts[1], int):
        index = parts[1]
        del parts[:2]
    if parts and parts[0] in ROLES:
        del parts[0]
    return ".".join(one_line(str(part))[:LONGEST_NAME] for part in parts), index


def _plain(context: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value if isinstance(value, int | str) else str(value) for name, value in context.items()}
