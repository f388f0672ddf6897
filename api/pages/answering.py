"""From a function of the API to a form: what would be problem details comes back beside its field."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from fastapi import Request

from api.engine import CommandRefused, EngineUnavailable, KeyReused
from api.pages.forms import FormRefused
from api.pages.problems import sentence_of
from api.pages.reader import reader_of
from api.problems import Problem, refused, shown
from locales import translator
from storage.idempotency import IdempotencyConflict

NOTHING: Mapping[str, str] = {}


@contextmanager
def answering(request: Request, places: Mapping[str, str] = NOTHING, *, key: str = "") -> Iterator[None]:
    """Turn what a function of the API refuses into a FormRefused, in the reader's language.

    `places` says beside which field a problem's code belongs where the problem does not say so itself, or a field that
    the form does not have; `key` is the form's, kept where nobody knows whether the request was carried out.
    """
    try:
        yield
    except CommandRefused as wrong:
        problem = refused(wrong.refusal)
    except (KeyReused, IdempotencyConflict):
        problem = Problem("idempotency_key_reused")
    except EngineUnavailable:
        problem = Problem("engine_unavailable")
    except Problem as met:
        problem = met
    else:
        return
    status, sentence = sentence_of(request, problem)
    words = translator(reader_of(request).language)
    errors = [
        (places.get(one.field, one.field), words.tr(one.sentence, **shown(one.params, words))) for one in problem.errors
    ]
    kept = key if problem.code == "engine_unavailable" else ""
    raise FormRefused(errors or [(places.get(problem.code, ""), sentence)], status, key=kept)
