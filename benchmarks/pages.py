"""What pages cost the server, with 10,000 files in the store: lists, every part of a large file, a long trail.

A store of its own is filled with files of ten events, a tenth of them open, in the hands of twenty coordinators; with a
file of 98 delegates and 67 items that was invited and redrafted since, one of them that waits for its first signature,
and one of 5,000 events. The floor is to render the page's template with the values that the request brought together.
"""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import process_time
from typing import Any

import httpx2
from jinja2 import Template
from pydantic import SecretStr
from temporalio.client import Client

from activities.codec import data_converter
from api.application import create_application, settle
from api.installation import Installation as Parts
from benchmarks.decided import Decided, Filling, invited, moved, opened, submitted
from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from domain.decision import Actor
from domain.events import (
    AnyEvent,
    Calculation,
    DeadlineSet,
    DelegationCancelled,
    DelegationOpened,
    DossierPart,
    MemberAdded,
    RequestRevised,
    RequestSubmitted,
    RuleRef,
    StepPlan,
)
from domain.rules import Edition
from domain.seal import SealedEvent, genesis, head_of, seal
from domain.values import PersonRef, TextRef
from settings import Settings
from storage.accounts import AccountDetails
from storage.editions_file import load_edition
from storage.engine import Database
from storage.feeds import Subject
from storage.migrate import migrate
from storage.persons import PersonDetails
from storage.projection import Projection

NAME = "pages"
FILES, EVENTS, COORDINATORS, PEOPLE = 10_000, 10, 20, 600
DELEGATES, HOSTS, ITEMS, LONG = 98, 3, 67, 5_000
AIM_MS = 100.0
NOW = datetime.now(UTC).replace(microsecond=0)
ORIGIN = "https://legation.test"

INVITED, WAITING, LONG_TRAIL = (f"/delegations/{name}" for name in ("invited", "waiting", "long"))

PAGES = {
    "Today": ("coordinator-0", "/"),
    "Today of an administrator": ("root", "/"),
    "inbox of an approver": ("head", "/inbox"),
    "files": ("coordinator-0", "/files"),
    "files, filtered and sorted": ("coordinator-0", "/files?phase=&q=hoi+5&sort=title"),
    "search": ("coordinator-0", "/search?q=nguyen"),
    "overview": ("coordinator-0", INVITED),
    "request": ("coordinator-0", f"{INVITED}/request"),
    "people": ("coordinator-0", f"{INVITED}/people"),
    "board": ("coordinator-0", f"{INVITED}/programme"),
    "list of the programme": ("coordinator-0", f"{INVITED}/programme?view=list"),
    "preview": ("coordinator-0", f"{INVITED}/programme/preview"),
    "approvals": ("coordinator-0", f"{WAITING}/approvals"),
    "step": ("head", f"{WAITING}/steps/department_head"),
    "invitations": ("coordinator-0", f"{INVITED}/invitations"),
    "report": ("coordinator-0", f"{INVITED}/report"),
    "trail": ("coordinator-0", f"{LONG_TRAIL}/trail"),
    "trail as a story": ("coordinator-0", f"{LONG_TRAIL}/trail?order=story"),
    "trail of one kind": ("coordinator-0", f"{LONG_TRAIL}/trail?kind=deadlines"),
    "file after entry 2,600": ("coordinator-0", f"{LONG_TRAIL}/trail?seq=2600&part=then"),
    "personal page": ("", "/my/{token}"),
}
"""Who asks for what; nobody in a session for a page that a link leads to."""

