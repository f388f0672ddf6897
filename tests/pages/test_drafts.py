"""Drafts: their owner's alone, encrypted, gone after thirty days."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from storage.drafts import LARGEST_DRAFT, LIFETIME, MOST_DRAFTS, DraftRefused, drafts
from tests.api.front import Front, front

TYPED = (("title", "Đoàn Hội hữu nghị Nagoya"), ("countries", "Nhật Bản"), ("countries", ""))


async def saved(found: Front, draft: str = "dra_1", account: str = "lan") -> None:
    """One draft of an account."""
    await found.at.drafts.save(account, "new_delegation", draft, TYPED)


async def test_a_draft_comes_back_as_it_was_typed_to_its_owner_alone(tmp_path: Path) -> None:
    """Every value of every name, in order; nobody else has it, reads it or replaces it."""
    async with front(tmp_path) as found:
        await saved(found)
        [mine] = await found.at.drafts.of("lan", "new_delegation")
        assert (mine.id, mine.pairs) == ("dra_1", TYPED)
        assert await found.at.drafts.of("mai", "new_delegation") == []
        assert await found.at.drafts.get("mai", "new_delegation", "dra_1") is None
        with pytest.raises(DraftRefused) as refused:
            await saved(found, account="mai")
        assert refused.value.code == "draft_of_another"
        assert not await found.at.drafts.discard("mai", "dra_1")
        assert await found.at.drafts.discard("lan", "dra_1")
        assert await found.at.drafts.get("lan", "new_delegation", "dra_1") is None


async def test_a_draft_is_encrypted_and_replaced_by_what_is_typed_later(tmp_path: Path) -> None:
    """The table has no word of it."""
    async with front(tmp_path) as found:
        await saved(found)
        await found.at.drafts.save("lan", "new_delegation", "dra_1", [("title", "Nagoya và Osaka")])
        async with found.at.database.reading() as connection:
            [row] = (await connection.execute(select(drafts))).all()
        assert b"Nagoya" not in row.ciphertext
        [mine] = await found.at.drafts.of("lan", "new_delegation")
    assert mine.pairs == (("title", "Nagoya và Osaka"),)


async def test_a_draft_goes_thirty_days_after_its_last_change(tmp_path: Path) -> None:
    """It is shown no more at once, and deleted by the next one that is saved."""
    async with front(tmp_path) as found:
        await saved(found)
        now = found.at.drafts.clock()
        found.at.drafts.clock = lambda: now + LIFETIME + timedelta(seconds=1)
        assert await found.at.drafts.of("lan", "new_delegation") == []
        await saved(found, "dra_2", "mai")
        async with found.at.database.reading() as connection:
            assert [row.id for row in (await connection.execute(select(drafts))).all()] == ["dra_2"]


async def test_drafts_are_bounded(tmp_path: Path) -> None:
    """In size, and in number for one account."""
    async with front(tmp_path) as found:
        with pytest.raises(DraftRefused) as large:
            await found.at.drafts.save("lan", "new_delegation", "dra_1", [("title", "a" * LARGEST_DRAFT)])
        for number in range(MOST_DRAFTS):
            await saved(found, f"dra_{number}")
        with pytest.raises(DraftRefused) as many:
            await saved(found, "dra_one_more")
    assert (large.value.code, many.value.code) == ("draft_too_large", "too_many_drafts")
