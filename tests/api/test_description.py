"""What is written about the API is true of it: openapi.json, its examples, docs/api.md, the page at /docs."""

import json
import re
from pathlib import Path
from typing import get_args

import pytest
from pydantic import TypeAdapter

from api.bodies import CommandBody, OpeningBody
from api.examples import COMMAND_EXAMPLES, EXAMPLES, OPENING_EXAMPLES, command
from api.openapi import PATH, document, written
from api.reference import page
from domain.commands import PUBLIC_COMMAND, PublicCommand
from domain.permission import ROLES, SYSTEM_ONLY
from tests.api.test_access import TABLE

DOCS = Path(__file__).parent.parent.parent / "docs" / "api.md"
DESCRIBED_ELSEWHERE = {"GET /docs"}
OPEN = {
    "show_health",
    "sign_in",
    "ask_passkey",
    "sign_in_with_passkey",
    "list_providers",
    "go_to_provider",
    "return_from_provider",
    "choose_password",
    "fetch_calendar",
}
"""What asks nobody who they are."""


def test_the_written_openapi_document_is_current() -> None:
    """`python -m api.openapi` writes it anew."""
    assert PATH.read_text("utf-8") == written()


def test_docs_api_md_names_every_address_and_no_other() -> None:
    """A reader finds each route once."""
    named = re.findall(r"^\| `((?:GET|POST|PUT|DELETE) /[^`]*)` \|", DOCS.read_text("utf-8"), re.MULTILINE)
    assert sorted(named) == sorted(set(TABLE) - DESCRIBED_ELSEWHERE - {"GET /api/v1/openapi.json"})


def test_the_openapi_document_has_every_address_but_the_demo_s() -> None:
    """With a summary, a tag and the shape of problems for each."""
    described = {f"{method.upper()} {path}" for path, methods in document()["paths"].items() for method in methods}
    assert described == set(TABLE) - DESCRIBED_ELSEWHERE - {"GET /api/v1/openapi.json", "POST /api/v1/demo/clock"}
    for methods in document()["paths"].values():
        for operation in methods.values():
            assert operation["tags"]
            assert operation["description"]
            assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
            assert bool(operation.get("security")) is (operation["operationId"] not in OPEN)


def test_no_address_is_also_what_another_one_means_by_a_parameter() -> None:
    """Else a method that it has not would be told of, and taken, in the name of the other one."""
    paths = document()["paths"]
    taken = []
    for path, methods in paths.items():
        like = re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + r"\Z")
        taken += [
            (path, other) for other in paths if other != path and like.match(other) and methods.keys() - paths[other]
        ]
    assert taken == []


@pytest.mark.parametrize("kind", sorted(set(ROLES) - {k for k, roles in ROLES.items() if roles == SYSTEM_ONLY}))
def test_every_command_has_an_example_that_parses(kind: str) -> None:
    """As it would be sent, by the strict rules of JSON."""
    PUBLIC_COMMAND.validate_json(json.dumps(command(kind)), strict=True)


def test_every_public_command_has_an_example() -> None:
    """And nothing else has."""
    union = get_args(PublicCommand)[0]
    assert {kind.model_fields["type"].default for kind in get_args(union)} == set(EXAMPLES)


def test_the_examples_of_bodies_parse() -> None:
    """Those that the description shows."""
    for adapter, examples in (
        (TypeAdapter(CommandBody), COMMAND_EXAMPLES),
        (TypeAdapter(OpeningBody), OPENING_EXAMPLES),
    ):
        for example in examples.values():
            adapter.validate_json(json.dumps(example["value"]), strict=True)


def test_the_page_shows_every_address_and_loads_nothing() -> None:
    """No script, no outside host, whatever a description says is text."""
    shown = page(document())
    for path in document()["paths"]:
        assert path in shown
    assert "<script" not in shown
    assert "src=" not in shown
    hostile = json.loads(json.dumps(document()))
    hostile["info"]["description"] = "<script>alert(1)</script>"
    assert "<script" not in page(hostile)
