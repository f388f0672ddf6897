"""Bringing one resource of a collection to what it should be, whatever happened to it meanwhile. No store, no clock.

A resource is written under the condition that it is what we left. Where it is not (412), it is read: what says the
same is taken as it is, also when a server wrote it down in its own way, or our own write had arrived though its answer
had not; anything else is replaced, because the item is ours. Nothing else in the collection is touched.
"""

from dataclasses import dataclass
from typing import Literal

from calendars.caldav import Changed, Session, UidTaken, Unreachable
from calendars.resources import said, same

Found = Literal["edited", "missing"]
"""How a resource was not what we left: changed by somebody else, or gone."""

ROUNDS = 5
"""How often somebody else may come between reading and writing."""


@dataclass(frozen=True)
class Kept:
    """Where an item stands now: the last part of its address, its ETag if there is one; `found` if it was otherwise."""

    name: str
    etag: str | None
    found: Found | None = None


async def keep(session: Session, uid: str, name: str, body: bytes, *, etag: str | None, held: bool) -> Kept:
    """Write an item and return where it stands; `held` says that it was there, with that ETag, when we left it.

    An item that stands under another address already (an invitation taken over from a mail, say) is replaced there: it
    is in the collection once. Raises CalDavFailed.
    """
    found: Found | None = None
    for _ in range(ROUNDS):
        try:
            if held and not _comparable(etag):
                there = await session.get(name)
                if there is None:
                    held, found = False, "missing"
                    continue
                if same(there.body, body):
                    return Kept(name, there.etag, found)
                written = await session.overwrite(name, body)
            else:
                written = await session.put(name, body, etag=etag if held else None)
        except Changed:
            there = await session.get(name)
            if there is None:
                held, found = False, "missing"
                continue
            if same(there.body, body):
                return Kept(name, there.etag, found)
            if held:
                found = "edited"
            held, etag = True, there.etag
        except UidTaken as taken:
            elsewhere = taken.name or await _name_of(session, uid)
            if elsewhere is None or elsewhere == name:
                raise Unreachable("uid_taken_elsewhere") from None
            there = await session.get(elsewhere)
            if there is not None:
                name, held, etag = elsewhere, True, there.etag
        else:
            return Kept(name, written or await session.etag_of(name), found)
    raise Unreachable("others_keep_changing")


async def drop(session: Session, name: str, *, etag: str | None) -> Found | None:
    """Delete an item, also one that somebody else changed: it is ours, and it is over. Raises CalDavFailed."""
    found: Found | None = None
    for _ in range(ROUNDS):
        try:
            await session.delete(name, etag=etag if _comparable(etag) else None)
        except Changed:
            there = await session.get(name)
            if there is None:
                return found
            found, etag = "edited", there.etag
        else:
            return found
    raise Unreachable("others_keep_changing")


async def _name_of(session: Session, uid: str) -> str | None:
    for one in await session.having_uid(uid):
        read = said(one.body)
        if read is not None and read.uid == uid:
            return one.name
    return None


def _comparable(etag: str | None) -> bool:
    """Whether If-Match may name it: a weak one never matches (RFC 9110 section 13.1.1)."""
    return etag is not None and not etag.startswith("W/")
