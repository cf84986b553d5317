"""/v1/keys: keys of programs, each shown once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from services.api.needs import MayAdminister, door_of
from services.api.problems import Problem
from services.api.routes.cameras import visible
from services.api.routes.people import CameraNames
from services.api.routes.session import DoorOf, Name
from services.api.times import Calendar, Moment
from shared.access.keys import RATE
from shared.access.tables import Key
from shared.access.visitor import Visitor, check_cameras
from shared.events import now
from shared.settings.directory import CameraDirectory

Scope = Literal["read", "ingest", "request", "administer"]


class KeyView(BaseModel):
    """One key, without its secret. ``state``: valid, over or revoked."""

    id: str
    name: str
    scopes: list[str]
    cameras: list[str] | None
    rate: int
    state: Literal["valid", "over", "revoked"]
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None


class NewKey(BaseModel):
    """A key to make. A key for ingest has exactly one camera; ``rate`` is requests a minute. A date
    is over at its first moment, in the zone of the server unless it names one."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    scopes: list[Scope] = Field(min_length=1, max_length=4)
    cameras: CameraNames | None = None
    expires_at: Moment | None = None
    rate: int = Field(RATE, ge=1, le=100_000, strict=True)


class Rotation(BaseModel):
    """How long the old secret is taken beside the new one."""

    model_config = ConfigDict(extra="forbid")

    overlap_s: int = Field(86_400, ge=0, le=30 * 86_400, strict=True)


class KeyShown(KeyView):
    """A key with its text, which is shown this once."""

    key: str


def routes(cameras: CameraDirectory, calendar: Calendar) -> APIRouter:
    """The routes of keys."""
    router = APIRouter(prefix="/v1/keys", tags=["access"])

    @router.get("")
    def list_keys(visitor: MayAdminister, door: DoorOf) -> list[KeyView]:
        """All keys of your organisation, also those that ended; the newest first."""
        rows = door.access.keys.all(visitor.view.organisation)
        return [KeyView(**_fields(each)) for each in sorted(rows, key=_age, reverse=True)]

    @router.post("", status_code=201)
    def make_key(given: NewKey, request: Request, visitor: MayAdminister, door: DoorOf) -> KeyShown:
        """Make a key. Its text is in this answer and nowhere else."""
        check_cameras(given.cameras, visible(cameras.now(), visitor.view))
        key, text = door.access.keys.add(
            given.name,
            given.scopes,
            door.actor(request, visitor),
            cameras=given.cameras,
            expires_at=calendar.utc(given.expires_at),
            rate=given.rate,
        )
        return KeyShown(**_fields(key), key=text)

    @router.post("/{key_id}/rotate")
    def rotate_key(
        key_id: str, given: Rotation, request: Request, visitor: MayAdminister, door: DoorOf
    ) -> KeyShown:
        """Give a key another secret; the old one is taken a while longer."""
        key = _found(request, visitor, key_id)
        overlap = timedelta(seconds=given.overlap_s)
        text = door.access.keys.rotate(key, door.actor(request, visitor), overlap=overlap)
        return KeyShown(**_fields(_found(request, visitor, key_id)), key=text)

    @router.delete("/{key_id}", status_code=204)
    def revoke_key(key_id: str, request: Request, visitor: MayAdminister, door: DoorOf) -> None:
        """Revoke a key; what it has open ends within a second."""
        door.access.keys.revoke(_found(request, visitor, key_id), door.actor(request, visitor))

    return router


def _age(key: Key) -> datetime:
    return key.created_at


def _found(request: Request, visitor: Visitor, key_id: str) -> Key:
    key = door_of(request).access.keys.get(key_id)
    if key is None or not visitor.view.sees(key.organisation, ""):
        raise Problem(404, "no-such-key", "There is no key with this id.")
    return key


def _fields(key: Key) -> dict[str, object]:
    over = key.expires_at is not None and key.expires_at <= now()
    own = ("id", "name", "rate", "created_by", "created_at", "expires_at", "used_at")
    return {name: getattr(key, name) for name in own} | {
        "scopes": key.scopes.split(),
        "cameras": None if key.cameras is None else key.cameras.split(),
        "state": "revoked" if key.revoked_at else "over" if over else "valid",
    }
