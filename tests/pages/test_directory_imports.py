"""Tables for the directory as pages: sent and read, looked at row by row, entered once, and never lost on the way."""

import asyncio
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from api.import_work import EVERY, ImportWork
from api.pages.uploads import TABLES, UPLOADS, room_of
from domain.directory import PartnerEntry
from storage.directory_uploads import LIFETIME, MOST_UPLOADS
from storage.metadata import utc_now
from tests.api.front import ORIGIN, Browser, Front
from tests.pages.asking import Forms, wrong_in
from tests.pages.filled import part_of, reading, text_of
from tests.pages.test_guard import with_rules
from tests.storage.samples import DOCX_PARTS, LAUGHS, archive
from tests.storage.tables import REPEATED, csv_text, far, lying, sheet_of, workbook

pytestmark = pytest.mark.slow

HEAD = ["kind", "name", "country", "organisation", "full name", "given name", "email", "language", "nationality"]
PATH = "/directory/imports"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A request that begins work sees its end, however slow the machine is."""
    monkeypatch.setattr("api.pages.directory_imports.PATIENCE", 60)


def contact(organisation: str, name: str, email: str) -> list[str]:
    """A row that is a contact."""
    return ["contact", "", "", organisation, name, name.split()[-1], email, "vi", "VN"]


def table(*rows: list[str]) -> bytes:
    """A CSV file with these rows."""
    return csv_text([HEAD, *rows]).encode()


async def get(browser: Browser, path: str) -> httpx2.Response:
    """Ask for a page."""
    return await browser.http.get(f"{ORIGIN}{path}")


async def send(browser: Browser, content: bytes | None, name: str = "Đối tác.csv", **more: str) -> httpx2.Response:
    """Send a file by the form of the page; None sends the form without one."""
    fields = dict(Forms((await get(browser, PATH)).text).forms["table"]) | more
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    file = ("", b"") if content is None else (name, content)
    return await browser.http.post(f"{ORIGIN}{PATH}", data=fields, files={"table": file}, headers=headers)


async def post(browser: Browser, path: str, **typed: str) -> httpx2.Response:
    """Send the form of a table, as its page shows it."""
    page = (await get(browser, path)).text
    forms = Forms(page).forms
    fields = dict(forms.get("choices") or forms.get("accept") or forms[path]) | typed
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    return await browser.http.post(f"{ORIGIN}{path}", data=fields, headers=headers)


async def sent(browser: Browser, content: bytes, name: str = "Đối tác.csv") -> str:
    """Send a table and return its address."""
    answer = await send(browser, content, name)
    assert answer.status_code == 303, answer.text[:2000]
    return str(answer.headers["location"])


async def names(found: Front) -> set[str]:
    """The organisations of the directory."""
    items = (await found.at.directory.page(kinds=["partner", "host"], limit=200)).items
    return {one.entry.name for one in items if not hasattr(one.entry, "at")}


async def test_a_table_is_read_named_row_by_row_and_taken_over_once(tmp_path: Path) -> None:
    """Every bad row by line, column and field; what looks like an entry leads there; nothing by itself."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        tokyo = await found.at.directory.add(
            PartnerEntry(kind="partner", name="Tokyo Friendship Association", country="JP"), "lan", idempotency_key="a"
        )
        content = table(
            ["partner", "TOKYO FRIENDSHIP", "JP"],
            ["partner", "Tokio Friendship Association", "JP"],
            ["partner", "=cmd('x')", "DE"],
            ["partner", "x" * 301, "Nhật Bản"],
            contact("Tokyo Friendship Association", "Nguyễn Thị Ánh", "anh@x.example"),
            contact("nobody", "Trần Bình", "binh@x.example"),
        )
        path = await sent(lan, content)
        page = (await get(lan, path)).text
        said = text_of(page)
        assert "Đối tác.csv" in said
        assert "6 rows were read. 3 would be entered. 2 cannot be entered" in said
        assert "5 – Cannot be entered Name of the organisation (column B) : At most 300 characters are taken." in said
        assert "Country (column C) : A country stands here by its code of two capital letters, such as JP." in said
        assert (
            "7 – Cannot be entered Organisation (column D) : No partner or host goes by this name or id, "
            "neither here nor in the directory."
        ) in said
        assert "2 TOKYO FRIENDSHIP Is known already leave it out enter it a further name of Tokyo" in said
        assert (
            "3 Tokio Friendship Association Looks like an entry leave it out enter it a further name of Tokyo" in said
        )
        assert f'href="/directory/{tokyo.id}"' in page
        assert said.index("5 – Cannot") < said.index("7 – Cannot") < said.index("2 TOKYO")
        only = text_of((await get(lan, f"{path}?show=known")).text)
        assert ("TOKYO FRIENDSHIP" in only, "Cannot be entered Name of" in only) == (True, False)
        assert await names(found) == {"Tokyo Friendship Association"}
        # Another window of the same person finds it; nobody else does.
        assert f'href="{path}"' in (await get(lan, PATH)).text
        hung = await reading(found, "root")
        assert (await get(hung, path)).status_code == 403
        for _ in range(2):
            done = await post(lan, path) if _ == 0 else await get(lan, path)
            assert done.status_code in (200, 303)
        assert await names(found) == {"Tokyo Friendship Association", "Tokio Friendship Association", "=cmd('x')"}
        over = text_of((await get(lan, path)).text)
        assert re.search(
            r"Taken over on .+ by Trần Thị Lan\. 3 rows were entered\. 1 was known already\. 2 were left", over
        )
        assert await found.at.directory_uploads.content("lan", path.rpartition("/")[2]) is None
        taken = part_of((await get(lan, PATH)).text, "taken")
        assert "Trần Thị Lan" in taken
        assert "3 entered · 1 known already · 2 left out as wrong" in taken
        # A formula stays what it is, in a table that is sent back, too.
        formula = (await found.at.directory.page(kinds=["partner"], country="DE")).items[0]
        assert "=cmd(&#39;x&#39;)" in (await get(lan, f"/directory/{formula.id}")).text


