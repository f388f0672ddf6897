"""What nothing in the sources does: run text as code, read objects out of octets, ask a shell, use a broken hash."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OURS = sorted(
    path
    for path in ROOT.rglob("*.py")
    if not {"tests", "benchmarks", ".venv", "build", "var"} & set(path.relative_to(ROOT).parts)
)

RUNS_TEXT = {"eval", "exec", "compile", "__import__"}
MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "random", "telnetlib", "ftplib", "ldap3", "commands"}
CALLS = {
    "os.system",
    "os.popen",
    "hashlib.md5",
    "hashlib.sha1",
    "hashlib.new",
    "yaml.load",
    "yaml.full_load",
    "yaml.unsafe_load",
    "ssl._create_unverified_context",
    "tempfile.mktemp",
}


def called(node: ast.Call) -> str:
    """The name that is called, as it is written."""
    return ast.unparse(node.func)


def found(tree: ast.AST) -> Iterator[str]:
    """What is in a module that must not be there."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.partition(".")[0] in MODULES)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in MODULES:
            yield str(node.module)
        elif isinstance(node, ast.Call):
            if called(node) in RUNS_TEXT | CALLS:
                yield called(node)
            for keyword in node.keywords:
                if keyword.arg == "shell" and ast.unparse(keyword.value) != "False":
                    yield "shell"
                if keyword.arg == "verify" and ast.unparse(keyword.value) == "False":
                    yield "verify=False"


def test_there_are_sources() -> None:
    """Otherwise the next claim would hold of nothing."""
    assert len(OURS) > 300


@pytest.mark.parametrize("folder", sorted({path.relative_to(ROOT).parts[0] for path in OURS}))
def test_nothing_of_that_kind_is_used(folder: str) -> None:
    """Neither in a layer nor in a module of the root."""
    assert {
        f"{path.relative_to(ROOT)}: {one}"
        for path in OURS
        if path.relative_to(ROOT).parts[0] == folder
        for one in found(ast.parse(path.read_text("utf-8")))
    } == set()


def test_what_is_looked_for_is_found() -> None:
    """The search itself."""
    source = "import pickle\nfrom random import choice\neval(x)\nos.system(y)\nrun(z, shell=True)\nget(verify=False)\n"
    assert set(found(ast.parse(source))) == {"pickle", "random", "eval", "os.system", "shell", "verify=False"}
