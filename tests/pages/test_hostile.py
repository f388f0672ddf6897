"""Hostile text in every field of every form, forms from elsewhere, and garbage in every address: walked over."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from urllib.parse import parse_qsl, quote, urlsplit

import pytest
import pytest_asyncio
from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts

from api.cookies import csrf_token
from tests.api.front import Front
from tests.api.test_access import PAGES
from tests.pages.asking import Guest, forms_of
from tests.pages.hostile import FORMED, Tried, filled, loose, tried, with_texts
from tests.pages.indoors import furnished, guest_of
from tests.pages.walking import UNSEEN, Asked, Walk, route_of, walk_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("gallery"),
    pytest.mark.asyncio(loop_scope="session"),
]

FILE = "POST /delegations/{delegation}"

REFUSED = {
    "POST /sign-in": "it is no password",
    "POST /choose-password": "it is no link",
    "POST /me/password password": "it is not the password",
    "POST /admin/organisations/{organisation} end": "others stand below it",
    "POST /admin/erasures ask": "there is no such person",
    "POST /admin/person-requests/{request_id} identify": "there is no such person",
    "POST /admin/person-requests/{request_id} carry_out": "nothing was carried out",
    f"{FILE}/programme/items/{{item}} move": "nothing would change",
}
"""Forms that take nothing here, and why."""

NOT_SHOWN = {
    ("POST /admin/organisations/{organisation} change", "name.vi"),
    (f"{FILE}/people/new join", "given_name"),
    ("POST /directory/{entry}/contacts/new entry", "given_name"),
    (f"{FILE}/people/{{participant}}/replace join", "given_name"),
}
"""Texts that no page shows to who typed them: a name in the other language, and what mails address somebody by."""

GARBAGE = (
    "\x00",
    "\u202e{{7*7}}<script id=hostile>",
    "-1",
    "9" * 25,
    "a" * 3000,
    "2026-13-45T99:99",
    "'; DROP TABLE persons; --",
    "%ff%fe",
)
"""What stands in the place of what is asked for; the last one as it is, in octets that are no text."""

READ_BY_HAND = {"said"}
"""What pages read of their address without declaring it."""


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
    await typed_everywhere(walked, gallery)


async def typed_everywhere(walked: Walk, gallery: Gallery) -> None:
    """Try every form, then look at every page."""
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


def asked_by(walked: Walk, application: FastAPI) -> dict[str, tuple[str, str, set[str]]]:
    """Return who asks for each page, an address of it, and the names of what can be asked, by its route."""
    found: dict[str, tuple[str, str, set[str]]] = {}
    for (account, address), page in walked.pages.items():
        route = route_of(application, "GET", address)
        assert route is not None
        names = found.setdefault(route, (account, address.partition("?")[0], set()))[2]
        names |= {name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)} | READ_BY_HAND
        for shown in forms_of(page):
            to = route_of(application, "GET", shown.action or address) if shown.method == "get" else None
            if to in found:
                found[to][2].update(shown.names)
    for context in iter_route_contexts(application.routes):
        declared, row = context.original_route, f"GET {context.path}"
        if isinstance(declared, APIRoute) and row in found:
            found[row][2].update(one.alias for one in declared.dependant.query_params)
    return found


def garbled(address: str, place: int, garbage: str) -> str:
    """Return an address with garbage in one of its parts."""
    parts = address.split("/")[1:]
    parts[place] = garbage if "%" in garbage else quote(garbage, safe="")
    return "/" + "/".join(parts)


async def sound(gallery: Gallery, account: str, address: str) -> object | None:
    """Ask for an address, and return what is not as it should be with the answer."""
    answer = await (await gallery.guest(account)).get(address)
    if answer.status_code >= 500 or list(loose(answer.text)):
        return address[:200], answer.status_code, list(loose(answer.text))
    return None


async def test_garbage_in_an_address_breaks_no_page(walked: Walk, gallery: Gallery) -> None:
    """Each thing that can be asked of each page, and each part of its address, once; all of it in `make faults`."""
    places = list(garbage_places(walked, gallery.found.application))
    asked = [(who, at(GARBAGE[turn % len(GARBAGE)])) for turn, (who, at) in enumerate(places)]
    wrong = [await sound(gallery, account, address) for account, address in asked]
    assert [one for one in wrong if one] == []
    assert len(wrong) > 200


def garbage_places(walked: Walk, application: FastAPI) -> Iterator[tuple[str, Callable[[str], str]]]:
    """Yield every place of every page's address where garbage can stand: who asks, and the address with garbage."""
    for account, address, names in asked_by(walked, application).values():
        for name in sorted(names):
            yield account, partial(asking_for, address, name)
        for place in range(1, address.count("/")):
            yield account, partial(garbled, address, place)


def asking_for(address: str, name: str, garbage: str) -> str:
    """Return an address that asks for something with garbage."""
    return f"{address}?{quote(name)}={garbage if '%' in garbage else quote(garbage)}"


async def test_no_form_is_taken_from_elsewhere_or_under_another_session_s_token(
    walked: Walk, gallery: Gallery, tmp_path: Path
) -> None:
    """A form of every route as its page has it, in the session that may send it; afterwards nothing is another."""
    before, wrong, one_each = kept(tmp_path), list[object](), {one.route: one for one in walked.forms.values()}
    for asked in one_each.values():
        guest = await gallery.guest(asked.account)
        other = await gallery.guest("mai" if asked.account == "lan" else "lan")
        sent = [("sent", "by a form"), *(pair for pair in filled(asked.shown, {}) if pair[0] != "csrf")]
        own = csrf_token(asked.shown.action.rpartition("/")[2]) if asked.route.startswith("POST /my/") else guest.csrf
        for headers in (ELSEWHERE, {"origin": "null", "sec_fetch_site": "cross-site"}):
            answer = await guest.post(asked.shown.action, [*sent, ("csrf", own)], **headers)
            if (answer.status_code, "origin_refused" in answer.text) != (403, True):
                wrong.append((asked.kind, headers, answer.status_code))
        if asked.route in SESSIONLESS:
            continue
        # The walk's own session was another one of the same account.
        for token in (None, "", asked.shown.value("csrf") if asked.account else "x", other.csrf):
            answer = await guest.post(asked.shown.action, [*sent, *([("csrf", token)] if token is not None else [])])
            if answer.status_code != 403 or not ("csrf_token_refused" in answer.text or "data-carried" in answer.text):
                wrong.append((asked.kind, token, answer.status_code))
    assert wrong == []
    assert kept(tmp_path) == before
    assert {row for row in PAGES if row.startswith("POST")} - set(one_each) <= set(UNSEEN)


ELSEWHERE = {"origin": "https://evil.example", "sec_fetch_site": "cross-site"}
SESSIONLESS = {"POST /sign-in", "POST /language", "POST /choose-password"}
"""Forms of people who have no session yet: there is nothing of theirs that another site could use."""


def kept(folder: Path) -> list[str]:
    """Everything that the database holds, but when sessions were used."""
    with closing(sqlite3.connect(folder / "legation.db")) as store:
        return [line for line in store.iterdump() if not line.startswith('INSERT INTO "sessions"')]
