"""A small inbound delegation's whole way, on an installation that the test runs itself."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from domain.state import Delegation, Phase
from tests.running import Running


async def to_the_end(here: Running) -> Delegation:
    """Invite two delegates to two sessions, move the second session, let the second delegate drop out, and close."""
    await here.open()
    await here.add("head", "head")
    await here.add("second")
    await here.schedule("s1")
    await here.schedule("s2", day=1)
    await here.approve()
    await here.send({"type": "invite"})
    invited = await here.idle()
    item = invited.items["s2"]
    starts = {"local": item.starts.local.replace("T09", "T14")}
    ends = {"local": item.ends.local.replace("T10", "T15")}
    await here.send({"type": "move_item", "item_id": "s2", "starts": starts, "ends": ends})
    await here.send({"type": "publish_programme"})
    await here.idle()
    await here.send({"type": "withdraw_member", "member_id": "second"})
    await here.idle()
    await here.clock.advance(here.id, _at(invited.starts, 8, invited.zone))
    await here.send({"type": "depart"})
    await here.clock.advance(here.id, _at(invited.ends, 18, invited.zone))
    await here.send({"type": "conclude"})
    await here.send({"type": "file_report", "results": await here.text("Đoàn đã làm việc với ba sở.")})
    report = (await here.idle()).report
    assert report is not None
    await here.send({"type": "accept_report", "report_digest": report.digest}, by="mai")
    await here.send({"type": "close_delegation"})
    await here.client.get_workflow_handle(here.id).result()
    return await here.until(Phase.CLOSED)


def _at(day: date, hour: int, zone: str) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)
