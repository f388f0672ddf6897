"""What a decision asks of the registers: rights and the edition in force, as they are at that instant."""

from datetime import date, timedelta

import pytest

from domain.decision import Actor
from storage.accounts import AccountDetails, Accounts
from storage.editions import Editions, UnknownEdition
from storage.engine import Database
from storage.keyring import Keyring
from storage.standing import Standing
from tests.rulebook import edition

LATER = date(2026, 6, 1)
HUNG = AccountDetails(id="hung", name="Lê Văn Hùng", roles=("approver", "coordinator"), positions=("president",))


async def test_an_account_stands_with_its_roles_and_positions_and_the_newest_edition(
    database: Database, keyring: Keyring
) -> None:
    """The roles in alphabetical order, beside the edition that took effect last."""
    newer = edition().model_copy(update={"effective_from": edition().effective_from + timedelta(days=10)})
    first, second = await Editions(database).put(edition()), await Editions(database).put(newer)
    await Accounts(database, keyring).create(HUNG)
    standing = Standing(database)

    stands = await standing.look("hung", LATER)
    assert stands.actor == Actor(id="hung", roles=("approver", "coordinator"), positions=("president",))
    assert stands.newest == second
    assert (await standing.look("hung", edition().effective_from)).newest == first


async def test_who_is_unknown_or_disabled_stands_without_rights(database: Database, keyring: Keyring) -> None:
    """A right that was taken away is gone at the next decision."""
    await Editions(database).put(edition())
    await Accounts(database, keyring).create(HUNG)
    standing = Standing(database)

    assert (await standing.look("nobody", LATER)).actor == Actor(id="nobody", roles=())
    await Accounts(database, keyring).disable("hung")
    assert (await standing.look("hung", LATER)).actor == Actor(id="hung", roles=())


async def test_before_the_first_edition_took_effect_nothing_stands(database: Database) -> None:
    """A decision needs rules."""
    await Editions(database).put(edition())
    with pytest.raises(UnknownEdition):
        await Standing(database).look("hung", edition().effective_from - timedelta(days=1))
