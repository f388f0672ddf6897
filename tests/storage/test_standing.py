"""What a decision asks of the registers: rights and the edition in force, as they are at that instant."""

from datetime import date, datetime, timedelta

import pytest

from domain.bilingual import Bilingual
from domain.decision import Actor
from domain.institution import Held, Organisation, StandIn, Substitution
from storage.accounts import AccountDetails, Accounts
from storage.editions import Editions, UnknownEdition
from storage.engine import Database
from storage.institution import Institution
from storage.keyring import Keyring
from storage.leaves import Leaves
from storage.metadata import utc_now
from storage.standing import Standing, Stands
from storage.tenures import Tenures
from tests.rulebook import edition

HUNG = AccountDetails(id="hung", name="Lê Văn Hùng", roles=("approver", "coordinator"), positions=("president",))
MAI = AccountDetails(id="mai", name="Phan Thị Mai", roles=("approver",), person="per_phanthimai")
PAST = edition().effective_from + timedelta(days=30)


@pytest.fixture
async def now(database: Database, keyring: Keyring) -> datetime:
    """An instant an hour after the accounts of Hùng and Mai were opened; the edition is in force."""
    await Editions(database).put(edition())
    for account in (HUNG, MAI):
        await Accounts(database, keyring).create(account)
    return utc_now() + timedelta(hours=1)


async def look(database: Database, account: str, now: datetime, organisation: str | None = None) -> Stands:
    """How things stand, on a day when an edition was in force."""
    return await Standing(database).look(account, now, on=PAST, organisation=organisation)


async def test_an_account_stands_with_its_roles_and_positions_and_the_newest_edition(
    database: Database, now: datetime
) -> None:
    """The roles in alphabetical order, each position with its tenure, beside the edition that took effect last."""
    newer = edition().model_copy(update={"effective_from": edition().effective_from + timedelta(days=10)})
    second = await Editions(database).put(newer)
    [tenure] = await Tenures(database).known(account="hung")

    stands = await look(database, "hung", now)
    assert stands.actor == Actor(
        id="hung",
        roles=("approver", "coordinator"),
        positions=("president",),
        tenures=(Held(position="president", tenure=tenure.id, since=tenure.since),),
    )
    assert stands.newest == second
    first = await Standing(database).look("hung", now, on=edition().effective_from)
    assert first.newest == edition().digest()


async def test_a_position_is_held_from_the_instant_of_its_tenure_to_the_last_before_its_end(
    database: Database, now: datetime
) -> None:
    """Half-open: the first instant belongs to the tenure, its end does not."""
    [tenure] = await Tenures(database).known(account="hung")
    ends = now + timedelta(days=1)
    await Tenures(database).end(tenure.id, ends, by="root")
    tick = timedelta(microseconds=1)
    held = [
        (await look(database, "hung", at)).actor.positions
        for at in (tenure.since - tick, tenure.since, ends - tick, ends)
    ]
    assert held == [(), ("president",), ("president",), ()]


