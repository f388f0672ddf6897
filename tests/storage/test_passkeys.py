"""Passkeys: registered and used by a device in software, and whatever a dishonest one could try."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.accounts import AccountDetails, Accounts
from storage.challenges import Challenges
from storage.engine import Database
from storage.keyring import Keyring
from storage.passkeys import PasskeyExists, PasskeyRefused, Passkeys, RelyingParty
from tests.authenticator import Authenticator, b64
from tests.moment import Moment

ORIGIN = "https://legation.example"
HUNG = AccountDetails(id="hung", name="Lê Văn Hùng", roles=("approver",))
MAI = AccountDetails(id="mai", name="Phạm Thị Mai", roles=("approver",))


@pytest.fixture
def moment() -> Moment:
    """The time of the register."""
    return Moment()


@pytest.fixture
async def register(database: Database, keyring: Keyring, moment: Moment) -> Passkeys:
    """The register of passkeys of `https://legation.example`, and the accounts `hung` and `mai`."""
    for account in (HUNG, MAI):
        await Accounts(database, keyring).create(account)
    party = RelyingParty("legation.example", "Legation", ORIGIN)
    return Passkeys(database, keyring, Challenges(database, timedelta(minutes=5)), party, clock=moment)


@pytest.fixture
async def device(register: Passkeys) -> Authenticator:
    """A device whose key is registered for `hung`."""
    device = Authenticator(ORIGIN)
    await register.register("hung", device.create(await register.registration("hung")), "Điện thoại")
    return device


async def test_a_key_is_registered_and_signs_in(register: Passkeys, moment: Moment) -> None:
    """Several for one account; each says when it was used last."""
    phone, card = Authenticator(ORIGIN), Authenticator(ORIGIN)
    first = await register.register("hung", phone.create(await register.registration("hung")), "Điện thoại")
    moment.pass_by(seconds=1)
    second = await register.register("hung", card.create(await register.registration("hung")), "Thẻ")
    assert [one.label for one in await register.of("hung")] == ["Điện thoại", "Thẻ"]
    moment.pass_by(hours=1)
    assert await register.authenticate(card.get(await register.authentication())) == "hung"
    assert await register.authenticate(phone.get(await register.authentication())) == "hung"
    assert await register.authenticate(phone.get(await register.authentication())) == "hung"
    assert [(one.id, one.last_used_at) for one in await register.of("hung")] == [
        (first.id, moment.now),
        (second.id, moment.now),
    ]


async def test_what_is_asked_demands_verification_and_names_no_account_before_sign_in(register: Passkeys) -> None:
    """User verification is required both times; a stranger learns of no key."""
    made = await register.registration("hung")
    assert made["authenticatorSelection"]["userVerification"] == "required"
    assert made["authenticatorSelection"]["residentKey"] == "required"
    assert made["rp"] == {"id": "legation.example", "name": "Legation"}
    used = await register.authentication()
    assert (used["userVerification"], used["rpId"], used.get("allowCredentials", [])) == (
        "required",
        "legation.example",
        [],
    )
    assert used["challenge"] != (await register.authentication())["challenge"]


Lie = Callable[[Passkeys, Authenticator], Any]


async def _other_origin(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    device.origin = "https://legation.example.evil.test"
    return device.get(await register.authentication())


async def _other_party(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    return device.get(await register.authentication() | {"rpId": "evil.test"})


async def _not_verified(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    device.verifies = False
    return device.get(await register.authentication())


async def _own_challenge(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    return device.get(await register.authentication() | {"challenge": b64(bytes(32))})


async def _challenge_for_registering(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    made = await register.registration("hung")
    return device.get({"rpId": "legation.example", "challenge": made["challenge"]})


async def _unknown_key(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    return Authenticator(ORIGIN, user=device.user).get(await register.authentication())


async def _another_key_under_its_id(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    return Authenticator(ORIGIN, id=device.id, user=device.user).get(await register.authentication())


async def _counter_going_back(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    await register.authenticate(device.get(await register.authentication(), count=7))
    return device.get(await register.authentication(), count=6)


async def _counter_standing_still(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    await register.authenticate(device.get(await register.authentication(), count=7))
    return device.get(await register.authentication(), count=7)


async def _replayed(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    answer = device.get(await register.authentication())
    await register.authenticate(answer)
    return answer


async def _another_user(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    device.user = bytes(32)
    return device.get(await register.authentication())


async def _other_data(register: Passkeys, device: Authenticator) -> dict[str, Any]:
    answer = device.get(await register.authentication())
    later = device.get(await register.authentication())
    answer["response"]["authenticatorData"] = later["response"]["authenticatorData"]
    return answer


@pytest.mark.parametrize(
    "lie",
    [
        _other_origin,
        _other_party,
        _not_verified,
        _own_challenge,
        _challenge_for_registering,
        _unknown_key,
        _another_key_under_its_id,
        _counter_going_back,
        _counter_standing_still,
        _replayed,
        _another_user,
        _other_data,
    ],
)
async def test_no_lie_signs_in(register: Passkeys, device: Authenticator, lie: Lie) -> None:
    """And a device that a lie was told of goes on to work."""
    origin, user = device.origin, device.user
    answer = await lie(register, device)
    with pytest.raises(PasskeyRefused):
        await register.authenticate(answer)
    device.origin, device.user, device.verifies = origin, user, True
    assert await register.authenticate(device.get(await register.authentication(), count=100)) == "hung"


async def test_a_challenge_is_good_for_five_minutes_and_for_one_answer_whatever_came(
    register: Passkeys, device: Authenticator, moment: Moment
) -> None:
    """Also a wrong answer uses it up."""
    asked = await register.authentication()
    moment.pass_by(minutes=5)
    with pytest.raises(PasskeyRefused, match="expired"):
        await register.authenticate(device.get(asked))
    asked = await register.authentication()
    with pytest.raises(PasskeyRefused):
        await register.authenticate(Authenticator(ORIGIN).get(asked))
    with pytest.raises(PasskeyRefused, match="answered before"):
        await register.authenticate(device.get(asked))


async def test_of_two_equal_answers_at_once_one_signs_in(register: Passkeys, device: Authenticator) -> None:
    """A copy that is as fast as the original is still a copy."""
    for _ in range(5):
        answer = device.get(await register.authentication())
        outcomes = await asyncio.gather(*(register.authenticate(answer) for _ in range(4)), return_exceptions=True)
        assert sorted(type(outcome).__name__ for outcome in outcomes) == ["PasskeyRefused"] * 3 + ["str"]


async def test_a_key_whose_counter_stays_zero_is_taken(register: Passkeys, device: Authenticator) -> None:
    """Keys that people carry from device to device do not count."""
    for _ in range(2):
        assert await register.authenticate(device.get(await register.authentication(), count=0)) == "hung"


async def test_a_registration_answers_its_own_account_s_challenge_alone(register: Passkeys) -> None:
    """Not another account's, not one for signing in, not from another origin, not without verification."""
    mine, theirs = Authenticator(ORIGIN), await register.registration("mai")
    with pytest.raises(PasskeyRefused, match="another account"):
        await register.register("hung", mine.create(theirs), "x")
    signing_in = await register.authentication()
    with pytest.raises(PasskeyRefused):
        await register.register("hung", mine.create(theirs | {"challenge": signing_in["challenge"]}), "x")
    for liar in (Authenticator("https://evil.test"), Authenticator(ORIGIN, verifies=False)):
        with pytest.raises(PasskeyRefused, match="verified"):
            await register.register("hung", liar.create(await register.registration("hung")), "x")
    asked = await register.registration("hung")
    answer = mine.create(asked)
    await register.register("hung", answer, "x")
    with pytest.raises(PasskeyRefused, match="answered before"):
        await register.register("hung", answer, "x")
    again = mine.create(await register.registration("mai"))
    with pytest.raises(PasskeyExists):
        await register.register("mai", again, "x")
    assert await register.of("mai") == []


