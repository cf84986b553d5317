"""What can happen to copies in archives: part of shared/events.py."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from shared.event import EventData
from shared.event_fields import ORIGINAL, Name, Sha256


class SnapshotArchived(EventData):
    """An archive holds a copy of the picture and has confirmed its checksum."""

    topic: ClassVar[str] = "snapshot.archived"
    title: ClassVar[str] = "Filed"
    camera: str
    archive: Name
    kind: Name = Field(
        ORIGINAL, description="`original`, or how the copy differs: `annotated`, `encrypted` …"
    )
    path: str = Field(description="`YYYY/MM/DD/…` below the archive's own folder")
    link: str | None = Field(None, description="opens it in a browser")
    key: str | None = Field(None, description="what the archive calls it, if not by its path")
    sha256: Sha256 = Field(description="of the bytes sent, as is the size")
    size: int

    @property
    def discriminator(self) -> str:
        return self.archive if self.kind == ORIGINAL else f"{self.archive} {self.kind}"


class SnapshotRefiled(EventData):
    """What an archive had lost or held damaged was put back, or sent anew with other bytes."""

    topic: ClassVar[str] = "snapshot.refiled"
    title: ClassVar[str] = "Put back"
    camera: str
    archive: Name
    kind: Name = ORIGINAL
    path: str
    link: str | None = None
    key: str | None = None
    sha256: Sha256
    size: int
    reason: str = Field("", description="what was wrong")


class SnapshotKept(EventData):
    """Somebody wants a picture to stay, or no longer: a hold that every archive and retention
    honour. It ends once nobody holds it any more."""

    topic: ClassVar[str] = "snapshot.kept"
    title: ClassVar[str] = "Kept"
    camera: str
    kept: bool
    holder: Name = Field(description="`page`, or the archive in which it is starred")
    who: str = Field("", description="the person, if one is known")

    @property
    def discriminator(self) -> str:
        return self.holder


class SnapshotSkipped(EventData):
    """An archive's policy does not want this picture, or the archive is switched off (policy
    ``off``); it stays in the store."""

    topic: ClassVar[str] = "snapshot.skipped"
    title: ClassVar[str] = "Not filed"
    camera: str
    archive: Name = "folder"
    policy: Name

    @property
    def discriminator(self) -> str:
        return self.archive
