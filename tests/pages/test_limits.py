"""What a field of a form may hold is what the command takes."""

from api.pages.limits import Limit, limits_of
from domain.commands import AddMember, OpenDelegation, ReviseRequest, ScheduleItem


def test_limits_are_those_of_the_command() -> None:
    """Length, bounds, choices and whether it must be there, each from the command's own schema."""
    found = limits_of(OpenDelegation)
    assert found["title"] == Limit("text", required=True, longest=300)
    assert found["direction"] == Limit("choice", required=True, choices=("inbound", "outbound"))
    assert found["starts"] == Limit("day", required=True)
    assert found["key_leaders"] == Limit("number", required=False, least=0, most=50)
    assert found["places"] == Limit("lines", required=False, longest=300, most=60)
    assert found["provincial_chair"] == Limit("yes", required=False)
    assert found["stays"] == Limit("other", required=False)
    assert "type" not in found


def test_what_may_be_left_out_has_the_limit_of_what_may_be_said() -> None:
    """`null` is no kind of its own."""
    assert limits_of(ReviseRequest)["title"] == Limit("text", required=False, longest=300)
    assert limits_of(ReviseRequest)["grade"] == Limit("choice", required=False, choices=("A", "B", "C"))
    assert limits_of(AddMember)["person"] == Limit("other", required=True)
    assert limits_of(ScheduleItem)["place"] == Limit("text", required=False, longest=300)
