"""Registers by HTTP: people, texts, files, accounts, editions."""

import hashlib
from typing import Any

import pytest

from tests.api.conftest import Api, code, fields, member, opening, person
from tests.rulebook import edition

pytestmark = pytest.mark.asyncio(loop_scope="session")

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


async def store(api: Api, content: bytes, media_type: str = "application/octet-stream") -> Any:
    """Send a file."""
    return await api.ask("POST", "/attachments", content=content, headers={"Content-Type": media_type})


async def test_a_person_is_registered_shown_corrected_and_erased(api: Api) -> None:
    """The commitment belongs to a version; after erasure nothing is left to show."""
    first = await person(api, "Satō Haruka")
    shown = (await api.ask("GET", f"/persons/{first['ref']}", by="hung")).json()
    assert (shown["version"], shown["commitment"]) == (1, first["commitment"])
    assert shown["details"]["full_name"] == "Satō Haruka"
    corrected = await api.ask("PUT", f"/persons/{first['ref']}", shown["details"] | {"full_name": "Satō Haru"})
    assert corrected.json()["ref"] == first["ref"]
    assert corrected.json()["commitment"] != first["commitment"]
    await api.here.registers.persons.erase(first["ref"])
    assert code(await api.ask("GET", f"/persons/{first['ref']}")) == (410, "person_erased")
    assert code(await api.ask("PUT", f"/persons/{first['ref']}", shown["details"])) == (410, "person_erased")
    assert code(await api.ask("GET", "/persons/per_nobody00")) == (404, "person_unknown")


async def test_a_file_is_kept_attached_and_downloaded_from_its_delegation_alone(api: Api) -> None:
    """By its digest; another delegation's address does not show it, and a browser must not run it."""
    kept = await store(api, PDF + api.id.encode(), "application/pdf")
    assert kept.status_code == 201, kept.text
    digest = hashlib.sha256(PDF + api.id.encode()).hexdigest()
    assert kept.json() == {"digest": digest, "media_type": "application/pdf", "size": len(PDF) + len(api.id)}
    await api.open()
    await api.send(
        {"type": "attach_document", "document_id": "p-1", "kind": "passport_copy", "attachment": kept.json()}
    )
    listed = (await api.ask("GET", f"/delegations/{api.id}/documents", by="an")).json()["items"]
    assert [(one["kind"], one["document_id"], one["digest"]) for one in listed] == [("passport_copy", "p-1", digest)]

    got = await api.ask("GET", f"/delegations/{api.id}/documents/{digest}")
    assert got.content == PDF + api.id.encode()
    assert got.headers["content-type"] == "application/pdf"
    assert got.headers["content-disposition"] == f'attachment; filename="{api.id}-passport_copy-1.pdf"'
    assert got.headers["x-content-type-options"] == "nosniff"
    assert got.headers["content-security-policy"].startswith("sandbox")
    assert code(await api.ask("GET", f"/delegations/{api.id}/documents/{digest}", by="an")) == (403, "role_not_allowed")

    other = f"{api.id}-other"
    await api.ask("POST", "/delegations", opening(id=other))
    assert code(await api.ask("GET", f"/delegations/{other}/documents/{digest}")) == (404, "document_unknown")


async def test_a_file_that_cannot_be_kept_is_refused_with_its_reason(api: Api) -> None:
    """Its bytes say what it is; nothing is left of it."""
    for content, media_type, status, rule in (
        (b"", "application/pdf", 422, "attachment_empty"),
        (b"\x7fELF" + bytes(40), "application/octet-stream", 415, "attachment_type_unknown"),
        (PDF, "image/png", 415, "attachment_type_mismatch"),
        (PDF[:-8], "application/pdf", 422, "attachment_malformed"),
        (b"%PDF-" + b"x" * api.here.registers.attachments.limits.size, "application/pdf", 413, "attachment_too_large"),
    ):
        answer = await store(api, content, media_type)
        assert (answer.status_code, fields(answer)) == (status, [("body", rule)])
        assert code(answer)[1].startswith("attachment_")


