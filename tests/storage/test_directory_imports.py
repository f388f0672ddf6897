"""A table is looked at first, and enters the directory once, exactly as it was looked at."""

import asyncio
from collections.abc import Sequence

import pytest
from sqlalchemy import func, select

from domain.directory import ContactEntry, HostEntry, PartnerEntry
from storage.data_keys import count_keys
from storage.directory import Directory, versions
from storage.directory_imports import Choice, DirectoryImports, Preview, PreviewSuperseded
from storage.engine import Database
from storage.keyring import Keyring
from storage.persons import Person, Persons, persons
from storage.workbook import SpreadsheetRefused
from tests.storage.tables import csv_text, workbook

HEAD = ["Loại", "Tên", "Nước", "Địa điểm", "Cơ quan", "Họ và tên", "Tên gọi", "E-mail", "Ngôn ngữ", "Quốc tịch"]


def partner(name: str, country: str = "JP") -> list[str]:
    """A row that is a partner."""
    return ["đối tác", name, country, "", "", "", "", "", "", ""]


def contact(organisation: str, name: str, email: str) -> list[str]:
    """A row that is a contact."""
    return ["đầu mối", "", "", "", organisation, name, name.split()[-1], email, "en", "JP"]


TOKYO = PartnerEntry(kind="partner", name="Tokyo Friendship Association", country="JP")


@pytest.fixture
def directory(database: Database) -> Directory:
    """The directory of a new store."""
    return Directory(database)


@pytest.fixture
def register(database: Database, keyring: Keyring) -> Persons:
    """The people of that store."""
    return Persons(database, keyring)


@pytest.fixture
def imports(database: Database, keyring: Keyring, register: Persons) -> DirectoryImports:
    """The imports of that store."""
    return DirectoryImports(database, keyring, register)


def table(*rows: Sequence[str]) -> bytes:
    """A CSV file with these rows below the header."""
    return csv_text([HEAD, *rows], ";").encode()


def told(preview: Preview) -> list[tuple[int, str]]:
    """Line and verdict of every row."""
    return [(row.line, row.verdict) for row in preview.rows]


async def count(database: Database) -> tuple[int, int]:
    """How many versions of entries and how many people there are."""
    async with database.reading() as connection:
        return (
            (await connection.execute(select(func.count()).select_from(versions))).scalar_one(),
            (await connection.execute(select(func.count()).select_from(persons))).scalar_one(),
        )


async def test_a_preview_enters_nothing(imports: DirectoryImports, database: Database) -> None:
    """Not even people; and the same file on the same directory has the same preview."""
    content = table(partner("Kyoto Society"), contact("Kyoto Society", "Satō Haruka", "h@kyoto.example"))
    first = await imports.preview(content)
    assert told(first) == [(2, "new"), (3, "new")]
    assert (first.encoding, first.separator) == ("utf-8", ";")
    assert await imports.preview(content) == first
    assert await count(database) == (0, 0)


async def test_a_preview_names_every_bad_row_and_every_row_that_looks_known(
    imports: DirectoryImports, directory: Directory
) -> None:
    """By line, column, field and rule; by the entry, a score and the reason. No cell is repeated."""
    tokyo = await directory.add(TOKYO, "lan", idempotency_key="t")
    preview = await imports.preview(
        table(
            partner("TOKYO FRIENDSHIP"),
            partner("Tokio Friendship Association"),
            partner("Kyoto Society", "XX"),
            partner("Kyoto Society"),
            partner("Society of Kyoto"),
            ["đối tác", "", "Japan", "", "", "", "", "", "", ""],
            ["chủ nhà", "x", "JP", "", "", "", "", "", "", ""],
            contact("Nagoya", "Satō Haruka", "h@kyoto.example"),
            contact("Kyoto Society", "Satō Haruka", "secret-at-nowhere"),
            ["host", "Huế", "", "", "", "", "", "", "", "", "", "more"],
        )
    )
    assert told(preview) == [
        *((2, "known"), (3, "similar"), (4, "bad"), (5, "new"), (6, "known")),
        *((7, "bad"), (8, "bad"), (9, "bad"), (10, "bad"), (11, "bad")),
    ]
    assert [[(one.entry, one.score, one.reasons) for one in row.alike] for row in preview.rows if row.alike] == [
        [(tokyo.id, 100, ("same_name",))],
        [(tokyo.id, 94, ("similar_name",))],
        [("row 5", 100, ("same_name",))],
    ]
    assert {
        row.line: [(problem.column, problem.field, problem.code) for problem in row.problems]
        for row in preview.rows
        if row.problems
    } == {
        4: [("C", "country", "country_unknown")],
        7: [("B", "name", "missing"), ("C", "country", "string_pattern_mismatch")],
        8: [("A", "kind", "entry_kind_unknown")],
        9: [("E", "organisation", "organisation_unknown")],
        10: [("H", "email", "address_without_at")],
        11: [("L", "", "cell_without_heading")],
    }
    assert "secret" not in str(preview)
    assert preview.count("bad") == 6


