"""What processes cost: processor time from /proc, and what PostgreSQL and the disk did for them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def processor_s(pid: int) -> float:
    """Seconds of processor that a process and those it has waited for took."""
    fields = _fields(pid)
    return sum(map(int, fields[11:15])) / TICKS if fields else 0.0


def session_s(leader: int) -> float:
    """The same for a server that leads a session, with all processes of it and its children:
    PostgreSQL gives each child a session of its own."""
    members = (pid for pid in _running() if pid != leader and leader in _above(pid))
    return processor_s(leader) + sum(map(_alone_s, members))


def spent(before: Mapping[str, float], after: Mapping[str, float], count: int) -> dict[str, float]:
    """Milliseconds of processor for each of so many pictures, by name."""
    return {name: 1000 * (after[name] - at) / count for name, at in before.items()}


def told(milliseconds: Mapping[str, float]) -> str:
    """In words, the dearest first."""
    ordered = sorted(milliseconds.items(), key=lambda each: -each[1])
    return ", ".join(f"{name} {value:.1f}" for name, value in ordered)


def _alone_s(pid: int) -> float:
    fields = _fields(pid)
    return sum(map(int, fields[11:13])) / TICKS if fields else 0.0


def _above(pid: int) -> tuple[int, ...]:
    """Its parent and its session."""
    fields = _fields(pid)
    return (int(fields[1]), int(fields[3])) if fields else ()


def _running() -> Iterator[int]:
    names: Iterable[str] = (path.name for path in Path("/proc").iterdir())
    return (int(name) for name in names if name.isdigit())


def _fields(pid: int) -> list[str]:
    """The fields after the name, which may hold anything (proc(5), stat)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
