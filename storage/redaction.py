"""Taking a person out of what is kept: each step finds what it removes by references, and may be repeated.

Bytes are deleted, not only made unreadable: European guidance (EDPB 02/2025, draft) takes encryption alone for no
erasure. What names other people keeps its place: counts, times, digests and references stay.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Table, and_, delete, literal, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from domain.decision import SYSTEM
from domain.erasure import Traces
from storage.account_notices import account_notices
from storage.accounts import accounts, tokens
from storage.challenges import challenges
from storage.collection_rows import calendar_collections, calendar_drift, calendar_due, calendar_resources
from storage.data_keys import DataKeys, account_key, data_keys, person_key
from storage.directory_uploads import uploads
from storage.drafts import drafts
from storage.engine import Database
from storage.feeds import feeds
from storage.identities import identities
from storage.keyring import Keyring
from storage.leaves import revoke_leaves
from storage.mail_rows import HANDED_OVER, UNSENT, mail_ledger
from storage.metadata import utc_now
from storage.passkeys import passkeys
from storage.passwords import password_links, passwords
from storage.persons import person_versions, persons
from storage.received_mail import own_key, received_mail
from storage.register_log import queue, record
from storage.sessions import sessions
from storage.tenures import end_tenures
from storage.texts import texts
from storage.traces import LETTER, of_person

ERASED = "erased"
BATCH = 200

SCRUBBED: tuple[Table, ...] = (
    account_notices,
    accounts,
    calendar_collections,
    calendar_drift,
    calendar_due,
    calendar_resources,
    challenges,
    data_keys,
    drafts,
    uploads,
    feeds,
    identities,
    mail_ledger,
    passkeys,
    password_links,
    passwords,
    person_versions,
    persons,
    received_mail,
    sessions,
    texts,
    tokens,
)
"""The tables that an erasure removes anything from."""


OF_ACCOUNT: tuple[Table, ...] = (
    account_notices,
    challenges,
    drafts,
    identities,
    passkeys,
    password_links,
    passwords,
    sessions,
    uploads,
)
"""Of these every row of an account is deleted."""


class Redaction:
    """The steps of an erasure within the database. Each returns how much it removed; repeated it removes nothing."""

    def __init__(self, database: Database, keyring: Keyring) -> None:
        self._database = database
        self._keys = DataKeys(keyring)

    async def accounts(self, traces: Traces) -> int:
        """Close the accounts that belonged to the person, and remove name, address and every way of signing in.

        Their ids stay: they are the actors of what was decided. An id given after a name is a mistake of its own.
        """
        now, removed = utc_now(), 0
        async with self._database.writing() as connection:
            await queue(connection)
            for account in traces.accounts:
                # First of all: whoever they stood in for is told, they themselves no more.
                await end_tenures(connection, account, now, by=SYSTEM)
                await revoke_leaves(connection, account, now, by=SYSTEM)
                for table in OF_ACCOUNT:
                    removed += (await connection.execute(delete(table).where(table.c.account == account))).rowcount
                live = update(tokens).where(tokens.c.account == account, tokens.c.revoked_at.is_(None))
                await connection.execute(live.values(revoked_at=now))
                open_ = update(accounts).where(accounts.c.id == account, accounts.c.disabled_at.is_(None))
                if (await connection.execute(open_.values(disabled_at=now))).rowcount:
                    await record(connection, "accounts", "account_disabled", account, by=SYSTEM, at=now)
                emptied = update(accounts).where(accounts.c.id == account, accounts.c.ciphertext != b"")
                removed += (await connection.execute(emptied.values(ciphertext=b""))).rowcount
                await self._keys.destroy(connection, account_key(account), now)
        return removed

    async def feeds(self, person: str, traces: Traces) -> int:
        """Let the person's calendars and pages lead nowhere; their addresses answer that it is over."""
        now = utc_now()
        own = or_(feeds.c.person == person, and_(feeds.c.kind == "account", feeds.c.subject.in_(traces.accounts)))
        async with self._database.writing() as connection:
            await queue(connection)
            good = select(feeds).where(own, feeds.c.revoked_at.is_(None)).order_by(feeds.c.id)
            rows = (await connection.execute(good)).all()
            for row in rows:
                revoked = update(feeds).where(feeds.c.id == row.id)
                await connection.execute(revoked.values(revoked_at=now, changed_at=now, fetched_on=None))
                before = {"kind": row.kind, "generation": row.generation, "person": person}
                await record(connection, "feeds", "feed_revoked", row.id, by=SYSTEM, before=before, at=now)
        return len(rows)

    async def mails(self, person: str, traces: Traces) -> int:
        """Empty every mail of the ledger that was for the person, shared mailboxes too, and letters that name them.

        How many went out, when and about what stays. What has not left is never sent: a letter to others that names
        the person is withheld, and a coordinator invites anew.
        """
        async with self._database.writing() as connection:
            found = await _ids(connection, of_person(person))
            own = {*found, *traces.lines}
            removed = await self._own(connection, sorted(own))
            return removed + await _naming(connection, sorted(set(traces.naming) - own))

    async def _own(self, connection: AsyncConnection, positions: Sequence[int]) -> int:
        removed, hashes = 0, dict[str, str]()
        for row in await _rows(connection, positions):
            # One stand-in for each mailbox, so that as many different ones are counted as before.
            if not row.mailbox_hash.startswith(ERASED):
                hashes.setdefault(row.mailbox_hash, f"{ERASED}:{secrets.token_hex(16)}")
            values: dict[str, Any] = {"mailbox": b"", "content": b"", "domain_hash": None}
            if row.mailbox_hash in hashes:
                # A Message-ID is a digest over the address, too: whoever guesses the one could check it by the other.
                values |= {"mailbox_hash": hashes[row.mailbox_hash], "message_id": _stand_in()}
                values |= {"replaced_by": _stand_in()} if row.replaced_by else {}
            if row.status in UNSENT:
                values |= {"status": "refused", "lease_until": None, "next_attempt_at": None}
            if row.status != "sent":
                values["refusal"] = ERASED
            await connection.execute(update(mail_ledger).where(mail_ledger.c.position == row.position).values(values))
            removed += bool(row.content or row.mailbox)
        return removed

    async def received(self, erasure: str, person: str, traces: Traces) -> int:
        """Empty every mail that is the person's, and delete what they wrote beside an answer.

        A mail that waited for somebody is dismissed: there is nothing left to look at.
        """
        now = utc_now()
        padded = literal(" ") + received_mail.c.subjects + literal(" ")
        theirs = padded.contains(f" {person_key(person)} ", autoescape=True)
        async with self._database.writing() as connection:
            await queue(connection)
            wanted = select(received_mail).where(or_(theirs, received_mail.c.ref.in_(traces.received)))
            rows = (await connection.execute(wanted)).all()
            for row in rows:
                values: dict[str, Any] = {"content": b"", "subjects": ""}
                if row.outcome in ("waiting", "review"):
                    values |= {"outcome": "dismissed", "settled_at": now, "settled_by": SYSTEM}
                    after = {"delegation": row.delegation_id, "reason": row.reason, "erasure": erasure}
                    await record(connection, "received_mail", "mail_dismissed", row.ref, by=SYSTEM, after=after, at=now)
                emptied = update(received_mail).where(received_mail.c.ref == row.ref)
                await connection.execute(emptied.values(values))
                await connection.execute(delete(data_keys).where(data_keys.c.subject == own_key(row.ref)))
            answers = await connection.execute(delete(texts).where(texts.c.ref.in_(traces.answers)))
        return sum(1 for row in rows if row.content) + answers.rowcount