async def test_an_accepted_preview_enters_its_good_rows_once(
    imports: DirectoryImports, directory: Directory, register: Persons, database: Database
) -> None:
    """Rows that are known or bad are left out; accepting again answers the same and enters nothing."""
    await directory.add(TOKYO, "lan", idempotency_key="t")
    content = table(
        partner("Tokyo Friendship Association"),
        partner("=cmd()|'/c calc'!A0"),
        contact("Tokyo Friendship Association", "Satō Haruka", "h@tfa.example"),
        contact("=cmd()|'/c calc'!A0", "Nguyễn Văn An", "an@cmd.example"),
        partner("", "JP"),
    )
    preview = await imports.preview(content)
    done = await imports.accept(preview.digest, content, "lan")
    assert (done.entered, done.known, done.bad, done.actor) == (3, 1, 1, "lan")
    assert await count(database) == (4, 2)
    assert await imports.accept(preview.digest, content, "hung") == done
    assert await count(database) == (4, 2)

    [formula] = (await directory.page(q="cmd")).items
    assert isinstance(formula.entry, PartnerEntry)
    assert formula.entry.name == "=cmd()|'/c calc'!A0"
    assert [(v.action, v.actor) for v in await directory.versions(formula.id)] == [("imported", "lan")]
    [an] = (await directory.page(at=formula.id)).items
    assert isinstance(an.entry, ContactEntry)
    person = await register.as_committed(an.entry.person)
    assert isinstance(person, Person)
    assert person.details.full_name == "Nguyễn Văn An"
    assert await count_keys(database) == 3
    assert told(await imports.preview(content)) == [(2, "known"), (3, "known"), (4, "known"), (5, "known"), (6, "bad")]


async def test_acceptances_at_once_enter_the_rows_once(imports: DirectoryImports, database: Database) -> None:
    """Four clicks, one import."""
    content = table(partner("Kyoto Society"), contact("Kyoto Society", "Satō Haruka", "h@kyoto.example"))
    digest = (await imports.preview(content)).digest
    done = await asyncio.gather(*(imports.accept(digest, content, "lan") for _ in range(4)), return_exceptions=True)
    # Who looked after the first one had entered its rows sees another preview.
    assert {type(one).__name__ for one in done} <= {"Imported", "PreviewSuperseded"}
    assert await imports.accept(digest, content, "lan") in done
    assert await count(database) == (2, 1)


async def test_what_was_not_looked_at_is_not_entered(
    imports: DirectoryImports, directory: Directory, database: Database
) -> None:
    """Another file, another digest, or a directory that changed meanwhile."""
    content = table(partner("Tokyo Friendship Association"))
    digest = (await imports.preview(content)).digest
    for wrong, file in ((digest, table(partner("Osaka"))), ("0" * 64, content)):
        with pytest.raises(PreviewSuperseded):
            await imports.accept(wrong, file, "lan")
    await directory.add(TOKYO, "lan", idempotency_key="t")
    with pytest.raises(PreviewSuperseded):
        await imports.accept(digest, content, "lan")
    assert await count(database) == (1, 0)


async def test_a_workbook_is_previewed_by_its_rows(imports: DirectoryImports) -> None:
    """Blank rows do not count, the numbers are those of the sheet."""
    preview = await imports.preview(workbook([["kind", "name", "place"], [None], ["host", "Sở Ngoại vụ Huế", "Huế"]]))
    assert (preview.encoding, told(preview)) == ("xlsx", [(3, "new")])


@pytest.mark.parametrize(
    ("header", "code", "params"),
    [
        (["kind", "shoe size"], "spreadsheet_header_unknown", {"column": "B"}),
        (["kind", "Tên", "name"], "spreadsheet_column_repeated", {"column": "C"}),
        (["name", "country"], "spreadsheet_column_missing", {"heading": "kind"}),
    ],
)
async def test_a_header_that_says_too_little_is_refused(
    imports: DirectoryImports, header: list[str], code: str, params: dict[str, str]
) -> None:
    """By the column, since a table without a header would begin with a name."""
    with pytest.raises(SpreadsheetRefused) as refused:
        await imports.preview(csv_text([header, ["x"] * len(header)]).encode())
    assert (refused.value.code, refused.value.params) == (code, params)


