"""What is seen while a picture is received."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What was seen while one picture was received. ``ahead_s`` is how far the camera's clock is
    ahead of ours, None if it told no time."""

    login: str
    size: int
    seconds: float
    ahead_s: float | None
