"""The directory by HTTP: entries with their versions, merges, likenesses, and tables that are looked at first."""

from base64 import b64encode
from typing import Any

import httpx2
import pytest

from tests.api.conftest import Api, code, fields, person
from tests.storage.tables import csv_text, workbook

pytestmark = pytest.mark.asyncio(loop_scope="session")


def partner(api: Api, name: str = "Friendship Association", **more: Any) -> dict[str, Any]:
    """A partner whose name no other test has."""
    return {"kind": "partner", "name": f"{api.id} {name}", "country": "JP", **more}


async def added(api: Api, body: dict[str, Any]) -> dict[str, Any]:
    """Enter something and return it."""
    answer = await api.ask("POST", "/directory", body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def send_file(api: Api, content: bytes, path: str = "/directory-imports") -> httpx2.Response:
    """Send a file as it is."""
    return await api.ask("POST", path, content=content, headers={"Accept-Language": "en"})


async def test_an_entry_is_added_shown_changed_and_keeps_its_versions(api: Api) -> None:
    """Who changes it says which version they read."""
    made = await added(api, partner(api, other_names=["TFA"]))
    assert (made["version"], made["merged_into"], made["stands_for"]) == (1, None, made["id"])
    path = f"/directory/{made['id']}"
    changed = {"version": 1, "entry": partner(api, "Society")}
    answer = await api.ask("PUT", path, changed)
    assert (answer.status_code, answer.json()["version"]) == (200, 2)
    assert code(await api.ask("PUT", path, changed)) == (409, "entry_changed")
    assert code(await api.ask("PUT", path, changed | {"version": 2})) == (422, "entry_unchanged")
    versions = (await api.ask("GET", f"{path}/versions", by="an")).json()["items"]
    assert [(one["version"], one["action"], one["actor"]) for one in versions] == [
        (1, "added", "lan"),
        (2, "changed", "lan"),
    ]
    assert versions[0]["entry"]["other_names"] == ["TFA"]


async def test_the_same_key_enters_one_entry(api: Api) -> None:
    """And answers where it is; with another body it is a conflict."""
    first = await api.ask("POST", "/directory", partner(api), key=f"k-{api.id}")
    again = await api.ask("POST", "/directory", partner(api), key=f"k-{api.id}")
    assert first.json() == again.json()
    assert first.headers["location"] == f"/api/v1/directory/{first.json()['id']}"
    other = await api.ask("POST", "/directory", partner(api, "Other"), key=f"k-{api.id}")
    assert code(other) == (409, "idempotency_key_reused")


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"name": "x"}, [("", "entry_kind_unknown")]),
        ({"kind": "partner", "name": "x", "country": "Japan"}, [("country", "malformed")]),
        ({"kind": "partner", "name": "x", "country": "XX"}, [("country", "country_unknown")]),
        ({"kind": "partner", "name": "x\r\nBcc: y", "country": "JP"}, [("name", "text_has_control_character")]),
        ({"kind": "host", "name": "x"}, [("place", "required")]),
        ({"kind": "host", "name": "x", "place": "y", "email": "z"}, [("email", "unknown_field")]),
        ({"kind": "partner", "name": "x", "country": "JP", "web": "javascript:alert(1)"}, [("web", "malformed")]),
        ({"kind": "partner", "name": "x", "country": "JP", "web": "https://me:x@y.example"}, [("web", "malformed")]),
    ],
)  # fmt: skip
async def test_an_entry_that_cannot_be_names_field_and_rule(
    api: Api, body: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    """By the field as it was sent."""
    answer = await api.ask("POST", "/directory", body)
    assert (code(answer), fields(answer)) == ((422, "validation_failed"), errors)


async def test_a_list_is_searched_without_diacritics_and_paged(api: Api) -> None:
    """Each entry once; a cursor of another list is refused."""
    names = ["Đông", "Hữu nghị", "Ẩm thực"]
    for name in names:
        await added(api, partner(api, name))
    found = (await api.ask("GET", f"/directory?q={api.id}%20huu%20nghi", by="an")).json()["items"]
    assert [one["entry"]["name"] for one in found] == [f"{api.id} Hữu nghị"]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.ask("GET", f"/directory?q={api.id}&limit=1{cursor}")).json()
        seen += [one["entry"]["name"].split(" ", 1)[1] for one in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert seen == ["Ẩm thực", "Đông", "Hữu nghị"]
    assert code(await api.ask("GET", "/directory?cursor=x")) == (400, "cursor_unknown")


async def test_a_contact_is_a_person_of_the_register_at_an_organisation(api: Api) -> None:
    """Who it is, is shown to those who may see personal data; after erasure to nobody."""
    at = await added(api, partner(api))
    reference = await person(api, "Satō Haruka")
    contact = await added(api, {"kind": "contact", "at": at["id"], "person": reference})
    assert contact["person"]["full_name"] == "Satō Haruka"
    assert "passport_number" not in contact["person"]
    for by, name in (("hung", "Satō Haruka"), ("root", "Satō Haruka"), ("an", None)):
        [shown] = (await api.ask("GET", f"/directory?at={at['id']}", by=by)).json()["items"]
        assert (shown["person"] or {}).get("full_name") == name, by
    auditor = await api.ask("GET", f"/directory/{contact['id']}", by="an")
    assert "Satō" not in auditor.text
    await api.here.registers.persons.erase(reference["ref"])
    assert (await api.ask("GET", f"/directory/{contact['id']}")).json()["person"] is None


async def test_a_contact_that_cannot_be_is_refused(api: Api) -> None:
    """Nobody's person, another commitment, no organisation."""
    at = await added(api, partner(api))
    reference = await person(api)
    unknown = {"kind": "contact", "at": at["id"], "person": reference | {"commitment": "0" * 64}}
    answer = await api.ask("POST", "/directory", unknown)
    assert (code(answer), fields(answer)) == ((422, "reference_unknown"), [("person", "reference_unknown")])
    nowhere = {"kind": "contact", "at": "dir_nothing00", "person": reference}
    assert code(await api.ask("POST", "/directory", nowhere)) == (422, "organisation_not_an_entry")


async def test_duplicates_are_found_merged_and_split_again(api: Api) -> None:
    """With a score and the reason; both entries keep their history."""
    first, second = await added(api, partner(api)), await added(api, partner(api, "Frendship Association"))
    items = (await api.ask("GET", f"/directory/{second['id']}/duplicates")).json()["items"]
    [(score, reasons)] = [(one["score"], one["reasons"]) for one in items if one["found"]["id"] == first["id"]]
    assert (85 <= score < 100, reasons) == (True, ["similar_name"])
    path = f"/directory/{second['id']}"
    won = await api.ask("POST", f"{path}/merge", {"into": first["id"]})
    assert (won.status_code, won.json()["id"], won.json()["version"]) == (200, first["id"], 2)
    shown = (await api.ask("GET", path)).json()
    assert (shown["merged_into"], shown["entry"]["name"]) == (first["id"], second["entry"]["name"])
    assert code(await api.ask("PUT", path, {"version": 2, "entry": partner(api)})) == (409, "entry_merged")
    assert (await api.ask("POST", f"{path}/split")).json()["merged_into"] is None
    assert code(await api.ask("POST", f"{path}/split")) == (409, "entry_not_merged")
    itself = await api.ask("POST", f"{path}/merge", {"into": second["id"]})
    assert code(itself) == (422, "entry_merges_itself")
    assert code(await api.ask("GET", "/directory/dir_nothing00/duplicates")) == (404, "entry_unknown")


async def test_what_looks_like_an_entry_is_said_when_it_is_entered_and_found_again_in_pairs(api: Api) -> None:
    """Of another kind, too; every two once, a page after the other; a cursor of another list is refused."""
    first = await added(api, partner(api, "Peace Committee", country="VN"))
    assert first["alike"] == []
    host = await added(api, {"kind": "host", "name": f"{api.id} Peace Committee", "place": "Huế"})
    assert [(one["found"]["id"], one["score"]) for one in host["alike"]] == [(first["id"], 80)]
    second = await added(api, partner(api, "Peace Committee Viet Nam", country="VN"))
    assert [one["found"]["id"] for one in second["alike"]] == [first["id"], host["id"]]
    seen: list[tuple[str, str]] = []
    cursor: str | None = ""
    count = 0
    while cursor is not None:
        page = (await api.ask("GET", f"/directory-duplicates?limit=1{cursor}", by="hung")).json()
        count = page["count"]
        seen += [(one["first"]["id"], one["second"]["id"]) for one in page["items"]]
        cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
    assert len(seen) == len(set(seen)) == count
    mine = {first["id"], host["id"], second["id"]}
    assert {both for both in seen if mine & set(both)} == {(a, b) for a in mine for b in mine if a < b}
    assert code(await api.ask("GET", "/directory-duplicates?cursor=x")) == (400, "cursor_unknown")


async def test_a_table_is_looked_at_and_then_entered_once(api: Api) -> None:
    """Every row that is wrong or looks known is named; nothing is entered until its digest is accepted."""
    known = await added(api, partner(api))
    content = csv_text(
        [
            ["kind", "name", "country", "organisation", "full name", "given name", "email", "language", "nationality"],
            ["partner", f"{api.id} FRIENDSHIP", "JP"],
            ["partner", f"=cmd('{api.id}')", "DE"],
            ["contact", "", "", known["id"], "Nguyễn Thị Ánh", "Ánh", "anh@x.example", "vi", "VN"],
            ["partner", "x" * 301, "JP"],
            ["contact", "", "", "nobody", "Trần Bình", "Bình", "binh@x.example", "vi", "VN"],
        ],
        ";",
    ).encode("utf-16")
    preview = (await send_file(api, content)).json()
    assert (preview["encoding"], preview["separator"]) == ("utf-16", ";")
    assert preview["counts"] == {
        "new": 2,
        "similar": 0,
        "known": 1,
        "bad": 2,
        "enter": 2,
        "name": 0,
        "leave": 3,
    }
    assert preview["rows"] == [
        {
            "line": 2,
            "verdict": "known",
            "does": "leave",
            "choice": None,
            "alike": [{"entry": known["id"], "nameable": True, "line": None, "score": 100, "reasons": ["same_name"]}],
            "errors": [],
        },
        {
            "line": 5,
            "verdict": "bad",
            "does": "leave",
            "choice": None,
            "alike": [],
            "errors": [
                {"column": "B", "field": "name", "rule": "too_long", "message": "At most 300 characters are taken."}
            ],
        },
        {
            "line": 6,
            "verdict": "bad",
            "does": "leave",
            "choice": None,
            "alike": [],
            "errors": [
                {
                    "column": "D",
                    "field": "organisation",
                    "rule": "organisation_unknown",
                    "message": "No partner or host goes by this name or id, neither here nor in the directory.",
                }
            ],
        },
    ]
    assert (await api.ask("GET", f"/directory?at={known['id']}")).json()["items"] == []
    path = f"/directory-imports/{preview['digest']}"
    first, second = await send_file(api, content, path), await send_file(api, content, path)
    assert first.json() == second.json()
    assert {name: first.json()[name] for name in ("entered", "known", "bad", "actor")} == {
        "entered": 2,
        "known": 1,
        "bad": 2,
        "actor": "lan",
    }
    [contact] = (await api.ask("GET", f"/directory?at={known['id']}")).json()["items"]
    assert contact["person"]["full_name"] == "Nguyễn Thị Ánh"
    [formula] = (await api.ask("GET", f"/directory?q={api.id}&country=DE")).json()["items"]
    assert formula["entry"]["name"] == f"=cmd('{api.id}')"
    changed = await send_file(api, content, f"/directory-imports/{'0' * 64}")
    assert code(changed) == (409, "preview_superseded")


async def test_what_becomes_of_a_row_is_chosen_and_sealed_into_what_is_accepted(api: Api) -> None:
    """The file and the choices come together, both times; other choices are another preview."""
    known = await added(api, partner(api))
    rows = [["kind", "name", "country"], ["partner", f"{api.id} Frendship Association", "JP"]]
    content = b64encode(csv_text([*rows, ["partner", f"{api.id} Friendship", "JP"]]).encode()).decode()

    async def ask(path: str = "", **choices: str) -> httpx2.Response:
        body = {"table": content, "choices": {line[1:]: choice for line, choice in choices.items()}}
        return await api.ask("POST", f"/directory-imports{path}", body, headers={"Accept-Language": "en"})

    preview = (await ask(_2=known["id"], _3="leave")).json()
    assert preview["counts"] == {"new": 0, "similar": 1, "known": 1, "bad": 0, "enter": 0, "name": 1, "leave": 1}
    assert [(row["does"], row["choice"]) for row in preview["rows"]] == [("name", known["id"]), ("leave", "leave")]
    path = f"/{preview['digest']}"
    assert code(await ask(path, _2=known["id"])) == (409, "preview_superseded")
    done = (await ask(path, _2=known["id"], _3="leave")).json()
    assert {name: done[name] for name in ("entered", "named", "left_out", "known", "bad")} == {
        "entered": 0,
        "named": 1,
        "left_out": 0,
        "known": 1,
        "bad": 0,
    }
    stands = (await api.ask("GET", f"/directory/{known['id']}")).json()
    assert (stands["version"], stands["entry"]["other_names"]) == (2, [f"{api.id} Frendship Association"])


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"table": "not base64"}, [("table", "malformed")]),
        ({}, [("table", "required")]),
        ({"table": "", "more": 1}, [("more", "unknown_field")]),
        ({"table": "", "choices": {"2": "enter it"}}, [("choices.2", "malformed")]),
        ({"table": "a2luZCxuYW1lCg==", "choices": {"2": "enter"}}, [("choices.2", "choice_without_row")]),
    ],
)
async def test_choices_that_cannot_be_name_line_and_rule(
    api: Api, body: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    """As every body does."""
    answer = await api.ask("POST", "/directory-imports", body)
    assert (answer.status_code, fields(answer)) == (422, errors)


async def test_a_file_that_is_no_table_is_refused_by_its_rule(api: Api) -> None:
    """With the status that says as much as a status can."""
    for content, problem, rule in (
        (b"", (422, "spreadsheet_refused"), "spreadsheet_empty"),
        (b"name\nx", (422, "spreadsheet_refused"), "spreadsheet_column_missing"),
        (b"%PDF-1.7 x", (415, "spreadsheet_type_refused"), "spreadsheet_type_unknown"),
        (workbook([["kind"]])[:-40], (422, "spreadsheet_refused"), "attachment_malformed"),
    ):
        answer = await send_file(api, content)
        assert (code(answer), fields(answer)) == (problem, [("body", rule)])
    huge = await send_file(api, b"kind\n" + b"x" * (5 * 1024 * 1024))
    assert code(huge) == (413, "body_too_large")
