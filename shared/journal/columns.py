"""Types that columns of the journal share, and the collection of its tables."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import BigInteger, Column, DateTime, Integer, MetaData, String
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

from shared.events import ORGANISATION


class UtcTime(TypeDecorator[datetime]):
    """An aware UTC time; SQLite, which knows no zones, holds it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        time: datetime = value
        return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def organisation() -> Column[str]:
    """Whose row it is; one organisation exists unless somebody makes more."""
    return Column("organisation", String(64), nullable=False, server_default=ORGANISATION)


Serial = BigInteger().with_variant(Integer, "sqlite")
metadata = MetaData()
