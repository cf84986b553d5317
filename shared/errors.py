"""Every error Snapbus raises on purpose; a vendor's errors are translated where it is imported.

SnapbusError
├── ConfigError            the configuration can't be used; the text names file, path and remedy
│   └── RunsAlready            another process has what only one can have
├── PictureError           these bytes are not a picture we can take
│   ├── NotAPicture            another kind of file, or an empty one
│   ├── IncompletePicture      it begins as a picture, but its end is missing
│   ├── UnsoundPicture         a full decode found damage, or it exceeds the limits
│   └── PictureTooLarge        more bytes than the door takes
├── StoreError             the picture store can't do what was asked
│   ├── StoreFull              too little space is left to take a picture safely
│   ├── StoreDamaged           a sync failed, so the volume is not written any more
│   ├── StoreMissing           the volume is not the one the store lives on
│   └── SnapshotMissing        no such snapshot, or its file is gone
├── JournalUnavailable     the database can't be reached now; the same call may succeed later
├── AccessError            what was asked of people, sessions or keys can't be done
│   └── Throttled              too many tries; later again
├── BrokerUnavailable      the broker can't be reached now
├── UndecodableMessage     bytes from the bus that are no event
├── ForeignEvent           an event from the bus that none of our services committed
└── HandlerError           what a handler says of the event it was given
    ├── Retry                  the same event will succeed later
    │   └── Unreachable            … as soon as a peer that is away is back
    ├── Reject                 the same event can never succeed
    └── Crashed                handling it ended a process of its own
"""

from __future__ import annotations


class SnapbusError(Exception):
    """The root of all errors below."""


class ConfigError(SnapbusError):
    """The configuration can't be used."""


class RunsAlready(ConfigError):
    """Another process has what only one can have."""


class PictureError(SnapbusError):
    """These bytes are not a picture we can take."""


class NotAPicture(PictureError):
    """Another kind of file, or an empty one."""


class IncompletePicture(PictureError):
    """It begins as a picture, but its end is missing."""


class UnsoundPicture(PictureError):
    """A full decode found damage, or the picture exceeds the limits."""


class PictureTooLarge(PictureError):
    """More bytes than the door takes."""


class StoreError(SnapbusError):
    """The picture store can't do what was asked."""


class StoreFull(StoreError):
    """Too little space is left to take a picture safely."""


class StoreMissing(StoreError):
    """The volume is not the one the store lives on."""


class StoreDamaged(StoreError):
    """A sync failed: the volume takes nothing more until this process is started again."""


class SnapshotMissing(StoreError):
    """No such snapshot, or its file is gone."""


class JournalUnavailable(SnapbusError):
    """The database can't be reached now; the same call may succeed later."""


class AccessError(SnapbusError):
    """What was asked of people, sessions or keys can't be done; the text says why, to anybody."""


class Throttled(AccessError):
    """Too many tries; ``after_s`` says when the next one is taken."""

    def __init__(self, after_s: float) -> None:
        super().__init__(f"too many tries: wait {max(1, round(after_s))} s")
        self.after_s = after_s


class BrokerUnavailable(SnapbusError):
    """The broker can't be reached now."""


class UndecodableMessage(SnapbusError):
    """Bytes from the bus that are no event."""


class ForeignEvent(SnapbusError):
    """An event from the bus that none of our services committed, and which others may not say."""


class HandlerError(SnapbusError):
    """What a handler says of the event it was given."""


class Retry(HandlerError):
    """The same event will succeed later; ``after_s`` overrides the usual back-off."""

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = after_s


class Unreachable(Retry):
    """A peer is away (a share, a house, a target). The work waits without end, and goes on soon
    after the peer is back; waiting is no attempt. Equal names are the same peer."""

    def __init__(self, peer: str, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message, after_s=after_s)
        self.peer = peer


class Crashed(HandlerError):
    """Handling the event ended a process of its own."""


class Reject(HandlerError):
    """The same event can never succeed; its work is dead until somebody replays it."""
