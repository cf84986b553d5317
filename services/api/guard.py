"""What stands before every request: who may ask at all, how much, and what a browser may do with
the answer. An ASGI wrapper around the whole app, so that error pages are covered too."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import logging
import re
import uuid
from collections.abc import Callable, Iterable

from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from services.api.doors.body import Lingering
from services.api.doors.which import brings_picture
from services.api.problems import Problem, answer
from services.api.stopping import Stopping
from shared.trace import within

log = logging.getLogger(__name__)

BODY_BYTES = 65_536
"""Pictures come in by the doors; the API's own bodies are a few words of JSON."""
BODY_SECONDS = 10.0
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# Names nobody can register on the internet, so no foreign page can be served under them.
LOCAL_SUFFIXES = (
    ".local",
    ".lan",
    ".internal",
    ".home.arpa",
    ".localhost",
    ".localdomain",
    ".test",
)

HSTS = "max-age=31536000"
"""Only to who came by TLS: a browser then comes by nothing else for a year."""
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}


_RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
_NUL = re.compile(rb"(?<!\\)(\\\\)*\\u0000")
NO_TEXT = Problem(
    400, "no-text", "There are characters in this request that are no text, such as NUL."
)


class Guard:
    """Wraps the app. ``hosts`` are names it may be called by besides addresses and local names."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: Iterable[str] = (),
        is_secure: Callable[[HTTPConnection], bool] = lambda _request: False,
    ) -> None:
        self._is_secure = is_secure
        self._app = app
        self._stopping = Stopping(self._begin)
        self._hosts = frozenset(host.lower() for host in hosts)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if brings_picture(scope):
            lingering = Lingering(scope, receive, send)
            receive, send = lingering.receive, lingering.send
        request_id = uuid.uuid4().hex
        secure = self._is_secure(HTTPConnection(scope))

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = message["headers"] = list(message["headers"])
                there = {name.lower() for name, _value in headers}
                headers += [each for each in _RAW if each[0] not in there]
                headers.append((b"x-request-id", request_id.encode()))
                if secure:
                    headers.append((b"strict-transport-security", HSTS.encode()))
                log.debug(
                    "%s %s answered %s",
                    scope["method"],
                    scope["path"],
                    message["status"],
                    extra={"action": "request_answered", "request_id": request_id},
                )
            await send(message)

        await self._stopping(scope, receive, guarded)

    async def _begin(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            receive = await self._checked(scope, receive)
        except Problem as problem:
            refusal = answer(problem.status, problem.kind, problem.detail, problem.headers)
            await refusal(scope, receive, send)
            return
        # What a request begins, such as an event, belongs to the trace of who sent it.
        headers = Headers(scope=scope)
        with within(headers.get("traceparent", ""), headers.get("baggage", "")):
            await self._app(scope, receive, send)

    async def _checked(self, scope: Scope, receive: Receive) -> Receive:
        """Raises Problem for what no route need see."""
        headers = Headers(scope=scope)
        self._check_host(headers.get("host", ""))
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise NO_TEXT
        if scope["method"] in SAFE_METHODS:
            return receive
        _check_origin(headers)
        if brings_picture(scope):
            return receive
        _check_type(headers)
        return await _whole_body(headers, receive)

    def _check_host(self, host: str) -> None:
        """Refuse names that a foreign page could point at us (DNS rebinding)."""
        name = _name_of(host)
        if "." not in name or name.endswith(LOCAL_SUFFIXES) or name in self._hosts:
            return
        try:
            ipaddress.ip_address(name)
        except ValueError:
            raise Problem(
                421,
                "unknown-host",
                "This server does not answer to that host name. If it is yours, add it to "
                "api.hosts in the configuration.",
            ) from None


def _name_of(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.rpartition(":")[0].lower() if ":" in host else host.lower().rstrip(".")


def _check_origin(headers: Headers) -> None:
    """A change is only taken from our own page, or from a program that is no browser."""
    site = headers.get("sec-fetch-site", "same-origin")
    origin = headers.get("origin")
    foreign = origin is not None and origin.partition("://")[2] != headers.get("host")
    if site not in ("same-origin", "none") or foreign:
        raise Problem(403, "foreign-origin", "Changes are not taken from pages of other sites.")


def _check_type(headers: Headers) -> None:
    # A form of a foreign page can send three content types; JSON is none of them.
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    if kind == "application/json" or (not kind and empty):
        return
    raise Problem(415, "json-expected", "Send the body as application/json.")


def check_text(body: bytes) -> None:
    """No database takes NUL, and none half of a character; JSON can write both."""
    if b"\\u" not in body:
        return
    try:
        text = json.dumps(json.loads(body), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise NO_TEXT from None
    except (ValueError, RecursionError):
        return  # no JSON at all, which is told where it is read
    if _NUL.search(text):
        raise NO_TEXT


async def _whole_body(headers: Headers, receive: Receive) -> Receive:
    """The body, read within limits before the app sees the request."""
    too_large = Problem(413, "body-too-large", f"At most {BODY_BYTES} bytes are taken here.")
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_BYTES:
        raise too_large
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            more = True
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Problem(400, "cut-off", "The connection ended within the body.")
                body += message.get("body", b"")
                more = message.get("more_body", False)
                if len(body) > BODY_BYTES:
                    raise too_large
    except TimeoutError:
        raise Problem(408, "body-too-slow", "The body did not arrive in time.") from None
    check_text(bytes(body))
    whole: Message | None = {"type": "http.request", "body": bytes(body), "more_body": False}

    async def replay() -> Message:
        nonlocal whole
        if whole is not None:
            message, whole = whole, None
            return message
        return await receive()

    return replay
