"""The register of partners, hosts and contacts: every version stays, merges can be undone."""

import contextlib
import random

import pytest
from sqlalchemy import select

from domain.directory import ContactEntry, HostEntry, PartnerEntry
from domain.values import PersonRef
from storage.cursors import BadCursor
from storage.directory import Directory, DirectoryRefused, Entry, Found
from storage.engine import Database
from storage.idempotency import IdempotencyConflict
from storage.keyring import Keyring
from storage.persons import PersonDetails, Persons, persons

TOKYO = PartnerEntry(kind="partner", name="Tokyo Friendship Association", country="JP", web="https://tfa.example")
OSAKA = PartnerEntry(kind="partner", name="Osaka Friendship Association", country="JP")
HUE = HostEntry(kind="host", name="Hội Hữu nghị Việt – Nhật", other_names=("VJFA Huế",), place="Thành phố Huế")
HARUKA = PersonDetails(
    full_name="Satō Haruka", given_name="Haruka", email="haruka@tfa.example", language="en", nationality="JP"
)


@pytest.fixture
def directory(database: Database) -> Directory:
    """The directory of a new store."""
    return Directory(database)


async def add(directory: Directory, entry: Entry, key: str | None = None) -> Found:
    """Enter an entry in Lan's name, under a key of its own."""
    return await directory.add(entry, "lan", idempotency_key=key or str(entry))


async def test_an_entry_keeps_every_version_with_who_and_when(directory: Directory) -> None:
    """Nothing is overwritten."""
    first = await add(directory, TOKYO)
    renamed = TOKYO.model_copy(update={"name": "Tokyo–Vietnam Friendship Association"})
    second = await directory.change(first.id, renamed, 1, "hung")
    assert (second.id, second.version, second.entry) == (first.id, 2, renamed)
    assert [(v.version, v.action, v.actor, v.entry) for v in await directory.versions(first.id)] == [
        (1, "added", "lan", TOKYO),
        (2, "changed", "hung", renamed),
    ]
    at = [version.at for version in await directory.versions(first.id)]
    assert at[0].tzinfo is not None
    assert at[0] <= at[1]


async def test_an_entry_is_changed_only_from_what_its_changer_saw(directory: Directory) -> None:
    """Two people who correct one entry at once do not undo each other."""
    found = await add(directory, TOKYO)
    await directory.change(found.id, OSAKA, 1, "lan")
    for content, version, refused in (
        (TOKYO, 1, "entry_changed"),
        (OSAKA, 2, "entry_unchanged"),
        (HUE, 2, "entry_kind_differs"),
    ):
        with pytest.raises(DirectoryRefused) as said:
            await directory.change(found.id, content, version, "lan")
        assert said.value.code == refused
    with pytest.raises(DirectoryRefused) as said:
        await directory.change("dir_nothing00", TOKYO, 1, "lan")
    assert said.value.code == "entry_unknown"


async def test_the_same_request_enters_one_entry(directory: Directory) -> None:
    """A repeated key answers with the first entry; with another entry it is a conflict."""
    first = await add(directory, TOKYO, "key")
    assert await add(directory, TOKYO, "key") == first
    with pytest.raises(IdempotencyConflict):
        await add(directory, OSAKA, "key")
    assert [found.id for found in (await directory.page()).items] == [first.id]


@pytest.mark.parametrize("q", ["Hữu nghị", "huu nghi", "HUU NGHI viet nhat", "vjfa hue", "thanh pho hue"])
async def test_search_needs_no_diacritics(directory: Directory, q: str) -> None:
    """Names, other names and places, in any order and case."""
    await add(directory, TOKYO)
    hue = await add(directory, HUE)
    assert [found.id for found in (await directory.page(q=q)).items] == [hue.id]


async def test_pages_follow_each_other_by_name(directory: Directory) -> None:
    """Each entry once, in the order of folded names; a cursor of something else is refused."""
    names = ["Đà Nẵng", "Aachen", "Zürich", "đồng Tháp", "Bến Tre"]
    for name in names:
        await add(directory, HostEntry(kind="host", name=name, place=name))
    seen: list[str] = []
    cursor = None
    while True:
        page = await directory.page(limit=2, cursor=cursor)
        seen += [found.entry.name for found in page.items if isinstance(found.entry, HostEntry)]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert seen == ["Aachen", "Bến Tre", "Đà Nẵng", "đồng Tháp", "Zürich"]
    for wrong in ("x", "bnVsbA", "WzEsMl0", "W10"):
        with pytest.raises(BadCursor):
            await directory.page(cursor=wrong)


