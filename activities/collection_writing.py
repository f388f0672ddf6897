"""Writing one collection: what a file wants of it, put there, replaced or taken out, each noted before and after."""

from calendars.caldav import Session
from calendars.keeping import drop, keep
from calendars.resources import resource, resource_name
from calendars.views import item_view
from domain.canonical import sha256_hex
from domain.collections import is_over, wanted_by_office, wanted_by_person
from storage.collection_entries import CollectionEntries
from storage.collection_rows import Collection, Resource
from storage.queries import File


class Wanted:
    """One item as it is to stand in a collection."""

    def __init__(self, uid: str, item_id: str, sequence: int, body: bytes) -> None:
        self.uid = uid
        self.item_id = item_id
        self.sequence = sequence
        self.body = body
        self.digest = sha256_hex(body)


class Writing:
    """Writes to one collection that the caller holds, by an open session."""

    def __init__(self, session: Session, collection: Collection, entries: CollectionEntries, domain: str) -> None:
        """`domain` is that of the UIDs."""
        self.session = session
        self.collection = collection
        self.domain = domain
        self.drifted: list[tuple[str, str, bool]] = []
        self._entries = entries

    def wanted(self, file: File | None) -> dict[str, Wanted]:
        """Return what the collection is to hold of a file, by UID; nothing of one that is not there."""
        if file is None or self.collection.state == "leaving":
            return {}
        state, owner = file.state, self.collection.owner
        seen = wanted_by_person(state, owner.id) if owner.kind == "person" else {}
        if owner.kind == "organisation" and owner.id == state.organisation:
            seen = wanted_by_office(state)
        wanted = {}
        for one in seen.values():
            view = item_view(one, delegation=state.id, domain=self.domain)
            wanted[view.uid] = Wanted(view.uid, one.item_id, one.sequence, resource(view, one.since))
        return wanted

    async def held(self) -> dict[str, Resource]:
        """Return what the collection holds of every file, by UID, as far as is noted."""
        return await self._entries.of(self.collection.id)

    async def bring(self, file: File | None, delegation_id: str) -> None:
        """Bring the collection to a file: each item that is not as it was left last, and no other, takes requests."""
        wanted, held = self.wanted(file), await self._entries.of(self.collection.id, delegation_id)
        for uid, one in wanted.items():
            there = held.get(uid)
            if there is None or there.digest != one.digest:
                await self.put(delegation_id, one, there)
        for uid, there in held.items():
            if uid not in wanted and not self._stays(file, there):
                await self.take_out(there)

    async def put(self, delegation_id: str, one: Wanted, there: Resource | None, *, missing: bool = False) -> None:
        """Write an item; `missing` says that what was there is known to be gone."""
        name = there.name if there else resource_name(one.uid)
        under_way = Resource(
            one.uid, delegation_id, one.item_id, name, there.etag if there else None, None, one.sequence
        )
        await self._entries.put(self.collection.id, under_way)
        # What was begun and not noted as done may be there or not: it is written as new, and found if it is there.
        held = there is not None and there.digest is not None and not missing
        kept = await keep(self.session, one.uid, name, one.body, etag=under_way.etag if held else None, held=held)
        if kept.found is not None:
            self.drifted.append((one.uid, kept.found, True))
        done = Resource(one.uid, delegation_id, one.item_id, kept.name, kept.etag, one.digest, one.sequence)
        await self._entries.put(self.collection.id, done)

    async def take_out(self, there: Resource) -> None:
        """Delete an item, and note that it is gone."""
        if await drop(self.session, there.name, etag=there.etag) is not None:
            self.drifted.append((there.uid, "edited", True))
        await self._entries.drop(self.collection.id, there.uid)

    def _stays(self, file: File | None, there: Resource) -> bool:
        """Whether an item that is nobody's any more stays because it is over."""
        if file is None or self.collection.state == "leaving":
            return False
        # The file's own time: in a demonstration it is ahead of the wall's.
        return is_over(file.state, there.item_id, file.updated_at)
