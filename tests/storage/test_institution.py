"""The registers of organisations, positions, tenures and leave: nothing overwritten, nothing contradictory taken."""

import asyncio
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from domain.bilingual import Bilingual
from domain.institution import Organisation, Position
from storage.accounts import AccountDetails, Accounts
from storage.engine import Database
from storage.institution import Institution
from storage.keyring import Keyring
from storage.leaves import Leaves, leaves
from storage.metadata import utc_now
from storage.register_log import ChangeRefused, RegisterLog
from storage.tenures import Tenures, tenures

START = datetime(2026, 3, 1, tzinfo=UTC)
NAME = Bilingual(vi="Liên hiệp", en="Union")


def day(number: int) -> datetime:
    """An instant, so many days after 1 March 2026."""
    return START + timedelta(days=number)


def union(slug: str, parent: str | None = None, since: int = 0, **more: Any) -> Organisation:
    """An organisation from a day on."""
    usual = {"slug": slug, "kind": "provincial_union", "parent": parent, "name": NAME, "since": day(since)}
    return Organisation.model_validate(usual | more)


async def refused(change: Awaitable[object], code: str) -> None:
    """Assert that a change is refused by this code."""
    with pytest.raises(ChangeRefused) as raised:
        await change
    assert raised.value.code == code


@pytest.fixture
async def people(database: Database, keyring: Keyring) -> None:
    """Three approvers, one of whom is president."""
    accounts = Accounts(database, keyring)
    for account, held in (("mai", ("president",)), ("hung", ()), ("an", ())):
        await accounts.create(AccountDetails(id=account, name=account, roles=("approver",), positions=held))


async def test_an_organisation_that_changes_is_another_entry_of_its_slug(database: Database) -> None:
    """What it was until then stays; the end it had stays the end."""
    register = Institution(database)
    await register.add_organisation(union("central", kind="central_union"), by="root")
    await register.add_organisation(union("song-lam", "central", until=day(100)), by="root")
    renamed = union("song-lam", "central", 10, name=Bilingual(vi="Tên mới", en="New name"))
    changed = await register.change_organisation(renamed, by="root")
    assert await register.organisations() == [
        union("central", kind="central_union"),
        union("song-lam", "central", until=day(10)),
        changed,
    ]
    assert changed == renamed.model_copy(update={"until": day(100)})
    assert await register.subtree("central", day(9)) == {"central", "song-lam"}
    assert await register.lineage("song-lam", day(10)) == ("song-lam", "central")


async def test_an_organisation_ends_when_nothing_stands_below_it_any_more(database: Database) -> None:
    """Its parts first."""
    register = Institution(database)
    await register.add_organisation(union("central"), by="root")
    await register.add_organisation(union("song-lam", "central"), by="root")
    await refused(register.end_organisation("central", day(5), by="root"), "organisation_in_use")
    await register.end_organisation("song-lam", day(5), by="root")
    assert (await register.end_organisation("central", day(5), by="root")).until == day(5)
    await refused(register.end_organisation("central", day(6), by="root"), "organisation_unknown")
    await refused(register.add_organisation(union("hue", "central", 6), by="root"), "parent_unknown")


async def test_what_ends_is_given_to_its_successor(database: Database, keyring: Keyring) -> None:
    """Without one it ends only where nothing goes on; what is held at it ends with it."""
    register, now = Institution(database), utc_now()
    start, soon = now - timedelta(days=30), now + timedelta(days=3)
    for slug in ("central", "ninh-binh", "nam-ha"):
        parent = None if slug == "central" else "central"
        await register.add_organisation(union(slug, parent, since=-10_000), by="root")
    holder = AccountDetails(
        id="vinh", name="Vinh", roles=("approver",), organisation="ninh-binh", positions=("president",)
    )
    await Accounts(database, keyring).create(holder)
    with pytest.raises(ChangeRefused) as raised:
        await register.end_organisation("ninh-binh", soon, by="root")
    assert (raised.value.code, raised.value.params) == ("organisation_needs_successor", {"files": 0, "tenures": 1})
    ended = await register.end_organisation("ninh-binh", soon, successor="nam-ha", by="root")
    assert (ended.until, ended.successor) == (soon, "nam-ha")
    [tenure] = await Tenures(database).known(account="vinh")
    assert (tenure.organisation, tenure.until) == ("ninh-binh", soon)
    assert await register.lineage("ninh-binh", now) == ("ninh-binh", "central")
    assert await register.lineage("ninh-binh", soon) == ("ninh-binh", "nam-ha", "central")
    assert "ninh-binh" in await register.subtree("nam-ha", soon)
    await refused(register.hold("vinh", "president", soon, None, by="root"), "position_unknown")
    await register.add_position(Position(slug="president", title=NAME), by="root")
    await refused(register.hold("vinh", "president", soon, None, by="root"), "organisation_unknown")
    assert start < now
    assert (await register.hold("vinh", "president", start, now, by="root")).until == now


