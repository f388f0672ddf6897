"""How often somebody may try: counted by this process, by address, and by address and account.

An account alone is never counted: then a stranger who knows its name could lock its owner out.
"""

import ipaddress
import math
import time

from fastapi import Request
from limits import RateLimitItemPerSecond
from limits.aio.storage import MemoryStorage
from limits.aio.strategies import MovingWindowRateLimiter

from api.problems import Problem

NETWORK = 64
"""Bits of an IPv6 address that one customer of a provider has at least; the rest is theirs to choose."""


class Attempts:
    """Moving windows of `window` seconds. What is counted is where an attempt came from, never the secret tried."""

    def __init__(self, *, window: int, address: int, account: int, guesses: int, fetches: int) -> None:
        """`address` and `account` are attempts to sign in, `guesses` tokens and sessions that nobody has.

        `fetches` are those of one calendar, from wherever.
        """
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._by_address = RateLimitItemPerSecond(address, window, "address")
        self._by_account = RateLimitItemPerSecond(account, window, "account")
        self._by_guesses = RateLimitItemPerSecond(guesses, window, "guesses")
        self._by_feed = RateLimitItemPerSecond(fetches, window, "fetches")

    async def sign_in(self, request: Request, account: str | None = None) -> None:
        """Count an attempt to sign in, before it is looked at; Problem `too_many_attempts` (429) beyond the limit."""
        address = address_of(request)
        await self._count(self._by_address, address)
        if account is not None:
            await self._count(self._by_account, address, account)

    async def succeeded(self, request: Request, account: str) -> None:
        """Forget what was counted for an account from this address."""
        await self._limiter.clear(self._by_account, address_of(request), account)

    async def guessed(self, request: Request) -> None:
        """Count a token or session that nobody has; Problem `too_many_attempts` (429) beyond the limit.

        A good one is never refused for the bad ones before it, or a stranger could shut out everybody behind one
        address.
        """
        await self._count(self._by_guesses, address_of(request))

    async def fetched(self, feed: str) -> None:
        """Count a fetch of a calendar by its id; Problem `too_many_attempts` (429) beyond the limit."""
        await self._count(self._by_feed, feed)

    async def _count(self, item: RateLimitItemPerSecond, *place: str) -> None:
        if await self._limiter.hit(item, *place):
            return
        reset = (await self._limiter.get_window_stats(item, *place)).reset_time
        seconds = max(1, math.ceil(reset - time.time()))
        raise Problem("too_many_attempts", headers={"Retry-After": str(seconds)}, params={"seconds": seconds})


def address_of(request: Request) -> str:
    """Return where a request comes from, an IPv6 address by its network alone."""
    host = request.client.host if request.client else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.ip_network((address, NETWORK), strict=False).network_address)
    return str(address)
