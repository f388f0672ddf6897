"""The register of accounts and their tokens."""

from datetime import timedelta

import pytest
from sqlalchemy import select, text, update

from domain.bilingual import Bilingual
from domain.decision import Actor
from domain.institution import Position
from domain.sign_in import Acting
from storage.account_notices import AccountNotices, account_notices
from storage.accounts import AccountDetails, AccountExists, Accounts, UnknownAccount, accounts, tokens
from storage.data_keys import DataKeys, account_key
from storage.engine import Database
from storage.institution import Institution
from storage.keyring import Keyring
from storage.leaves import Leaves
from storage.metadata import utc_now
from storage.register_log import ChangeRefused, RegisterLog
from storage.tenures import Tenures

LINH = AccountDetails(
    id="linh",
    name="Trần Thùy Linh",
    email="linh@songlam.example",
    roles=("coordinator",),
    positions=(),
)
HAI = AccountDetails(
    id="hai", name="Lê Văn Hải", roles=("approver", "auditor"), positions=("department_head", "vice_president")
)


@pytest.fixture
def register(database: Database, keyring: Keyring) -> Accounts:
    return Accounts(database, keyring)


async def test_an_account_is_read_as_it_was_opened(register: Accounts) -> None:
    """Roles and positions included; a decision sees no name."""
    await register.create(HAI)
    assert await register.get("hai") == HAI
    assert HAI.actor == Actor(id="hai", roles=("approver", "auditor"), positions=("department_head", "vice_president"))


async def test_name_and_address_stand_encrypted(register: Accounts, database: Database) -> None:
    """Staff have personal data too."""
    await register.create(LINH)
    async with database.reading() as connection:
        row = (await connection.execute(select(accounts))).one()
    assert b"linh@" not in row.ciphertext
    assert "Trần".encode() not in row.ciphertext


async def test_opening_the_same_account_again_is_no_error(register: Accounts) -> None:
    """Set-up may run twice; another account under the same id is refused."""
    await register.create(LINH)
    assert await register.create(LINH) == LINH
    with pytest.raises(AccountExists):
        await register.create(LINH.model_copy(update={"roles": ("administrator",)}))
    assert (await register.actors()) == [LINH]


async def test_a_token_names_its_account(register: Accounts) -> None:
    """The secret is 256 random bits behind a prefix."""
    await register.create(LINH)
    token, secret = await register.create_token("linh")
    assert len(secret) == len("lgt_") + 43
    assert rights(await register.actor_for_token(secret)) == LINH.actor
    assert await register.tokens_of("linh") == [token]


def rights(acting: Acting | None) -> Actor | None:
    """Who acts, without how they showed it."""
    return acting and Actor(id=acting.id, roles=acting.roles, positions=acting.positions)


async def test_a_token_is_good_for_its_scopes(register: Accounts, database: Database) -> None:
    """In their own order; one from before there were scopes is good for all of them."""
    await register.create(LINH)
    token, secret = await register.create_token("linh", scopes=("sign", "read"))
    assert token.scopes == ("read", "sign")
    assert token.expires_at == token.created_at + timedelta(days=30)
    assert await register.tokens_of("linh") == [token]
    acting = await register.actor_for_token(secret)
    assert acting is not None
    assert (acting.factor, acting.scopes, acting.session) == ("token", ("read", "sign"), None)
    async with database.writing() as connection:
        await connection.execute(update(tokens).values(scopes=None))
    acting = await register.actor_for_token(secret)
    assert acting is not None
    assert acting.scopes == ("read", "write", "sign", "administer")


async def test_only_the_digest_of_a_token_is_kept(register: Accounts, database: Database) -> None:
    """Who reads the database cannot act."""
    await register.create(LINH)
    _, secret = await register.create_token("linh")
    async with database.reading() as connection:
        row = (await connection.execute(select(tokens))).one()
    assert secret not in str(row)
    assert len(row.digest) == 64


@pytest.mark.parametrize("guess", ["", "lgt_", "lgt_" + "A" * 43, "\ud800", "x" * 10_000])
async def test_an_unknown_token_names_nobody(register: Accounts, guess: str) -> None:
    """Whatever its form."""
    await register.create(LINH)
    await register.create_token("linh")
    assert await register.actor_for_token(guess) is None


async def test_a_revoked_or_expired_token_names_nobody(register: Accounts) -> None:
    """Another token of the account goes on."""
    await register.create(LINH)
    revoked, revoked_secret = await register.create_token("linh")
    _, expired_secret = await register.create_token("linh", expires_at=utc_now() - timedelta(seconds=1))
    _, good_secret = await register.create_token("linh", expires_at=utc_now() + timedelta(hours=1))
    assert await register.revoke(revoked.id)
    assert not await register.revoke(revoked.id)
    assert await register.actor_for_token(revoked_secret) is None
    assert await register.actor_for_token(expired_secret) is None
    assert rights(await register.actor_for_token(good_secret)) == LINH.actor


async def test_a_disabled_account_acts_no_more(register: Accounts) -> None:
    """Its tokens are revoked with it."""
    await register.create(LINH)
    _, secret = await register.create_token("linh")
    await register.disable("linh")
    assert await register.actor_for_token(secret) is None
    assert await register.get("linh") is None
    with pytest.raises(UnknownAccount):
        await register.create_token("linh")
    with pytest.raises(UnknownAccount):
        await register.disable("linh")
    with pytest.raises(UnknownAccount):
        await register.change(LINH)


