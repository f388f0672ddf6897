"""The register of checklists, and that of notes, on both engines."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.bilingual import Bilingual
from domain.checklist import ChecklistTemplate, Due, Task
from storage.accounts import AccountDetails, Accounts
from storage.checklists import Checklists, checklist_entries
from storage.engine import Database
from storage.idempotency import IdempotencyConflict
from storage.keyring import Keyring
from storage.notes import Notes
from storage.register_log import ChangeRefused
from storage.texts import TextRefused, Texts
from storage.texts import texts as texts_table

GIFTS = Task(id="gifts", title=Bilingual(vi="Tặng phẩm", en="Gifts"), due=Due(offset=5, unit="working_days"))
FLAGS = Task(id="flags", title=Bilingual(vi="Quốc kỳ", en="Flags"))
TEMPLATE = ChecklistTemplate(id="general", title=GIFTS.title, direction="inbound", tasks=(GIFTS, FLAGS))


@pytest.fixture
def texts(database: Database, keyring: Keyring) -> Texts:
    return Texts(database, keyring)


@pytest.fixture
def lists(database: Database, texts: Texts) -> Checklists:
    return Checklists(database, texts)


@pytest.fixture
def notes(database: Database, texts: Texts) -> Notes:
    return Notes(database, texts)


@pytest.fixture
async def linh(database: Database, keyring: Keyring) -> str:
    """An account that may be given something to do."""
    await Accounts(database, keyring).create(AccountDetails(id="linh", name="Đỗ Linh", roles=("coordinator",)))
    return "linh"


async def test_a_template_is_taken_over_once(lists: Checklists) -> None:
    """By two at once too; what was removed does not come back, and no second one is mixed in."""
    await asyncio.gather(*(lists.choose("visit", TEMPLATE, by=who) for who in ("lan", "minh")))
    found = await lists.of("visit")
    assert [(one.title, one.due, one.template, one.done_at) for one in found] == [
        (GIFTS.title, GIFTS.due, "general", None),
        (FLAGS.title, None, "general", None),
    ]
    await lists.remove("visit", found[0].id, by="lan")
    await lists.remove("visit", found[0].id, by="minh")
    await lists.choose("visit", TEMPLATE, by="lan")
    assert [one.title for one in await lists.of("visit")] == [FLAGS.title]
    with pytest.raises(ChangeRefused, match="checklist_chosen"):
        await lists.choose("visit", TEMPLATE.model_copy(update={"id": "other"}), by="lan")
    assert await lists.of("elsewhere") == []


async def test_who_ticks_first_stands(lists: Checklists) -> None:
    """Twice is once, and a tick that is taken back can be set again."""
    await lists.choose("visit", TEMPLATE, by="lan")
    entry = (await lists.of("visit"))[0].id
    await asyncio.gather(*(lists.tick("visit", entry, done=True, by=who) for who in ("lan", "minh", "linh")))
    first = await lists.get("visit", entry)
    assert first.done_by in ("lan", "minh", "linh")
    again = await lists.tick("visit", entry, done=True, by="root")
    assert (again.done_by, again.done_at) == (first.done_by, first.done_at)
    assert (await lists.tick("visit", entry, done=False, by="lan")).done_at is None
    assert (await lists.tick("visit", entry, done=True, by="root")).done_by == "root"
    with pytest.raises(ChangeRefused, match="checklist_entry_unknown"):
        await lists.tick("elsewhere", entry, done=True, by="lan")


async def test_an_own_entry_stands_encrypted_and_is_entered_once(
    lists: Checklists, database: Database, linh: str
) -> None:
    """A form that is sent twice; another title under the same key is another request."""
    due = Due(anchor="departure", side="after", offset=1)
    made = [await lists.add("visit", "Đón bà Tanaka", due, linh, by="lan", key="k") for _ in range(2)]
    assert made[0] == made[1]
    assert (made[0].title, made[0].due, made[0].assignee) == (
        Bilingual(vi="Đón bà Tanaka", en="Đón bà Tanaka"),
        due,
        linh,
    )
    with pytest.raises(IdempotencyConflict):
        await lists.add("visit", "Khác", by="lan", key="k")
    with pytest.raises(ChangeRefused, match="account_unknown"):
        await lists.add("visit", "Khác", None, "nobody", by="lan", key="l")
    async with database.reading() as connection:
        rows = (await connection.execute(select(checklist_entries))).all()
        claimed = select(func.count()).where(texts_table.c.claimed_at.is_not(None))
        assert (await connection.execute(claimed)).scalar_one() == 1
    assert [(row.title_vi, row.title_en) for row in rows] == [(None, None)]
    assert [one.id for one in await lists.waiting_for(linh)] == [made[0].id]


async def test_two_who_change_one_entry_do_not_lose_each_other(lists: Checklists) -> None:
    """The second hears of the first; a tick between them is no change of what it says."""
    await lists.choose("visit", TEMPLATE, by="lan")
    entry = (await lists.of("visit"))[0]
    await lists.tick("visit", entry.id, done=True, by="minh")
    said: dict[str, Any] = {"title": "Tặng phẩm cho 12 khách", "due": None, "assignee": None}
    changed = await lists.change("visit", entry.id, entry.version, **said, by="lan")
    assert (changed.title, changed.due, changed.version) == (Bilingual(vi=said["title"], en=said["title"]), None, 2)
    assert (changed.changed_by, changed.done_by) == ("lan", "minh")
    with pytest.raises(ChangeRefused, match="checklist_entry_changed"):
        await lists.change("visit", entry.id, entry.version, **said, by="minh")


async def test_an_entry_of_a_template_keeps_both_languages_while_its_title_stays(lists: Checklists) -> None:
    """Only its day moved."""
    await lists.choose("visit", TEMPLATE, by="lan")
    entry = (await lists.of("visit"))[0]
    due = Due(offset=2)
    for title in ("Tặng phẩm", "Gifts"):
        now = await lists.get("visit", entry.id)
        changed = await lists.change("visit", entry.id, now.version, title=title, due=due, assignee=None, by="lan")
        assert (changed.title, changed.due) == (GIFTS.title, due)


async def test_a_note_keeps_every_version_and_is_its_author_s(notes: Notes) -> None:
    """Nobody else writes it anew, and nobody over something they have not read."""
    first = await notes.write("visit", "Một\r\nhai", by="lan", key="k")
    assert (await notes.write("visit", "Một\r\nhai", by="lan", key="k")) == first
    assert (first.text, first.version, first.author) == ("Một\nhai", 1, "lan")
    second = await notes.change("visit", first.id, 1, "Ba", by="lan")
    assert (second.version, second.begun_at) == (2, first.begun_at)
    for code, version, by in (("note_not_yours", 2, "minh"), ("note_changed", 1, "lan")):
        with pytest.raises(ChangeRefused, match=code):
            await notes.change("visit", first.id, version, "Bốn", by=by)
    with pytest.raises(TextRefused):
        await notes.change("visit", first.id, 2, "\x00", by="lan")
    assert [one.text for one in await notes.versions("visit", first.id)] == ["Một\nhai", "Ba"]
    with pytest.raises(ChangeRefused, match="note_unknown"):
        await notes.versions("elsewhere", first.id)


async def test_of_two_who_write_one_note_anew_at_once_one_is_told(notes: Notes) -> None:
    """Both had read the same version, in two windows."""
    note = await notes.write("visit", "Một", by="lan", key="k")
    both = (notes.change("visit", note.id, 1, text, by="lan") for text in ("Hai", "Ba"))
    found = await asyncio.gather(*both, return_exceptions=True)
    assert sorted(type(one).__name__ for one in found) == ["ChangeRefused", "Note"]
    assert len(await notes.versions("visit", note.id)) == 2


async def test_notes_are_listed_page_by_page_the_newest_first(notes: Notes) -> None:
    """As they read now; no note of another file."""
    made = [await notes.write("visit", f"Ghi chú {number}", by="lan", key=str(number)) for number in range(5)]
    await notes.write("elsewhere", "Khác", by="lan", key="x")
    await notes.change("visit", made[0].id, 1, "Sửa", by="lan")
    seen, cursor = [], None
    while True:
        page = await notes.of("visit", limit=2, cursor=cursor)
        seen += [one.text for one in page.items]
        if (cursor := page.next_cursor) is None:
            break
    assert seen == ["Ghi chú 4", "Ghi chú 3", "Ghi chú 2", "Ghi chú 1", "Sửa"]
