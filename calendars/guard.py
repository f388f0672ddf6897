"""Which addresses of strangers' calendar servers are reached at all: pure, and asked before every connection.

Somebody who may name an address must not reach what only this machine can (OWASP: server-side request forgery). An
address is looked at twice: as it is written, and as what its name stands for at the moment of connecting
(calendars/transport.py); a redirect and an address that a server names are looked at in the same way.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Literal
from urllib.parse import unquote, urlsplit

LONGEST_URL = 2000
USUAL_PORTS = frozenset({443, 8443})

AddressProblem = Literal[
    "address_malformed",
    "address_not_https",
    "address_with_credentials",
    "address_port_refused",
    "address_host_refused",
    "address_not_public",
    "address_unknown",
]

IP = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

PREFIXED: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::ffff:0:0/96"), 0),  # IPv4-mapped (RFC 4291 section 2.5.5.2)
    (IPv6Network("::/96"), 0),  # IPv4-compatible, deprecated (section 2.5.5.1)
    (IPv6Network("::ffff:0:0:0/96"), 0),  # IPv4-translated (RFC 2765)
    (IPv6Network("64:ff9b::/96"), 0),  # NAT64 (RFC 6052)
    (IPv6Network("64:ff9b:1::/48"), 0),  # NAT64 of a local network (RFC 8215)
    (IPv6Network("2002::/16"), 80),  # 6to4 (RFC 3056)
)
"""Ranges of IPv6 that lead to an IPv4 address, and how many bits stand after that address."""

GLOBAL_UNICAST = IPv6Network("2000::/3")
TEREDO = IPv6Network("2001::/32")
ISATAP = (0x00005EFE, 0x02005EFE)

NAME = re.compile(r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)")
NUMBER = re.compile(r"[0-9]+|0[xX][0-9A-Fa-f]*")


class AddressRefused(Exception):
    """An address is not reached; `code` says why and repeats no part of it."""

    def __init__(self, code: AddressProblem) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Reach:
    """What an installation allows. By default: https on two ports, to public addresses.

    `loopback` is for development: http too, on any port, to this machine alone. `networks` are private ranges in CIDR
    notation whose servers the installation trusts, by https.
    """

    loopback: bool = False
    networks: tuple[Network, ...] = ()
    ports: frozenset[int] = USUAL_PORTS

    @classmethod
    def of(
        cls, *, loopback: bool = False, networks: Iterable[str] | None = None, ports: Iterable[int] | None = None
    ) -> "Reach":
        """Return what settings describe; raises ValueError for a network that is none."""
        return cls(
            loopback, tuple(ip_network(one) for one in networks or ()), frozenset(ports) if ports else USUAL_PORTS
        )


def check_url(url: str, reach: Reach) -> None:
    """Refuse (AddressRefused) an address by how it is written; what its name stands for is checked when connecting."""
    if len(url) > LONGEST_URL or any(character <= " " or character > "~" for character in url) or "\\" in url:
        raise AddressRefused("address_malformed")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise AddressRefused("address_malformed") from None
    if "@" in parts.netloc:
        raise AddressRefused("address_with_credentials")
    if parts.scheme not in ("http", "https"):
        raise AddressRefused("address_not_https")
    if not host or parts.fragment:
        raise AddressRefused("address_malformed")
    local = reach.loopback and _names_this_machine(host)
    if parts.scheme == "http" and not local:
        raise AddressRefused("address_not_https")
    _check_host(host)
    if port == 0 or (not local and (port or 443) not in reach.ports):
        raise AddressRefused("address_port_refused")


def check_ip(written: str, reach: Reach) -> IP:
    """Return the address that a connection may be made to, or refuse (AddressRefused) one that is not public.

    Every IPv4 address inside an IPv6 one (mapped, translated, 6to4, Teredo, ISATAP) has to be allowed as well.
    """
    try:
        ip = ip_address(written)
    except ValueError:
        raise AddressRefused("address_not_public") from None
    if any(not _allowed(one, reach) for one in (_embedded(ip) or (ip,))):
        raise AddressRefused("address_not_public")
    return ip


def _allowed(ip: IP, reach: Reach) -> bool:
    if any(ip in network for network in reach.networks if network.version == ip.version):
        return True
    if reach.loopback and ip.is_loopback:
        return True
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved or not ip.is_global:
        return False
    return ip.version == 4 or ip in GLOBAL_UNICAST


def _embedded(ip: IP) -> tuple[IP, ...]:
    """Return the IPv4 addresses that an IPv6 one leads to; none for any other address."""
    if isinstance(ip, IPv4Address):
        return ()
    number = int(ip)
    if ip == IPv6Address("::1"):
        return ()
    for network, after in PREFIXED:
        if ip in network:
            return (IPv4Address((number >> after) & 0xFFFFFFFF),)
    if ip in TEREDO:
        server, client = (number >> 64) & 0xFFFFFFFF, ~number & 0xFFFFFFFF
        return (IPv4Address(server), IPv4Address(client))
    if (number >> 32) & 0xFFFFFFFF in ISATAP:
        return (ip, IPv4Address(number & 0xFFFFFFFF))
    return ()


def _check_host(host: str) -> None:
    """Refuse a host that is neither a name nor an address in its one usual form.

    `2130706433`, `0x7f.1`, `127.1` and `0177.0.0.1` are this machine to some resolvers (the WHATWG calls them hosts
    that end in a number); `%` would begin an escape or the zone of a link-local address.
    """
    if "%" in host or unquote(host) != host:
        raise AddressRefused("address_host_refused")
    if ":" in host:
        try:
            IPv6Address(host)
        except ValueError:
            raise AddressRefused("address_host_refused") from None
        return
    labels = host.removesuffix(".").split(".")
    if NUMBER.fullmatch(labels[-1]):
        try:
            IPv4Address(host)
        except ValueError:
            raise AddressRefused("address_host_refused") from None
        return
    if len(host) > 253 or not all(NAME.fullmatch(label) for label in labels):
        raise AddressRefused("address_host_refused")


def _names_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