SEARCHED = {
    "trail, one item": ("coordinator-0", f"{LONG_TRAIL}/trail?about=i-3"),
    "trail, words nobody used": ("coordinator-0", f"{LONG_TRAIL}/trail?words=khongai"),
}
"""Pages that look through the trail itself, as far as one request goes; the aim is not for them."""


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Ask for each page in a session, without a network; the processor's time of this process, its threads among it."""
    calls = 30 if quick else 200
    figures, ratios, slowest = list[Figure](), list[Ratio](), 0.0
    with TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{folder}/legation.db"
        await migrate(url)
        settings = Settings(
            profile="server",
            data_dir=Path(folder),
            database_url=url,
            public_url=ORIGIN,
            master_key=SecretStr(base64.b64encode(bytes(range(32))).decode()),
        )
        nobody = await Client.connect("127.0.0.1:1", lazy=True, data_converter=data_converter(None))
        application = create_application(settings, client=nobody)
        at: Parts = application.state.installation
        token = await _fill(url, at)
        # As the process does that serves the pages.
        settle()
        async with application.router.lifespan_context(application):
            for name, (account, path) in (PAGES | SEARCHED).items():
                whole, rendering, octets = await _taken(application, at, account, path.format(token=token), calls)
                p95 = quantiles(whole, n=20)[18]
                slowest = max(slowest, p95 if name in PAGES else 0)
                note = f"{octets / 1000:.0f} kB"
                figures += [Figure(f"{name}, p50", median(whole), "ms", note), Figure(f"{name}, p95", p95, "ms")]
                kind = name.replace(",", "").replace(" ", "_").lower()
                ratios.append(Ratio(f"{kind}_to_rendering", median(whole) / median(rendering)))
    findings.add(NAME, figures, [Ratio("slowest_page_p95_to_100_ms", slowest / AIM_MS, aim=1.0), *ratios])


async def _taken(
    application: Any, at: Parts, account: str, path: str, calls: int
) -> tuple[list[float], list[float], int]:
    """Return how long requests took and their templates alone, in milliseconds, and how large a page is."""
    cookies = {}
    if account:
        _, secret = await at.sessions.open(account, "password")
        cookies = {at.cookies.session: secret}
    transport = httpx2.ASGITransport(app=application)
    whole, rendering, octets = [], [], 0
    async with httpx2.AsyncClient(transport=transport, base_url=ORIGIN, cookies=cookies) as http:
        for number in range(calls + 3):
            with _rendered() as taken:
                begun = process_time()
                answer = await http.get(path)
                if number >= 3:
                    whole.append((process_time() - begun) * 1000)
                    rendering.append(sum(taken))
            if answer.status_code != 200:
                raise RuntimeError(f"{path}: {answer.status_code}")
            octets = len(answer.content)
    return whole, rendering, octets


@contextmanager
def _rendered() -> Iterator[list[float]]:
    """How long every template took that was rendered meanwhile."""
    taken: list[float] = []
    render = Template.render

    def timed(self: Template, *args: Any, **values: Any) -> str:
        begun = process_time()
        page = render(self, *args, **values)
        taken.append((process_time() - begun) * 1000)
        return page

    Template.render = timed  # type: ignore[method-assign]
    try:
        yield taken
    finally:
        Template.render = render  # type: ignore[method-assign]


async def _fill(url: str, at: Parts) -> str:
    """Fill a store, and return the token of somebody's personal page."""
    edition = load_edition(Path("rules"))
    await at.editions.put(edition)
    await at.accounts.create(AccountDetails(id="root", name="Quản trị", roles=("administrator",)))
    await at.accounts.create(
        AccountDetails(id="head", name="Lê Văn Hùng", roles=("approver",), positions=("department_head",))
    )
    deputy = AccountDetails(id="deputy", name="Phạm Thị Mai", roles=("approver",), positions=("vice_president",))
    await at.accounts.create(deputy)
    for number in range(COORDINATORS):
        account = AccountDetails(id=f"coordinator-{number}", name=f"Trần Thị {number}", roles=("coordinator",))
        await at.accounts.create(account)
    details = {"given_name": "x", "language": "vi", "nationality": "VN"}
    async with at.database.writing() as connection:
        people = await at.persons.enter(
            connection,
            [
                PersonDetails(full_name=f"Nguyễn Văn {number}", email=f"{number}@songlam.example", **details)  # type: ignore[arg-type]
                for number in range(PEOPLE)
            ],
        )
    database = Database(url, synchronous="OFF")
    projection = Projection(database)
    for number in range(FILES):
        name = f"measured-{number}"
        # A file changed last on one of the last 300 days.
        last = NOW - timedelta(days=number % 300)
        events = _events(name, number, edition.digest(), people)
        await projection.project(name, _sealed(name, events, last))
    await _large(at, projection, edition, people)
    await database.close()
    named = Subject.page("invited", "m-1", people[1].ref)
    return at.feeds.token_of(await at.feeds.make(named, by="root")) or ""


