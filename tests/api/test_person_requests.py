"""Requests of persons over HTTP: who may do what with them, their dates, and what they keep to themselves."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from storage.accounts import AccountDetails
from tests.api.conftest import Api, code, member, person

pytestmark = pytest.mark.asyncio(loop_scope="session")

WORDS = "Bà Satō, hộ chiếu TK0000101, đề nghị được xem thông tin."


async def received(api: Api, kind: str = "objection", by: str = "lan", **more: Any) -> dict[str, Any]:
    """A request of a new person, unless it is described or named."""
    if not more.keys() & {"person", "description"}:
        more["person"] = (await person(api))["ref"]
    answer = await api.ask("POST", "/person-requests", {"kind": kind, "via": "letter", **more}, by=by)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"].endswith(f"/person-requests/{found['id']}")
    return found


async def act(api: Api, request: dict[str, Any], what: str, body: Any = None, **more: Any) -> Any:
    """Do something to a request as the administrator."""
    return await api.ask("POST", f"/person-requests/{request['id']}/{what}", body, by="root", **more)


async def test_a_coordinator_receives_and_an_administrator_settles(api: Api) -> None:
    """The dates stand in the answer, with their rule and its source; every step is in the log under who did it."""
    request = await received(api, received_at="2026-02-13T16:00:00+07:00")
    assert (request["answer_due_on"], request["carry_out_due_on"]) == ("2026-02-24", "2026-02-28")
    assert (request["rule"], request["status"], request["recorded_by"]) == ("PRIVACY-STOP", "received", "lan")
    assert "356/2025" in request["source"]
    assert request["days_off"][:3] == ["2026-02-14 weekend", "2026-02-15 weekend", "2026-02-16 holiday"]
    assert request["overdue"] == ["answer", "carry_out"]
    answered = (await act(api, request, "answer", {"text": "Đã nhận."})).json()
    assert (answered["status"], answered["answered_by"], answered["answered_late"]) == ("answered", "root", True)
    done = (await act(api, request, "carry-out", {})).json()
    assert (done["status"], done["overdue"], done["texts"]["answer"]) == ("carried_out", [], "Đã nhận.")
    assert code(await act(api, request, "take-back")) == (409, "request_ended")
    log = (await api.ask("GET", "/institution/log/person_requests?limit=1000", by="an")).json()
    mine = [(one["change"], one["actor"]) for one in log["items"] if one["entry"] == request["id"]]
    assert mine == [("request_received", "lan"), ("request_answered", "root"), ("request_carried_out", "root")]
    assert log["first_bad"] is None


async def test_what_was_written_is_shown_to_administrators_alone(api: Api) -> None:
    """Not to auditors, nor by the address of texts, nor in the log; the list says nothing of it to anybody."""
    request = await received(api, "access", description=WORDS)
    shown = (await api.ask("GET", f"/person-requests/{request['id']}", by="root")).json()
    assert shown["texts"]["description"] == WORDS
    seen = await api.ask("GET", f"/person-requests/{request['id']}", by="an")
    assert seen.json()["texts"] is None
    log = await api.ask("GET", "/institution/log/person_requests?limit=1000", by="an")
    listed = await api.ask("GET", "/person-requests?limit=200", by="root")
    for answer in (seen, log, listed):
        assert "TK0000101" not in answer.text
    entry = next(one for one in log.json()["items"] if one["entry"] == request["id"])
    reference = entry["data"]["after"]["description"]["ref"]
    assert code(await api.ask("GET", f"/texts/{reference}", by="root")) == (404, "text_unknown")


async def test_what_is_sent_again_happens_once(api: Api) -> None:
    """The same key and body have the same answer; another body is refused."""
    body = {"kind": "access", "via": "email", "description": WORDS}
    first, again = [await api.ask("POST", "/person-requests", body, key="once") for _ in range(2)]
    assert first.json() == again.json()
    other = await api.ask("POST", "/person-requests", {**body, "kind": "erasure"}, key="once")
    assert code(other) == (409, "idempotency_key_reused")
    request = first.json()
    known = (await person(api))["ref"]
    for _ in range(2):
        identified = await act(api, request, "identify", {"person": known}, key="who")
        assert (identified.status_code, identified.json()["person"]) == (200, known)
    for _ in range(2):
        refused = await act(api, request, "refuse", {"reason": "repeated", "text": "Đã trả lời."}, key="no")
        assert (refused.status_code, refused.json()["texts"]["closing"]) == (200, "Đã trả lời.")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"kind": "access", "via": "letter"}, (422, "request_from_nobody")),
        ({"kind": "access", "via": "letter", "person": "per_nobody00"}, (404, "person_unknown")),
        (
            {"kind": "access", "via": "letter", "description": WORDS, "received_at": "2025-12-31T23:00:00+07:00"},
            (422, "request_rule_missing"),
        ),
        (
            {"kind": "access", "via": "letter", "description": WORDS, "received_at": "2020-01-01T00:00:00+07:00"},
            (422, "request_rule_missing"),
        ),
        (
            {"kind": "access", "via": "letter", "description": WORDS, "received_at": "2099-01-01T00:00:00Z"},
            (422, "received_in_future"),
        ),
        ({"kind": "access", "via": "letter", "description": "a\u0000b"}, (422, "text_refused")),
        ({"kind": "forget", "via": "letter", "description": WORDS}, (422, "validation_failed")),
        ({"kind": "access", "via": "pigeon", "description": WORDS}, (422, "validation_failed")),
    ],
)
async def test_a_request_that_cannot_be_received_is_refused(
    api: Api, body: dict[str, Any], problem: tuple[int, str]
) -> None:
    """With a stable code."""
    assert code(await api.ask("POST", "/person-requests", body, by="root")) == problem


async def test_refusals_have_their_codes(api: Api) -> None:
    """What the rule does not allow, and what shows nothing."""
    described = await received(api, description=WORDS)
    assert code(await act(api, described, "carry-out", {})) == (409, "person_not_identified")
    assert code(await act(api, described, "identify", {"person": "per_nobody00"})) == (404, "person_unknown")
    request = await received(api, "erasure")
    assert code(await act(api, request, "identify", {"person": request["person"]})) == (409, "person_known")
    assert code(await act(api, request, "carry-out", {})) == (422, "erasure_not_named")
    assert code(await act(api, request, "extend", {"days": 16, "reason": "Lâu"})) == (422, "extension_too_long")
    assert (await act(api, request, "extend", {"days": 15, "reason": "Lâu"})).status_code == 200
    assert code(await act(api, request, "extend", {"days": 1, "reason": "Lâu"})) == (409, "extension_repeated")
    assert code(await act(api, request, "extend", {"days": 0, "reason": "Lâu"})) == (422, "validation_failed")
    assert code(await act(api, request, "refuse", {"reason": "because"})) == (422, "validation_failed")
    assert code(await act(api, request, "carry-out", {"erasure": "era_nothing00"})) == (404, "erasure_unknown")
    gone = await erased(api, request)
    done = await act(api, request, "carry-out", {"erasure": gone, "text": "Đã xóa."}, key="gone")
    assert done.json()["status"] == "carried_out"
    # What was written went with it; the same sent again is the same, and nothing else follows.
    assert set(done.json()["texts"].values()) == {None}
    assert (await act(api, request, "carry-out", {"erasure": gone, "text": "Đã xóa."}, key="gone")).status_code == 200
    assert code(await act(api, request, "answer", {"text": "Còn gì"})) == (409, "request_ended")
    assert code(await act(api, request, "extend", {"days": 1, "reason": "Lâu"})) == (409, "request_ended")
    late = await received(api, received_at="2026-02-13T16:00:00+07:00")
    assert code(await act(api, late, "extend", {"days": 1, "reason": "Lâu"})) == (409, "extension_too_late")
    for what, body in (("answer", {}), ("take-back", None), ("carry-out", {})):
        assert code(await act(api, {"id": "req_nothing00"}, what, body)) == (404, "request_unknown")
    assert code(await api.ask("GET", "/person-requests/req_nothing00", by="root")) == (404, "request_unknown")


async def erased(api: Api, request: dict[str, Any]) -> str:
    """Ask for the person's erasure and agree to it; it counts once it was carried out."""
    registers = api.here.registers
    await registers.accounts.create(AccountDetails(id=f"e-{api.id}", name="Quản trị", roles=("administrator",)))
    erasure = (await registers.erasures.ask(request["person"], "asked_by_person", by="root")).id
    early = await act(api, request, "carry-out", {"erasure": erasure})
    assert code(early) == (409, "erasure_not_carried_out")
    await registers.erasures.agree(erasure, by=f"e-{api.id}")
    await registers.erasures.close(erasure)
    return erasure


