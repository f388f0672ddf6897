"""Bad input: a clear answer that names field and rule, in both languages, and nothing kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.access import LARGEST
from tests.api.conftest import Api, code, fields, member, opening

pytestmark = pytest.mark.asyncio(loop_scope="session")

REF = {"ref": "per_7m2k4x9q0w8e5r3t1y6u", "commitment": "0" * 64}
BERLIN_GAP = {"local": "2027-03-28T02:30", "zone": "Europe/Berlin"}
BERLIN_AFTER = {"local": "2027-03-28T04:00", "zone": "Europe/Berlin"}

OPENINGS: list[tuple[str, dict[str, Any], tuple[int, str], list[tuple[str, str]]]] = [
    ("unknown fields", {"colour": "red"}, (422, "validation_failed"), [("colour", "unknown_field")]),
    ("a date that does not exist", {"starts": "2027-02-30"}, (422, "validation_failed"), [("starts", "not_a_date")]),
    ("a number for a date", {"starts": 20270405}, (422, "validation_failed"), [("starts", "not_a_date")]),
    (
        "an arrival before the request",
        {"starts": "2026-01-05"},
        (422, "arrival_before_request"),
        [("starts", "arrival_before_request")],
    ),
    ("an end before the beginning", {"ends": "2026-01-05"}, (422, "validation_failed"), [("", "ends_before_starts")]),
    ("NUL", {"title": "Đoàn\x00"}, (422, "validation_failed"), [("title", "text_has_control_character")]),
    (
        "a line break",
        {"title": "Đoàn\r\nBcc: x@y.example"},
        (422, "validation_failed"),
        [("title", "text_has_control_character")],
    ),
    (
        "a right-to-left override",
        {"partner": "abc\u202edef"},
        (422, "validation_failed"),
        [("partner", "text_has_direction_mark")],
    ),
    ("blanks alone", {"title": "   "}, (422, "validation_failed"), [("title", "text_is_empty")]),
    ("a title of 301 characters", {"title": "x" * 301}, (422, "validation_failed"), [("title", "too_long")]),
    ("no title", {"title": None}, (422, "validation_failed"), [("title", "not_text")]),
    ("another direction", {"direction": "sideways"}, (422, "validation_failed"), [("direction", "not_one_of")]),
    ("61 countries", {"countries": ["JP"] * 61}, (422, "validation_failed"), [("countries", "too_many")]),
    ("text for a number", {"key_leaders": "2"}, (422, "validation_failed"), [("key_leaders", "not_a_number")]),
    ("an id that is none", {"id": "Đoàn 1"}, (422, "validation_failed"), [("id", "malformed")]),
]

COMMANDS: list[tuple[str, dict[str, Any], tuple[int, str], list[tuple[str, str]]]] = [
    ("no type", {"reason": 1}, (422, "validation_failed"), [("", "command_type_missing")]),
    ("an unknown type", {"type": "explode"}, (422, "validation_failed"), [("", "command_unknown")]),
    ("no object", ["submit_request"], (422, "validation_failed"), [("", "not_an_object")]),  # type: ignore[list-item]
    (
        "a local time in the spring gap",
        {"type": "schedule_item", "item_id": "s", "title": "Gap", "starts": BERLIN_GAP, "ends": BERLIN_AFTER},
        (422, "validation_failed"),
        [("starts", "local_time_does_not_exist")],
    ),
    (
        "an end before its beginning",
        {"type": "schedule_item", "item_id": "s", "title": "x", "starts": BERLIN_AFTER, "ends": BERLIN_AFTER},
        (422, "validation_failed"),
        [("", "ends_before_starts")],
    ),
    (
        "a text that nobody wrote",
        {"type": "justify_limit", "limit": "MOON", "justification": {"ref": "txt_aaaaaaaa", "commitment": "0" * 64}},
        (422, "reference_unknown"),
        [("justification", "reference_unknown")],
    ),
    (
        "a person whom nobody entered",
        {"type": "add_member", "member_id": "m", "person": REF, "country": "JP"},
        (422, "reference_unknown"),
        [("person", "reference_unknown")],
    ),
    (
        "nobody's coordinator",
        {"type": "hand_over", "to": "hung"},
        (422, "coordinator_unknown"),
        [("to", "coordinator_unknown")],
    ),
    ("an empty batch", {"commands": []}, (422, "validation_failed"), [("commands", "too_few")]),
    (
        "a batch and a type",
        {"type": "invite", "commands": [{"type": "invite"}]},
        (422, "validation_failed"),
        [("type", "unknown_field")],
    ),
]


async def test_an_opening_that_cannot_be_accepted_names_field_and_rule_and_keeps_nothing(api: Api) -> None:
    """Each of the issue's bad inputs that concern the request itself."""
    for what, wrong, problem, errors in OPENINGS:
        body = opening(id=api.id) | wrong
        answer = await api.ask("POST", "/delegations", body)
        assert (code(answer), fields(answer)) == (problem, errors), what
        assert all(error["message"] for error in answer.json()["errors"]), what
    assert code(await api.ask("GET", f"/delegations/{api.id}")) == (404, "delegation_unknown")
    assert (await api.open()).status_code == 201


