"""Every page of the gallery, and every form on it, for tests that hold for all of them.

Pages are those of the pictures, the acts where they can be done, and whatever these lead to: one address of each route
and set of questions, for whoever meets it first. A page or form that joins is walked over by itself; what no page
leads to is named in UNSEEN.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from fastapi import FastAPI
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import BaseModel
from starlette.routing import compile_path

from api.pages.forms import Form
from api.pages.offers import ACTS
from tests.api.front import Front
from tests.pages.asking import Guest, Shown, forms_of
from tests.pages.indoors import furnished, guest_of
from tests.pages.screenshots import PAGES, known
from tests.running import Running

ACT_AT = {
    "submit_request": "drafted",
    "submit_change": "changed",
    "issue_decision": "decided",
    "invite": "approved",
    "record_external_decision": "consulting",
    "depart": "at-the-airport",
    "conclude": "under-way",
    "close_delegation": "accepted",
    "resume": "put-off",
    "record_formality": "invited",
    "record_reply": "invited",
    "choose_channel": "invited",
    "resend_mail": "invited",
    "adopt_rules": "",
    "hand_over": "drafted",
    "withdraw_request": "waiting-1",
    "reopen_delegation": "closed",
    "postpone": "at-the-airport",
    "cancel_delegation": "changed",
}
"""On which file each act can be done; a file comes under newer rules by a form without a field, once there are any."""

MORE = (
    *(("lan", f"/delegations/{file}/acts/{act}") for act, file in ACT_AT.items() if file),
    ("lan", "/delegations/reporting/report"),
    *(("mai", f"/delegations/{file}/steps/report") for file in ("reported", "reported-2")),
    *(("hung", f"/delegations/waiting-{number}/steps/department_head") for number in (2, 3)),
    ("lan", "/delegations/drafted/people/m-2/leave"),
    ("lan", "/delegations/over-the-limit/request"),
    ("lan", "/delegations/elsewhere/request/revise"),
    ("lan", "/delegations/invited/people"),
    ("lan", "/delegations/tokyo/request/documents"),
    ("lan", "/delegations/drafted/people/new?as=delegate"),
    ("lan", "/delegations/drafted/people/new?as=servant"),
    ("lan", "/delegations/tokyo/people/m-2/replace"),
    ("lan", "/delegations/tokyo/programme/items/s-4"),
    ("lan", "/delegations/tokyo/programme/items/s-5"),
    *(("lan", f"/files/new/dra_complete00{part}") for part in ("", "/partner", "/level")),
    ("lan", "/files/new/dra_elsewhere0/level"),
    ("hung", "/delegations/decided/receipts/{signed}"),
    ("ha", "/admin/erasures"),
    ("", "/choose-password"),
    ("mai", "/me/leave"),
    ("root", "/admin/positions/standing_secretary"),
    ("hung", "/me/passkeys"),
)

UNSEEN = {
    "POST /me/passkeys/{passkey}/remove": "no device has made a passkey; the form has no field",
    "GET /static/{asked}/{name}": "files",
    "GET /live": "a stream",
    "GET /desks/live": "a stream",
    "GET /delegations/{delegation}/live": "a stream",
    "GET /delegations/{delegation}/invitations/live": "a stream",
    "POST /directory/{entry}/split": "nothing of the gallery was merged; the form has no field",
    "POST /me/sessions/{session}": "nobody has a second session; the form has no field",
    "GET /my/{token}/documents/{digest}": "a document; none was written",
}
"""Routes that nothing of the gallery leads to, and why."""

EACH = {
    "GET /admin/person-requests/{request_id}",
    "GET /admin/erasures/{erasure}",
    "GET /directory/imports/{import}",
}
"""Pages whose forms depend on what they are about, and on who reads them: every one is looked at."""

NO_PAGES = ("/static/", "/api/", "/calendars/", "/docs", "/metrics", "/live")
IDS = re.compile(r"(?<=limit-).+$|(?<=-)[a-z]{3}_[a-z0-9]+$")


@dataclass(frozen=True)
class Asked:
    """A form, and where it stands: who reads which page. `kind` names it wherever it stands.

    `models` are the commands or bodies whose limits it shows.
    """

    kind: str
    route: str
    account: str
    page: str
    shown: Shown
    models: frozenset[type[BaseModel]] = frozenset()


@dataclass
class Walk:
    """What was walked over: pages by reader and address, routes, and the forms of each kind that differ in fields.

    `others` are all the forms of a kind, wherever they stand.
    """

    pages: dict[tuple[str, str], str] = field(default_factory=dict)
    routes_of: dict[str, str] = field(default_factory=dict)
    forms: dict[tuple[str, frozenset[str]], Asked] = field(default_factory=dict)
    others: dict[str, list[Asked]] = field(default_factory=lambda: defaultdict(list))


@cache
def _table(application: FastAPI) -> list[tuple[str, str, re.Pattern[str]]]:
    return [
        (method, context.path, compile_path(context.path)[0])
        for context in iter_route_contexts(application.routes)
        if isinstance(context.original_route, APIRoute) and context.path is not None
        for method in context.methods or ()
    ]


def route_of(application: FastAPI, method: str, address: str) -> str | None:
    """Return the route that an address leads to, as the tables of access name it."""
    path = urlsplit(address).path
    found = (name for verb, name, pattern in _table(application) if verb == method and pattern.match(path))
    return next((f"{method} {name}" for name in found), None)


def kind_of(route: str, shown: Shown) -> str:
    """Return what names a form wherever it stands: its route, and what it is called there without ids."""
    act = next((one.taken[0] for one in shown.controls if one.name == "act" and one.taken), "")
    name = shown.value("form") or act or (shown.name if shown.name != shown.action else "")
    return f"{route} {IDS.sub('*', name)}".rstrip()


class _Links(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        href = dict(attrs).get("href") if tag == "a" else None
        if href and href.startswith("/") and not href.startswith(NO_PAGES):
            self.found.append(href.partition("#")[0])


@contextmanager
def models_shown() -> Iterator[list[tuple[str, type[BaseModel]]]]:
    """Which forms pages show meanwhile, each with the command or body that it becomes."""
    shown, id_of = list[tuple[str, type[BaseModel]]](), Form.id

    def noted(form: Form, name: str) -> str:
        if form.model is not None:
            shown.append((form.name, form.model))
        return id_of(form, name)

    Form.id = noted  # type: ignore[method-assign, assignment]
    try:
        yield shown
    finally:
        Form.id = id_of  # type: ignore[method-assign]


def posted(
    application: FastAPI, account: str, address: str, page: str, models: Iterable[tuple[str, type[BaseModel]]] = ()
) -> Iterator[Asked]:
    """Yield the forms of a page that change something."""
    for shown in forms_of(page):
        # Without a method and an address a form is a script's alone.
        if shown.method != "post" or not shown.action:
            continue
        route = route_of(application, "POST", shown.action)
        assert route is not None, (address, shown.action)
        of_it = frozenset(model for name, model in models if name == shown.name)
        yield Asked(kind_of(route, shown), route, account, address, shown, of_it)


async def walk(found: Front, here: Running) -> Walk:
    """Walk over everything."""
    walked, guests = Walk(), dict[str, Guest]()
    first = [(account, path) for _, account, path in PAGES if "lien-hoan-song" not in path]
    todo = [(who, address) for who, path in (*first, *MORE) if (address := await known(here, path))]
    seen: set[tuple[str | None, ...]] = set()
    while todo:
        account, address = todo.pop(0)
        if (account, address) in walked.pages:
            continue
        if account not in guests:
            guests[account] = await guest_of(found, account)
        with models_shown() as models:
            answer = await guests[account].get(address)
        # A filter that came back is a page like any other.
        assert answer.status_code in (200, 303, 422), (account, address, answer.status_code)
        walked.routes_of[address] = str(route_of(found.application, "GET", address))
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        page = walked.pages[account, address] = answer.text
        for asked in posted(found.application, account, address, page, models):
            names = frozenset(re.sub(r"\d+", "0", name) for name in asked.shown.names)
            walked.forms.setdefault((asked.kind, names), asked)
            walked.others[asked.kind].append(asked)
        for link in _Links(page).found:
            route = route_of(found.application, "GET", link)
            about = (route, *_questions(link), *((account, link) if route in EACH else ()))
            if route is not None and about not in seen:
                seen.add(about)
                todo.append((account, link))
    return walked


_walked: list[Walk] = []


async def walk_of(folder: Path) -> Walk:
    """Return the walk over the gallery, made once in a process: every furnished installation is the same."""
    if not _walked:
        async with furnished(folder) as (found, here):
            _walked.append(await walk(found, here))
    return _walked[0]


def _questions(address: str) -> tuple[str, ...]:
    return tuple(sorted({name for name, _ in parse_qsl(urlsplit(address).query, keep_blank_values=True)}))


def acts_with_a_page() -> set[str]:
    """The acts that are done on a page of their own."""
    return {act.name for act in ACTS if not act.path and act.name != "sign_off"}
