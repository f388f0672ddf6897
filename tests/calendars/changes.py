"""Strategies for what changes a programme and its people; each word that is made up occurs in one step only."""

from collections.abc import Callable, Sequence

from hypothesis import strategies as st

from domain import commands as c
from domain.state import Delegation
from domain.values import Value
from tests.builders import at, member, person, serving

Make = Callable[[int, Delegation], tuple[Value, ...]]
"""Commands of one step, from its number and the file as it stands; none where there is nobody or nothing to change."""

DELEGATES = ("sato", "ito", "kato", "mori")
SERVING = ("bao", "lan", "chi")
INDEX = st.integers(0, 99)
GROUPS = st.lists(st.sampled_from(["delegates", "delegates", "hosts", "drivers"]), unique=True, max_size=2)
TIMES = st.tuples(st.integers(6, 11), st.integers(8, 20), st.sampled_from(["Asia/Ho_Chi_Minh", "Asia/Tokyo"]))


def item_of(state: Delegation, index: int) -> str | None:
    """Return one of the items that stand."""
    standing = [item.id for item in state.items.values() if not item.cancelled]
    return standing[index % len(standing)] if standing else None


def person_of(state: Delegation, index: int, delegates: bool) -> str | None:
    """Return one of those who are on the file."""
    here = [one.id for one in state.people.values() if one.active and one.delegate is delegates]
    return here[index % len(here)] if here else None


def on_the_file(state: Delegation, name: str) -> bool:
    """Return whether somebody is on the file now, under whatever id: nobody is there twice."""
    return any(one.active and one.person == person(name) for one in state.people.values())


def audience_of(state: Delegation, groups: Sequence[str], people: Sequence[int]) -> dict[str, object]:
    """Return an audience of groups and of some who are on the file."""
    everybody = list(state.people)
    return {"groups": groups, "people": sorted({everybody[index % len(everybody)] for index in people})}


def span(times: tuple[int, int, str]) -> dict[str, object]:
    """Return a start, and an end an hour and a half later."""
    day, hour, zone = times
    return {
        "starts": at(f"2026-04-{day:02}T{hour:02}:00", zone),
        "ends": at(f"2026-04-{day:02}T{hour + 1:02}:30", zone),
    }


def _schedule(times: tuple[int, int, str], groups: list[str], people: list[int], stay: bool, drafted: bool) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        said = {"item_id": f"item-{number}", "title": f"Title-{number}-", "place": f"Place-{number}-"}
        when = (
            {"kind": "hotel", "starts": at("2026-04-06T14:00"), "ends": at("2026-04-09T12:00")} if stay else span(times)
        )
        audience = {"audience": audience_of(state, groups, people), "published": not drafted}
        return (c.ScheduleItem.model_validate(said | when | audience),)

    return made


def _move(index: int, times: tuple[int, int, str], elsewhere: bool) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        if (item := item_of(state, index)) is None:
            return ()
        place = {"place": f"Place-{number}-"} if elsewhere else {}
        return (c.MoveItem.model_validate({"item_id": item} | span(times) | place),)

    return made


def _revise(index: int, announce: bool | None, said: Callable[[int, Delegation], dict[str, object]]) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        if (item := item_of(state, index)) is None:
            return ()
        more = {} if announce is None else {"announce": announce}
        return (c.ReviseItem.model_validate({"item_id": item} | said(number, state) | more),)

    return made


def _cancel(index: int) -> Make:
    return lambda number, state: (c.CancelItem(item_id=item),) if (item := item_of(state, index)) else ()


def _join(name: str) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        if on_the_file(state, name):
            return ()
        new = name if name not in state.people else f"{name}-{number}"
        return (member(new, person=person(name)),)

    return made


def _serve(name: str, role: c.ServiceRole) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        if on_the_file(state, name):
            return ()
        new = name if name not in state.people else f"{name}-{number}"
        return (serving(new, role).model_copy(update={"person": person(name)}),)

    return made


def _leave(index: int, delegates: bool) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        who = person_of(state, index, delegates)
        if who is None:
            return ()
        return (c.WithdrawMember(member_id=who) if delegates else c.ReleaseParticipant(participant_id=who),)

    return made


def _replace(index: int, name: str) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        who = person_of(state, index, delegates=True)
        if who is None or on_the_file(state, name):
            return ()
        return (c.ReplaceMember(member_id=who, by=f"{name}-{number}", person=person(name), country="JP"),)

    return made


def _channel(index: int, channel: c.Channel) -> Make:
    def made(number: int, state: Delegation) -> tuple[Value, ...]:
        here = [one.id for one in state.people.values() if one.active]
        return (c.ChooseChannel(participant_id=here[index % len(here)], channel=channel),) if here else ()

    return made


def _publish(number: int, state: Delegation) -> tuple[Value, ...]:
    return (c.PublishProgramme(),)


PUBLISH: Make = _publish

JOINING = st.one_of(
    st.builds(_join, st.sampled_from(DELEGATES)),
    st.builds(_serve, st.sampled_from(SERVING), st.sampled_from(["host", "driver", "escort", "coordinator"])),
)


def _word(index: int, announce: bool, field: str) -> Make:
    return _revise(index, announce, lambda number, state: {field: f"{field.capitalize()}-{number}-"})


def _notes(index: int, announce: bool, groups: list[str], people: list[int]) -> Make:
    def said(number: int, state: Delegation) -> dict[str, object]:
        return {"notes": [{"text": f"Note-{number}-", **audience_of(state, groups, people)}]}

    return _revise(index, announce, said)


def _audience(index: int, groups: list[str], people: list[int]) -> Make:
    return _revise(index, None, lambda number, state: {"audience": audience_of(state, groups, people)})


def _shown(index: int, published: bool) -> Make:
    return _revise(index, None, lambda number, state: {"published": published})


def logs(*, announced: bool = False) -> st.SearchStrategy[list[Make]]:
    """Return logs of up to 28 steps; with `announced` every change of words is to be mailed."""
    people = st.lists(INDEX, max_size=2)
    announce = st.just(True) if announced else st.booleans()
    pool = [
        st.builds(_schedule, TIMES, GROUPS, people, st.booleans(), st.booleans()),
        st.builds(_move, INDEX, TIMES, st.booleans()),
        st.builds(_word, INDEX, announce, st.sampled_from(["title", "place"])),
        st.builds(_notes, INDEX, announce, GROUPS, people),
        st.builds(_audience, INDEX, GROUPS, people),
        st.builds(_shown, INDEX, st.booleans()),
        st.builds(_cancel, INDEX),
        JOINING,
        JOINING,
        st.builds(_leave, INDEX, st.booleans()),
        st.builds(_replace, INDEX, st.sampled_from(DELEGATES)),
        st.builds(_channel, INDEX, st.sampled_from(["mail", "mail", "feed", "caldav"])),
    ]
    # Each third change is published at once: drafts of several changes, and quick successions of publications.
    step = st.tuples(st.one_of(pool), st.integers(0, 2))
    return st.lists(step, min_size=3, max_size=14).map(
        lambda steps: [make for one, pause in steps for make in ((one, PUBLISH) if pause == 0 else (one,))]
    )
