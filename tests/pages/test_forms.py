"""Forms hold what commands take, read whatever is typed, and lose nothing."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from fastapi import Request
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from api.pages.asked import countries_said
from api.pages.forms import Form, FormRefused, read
from api.pages.limits import limits_of
from api.pages.people import DELEGATE_ROLES, SERVANT_ROLES
from api.pages.reader import Reader
from api.pages.typed import Typed
from domain.commands import AddMember, AppointParticipant, AttachDocument, OpenDelegation, ReviseRequest
from domain.directory import HostEntry, PartnerEntry
from locales.dossier import OPTIONS
from storage.persons import PersonDetails
from tests.api.front import PASSWORD
from tests.pages.asking import Forms, visiting_as
from tests.pages.conftest import Site

T = TypeVar("T")

HOSTILE = (
    "{{7*7}}",
    "{% for x in y %}",
    '#import "x"',
    "=cmd|' /C calc'!A0",
    '"><script>alert(1)</script>',
    "a\r\nBcc: x@evil.example",
    "nul\x00l",
    "\u202egnp.exe",
    "a\u2028b",
    "🕊 hòa bình",
    "a" * 5000,
    "'; DROP TABLE persons; --",
)


def asked(language: Any = "en") -> Request:
    """A request of somebody who reads English; nothing of it but the reader is looked at."""
    request = Request({"type": "http", "method": "POST", "path": "/", "headers": [], "state": {}})
    request.state.reader = Reader(language)
    request.state.files_refused = ()
    return request


MODELS: tuple[type[BaseModel], ...] = (
    OpenDelegation,
    ReviseRequest,
    AddMember,
    AppointParticipant,
    AttachDocument,
    PersonDetails,
    PartnerEntry,
    HostEntry,
)


def outcome(ask: Callable[[], T]) -> T | dict[str, str]:
    """What was read, or what was refused: sentences by their fields."""
    try:
        return ask()
    except FormRefused as wrong:
        return dict(wrong.errors)


@pytest.mark.parametrize("model", MODELS)
@given(data=st.data())
@settings(max_examples=60, deadline=None)
def test_whatever_is_typed_is_read_or_refused_in_words(model: type[BaseModel], data: st.DataObject) -> None:
    """Never another error; every refusal is beside a field of the command, or of the whole."""
    names = list(limits_of(model))
    text = st.text(max_size=40) | st.sampled_from(HOSTILE) | st.sampled_from(["", "yes", "no", "1/5/2027", "7"])
    pairs = data.draw(st.lists(st.tuples(st.sampled_from([*names, "elsewhere"]), text), max_size=12))
    found = outcome(lambda: read(asked(), model, Typed(pairs)))
    if isinstance(found, dict):
        assert found
        assert set(found) <= {*names, ""}
        assert all(found.values())
    else:
        assert isinstance(found, model)


@given(st.lists(st.tuples(st.sampled_from(["countries", "stays"]), st.text(max_size=20)), max_size=10))
def test_countries_are_read_or_refused(pairs: list[tuple[str, str]]) -> None:
    """Codes of ISO 3166-1, each once; or a sentence beside the fields they are typed in."""
    found = outcome(lambda: countries_said(asked(), Typed(pairs)))
    assert set(found) <= {"countries", "stays"}
    codes = found.get("countries")
    if isinstance(codes, list):
        assert all(re.fullmatch("[A-Z]{2}", code) for code in codes)
        assert len(set(codes)) == len(codes)


@pytest.mark.parametrize("model", MODELS)
def test_limits_and_choices_come_from_the_schema(model: type[BaseModel]) -> None:
    """A field longer than the command takes, or of another choice, is refused beside itself."""
    for name, limit in limits_of(model).items():
        typed = {"text": "a" * ((limit.longest or 0) + 1), "choice": "none of these"}.get(limit.kind)
        if typed is None or (limit.kind == "text" and limit.longest is None):
            continue
        with pytest.raises(FormRefused) as refused:
            read(asked(), model, Typed([(name, typed)]))
        assert name in dict(refused.value.errors)


def test_words_for_choices_are_those_of_the_command() -> None:
    """No code more, none less, in the command's order of codes."""
    limits = limits_of(OpenDelegation)
    for name, table in OPTIONS.items():
        assert set(table) == set(limits[name].choices)
    assert set(DELEGATE_ROLES) == set(limits_of(AddMember)["role"].choices)
    assert set(SERVANT_ROLES) == set(limits_of(AppointParticipant)["role"].choices)


def test_one_wrong_entry_of_a_list_stands_beside_the_list() -> None:
    """And says which field it is, where its label is given."""
    with pytest.raises(FormRefused) as refused:
        read(asked(), ReviseRequest, Typed([("places", "Huế\nV\u202einh")]), labels={"places": "Places"})
    [(field, sentence)] = refused.value.errors
    assert field == "places"
    assert sentence == "Places: Character 2 (U+202E) changes the direction of reading."


def test_a_day_that_no_picker_can_show_stays_to_be_seen() -> None:
    """What was typed as text is a day for the picker, and what is none is left as it is."""
    form = Form("f", OpenDelegation, {"starts": "1/5/2027", "ends": "31/2/2027"})
    assert (form.day("starts"), form.day("ends"), form.value("ends")) == ("2027-05-01", "", "31/2/2027")


@pytest.mark.slow
@pytest.mark.asyncio(loop_scope="session")
async def test_fields_of_several_values_survive_a_session_that_is_over(site: Site) -> None:
    """Every country and every place comes through the sign-in page, and stands in the form again."""
    await site.here.open()
    path = f"/delegations/{site.here.id}/request/revise"
    async with visiting_as(site, "lan") as lan:
        fields = await lan.filled(path, "revise", title="Giữ lại", countries=["Nhật Bản", "Lào", "Đức"], places="A\nB")
        lan.http.cookies.delete("legation-session")
        over = await lan.post(path, fields)
        assert over.status_code == 401
        carried = next(form for form in Forms(over.text).forms.values() if any(n == "typed.title" for n, _ in form))
        named = [pair for pair in carried if pair[0] not in ("account", "password")]
        back = await lan.post("/sign-in", [*named, ("account", "lan"), ("password", PASSWORD)])
        again = Forms(back.text).forms[path]
        shown = await lan.post(path, again)
        assert shown.status_code == 200
    form = Forms(shown.text).forms["revise"]
    assert [value for name, value in form if name == "countries"] == ["Nhật Bản", "Lào", "Đức", ""]
    assert dict(form)["title"] == "Giữ lại"
    assert dict(form)["places"] == "A\nB"
