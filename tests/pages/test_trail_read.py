"""How the trail's page reads: by the names that its reader may read, no more than it shows, words a stretch at a time.

Without a worker: what a trail says does not depend on who sealed it.
"""

import csv
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest

from api.pages import trails
from api.pages.trails import KINDS, LOOKED_THROUGH, PAGE
from domain.events import (
    AnyEvent,
    CoordinatorChanged,
    ItemCancelled,
    MemberWithdrawn,
    ReplyRecorded,
    Right,
    StepReturned,
)
from domain.reading import is_about
from domain.seal import SealedEvent
from domain.values import PersonRef, TextRef
from storage import journal
from storage.persons import PersonDetails
from tests.api.front import Browser, Front
from tests.pages.filled import put, reading, statements, text_of
from tests.pages.test_guard import visit, with_rules
from tests.storage.streams import item, member, moved, submitted

NUMBERS = re.compile(r'<li id="no-(\d+)"')
MORE = re.compile(r'href="\?([^"]*cursor=\d+[^"]*)#story"')

TIMES = ("2026-04-11T10:00", "2026-04-11T15:00")


async def person(found: Front, name: str) -> PersonRef:
    """Somebody in the register."""
    details: dict[str, Any] = {"given_name": "x", "language": "vi", "nationality": "JP"}
    return await found.at.persons.register(PersonDetails(full_name=name, email="a@tokyo.example", **details))


async def with_people(found: Front) -> list[PersonRef]:
    """A file of four, of whom two have one name and one was erased; the second left, the third answered."""
    people = [await person(found, name) for name in ("Sato Kenji", "Sato Kenji", "Đỗ Thị Huế", "Suzuki Aiko")]
    joined: list[AnyEvent] = [member(n).model_copy(update={"person": one}) for n, one in enumerate(people, 1)]
    rest: list[AnyEvent] = [
        item(1),
        moved(1, TIMES[0]),
        MemberWithdrawn(member_id="m2"),
        ReplyRecorded(participant_id="m3", answer="accepted", item_id="s1"),
        CoordinatorChanged(previous="lan", coordinator="hung"),
    ]
    await put(found, "nara", *joined, *rest)
    await found.at.persons.erase(people[3].ref)
    return people


async def page(browser: Browser, query: str = "", file: str = "nara") -> str:
    """A page of the trail."""
    answer = await visit(browser, f"GET /delegations/{file}/trail{query}")
    assert answer.status_code == 200, answer.text[:2000]
    return answer.text


def test_every_type_of_event_has_one_kind() -> None:
    """A new one joins by failing here: where would people look for it?"""
    placed = [one for _, types in KINDS.values() for one in types.split()]
    assert sorted(placed) == sorted(kind.model_fields["type"].default for kind in get_args(get_args(AnyEvent)[0]))


@pytest.mark.slow
async def test_people_are_called_by_their_names_to_whoever_may_read_them(tmp_path: Path) -> None:
    """In sentences, changes, filters, both exports and the file as it was; an item by its title; an id where needed."""
    async with with_rules(tmp_path) as found:
        await with_people(found)
        lan = await reading(found, "lan")
        whole = await page(lan)
        said = text_of(whole)
        sheet = (await visit(lan, "GET /delegations/nara/trail/export?format=csv")).content.decode("utf-8-sig")
        document = (await visit(lan, "GET /delegations/nara/trail/export")).json()
        then = text_of(await page(lan, "?seq=9"))
        overview = text_of((await visit(lan, "GET /delegations/nara")).text)
    sentences = {
        2: "adds Sato Kenji (m1) as head of delegation",
        3: "adds Sato Kenji (m2) as delegate",
        5: "adds erased person 4 as delegate",
        6: "schedules “Phiên làm việc 1”, 09:00, 11 Apr 2026",
        7: "moves “Phiên làm việc 1” to 10:00, 11 Apr 2026; Hội trường B",
        8: "takes Sato Kenji (m2) off the delegation",
        9: "records the answer of Đỗ Thị Huế: accepts (“Phiên làm việc 1”)",
        10: "hands the file over from Trần Thị Lan to Lê Văn Hùng",
    }
    rows = {int(row[0]): row for row in list(csv.reader(io.StringIO(sheet)))[1:]}
    for seq, sentence in sentences.items():
        assert sentence in said
        assert rows[seq][6] == sentence
        assert next(one["said"] for one in document["items"] if one["seq"] == seq) == sentence
    assert "People of the file, Sato Kenji (m2), on the file before: yes now: no" in said
    assert "Answer, Đỗ Thị Huế, “Phiên làm việc 1”" in said
    assert '<option value="m3">Đỗ Thị Huế</option>' in whole
    assert '<option value="m4">erased person 4</option>' in whole
    assert "Sato Kenji (m1) · head of delegation" in then
    assert "Had left by then: Sato Kenji (m2)." in then
    assert "Records the answer of Đỗ Thị Huế: accepts (“Phiên làm việc 1”)" in overview
    assert "Takes Sato Kenji (m2) off the delegation" in overview
    assert "Suzuki" not in whole + sheet + json.dumps(document)


