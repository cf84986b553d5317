"""A watched folder and the service that takes its pictures."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from services.folder.app import build
from services.folder.sources import FolderSources
from shared.service import Service
from tests.support.making import Core, core


class Running:
    def __init__(self, behind: Core, service: Service, root: Path) -> None:
        self.core = behind
        self.service = service
        self.root = root
        (folders,) = service.sources
        assert isinstance(folders, FolderSources)
        self.folders = folders
        (self.source,) = folders.now()

    def names(self) -> list[str]:
        return sorted(row.name for row in self.core.journal.read.snapshots(limit=500))

    def state(self) -> Mapping[str, Any]:
        return self.service.about()["folders"][0]

    def left(self) -> list[str]:
        return sorted(
            path.relative_to(self.root).as_posix()
            for path in self.root.rglob("*")
            if not path.is_dir()
        )

    def scan(self) -> bool:
        return self.source.importer.scan(threading.Event())


@contextlib.contextmanager
def standing(
    tmp_path: Path, camera: Mapping[str, Any] | None = None, **section: float
) -> Iterator[Running]:
    """A folder door that does nothing until it is told to."""
    root = tmp_path / "in"
    root.mkdir(exist_ok=True)
    tree = {
        "cameras": {"porch": {"folder": {"path": str(root)} | dict(camera or {})}},
        "folders": {"settle_s": 0.2, "rescan_s": 0.3} | section,
    }
    behind = core(tmp_path, tree)
    with contextlib.closing(behind.journal):
        yield Running(behind, build(behind.parts), root)


@contextlib.contextmanager
def watching(
    tmp_path: Path, camera: Mapping[str, Any] | None = None, **section: float
) -> Iterator[Running]:
    """A folder door at work."""
    with standing(tmp_path, camera, **section) as running:
        stop = threading.Event()
        thread = threading.Thread(target=running.folders.run, args=(stop,), daemon=True)
        thread.start()
        try:
            yield running
        finally:
            stop.set()
            thread.join(30)
            assert not thread.is_alive()


def old(path: Path, seconds: float = 60.0) -> Path:
    """Make a file look as if it had been written so long ago."""
    at = time.time() - seconds
    os.utime(path, (at, at))
    return path


def put(root: Path, name: str, content: bytes, age: float = 60.0) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return old(path, age)