async def test_a_correction_names_a_version_and_access_what_was_handed_over(api: Api) -> None:
    """A commitment of that person's own, and an export that was really made."""
    someone = await person(api)
    request = await received(api, "correction", person=someone["ref"])
    wrong = await act(api, request, "carry-out", {"correction": "0" * 64})
    assert code(wrong) == (422, "correction_unknown")
    details = (await api.ask("GET", f"/persons/{someone['ref']}")).json()["details"]
    corrected = (await api.ask("PUT", f"/persons/{someone['ref']}", {**details, "full_name": "Satō Keiko"})).json()
    done = await act(api, request, "carry-out", {"correction": corrected["commitment"]})
    assert done.json()["correction"] == corrected["commitment"]

    access = await received(api, "access", person=someone["ref"])
    assert code(await act(api, access, "carry-out", {"export": "0" * 64})) == (422, "export_unknown")
    export = (await api.ask("GET", f"/persons/{someone['ref']}/export", by="root")).json()
    assert (await act(api, access, "carry-out", {"export": export["digest"]})).json()["status"] == "carried_out"


async def test_an_export_has_everything_that_is_held_and_is_recorded(api: Api) -> None:
    """Versions, files, requests; as JSON, and as a page in the person's language or another one."""
    assert (await api.open()).status_code == 201
    command = await member(api, "sato", role="head")
    assert (await api.send(command)).status_code == 200
    ref = command["person"]["ref"]
    details = (await api.ask("GET", f"/persons/{ref}")).json()["details"]
    await api.ask("PUT", f"/persons/{ref}", {**details, "dietary": "không ăn thịt lợn"})
    feed = await api.ask("POST", f"/delegations/{api.id}/feeds", {"participant": "sato"})
    await received(api, "access", person=ref, description=WORDS)
    answer = await api.ask("GET", f"/persons/{ref}/export", by="root")
    assert answer.headers["cache-control"] == "no-store"
    held = answer.json()["held"]
    assert [one["details"].get("dietary") for one in held["versions"]] == [None, "không ăn thịt lợn"]
    assert [(one["delegation"], one["role"], one["active"]) for one in held["files"]] == [(api.id, "head", True)]
    assert [(one["kind"], one["texts"]) for one in held["requests"]] == [("access", [WORDS])]
    assert [one["kind"] for one in held["feeds"]] == ["participant"]
    assert feed.json()["link"] not in answer.text
    entries = (await api.ask("GET", "/institution/log/persons?limit=1000", by="an")).json()["items"]
    assert [(one["change"], one["actor"]) for one in entries if one["entry"] == ref] == [("data_exported", "root")]
    assert entries[-1]["data"]["after"]["digest"] == answer.json()["digest"]

    page = await api.ask("GET", f"/persons/{ref}/export?format=text", by="root")
    assert (page.headers["content-language"], page.headers["content-type"]) == ("en", "text/plain; charset=utf-8")
    for words in ("What is held of Satō Haruka", "Dietary needs: không ăn thịt lợn", "head of delegation", WORDS):
        assert words in page.text
    vietnamese = await api.ask("GET", f"/persons/{ref}/export?format=text&language=vi", by="root")
    assert "Chế độ ăn: không ăn thịt lợn" in vietnamese.text
    assert "trưởng đoàn" in vietnamese.text


