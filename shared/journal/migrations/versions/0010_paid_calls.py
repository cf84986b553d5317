"""What paid calls cost, and their answers."""

import sqlalchemy as sa
from alembic import op

from shared.journal.schema import UtcTime

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def _text(name: str) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=False)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger(), nullable=False)


def upgrade() -> None:
    op.create_table(
        "paid_spent",
        *map(_text, ("engine", "scope", "name", "period")),
        *map(_number, ("micros", "calls", "refused")),
        sa.PrimaryKeyConstraint("engine", "scope", "name", "period"),
    )
    op.create_table(
        "paid_reservations",
        *map(_text, ("id", "engine", "camera", "organisation")),
        _number("micros"),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "paid_scenes",
        *map(_text, ("engine", "camera", "snapshot_id", "likeness", "answer")),
        sa.Column("at", UtcTime(), nullable=False),
        sa.PrimaryKeyConstraint("engine", "camera", "snapshot_id"),
    )


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade")
