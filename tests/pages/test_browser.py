"""The pages in a real browser: sign in, add a passkey, sign with it; and what must not happen."""

import pytest

from tests.pages.conftest import Site, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("browser"), pytest.mark.asyncio(loop_scope="session")]


async def submitted(site: Site) -> str:
    """A file that waits for the department head, and the path of that step."""
    await site.here.open()
    await site.here.add("m-1", role="head")
    await site.here.schedule("s-1")
    await site.here.send({"type": "submit_request"})
    return f"/delegations/{site.here.id}/steps/department_head"


async def test_the_link_of_a_mail_leads_through_signing_in_to_the_receipt(site: Site, visitor: Visitor) -> None:
    """Without a session there is nothing but the sign-in page; then the step, the answer, and its receipt."""
    path = await submitted(site)
    await visitor.go(path)
    assert visitor.path.startswith("/sign-in?next=")
    assert "Hội hữu nghị Tokyo" not in await visitor.page.content()
    await visitor.sign_in("hung", visitor.path)
    assert visitor.path == path
    await visitor.page.get_by_role("button", name="Approve proposal v1").click()
    await visitor.page.wait_for_url("**/receipts/*")
    assert await visitor.page.inner_text("h1") == "You approved proposal v1."
    file = await site.here.file()
    assert file.proposal is not None
    assert file.proposal.steps[0].status == "signed"
    assert file.proposal.steps[0].by == "hung"
