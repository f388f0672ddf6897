"""The register of erasures: who asks, who may agree, and that each change is sealed."""

from datetime import timedelta

import pytest

from storage.accounts import AccountDetails, Accounts
from storage.engine import Database
from storage.erasures import Erasures
from storage.keyring import Keyring
from storage.leaves import Leaves
from storage.metadata import utc_now
from storage.persons import Persons
from storage.register_log import ChangeRefused, RegisterLog
from tests.storage.test_persons import SATO


class Office:
    """Three administrators and somebody to be erased."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self.accounts = Accounts(database, keyring)
        self.persons = Persons(database, keyring)
        self.erasures = Erasures(database)
        self.leaves = Leaves(database)
        self.log = RegisterLog(database)
        self.person = ""

    async def open(self) -> "Office":
        self.person = (await self.persons.register(SATO)).ref
        for name in ("an", "binh", "chi"):
            await self.account(name)
        return self

    async def account(self, name: str, person: str | None = None, role: str = "administrator") -> None:
        details = {"id": name, "name": name, "roles": (role, "approver"), "person": person}
        await self.accounts.create(AccountDetails.model_validate(details))

    async def entries(self) -> list[tuple[str, str]]:
        return [(one.type, one.actor) for one in await self.log.entries("erasures")]


@pytest.fixture
async def office(database: Database, keyring: Keyring) -> Office:
    return await Office(database, keyring).open()


async def refusal(asked: object) -> str:
    with pytest.raises(ChangeRefused) as refused:
        await asked  # type: ignore[misc]
    return refused.value.code


async def test_two_administrators_agree_and_every_change_is_sealed(office: Office) -> None:
    """Asked by one, agreed by another; asking and agreeing again are no errors, and are sealed once."""
    asked = await office.erasures.ask(office.person, "asked_by_person", by="an")
    assert (await office.erasures.ask(office.person, "asked_by_person", by="an")).id == asked.id
    assert await refusal(office.erasures.agree(asked.id, by="an")) == "erasure_needs_another"
    agreed = await office.erasures.agree(asked.id, by="binh")
    assert (agreed.state, agreed.agreed_by) == ("agreed", "binh")
    assert await office.erasures.agree(asked.id, by="binh") == agreed
    assert await refusal(office.erasures.agree(asked.id, by="chi")) == "erasure_settled"
    assert await refusal(office.erasures.withdraw(asked.id, by="an")) == "erasure_settled"
    await office.erasures.note_done(asked.id, "mails", 2)
    assert (await office.erasures.close(asked.id)).state == "carried_out"
    assert (await office.erasures.close(asked.id)).done == {"mails": 2}
    assert await office.entries() == [
        ("erasure_asked", "an"),
        ("erasure_agreed", "binh"),
        ("erasure_carried_out", "system"),
    ]
    await office.log.verify("erasures")


async def test_whoever_asked_may_take_it_back_and_nobody_else(office: Office) -> None:
    """Until somebody agrees; then another reason may be asked for anew."""
    asked = await office.erasures.ask(office.person, "objection", by="an")
    assert await refusal(office.erasures.ask(office.person, "unlawful", by="binh")) == "erasure_exists"
    assert await refusal(office.erasures.withdraw(asked.id, by="binh")) == "erasure_not_yours"
    assert (await office.erasures.withdraw(asked.id, by="an")).state == "withdrawn"
    assert await refusal(office.erasures.agree(asked.id, by="binh")) == "erasure_settled"
    assert (await office.erasures.ask(office.person, "unlawful", by="binh")).state == "asked"
    assert [kind for kind, _ in await office.entries()] == ["erasure_asked", "erasure_withdrawn", "erasure_asked"]


async def test_two_accounts_of_one_person_are_one_person(office: Office) -> None:
    """Four eyes belong to two people, whatever their accounts are called."""
    same = (await office.persons.register(SATO)).ref
    await office.account("dung", same)
    await office.account("dung-2", same)
    asked = await office.erasures.ask(office.person, "asked_by_person", by="dung")
    assert await refusal(office.erasures.agree(asked.id, by="dung-2")) == "erasure_needs_another"


async def test_nobody_erases_themselves(office: Office) -> None:
    """Neither by asking nor by agreeing: they would take away what shows that they agreed."""
    await office.account("keiko", office.person)
    assert await refusal(office.erasures.ask(office.person, "asked_by_person", by="keiko")) == "erasure_of_oneself"
    asked = await office.erasures.ask(office.person, "asked_by_person", by="an")
    assert await refusal(office.erasures.agree(asked.id, by="keiko")) == "erasure_of_oneself"


@pytest.mark.parametrize(("away", "substitute"), [("an", "binh"), ("binh", "an")])
async def test_a_substitute_of_either_side_is_no_second_person(office: Office, away: str, substitute: str) -> None:
    """While the leave is in force; a third administrator agrees at any time."""
    now = utc_now()
    leave = await office.leaves.register(away, substitute, now - timedelta(days=1), now + timedelta(days=1), by="chi")
    asked = await office.erasures.ask(office.person, "asked_by_person", by="an")
    assert await refusal(office.erasures.agree(asked.id, by="binh")) == "erasure_through_substitute"
    await office.leaves.revoke(leave.id, by="chi")
    assert (await office.erasures.agree(asked.id, by="binh")).state == "agreed"


async def test_who_asked_must_still_be_an_administrator(office: Office) -> None:
    """A changed role, or a closed account, takes the request with it."""
    asked = await office.erasures.ask(office.person, "asked_by_person", by="an")
    await office.accounts.change(AccountDetails(id="an", name="an", roles=("auditor",)), by="chi")
    assert await refusal(office.erasures.agree(asked.id, by="binh")) == "erasure_asker_gone"


async def test_only_somebody_who_is_there_can_be_erased(office: Office) -> None:
    """An unknown reference, and somebody erased already, are said so."""
    assert await refusal(office.erasures.ask("per_nobody00", "objection", by="an")) == "person_unknown"
    await office.persons.erase(office.person)
    assert await refusal(office.erasures.ask(office.person, "objection", by="an")) == "person_erased"
    assert await refusal(office.erasures.withdraw("era_none", by="an")) == "erasure_unknown"
