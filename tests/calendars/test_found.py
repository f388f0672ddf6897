"""What the model calendar brought to light, each as the one case that it was."""

import vobject

from domain import commands as c
from domain.views import seen_by
from tests.builders import at, serving
from tests.calendars.change_log import ChangeLog, address_of
from tests.calendars.model_calendar import calendar_of, everything_readable


def test_a_note_that_is_announced_is_mailed_to_those_who_read_it_and_to_nobody_else() -> None:
    """The host reads it; the delegates' views are as they were. And the mail can be written: nothing else changed."""
    log = ChangeLog()
    note = c.Note(text="The gate in the north is open", groups=("hosts",))
    log.act(c.ReviseItem(item_id="tuesday", notes=(note,), announce=True))
    sent = log.act(c.PublishProgramme())
    assert [(mail.mailbox, mail.method, mail.sequence) for mail in sent] == [(address_of("bao"), "REQUEST", 1)]
    assert "The gate in the north is open" in everything_readable(sent[0].content)
    assert log.state.told["tuesday"].holders == ("sato", "ito", "bao")


def test_a_room_for_some_hours_of_a_day_is_an_item_with_its_times() -> None:
    """A stay without a night cannot be written in whole days; it must not hold up everybody's mail."""
    log = ChangeLog()
    room = {"item_id": "room", "kind": "hotel", "title": "Room to rest", "audience": {"people": ["ito"]}}
    log.act(
        c.ScheduleItem.model_validate({**room, "starts": at("2026-04-07T12:00"), "ends": at("2026-04-07T16:00")}),
        c.PublishProgramme(),
    )
    [mail] = [mail for mail in log.ledger.values() if mail.uid.startswith("room.")]
    event = vobject.readOne(calendar_of(mail.content).decode()).vevent
    assert (event.dtstart.value.isoformat(), event.transp.value) == ("2026-04-07T12:00:00+07:00", "OPAQUE")


def test_two_behind_one_mailbox_get_one_message_with_both() -> None:
    """Lan joins Bảo's office: it hears that Lan attends too, and of the next change once; that Lan leaves, as well."""
    log = ChangeLog()
    log.act(serving("lan"), c.ReviseItem(item_id="tuesday", audience=c.Audience(people=("bao", "lan"))))
    joined = [mail for mail in log.act(c.PublishProgramme()) if mail.mailbox == "office@hue.example"]
    assert [(mail.method, mail.sequence, mail.participants) for mail in joined] == [("REQUEST", 1, ("bao", "lan"))]
    moved = c.MoveItem(item_id="tuesday", starts=at("2026-04-07T14:00"), ends=at("2026-04-07T16:00"))
    sent = log.act(moved, c.PublishProgramme())
    assert [(mail.mailbox, mail.participants) for mail in sent] == [("office@hue.example", ("bao", "lan"))]
    left = log.act(c.ReleaseParticipant(participant_id="lan"))
    assert [(mail.method, mail.participants) for mail in left] == [("REQUEST", ("bao",))]


def test_who_was_taken_off_an_item_never_sees_what_it_became() -> None:
    """Bảo leaves Tuesday; then it moves elsewhere. In his feed it stays, cancelled, as he last had it."""
    log = ChangeLog()
    log.act(c.ReviseItem(item_id="tuesday", audience=c.Audience(groups=("delegates",))), c.PublishProgramme())
    moved = {"starts": at("2026-04-07T14:00"), "ends": at("2026-04-07T16:00"), "place": "A secret house"}
    log.act(c.MoveItem.model_validate({"item_id": "tuesday", **moved}), c.PublishProgramme())
    [seen] = seen_by(log.state, "bao")
    assert (seen.cancelled, seen.view.place, seen.view.starts.local) == (True, "Friendship House", "2026-04-07T09:00")
    assert [one.view.place for one in seen_by(log.state, "ito")] == ["Friendship House", "A secret house"]
