"""Signatures over a statement: each challenge is answered once, for one use, by one of the account's own keys."""

import asyncio
from datetime import timedelta

import pytest

from domain.signing import PasskeySignature, Statement
from storage.accounts import AccountDetails, Accounts
from storage.challenges import Challenges
from storage.engine import Database
from storage.keyring import Keyring
from storage.passkeys import PasskeyRefused, Passkeys, RelyingParty
from storage.signing import NoPasskey, Signing
from tests.authenticator import Authenticator, b64
from tests.moment import Moment
from tests.signer import signature_of

ORIGIN = "https://legation.example"
STATEMENT = Statement(act="sign_off", delegation="d-1", step="department_head", digest="ab" * 32)


class Desk:
    """A register of keys and challenges with the accounts `hung` and `mai`, and a device for `hung`."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.moment = Moment()
        challenges = Challenges(database, timedelta(minutes=5))
        party = RelyingParty("legation.example", "Legation", ORIGIN)
        self.keys = Passkeys(database, keyring, challenges, party, clock=self.moment)
        self.signing = Signing(database, challenges, self.keys)
        self.device = Authenticator(ORIGIN)

    async def sign(self, device: Authenticator | None = None, count: int | None = None) -> PasskeySignature:
        """The device's answer to a new challenge for `hung`."""
        options = await self.signing.ask("hung", STATEMENT)
        return PasskeySignature.model_validate(signature_of((device or self.device).get(options, count=count)))

    async def verify(self, signature: PasskeySignature, use: str = "c-1", account: str = "hung") -> str:
        """The public key, or PasskeyRefused."""
        return await self.signing.verify(account, STATEMENT, signature, use)


@pytest.fixture
async def desk(database: Database, keyring: Keyring) -> Desk:
    """A desk on each engine."""
    found = Desk(database, keyring)
    for account in ("hung", "mai"):
        await Accounts(database, keyring).create(AccountDetails(id=account, name=account, roles=("approver",)))
    await found.keys.register("hung", found.device.create(await found.keys.registration("hung")), "Điện thoại")
    return found


async def test_a_signature_is_verified_for_one_use(desk: Desk) -> None:
    """The same use may come again; another one may not."""
    signature = await desk.sign()
    key = await desk.verify(signature)
    assert await desk.verify(signature) == key
    with pytest.raises(PasskeyRefused, match="answered before"):
        await desk.verify(signature, "c-2")
    [passkey] = await desk.keys.of("hung")
    assert passkey.last_used_at == desk.moment.now


async def test_of_many_uses_at_once_one_wins(desk: Desk) -> None:
    """And of one use that comes many times at once, every one passes."""
    signature = await desk.sign()
    found = await asyncio.gather(
        *(desk.verify(signature, f"c-{number}") for number in range(6)), return_exceptions=True
    )
    assert [type(one) for one in found].count(str) == 1
    assert [type(one) for one in found].count(PasskeyRefused) == 5
    again = await desk.sign()
    assert len({await one for one in asyncio.as_completed([desk.verify(again, "same") for _ in range(6)])}) == 1


async def test_a_counter_goes_on_or_the_signature_is_a_copy_s(desk: Desk) -> None:
    """A signature that is refused uses up nothing: the honest answer to the same challenge still holds."""
    await desk.verify(await desk.sign(count=7))
    options = await desk.signing.ask("hung", STATEMENT)
    copy = PasskeySignature.model_validate(signature_of(desk.device.get(options, count=7)))
    with pytest.raises(PasskeyRefused, match="could not be verified"):
        await desk.verify(copy, "c-2")
    honest = PasskeySignature.model_validate(signature_of(desk.device.get(options, count=8)))
    assert await desk.verify(honest, "c-2")


async def test_a_challenge_lasts_five_minutes_and_belongs_to_who_asked(desk: Desk) -> None:
    """Nobody else's key answers it, nor anybody later."""
    signature = await desk.sign()
    with pytest.raises(PasskeyRefused, match="another account"):
        await desk.verify(signature, account="mai")
    mais = Authenticator(ORIGIN)
    await desk.keys.register("mai", mais.create(await desk.keys.registration("mai")), "Khóa")
    with pytest.raises(PasskeyRefused, match="another account"):
        await desk.verify(await desk.sign(mais), account="mai")
    desk.moment.pass_by(minutes=5)
    with pytest.raises(PasskeyRefused, match="expired"):
        await desk.verify(signature)


async def test_a_challenge_that_this_register_did_not_make_is_unknown(desk: Desk) -> None:
    """Also one that says the right thing; and one for signing in signs nothing."""
    own = {"rpId": "legation.example", "challenge": b64(STATEMENT.challenge(b64(bytes(32))))}
    with pytest.raises(PasskeyRefused, match="unknown"):
        await desk.verify(PasskeySignature.model_validate(signature_of(desk.device.get(own))))
    signing_in = desk.device.get(await desk.keys.authentication())
    with pytest.raises(PasskeyRefused, match="another one"):
        await desk.verify(PasskeySignature.model_validate(signature_of(signing_in)))
    asked = await desk.signing.ask("hung", STATEMENT)
    with pytest.raises(PasskeyRefused, match="unknown"):
        await desk.keys.authenticate(desk.device.get(asked))


async def test_without_a_key_there_is_nothing_to_ask_for(desk: Desk) -> None:
    """The account has to register one first."""
    with pytest.raises(NoPasskey):
        await desk.signing.ask("mai", STATEMENT)
