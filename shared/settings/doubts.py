"""What ``--check`` says of a configuration: that it is fine, and what in it was hardly meant so."""

from __future__ import annotations

from collections.abc import Iterator

from shared.settings.cameras import CameraSection
from shared.settings.tree import Settings


def summary(settings: Settings) -> str:
    """The cameras and how each delivers, in one line."""
    cameras = settings.cameras
    if not cameras:
        return "no cameras yet"
    each = ", ".join(f"{name}: {_doors(camera)}" for name, camera in cameras.items())
    return f"{len(cameras)} {'camera' if len(cameras) == 1 else 'cameras'} ({each})"


def doubts(settings: Settings) -> Iterator[str]:
    """What is allowed, but gives no picture."""
    for name, camera in settings.cameras.items():
        if not _doors(camera, none=""):
            yield (
                f"cameras.{name}: has no door, so no picture can come from it. "
                "Give it ftp, folder or fetch."
            )


def _doors(camera: CameraSection, none: str = "no door") -> str:
    fetch = camera.fetch
    found = [kind for kind in ("ftp", "folder") if getattr(camera, kind) is not None]
    if fetch:
        found.append(f"fetch every {fetch.every_s:g} s" if fetch.every_s else "fetch on request")
    return " and ".join(found) or none
