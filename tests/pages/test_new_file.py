"""Opening a delegation by its form: kept while it is typed, checked, sent once; and copied from an earlier one."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.async_api import expect

from api.pages.new_file import FIELDS, delegation_of
from domain.commands import OpenDelegation
from domain.directory import ContactEntry, PartnerEntry
from domain.institution import Organisation
from storage.references import new_reference
from tests.pages.asking import Guest, names_of, visiting_as, wrong_in
from tests.pages.conftest import Site, Visitor
from tests.storage.samples import PDF_FILE

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


async def typed(guest: Guest, path: str, **more: str) -> None:
    """Fill in a draft that lacks nothing."""
    matter = {"direction": "inbound", "title": "Đoàn Nagoya", "purpose": "Trao đổi", "organisation": "song-lam"}
    for section, fields in (
        ("matter", matter | more),
        ("partner", {"partner": "Nagoya Association", "countries": ["nhat ban", ""]}),
        ("dates", {"starts": "1/5/2027", "ends": "03.05.2027", "places": "Hà Nội\n\n Vinh "}),
    ):
        answer = await guest.fill(f"{path}/{section}", "new", **fields)
        assert answer.status_code == 303, (section, wrong_in(answer.text))


async def test_every_field_of_the_command_has_its_section() -> None:
    """And one alone: what is missing leads to where it is asked for."""
    assert set(FIELDS) == set(OpenDelegation.model_fields) - {"type"}
    assert len(FIELDS) == len(set(FIELDS))


async def test_a_draft_becomes_a_delegation_once(site: Site) -> None:
    """What was typed in many ways is read; sent twice there is one file; the draft is gone."""
    draft = new_reference("dra")
    path = f"/files/new/{draft}"
    async with visiting_as(site, "lan") as lan:
        await typed(lan, path)
        assert path in await lan.look("/files/new")
        fields = await lan.filled(path, "open")
        first, second = await lan.post(path, fields), await lan.post(path, fields)
        again = await lan.post(path, [*fields, ("key", "0" * 32)])
        assert path not in await lan.look("/files/new")
    file = delegation_of(draft)
    assert first.headers["location"] == f"/delegations/{file}/request?said=opened"
    assert (second.status_code, second.headers["location"]) == (303, f"/delegations/{file}")
    assert again.headers["location"] == f"/delegations/{file}"
    found = await site.here.registers.queries.get(file)
    assert found is not None
    state = found.state
    assert (state.title, state.countries, state.places) == ("Đoàn Nagoya", ("JP",), ("Hà Nội", "Vinh"))
    assert (state.starts.isoformat(), state.ends.isoformat(), state.coordinator) == ("2027-05-01", "2027-05-03", "lan")
    events = await site.here.registers.queries.events(file)
    assert [one.type for one in events].count("DelegationOpened") == 1


async def test_what_is_missing_is_said_and_what_was_typed_is_kept(site: Site) -> None:
    """`Save and go on` names it beside its field; `later` keeps it without a word; the task list names what lacks."""
    path = f"/files/new/{new_reference('dra')}"
    async with visiting_as(site, "lan") as lan:
        answer = await lan.fill(f"{path}/dates", "new", starts="31/2/2027", ends="", places="Huế")
        assert answer.status_code == 422
        assert wrong_in(answer.text) == {
            "new-starts": "First day: This must be a day that exists, such as 2026-04-11.",
            "new-ends": "Last day: this is missing.",
        }
        assert "<title>Error:" in answer.text
        page = await lan.look(f"{path}/dates")
        assert 'type="text" value="31/2/2027"' in page
        assert "Huế</textarea>" in page
        later = await lan.fill(f"{path}/partner", "new", partner="", countries=["Wakanda"], act="later")
        assert (later.status_code, later.headers["location"]) == (303, "/files/new")
        listed = await lan.look(path)
        assert "“Wakanda” is no country that we know" in listed
        assert "Open the delegation" not in listed
        kept = await lan.fill(f"{path}/matter", "new", title="Nửa chừng", act="keep")
        assert (kept.status_code, kept.text) == (204, "")
        assert "Nửa chừng" in await lan.look("/files/new")


async def test_an_error_of_the_decision_leads_to_its_field(site: Site) -> None:
    """What only the decider knows comes back on the page of answers, with the way to the field; nothing is lost."""
    path = f"/files/new/{new_reference('dra')}"
    async with visiting_as(site, "lan") as lan:
        await typed(lan, path)
        await lan.fill(f"{path}/dates", "new", starts="2020-05-01", ends="2020-05-03")
        answer = await lan.fill(path, "open")
        assert answer.status_code == 422
        assert f'href="{path}/dates#new-starts"' in answer.text
        assert "Đoàn Nagoya" in await lan.look(path)


async def test_what_the_register_knows_is_not_asked(site: Site) -> None:
    """Who runs a delegation is what the register says of its organisation, whatever was typed before for another."""
    slug = f"org-{new_reference('x')[2:10]}"
    name = {"vi": "Liên hiệp tỉnh Thử", "en": "Trial Union"}
    now = datetime.now(UTC) - timedelta(days=1)
    entry = Organisation.model_validate({"slug": slug, "kind": "provincial_union", "name": name, "since": now})
    await site.here.registers.institution.add_organisation(entry, by="root")
    draft = new_reference("dra")
    path = f"/files/new/{draft}"
    async with visiting_as(site, "lan") as lan:
        await typed(lan, path, organisation="elsewhere")
        await lan.fill(f"{path}/level", "new", run_by="central_union")
        await lan.fill(f"{path}/matter", "new", organisation=slug)
        assert "run_by" not in names_of(await lan.look(f"{path}/level"), "new")
        assert "Trial Union" in await lan.look(path)
        assert (await lan.fill(path, "open")).status_code == 303
    found = await site.here.registers.queries.get(delegation_of(draft))
    assert found is not None
    assert found.state.run_by == "provincial_union"


async def test_a_draft_is_nobody_else_s(site: Site) -> None:
    """An approver has no way there; another coordinator would find a form that is empty."""
    path = f"/files/new/{new_reference('dra')}"
    async with visiting_as(site, "lan") as lan, visiting_as(site, "hung") as hung:
        await typed(lan, path)
        answer = await hung.http.get(site.origin + path)
        assert answer.status_code == 403
        assert "Nagoya" not in answer.text


async def test_a_partner_of_the_directory_brings_its_country_along(site: Site) -> None:
    """Found by a few letters without diacritics, or by its whole name; what was typed already is left alone."""
    mark = new_reference("x")[2:10]
    partner = PartnerEntry(kind="partner", name=f"Hội Hữu nghị Kobe {mark}", country="JP")
    entry = await site.here.registers.directory.add(partner, "lan", idempotency_key=f"kobe {mark}")
    path = f"/files/new/{new_reference('dra')}/partner"
    async with visiting_as(site, "lan") as lan:
        found = await lan.fill(path, "new", partner=f"hoi kobe {mark}", act="look")
        assert f'value="choose:{entry.id}"' in found.text
        chosen = await lan.fill(path, "new", act=f"choose:{entry.id}")
        assert chosen.headers["location"] == f"{path}#new-countries"
        page = await lan.look(path)
        assert f'value="{partner.name}"' in page
        assert 'name="countries" type="text" value="Japan"' in page
        other = f"/files/new/{new_reference('dra')}/partner"
        assert (await lan.fill(other, "new", partner=partner.name.lower())).status_code == 303
        assert 'type="text" value="Japan"' in await lan.look(other)
        own = f"/files/new/{new_reference('dra')}/partner"
        await lan.fill(own, "new", partner=partner.name, countries=["Lào"])
        page = await lan.look(own)
        assert ('type="text" value="Lào"' in page, 'type="text" value="Japan"' in page) == (True, False)


async def test_days_in_each_country_are_asked_of_those_who_travel(site: Site) -> None:
    """Outbound: one row is a country and its days; what is no number is said."""
    draft = new_reference("dra")
    path = f"/files/new/{draft}"
    async with visiting_as(site, "lan") as lan:
        await typed(lan, path, direction="outbound")
        wrong = await lan.fill(f"{path}/partner", "new", countries=["Lào", "Đức"], stays=["3", "hai"])
        assert wrong_in(wrong.text) == {"new-countries": "This must be a whole number."}
        await lan.fill(f"{path}/partner", "new", countries=["Lào", "Đức", ""], stays=["3", "2", ""])
        assert (await lan.fill(path, "open")).status_code == 303
    found = await site.here.registers.queries.get(delegation_of(draft))
    assert found is not None
    assert [(one.country, one.days) for one in found.state.stays] == [("LA", 3), ("DE", 2)]
    assert found.state.countries == ("LA", "DE")


async def test_a_copy_takes_the_programme_to_the_same_weekday_and_people_by_choice(site: Site) -> None:
    """Opened in one batch; delegates stay behind unless they were chosen."""
    here = site.here
    await here.open(places=["Hà Nội", "Huế"], title=f"Đoàn Tokyo {here.id}")
    await here.add("m-1", role="head")
    await here.add("m-2")
    person = await here.person("Đỗ Thị Hoa", "hoa@songlam.example", nationality="VN", language="vi")
    await here.send({"type": "appoint_participant", "participant_id": "h-1", "person": person, "role": "host"})
    await here.schedule("s-1", day=1, hour=9, audience={"people": ["m-1", "m-2"]})
    await here.schedule("s-2", day=2)
    await here.send({"type": "cancel_item", "item_id": "s-2"})
    source = await here.file()
    async with visiting_as(site, "lan") as lan:
        choose = f"/files/new/copy/{here.id}"
        assert f'href="{choose}"' in await lan.look(f"/files/new/copy?q=doan tokyo {here.id}")
        page = await lan.look(choose)
        checked = re.findall(r'name="copy_people" value="([^"]+)" checked', page)
        assert checked == ["h-1"]
        offered = dict(await lan.filled(choose, "copy"))["starts"]
        made = await lan.fill(choose, "copy", copy_people=["", "h-1", "m-2"])
        path = made.headers["location"]
        assert "Đỗ Thị Hoa" in await lan.look(path)
        opened = await lan.fill(path, "open")
        assert opened.status_code == 303, opened.text
    found = await here.registers.queries.get(delegation_of(path.rpartition("/")[2]))
    assert found is not None
    copy = found.state
    assert copy.starts.isoformat() == offered
    assert copy.starts - source.starts == timedelta(weeks=52)
    assert copy.ends - copy.starts == source.ends - source.starts
    assert sorted(copy.people) == ["h-1", "m-2"]
    assert list(copy.items) == ["s-1"]
    assert copy.items["s-1"].audience.people == ("m-2",)
    assert copy.items["s-1"].starts.local == f"{copy.starts + timedelta(days=1)}T09:00"
    assert len({one.command_id for one in await here.registers.queries.events(copy.id)}) == 1


async def test_somebody_of_the_directory_is_found_for_the_list(site: Site) -> None:
    """Contacts of the file's partner are offered to those who travel, and nobody is typed a second time."""
    here, mark = site.here, new_reference("x")[2:10]
    name = f"Sapporo {mark}"
    partner = await here.registers.directory.add(
        PartnerEntry(kind="partner", name=name, country="JP"), "lan", idempotency_key=name
    )
    person = await here.person("Kimura Ken", "ken@sapporo.example", function="Director")
    contact = ContactEntry.model_validate({"kind": "contact", "at": partner.id, "person": person})
    await here.registers.directory.add(contact, "lan", idempotency_key=f"{name} ken")
    await here.open(partner=name)
    path = f"/delegations/{here.id}/people/new"
    async with visiting_as(site, "lan") as lan:
        page = await lan.look(path)
        assert f'<option value="{person["ref"]}">Kimura Ken, Director</option>' in page
        joined = await lan.fill(path, "join", to=f"{path}?as=delegate", known=person["ref"], country="")
        assert joined.status_code == 303, wrong_in(joined.text)
    [member] = (await here.file()).people.values()
    assert (member.person.ref, member.country, member.role) == (person["ref"], "JP", "head")