def _stand_in() -> str:
    """Return a Message-ID that says nothing (RFC 2606 section 2 keeps the domain free)."""
    return f"<{ERASED}.{secrets.token_hex(16)}@erased.invalid>"


async def _naming(connection: AsyncConnection, positions: Sequence[int]) -> int:
    """Empty mails to others that named the person; letters that have not left are withheld."""
    removed = 0
    for row in await _rows(connection, positions):
        if row.status in UNSENT and row.kind != LETTER:
            continue
        values: dict[str, Any] = {"content": b""}
        if row.status in UNSENT:
            values |= {"status": "refused", "lease_until": None, "next_attempt_at": None}
        if row.status not in HANDED_OVER:
            values["refusal"] = ERASED
        await connection.execute(update(mail_ledger).where(mail_ledger.c.position == row.position).values(values))
        removed += bool(row.content)
    return removed


async def _ids(connection: AsyncConnection, which: Any) -> list[int]:
    return list((await connection.execute(select(mail_ledger.c.position).where(which))).scalars())


async def _rows(connection: AsyncConnection, positions: Sequence[int]) -> list[Any]:
    found: list[Any] = []
    for start in range(0, len(positions), BATCH):
        some = mail_ledger.c.position.in_(positions[start : start + BATCH])
        found += (await connection.execute(select(mail_ledger).where(some))).all()
    return found
