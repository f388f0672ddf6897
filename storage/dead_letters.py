"""Mail that did not arrive: what was refused, given up or returned, for a person to see and to send again."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, func, or_, select, update

from domain.decision import Posted
from storage.cursors import BadCursor, read_cursor, write_cursor
from storage.data_keys import DataKeys
from storage.engine import Database
from storage.keyring import Keyring
from storage.mail_rows import (
    ENTRY_COLUMNS,
    HANDED_OVER,
    MAILBOX_INDEX,
    NOT_REACHED,
    Entry,
    Status,
    entry_of,
    mail_ledger,
    mailbox_mac,
    split,
)
from storage.queries import LARGEST_PAGE
from storage.read_model import delegations

UNDELIVERED: tuple[Status, ...] = (*NOT_REACHED, "bounced")
ERASED = "erased"

_later = mail_ledger.alias("later")
SUPERSEDED = (
    exists()
    .where(
        _later.c.uid == mail_ledger.c.uid,
        _later.c.mailbox_hash == mail_ledger.c.mailbox_hash,
        _later.c.position > mail_ledger.c.position,
        _later.c.status.not_in(UNDELIVERED),
    )
    .correlate(mail_ledger)
)
"""A later message about the same item went, or is going, to the same mailbox: the older one would contradict it."""

LISTED = and_(
    mail_ledger.c.status.in_(UNDELIVERED),
    mail_ledger.c.replaced_by.is_(None),
    or_(mail_ledger.c.refusal.is_(None), mail_ledger.c.refusal != ERASED),
)


@dataclass(frozen=True)
class DeadLetterFilters:
    """Which dead letters: everything that is set must hold.

    `coordinator` takes those of the files that an account coordinates, `within` are the organisations whose files may
    be seen.
    """

    delegation: str | None = None
    status: Status | None = None
    within: frozenset[str] | None = None
    coordinator: str | None = None


@dataclass(frozen=True)
class DeadLetter:
    """A message that did not arrive, with the file it belongs to.

    `superseded` says that it must not be sent again: a later message of the same item went to the same mailbox.
    """

    delegation_id: str
    title: str
    organisation: str
    superseded: bool
    entry: Entry


@dataclass(frozen=True)
class DeadLetterPage:
    """One page, the newest first, and the cursor of the next one if there may be one."""

    items: tuple[DeadLetter, ...]
    next_cursor: str | None


class DeadLetters:
    """Reads and mends what the mail ledger could not deliver."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def page(
        self, filters: DeadLetterFilters | None = None, *, limit: int = 50, cursor: str | None = None
    ) -> DeadLetterPage:
        """Return a page of at most `limit` (1 to 200) letters, the newest first. Raises BadCursor.

        Not among them: what was for somebody who was erased, what was sent to a corrected mailbox instead, and mails of
        no delegation.
        """
        if not 1 <= limit <= LARGEST_PAGE:
            raise ValueError(f"a page has 1 to {LARGEST_PAGE} lines")
        filters = filters or DeadLetterFilters()
        of_file = (mail_ledger.c.delegation_id, delegations.c.title, delegations.c.organisation)
        wanted = (
            select(*ENTRY_COLUMNS, *of_file, SUPERSEDED.label("superseded"))
            .join(delegations, delegations.c.id == mail_ledger.c.delegation_id)
            .where(LISTED, *_conditions(filters))
            .order_by(mail_ledger.c.position.desc())
            .limit(limit + 1)
        )
        if cursor is not None:
            wanted = wanted.where(mail_ledger.c.position < _position(cursor))
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        items = tuple(
            DeadLetter(
                delegation_id=row.delegation_id,
                title=row.title,
                organisation=row.organisation,
                superseded=bool(row.superseded),
                entry=Entry(
                    **{name: row._mapping[name] for name in Entry.__dataclass_fields__}
                    | {"participants": split(row.participants)}
                ),
            )
            for row in rows[:limit]
        )
        return DeadLetterPage(items, write_cursor(str(items[-1].entry.position)) if len(rows) > limit else None)

    async def posted(self, delegation: str, message_ids: Collection[str]) -> tuple[Posted, ...]:
        """Return what a decision has to know of messages of a delegation; those that it never sent are left out."""
        wanted = (
            select(mail_ledger, SUPERSEDED.label("superseded"))
            .where(mail_ledger.c.delegation_id == delegation, mail_ledger.c.message_id.in_(message_ids))
            .order_by(mail_ledger.c.position)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return tuple(
            Posted(
                message_id=row.message_id,
                participants=split(row.participants),
                undelivered=row.status in UNDELIVERED and row.replaced_by is None,
                erased=row.refusal == ERASED,
                superseded=bool(row.superseded),
            )
            for row in rows
        )

    async def left_for(self, errand: str, delegation: str, message_ids: Collection[str]) -> list[Entry]:
        """Return the undelivered messages among these that a resending has not taken up yet, in their order."""
        wanted = select(*ENTRY_COLUMNS).where(
            mail_ledger.c.delegation_id == delegation,
            mail_ledger.c.message_id.in_(message_ids),
            _left(errand),
        )
        async with self._database.reading() as connection:
            return [entry_of(row) for row in await connection.execute(wanted.order_by(mail_ledger.c.position))]

    async def is_to(self, entry: Entry, addresses: Collection[str]) -> bool:
        """Whether a message went to one of these addresses."""
        async with self._database.writing() as connection:
            index = await self._keys.obtain(connection, MAILBOX_INDEX)
        return any(mailbox_mac(index, address) == entry.mailbox_hash for address in addresses)

    async def take_up(self, errand: str, message_ids: Sequence[str], now: datetime) -> None:
        """Give undelivered messages to a resending: the same octets go out again, with the same Message-ID.

        Each once for an errand, whatever becomes of it.
        """
        async with self._database.writing() as connection:
            await connection.execute(
                update(mail_ledger)
                .where(mail_ledger.c.message_id.in_(message_ids), _left(errand))
                .values(
                    status="pending",
                    errand=errand,
                    deferrals=0,
                    resent_at=now,
                    next_attempt_at=None,
                    bounced_at=None,
                    refusal=None,
                    status_code=None,
                )
            )

    async def replace(self, message_id: str, by: str) -> None:
        """Note that another message, to a corrected mailbox, was entered in the place of an undelivered one."""
        async with self._database.writing() as connection:
            which = and_(mail_ledger.c.message_id == message_id, mail_ledger.c.status.in_(UNDELIVERED))
            await connection.execute(update(mail_ledger).where(which).values(replaced_by=by))

    async def note_bounce(
        self, message_id: str, addresses: Collection[str], status_code: str, at: datetime
    ) -> tuple[str, Entry] | None:
        """Note that a message came back, and return its delegation and line; `at` is wall time.

        None, and nothing noted, where no such message was handed over, or where it went to none of the `addresses` that
        the report names: it is forged, or about somebody else's mail. The same report again changes nothing.
        """
        which = and_(mail_ledger.c.message_id == message_id, mail_ledger.c.status.in_(HANDED_OVER))
        async with self._database.writing() as connection:
            index = await self._keys.obtain(connection, MAILBOX_INDEX)
            wanted = select(*ENTRY_COLUMNS, mail_ledger.c.delegation_id).where(which)
            row = (await connection.execute(wanted)).one_or_none()
            if row is None or row.mailbox_hash not in {mailbox_mac(index, address) for address in addresses}:
                return None
            noted = {"status": "bounced", "bounced_at": at, "status_code": status_code}
            await connection.execute(update(mail_ledger).where(which, mail_ledger.c.status == "sent").values(noted))
            fresh = (await connection.execute(select(*ENTRY_COLUMNS).where(which))).one()
        return row.delegation_id, entry_of(fresh)


def _left(errand: str) -> ColumnElement[bool]:
    return and_(LISTED, func.coalesce(mail_ledger.c.errand, "") != errand)


def _conditions(filters: DeadLetterFilters) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if filters.delegation is not None:
        conditions.append(mail_ledger.c.delegation_id == filters.delegation)
    if filters.status is not None:
        conditions.append(mail_ledger.c.status == filters.status)
    if filters.within is not None:
        conditions.append(delegations.c.organisation.in_(filters.within))
    if filters.coordinator is not None:
        conditions.append(delegations.c.coordinator == filters.coordinator)
    return conditions


def _position(cursor: str) -> int:
    (place,) = read_cursor(cursor, str)
    if not place.isascii() or not place.isdigit() or len(place) > 18:
        raise BadCursor
    return int(place)
