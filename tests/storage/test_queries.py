"""Lists: filters, order, pages that are stable under writes; and waiting for an event to be applied."""

import asyncio
import base64
import json
from datetime import UTC, date, datetime, timedelta
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from domain.events import AnyEvent
from domain.folding import folded
from domain.seal import head_of
from storage.cursors import BadCursor
from storage.engine import Database
from storage.journal import Journal
from storage.projection import Projection
from storage.queries import Filters, Queries, SortKey
from tests.storage.streams import START, a_whole_file, cancelled, deadline, member, opened, sealed, submitted

TITLES = ["Đoàn Huế", "đoàn hữu nghị Séc", "Zurich 100% choir", "Ánh Dương", "an_underscore", "Đoàn Huế"]


async def fill(database: Database, titles: list[str] | None = None) -> Queries:
    """Open a file for each title, a week apart, the later ones more recently changed."""
    projection = Projection(database)
    for n, title in enumerate(titles or TITLES):
        name = f"visit-{n}"
        events: list[AnyEvent] = [
            opened(
                name,
                title=title,
                direction="inbound" if n % 2 else "outbound",
                coordinator="linh" if n < 3 else "minh",
                organisation="songlam" if n else "central",
                countries=("CZ", "DE") if n == 1 else ("JP",),
                starts=date(2026, 4, 6) + timedelta(weeks=n),
            )
        ]
        if n in (1, 3):
            events.append(deadline("report", date(2026, 5, n)))
        if n == 2:
            events.append(submitted())
        if n == 4:
            events.append(cancelled())
        await projection.project(name, sealed(name, events, start=START + timedelta(minutes=n)))
    return Queries(database)


async def ids(queries: Queries, filters: Filters | None = None, **order: object) -> list[str]:
    page = await queries.delegations(filters, **order)  # type: ignore[arg-type]
    return [line.id.removeprefix("visit-") for line in page.items]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        (Filters(), "012345"),
        (Filters(phases=("submitted", "cancelled")), "24"),
        (Filters(direction="inbound"), "135"),
        (Filters(coordinator="minh"), "345"),
        (Filters(organisation="central"), "0"),
        (Filters(country="DE"), "1"),
        (Filters(country="E"), ""),
        (Filters(year=2026), "012345"),
        (Filters(year=2025), ""),
        (Filters(year=10**30), ""),
        (Filters(waits_for=("department_head",)), "2"),
        (Filters(waits_for=("coordinator", "department_head")), "01235"),
        (Filters(due_before=date(2026, 5, 3)), "1"),
        (Filters(due_before=date(2026, 5, 4)), "13"),
        (Filters(overdue=True), ""),
        (Filters(q="doan hue"), "015"),
        (Filters(q="HUE  doan"), "015"),
        (Filters(q="nhat"), "012345"),
        (Filters(q="100%"), "2"),
        (Filters(q="%"), "2"),
        (Filters(q="n_u"), "4"),
        (Filters(q="nul\x00"), ""),
        (Filters(q=""), "012345"),
        (Filters(direction="inbound", coordinator="minh", q="anh"), "3"),
    ],
)
async def test_filters_take_what_they_say(database: Database, filters: Filters, expected: str) -> None:
    """Everything that is set must hold; signs of LIKE are literal."""
    queries = await fill(database)
    assert "".join(await ids(queries, filters)) == expected
    assert await queries.count(filters) == len(expected)


@pytest.mark.parametrize(
    ("sort", "descending", "expected"),
    [
        ("starts", False, "012345"),
        ("starts", True, "543210"),
        ("updated", False, "035124"),
        ("updated", True, "421530"),
        ("title", False, "430512"),
        ("title", True, "215034"),
        ("next_due", False, "130245"),
        ("next_due", True, "315420"),
    ],
)
async def test_every_order_is_total(database: Database, sort: SortKey, descending: bool, expected: str) -> None:
    """By the key, then by id; what has no due date comes last either way."""
    queries = await fill(database)
    if sort == "updated":
        lines = (await queries.delegations(sort="updated", descending=descending)).items
        assert [line.updated_at for line in lines] == sorted((line.updated_at for line in lines), reverse=descending)
    else:
        assert "".join(await ids(queries, sort=sort, descending=descending)) == expected


