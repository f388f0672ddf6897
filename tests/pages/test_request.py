"""The request of a file: what is changed is what is sent, nobody's change is lost, documents and limits have a form."""

from datetime import timedelta

import pytest

from domain.commands import JustifyLimit
from tests.pages.asking import ABOUT, Forms, names_of, visiting_as, wrong_in
from tests.pages.conftest import Site
from tests.storage.samples import PDF_FILE

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]


async def revisions(site: Site) -> list[dict[str, object]]:
    """What the trail says was revised."""
    found = await site.here.registers.queries.events(site.here.id)
    return [dict(one.data) for one in found if one.type == "RequestRevised"]


async def test_only_what_was_changed_is_sent(site: Site) -> None:
    """A day written otherwise, and blanks, are no change; an emptied list is emptied; an emptied title is refused."""
    here = site.here
    await here.open(places=["Hà Nội", "Huế"])
    path = f"/delegations/{here.id}/request/revise"
    starts = (await here.file()).starts
    async with visiting_as(site, "lan") as lan:
        same = await lan.fill(
            path, "revise", starts=f"{starts.day}/{starts.month}/{starts.year}", places="Hà Nội\n\nHuế "
        )
        assert same.status_code == 422
        assert "Nothing is different from what stands in the file." in same.text
        empty = await lan.fill(path, "revise", title=" ", purpose="Mới")
        assert wrong_in(empty.text) == {"revise-title": "Title: this is missing."}
        assert "Mới</textarea>" in empty.text
        done = await lan.fill(path, "revise", places="", purpose="Mới")
        assert done.headers["location"] == f"/delegations/{here.id}/request?said=revised"
        assert "The request is changed." in await lan.look(done.headers["location"])
    assert await revisions(site) == [{"places": [], "purpose": "Mới"}]


async def test_double_submit_is_one_event(site: Site) -> None:
    """Sent again under its key, the form says that nothing is different, or goes on; the trail has one event."""
    here = site.here
    await here.open()
    path = f"/delegations/{here.id}/request/revise"
    async with visiting_as(site, "lan") as lan:
        fields = await lan.filled(path, "revise", title="Một lần")
        first = await lan.post(path, fields)
        second = await lan.post(path, fields)
    assert (first.status_code, second.status_code) == (303, 303)
    assert await revisions(site) == [{"title": "Một lần"}]


async def test_two_who_change_the_same_field_lose_nothing(site: Site) -> None:
    """Theirs is shown beside what was typed, with who and when; nothing is sent before it was decided."""
    here = site.here
    await here.open()
    path = f"/delegations/{here.id}/request/revise"
    async with visiting_as(site, "lan") as lan:
        mine = await lan.filled(path, "revise", title="Của tôi", purpose="Mục đích của tôi")
        await here.send({"type": "revise_request", "title": "Của Lan khác", "partner": "Other Partner"})
        met = await lan.post(path, mine)
        assert met.status_code == 409
        for said in ("Somebody else changed the same meanwhile", "Của Lan khác", "Trần Thị Lan wrote", "Của tôi"):
            assert said in met.text
        assert [one.get("title") for one in await revisions(site)] == ["Của Lan khác"]
        # What stands in the form now is one's own, and elsewhere what the other wrote.
        again = Forms(met.text).forms["revise"]
        assert ("title", "Của tôi") in again
        assert ("partner", "Other Partner") in again
        assert ("was.title", "Của Lan khác") in again
        decided = await lan.post(path, again)
        assert decided.status_code == 303, wrong_in(decided.text)
    assert (await revisions(site))[1:] == [{"title": "Của tôi", "purpose": "Mục đích của tôi"}]


async def test_two_who_change_different_fields_do_not_meet(site: Site) -> None:
    """Each keeps what they changed."""
    here = site.here
    await here.open()
    path = f"/delegations/{here.id}/request/revise"
    async with visiting_as(site, "lan") as lan:
        mine = await lan.filled(path, "revise", title="Của tôi")
        await here.send({"type": "revise_request", "partner": "Other Partner"})
        assert (await lan.post(path, mine)).status_code == 303
    state = await here.file()
    assert (state.title, state.partner) == ("Của tôi", "Other Partner")


