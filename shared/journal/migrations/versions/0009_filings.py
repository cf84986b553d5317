"""Filings of several kinds, manifests of archives, and holds."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

UNLISTED = sa.text("line IS NULL AND day != ''")


def upgrade() -> None:
    op.execute("CREATE TABLE filings_before AS SELECT * FROM filings")
    op.drop_table("filings")
    _create_filings()
    op.execute(
        "INSERT INTO filings (snapshot_id, archive, kind, state, path, policy, sha256, size, day) "
        "SELECT f.snapshot_id, f.archive, 'original', f.state, f.path, f.policy, "
        "CASE WHEN f.state = 'archived' THEN coalesce(s.sha256, '') ELSE '' END, "
        "CASE WHEN f.state = 'archived' THEN coalesce(s.size, 0) ELSE 0 END, "
        "CASE WHEN f.path LIKE '____/__/__/%' "
        "THEN replace(substr(f.path, 1, 10), '/', '-') ELSE '' END "
        "FROM filings_before f LEFT JOIN snapshots s ON s.id = f.snapshot_id"
    )
    op.drop_table("filings_before")
    op.create_table(
        "manifests",
        sa.Column("archive", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("before_day", sa.String(10), nullable=False),
        sa.Column("before_head", sa.String(64), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("written_head", sa.String(64), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("archive", "day"),
    )
    op.create_table(
        "superseded",
        sa.Column("archive", sa.String(64), nullable=False),
        sa.Column("day", sa.String(10), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("snapshot_id", sa.String(26), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("archive", "day", "line"),
    )
    op.create_table(
        "holds",
        sa.Column("snapshot_id", sa.String(26), nullable=False),
        sa.Column("holder", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "holder"),
    )


def _create_filings() -> None:
    op.create_table(
        "filings",
        sa.Column("snapshot_id", sa.String(26), nullable=False),
        sa.Column("archive", sa.String(64), nullable=False),
        sa.Column("kind", sa.String(64), nullable=False, server_default="original"),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("policy", sa.String(64), nullable=False),
        sa.Column("link", sa.Text()),
        sa.Column("key", sa.Text()),
        sa.Column("sha256", sa.String(64), nullable=False, server_default=""),
        sa.Column("size", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("day", sa.String(10), nullable=False, server_default=""),
        sa.Column("line", sa.Integer()),
        sa.PrimaryKeyConstraint("snapshot_id", "archive", "kind"),
    )
    op.create_index("filings_of_day", "filings", ["archive", "day", "line"])
    op.create_index(
        "filings_unlisted",
        "filings",
        ["archive", "day"],
        sqlite_where=UNLISTED,
        postgresql_where=UNLISTED,
    )


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade")