async def test_a_disabled_account_is_enabled_with_nothing_that_opened_it(
    register: Accounts, database: Database
) -> None:
    """Roles stay. Tokens, tenures, also those to come, and leave ended with it, for others' files to hear of."""
    root = LINH.model_copy(update={"id": "root", "roles": ("administrator",)})
    deputy = LINH.model_copy(update={"roles": ("approver",)})
    for one in (deputy, HAI, root):
        await register.create(one)
    institution, leaves = Institution(database), Leaves(database)
    now = utc_now()
    clerk = Position(slug="clerk", title=Bilingual(vi="Chuyên viên", en="Clerk"))
    await institution.add_position(clerk, by="root")
    await institution.hold("hai", "clerk", now + timedelta(days=3), None, by="root")
    over = await leaves.register("hai", "linh", now - timedelta(days=9), now - timedelta(days=8), by="root")
    own = await leaves.register("hai", "linh", now, now + timedelta(days=2), by="root")
    for_another = await leaves.register("root", "hai", now + timedelta(days=5), now + timedelta(days=6), by="root")
    _, secret = await register.create_token("hai")
    assert [one.id for one in await register.disable("hai", by="root")] == [own.id, for_another.id]
    assert [one.id for one in await leaves.known("hai") if one.revoked_at is None] == [over.id]
    assert [(one.id, one.name) for one in await register.disabled()] == [("hai", HAI.name)]
    with pytest.raises(ChangeRefused, match="account_not_disabled"):
        await register.enable("linh", by="root")
    with pytest.raises(UnknownAccount):
        await register.enable("nobody", by="root")
    await register.enable("hai", by="root")
    assert await register.get("hai") == HAI.model_copy(update={"positions": ()})
    assert await register.actor_for_token(secret) is None
    held = [one for one in await Tenures(database).known(account="hai") if one.until is None or one.until > utc_now()]
    assert [one.position for one in held] == ["clerk"]
    assert held[0].until == held[0].since + timedelta(microseconds=1)
    log = await RegisterLog(database).entries("accounts")
    assert [(one.type, one.actor) for one in log][-3:] == [
        ("account_disabled", "root"),
        ("token_revoked", "root"),
        ("account_enabled", "root"),
    ]


async def test_somebody_is_left_to_administer(register: Accounts) -> None:
    """The last administrator is neither disabled nor loses the role; a disabled one does not count."""
    first = LINH.model_copy(update={"roles": ("administrator", "coordinator")})
    second = HAI.model_copy(update={"roles": ("administrator",)})
    await register.create(first)
    await register.create(second)
    await register.disable("hai")
    with pytest.raises(ChangeRefused, match="last_administrator"):
        await register.disable("linh")
    with pytest.raises(ChangeRefused, match="last_administrator"):
        await register.change(LINH)
    await register.enable("hai")
    await register.change(LINH)


async def test_an_owner_is_told_once_and_at_the_former_address_too(
    register: Accounts, database: Database, keyring: Keyring
) -> None:
    """In the order of what happened, with who did it; held by one sender, back in turn when that one dies."""
    notices, now = AccountNotices(database, keyring), utc_now() + timedelta(minutes=1)
    await register.create(LINH)
    await register.create(HAI)
    token, _ = await register.create_token("linh", by="root")
    # Nobody has told where to write to them.
    await register.create_token("hai")
    await register.change(LINH.model_copy(update={"email": "linh@other.example"}), by="root")
    await register.revoke(token.id, by="linh")
    held = await notices.claim(now, timedelta(minutes=5))
    assert [(one.account, one.what, one.done_by, one.email) for one in held] == [
        ("linh", "token_created", "root", "linh@songlam.example"),
        ("linh", "address_changed", "root", "linh@songlam.example"),
        ("linh", "address_changed", "root", "linh@other.example"),
        ("linh", "token_revoked", "linh", "linh@other.example"),
    ]
    assert await notices.claim(now, timedelta(minutes=5)) == []
    await notices.done(held[0].id)
    await notices.release(held[1].id)
    assert await notices.claim(now, timedelta(minutes=5)) == [held[1]]
    assert await notices.claim(now + timedelta(minutes=5), timedelta(minutes=5)) == held[1:]
    async with database.writing() as connection:
        kept = (await connection.execute(select(account_notices.c.ciphertext))).scalars().all()
        assert not any(b"linh@" in one for one in kept)
        await DataKeys(keyring).destroy(connection, account_key("linh"), now)
    assert await notices.claim(now + timedelta(hours=1), timedelta(minutes=5)) == []


async def test_a_change_replaces_roles_and_positions(register: Accounts) -> None:
    """Rights taken away are gone with the next request."""
    await register.create(HAI)
    _, secret = await register.create_token("hai")
    changed = HAI.model_copy(update={"roles": ("auditor",), "positions": ()})
    await register.change(changed)
    assert rights(await register.actor_for_token(secret)) == changed.actor


async def test_several_accounts_are_read_at_once(register: Accounts) -> None:
    """With all their roles and positions; nobody stands for an id that there is not, or that is disabled."""
    await register.create(LINH)
    await register.create(HAI)
    assert await register.several(["hai", "nobody", "linh", "hai"]) == [HAI, LINH]
    await register.disable("linh")
    assert await register.several(["hai", "linh"]) == [HAI]


async def test_a_token_needs_an_account(register: Accounts, database: Database) -> None:
    """No token for nobody."""
    with pytest.raises(UnknownAccount, match="nobody"):
        await register.create_token("nobody")
    async with database.reading() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM tokens"))).scalar_one() == 0
