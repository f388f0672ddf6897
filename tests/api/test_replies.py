"""The review queue of received mail: who sees it, what it shows, and how a person settles it."""

import uuid
from typing import Any

import pytest

from calendars.received import body_of, message_id_of
from domain.state import Phase
from storage.metadata import utc_now
from storage.received_mail import Arrived, Filed
from tests.api.conftest import Api, code, opening
from tests.calendars.answers import Answered, bare, calendar, event, outlook

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def waiting(api: Api, octets: bytes, filed: Filed) -> str:
    """Put a mail into the queue and return its reference."""
    register = api.here.registers.received_mail
    arrived = Arrived(uid=1, message_id=message_id_of(octets), body=body_of(octets), octets=octets)
    (ref,) = await register.take(uuid.uuid4().hex, 1, 1, [arrived])
    await register.file(ref, filed)
    return ref


def answer(**more: Any) -> Answered:
    """An answer under a Message-ID of its own."""
    return Answered(**{"message_id": f"<{uuid.uuid4().hex}@client.example>", "sender": "alias@tokyo.example"} | more)


async def queue(api: Api, by: str = "lan") -> dict[str, dict[str, Any]]:
    """What this test's file has in the queue, by reference."""
    found = await api.ask("GET", f"/replies?delegation={api.id}&limit=50", by=by)
    assert found.status_code == 200, found.text
    return {one["mail"]: one for one in found.json()["items"]}


async def invited(api: Api) -> None:
    """Bring this test's file to where two people hold an item."""
    here = api.here
    here.id = api.id
    await here.open()
    for name, role in (("sato", "head"), ("ito", "member")):
        await here.add(name, role)
    await here.schedule("monday")
    await here.approve()
    await here.send({"type": "invite"})
    await here.until(Phase.INVITING)


async def test_a_mail_shows_what_it_says_and_for_whom_it_may_be(api: Api) -> None:
    """An answer with its comment; a proposal with its time; what cannot be read with its reason alone."""
    await api.open()
    said = await waiting(
        api,
        outlook(answer(partstat="TENTATIVE", sequence=2, comment="Có thể")),
        Filed("review", "reply", "sender_unknown", api.id, "monday", ("ito",)),
    )
    counter = bare(answer(), calendar(*event(answer()), method="COUNTER").encode(), "text/calendar; method=COUNTER")
    proposed = await waiting(api, counter, Filed("review", "counter", "counter_proposed", api.id, "monday", ("ito",)))
    letter = answer().head("text/plain") + b"I cannot come"
    read = await waiting(api, letter, Filed("review", "unreadable", "no_calendar", api.id))
    shown = await queue(api)
    assert list(shown) == [said, proposed, read]
    one = shown[said]
    assert one.pop("received_at") <= utc_now().isoformat()
    assert one == {
        "mail": said,
        "kind": "reply",
        "reason": "sender_unknown",
        "delegation": api.id,
        "item_id": "monday",
        "participants": ["ito"],
        "sender": "alias@tokyo.example",
        "attendee": "ito@tokyo.example",
        "subject": "Trả lời: TENTATIVE",
        "answer": "tentative",
        "sequence": 2,
        "comment": "Có thể",
        "starts": "",
        "ends": "",
    }
    assert (shown[proposed]["starts"], shown[proposed]["ends"]) == ("2026-04-06T02:00Z", "2026-04-06T03:00Z")
    assert (shown[read]["answer"], shown[read]["sender"]) == (None, "alias@tokyo.example")
    assert code(await api.ask("GET", "/replies", by="an")) == (403, "role_not_allowed")
    assert code(await api.ask("GET", "/replies?cursor=AAAA")) == (400, "cursor_unknown")


