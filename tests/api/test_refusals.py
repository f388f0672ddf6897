"""Every code that a refusal can carry has a status and a sentence in both languages."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from api import attachments, collections, directory_imports, texts, violations
from api.problems import PROBLEMS, RETRY_AFTER, TITLES, shown
from api.refusals import REFUSALS
from domain.decide import TABLE
from domain.state import Phase
from domain.values import Value
from locales import LANGUAGES, Language, translator
from storage.directory import DirectoryRefused
from storage.media_types import AttachmentRefused
from storage.texts import TextRefused
from storage.workbook import SpreadsheetRefused
from words.codes import COMMANDS, PHASES

ROOT = Path(__file__).parent.parent.parent
EXPECTED_403 = {
    "role_may_not",
    "organisation_out_of_reach",
    "not_entitled_to_sign",
    "substitute_not_entitled",
    "desk_of_another_organisation",
    "not_yourself",
    "own_request",
    "own_trip",
    "signed_another_step",
    "granted_by_oneself",
}
EXPECTED_404 = {"delegation_unknown"}
EXPECTED_409 = {
    "changed_meanwhile",
    "item_not_published",
    "channel_unchanged",
    "place_signed_already",
    "approval_incomplete",
    "change_unapproved",
    "change_under_approval",
    "letter_recorded_already",
    "coordinator_signed",
    "nothing_to_approve",
    "coordinator_unchanged",
    "delegation_closed",
    "delegation_exists",
    "document_exists",
    "dossier_superseded",
    "extension_repeated",
    "extension_too_late",
    "head_exists",
    "item_exists",
    "mail_erased",
    "mail_not_dead",
    "mail_superseded",
    "member_exists",
    "outcome_recorded_already",
    "person_known",
    "person_not_identified",
    "programme_unchanged",
    "reply_stale",
    "report_filed_already",
    "report_not_accepted",
    "report_not_filed",
    "report_superseded",
    "request_answered",
    "request_ended",
    "rules_current",
    "step_not_open",
    "wrong_phase",
}


def calls(folder: str, *names: str) -> Iterator[ast.Call]:
    """Every call of these functions in the files of a folder."""
    for path in sorted((ROOT / folder).glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield node


def texts_in(node: ast.expr) -> list[str]:
    """The string constants of an expression."""
    return [one.value for one in ast.walk(node) if isinstance(one, ast.Constant) and isinstance(one.value, str)]


def first_texts(folder: str, *names: str) -> set[str]:
    """The string constants that stand as first argument of these calls."""
    return {
        call.args[0].value
        for call in calls(folder, *names)
        if call.args and isinstance(call.args[0], ast.Constant) and isinstance(call.args[0].value, str)
    }


def refusal_codes() -> dict[str, list[set[str]]]:
    """Every code that `domain/` refuses with, and the parameters of each place that does."""
    found: dict[str, list[set[str]]] = {}
    for call in calls("domain", "refuse"):
        given = {keyword.arg for keyword in call.keywords if keyword.arg} - {"field"}
        for code in texts_in(call.args[0]):
            found.setdefault(code, []).append({name for name in given if name})
    for call in calls("domain", "Refusal"):
        for keyword in call.keywords:
            if keyword.arg == "code":
                for code in texts_in(keyword.value):
                    found.setdefault(code, [])
    return found


def returned_codes() -> set[str]:
    """Codes that the rules of who may return for `refuse` to carry."""
    trees = [ast.parse((ROOT / "domain" / f"{name}.py").read_text("utf-8")) for name in ("entitlement", "permission")]
    named = ("right_to_sign", "conflict", "permitted", "may_coordinate")
    return {
        text
        for tree in trees
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in named
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and node.value is not None
        for text in texts_in(node.value)
    }


def places(sentence: str) -> set[str]:
    """The `%(name)s` of a sentence."""
    return {part.split(")")[0] for part in sentence.split("%(")[1:]}


def test_every_refusal_of_the_domain_has_an_answer() -> None:
    """And nothing is answered that the domain does not refuse, but for those that need a register."""
    of_registers = {"organisation_ended", "reference_unknown"}
    assert set(refusal_codes()) | returned_codes() == set(REFUSALS) - of_registers


def test_a_sentence_asks_only_for_what_every_refusal_of_its_code_gives() -> None:
    """A sentence whose place stays empty would be a fault of ours instead of an answer."""
    lacking = {
        code: missing
        for code, given_at_each in refusal_codes().items()
        for given in given_at_each
        if (missing := places(REFUSALS[code].sentence) - given)
    }
    assert lacking == {}


def test_codes_have_the_status_that_clients_decide_by() -> None:
    """403 for who may not, 404 for what is not there, 409 for what contradicts the file as it stands, else 422."""
    by_status = {status: {code for code, answer in REFUSALS.items() if answer.status == status} for status in TITLES}
    assert by_status[403] == EXPECTED_403
    assert by_status[404] == EXPECTED_404
    assert by_status[409] == EXPECTED_409
    assert {answer.status for answer in REFUSALS.values()} == {403, 404, 409, 422}
    assert {code for code, answer in PROBLEMS.items() if answer.status == 503} == set(RETRY_AFTER)


def test_every_rule_for_values_has_a_sentence() -> None:
    """The custom codes of pydantic errors in `domain/`, `storage/` and `api/`, and no others."""
    raised = {
        code
        for folder in ("domain", "storage", "api")
        for code in first_texts(folder, "PydanticCustomError", "_refused")
    }
    assert raised == set(violations.CUSTOM)


def test_the_registers_refusals_have_sentences() -> None:
    """Codes as the registers' own exceptions document them."""
    for refused, sentences in (
        (TextRefused, texts.SENTENCES),
        (AttachmentRefused, attachments.SENTENCES),
        (SpreadsheetRefused, directory_imports.FILE_SENTENCES),
        (DirectoryRefused, first_texts("storage", "DirectoryRefused")),
    ):
        assert all(code in (refused.__doc__ or "") for code in sentences), refused
    assert first_texts("storage", "AttachmentRefused") == set(attachments.SENTENCES)
    assert first_texts("storage", "TextRefused") == set(texts.SENTENCES)
    assert first_texts("storage", "SpreadsheetRefused") == set(directory_imports.FILE_SENTENCES)
    assert first_texts("storage", "DirectoryRefused") <= set(PROBLEMS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_exists_in_both_languages(language: Language) -> None:
    """Vietnamese is Vietnamese, and no sentence loses a place on the way."""
    words = translator(language)
    sentences = {answer.sentence for answer in (*REFUSALS.values(), *PROBLEMS.values())}
    sentences |= {collections.NOT_FOUND, *(sentence for _, sentence in collections.REFUSED.values())}
    sentences |= {
        *TITLES.values(),
        *PHASES.values(),
        *COMMANDS.values(),
        *texts.SENTENCES.values(),
        *attachments.SENTENCES.values(),
    }
    sentences |= {*directory_imports.FILE_SENTENCES.values(), *directory_imports.ROW_SENTENCES.values()}
    sentences |= set(directory_imports.CHOICE_SENTENCES.values())
    sentences |= {*violations.CUSTOM.values(), *(rule.sentence for rule in violations.PYDANTIC.values())}
    for sentence in sentences:
        said = words.gettext(sentence)
        assert places(said) == places(sentence), sentence
        assert (said == sentence) is (language == "en"), sentence


def test_every_phase_has_a_name() -> None:
    """A refusal names phases in the reader's words."""
    assert set(PHASES) == {phase.value for phase in Phase}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", list(TABLE), ids=lambda kind: kind.__name__)
def test_no_code_of_a_command_or_a_phase_stands_in_a_sentence(language: Language, kind: type[Value]) -> None:
    """Whoever is told that a command is not possible reads what it does, and where it would be."""
    command, words = kind.model_fields["type"].default, translator(language)
    allowed = sorted(phase.value for phase in TABLE[kind].phases)
    params = shown({"command": command, "phase": "under_way", "allowed": allowed}, words)
    for code in ("wrong_phase", "role_may_not"):
        said = words.tr(REFUSALS[code].sentence, **params)
        assert "_" not in said
        assert str(params["command"]) in said
    assert params["command"] == words.tr(COMMANDS[command])
