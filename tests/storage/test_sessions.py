"""Sessions: opened, found, over by disuse and by age, ended one by one and all at once."""

from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, select

from storage.accounts import AccountDetails, Accounts, UnknownAccount
from storage.engine import Database
from storage.keyring import Keyring
from storage.sessions import Sessions, sessions
from tests.moment import Moment

HUNG = AccountDetails(id="hung", name="Lê Văn Hùng", roles=("approver",), positions=("president",))


@pytest.fixture
def moment() -> Moment:
    """The time of the register."""
    return Moment()


@pytest.fixture
async def register(database: Database, keyring: Keyring, moment: Moment) -> Sessions:
    """The register of sessions (an hour's disuse, twelve hours in all), and the account `hung`."""
    await Accounts(database, keyring).create(HUNG)
    return Sessions(database, idle=timedelta(hours=1), absolute=timedelta(hours=12), clock=moment)


async def test_a_session_says_who_by_which_factor_and_since_when(register: Sessions, moment: Moment) -> None:
    """With the roles and positions that hold now."""
    session, secret = await register.open("hung", "passkey")
    acting = await register.acting(secret)
    assert acting is not None
    assert (acting.id, acting.roles, acting.positions) == ("hung", ("approver",), ("president",))
    assert (acting.factor, acting.factor_at, acting.session) == ("passkey", moment.now, session.id)
    assert acting.scopes == ("read", "write", "sign", "administer")


async def test_only_the_digest_of_256_random_bits_is_kept(register: Sessions, database: Database) -> None:
    """Who reads the database is not signed in."""
    _, secret = await register.open("hung", "password")
    assert len(secret) == 43
    async with database.reading() as connection:
        row = (await connection.execute(select(sessions))).one()
    assert secret not in str(row)
    assert len(row.digest) == 64
    assert await register.acting(row.digest) is None


@pytest.mark.parametrize("guess", ["", "x", "A" * 43, "\ud800", "x" * 10_000])
async def test_an_unknown_secret_names_nobody(register: Sessions, guess: str) -> None:
    """Whatever its form."""
    await register.open("hung", "password")
    assert await register.acting(guess) is None


async def test_a_session_that_is_used_lasts_twelve_hours_and_not_a_second_more(
    register: Sessions, moment: Moment
) -> None:
    """Use keeps it from being idle; nothing makes it older than it may be."""
    _, secret = await register.open("hung", "password")
    for _ in range(13):
        moment.pass_by(minutes=55)
        assert await register.acting(secret) is not None
    moment.pass_by(minutes=5, seconds=-1)
    assert await register.acting(secret) is not None
    moment.pass_by(seconds=1)
    assert await register.acting(secret) is None
    assert await register.of("hung") == []


async def test_a_session_that_nobody_uses_is_over_after_an_hour(register: Sessions, moment: Moment) -> None:
    """To the second, counted from when it was last seen."""
    _, secret = await register.open("hung", "password")
    moment.pass_by(minutes=30)
    assert await register.acting(secret) is not None
    moment.pass_by(hours=1, seconds=-1)
    assert await register.acting(secret) is not None
    moment.pass_by(hours=1)
    assert await register.acting(secret) is None


async def test_what_a_page_asks_by_itself_keeps_no_session_alive(register: Sessions, moment: Moment) -> None:
    """It is answered as long as the session lasts, and makes it last no longer."""
    _, secret = await register.open("hung", "password")
    moment.pass_by(minutes=59)
    assert await register.acting(secret, attended=False) is not None
    moment.pass_by(minutes=1)
    assert await register.acting(secret, attended=False) is None


async def test_when_it_was_last_seen_is_written_once_a_minute(register: Sessions, moment: Moment) -> None:
    """A write for each request would cost more than it tells."""
    session, secret = await register.open("hung", "password")
    moment.pass_by(seconds=59)
    await register.acting(secret)
    assert [one.last_seen_at for one in await register.of("hung")] == [session.created_at]
    moment.pass_by(seconds=1)
    await register.acting(secret)
    assert [one.last_seen_at for one in await register.of("hung")] == [moment.now]


async def test_a_request_costs_one_statement(register: Sessions, database: Database, keyring: Keyring) -> None:
    """For a session as for a token: every request waits for it."""
    asked: list[str] = []
    _, session = await register.open("hung", "password")
    accounts = Accounts(database, keyring)
    _, token = await accounts.create_token("hung")

    def noted(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.split()[0] in ("SELECT", "UPDATE", "INSERT", "DELETE"):
            asked.append(statement)

    event.listen(Engine, "before_cursor_execute", noted)
    try:
        assert await register.acting(session) is not None
        assert await accounts.actor_for_token(token) is not None
    finally:
        event.remove(Engine, "before_cursor_execute", noted)
    assert [statement.split()[0] for statement in asked] == ["SELECT", "SELECT"]


async def test_sessions_are_ended_one_by_one_and_all_at_once(register: Sessions, moment: Moment) -> None:
    """By their owner alone."""
    first, first_secret = await register.open("hung", "password")
    moment.pass_by(seconds=1)
    second, second_secret = await register.open("hung", "oidc")
    moment.pass_by(seconds=1)
    third, third_secret = await register.open("hung", "passkey")
    assert [(one.id, one.factor) for one in await register.of("hung")] == [
        (first.id, "password"),
        (second.id, "oidc"),
        (third.id, "passkey"),
    ]
    assert not await register.end(first.id, "somebody-else")
    assert await register.end(first.id, "hung")
    assert not await register.end(first.id, "hung")
    assert await register.acting(first_secret) is None
    assert await register.end_all("hung", but=third.id) == 1
    assert await register.acting(second_secret) is None
    assert await register.acting(third_secret) is not None
    assert await register.end_all("hung") == 1
    assert await register.acting(third_secret) is None


async def test_a_sign_in_ends_the_session_that_was_there(register: Sessions) -> None:
    """A secret that somebody else put there is worth nothing afterwards."""
    _, planted = await register.open("hung", "password")
    _, own = await register.open("hung", "password", instead_of=planted)
    assert own != planted
    assert await register.acting(planted) is None
    assert await register.acting(own) is not None


async def test_a_disabled_account_is_signed_in_nowhere(
    register: Sessions, database: Database, keyring: Keyring
) -> None:
    """At once, and it opens no session any more."""
    _, secret = await register.open("hung", "password")
    await Accounts(database, keyring).disable("hung")
    assert await register.acting(secret) is None
    for account in ("hung", "nobody"):
        with pytest.raises(UnknownAccount):
            await register.open(account, "password")


async def test_sessions_that_are_long_over_are_forgotten(
    register: Sessions, database: Database, moment: Moment
) -> None:
    """Thirty days after their end, when somebody signs in."""
    await register.open("hung", "password")
    moment.pass_by(days=30, hours=12)
    await register.open("hung", "password")
    moment.pass_by(seconds=1)
    last, _ = await register.open("hung", "password")
    async with database.reading() as connection:
        kept = (await connection.execute(select(sessions.c.id))).scalars().all()
    assert len(kept) == 2
    assert last.id in kept