async def test_a_command_that_cannot_be_accepted_names_field_and_rule_and_keeps_nothing(api: Api) -> None:
    """Each of the issue's bad inputs that concern a command on an open file."""
    await api.open()
    before = await api.file()
    for what, body, problem, errors in COMMANDS:
        answer = await api.ask("POST", f"/delegations/{api.id}/commands", body)
        assert (code(answer), fields(answer)) == (problem, errors), what
    assert (await api.file())["seq"] == before["seq"]


async def test_a_refused_batch_says_which_command_and_keeps_nothing_of_the_others(api: Api) -> None:
    """All or nothing: two members with one id."""
    await api.open()
    before = await api.file()
    members = [await member(api, who) for who in ("a", "b", "a")]
    answer = await api.send(*members)
    assert code(answer) == (409, "member_exists")
    assert answer.json()["errors"][0] | {"message": ""} == {
        "field": "member_id",
        "rule": "member_exists",
        "message": "",
        "index": 2,
    }
    members[1]["country"] = "Japan"
    answer = await api.send(*members)
    assert code(answer) == (422, "validation_failed")
    assert (answer.json()["errors"][0]["field"], answer.json()["errors"][0]["index"]) == ("country", 1)
    assert (await api.file())["seq"] == before["seq"]


async def test_a_limit_that_no_rule_has_is_named(api: Api) -> None:
    """A justification is for a rule of the file's edition."""
    await api.open()
    text = (await api.ask("POST", f"/delegations/{api.id}/texts", {"text": "Vì lý do đối ngoại."})).json()
    answer = await api.send({"type": "justify_limit", "limit": "MOON", "justification": text})
    assert (code(answer), fields(answer)) == ((422, "limit_unknown"), [("limit", "limit_unknown")])


async def test_a_reference_counts_with_its_own_commitment_and_file_only(api: Api) -> None:
    """Another commitment, another delegation's text, a file of another size: no register has them."""
    await api.open()
    known = await member(api, "m")
    other = {**known, "person": {**known["person"], "commitment": "0" * 64}}
    assert code(await api.send(other)) == (422, "reference_unknown")
    text = (await api.ask("POST", "/delegations/another-file/texts", {"text": "Của đoàn khác."})).json()
    assert code(await api.send({"type": "cancel_delegation", "reason": text})) == (422, "reference_unknown")
    stored = (await api.ask("POST", "/attachments", content=b"Minutes of the first session.")).json()
    attach = {"type": "attach_document", "document_id": "d", "kind": "minutes", "attachment": stored}
    wrong = {**attach, "attachment": {**stored, "size": stored["size"] + 1}}
    answer = await api.send(attach, {**wrong, "document_id": "e"})
    assert (code(answer), answer.json()["errors"][0]["index"]) == ((422, "reference_unknown"), 1)
    assert (await api.send(attach)).status_code == 200


async def test_ten_thousand_members_are_too_many_for_one_batch(api: Api) -> None:
    """The answer names the limit."""
    await api.open()
    members = [{"type": "add_member", "member_id": f"m-{n}", "person": REF, "country": "JP"} for n in range(10_000)]
    answer = await api.send(*members)
    assert code(answer) == (422, "validation_failed")
    assert fields(answer) == [("commands", "too_many")]
    assert "500" in answer.json()["errors"][0]["message"]


