"""An act whose effect depends on what is typed, looked at before it is done: what it leads to, and nothing is done."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.pages.acts import WRITTEN
from api.pages.limits import limits_of
from api.pages.offers import ACTS, BY_NAME
from domain import commands as c
from domain.institution import Organisation
from storage.accounts import AccountDetails
from tests.api.front import ORIGIN, Front, front
from tests.builders import (
    COORDINATOR,
    REQUESTED,
    Said,
    drafted,
    invited,
    member,
    opening,
    serving,
    session,
)
from tests.pages.asking import Forms, look, signed_in, wrong_in
from tests.pages.filled import text_of
from tests.pages.test_file import WAYS, played
from tests.rulebook import edition, shipped

pytestmark = pytest.mark.slow

LATER = (
    Said(opening(starts="2190-04-06", ends="2190-04-12"), COORDINATOR, REQUESTED),
    member("sato", role="head"),
    member("ito"),
    serving("bao"),
    session("monday", "2190-04-06T14:00", "2190-04-06T16:00"),
    session(
        "tuesday",
        "2190-04-07T14:00",
        "2190-04-07T16:00",
        audience=c.Audience(groups=("delegates",), people=("bao",)),
    ),
    *invited()[len(drafted()) :],
)
"""A file whose journey is still to come on the clock of the wall."""

FILES = {name: WAYS[name] for name in ("submitted", "signed", "approved", "put-off", "closed")} | {"later": LATER}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """An installation with files in several phases, and no engine: whatever is done here fails."""
    folder: Path = tmp_path_factory.mktemp("checks")
    async with front(folder) as found:
        for rules in (edition(), shipped()):
            await found.at.editions.put(rules)
        for name, way in FILES.items():
            await found.at.registers.projection.project(name, played(name, way).events)
        found.at._client = None
        yield found


async def send(desk: Front, path: str, language: str = "en", by: str = "lan", **typed: str) -> httpx2.Response:
    """Fill in the form of an act as it stands, and send it."""
    browser, _ = await signed_in(desk, by)
    name = path.rpartition("/")[2].partition("?")[0]
    form = dict(Forms((await look(browser, path, language)).text).forms[name])
    headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
    return await browser.http.post(f"{ORIGIN}{path}", data=form | typed, headers=headers)


def test_what_was_filled_in_is_shown_field_by_field() -> None:
    """Of every act that is checked, and no other; each field of its command that a form of it has."""
    assert set(WRITTEN) == {act.name for act in ACTS if act.checked}
    made_up = {"record_external_decision": {"dossier_digest"}, "record_reply": {"via", "sequence", "dtstamp"}}
    for name, fields in WRITTEN.items():
        command = set(limits_of(BY_NAME[name].kind)) | {"reason", "comment"} & set(BY_NAME[name].kind.model_fields)
        files = {"document", "letter"} & set(BY_NAME[name].kind.model_fields)
        assert {field for field, _ in fields} <= command | files, name
        must = {field for field, limit in limits_of(BY_NAME[name].kind).items() if limit.required}
        assert must - made_up.get(name, set()) <= {field for field, _ in fields}, name


@pytest.mark.parametrize(
    ("path", "typed", "said"),
    [
        (
            "later/acts/postpone",
            {"reason": "Đối tác đề nghị"},
            (
                "Đối tác đề nghị",
                "Postponed (now: inviting)",
                "3 people hear of it, by 5 calendar messages",
                "no longer due",
            ),
        ),
        (
            "later/acts/cancel_delegation",
            {"reason": "Bão lớn"},
            ("Cancelled (now: inviting)", "2 items leave the calendar", "Called off on"),
        ),
        (
            "later/acts/record_formality",
            {"kind": "police_notified", "reference": "118/CV"},
            ("118/CV", "Notice to the police done", "Nobody is written to."),
        ),
        (
            "later/acts/choose_channel",
            {"participant_id": "sato", "channel": "feed"},
            ("A feed", "1 person hears of it, by 2 calendar messages", "No due date changes."),
        ),
        (
            "signed/acts/issue_decision",
            {"number": "27/QĐ-LH"},
            ("27/QĐ-LH", "Approved, being planned", "Decided by no. 27/QĐ-LH", "Nobody is written to."),
        ),
        (
            "put-off/acts/resume",
            {"starts": "2190-04-06", "ends": "2190-04-12"},
            ("Tue 6 Apr 2190", "Drafted (now: postponed)", "It can be submitted now."),
        ),
        ("closed/acts/reopen_delegation", {"reason": "Đính chính"}, ("Reporting (now: closed)",)),
        ("submitted/acts/withdraw_request", {"reason": "Đổi ngày"}, ("Drafted (now: submitted)", "was taken back on")),
    ],
)
@pytest.mark.asyncio(loop_scope="session")
async def test_what_it_leads_to_is_shown_and_nothing_is_done(
    desk: Front, path: str, typed: dict[str, str], said: tuple[str, ...]
) -> None:
    """Where the file then stands, whose calendars change, which dates move; without an engine nothing could be done."""
    file = path.partition("/")[0]
    before = await desk.at.queries.events(file)
    answer = await send(desk, f"/delegations/{path}", **typed)
    found = text_of(answer.text)
    assert (answer.status_code, "Nothing is done yet." in found) == (200, True)
    assert [one for one in said if one not in found] == []
    assert await desk.at.queries.events(file) == before
    name = path.rpartition("/")[2]
    fields = dict(Forms(answer.text).forms[name])
    assert {one: fields[one] for one in typed} == typed
    assert fields["seen"].startswith(f"{len(before)}-")


@pytest.mark.parametrize("language", ["vi", "en"])
@pytest.mark.asyncio(loop_scope="session")
async def test_every_check_is_whole_in_both_languages(desk: Front, language: str) -> None:
    """No sentence is left out, and Vietnamese has Vietnamese phases and dates."""
    answer = await send(desk, "/delegations/later/acts/postpone", language, reason="Đối tác đề nghị")
    found = text_of(answer.text)
    assert ("Chưa có gì được thực hiện." in found) is (language == "vi")
    assert ("tạm hoãn" in found.lower()) is (language == "vi")


@pytest.mark.asyncio(loop_scope="session")
async def test_what_is_wrong_comes_back_before_it_is_shown(desk: Front) -> None:
    """An empty reason, a day that has passed: the form again, with its error beside the field."""
    empty = await send(desk, "/delegations/later/acts/postpone", reason=" ")
    assert (empty.status_code, set(wrong_in(empty.text))) == (422, {"postpone-reason"})
    past = await send(desk, "/delegations/put-off/acts/resume", starts="2020-01-01", ends="2020-01-02")
    assert (past.status_code, set(wrong_in(past.text))) == (422, {"resume-starts"})
    assert 'value="2020-01-02"' in past.text


@pytest.mark.asyncio(loop_scope="session")
async def test_one_may_go_back_and_change_what_is_written(desk: Front) -> None:
    """Everything stands in the form as it was typed."""
    typed = {"reason": "Hai dòng:\r\nmột, hai"}
    back = await send(desk, "/delegations/later/acts/postpone", **typed, again="yes")
    assert back.status_code == 200
    assert "Hai dòng:\nmột, hai" in back.text.replace("\r", "")
    assert "Nothing is done yet." not in back.text


@pytest.mark.asyncio(loop_scope="session")
async def test_what_would_lead_to_something_else_meanwhile_is_shown_again(desk: Front) -> None:
    """The form of an older check does nothing, and says that it was looked at too early."""
    typed = {"reason": "Đối tác đề nghị", "seen": f"3-{'0' * 64}"}
    answer = await send(desk, "/delegations/later/acts/postpone", **typed)
    found = text_of(answer.text)
    assert (answer.status_code, "Something changed meanwhile" in found) == (200, True)
    fields = dict(Forms(answer.text).forms["postpone"])
    # As it was shown now it is sent, and comes as far as the engine that is not there.
    seen = {name: fields[name] for name in ("reason", "seen")}
    there = await send(desk, "/delegations/later/acts/postpone", **seen)
    assert (there.status_code, "No answer came in time" in there.text) == (503, True)


@pytest.mark.asyncio(loop_scope="session")
async def test_a_file_is_handed_to_who_reaches_it_and_nobody_else(desk: Front) -> None:
    """By organisation: others are not offered, and where nobody is left the page says why."""
    name = {"vi": "Hội", "en": "Association"}
    elsewhere = {"slug": "elsewhere", "kind": "member_organisation", "name": name, "since": "2020-01-01T00:00:00Z"}
    await desk.at.institution.add_organisation(Organisation.model_validate(elsewhere), by="root")
    browser, _ = await signed_in(desk, "root")
    far: dict[str, Any] = {"id": "xa", "name": "Vũ Xa", "roles": ("coordinator",), "organisation": "elsewhere"}
    state = played("approved", WAYS["approved"]).state
    assert state is not None
    # Whoever coordinates it has no account here: `lan` is another one, and reaches every file.
    assert state.coordinator == COORDINATOR.id
    await desk.at.accounts.create(AccountDetails.model_validate(far))
    page = (await look(browser, "/delegations/approved/acts/hand_over")).text
    assert ('value="lan"' in page, 'value="xa"' in page) == (True, False)
    shown = await send(desk, "/delegations/approved/acts/hand_over", by="root", to="lan")
    assert "Trần Thị Lan coordinates it, in place of coordinator." in text_of(shown.text)
    refused = await send(desk, "/delegations/approved/acts/hand_over", by="root", to="xa")
    assert (refused.status_code, set(wrong_in(refused.text))) == (422, {"hand_over-to"})
    assert "does not reach the file" in refused.text
    near = await desk.at.accounts.get("lan")
    assert near is not None
    await desk.at.accounts.change(near.model_copy(update={"organisation": "elsewhere"}), by="root")
    nobody = text_of((await look(browser, "/delegations/approved/acts/hand_over")).text)
    assert "There are 2 other coordinators, and none whose organisation reaches this file." in nobody
    await desk.at.accounts.change(near, by="root")