@pytest.mark.slow
async def test_an_auditor_reads_places_and_accounts_in_the_same_sentences(tmp_path: Path) -> None:
    """No name on the page, in the exports or in the filter; items have their titles, which are no names."""
    async with with_rules(tmp_path) as found:
        await with_people(found)
        an = await reading(found, "an")
        whole = await page(an, "?seq=9")
        sheet = (await visit(an, "GET /delegations/nara/trail/export?format=csv")).text
    for name in ("Sato", "Đỗ Thị Huế", "Suzuki", "erased person", "Trần Thị Lan", "Lê Văn Hùng"):
        assert name not in whole + sheet
    assert "takes m2 off the delegation" in text_of(whole)
    assert "records the answer of m3: accepts (“Phiên làm việc 1”)" in text_of(whole)
    assert "hands the file over from lan to hung" in sheet
    assert '<option value="m3">m3</option>' in whole


@pytest.mark.slow
async def test_what_somebody_wrote_stands_with_its_entry(tmp_path: Path) -> None:
    """To whoever may read texts, and as long as it is kept; the trail itself has the reference alone."""
    async with with_rules(tmp_path) as found:
        reason = await found.at.texts.write("nara", "Bà Sato bị ốm <b>nặng</b>.")
        gone = TextRef(ref="txt_nothingiskeptofthis", commitment="0" * 64)
        away = [MemberWithdrawn(member_id="m1", reason=reason), MemberWithdrawn(member_id="m2", reason=gone)]
        await put(found, "nara", member(1), member(2), *away)
        lan, an = await reading(found, "lan"), await reading(found, "an")
        told = await page(lan)
        assert told.count("<q>") == 1
        assert "<q>Bà Sato bị ốm &lt;b&gt;nặng&lt;/b&gt;.</q>" in told
        assert "<q>Bà Sato" in (await visit(lan, "GET /delegations/nara/trail/4")).text
        assert "Bà Sato" not in await page(an)


async def test_an_item_is_called_what_it_was_called_then(tmp_path: Path) -> None:
    """Also where the page begins in the middle of the trail."""
    async with with_rules(tmp_path) as found:
        revised = item(1).model_copy(update={"item_id": "s2", "title": "Tiệc chiêu đãi"})
        await put(found, "nara", item(1), revised, moved(1, TIMES[0]), ItemCancelled(item_id="s2"))
        said = text_of(await page(await reading(found, "lan"), "?order=story&cursor=3"))
    assert "moves “Phiên làm việc 1” to 10:00" in said
    assert "cancels “Tiệc chiêu đãi”" in said


@pytest.mark.slow
async def test_words_are_found_as_they_are_read(tmp_path: Path) -> None:
    """By name with or without diacritics, by who did it, by an item's title; an auditor finds by what they read."""
    async with with_rules(tmp_path) as found:
        await with_people(found)
        lan, an = await reading(found, "lan"), await reading(found, "an")

        async def numbers(browser: Browser, words: str) -> list[int]:
            return [int(one) for one in NUMBERS.findall(await page(browser, f"?words={words}"))]

        assert await numbers(lan, "do+thi+hue") == [9, 4]
        assert await numbers(lan, "Kenji+(m2)") == [8, 3]
        assert await numbers(lan, "phien+lam+viec+1") == [9, 7, 6]
        assert await numbers(an, "do+thi+hue") == []
        assert [await numbers(an, words) for words in ("adds+m2", "takes+m2")] == [[3], [8]]


