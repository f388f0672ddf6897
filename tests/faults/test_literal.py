"""What is typed into pages and where it goes on: mails, calendars, documents, sheets, the trail (faults.md, row 15).

Every text of a visit is one that templates, spreadsheets, typesetters and browsers would take for their own; each of
them has to say it as it was typed.
"""

import csv
import html
import io
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

import icalendar
import pytest

from api.pages.new_file import delegation_of
from domain.state import Phase
from domain.values import BUSINESS_ZONE, business_date
from storage.feeds import Subject
from storage.references import new_reference
from tests.documents.reading import pages
from tests.faults.page import Note
from tests.pages.asking import Guest, forms_of, visiting_as, wrong_in
from tests.pages.conftest import Site, serving_pages
from tests.pages.hostile import loose
from tests.temporal import TemporalServer

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="session")]

FIELDS = (
    *("title", "purpose", "partner", "place_of_visit", "name", "given", "function", "dietary", "needs"),
    *("item", "place", "note", "task", "beside", "number", "comment", "own_dietary", "own_needs", "formality"),
    *("results", "recommendations"),
)


def text(name: str) -> str:
    """The text of a field: it begins like a formula, and its number tells it from the others."""
    return f"=cmd()|q{FIELDS.index(name)}q{{{{7*7}}}} #import \"x\" <script id='hostile'> $x$ \\n"


def day(after: int) -> str:
    """A day after today's, in the business zone."""
    return str(business_date(datetime.now(UTC), BUSINESS_ZONE) + timedelta(days=after))


def squeezed(said: str) -> str:
    """A text without its blanks: documents break lines where they like."""
    return "".join(said.split())


def numbers_in(said: str) -> set[str]:
    """Which fields stand in a text exactly as they were typed."""
    flat = squeezed(said)
    assert not re.search(r"q\d+q49", flat)
    return {name for name in FIELDS if squeezed(text(name)) in flat}


async def done(guest: Guest, path: str, form: str, to: str | None = None, **typed: Any) -> str:
    """Fill in a form and send it; return where it led to."""
    answer = await guest.fill(path, form, to, **typed)
    assert answer.status_code == 303, (path, wrong_in(answer.text))
    return answer.headers["location"]


async def opened(lan: Guest) -> str:
    """Open a delegation that begins today, by its form."""
    draft, today = new_reference("dra"), day(0)
    path = f"/files/new/{draft}"
    first = {"direction": "inbound", "title": text("title"), "purpose": text("purpose"), "organisation": "song-lam"}
    await done(lan, f"{path}/matter", "new", **first)
    await done(lan, f"{path}/partner", "new", partner=text("partner"), countries=["Nhật Bản", ""])
    days = {"starts": today, "ends": day(1)}
    await done(lan, f"{path}/dates", "new", **days, places=text("place_of_visit"))
    await done(lan, f"{path}/level", "new", grade="C")
    await done(lan, path, "open")
    return delegation_of(draft)


async def prepared(lan: Guest, root: str) -> None:
    """A delegate, a host, an item with a note, a task and a note of the office."""
    said = {"full_name": text("name"), "given_name": text("given"), "honorific": "=1+1", "function": text("function")}
    more = {"dietary": text("dietary"), "needs": text("needs"), "nationality": "Nhật Bản", "language": "en"}
    add = f"{root}/people/new?as=delegate"
    await done(lan, add, "join", **said, **more, email="guest@tokyo.example", role="head", country="Nhật Bản")
    host = {"full_name": "Đỗ Thị Hoa", "given_name": "Hoa", "email": "hoa@songlam.example", "language": "vi"}
    await done(lan, f"{root}/people/new?as=servant", "join", **host, nationality="VN", role="host")
    times = {"day": day(1), "starts": "20", "ends": "21"}
    shown: dict[str, Any] = {"published": "yes", "groups": ["", "delegates", "hosts"]}
    item = {"title": text("item"), "place": text("place"), "notes.0.text": text("note"), "notes.0.groups": "delegates"}
    await done(lan, f"{root}/programme/new", "add", **times, **shown, **item)
    await done(lan, f"{root}/checklist", "add", title=text("task"))
    await done(lan, f"{root}/notes", "write", text=text("beside"))


async def decided(site: Site, lan: Guest, root: str) -> None:
    """Submitted, signed, decided and invited."""
    await done(lan, f"{root}/acts/submit_request", "submit_request")
    for account, step in (("hung", "department_head"), ("mai", "vice_president")):
        async with visiting_as(site, account) as signer:
            path = f"{root}/steps/{step}"
            page = await signer.look(path)
            [sign] = [one for one in forms_of(page) if ("act", "sign_off") in one.pairs]
            assert list(loose(page)) == []
            assert (await signer.post(path, sign.pairs)).status_code == 303
    await done(lan, f"{root}/acts/issue_decision", "issue_decision", number=text("number"))
    await done(lan, f"{root}/acts/invite", "invite")
    await site.here.until(Phase.INVITING)
    await site.here.idle()