async def test_a_position_is_renamed_and_ended_once_nobody_holds_it(database: Database, keyring: Keyring) -> None:
    """Nor is it given to anybody then; its desk is given up once it is vacant, and only where there is one."""
    register, accounts = Institution(database), Accounts(database, keyring)
    await register.add_organisation(union("central"), by="root")
    await register.add_position(Position(slug="clerk", title=NAME), by="root")
    corrected = await register.rename_position("clerk", Bilingual(vi="Văn thư", en="Clerk"), by="root")
    assert corrected.title.en == "Clerk"
    await accounts.create(AccountDetails(id="vinh", name="Vinh", roles=("approver",), organisation="central"))
    long_ago = utc_now() - timedelta(days=9)
    tenure = await register.hold("vinh", "clerk", long_ago, None, by="root")
    await refused(register.close_desk("clerk", "central", by="root"), "position_held")
    await refused(register.end_position("clerk", by="root"), "position_held")
    await Tenures(database).end(tenure.id, utc_now(), by="root")
    await refused(register.close_desk("clerk", "nowhere", by="root"), "desk_unknown")
    await register.close_desk("clerk", "central", by="root")
    await refused(register.close_desk("clerk", "central", by="root"), "desk_unknown")
    ended = await register.end_position("clerk", by="root")
    assert ended.ended_at is not None
    assert await register.positions() == [ended]
    await refused(register.end_position("clerk", by="root"), "position_ended")
    await refused(register.hold("vinh", "clerk", utc_now(), None, by="root"), "position_ended")
    await refused(register.rename_position("nothing", NAME, by="root"), "position_unknown")
    log = await RegisterLog(database).entries("positions")
    assert [one.type for one in log] == ["position_added", "position_renamed", "desk_closed", "position_ended"]


async def test_what_contradicts_the_tree_is_refused_and_leaves_nothing(database: Database) -> None:
    """By name; the register is as it was."""
    register = Institution(database)
    await register.add_organisation(union("central"), by="root")
    await register.add_organisation(union("song-lam", "central"), by="root")
    before = await register.organisations()
    await refused(register.add_organisation(union("central", since=5), by="root"), "organisation_exists")
    await refused(register.add_organisation(union("hue", "nowhere"), by="root"), "parent_unknown")
    await refused(register.change_organisation(union("central", "song-lam", 5), by="root"), "organisation_cycle")
    await refused(register.change_organisation(union("central", since=0), by="root"), "period_backwards")
    await refused(register.change_organisation(union("hue", since=5), by="root"), "organisation_unknown")
    assert await register.organisations() == before


async def test_a_position_is_entered_once_in_an_organisation_that_there_is(database: Database) -> None:
    """Or in none, where several have one like it."""
    register = Institution(database)
    title = Bilingual(vi="Chủ tịch", en="President")
    president = Position(slug="president", title=title)
    await register.add_position(president, by="root")
    await refused(register.add_position(president, by="root"), "position_exists")
    elsewhere = Position(slug="secretary", organisation="nowhere", title=title)
    await refused(register.add_position(elsewhere, by="root"), "organisation_unknown")
    await register.add_organisation(union("nowhere"), by="root")
    await register.add_position(elsewhere, by="root")
    assert await register.positions() == [president, elsewhere]