async def _large(at: Parts, projection: Projection, edition: Edition, people: list[PersonRef]) -> None:
    """Write the large files: as many people and items as a file may well have."""
    approvers = {
        position: Actor(id=account, roles=("approver",), positions=(position,))
        for account, position in (("head", "department_head"), ("deputy", "vice_president"))
    }
    filling = Filling(
        coordinator=Actor(id="coordinator-0", roles=("coordinator",)),
        approvers=approvers,
        delegates=people[:DELEGATES],
        hosts=people[DELEGATES : DELEGATES + HOSTS],
        items=ITEMS,
    )
    waiting, invited_, long = (Decided(at, projection, edition, NOW, name) for name in ("waiting", "invited", "long"))
    await opened(waiting, filling)
    await submitted(waiting, filling)
    for one in (invited_, long):
        await opened(one, filling)
        await invited(one, filling)
    await moved(invited_, filling, 5)
    await moved(long, filling, LONG - long.head.seq)


def _sealed(name: str, events: list[AnyEvent], last: datetime) -> list[SealedEvent]:
    head, chain = genesis(name), []
    for event in events:
        chain.append(
            seal(
                head,
                type=event.type,
                version=event.version,
                at=last - timedelta(hours=EVENTS - head.seq),
                actor="coordinator-0",
                command_id=f"command-{head.seq}",
                data=event.model_dump(mode="json", exclude={"type"}),
            )
        )
        head = head_of(chain[-1])
    return chain


def _events(name: str, number: int, edition: str, people: list[PersonRef]) -> list[AnyEvent]:
    starts = NOW.date() + timedelta(days=number % 300)
    due = NOW.date() + timedelta(days=number % 40)
    is_open = number % 10 == 0
    found: list[AnyEvent] = [
        DelegationOpened(
            delegation=name,
            edition=edition,
            zone="Asia/Ho_Chi_Minh",
            direction="inbound" if number % 3 else "outbound",
            title=f"Đoàn Hội hữu nghị số {number}",
            purpose="Trao đổi kinh nghiệm",
            organisation="song-lam-union",
            partner="Hội Hữu nghị Nhật – Việt",
            countries=("JP",),
            places=("Hà Nội",),
            starts=starts,
            ends=starts + timedelta(days=6),
            coordinator=f"coordinator-{number // 10 % COORDINATORS}",
        ),
        DeadlineSet(
            what="report",
            due_on=due,
            due_at=datetime(due.year, due.month, due.day, 16, 59, 59, tzinfo=UTC),
            rule=RuleRef(rule="IN-REPORT", version=1),
            calculation=Calculation(anchor="departure", anchor_on=due, offset=3, unit="days", side="after"),
        ),
    ]
    found += [
        MemberAdded(
            member_id=f"m-{one}",
            person=people[(number + one) % len(people)],
            role="head" if one == 0 else "member",
            country="JP",
            entry_papers=False,
        )
        for one in range(5)
    ]
    if not is_open:
        found.append(DelegationCancelled(reason=TextRef(ref="txt_measured01", commitment="0" * 64)))
    elif number % 40 == 0:
        found.append(
            RequestSubmitted(
                proposal=1,
                digest="d" * 64,
                parts=(DossierPart(part="request", commitment="a" * 64),),
                chain=RuleRef(rule="APPROVAL-IN", version=1),
                steps=(StepPlan(id="head", position="department_head", title_vi="Trưởng ban", title_en="Head"),),
            )
        )
    found += [RequestRevised(purpose=f"Trao đổi {one}") for one in range(EVENTS - len(found))]
    return found
