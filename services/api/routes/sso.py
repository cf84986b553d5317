"""/v1/session/oidc: logging in at another place, and coming back."""

from __future__ import annotations

import importlib
import logging
from functools import partial
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Cookie, Request
from fastapi.responses import RedirectResponse

from services.api.cookies import give
from services.api.door import Door
from services.api.needs import PUBLIC
from services.api.problems import Problem
from services.api.routes.session import DoorOf, Turns, begin
from shared.access import Actor
from shared.errors import AccessError

if TYPE_CHECKING:
    from services.api import oidc

log = logging.getLogger(__name__)

COOKIE = "snapbus_oidc"
PATH = "/v1/session/oidc"
TEN_MINUTES = 600
REFUSED = "/#refused"


def routes() -> APIRouter:
    """The routes of logging in elsewhere."""
    router = APIRouter(prefix=PATH, tags=["session"], dependencies=[PUBLIC])
    turns = Turns()

    @router.get("", status_code=303, response_class=RedirectResponse)
    async def begin_oidc_login(request: Request, door: DoorOf) -> RedirectResponse:
        """Go to the provider."""
        return await turns.run(partial(_leave, request, door))

    @router.get("/callback", status_code=303, response_class=RedirectResponse)
    async def end_oidc_login(
        request: Request,
        door: DoorOf,
        snapbus_oidc: Annotated[str, Cookie(max_length=300)] = "",
        code: str = "",
        state: str = "",
        iss: str = "",
        session_state: str = "",
        scope: str = "",
        error: str = "",
        error_description: str = "",
    ) -> RedirectResponse:
        """Come back from the provider."""
        return await turns.run(partial(_come_back, request, door, snapbus_oidc))

    return router


def _provider(door: Door) -> tuple[oidc.Provider, type[oidc.Attempt]]:
    if door.settings.oidc is None:
        raise Problem(404, "no-provider", "No provider is configured in api.oidc.")
    module = importlib.import_module("services.api.oidc")
    return module.Provider(door.settings.oidc), module.Attempt


def _back(request: Request, door: Door) -> str:
    scheme = "https" if door.is_secure(request) else "http"
    return f"{scheme}://{request.headers.get('host', '')}{PATH}/callback"


def _leave(request: Request, door: Door) -> RedirectResponse:
    provider, attempts = _provider(door)
    attempt = attempts.fresh()
    response = RedirectResponse(provider.begin(attempt, _back(request, door)), 303)
    give(response, COOKIE, attempt.cookie, secure=door.is_secure(request), seconds=TEN_MINUTES)
    return response


def _come_back(request: Request, door: Door, cookie: str) -> RedirectResponse:
    provider, attempts = _provider(door)
    somebody, name = Actor("somebody", address=door.address(request)), ""
    back = _back(request, door)
    response = RedirectResponse("/", 303)
    try:
        found = provider.end(attempts.of(cookie), f"{back}?{request.url.query}", back)
        name = found.name
        actor = Actor(name, address=somebody.address)
        role = door.settings.oidc.role if door.settings.oidc else ""
        person = door.access.from_elsewhere(found.subject, name, role, actor)
    except AccessError as error:
        log.warning("a login elsewhere failed: %s", error, extra={"action": "login_refused"})
        door.access.ledger.commit([], somebody, "login_refused", name, str(error))
        response = RedirectResponse(REFUSED, 303)
    else:
        begin(person, request, response, door, "elsewhere")
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")
    return response
