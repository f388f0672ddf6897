"""Which addresses of calendar servers are reached: row 14 of the faults. No packet leaves for any other."""

import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from calendars.caldav import CalDav, CalDavFailed, Credentials
from calendars.discovery import discover
from calendars.guard import AddressRefused, Reach, check_ip, check_url
from embedded.ports import HOST
from tests.calendars.listening import answers, listening
from tests.calendars.misbehaving import Misbehaving, answering

NOBODY = Credentials("somebody", "something")
EVERYWHERE = Reach()
PATIENCE = timedelta(seconds=5)

FORBIDDEN = [
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",  # noqa: S104 - to be refused
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.168.1.1",
    "192.0.2.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::a00:1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::1",
    "2001:0:7f00:1::",
    "2001:0:808:808::80ff:fffe",
    "2a00:1450::5efe:7f00:1",
    "fe80::1",
    "fe80::1%eth0",
    "fc00::1",
    "fd12:3456::1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
    "2001:db8::1",
    "100::1",
    "not an address",
]
PUBLIC = ["8.8.8.8", "203.162.4.190", "2a00:1450:4001::1", "64:ff9b::808:808", "::ffff:8.8.8.8", "2002:808:808::1"]


@pytest.mark.parametrize("written", FORBIDDEN)
def test_what_only_a_machine_or_its_network_can_reach_is_refused(written: str) -> None:
    """Also inside the ranges of IPv6 that lead to an IPv4 address."""
    with pytest.raises(AddressRefused, match="address_not_public"):
        check_ip(written, EVERYWHERE)


@pytest.mark.parametrize("written", PUBLIC)
def test_public_addresses_are_reached(written: str) -> None:
    """As they are: what was checked is what is connected to."""
    assert str(check_ip(written, EVERYWHERE)) == str(ip_address(written))


@given(st.integers(0, 2**32 - 1))
def test_an_address_is_judged_the_same_in_every_disguise(number: int) -> None:
    """Whatever the IPv4 address: mapped, translated, by NAT64 and by 6to4 it is allowed exactly if it itself is."""

    def allowed(written: str) -> bool:
        try:
            check_ip(written, EVERYWHERE)
        except AddressRefused:
            return False
        return True

    plain = IPv4Address(number)
    disguises = (
        IPv6Address((0xFFFF << 32) | number),
        IPv6Address((0x64FF9B << 96) | number),
        IPv6Address((0x2002 << 112) | (number << 80)),
    )
    assert {allowed(str(one)) for one in disguises} == {allowed(str(plain))}


REFUSED = [
    ("http://calendar.example/", "address_not_https"),
    ("ftp://calendar.example/", "address_not_https"),
    ("file:///etc/passwd", "address_not_https"),
    ("calendar.example", "address_not_https"),
    ("http://127.0.0.1/", "address_not_https"),
    ("http://localhost/", "address_not_https"),
    ("https://haruka:secret@calendar.example/", "address_with_credentials"),
    ("https://calendar.example@127.0.0.1/", "address_with_credentials"),
    ("https://@127.0.0.1/", "address_with_credentials"),
    ("https://calendar.example:22/", "address_port_refused"),
    ("https://calendar.example:0/", "address_port_refused"),
    ("https://calendar.example:99999/", "address_malformed"),
    ("https:///path", "address_malformed"),
    ("https://calendar.example/#part", "address_malformed"),
    ("https://calendar.example/a b", "address_malformed"),
    ("https://calendar.example/\r\nX: y", "address_malformed"),
    ("https://calendar.example\\@127.0.0.1/", "address_malformed"),
    ("https://lịch.example/", "address_malformed"),
    ("https://１２７.0.0.1/", "address_malformed"),
    ("https://[::1/", "address_malformed"),
    ("https://2130706433/", "address_host_refused"),
    ("https://0x7f000001/", "address_host_refused"),
    ("https://0177.0.0.1/", "address_host_refused"),
    ("https://127.1/", "address_host_refused"),
    ("https://0x7f.0.0.1/", "address_host_refused"),
    ("https://127.0.0.1./", "address_host_refused"),
    ("https://127%2e0.0.1/", "address_host_refused"),
    ("https://[fe80::1%25eth0]/", "address_host_refused"),
    ("https://-x.example/", "address_host_refused"),
    ("https://" + "a" * 64 + ".example/", "address_host_refused"),
    ("https://calendar.example/" + "a" * 2000, "address_malformed"),
]


@pytest.mark.parametrize(("url", "code"), REFUSED)
def test_an_address_is_refused_by_how_it_is_written(url: str, code: str) -> None:
    """With a code that repeats no part of it."""
    with pytest.raises(AddressRefused) as refused:
        check_url(url, EVERYWHERE)
    assert str(refused.value) == code


def test_what_settings_allow_is_allowed_and_nothing_beside_it() -> None:
    """Loopback for development, one range of a house's own, further ports."""
    development = Reach.of(loopback=True)
    for url in ("http://127.0.0.1:5232/", "http://localhost:5232/", "http://[::1]:5232/", "https://calendar.example/"):
        check_url(url, development)
    assert check_ip("127.0.0.1", development) == IPv4Address("127.0.0.1")
    for url in ("http://calendar.example/", "http://10.0.0.1/", "http://127.0.0.1.calendar.example/"):
        with pytest.raises(AddressRefused):
            check_url(url, development)
    with pytest.raises(AddressRefused):
        check_ip("10.0.0.1", development)
    house = Reach.of(networks=["10.20.0.0/16"], ports=[443, 5232])
    check_url("https://10.20.3.4:5232/", house)
    assert check_ip("::ffff:10.20.3.4", house) == IPv6Address("::ffff:10.20.3.4")
    for written in ("10.21.0.1", "127.0.0.1", "169.254.169.254"):
        with pytest.raises(AddressRefused):
            check_ip(written, house)
    with pytest.raises(ValueError, match="does not appear"):
        Reach.of(networks=["everything"])


