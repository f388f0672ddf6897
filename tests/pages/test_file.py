"""The pages of a file in every phase, by role; and one act on a screen of a phone."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from domain import commands as c
from domain.state import Phase
from tests.api.front import Browser as Client
from tests.api.front import Front, front
from tests.builders import (
    DEPARTMENT_HEAD,
    VICE_PRESIDENT,
    Said,
    Step,
    amending,
    approved,
    closed,
    dossier,
    drafted,
    invited,
    member,
    reported,
    reporting,
    sign,
    submitted,
    text,
    under_way,
)
from tests.domain.given import given
from tests.domain.player import Play
from tests.pages.asking import look, signed_in
from tests.pages.conftest import Site, Visitor, visiting
from tests.pages.filled import statements
from tests.rulebook import edition, shipped

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

PARTS = ("", "/approvals", "/invitations", "/report", "/acts/hand_over")

WAYS: dict[str, tuple[Step, ...]] = {
    "drafted": drafted(),
    "drafted-later": drafted(starts="2190-04-06", ends="2190-04-12", run_by="central_union"),
    "submitted": submitted(),
    "signed": (
        *submitted(),
        sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"),
        sign("vice_president", VICE_PRESIDENT, "2026-02-27T09:00"),
    ),
    "consulting": (
        *submitted(run_by="provincial_union"),
        sign("department_head", DEPARTMENT_HEAD, "2026-02-26T09:00"),
    ),
    "returned": (
        *submitted(),
        lambda state: Said(
            c.ReturnStep(
                step_id="department_head", dossier_digest=dossier(state), reason=text(), missing=("passport of Ito",)
            ),
            DEPARTMENT_HEAD,
        ),
    ),
    "rejected": (
        *submitted(),
        lambda state: Said(
            c.RejectStep(step_id="department_head", dossier_digest=dossier(state), reason=text()), DEPARTMENT_HEAD
        ),
    ),
    "approved": approved(),
    "invited": invited(),
    "crowd": (*drafted(), *(member(f"m{number}") for number in range(96)), *approved()[len(drafted()) :], c.Invite()),
    "amending": amending(),
    "changed": amending()[:-1],
    "under-way": under_way(),
    "reporting": reporting(),
    "reported": reported(),
    "closed": closed(),
    "put-off": (*invited(), c.Postpone(reason=text())),
    "called-off": (*invited(), c.CancelDelegation(reason=text())),
}


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def desk(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Front]:
    """An installation with a file in every phase, projected from its events; no worker."""
    folder: Path = tmp_path_factory.mktemp("files")
    async with front(folder) as found:
        for rules in (edition(), shipped()):
            await found.at.editions.put(rules)
        for name, way in WAYS.items():
            await found.at.registers.projection.project(name, played(name, way).events)
        yield found


def played(name: str, way: tuple[Step, ...]) -> Play:
    """A file's way under its own id."""
    going = given()
    going.play = Play(name, edition())
    return going.further(*way).play


@pytest.mark.parametrize("account", ["lan", "an"])
async def test_every_part_of_a_file_is_there_in_every_phase(desk: Front, account: str) -> None:
    """In both languages, for who runs files and who only reads; what each role meets stands in cells.csv."""
    browser, _ = await signed_in(desk, account)
    wrong = []
    for name in WAYS:
        for part in PARTS:
            for language in ("en", "vi"):
                answer = await look(browser, f"/delegations/{name}{part}", language)
                expected = 403 if part.startswith("/acts/") and account in ("hung", "an") else 200
                if answer.status_code != expected or f'<html lang="{language}">' not in answer.text:
                    wrong.append((name, part, language, answer.status_code))
    assert wrong == []


async def test_the_files_of_these_tests_reach_every_phase(desk: Front) -> None:
    """Nothing is left out without anybody noticing."""
    phases = set()
    for name in WAYS:
        file = await desk.at.queries.get(name)
        assert file is not None
        phases.add(file.state.phase)
    # With the first of two signatures it is under approval: its pages are those of a submitted one.
    assert phases | {Phase.UNDER_APPROVAL} == set(Phase)


async def page(browser: Client, path: str) -> str:
    """A page in English."""
    return (await look(browser, f"/delegations/{path}")).text


async def test_the_first_page_says_what_belongs_to_the_file_in_numbers(desk: Front) -> None:
    """People by country and role, programme, answers, money; due dates with rule and calculation."""
    browser, _ = await signed_in(desk, "lan")
    said = await page(browser, "invited")
    assert "2 items, 2 days. Version 1 is published." in said
    assert "10 days before the first day of the journey, 6 April 2026" in said
    assert "rule IN-PROPOSAL, version 1" in said
    assert "At most 37,000,000" in said
    assert "0 of 3 people have answered." in said


async def test_the_first_page_has_one_primary_action(desk: Front) -> None:
    """The next thing to do, and no other of its weight; who has nothing to do has none."""
    for account, name, label in (
        # The days of these files have passed: where that stands in the way, the way there is what comes next.
        ("lan", "drafted", "Change the dates"),
        ("lan", "invited", "Record that the journey has begun"),
        ("hung", "submitted", "Answer the step “Department head”"),
        ("lan", "approved", "Send the invitations"),
        ("lan", "reporting", "File the report"),
        ("lan", "put-off", "Take the delegation up again"),
        ("lan", "called-off", "Close the file"),
    ):
        browser, _ = await signed_in(desk, account)
        said = await page(browser, name)
        assert said.count('<a class="button" ') == 1, name
        assert f">{label}</a>" in said, name
    browser, _ = await signed_in(desk, "an")
    assert 'aria-label="What you can do now"' not in await page(browser, "drafted")


