"""Every form of every page asks for what its command takes, and for nothing else: walked over, not listed.

What is not taken from the command stands here by hand, form by form.
"""

from collections import defaultdict
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import BaseModel

from api.accounts import AccountBody, NewAccount
from api.bodies import Opening
from api.institution import NewTenure
from api.pages.limits import Limit, limits_of
from domain.commands import (
    AddMember,
    AppointParticipant,
    AttachDocument,
    MoveItem,
    Note,
    OpenDelegation,
    RecordReply,
    ReplaceMember,
    ReviseItem,
    ReviseRequest,
    ScheduleItem,
    WithdrawMember,
)
from domain.directory import PartnerEntry
from storage.persons import PersonDetails
from tests.api.test_access import PAGES
from tests.pages.asking import ABOUT, Control
from tests.pages.walking import ACT_AT, UNSEEN, Asked, Walk, acts_with_a_page, walk_of

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("gallery"),
    pytest.mark.asyncio(loop_scope="session"),
]

Model = type[BaseModel]

FILE = "POST /delegations/{delegation}"
STEP = f"{FILE}/steps/{{step}}"
ITEM = f"{FILE}/programme/items/{{item}}"

WAS = {"title", "purpose", "partner", "countries", "stays", "starts", "ends", "places", "grade", "head_level"} | {
    "key_leaders",
    "run_by",
}

TIMES = {"day", "zone", "ends_day", "ends_zone"}
AUDIENCE = {"groups", "people"}

CONTACT = ("full_name", "given_name", "honorific", "function", "email", "phone", "language", "nationality")

BESIDE: dict[str | tuple[str, Model], set[str]] = {
    f"{FILE}/request/revise revise": {f"was.{name}" for name in WAS},
    f"{FILE}/programme/new add": TIMES | AUDIENCE,
    f"{ITEM} move": TIMES | {"seq"},
    f"{ITEM} revise": AUDIENCE | {"seq"},
    "POST /admin/rules/explain explain": {"matter"},
    "POST /directory/{entry}/edit entry": {
        f"was.{name}" for name in ("name", "other_names", "country", "nature", "web")
    },
    ("POST /directory/{entry}/edit entry", PersonDetails): {"at", "was.at", *(f"was.{name}" for name in CONTACT)},
    "POST /me/password password": {"account", "repeated"},
}
"""Fields of forms that their commands do not have: what stood there before, times and audiences by their parts, and
which kind of case is explained."""

WITHOUT: dict[str, set[str]] = {
    "POST /sign-in": {"account", "password", "next"},
    "POST /sign-out": set(),
    "POST /language": {"next"},
    "POST /choose-password": {"link", "password", "repeated"},
    "POST /files/new/{draft}/discard": set(),
    "POST /files/new/{draft} open": set(),
    "POST /files/new/copy/{delegation} copy": {"starts", "copy_items", "copy_people"},
    f"{STEP} sign_off": {"digest", "signature"},
    f"{STEP} return_step": {"digest", "signature", "kind", "reason", "missing"},
    f"{STEP} reject_step": {"digest", "signature", "reason"},
    f"{STEP} accept_report": {"digest", "signature"},
    f"{STEP} return_report": {"digest", "signature", "reason"},
    f"{FILE}/checklist/{{entry}}": set(),
    f"{FILE}/programme/restore restore": set(),
    f"{FILE}/programme/preview publish": {"seen"},
    f"{ITEM} restore": {"seen", "seq"},
    f"{ITEM} cancel": {"seen", "seq"},
    "POST /my/{token} channel": {"channel"},
    "POST /admin/undelivered resend": {"delegation", "message"},
    "POST /admin/leave/{leave} revoke": set(),
    "POST /admin/positions/{position} close": {"organisation"},
    "POST /admin/positions/{position} end": set(),
    "POST /me/leave/{leave} revoke": set(),
    "POST /admin/accounts/{account} password_link": set(),
    "POST /admin/accounts/{account} end_sessions": set(),
    "POST /admin/accounts/{account} disable": set(),
    "POST /admin/accounts/{account} enable": set(),
    "POST /admin/accounts/{account} unlink": {"id"},
    "POST /admin/accounts/{account} revoke": {"id"},
    "POST /me/tokens/{token}/revoke revoke": set(),
    "POST /admin/replies/{mail} dismiss": set(),
    "POST /admin/retention make": set(),
    "POST /admin/retention/{plan} stop": set(),
    "POST /admin/retention/{plan} apply": set(),
    "POST /directory/{entry}/merge merge": {"seen", "with", "keep"},
    "POST /directory/imports table": {"table"},
    "POST /directory/imports/{import}": set(),
    "POST /directory/imports/{import} accept": {"digest"},
    "POST /directory/imports/{import} choices": {"digest", "choice", "show", "page"},
    "POST /me/sessions": set(),
    "POST /admin/checkpoints make": set(),
    "POST /admin/person-requests/{request_id} take_back": set(),
    "POST /admin/erasures/{erasure} withdraw": set(),
    "POST /admin/erasures/{erasure} agree": set(),
    **{
        f"{FILE}/acts/{{act}} {act}": set()
        for act in ("submit_request", "submit_change", "invite", "depart", "conclude", "close_delegation")
    },
}
"""Forms without a command's limits, with their fields: buttons, and what is laid out by hand."""

