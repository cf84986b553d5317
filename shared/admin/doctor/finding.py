"""What the doctor finds, and how closely it looks."""

from __future__ import annotations

from dataclasses import dataclass

LEVELS = ("rows", "sizes", "hashes")
"""Only the journal; also every file and its size; also every byte."""
GRACE_S = 600.0
"""What is younger is probably being worked on just now."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference: which invariant, about what, and what to do."""

    invariant: str
    what: str
    remedy: str
