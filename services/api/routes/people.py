"""/v1/people and /v1/audit: who may do what here, and who did what."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from services.api.needs import MayAdminister, door_of
from services.api.problems import Problem
from services.api.routes.cameras import visible
from services.api.routes.session import DoorOf, Name, Password
from shared.access.tables import Person
from shared.access.visitor import Visitor, check_cameras
from shared.settings.directory import CameraDirectory

Role = Literal["viewer", "operator", "administrator"]
CameraNames = Annotated[list[Annotated[str, Field(max_length=64)]], Field(max_length=1_000)]


class PersonView(BaseModel):
    """One person. ``cameras`` null: all of the organisation. ``elsewhere``: logs in at a proxy or
    a provider."""

    name: str
    role: str
    organisation: str
    cameras: list[str] | None
    elsewhere: bool
    created_at: datetime


class NewPerson(BaseModel):
    """Somebody to add."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    password: Password
    role: Role
    cameras: CameraNames | None = None


class Changes(BaseModel):
    """What to change of somebody; what is not named stays."""

    model_config = ConfigDict(extra="forbid")

    password: Password | None = None
    role: Role | None = None
    cameras: CameraNames | None = None
    all_cameras: bool = Field(False, strict=True)


class NotedView(BaseModel):
    """One row of the audit log."""

    seq: int
    time: datetime
    who: str
    action: str
    what: str
    address: str
    detail: str


class Log(BaseModel):
    """The newest first. ``next`` is the ``before`` of the next page, or null."""

    noted: list[NotedView]
    next: int | None


def routes(cameras: CameraDirectory) -> APIRouter:
    """The routes of people and of the audit log."""
    router = APIRouter(prefix="/v1", tags=["access"])
    _coming_and_going(router, cameras)
    _changing(router, cameras)
    _audit(router)
    return router


def _coming_and_going(router: APIRouter, cameras: CameraDirectory) -> None:
    @router.get("/people")
    def list_people(visitor: MayAdminister, door: DoorOf) -> list[PersonView]:
        """Everybody of your organisation."""
        return [_view(each) for each in door.access.people.all(visitor.view.organisation)]

    @router.post("/people", status_code=201)
    def add_person(
        given: NewPerson, request: Request, visitor: MayAdminister, door: DoorOf
    ) -> PersonView:
        """Add somebody to your organisation."""
        check_cameras(given.cameras, visible(cameras.now(), visitor.view))
        return _view(
            door.access.people.add(
                given.name,
                given.role,
                door.actor(request, visitor),
                password=given.password,
                cameras=given.cameras,
            )
        )

    @router.delete("/people/{name}", status_code=204)
    def remove_person(name: str, request: Request, visitor: MayAdminister, door: DoorOf) -> None:
        """Remove somebody; what they have open ends."""
        door.access.people.remove(_found(request, visitor, name), door.actor(request, visitor))


def _changing(router: APIRouter, cameras: CameraDirectory) -> None:
    @router.patch("/people/{name}")
    def change_person(
        name: str, given: Changes, request: Request, visitor: MayAdminister, door: DoorOf
    ) -> PersonView:
        """Change a role, the cameras, or a password. What they have open begins anew."""
        person, actor = _found(request, visitor, name), door.actor(request, visitor)
        check_cameras(given.cameras, visible(cameras.now(), visitor.view))
        if given.role or given.cameras is not None or given.all_cameras:
            kept = None if person.cameras is None else person.cameras.split()
            given_or_kept = kept if given.cameras is None else given.cameras
            seen = None if given.all_cameras else given_or_kept
            door.access.people.set_role(person, given.role or person.role, seen, actor)
        if given.password is not None:
            person = _found(request, visitor, name)
            door.access.people.set_password(person, given.password, actor)
            door.access.sessions.end_all(name, actor, but=visitor.credential)
        return _view(_found(request, visitor, name))


def _audit(router: APIRouter) -> None:
    @router.get("/audit")
    def list_audit(
        visitor: MayAdminister,
        door: DoorOf,
        before: Annotated[int, Query(ge=0, le=2**62, description="`next` of the last page")] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
    ) -> Log:
        """Who did what in your organisation, the newest first."""
        rows = door.access.ledger.noted(visitor.view.organisation, before, limit + 1)
        noted = [
            NotedView.model_validate(
                {"seq": row.seq, "time": row.event.time, **NOTHING, **row.event.data}
            )
            for row in rows[:limit]
        ]
        return Log(noted=noted, next=noted[-1].seq if len(rows) > limit else None)


NOTHING = {"what": "", "address": "", "detail": ""}


def _found(request: Request, visitor: Visitor, name: str) -> Person:
    person = door_of(request).access.people.get(name)
    if person is None or not visitor.view.sees(person.organisation, ""):
        raise Problem(404, "no-such-person", "There is nobody of this name.")
    return person


def _view(person: Person) -> PersonView:
    return PersonView(
        name=person.name,
        role=person.role,
        organisation=person.organisation,
        cameras=None if person.cameras is None else person.cameras.split(),
        elsewhere=not person.password,
        created_at=person.created_at,
    )