async def test_filters_and_what_no_text_can_hold(directory: Directory) -> None:
    """Kind and country; a NUL is found nowhere."""
    tokyo, hue = await add(directory, TOKYO), await add(directory, HUE)
    assert [one.id for one in (await directory.page(kinds=["partner"])).items] == [tokyo.id]
    assert [one.id for one in (await directory.page(country="VN")).items] == [hue.id]
    assert (await directory.page(q="\x00")).items == ()
    assert (await directory.page(q="%")).items == ()


async def test_a_merge_keeps_both_histories_and_points_to_the_winner(directory: Directory) -> None:
    """The losing entry stays readable, leaves the list, and its names find the winner."""
    tokyo, osaka = await add(directory, TOKYO), await add(directory, OSAKA)
    won = await directory.merge(osaka.id, tokyo.id, "hung")
    assert (won.id, won.version, won.entry) == (tokyo.id, 2, TOKYO)
    lost = await directory.get(osaka.id)
    assert lost is not None
    assert (lost.entry, lost.version, lost.merged_into, lost.stands_for) == (OSAKA, 2, tokyo.id, tokyo.id)
    assert [(v.action, v.other, v.actor) for v in await directory.versions(osaka.id)] == [
        ("added", None, "lan"),
        ("merged", tokyo.id, "hung"),
    ]
    assert [(v.action, v.other) for v in await directory.versions(tokyo.id)] == [
        ("added", None),
        ("absorbed", osaka.id),
    ]
    assert [one.id for one in (await directory.page(q="osaka")).items] == [tokyo.id]
    assert {one.id for one in (await directory.page(merged=True)).items} == {tokyo.id, osaka.id}
    assert (await directory.merge(osaka.id, tokyo.id, "hung")).version == 2


async def test_a_split_undoes_a_merge(directory: Directory) -> None:
    """What had been merged into an entry before stays with it, at however many removes."""
    a, b, c = [
        await add(directory, PartnerEntry(kind="partner", name=name, country="DE"))
        for name in ("Aachen", "Bonn", "Celle")
    ]
    await directory.merge(a.id, b.id, "lan")
    await directory.merge(b.id, c.id, "lan")
    standing = {one.id: one.stands_for for one in (await directory.get_many([a.id, b.id, c.id])).values()}
    assert standing == {a.id: c.id, b.id: c.id, c.id: c.id}
    assert (await directory.split(b.id, "hung")).merged_into is None
    standing = {one.id: one.stands_for for one in (await directory.get_many([a.id, b.id, c.id])).values()}
    assert standing == {a.id: b.id, b.id: b.id, c.id: c.id}
    assert [one.id for one in (await directory.page(q="aachen")).items] == [b.id]
    assert [v.action for v in await directory.versions(c.id)] == ["added", "absorbed", "released"]
    assert [v.action for v in await directory.versions(b.id)] == ["added", "absorbed", "merged", "split"]
    changed = PartnerEntry(kind="partner", name="Bonn am Rhein", country="DE")
    version = (await directory.versions(b.id))[-1].version
    assert (await directory.change(b.id, changed, version, "lan")).entry == changed


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_is_merged_and_split_each_entry_stands_where_its_merges_end(
    directory: Directory, seed: int
) -> None:
    """And its name finds exactly that entry."""
    chance = random.Random(seed)
    names = ["aachen", "bonn", "celle", "dresden", "emden"]
    made = {name: await add(directory, PartnerEntry(kind="partner", name=name, country="DE")) for name in names}
    for _ in range(25):
        one, other = chance.sample(names, 2)
        with contextlib.suppress(DirectoryRefused):
            if chance.random() < 0.6:
                await directory.merge(made[one].id, made[other].id, "lan")
            else:
                await directory.split(made[one].id, "lan")
        stand = await directory.get_many(found.id for found in made.values())
        for name, found in made.items():
            end = stand[found.id]
            while end.merged_into is not None:
                end = stand[end.merged_into]
            assert stand[found.id].stands_for == end.id
            assert [one.id for one in (await directory.page(q=name)).items] == [end.id]


