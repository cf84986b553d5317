"""Fixtures of several unit tests: a service in one process that loses no time with pauses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.bus import thread as bus
from tests.support.rig import EVENT, OTHER, Rig


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shortens how long confirms are gathered."""
    monkeypatch.setattr(bus, "GATHER_S", 0.02)


@pytest.fixture
def rig(tmp_path: Path, hurried: None) -> Iterator[Rig]:
    """A running service that was told of two events and given none."""
    with closing(Rig(tmp_path)) as rig:
        rig.journal.subscribe("drive", ["snapshot.analyzed"])
        rig.journal.append([EVENT, OTHER])
        rig.start()
        yield rig
