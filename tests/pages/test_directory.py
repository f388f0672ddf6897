"""The directory as pages: who finds what, forms that lose nobody's change, and two entries that become one."""

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2
import pytest
import pytest_asyncio

from api.pages.directory import FIELDS
from api.pages.directory_forms import MODELS
from api.pages.limits import limits_of
from domain.directory import ContactEntry, HostEntry, PartnerEntry
from domain.values import PersonRef
from storage.persons import PersonDetails
from tests.api.front import ORIGIN, Browser, Front
from tests.pages.asking import Forms, wrong_in
from tests.pages.filled import part_of, put, reading, statements, text_of
from tests.pages.test_forms import HOSTILE
from tests.pages.test_guard import with_rules
from tests.storage.streams import member
from words.directory import NATURES

pytestmark = pytest.mark.slow


@dataclass
class House:
    """An installation without a worker, and those who signed in to it."""

    front: Front
    browsers: dict[str, Browser]

    async def get(self, path: str, by: str = "lan") -> httpx2.Response:
        """Ask for a page in English."""
        return await (await self._browser(by)).http.get(f"{ORIGIN}{path}")

    async def page(self, path: str, by: str = "lan") -> str:
        """Return a page that is there."""
        answer = await self.get(path, by)
        assert answer.status_code == 200, (path, answer.status_code, answer.text[:2000])
        return answer.text

    async def send(
        self, path: str, form: str = "entry", by: str = "lan", seen_at: str = "", **typed: str
    ) -> httpx2.Response:
        """Fill in a form of a page and send it to the path; `seen_at` is the page where that is another address."""
        fields = dict(Forms(await self.page(seen_at or path, by)).forms[form]) | typed
        return await self.post(path, fields, by)

    async def post(self, path: str, fields: dict[str, str], by: str = "lan") -> httpx2.Response:
        """Send a form as a page of this site does."""
        headers = {"origin": ORIGIN, "sec-fetch-site": "same-origin"}
        return await (await self._browser(by)).http.post(f"{ORIGIN}{path}", data=fields, headers=headers)

    async def _browser(self, account: str) -> Browser:
        if account not in self.browsers:
            self.browsers[account] = await reading(self.front, account)
        return self.browsers[account]

    async def enter(self, entry: Any) -> str:
        """Put an entry into the directory and return its id."""
        key = f"{entry.kind}-{len(await self.everything())}"
        return (await self.front.at.directory.add(entry, "lan", idempotency_key=key)).id

    async def everything(self) -> list[str]:
        """The ids of all entries."""
        return [one.id for one in (await self.front.at.directory.page(merged=True, limit=200)).items]

    async def somebody(self, name: str, at: str, **more: Any) -> str:
        """Put a contact into the directory and return the entry's id."""
        usual = {"given_name": "x", "language": "en", "nationality": "JP", "email": "x@tokyo.example"}
        person = await self.front.at.persons.register(
            PersonDetails.model_validate({"full_name": name, **usual, **more})
        )
        return await self.enter(ContactEntry(kind="contact", at=at, person=person))


@pytest_asyncio.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    """An installation with the shipped rules."""
    async with with_rules(tmp_path) as found:
        yield House(found, {})


def partner(name: str, **more: Any) -> PartnerEntry:
    """A partner from Japan unless said."""
    return PartnerEntry(kind="partner", name=name, **{"country": "JP", **more})


async def test_partners_and_hosts_are_listed_searched_and_filtered(house: House) -> None:
    """By name, with how many contacts each has; without diacritics; what gave way only as what it gave way to."""
    tokyo = await house.enter(partner("Tokyo Friendship Association", other_names=("TFA",)))
    hue = await house.enter(HostEntry(kind="host", name="Trung tâm Văn hóa Huế", place="Huế"))
    old = await house.enter(partner("Tōkyō Yūkō Kyōkai"))
    await house.somebody("Satō Haruka", tokyo)
    await house.somebody("Itō Ren", old)
    await house.front.at.directory.merge(old, tokyo, "lan")
    page = text_of(await house.page("/directory"))
    assert "2 entries" in page
    assert "Tokyo Friendship Association TFA Partner Japan 2 contacts" in page
    assert "Trung tâm Văn hóa Huế Host institution Viet Nam Huế –" in page
    for query, names in (
        ("q=hue", ["Trung tâm Văn hóa Huế"]),
        ("q=YUKO", ["Tokyo Friendship Association"]),
        ("kind=host", ["Trung tâm Văn hóa Huế"]),
        ("country=JP", ["Tokyo Friendship Association"]),
        ("q=hue&country=JP", []),
    ):
        found = re.findall(
            r'<td class="title"><a href="/directory/[^"]+">([^<]+)<', await house.page(f"/directory?{query}")
        )
        assert found == names, query
    nothing = await house.page("/directory?q=Kyōto+Club")
    assert "The directory has nothing like that." in nothing
    assert 'href="/directory/new?kind=partner&amp;name=Ky%C5%8Dto%20Club"' in nothing.replace("+", "%20")
    for bad in ("country=Japan", "kind=contact", "cursor=x"):
        assert (await house.get(f"/directory?{bad}")).status_code in (400, 404), bad
    assert hue in await house.page("/directory?q=%00hue")