async def test_nothing_is_exported_of_nobody_nor_of_somebody_erased(api: Api) -> None:
    """404 and 410, as everywhere; and not to administrators of one organisation among several."""
    assert code(await api.ask("GET", "/persons/per_nobody00/export", by="root")) == (404, "person_unknown")
    someone = await person(api)
    await api.here.registers.persons.erase(someone["ref"])
    assert code(await api.ask("GET", f"/persons/{someone['ref']}/export", by="root")) == (410, "person_erased")


async def test_an_administrator_of_one_organisation_sees_no_request_and_exports_nobody(api: Api) -> None:
    """A person's files may lie anywhere; receiving is another matter."""
    account = AccountDetails(id=f"r-{api.id}", name="Quản trị", roles=("administrator",), organisation="song-lam")
    await api.here.registers.accounts.create(account)
    api.tokens[account.id] = (await api.here.registers.accounts.create_token(account.id))[1]
    request = await received(api, by=account.id)
    for method, path, body in (
        ("GET", "/person-requests", None),
        ("GET", f"/person-requests/{request['id']}", None),
        ("POST", f"/person-requests/{request['id']}/answer", {"text": "Đã nhận."}),
        ("POST", f"/person-requests/{request['id']}/take-back", None),
        ("GET", f"/persons/{request['person']}/export", None),
    ):
        refused = await api.ask(method, path, body, by=account.id)
        assert code(refused) == (403, "organisation_out_of_reach"), path


async def test_lists_are_filtered(api: Api) -> None:
    """By person, by kind, by what waits and by what is late."""
    someone = (await person(api))["ref"]
    late = await received(api, person=someone, received_at="2026-03-02T09:00:00+07:00")
    fresh = await received(api, "access", person=someone)
    ended = await received(api, "restriction", person=someone)
    await act(api, ended, "take-back")

    async def ids(query: str) -> list[str]:
        answer = await api.ask("GET", f"/person-requests?person={someone}{query}", by="an")
        assert answer.status_code == 200, answer.text
        return [one["id"] for one in answer.json()["items"]]

    assert await ids("") == [ended["id"], fresh["id"], late["id"]]
    assert await ids("&open=true") == [fresh["id"], late["id"]]
    assert await ids("&overdue=true") == [late["id"]]
    assert await ids("&kind=access") == [fresh["id"]]
    assert code(await api.ask("GET", "/person-requests?cursor=x", by="an")) == (400, "cursor_unknown")


async def test_an_instant_is_of_the_wall_clock(api: Api) -> None:
    """What is not dated came now."""
    before = datetime.now(UTC) - timedelta(seconds=1)
    request = await received(api)
    assert before < datetime.fromisoformat(request["received_at"]) < before + timedelta(minutes=1)