async def test_the_options_name_the_keys_that_are_there(register: Passkeys, device: Authenticator) -> None:
    """So that a device does not make a second one."""
    asked = await register.registration("hung")
    assert [one["id"] for one in asked["excludeCredentials"]] == [b64(device.id)]
    assert (await register.registration("mai"))["excludeCredentials"] == []


async def test_a_key_is_removed_by_its_owner(register: Passkeys, device: Authenticator) -> None:
    """And signs in no more."""
    [key] = await register.of("hung")
    assert not await register.remove(key.id, "mai")
    assert await register.remove(key.id, "hung")
    assert not await register.remove(key.id, "hung")
    with pytest.raises(PasskeyRefused, match="unknown"):
        await register.authenticate(device.get(await register.authentication()))


async def test_a_disabled_account_s_key_signs_in_no_more(
    register: Passkeys, device: Authenticator, database: Database, keyring: Keyring
) -> None:
    """At once."""
    await Accounts(database, keyring).disable("hung")
    with pytest.raises(PasskeyRefused, match="disabled"):
        await register.authenticate(device.get(await register.authentication()))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = ("clientDataJSON", "authenticatorData", "attestationObject", "signature", "userHandle")


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answer=st.fixed_dictionaries(
        {}, optional={"id": JSON, "rawId": JSON, "type": st.just("public-key") | JSON, "response": JSON}
    ),
    response=st.dictionaries(st.sampled_from(FIELDS), st.binary(max_size=60).map(b64) | JSON),
    honest=st.booleans(),
)
async def test_whatever_is_sent_is_refused_and_breaks_nothing(
    register: Passkeys, device: Authenticator, answer: dict[str, Any], response: dict[str, Any], honest: bool
) -> None:
    """Also when the challenge itself is a good one."""
    good = device.get(await register.authentication())
    if honest:
        response["clientDataJSON"] = good["response"]["clientDataJSON"]
    sent = good | answer | {"response": good["response"] | response if honest and response else response}
    if sent == good:
        return
    with pytest.raises(PasskeyRefused):
        await register.authenticate(sent | {"response": sent["response"] | {"signature": "AAAA"}})
    made = device.create(await register.registration("hung"))
    with pytest.raises(PasskeyRefused):
        await register.register("hung", made | answer | {"response": response}, "x")