async def test_a_long_list_has_pages_and_each_entry_once(house: House) -> None:
    """Fifty on a page; how many statements that takes does not depend on how many there are."""
    counts = []
    for much in (1, 59):
        for number in range(much):
            await house.enter(partner(f"Association {len(await house.everything()):03} {number}"))
        await house.page("/directory")
        with statements(house.front) as asked:
            await house.page("/directory")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 9
    seen: list[str] = []
    path: str | None = "/directory"
    while path:
        page = await house.page(path)
        seen += re.findall(r'<td class="title"><a href="/directory/([^"]+)"', page)
        found = re.search(r'<a href="([^"]+)" rel="next"', page)
        path = found[1].replace("&amp;", "&") if found else None
    assert (len(seen), len(set(seen))) == (60, 60)


async def test_an_entry_shows_its_contacts_its_delegations_and_what_it_was(house: House) -> None:
    """Names to whoever may see them; files of every name it went by, and of its contacts, within the reader's reach."""
    tokyo = await house.enter(partner("Tokyo Friendship Association", other_names=("TFA",)))
    await house.somebody("Satō Haruka", tokyo, function="Chủ tịch", phone="+81 3 1234 5678", honorific="Bà")
    who = await person_at(house, tokyo)
    await put(house.front, "by-name", partner="TOKYO FRIENDSHIP ASSOCIATION", title="Đoàn theo tên")
    await put(house.front, "by-other", partner="tfa", title="Đoàn theo tên tắt")
    await put(house.front, "not-theirs", partner="Osaka", title="Đoàn về Tokyo Friendship Association")
    await put(house.front, "with-her", member(1).model_copy(update={"person": who}), partner="Osaka")
    page = await house.page(f"/directory/{tokyo}")
    assert part_of(page, "contacts") == "Contacts Bà Satō Haruka Chủ tịch x@tokyo.example +81 3 1234 5678"
    files = set(re.findall(r'href="/delegations/([^"]+)"', page))
    assert files == {"by-name", "by-other", "with-her"}
    changed = partner("Tokyo Friendship Society", other_names=("TFA",), web="https://tfa.example")
    await house.front.at.directory.change(tokyo, changed, 1, "hung")
    history = part_of(await house.page(f"/directory/{tokyo}"), "history")
    assert "Changed Lê Văn Hùng" in history
    assert (
        "Name of the organisation, before Tokyo Friendship Association Name of the organisation, after Tokyo" in history
    )
    assert "Web, before – Web, after https://tfa.example" in history
    auditor = await house.page(f"/directory/{tokyo}", by="an")
    assert part_of(auditor, "contacts") == "Contacts 1 contact. Your role reads no names."
    for hidden in ("Satō", "x@tokyo", "with-her", "Hùng", "/edit", "/merge"):
        assert hidden not in auditor, hidden
    assert (await house.get("/directory/dir_nothing00")).status_code == 404


async def test_files_stay_with_an_entry_that_was_renamed_and_namesakes_share_none(house: House) -> None:
    """By every name it ever had; of two with one name the one whose country the journey is to."""
    lao = await house.enter(partner("Hội Hữu nghị Lào", country="LA"))
    await house.front.at.directory.change(lao, partner("Lao Friendship Society", country="LA"), 1, "hung")
    german = await house.enter(partner("DVG", country="DE"))
    swiss = await house.enter(partner("DVG", country="CH"))
    await put(house.front, "before", partner="HOI HUU NGHI LAO", countries=("LA",))
    await put(house.front, "to-german", partner="DVG", countries=("DE",))
    await put(house.front, "to-swiss", partner="dvg", countries=("CH", "FR"))
    await put(house.front, "to-neither", partner="DVG", countries=("TH",))

    async def files(entry: str) -> set[str]:
        return set(re.findall(r'href="/delegations/([^"]+)"', await house.page(f"/directory/{entry}")))

    assert await files(lao) == {"before"}
    assert await files(german) == {"to-german", "to-neither"}
    assert await files(swiss) == {"to-swiss", "to-neither"}
    # Who has the name today has its files.
    heir = await house.enter(partner("Hội Hữu nghị Lào", country="LA"))
    assert (await files(lao), await files(heir)) == (set(), {"before"})