async def test_what_becomes_of_a_row_is_chosen_looked_at_and_then_taken_over(tmp_path: Path) -> None:
    """What was chosen is never taken over unseen; what no longer fits is said; nothing is entered before a word."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        tokyo = await found.at.directory.add(
            PartnerEntry(kind="partner", name="Tokyo Friendship Association", country="JP"), "lan", idempotency_key="a"
        )
        names_of_rows = ("Tokyo Friendship", "Tokio Friendship Association", "Tokyo Frendship", "Kyoto Club")
        path = await sent(lan, table(*(["partner", name, "JP"] for name in names_of_rows)))
        first = dict(Forms((await get(lan, path)).text).forms["choices"])
        bad = await post(lan, path, act="choose", choice="3:dir_else0000; drop")
        assert (bad.status_code, "Choose for each row one of what is offered there." in bad.text) == (422, True)
        kept = await post(lan, path, act="choose", choice=f"3:{tokyo.id}", show="similar", page="1")
        assert kept.headers["location"] == f"{path}?show=similar&page=1&said=chosen"
        page = (await get(lan, kept.headers["location"])).text
        assert f'<option value="3:{tokyo.id}" selected>' in page
        assert "4 rows were read. 3 would be entered. 1 of them becomes a further name" in text_of(page)
        # Chosen and taken over at once: first it is looked at.
        assert (await post(lan, path, act="accept", choice="4:leave")).headers["location"].endswith("said=chosen")
        assert await names(found) == {"Tokyo Friendship Association"}
        late = await lan.http.post(
            f"{ORIGIN}{path}",
            data=first | {"act": "accept", "choice": f"3:{tokyo.id}"},
            headers={"origin": ORIGIN, "sec-fetch-site": "same-origin"},
        )
        assert late.status_code == 409
        assert (await post(lan, path, act="accept")).headers["location"] == path
        over = text_of((await get(lan, path)).text)
        assert "1 row was entered. 1 was known already. 1 became a further name of an entry. 1 was left out" in over
        assert await names(found) == {"Tokyo Friendship Association", "Kyoto Club"}
        stands = (await found.at.directory.get(tokyo.id)).entry  # type: ignore[union-attr]
        assert stands.other_names == ("Tokio Friendship Association",)  # type: ignore[union-attr]


async def test_a_table_sent_twice_is_one_and_an_acceptance_sent_twice_is_one(tmp_path: Path) -> None:
    """By the form's own key; the second answer is the first."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        key = "0" * 32
        first, second = [await send(lan, table(["partner", "A", "JP"]), key=key) for _ in range(2)]
        assert first.headers["location"] == second.headers["location"]
        path = first.headers["location"]
        fields = dict(Forms((await get(lan, path)).text).forms["accept"]) | {"act": "accept"}
        headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
        for _ in range(2):
            answer = await lan.http.post(f"{ORIGIN}{path}", data=fields, headers=headers)
            assert answer.headers["location"] == path
        assert len((await found.at.directory.page(limit=200)).items) == 1
        assert len(await found.at.directory_imports.accepted(9)) == 1


