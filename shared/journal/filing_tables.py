"""The tables of what archives hold: part of shared/journal/schema.py."""

from __future__ import annotations

from sqlalchemy import (
    Column,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    literal_column,
)

from shared.events import ORIGINAL
from shared.journal.columns import metadata

# What each archive holds of a snapshot, one row for each kind of copy, or by which policy it holds
# none. ``sha256`` and ``size`` are those of the bytes sent.
filings = Table(
    "filings",
    metadata,
    Column("snapshot_id", String(26), nullable=False),
    Column("archive", String(64), nullable=False),
    Column("kind", String(64), nullable=False, server_default=ORIGINAL),
    Column("state", String(16), nullable=False),  # archived | skipped
    Column("path", Text, nullable=False),
    Column("policy", String(64), nullable=False),
    Column("link", Text),
    Column("key", Text),
    Column("sha256", String(64), nullable=False, server_default=""),
    Column("size", Integer, nullable=False, server_default="0"),
    Column("day", String(10), nullable=False, server_default=""),  # of its path, as 2026-11-21
    Column("line", Integer),  # in the manifest of its day; NULL: in none yet
    PrimaryKeyConstraint("snapshot_id", "archive", "kind"),
    Index("filings_of_day", "archive", "day", "line"),
)
UNLISTED = filings.c.line.is_(None) & (filings.c.day != literal_column("''"))
Index(
    "filings_unlisted",
    filings.c.archive,
    filings.c.day,
    sqlite_where=UNLISTED,
    postgresql_where=UNLISTED,
)

# The manifest of one day in one archive: how it begins and how it ends.
manifests = Table(
    "manifests",
    metadata,
    Column("archive", String(64), nullable=False),
    Column("day", String(10), nullable=False),
    Column("before_day", String(10), nullable=False),
    Column("before_head", String(64), nullable=False),
    Column("lines", Integer, nullable=False),
    Column("head", String(64), nullable=False),
    Column("written_head", String(64), nullable=False, server_default=""),
    PrimaryKeyConstraint("archive", "day"),
)

# What manifests tell of copies that were replaced by other bytes since.
superseded = Table(
    "superseded",
    metadata,
    Column("archive", String(64), nullable=False),
    Column("day", String(10), nullable=False),
    Column("line", Integer, nullable=False),
    Column("snapshot_id", String(26), nullable=False),
    Column("kind", String(64), nullable=False),
    Column("path", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    PrimaryKeyConstraint("archive", "day", "line"),
)

# Who wants a snapshot to stay: people on the page, or an archive in which it is starred.
holds = Table(
    "holds",
    metadata,
    Column("snapshot_id", String(26), nullable=False),
    Column("holder", String(64), nullable=False),
    PrimaryKeyConstraint("snapshot_id", "holder"),
)