async def person_at(house: House, organisation: str) -> PersonRef:
    """The person of an organisation's only contact."""
    [found] = (await house.front.at.directory.page(kinds=["contact"], at=organisation)).items
    assert isinstance(found.entry, ContactEntry)
    return found.entry.person


async def test_a_partner_and_a_host_are_entered_by_name_of_country(house: House) -> None:
    """What is wrong stands beside its field and nothing typed is lost; sent twice it is one; limits are the model's."""
    wrong = await house.send("/directory/new?kind=partner", name="", country="Nhật bổn", web="tfa example")
    assert (wrong.status_code, set(wrong_in(wrong.text))) == (422, {"entry-name", "entry-country", "entry-web"})
    assert 'value="Nhật bổn"' in wrong.text
    assert "<title>Error:" in wrong.text
    page = await house.page("/directory/new?kind=partner")
    assert 'name="name" type="text" value="" autocomplete="off" maxlength="300" required' in page
    typed = {
        "name": "Hội Hữu nghị Nhật – Việt",
        "country": "nhat ban",
        "other_names": "JVFA\n\n 日越友好協会 ",
        "web": "jvfa.example",
    }
    fields = dict(Forms(page).forms["entry"]) | typed | {"nature": "friendship_association"}
    first, second = [await house.post("/directory/new?kind=partner", fields) for _ in range(2)]
    assert first.headers["location"] == second.headers["location"]
    [made] = await house.everything()
    assert first.headers["location"] == f"/directory/{made}?said=added"
    assert (await house.front.at.directory.get(made)).entry == partner(  # type: ignore[union-attr]
        "Hội Hữu nghị Nhật – Việt",
        other_names=("JVFA", "日越友好協会"),
        nature="friendship_association",
        web="https://jvfa.example",
    )
    host = await house.send("/directory/new?kind=host", name="Nhà văn hóa", place="Vinh")
    assert host.status_code == 303
    assert "It was entered." in (await house.get(host.headers["location"])).text


async def test_what_looks_like_an_entry_is_shown_before_it_is_entered(house: House) -> None:
    """Nothing is entered until somebody says that none of them is meant; with the same key, sent twice, once."""
    tokyo = await house.enter(partner("Tokyo Friendship Association"))
    asked = await house.send("/directory/new?kind=partner", name="Tokio Friendship Association", country="JP")
    assert asked.status_code == 409
    assert f'href="/directory/{tokyo}"' in asked.text
    assert len(await house.everything()) == 1
    fields = dict(Forms(asked.text).forms["entry"])
    assert fields["name"] == "Tokio Friendship Association"
    for _ in range(2):
        assert (await house.post("/directory/new?kind=partner", fields)).status_code == 303
    assert len(await house.everything()) == 2


def test_forms_ask_for_what_the_models_have() -> None:
    """No field more, none less; of a person everything but what only a journey needs."""
    for kind, model in MODELS.items():
        assert {*FIELDS[kind], "kind"} == set(limits_of(model))  # type: ignore[index]
    left_out = {"passport_number", "dietary", "needs"}
    assert set(FIELDS["contact"]) - {"at"} == set(limits_of(PersonDetails)) - left_out
    assert set(NATURES) == set(limits_of(PartnerEntry)["nature"].choices)


async def test_an_entry_with_much_costs_as_many_statements_as_one_with_little(house: House) -> None:
    """People, files and versions are read together."""
    tokyo, counts = await house.enter(partner("Tokyo Association")), []
    for much in (1, 9):
        for number in range(much):
            await house.somebody(f"Satō {much} {number}", tokyo)
            await put(house.front, f"f-{much}-{number}", partner="Tokyo Association")
        await house.page(f"/directory/{tokyo}")
        with statements(house.front) as asked:
            await house.page(f"/directory/{tokyo}")
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 16


