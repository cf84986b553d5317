"""The body of a picture's request: announced, read as it comes, and cut off when it comes wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from services.api.extensions import within
from services.api.problems import Problem
from shared.settings.api import DoorsSection

LINGER_S = 5.0
"""Who is refused in the middle of a body may go on sending for so long: a client that only sends,
and is hung up on, never reads why."""
SPARE_S = 15.0


def announced(request: Request, most: int) -> int:
    """The length that a request announces, or 0 when its body comes in chunks. Raises Problem for
    what need not be read to be refused."""
    headers = request.headers
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Problem(415, "encoded-body", "Send the picture itself, without Content-Encoding.")
    if "transfer-encoding" in headers:
        return 0
    length = headers.get("content-length", "")
    if not length.isascii() or not length.isdigit():
        raise Problem(411, "length-required", "Send a Content-Length, or the body in chunks.")
    if int(length) > most:
        raise too_large(most)
    return int(length)


def too_large(most: int) -> Problem:
    """The refusal of a body with more than so many bytes."""
    return Problem(413, "body-too-large", f"At most {most} bytes are taken here.")


async def read(
    request: Request, most: int, pace: DoorsSection, take: Callable[[bytes], Awaitable[None]]
) -> None:
    """Hand the body on as it comes. Raises Problem when it is too large, comes too slowly, or ends
    before its end."""
    clock = asyncio.get_running_loop().time
    began, got, more = clock(), 0, True
    within(request.scope, pace.upload_s + SPARE_S)  # only a net: what counts is below
    try:
        async with asyncio.timeout(None) as limit:
            while more:
                # The first bytes may take as long as any.
                slowest = began + pace.stall_s + got / pace.bytes_a_second
                limit.reschedule(min(clock() + pace.stall_s, slowest, began + pace.upload_s))
                message = await request.receive()
                limit.reschedule(None)  # what takes the pieces may take its time
                if message["type"] == "http.disconnect":
                    raise Problem(400, "cut-off", "The connection ended within the body.")
                piece, more = message.get("body", b""), message.get("more_body", False)
                got += len(piece)
                if got > most:
                    raise too_large(most)
                if piece:
                    await take(piece)
    except TimeoutError:
        within(request.scope, LINGER_S)
        raise Problem(408, "body-too-slow", "The body did not arrive in time.") from None


class Lingering:
    """``receive`` and ``send`` of a request that may be answered before the end of its body."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._asked = False
        """Whether a byte of the body was asked for: one who waits for that sends none before."""
        self._waits = (b"expect", b"100-continue") in scope["headers"]
        self._ended = False

    async def receive(self) -> Message:
        self._asked = True
        message = await self._receive()
        self._ended = message["type"] != "http.request" or not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if not last or self._ended or (self._waits and not self._asked):
            await self._send(message)
            return
        await self._send({**message, "more_body": True})
        within(self._scope, LINGER_S)
        with suppress(TimeoutError):
            async with asyncio.timeout(LINGER_S):
                while not self._ended:
                    await self.receive()
        await self._send({"type": "http.response.body", "body": b"", "more_body": False})
