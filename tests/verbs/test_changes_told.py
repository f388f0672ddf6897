"""What changed, in words: every field of a file has one or is bookkeeping, every event says what it made of it."""

from collections.abc import Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from domain import events as e
from domain.changes import WHOLE, changes
from domain.evolve import fold
from domain.state import Delegation
from locales import LANGUAGES, Language, translator
from locales.dossier import FIGURES
from tests.domain.test_scenarios import FILES, played
from tests.rulebook import edition
from words.changes import told
from words.edition import EditionWords
from words.events import EVENTS, Reader, sentence_of
from words.fields import FIELDS, ROOTS, SILENT, SILENT_ROOTS
from words.sheet import literal, sheet

LEAVES_NO_TRACE = {
    "SignOffRefused": "an attempt that was refused, recorded as evidence",
    "NoticeSent": "what became of an effect",
    "MailResent": "only where the mails had come back",
    "QuietWindowClosed": "only where a window was open",
    "StepEscalated": "only while the step is open",
    "DelegationRejected": "follows the step that refused",
}
"""Events after which a file may be what it was, and why."""


def reader(language: Language = "en") -> Reader:
    """Somebody who reads a file of the shipped rules."""
    words = translator(language)
    return Reader(words, EditionWords(edition().model_dump(mode="json"), words), "Asia/Ho_Chi_Minh")


def models_below(kind: Any, seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """Every model that a state is made of, without those that are told as one value."""
    if isinstance(kind, type) and issubclass(kind, BaseModel) and kind not in WHOLE and kind not in seen:
        seen.add(kind)
        yield kind
        for field in kind.model_fields.values():
            yield from models_below(field.annotation, seen)
    for part in get_args(kind):
        yield from models_below(part, seen)


def test_every_field_of_a_file_has_a_word_or_is_bookkeeping() -> None:
    """A new field joins by failing here: is it to be told, and how?"""
    assert set(Delegation.model_fields) - set(ROOTS) - set(FIGURES) - SILENT_ROOTS == set()
    below = {name for kind in models_below(Delegation, set()) if kind is not Delegation for name in kind.model_fields}
    silent = SILENT | {"part", "view", "holders", "withdrawn_from", "parted", "behind"}
    planned = set(e.StepPlan.model_fields) | set(e.Calculation.model_fields) | set(e.EscalationPlan.model_fields)
    assert below - planned - set(FIELDS) - silent == set()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", FILES)
def test_every_event_of_a_file_is_told_with_what_it_changed(name: str, language: Language) -> None:
    """In both languages; only events that leave no trace change nothing, and what is told is no code of ours."""
    state, who = None, reader(language)
    for sealed in played(name).events:
        after = fold([sealed], state)
        assert after is not None
        assert sentence_of({"type": sealed.type, "data": sealed.data}, who) != sealed.type
        found = changes(state, after)
        assert found or sealed.type in LEAVES_NO_TRACE, sealed.type
        for said in (told(vars(change), who) for change in found):
            if said is not None:
                assert said.what
                assert said.line().count(" → ") >= 1
                assert "{'" not in said.line()
        state = after


def test_every_type_of_event_has_words_and_makes_something_of_a_file_or_says_why_not() -> None:
    """Of those that no shipped scenario has, the fold itself is asked: a handler that returns the state as it was."""
    kinds = {kind.model_fields["type"].default for kind in get_args(get_args(e.AnyEvent)[0])}
    assert set(EVENTS) == kinds
    assert set(LEAVES_NO_TRACE) <= kinds


def test_a_moved_item_reads_before_and_after() -> None:
    """Times by the clock of the place."""
    events = played("inbound-study-visit").events
    place = next(number for number, event in enumerate(events) if event.type == "ItemMoved")
    before, after = fold(events[:place]), fold(events[: place + 1])
    assert after is not None
    lines = [said.line() for change in changes(before, after) if (said := told(vars(change), reader()))]
    assert lines[0] == "Programme, hcmc-forum, begins: 09:00, 11 Apr 2026 → 14:30, 11 Apr 2026"


def test_a_state_is_called_as_in_its_part_of_the_file() -> None:
    """An open step waits for a signature; an open due date is open."""
    change = {"change": "changed", "before": None, "after": "open"}
    step = told({"named": ("proposal", "steps", "vice_president", "status"), **change}, reader())
    due = told({"named": ("deadlines", "report", "status"), **change}, reader())
    assert step is not None
    assert due is not None
    assert (step.after, due.after) == ("waits for a signature", "open")


def test_an_id_that_is_the_name_of_a_field_is_no_field() -> None:
    """Somebody on the file may be called `plan`."""
    change = {"named": ("people", "plan", "active"), "change": "changed", "before": True, "after": False}
    said = told(change, reader())
    assert said is not None
    assert said.line() == "People of the file, plan, on the file: yes → no"


@pytest.mark.parametrize("cell", ["=1+1", " =1", "+1", "-1", "@a", "\t=1", "\r=1", "\n=1", "＝1"])
def test_a_cell_that_would_be_calculated_becomes_text(cell: str) -> None:
    assert literal(cell) == f"'{cell}"


def test_a_sheet_begins_with_its_byte_order_mark_once() -> None:
    """Lines end as RFC 4180 says; quotes and breaks stay within their cell."""
    assert sheet([["Đoàn", 'a "b"\nc']], first=True) == '\ufeffĐoàn,"a ""b""\nc"\r\n'.encode()
    assert sheet([["–", "a-b"]]) == "–,a-b\r\n".encode()


def test_formalities_and_lines_of_a_ceiling_are_called_by_words() -> None:
    """One of an office's own kind as it stands."""
    done = {"change": "changed", "before": None, "after": {"kind": "police_notified", "on": "2026-04-01"}}
    own = {"change": "changed", "before": None, "after": {"kind": "harbour_told", "on": "2026-04-01"}}
    line = {"named": ("ceiling", "lines", "meals", "quantity"), "change": "changed", "before": 84, "after": 77}
    told_of = [
        told(change, reader())
        for change in ({"named": ("formalities", "x"), **done}, {"named": ("formalities", "x"), **own}, line)
    ]
    assert [said and said.line() for said in told_of] == [
        "Formality, x: – → kind police notified, on 1 Apr 2026",
        "Formality, x: – → kind harbour_told, on 1 Apr 2026",
        "Ceiling, lines, Meals, quantity: 84 → 77",
    ]