async def test_a_text_of_three_megabytes_is_refused_by_its_own_limit(api: Api) -> None:
    """And one beyond every limit by the size of its body."""
    path = f"/delegations/{api.id}/texts"
    answer = await api.ask("POST", path, {"text": "x" * 3_000_000})
    assert (code(answer), fields(answer)) == ((422, "text_refused"), [("text", "text_too_long")])
    answer = await api.ask("POST", path, {"text": "x" * LARGEST["write_text"]})
    assert code(answer) == (413, "body_too_large")


async def test_text_of_every_script_is_taken_or_refused_with_a_reason(api: Api) -> None:
    """Emoji and right-to-left words are text; NUL and overrides are not."""
    path = f"/delegations/{api.id}/texts"
    for text in ("Chào 👋🏽 bạn", "שלום עולם", "dòng một\r\ndòng hai\tcột"):
        kept = await api.ask("POST", path, {"text": text})
        assert kept.status_code == 201, kept.text
        read = await api.ask("GET", f"/texts/{kept.json()['ref']}")
        assert read.json()["text"] == text.replace("\r\n", "\n")
    for text, rule in (
        ("a\x00b", "text_has_nul"),
        ("a\x1bb", "text_has_control_character"),
        ("a\u202eb", "text_has_direction_override"),
        (" \n ", "text_empty"),
    ):
        answer = await api.ask("POST", path, {"text": text})
        assert (code(answer), fields(answer)) == ((422, "text_refused"), [("text", rule)])
    opened = await api.open(title="Đoàn 👋🏽 שלום")
    assert opened.status_code == 201


async def test_an_address_with_a_line_break_is_refused_and_not_repeated(api: Api) -> None:
    """It would be a header of its own; and it is personal data, so the answer does not echo it."""
    body = {"full_name": "Sao Băng", "given_name": "Băng", "language": "vi", "nationality": "VN"}
    for address, rule in (
        ("a@b.example\r\nBcc: c@d.example", "address_name_malformed"),
        ("a@b.example\n", "address_domain_malformed"),
        ("nobody", "address_without_at"),
        (7, "not_text"),
    ):
        answer = await api.ask("POST", "/persons", body | {"email": address})
        assert (code(answer), fields(answer)) == ((422, "validation_failed"), [("email", rule)])
        assert "b.example" not in answer.text
        assert "Băng" not in answer.text


async def test_the_body_must_be_json_and_say_so(api: Api) -> None:
    """415 for another type, 400 for what is not JSON, 413 for what is too large: never a 500."""
    await api.open()
    path = f"/delegations/{api.id}/commands"
    json_type = {"Content-Type": "application/json"}
    for content, headers, expected in (
        (b"{}", {"Content-Type": "text/plain"}, (415, "content_type_not_json")),
        (b"{}", {}, (415, "content_type_not_json")),
        (b"{", json_type, (400, "body_malformed")),
        (b"\xff\xfe", json_type, (400, "body_malformed")),
        (b"[" * 100_000, json_type, (400, "body_malformed")),
        (b'{"type": ' + b"9" * 10_000 + b"}", json_type, (400, "body_malformed")),
        (b'{"type": NaN}', json_type, (422, "validation_failed")),
        (rb'{"type": "\ud800"}', json_type, (400, "body_malformed")),
        (b"", json_type, (422, "validation_failed")),
        (b" " * 5_000_000, json_type, (413, "body_too_large")),
    ):
        answer = await api.ask("POST", path, content=content, headers=headers)
        assert code(answer) == expected, content[:20]


async def test_a_command_without_a_usable_key_is_refused(api: Api) -> None:
    """400, and the header is named."""
    for key, expected in (
        (None, "idempotency_key_missing"),
        (b"", "idempotency_key_malformed"),
        (b"a b", "idempotency_key_malformed"),
        (b"x" * 201, "idempotency_key_malformed"),
        ("ế".encode(), "idempotency_key_malformed"),
    ):
        headers = {b"Authorization": f"Bearer {api.tokens['lan']}".encode()}
        headers |= {} if key is None else {b"Idempotency-Key": key}
        answer = await api.http.post("/delegations", json=opening(id=api.id), headers=headers)
        assert code(answer) == (400, expected)


