"""/v1/session: logging in and out, the first account, and one's own password."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Literal, TypeVar

import anyio
import anyio.to_thread
from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from services.api.cookies import forget, give
from services.api.door import COOKIE, DEVICE, Door
from services.api.needs import PUBLIC, IsKnown, door_of
from services.api.problems import Problem
from shared.access import Actor, Right, Visitor, tokens
from shared.access.tables import Person
from shared.access.visitor import NOBODY
from shared.errors import AccessError

AT_A_TIME, MOST_WAITING = 2, 30
"""Passwords checked at a time, and logins that may wait for their turn."""

DoorOf = Annotated[Door, Depends(door_of)]
Name = Annotated[str, Field(min_length=1, max_length=64)]
Password = Annotated[str, Field(max_length=256)]


class SessionView(BaseModel):
    """Who asks. ``first``: there is no administrator yet, and one can be made; ``code``: with the
    code that the log shows. ``sso``: the name of another way to log in, at /v1/session/oidc."""

    kind: Literal["nobody", "person", "proxy", "key", "local", "open"]
    name: str
    role: str
    organisation: str
    rights: list[Right]
    cameras: list[str] | None
    first: bool
    code: bool
    sso: str


class Credentials(BaseModel):
    """A name and its password."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    password: Password


class FirstAccount(Credentials):
    """The first account, an administrator, and the code of the log."""

    code: str = Field("", max_length=32)


class NewPassword(BaseModel):
    """One's own password, and another one."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


def routes() -> APIRouter:
    """The routes of sessions."""
    router = APIRouter(prefix="/v1/session", tags=["session"])
    checking = Turns()

    @router.get("", dependencies=[PUBLIC])
    def get_session(request: Request, door: DoorOf) -> SessionView:
        """Who you are here, and how to log in."""
        return _view(request, door, _known(request, door))

    @router.post("", dependencies=[PUBLIC])
    async def log_in(
        given: Credentials, request: Request, response: Response, door: DoorOf
    ) -> SessionView:
        """Log in with a password. The answer sets a cookie."""
        return await checking.run(partial(_log_in, given, request, response, door))

    @router.post("/first", status_code=201, dependencies=[PUBLIC])
    async def make_first_account(
        given: FirstAccount, request: Request, response: Response, door: DoorOf
    ) -> SessionView:
        """Make the first account and log in as it: from this machine itself, or with the code."""
        return await checking.run(partial(_first, given, request, response, door))

    @router.delete("", status_code=204)
    def log_out(request: Request, response: Response, visitor: IsKnown, door: DoorOf) -> None:
        """Log out: this session ends, and what it has open."""
        if visitor.kind == "person":
            door.access.sessions.end(visitor.credential, door.actor(request, visitor))
        forget(response, COOKIE)

    @router.put("/password", status_code=204)
    async def change_password(
        given: NewPassword, request: Request, visitor: IsKnown, door: DoorOf
    ) -> None:
        """Change your own password. All your other sessions end."""
        await checking.run(partial(_change, given, request, visitor, door))

    return router


T = TypeVar("T")


class Turns:
    """Lets a few check passwords at a time, so that no flood of logins stops the rest."""

    def __init__(self) -> None:
        self._limit = anyio.CapacityLimiter(AT_A_TIME)

    async def run(self, job: partial[T]) -> T:
        """Run a job in a thread when it is its turn. Raises Problem when too many wait."""
        if self._limit.statistics().tasks_waiting >= MOST_WAITING:
            detail = "Too many log in at the moment: try again in a few seconds."
            raise Problem(503, "too-many-logins", detail, {"Retry-After": "3"})
        return await anyio.to_thread.run_sync(job, limiter=self._limit)


def _known(request: Request, door: Door) -> Visitor:
    try:
        return door.visitor(request)
    except Problem:
        return NOBODY


def _view(request: Request, door: Door, visitor: Visitor) -> SessionView:
    first = visitor == NOBODY and door.access.people.none_yet()
    cameras = visitor.view.cameras
    oidc = door.settings.oidc
    return SessionView.model_validate(
        {
            "kind": visitor.kind,
            "name": visitor.name,
            "role": visitor.role,
            "organisation": "" if visitor == NOBODY else visitor.organisation,
            "rights": sorted(visitor.rights),
            "cameras": None if cameras is None else sorted(cameras),
            "first": first,
            "code": first and not door.is_local(request),
            "sso": oidc.title if oidc else "",
        }
    )


def _log_in(given: Credentials, request: Request, response: Response, door: Door) -> SessionView:
    address, device = door.address(request), request.cookies.get(DEVICE, "")
    try:
        person = door.access.login.person(given.name, given.password, address, device)
    except AccessError as error:
        if type(error) is not AccessError:
            raise
        raise Problem(401, "login-refused", f"{error}.".capitalize()) from None
    return begin(person, request, response, door)


def begin(
    person: Person, request: Request, response: Response, door: Door, how: str = ""
) -> SessionView:
    """Log a person in: the cookie of the session, and one by which the device is known again."""
    device = request.cookies.get(DEVICE, "") or tokens.fresh()
    actor = Actor(person.name, person.organisation, door.address(request))
    agent = request.headers.get("user-agent", "")
    secret = door.access.sessions.begin(person, actor, device=device, agent=agent, how=how)
    secure = door.is_secure(request)
    give(response, COOKIE, secret, secure=secure)
    give(response, DEVICE, device, secure=secure)
    return _view(request, door, door.access.by_cookie(secret) or NOBODY)


def _first(given: FirstAccount, request: Request, response: Response, door: Door) -> SessionView:
    address = door.address(request)
    door.access.login.first(given.code, address, trusted=door.is_local(request))
    person = door.access.people.add(
        given.name,
        "administrator",
        Actor(given.name, address=address),
        password=given.password,
        first=True,
    )
    return begin(person, request, response, door)


def _change(given: NewPassword, request: Request, visitor: Visitor, door: Door) -> None:
    actor, people = door.actor(request, visitor), door.access.people
    if visitor.kind != "person" or not (person := people.get(visitor.name)):
        raise Problem(409, "no-password", "Only somebody who logged in here has a password here.")
    try:
        door.access.login.person(
            person.name, given.old, actor.address, request.cookies.get(DEVICE, "")
        )
    except AccessError as error:
        if type(error) is not AccessError:
            raise
        raise Problem(403, "wrong-password", "This is not your password.") from None
    people.set_password(person, given.new, actor)
    door.access.sessions.end_all(person.name, actor, but=visitor.credential)
