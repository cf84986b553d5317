"""The journal as it began: events, work, subscriptions and the catalogue of snapshots."""

import sqlalchemy as sa
from alembic import op

from shared.journal.columns import Serial, UtcTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("seq", Serial, autoincrement=True, nullable=False),
        sa.Column("id", sa.String(length=64), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("source", sa.String(length=64), nullable=False),
        sa.Column("snapshot_id", sa.String(length=26), nullable=True),
        sa.Column("time", UtcTime(), nullable=False),
        sa.Column("recorded_at", UtcTime(), nullable=False),
        sa.Column("trace", sa.String(length=64), nullable=True),
        sa.Column("cause", sa.String(length=64), nullable=True),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("published_at", UtcTime(), nullable=True),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("events_of_snapshot", "events", ["snapshot_id", "seq"], unique=False)
    op.create_index("events_of_subject", "events", ["subject", "seq"], unique=False)
    op.create_index("events_of_topic", "events", ["topic", "seq"], unique=False)
    op.create_index(
        "events_unpublished",
        "events",
        ["seq"],
        unique=False,
        sqlite_where=sa.text("published_at IS NULL"),
        postgresql_where=sa.text("published_at IS NULL"),
    )
    op.create_table(
        "facts",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "labels",
        sa.Column("snapshot_id", sa.String(length=26), nullable=False),
        sa.Column("label", sa.String(length=64), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot_id", "label"),
    )
    op.create_index("snapshots_with_label", "labels", ["label", "snapshot_id"], unique=False)
    op.create_table(
        "parts",
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.Column("instance", sa.String(length=128), nullable=False),
        sa.Column("started_at", UtcTime(), nullable=False),
        sa.Column("seen_at", UtcTime(), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("service", "instance"),
    )
    op.create_table(
        "snapshots",
        sa.Column("id", sa.String(length=26), nullable=False),
        sa.Column("dedupe_key", sa.String(length=512), nullable=False),
        sa.Column("camera", sa.String(length=64), nullable=False),
        sa.Column("door", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("media_type", sa.String(length=32), nullable=False),
        sa.Column("captured_at", UtcTime(), nullable=False),
        sa.Column("captured_by", sa.String(length=16), nullable=False),
        sa.Column("received_at", UtcTime(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("analysis", sa.JSON(), nullable=True),
        sa.Column("archive", sa.JSON(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("dedupe_key", name="one_snapshot_per_key"),
    )
    op.create_index("snapshots_counted", "snapshots", ["camera", "state"], unique=False)
    op.create_index("snapshots_in_state", "snapshots", ["state", "id"], unique=False)
    op.create_index("snapshots_of_camera", "snapshots", ["camera", "id"], unique=False)
    op.create_index("snapshots_of_file", "snapshots", ["sha256"], unique=False)
    op.create_table(
        "subscriptions",
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.Column("topic", sa.String(length=64), nullable=False),
        sa.Column("since", UtcTime(), nullable=False),
        sa.Column("settled_seq", Serial, nullable=False),
        sa.PrimaryKeyConstraint("service", "topic"),
    )
    op.create_table(
        "work",
        sa.Column("service", sa.String(length=32), nullable=False),
        sa.Column("event_id", sa.String(length=64), nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", UtcTime(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("updated_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("service", "event_id"),
    )
    op.create_index("work_latest", "work", ["service", "updated_at"], unique=False)
    op.create_index(
        "work_unfinished",
        "work",
        ["status", "next_attempt_at"],
        unique=False,
        sqlite_where=sa.text("status != 'done'"),
        postgresql_where=sa.text("status != 'done'"),
    )


def downgrade() -> None:
    op.drop_table("events")
    op.drop_table("facts")
    op.drop_table("labels")
    op.drop_table("parts")
    op.drop_table("snapshots")
    op.drop_table("subscriptions")
    op.drop_table("work")