async def test_parameters_are_read_strictly(api: Api) -> None:
    """A filter that does not exist is an answer, not a longer list."""
    for query, problem, errors in (
        ("fase=drafted", (422, "validation_failed"), [("fase", "unknown_field")]),
        ("phase=drawn", (422, "validation_failed"), [("phase.0", "not_one_of")]),
        ("due_before=20270101", (422, "validation_failed"), [("due_before", "not_a_date")]),
        ("limit=0", (422, "validation_failed"), [("limit", "too_small")]),
        ("limit=201", (422, "validation_failed"), [("limit", "too_large")]),
        ("cursor=abc", (400, "cursor_unknown"), []),
        ("sort=colour", (422, "validation_failed"), [("sort", "not_one_of")]),
    ):
        answer = await api.ask("GET", f"/delegations?{query}")
        assert (code(answer), fields(answer)) == (problem, errors), query
    assert code(await api.ask("GET", "/delegations/Đoàn")) == (422, "validation_failed")


async def test_an_address_that_is_none_has_a_problem_too(api: Api) -> None:
    """404 and 405 look like every other refusal."""
    assert code(await api.ask("GET", "/nothing")) == (404, "not_found")
    answer = await api.ask("DELETE", "/delegations")
    assert code(answer) == (405, "method_not_allowed")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "POST"}


async def test_a_command_for_a_closed_file_and_a_superseded_dossier_are_conflicts(api: Api) -> None:
    """409 with a code of its own each; what closed the file is answered again under its key."""
    await api.open()
    text = (await api.ask("POST", f"/delegations/{api.id}/texts", {"text": "Đổi lịch"})).json()
    await api.send(await member(api, "m-1"))
    await api.send({"type": "submit_request"})
    old = (await api.file())["open_step"]["dossier_digest"]
    await api.send({"type": "withdraw_request", "reason": text})
    await api.send({"type": "revise_request", "title": "Đoàn khác"})
    await api.send({"type": "submit_request"})
    sign = {"type": "sign_off", "step_id": "department_head"}
    assert code(await api.send({**sign, "dossier_digest": old}, by="hung")) == (409, "dossier_superseded")
    assert code(await api.send({**sign, "dossier_digest": "0" * 64}, by="hung")) == (422, "dossier_unknown")
    assert code(await api.send({"type": "invite"})) == (409, "wrong_phase")

    await api.send({"type": "cancel_delegation", "reason": text})
    closed = await api.send({"type": "close_delegation"}, key="close")
    assert closed.json()["phase"] == "closed"
    await api.here.client.get_workflow_handle(api.id).result()
    assert code(await api.send({"type": "submit_request"})) == (409, "delegation_closed")
    assert code(await api.send({"type": "close_delegation"})) == (409, "delegation_closed")
    assert code(await api.open()) == (409, "delegation_exists")
    assert (await api.send({"type": "close_delegation"}, key="close")).json() == closed.json()
    reopened = await api.send({"type": "reopen_delegation", "reason": text})
    assert reopened.json()["phase"] == "cancelled"


async def test_problems_speak_the_reader_s_language(api: Api) -> None:
    """Vietnamese unless English is preferred; codes stay the same."""
    vi = await api.ask("GET", "/delegations/nobody")
    en = await api.ask("GET", "/delegations/nobody", headers={"Accept-Language": "de, en-GB;q=0.8, vi;q=0.5"})
    assert vi.json()["detail"] == "Không có đoàn nào mang mã này."
    assert en.json()["detail"] == "There is no delegation of this id."
    assert (vi.headers["content-language"], en.headers["content-language"]) == ("vi", "en")
    await api.open()
    wrong = await api.send({"type": "depart"})
    assert wrong.json()["detail"] == (
        "Không thể thực hiện “Ghi nhận hành trình bắt đầu” khi hồ sơ đang ở giai đoạn “dự thảo”, "
        "chỉ có thể ở: đã phê duyệt, đang chuẩn bị và đang mời."
    )
    late = await api.send(
        {"type": "revise_request", "starts": (datetime.now(UTC) - timedelta(days=9)).date().isoformat()},
        {"type": "submit_request"},
    )
    assert late.json()["errors"][0]["index"] == 0
