"""How many people each snapshot shows, and an index of those that show any."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

BATCH = 1000
PEOPLE = ("person", "human")
SURE = 0.8
"""The default of the setting: what it was set to at the time is not known."""
ANALYSES = sa.table(
    "analyses",
    sa.column("snapshot_id", sa.String),
    sa.column("analyzer", sa.String),
    sa.column("data", sa.JSON),
)
SNAPSHOTS = sa.table("snapshots", sa.column("id", sa.String), sa.column("person_count", sa.Integer))


def upgrade() -> None:
    op.add_column("snapshots", sa.Column("person_count", sa.Integer(), nullable=True))
    _count()
    where = sa.text("person_count > 0")
    op.create_index(
        "snapshots_with_people", "snapshots", ["id"], sqlite_where=where, postgresql_where=where
    )


def _count() -> None:
    connection, last = op.get_bind(), ("", "")
    place = sa.tuple_(ANALYSES.c.snapshot_id, ANALYSES.c.analyzer)
    same = SNAPSHOTS.c.id == sa.bindparam("of")
    more = sa.func.coalesce(SNAPSHOTS.c.person_count, -1) < sa.bindparam("people")
    change = sa.update(SNAPSHOTS).where(same, more).values(person_count=sa.bindparam("people"))
    while True:
        query = sa.select(ANALYSES).where(place > sa.tuple_(*last)).order_by(*place).limit(BATCH)
        rows = connection.execute(query).all()
        if not rows:
            return
        last = (rows[-1].snapshot_id, rows[-1].analyzer)
        counted = [
            {"of": row.snapshot_id, "people": _people(row.data)}
            for row in rows
            if row.data.get("analyzed")
        ]
        if counted:
            connection.execute(change, counted)


def _people(data: dict[str, Any]) -> int:
    found = data.get("detections") or ()
    return sum(each["label"].lower() in PEOPLE and each["confidence"] >= SURE for each in found)


def downgrade() -> None:
    raise RuntimeError("restore the backup that was made before the upgrade")