async def test_what_the_directory_became_meanwhile_is_looked_at_again(tmp_path: Path) -> None:
    """Nothing is entered of a table whose preview is not true any more; the page shows what it would do now."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        path = await sent(lan, table(["partner", "Kyoto Society", "JP"], ["partner", "Nara Club", "JP"]))
        await found.at.directory.add(
            PartnerEntry(kind="partner", name="Kyoto Society", country="JP"), "mai", idempotency_key="k"
        )
        assert (await post(lan, path, act="accept")).status_code == 303
        said = text_of((await get(lan, path)).text)
        assert "the directory was changed between your look and your word" in said
        assert "2 rows were read. 1 would be entered." in said
        assert await names(found) == {"Kyoto Society"}
        assert (await post(lan, path, act="accept", digest="0" * 64)).status_code == 409
        assert (await post(lan, path, act="accept")).status_code == 303
        assert await names(found) == {"Kyoto Society", "Nara Club"}


async def test_a_table_goes_on_when_its_reading_was_cut_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page says that it is being read; it goes on though nobody looks, and once somebody does; so with entering."""
    async with with_rules(tmp_path) as found:
        lan, work = await reading(found, "lan"), found.at.import_work
        held = asyncio.Event()
        imports = found.at.directory_imports
        look, accept = imports.preview_with_names, imports.accept

        async def waits(*asked: Any) -> Any:
            await held.wait()
            return await (look(*asked) if len(asked) == 2 else accept(*asked))

        monkeypatch.setattr("api.pages.directory_imports.PATIENCE", 0)
        monkeypatch.setattr(imports, "preview_with_names", waits)
        monkeypatch.setattr(imports, "accept", waits)
        path = await sent(lan, table(["partner", "Kyoto Society", "JP"]))
        page = await get(lan, path)
        assert "The table is being read" in page.text
        assert 'hx-trigger="every 1s"' in page.text
        assert "Look again" in text_of(page.text)
        assert "Being read" in part_of((await get(lan, PATH)).text, "sent")
        # The process stops in the middle of it.
        await work.close()
        found.at.import_work = work = ImportWork(found.at.directory_uploads, imports)
        held.set()
        await work.resume()
        assert work._tasks == {}
        uploads = found.at.directory_uploads
        monkeypatch.setattr(uploads, "clock", lambda: utc_now() + EVERY)
        await work.resume()
        await finished(work)
        page = await get(lan, path)
        assert ("Take over 1 row" in page.text, "every 1s" in page.text) == (True, False)
        held.clear()
        assert (await post(lan, path, act="accept")).status_code == 303
        assert "The table is being taken over" in (await get(lan, path)).text
        # What is being entered is not discarded any more.
        fields = {"csrf": dict(Forms((await get(lan, PATH)).text).forms["table"])["csrf"], "act": "discard"}
        headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
        await lan.http.post(f"{ORIGIN}{path}", data=fields, headers=headers)
        held.set()
        await finished(work)
        assert "1 row was entered." in (await get(lan, path)).text
        assert await names(found) == {"Kyoto Society"}


async def finished(work: ImportWork) -> None:
    """Wait until nothing is being worked on."""
    await asyncio.gather(*list(work._tasks.values()))