async def test_a_document_is_attached_with_whose_it_is(site: Site) -> None:
    """The file goes into the register; sent twice it is one document; without a file the form says so."""
    here = site.here
    await here.open()
    await here.add("m-1", role="head")
    path, to = f"/delegations/{here.id}/request", f"/delegations/{here.id}/request/documents"
    async with visiting_as(site, "lan") as lan:
        none = await lan.fill(path, "document", to=to, kind="passport_copy", concerns="m-1")
        assert wrong_in(none.text) == {"document-attachment": "Choose a file."}
        fields = await lan.filled(path, "document", kind="passport_copy", concerns="m-1")
        wrong = await lan.post(to, fields, {"attachment": ("a.exe", b"MZ" + bytes(100))})
        assert wrong_in(wrong.text)["document-attachment"] == "Kept are PDF, PNG, JPEG, DOCX, XLSX and plain text."
        fields = await lan.filled(path, "document", kind="passport_copy", concerns="m-1")
        for _ in range(2):
            done = await lan.post(to, fields, {"attachment": ("Hộ chiếu.pdf", PDF_FILE)})
            assert done.status_code == 303, wrong_in(done.text)
        # A file that came with a form which was wrong otherwise needs not be chosen again.
        fields = await lan.filled(path, "document", kind="", concerns="m-1")
        missed = await lan.post(to, fields, {"attachment": ("Thư.pdf", PDF_FILE)})
        assert missed.status_code == 422
        assert "<strong>Thư.pdf</strong>" in missed.text
    [document] = (await here.file()).documents.values()
    assert (document.kind, document.concerns) == ("passport_copy", "m-1")
    assert document.attachment.size == len(PDF_FILE)


async def test_a_breached_limit_is_justified_in_its_place(site: Site) -> None:
    """The text goes into the register; an empty one comes back beside its field."""
    here = site.here
    await here.open(direction="outbound", grade=None, countries=["JP", "KR", "LA", "KH"])
    path, to = f"/delegations/{here.id}/request", f"/delegations/{here.id}/request/limits"
    async with visiting_as(site, "lan") as lan:
        page = await lan.look(path)
        name = page.partition('id="limit-')[2].partition('"')[0]
        form = f"limit-{name}"
        assert names_of(page, form) - ABOUT == set(JustifyLimit.model_fields) - {"type"}
        empty = await lan.fill(path, form, to=to, justification=" ")
        assert wrong_in(empty.text) == {f"{form}-justification": "Write something here: it stays in the file."}
        done = await lan.fill(path, form, to=to, justification="Chuyến thăm\nkhu vực")
        assert done.status_code == 303, wrong_in(done.text)
        assert "Chuyến thăm\nkhu vực" in await lan.look(path)
    assert list((await here.file()).justifications) == [name]


async def test_an_auditor_reads_no_names_and_finds_no_forms(site: Site) -> None:
    """The page is theirs all the same."""
    here = site.here
    await here.open()
    await here.add("m-1", role="head")
    async with visiting_as(site, "an") as an:
        for part in ("request", "people"):
            page = await an.look(f"/delegations/{here.id}/{part}")
            assert "Delegate m-1" not in page
            assert f'action="/delegations/{here.id}' not in page
        answer = await an.http.get(f"{site.origin}/delegations/{here.id}/request/revise")
        assert answer.status_code == 403


async def test_versions_stand_with_their_differences(site: Site) -> None:
    """Each proposal with what it changed; a request that is submitted cannot be changed, in words."""
    here = site.here
    await here.open()
    await here.add("m-1", role="head")
    await here.send({"type": "submit_request"})
    await here.send({"type": "withdraw_request", "reason": await here.text("Sửa ngày")})
    ends = (await here.file()).ends + timedelta(days=1)
    await here.send({"type": "revise_request", "ends": ends.isoformat()})
    await here.send({"type": "submit_request"})
    async with visiting_as(site, "lan") as lan:
        page = await lan.look(f"/delegations/{here.id}/request")
    assert page.index("Proposal v2") < page.index("Proposal v1")
    assert "differences from the one before" in page
    assert "The request cannot be changed as the file stands: submitted." in page
