"""Dead letters: a mail server refuses somebody, the coordinator sees it, corrects it, and sends again."""

import asyncio
from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import uuid4

import pytest

from activities.bounces import note_bounce
from api.engine import CommandRefused
from domain.values import Fact
from notices.bounces import parse_bounce
from storage.metadata import utc_now
from tests.api.conftest import Api, code
from tests.notices.reports import failed, report

pytestmark = pytest.mark.asyncio(loop_scope="session")


class Guest(Fact):
    """A delegate and where they are written to."""

    ref: str
    email: str
    details: dict[str, str]


async def guest(api: Api, member: str, role: str = "member") -> Guest:
    """Register somebody under an address of their own and put them on the list."""
    email = f"{member}-{uuid4().hex[:8]}@tokyo.example"
    details = {"full_name": f"Sato {member}", "given_name": member, "email": email, "language": "en"}
    answer = await api.ask("POST", "/persons", details | {"nationality": "JP"})
    assert answer.status_code == 201, answer.text
    command = {"type": "add_member", "member_id": member, "role": role, "person": answer.json(), "country": "JP"}
    assert (await api.send(command)).is_success
    return Guest(ref=answer.json()["ref"], email=email, details=details | {"nationality": "JP"})


async def invited(api: Api, **refused_with: str) -> dict[str, Guest]:
    """A file with a head and a member, both invited to one session; each may be refused by the mail server."""
    await api.open()
    guests = {name: await guest(api, name, role) for name, role in (("head", "head"), ("second", "member"))}
    for name, answer in refused_with.items():
        api.here.post.answers[guests[name].email] = answer
    starts = (await api.file())["state"]["starts"]
    session = {
        "type": "schedule_item",
        "item_id": "s1",
        "title": "Làm việc",
        "starts": {"local": f"{starts}T09:00"},
        "ends": {"local": f"{starts}T10:00"},
        "audience": {"groups": ["delegates"]},
    }
    await api.send(session, {"type": "submit_request"})
    for signer, step in (("hung", "department_head"), ("mai", "vice_president")):
        digest = (await api.file())["open_step"]["dossier_digest"]
        sign = {"type": "sign_off", "step_id": step, "dossier_digest": digest}
        assert (await api.send(sign, by=signer)).is_success
    await api.send({"type": "issue_decision", "number": "12/QĐ-LH"})
    assert (await api.send({"type": "invite"})).is_success
    await idle(api)
    return guests


async def idle(api: Api) -> None:
    """Return when the workflow has nothing left to carry out."""
    handle = api.here.client.get_workflow_handle(api.id)
    async with asyncio.timeout(30):
        while (seen := await handle.query("inspect"))["effects"] or seen["outbox"]:
            await asyncio.sleep(0.02)


