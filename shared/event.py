"""What an event is: an immutable thing that happened, known by an id that its cause fixes.

shared/events.py holds all that can happen.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from shared import trace

NAMESPACE = uuid.UUID("6f0d8a52-6d0b-5c1e-9f57-0a0f4f3b7c11")
"""Root of all ids that have no event as their cause (uuid5, RFC 9562 section 5.5)."""

ORGANISATION = "default"
"""The organisation of cameras that name none."""

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
    baggage: str | None = None
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
    """The data of one kind of event; unknown fields are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    topic: ClassVar[str]
    title: ClassVar[str]
    """Its heading on the page."""

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
        """The event with this data. Its id follows from ``cause``, or from ``key`` where several
        causes lead to the same event. It belongs to the trace of its cause, or of what this thread
        works on, or begins one."""
        parent = cause if isinstance(cause, Event) else None
        root = key or (parent.id if parent else str(cause))
        own = event_id(root, self.topic, discriminator or self.discriminator)
        before, baggage = (parent.trace, parent.baggage) if parent else trace.current()
        return Event(
            id=own,
            topic=self.topic,
            subject=subject,
            time=time or now(),
            data=self.model_dump(mode="json", exclude_none=True),
            snapshot_id=snapshot_id or (parent.snapshot_id if parent else None),
            cause=parent.id if parent else None,
            trace=trace.step(own, before or ""),
            baggage=baggage or None,
            organisation=organisation or (parent.organisation if parent else ORGANISATION),
        )