@pytest.mark.slow
@pytest.mark.parametrize("order", ["newest", "story"])
async def test_every_filter_finds_what_looking_at_every_event_finds(tmp_path: Path, order: str) -> None:
    """Over all pages, each entry once and in order, of a trail in which they lie near and far."""
    async with with_rules(tmp_path) as found:
        items: list[AnyEvent] = [item(number) for number in range(7)]
        moves = [moved(number % 7 if number % 5 else 3, TIMES[number // 7 % 2]) for number in range(700)]
        await put(found, "nara", *items, member(1), *moves, ItemCancelled(item_id="s6"), member(2))
        lan = await reading(found, "lan")
        events = await found.at.queries.events("nara")
        filters: dict[str, Callable[[SealedEvent], bool]] = {
            "": lambda one: True,
            "&kind=people": lambda one: one.type in KINDS["people"][1].split(),
            "&about=s6": lambda one: is_about(one, "s6"),
            "&about=s3&kind=programme": lambda one: is_about(one, "s3"),
            "&about=s": lambda one: False,
            "&about=%25": lambda one: False,
            "&actor=linh": lambda one: True,
            "&actor=lan": lambda one: False,
        }
        for query, takes in filters.items():
            shown: list[int] = []
            more = f"order={order}{query}"
            while more:
                text = await page(lan, f"?{more}")
                some = NUMBERS.findall(text)
                assert len(some) <= PAGE
                shown += [int(one) for one in some]
                after = MORE.search(text)
                more = after[1].replace("&amp;", "&") if after else ""
            wanted = [one.seq for one in events if takes(one)]
            assert shown == (wanted[::-1] if order == "newest" else wanted), query


@pytest.mark.slow
async def test_words_are_looked_for_a_stretch_at_a_time(tmp_path: Path) -> None:
    """Where they are far, the page says how far it looked, and goes on from there; nothing is told twice."""
    async with with_rules(tmp_path) as found:
        await put(found, "nara", member(1), item(1), *(moved(1, TIMES[n % 2]) for n in range(2 * LOOKED_THROUGH)))
        lan = await reading(found, "lan")
        looked, more, text = list[str](), "words=head+of+delegation", ""
        while more:
            text = await page(lan, f"?{more}")
            after = MORE.search(text)
            more = after[1].replace("&amp;", "&") if after else ""
            looked.append(text_of(text).partition("These words were looked for in ")[2].partition(" Look further")[0])
            assert "No entry is like that." not in text
    assert looked == ["600 entries, as far as no. 604.", "600 entries, as far as no. 4.", ""]
    assert NUMBERS.findall(text) == ["2"]


@pytest.mark.slow
@pytest.mark.parametrize("query", ["", "?order=story", "?kind=people", "?actor=linh", "?seq=500&part=then"])
async def test_a_page_reads_no_more_of_a_long_trail_than_of_a_short_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    """As many statements, and of what events say not a tenth."""
    read: list[int] = []
    made: Callable[[Any], SealedEvent] = journal._event

    def counted(row: Any) -> SealedEvent:
        read.append(row.seq)
        return made(row)

    monkeypatch.setattr(journal, "_event", counted)
    counts = []
    async with with_rules(tmp_path) as found:
        lan = await reading(found, "lan")
        for name, many in (("short", 600), ("long", 2600)):
            await put(found, name, member(1), item(1), *(moved(1, TIMES[n % 2]) for n in range(many)), member(2))
            await page(lan, query, name)
            read.clear()
            with statements(found) as asked:
                await page(lan, query, name)
            counts.append(len(asked))
            assert len(read) <= 2 * 250 + 4 * PAGE
    assert counts[0] == counts[1] <= 26
    assert trails.PAGE == 30


@pytest.mark.slow
async def test_whom_a_substitute_stands_for_is_called_by_name_beside_the_chain_too(tmp_path: Path) -> None:
    """On the page of approvals as in the trail; an auditor reads the account on both."""
    right = Right(position="department_head", account="hung", on_behalf_of="mai", leave="lea_1")
    reason = TextRef(ref="txt_returned0001", commitment="b" * 64)
    returned = StepReturned(step_id="head", digest="d" * 64, right=right, kind="amend", reason=reason)
    async with with_rules(tmp_path) as found:
        await put(found, "nara", submitted(), returned)
        for account, name in (("lan", "Phạm Thị Mai"), ("an", "mai")):
            browser = await reading(found, account)
            for path in ("approvals", "trail"):
                said = text_of((await visit(browser, f"GET /delegations/nara/{path}")).text)
                assert f", in place of {name}" in said, (account, path)
