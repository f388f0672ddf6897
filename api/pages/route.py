"""The guard of pages: a session or the way to one, a form from this very site, and what was typed is not lost."""

import re
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any
from urllib.parse import parse_qsl, quote

from fastapi import Request, Response
from fastapi.responses import RedirectResponse
from fastapi.routing import APIRoute

from api.access import ALLOWED, measured
from api.cookies import SAFE_METHODS, csrf_token
from api.installation import installation_of
from api.pages.reader import Reader, language_of, signed_in
from api.pages.typed import Typed
from api.pages.uploads import MULTIPART, TABLES, UPLOADS, may_store, received, room_of
from api.problems import Problem
from domain.decision import SYSTEM

Handler = Callable[[Request], Coroutine[Any, Any, Response]]

FORM = "application/x-www-form-urlencoded"
LARGEST_FORM = 2000
"""Fields of one form: a box for each of many people is one."""

NOT_CARRIED = frozenset({"csrf", "signature", "digest", "again"})
"""What of a form does not outlive a sign-in: its secrets, and what the page then says anew."""

OWN_PATH = re.compile(r"^/(?!/)[A-Za-z0-9/._~-]*(?:\?[A-Za-z0-9=&._~%-]*)?$")
NO_WAY_BACK = ("/api/", "/sign-in", "/sign-out", "/static/", "/language")


UNATTENDED = "x-unattended"
"""The header of what a page asks by itself, to stay fresh: it keeps no session alive."""


class SignInFirst(Exception):
    """Nobody is signed in. `form` is what was typed and must not be lost."""

    def __init__(self, form: Typed) -> None:
        super().__init__("nobody is signed in")
        self.form = form


class PageRoute(APIRoute):
    """A route of pages. `request.state` gets `reader`, `actor` and, of a form, `form`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **more: Any) -> None:
        """Where GET is answered, so is HEAD."""
        methods = set(more.pop("methods", None) or {"GET"})
        super().__init__(path, endpoint, methods=methods | ({"HEAD"} if "GET" in methods else set()), **more)

    def get_route_handler(self) -> Handler:
        """Put the guard before the route."""
        handler = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            request = measured(request, room_of(self.name, installation_of(request)))
            try:
                await _admit(request, self.name)
            except SignInFirst as nobody:
                return _sign_in_first(request, nobody.form)
            except Problem as problem:
                if problem.code == "csrf_token_refused" and (typed := carried(request.state.form)):
                    return _once_more(request, typed)
                raise
            return await handler(request)

        return guarded


async def _admit(request: Request, route: str) -> None:
    """Problems: `origin_refused`, `csrf_token_refused`, `role_not_allowed` (403), `content_type_not_form` (415)."""
    at, allowed, changes = installation_of(request), ALLOWED.get(route, ()), request.method not in SAFE_METHODS
    if changes:
        at.cookies.refuse_other_sites(request, strictly=True)
    request.state.form, request.state.actor, request.state.files_refused = Typed([]), None, ()
    request.state.table = None
    request.state.reader = Reader(language_of(request))
    secret = request.cookies.get(at.cookies.session)
    # Files of the pages are everybody's: nobody's session is looked up for them.
    actor = None
    if secret and route != "send_static_file":
        actor = await at.sessions.acting(secret, attended=UNATTENDED not in request.headers)
    if secret and actor is not None and actor.id != SYSTEM:
        request.state.actor = actor
        request.state.reader = await signed_in(request, actor, csrf_token(secret))
    if changes:
        request.state.form = await _form(request, route, partial(_may_keep, request, allowed, secret))
    form: Typed = request.state.form
    if "anybody" in allowed:
        return
    if secret is None or request.state.actor is None:
        if secret is not None:
            await at.attempts.guessed(request)
        raise SignInFirst(form)
    at.cookies.require_csrf_token(request, secret, given=form.get("csrf", ""))
    if not set(request.state.actor.roles) & set(allowed):
        raise Problem("role_not_allowed")


def _may_keep(request: Request, allowed: tuple[str, ...], secret: str | None, form: Typed) -> bool:
    """Return whether files of a form are kept: of whoever may use the route and keep files, under their own token."""
    actor = request.state.actor
    if actor is None or secret is None or not set(actor.roles) & set(allowed) or not may_store(actor.roles):
        return False
    try:
        installation_of(request).cookies.require_csrf_token(request, secret, given=form.get("csrf", ""))
    except Problem:
        return False
    return True


async def _form(request: Request, route: str, may_keep: Callable[[Typed], bool]) -> Typed:
    """Return the fields of a form. Problem `body_malformed` for anything else."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == MULTIPART and (route in UPLOADS or route in TABLES):
        return await received(request, route, may_keep)
    if kind != FORM:
        raise Problem("content_type_not_form")
    try:
        text = (await request.body()).decode("ascii")
        return Typed(
            parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=LARGEST_FORM)
        )
    except ValueError:
        raise Problem("body_malformed") from None


def _sign_in_first(request: Request, form: Typed) -> Response:
    at, way_back = installation_of(request), own_path(request.url.path)
    headers = at.cookies.dropping(at.cookies.session) if at.cookies.session in request.cookies else {}
    if "hx-request" in request.headers:
        # A script that asked for a part of a page is not to put the sign-in page in its place.
        raise Problem("session_refused", headers=headers)
    if request.method in SAFE_METHODS:
        return RedirectResponse(f"/sign-in?next={quote(way_back, safe='')}", 303, headers=headers)
    # Imported here: the sign-in page is itself a page behind this guard.
    from api.pages.sessions import sign_in_form

    return sign_in_form(request, 401, way_back=way_back, carried=carried(form), headers=headers)


def _once_more(request: Request, typed: Typed) -> Response:
    """A form of this site that was made in an earlier session: nothing is done, and nothing of it is lost."""
    from api.pages.rendering import show

    return show(request, "resume.html", 403, way_back=own_path(request.url.path), carried=typed)


def carried(form: Typed) -> Typed:
    """Return what of a form outlives a sign-in."""
    return Typed([(name, value) for name, value in form.pairs if name not in NOT_CARRIED])


def own_path(asked: str | None) -> str:
    """Return where to go after a sign-in: a page of this site, or the first one; never another site."""
    if not asked or len(asked) > 500 or not OWN_PATH.fullmatch(asked) or asked.startswith(NO_WAY_BACK):
        return "/"
    return asked
