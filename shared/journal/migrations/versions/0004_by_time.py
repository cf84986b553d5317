"""Indexes by which a window of time is found, of all cameras and of one."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("snapshots_captured", "snapshots", ["captured_at", "id"])
    op.create_index("snapshots_of_camera_captured", "snapshots", ["camera", "captured_at", "id"])


def downgrade() -> None:
    op.drop_index("snapshots_of_camera_captured", "snapshots")
    op.drop_index("snapshots_captured", "snapshots")
