"""Signing in and out, and the language that pages are read in."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import structlog
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import TypeAdapter, ValidationError

from api.installation import At, installation_of
from api.pages.problems import sentence_of
from api.pages.reader import Reader, language_of, reader_of, signed_in
from api.pages.rendering import show
from api.pages.route import PageRoute, own_path
from api.pages.typed import Typed
from api.problems import Problem
from api.sessions import LONGEST_TYPED, begin
from domain.values import Slug
from locales import LANGUAGES

log = structlog.get_logger()

router = APIRouter(route_class=PageRoute, include_in_schema=False)

CARRIED = "typed."
"""What a form's fields are called while they wait for a sign-in."""

LANGUAGE_KEPT = 365 * 24 * 3600
"""Seconds for which a browser keeps its choice of language."""

Next = Annotated[str | None, Query(max_length=2000)]


@router.get("/sign-in")
async def show_sign_in_page(
    request: Request, next: Next = None, again: Annotated[str | None, Query(max_length=10)] = None
) -> Response:
    """Show how to sign in; whoever has is sent on, unless they are to do it `again`."""
    if reader_of(request).actor is not None and again is None:
        return RedirectResponse(own_path(next), 303)
    return sign_in_form(request, way_back=own_path(next))


@router.post("/sign-in")
async def sign_in_by_page(request: Request, at: At) -> Response:
    """Sign in with a password, and go on; what was typed before goes along."""
    form: Typed = request.state.form
    way_back = own_path(form.get("next"))
    typed = Typed([(name.removeprefix(CARRIED), value) for name, value in form.pairs if name.startswith(CARRIED)])
    account, password = form.get("account", "").strip(), form.get("password", "")
    try:
        await at.attempts.sign_in(request, account)
        if not (_may_be_one(account, password) and await at.passwords.fits(account, password)):
            log.warning("sign_in_refused", factor="password")
            raise Problem("sign_in_refused")
        await at.attempts.succeeded(request, account)
        response = Response(status_code=303, headers={"Location": way_back})
        session = await begin(at, request, response, account, "password")
    except Problem as problem:
        if problem.code not in ("sign_in_refused", "too_many_attempts"):
            raise
        status, sentence = sentence_of(request, problem)
        errors = [("account", sentence)]
        return sign_in_form(
            request, status, way_back=way_back, carried=typed, errors=errors, typed=account, headers=problem.headers
        )
    if not typed:
        return response
    actor = await at.sessions.acting(_secret_of(response))
    if actor is not None:
        request.state.reader = await signed_in(request, actor, session.csrf_token)
    page = show(request, "resume.html", way_back=way_back, carried=typed)
    page.headers.append("Set-Cookie", response.headers["set-cookie"])
    return page


@router.post("/sign-out")
async def sign_out_by_page(request: Request, at: At) -> Response:
    """End the session that asks."""
    actor = request.state.actor
    await at.sessions.end(actor.session or "", actor.id)
    request.state.reader = Reader(language_of(request, reader_of(request).account))
    response = show(request, "signed_out.html")
    at.cookies.drop(response, at.cookies.session)
    return response


@router.post("/language")
async def choose_language(request: Request, at: At) -> Response:
    """Let this browser read pages in another language, and go back to where it was."""
    form: dict[str, str] = request.state.form
    response = RedirectResponse(_page_of(form.get("next")), 303)
    language = form.get("language")
    if language in LANGUAGES:
        at.cookies.put(response, at.cookies.language, language, LANGUAGE_KEPT)
    return response


def sign_in_form(
    request: Request,
    status: int = 200,
    *,
    way_back: str,
    carried: Typed | None = None,
    errors: Sequence[tuple[str, str]] = (),
    typed: str = "",
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Return the page on which one signs in; `carried` is what a form held when its session was over."""
    held = carried or Typed([])
    return show(
        request,
        "sign_in.html",
        status,
        headers=headers,
        way_back=way_back,
        carried=[(CARRIED + name, value) for name, value in held.pairs],
        held=held,
        errors=errors,
        typed=typed,
        providers=installation_of(request).providers.all,
    )


_SLUG: TypeAdapter[str] = TypeAdapter(Slug)


def _may_be_one(account: str, password: str) -> bool:
    try:
        _SLUG.validate_python(account)
    except ValidationError:
        return False
    return len(password) <= LONGEST_TYPED


def _secret_of(response: Response) -> str:
    return response.headers["set-cookie"].partition("=")[2].partition(";")[0]


def _page_of(asked: str | None) -> str:
    # One may change the language of the sign-in page too, and keep where it leads.
    if asked is not None and asked.startswith(("/sign-in", "/choose-password")) and own_path("/x" + asked) != "/":
        return asked
    return own_path(asked)
