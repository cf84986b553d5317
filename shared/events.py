"""Everything that can happen: the events and their data; those of archives are in filing_events.py.

An event is past tense, immutable, and known by an id that its cause fixes, so that making it
twice makes the same event (shared/event.py). docs/ref/events.md is generated from ``EVENTS``.
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import Field

from shared.detections import Counts as Counts
from shared.detections import Detection as Detection
from shared.detections import counts_of as counts_of
from shared.event import NAMESPACE as NAMESPACE
from shared.event import ORGANISATION as ORGANISATION
from shared.event import Event as Event
from shared.event import EventData as EventData
from shared.event import event_id as event_id
from shared.event import now as now
from shared.event_fields import ORIGINAL as ORIGINAL
from shared.event_fields import TRIGGERS as TRIGGERS
from shared.event_fields import AnyTrigger, DeviceKey, DeviceType, Location, Name, Sha256
from shared.event_fields import Door as Door
from shared.event_fields import Trigger as Trigger
from shared.filing_events import SnapshotArchived as SnapshotArchived
from shared.filing_events import SnapshotKept as SnapshotKept
from shared.filing_events import SnapshotRefiled as SnapshotRefiled
from shared.filing_events import SnapshotSkipped as SnapshotSkipped


class SnapshotRequested(EventData):
    """Somebody or something wants a picture of a camera now."""

    topic: ClassVar[str] = "snapshot.requested"
    title: ClassVar[str] = "Asked for"
    camera: str
    reason: Literal["interval", "manual", "event", "unsound"]
    requested_by: str = ""
    expires_at: datetime | None = Field(None, description="after this nobody wants it any more")
    asked_at: datetime | None = Field(None, description="by the clock of who asked")
    device_label: str | None = Field(
        None, max_length=255, description="what a program of the house calls the camera"
    )


class SnapshotShared(EventData):
    """A request was answered by a picture that was asked for after it, by another request."""

    topic: ClassVar[str] = "snapshot.shared"
    title: ClassVar[str] = "Shared"
    camera: str


class SnapshotTaken(EventData):
    """A picture is stored and catalogued; its sender has been or is being told so."""

    topic: ClassVar[str] = "snapshot.taken"
    title: ClassVar[str] = "Taken"
    camera: str
    location: Location = None
    device_type: DeviceType = None
    device_key: DeviceKey = None
    door: Door
    sha256: Sha256
    size: int = Field(description="bytes")
    media_type: Literal["image/jpeg", "image/png"]
    name: str = Field("", description="what the sender called it: data, never a path")
    captured_at: datetime = Field(description="by the camera's clock where it says so")
    captured_by: Literal["name", "exif", "sender", "arrival"] = Field(
        "arrival",
        description="where captured_at comes from: the file's name, its EXIF header, what the"
        " sender said beside it, or the arrival",
    )
    captured_text: str = Field("", description="the time as it was written, believed or not")
    skew_s: float | None = Field(
        None,
        description="how far the time written was from the arrival, ahead of it is positive; only"
        " from five minutes on: a wrong clock or zone, or a late delivery",
    )
    trigger: AnyTrigger = Field("", description="why the camera took it; empty: it did not say")
    received_at: datetime
    request_id: str | None = Field(None, description="the event that asked for it")
    metadata: dict[str, Any] = Field(
        default_factory=dict, description="what its sender says besides, at most 4 kB"
    )


class SnapshotRejected(EventData):
    """The stored bytes turned out not to be a sound picture; they stay in quarantine."""

    topic: ClassVar[str] = "snapshot.rejected"
    title: ClassVar[str] = "Put in quarantine"
    camera: str
    reason: str


class SnapshotAnalyzed(EventData):
    """An analyser is done with a picture. "Not analysed" is never "nothing found"."""

    topic: ClassVar[str] = "snapshot.analyzed"
    title: ClassVar[str] = "Analysed"
    camera: str
    analyzer: Name = Field("detector", description="who analysed it; each answers once")
    analyzed: bool
    reason: str = Field("", description="why it was not analysed")
    detections: tuple[Detection, ...] = ()
    label_counts: dict[str, int] | None = Field(None, description="how often each was seen")
    person_count: int | None = Field(
        None, ge=0, description="people, as sure as `detector.person_confidence` asks"
    )
    human_seen: bool | None = Field(None, description="absent, like the counts: not analysed")
    engine: str = ""
    model: str = ""
    model_sha256: str = ""
    width: int = Field(0, description="pixels, upright")
    height: int = Field(0, description="pixels, upright")
    milliseconds: dict[str, float] = Field(default_factory=dict, description="by step")

    @property
    def discriminator(self) -> str:
        return self.analyzer

    @property
    def words(self) -> str:
        """The result as a line of text: not analysed is not the same as nothing found."""
        if not self.analyzed:
            return f"not analysed: {self.reason}".rstrip(": ")
        labels = Counter(each.label for each in self.detections)
        counted = (f"{count} {label}" for label, count in labels.most_common())
        return ", ".join(counted) or "nothing found"


class SnapshotNotified(EventData):
    """The programs of the existing system were told of a picture, or why they were not."""

    topic: ClassVar[str] = "snapshot.notified"
    title: ClassVar[str] = "House told"
    camera: str
    told: bool
    reason: str = Field("", description="why not")
    device_key: str
    routing_key: str


class CameraFailed(EventData):
    """A picture was asked for and the camera did not give one."""

    topic: ClassVar[str] = "camera.failed"
    title: ClassVar[str] = "No picture"
    camera: str
    reason: str
    attempts: int = 1


class CameraTested(EventData):
    """The camera's test button worked: it logged in and sent an empty or probe file."""

    topic: ClassVar[str] = "camera.tested"
    title: ClassVar[str] = "Tested"
    camera: str
    location: Location = None
    device_type: DeviceType = None
    device_key: DeviceKey = None
    door: Door
    name: str = ""


class CameraGuessed(EventData):
    """Somebody tries passwords of this camera, or it has a wrong one: an alarm, once in ten
    minutes."""

    topic: ClassVar[str] = "camera.guessed"
    title: ClassVar[str] = "Password guessed at"
    camera: str
    door: Door
    count: int = Field(description="wrong passwords so far")
    addresses: tuple[str, ...] = Field((), description="where from, the first ten")


class AccessNoted(EventData):
    """Somebody logged in, or changed who may do what: a row of the audit log. Only administrators
    of its organisation see it on the page and in streams."""

    topic: ClassVar[str] = "access.noted"
    title: ClassVar[str] = "Noted"
    who: str = Field(description="a person, `key <name>`, or `terminal`")
    action: str = Field(description="such as login, login_refused, person_added, key_revoked")
    what: str = Field("", description="whom or what it was done to")
    address: str = Field("", description="where the request came from")
    detail: str = ""


EVENTS: dict[str, type[EventData]] = {each.topic: each for each in EventData.__subclasses__()}
"""All of this file, by topic."""

FOREIGN = frozenset({SnapshotRequested.topic})
"""What other programs may say on the bus; all else counts only if one of our services committed
it."""
