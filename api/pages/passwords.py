"""Choosing a password with a link that an administrator handed out."""

from fastapi import APIRouter, Request, Response
from pydantic_core import PydanticCustomError

from api.installation import At
from api.pages.problems import sentence_of
from api.pages.reader import Reader, language_of, reader_of
from api.pages.rendering import show
from api.pages.route import PageRoute
from api.passwords import chosen
from api.problems import Problem
from api.sessions import LONGEST_TYPED
from domain.sign_in import LONGEST_PASSWORD, SHORTEST_PASSWORD, new_password
from locales import Translator, mark, translator

router = APIRouter(route_class=PageRoute, include_in_schema=False)

TOO_SHORT = mark("A password has at least %(shortest)s characters.")
TOO_LONG = mark("A password has at most %(longest)s characters.")
DIFFERENT = mark("The two are not the same.")
NO_LINK = mark("Paste the link that you were given, or what stands in it after “link=”.")


@router.get("/choose-password")
async def show_password_page(request: Request) -> Response:
    """Show the form. The secret of the link stays with the browser until it is sent."""
    return _form(request)


@router.post("/choose-password")
async def choose_password_by_page(request: Request, at: At) -> Response:
    """Choose a password, once with each link, and sign in with it afterwards."""
    form: dict[str, str] = request.state.form
    words = translator(reader_of(request).language)
    link, password = form.get("link", "").strip().rpartition("link=")[2][:200], form.get("password", "")
    errors = [] if link else [("link", words.tr(NO_LINK))]
    errors += wrong_with(words, password, form.get("repeated", ""), names=("password", "repeated"))
    if errors:
        return _form(request, 422, link=link, errors=errors)
    await at.attempts.sign_in(request)
    try:
        besides = await chosen(at, link, password)
    except Problem as problem:
        status, said = sentence_of(request, problem)
        return _form(request, status, link=link, errors=[("link", said)])
    request.state.reader = Reader(language_of(request))
    response = show(request, "password_chosen.html", besides=besides)
    at.cookies.drop(response, at.cookies.session)
    return response


def wrong_with(words: Translator, password: str, repeated: str, *, names: tuple[str, str]) -> list[tuple[str, str]]:
    """Return what is wrong with a new password that was typed twice, beside the fields of these names."""
    errors = []
    try:
        new_password(password[: LONGEST_TYPED + 1])
    except PydanticCustomError as wrong:
        sentence = TOO_SHORT if wrong.type == "password_too_short" else TOO_LONG
        errors.append((names[0], words.tr(sentence, shortest=SHORTEST_PASSWORD, longest=LONGEST_PASSWORD)))
    if password != repeated:
        errors.append((names[1], words.tr(DIFFERENT)))
    return errors


def _form(
    request: Request, status: int = 200, *, link: str = "", errors: list[tuple[str, str]] | None = None
) -> Response:
    return show(request, "choose_password.html", status, link=link, errors=errors or [], shortest=SHORTEST_PASSWORD)
