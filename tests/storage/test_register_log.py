"""The log of administrative changes: who changed what from what to what, sealed so that a changed byte is named."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from domain.seal import ChainBroken
from storage.accounts import AccountDetails, Accounts
from storage.engine import Database
from storage.keyring import Keyring
from storage.leaves import Leaves
from storage.metadata import utc_now
from storage.register_log import RegisterLog, first_head, register_log

MAI = AccountDetails(
    id="mai", name="Phan Thị Mai", email="mai@songlam.example", roles=("approver",), positions=("president",)
)


@pytest.fixture
async def log(database: Database, keyring: Keyring) -> RegisterLog:
    """The log after an account was opened, changed twice, given a token and disabled."""
    accounts = Accounts(database, keyring)
    await accounts.create(MAI, by="root")
    await accounts.change(MAI.model_copy(update={"roles": ("approver", "auditor"), "positions": ()}), by="root")
    await accounts.change(MAI.model_copy(update={"name": "Phan Mai", "organisation": "song-lam"}), by="root")
    token, _ = await accounts.create_token("mai", by="mai")
    await accounts.revoke(token.id, by="root")
    await accounts.revoke(token.id, by="root")
    await accounts.disable("mai", by="root")
    return RegisterLog(database)


async def test_every_change_says_who_did_what_to_which_entry(log: RegisterLog) -> None:
    """In order; what changed nothing is not there."""
    entries = await log.entries("accounts")
    token = entries[3].command_id
    assert token.startswith("tok_")
    assert [(one.seq, one.type, one.actor, one.command_id) for one in entries] == [
        (1, "account_opened", "root", "mai"),
        (2, "account_changed", "root", "mai"),
        (3, "account_changed", "root", "mai"),
        (4, "token_created", "mai", token),
        (5, "token_revoked", "root", token),
        (6, "account_disabled", "root", "mai"),
    ]
    assert entries[1].data == {
        "before": {"roles": ["approver"], "positions": ["president"]},
        "after": {"roles": ["approver", "auditor"], "positions": [], "rewritten": []},
    }
    assert entries[2].data["after"] == {
        "roles": ["approver"],
        "positions": ["president"],
        "organisation": "song-lam",
        "rewritten": ["name"],
    }
    assert entries[3].data["after"].keys() == {"account", "expires_at", "scopes"}
    assert entries[3].data["after"]["scopes"] == ["read", "write", "sign", "administer"]
    assert [one.type for one in await log.entries("tenures")] == [
        "tenure_begun",
        "tenure_ended",
        "tenure_begun",
        "tenure_ended",
    ]


async def test_the_log_holds_nothing_personal(log: RegisterLog, database: Database) -> None:
    """Names and addresses stand encrypted in their register and nowhere else."""
    async with database.reading() as connection:
        written = str((await connection.execute(select(register_log))).all())
    for personal in ("Phan", "songlam.example"):
        assert personal not in written


async def test_each_register_has_a_chain_of_its_own(log: RegisterLog) -> None:
    """The first entry of one cannot be taken for the first of another."""
    assert (await log.verify("accounts")).seq == 6
    assert (await log.verify("tenures")).seq == 4
    assert await log.verify("leaves") == first_head("leaves")
    assert first_head("leaves") != first_head("tenures")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("actor", "nobody"),
        ("entry", "may"),
        ("change", "account_opened_"),
        ("at", "2026-01-01T00:00:00.000000Z"),
        ("version", 2),
        ("data", '{"after":{"positions":[],"roles":["administrator"]}}'),
        ("data", '{"after" :{"positions":["president"],"roles":["approver"]}}'),
        ("data", '{"after"'),
        ("hash", "0" * 64),
        ("hash", "no hash"),
    ],
)
async def test_an_entry_that_was_changed_is_named(
    log: RegisterLog, database: Database, column: str, value: Any
) -> None:
    """Whatever was changed of it."""
    async with database.writing() as connection:
        entry = (register_log.c.register == "accounts") & (register_log.c.seq == 3)
        await connection.execute(update(register_log).where(entry).values({column: value}))
    with pytest.raises(ChainBroken) as broken:
        await log.verify("accounts")
    assert broken.value.seq == 3
    assert (await log.verify("tenures")).seq == 4


async def test_an_entry_that_was_removed_is_missed(log: RegisterLog, database: Database) -> None:
    """The one that followed it does not follow what is left."""
    async with database.writing() as connection:
        entry = (register_log.c.register == "accounts") & (register_log.c.seq == 3)
        await connection.execute(delete(register_log).where(entry))
    with pytest.raises(ChainBroken) as broken:
        await log.verify("accounts")
    assert broken.value.seq == 4


async def test_a_change_that_fails_leaves_no_entry(database: Database, keyring: Keyring) -> None:
    """The entry stands in the same transaction as the change."""
    accounts, log = Accounts(database, keyring), RegisterLog(database)
    await accounts.create(MAI)
    await accounts.create(MAI.model_copy(update={"id": "hung"}))
    now = utc_now()
    await Leaves(database).register("mai", "hung", now, now + timedelta(days=1), by="mai")
    with pytest.raises(ValueError, match="leave_overlaps"):
        await Leaves(database).register("mai", "hung", now, now + timedelta(days=1), by="mai")
    [registered] = await log.entries("leaves")
    assert (registered.type, registered.actor) == ("leave_registered", "mai")
    assert registered.data["after"]["substitute"] == "hung"
