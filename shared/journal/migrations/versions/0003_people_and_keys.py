"""People, sessions and keys; and an index that counts snapshots by organisation too."""

import sqlalchemy as sa
from alembic import op

from shared.journal.schema import UtcTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def _text(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=nullable)


def _time(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, UtcTime(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "access_people",
        *map(_text, ("name", "organisation", "role")),
        _text("cameras", nullable=True),
        *map(_text, ("password", "subject")),
        *map(_time, ("created_at", "changed_at")),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "access_sessions",
        *map(_text, ("hash", "organisation", "person", "address", "device", "agent")),
        *map(_time, ("created_at", "seen_at", "expires_at")),
        _time("ended_at", nullable=True),
        sa.PrimaryKeyConstraint("hash"),
    )
    op.create_table(
        "access_keys",
        *map(_text, ("id", "organisation", "name", "hash", "previous")),
        _time("previous_until", nullable=True),
        _text("scopes"),
        _text("cameras", nullable=True),
        sa.Column("rate", sa.BigInteger(), nullable=False),
        _text("created_by"),
        _time("created_at"),
        *(_time(name, nullable=True) for name in ("expires_at", "revoked_at", "used_at")),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "access_marks",
        *map(_text, ("name", "organisation", "value")),
        sa.PrimaryKeyConstraint("name"),
    )
    op.drop_index("snapshots_counted", "snapshots")
    op.create_index("snapshots_counted", "snapshots", ["camera", "state", "organisation"])


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade")