async def letters(api: Api, by: str = "lan", **query: str) -> list[dict[str, Any]]:
    """This file's dead letters."""
    answer = await api.ask("GET", "/dead-letters", by=by, params={"delegation": api.id, **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def taken(api: Api, guest: Guest) -> list[bytes]:
    """What the mail server took for somebody, calendar messages alone."""
    post = api.here.post
    return [octets for to, octets in post.taken if to == guest.email and b"text/calendar" in octets]


async def events(api: Api, kind: str) -> list[dict[str, Any]]:
    """The data of the file's events of one type."""
    items = (await api.ask("GET", f"/delegations/{api.id}/events", params={"limit": 1000})).json()["items"]
    return [event["data"] for event in items if event["type"] == kind]


async def test_who_is_refused_is_shown_and_gets_the_same_mail_again(api: Api) -> None:
    """With the server's code and without an address; sent again it is the same Message-ID, and leaves the list."""
    guests = await invited(api, second="550 5.7.1 not today")
    (delivered,) = await events(api, "InvitationsDelivered")
    assert (delivered["sent"], delivered["refused"]) == (1, ["second"])
    shown = await letters(api)
    assert {one["kind"] for one in shown} == {"itinerary_request", "invitation_letter"}
    (one,) = [one for one in shown if one["kind"] == "itinerary_request"]
    assert (one["participants"], one["status"], one["reply"], one["status_code"], one["method"]) == (
        ["second"],
        "refused",
        "550",
        "5.7.1",
        "REQUEST",
    )
    assert "tokyo.example" not in str(shown)
    assert await letters(api, status="dead") == []
    assert [len(await letters(api, by=reader)) for reader in ("an", "hung")] == [2, 2]

    api.here.post.answers.clear()
    resend = {"type": "resend_mail", "messages": [one["message_id"] for one in shown]}
    assert code(await api.send(resend, by="hung")) == (403, "role_may_not")
    answer = await api.send(resend)
    assert answer.is_success, answer.text
    await idle(api)
    assert await letters(api) == []
    (octets,) = taken(api, guests["second"])
    assert message_from_bytes(octets, policy=default)["Message-ID"] == one["message_id"]
    assert len(taken(api, guests["head"])) == 1
    (resent,) = await events(api, "MailResent")
    assert resent["participants"] == ["second"]
    assert code(await api.send(resend)) == (409, "mail_not_dead")
    resend["messages"] = [f"<{'0' * 64}@songlam.example>"]
    assert code(await api.send(resend)) == (422, "mail_unknown")


async def test_a_corrected_address_gets_a_message_of_its_own(api: Api) -> None:
    """The old bytes name the wrong mailbox: same UID and SEQUENCE, another Message-ID; nobody else hears of it."""
    guests = await invited(api, second="550 5.1.1 no such user")
    second = guests["second"]
    corrected = second.model_copy(update={"email": f"right-{uuid4().hex[:8]}@tokyo.example"})
    answer = await api.ask("PUT", f"/persons/{second.ref}", second.details | {"email": corrected.email})
    assert answer.is_success, answer.text
    shown = await letters(api)
    assert (await api.send({"type": "resend_mail", "messages": [one["message_id"] for one in shown]})).is_success
    await idle(api)
    assert await letters(api) == []
    assert taken(api, second) == []
    (octets,) = taken(api, corrected)
    message = message_from_bytes(octets, policy=default)
    assert message["Message-ID"] not in {one["message_id"] for one in shown}
    (calendar,) = [part for part in message.walk() if part.get_content_type() == "text/calendar"]
    text = calendar.get_payload(decode=True).decode()  # type: ignore[union-attr]
    assert f"UID:s1.{api.id}@" in text
    assert "SEQUENCE:0" in text
    assert len(taken(api, guests["head"])) == 1
    everything = [to for to, _ in api.here.post.taken]
    assert everything.count(corrected.email) == 2


async def test_an_item_that_changed_since_is_not_sent_as_it_was(api: Api) -> None:
    """The later message stands; the older one is shown as superseded and refused."""
    guests = await invited(api, second="550 5.7.1 not today")
    api.here.post.answers.clear()
    starts = (await api.file())["state"]["starts"]
    move = {
        "type": "move_item",
        "item_id": "s1",
        "starts": {"local": f"{starts}T14:00"},
        "ends": {"local": f"{starts}T15:00"},
    }
    assert (await api.send(move, {"type": "publish_programme"})).is_success
    await idle(api)
    assert len(taken(api, guests["second"])) == 1
    (one,) = [one for one in await letters(api) if one["kind"] == "itinerary_request"]
    assert one["superseded"]
    resend = {"type": "resend_mail", "messages": [one["message_id"]]}
    assert code(await api.send(resend)) == (409, "mail_superseded")


async def test_a_mail_that_comes_back_shows_on_the_delegation(api: Api) -> None:
    """Ledger and trail know it; a forged report, a delay and a second copy change nothing."""
    guests = await invited(api)
    (octets,) = taken(api, guests["second"])
    message_id = str(message_from_bytes(octets, policy=default)["Message-ID"])
    dead = api.here.registers.dead_letters
    original = f"Message-ID: {message_id}\r\nSubject: x"

    async def noted(raw: bytes) -> Any:
        bounce = parse_bounce(raw)
        assert bounce is not None
        return await note_bounce(dead, bounce, utc_now())

    assert await noted(report(failed("somebody@else.example"), original=original)) is None
    assert await noted(report(failed(guests["second"].email, "4.4.1", "delayed"), original=original)) is None
    assert await noted(report(failed(guests["second"].email))) is None
    assert await letters(api) == []
    first = await noted(report(failed(guests["second"].email, "5.2.1"), original=original))
    again = await noted(report(failed(guests["second"].email, "5.2.1"), original=original))
    assert first == again
    assert guests["second"].email not in repr(first)
    assert first.delegation == api.id
    commands = (first.command.model_dump(mode="json"),)
    await api.here.engine.execute(api.id, commands, actor="system", key=first.command_id)
    with pytest.raises(CommandRefused) as refused:
        await api.here.engine.execute(api.id, commands, actor="system", key=uuid4().hex)
    assert refused.value.refusal.code == "outcome_recorded_already"
    assert await events(api, "MailBounced") == [
        {
            "message_id": message_id,
            "status": "5.2.1",
            "kind": "itinerary_request",
            "participants": ["second"],
            "item_id": "s1",
        }
    ]
    (one,) = await letters(api, status="bounced")
    assert (one["message_id"], one["status_code"], one["bounced_at"] is None) == (message_id, "5.2.1", False)
    file = await api.here.registers.queries.get(api.id)
    assert file is not None
    assert [one.status for one in file.state.bounced] == ["5.2.1"]


async def test_pages_and_what_is_asked_wrongly(api: Api) -> None:
    """A cursor of another list, a limit beyond the largest page, a state that is none."""
    await invited(api, head="550 5.1.1 nobody", second="550 5.1.1 nobody")
    answer = (await api.ask("GET", "/dead-letters", params={"delegation": api.id, "limit": 3})).json()
    assert (len(answer["items"]), answer["next_cursor"] is None) == (3, False)
    query = {"delegation": api.id, "limit": 3, "cursor": answer["next_cursor"]}
    rest = (await api.ask("GET", "/dead-letters", params=query)).json()
    assert (len(rest["items"]), rest["next_cursor"]) == (1, None)
    numbers = [one["number"] for one in (*answer["items"], *rest["items"])]
    assert numbers == sorted(numbers, reverse=True)
    assert code(await api.ask("GET", "/dead-letters?cursor=AAAA")) == (400, "cursor_unknown")
    for wrong in ("limit=201", "status=sent", "delegation=%00", "unknown=1"):
        assert (await api.ask("GET", f"/dead-letters?{wrong}")).status_code == 422


async def test_a_reader_of_another_organisation_sees_none_of_them(api: Api) -> None:
    """Not even by naming the file."""
    await invited(api, second="550 5.1.1 nobody")
    slug = f"elsewhere-{uuid4().hex[:8]}"
    name = {"vi": "Liên hiệp khác", "en": "Another union"}
    body = {"slug": slug, "kind": "provincial_union", "name": name}
    assert (await api.ask("POST", "/institution/organisations", body, by="root")).is_success
    account = {"id": slug, "name": "Xa", "roles": ["coordinator"], "organisation": slug}
    assert (await api.ask("POST", "/accounts", account, by="root")).is_success
    made = await api.ask("POST", f"/accounts/{slug}/tokens", {}, by="root")
    api.tokens[slug] = made.json()["token"]
    assert len(await letters(api)) == 2
    assert await letters(api, by=slug) == []
    assert api.id not in (await api.ask("GET", "/dead-letters", by=slug, params={"limit": 200})).text
    resend = {"type": "resend_mail", "messages": [(await letters(api))[0]["message_id"]]}
    assert code(await api.send(resend, by=slug)) == (403, "organisation_out_of_reach")
