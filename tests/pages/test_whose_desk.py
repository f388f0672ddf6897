"""Whose desk: what waits with whom, how long already, and the files behind it; as many statements for many."""

from pathlib import Path

import pytest

from api.pages import whose_desk
from tests.pages.filled import put, reading, statements, text_of
from tests.pages.test_guard import visit, with_rules
from tests.storage.streams import submitted

pytestmark = pytest.mark.slow


async def test_what_waits_is_counted_by_whose_it_is_and_listed_behind_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By approver, position and organisation; nobody's is said, too. Only within reach, and as many statements."""
    monkeypatch.setattr(whose_desk, "EACH", 5)
    async with with_rules(tmp_path) as found:
        lan, counts = await reading(found, "lan"), []
        for empty in ("GET /desks", "GET /desks?by=position&of=nobody&page=9"):
            assert "Nothing waits on any desk" in (await visit(lan, empty)).text
        await put(found, "nara", title="Đoàn Nara")
        for number in range(8):
            if number in (2, 7):
                with statements(found) as asked:
                    await visit(lan, "GET /desks")
                counts.append(len(asked))
            await put(found, f"f-{number}", submitted(), title=f"Đoàn {number}", organisation=f"o-{number % 2}")
        assert counts[0] == counts[1]
        page = text_of((await visit(lan, "GET /desks")).text)
        assert "Lê Văn Hùng up to 2 working days: 8 8 files" in page
        assert "Đoàn Nara" not in page
        last = text_of((await visit(lan, "GET /desks?of=hung&page=2")).text)
        assert "Lê Văn Hùng: 8 desks" in last
        assert last.count("Signature: Head of department") == 3
        for by, one, number in (("organisation", "o-1", 4), ("position", "department_head", 8)):
            said = text_of((await visit(lan, f"GET /desks?by={by}&of={one}")).text)
            assert f": {number} desks" in said
        other = text_of((await visit(lan, "GET /desks?by=organisation&of=song-lam")).text)
        assert "Đoàn Nara The next move The coordinator: " in other
        await found.at.accounts.disable("hung", by="root")
        vacant = text_of((await visit(await reading(found, "an"), "GET /desks?of=-")).text)
        assert "Nobody: a vacant desk, or an outside authority up to 2 working days: 8" in vacant
        assert vacant.count("Department head · nobody sits there") == 5
        assert (await visit(lan, "GET /desks?by=coordinator")).status_code == 404
