"""The address of a camera that only a trigger of the existing system tells, in a file.

It holds a password, so that it is a secret like those of the secrets folder: a file that only our
user may read. The service ``legacy`` writes it, the service ``camera`` reads it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Told:
    """Where a camera is, and how to log in there. ``host`` is an IP address."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)

    @property
    def url(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"


def recall(file: Path) -> Told | None:
    """What was told last; None: nothing yet, or nothing that can be read."""
    try:
        return Told(**json.loads(file.read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def remember(file: Path, told: Told) -> bool:
    """Keep what was told; whether that is news. Raises OSError."""
    if recall(file) == told:
        return False
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.{os.getpid()}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(asdict(told), out)
    part.replace(file)
    return True
