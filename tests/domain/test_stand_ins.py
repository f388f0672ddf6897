"""Leave moves what waits to the substitute's desk at its beginning, and back at its end: sealed when it changes."""

from datetime import datetime
from typing import Any

import pytest
from hypothesis import given as forall
from hypothesis import strategies as st

from domain import commands as c
from domain import events as e
from domain.desk import Substitute, desks
from domain.institution import StandIn
from domain.stand_ins import ASKING
from tests.builders import (
    DEPARTMENT_HEAD,
    THE_SYSTEM,
    VICE_PRESIDENT,
    amending,
    dossier,
    drafted,
    instant,
    person,
    reported,
    reporting,
    sign,
    submitted,
    text,
)
from tests.domain.every_command import ALL
from tests.domain.given import Given, given

BEGINS, ENDS = "2026-03-02T00:00", "2026-03-09T00:00"


def away(
    position: str = "department_head", since: str = BEGINS, until: str = ENDS, leave: str = "lea_one", **more: Any
) -> StandIn:
    """A leave of whoever holds a position; the substitute has the name `deputy`."""
    usual = {"account": position.replace("_", "-"), "substitute": "deputy"}
    return StandIn.model_validate(
        {"position": position, "leave": leave, "since": instant(since), "until": instant(until)} | usual | more
    )


def noted(one: StandIn, what: str | None = None) -> e.DeskStandIn:
    """What a file says of a leave that touches a step named like the position."""
    shown = one.model_dump(exclude={"person", "substitute_person"})
    return e.DeskStandIn(what=what or one.position, **shown)


def moved(one: StandIn, what: str | None = None) -> e.DeskMoved:
    """The event of its beginning."""
    return e.DeskMoved(
        what=what or one.position,
        position=one.position,
        to=one.substitute,
        on_behalf_of=one.account,
        leave=one.leave,
        until=one.until,
    )


def returned(one: StandIn, what: str | None = None) -> e.DeskReturned:
    """The event of its end."""
    return e.DeskReturned(
        what=what or one.position,
        position=one.position,
        account=one.account,
        substitute=one.substitute,
        leave=one.leave,
    )


def registered(going: Given, *stand_ins: StandIn) -> Given:
    """Let the registers say this of leave from now on."""
    going.play.stand_ins = stand_ins
    return going


def in_force(going: Given) -> list[tuple[str, str]]:
    """The desks that lie with a substitute now."""
    return [(one.what, one.substitute) for one in going.state.stand_ins if one.in_force]


def test_a_leave_registered_while_a_step_waits_moves_its_desk_at_once() -> None:
    """And only once: what the file knows already is not sealed again."""
    one = away()
    going = registered(given(*submitted()), one)
    review = going.when(c.ReviewDesks(), at="2026-03-03T09:00")
    review.then(e.StandInsNoted(stand_ins=(noted(one),)), moved(one))
    [desk] = desks(review.state)
    assert desk.substitutes == (
        Substitute(
            account="department-head",
            substitute="deputy",
            leave="lea_one",
            since=one.since,
            until=one.until,
            in_force=True,
        ),
    )
    assert (desk.position, desk.since) == ("department_head", instant("2026-02-25T16:30"))
    going.when(c.ReviewDesks(), at="2026-03-03T10:00").then()


def test_a_leave_to_come_moves_the_desk_at_its_beginning_and_back_at_its_end() -> None:
    """By the file's own clock: nobody has to send anything."""
    one = away()
    going = registered(given(*submitted()), one)
    going.when(c.ReviewDesks(), at="2026-02-26T09:00").then(e.StandInsNoted(stand_ins=(noted(one),)))
    assert in_force(going) == []
    [desk] = desks(going.state)
    assert [(known.substitute, known.since, known.in_force) for known in desk.substitutes] == [
        ("deputy", one.since, False)
    ]
    going.wait("2026-03-01T23:59")
    assert in_force(going) == []
    going.wait(BEGINS)
    assert in_force(going) == [("department_head", "deputy")]
    assert going.play.log[-1].events[-1].actor == "system"
    going.wait(ENDS)
    assert going.state.stand_ins == ()
    sealed = [event for played in going.play.log for event in played.events if event.type.startswith("Desk")]
    assert [(event.type, event.instant) for event in sealed] == [
        ("DeskMoved", instant(BEGINS)),
        ("DeskReturned", instant(ENDS)),
    ]