def only_refused(visitor: Visitor) -> None:
    """The browser's console names a page that came with 422, and nothing else."""
    assert visitor.complaints
    assert all("422" in said for said in visitor.complaints)
    visitor.complaints.clear()


async def test_a_browser_keeps_a_section_while_it_is_typed(site: Site, visitor: Visitor) -> None:
    """Nothing is pressed: after a reload everything that was typed stands there, on a phone too; axe finds nothing."""
    path = f"/files/new/{new_reference('dra')}"
    await visitor.speak("en")
    await visitor.page.set_viewport_size({"width": 390, "height": 844})
    await visitor.sign_in("lan", f"/sign-in?next={path}/matter")
    await visitor.page.get_by_label("Inbound").check()
    await visitor.page.get_by_label("Title").fill("Đoàn Nagoya, gõ dở")
    await expect(visitor.page.locator("[data-kept]")).to_contain_text("Kept at")
    await visitor.page.reload()
    assert await visitor.page.get_by_label("Title").input_value() == "Đoàn Nagoya, gõ dở"
    assert await visitor.page.get_by_label("Inbound").is_checked()
    assert await visitor.violations() == []
    await visitor.page.get_by_label("Title").press("Enter")
    await expect(visitor.page.locator("#new-purpose-error")).to_contain_text("Purpose: this is missing.")
    assert await visitor.page.evaluate("document.activeElement.matches('[data-summary]')")
    assert await visitor.violations() == []
    width = await visitor.page.evaluate("document.documentElement.scrollWidth")
    assert width <= 390
    only_refused(visitor)


