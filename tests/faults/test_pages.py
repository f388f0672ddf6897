"""Pages under everything that can be typed into them and into their addresses (faults.md, rows 11, 15 and 16).

What a change is tried with every day stands in tests/pages/test_hostile.py; here is all of it, also on PostgreSQL.
"""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.faults.page import Note
from tests.pages.asking import wrong_in
from tests.pages.hostile import FORMED, LONG, MARKS, NEVER, accepted, judged, same, sample, send, with_texts
from tests.pages.indoors import furnished
from tests.pages.test_hostile import GARBAGE, Gallery, garbage_places, sound, typed_everywhere
from tests.pages.walking import Walk, walk, walk_of
from tests.postgresql import fresh_database

pytestmark = [
    pytest.mark.slow,
    pytest.mark.faults,
    pytest.mark.timeout(1800),
    pytest.mark.xdist_group("gallery"),
    pytest.mark.asyncio(loop_scope="session"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def walked(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """The gallery, walked over."""
    return await walk_of(tmp_path_factory.mktemp("walk"))


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def gallery(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Gallery]:
    """A gallery whose forms are all refused."""
    async with furnished(tmp_path_factory.mktemp("gallery")) as (found, _):
        yield Gallery(found)


@pytest.mark.parametrize("mark", [*MARKS, LONG], ids=lambda mark: ascii(mark)[:20])
async def test_a_mark_in_one_field_alone_is_refused_beside_it(
    walked: Walk, gallery: Gallery, mark: str, note: Note
) -> None:
    """Every field of every form, whatever stands in the others."""
    note(row="16", fault=f"{mark[:12]!a} in each field of each form of each page alone")
    application, wrong = gallery.found.application, []
    for asked in with_texts(walked):
        guest = await gallery.guest(asked.account)
        shown = same(application, (await guest.get(asked.page)).text, asked)
        for control in shown.controls if shown else ():
            takes_it = control.kind == "textarea" and mark not in NEVER
            if shown is None or not control.text or takes_it or control.name in UNTOLD:
                continue
            typed = {name: asked.shown.value(name) or sample(asked.kind, name) for name in shown.texts}
            typed |= {name: "Lý do" for name, said in typed.items() if not said and name not in FORMED}
            typed[control.name] = mark
            answer = await send(guest, shown, typed)
            told = any(one.endswith(f"-{control.name.replace('.', '-')}") for one in wrong_in(answer.text))
            wrong += [(asked.kind, control.name, one) for one in judged(application, asked, typed, answer)]
            if accepted(answer) or (control.name not in FORMED and not told):
                wrong.append((asked.kind, control.name, answer.status_code))
    assert wrong == []


UNTOLD = frozenset({"account", "password", "old", "new", "repeated", "link"})
"""Fields of which nothing is said but that it is no way in, and passwords, of which one answers for another."""


async def test_all_garbage_everywhere_in_every_address(walked: Walk, gallery: Gallery, note: Note) -> None:
    """Each kind in each place."""
    note(row="11", fault="garbage in each part and each question of each page's address")
    wrong = [
        await sound(gallery, account, at(garbage))
        for account, at in garbage_places(walked, gallery.found.application)
        for garbage in GARBAGE
    ]
    assert [one for one in wrong if one] == []


@pytest.fixture(scope="module")
def places(walked: Walk, gallery: Gallery) -> list[tuple[str, Callable[[str], str]]]:
    """Where something can be asked, and by whom."""
    return list(garbage_places(walked, gallery.found.application))


@given(turn=st.integers(0, 10_000), octets=st.binary(max_size=60))
@settings(max_examples=1000, suppress_health_check=list(HealthCheck))
async def test_whatever_is_asked_of_a_page_it_answers(
    places: list[tuple[str, Callable[[str], str]]], gallery: Gallery, turn: int, octets: bytes
) -> None:
    """Any octets at all, in any place."""
    account, at = places[turn % len(places)]
    assert await sound(gallery, account, at("".join(f"%{one:02x}" for one in octets))) is None


async def test_postgresql_takes_what_is_typed_and_refuses_what_it_cannot_hold(tmp_path: Path, note: Note) -> None:
    """The same forms and addresses on the other database, which holds no NUL."""
    note(row="15", fault="hostile text in every form, and garbage in every address, on PostgreSQL")
    with fresh_database() as url:
        async with furnished(tmp_path, database_url=url) as (found, here):
            gallery, walked = Gallery(found), await walk(found, here)
            wrong = [
                await sound(gallery, account, at(GARBAGE[turn % 2]))
                for turn, (account, at) in enumerate(garbage_places(walked, found.application))
            ]
            assert [one for one in wrong if one] == []
            await typed_everywhere(walked, gallery)