async def test_merges_that_make_no_sense_are_refused(directory: Directory) -> None:
    """Each by its code, and nothing is changed."""
    tokyo, osaka, hue = [await add(directory, entry) for entry in (TOKYO, OSAKA, HUE)]
    await directory.merge(osaka.id, tokyo.id, "lan")
    for entry, into, refused in (
        (tokyo.id, tokyo.id, "entry_merges_itself"),
        (hue.id, tokyo.id, "entry_kind_differs"),
        (tokyo.id, osaka.id, "entry_merged"),
        (osaka.id, "dir_nothing00", "entry_unknown"),
    ):
        with pytest.raises(DirectoryRefused) as said:
            await directory.merge(entry, into, "lan")
        assert said.value.code == refused
    with pytest.raises(DirectoryRefused) as said:
        await directory.change(osaka.id, TOKYO, 2, "lan")
    assert said.value.code == "entry_merged"
    with pytest.raises(DirectoryRefused) as said:
        await directory.split(tokyo.id, "lan")
    assert said.value.code == "entry_not_merged"
    assert [one.version for one in (await directory.get_many([hue.id])).values()] == [1]


async def test_a_contact_is_a_reference_and_is_never_swept(
    directory: Directory, database: Database, keyring: Keyring
) -> None:
    """No table of the directory has a name or an address; the person counts as claimed."""
    tokyo = await add(directory, TOKYO)
    person = await Persons(database, keyring).register(HARUKA)
    contact = await add(directory, ContactEntry(kind="contact", at=tokyo.id, person=person))
    assert [one.id for one in (await directory.page(at=tokyo.id)).items] == [contact.id]
    async with database.reading() as connection:
        claimed = (await connection.execute(select(persons.c.claimed_at))).scalar_one()
    assert claimed is not None
    written = str(await directory.get(contact.id)) + str(await directory.versions(contact.id))
    assert "Haruka" not in written
    assert "tfa.example" not in written


async def test_contacts_of_a_merged_organisation_are_found_at_the_winner(
    directory: Directory, database: Database, keyring: Keyring
) -> None:
    """Until a split takes them back."""
    tokyo, osaka = await add(directory, TOKYO), await add(directory, OSAKA)
    person = await Persons(database, keyring).register(HARUKA)
    contact = await add(directory, ContactEntry(kind="contact", at=osaka.id, person=person))
    await directory.merge(osaka.id, tokyo.id, "lan")
    assert [one.id for one in (await directory.page(at=tokyo.id)).items] == [contact.id]
    await directory.split(osaka.id, "lan")
    assert (await directory.page(at=tokyo.id)).items == ()
    assert [one.id for one in (await directory.page(at=osaka.id)).items] == [contact.id]


async def test_a_contact_belongs_to_an_organisation(directory: Directory) -> None:
    """Not to nothing, to another contact, or to what was merged away."""
    nobody = PersonRef(ref="per_nobody00", commitment="0" * 64)
    tokyo, osaka = await add(directory, TOKYO), await add(directory, OSAKA)
    contact = await add(directory, ContactEntry(kind="contact", at=tokyo.id, person=nobody))
    await directory.merge(osaka.id, tokyo.id, "lan")
    for at in ("dir_nothing00", contact.id, osaka.id):
        with pytest.raises(DirectoryRefused) as said:
            await add(directory, ContactEntry(kind="contact", at=at, person=nobody))
        assert said.value.code == "organisation_not_an_entry"


async def test_counts_contacts_and_countries_follow_merges(
    directory: Directory, database: Database, keyring: Keyring
) -> None:
    """What gave way is counted with what it gave way to; what an entry stands for is its family."""
    first, second, host = [await add(directory, entry) for entry in (TOKYO, OSAKA, HUE)]
    for number, home in enumerate((first, second, second)):
        who = await Persons(database, keyring).register(HARUKA.model_copy(update={"full_name": f"Satō {number}"}))
        await add(directory, ContactEntry(kind="contact", at=home.id, person=who))
    everyone = [first.id, second.id, host.id]
    assert await directory.contacts_at(everyone) == {first.id: 1, second.id: 2}
    await directory.merge(second.id, first.id, "lan")
    assert await directory.contacts_at(everyone) == {first.id: 3}
    assert await directory.count(kinds=["partner", "host"]) == 2
    assert await directory.count(kinds=["partner"], q="osaka") == 1
    assert await directory.count(q="\x00") == 0
    assert await directory.countries() == ["JP", "VN"]
    assert {one.id for one in await directory.family(first.id)} == {first.id, second.id}
    assert (await directory.was_added(str(TOKYO)), await directory.was_added("z")) == (True, False)