def test_a_leave_that_began_and_ended_while_the_file_slept_is_sealed_and_nobody_is_told() -> None:
    """The trail is whole, the mail would be late."""
    one = away()
    going = registered(given(*submitted()), one).further(c.ReviewDesks())
    woken = going.when(c.Tick(), at="2026-03-20T09:00")
    assert (woken.of(e.DeskMoved), woken.of(e.DeskReturned)) == ((moved(one),), (returned(one),))
    assert "step_waits" not in {effect.args.get("notice") for effect in woken.effects}


def test_a_step_that_opens_during_a_leave_lies_with_the_substitute_from_the_beginning() -> None:
    """Whether it is the first of the chain, or comes with the signature before it. Holder and substitute are told."""
    first, second = away(), away("vice_president", leave="lea_two", substitute="other")
    going = registered(given(*drafted()), first, second)
    done = going.when(c.SubmitRequest(), at="2026-03-03T09:00")
    done.then(e.RequestSubmitted, e.StandInsNoted(stand_ins=(noted(first),)), moved(first))
    told = [(one.args["notice"], one.key.rpartition(":")[0]) for one in done.effects]
    assert told == [("step_waits", "step:1"), ("step_waits", "desk:department_head:deputy")]
    signed = going.when(sign("department_head", DEPARTMENT_HEAD, "2026-03-04T09:00"))
    signed.then(e.StepSigned, e.StandInsNoted(stand_ins=(noted(second),)), moved(second))
    assert in_force(going) == [("vice_president", "other")]
    last = going.when(sign("vice_president", VICE_PRESIDENT))
    last.then(e.StepSigned)
    assert last.state.stand_ins == ()


def test_a_revoked_leave_gives_the_desk_back_at_once() -> None:
    """In force it is returned; to come it is only forgotten."""
    one, later = away(), away(leave="lea_two", since="2026-04-01T00:00", until="2026-04-08T00:00")
    going = registered(given(*submitted()), one, later).further(c.ReviewDesks()).wait("2026-03-03T09:00")
    assert in_force(going) == [("department_head", "deputy")]
    registered(going, later).when(c.ReviewDesks(), at="2026-03-04T09:00").then(returned(one))
    registered(going).when(c.ReviewDesks()).then(e.StandInsNoted(stand_ins=()))
    assert going.state.stand_ins == ()


def test_another_end_is_noted_and_kept() -> None:
    """Longer or shorter: the desk stays where it is, and returns at the new end."""
    going = registered(given(*submitted()), away()).further(c.ReviewDesks()).wait("2026-03-03T09:00")
    shorter = away(until="2026-03-05T00:00")
    registered(going, shorter).when(c.ReviewDesks(), at="2026-03-03T10:00").then(
        e.StandInsNoted(stand_ins=(noted(shorter),))
    )
    assert in_force(going) == [("department_head", "deputy")]
    assert in_force(going.wait("2026-03-04T23:59")) == [("department_head", "deputy")]
    assert going.state.next_wake == shorter.until
    going.wait("2026-03-05T00:00")
    assert going.state.stand_ins == ()


@pytest.mark.parametrize(
    "nobody",
    [
        away(substitute="coordinator"),
        away(substitute_person=person("sato").ref),
        away(person=person("ito").ref),
        away(account="coordinator"),
        away("president"),
        away(until="2026-02-20T00:00", since="2026-02-19T00:00"),
    ],
    ids=["own request", "own trip", "trip of who is away", "request of who is away", "other desk", "over"],
)
def test_who_could_not_sign_anyway_does_not_stand_in(nobody: StandIn) -> None:
    """As at the instant of signing: nothing is sealed of such a leave."""
    registered(given(*submitted()), nobody).when(c.ReviewDesks()).then()


def test_who_signed_another_step_does_not_stand_in_at_the_next() -> None:
    """Four eyes: neither who signed, nor for somebody who did."""
    second = away("vice_president", substitute="department-head", until="2026-06-01T00:00")
    going = registered(given(*submitted()), second)
    going.when(sign("department_head", DEPARTMENT_HEAD)).then(e.StepSigned)


def test_what_is_sent_back_leaves_every_desk_and_nothing_of_the_leave_stays() -> None:
    """A later proposal finds it anew."""
    one = away(until="2026-06-01T00:00")
    going = registered(given(*submitted()), one).wait("2026-03-03T09:00").further(c.ReviewDesks())
    back = c.ReturnStep(step_id="department_head", dossier_digest=dossier(going.state), kind="amend", reason=text())
    going.when(back, by=DEPARTMENT_HEAD).then(e.StepReturned)
    assert going.state.stand_ins == ()
    going.when(c.SubmitRequest()).then(e.RequestSubmitted, e.StandInsNoted, moved(one))


