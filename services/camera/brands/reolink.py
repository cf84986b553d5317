"""Reolink: a login by JSON gives a token for an hour, and the picture wants that token.

A camera has few sessions, so a token is used until its lease ends, and given back at the end.
Errors come with status 200, as JSON that is declared as text/html. Some models have the login at a
second path.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from itertools import chain
from typing import Any
from urllib.parse import urlencode

from services.camera import explain
from services.camera.brands.adapter import Adapter, Still
from services.camera.brands.url import address, client, still
from services.camera.failures import CameraError, Misdirected, WrongAnswer, as_camera_error
from shared.http.client import Client
from shared.http.deadline import Deadline
from shared.http.errors import HttpError
from shared.http.login import Login
from shared.settings.fetch import FetchSection

PATHS = ("/cgi-bin/api.cgi", "/api.cgi")
LEASE_S = 3600.0
SPARE_S = 60.0
"""A token is renewed so long before its lease ends."""
LOGOUT_S = 3.0
_ENDED = {-6, -21}
"""The session has ended: by a restart of the camera, or because another one took its place."""


@dataclass(frozen=True, slots=True)
class Session:
    """A login: where it was made, its token, and when it ends, by the monotonic clock."""

    path: str
    token: str
    ends: float


class ReolinkAdapter:
    """A Reolink camera, or one channel of a recorder or hub."""

    def __init__(self, client: Client, camera: str, fetch: FetchSection) -> None:
        self._client = client
        self._camera = camera
        self._username = fetch.username
        self._password = fetch.password.get_secret_value()
        self._wanted = _wanted(fetch)
        self._session: Session | None = None

    @contextmanager
    def open(self, deadline: Deadline) -> Iterator[Still]:
        with as_camera_error(), ExitStack() as held:
            found = self._picture(held, deadline)
            if found is None:  # the session has ended, so once more with a new one
                self._session = None
                found = self._picture(held, deadline)
            if found is None:
                raise WrongAnswer("the camera ends our session at once: are too many open?")
            yield found

    def close(self) -> None:
        """Log out, since sessions are few."""
        if self._session and time.monotonic() < self._session.ends:
            url = self._url(self._session, "Logout")
            body = json.dumps([{"cmd": "Logout", "action": 0, "param": {}}]).encode()
            with (
                suppress(HttpError),
                Deadline(LOGOUT_S) as deadline,
                self._client.post(url, body, deadline) as answer,
            ):
                explain.beginning(answer.chunks)
        self._session = None

    def _picture(self, held: ExitStack, deadline: Deadline) -> Still | None:
        """The picture; None when the camera does not know our session any more."""
        if self._session is None or time.monotonic() >= self._session.ends:
            self._session = self._login(deadline)
        url = self._url(self._session, "Snap", **self._wanted, rs=secrets.token_hex(8))
        with ExitStack() as attempt:
            answer = attempt.enter_context(self._client.get(url, deadline))
            if answer.status != 200:
                raise explain.refusal(answer.status, answer.chunks)
            first = next(answer.chunks, b"")
            if first.lstrip()[:1] in (b"[", b"{"):
                code = explain.reolink_code(first + explain.beginning(answer.chunks))
                if code in _ENDED:
                    return None
                raise explain.reolink(code)
            found = still(answer, "token")
            held.push(attempt.pop_all())
        return Still(found.name, chain((first,), answer.chunks), found.login, found.clock)

    def _login(self, deadline: Deadline) -> Session:
        user = {"Version": "0", "userName": self._username, "password": self._password}
        ask = [{"cmd": "Login", "action": 0, "param": {"User": user}}]
        missing: CameraError | None = None
        for path in PATHS:
            url = f"{self._camera}{path}?cmd=Login"
            body = json.dumps(ask).encode()
            with self._client.post(url, body, deadline) as answer:
                head = explain.beginning(answer.chunks)
                if answer.status == 200:
                    return _session(path, head)
                problem = explain.refused(answer.status, head)
            if not isinstance(problem, Misdirected):
                raise problem
            missing = missing or problem
        assert missing is not None  # there is a path
        raise missing

    def _url(self, session: Session, command: str, **more: str) -> str:
        query = urlencode({"cmd": command, **more, "token": session.token})
        return f"{self._camera}{session.path}?{query}"


def _session(path: str, head: bytes) -> Session:
    """The session that a login gave. Raises the CameraError that it gave instead."""
    try:
        (said,) = json.loads(head)
        token: Any = said["value"]["Token"]
        name, lease = str(token["name"]), float(token.get("leaseTime", LEASE_S))
    except (ValueError, TypeError, KeyError, AttributeError):
        if code := explain.reolink_code(head):
            raise explain.reolink(code) from None
        raise explain.page(head) from None
    return Session(path, name, time.monotonic() + max(lease - SPARE_S, lease / 2))


def _wanted(fetch: FetchSection) -> dict[str, str]:
    """What the picture is to be; its channels count from 0."""
    wanted = {"channel": str(fetch.channel - 1)}
    if fetch.stream == "sub":
        wanted["snapType"] = "sub"
    if fetch.resolution:
        wanted["width"], wanted["height"] = fetch.resolution.split("x")
    return wanted


def adapter(fetch: FetchSection) -> Adapter:
    """One channel of a Reolink, which has a login of its own kind."""
    return ReolinkAdapter(client(fetch, Login("", "", "none")), address(fetch), fetch)
