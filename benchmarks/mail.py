"""Mails a second to the local SMTP server: by our outbox, and by aiosmtplib alone on one open line."""

from datetime import UTC, datetime
from uuid import uuid4

import aiosmtplib

from activities.outbox import Outbox, Patience
from benchmarks.figures import Figure, Findings, Ratio
from benchmarks.installation import Installation
from benchmarks.timing import Contestant, in_turns
from calendars.imip import calendar_part, message_id
from calendars.itip import Attendee, request
from calendars.views import ItemView, view_hash
from domain.mailbox import Mailbox
from domain.values import resolve
from embedded.ports import HOST
from notices.contents import ItemFacts, ItineraryRequest
from notices.message import compose
from notices.render import render
from notices.smtp import SmtpServer
from storage.mail_ledger import Mail

NAME = "mail"
MAILS = 100
DOMAIN = "songlam.example"
SENDER = Mailbox(address=f"lich@{DOMAIN}", name="Liên hiệp các tổ chức hữu nghị tỉnh Sông Lam")
GUESTS = tuple(Mailbox(address=f"guest{number}@tokyo.example", name=f"Satō {number}") for number in range(MAILS))
STARTS, ENDS = (resolve(f"2027-04-06T{hour}:00", "Asia/Ho_Chi_Minh") for hour in ("09", "11"))
PLACE = "Trụ sở Liên hiệp, Sông Lam"


async def measure(here: Installation, findings: Findings, *, quick: bool) -> None:
    """Time blocks of a hundred invitations, one recipient each, in turns over one line each.

    Ours reads each from the ledger, decrypts it, hands it over, and notes the acceptance by a commit on disk before it
    hands over the next. Composing and entering are timed by themselves: bare aiosmtplib has nothing like them.
    """
    server = SmtpServer(host=HOST, port=here.record.ports.smtp)
    outbox = Outbox(here.registers.mail_ledger, server, SENDER, Patience())
    waiting: list[list[Mail]] = []
    bare = aiosmtplib.SMTP(hostname=HOST, port=here.record.ports.smtp, use_tls=False, start_tls=False)
    await bare.connect()
    plain = [(guest.address, _invitation(guest, "bare")) for guest in GUESTS]

    async def by_aiosmtplib() -> None:
        for address, mail in plain:
            await bare.sendmail(SENDER.address, [address], mail.content)

    async def by_outbox() -> None:
        lines = await outbox.send(waiting.pop()[0].issue, lambda: None)
        assert {line.status for line in lines} == {"sent"}

    async def entering() -> None:
        await outbox.enter(_invitations())

    async def ready() -> None:
        if not waiting:
            waiting.append(_invitations())
            await outbox.enter(waiting[0])

    async def nothing() -> None:
        return None

    await ready()
    await by_outbox()
    await ready()
    contestants = [
        Contestant("aiosmtplib alone", by_aiosmtplib, nothing),
        Contestant("outbox", by_outbox, ready),
        Contestant("composed and entered", entering, nothing),
    ]
    found = await in_turns(contestants, rounds=5 if quick else 15, calls=1, warm_up=0)
    await bare.quit()
    rates = {name: MAILS / one.p50 * 1000 for name, one in found.items()}
    findings.add(
        NAME,
        [Figure(name, rate, "mails/s", f"{len(plain[0][1].content):,} octets each") for name, rate in rates.items()],
        [Ratio("mail_to_aiosmtplib", rates["outbox"] / rates["aiosmtplib alone"], aim=0.8, at_least=True)],
    )


def _invitations() -> list[Mail]:
    issue = uuid4().hex
    return [_invitation(guest, issue) for guest in GUESTS]


def _invitation(guest: Mailbox, issue: str) -> Mail:
    view = ItemView(
        uid=f"{issue}.bench@{DOMAIN}", summary="Làm việc với Liên hiệp", location=PLACE, starts=STARTS, ends=ENDS
    )
    seen = view_hash(view)
    identity = message_id(uid=view.uid, sequence=0, method="REQUEST", mailbox=guest, view_hash=seen, domain=DOMAIN)
    at = datetime(2027, 3, 1, tzinfo=UTC)
    facts = ItineraryRequest.model_validate(
        {
            "recipient": guest.name,
            "organisation": SENDER.name,
            "delegation": "Đoàn Hội Hữu nghị Tokyo",
            "contact": "",
            "item": ItemFacts(title=view.summary, starts=STARTS, ends=ENDS, place=PLACE),
            "asks_answer": True,
        }
    )
    content = compose(
        render("itinerary_request", "vi", facts),
        sender=SENDER,
        recipient=guest,
        message_id=identity,
        date=at,
        calendar=calendar_part(request(view, SENDER, (Attendee(mailbox=guest, language="vi"),), at)),
    )
    return Mail(
        uid=view.uid,
        sequence=0,
        method="REQUEST",
        view_hash=seen,
        message_id=identity,
        delegation_id="bench",
        issue=issue,
        kind="itinerary_request",
        participants=(guest.address.partition("@")[0],),
        mailbox=guest.address,
        content=content,
    )
