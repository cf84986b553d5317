"""The folders that the configuration names, and whether each can have one camera.

Imports nothing that watches, so that a configuration is checked in a moment.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from shared.errors import ConfigError
from shared.settings import Settings
from shared.settings.cameras import CameraSection, FolderSection


def check(settings: Settings) -> Sequence[str]:
    """The folders that can't be used now. Raises ConfigError for what ``build`` would refuse."""
    return [doubt for each in watched_of(settings.cameras) if (doubt := _doubt(each))]


@dataclass(frozen=True)
class WatchedFolder:
    """A folder, whose it is, and how it is watched."""

    root: Path
    camera: str
    section: FolderSection

    @property
    def processed(self) -> Path | None:
        """Where taken files are moved to."""
        return self._below(self.section.processed)

    @property
    def failed(self) -> Path | None:
        """Where what is no whole picture is moved to."""
        return self._below(self.section.failed)

    @property
    def results(self) -> Path:
        """Where results are written to."""
        return self.processed or self.root

    def _below(self, path: Path | None) -> Path | None:
        """Links are not resolved below the watched folder, where others can make them."""
        if path is None:
            return None
        named = Path(os.path.normpath(self.root / path))
        return named if named.is_relative_to(self.root) else named.resolve()


def folder_of(name: str, camera: CameraSection) -> WatchedFolder | None:
    """The watched folder of this camera, if it has one."""
    folder = camera.folder
    return WatchedFolder(folder.path.resolve(), name, folder) if folder else None


def watched_of(cameras: Mapping[str, CameraSection]) -> list[WatchedFolder]:
    """The watched folders. Raises ConfigError where two overlap."""
    watched: list[WatchedFolder] = []
    for name, camera in cameras.items():
        one = folder_of(name, camera)
        if one is None:
            continue
        for other in watched:
            if one.root.is_relative_to(other.root) or other.root.is_relative_to(one.root):
                raise ConfigError(
                    f"cameras.{name}.folder.path: {one.root} overlaps with the folder of camera "
                    f"{other.camera}. Give each camera a folder of its own."
                )
        watched.append(one)
    for each in watched:
        for setting, path in (("processed", each.processed), ("failed", each.failed)):
            _check_target(watched, each, setting, path)
    return watched


def _doubt(watched: WatchedFolder) -> str:
    """Why nothing can be taken from a folder, in a sentence; empty: it can."""
    needed = os.R_OK | os.X_OK | (0 if watched.section.keep else os.W_OK)
    if not watched.root.is_dir():
        why = "is no folder" if watched.root.exists() else "is not there"
        remedy = "Create it, mount it, or correct the path"
    elif not os.access(watched.root, needed, effective_ids=True):
        kept = watched.section.keep
        why = f"can't be {'read' if kept else 'read and written'} by user {os.geteuid()}"
        remedy = "Give it that right" if kept else "Give it that right, or set 'keep'"
    else:
        return ""
    return (
        f"cameras.{watched.camera}.folder.path: {watched.root} {why}, so no picture can be taken "
        f"from it. {remedy}."
    )


def _check_target(
    watched: Sequence[WatchedFolder], one: WatchedFolder, setting: str, path: Path | None
) -> None:
    """Nothing may be moved to where it would be taken again."""
    for other in watched:
        if path and (path == other.root or (other is not one and path.is_relative_to(other.root))):
            raise ConfigError(
                f"cameras.{one.camera}.folder.{setting}: {path} lies in the folder of camera "
                f"{other.camera}, and its files would be taken again. Name another folder."
            )
