"""Identities: an account by issuer and subject, and by nothing else."""

import pytest
from sqlalchemy import select

from storage.accounts import AccountDetails, Accounts, UnknownAccount
from storage.engine import Database
from storage.identities import Identities, IdentityExists, identities
from storage.keyring import Keyring

HUNG = AccountDetails(id="hung", name="Lê Văn Hùng", email="hung@songlam.example", roles=("approver",))
MAI = AccountDetails(id="mai", name="Phạm Thị Mai", roles=("approver",))
ISSUER, OTHER = "https://login.songlam.example", "https://login.other.example"


@pytest.fixture
async def register(database: Database, keyring: Keyring) -> Identities:
    """The register of identities, and the accounts `hung` and `mai`."""
    for account in (HUNG, MAI):
        await Accounts(database, keyring).create(account)
    return Identities(database, keyring)


async def test_an_account_is_found_by_issuer_and_subject_together(register: Identities) -> None:
    """The same subject of another issuer is somebody else, and so is another case of it."""
    assert await register.account_of(ISSUER, "s-1") is None
    linked = await register.link("hung", ISSUER, "s-1")
    await register.link("mai", OTHER, "s-1")
    assert await register.account_of(ISSUER, "s-1") == "hung"
    assert await register.account_of(OTHER, "s-1") == "mai"
    assert await register.account_of(ISSUER, "S-1") is None
    assert await register.of("hung") == [linked]


async def test_an_e_mail_address_finds_nobody(register: Identities) -> None:
    """Whoever gets an address later does not get the account."""
    await register.link("hung", ISSUER, "s-1")
    assert await register.account_of(ISSUER, "hung@songlam.example") is None


async def test_a_subject_belongs_to_one_account(register: Identities) -> None:
    """Not even to the same one twice."""
    await register.link("hung", ISSUER, "s-1")
    for account in ("hung", "mai"):
        with pytest.raises(IdentityExists):
            await register.link(account, ISSUER, "s-1")
    with pytest.raises(UnknownAccount):
        await register.link("nobody", ISSUER, "s-2")


async def test_a_subject_is_kept_encrypted(register: Identities, database: Database) -> None:
    """Some providers use the address as subject."""
    await register.link("hung", ISSUER, "hung@songlam.example")
    async with database.reading() as connection:
        row = (await connection.execute(select(identities))).one()
    assert "hung@songlam.example" not in str(row)
    assert [one.subject for one in await register.of("hung")] == ["hung@songlam.example"]


async def test_an_identity_is_unlinked_and_ends_with_its_account(
    register: Identities, database: Database, keyring: Keyring
) -> None:
    """At once."""
    linked = await register.link("hung", ISSUER, "s-1")
    assert await register.unlink(linked.id)
    assert not await register.unlink(linked.id)
    assert await register.account_of(ISSUER, "s-1") is None
    await register.link("mai", ISSUER, "s-1")
    await Accounts(database, keyring).disable("mai")
    assert await register.account_of(ISSUER, "s-1") is None
