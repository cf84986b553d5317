"""Every error as one kind of body, RFC 9457: what happened and what to do, never how we are built.

The one place where an error becomes an HTTP status.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from services.api.methods import allowed
from shared.errors import (
    AccessError,
    Crashed,
    JournalUnavailable,
    PictureError,
    SnapbusError,
    SnapshotMissing,
    StoreError,
    StoreFull,
    StoreMissing,
    Throttled,
)

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = "5"


class Problem(Exception):
    """An answer that is no success. ``kind`` names it for programs, ``detail`` for people."""

    def __init__(
        self, status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.kind = kind
        self.detail = detail
        self.headers = dict(headers or {})


# What our own errors are to a client. Their texts may name paths and hosts, so they stay here.
_KNOWN: tuple[tuple[type[SnapbusError], int, str, str], ...] = (
    (
        JournalUnavailable,
        503,
        "journal-unavailable",
        "The database can't be reached now. Pictures go on being taken; ask again shortly.",
    ),
    (
        StoreMissing,
        503,
        "store-missing",
        "The volume of the picture store is not mounted, or is not the right one.",
    ),
    (StoreFull, 507, "store-full", "Too little disk space is left in the picture store."),
    (SnapshotMissing, 404, "file-missing", "The file of this snapshot is gone from the store."),
    (StoreError, 503, "store-failed", "The picture store can't be read or written now."),
    (Crashed, 503, "decoder-ended", "The decoder of this picture ended; it may succeed later."),
    (
        PictureError,
        404,
        "unsound-picture",
        "This file does not decode as a picture, so there is nothing safe to show.",
    ),
)


def body(status: int, kind: str, detail: str, **more: Any) -> dict[str, Any]:
    """The members of a problem; ``kind`` empty means no more than the status says."""
    return {
        "type": f"urn:snapbus:problem:{kind}" if kind else "about:blank",
        "title": kind.replace("-", " ").capitalize() if kind else HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        **more,
    }


def answer(
    status: int, kind: str, detail: str, headers: Mapping[str, str] | None = None, **more: Any
) -> JSONResponse:
    """The response that says this problem."""
    return JSONResponse(
        body(status, kind, detail, **more), status, dict(headers or {}), media_type=MEDIA_TYPE
    )


def install(app: FastAPI) -> None:
    """Answer every error of this app with a problem."""
    for kind, handler in _HANDLERS.items():
        app.add_exception_handler(kind, handler)
    app.add_exception_handler(Exception, _unexpected)


async def answered(request: Request, error: Exception) -> JSONResponse:
    """The answer to an error of a kind in ``HANDLED``."""
    handler = next(_HANDLERS[kind] for kind in _HANDLERS if isinstance(error, kind))
    return await handler(request, error)


async def _problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return answer(error.status, error.kind, error.detail, error.headers)


async def _http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    details = {
        404: "There is nothing at this address. See /docs for what there is.",
        405: "This address does not take this method. See /docs.",
    }
    detail = details.get(error.status_code, str(error.detail))
    headers = dict(error.headers or {})
    if error.status_code == 405:  # the router names the methods of one route only
        headers["Allow"] = allowed(request.app.routes, request.scope) or headers.get("Allow", "")
    return answer(error.status_code, "", detail, headers)


async def _invalid(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    errors = [
        {"at": ".".join(str(part) for part in each["loc"]), "message": each["msg"]}
        for each in error.errors()
    ]
    first = errors[0] if errors else {"at": "request", "message": "not valid"}
    detail = f"{first['at']}: {first['message']}"
    return answer(422, "invalid-request", detail, errors=errors)


async def _ours(_request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, Throttled):
        wait = {"Retry-After": str(max(1, math.ceil(error.after_s)))}
        return answer(429, "too-many-tries", f"{error}.".capitalize(), wait)
    if isinstance(error, AccessError):
        return answer(409, "not-possible", f"{error}.".capitalize())
    for kind_of_error, status, kind, detail in _KNOWN:
        if isinstance(error, kind_of_error):
            headers = {"Retry-After": RETRY_AFTER_S} if status == 503 else {}
            log.warning("%s: %s", kind, error, extra={"action": "request_failed"})
            return answer(status, kind, detail, headers)
    return await _unexpected(_request, error)


async def _unexpected(_request: Request, _error: Exception) -> JSONResponse:
    # The server logs the traceback, with the request's id beside it.
    return answer(
        500, "", "Something went wrong here. The log of the service has it under the request's id."
    )


_HANDLERS: Mapping[type[Exception], Callable[[Request, Exception], Awaitable[JSONResponse]]] = {
    Problem: _problem,
    HTTPException: _http,
    RequestValidationError: _invalid,
    SnapbusError: _ours,
}
HANDLED = tuple(_HANDLERS)