async def test_a_table_that_is_entered_already_when_it_fails_is_no_failure(tmp_path: Path) -> None:
    """The process stopped between entering and noting it: the second time finds the first."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        content = table(["partner", "Kyoto Society", "JP"])
        path = await sent(lan, content)
        upload = path.rpartition("/")[2]
        one = await found.at.directory_uploads.get("lan", upload)
        assert one is not None
        assert one.digest is not None
        await found.at.directory_imports.accept(one.digest, content, "lan")
        assert (await post(lan, path, act="accept")).status_code == 303
        assert "1 row was entered." in (await get(lan, path)).text
        assert len((await found.at.directory.page(limit=200)).items) == 1


BAD: dict[str, tuple[Any, str]] = {
    "empty": (lambda: b" ", "The file has no rows."),
    "no headings": (lambda: b"a,b\n1,2\n", "has a heading that the directory does not know"),
    "no table": (lambda: b"%PDF-1.7\n", "Read are CSV files and XLSX workbooks."),
    "too many rows": (lambda: b"kind\n" + b"x\n" * 5_001, "At most 5"),
    "zip bomb": (lambda: archive({"xl/workbook.xml": b"\x00" * 50_000_000}), ""),
    "far cells": (lambda: sheet_of(far("XFD1048576")), "At most 5"),
    "one text in 4,000 cells": (lambda: sheet_of(REPEATED), ""),
    "lying": (lambda: lying(workbook([["kind", *(one * 32_000 for one in "abcdefgh")]])), ""),
    "laughs": (lambda: archive({"[Content_Types].xml": b"<Types/>", "xl/workbook.xml": LAUGHS}), ""),
    "document": (lambda: archive(DOCX_PARTS), ""),
}


@pytest.mark.parametrize("kind", BAD)
async def test_what_is_no_table_or_a_weapon_is_refused_in_words_and_not_kept(tmp_path: Path, kind: str) -> None:
    """The page names the reason; of the file nothing stays."""
    make, reason = BAD[kind]
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        path = await sent(lan, make(), "bảng.xlsx")
        page = text_of((await get(lan, path)).text)
        assert "This file cannot be read as a table." in page
        assert reason in page
        assert await found.at.directory_uploads.content("lan", path.rpartition("/")[2]) is None
        discarded = await post(lan, path, act="discard")
        assert discarded.headers["location"] == f"{PATH}?said=discarded"
        assert (await get(lan, path)).status_code == 404


async def test_a_form_without_a_table_or_with_one_too_large_comes_back(tmp_path: Path) -> None:
    """With its reason beside the field; a body beyond all bounds is not read to its end."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        none = await send(lan, None)
        assert (none.status_code, wrong_in(none.text)) == (422, {"table-table": "Choose the file with the table."})
        large = await send(lan, b"kind\n" + b"x" * 5 * 2**20)
        assert large.status_code == 413
        assert wrong_in(large.text)["table-table"].startswith("The file is larger than 5")
        assert (await send(lan, b"kind\n" + b"x" * 22 * 2**20)).status_code == 413
        assert set(TABLES) & set(UPLOADS) == set()
        assert room_of("send_table_by_page", found.at) == 1_000_000 + 20 * 2**20
        assert await found.at.directory_uploads.of("lan") == []


async def test_a_word_that_was_on_its_way_through_signing_in_is_given_again_by_hand(tmp_path: Path) -> None:
    """Nothing is taken over or discarded by a form that comes back from the sign-in page."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        path = await sent(lan, table(["partner", "A", "JP"]))
        for act in ("accept", "discard"):
            assert (await post(lan, path, act=act, again="yes")).headers["location"] == path
        assert "Take over 1 row" in (await get(lan, path)).text
        back = await send(lan, None, again="yes")
        assert (back.status_code, wrong_in(back.text)) == (200, {})
        assert await names(found) == set()


async def test_tables_that_wait_are_their_sender_s_and_not_without_end(tmp_path: Path) -> None:
    """So many at once; thirty days; nobody without the role or from elsewhere leaves one."""
    async with with_rules(tmp_path) as found:
        lan, uploads = await reading(found, "lan"), found.at.directory_uploads
        for number in range(MOST_UPLOADS):
            await sent(lan, table(["partner", f"A {number}", "JP"]))
        more = await send(lan, table(["partner", "B", "JP"]))
        assert (more.status_code, wrong_in(more.text)["table-table"][:2]) == (409, "10")
        assert (await send(lan, table(["partner", "B", "JP"]), csrf="of another session")).status_code == 403
        assert len(await uploads.of("lan")) == MOST_UPLOADS
        assert await uploads.of("mai") == []
        later = utc_now() + LIFETIME + timedelta(seconds=1)
        uploads.clock = lambda: later
        assert await uploads.of("lan") == []
        await uploads.send("lan", f"imp_{'1' * 32}", "new.csv", b"kind\n")
        uploads.clock = utc_now
        assert [one.name for one in await uploads.of("lan")] == ["new.csv"]


async def test_a_failure_nobody_foresaw_is_noted_and_the_table_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """By its kind alone: what an error says may repeat a row."""
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")

        async def breaks(*_: Any) -> Any:
            raise ValueError("Satō Haruka")

        monkeypatch.setattr(found.at.directory_imports, "preview_with_names", breaks)
        path = await sent(lan, table(["partner", "A", "JP"]))
        assert "The table is being read" in (await get(lan, path)).text
        await asyncio.gather(*list(found.at.import_work._tasks.values()), return_exceptions=True)
        monkeypatch.setattr(found.at.directory_uploads, "clock", lambda: utc_now() + EVERY)
        await found.at.import_work.resume()
        assert found.at.import_work._tasks == {}
        said = capsys.readouterr().out
        assert ("directory_import_failed" in said, "ValueError" in said, "Satō" in said) == (True, True, False)