# No packet leaves


@pytest.mark.parametrize(
    "host",
    ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "2130706433", "0x7f.1", "[::1]", "0.0.0.0", "[::]"],  # noqa: S104
)
async def test_this_machine_is_not_reached_by_any_of_its_names(host: str) -> None:
    """Nobody knocks at the port, though it is open and allowed."""
    async with listening() as (port, came):
        client = CalDav(Reach(ports=frozenset({port})), patience=PATIENCE)
        with pytest.raises(AddressRefused):
            await discover(client, f"https://{host}:{port}/", NOBODY)
        assert came == []


async def test_a_name_that_stands_for_this_machine_is_not_reached() -> None:
    """Also where another of its addresses is public: which one a connection takes is chance."""
    async with listening() as (port, came):
        for found in (["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::ffff:127.0.0.1"], ["169.254.169.254"]):
            resolve, _ = answers(found)
            client = CalDav(Reach(ports=frozenset({port})), patience=PATIENCE, resolve=resolve)
            with pytest.raises(AddressRefused, match="address_not_public"):
                await discover(client, f"https://calendar.example:{port}/", NOBODY)
        assert came == []


async def test_the_name_is_asked_for_once_and_the_connection_goes_where_it_was_looked_at() -> None:
    """DNS rebinding: the second answer would be another machine's. Nobody asks for it."""
    async with listening() as (port, came), listening() as (other, elsewhere):
        # 127.0.0.2 stands for the public address here; the rebound one is the open port of 127.0.0.1.
        reach = Reach.of(networks=["127.0.0.2/32"], ports=[port, other])
        resolve, asked = answers(["127.0.0.2"], ["127.0.0.1"])
        client = CalDav(reach, patience=PATIENCE, resolve=resolve)
        with pytest.raises(CalDavFailed, match="no_connection"):
            async with client.session(f"https://calendar.example:{port}/", NOBODY) as session:
                await session.etags()
        assert asked == ["calendar.example"]
        with pytest.raises(AddressRefused, match="address_not_public"):
            async with client.session(f"https://calendar.example:{port}/", NOBODY) as session:
                await session.etags()
        assert asked == ["calendar.example"] * 2
        assert (came, elsewhere) == ([], [])


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"])
async def test_a_redirect_or_an_address_that_a_server_names_is_no_way_around(fake: Misbehaving, status: str) -> None:
    """Every hop is looked at as the first one was."""
    async with listening() as (port, came):
        client = CalDav(Reach(loopback=True), patience=PATIENCE)
        for there in (f"http://127.0.0.1:{port}/", f"http://[::ffff:127.0.0.1]:{port}/", f"//127.0.0.1:{port}/"):
            fake.always = answering(status, Location=there)
            with pytest.raises(CalDavFailed, match="redirected_elsewhere"):
                await discover(client, fake.url, NOBODY)
        principal = (
            b'<D:multistatus xmlns:D="DAV:"><D:response><D:href>/</D:href><D:propstat><D:prop>'
            b"<D:current-user-principal><D:href>https://169.254.169.254/</D:href></D:current-user-principal>"
            b"</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat></D:response></D:multistatus>"
        )
        fake.always = answering("207 Multi-Status", principal)
        with pytest.raises(AddressRefused, match="address_not_public"):
            await discover(client, fake.url, NOBODY)
        assert came == []


async def test_the_environment_s_proxy_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would connect for us to what was never looked at."""
    async with listening() as (port, came):
        for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{port}")
        resolve, _ = answers(["127.0.0.2"])
        client = CalDav(Reach.of(networks=["127.0.0.2/32"]), patience=PATIENCE, resolve=resolve)
        with pytest.raises(CalDavFailed):
            await discover(client, "https://calendar.example/", NOBODY)
        assert came == []


def certificate(folder: Path, name: str) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """TLS for a server of a name, and for a client that believes it."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    written = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + written.public_bytes(serialization.Encoding.PEM))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(path)
    return serving, ssl.create_default_context(cafile=str(path))


async def test_the_server_is_still_known_by_its_name(tmp_path: Path) -> None:
    """Connected to by a checked address, it proves its name: SNI, certificate and Host are the name's."""
    serving, believing = certificate(tmp_path, "calendar.example")
    async with listening(serving) as (port, came):
        reach = Reach.of(networks=["127.0.0.1/32"], ports=[port])
        resolve, _ = answers([HOST])
        client = CalDav(reach, patience=PATIENCE, resolve=resolve, tls=believing)
        with pytest.raises(CalDavFailed, match="no_calendar"):
            await discover(client, f"https://calendar.example:{port}/", NOBODY)
        assert f"host: calendar.example:{port}".encode() in came[1].lower()
        came.clear()
        with pytest.raises(CalDavFailed, match="no_connection"):
            await discover(client, f"https://other.example:{port}/", NOBODY)
        assert b"".join(came) == b""
