"""The postman against real SMTP servers: what arrives, what is refused, what may be sent again."""

import asyncio
import email
import ssl
import traceback
from datetime import UTC, datetime, timedelta
from email.policy import SMTP as SMTP_POLICY
from ipaddress import ip_address
from pathlib import Path

import pytest
import vobject
from aiosmtpd.smtp import AuthResult, LoginPassword
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from imap_tools import MailBoxUnencrypted
from pydantic import SecretStr, ValidationError

from calendars.imip import calendar_part, message_id
from calendars.itip import request
from calendars.views import view_hash
from domain.mailbox import Mailbox
from notices.message import compose
from notices.render import render
from notices.smtp import Deferred, NotSent, Postman, Refused, SmtpServer, Unavailable
from tests.calendars.cases import CASES, MUELLER, SESSION, STAMP, UNION
from tests.notices.samples import SAMPLES
from tests.notices.servers import PASSWORD, Sink, free_port, listening

GUEST = Mailbox(address="tanaka@guests.example", name="Tanaka Yūko")
ICS = CASES["session-in-ho-chi-minh-city"]


def mail(recipient: Mailbox = GUEST, ics: bytes = ICS) -> bytes:
    return compose(
        render("itinerary_request", "vi", SAMPLES["itinerary_request"]),
        sender=UNION,
        recipient=recipient,
        message_id=message_id(
            uid=SESSION.uid,
            sequence=SESSION.sequence,
            method="REQUEST",
            mailbox=recipient,
            view_hash=view_hash(SESSION),
            domain="songlam.example",
        ),
        date=STAMP,
        calendar=calendar_part(ics),
    )


def server(sink: Sink, **changes: object) -> SmtpServer:
    settings = {"host": "127.0.0.1", "port": sink.port, "timeout": 5.0}
    return SmtpServer.model_validate(settings | changes)


async def test_the_octets_arrive_unchanged_at_the_one_recipient(sink: Sink) -> None:
    """RCPT TO names the recipient, and the server holds what was composed, CRLF and all."""
    async with Postman(server(sink)) as postman:
        await postman.send(mail(), UNION, GUEST)
    [envelope] = sink.taken
    assert (envelope.mail_from, envelope.rcpt_tos) == (UNION.address, [GUEST.address])
    assert sink.octets == [mail()]
    part = list(email.message_from_bytes(sink.octets[0], policy=SMTP_POLICY).walk())[-1]
    assert part.get_payload(decode=True) == ICS


async def test_a_burst_takes_one_connection(sink: Sink) -> None:
    """Twenty mails, sent by twenty tasks, go over one line, one recipient each."""
    guests = [Mailbox(address=f"guest{number}@guests.example") for number in range(20)]
    async with Postman(server(sink)) as postman:
        await asyncio.gather(*(postman.send(mail(guest), UNION, guest) for guest in guests))
    assert sorted(tuple(envelope.rcpt_tos) for envelope in sink.taken) == sorted((guest.address,) for guest in guests)
    assert sink.connections == 1


async def test_a_copy_is_byte_identical(sink: Sink) -> None:
    """What is sent again after a crash can be told for a copy."""
    async with Postman(server(sink)) as first:
        await first.send(mail(), UNION, GUEST)
    async with Postman(server(sink)) as second:
        await second.send(mail(), UNION, GUEST)
    assert sink.octets[0] == sink.octets[1]


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_lasting_refusal_is_of_this_mail_only(sink: Sink, verb: str) -> None:
    """5yz: this mail is refused for good, the next goes over the same line."""
    async with Postman(server(sink)) as postman:
        sink.answers[verb] = f"550 5.1.1 <{GUEST.address}> is unknown here"
        with pytest.raises(Refused) as refusal:
            await postman.send(mail(), UNION, GUEST)
        assert refusal.value.code == 550
        sink.answers.clear()
        await postman.send(mail(), UNION, GUEST)
    assert len(sink.taken) == 1


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_no_address_in_an_error(sink: Sink, verb: str) -> None:
    """Neither the text nor any error chained to it repeats the address or the server's words."""
    sink.answers[verb] = f"550 5.1.1 <{GUEST.address}> is unknown here"
    async with Postman(server(sink)) as postman:
        with pytest.raises(Refused) as refusal:
            await postman.send(mail(), UNION, GUEST)
    assert str(refusal.value) == "the mail server refused the mail for good (550)"
    assert refusal.value.__cause__ is None
    assert refusal.value.__context__ is None
    assert "guests.example" not in "".join(traceback.format_exception(refusal.value))


