"""The gallery without Temporal: commands are decided in this process, by the decider and the registers that a worker
asks, and what is sealed is in the read model at once. Nothing is sent and no document is written.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self, cast

import httpx2
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.decide import Decide
from api.cookies import csrf_token
from api.engine import CommandRefused, Engine, KeyReused
from calendars.received import body_of, message_id_of
from domain.decision import Envelope, Receipt
from domain.seal import genesis, head_of
from domain.values import BUSINESS_ZONE, business_date
from embedded.clock import VirtualClock
from storage.accounts import AccountDetails
from storage.received_mail import Arrived, Filed
from storage.registers import Registers
from storage.trips import Trips
from tests.api.front import ORIGIN, Front, front
from tests.builders import pdf
from tests.calendars.answers import Answered, outlook
from tests.pages.asking import COOKIE, Guest, wrong_in
from tests.pages.gallery import answered, busy, directory, empty, half_written, house, typical, waiting
from tests.pages.screenshots import PAGES, known
from tests.rulebook import edition
from tests.running import ACCOUNTS, Post, Running
from tests.storage.samples import PDF_FILE, in_pieces
from tests.storage.test_mail_ledger import LEASE, NOW, mail
from tests.storage.test_persons import SATO
from workflows.ports import Question


class Deciding(Engine):
    """An engine whose delegations live in this process; a repetition is answered as a delegation answers it."""

    def __init__(self, registers: Registers, zone: str) -> None:
        super().__init__(cast(Client, None), "", registers.database, registers.projection, registers.queries)
        self._decide = Decide(
            registers.editions,
            registers.standing,
            Trips(registers.database),
            registers.dead_letters,
            registers.collections,
            zone,
        )
        self._answered: dict[str, tuple[str, Receipt]] = {}

    async def send(self, envelope: Envelope) -> Receipt:
        """Decide, as the workflow of a delegation does."""
        if envelope.command_id in self._answered:
            digest, receipt = self._answered[envelope.command_id]
            if digest != envelope.digest:
                raise KeyReused
            return receipt.model_copy(update={"events": (), "repeated": True})
        file = await self._queries.get(envelope.delegation)
        state, head = (file.state, file.head) if file else (None, genesis(envelope.delegation))
        now = max(datetime.now(UTC), file.updated_at) if file else datetime.now(UTC)
        decision = await self._decide.decide(Question(head=head, envelope=envelope, now=now, state=state))
        if decision.refusal is not None:
            await self._write(envelope.delegation, decision.events)
            raise CommandRefused(decision.refusal)
        last = head_of(decision.events[-1]) if decision.events else head
        receipt = Receipt(
            delegation=envelope.delegation,
            command_id=envelope.command_id,
            first_seq=head.seq + 1,
            last_seq=last.seq,
            head=last.hash,
            phase="",
            types=tuple(event.type for event in decision.events),
            events=decision.events,
        )
        self._answered[envelope.command_id] = envelope.digest, receipt
        return receipt


class Away:
    """A client of a server that does not answer, whatever it is asked."""

    namespace = identity = "away"

    def __getattr__(self, name: str) -> Self:
        return self

    def __call__(self, *_: object, **__: object) -> Self:
        return self

    def __await__(self) -> Any:
        raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> None:
        raise RPCError("away", RPCStatusCode.UNAVAILABLE, b"")


def indoors(found: Front) -> Running:
    """The files of an installation whose commands are decided here; its front takes them in the same way."""
    engine = Deciding(found.at.registers, found.at.settings.zone)
    found.at._client, found.at._engine = cast(Client, Away()), engine
    return Running(
        found.at.settings, found.at.registers, cast(Client, None), engine, cast(VirtualClock, None), Post(), "d-1"
    )


async def furnish(here: Running) -> None:
    """Files in every phase in which a page has something to ask, and what the office has beside them."""
    for make in (empty, typical, answered, waiting):
        await make(here)
    for name, way in PHASES.items():
        await _led(replace(here, id=name), *way)
    await half_written(here)
    await here.registers.drafts.save("lan", "new_delegation", "dra_complete00", COMPLETE)
    elsewhere = [*COMPLETE, ("organisation", "elsewhere")]
    await here.registers.drafts.save("lan", "new_delegation", "dra_elsewhere0", elsewhere)
    await busy(here)
    # The last: once the register knows the organisation, its files have another chain of approval.
    await house(here)
    await directory(here)


async def equip(found: Front) -> None:
    """What administrators have begun, entered by their own pages."""
    await found.at.accounts.create(AccountDetails(id="ha", name="Hà", roles=("administrator",)))
    await found.at.accounts.create(AccountDetails(id="binh", name="Bình", roles=("coordinator",)))
    for account in ("lan", "mai"):
        await found.at.accounts.create_token(account, scopes=("read",))
    root = await guest_of(found, "root")
    people = [(await found.at.persons.register(SATO)).ref for _ in range(2)]
    asked = {"form": "add", "via": "letter", "description": "Mr. Sato asks.", "processor": "no", "checked": "yes"}
    for path, fields in (
        ("/admin/positions/clerk", {"form": "begin", "account": "lan", "since": "2026-01-01"}),
        ("/admin/accounts/mai", {"form": "identity", "issuer": "https://x.example", "subject": "1"}),
        ("/admin/erasures", {"form": "ask", "person": people[0], "reason": "objection"}),
        ("/admin/erasures", {"form": "ask", "person": people[1], "reason": "objection"}),
        ("/admin/person-requests", asked | {"kind": "access", "key": "1" * 32}),
        ("/admin/person-requests", asked | {"kind": "erasure", "key": "2" * 32}),
        ("/admin/person-requests", asked | {"kind": "correction", "key": "3" * 32}),
        ("/admin/retention", {}),
    ):
        answer = await root.send(path, **fields)
        assert answer.status_code == 303, (path, answer.status_code, wrong_in(answer.text))
    lan = await guest_of(found, "lan")
    # Whoever looks at a table has it read, beside what they asked.
    for table in await found.at.directory_uploads.of("lan"):
        await lan.look(f"/directory/imports/{table.id}")
    while any(one.state == "sent" for one in await found.at.directory_uploads.of("lan")):
        await asyncio.sleep(0.01)
    await found.at.attachments.store(in_pieces(PDF_FILE))
    await _post(found.at.registers)


async def _post(registers: Registers) -> None:
    """A message that the mail server refused, and a reply of which nobody knows to what."""
    lost = replace(mail(), delegation_id="invited", participants=("m-1",), mailbox="m-1@tokyo.example")
    await registers.mail_ledger.enqueue([lost])
    [claimed] = await registers.mail_ledger.claim(lost.issue, limit=1, lease=LEASE, now=NOW)
    await registers.mail_ledger.mark_refused(claimed.message_id, "550", "5.1.1")
    octets = outlook(Answered(sender="who@tokyo.example", message_id="<b@b.example>"))
    arrived = Arrived(uid=2, message_id=message_id_of(octets), body=body_of(octets), octets=octets)
    (ref,) = await registers.received_mail.take("gallery", 1, 2, [arrived])
    await registers.received_mail.file(ref, Filed("review", "reply", "uid_unknown"))


COMPLETE = [
    ("direction", "outbound"),
    ("title", "Đoàn đi Viêng Chăn"),
    ("purpose", "Trao đổi về hợp tác giữa hai địa phương"),
    ("organisation", "song-lam"),
    ("partner", "Hội hữu nghị Lào – Việt Nam"),
    ("countries", "Lào"),
    ("stays", "3"),
    ("starts", "12/4/2099"),
    ("ends", "15/4/2099"),
]

Way = Sequence[str]

PHASES: dict[str, Way] = {
    "drafted": (),
    "over-the-limit": ("abroad",),
    "elsewhere": ("abroad", "elsewhere"),
    **{f"waiting-{number}": ("submit",) for number in range(1, 4)},
    "decided": ("submit", "sign"),
    "approved": ("submit", "sign", "issue"),
    "consulting": ("provincial", "submit", "sign-first"),
    "changed": ("provincial", "submit", "sign-first", "consult", "sign-last", "issue", "invite", "move"),
    "invited": ("submit", "sign", "issue", "invite"),
    "at-the-airport": ("soon", "submit", "sign", "issue", "invite"),
    "under-way": ("soon", "submit", "sign", "issue", "invite", "depart"),
    "reporting": ("soon", "submit", "sign", "issue", "invite", "depart", "conclude"),
    **dict.fromkeys(
        ("reported", "reported-2"), ("soon", "submit", "sign", "issue", "invite", "depart", "conclude", "report")
    ),
    "accepted": ("soon", "submit", "sign", "issue", "invite", "depart", "conclude", "report", "accept"),
    "closed": ("soon", "submit", "sign", "issue", "invite", "depart", "conclude", "report", "accept", "close"),
    "put-off": ("submit", "sign", "issue", "invite", "postpone"),
}
"""Files by the way that they came."""


SIGNERS = (("hung", "department_head"), ("mai", "vice_president"))

ABROAD = {"direction": "outbound", "grade": None, "countries": ["JP", "KR", "LA", "KH"]}


async def _led(one: Running, *way: str) -> None:
    today = business_date(datetime.now(UTC), BUSINESS_ZONE)
    said: dict[str, Any] = {"starts": today, "ends": today + timedelta(days=1)} if "soon" in way else {}
    said |= {"run_by": "provincial_union"} if "provincial" in way else {}
    said |= ABROAD if "abroad" in way else {}
    said |= {"organisation": "elsewhere"} if "elsewhere" in way else {}
    await one.open(title=f"Đoàn {one.id}", **said)
    await one.add("m-1", "head")
    await one.add("m-2")
    papers = {"person": await one.person("Ito Ren", f"ito@{one.id}.example"), "country": "JP", "entry_papers": True}
    await one.send({"type": "add_member", "member_id": "m-3", "role": "member", **papers})
    # On the second day: at no hour of today is it over.
    await one.schedule("s-1", day=1)
    await one.schedule("s-2", day=1, hour=14)
    for step in way:
        await _done(one, step)


async def _done(one: Running, step: str) -> None:
    simple = {
        "submit": "submit_request",
        "invite": "invite",
        "depart": "depart",
        "conclude": "conclude",
        "close": "close_delegation",
    }
    match step:
        case "provincial" | "abroad" | "elsewhere" | "soon":
            return
        case "sign" | "sign-first" | "sign-last":
            signers = {"sign-first": SIGNERS[:1], "sign-last": SIGNERS[1:]}.get(step, SIGNERS)
            for signer, what in signers:
                digest = (await one.file()).proposal.digest  # type: ignore[union-attr]
                await one.send({"type": "sign_off", "step_id": what, "dossier_digest": digest}, by=signer)
        case "consult":
            digest = (await one.file()).proposal.digest  # type: ignore[union-attr]
            dated = business_date(datetime.now(UTC), BUSINESS_ZONE).isoformat()
            letter = {"authority": "Sở", "reference": "1/CV", "dated": dated}
            for what in ("police", "foreign_affairs"):
                said = {"type": "record_external_decision", "step_id": what, "dossier_digest": digest}
                said |= {"letter": pdf(what).model_dump()}
                await one.send(said | letter | {"outcome": "approved"})
        case "move":
            day = (await one.file()).starts + timedelta(days=1)
            times = {"starts": {"local": f"{day}T16:00"}, "ends": {"local": f"{day}T17:00"}}
            await one.send({"type": "move_item", "item_id": "s-1", **times})
        case "issue":
            await one.send({"type": "issue_decision", "number": "12/QĐ-LH"})
        case "report":
            await one.send({"type": "file_report", "results": await one.text("Đã ký thỏa thuận.")})
        case "accept":
            digest = (await one.file()).report.digest  # type: ignore[union-attr]
            await one.send({"type": "accept_report", "report_digest": digest}, by="mai")
        case "postpone":
            await one.send({"type": "postpone", "reason": await one.text("Đối tác đề nghị")})
        case _:
            await one.send({"type": simple[step]})


async def guest_of(found: Front, account: str = "", language: str = "en") -> Guest:
    """Somebody in a session of an account, without one nobody; pages speak the language to them."""
    http = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=found.application), timeout=60)
    http.cookies.set(found.at.cookies.language, language, domain="legation.test")
    csrf = ""
    if account:
        _, secret = await found.at.sessions.open(account, "password")
        http.cookies.set(COOKIE, secret, domain="legation.test")
        csrf = csrf_token(secret)
    return Guest(http, ORIGIN, csrf)


_furnished: list[bytes] = []


@asynccontextmanager
async def furnished(folder: Path, **more: Any) -> AsyncIterator[tuple[Front, Running]]:
    """An installation with the whole gallery; it is made once in a process, and everybody has a copy of their own.

    With a `database_url` it is made there.
    """
    if "database_url" in more:
        async with front(folder, **more) as found:
            for account in ACCOUNTS:
                await found.at.accounts.create(account)
            yield found, await _with_everything(found)
        return
    if not _furnished:
        with TemporaryDirectory() as made:
            async with front(Path(made)) as found:
                await _with_everything(found)
            _furnished.append(await asyncio.to_thread(Path(made, "legation.db").read_bytes))
    async with front(folder, database=_furnished[0], **more) as found:
        yield found, indoors(found)


async def _with_everything(found: Front) -> Running:
    await found.at.editions.put(edition())
    here = indoors(found)
    await furnish(here)
    await equip(found)
    for _, _, path in PAGES:
        await known(here, path)
    return here
