"""Analyses and filings in tables of their own, organisations, and work that waits for a peer."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

BATCH = 1000
OLD = sa.table(
    "snapshots",
    sa.column("id", sa.String),
    sa.column("analysis", sa.JSON),
    sa.column("archive", sa.JSON),
)


def _organisation() -> sa.Column[str]:
    return sa.Column("organisation", sa.String(64), nullable=False, server_default="default")


def upgrade() -> None:
    analyses = op.create_table(
        "analyses",
        sa.Column("snapshot_id", sa.String(26), nullable=False),
        sa.Column("analyzer", sa.String(64), nullable=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "analyzer"),
    )
    filings = op.create_table(
        "filings",
        sa.Column("snapshot_id", sa.String(26), nullable=False),
        sa.Column("archive", sa.String(64), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("policy", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "archive"),
    )
    _copy(analyses, filings)
    with op.batch_alter_table("snapshots") as table:
        table.drop_column("analysis")
        table.drop_column("archive")
        table.add_column(_organisation())
        table.drop_constraint("one_snapshot_per_key", type_="unique")
        table.create_unique_constraint("one_snapshot_per_key", ["organisation", "dedupe_key"])
    op.add_column("events", _organisation())
    op.add_column("work", _organisation())
    op.add_column("work", sa.Column("waiting_for", sa.String(128), nullable=True))
    op.create_index(
        "work_waiting",
        "work",
        ["service", "waiting_for"],
        sqlite_where=sa.text("waiting_for IS NOT NULL"),
        postgresql_where=sa.text("waiting_for IS NOT NULL"),
    )


def _copy(analyses: sa.Table, filings: sa.Table) -> None:
    connection, last = op.get_bind(), ""
    while True:
        query = sa.select(OLD).where(OLD.c.id > last).order_by(OLD.c.id).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = rows[-1].id
        analyzed = [
            {"snapshot_id": row.id, "analyzer": "detector", "data": row.analysis}
            for row in rows
            if row.analysis
        ]
        filed = [_filing(row.id, row.archive) for row in rows if row.archive]
        if analyzed:
            connection.execute(sa.insert(analyses), analyzed)
        if filed:
            connection.execute(sa.insert(filings), filed)


def _filing(snapshot_id: str, said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "snapshot_id": snapshot_id,
        "archive": said.get("archive", "folder"),
        "state": "archived" if "path" in said else "skipped",
        "path": said.get("path", ""),
        "policy": said.get("policy", ""),
    }


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade")
