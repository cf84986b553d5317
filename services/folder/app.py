"""Wires the folder service."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from services.folder.importer import Importer
from services.folder.results import WriteResults
from services.folder.sources import FolderSources
from services.folder.watch import FolderSource
from services.folder.watched import WatchedFolder
from shared.events import SnapshotAnalyzed, SnapshotRejected
from shared.service import NOTHING_OLD, Context, Service


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

    write = WriteResults(folders.of, context.journal, context.settings.analyzers[0])
    return Service(
        name="folder",
        handlers={SnapshotAnalyzed.topic: write, SnapshotRejected.topic: write},
        sources=[folders],
        history=NOTHING_OLD,
        about=about,
    )


def source_of(context: Context, watched: WatchedFolder) -> FolderSource:
    """What takes the pictures of one folder."""
    section, folder = context.settings.folders, watched.section
    importer = Importer(watched, context, settle_s=section.settle_s)
    return FolderSource(importer, folder.every_s or section.rescan_s, poll=folder.poll)


def _summary(count: int) -> str:
    if not count:
        return "no camera delivers into a folder"
    return "1 watched folder" if count == 1 else f"{count} watched folders"
