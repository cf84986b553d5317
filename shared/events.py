"""Everything that can happen, in one file: the events, their data, and how one causes another.

An event is past tense, immutable, and known by an id that its cause fixes, so that making it
twice makes the same event. docs/ref/events.md is generated from ``EVENTS``.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

NAMESPACE = uuid.UUID("6f0d8a52-6d0b-5c1e-9f57-0a0f4f3b7c11")
"""Root of all ids that have no event as their cause (uuid5, RFC 9562 section 5.5)."""

ORGANISATION = "default"
"""The organisation of cameras that name none."""

Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
"""It becomes a path in the store, so nothing else may pass for one."""
Name = Annotated[str, Field(max_length=64)]
"""Of an analyser, an archive or a policy; as long as a column of the journal."""
Door = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,15}$")]
"""By which way a picture came in. Open to new ones: docs/decisions/doors-are-names.md."""
Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Data = TypeVar("Data", bound="EventData")


def now() -> datetime:
    """The present time, aware and in UTC."""
    return datetime.now(UTC)


def event_id(cause: str, topic: str, discriminator: str = "") -> str:
    """The id of the event that ``cause`` (an event id or any stable text) leads to."""
    return str(uuid.uuid5(NAMESPACE, f"{cause}\n{topic}\n{discriminator}"))


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``subject`` is the camera; ``data`` fits the model of ``topic``."""

    id: str
    topic: str
    subject: str
    time: datetime
    data: Mapping[str, Any]
    source: str = ""
    snapshot_id: str | None = None
    cause: str | None = None
    trace: str | None = None
    organisation: str = ORGANISATION
    extra: Mapping[str, Any] = field(default_factory=dict)
    _parsed: EventData | None = field(default=None, init=False, repr=False, compare=False)

    @property
    def routing_key(self) -> str:
        return f"{self.topic}.{self.subject}" if self.subject else self.topic

    def parsed(self, model: type[Data]) -> Data:
        """The data as its model; validated by the first call only.

        The worker makes that call before the handler's, so in a handler it raises nothing;
        elsewhere pydantic's ValidationError.
        """
        if not isinstance(self._parsed, model):
            object.__setattr__(self, "_parsed", model.model_validate(self.data))
        return cast(Data, self._parsed)


class EventData(BaseModel):
    """The data of one kind of event; unknown fields are kept out, so a typo is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    topic: ClassVar[str]
    title: ClassVar[str]
    """How the page heads it."""

    @property
    def discriminator(self) -> str:
        """What tells this event from others of its topic that have the same cause."""
        return ""

    def event(
        self,
        *,
        subject: str,
        cause: Event | str,
        key: str = "",
        snapshot_id: str | None = None,
        discriminator: str = "",
        time: datetime | None = None,
        organisation: str = "",
    ) -> Event:
        """The event that says this. Its id is fixed by its cause, or by ``key`` where several
        causes may lead to the same event."""
        parent = cause if isinstance(cause, Event) else None
        root = key or (parent.id if parent else str(cause))
        return Event(
            id=event_id(root, self.topic, discriminator or self.discriminator),
            topic=self.topic,
            subject=subject,
            time=time or now(),
            data=self.model_dump(mode="json", exclude_none=True),
            snapshot_id=snapshot_id or (parent.snapshot_id if parent else None),
            cause=parent.id if parent else None,
            trace=parent.trace if parent else None,
            organisation=organisation or (parent.organisation if parent else ORGANISATION),
        )


class SnapshotRequested(EventData):
    """Somebody or something wants a picture of a camera now."""

    topic: ClassVar[str] = "snapshot.requested"
    title: ClassVar[str] = "Asked for"
    camera: str
    reason: Literal["interval", "manual", "event"]
    requested_by: str = ""
    expires_at: datetime | None = Field(None, description="after this nobody wants it any more")


class SnapshotTaken(EventData):
    """A picture is stored and catalogued; its sender has been or is being told so."""

    topic: ClassVar[str] = "snapshot.taken"
    title: ClassVar[str] = "Taken"
    camera: str
    door: Door
    sha256: Sha256
    size: int = Field(description="bytes")
    media_type: Literal["image/jpeg", "image/png"]
    name: str = Field("", description="what the sender called it: data, never a path")
    captured_at: datetime = Field(description="by the camera's clock where it says so")
    captured_by: Literal["name", "arrival"] = Field(
        "arrival",
        description="where captured_at comes from; no door says exif or sender yet",
    )
    received_at: datetime
    request_id: str | None = Field(None, description="the event that asked for it")


class SnapshotRejected(EventData):
    """The stored bytes turned out not to be a sound picture; they stay in quarantine."""

    topic: ClassVar[str] = "snapshot.rejected"
    title: ClassVar[str] = "Put in quarantine"
    camera: str
    reason: str


class Detection(BaseModel):
    """One thing seen. ``box`` is left, top, right, bottom as fractions of the upright picture."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    label: str
    confidence: Fraction
    box: tuple[Fraction, Fraction, Fraction, Fraction]


PERSONS = frozenset({"person", "human"})
"""Labels of people, in lower case: COCO says person, Rekognition Person and Human."""


class SnapshotAnalyzed(EventData):
    """An analyser is done with a picture. "Not analysed" is never "nothing found"."""

    topic: ClassVar[str] = "snapshot.analyzed"
    title: ClassVar[str] = "Analysed"
    camera: str
    analyzer: Name = Field("detector", description="who analysed it; each answers once")
    analyzed: bool
    reason: str = Field("", description="why it was not analysed")
    detections: tuple[Detection, ...] = ()
    engine: str = ""
    model: str = ""
    model_sha256: str = ""
    width: int = Field(0, description="pixels, upright")
    height: int = Field(0, description="pixels, upright")
    milliseconds: dict[str, float] = Field(default_factory=dict, description="by step")

    @property
    def discriminator(self) -> str:
        return self.analyzer

    def persons(self, confidence: float) -> tuple[Detection, ...]:
        """The people in the picture, of those at least this sure."""
        people = (each for each in self.detections if each.label.lower() in PERSONS)
        return tuple(each for each in people if each.confidence >= confidence)


class SnapshotArchived(EventData):
    """An archive holds the picture and has confirmed its checksum."""

    topic: ClassVar[str] = "snapshot.archived"
    title: ClassVar[str] = "Filed"
    camera: str
    archive: Name
    path: str
    sha256: Sha256
    size: int

    @property
    def discriminator(self) -> str:
        return self.archive


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
    door: Door
    name: str = ""


EVENTS: dict[str, type[EventData]] = {each.topic: each for each in EventData.__subclasses__()}
"""All of this file, by topic."""
