"""What the sealed log of a register says that its tables must hold now, and where a table says something else.

An entry says of one row what it is from then on (`after`); without that, that the row is gone or closed. Rows are
compared as they are written: fields by name, lists for several values, instants as RFC 3339, None for what is not said.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from audit.verification import Finding
from domain.seal import SealedEvent

Row = Mapping[str, Any]

FIELDS: Mapping[str, tuple[str, ...]] = {
    "accounts": ("roles", "organisation", "person", "disabled"),
    "closed_desks": ("position", "organisation", "closed_at"),
    "identities": ("account", "issuer"),
    "leaves": ("account", "substitute", "positions", "since", "until", "revoked_at"),
    "organisations": ("kind", "parent", "name", "since", "until", "successor"),
    "passkeys": ("account", "key"),
    "positions": ("organisation", "title", "ended_at"),
    "tenures": ("account", "position", "organisation", "since", "until"),
    "tokens": ("account", "expires_at", "revoked"),
}
"""What a right rests on in each table; `key` is the SHA-256 of a passkey's public key."""

TABLES: Mapping[str, tuple[str, ...]] = {
    "accounts": ("accounts", "identities", "passkeys", "tokens"),
    "leaves": ("leaves",),
    "organisations": ("organisations",),
    "positions": ("positions", "closed_desks"),
    "tenures": ("tenures",),
}
"""The tables that the log of a register tells of."""

BY_WORD = {"account": "accounts", "identity": "identities", "passkey": "passkeys", "token": "tokens"}
"""Of which table an entry in the register of accounts tells, by the first word of its change."""

WHOLE = {"accounts": "roles", "identities": "issuer", "passkeys": "key", "tokens": "account"}
"""What an entry in the register of accounts says of a row if it says all of it; others are about something else."""

GONE = ("passkey_removed", "identity_unlinked")


@dataclass
class Sealed:
    """A row as the log has it, by the entry that told of it last."""

    entry: int
    row: dict[str, Any] = field(default_factory=dict)


class Registered:
    """Folds one register's log, entry after entry, and takes the rows of its tables one by one against that."""

    def __init__(self, register: str) -> None:
        """`register` is one of TABLES."""
        self.register = register
        self._rows: dict[str, dict[str, Sealed]] = {table: {} for table in TABLES[register]}
        self._closed: set[str] = set()

    def take(self, entries: Iterable[SealedEvent]) -> None:
        """Take the next entries of the log, whose chain is known to hold."""
        for entry in entries:
            word = entry.type.partition("_")[0]
            table = BY_WORD.get(word) if self.register == "accounts" else self.register
            if table is not None:
                self._take(table, entry)

    def _take(self, table: str, entry: SealedEvent) -> None:
        rows, key, after = self._rows[table], entry.command_id, entry.data.get("after")
        before = entry.data.get("before")
        if table == "organisations":
            self._organisation(entry, after, before)
        elif entry.type == "desk_closed":
            given = {"position": key, **(after or {})}
            name = f"{key} {given.get('organisation')} {given.get('closed_at')}"
            self._rows["closed_desks"][name] = Sealed(entry.seq, given)
        elif entry.type == "account_disabled":
            rows.setdefault(key, Sealed(entry.seq)).row["disabled"] = True
            self._closed.add(key)
        elif entry.type == "account_enabled":
            rows.setdefault(key, Sealed(entry.seq)).row["disabled"] = False
            self._closed.discard(key)
            # What ended with the account stays ended.
            for token in self._rows["tokens"].values():
                if token.row.get("account") == key:
                    token.row["revoked"] = True
        elif entry.type == "token_revoked":
            rows.setdefault(key, Sealed(entry.seq)).row |= {**(before or {}), "revoked": True}
        elif after is not None and (table not in WHOLE or WHOLE[table] in after):
            given = {name: after[name] for name in FIELDS[table] if name in after}
            given |= {"roles": sorted(set(given["roles"]))} if "roles" in given else {}
            known = rows.get(key)
            kept = {name: known.row.get(name) for name in ("disabled", "revoked")} if known else {}
            rows[key] = Sealed(entry.seq, kept | given)
        elif after is None and (table not in WHOLE or entry.type in GONE):
            rows.pop(key, None)

    def _organisation(self, entry: SealedEvent, after: Row | None, before: Row | None) -> None:
        """An entry of an organisation is a period: one that begins later closes the one before."""
        rows = self._rows["organisations"]
        known = rows.pop(f"{entry.command_id} {before.get('since')}", None) if before is not None else None
        if after is not None:
            if known is not None:
                closed = known.row | {"until": after.get("since")}
                rows[f"{entry.command_id} {known.row.get('since')}"] = Sealed(entry.seq, closed)
            rows[f"{entry.command_id} {after.get('since')}"] = Sealed(entry.seq, dict(after))

    def differs(self, table: str, key: str, row: Row) -> Finding | None:
        """Take a row of a table, and return what it has that was never sealed; each row is taken once."""
        sealed = self._rows[table].pop(key, None)
        if sealed is None:
            return self._found("row_unsealed", table, key)
        if table == "tokens" and sealed.row.get("account") in self._closed:
            # They end with their account.
            sealed.row["revoked"] = True
        other = [name for name in FIELDS[table] if _said(sealed.row, name) != _said(row, name)]
        return self._found("row_differs", table, key, entry=sealed.entry, reason=", ".join(other)) if other else None

    def missing(self) -> Iterator[Finding]:
        """Yield what was sealed and stands in no table, once all rows were taken.

        Tokens go when their time is over; what an account that is closed signed in with goes when its holder is erased.
        """
        for table, rows in self._rows.items():
            for key, sealed in rows.items():
                erased = table in ("passkeys", "identities") and sealed.row.get("account") in self._closed
                gone = table == "tokens" or erased
                if not gone:
                    yield self._found("row_missing", table, key, entry=sealed.entry)

    def _found(self, code: Any, table: str, key: str, **more: Any) -> Finding:
        # What is no text in UTF-8 is shown, not written.
        row = key.encode("utf-8", "backslashreplace").decode()
        return Finding(code=code, place="register", stream=f"register:{self.register}", table=table, row=row, **more)


def _said(row: Row, name: str) -> Any:
    value = row.get(name)
    return bool(value) if name in ("disabled", "revoked") else value