async def test_two_who_change_an_entry_at_once_lose_nothing(house: House) -> None:
    """Different fields come together; the same field is shown both ways before anything is written over."""
    tokyo = await house.enter(partner("Tokyo Association"))
    path = f"/directory/{tokyo}/edit"
    form = dict(Forms(await house.page(path)).forms["entry"])
    await house.front.at.directory.change(tokyo, partner("Tokyo Society", web="https://a.example"), 1, "hung")
    both = await house.post(path, form | {"other_names": "TFA"})
    assert both.headers["location"] == f"/directory/{tokyo}?said=changed"
    stands = (await house.front.at.directory.get(tokyo)).entry  # type: ignore[union-attr]
    assert stands == partner("Tokyo Society", web="https://a.example", other_names=("TFA",))
    clash = await house.post(path, form | {"name": "Tokyo Club"})
    assert clash.status_code == 409
    assert "Lê Văn Hùng wrote" in text_of(clash.text)
    assert "Tokyo Society you wrote Tokyo Club" in text_of(clash.text)
    again = dict(Forms(clash.text).forms["entry"])
    assert (again["name"], again["was.name"]) == ("Tokyo Club", "Tokyo Society")
    assert (await house.post(path, again)).status_code == 303
    assert (await house.post(path, again)).status_code == 303
    found = await house.front.at.directory.get(tokyo)
    assert found is not None
    assert (found.entry.name, found.version) == ("Tokyo Club", 4)  # type: ignore[union-attr]
    same = await house.send(path)
    assert (same.status_code, "Nothing in the entry would change." in same.text) == (422, True)


async def test_a_contact_is_entered_corrected_and_keeps_what_is_not_shown(house: House) -> None:
    """Somebody who looks like a contact is named first; a passport that the form does not have stays."""
    tokyo = await house.enter(partner("Tokyo Association"))
    path = f"/directory/{tokyo}/contacts/new"
    typed = {"full_name": "Satō Haruka", "given_name": "Haruka", "email": "haruka@tfa.example", "nationality": "Japan"}
    wrong = await house.send(path, **typed | {"email": "nowhere", "phone": "abc"})
    assert set(wrong_in(wrong.text)) == {"entry-email", "entry-phone"}
    fields = dict(Forms(await house.page(path)).forms["entry"]) | typed
    for _ in range(2):
        made = await house.post(path, fields)
        assert made.headers["location"] == f"/directory/{tokyo}?said=joined#contacts"
    like = await house.send(path, **typed | {"email": "h.sato@tfa.example"})
    assert (like.status_code, "It looks like what is there already" in like.text) == (409, True)
    [contact] = (await house.front.at.directory.page(kinds=["contact"], at=tokyo)).items
    ref = contact.entry.person.ref  # type: ignore[union-attr]
    with_passport = PersonDetails(**typed | {"nationality": "JP"}, language="en", passport_number="TK1234567")
    await house.front.at.persons.correct(ref, with_passport)
    changed = await house.send(f"/directory/{contact.id}/edit", function="Chủ tịch")
    assert changed.headers["location"] == f"/directory/{contact.id}?said=changed"
    person = await house.front.at.persons.get(ref)
    assert person.details == with_passport.model_copy(update={"function": "Chủ tịch"})  # type: ignore[union-attr]
    page = text_of(await house.page(f"/directory/{contact.id}"))
    assert "Organisation Tokyo Association Function Chủ tịch E-mail haruka@tfa.example" in page
    osaka = await house.enter(partner("Hội hữu nghị Ōsaka", other_names=("OFA",)))
    nowhere = await house.send(f"/directory/{contact.id}/edit", at="Ở đâu đó")
    assert set(wrong_in(nowhere.text)) == {"entry-at"}
    assert (await house.send(f"/directory/{contact.id}/edit", at="ofa")).status_code == 303
    assert (await house.front.at.directory.contacts_at([tokyo, osaka])) == {osaka: 1}
    page = await house.page(f"/directory/{contact.id}")
    assert "before Tokyo Association Organisation, after Hội hữu nghị Ōsaka" in part_of(page, "history")
    await house.enter(partner("OFA", country="DE"))
    several = await house.send(f"/directory/{contact.id}/edit", at="OFA")
    assert wrong_in(several.text)["entry-at"].startswith("Several entries go by this name")
    await house.front.at.persons.erase(ref)
    assert "Their data were erased." in await house.page(f"/directory/{contact.id}")
    assert (await house.get(f"/directory/{contact.id}/edit")).status_code == 410


