"""Statements of the hot path: built and compiled once for each dialect, run as text.

SQLAlchemy builds, keys and wraps a statement anew each time, which costs several times as much as
SQLite takes to run it (docs/design/performance.md). All other statements stay as they are.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import lru_cache
from importlib import import_module
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, bindparam
from sqlalchemy.engine import Dialect

MOST_ROWS = 20
"""Rows in one statement at the most: each number of them makes a statement of its own."""

Values = Mapping[str, Any]
Build = Callable[[Any], Any]
"""Makes the statement with the ``insert`` of a dialect's module; its values are bind parameters."""


class Prepared:
    """A statement that is compiled at its first use. Any thread."""

    def __init__(self, build: Build) -> None:
        self._build = build
        self._texts: dict[str, _Text] = {}

    def fetch(self, connection: Connection, values: Values) -> Sequence[tuple[Any, ...]]:
        """Run it with these values, in Python's types; returns its rows, in the driver's. Raises
        the errors of the driver."""
        text = self._text(connection.dialect)
        # SQLAlchemy takes a statement whose answer is not there yet for one without rows.
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(text.sql, text.bound(values))
            return cursor.fetchall()

    def run(self, connection: Connection, *rows: Values) -> None:
        """Run it with the values of each row, in one go."""
        text = self._text(connection.dialect)
        bound = [text.bound(values) for values in rows]
        connection.exec_driver_sql(text.sql, bound[0] if len(bound) == 1 else bound)

    def _text(self, dialect: Dialect) -> _Text:
        text = self._texts.get(dialect.name)
        if text is None:
            # The module of the dialect in use, which is loaded: another would only take its time.
            module = import_module(f"sqlalchemy.dialects.{dialect.name}")
            text = self._texts[dialect.name] = _Text(self._build(module), dialect)
        return text


class _Text:
    """What one dialect's driver takes."""

    def __init__(self, statement: Any, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)
        self.sql = str(compiled)
        self._names = compiled.positiontup
        self._constants = {
            name: each.value for name, each in compiled.binds.items() if not each.required
        }
        self._processors = {
            name: each.type.dialect_impl(dialect).bind_processor(dialect)
            for name, each in compiled.binds.items()
        }

    def bound(self, values: Values) -> Any:
        given = {**self._constants, **values} if self._constants else values
        bound = {
            name: process(given[name]) if process else given[name]
            for name, process in self._processors.items()
        }
        return bound if self._names is None else tuple(bound[name] for name in self._names)


def insert_new(connection: Connection, table: Table, row: Values) -> bool:
    """Insert a row unless one with a key of it is there; says whether it was inserted."""
    return bool(insert_all_new(connection, table, [row]))


def insert_all_new(connection: Connection, table: Table, rows: Sequence[Values]) -> set[str]:
    """Insert the rows of which no key is there; all have the same columns. Returns the ids of those
    that were inserted; of a table without ids, what stands in the first column of their key."""
    inserted: set[str] = set()
    for begin in range(0, len(rows), MOST_ROWS):
        some = rows[begin : begin + MOST_ROWS]
        statement = _insert_new(table, tuple(some[0]), len(some))
        values = {f"{name}_{i}": value for i, row in enumerate(some) for name, value in row.items()}
        # The row count of an insert is not told by every driver; what it returns is.
        inserted.update(key for (key,) in statement.fetch(connection, values))
    return inserted


@lru_cache
def _insert_new(table: Table, names: tuple[str, ...], count: int) -> Prepared:
    key = table.c.id if "id" in table.c else next(iter(table.primary_key))
    rows = [
        {name: bindparam(f"{name}_{i}", type_=table.c[name].type) for name in names}
        for i in range(count)
    ]

    def build(dialect: Any) -> Any:
        return dialect.insert(table).values(rows).on_conflict_do_nothing().returning(key)

    return Prepared(build)


Where = Callable[[Any], ColumnElement[bool]]
"""Which rows may be replaced, given the columns of the new one. A function of a module: statements
are kept by it."""


def upsert(
    connection: Connection, table: Table, rows: Sequence[Values], where: Where | None = None
) -> None:
    """Insert rows, or replace those with their primary keys, if these are ``where``; all have the
    same columns."""
    if rows:
        _upsert(table, tuple(rows[0]), where).run(connection, *rows)


@lru_cache
def _upsert(table: Table, names: tuple[str, ...], where: Where | None) -> Prepared:
    keys = [column.name for column in table.primary_key]

    def build(dialect: Any) -> Any:
        insert = dialect.insert(table).values({name: bindparam(name) for name in names})
        changes = {name: insert.excluded[name] for name in names if name not in keys}
        chosen = where(insert.excluded) if where else None
        return insert.on_conflict_do_update(index_elements=keys, set_=changes, where=chosen)

    return Prepared(build)
