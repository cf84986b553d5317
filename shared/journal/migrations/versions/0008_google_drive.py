"""The ids of files and folders in Google Drive, recorded before they are made."""

import sqlalchemy as sa
from alembic import op

from shared.journal.schema import UtcTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def _texts(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, sa.Text(), nullable=False) for name in names]


def upgrade() -> None:
    op.create_table(
        "drive_uploads",
        *_texts("archive", "snapshot_id", "kind", "file_id"),
        sa.Column("spoilt", sa.BigInteger(), nullable=False),
        sa.Column("reserved_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("archive", "snapshot_id", "kind"),
    )
    op.create_table(
        "drive_folders",
        *_texts("archive", "path", "file_id"),
        sa.Column("reserved_at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("archive", "path"),
    )


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade")