async def test_two_entries_are_compared_merged_and_separated(house: House) -> None:
    """Which one stays is said, not guessed; what was changed since the look is looked at again; sent twice is once."""
    tokyo = await house.enter(partner("Tokyo Friendship Association", web="https://tfa.example"))
    other = await house.enter(partner("Tokio Friendship Association"))
    far = await house.enter(partner("東京友好協会"))
    page = await house.page(f"/directory/{other}/merge")
    assert (
        part_of(page, "alike")
        == "What looks like it Tokyo Friendship Association Japan · similar name Compare : Tokyo Friendship Association"
    )
    assert f"/directory/{other}/merge?with={far}" in await house.page(f"/directory/{other}/merge?q=%E6%9D%B1%E4%BA%AC")
    compare = f"/directory/{other}/merge?with={tokyo}"
    shown = text_of(await house.page(compare))
    assert "Web – https://tfa.example" in shown
    nobody = await house.send(f"/directory/{other}/merge", "merge", seen_at=compare)
    assert (nobody.status_code, wrong_in(nobody.text)) == (
        422,
        {"merge-keep": "Choose which of the two stands for both."},
    )
    form = dict(Forms(await house.page(compare)).forms["merge"]) | {"keep": tokyo}
    await house.front.at.directory.change(tokyo, partner("Tokyo Friendship Association"), 1, "hung")
    late = await house.post(f"/directory/{other}/merge", form)
    assert (late.status_code, "One of the two was changed meanwhile" in late.text) == (409, True)
    again = dict(Forms(late.text).forms["merge"]) | {"keep": tokyo}
    carried = await house.post(f"/directory/{other}/merge", again | {"again": "yes"})
    assert carried.headers["location"] == compare
    for _ in range(2):
        done = await house.post(f"/directory/{other}/merge", again)
        assert done.headers["location"] == f"/directory/{tokyo}?said=merged"
    gone = await house.page(f"/directory/{other}")
    assert "This entry gave way to another one, which stands for both: Tokyo Friendship Association" in text_of(gone)
    assert (await house.get(f"/directory/{other}/edit")).status_code == 409
    assert "Stands also for Tokio Friendship Association" in text_of(await house.page(f"/directory/{tokyo}"))
    for _ in range(2):
        apart = await house.post(f"/directory/{other}/split", {"csrf": form["csrf"]})
        assert apart.headers["location"] == f"/directory/{other}?said=split"
    assert "gave way" not in part_of(await house.page(f"/directory/{other}"), "known")


async def test_every_two_that_may_be_one_are_shown_the_likeliest_first(house: House) -> None:
    """Two of a kind are compared from there; a partner and a host stay two."""
    tokyo = await house.enter(partner("Tokyo Friendship Association"))
    tokio = await house.enter(partner("Tokio Friendship Association"))
    host = await house.enter(HostEntry(kind="host", name="Tokyo Friendship", country="JP", place="Tokyo"))
    assert 'href="/directory/duplicates"' in await house.page("/directory")
    page = await house.page("/directory/duplicates")
    first, second = sorted((tokyo, tokio))
    assert "3 pairs" in text_of(page)
    assert re.findall(r"/directory/([^/]+)/merge\?with=([^\"]+)", page) == [(first, second)]
    assert page.count("Partner and host: they stay two entries.") == 2
    assert page.index(f"{first}/merge") < page.index("Partner and host")
    asked = await house.send("/directory/new?kind=host", name="Tokyo Friendship", place="Huế", country="Japan")
    assert (asked.status_code, "Tokyo Friendship Association</a>" in asked.text) == (409, True)
    await house.front.at.directory.merge(tokio, tokyo, "lan")
    assert "1 pair" in text_of(await house.page("/directory/duplicates"))
    assert host in await house.page(f"/directory/{tokyo}/merge")


async def test_whatever_is_typed_comes_back_as_text_or_is_refused_in_words(house: House) -> None:
    """In every field of every form at once: no server error, no script, nothing that is read as a template."""
    tokyo = await house.enter(partner("Tokyo Association"))
    host = await house.enter(HostEntry(kind="host", name="Nhà văn hóa", place="Vinh"))
    contact = await house.somebody("Satō Haruka", tokyo)
    paths = [f"/directory/{one}/edit" for one in (tokyo, host, contact)]
    paths += ["/directory/new?kind=partner", "/directory/new?kind=host", f"/directory/{tokyo}/contacts/new"]
    for path in paths:
        names = [name for name, _ in Forms(await house.page(path)).forms["entry"]]
        fields = [name for name in names if name not in ("csrf", "form", "key") and not name.startswith("was.")]
        for text in HOSTILE:
            answer = await house.send(path, **dict.fromkeys(fields, text))
            assert answer.status_code in (303, 409, 422), (path, text, answer.status_code)
            assert "<script>alert" not in answer.text
            assert ">49<" not in answer.text
    for where in ("/directory?q=", f"/directory/{tokyo}/merge?q=", "/directory/new?name="):
        for text in HOSTILE:
            address = httpx2.URL(ORIGIN + where.partition("?")[0], params={where.partition("?")[2].strip("="): text})
            answer = await house.get(str(address).removeprefix(ORIGIN))
            assert answer.status_code == 200, (where, text)
            assert "<script>alert" not in answer.text
