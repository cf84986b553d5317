"""Faults of one step of a story, and how many stories there are."""

from __future__ import annotations

from functools import cache

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from shared.admin.reference import failpoints

STORY = 25
"""Steps of one story."""
ELSEWHERE = (
    "bus.", "drive.prepared", "folder.", "ftp.", "google.", "http.", "legacy.", "mail.",
    "manifest.", "paid.", "runtime.",
)  # fmt: skip
"""Failpoints that a world without threads and doors does not get to."""
POINTS = [name for name in failpoints() if not name.startswith(ELSEWHERE)]
DISK = ("store.", "spool.", "drive.")
TAKING = ("store.", "intake.", "spool.", "journal.")
WAYS = {
    "upload": TAKING,
    "spool": ("intake.", "spool."),
    "camera": (*TAKING, "camera.", "worker."),
    "detector": ("journal.", "worker."),
    "drive": ("journal.", "worker.", "drive.", "drive.", "drive."),
    "cloud": ("journal.", "worker."),
    "drive-nas": ("journal.", "worker.", "drive.", "drive.", "drive."),
    "outbox": ("outbox.", "journal."),
    "reconciler": ("reconciler.", "journal."),
    "clock": ("scheduler.", "source.", "journal."),
}
"""By what is done: the failpoints on its way."""


@cache
def faults(doing: str) -> st.SearchStrategy[str]:
    """What FAILPOINT says during one step: one time in three nothing."""
    points = [name for part in WAYS[doing] for name in POINTS if name.startswith(part)]
    found = [f"{name}:1:kill" for name in points]
    found += [f"{name}:2:kill" for name in points if name.startswith("reconciler.")]
    for error in ("ENOSPC", "EIO"):
        found += [f"{name}:1:raise={error}" for name in points if name.startswith(DISK)]
    return st.sampled_from([""] * (len(found) // 2) + found)


def thorough(steps: int) -> settings:
    """So many steps in all."""
    return settings(
        max_examples=max(1, steps // STORY),
        stateful_step_count=STORY,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
        # The usual one spends most of so few stories on the smallest, and on copies of others.
        backend="hypothesis-urandom",
    )
