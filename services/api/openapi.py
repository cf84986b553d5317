"""/openapi.json: what routes say of themselves, and what stands before all of them.

Every status that a route can answer is named, each error as the one kind of body there is.
"""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from services.api.door import COOKIE
from services.api.examples import EXAMPLES
from services.api.guard import SAFE_METHODS
from services.api.needs import (
    Needs,
    NeedsByBody,
    NeedsKey,
    NeedsOrNetwork,
    NeedsOrToken,
    Public,
    declared,
)
from services.api.problems import MEDIA_TYPE, body

_OF_PICTURES = (411, 507)
# What only some operations answer, by their id.
_MORE = {
    "request_snapshot": (409, *_OF_PICTURES),
    "put_snapshot": _OF_PICTURES,
    "upload_capture": (404, *_OF_PICTURES),
    "upload_snapshot": (404, 422, *_OF_PICTURES),
    "get_upload": (422,),
    "log_in": (401, 409, 429),
    "make_first_account": (401, 409, 429),
    "begin_oidc_login": (404,),
    "end_oidc_login": (404,),
    "change_password": (409,),
    "add_person": (409,),
    "change_person": (409,),
    "remove_person": (409,),
    "make_key": (409,),
    "rotate_key": (409,),
    "revoke_key": (409,),
}
_SAYS = {
    400: ("", "The request is cut off, or is no HTTP."),
    401: ("login-required", "Log in on the page, or send a key: Authorization: Bearer <key>."),
    403: ("not-allowed", "viewer may not do this; it needs administer."),
    404: ("no-such-snapshot", "There is no snapshot with this id."),
    408: ("body-too-slow", "The body did not arrive in time."),
    409: ("not-possible", "As things are this can't be done; the detail says why."),
    411: ("length-required", "Send a Content-Length, or the body in chunks."),
    413: ("body-too-large", "At most 65536 bytes are taken here."),
    415: ("json-expected", "Send the body as application/json."),
    421: ("unknown-host", "This server does not answer to that host name."),
    422: ("unknown-parameter", "There is no parameter 'lable' here. Did you mean label?"),
    429: ("too-many-tries", "Too many requests: again in 12 seconds."),
    507: ("store-full", "Too little disk space is left in the picture store."),
    503: ("journal-unavailable", "The database can't be reached now; ask again shortly."),
}
_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457): `type` for programs, `detail` for people.",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "description": "urn:snapbus:problem:<kind>, or about:blank"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "description": "each part of the request that is not valid",
            "items": {
                "type": "object",
                "required": ["at", "message"],
                "properties": {"at": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}
_LOGIN: list[dict[str, list[str]]] = [{"key": []}, {"session": []}]
_SECURE: dict[type, list[dict[str, list[str]]]] = {
    Public: [],
    Needs: _LOGIN,
    NeedsKey: [{"key": []}],
    NeedsByBody: _LOGIN,
    NeedsOrToken: [*_LOGIN, {"token": []}],
    NeedsOrNetwork: [{}, *_LOGIN],
}
_SECURITY = {
    "token": {
        "type": "apiKey",
        "in": "query",
        "name": "token",
        "description": "A key in the address of one picture, for who can't send headers.",
    },
    "key": {
        "type": "http",
        "scheme": "bearer",
        "description": "A key for programs; `./taskw key` makes one, and so does the page.",
    },
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": "The cookie of somebody who logged in.",
    },
}


def install(app: FastAPI) -> None:
    """Let the app describe itself by this module."""

    def openapi() -> dict[str, Any]:
        if not app.openapi_schema:
            app.openapi_schema = described(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def operation_id(route: APIRoute) -> str:
    """The name of an operation in clients: that of its function."""
    return route.name


def described(app: FastAPI) -> dict[str, Any]:
    """The whole description."""
    schema = get_openapi(
        title=app.title, version=app.version, description=app.description, routes=app.routes
    )
    needed = {
        (getattr(route, "path_format", ""), method.lower()): needs
        for route, needs in declared(app)
        for method in getattr(route, "methods", None) or ()
    }
    for path, method, operation in _operations(schema):
        needs = needed[path, method]
        is_guarded = isinstance(needs, Needs)
        operation["security"] = _SECURE[type(needs)]
        answers = operation["responses"]
        answers.pop("422", None)
        for status in sorted(_statuses(path, method, operation["operationId"], is_guarded)):
            if str(status) in answers:
                continue  # it says itself what that is
            answers[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}
    parts = schema["components"]
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    for name, example in EXAMPLES.items():
        parts["schemas"][name]["examples"] = [example]
    parts["schemas"]["Problem"] = _PROBLEM
    parts["responses"] = {f"Problem{status}": _problem(status) for status in _SAYS}
    parts["securitySchemes"] = _SECURITY
    return schema


def _operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in schema["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def _statuses(path: str, method: str, name: str, is_guarded: bool) -> set[int]:
    statuses = {400, 421, 503, *_MORE.get(name, ())}
    if is_guarded:
        statuses |= {401, 403, 429}
    if method.upper() not in SAFE_METHODS:
        statuses |= {403, 408, 413, 415}
    if path.startswith("/v1/"):
        statuses |= {422}
    if "{" in path:
        statuses |= {404}
    return statuses


def _problem(status: int) -> dict[str, Any]:
    kind, detail = _SAYS[status]
    content = {"schema": {"$ref": "#/components/schemas/Problem"}}
    example = {"example": body(status, kind, detail)}
    answer: dict[str, Any] = {
        "description": HTTPStatus(status).phrase,
        "content": {MEDIA_TYPE: content | example},
    }
    if status in (429, 503):
        wait = {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}
        answer["headers"] = {"Retry-After": wait}
    return answer
