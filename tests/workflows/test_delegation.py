"""The delegation's workflow on a real server: one way for every command, from opening to a closed file."""

from domain.state import Phase
from tests.running import Running


async def test_a_delegation_goes_from_request_to_closed_file(here: Running) -> None:
    """Every phase is reached, everybody is told once, and the run ends with the file."""
    await here.open()
    await here.add("head", "head")
    await here.add("second")
    await here.schedule("s1")
    await here.schedule("s2", day=1)
    approved = await here.approve()
    assert approved.phase is Phase.APPROVED
    await here.send({"type": "invite"})
    invited = await here.idle()
    assert invited.phase is Phase.INVITING
    assert sorted(set(here.post.calendar("REQUEST"))) == sorted(here.post.calendar("REQUEST"))
    assert len(here.post.calendar("REQUEST")) == 4
    assert invited.issues[0].sent == 4
    assert [one.kind for one in invited.rendered] == ["invitation_letter"]
