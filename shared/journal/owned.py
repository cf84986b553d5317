"""Tables that belong to one service, changed in the transaction that marks its work.

A service declares a table by a frozen dataclass of its rows, reads it by ``Journal.owned``, and
returns changes of it from a handler beside its events: both are committed with the handled mark,
or neither is. The table needs a migration like every other one; its name begins with the service's.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import NoneType, UnionType
from typing import Any, Generic, TypeVar, get_args, get_type_hints

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Float,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError

from shared.errors import Retry
from shared.journal.database import Database
from shared.journal.schema import UtcTime, metadata
from shared.journal.statements import upsert

Row = TypeVar("Row")

_TYPES: Mapping[Any, Any] = {
    str: Text, int: BigInteger, float: Float, bool: Boolean, datetime: UtcTime, dict: JSON,
}  # fmt: skip


class Stale(Retry):
    """The row was changed by somebody else since it was read."""

    def __init__(self, table: str) -> None:
        super().__init__(f"a row of {table} changed meanwhile", after_s=0.2)


@dataclass(frozen=True, slots=True)
class Change:
    """One row to be written or removed. ``was``: the row as it was read, None for one that must
    not exist yet; without ``checked`` whatever is there is replaced."""

    table: OwnedTable[Any]
    row: Any
    removes: bool = False
    checked: bool = False
    was: Any = None

    def apply(self, connection: Connection, service: str) -> None:
        """Raises Stale when the row is not as it was, ValueError for a table of another service."""
        if self.table.service != service:
            raise ValueError(f"{service} changes a table of {self.table.service}")
        table, values = self.table.table, dataclasses.asdict(self.row)
        mine = self.table.same(self.row, self.table.key)
        if not self.checked:
            if self.removes:
                connection.execute(delete(table).where(mine))
            else:
                upsert(connection, table, [values])
            return
        if self.was is None:
            try:
                with connection.begin_nested():
                    connection.execute(insert(table).values(values))
            except IntegrityError as error:
                raise Stale(table.name) from error
            return
        mine &= self.table.same(self.was, tuple(values))
        if connection.execute(update(table).values(values).where(mine)).rowcount != 1:
            raise Stale(table.name)


class OwnedTable(Generic[Row]):
    """The table ``<service>_<name>``. Columns are the fields of the dataclass ``row``: str, int,
    float, bool, datetime (aware) or dict, or one of them or None."""

    def __init__(
        self,
        service: str,
        name: str,
        row: type[Row],
        key: tuple[str, ...],
        *,
        metadata: MetaData = metadata,
    ) -> None:
        self.service = service
        self.row = row
        self.key = key
        hints = get_type_hints(row)
        columns = [_column(field.name, hints[field.name]) for field in dataclasses.fields(row)]  # type: ignore[arg-type]
        name = f"{service}_{name}".replace("-", "_")
        self.table = Table(name, metadata, *columns, PrimaryKeyConstraint(*key))

    def put(self, row: Row) -> Change:
        """Insert the row, or replace the one with its key."""
        return Change(self, row)

    def add(self, row: Row) -> Change:
        """Insert the row; Stale when there is one with its key."""
        return Change(self, row, checked=True)

    def replace(self, was: Row, row: Row) -> Change:
        """Replace a row that was read; Stale when it is another by now."""
        return Change(self, row, checked=True, was=was)

    def remove(self, row: Row) -> Change:
        """Remove the row with this one's key, if it is there."""
        return Change(self, row, removes=True)

    def same(self, row: Row, names: tuple[str, ...]) -> ColumnElement[bool]:
        """Whether a row of the table has these values of ``row``."""
        columns = self.table.c
        return and_(*(columns[name].is_not_distinct_from(getattr(row, name)) for name in names))


class Owned(Generic[Row]):
    """Reads one service's table. Any thread; raises JournalUnavailable."""

    def __init__(self, database: Database, table: OwnedTable[Row]) -> None:
        self._database = database
        self._table = table

    def get(self, *key: Any) -> Row | None:
        """The row with this key, or None."""
        found = self.all(**dict(zip(self._table.key, key, strict=True)))
        return found[0] if found else None

    def all(self, **equal: Any) -> list[Row]:
        """The rows with these values, in the order of their key."""
        table = self._table.table
        query = select(table).where(*(table.c[name] == value for name, value in equal.items()))
        query = query.order_by(*(table.c[name] for name in self._table.key))
        with self._database.reading() as connection:
            return [self._table.row(**row._mapping) for row in connection.execute(query)]


def _column(name: str, hint: Any) -> Column[Any]:
    options = get_args(hint) if isinstance(hint, UnionType) else (hint,)
    (kind,) = (each for each in options if each is not NoneType)
    return Column(name, _TYPES[kind], nullable=NoneType in options)
