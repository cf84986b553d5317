"""The tables of the journal. Times are UTC; ``recorded_at`` is the journal's own clock.

shared/journal/migrations holds the same tables as migrations; tests/contract/test_journal.py fails
when the two differ.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Column,
    Float,
    Index,
    Integer,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
)

from shared.journal.columns import Serial, organisation
from shared.journal.columns import UtcTime as UtcTime
from shared.journal.columns import metadata as metadata
from shared.journal.filing_tables import filings as filings
from shared.journal.filing_tables import holds as holds
from shared.journal.filing_tables import manifests as manifests
from shared.journal.filing_tables import superseded as superseded

# Append-only: at once the outbox, the audit trail of a picture and the resume buffer of SSE.
events = Table(
    "events",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("id", String(64), nullable=False, unique=True),
    Column("topic", String(64), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("source", String(64), nullable=False),
    Column("snapshot_id", String(26)),
    organisation(),
    Column("time", UtcTime, nullable=False),
    Column("recorded_at", UtcTime, nullable=False),
    Column("trace", String(64)),
    Column("baggage", Text),
    Column("cause", String(64)),
    Column("data", JSON, nullable=False),
    Column("published_at", UtcTime),
    Index("events_of_snapshot", "snapshot_id", "seq"),
    Index("events_of_topic", "topic", "seq"),
    Index("events_of_subject", "subject", "seq"),
)
Index(
    "events_unpublished",
    events.c.seq,
    sqlite_where=events.c.published_at.is_(None),
    postgresql_where=events.c.published_at.is_(None),
)

# What each service did with each event. No row: the service still owes it.
work = Table(
    "work",
    metadata,
    Column("service", String(32), nullable=False),
    Column("event_id", String(64), nullable=False),
    organisation(),
    Column("status", String(8), nullable=False),  # done | retry | dead | tried
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", UtcTime),
    Column("waiting_for", String(128)),  # the peer that is away, see marks.py
    Column("error", Text),
    Column("updated_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("service", "event_id"),
)
# SQLite uses the index only for queries that say this word for word.
UNFINISHED = work.c.status != literal_column("'done'")
Index(
    "work_unfinished",
    work.c.status,
    work.c.next_attempt_at,
    sqlite_where=UNFINISHED,
    postgresql_where=UNFINISHED,
)
Index("work_latest", work.c.service, work.c.updated_at)
WAITING = work.c.waiting_for.is_not(None)
Index(
    "work_waiting",
    work.c.service,
    work.c.waiting_for,
    sqlite_where=WAITING,
    postgresql_where=WAITING,
)

# Written when a service starts: which topics it owes an answer to, and from which event on.
# Everything up to ``settled_seq`` has been answered.
subscriptions = Table(
    "subscriptions",
    metadata,
    Column("service", String(32), nullable=False),
    Column("topic", String(64), nullable=False),
    Column("since", UtcTime, nullable=False),
    Column("settled_seq", Serial, nullable=False),
    PrimaryKeyConstraint("service", "topic"),
)

# Read model: changed only by applying events in the transaction that records them.
snapshots = Table(
    "snapshots",
    metadata,
    Column("id", String(26), primary_key=True),
    organisation(),
    Column("dedupe_key", String(512), nullable=False),
    Column("camera", String(64), nullable=False),
    Column("door", String(16), nullable=False),
    Column("name", String(255), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("size", Integer, nullable=False),
    Column("media_type", String(32), nullable=False),
    Column("captured_at", UtcTime, nullable=False),
    Column("captured_by", String(16), nullable=False),
    Column("received_at", UtcTime, nullable=False),
    Column("skew_s", Float),
    Column("trigger", String(16), nullable=False, server_default=""),
    Column("state", String(16), nullable=False),  # see shared/journal/projection.py
    Column("person_count", Integer),  # the most that an analyser counted; NULL: none did
    UniqueConstraint("organisation", "dedupe_key", name="one_snapshot_per_key"),
    Index("snapshots_of_camera", "camera", "id"),
    Index("snapshots_captured", "captured_at", "id"),
    Index("snapshots_of_camera_captured", "camera", "captured_at", "id"),
    Index("snapshots_of_file", "sha256"),
    Index("snapshots_in_state", "state", "id"),
    Index("snapshots_counted", "camera", "state", "organisation"),
)
PEOPLE = snapshots.c.person_count > literal_column("0")
Index("snapshots_with_people", snapshots.c.id, sqlite_where=PEOPLE, postgresql_where=PEOPLE)

# What each analyser found in a snapshot; its first answer stays.
analyses = Table(
    "analyses",
    metadata,
    Column("snapshot_id", String(26), nullable=False),
    Column("analyzer", String(64), nullable=False),
    Column("data", JSON, nullable=False),  # of snapshot.analyzed
    PrimaryKeyConstraint("snapshot_id", "analyzer"),
)

# One row per label seen in a snapshot, for filtering: that of the analyser that is surest.
labels = Table(
    "labels",
    metadata,
    Column("snapshot_id", String(26), nullable=False),
    Column("label", String(64), nullable=False),
    Column("count", Integer, nullable=False),
    Column("confidence", Float, nullable=False),  # the highest
    PrimaryKeyConstraint("snapshot_id", "label"),
    Index("snapshots_with_label", "label", "snapshot_id"),
)

# What each running process says of itself every few seconds.
service_status = Table(
    "parts",
    metadata,
    Column("service", String(32), nullable=False),
    Column("instance", String(128), nullable=False),
    Column("started_at", UtcTime, nullable=False),
    Column("seen_at", UtcTime, nullable=False),
    Column("about", JSON, nullable=False),
    PrimaryKeyConstraint("service", "instance"),
)

# Facts about the journal itself, such as the id of the store it describes.
facts = Table(
    "facts",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)
