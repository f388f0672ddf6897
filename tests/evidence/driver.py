"""Run by a bare Python that has `cryptography` and nothing of ours: many changed bundles through one verify.py.

`python -I -S driver.py PACKAGES BUNDLE VERIFIER CASES`: CASES are lines of JSON, each with the members that are other
than in BUNDLE (`changed`: base64, or null where one is missing), what was kept elsewhere (`kept`, `keys`). For each one
a zip is written and checked; the answer is a line of JSON with what the verifier says.
"""

import base64
import importlib.util
import json
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any

OURS = ("activities", "api", "audit", "documents", "domain", "storage", "workflows", "pydantic", "temporalio")


def main() -> None:
    """Check every case."""
    packages, bundle, verifier, cases = sys.argv[1:]
    sys.path.insert(0, packages)
    for name in OURS:
        if importlib.util.find_spec(name) is not None:
            sys.exit(f"{name} can be imported here")
    spec = importlib.util.spec_from_file_location("verify", verifier)
    if spec is None or spec.loader is None:
        sys.exit("no verifier")
    verify: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(verify)
    with zipfile.ZipFile(bundle) as archive:
        base = {name: archive.read(name) for name in archive.namelist()}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "case.zip"
        for line in Path(cases).read_text().splitlines():
            case = json.loads(line)
            changed = {name: None if one is None else base64.b64decode(one) for name, one in case["changed"].items()}
            with zipfile.ZipFile(path, "w") as made:
                for name, content in (base | changed).items():
                    if content is not None:
                        made.writestr(name, content)
            found = list(verify.Bundle(path, case["kept"], case["keys"]).verify())
            sys.stdout.write(json.dumps(found) + "\n")


main()
