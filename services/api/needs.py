"""What each route needs. A route that declares nothing keeps the API from starting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from fastapi import Depends, FastAPI, Query, Request
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.routing import BaseRoute, Mount

from services.api.door import Door
from services.api.doors.which import brings_picture
from services.api.methods import every_route
from services.api.problems import Problem
from shared.access import Right, Visitor
from shared.access.visitor import NOBODY


class Needs:
    """A dependency that lets through who has one of these rights, and says who it is."""

    def __init__(self, *rights: Right) -> None:
        self.rights = rights

    def __call__(self, request: Request) -> Visitor:
        return self._checked(door_of(request).visitor(request))

    def _checked(self, visitor: Visitor) -> Visitor:
        if visitor.may(*self.rights):
            return visitor
        if visitor == NOBODY:
            raise Problem(
                401,
                "login-required",
                "Log in on the page, or send a key: Authorization: Bearer <key>.",
                {"WWW-Authenticate": "Bearer"},
            )
        wanted = " or ".join(self.rights)
        raise Problem(403, "not-allowed", f"{visitor.name} may not do this; it needs {wanted}.")


class NeedsOrToken(Needs):
    """Takes a key in the address too: for one picture, of whom can't send headers."""

    def __call__(
        self,
        request: Request,
        token: Annotated[
            str, Query(max_length=200, description="a key, for who can't send headers")
        ] = "",
    ) -> Visitor:
        if token and request.query_params.get("original", "0").lower() not in ("0", "false"):
            raise Problem(403, "not-allowed", "Originals are for keys in a header, or a login.")
        return self._checked(door_of(request).visitor(request, token))


class NeedsOrNetwork(Needs):
    """Takes who asks from ``api.metrics_from`` without a credential too."""

    def __call__(self, request: Request) -> Visitor:
        door = door_of(request)
        return door.scraper(request) or self._checked(door.visitor(request))


class NeedsKey(Needs):
    """For who brings pictures: a key in a header, which is not asked for in the database each time
    and not at all while that is away."""

    async def __call__(self, request: Request) -> Visitor:  # type: ignore[override]
        door = door_of(request)
        sender = door.sender(request, waiting=False)
        if sender is None:
            sender = await run_in_threadpool(door.sender, request)
        return self._checked(sender or NOBODY)


class NeedsByBody(NeedsKey):
    """``request`` for who asks a camera for a picture, ``ingest`` for who brings one."""

    async def __call__(self, request: Request) -> Visitor:  # type: ignore[override]
        if brings_picture(request.scope):
            return await BRINGS(request)
        return await run_in_threadpool(_REQUEST, request)


class Public:
    """Lets everybody through, and asks nobody who it is."""

    async def __call__(self) -> None:
        return None


def door_of(request: Request) -> Door:
    """The door of the app that answers this request."""
    door: Door = request.app.state.door
    return door


def note(request: Request, visitor: Visitor, action: str, what: str, detail: str = "") -> None:
    """Write a row of the audit log."""
    door = door_of(request)
    door.access.ledger.commit([], door.actor(request, visitor), action, what, detail)


BRINGS = NeedsKey(Right.INGEST)
_REQUEST = Needs(Right.REQUEST)
_PUBLIC = Public()
PUBLIC = Depends(_PUBLIC)
MayRead = Annotated[Visitor, Depends(Needs(Right.READ))]
MayReadByToken = Annotated[Visitor, Depends(NeedsOrToken(Right.READ))]
MayBring = Annotated[Visitor, Depends(BRINGS)]
MayBringOrRead = Annotated[Visitor, Depends(Needs(Right.INGEST, Right.READ))]
MayRequestOrBring = Annotated[Visitor, Depends(NeedsByBody(Right.REQUEST, Right.INGEST))]
MayFollow = Annotated[Visitor, Depends(Needs(Right.READ, Right.REQUEST))]
MayOperate = Annotated[Visitor, Depends(Needs(Right.OPERATE))]
MayAdminister = Annotated[Visitor, Depends(Needs(Right.ADMINISTER))]
MayScrape = Annotated[Visitor, Depends(NeedsOrNetwork(Right.READ))]
IsKnown = Annotated[Visitor, Depends(Needs(*Right))]


def declared(app: FastAPI) -> Iterator[tuple[BaseRoute, Needs | Public | None]]:
    """Every route of an app, and what it says it needs."""
    for route in every_route(app.routes):
        if isinstance(route, Mount) and getattr(route.app, "is_public", False):
            yield route, _PUBLIC
        else:
            yield route, _needs(route.dependant) if isinstance(route, APIRoute) else None


def undeclared(app: FastAPI) -> list[str]:
    """The routes that say nothing of what they need."""
    return [str(getattr(route, "path", route)) for route, needs in declared(app) if not needs]


def _needs(dependant: Dependant) -> Needs | Public | None:
    for each in dependant.dependencies:
        if isinstance(each.call, Needs | Public):
            return each.call
    return None