@pytest.mark.parametrize(("answer", "code"), [("421 4.3.2 closing", 421), ("451 4.7.1 grey-listed", 451)])
@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_passing_refusal_may_be_sent_again(sink: Sink, verb: str, answer: str, code: int) -> None:
    """4yz: later the same octets are taken, by the same postman."""
    async with Postman(server(sink)) as postman:
        sink.answers[verb] = answer
        with pytest.raises(Unavailable) as refusal:
            await postman.send(mail(), UNION, GUEST)
        assert refusal.value.code == code
        sink.answers.clear()
        await postman.send(mail(), UNION, GUEST)
    assert sink.octets == [mail()]


@pytest.mark.parametrize(
    ("verb", "answer", "kind", "status"),
    [
        ("RCPT", "450 4.2.0 grey-listed", Deferred, "4.2.0"),
        ("DATA", "451 4.7.1 try again", Deferred, "4.7.1"),
        ("RCPT", "450 later", Deferred, None),
        ("RCPT", "452 4.3.1 no space left", Unavailable, "4.3.1"),
        ("MAIL", "451 4.7.0 not from you now", Unavailable, "4.7.0"),
        ("RCPT", "421 4.7.0 too many of them", Unavailable, "4.7.0"),
        ("RCPT", "550 5.1.1 nobody", Refused, "5.1.1"),
        ("RCPT", "550 4.1.1 contradicts itself", Refused, None),
        ("DATA", "554 5.7.1.2 is none", Refused, None),
    ],
)
async def test_a_reply_is_of_the_mail_or_of_the_server(
    sink: Sink, verb: str, answer: str, kind: type[NotSent], status: str | None
) -> None:
    """What one mailbox says holds up that mailbox, what the server says of itself all; with the status code."""
    sink.answers[verb] = answer
    async with Postman(server(sink)) as postman:
        with pytest.raises(NotSent) as refusal:
            await postman.send(mail(), UNION, GUEST)
    assert (type(refusal.value), refusal.value.code, refusal.value.status) == (kind, int(answer[:3]), status)


async def test_a_mail_that_is_put_off_leaves_the_line_open(sink: Sink) -> None:
    """The next recipient is told on the same line."""
    async with Postman(server(sink)) as postman:
        sink.answers["RCPT"] = "450 4.2.0 grey-listed"
        with pytest.raises(Deferred):
            await postman.send(mail(), UNION, GUEST)
        sink.answers.clear()
        await postman.send(mail(), UNION, GUEST)
    assert (len(sink.taken), sink.connections) == (1, 1)


@pytest.mark.parametrize("verb", ["MAIL", "RCPT", "DATA"])
async def test_a_silent_server_is_left(sink: Sink, verb: str) -> None:
    """A server that does not answer costs one time limit, not a worker."""
    sink.hang_at = verb
    async with Postman(server(sink, timeout=0.2)) as postman:
        with pytest.raises(Unavailable, match="it did not answer in time"):
            await postman.send(mail(), UNION, GUEST)


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    """A dead server is no reason to give a mail up."""
    async with Postman(SmtpServer(host="127.0.0.1", port=free_port(), timeout=2)) as postman:
        with pytest.raises(Unavailable, match="the connection failed"):
            await postman.send(mail(), UNION, GUEST)


async def test_a_restarted_server_is_found_again() -> None:
    """The line was cut between two mails: the second connects anew, and nobody hears of it."""
    sink = Sink()
    async with listening(sink):
        postman = Postman(server(sink))
        await postman.send(mail(), UNION, GUEST)
    async with listening(sink), postman:
        await postman.send(mail(), UNION, GUEST)
    assert len(sink.taken) == 2


async def test_a_cancelled_sending_leaves_no_half_sentence(sink: Sink) -> None:
    """The next mail begins on a fresh line."""
    sink.hang_at = "RCPT"
    async with Postman(server(sink)) as postman:
        sending = asyncio.create_task(postman.send(mail(), UNION, GUEST))
        await sink.hanging.wait()
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        sink.hang_at = ""
        await postman.send(mail(), UNION, GUEST)
    assert sink.octets == [mail()]


