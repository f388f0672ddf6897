"""Hostile text in every field of every form, forms from elsewhere, and garbage in every address: walked over."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.api.front import Front
from tests.pages.asking import Guest
from tests.pages.hostile import FORMED, Tried, loose, tried, with_texts
from tests.pages.indoors import furnished, guest_of
from tests.pages.walking import Asked, Walk, walk_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("gallery"),
    pytest.mark.asyncio(loop_scope="session"),
]

FILE = "POST /delegations/{delegation}"

REFUSED = {
    "POST /sign-in": "it is no password",
    "POST /choose-password": "it is no link",
    "POST /admin/organisations/{organisation} end": "others stand below it",
    "POST /admin/erasures ask": "there is no such person",
    "POST /admin/person-requests/{request_id} identify": "there is no such person",
    "POST /admin/person-requests/{request_id} carry_out": "nothing was carried out",
    f"{FILE}/programme/items/{{item}} move": "nothing would change",
}
"""Forms that take nothing here, and why."""

NOT_SHOWN: set[tuple[str, str]] = set()
"""Texts that stand on neither page, and where they are."""


class Gallery:
    """A furnished installation, and whoever is asked for once."""

    def __init__(self, found: Front) -> None:
        self.found = found
        self._guests: dict[str, Guest] = {}

    async def guest(self, account: str) -> Guest:
        """Somebody in a session."""
        if account not in self._guests:
            self._guests[account] = await guest_of(self.found, account)
        return self._guests[account]


@pytest_asyncio.fixture(loop_scope="session")
async def walked(tmp_path_factory: pytest.TempPathFactory) -> Walk:
    """The gallery, walked over."""
    return await walk_of(tmp_path_factory.mktemp("walk"))


@pytest_asyncio.fixture(loop_scope="session")
async def gallery(tmp_path: Path) -> AsyncIterator[Gallery]:
    """A gallery of the test's own."""
    async with furnished(tmp_path) as (found, _):
        yield Gallery(found)


async def test_hostile_text_is_refused_beside_its_field_or_literal_for_ever(walked: Walk, gallery: Gallery) -> None:
    """Nothing that was typed is lost, no form breaks, and no page makes anything else of a text."""
    results = [await anywhere(walked, gallery, one, number) for number, one in enumerate(with_texts(walked))]
    assert [(one.asked.kind, one.wrong) for one in results if one.wrong] == []
    assert {one.asked.kind for one in results if not one.accepted} == set(REFUSED)
    good = [one for one in results if one.accepted]
    plain = {(one.asked.kind, name) for one in good for name in set(one.asked.shown.texts) - set(one.taken) - FORMED}
    assert plain == set()
    assert {(one.asked.kind, name) for one in good for name in set(one.taken) - one.shown} == NOT_SHOWN
    for account, address in walked.pages:
        page = await (await gallery.guest(account)).get(address)
        assert (page.status_code < 500, list(loose(page.text))) == (True, []), address


async def anywhere(walked: Walk, gallery: Gallery, asked: Asked, number: int) -> Tried:
    """Try a form where it stands first, or else where it stands still."""
    application, found = gallery.found.application, None
    alike = [one for one in walked.others[asked.kind] if one.shown.names == asked.shown.names and one != asked]
    for one in (asked, *alike):
        found = await tried(application, await gallery.guest(one.account), one, number)
        if found.wrong != ["gone"]:
            return found
    assert found is not None
    return found
