"""What is said to requests that the end of the server cuts off.

uvicorn cancels what has not ended by then, and would answer 500. Of a request that keeps nothing we
can say so; of a picture that is being stored nobody can before that has ended.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TypeVar

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.extensions import abort
from services.api.problems import answer

T = TypeVar("T")


class InDoubt(asyncio.CancelledError):
    """The request was cut off while its effect was about to happen: neither yes nor no is true."""


async def outcome_of(told: asyncio.Future[T]) -> T:
    """What becomes of this future, also if the server stops meanwhile. Raises InDoubt when the loop
    ends before that, and what the future raises."""
    try:
        return await asyncio.shield(told)
    except asyncio.CancelledError:
        try:
            return await told
        except asyncio.CancelledError:
            raise InDoubt from None


class Stopping:
    """Wraps an app: a request that is cut off before its answer began is answered 503, or not at
    all if what became of it is in doubt."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = False

        async def noted(message: Message) -> None:
            nonlocal began
            began = began or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except asyncio.CancelledError as error:
            if scope["type"] != "http":
                raise
            if began or isinstance(error, InDoubt):
                abort(scope)
                return
            told = "Snapbus stops, and has not taken this. Send it again shortly."
            headers = {"Retry-After": "5", "Connection": "close"}
            refusal = answer(503, "stopping", told, headers)
            with suppress(asyncio.CancelledError):
                await refusal(scope, receive, send)
