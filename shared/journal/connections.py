"""What happens as a connection is taken from the pool, and as a transaction begins."""

from __future__ import annotations

import select
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import InvalidatePoolError


def refuse_closed(connection: Any, _record: Any, _proxy: Any) -> None:
    """Have a connection replaced that its PostgreSQL has closed."""
    # A server that ended a connection has said so, and its word lies there to be read. Looking
    # costs nothing; asking each time would be a way there and back before each transaction.
    if connection.closed or select.select([connection.pgconn.socket], [], [], 0)[0]:
        raise InvalidatePoolError("the server has closed the connection")


def begin(connection: Connection) -> None:
    """Say BEGIN, which no driver says here."""
    # On SQLite a transaction that begins as a reader can't always become a writer; so writers say
    # so first. On PostgreSQL each statement of a reader sees what is committed then, in a
    # transaction or not; without one it takes one way there and back instead of three.
    reads = connection.get_execution_options().get("snapbus_reads")
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")
    elif not reads:
        connection.exec_driver_sql("BEGIN")
