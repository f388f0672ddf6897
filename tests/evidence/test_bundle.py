"""A bundle of a real file: whole, the same bytes each time, and without personal data unless they are asked for."""

import pytest

from tests.evidence.played import Played, unzipped

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_first(file: Played, tmp_path) -> None:
    bundle, export = await file.bundle(documents=True)
    print(export)
    open("/tmp/ev/bundle.zip", "wb").write(bundle)
    for n, c in unzipped(bundle).items():
        print(n, len(c))