@pytest.mark.usefixtures("people")
async def test_a_position_is_held_for_a_period_and_given_up(database: Database) -> None:
    """The entry as it was before stands beside the one that replaced it."""
    register = Institution(database)
    await register.add_position(Position(slug="finance", title=NAME), by="root")
    now = utc_now()
    past, later = now - timedelta(days=1), now + timedelta(days=1)
    held = await register.hold("hung", "finance", past, None, by="root")
    assert (await register.seating(now)).holders("finance", "anywhere") == ("hung",)
    assert (await register.seating(past - timedelta(seconds=1))).holders("finance", "anywhere") == ()
    await refused(register.hold("hung", "finance", now, None, by="root"), "tenure_exists")
    await refused(register.hold("hung", "treasurer", now, None, by="root"), "position_unknown")
    await refused(register.hold("nobody", "finance", now, None, by="root"), "account_unknown")
    await refused(register.hold("an", "finance", now, past, by="root"), "period_backwards")

    holding = Tenures(database)
    await holding.end(held.id, later, by="root")
    await refused(holding.end(held.id, later, by="root"), "tenure_ended")
    await refused(holding.end(held.id, past, by="root"), "period_backwards")
    await refused(holding.end("ten_nobody", later, by="root"), "tenure_unknown")
    await refused(holding.end(held.id, now - timedelta(hours=1), by="root", now=now), "end_in_past")
    assert await holding.known(position="finance") == [held.model_copy(update={"until": later})]
    assert (await register.seating(later)).holders("finance", "anywhere") == ()
    async with database.reading() as connection:
        versions = select(tenures.c.version, tenures.c.until).where(tenures.c.id == held.id).order_by("version")
        assert [tuple(row) for row in await connection.execute(versions)] == [(1, None), (2, later)]


async def test_the_positions_of_an_account_are_tenures_from_now_on(database: Database, keyring: Keyring) -> None:
    """A change ends the ones that are left out, keeps those that stay, begins the new ones."""
    accounts, holding = Accounts(database, keyring), Tenures(database)
    mai = AccountDetails(id="mai", name="Mai", roles=("approver",), positions=("finance", "president"))
    await accounts.create(mai)
    first = {one.position: one for one in await holding.known(account="mai")}
    await accounts.change(mai.model_copy(update={"positions": ("president", "secretary")}), by="root")
    second = {one.position: one for one in await holding.known(account="mai")}
    assert second.keys() == {"finance", "president", "secretary"}
    assert second["president"] == first["president"]
    assert second["finance"].until == second["secretary"].since
    found = await accounts.get("mai")
    assert found is not None
    assert found.positions == ("president", "secretary")


@pytest.mark.usefixtures("people")
async def test_leave_is_registered_changed_and_revoked_version_by_version(database: Database) -> None:
    """Every version stands in the table; the last one counts."""
    register, now = Leaves(database), utc_now()
    first, second, third = (now + timedelta(days=number) for number in (5, 10, 12))
    away = await register.register("mai", "hung", first, second, ["president"], by="mai", now=now)
    assert (away.account, away.substitute, away.positions) == ("mai", "hung", ("president",))
    longer = await register.change_end(away.id, third, by="root", now=now)
    assert longer == away.model_copy(update={"until": third})
    revoked = await register.revoke(away.id, by="root")
    assert revoked.revoked_at is not None
    assert await register.get(away.id) == revoked
    assert await register.known("hung") == await register.known() == [revoked]
    assert await register.known("an") == []
    await refused(register.revoke(away.id, by="root"), "leave_revoked")
    await refused(register.change_end(away.id, third, by="root"), "leave_revoked")
    await refused(register.give_substitute(away.id, "an", by="root"), "leave_revoked")
    await refused(register.revoke("lea_nobody", by="root"), "leave_unknown")
    async with database.reading() as connection:
        versions = select(leaves.c.version, leaves.c.until, leaves.c.recorded_by).order_by(leaves.c.version)
        rows = [tuple(row) for row in await connection.execute(versions)]
    assert rows == [(1, second, "mai"), (2, third, "root"), (3, third, "root")]