async def test_a_settled_mail_is_the_answer_of_those_it_was_settled_for(api: Api) -> None:
    """Once, by whom stands in the trail and in the log; another coordinator comes too late."""
    await invited(api)
    mail = await waiting(
        api, outlook(answer()), Filed("review", "reply", "mailbox_shared", api.id, "monday", ("sato", "ito"))
    )
    body = {"participants": ["sato", "ito"], "answer": "accepted"}
    for _ in range(2):
        settled = await api.ask("POST", f"/replies/{mail}/settle", body, key=f"settle-{api.id}")
        assert settled.status_code == 200, settled.text
        assert settled.json()["types"] == ["ReplyRecorded", "ReplyRecorded"]
    assert mail not in await queue(api)
    events = (await api.ask("GET", f"/delegations/{api.id}/events?limit=1000")).json()["items"]
    recorded = [one for one in events if one["type"] == "ReplyRecorded"]
    assert [(one["actor"], one["data"]) for one in recorded] == [
        ("lan", {"participant_id": who, "answer": "accepted", "item_id": "monday", "via": "mail"})
        for who in ("sato", "ito")
    ]
    log = (await api.ask("GET", "/institution/log/received_mail", by="an")).json()
    assert (log["items"][-1]["change"], log["items"][-1]["entry"]) == ("mail_settled", mail)
    dismissed = await api.ask("POST", f"/replies/{mail}/dismiss", by="root")
    assert code(dismissed) == (409, "received_mail_settled")


async def test_a_mail_about_no_known_file_is_settled_for_the_one_that_is_named(api: Api) -> None:
    """Or dismissed; what the file refuses leaves it in the queue."""
    await invited(api)
    mail = await waiting(api, outlook(answer()), Filed("review", "reply", "uid_unknown"))
    settle = f"/replies/{mail}/settle"
    body = {"participants": ["ito"], "answer": "declined", "item_id": "monday"}
    assert code(await api.ask("POST", settle, body)) == (422, "received_mail_without_file")
    wrong = body | {"delegation": api.id, "item_id": "friday"}
    assert code(await api.ask("POST", settle, wrong)) == (422, "item_unknown")
    settled = await api.ask("POST", settle, body | {"delegation": api.id})
    assert settled.status_code == 200, settled.text
    letter = await api.here.registers.received_mail.get(mail)
    assert letter is not None
    assert (letter.outcome, letter.settled_by, letter.delegation_id) == ("settled", "lan", api.id)
    other = await waiting(api, outlook(answer()), Filed("review", "reply", "uid_unknown"))
    for _ in range(2):
        gone = await api.ask("POST", f"/replies/{other}/dismiss", by="root")
        assert (gone.status_code, gone.json()) == (200, {"mail": other, "outcome": "dismissed"})
    assert code(await api.ask("POST", f"/replies/{other}/settle", body)) == (409, "received_mail_settled")
    assert code(await api.ask("POST", "/replies/rcv_nothing/dismiss")) == (404, "received_mail_unknown")


async def test_whose_reach_ends_sees_the_mail_of_the_files_in_it_alone(api: Api) -> None:
    """Neither others' mail nor what is about no file; and settles and dismisses none of it."""
    mark = uuid.uuid4().hex[:8]
    for slug in (f"near-{mark}", f"far-{mark}"):
        made = {"slug": slug, "kind": "provincial_union", "name": {"vi": slug, "en": slug}}
        assert (await api.ask("POST", "/institution/organisations", made, by="root")).status_code == 201
        opened = await api.ask("POST", "/delegations", opening(id=slug, organisation=slug))
        assert opened.status_code == 201, opened.text
    account = {"id": f"near-{mark}", "name": "Near", "roles": ["coordinator"], "organisation": f"near-{mark}"}
    assert (await api.ask("POST", "/accounts", account, by="root")).status_code == 201
    api.tokens["near"] = (await api.ask("POST", f"/accounts/near-{mark}/tokens", {}, by="root")).json()["token"]
    about = {slug: Filed("review", "reply", "sender_unknown", slug) for slug in (f"near-{mark}", f"far-{mark}")}
    near, far = [await waiting(api, outlook(answer()), filed) for filed in about.values()]
    nobody_s = await waiting(api, outlook(answer()), Filed("review", "reply", "uid_unknown"))
    found = (await api.ask("GET", "/replies?limit=50", by="near")).json()["items"]
    assert [one["mail"] for one in found] == [near]
    body = {"participants": ["ito"], "answer": "declined", "delegation": f"near-{mark}"}
    for mail, expected in ((far, (403, "organisation_out_of_reach")), (nobody_s, (404, "received_mail_unknown"))):
        assert code(await api.ask("POST", f"/replies/{mail}/settle", body, by="near")) == expected
        assert code(await api.ask("POST", f"/replies/{mail}/dismiss", by="near")) == expected