async def test_who_is_unknown_or_disabled_stands_without_rights(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    """A right that was taken away is gone at the next decision."""
    assert (await look(database, "nobody", now)).actor == Actor(id="nobody", roles=())
    await Accounts(database, keyring).disable("hung")
    assert (await look(database, "hung", now)).actor == Actor(id="hung", roles=())


async def test_a_substitute_stands_with_what_the_leave_gives_and_when(database: Database, now: datetime) -> None:
    """Known before and after the leave, in force only inside it and while it is not revoked."""
    [tenure] = await Tenures(database).known(account="hung")
    first, last = now + timedelta(days=1), now + timedelta(days=8)
    leave = await Leaves(database).register("hung", "mai", first, last, by="root")
    tick = timedelta(microseconds=1)

    inside = (await look(database, "mai", first)).actor
    assert (inside.positions, inside.person) == ((), "per_phanthimai")
    assert inside.substitutions == (
        Substitution(
            leave=leave.id,
            account="hung",
            position="president",
            tenure=tenure.id,
            held_since=tenure.since,
            in_force=True,
        ),
    )
    for at in (first - tick, last):
        [outside] = (await look(database, "mai", at)).actor.substitutions
        assert not outside.in_force
    assert (await look(database, "hung", first)).actor.substitutions == ()

    await Leaves(database).revoke(leave.id, by="root")
    [revoked] = (await look(database, "mai", first)).actor.substitutions
    assert not revoked.in_force


async def test_a_substitute_gets_nothing_from_who_may_not_sign(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    """Neither from a disabled account nor from one that is no approver any more; nor from an ended tenure."""
    await Leaves(database).register("hung", "mai", now - timedelta(days=1), now + timedelta(days=1), by="root")
    accounts = Accounts(database, keyring)
    await accounts.change(HUNG.model_copy(update={"roles": ("coordinator",)}))
    assert (await look(database, "mai", now)).actor.substitutions == ()
    await accounts.change(HUNG.model_copy(update={"positions": ()}))
    assert (await look(database, "mai", now)).actor.substitutions == ()
    await accounts.change(HUNG)
    assert len((await look(database, "mai", now)).actor.substitutions) == 1
    await accounts.disable("hung")
    assert (await look(database, "mai", now)).actor.substitutions == ()


async def test_a_file_stands_with_its_organisation_and_those_above_it(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    """Upwards, as the tree is at that instant; an organisation that no register has stands alone."""
    name = Bilingual(vi="Đơn vị", en="Unit")
    for slug, kind, parent in (
        ("central", "central_union", None),
        ("song-lam", "provincial_union", "central"),
        ("song-lam-japan", "member_organisation", "song-lam"),
    ):
        new = Organisation.model_validate({"slug": slug, "kind": kind, "parent": parent, "name": name, "since": now})
        await Institution(database).add_organisation(new, by="root")
    await Accounts(database, keyring).change(HUNG.model_copy(update={"organisation": "song-lam"}))

    stands = await look(database, "hung", now, "song-lam-japan")
    assert stands.actor.organisation == "song-lam"
    assert stands.lineage == ("song-lam-japan", "song-lam", "central")
    assert stands.run_by == "member_organisation"
    assert (await look(database, "hung", now, "song-lam")).run_by == "provincial_union"
    assert (await look(database, "hung", now, "elsewhere")).run_by is None
    before = now - timedelta(seconds=1)
    assert (await look(database, "hung", before, "song-lam-japan")).lineage == ("song-lam-japan",)
    assert (await look(database, "hung", now, "elsewhere")).lineage == ("elsewhere",)
    assert (await look(database, "hung", now)).lineage == ()


async def test_a_file_stands_with_the_organisations_at_which_its_desks_are(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    """As the pure function says it of the same registers, and as `Seating` does for everybody at once."""
    accounts, institution = Accounts(database, keyring), Institution(database)
    name = Bilingual(vi="Đơn vị", en="Unit")
    for slug, parent in (("central", None), ("song-lam", "central"), ("hue", "central")):
        new = Organisation(slug=slug, kind="authority", parent=parent, name=name, since=utc_now())
        await institution.add_organisation(new, by="root")
    for account, at, positions in (
        ("bac", "central", ("president", "finance")),
        ("cuc", "song-lam", ("president",)),
        ("dao", "hue", ("finance",)),
    ):
        details = HUNG.model_copy(update={"id": account, "organisation": at, "positions": positions})
        await accounts.create(details)
    desks = {"song-lam": "song-lam", "hue": "central", "central": "central", "elsewhere": None}
    seating = await institution.seating(now)
    for organisation, president in desks.items():
        found = (await look(database, "bac", now, organisation)).desks
        assert found.get("president") == seating.desk("president", organisation) == president
    assert (await look(database, "dao", now, "hue")).desks == {"president": "central", "finance": "hue"}
    assert seating.holders("president", "song-lam") == ("cuc", "hung")

    await accounts.change(HUNG.model_copy(update={"id": "cuc", "organisation": "hue", "positions": ("president",)}))
    moved = await look(database, "cuc", now, "hue")
    assert [(one.position, one.organisation) for one in moved.actor.tenures] == [("president", "hue")]


async def test_before_the_first_edition_took_effect_nothing_stands(database: Database, now: datetime) -> None:
    """A decision needs rules."""
    too_early: date = edition().effective_from - timedelta(days=1)
    with pytest.raises(UnknownEdition):
        await Standing(database).look("hung", now, on=too_early)


async def test_who_stands_in_is_known_for_every_position_held_now(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    """In force and to come, by position: not what is over, revoked, or covers another position."""
    accounts, leaves = Accounts(database, keyring), Leaves(database)
    standing = Standing(database)
    await accounts.change(HUNG.model_copy(update={"positions": ("president", "finance"), "person": "per_levanhung"}))
    days = [now + timedelta(days=day) for day in range(9)]
    before = await leaves.register("hung", "mai", now - timedelta(days=2), now - timedelta(days=1), by="root")
    first = await leaves.register("hung", "mai", days[0], days[2], ["president"], by="root")
    second = await leaves.register("hung", "mai", days[3], days[4], by="root")
    revoked = await leaves.register("hung", "mai", days[5], days[6], by="root")
    await leaves.revoke(revoked.id, by="root")

    found = await standing.stand_ins(now, (), {})
    assert [(one.position, one.leave) for one in found] == [
        ("finance", second.id),
        ("president", first.id),
        ("president", second.id),
    ]
    assert found[1] == StandIn(
        position="president",
        account="hung",
        substitute="mai",
        leave=first.id,
        since=first.since,
        until=first.until,
        person="per_levanhung",
        substitute_person="per_phanthimai",
    )
    assert [one.leave for one in await standing.stand_ins(before.since, (), {})][:1] != [before.id]
    assert [one.leave for one in await standing.stand_ins(first.until, (), {})] == [second.id, second.id]


async def test_a_leave_that_is_revoked_ends_with_that_instant(database: Database, now: datetime) -> None:
    """A file whose clock is a little behind still learns when it is to give the desk back."""
    leave = await Leaves(database).register("hung", "mai", now - timedelta(days=1), now + timedelta(days=1), by="root")
    revoked = (await Leaves(database).revoke(leave.id, by="root")).revoked_at
    assert revoked is not None
    tenure_begins = (await Tenures(database).known(account="hung"))[0].since
    [behind] = await Standing(database).stand_ins(max(tenure_begins, revoked - timedelta(milliseconds=1)), (), {})
    assert behind.until == revoked
    assert await Standing(database).stand_ins(revoked, (), {}) == ()


async def test_who_may_not_sign_stands_in_nowhere(database: Database, keyring: Keyring, now: datetime) -> None:
    """Out of reach of the file, disabled, or no approver: neither the one who is away nor the substitute."""
    accounts, standing = Accounts(database, keyring), Standing(database)
    await Leaves(database).register("hung", "mai", now - timedelta(days=1), now + timedelta(days=1), by="root")
    await accounts.change(MAI.model_copy(update={"organisation": "song-lam"}))
    assert await standing.stand_ins(now, ("hue", "central"), {}) == ()
    assert len(await standing.stand_ins(now, ("song-lam-japan", "song-lam"), {})) == 1
    for account in (MAI.model_copy(update={"roles": ("auditor",)}), HUNG.model_copy(update={"roles": ("auditor",)})):
        await accounts.change(account)
        assert await standing.stand_ins(now, ("song-lam",), {}) == ()
    await accounts.change(HUNG)
    await accounts.change(MAI)
    assert len(await standing.stand_ins(now, (), {})) == 1
    await accounts.disable("mai")
    assert await standing.stand_ins(now, (), {}) == ()


async def test_one_person_s_accounts_are_known_of_each_other(
    database: Database, keyring: Keyring, now: datetime
) -> None:
    """Of who acts and of who is stood in for, the disabled ones too: what one of them signed counts for all."""
    register = Accounts(database, keyring)
    for account in (
        AccountDetails(id="mai-once", name="Phan Thị Mai", roles=("approver",), person=MAI.person),
        AccountDetails(id="hung-too", name="Lê Văn Hùng", roles=("coordinator",), person="per_levanhung0"),
    ):
        await register.create(account)
    await register.change(HUNG.model_copy(update={"person": "per_levanhung0"}))
    await register.disable("mai-once")
    await Leaves(database).register("hung", "mai", now - timedelta(hours=1), now + timedelta(hours=1), by="root")

    actor = (await look(database, "mai", now)).actor
    assert actor.aliases == ("mai-once",)
    assert [(one.account, one.aliases) for one in actor.substitutions] == [("hung", ("hung-too",))]
    assert (await look(database, "hung-too", now)).actor.aliases == ("hung",)
