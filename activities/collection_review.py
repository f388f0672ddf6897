"""The review of a collection: what its server holds, compared with what was left there.

Told apart are what somebody changed (`edited`) and deleted (`missing`), which are put right since the item is ours, and
items of ours that nobody should have (`stray`): taken out where it can be seen that we wrote them, only told otherwise.
Everything else in the collection is its owner's: it is not even read.
"""

from collections.abc import Awaitable, Callable

from activities.collection_writing import Wanted, Writing
from calendars.caldav import NotUsable
from calendars.keeping import drop
from calendars.resources import said, same
from storage.collection_entries import CollectionEntries
from storage.collection_rows import Resource
from storage.queries import File


async def review(
    writing: Writing, entries: CollectionEntries, file_of: Callable[[str], Awaitable[File | None]]
) -> None:
    """Look through a collection and put right what is ours; what had drifted is added to what `writing` found."""
    wanted = await _wanted(writing, file_of)
    held = await writing.held()
    wanted = {uid: one for uid, one in wanted.items() if uid in held}
    etags = await writing.session.etags()
    read = [one.name for one in held.values() if one.name in etags and _may_differ(one, etags[one.name])]
    stored = await writing.session.get_many(read)
    for uid, one in wanted.items():
        there = held[uid]
        if there.name not in etags:
            writing.drifted.append((uid, "missing", True))
            await writing.put(there.delegation_id, one, there, missing=True)
        elif (found := stored.get(there.name)) is not None:
            if same(found.body, one.body):
                # Written down in the server's own way, or with an alarm of its owner's: as it should be.
                await entries.put(writing.collection.id, _with_etag(there, found.etag, one))
            else:
                writing.drifted.append((uid, "edited", True))
                await writing.put(there.delegation_id, one, _with_etag(there, found.etag, one))
    await _strays(writing, held)


async def _wanted(writing: Writing, file_of: Callable[[str], Awaitable[File | None]]) -> dict[str, Wanted]:
    """Bring the collection to the files that it holds something of, and return what it is to hold of them, by UID."""
    wanted: dict[str, Wanted] = {}
    for delegation in sorted({one.delegation_id for one in (await writing.held()).values()}):
        file = await file_of(delegation)
        await writing.bring(file, delegation)
        wanted |= writing.wanted(file)
    return wanted


def _may_differ(one: Resource, etag: str | None) -> bool:
    return etag is None or etag != one.etag or one.digest is None


def _with_etag(one: Resource, etag: str | None, wanted: Wanted) -> Resource:
    return Resource(one.uid, one.delegation_id, one.item_id, one.name, etag, wanted.digest, wanted.sequence)


async def _strays(writing: Writing, held: dict[str, Resource]) -> None:
    """Tell of items whose UID is ours and that we did not leave there, and take out those that we wrote."""
    domain = f"@{writing.domain}"
    try:
        found = await writing.session.having_uid(domain)
    except NotUsable:
        # The server does not take this question: nothing is looked for.
        return
    ours = {one.name for one in held.values()}
    for one in found:
        read = said(one.body)
        if one.name in ours or read is None or not read.uid.endswith(domain):
            continue
        if read.ours:
            await drop(writing.session, one.name, etag=one.etag)
        writing.drifted.append((read.uid, "stray", read.ours))