@pytest.mark.usefixtures("people")
async def test_leave_that_gives_nobody_anything_or_lies_behind_is_refused(database: Database, keyring: Keyring) -> None:
    """What is over stays as it was; a substitute may sign at all, and for what is held there."""
    register, now = Leaves(database), utc_now()
    ago, before, later, last = (now + timedelta(days=number) for number in (-9, -5, 5, 9))
    await refused(register.register("mai", "hung", ago, before, by="root", now=now), "end_in_past")
    await refused(register.register("mai", "hung", now, later, ["presidnet"], by="root"), "position_not_held")
    await Accounts(database, keyring).create(AccountDetails(id="lan", name="Lan", roles=("coordinator",)))
    await refused(register.register("mai", "lan", now, later, by="root"), "substitute_no_approver")
    over = await register.register("mai", "hung", ago, before, by="root")
    await refused(register.change_end(over.id, later, by="root", now=now), "leave_over")
    await refused(register.give_substitute(over.id, "an", by="root", now=now), "leave_over")
    running = await register.register("mai", "hung", before, later, by="root", now=now)
    await refused(register.change_end(running.id, now - timedelta(days=1), by="root", now=now), "end_in_past")
    assert (await register.change_end(running.id, last, by="root", now=now)).until == last


@pytest.mark.usefixtures("people")
async def test_a_running_leave_is_given_another_substitute(database: Database) -> None:
    """Whose substitute somebody was until then stays said; a substitute who goes away themselves comes free so."""
    register, now = Leaves(database), utc_now()
    since, until = now - timedelta(days=1), now + timedelta(days=5)
    before = await register.register("mai", "hung", since, until, ["president"], by="mai", now=now)
    await refused(register.register("hung", "an", now, until, by="hung", now=now), "leave_while_substituting")
    await refused(register.give_substitute(before.id, "hung", by="mai", now=now), "substitute_exists")
    await refused(register.give_substitute(before.id, "mai", by="mai", now=now), "substitute_is_oneself")
    after = await register.give_substitute(before.id, "an", by="mai", now=now)
    assert after == before.model_copy(update={"id": after.id, "substitute": "an", "since": now})
    revoked = await register.get(before.id)
    assert revoked is not None
    assert (revoked.substitute, revoked.revoked_at is not None) == ("hung", True)
    await refused(register.register("hung", "an", now + timedelta(days=6), until, by="hung"), "period_backwards")
    await register.register("hung", "an", now, until, by="hung", now=now)


@pytest.mark.usefixtures("people")
async def test_contradictory_leave_is_refused(database: Database) -> None:
    """At registration and at a change of its end."""
    register = Leaves(database)
    await register.register("mai", "hung", day(5), day(10), by="root")
    await refused(register.register("an", "an", day(0), day(1), by="root"), "substitute_is_oneself")
    await refused(register.register("mai", "an", day(9), day(11), by="root"), "leave_overlaps")
    await refused(register.register("an", "mai", day(9), day(11), by="root"), "substitute_on_leave")
    await refused(register.register("hung", "an", day(9), day(11), by="root"), "leave_while_substituting")
    await refused(register.register("an", "hung", day(2), day(2), by="root"), "period_backwards")
    await refused(register.register("an", "nobody", day(2), day(3), by="root"), "account_unknown")
    later = await register.register("hung", "an", day(10), day(11), by="root")
    [earlier, _] = await register.known()
    await refused(register.change_end(earlier.id, day(11), by="root"), "substitute_on_leave")
    await refused(register.change_end(later.id, day(10), by="root"), "period_backwards")


@pytest.mark.usefixtures("people")
async def test_of_two_contradictory_leaves_registered_at_once_one_is_taken(database: Database) -> None:
    """They wait for each other before either looks at what there is."""
    register = Leaves(database)
    results = await asyncio.gather(
        *(register.register("mai", who, day(5), day(10), by="root") for who in ("hung", "an")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in results) == ["ChangeRefused", "Leave"]
    async with database.reading() as connection:
        assert (await connection.execute(select(func.count()).select_from(leaves))).scalar_one() == 1
