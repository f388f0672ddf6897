"""The tables that rights come from as their rows stand, for verification: as `audit/registered.py` compares them.

Nothing is believed, and nothing raises because of its content: values are taken as the engine has them.
"""

import hashlib
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Row, Table, select, tuple_, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.types import NullType

from domain.values import write_instant
from storage.accounts import account_roles, accounts, tokens
from storage.identities import identities
from storage.institution import organisations
from storage.leaves import leaves
from storage.passkeys import passkeys
from storage.tenures import closed_desks, positions, tenures

BATCH = 500

_TABLES: Mapping[str, Table] = {
    one.name: one
    for one in (accounts, closed_desks, identities, leaves, organisations, passkeys, positions, tenures, tokens)
}

Stored = tuple[str, dict[str, Any]]
"""What a row is called, and what it says."""


async def rows_of(connection: AsyncConnection, name: str) -> AsyncIterator[list[Stored]]:
    """Yield the rows of a table that say what holds now, a batch in memory at a time.

    Of tenures and leave that is the last version of each; two rows of one name are yielded twice.
    """
    table = _TABLES[name]
    roles = await _roles(connection) if table is accounts else {}
    keys = [_raw(column) for column in table.primary_key]
    wanted = select(*(_raw(column).label(column.name) for column in table.columns)).order_by(*keys).limit(BATCH)
    if "replaced_at" in table.columns:
        wanted = wanted.where(table.c.replaced_at.is_(None))
    last: tuple[Any, ...] | None = None
    while rows := (await connection.execute(wanted if last is None else wanted.where(_beyond(keys, last)))).all():
        last = tuple(getattr(rows[-1], column.name) for column in table.primary_key)
        yield [_stored(name, row, roles) for row in rows]
        if len(rows) < BATCH:
            break
    for account in sorted(roles):
        yield [(account, {"roles": roles[account]})]


def _raw(column: Column[Any]) -> Any:
    # As the engine has it: what was put into a column of SQLite may be of any kind.
    return type_coerce(column, NullType())


def _beyond(keys: list[Any], last: tuple[Any, ...]) -> Any:
    return tuple_(*keys) > tuple_(*last) if len(keys) > 1 else keys[0] > last[0]


async def _roles(connection: AsyncConnection) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    wanted = select(_raw(account_roles.c.account), _raw(account_roles.c.role))
    for account, role in await connection.execute(wanted):
        found[_text(account)].append(_text(role))
    return dict(found)


def _stored(table: str, row: Row[Any], roles: dict[str, list[str]]) -> Stored:
    said = {name: _plain(value) for name, value in row._mapping.items()}
    if table == "closed_desks":
        return f"{said['position']} {said['organisation']} {said['closed_at']}", said
    key = _text(said.pop("slug" if table in ("organisations", "positions") else "id"))
    match table:
        case "accounts":
            said |= {"roles": sorted(roles.pop(key, [])), "disabled": said["disabled_at"] is not None}
        case "tokens":
            said["revoked"] = said["revoked_at"] is not None
        case "passkeys":
            octets = said["public_key"]
            said["key"] = hashlib.sha256(octets).hexdigest() if isinstance(octets, bytes) else octets
        case "leaves":
            words = said["positions"]
            said["positions"] = words.split(" ") if isinstance(words, str) and words else [] if words == "" else words
        case "organisations":
            said["name"] = {"vi": said["name_vi"], "en": said["name_en"]}
            key = f"{key} {said['since']}"
        case "positions":
            said["title"] = {"vi": said["title_vi"], "en": said["title_en"]}
    return key, said


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return write_instant(value)
    return bytes(value) if isinstance(value, memoryview) else value


def _text(value: Any) -> str:
    return value if isinstance(value, str) else repr(value)