def test_a_report_that_waits_moves_too() -> None:
    """Its notice is one of its own, to who holds the position and to the substitute."""
    one = away("vice_president", since="2026-04-10T00:00", until="2026-05-01T00:00")
    going = registered(given(*reporting()), one)
    filed = going.when(c.FileReport(results=text("results")), at="2026-04-14T09:00")
    filed.then(e.ReportFiled, e.StandInsNoted(stand_ins=(noted(one, "report"),)), moved(one, "report"))
    told = [one.key.rpartition(":")[0] for one in filed.effects if one.args.get("notice") == "report_waits"]
    assert told == ["report-waits", "desk:report:deputy"]
    own = away("vice_president", substitute="coordinator", since="2026-04-10T00:00", until="2026-05-01T00:00")
    registered(given(*reported()), own).when(c.ReviewDesks()).then()


def test_who_is_back_and_who_stood_in_hear_that_the_leave_is_over_while_it_still_waits() -> None:
    """At its end; not where the file has left the desk meanwhile, nor where somebody else stands in at once."""
    one = away(until="2026-03-05T00:00")
    going = registered(given(*submitted()), one).wait("2026-03-03T09:00").further(c.ReviewDesks())
    over = going.when(c.Tick(), at="2026-03-05T00:00")
    over.then(e.DeskReturned)
    assert [effect.args for effect in over.effects if effect.args["notice"] == "desk_returned"] == [
        {"notice": "desk_returned", "step": "department_head", "to": to, "back": "department-head"}
        for to in ("department-head", "deputy")
    ]
    going = registered(given(*submitted()), one).wait("2026-03-03T09:00").further(c.ReviewDesks())
    done = going.when(sign("department_head", DEPARTMENT_HEAD), at="2026-03-06T09:00")
    assert "desk_returned" not in {effect.args.get("notice") for effect in done.effects}


def test_the_step_of_a_change_after_the_decision_moves_too() -> None:
    """Not for who submitted the change; its notice is that of any step."""
    going = given(*amending())
    [desk] = desks(going.state)
    assert desk.position is not None
    one = away(desk.position, since="2026-03-01T00:00", until="2026-12-01T00:00")
    own = one.model_copy(update={"substitute": "coordinator", "leave": "lea_own"})
    review = registered(going, own, one).when(c.ReviewDesks())
    review.then(e.StandInsNoted(stand_ins=(noted(one, desk.what),)), moved(one, desk.what))
    assert [effect.args for effect in review.effects] == [
        {"notice": "step_waits", "step": desk.what, "to": "deputy", "on_behalf_of": one.account}
    ]


def test_a_review_is_the_system_s_alone_and_is_taken_in_every_phase() -> None:
    """Where nothing waits it changes nothing; without an answer of the registers neither."""
    given(*submitted()).when(c.ReviewDesks(), by=DEPARTMENT_HEAD).then_refused("role_may_not")
    registered(given(*drafted()), away()).when(c.ReviewDesks(), by=THE_SYSTEM, at="2026-03-03T09:00").then()
    given(*submitted()).when(c.ReviewDesks()).then()


def test_the_commands_that_ask_who_is_on_leave_exist() -> None:
    """A command that was renamed would no longer ask."""
    assert set(ALL) >= ASKING


HOURS = st.integers(min_value=0, max_value=24 * 30)


@forall(st.lists(st.tuples(HOURS, HOURS), max_size=4), st.lists(HOURS, min_size=1, max_size=5))
def test_at_every_instant_exactly_the_leaves_in_force_have_moved_the_desk(
    periods: list[tuple[int, int]], reviews: list[int]
) -> None:
    """However leaves lie, and whenever the file is told of them."""
    start = instant("2026-02-26T00:00")

    def at(hour: int) -> datetime:
        return datetime.fromtimestamp(start.timestamp() + hour * 3600, start.tzinfo)

    leaves = tuple(
        away(leave=f"lea_{place}").model_copy(update={"since": at(first), "until": at(first + length + 1)})
        for place, (first, length) in enumerate(periods)
    )
    going = registered(given(*submitted()), *leaves)
    for hour in sorted(reviews):
        going.play.wait(at(hour))
        going.play.decide("review", THE_SYSTEM, ({"type": "review_desks"},), at(hour))
        expected = [one.leave for one in leaves if one.since <= at(hour) < one.until]
        assert [one.leave for one in going.state.stand_ins if one.in_force] == expected
        assert all(at(hour) < one.until for one in going.state.stand_ins)
    going.play.wait(at(24 * 90))
    assert going.state.stand_ins == ()