async def test_what_nobody_can_sign_is_told_before_the_submission(desk: Front) -> None:
    """On the page of the request and on that of the submission; once it is submitted it is no longer told there."""
    browser, _ = await signed_in(desk, "lan")
    for part in ("request", "acts/submit_request"):
        said = await page(browser, f"drafted-later/{part}")
        assert (
            "The step “Finance” is left to the step “Standing vice-president”: "
            "whoever holds the position signs another step of the chain."
        ) in said
        assert "Nobody can sign the step “Protocol” as things stand: nobody who may sign holds the position." in said
    assert "Before it is submitted" not in await page(browser, "submitted/request")


async def test_the_way_over_the_desks_says_who_signed_by_what_right(desk: Front) -> None:
    """Prefix and position; who is to sign; what voids what; what came back."""
    browser, _ = await signed_in(desk, "lan")
    said = await page(browser, "approved/approvals")
    assert "TL. President / Department head" in said
    assert "KT. President / Vice-president" in said
    assert "signed by everybody" in said
    waiting = await page(browser, "submitted/approvals")
    assert "On the desk of: Department head (Lê Văn Hùng)" in waiting
    amended = await page(browser, "amending/approvals")
    assert "Change v2" in amended
    assert "It changes: the programme." in amended
    assert "Looks at: the request and the people. If none of it changes, the signature stays." in amended
    changed = await page(browser, "changed/approvals")
    assert "Changed since the decision, and to be approved before people hear of it: the programme." in changed
    assert 'href="/delegations/changed/acts/submit_change"' in changed
    outside = await page(browser, "consulting/approvals")
    assert 'href="/delegations/consulting/acts/record_external_decision?step_id=police"' in outside
    assert "nobody holds this position" not in outside
    auditor, _ = await signed_in(desk, "an")
    for name in ("changed", "consulting"):
        assert "/acts/" not in await page(auditor, f"{name}/approvals")
    back = await page(browser, "returned/approvals")
    assert "passport of Ito" in back
    assert "/steps/" not in back
    browser, _ = await signed_in(desk, "hung")
    assert "/delegations/submitted/steps/department_head" in await page(browser, "submitted/approvals")


async def test_the_report_says_what_the_file_says_for_it(desk: Front) -> None:
    """Days, people and programme compiled; the form for who may file it, and the way to accept it for who may."""
    browser, _ = await signed_in(desk, "lan")
    said = await page(browser, "reporting/report")
    assert 'name="results"' in said
    assert "Due by Wed 15 Apr 2026" in said
    assert "Session 2" in said
    assert 'name="results"' not in await page(browser, "invited/report")
    filed = await page(browser, "reported/report")
    assert ("waits to be accepted" in filed, 'name="results"' in filed) == (True, False)


async def test_pages_stay_small_and_ask_no_more_of_a_large_file(desk: Front) -> None:
    """As many statements for 98 delegates as for two; their names are folded, and the page is not 100 kB."""
    browser, _ = await signed_in(desk, "lan")
    for part in PARTS:
        small, large = [await asked(desk, browser, f"/delegations/{name}{part}") for name in ("invited", "crowd")]
        assert (part, small[0]) == (part, large[0])
        assert small[1] < 40_000, part
        assert large[1] < 100_000, part


async def asked(found: Front, browser: Client, path: str) -> tuple[int, int]:
    """How many statements a page takes, and how many bytes it has; the second time, with the rules read already."""
    await look(browser, path)
    with statements(found) as seen:
        answer = await look(browser, path)
    assert answer.status_code == 200
    return len(seen), len(answer.content)


@pytest.mark.xdist_group("browser")
async def test_an_act_is_done_with_a_thumb(chromium: Browser, site: Site) -> None:
    """On 390 pixels: nothing wider than the screen, targets large enough, and no violation on the way."""
    await site.here.open()
    await site.here.add("keiko", "head")
    await site.here.schedule("forum")
    size = {"width": 390, "height": 844}
    async with visiting(chromium, site, viewport=size, has_touch=True) as visitor:
        await visitor.speak("en")
        await visitor.sign_in("lan", f"/sign-in?next=/delegations/{site.here.id}")
        await fits(visitor)
        await visitor.page.get_by_role("link", name="Submit the proposal").tap()
        await fits(visitor)
        await visitor.page.get_by_role("button", name="Submit proposal v1").tap()
        await expect(visitor.page.locator("p[role=status]")).to_have_text("The proposal is submitted.")
        assert "Waits for: Department head, until " in await visitor.page.inner_text(".standing")
        await visitor.page.get_by_text("What you can do now").tap()
        await expect(visitor.page.get_by_role("link", name="Take the proposal back")).to_be_visible()
        await fits(visitor)
        assert (visitor.strayed, visitor.complaints) == ([], [])
    assert (await site.here.file()).phase is Phase.SUBMITTED


async def fits(visitor: Visitor) -> None:
    """Nothing stands beyond the screen, and axe finds nothing."""
    assert await visitor.page.locator("html").evaluate("one => one.scrollWidth") <= 390
    assert await visitor.violations() == []
    for control in await visitor.page.locator(".bar a, .bar summary, .sending button, .sending a").all():
        box = await control.bounding_box()
        if box is not None:
            assert box["height"] >= 44
