"""The column types and naming that every table shares, equal on both engines."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import DateTime, Dialect, LargeBinary, MetaData, String, Text, TypeDecorator
from sqlalchemy.types import TypeEngine

from domain.values import write_instant

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

Name = String().with_variant(String(collation="C"), "postgresql")
"""An id, a code or a sort key: compared by its bytes on both engines (SQLite does so by itself)."""

Words = Text()
"""Text for people, and JSON: never compared."""

Secret = LargeBinary()
"""Ciphertext or a wrapped key."""


class Instant(TypeDecorator[datetime]):
    """An aware instant in UTC: `timestamp with time zone` on PostgreSQL, sortable RFC 3339 text on SQLite."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        if dialect.name == "postgresql":
            return dialect.type_descriptor(DateTime(timezone=True))
        return dialect.type_descriptor(String(27))

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("an instant needs a zone")
        return value.astimezone(UTC) if dialect.name == "postgresql" else write_instant(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        instant = value if isinstance(value, datetime) else datetime.fromisoformat(value)
        return instant.astimezone(UTC)


def utc_now() -> datetime:
    """Return the wall time in UTC: registers date their rows by it, business time comes with events."""
    return datetime.now(UTC)
