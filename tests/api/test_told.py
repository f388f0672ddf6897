"""Who was told what of an item, when, by which channel, and what they answered."""

from dataclasses import replace
from datetime import date

import pytest

from storage.feeds import Subject
from tests.api.conftest import Api, code

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_an_item_tells_who_heard_what_of_it_and_what_they_answered(api: Api) -> None:
    """Two versions for who stays, a cancellation for who left, and nothing for who takes the feed."""
    here = replace(api.here, id=api.id)
    await here.open()
    for who, role in (("sato", "head"), ("ito", "member"), ("mori", "member")):
        await here.add(who, role)
    await here.schedule("opening")
    await here.send({"type": "choose_channel", "participant_id": "mori", "channel": "feed"})
    await here.approve()
    await here.send({"type": "invite"})
    await here.idle()
    await here.send({"type": "record_reply", "participant_id": "sato", "item_id": "opening", "answer": "accepted"})
    starts = (await here.file()).items["opening"].starts.local
    later = {"starts": {"local": starts.replace("T09", "T14")}, "ends": {"local": starts.replace("T09", "T15")}}
    await here.send({"type": "move_item", "item_id": "opening", **later}, {"type": "publish_programme"})
    await here.send({"type": "withdraw_member", "member_id": "ito"})
    await here.idle()

    nothing = {"type": "choose_channel", "participant_id": "sato", "channel": "caldav"}
    refused = await api.ask("POST", f"/delegations/{api.id}/commands", nothing)
    assert code(refused) == (422, "collection_missing")
    ref = (await here.file()).people["mori"].person.ref
    feed = await here.registers.feeds.make(Subject.participant(api.id, "mori", ref), by="lan")
    await here.registers.feeds.fetched(feed, date(2026, 3, 11))

    answer = await api.ask("GET", f"/delegations/{api.id}/items/opening/told")
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert {one["participant_id"]: (one["fetched_on"], one["written"]) for one in told["people"]} == {
        "sato": (None, None),
        "ito": (None, None),
        "mori": ("2026-03-11", None),
    }
    assert told["uid"] == f"opening.{api.id}@hoihuunghi.example"
    assert (told["sequence"], told["cancelled"], told["quiet_until"]) == (2, False, None)
    assert told["view"]["starts"]["local"].endswith("T14:00")
    people = {one["participant_id"]: one for one in told["people"]}
    assert {
        who: (
            one["channel"],
            one["holds"],
            [
                (line["method"], line["sequence"], line["view"]["starts"]["local"][-5:], line["status"])
                for line in one["tellings"]
            ],
            one["answer"] and one["answer"]["answer"],
        )
        for who, one in people.items()
    } == {
        "sato": ("mail", True, [("REQUEST", 0, "09:00", "sent"), ("REQUEST", 1, "14:00", "sent")], "accepted"),
        "ito": (
            "mail",
            False,
            [("REQUEST", 0, "09:00", "sent"), ("REQUEST", 1, "14:00", "sent"), ("CANCEL", 2, "14:00", "sent")],
            None,
        ),
        "mori": ("feed", True, [], None),
    }
    assert all(line["sent_at"] and line["seq"] for one in people.values() for line in one["tellings"])
    trail = (await api.ask("GET", f"/delegations/{api.id}/events?limit=1000")).json()["items"]
    proofs = {line["seq"] for one in people.values() for line in one["tellings"]}
    assert {trail[seq - 1]["type"] for seq in proofs} == {"InvitationsIssued"}


async def test_an_item_that_nobody_was_told_of_says_so(api: Api) -> None:
    """A draft has no view; an item that is not on the file is missing."""
    here = replace(api.here, id=api.id)
    await here.open()
    await here.schedule("opening")
    told = (await api.ask("GET", f"/delegations/{api.id}/items/opening/told")).json()
    assert (told["view"], told["people"], told["sequence"]) == (None, [], 0)
    assert code(await api.ask("GET", f"/delegations/{api.id}/items/closing/told")) == (404, "item_missing")