async def test_accounts_and_tokens_are_the_administrator_s(api: Api) -> None:
    """Opened, changed, listed; a token's secret is shown once."""
    linh = {"id": f"linh-{api.id}", "name": "Đỗ Linh", "roles": ["approver"], "positions": ["finance"]}
    opened = await api.ask("POST", "/accounts", linh, by="root")
    assert (opened.status_code, opened.json()) == (
        201,
        {**linh, "email": None, "language": "vi", "organisation": None, "person": None, "zone": None},
    )
    assert (await api.ask("POST", "/accounts", linh, by="root")).status_code == 201
    assert code(await api.ask("POST", "/accounts", linh | {"name": "X"}, by="root")) == (409, "account_exists")
    changed = {"name": "Đỗ Linh", "roles": ["coordinator"], "language": "en", "zone": "Europe/Prague"}
    assert (await api.ask("PUT", f"/accounts/{linh['id']}", changed, by="root")).json()["roles"] == ["coordinator"]
    kept = await api.here.registers.accounts.get(f"linh-{api.id}")
    assert kept is not None
    assert kept.zone == "Europe/Prague"
    nowhere = await api.ask("PUT", f"/accounts/{linh['id']}", changed | {"zone": "Europe/Hanoi"}, by="root")
    assert (nowhere.status_code, fields(nowhere)) == (422, [("zone", "zone_unknown")])
    assert code(await api.ask("PUT", "/accounts/nobody", changed, by="root")) == (404, "account_unknown")
    ids = [account["id"] for account in (await api.ask("GET", "/accounts", by="root")).json()["items"]]
    assert linh["id"] in ids
    assert ids == sorted(ids)

    made = (await api.ask("POST", f"/accounts/{linh['id']}/tokens", {}, by="root")).json()
    tokens = (await api.ask("GET", f"/accounts/{linh['id']}/tokens", by="root")).json()["items"]
    assert [token["id"] for token in tokens] == [made["id"]]
    assert "token" not in tokens[0]
    api.tokens["linh"] = made["token"]
    me = (await api.ask("GET", "/me", by="linh")).json()
    assert me["account"]["id"] == linh["id"]
    assert "submit_request" in me["commands"]
    assert "tick" not in me["commands"]
    assert code(await api.ask("DELETE", "/tokens/tok_nothing00", by="root")) == (404, "token_unknown")


async def test_a_file_is_handed_over_to_another_coordinator(api: Api) -> None:
    """Only to an account that coordinates."""
    await api.open()
    linh = {"id": f"linh-{api.id}", "name": "Đỗ Linh", "roles": ["coordinator"]}
    assert code(await api.send({"type": "hand_over", "to": linh["id"]})) == (422, "coordinator_unknown")
    await api.ask("POST", "/accounts", linh, by="root")
    assert (await api.send({"type": "hand_over", "to": linh["id"]})).status_code == 200
    assert (await api.file())["state"]["coordinator"] == linh["id"]
    name = {"vi": "Hội", "en": "Association"}
    elsewhere = {"slug": f"hoi-{api.id}", "kind": "member_organisation", "parent": None, "name": name}
    assert (await api.ask("POST", "/institution/organisations", elsewhere, by="root")).status_code == 201
    far = {"id": f"far-{api.id}", "name": "Vũ Xa", "roles": ["coordinator"], "organisation": elsewhere["slug"]}
    assert (await api.ask("POST", "/accounts", far, by="root")).status_code == 201
    refused = await api.send({"type": "hand_over", "to": far["id"]})
    assert (code(refused), fields(refused)) == ((422, "coordinator_out_of_reach"), [("to", "coordinator_out_of_reach")])


async def test_an_edition_is_entered_once_and_shown(api: Api) -> None:
    """The same edition has the same digest; a broken one names the field."""
    known = edition()
    entered = await api.ask("POST", "/editions", known.model_dump(mode="json"), by="root")
    assert entered.status_code == 201, entered.text
    assert entered.json()["digest"] == known.digest()
    assert known.digest() in [line["digest"] for line in (await api.ask("GET", "/editions")).json()["items"]]
    shown = await api.ask("GET", f"/editions/{known.digest()}", by="an")
    assert shown.json() == known.model_dump(mode="json")
    assert code(await api.ask("GET", f"/editions/{'0' * 64}")) == (404, "edition_unknown")
    broken = known.model_dump(mode="json") | {"zone": "Mars/Base"}
    answer = await api.ask("POST", "/editions", broken, by="root")
    assert (code(answer), fields(answer)) == ((422, "validation_failed"), [("zone", "zone_unknown")])


async def test_a_person_who_is_on_a_file_is_named_there_by_reference_alone(api: Api) -> None:
    """Neither state nor trail has a name or an address."""
    await api.open()
    await api.send(await member(api, "m-1"))
    for address in (f"/delegations/{api.id}", f"/delegations/{api.id}/events"):
        answer = await api.ask("GET", address)
        assert "Satō" not in answer.text
        assert "tokyo.example" not in answer.text
