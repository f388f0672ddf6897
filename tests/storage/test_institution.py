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
from storage.register_log import ChangeRefused
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
    register = Leaves(database)
    away = await register.register("mai", "hung", day(5), day(10), ["president"], by="mai")
    assert (away.account, away.substitute, away.positions) == ("mai", "hung", ("president",))
    longer = await register.change_end(away.id, day(12), by="root")
    assert longer == away.model_copy(update={"until": day(12)})
    revoked = await register.revoke(away.id, by="root")
    assert revoked.revoked_at is not None
    assert await register.get(away.id) == revoked
    assert await register.known("hung") == await register.known() == [revoked]
    assert await register.known("an") == []
    await refused(register.revoke(away.id, by="root"), "leave_revoked")
    await refused(register.change_end(away.id, day(20), by="root"), "leave_revoked")
    await refused(register.revoke("lea_nobody", by="root"), "leave_unknown")
    async with database.reading() as connection:
        versions = select(leaves.c.version, leaves.c.until, leaves.c.recorded_by).order_by(leaves.c.version)
        rows = [tuple(row) for row in await connection.execute(versions)]
    assert rows == [(1, day(10), "mai"), (2, day(12), "root"), (3, day(12), "root")]


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