@pytest.mark.parametrize("sort", get_args(SortKey))
@pytest.mark.parametrize("descending", [False, True])
async def test_pages_join_to_the_whole_list(database: Database, sort: SortKey, descending: bool) -> None:
    """Page by page, of every size, nothing is lost or repeated."""
    queries = await fill(database)
    whole = await ids(queries, sort=sort, descending=descending)
    for size in (1, 2, 5, 6):
        found: list[str] = []
        cursor = None
        while True:
            page = await queries.delegations(sort=sort, descending=descending, limit=size, cursor=cursor)
            found += [line.id.removeprefix("visit-") for line in page.items]
            cursor = page.next_cursor
            if cursor is None:
                break
        assert found == whole


async def test_a_new_file_between_two_pages_shifts_nothing(database: Database) -> None:
    """The cursor names a line, not a number of lines."""
    queries = await fill(database)
    first = await queries.delegations(limit=3)
    new = sealed("visit-new", [opened("visit-new", starts=date(2026, 4, 7))])
    await Projection(database).project("visit-new", new)
    second = await queries.delegations(limit=3, cursor=first.next_cursor)
    assert [line.id for line in second.items] == ["visit-3", "visit-4", "visit-5"]
    assert second.next_cursor is None


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "x",
        "!!!",
        base64.urlsafe_b64encode(b"[]").decode(),
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(json.dumps(["title", False, "a", "b"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["starts", True, "2026-04-06", "b"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["starts", False, "2026-02-30", "b"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["starts", False, "2026-04-06", "\x00"]).encode()).decode(),
        base64.urlsafe_b64encode(json.dumps(["starts", False, "2026-04-06", 5]).encode()).decode(),
        base64.urlsafe_b64encode(b"[" * 100_000).decode(),
    ],
)
async def test_a_cursor_of_another_list_is_refused(database: Database, cursor: str) -> None:
    """Forged, cut, or from another order: one clear refusal."""
    with pytest.raises(BadCursor):
        await Queries(database).delegations(cursor=cursor)


@pytest.mark.parametrize("limit", [0, 201, -1])
async def test_a_page_of_another_size_is_refused(database: Database, limit: int) -> None:
    """One to two hundred lines."""
    with pytest.raises(ValueError, match="1 to 200"):
        await Queries(database).delegations(limit=limit)


async def test_a_file_is_read_whole(database: Database) -> None:
    """State, head and the business time of its last event."""
    chain = a_whole_file()
    await Projection(database).project("spring-visit", chain)
    queries = Queries(database)
    found = await queries.get("spring-visit")
    assert found is not None
    assert found.head == head_of(chain[-1])
    assert found.updated_at == chain[-1].instant
    assert found.state.items["s1"].starts.local == "2026-04-11T14:30"
    assert await queries.get("unknown") is None
    assert await queries.events("spring-visit", after=22) == chain[22:]
    assert await Journal(database).events("spring-visit") == chain


async def test_deadlines_of_all_files_come_in_their_order(database: Database) -> None:
    """Open ones, before an instant if one is given."""
    queries = await fill(database)
    whole = await queries.due()
    assert [(line.delegation_id, line.what) for line in whole.items] == [("visit-1", "report"), ("visit-3", "report")]
    first = await queries.due(limit=1)
    assert (whole.next_cursor, first.items) == (None, whole.items[:1])
    rest = await queries.due(limit=1, cursor=first.next_cursor)
    assert (rest.items, rest.next_cursor) == (whole.items[1:], None)
    soon = await queries.due(before=datetime(2026, 5, 2, tzinfo=UTC))
    assert [line.delegation_id for line in soon.items] == ["visit-1"]
    assert [(line.due_on, line.rule, line.rule_version) for line in await queries.deadlines_of("visit-3")] == [
        (date(2026, 5, 3), "IN-REPORT", 1)
    ]


async def test_the_files_of_a_person_are_found(database: Database) -> None:
    """Before an erasure one wants to know where the person stands."""
    for name in ("a", "b"):
        await Projection(database).project(name, sealed(name, [opened(name), member(1)]))
    assert await Queries(database).files_of_person("per_member0001") == ["a", "b"]
    assert await Queries(database).files_of_person("per_member0002") == []


async def test_a_reader_waits_for_an_event_of_another_process(store_url: str) -> None:
    """It returns as soon as the event is applied, and says so when it was not."""
    ours, theirs = Database(store_url), Database(store_url)
    chain = a_whole_file()
    try:
        queries = Queries(ours)
        waiting = asyncio.create_task(queries.wait_for_seq("spring-visit", 3, timeout=20))
        await Projection(theirs).project("spring-visit", chain[:2])
        await Projection(theirs).project("spring-visit", chain[2:3])
        assert await waiting
        assert not await queries.wait_for_seq("spring-visit", 4, timeout=0.05)
    finally:
        await ours.close()
        await theirs.close()


@given(text=st.text(max_size=40))
@example(text="℡ ᴬ İ")
def test_folding_a_folded_text_changes_nothing(text: str) -> None:
    """The sort key of a cursor is folded again when it is written."""
    assert folded(folded(text)) == folded(text)


def test_diacritics_case_and_blanks_do_not_matter_to_a_search() -> None:
    """đ is d, composed or not."""
    assert folded("  ĐOÀN  hữu nghị\tSéc ") == "doan huu nghi sec"
    assert folded("Hue\u0302\u0301") == folded("Huế") == "hue"


async def test_a_title_that_unfolds_to_thousands_of_letters_can_be_listed(database: Database) -> None:
    """One ligature folds to eighteen letters; PostgreSQL's index takes no entry beyond 2,704 bytes."""
    queries = await fill(database, ["\ufdfa" * 300, "\ufdfa" * 299])
    first = await queries.delegations(sort="title", limit=1)
    second = await queries.delegations(sort="title", limit=1, cursor=first.next_cursor)
    assert [line.id for line in (*first.items, *second.items)] == ["visit-0", "visit-1"]


async def test_visits_are_those_with_a_partner_s_name_or_one_of_its_people(database: Database) -> None:
    """Whatever its case and diacritics; a title that only has the name is none; the latest first, and in reach."""
    projection = Projection(database)
    for number, (partner, title) in enumerate(
        (("Hội Huế", "a"), ("HOI HUE", "b"), ("Osaka", "Đoàn Hội Huế"), ("Osaka", "c"), ("100% Hội", "d"))
    ):
        first = opened(f"v-{number}", title=title, starts=date(2026, 4, 6) + timedelta(weeks=number))
        events: list[AnyEvent] = [first.model_copy(update={"partner": partner})]
        if number == 3:
            events.append(member(1))
        await projection.project(f"v-{number}", sealed(f"v-{number}", events))
    queries, who = Queries(database), member(1).person.ref

    async def visits(
        partners: list[str], people: list[str], most: int = 9, within: frozenset[str] | None = None
    ) -> list[str]:
        found = await queries.visits(partners, people, most=most, within=within)
        return [one.id for one in found]

    assert await visits(["hoi hue"], []) == ["v-1", "v-0"]
    assert await visits(["Hội Huế"], [who]) == ["v-3", "v-1", "v-0"]
    assert await visits([], [who]) == ["v-3"]
    assert await visits([], []) == []
    assert await visits(["%"], []) == []
    assert await visits(["100% hoi", "_"], []) == ["v-4"]
    assert await visits(["hoi hue"], [who], most=2) == ["v-3", "v-1"]
    assert await visits(["hoi hue"], [who], within=frozenset({"elsewhere"})) == []
