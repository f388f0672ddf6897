"""The OpenAPI document. `python -m api.openapi` writes docs/openapi.json; a test keeps it current."""

import json
import sys
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import SecretStr

from api.problems import MEDIA_TYPE
from domain.permission import ROLES
from settings import Settings

PATH = Path(__file__).parent.parent / "docs" / "openapi.json"


def described(application: FastAPI) -> dict[str, Any]:
    """Return the OpenAPI document of an application, made once and corrected where the framework cannot know better."""
    if application.openapi_schema is None:
        document = get_openapi(
            title=application.title,
            version=application.version,
            openapi_version=application.openapi_version,
            description=application.description,
            routes=application.routes,
        )
        for methods in document["paths"].values():
            for operation in methods.values():
                _answer_problems(operation)
                _take_sessions(operation)
        for schema in document["components"]["schemas"].values():
            _require_type(schema)
        application.openapi_schema = document
    return application.openapi_schema


def _answer_problems(operation: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/ProblemDetails"}
    operation["responses"]["default"]["content"] = {MEDIA_TYPE: {"schema": schema}}


def _take_sessions(operation: dict[str, Any]) -> None:
    """Where a token is taken, a session is too."""
    if {"token": []} in operation.get("security", []):
        operation["security"].append({"session": []})


def _require_type(schema: dict[str, Any]) -> None:
    """A command without its type is told from no other, although the model has a default for it."""
    kind = schema.get("properties", {}).get("type", {}).get("const")
    if kind in ROLES and schema["title"] != "Opening":
        schema["required"] = ["type", *schema.get("required", [])]


@cache
def document() -> dict[str, Any]:
    """Return the document of an installation for real use: the demo has one address more."""
    # Imported here: the application itself is described by this module.
    from api.application import create_application

    nobody = Settings(profile="server", master_key=SecretStr("A" * 43 + "="))
    return described(create_application(nobody))


def written() -> str:
    """Return the document as docs/openapi.json has it."""
    return json.dumps(document(), ensure_ascii=False, indent=2) + "\n"


if __name__ == "__main__":
    PATH.write_text(written(), "utf-8")
    sys.stdout.write(f"{PATH.name} is written\n")
