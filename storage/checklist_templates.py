"""Reads the lists of what is usually to be done for a visit from `rules/checklists.yaml`."""

import json
from functools import cache
from pathlib import Path

from pydantic import Field, ValidationError

from domain.checklist import ChecklistTemplate
from domain.values import Value
from yamlfile import YamlFileError, load_with_lines, problems

SHIPPED = Path(__file__).resolve().parents[1] / "rules" / "checklists.yaml"


class TemplatesFile(Value):
    """What the file says."""

    templates: tuple[ChecklistTemplate, ...] = Field(max_length=50)


def load_templates(path: Path) -> tuple[ChecklistTemplate, ...]:
    """Return the templates of a file, in its order; raises YamlFileError, which names every mistake and its line."""
    loaded = load_with_lines(path)
    try:
        return TemplatesFile.model_validate_json(json.dumps(loaded.data), strict=True).templates
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        raise YamlFileError(problems(errors, loaded, path.name)) from None


@cache
def shipped_templates() -> tuple[ChecklistTemplate, ...]:
    """Return the templates that came with this release, or that the union put in their place."""
    return load_templates(SHIPPED)
