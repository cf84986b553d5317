"""The report of ``--check``: a summary, and what is valid but probably a mistake."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from shared.settings.cameras import DOORS, CameraSection
from shared.settings.tree import Settings


def summary(settings: Settings) -> str:
    """The cameras and how each delivers, in one line."""
    cameras = settings.cameras
    if not cameras:
        return "no cameras yet"
    each = ", ".join(f"{name}: {_doors(camera) or 'no door'}" for name, camera in cameras.items())
    return f"{len(cameras)} {'camera' if len(cameras) == 1 else 'cameras'} ({each})"


def doubts(settings: Settings) -> Iterator[str]:
    """Warnings about misspelt variables, pictures that can't be kept, and cameras that can deliver
    none."""
    yield from settings.doubts
    if why := _unwritable(settings.data):
        yield (
            f"data: {settings.data.absolute()} {why}, so no picture can be kept. Give that right "
            "to this user, or name another folder."
        )
    for name, camera in settings.cameras.items():
        if not camera.doors:
            yield (
                f"cameras.{name}: has no door, so no picture can come from it. "
                f"Give it {', '.join(DOORS[:-1])} or {DOORS[-1]}."
            )


def _unwritable(folder: Path) -> str:
    """Why this folder can't be written to, or made; empty: it can."""
    there = folder.absolute()
    while not os.path.lexists(there):
        there = there.parent
    if not there.is_dir():
        return "is no folder" if there == folder.absolute() else f"is below {there}, no folder"
    if os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        return ""
    what = "be written" if there == folder.absolute() else "be made"
    return f"can't {what} by user {os.geteuid()}"


def _doors(camera: CameraSection) -> str:
    return " and ".join(section.told(door) for door, section in camera.doors.items())