async def test_a_browser_sends_a_file_with_its_form(site: Site, visitor: Visitor) -> None:
    """A form with a file, as a real browser writes it; the file comes back where another field was wrong."""
    here = site.here
    await here.open()
    await here.add("m-1", role="head")
    await visitor.speak("en")
    await visitor.sign_in("lan", f"/sign-in?next=/delegations/{here.id}/request")
    page = visitor.page
    await page.get_by_text("Attach a document").click()
    await page.set_input_files(
        "#document-attachment", {"name": "Hộ chiếu.pdf", "mimeType": "application/pdf", "buffer": PDF_FILE}
    )
    await page.get_by_role("button", name="Attach it").click()
    await expect(page.locator("#document-kind-error")).to_be_visible()
    await expect(page.locator(".keptfile")).to_contain_text("Hộ chiếu.pdf")
    assert await visitor.violations() == []
    await page.get_by_label("What it is").select_option("passport_copy")
    await page.get_by_label("Whose it is").select_option("m-1")
    await page.get_by_role("button", name="Attach it").click()
    await expect(page.locator(".note.ok")).to_contain_text("The document stands in the file.")
    [document] = (await here.file()).documents.values()
    assert (document.kind, document.concerns, document.attachment.size) == ("passport_copy", "m-1", len(PDF_FILE))
    only_refused(visitor)
