"""The baggage of traces."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("events", sa.Column("baggage", sa.Text(), nullable=True))


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade")