async def answered(site: Site) -> str:
    """The guest answers, and says what they need, on their own page; return its address."""
    [who] = [one for one in (await site.here.file()).people.values() if one.role == "head"]
    feed = await site.here.registers.feeds.make(Subject.page(site.here.id, who.id, who.person.ref), by="lan")
    page = f"/my/{site.here.registers.feeds.token_of(feed)}"
    async with visiting_as(site) as guest:
        await done(guest, page, "answer", answer="accepted", comment=text("comment"))
        await done(guest, page, "needs", dietary=text("own_dietary"), needs=text("own_needs"))
        assert list(loose(await guest.look(page))) == []
    return page


async def reported(lan: Guest, site: Site, root: str) -> None:
    """A formality, the journey, and its report."""
    formality = {"kind": "police_notified", "reference": text("formality")}
    await done(lan, f"{root}/acts/record_formality", "record_formality", **formality)
    for act in ("depart", "conclude"):
        await done(lan, f"{root}/acts/{act}", act)
    said = {"results": text("results"), "recommendations": text("recommendations")}
    await done(lan, f"{root}/report", "report", **said)
    await site.here.idle()


def mails(site: Site) -> list[EmailMessage]:
    """Every mail that left; none has a header that nobody wrote."""
    found: list[EmailMessage] = [message_from_bytes(content, policy=default) for _, content in site.here.post.taken]
    assert {one for mail in found for one in ("Bcc", "Cc", "Reply-To") if mail[one]} == set()
    return found


def parts(site: Site, kind: str) -> list[str]:
    """What stands in the parts of one kind of all mails."""
    return [part.get_content() for one in mails(site) for part in one.walk() if part.get_content_type() == kind]


def calendar(ics: str | bytes) -> set[str]:
    """What the events of a calendar say, as a program reads them."""
    events = icalendar.Calendar.from_ical(ics).walk("VEVENT")
    assert all(one.subcomponents == [] for one in events)
    said = [str(one.get(name, "")) for one in events for name in ("SUMMARY", "LOCATION", "DESCRIPTION")]
    return numbers_in(" ".join(said))


async def documents(site: Site, lan: Guest) -> str:
    """What every document of the file says."""
    path = f"/api/v1/delegations/{site.here.id}/documents"
    found = (await lan.get(path)).json()["items"]
    files = [(await lan.get(f"{path}/{one['digest']}")).content for one in found if "pdf" in one["media_type"]]
    assert files
    return " ".join(page for one in files for page in pages(one))


async def test_what_is_typed_into_pages_is_said_everywhere_as_it_was_typed(
    tmp_path: Path, temporal_server: TemporalServer, note: Note
) -> None:
    """Nothing is reckoned, imported, run or lost, in whatever it is written."""
    note(row="15", fault="template, formula and typesetting marks in every text of a visit, typed into its pages")
    async with serving_pages(tmp_path, temporal_server) as site, visiting_as(site, "lan") as lan:
        site.here.id = await opened(lan)
        root = f"/delegations/{site.here.id}"
        await prepared(lan, root)
        await decided(site, lan, root)
        page = await answered(site)
        await reported(lan, site, root)

        assert numbers_in(" ".join(parts(site, "text/plain"))) >= MAILED
        assert numbers_in(" ".join(str(one["Subject"]) for one in mails(site))) >= {"item"}
        assert {one for ics in parts(site, "text/calendar") for one in calendar(ics)} >= {"item", "place"}
        assert numbers_in(await documents(site, lan)) >= PRINTED
        async with visiting_as(site) as guest:
            shown = await guest.look(page)
            address = html.unescape(shown).partition("/calendars/")[2].partition(".ics")[0]
            assert calendar((await guest.get(f"/calendars/{address}.ics")).content) >= {"item", "place"}
        sheet = (await lan.get(f"{root}/trail/export", format="csv")).text
        cells = [cell for row in csv.reader(io.StringIO(sheet.removeprefix("\ufeff"))) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
        assert numbers_in(" ".join(cells)) >= SEALED
        read = (await lan.get(f"{root}/trail/export")).json()["items"]
        assert numbers_in(" ".join(words for one in read for words in texts_of(one))) >= SEALED
        for part in (
            "",
            "/request",
            "/people",
            "/programme",
            "/invitations",
            "/checklist",
            "/notes",
            "/report",
            "/trail",
        ):
            assert list(loose(await lan.look(root + part))) == []


def texts_of(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from texts_of(one)


PARTS = ("", "/request", "/people", "/programme", "/invitations", "/checklist", "/notes", "/report", "/trail")

MAILED = {"title", "item", "place"}
PRINTED = {"title", "purpose", "name", "item", "place", "results", "recommendations"}
SEALED = {"title", "item", "place"}
"""What mails, documents and the trail say for certain."""
