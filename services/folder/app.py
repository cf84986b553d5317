"""Wires the folder service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.folder.directory import Directory
from services.folder.importer import Importer
from services.folder.sources import FolderSources, WatchedFolder, watched_of
from services.folder.watch import FolderSource
from shared.service import Context, Service
from shared.settings import Settings
from shared.settings.section import zone_of


def build(context: Context) -> Service:
    """Takes the pictures that are put into watched folders."""
    folders = FolderSources(context.cameras, partial(source_of, context))

    def about() -> Mapping[str, Any]:
        states = [source.importer.about() for source in folders.now()]
        troubles = [state["trouble"] for state in states if not state["ok"]]
        return {
            "ok": not troubles,
            "summary": "; ".join([_summary(len(states)), *troubles]),
            "folders": states,
        }

    return Service(name="folder", sources=[folders], about=about)


def check(settings: Settings) -> None:
    """Raises ConfigError for what ``build`` would refuse."""
    watched_of(settings.cameras)


def source_of(context: Context, watched: WatchedFolder) -> FolderSource:
    """What takes the pictures of one folder."""
    section, folder = context.settings.folders, watched.section
    importer = Importer(
        watched.camera,
        Directory(watched.root),
        context,
        keep=folder.keep,
        zone=zone_of(folder.timezone),
        settle_s=section.settle_s,
    )
    return FolderSource(importer, section, poll=folder.poll)


def _summary(count: int) -> str:
    if not count:
        return "no camera delivers into a folder"
    return "1 watched folder" if count == 1 else f"{count} watched folders"
