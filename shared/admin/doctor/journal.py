"""The journal by itself: whether its rows agree with each other, and what nobody finished."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta

from shared.admin.doctor.finding import Finding
from shared.events import now
from shared.journal import Journal

RESTORE = "restore the journal from a backup, or report this as a defect"


def examine_rows(journal: Journal, grace_s: float) -> Iterator[Finding]:
    """Every difference inside the journal (I1, I4 to I8, I10, I12). Raises JournalUnavailable."""
    yield from _contradictions(journal)
    before = now() - timedelta(seconds=grace_s)
    unfinished = journal.audit.unfinished
    count, oldest = unfinished.unpublished(before)
    if count:
        yield Finding(
            "I5",
            f"{count} events are not published, the oldest of {oldest:%Y-%m-%d %H:%M} UTC",
            "start the scheduler, and see on the page whether the broker is connected",
        )
    groups: dict[str, list[str]] = defaultdict(list)
    for snapshot_id, why in unfinished.snapshots(before):
        groups[why].append(snapshot_id)
    for why, ids in groups.items():
        which = f"snapshot {ids[0]}" if len(ids) == 1 else f"{len(ids)} snapshots from {ids[0]} on"
        yield Finding("I6", f"{which}: {why}", _remedy(why))
    for request_id in unfinished.requests(before):
        yield Finding(
            "I12",
            f"request {request_id} has neither a picture nor a failure",
            "start the camera service",
        )


def _contradictions(journal: Journal) -> Iterator[Finding]:
    audit = journal.audit
    for table, columns in audit.missing_keys():
        yield Finding("I1", f"table {table} lacks its unique key on {columns}", RESTORE)
    for invariant, ids, text in (
        ("I1", audit.keys_twice(), "shares its dedupe key with another"),
        ("I4", audit.without_taken(), "is catalogued, but its snapshot.taken is missing"),
        ("I4", audit.without_row(), "has a snapshot.taken, but is not catalogued"),
        ("I7", audit.analyzed_twice(), "has more than one result of one analyser"),
        ("I7", audit.analyzed_without_result(), "is analyzed, but has no result"),
        ("I8", audit.archived_twice(), "was filed more than once by one archive"),
        ("I10", audit.state_without_event(), "is in a state that no event brought it to"),
        ("I12", audit.taken_twice(), "is one of several that answer the same request"),
    ):
        for snapshot_id in ids:
            yield Finding(invariant, f"snapshot {snapshot_id} {text}", RESTORE)


def _remedy(why: str) -> str:
    if "gave up" in why:
        return "mend the cause, then `task replay`"
    if "nobody owes" in why:
        return "report this as a defect; `task work` lists what is stuck"
    return "start that service, or see in its log what holds it up"


def examine_secrets(journal: Journal, secrets: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    """Secrets of the configuration that stand in the journal (I16); they are not shown."""
    for name, secret in secrets:
        for table, count in journal.audit.holding(secret):
            yield Finding(
                "I16",
                f"the secret {name} is in {count} rows of {table}",
                "change that secret, and report this as a defect",
            )