def certificate(folder: Path) -> tuple[Path, ssl.SSLContext]:
    """Make an authority of its own for 127.0.0.1: (its file, the server's side)."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sink")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority, secret = folder / "authority.pem", folder / "key.pem"
    authority.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(authority, secret)
    return authority, context


def only_the_union(_server: object, _session: object, _envelope: object, _mechanism: str, data: object) -> AuthResult:
    known = isinstance(data, LoginPassword) and (data.login, data.password) == (b"union", PASSWORD.encode())
    return AuthResult(success=known, handled=False)


async def test_starttls_and_login(tmp_path: Path) -> None:
    """Upgraded before anything is said, then signed in; a wrong password is of the settings, not of the mail."""
    authority, context = certificate(tmp_path)
    login = {"security": "starttls", "ca_file": authority, "username": "union", "password": SecretStr(PASSWORD)}
    options = {"tls_context": context, "require_starttls": True, "authenticator": only_the_union, "auth_required": True}
    async with listening(Sink(), **options) as sink:
        async with Postman(server(sink, **login)) as postman:
            await postman.send(mail(), UNION, GUEST)
        async with Postman(server(sink, **(login | {"password": SecretStr("wrong")}))) as postman:
            with pytest.raises(Unavailable) as refusal:
                await postman.send(mail(), UNION, GUEST)
            assert refusal.value.code == 535
        async with Postman(server(sink, **(login | {"username": None, "password": None}))) as postman:
            with pytest.raises(Unavailable) as refusal:
                await postman.send(mail(), UNION, GUEST)
            assert refusal.value.code == 530
    assert sink.octets == [mail()]


async def test_a_stranger_s_certificate_is_not_trusted(tmp_path: Path) -> None:
    """Without the authority in its settings the postman says nothing."""
    _, context = certificate(tmp_path)
    async with listening(Sink(), tls_context=context) as sink, Postman(server(sink, security="starttls")) as postman:
        with pytest.raises(Unavailable):
            await postman.send(mail(), UNION, GUEST)
    assert sink.taken == []


async def test_starttls_is_never_given_up(sink: Sink) -> None:
    """A server that cannot (or somebody in between who takes the offer away) gets nothing."""
    async with Postman(server(sink, security="starttls")) as postman:
        with pytest.raises(Unavailable):
            await postman.send(mail(), UNION, GUEST)
    assert sink.taken == []


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"username": "u", "password": "p"}, "smtp_password_in_the_open"),
        ({"username": "u"}, "smtp_login_incomplete"),
        ({"host": "mail.example\r\nx"}, "string_pattern_mismatch"),
        ({"timeout": 0}, "greater_than"),
        ({"says_hello_as": "a b"}, "string_pattern_mismatch"),
    ],
)
def test_settings_that_are_not_safe_are_refused(settings: dict[str, object], code: str) -> None:
    """A password never goes over an open line to another machine."""
    with pytest.raises(ValidationError) as refusal:
        SmtpServer.model_validate({"host": "mail.example"} | settings)
    assert [error["type"] for error in refusal.value.errors()] == [code]


async def test_a_development_mailbox_shows_what_was_sent(mail_devel: tuple[int, int]) -> None:
    """By real SMTP in and real IMAP out: right mailbox, right words, and a calendar entry another program reads."""
    smtp, imap = mail_devel
    guest = MUELLER.mailbox
    ics = request(SESSION, UNION, (MUELLER,), STAMP)
    async with Postman(SmtpServer(host="127.0.0.1", port=smtp)) as postman:
        await postman.send(mail(guest, ics), UNION, guest)
        await postman.send(mail(GUEST), UNION, GUEST)

    def fetch() -> tuple[str, str, str, bytes]:
        with MailBoxUnencrypted("127.0.0.1", imap).login(guest.address, PASSWORD) as box:
            [message] = list(box.fetch(mark_seen=False))
            part = next(part for part in message.obj.walk() if part.get_content_type() == "text/calendar")
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            return message.subject, message.text, message.html, payload

    subject, text, html, calendar = await asyncio.to_thread(fetch)
    assert subject == "Mời tham dự: Làm việc với Ủy ban nhân dân Thành phố Hồ Chí Minh (14:30, 11/04/2026)"
    assert "Thời gian: Thứ Bảy, ngày 11 tháng 4 năm 2026, 14:30–17:00" in text
    assert "<strong>Bà Nguyễn Thị Thanh</strong>" in html
    event = vobject.readOne(calendar.decode()).vevent
    assert event.uid.value == SESSION.uid
    assert event.dtstart.value.astimezone(UTC) == datetime(2026, 4, 11, 7, 30, tzinfo=UTC)
