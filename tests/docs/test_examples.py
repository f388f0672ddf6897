"""The examples of docs/one-delegation.md run, and give what stands beside them."""

from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("page", ["one-delegation.md"])
def test_every_example_of_a_page_gives_what_it_shows(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Examples share one namespace, as a reader would type them; the first difference names its line."""
    monkeypatch.chdir(ROOT)
    document = Sybil(parsers=[PythonCodeBlockParser()], path=str(ROOT / "docs")).parse(ROOT / "docs" / page)
    examples = list(document.examples())
    assert len(examples) >= 10
    for example in examples:
        example.evaluate()
