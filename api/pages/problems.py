"""What does not succeed, as a page: the same codes as problem details, in words for people."""

import re
from datetime import date

from fastapi import Request, Response

from api.pages.reader import reader_of
from api.pages.rendering import show
from api.problems import RETRY_AFTER, TITLES, Problem, answer_of, respond, shown
from locales import Translator, mark, translator

DAY = re.compile(r"[0-9]{4}-[01][0-9]-[0-3][0-9]")

PAGE_SENTENCES = {
    "not_found": mark("There is no page at this address. The link may be cut off, or what it led to is gone."),
    "csrf_token_refused": mark("This form was made before you signed in anew. Reload the page, then try again."),
    "role_not_allowed": mark("Your role may not see this page."),
    "origin_refused": mark("This form was not sent by a page of this site."),
    "engine_unavailable": mark("No answer came in time. Send the form again: nothing is ever done twice."),
    "idempotency_key_reused": mark("This answer was sent before. What became of it stands on this page."),
    "sign_in_again": mark("Sign in again first: this changes how you sign in, or who signs for whom."),
}
"""Where the sentence of the JSON routes speaks to programs."""

FOR_BROWSERS = "/api/v1/session/oidc/"
"""Addresses of the API that only browsers visit, on their way to another provider and back."""


def answer(request: Request, problem: Problem) -> Response:
    """Return the answer to a request that met a problem: a page to people, problem details to programs."""
    if not _asks_for_page(request):
        return respond(request, problem)
    if problem.code == "validation_failed":
        # No address of a page that anybody was given has a malformed part.
        problem = Problem("not_found")
    status, sentence = sentence_of(request, problem)
    title = translator(reader_of(request).language).tr(TITLES[status])
    headers = dict(problem.headers)
    if problem.code in RETRY_AFTER:
        headers["Retry-After"] = RETRY_AFTER[problem.code]
    return show(request, "problem.html", status, headers=headers, title=title, sentence=sentence, code=problem.code)


def sentence_of(request: Request, problem: Problem) -> tuple[int, str]:
    """Return the status of a problem and its sentence in the reader's language."""
    words = translator(reader_of(request).language)
    status, sentence = answer_of(problem.code)
    params = {name: _day(value, words) for name, value in shown(problem.params, words).items()}
    return status, words.tr(PAGE_SENTENCES.get(problem.code, sentence), **params)


def _day(value: object, words: Translator) -> object:
    """A day that programs read, as people do."""
    return words.weekday_date(date.fromisoformat(value)) if isinstance(value, str) and DAY.fullmatch(value) else value


def _asks_for_page(request: Request) -> bool:
    path = request.url.path
    if path.startswith(FOR_BROWSERS):
        return "text/html" in request.headers.get("accept", "")
    return not (path.startswith(("/api/", "/calendars/")) or path in ("/docs", "/metrics"))