async def test_duplicates_of_an_entry(imports: DirectoryImports, directory: Directory, register: Persons) -> None:
    """Each with a score and the reason; what was merged is no duplicate any more, and its names find the winner."""
    tokyo = await directory.add(TOKYO, "lan", idempotency_key="1")
    other = TOKYO.model_copy(update={"name": "Tokio Friendship"})
    tokio = await directory.add(other, "lan", idempotency_key="2")
    hue = await directory.add(HostEntry(kind="host", name="Huế", place="Huế"), "lan", idempotency_key="3")
    assert [(one.entry, one.score) for one in await imports.alike(tokyo)] == [(tokio.id, 94)]
    assert await imports.alike(hue) == []
    assert (await imports.pairs()).count == 1
    far = await directory.add(other.model_copy(update={"country": "DE"}), "lan", idempotency_key="4")
    assert [(one.first, one.second) for one in (await imports.pairs()).items[1:]] == [tuple(sorted((tokio.id, far.id)))]
    moved = other.model_copy(update={"country": "DE", "name": "Dresden"})
    await directory.change(far.id, moved, 1, "lan")
    assert [one.score for one in (await imports.pairs()).items] == [94]
    won = await directory.merge(tokio.id, tokyo.id, "lan")
    assert await imports.alike(won) == []
    assert (await imports.pairs()).items == ()

    content = table(
        contact(tokyo.id, "Satō Haruka", "h@tfa.example"), contact("Tokio Friendship", "Sato Haruko", "o@tfa.example")
    )
    preview = await imports.preview(content)
    assert told(preview) == [(2, "new"), (3, "similar")]
    await imports.accept(preview.digest, content, "lan")
    first, second = (await directory.page(at=tokyo.id)).items
    assert [(one.entry, one.score, one.reasons) for one in await imports.alike(first)] == [
        (second.id, 91, ("similar_name",))
    ]
    assert isinstance(first.entry, ContactEntry)
    await register.erase(first.entry.person.ref)
    assert await imports.alike(first) == []
    assert await imports.alike(second) == []


async def test_people_decide_what_becomes_of_each_row(
    imports: DirectoryImports, directory: Directory, database: Database
) -> None:
    """Left out, entered all the same, or a further name of the entry: as the preview said, which the digest seals."""
    tokyo = await directory.add(TOKYO, "lan", idempotency_key="t")
    content = table(
        partner("Tokyo Friendship"),
        partner("Tokio Friendship Association"),
        partner("Kyoto Society"),
        contact("Tokio Friendship Association", "Satō Haruka", "h@tfa.example"),
        contact("Kyoto Society", "Itō Ren", "r@kyoto.example"),
    )
    usual = await imports.preview(content)
    assert [row.does for row in usual.rows] == ["leave", "enter", "enter", "enter", "enter"]
    choices: dict[int, Choice] = {2: "enter", 3: tokyo.id, 4: "leave"}
    chosen = await imports.preview(content, choices)
    assert [(row.verdict, row.does) for row in chosen.rows] == [
        ("known", "enter"),
        ("similar", "name"),
        ("new", "leave"),
        ("new", "enter"),
        # Whom it is at was left out with its row.
        ("bad", "leave"),
    ]
    assert (chosen.unfit, chosen.digest != usual.digest) == ({}, True)
    for other in ({}, choices | {4: "enter"}, {2: "enter"}):
        with pytest.raises(PreviewSuperseded):
            await imports.accept(chosen.digest, content, "lan", other)
    assert await count(database) == (1, 0)
    done = await imports.accept(chosen.digest, content, "lan", choices)
    assert (done.entered, done.named, done.left_out, done.known, done.bad) == (2, 1, 1, 0, 1)
    assert await imports.accepted_as(chosen.digest) == done
    stands = await directory.get(tokyo.id)
    assert stands is not None
    assert stands.entry == TOKYO.model_copy(update={"other_names": ("Tokio Friendship Association",)})
    assert [(one.action, one.actor) for one in await directory.versions(tokyo.id)] == [
        ("added", "lan"),
        ("changed", "lan"),
    ]
    assert [one.id for one in (await directory.page(q="tokio")).items] == [tokyo.id]
    assert len((await directory.page(at=tokyo.id)).items) == 1
    assert (await directory.page(q="kyoto")).items == ()


async def test_a_choice_that_does_not_fit_is_named_and_counts_for_nothing(
    imports: DirectoryImports, directory: Directory
) -> None:
    """By its line and why: no such row, a bad one, an entry that it does not look like, or that has names enough."""
    full = TOKYO.model_copy(update={"other_names": tuple(f"TFA {number}" for number in range(10))})
    tokyo = await directory.add(full, "lan", idempotency_key="t")
    host = HostEntry(kind="host", name="Tokio Friendship", country="JP", place="Tokyo")
    other = await directory.add(host, "lan", idempotency_key="h")
    content = table(
        partner("Tokio Friendship Association"),
        partner("Tokyo Friendship"),
        partner("Kyoto Society", "XX"),
        contact(tokyo.id, "Satō Haruka", "h@tfa.example"),
    )
    choices: dict[int, Choice] = {2: tokyo.id, 3: other.id, 4: "enter", 5: tokyo.id, 77: "leave"}
    preview = await imports.preview(content, choices)
    assert preview.unfit == {
        2: "choice_too_many_names",
        3: "choice_not_alike",
        4: "choice_without_row",
        5: "choice_not_alike",
        77: "choice_without_row",
    }
    assert preview.digest == (await imports.preview(content)).digest
