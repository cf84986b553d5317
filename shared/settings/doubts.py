"""What ``--check`` says of a configuration: that it is fine, and what in it was hardly meant so."""

from __future__ import annotations

from collections.abc import Iterator

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
    """What is allowed, but gives no picture."""
    for name, camera in settings.cameras.items():
        if not camera.doors:
            yield (
                f"cameras.{name}: has no door, so no picture can come from it. "
                f"Give it {', '.join(DOORS[:-1])} or {DOORS[-1]}."
            )


def _doors(camera: CameraSection) -> str:
    return " and ".join(section.told(door) for door, section in camera.doors.items())
