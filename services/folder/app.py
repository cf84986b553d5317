"""Wires the folder service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.folder.directory import Directory
from services.folder.importer import Importer
from services.folder.watch import FolderSource
from shared.errors import ConfigError
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.cameras import FolderSection
from shared.settings.section import zone_of


def build(context: Context) -> Service:
    """Takes the pictures that are put into watched folders."""
    sources = sources_of(context)

    def about() -> Mapping[str, Any]:
        states = [source.importer.about() for source in sources]
        troubles = [state["trouble"] for state in states if not state["ok"]]
        return {
            "ok": not troubles,
            "summary": "; ".join([_summary(len(sources)), *troubles]),
            "folders": states,
        }

    return Service(name="folder", sources=sources, about=about)


def check(settings: Settings) -> None:
    """Raises ConfigError for what ``build`` would refuse."""
    watched_of(settings)


def sources_of(context: Context) -> list[FolderSource]:
    """One source for each watched folder. Raises ConfigError where two cameras share one."""
    section = context.settings.folders
    sources: list[FolderSource] = []
    for root, (name, folder) in watched_of(context.settings).items():
        importer = Importer(
            name,
            Directory(root),
            context,
            keep=folder.keep,
            zone=zone_of(folder.timezone),
            settle_s=section.settle_s,
        )
        sources.append(FolderSource(importer, section, poll=folder.poll))
    return sources


def watched_of(settings: Settings) -> dict[Path, tuple[str, FolderSection]]:
    """The watched folders by path, each with its camera. Raises ConfigError where two overlap."""
    watched: dict[Path, tuple[str, FolderSection]] = {}
    for name, camera in settings.cameras.items():
        if camera.folder is None:
            continue
        root = camera.folder.path.resolve()
        for other, (owner, _) in watched.items():
            if root.is_relative_to(other) or other.is_relative_to(root):
                raise ConfigError(
                    f"cameras.{name}.folder.path: {root} overlaps with the folder of camera "
                    f"{owner}. Give each camera a folder of its own."
                )
        watched[root] = (name, camera.folder)
    return watched


def _summary(count: int) -> str:
    if not count:
        return "no camera delivers into a folder"
    return "1 watched folder" if count == 1 else f"{count} watched folders"
