"""Passwords: argon2id, the same work for nobody, a dearer hash when it costs too little; links that are used once."""

import asyncio
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from sqlalchemy import select

from storage.accounts import AccountDetails, Accounts, UnknownAccount
from storage.engine import Database
from storage.keyring import Keyring
from storage.passwords import Cost, Passwords, password_links, passwords
from storage.sessions import Sessions
from tests.moment import Moment

HUNG = AccountDetails(id="hung", name="Lê Văn Hùng", roles=("approver",))
CHEAPEST = Cost(memory_kib=19456, passes=2, lanes=1)
DEARER = Cost(memory_kib=20480, passes=2, lanes=1)
GOOD = "mười hai chữ trở lên"


@pytest.fixture
def moment() -> Moment:
    """The time of the register."""
    return Moment()


@pytest.fixture
async def register(database: Database, keyring: Keyring, moment: Moment) -> Passwords:
    """The register of passwords at OWASP's minimum, links good for a day, and the account `hung`."""
    await Accounts(database, keyring).create(HUNG)
    return Passwords(database, CHEAPEST, link_lifetime=timedelta(days=1), clock=moment)


async def encoded(database: Database) -> str:
    """What the database holds."""
    async with database.reading() as connection:
        return str((await connection.execute(select(passwords.c.encoded))).scalar_one())


async def test_a_password_fits_its_account_alone(register: Passwords) -> None:
    """Neither another one, nor the same one for somebody else."""
    await register.change("hung", GOOD)
    assert await register.fits("hung", GOOD)
    assert not await register.fits("hung", GOOD + " ")
    assert not await register.fits("hung", "")
    assert not await register.fits("nobody", GOOD)
    with pytest.raises(UnknownAccount):
        await register.change("nobody", GOOD)


async def test_it_is_kept_as_argon2id_with_its_own_salt(register: Passwords, database: Database) -> None:
    """The same password twice gives two encodings."""
    await register.change("hung", GOOD)
    first = await encoded(database)
    await register.change("hung", GOOD)
    assert first.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert await encoded(database) != first


@pytest.mark.parametrize(
    ("typed", "again"),
    [
        (
            "m\u01b0\u1eddi hai ch\u1eef tr\u1edf l\u00ean",
            "mu\u031bo\u031b\u0300i hai chu\u031b\u0303 tro\u031b\u0309 le\u0302n",
        ),
        ("mười hai chữ trở lên", "mười hai\u00a0chữ\u3000trở lên"),
        ("\x00" * 12, "\x00" * 12),
        ("\ud800" * 12, "\ud800" * 12),
        ("密码密码密码密码密码密码", "密码密码密码密码密码密码"),
    ],
)
async def test_the_same_password_fits_however_a_keyboard_writes_it(register: Passwords, typed: str, again: str) -> None:
    """Composed or not, whatever its spaces; and any character may stand in one."""
    await register.change("hung", typed)
    assert await register.fits("hung", again)
    assert not await register.fits("hung", again.upper() + "x")


async def test_nobody_s_password_is_compared_all_the_same(
    register: Passwords, database: Database, keyring: Keyring, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unknown account, one without a password and a disabled one cost one verification at the same cost."""
    costs = []
    verify = PasswordHasher.verify

    def counted(self: PasswordHasher, hash: str, password: bytes) -> bool:
        known = extract_parameters(hash)
        costs.append((known.memory_cost, known.time_cost, known.parallelism))
        return verify(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    assert not await register.fits("hung", GOOD)
    await register.change("hung", GOOD)
    assert not await register.fits("hung", "another password")
    assert not await register.fits("nobody", GOOD)
    await Accounts(database, keyring).disable("hung")
    assert not await register.fits("hung", GOOD)
    assert costs == [(19456, 2, 1)] * 4


async def test_a_hash_that_costs_less_than_today_s_is_made_anew_at_sign_in(
    register: Passwords, database: Database, moment: Moment
) -> None:
    """Not at a wrong password, and never cheaper than it was."""
    await register.change("hung", GOOD)
    dearer = Passwords(database, DEARER, link_lifetime=timedelta(days=1), clock=moment)
    assert not await dearer.fits("hung", "another password")
    assert extract_parameters(await encoded(database)).memory_cost == 19456
    assert await dearer.fits("hung", GOOD)
    assert extract_parameters(await encoded(database)).memory_cost == 20480
    assert await register.fits("hung", GOOD)
    assert extract_parameters(await encoded(database)).memory_cost == 20480


async def test_a_change_ends_the_other_sessions(register: Passwords, database: Database, moment: Moment) -> None:
    """Whoever had stolen one is out; the one that changed it stays."""
    signed_in = Sessions(database, idle=timedelta(hours=1), absolute=timedelta(hours=12), clock=moment)
    _, stolen = await signed_in.open("hung", "password")
    mine, own = await signed_in.open("hung", "password")
    await register.change("hung", GOOD, session=mine.id)
    assert await signed_in.acting(stolen) is None
    assert await signed_in.acting(own) is not None


async def test_a_link_chooses_a_password_once(register: Passwords, database: Database, moment: Moment) -> None:
    """And ends every session of the account; only its digest is kept."""
    signed_in = Sessions(database, idle=timedelta(hours=1), absolute=timedelta(hours=12), clock=moment)
    _, session = await signed_in.open("hung", "oidc")
    secret, until = await register.make_link("hung")
    assert (len(secret), until - moment.now) == (len("lgl_") + 43, timedelta(days=1))
    async with database.reading() as connection:
        assert secret not in str((await connection.execute(select(password_links))).all())
    assert await register.choose(secret, GOOD) == "hung"
    assert await register.fits("hung", GOOD)
    assert await signed_in.acting(session) is None
    assert await register.choose(secret, "a second password") is None
    assert await register.fits("hung", GOOD)


async def test_of_two_who_use_a_link_at_once_one_chooses(register: Passwords) -> None:
    """And theirs is the password."""
    secret, _ = await register.make_link("hung")
    wanted = [f"password number {number}" for number in range(3)]
    chosen = await asyncio.gather(*(register.choose(secret, password) for password in wanted))
    assert sorted(chosen, key=str) == [None, None, "hung"]
    assert [await register.fits("hung", password) for password in wanted] == [who == "hung" for who in chosen]


async def test_a_link_ends_by_age_by_a_newer_one_and_with_its_account(
    register: Passwords, database: Database, keyring: Keyring, moment: Moment
) -> None:
    """What is not good chooses nothing."""
    first, _ = await register.make_link("hung")
    second, _ = await register.make_link("hung")
    assert await register.choose(first, GOOD) is None
    moment.pass_by(days=1)
    assert await register.choose(second, GOOD) is None
    third, _ = await register.make_link("hung")
    await Accounts(database, keyring).disable("hung")
    assert await register.choose(third, GOOD) is None
    assert await register.choose("lgl_guess", GOOD) is None
    for account in ("hung", "nobody"):
        with pytest.raises(UnknownAccount):
            await register.make_link(account)