UNASKED: dict[Model, set[str]] = {
    AddMember: {"member_id", "person"},
    AppointParticipant: {"participant_id", "person"},
    ReplaceMember: {"member_id", "by", "person"},
    WithdrawMember: {"member_id"},
    AttachDocument: {"document_id"},
    ReviseRequest: {"seen"},
    ScheduleItem: {"item_id", "audience"},
    ReviseItem: {"item_id", "audience"},
    MoveItem: {"item_id", "place"},
    RecordReply: {"via", "sequence", "dtstamp"},
    NewTenure: {"position"},
    NewAccount: {"person"},
    PartnerEntry: {"kind"},
    Opening: set(Opening.model_fields) - {"type", "direction", "organisation", "countries", "starts", "ends", "issuer"},
}
"""Fields that no form asks for: the page makes them, or the address says them."""

LIKE: dict[Model, Model] = {ReviseRequest: OpenDelegation, ReviseItem: ScheduleItem}
"""What is changed must still say what it had to say when it was made."""

FILLED_BY_PAGE = {(AddMember, "country"), (ReplaceMember, "country")}
"""Required, and taken from elsewhere where nothing is typed."""

CHOSEN = {(NewAccount, "language"), (AccountBody, "language"), (ScheduleItem, "kind"), (ReviseItem, "kind")}
"""Not required, and always said: something is chosen already."""

SAME_AS_NOTHING = {"conference": {"none"}, "nature": {"other"}}
"""Choices for which the empty one stands."""


@pytest_asyncio.fixture(loop_scope="session")
async def walked(tmp_path: Path) -> Walk:
    """The gallery, walked over."""
    return await walk_of(tmp_path)


async def test_every_route_of_pages_is_walked_over_or_named(walked: Walk) -> None:
    """By the pages that lead to it; a form's by a form."""
    met = set(walked.routes_of.values()) | {one.route for one in walked.forms.values()}
    assert set(PAGES) - met == set(UNSEEN)
    assert set(ACT_AT) == acts_with_a_page()
    acts = {one.kind.rpartition(" ")[2] for one in walked.forms.values() if one.route == f"{FILE}/acts/{{act}}"}
    assert set(ACT_AT) - acts == {"adopt_rules"}


async def test_every_form_has_the_fields_of_its_command_and_those_named_here(walked: Walk) -> None:
    """None that nobody would read."""
    wrong = []
    for one in walked.forms.values():
        known = {name for model in one.models for name in model.model_fields}
        beyond = {name for name in one.shown.names - ABOUT - {"act"} if name.partition(".")[0] not in known}
        beside = next((BESIDE[one.kind, model] for model in one.models if (one.kind, model) in BESIDE), None)
        if beyond != ((beside or BESIDE.get(one.kind, set())) if one.models else WITHOUT.get(one.kind)):
            wrong.append((one.kind, beyond))
    assert wrong == []
    assert {one.kind for one in walked.forms.values() if not one.models} == set(WITHOUT)


async def test_every_field_of_every_command_is_asked_for_or_named_here(walked: Walk) -> None:
    """By some form of some page, in some phase."""
    asked: dict[Model, set[str]] = defaultdict(set)
    for one in walked.forms.values():
        for model in one.models:
            asked[model] |= {name.partition(".")[0] for name in one.shown.names}
    unasked = {model: set(model.model_fields) - names - {"type"} for model, names in asked.items()}
    assert {model: names for model, names in unasked.items() if names} == UNASKED


async def test_every_field_says_what_the_schema_says_of_it(walked: Walk) -> None:
    """Whether it must be there, how long it may be, which choices there are."""
    wrong = []
    for one in walked.forms.values():
        for control in one.shown.controls:
            for model in one.models:
                if limit := limits_of(model).get(control.name):
                    wrong += [(one.kind, control.name, what) for what in differing(one, model, control, limit)]
            if control.name.startswith("notes.") and control.name.endswith(".text"):
                assert control.longest == limits_of(Note)["text"].longest
    assert wrong == []


def differing(one: Asked, model: Model, control: Control, limit: Limit) -> list[str]:
    """In what a field is not as the schema has it."""
    wrong = []
    must = limits_of(LIKE.get(model, model)).get(control.name, limit).required
    if (model, control.name) in CHOSEN and "" not in control.values:
        must = True
    # A list of fields with one name is missing only where all of them are empty.
    several = sum(other.name == control.name for other in one.shown.controls) > 1
    marked = control.text or control.kind == "select"
    if marked and not several and (model, control.name) not in FILLED_BY_PAGE and control.required != must:
        wrong.append(f"required: {control.required}")
    # A text that is too long is told so: an area that took only so much would cut what is pasted, without a word.
    longest = None if control.kind == "textarea" else limit.longest
    if control.kind in ("text", "textarea", "email", "tel") and limit.kind != "other" and control.longest != longest:
        wrong.append(f"maxlength: {control.longest}")
    if limit.choices and control.kind in ("select", "radio", "checkbox"):
        offered = set(control.values) - {""} | SAME_AS_NOTHING.get(control.name, set())
        if offered != set(limit.choices):
            wrong.append(f"choices: {sorted(offered ^ set(limit.choices))}")
    return wrong
