"""The people of a file: entered once, replaced, withdrawn, appointed and released by forms."""

from typing import Any

import pytest

from storage.persons import Person
from tests.pages.asking import names_of, visiting_as, wrong_in
from tests.pages.conftest import Site

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

SOMEBODY = {
    "full_name": "Satō Haruka",
    "given_name": "Haruka",
    "honorific": "Bà",
    "email": "haruka@example.org",
    "nationality": "nhat ban",
    "language": "en",
    "passport_number": "tk1234567",
}


async def people(site: Site) -> list[tuple[str, str, bool]]:
    """Who is on the file: name, role, and whether still."""
    state = (await site.here.file()).people.values()
    known = await site.here.registers.persons.get_many([one.person.ref for one in state])
    found: list[tuple[str, str, bool]] = []
    for one in state:
        person = known[one.person.ref]
        assert isinstance(person, Person)
        found.append((person.details.full_name, one.role, one.active))
    return found


async def test_who_does_not_travel_is_asked_for_no_passport(site: Site) -> None:
    """Nor for what they eat: it would be kept for nothing."""
    here = site.here
    await here.open()
    path = f"/delegations/{here.id}/people/new"
    async with visiting_as(site, "lan") as lan:
        delegate, servant = [names_of(await lan.look(f"{path}?as={kind}"), "join") for kind in ("delegate", "servant")]
    travel = {"passport_number", "dietary", "needs", "country", "entry_papers", "key_leader"}
    assert delegate - servant == travel
    assert servant <= delegate


async def test_somebody_is_entered_and_joins_once(site: Site) -> None:
    """Registered and put on the list by one form; sent twice it is one person."""
    here = site.here
    await here.open()
    path = f"/delegations/{here.id}/people/new?as=delegate"
    async with visiting_as(site, "lan") as lan:
        fields = await lan.filled(path, "join", **SOMEBODY, key_leader="yes")
        first, second = await lan.post(path, fields), await lan.post(path, fields)
        assert (first.status_code, second.status_code) == (303, 303), wrong_in(first.text)
        page = await lan.look(first.headers["location"])
        assert "Bà Satō Haruka" in page
        assert "Now on the file." in page
    [member] = (await here.file()).people.values()
    assert (member.role, member.country, member.key_leader, member.entry_papers) == ("head", "JP", True, False)
    person = await here.registers.persons.get(member.person.ref)
    assert isinstance(person, Person)
    assert person.details.passport_number == "TK1234567"


async def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(site: Site) -> None:
    """Every field at once, with its name; what was typed comes back."""
    here = site.here
    await here.open()
    await here.add("m-1", role="head")
    path = f"/delegations/{here.id}/people/new?as=delegate"
    typed: dict[str, Any] = {"full_name": "<b>{{7*7}}</b>", "email": "nobody", "nationality": "Wakanda", "phone": "x"}
    async with visiting_as(site, "lan") as lan:
        answer = await lan.fill(path, "join", **typed)
        assert answer.status_code == 422
        assert set(wrong_in(answer.text)) == {f"join-{one}" for one in ("given_name", "email", "nationality", "phone")}
        assert wrong_in(answer.text)["join-given_name"] == "Given name: this is missing."
        assert 'value="&lt;b&gt;{{7*7}}&lt;/b&gt;"' in answer.text
        head = await lan.fill(path, "join", **SOMEBODY, role="head")
        assert list(wrong_in(head.text)) == ["join-role"]
        assert 'value="Satō Haruka"' in head.text
    assert len(await people(site)) == 1


async def test_many_people_are_found_by_a_few_letters(site: Site) -> None:
    """Without diacritics, by name, function or country; who was not asked for is not shown."""
    here = site.here
    await here.open()
    commands = []
    for number in range(26):
        name = "Đỗ Thị Hoà" if number == 7 else f"Delegate {number:02}"
        person = await here.person(name, f"m{number}@{here.id}.example", function="Director" if number == 9 else None)
        commands.append({"type": "add_member", "member_id": f"m-{number}", "person": person, "country": "JP"})
    await here.send(*commands)
    async with visiting_as(site, "lan") as lan:
        path = f"/delegations/{here.id}/people"
        assert (await lan.look(path)).count("<h3>") == 26
        for asked, name in (("do thi hoa", "Đỗ Thị Hoà"), ("director japan", "Delegate 09")):
            page = await lan.look(f"{path}?q={asked}")
            assert (page.count("<h3>"), name in page) == (1, True)
        assert "No delegate has these words." in await lan.look(f"{path}?q=nobody")


async def test_somebody_is_replaced_withdrawn_and_released(site: Site) -> None:
    """Each from the list, with the reason in the register."""
    here = site.here
    await here.open()
    await here.add("m-1", role="head")
    await here.add("m-2")
    path = f"/delegations/{here.id}/people"
    async with visiting_as(site, "lan") as lan:
        fields = await lan.filled(f"{path}/m-1/replace", "join", **SOMEBODY)
        for _ in range(2):
            replaced = await lan.post(f"{path}/m-1/replace", fields)
            assert replaced.status_code == 303, wrong_in(replaced.text)
        fields = await lan.filled(f"{path}/m-2/leave", "leave", reason="Ốm\nđột xuất")
        for _ in range(2):
            left = await lan.post(f"{path}/m-2/leave", fields)
            assert left.status_code == 303, left.text
        servant = {one: value for one, value in SOMEBODY.items() if one != "passport_number"} | {"role": "interpreter"}
        assert (await lan.fill(f"{path}/new?as=servant", "join", **servant)).status_code == 303
        [serving] = [one for one in (await here.file()).people.values() if one.role == "interpreter"]
        assert (await lan.fill(f"{path}/{serving.id}/leave", "leave")).status_code == 303
        gone = await lan.http.get(f"{site.origin}{path}/m-2/leave")
        assert gone.status_code == 404
        assert "3 people who left" in await lan.look(path)
    assert await people(site) == [
        ("Delegate m-1", "head", False),
        ("Delegate m-2", "member", False),
        ("Satō Haruka", "head", True),
        ("Satō Haruka", "interpreter", False),
    ]
    events = await here.registers.queries.events(here.id)
    [withdrawn] = [one.data for one in events if one.type == "MemberWithdrawn"]
    assert await here.registers.texts.read(withdrawn["reason"]["ref"]) == "Ốm\nđột xuất"
