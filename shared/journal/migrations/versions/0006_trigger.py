"""Why each picture was taken, and how far its camera's clock was from its arrival."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("skew_s", sa.Float()))
    op.add_column(
        "snapshots",
        sa.Column("trigger", sa.String(length=16), nullable=False, server_default=""),
    )


def downgrade() -> None:
    op.drop_column("snapshots", "trigger")
    op.drop_column("snapshots", "skew_s")
