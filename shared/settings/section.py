"""The root of all sections of config/snapbus.yml, and the types that settings share.

One tree describes all services, so that an unknown key is refused wherever it stands and one
JSON schema (config/snapbus.schema.json) describes the whole file.
"""

from __future__ import annotations

from datetime import tzinfo
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

CameraName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")]
"""A name that is safe as a routing key, an account and a part of a file name."""


def zone_of(name: str) -> tzinfo | None:
    """The time zone of this name; None: that of this machine (TZ). Raises ValueError."""
    try:
        return ZoneInfo(name) if name else None
    except (OSError, ValueError, KeyError):
        raise ValueError(f"there is no zone {name!r}; write it like Europe/Berlin") from None


def _checked(zone: str) -> str:
    zone_of(zone)
    return zone


Zone = Annotated[str, AfterValidator(_checked)]
CAMERA_ZONE = (
    "of the times in file names, such as Europe/Berlin; empty: the zone of this machine (TZ)"
)
Port = Annotated[int, Field(ge=0, le=65535)]
Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A part of the configuration; unknown keys are refused."""

    # Built with the tree they are in: each for itself as well would take as long again.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class DoorSection(Section):
    """A door of a camera, named like its field of CameraSection."""

    def told(self, door: str) -> str:
        """The door in words, for ``--check``."""
        return door
